//! A COMMAND for each client, and one for a connection.

use std::io::{Read, Write};
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;

use nix::sys::signal::Signal;

use super::{Place, serve, stop};
use crate::support::{bash, code, ipc, text};

#[test]
fn a_command_has_the_socket_itself_and_nothing_else() {
    let place = Place::new();
    let script = "readlink /proc/self/fd/0 | sed 's/[0-9]*//g'; \
                  test $(readlink /proc/$$/fd/0) = $(readlink /proc/$$/fd/1) && echo same; \
                  grep -E '^Sig(Blk|Ign)' /proc/self/status";
    let server = serve(&place, &["--", "sh", "-c", script]);
    let output = ipc(&["sock", "connect", &place]).succeeds();
    assert!(output.starts_with("socket:[]\nsame\nSigBlk:\t0000000000000000\n"), "{output}");
    stop(server, Signal::SIGTERM);
    // The fourth is that of the directory.
    let server = serve(&place, &["--", "ls", "/proc/self/fd"]);
    ipc(&["sock", "connect", &place]).is(0, "0\n1\n2\n3\n", "");
    stop(server, Signal::SIGTERM);
}

#[test]
fn a_descriptor_that_was_left_open_does_not_reach_a_command() {
    let place = Place::new();
    let server = bash("exec 9</dev/null; exec ipc sock serve \"$0\" -- sh -c 'ls /proc/$$/fd/9'")
        .word(&*place)
        .start();
    ipc(&["sock", "connect", "--retry", "60", &place]).is(0, "", "");
    server.signal(Signal::SIGTERM);
    assert!(text(&server.finish().stderr).contains("fd/9"));
}

#[test]
fn a_command_finds_its_peer_in_its_environment() {
    let place = Place::new();
    let server =
        serve(&place, &["--", "sh", "-c", "env | grep -E '^IPC_(CONN|LOCAL|PEER)_' | sort"]);
    let client = ipc(&["sock", "connect", &place]).env("IPC_PEER_X", "forged").start();
    let pid = client.pid();
    let output = text(&client.finish().stdout);
    let ids = std::fs::metadata("/proc/self").unwrap();
    let expected = format!(
        "IPC_CONN_NUM=1\nIPC_LOCAL_ADDR={}\nIPC_PEER_ADDR=\nIPC_PEER_GID={}\nIPC_PEER_PID={pid}\n\
         IPC_PEER_UID={}\n",
        &*place,
        ids.gid(),
        ids.uid()
    );
    assert_eq!(output, expected);
    assert!(ipc(&["sock", "connect", &place]).succeeds().starts_with("IPC_CONN_NUM=2\n"));
    stop(server, Signal::SIGINT);
}

#[test]
fn commands_run_side_by_side() {
    let place = Place::new();
    let server = serve(&place, &["--", "sh", "-c", "read line; echo $line"]);
    let mut slow = UnixStream::connect(&*place).unwrap();
    ipc(&["sock", "connect", &place]).input("quick\n").is(0, "quick\n", "");
    slow.write_all(b"slow\n").unwrap();
    let mut answer = String::new();
    slow.read_to_string(&mut answer).unwrap();
    assert_eq!(answer, "slow\n");
    stop(server, Signal::SIGHUP);
}

#[test]
fn a_command_that_is_not_there_is_noticed_before_there_is_a_socket() {
    let place = Place::new();
    ipc(&["sock", "serve", &place, "--", "ipc-no-such"]).is(
        127,
        "",
        "ipc: sock serve: ipc-no-such: No such file or directory\n",
    );
    ipc(&["sock", "serve", &place, "--", "/dev/null"]).is(
        126,
        "",
        "ipc: sock serve: /dev/null: Permission denied\n",
    );
    assert_eq!(place.names(), [""; 0]);
}

#[test]
fn once_ends_after_the_first_client_with_the_status_of_its_command() {
    let place = Place::new();
    let server = serve(&place, &["--once", "--", "sh", "-c", "echo bye; exit 7"]);
    ipc(&["sock", "connect", &place]).is(0, "bye\n", "");
    let output = server.finish();
    assert_eq!((code(&output), text(&output.stderr)), (7, String::new()));
    assert_eq!(place.names(), [""; 0]);
}

#[test]
fn a_command_has_the_connection_itself() {
    let place = Place::new();
    let server = serve(&place, &["--echo"]);
    let script = "echo question; read answer; echo \"$answer\" >&2; exec ls /proc/self/fd >&2";
    ipc(&["sock", "connect", &place, "--", "sh", "-c", script]).is(0, "", "question\n0\n1\n2\n3\n");
    ipc(&["sock", "connect", &place, "--", "ipc-no-such"]).is(
        127,
        "",
        "ipc: sock connect: ipc-no-such: No such file or directory\n",
    );
    stop(server, Signal::SIGTERM);
}

#[test]
fn a_command_that_is_gone_when_its_only_client_comes_gives_the_status_of_that() {
    let place = Place::new();
    let command = format!("{}.command", &*place);
    std::os::unix::fs::symlink("/bin/cat", &command).unwrap();
    let server = serve(&place, &["--once", "--", &command]);
    std::fs::remove_file(&command).unwrap();
    ipc(&["sock", "connect", &place]).is(0, "", "");
    let output = server.finish();
    let expected = format!("ipc: sock serve: {command}: No such file or directory\n");
    assert_eq!((code(&output), text(&output.stderr)), (127, expected));
}
