//! Which clients are admitted, how many, and for how long.

use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;

use nix::sys::signal::Signal;

use super::{Place, abstract_name, serve, stop};
use crate::support::{Running, as_another_user, code, ipc, sh, text, until};

/// A server that may open so many descriptors, and listens already.
fn serve_within(descriptors: u32, address: &str, words: &str) -> Running {
    let line = format!("ulimit -n {descriptors}; exec ipc sock serve \"$0\" {words}");
    let server = sh(&line).word(address).start();
    ipc(&["sock", "wait", "-t", "60", address]).is(0, "", "");
    server
}

/// Has so many clients connect at once, each of whom says its number, hears it, and leaves.
#[track_caller]
fn all_are_served(address: &str, clients: usize) {
    let mut connected: Vec<_> =
        (0..clients).map(|_| UnixStream::connect(address).unwrap()).collect();
    for (number, client) in connected.iter_mut().enumerate() {
        client.write_all(&number.to_ne_bytes()).unwrap();
    }
    let heard: Vec<_> = connected
        .into_iter()
        .map(|mut client| {
            std::thread::spawn(move || {
                let mut heard = [0; size_of::<usize>()];
                client.read_exact(&mut heard).map(|()| usize::from_ne_bytes(heard))
            })
        })
        .collect();
    for (number, heard) in heard.into_iter().enumerate() {
        assert_eq!(heard.join().unwrap().unwrap(), number);
    }
}

#[test]
fn a_server_without_descriptors_leaves_clients_waiting_and_loses_none() {
    for words in ["--echo", "--max-per-uid 2 --echo", "-- cat"] {
        let place = Place::new();
        let server = serve_within(12, &place, words);
        all_are_served(&place, 40);
        server.signal(Signal::SIGTERM);
        let told = text(&server.finish().stderr);
        let waiting =
            "ipc: sock serve: clients are left waiting for a while: Too many open files\n";
        // The server closes the socket as soon as the command has it.
        assert_eq!(told, if words == "-- cat" { "" } else { waiting }, "{words}");
        assert_eq!(place.names(), [""; 0]);
    }
}

#[test]
fn a_relay_without_descriptors_leaves_clients_waiting_and_loses_none() {
    let (place, front) = (Place::new(), Place::new());
    let server = serve(&place, &["--echo"]);
    let line = "ulimit -n 40; exec ipc sock relay \"$1\" \"$0\"";
    let relay = sh(line).word(&*place).word(&*front).start();
    ipc(&["sock", "wait", "-t", "60", &front]).is(0, "", "");
    all_are_served(&front, 40);
    stop(relay, Signal::SIGTERM);
    stop(server, Signal::SIGTERM);
}

#[test]
fn those_above_a_limit_wait_to_be_accepted_and_are_served_in_turn() {
    for words in [
        ["--max-clients", "3", "--echo"].as_slice(),
        &["--max-per-uid", "3", "--echo"],
        &["--max-clients", "3", "--", "cat"],
        &["--max-per-uid", "3", "--max-clients", "5", "--", "cat"],
    ] {
        let place = Place::new();
        let server = serve(&place, words);
        all_are_served(&place, 300);
        stop(server, Signal::SIGTERM);
    }
}

#[test]
fn those_above_the_limit_of_clients_are_not_accepted() {
    let place = Place::new();
    let server = serve(&place, &["--max-clients", "1", "--echo"]);
    let mut first = UnixStream::connect(&*place).unwrap();
    first.write_all(b"!").unwrap();
    first.read_exact(&mut [0]).unwrap();
    let _second = UnixStream::connect(&*place).unwrap();
    let _third = UnixStream::connect(&*place).unwrap();
    assert!(ipc(&["sock", "stat", &place]).succeeds().contains("receive_queue: 2\n"));
    stop(server, Signal::SIGTERM);
}

#[test]
fn a_group_that_is_named_comes_in_and_others_do_not() {
    let place = Place::new();
    let directory = place.directory.path();
    std::fs::set_permissions(directory, std::fs::Permissions::from_mode(0o755)).unwrap();
    // An abstract name has no permissions.
    let addresses = [(place.to_string(), &["-m", "666"][..]), (abstract_name(), &[])];
    for (address, mode) in addresses {
        let connect = ["sock", "connect", &address];
        let Some(stranger) = as_another_user(&connect) else { return };
        let words = ["--allow-gid", "65534", "--", "echo", "shared"];
        let server = serve(&address, &[mode, &words].concat());
        stranger.is(0, "shared\n", "");
        stop(server, Signal::SIGTERM);
        let words = ["--allow-gid", "12", "--", "echo", "secret"];
        let server = serve(&address, &[mode, &words].concat());
        let stranger = as_another_user(&connect).unwrap().output();
        assert_eq!(text(&stranger.stdout), "");
        ipc(&connect).is(0, "secret\n", "");
        server.signal(Signal::SIGTERM);
        assert!(text(&server.finish().stderr).contains("of user 65534 was disconnected"));
    }
}

