//! `ipc signal` with names of a server.

use std::fs;

use super::server::Server;
use crate::support::{Running, code, ipc, text, until};

/// A waiting process that is ready.
fn waiter(name: &str, words: &[&str]) -> Running {
    let directory = tempfile::tempdir().unwrap();
    let ready = directory.path().join("ready");
    let waiting = ipc(&["signal", "wait", "--ready", ready.to_str().unwrap()]);
    let waiting = waiting.words(words).words(&[name]).start();
    let pid = format!("{}\n", waiting.pid());
    until("it waits", || fs::read_to_string(&ready).is_ok_and(|text| text == pid));
    waiting
}

#[test]
fn a_signal_reaches_all_that_wait_for_it_at_this_moment() {
    let Some(server) = Server::start() else { return };
    let name = server.name("eu/workers");
    let message = format!("ipc: signal send: {name}: no process waits there\n");
    ipc(&["signal", "send", "HUP", &name]).is(4, "", &message);
    let waiters = [waiter(&name, &["HUP"]), waiter(&name, &["-j", "USR1", "HUP"])];
    ipc(&["signal", "send", "0", &name]).is(0, "", "");
    ipc(&["signal", "send", "TERM", &name]).is(0, "", "");
    ipc(&["signal", "send", "HUP", &name]).is(0, "", "");
    let [plain, json] = waiters.map(|waiter| {
        let output = waiter.finish();
        assert_eq!(code(&output), 0, "{}", text(&output.stderr));
        text(&output.stdout)
    });
    assert!(plain.starts_with("HUP host=") && plain.lines().count() == 1, "{plain}");
    assert!(json.starts_with("{\"signal\":\"HUP\",\"number\":1,\"host\":\""), "{json}");
    let message = format!("ipc: signal wait: {name}: timed out\n");
    ipc(&["signal", "wait", "-t", "0.2", "HUP", &name]).is(124, "", &message);
}
