//! Binding a path: taken by one of many, taken over from the dead alone, and left as it was.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::path::Path;

use nix::sys::signal::Signal;

use super::{Place, is_listening, serve, stop};
use crate::peers::{self, Stopped};
use crate::support::{Running, as_another_user, code, ipc, pause, sh, text, until};

#[test]
fn of_many_starters_one_has_a_stale_path_each_time_and_it_stays_its_own() {
    let place = Place::new();
    drop(UnixListener::bind(&*place).unwrap());
    for round in 0..12 {
        let starters: Vec<Running> = (0..6)
            .map(|number| {
                let answer = format!("{round} {number}");
                ipc(&["sock", "serve", &place, "--", "echo", &answer]).start()
            })
            .collect();
        let mut alive = Vec::new();
        for (number, mut starter) in starters.into_iter().enumerate() {
            until("it has lost, or listens", || starter.has_ended() || is_listening(starter.pid()));
            if starter.has_ended() {
                let output = starter.finish();
                assert_eq!(code(&output), 5, "{}", text(&output.stderr));
            } else {
                alive.push((number, starter));
            }
        }
        let [(number, winner)] = alive.as_slice() else {
            panic!("{} of the starters listen", alive.len())
        };
        // All the others have ended, and the path still leads to the one that won.
        let answer = format!("{round} {number}\n");
        ipc(&["sock", "connect", &place]).is(0, &answer, "");
        assert_eq!(place.names(), ["s"]);
        // Killed, it leaves a stale path to the next round.
        winner.signal(Signal::SIGKILL);
    }
    stop(serve(&place, &["--echo"]), Signal::SIGTERM);
    assert_eq!(place.names(), [""; 0]);
}

#[test]
fn a_path_that_is_taken_over_never_disappears() {
    let place = Place::new();
    // Each server ends by itself after its only client, while the next starts already.
    let line = "for i in 1 2 3 4 5 6 7 8 9 10; do \
                until ipc -q sock serve --once \"$0\" -- echo served; do :; done; done";
    let servers = sh(&line.replace("ipc -q sock serve", "ipc sock serve -q")).word(&*place).start();
    for _ in 0..10 {
        let connect = ["sock", "connect", "--retry", "60", &*place];
        ipc(&connect).is(0, "served\n", "");
    }
    assert_eq!(code(&servers.finish()), 0);
    assert_eq!(place.names(), [""; 0]);
}

#[test]
fn a_starter_that_is_stopped_at_any_moment_leaves_nothing_behind() {
    for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP] {
        for milliseconds in [0, 1, 2, 3, 5, 8, 13] {
            let place = Place::new();
            let server = ipc(&["sock", "serve", &place, "--echo"]).start();
            pause(std::time::Duration::from_millis(milliseconds));
            stop(server, signal);
            assert_eq!(place.names(), [""; 0], "{signal} after {milliseconds} ms");
        }
    }
}

#[test]
fn a_signal_at_any_system_call_of_a_server_leaves_nothing_behind() {
    let place = Place::new();
    let words = ["sock", "serve", &place, "--echo", "--idle", "1ms"];
    let Some(calls) = peers::system_calls(&words) else { return };
    assert!(calls.iter().any(|call| call.line.starts_with("linkat(")), "{calls:?}");
    for call in calls {
        call.signals("SIGTERM", &words).output();
        assert_eq!(place.names(), [""; 0], "{call:?}");
    }
}

#[test]
fn a_server_that_is_stopped_while_it_binds_does_not_block_others_without_end() {
    let words =
        |place: &Place| ["sock", "serve", place, "--echo", "--idle", "1ms"].map(String::from);
    let (place, other) = (Place::new(), Place::new());
    let words = [words(&place), words(&other)];
    let words = words.each_ref().map(|words| words.each_ref().map(String::as_str));
    let Some(calls) = peers::system_calls(&words[0]) else { return };
    let link = calls.iter().find(|call| call.line.starts_with("linkat("));
    let stopped = Stopped::after(link.expect("the path appears"), &words[1]);
    let reason = "another server is stuck starting on this path";
    ipc(&words[1]).is(5, "", &format!("ipc: sock serve: {}: {reason}\n", &*other));
    assert_eq!(code(&stopped.continue_to_end()), 0);
    assert_eq!(other.names(), [""; 0]);
}