#[test]
fn bytes_of_a_refused_client_are_not_read() {
    let address = abstract_name();
    let script = "cat; echo ran >&2";
    let server = serve(&address, &["--", "sh", "-c", script]);
    let Some(stranger) = as_another_user(&["sock", "connect", &address]) else { return };
    assert_eq!(text(&stranger.input("forged").output().stdout), "");
    server.signal(Signal::SIGTERM);
    assert!(!text(&server.finish().stderr).contains("ran"));
}

#[test]
fn another_user_is_refused_at_an_abstract_name_by_every_verb() {
    for words in [["--echo"].as_slice(), &["--hub"], &["--type", "seqpacket", "--echo"], &[]] {
        let address = abstract_name();
        let mut connect = vec!["sock", "connect", &address];
        if words.contains(&"seqpacket") {
            connect.extend(["--type", "seqpacket"]);
        }
        let Some(stranger) = as_another_user(&connect) else { return };
        let server = serve(&address, words);
        let output = stranger.input("let me in\n").output();
        assert_eq!(text(&output.stdout), "", "{words:?}");
        server.signal(Signal::SIGTERM);
        let output = server.finish();
        assert_eq!(text(&output.stdout), "", "{words:?}");
        assert!(text(&output.stderr).contains("was disconnected"), "{words:?}");
    }
}

#[test]
fn messages_of_a_named_user_are_accepted() {
    for kind in ["dgram", "seqpacket"] {
        let address = abstract_name();
        let send = ["sock", "send", "--type", kind, &address, "let me in"];
        let Some(stranger) = as_another_user(&send) else { return };
        let words = ["sock", "recv", "--type", kind, "--allow-uid", "65534", &address];
        let receiver = ipc(&words).start();
        ipc(&["sock", "wait", "-t", "60", &address]).is(0, "", "");
        stranger.is(0, "", "");
        assert_eq!(text(&receiver.finish().stdout), "let me in\n");
        let stranger = as_another_user(&send).unwrap();
        let receiver = ipc(&["sock", "recv", "--type", kind, &address]).start();
        ipc(&["sock", "wait", "-t", "60", &address]).is(0, "", "");
        stranger.output();
        ipc(&["sock", "send", "--type", kind, &address, "ours"]).is(0, "", "");
        assert_eq!(text(&receiver.finish().stdout), "ours\n");
    }
}

#[test]
fn a_second_signal_ends_the_grace_period() {
    let place = Place::new();
    let script = "trap 'echo told >&2; exit' TERM; echo hi; while :; do sleep 0.05; done";
    let server = serve(&place, &["--grace", "600", "--", "sh", "-c", script]);
    let mut client = UnixStream::connect(&*place).unwrap();
    client.read_exact(&mut [0; 3]).unwrap();
    server.signal(Signal::SIGTERM);
    until("the path is gone", || place.names().is_empty());
    assert!(UnixStream::connect(&*place).is_err());
    server.signal(Signal::SIGINT);
    let output = server.finish();
    assert_eq!((code(&output), text(&output.stderr)), (130, "told\n".to_owned()));
    assert_eq!(client.read_to_end(&mut Vec::new()).unwrap(), 0);
}

#[test]
fn a_client_that_keeps_sending_does_not_outlast_the_grace_period() {
    for words in [["--echo"].as_slice(), &["--hub"]] {
        let place = Place::new();
        let server = serve(&place, &[["--grace", "200ms"].as_slice(), words].concat());
        let client = sh("yes | ipc sock connect \"$0\" >/dev/null").word(&*place).start();
        until("it has connected", || {
            ipc(&["sock", "stat", &place]).succeeds().contains("connections:   1\n")
        });
        stop(server, Signal::SIGTERM);
        assert_eq!(place.names(), [""; 0]);
        client.finish();
    }
}

#[test]
fn clients_that_had_connected_before_the_signal_are_served_within_the_grace() {
    let place = Place::new();
    let words = ["--grace", "60", "--max-clients", "100", "--", "sh", "-c", "read x; echo $x"];
    let server = serve(&place, &words);
    let mut clients: Vec<_> = (0..20).map(|_| UnixStream::connect(&*place).unwrap()).collect();
    server.signal(Signal::SIGTERM);
    until("the path is gone", || place.names().is_empty());
    for client in &mut clients {
        client.write_all(b"served\n").unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).unwrap();
        assert_eq!(answer, "served\n");
    }
    assert_eq!(code(&server.finish()), 143);
}

#[test]
fn an_abstract_name_admits_only_the_own_user_and_named_ones() {
    let address = abstract_name();
    let Some(stranger) = as_another_user(&["sock", "connect", &address]) else { return };
    let server = serve(&address, &["--", "echo", "secret"]);
    let stranger = stranger.start();
    let pid = stranger.pid();
    assert_eq!(text(&stranger.finish().stdout), "");
    ipc(&["sock", "connect", &address]).is(0, "secret\n", "");
    server.signal(Signal::SIGTERM);
    let sent_away = format!(
        "ipc: sock serve: process {pid} of user 65534 was disconnected: --allow-uid does not name \
         the user\n"
    );
    assert_eq!(text(&server.finish().stderr), sent_away);
    let server = serve(&address, &["--allow-uid", "65534", "--", "echo", "shared"]);
    as_another_user(&["sock", "connect", &address]).unwrap().is(0, "shared\n", "");
    stop(server, Signal::SIGTERM);
}

