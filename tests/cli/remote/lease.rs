//! A lease that cannot be believed too long: holders that are stopped or killed, and servers that are gone.

use std::fs;
use std::path::Path;

use nix::sys::signal::Signal;

use super::server::Server;
use crate::peers;
use crate::support::{Running, bash, code, ipc, rounds, sh, text, until};

/// A COMMAND that writes its token to a file until it is ended.
const WRITE: &str = "while :; do echo $IPC_LOCK_TOKEN >> \"$0\"; sleep 0.02; done";

fn writer(name: &str, ttl: &str, log: &Path) -> Running {
    let log = log.to_str().unwrap();
    ipc(&["lock", "run", "--ttl", ttl, name, "--", "sh", "-c", WRITE, log]).start()
}

fn tokens(log: &Path) -> Vec<u64> {
    let text = fs::read_to_string(log).unwrap_or_default();
    text.lines().filter_map(|line| line.parse().ok()).collect()
}

/// No COMMAND has written after another one with a later token.
fn assert_in_order(tokens: &[u64]) {
    assert!(tokens.is_sorted(), "{tokens:?}");
}

#[test]
fn a_holder_that_is_stopped_or_killed_is_over_before_the_next_begins() {
    let Some(server) = Server::start() else { return };
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("log");
    for round in 0..rounds(2) {
        let name = server.name(&format!("job/{round}"));
        let first = writer(&name, "1s", &log);
        let written = tokens(&log).len();
        until("the first writes", || tokens(&log).len() > written);
        if round % 2 == 0 {
            first.stop();
        } else {
            first.signal(Signal::SIGKILL);
        }
        let second = writer(&name, "1s", &log);
        let token = *tokens(&log).last().unwrap();
        until("the second writes", || tokens(&log).last().is_some_and(|&last| last > token));
        assert_in_order(&tokens(&log));
        if round % 2 == 0 {
            first.signal(Signal::SIGCONT);
            let output = first.finish();
            assert_eq!(code(&output), 125, "{}", text(&output.stderr));
            assert!(text(&output.stderr).contains("the lock was lost, so COMMAND was killed"));
        }
        second.signal(Signal::SIGTERM);
        assert_eq!(code(&second.finish()), 128 + 15);
        assert_in_order(&tokens(&log));
    }
}

#[test]
fn command_is_ended_if_the_server_is_gone_and_the_lock_is_usable_when_it_is_back() {
    let Some(mut server) = Server::start() else { return };
    let name = server.name("job");
    let held = ipc(&["lock", "run", "--ttl", "2s", &name, "--", "sleep", "100"]).start();
    until("it is held", || code(&ipc(&["lock", "test", &name]).output()) == 1);
    server.kill();
    let output = held.finish();
    assert_eq!(code(&output), 125, "{}", text(&output.stderr));
    server.restart();
    ipc(&["lock", "run", &name, "--", "echo", "back"]).is(0, "back\n", "");
}

#[test]
fn a_holder_keeps_its_lock_while_the_server_restarts() {
    let Some(mut server) = Server::start() else { return };
    let name = server.name("job");
    let held = ipc(&["lock", "run", "--ttl", "20s", &name, "--", "sleep", "100"]).start();
    until("it is held", || code(&ipc(&["lock", "test", &name]).output()) == 1);
    server.restart();
    until("it is still held", || code(&ipc(&["lock", "test", &name]).output()) == 1);
    held.signal(Signal::SIGTERM);
    assert_eq!(code(&held.finish()), 128 + 15);
    ipc(&["lock", "test", &name]).is(0, "", "");
}

#[test]
fn contenders_have_the_lock_one_after_the_other_in_the_order_of_their_tokens() {
    let Some(server) = Server::start() else { return };
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("log");
    let name = server.name("job");
    let line = format!(
        "for i in 1 2 3 4; do ipc lock run --ttl 2s {name} -- sh -c \
         'echo $IPC_LOCK_TOKEN >> {log}; sleep 0.01; echo $IPC_LOCK_TOKEN >> {log}' || exit; done",
        log = log.display()
    );
    let contenders: Vec<_> = (0..4).map(|_| sh(&line).start()).collect();
    for contender in contenders {
        let output = contender.finish();
        assert_eq!((code(&output), text(&output.stderr)), (0, String::new()));
    }
    let tokens = tokens(&log);
    assert_eq!(tokens.len(), 32);
    assert!(tokens.chunks(2).all(|pair| pair[0] == pair[1]), "{tokens:?}");
    assert_in_order(&tokens);
}

#[test]
fn signals_reach_the_processes_of_command() {
    let Some(server) = Server::start() else { return };
    let name = server.name("job");
    let line = format!(
        "ipc lock run {name} -- bash -c 'trap \"echo got; exit 3\" INT; echo up; while :; do sleep 0.05; done'"
    );
    let running = bash(&format!("exec {line}")).start();
    until("it is held", || code(&ipc(&["lock", "test", &name]).output()) == 1);
    until("COMMAND runs", || !crate::support::children(running.pid()).is_empty());
    crate::support::pause(std::time::Duration::from_millis(300));
    running.signal(Signal::SIGINT);
    let output = running.finish();
    assert_eq!((code(&output), text(&output.stdout).as_str()), (3, "up\ngot\n"));
}

#[test]
fn command_reads_from_the_terminal() {
    let Some(server) = Server::start() else { return };
    let line = format!("ipc lock run {} -- sh -c 'read x; echo got $x'", server.name("job"));
    let Some(run) = peers::at_terminal(&line) else { return };
    // script(1) passes its input to the terminal.
    let output = run.input("hello\n").output();
    assert_eq!(code(&output), 0, "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("got hello"), "{}", text(&output.stdout));
}