#[test]
fn a_file_that_replaced_the_path_stays() {
    let place = Place::new();
    let server = serve(&place, &["--echo"]);
    std::fs::remove_file(&*place).unwrap();
    std::fs::write(&*place, "somebody else's").unwrap();
    stop(server, Signal::SIGTERM);
    assert_eq!(std::fs::read_to_string(&*place).unwrap(), "somebody else's");
}

#[test]
fn a_file_of_any_other_kind_keeps_its_path() {
    let place = Place::new();
    let occupied = format!("ipc: sock serve: {}: exists and is not a socket\n", &*place);
    for make in ["mkfifo \"$0\"", "mkdir \"$0\"", "ln -s /dev/null \"$0\"", "ln -s no-such \"$0\""]
    {
        sh(make).word(&*place).is(0, "", "");
        let before = std::fs::symlink_metadata(&*place).unwrap().ino();
        ipc(&["sock", "serve", &place, "--echo"]).is(5, "", &occupied);
        assert_eq!(std::fs::symlink_metadata(&*place).unwrap().ino(), before, "{make}");
        assert_eq!(place.names(), ["s"]);
        sh("rm -rf \"$0\"").word(&*place).is(0, "", "");
    }
    ipc(&["sock", "serve", "/", "--echo"]).is(3, "", "ipc: sock serve: /: Is a directory\n");
}

#[test]
fn a_link_to_a_live_socket_is_not_followed_to_take_it() {
    let place = Place::new();
    let server = serve(&place, &["--echo"]);
    let link = format!("{}.link", &*place);
    std::os::unix::fs::symlink("s", &link).unwrap();
    let occupied = format!("ipc: sock serve: {link}: exists and is not a socket\n");
    ipc(&["sock", "serve", &link, "--echo"]).is(5, "", &occupied);
    ipc(&["sock", "connect", &link]).input("by the link").is(0, "by the link", "");
    stop(server, Signal::SIGTERM);
    assert!(std::fs::symlink_metadata(&link).is_ok());
}

#[test]
fn a_directory_that_is_full_or_closed_leaves_nothing_behind() {
    let place = Place::new();
    let missing = place.directory.path().join("no/s");
    let told = format!("ipc: sock serve: {}: No such file or directory\n", missing.display());
    ipc(&["sock", "serve", "--echo"]).word(&missing).is(4, "", &told);
    let Some(stranger) = as_another_user(&["sock", "serve", "--echo", &place]) else {
        return;
    };
    stranger.is(6, "", &format!("ipc: sock serve: {}: Permission denied\n", &*place));
    assert_eq!(place.names(), [""; 0]);
}

#[test]
fn a_live_path_is_in_use_and_its_server_notices_nothing() {
    let place = Place::new();
    let server = serve(&place, &["--once", "--echo"]);
    ipc(&["sock", "serve", &place, "--echo"]).is(
        5,
        "",
        &format!(
            "ipc: sock serve: {}: Address already in use\nhint: process {} (ipc) has it\n",
            &*place,
            server.pid()
        ),
    );
    ipc(&["sock", "wait", "-n", &place]).is(0, "", "");
    ipc(&["sock", "connect", &place]).input("still the first").is(0, "still the first", "");
    assert_eq!(code(&server.finish()), 0);
}

#[test]
fn a_server_that_has_bound_and_does_not_listen_yet_is_alive() {
    let place = Place::new();
    let program = peers::c(
        r#"
        #include <sys/socket.h>
        #include <sys/un.h>
        #include <string.h>
        #include <unistd.h>
        int main(int argc, char **argv) {
            struct sockaddr_un a = { .sun_family = AF_UNIX };
            strncpy(a.sun_path, argv[1], sizeof a.sun_path - 1);
            int s = socket(AF_UNIX, SOCK_STREAM, 0);
            if (bind(s, (void *)&a, sizeof a) != 0) return 1;
            pause();
            return 0;
        }"#,
    );
    let Some(program) = program else { return };
    let _server = program.run(&[&place]).start();
    until("it has bound", || Path::new(&*place).exists());
    assert_eq!(ipc(&["sock", "serve", &place, "--echo"]).output().status.code(), Some(5));
    ipc(&["sock", "wait", "-n", &place]).is(1, "", "");
}