#[test]
fn a_path_is_guarded_by_its_mode_and_narrowed_by_users() {
    let place = Place::new();
    let directory = place.directory.path();
    std::fs::set_permissions(directory, std::fs::Permissions::from_mode(0o755)).unwrap();
    let Some(stranger) = as_another_user(&["sock", "connect", &place]) else { return };
    let server = serve(&place, &["--echo"]);
    stranger.is(6, "", &format!("ipc: sock connect: {}: Permission denied\n", &*place));
    stop(server, Signal::SIGTERM);
    let server = serve(&place, &["-m", "666", "--echo"]);
    let stranger = as_another_user(&["sock", "connect", &place]).unwrap();
    stranger.input("hi").is(0, "hi", "");
    stop(server, Signal::SIGTERM);
    let server = serve(&place, &["-m", "666", "--allow-uid", "1", "--echo"]);
    let stranger = as_another_user(&["sock", "connect", &place]).unwrap();
    assert_eq!(text(&stranger.output().stdout), "");
    server.signal(Signal::SIGTERM);
    assert!(text(&server.finish().stderr).contains("was disconnected"));
}

#[test]
fn users_are_not_known_over_a_network() {
    ipc(&["sock", "serve", "tcp::0", "--allow-uid", "1", "--echo"]).is(
        2,
        "",
        "ipc: sock serve: --allow-uid and --allow-gid: the users of a network's clients \
         are not known\n",
    );
}

#[test]
fn clients_above_the_limit_wait_and_a_server_without_any_ends() {
    let place = Place::new();
    let server = serve(&place, &["--max-clients", "1", "--idle", "100ms", "--echo"]);
    let first = UnixStream::connect(&*place).unwrap();
    let second = ipc(&["sock", "connect", &place]).input("later").start();
    second.wait_until_asleep();
    drop(first);
    assert_eq!(text(&second.finish().stdout), "later");
    assert_eq!(code(&server.finish()), 0);
    assert_eq!(place.names(), [""; 0]);
}

#[test]
fn a_user_with_as_many_clients_as_may_be_waits_and_others_do_not() {
    let place = Place::new();
    let directory = place.directory.path();
    std::fs::set_permissions(directory, std::fs::Permissions::from_mode(0o755)).unwrap();
    let server = serve(&place, &["-m", "666", "--max-per-uid", "1", "--echo"]);
    let mut first = UnixStream::connect(&*place).unwrap();
    let second = ipc(&["sock", "connect", &place]).input("second").start();
    second.wait_until_asleep();
    if let Some(stranger) = as_another_user(&["sock", "connect", &place]) {
        stranger.input("other").is(0, "other", "");
    }
    first.write_all(b"first").unwrap();
    first.read_exact(&mut [0; 5]).unwrap();
    drop(first);
    assert_eq!(text(&second.finish().stdout), "second");
    stop(server, Signal::SIGTERM);
}

#[test]
fn clients_may_finish_in_the_grace_period_and_no_other_is_admitted() {
    let place = Place::new();
    let server = serve(&place, &["--grace", "60", "--", "sh", "-c", "echo hi; read x; echo $x"]);
    let mut client = UnixStream::connect(&*place).unwrap();
    client.read_exact(&mut [0; 3]).unwrap();
    server.signal(Signal::SIGTERM);
    until("the path is gone", || place.names().is_empty());
    client.write_all(b"done\n").unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    assert_eq!((answer.as_str(), code(&server.finish())), ("done\n", 143));
}

#[test]
fn commands_that_outlast_the_grace_period_get_term() {
    let place = Place::new();
    let server = serve(&place, &["--grace", "50ms", "--", "sh", "-c", "echo hi; exec sleep 600"]);
    let mut client = UnixStream::connect(&*place).unwrap();
    client.read_exact(&mut [0; 3]).unwrap();
    stop(server, Signal::SIGTERM);
    assert_eq!(client.read_to_end(&mut Vec::new()).unwrap(), 0);
    ipc(&["sock", "serve", &place, "--grace", "1"]).is(
        2,
        "",
        "ipc: sock serve: --grace: it applies only to clients that are served side by side\n",
    );
}

#[test]
fn many_refused_clients_are_one_line_a_second_with_a_count() {
    let address = abstract_name();
    let Some(stranger) = as_another_user(&["sock", "connect", &address]) else { return };
    let server = serve(&address, &["--", "true"]);
    let start = std::time::Instant::now();
    stranger.output();
    for _ in 0..5 {
        as_another_user(&["sock", "connect", &address]).unwrap().output();
    }
    crate::support::pause(std::time::Duration::from_millis(1100));
    as_another_user(&["sock", "connect", &address]).unwrap().output();
    let seconds = start.elapsed().as_secs() as usize;
    server.signal(Signal::SIGTERM);
    let told = text(&server.finish().stderr);
    assert!(told.lines().count() <= seconds + 1, "{told}");
    assert!(told.ends_with(" more before it)\n"), "{told}");
}
