//! Paths: found whatever their length and bytes, with their mode and owner from the beginning.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::Path;

use nix::sys::signal::Signal;

use super::{Place, abstract_name, serve, stop};
use crate::peers;
use crate::support::{as_another_user, awkward, bash, code, ipc, sh, text, until};

#[test]
fn every_verb_finds_a_path_that_is_longer_than_an_address_holds() {
    let root = tempfile::tempdir().unwrap();
    let directory = root.path().join("d".repeat(120)).join("e".repeat(120));
    std::fs::create_dir_all(&directory).unwrap();
    let path = directory.join("n".repeat(120));
    let address = path.to_str().unwrap();
    assert!(address.len() > 340);
    let receiver = ipc(&["sock", "recv", address, "--count", "2"]).start();
    ipc(&["sock", "wait", "-t", "60", address]).is(0, "", "");
    ipc(&["sock", "send", address, "one", "two"]).is(0, "", "");
    assert_eq!(text(&receiver.finish().stdout), "one\ntwo\n");
    let server = serve(address, &["--type", "seqpacket", "--echo"]);
    let shown = ipc(&["sock", "stat", address]).succeeds();
    assert!(shown.contains(&format!("address:       {address}\n")), "{shown}");
    ipc(&["sock", "wait", "-n", address]).is(0, "", "");
    ipc(&["sock", "send", "--type", "seqpacket", "--reply", address, "hi"]).is(0, "hi\n", "");
    let held = format!(
        "ipc: sock serve: {address}: Address already in use\nhint: process {} (ipc) has it\n",
        server.pid()
    );
    ipc(&["sock", "serve", address, "--echo"]).is(5, "", &held);
    let relay =
        ipc(&["sock", "relay", "--type", "seqpacket", "./f", address]).within(root.path()).start();
    let front = root.path().join("f");
    ipc(&["sock", "wait", "-t", "60"]).word(&front).is(0, "", "");
    ipc(&["sock", "send", "--type", "seqpacket", "--reply"])
        .word(&front)
        .word("hi")
        .is(0, "hi\n", "");
    stop(relay, Signal::SIGTERM);
    stop(server, Signal::SIGTERM);
    assert_eq!(std::fs::read_dir(&directory).unwrap().count(), 0);
}

#[test]
fn ready_is_a_line_after_which_clients_come_in() {
    let place = Place::new();
    let line = "mkfifo \"$0.ready\"; ipc sock serve \"$0\" --ready \"$0.ready\" --once --echo & \
                read line <\"$0.ready\"; echo hi | ipc sock connect \"$0\"; wait; echo \"$line\"";
    for shell in [bash(line), sh(line)] {
        shell.word(&*place).is(0, &format!("hi\n{}\n", &*place), "");
        assert_eq!(place.names(), ["s.ready"]);
        std::fs::remove_file(format!("{}.ready", &*place)).unwrap();
    }
    // A server that is stopped while the line has no reader leaves no path.
    sh("mkfifo \"$0.ready\"").word(&*place).is(0, "", "");
    let ready = format!("{}.ready", &*place);
    let server = ipc(&["sock", "serve", &place, "--ready", &ready, "--echo"]).start();
    until("the path is there", || Path::new(&*place).exists());
    stop(server, Signal::SIGTERM);
    assert_eq!(place.names(), ["s.ready"]);
}

#[test]
fn a_path_has_its_final_mode_and_listens_when_it_appears() {
    for (umask, mode, expected) in
        [("000", "", 0o600), ("077", "-m=666", 0o666), ("0", "-m=u=rw,g=r", 0o640)]
    {
        let place = Place::new();
        let server = sh(&format!("umask {umask}; exec ipc sock serve \"$0\" --echo {mode}"))
            .word(&*place)
            .start();
        until("the path is there", || Path::new(&*place).exists());
        assert!(UnixStream::connect(&*place).is_ok());
        let seen = std::fs::metadata(&*place).unwrap().permissions().mode() & 0o7777;
        assert_eq!(seen, expected, "{umask} {mode}");
        until("the name that it was bound to is gone", || place.names() == ["s"]);
        stop(server, Signal::SIGTERM);
        assert_eq!(place.names(), [""; 0]);
    }
}

#[test]
fn the_kernel_shows_the_name_of_a_stream_and_the_path_of_a_datagram_socket() {
    let place = Place::new();
    let script = "
import socket, sys
kind = getattr(socket, 'SOCK_' + sys.argv[2])
s = socket.socket(socket.AF_UNIX, kind)
s.connect(sys.argv[1])
print(s.getpeername())
";
    for kind in ["stream", "seqpacket"] {
        let server = serve(&place, &["--type", kind, "--echo"]);
        let upper = kind.to_uppercase();
        let Some(client) = peers::python("socket", script, &[&place, &upper]) else { return };
        client.is(0, "./s\n", "");
        stop(server, Signal::SIGTERM);
    }
    let receiver = ipc(&["sock", "recv", &place]).start();
    ipc(&["sock", "wait", "-t60", &place]).is(0, "", "");
    let client = peers::python("socket", script, &[&place, "DGRAM"]).unwrap();
    client.is(0, &format!("{}\n", &*place), "");
    ipc(&["sock", "send", &place, "end"]).is(0, "", "");
    assert_eq!(text(&receiver.finish().stdout), "end\n");
}