#[test]
fn a_file_that_is_not_a_socket_is_never_removed() {
    let place = Place::new();
    std::fs::write(&*place, "precious").unwrap();
    ipc(&["sock", "serve", &place, "--echo"]).is(
        5,
        "",
        &format!("ipc: sock serve: {}: exists and is not a socket\n", &*place),
    );
    ipc(&["sock", "connect", &place]).is(
        3,
        "",
        &format!("ipc: sock connect: {}: not a socket\n", &*place),
    );
    assert_eq!(std::fs::read_to_string(&*place).unwrap(), "precious");
    std::fs::remove_file(&*place).unwrap();
    std::os::unix::fs::symlink("elsewhere", &*place).unwrap();
    assert_eq!(ipc(&["sock", "serve", &place, "--echo"]).output().status.code(), Some(5));
    assert_eq!(place.names(), ["s"]);
}

#[test]
fn a_path_that_another_server_bound_stays() {
    let place = Place::new();
    let server = serve(&place, &["--echo"]);
    std::fs::remove_file(&*place).unwrap();
    let other = serve(&place, &["--echo"]);
    stop(server, Signal::SIGTERM);
    ipc(&["sock", "connect", &place]).input("hi").is(0, "hi", "");
    stop(other, Signal::SIGTERM);
    assert_eq!(place.names(), [""; 0]);
}

#[test]
fn a_lock_file_that_a_killed_starter_left_is_no_obstacle() {
    let place = Place::new();
    std::fs::write(place.directory.path().join(".s.ipc.lock"), "").unwrap();
    stop(serve(&place, &["--echo"]), Signal::SIGTERM);
    assert_eq!(place.names(), [""; 0]);
}

#[test]
fn files_of_a_server_killed_at_any_system_call_are_removed_by_the_next() {
    for words in [["serve", "--idle=1ms", "--echo"], ["recv", "-n", "--count=1"]] {
        let place = Place::new();
        let words = ["sock", words[0], &place, words[1], words[2]];
        let Some(calls) = peers::system_calls(&words) else { return };
        assert!(calls.iter().any(|call| call.line.starts_with("bind(")), "{calls:?}");
        for call in calls {
            call.signals("SIGKILL", &words).output();
            ipc(&words).output();
            assert_eq!(place.names(), [""; 0], "{call:?}");
        }
    }
}

#[test]
fn a_planted_file_beside_the_path_is_named_with_a_hint_and_stays() {
    for (name, make) in [
        (".s.ipc.lock", "echo mine >\"$0\""),
        (".s.ipc.lock", "mkdir \"$0\""),
        (".s.ipc.lock", "ln -s /dev/null \"$0\""),
        (".s.ipc.new", "echo mine >\"$0\""),
        (".s.ipc.new", "mkdir \"$0\"; echo mine >\"$0/s\""),
    ] {
        let place = Place::new();
        let planted = place.directory.path().join(name);
        sh(make).word(&planted).is(0, "", "");
        let told = format!(
            "ipc: sock serve: {}: not created by ipc for this user\nhint: a server needs this name \
             while it starts: remove it, or use another path\n",
            planted.display()
        );
        ipc(&["sock", "serve", &place, "--echo"]).is(5, "", &told);
        assert_eq!(place.names(), [name], "{make}");
    }
}

#[test]
fn a_datagram_socket_has_its_mode_and_takes_over_only_dead_paths() {
    let place = Place::new();
    let line = "umask 777; exec ipc sock recv \"$0\" -m 622";
    let receiver = sh(line).word(&*place).start();
    ipc(&["sock", "wait", "-t60", &place]).is(0, "", "");
    assert_eq!(std::fs::metadata(&*place).unwrap().permissions().mode() & 0o777, 0o622);
    assert_eq!(code(&ipc(&["sock", "recv", &place]).output()), 5);
    receiver.signal(Signal::SIGKILL);
    receiver.finish();
    assert_eq!(place.names(), ["s"]);
    let receiver = ipc(&["sock", "recv", &place]).start();
    ipc(&["sock", "wait", "-t60", &place]).is(0, "", "");
    stop(receiver, Signal::SIGTERM);
    assert_eq!(place.names(), [""; 0]);
}
