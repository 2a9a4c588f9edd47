//! `ipc lock` on a server.

use nix::sys::signal::Signal;

use super::server::Server;
use crate::support::{code, ipc, sh, text, until};

#[test]
fn command_has_the_lock_and_a_token_until_it_ends() {
    let Some(server) = Server::start() else { return };
    let name = server.name("eu/deploy");
    ipc(&["lock", "test", &name]).is(0, "", "");
    let inside = format!(
        "ipc lock run {name} -- sh -c '\
         ipc lock verify {name} $IPC_LOCK_TOKEN && echo valid; \
         ipc lock verify {name} 1000; echo $?; \
         ipc lock run -n {name} -- echo never; echo $?; \
         ipc lock ls {server} -o name,pid,command --noheadings >&2; \
         exit 7'",
        server = server.name("eu")
    );
    let output = sh(&inside).output();
    assert_eq!((code(&output), text(&output.stdout).as_str()), (7, "valid\n1\n1\n"));
    let listed = text(&output.stderr);
    let words: Vec<_> = listed.split_whitespace().collect();
    assert_eq!((words[0], words[2]), ("eu.deploy", "sh"), "{listed}");
    ipc(&["lock", "test", &name]).is(0, "", "");
    ipc(&["lock", "run", &name, "--", "echo", "again"]).is(0, "again\n", "");
}

#[test]
fn a_waiting_command_gets_the_lock_when_it_is_free() {
    let Some(server) = Server::start() else { return };
    let name = server.name("job");
    let held = ipc(&["lock", "run", &name, "--", "sleep", "100"]).start();
    until("it is held", || code(&ipc(&["lock", "test", &name]).output()) == 1);
    ipc(&["lock", "run", "-t", "0.3", &name, "--", "true"]).is(
        124,
        "",
        &format!("ipc: lock run: {name}: timed out\n"),
    );
    ipc(&["lock", "run", "-t", "0.3", "-E", "9", &name, "--", "true"]).is(
        9,
        "",
        &format!("ipc: lock run: {name}: timed out\n"),
    );
    let output = ipc(&["lock", "run", "-v", "-t", "0.3", &name, "--", "true"]).output();
    let message = text(&output.stderr);
    assert!(
        message.contains("(sleep) of ") && message.contains(": waiting for the lock"),
        "{message}"
    );
    let waiting = ipc(&["lock", "run", &name, "--", "echo", "mine"]).start();
    waiting.wait_until_asleep();
    held.signal(Signal::SIGTERM);
    assert_eq!(code(&held.finish()), 128 + 15);
    let output = waiting.finish();
    assert_eq!((code(&output), text(&output.stdout).as_str()), (0, "mine\n"));
}

#[test]
fn what_a_server_has_not_is_a_usage_error_with_the_reason() {
    let Some(server) = Server::start() else { return };
    let name = server.name("job");
    for (words, reason) in [
        (&["lock", "run", "-s"][..], "one holder"),
        (&["lock", "run", "--range", "0:1"], "no bytes"),
        (&["lock", "take"], "renewed"),
        (&["fifo", "create"], "one machine"),
        (&["sem", "post"], "renewed"),
    ] {
        let output = ipc(words).words(&[&name, "--", "true"]).output();
        assert_eq!(code(&output), 2, "{words:?}");
        assert!(text(&output.stderr).contains(reason), "{}", text(&output.stderr));
    }
}