#[test]
fn a_client_that_answers_the_address_that_it_saw_reaches_a_datagram_socket() {
    let place = Place::new();
    let receiver = ipc(&["sock", "recv", &place, "--count", "2", "--reply-with", "pong"]).start();
    ipc(&["sock", "wait", "-t60", &place]).is(0, "", "");
    let script = "
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind('')
s.sendto(b'one', sys.argv[1])
answer, address = s.recvfrom(99)
s.sendto(b'two', address)
print(answer, address)
";
    let Some(client) = peers::python("socket", script, &[&place]) else { return };
    client.is(0, &format!("b'pong' {}\n", &*place), "");
    assert_eq!(text(&receiver.finish().stdout), "one\ntwo\n");
    assert_eq!(place.names(), [""; 0]);
}

#[test]
fn a_server_binds_its_path_even_if_it_may_not_enter_the_working_directory() {
    let place = Place::new();
    sh("chmod 777 \"$0\"").word(place.directory.path()).is(0, "", "");
    let closed = tempfile::tempdir().unwrap();
    let words = ["sock", "serve", &place, "--echo", "--idle", "1ms"];
    let Some(server) = as_another_user(&words) else { return };
    server.within(closed.path()).is(0, "", "");
    assert_eq!(place.names(), [""; 0]);
}

#[test]
fn paths_longer_than_an_address_holds_work() {
    let root = tempfile::tempdir().unwrap();
    let directory = root.path().join("d".repeat(150));
    std::fs::create_dir(&directory).unwrap();
    for name in ["s".to_owned(), "n".repeat(150), "n".repeat(255)] {
        let path = directory.join(&name);
        let address = path.to_str().unwrap();
        let server = serve(address, &["--echo"]);
        ipc(&["sock", "connect", address]).input("far").is(0, "far", "");
        assert_eq!(ipc(&["sock", "serve", address, "--echo"]).output().status.code(), Some(5));
        server.signal(Signal::SIGKILL);
        server.finish();
        stop(serve(address, &["--echo"]), Signal::SIGTERM);
        assert_eq!(std::fs::read_dir(&directory).unwrap().count(), 0);
    }
}

#[test]
fn a_path_is_any_bytes() {
    let place = Place::new();
    let path = place.directory.path().join(awkward());
    let server = ipc(&["sock", "serve", "--echo"]).word(&path).start();
    ipc(&["sock", "wait", "-t60"]).word(&path).is(0, "", "");
    ipc(&["sock", "connect"]).word(&path).input("hi").is(0, "hi", "");
    stop(server, Signal::SIGTERM);
    assert_eq!(place.names(), [""; 0]);
}

#[test]
fn ready_is_reported_when_clients_can_connect() {
    let place = Place::new();
    let server = bash("exec 3>&1 >/dev/null; exec ipc sock serve --ready 3 --once --echo \"$0\"")
        .word(&*place)
        .start();
    ipc(&["sock", "connect", "--retry", "60", &place]).is(0, "", "");
    assert_eq!(text(&server.finish().stdout), format!("{}\n", &*place));
    ipc(&["sock", "serve", "--ready", "999", &place, "--echo"]).is(
        3,
        "",
        "ipc: sock serve: 999: Bad file descriptor\n",
    );
    assert_eq!(place.names(), [""; 0]);
}

#[test]
fn permissions_are_refused_where_there_is_no_path_to_have_them() {
    let name = abstract_name();
    for words in [["serve", &name], ["recv", &name], ["serve", "tcp:127.0.0.1:0"]] {
        let verb = words[0];
        let refused = format!("ipc: sock {verb}: --mode: only a path has permissions\n");
        ipc(&["sock"]).words(&words).words(&["-m", "600"]).is(2, "", &refused);
    }
}

#[test]
fn a_path_appears_with_its_owner() {
    let Some(stranger) = crate::support::as_another_user(&["sock", "connect"]) else { return };
    let place = Place::new();
    // Other users may reach the directory.
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(place.directory.path(), open).unwrap();
    // The path has its owner at each moment: the watcher sees the owner of every name that appears.
    let line = "ipc sock serve --owner 65534:65534 --once --echo \"$0\" & server=$!
        until owner=$(stat -c '%u:%g %a' \"$0\" 2>/dev/null); do :; done
        echo \"$owner\" >\"$0.owner\"; wait $server";
    let server = sh(line).word(&*place).start();
    let owner = format!("{}.owner", &*place);
    until("the path appears", || std::fs::read(&owner).is_ok_and(|text| text.ends_with(b"\n")));
    assert_eq!(std::fs::read_to_string(&owner).unwrap(), "65534:65534 600\n");
    stranger.word("--retry").word("60s").word(&*place).input("mine").is(0, "mine", "");
    assert_eq!(code(&server.finish()), 0);
    assert_eq!(place.names(), ["s.owner"]);
}

#[test]
fn an_owner_that_may_not_be_set_leaves_no_path() {
    let Some(stranger) = crate::support::as_another_user(&["sock", "serve"]) else { return };
    let place = Place::new();
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o777);
    std::fs::set_permissions(place.directory.path(), open).unwrap();
    let message = format!(
        "ipc: sock serve: {}: the owner cannot be changed: Operation not permitted\n\
         hint: only root gives a file to another user, and only a member of a group to that group\n",
        &*place
    );
    stranger.words(&["--echo", "--owner", "root"]).word(&*place).is(6, "", &message);
    assert_eq!(place.names(), [""; 0]);
}

#[test]
fn an_owner_is_a_user_or_a_group_of_a_path() {
    let only = "ipc: sock serve: --owner: only a path has an owner\n";
    ipc(&["sock", "serve", "--owner", "root", "--echo", "@ipc-test-owner"]).is(2, "", only);
    let unknown = ipc(&["sock", "serve", "--owner", "no such", "--echo", "./s"]).output();
    assert_eq!(code(&unknown), 2);
    assert!(text(&unknown.stderr).contains("there is no user no such"), "{unknown:?}");
}
