//! `ipc door` on a server.

use std::fs;

use nix::sys::signal::Signal;

use super::server::Server;
use crate::support::{Running, code, ipc, text, until};

/// Serves a procedure, and waits until it can be called.
fn serve(name: &str, words: &[&str]) -> Running {
    let directory = tempfile::tempdir().unwrap();
    let ready = directory.path().join("ready");
    let serving = ipc(&["door", "serve", name, "--ready", ready.to_str().unwrap()]);
    let serving = serving.words(words).start();
    let line = format!("{name}\n");
    until("it serves", || fs::read_to_string(&ready).is_ok_and(|text| text == line));
    serving
}

#[test]
fn a_caller_has_the_outputs_and_the_status_of_the_procedure() {
    let Some(server) = Server::start() else { return };
    let name = server.name("eu/double");
    let message = format!("ipc: door call: {name}: no process serves it\n");
    ipc(&["door", "call", &name, "21"]).is(4, "", &message);
    let procedure = "read n; echo $((2 * n)); echo note >&2; echo ${IPC_CALLER_UID-nobody}; exit 7";
    let serving = serve(&name, &["--", "sh", "-c", procedure]);
    ipc(&["door", "call", &name, "21"]).is(7, "42\nnobody\n", "note\n");
    ipc(&["door", "call", &name]).input("4\n").is(7, "8\nnobody\n", "note\n");
    serving.signal(Signal::SIGTERM);
    assert_eq!(code(&serving.finish()), 128 + 15);
    ipc(&["door", "call", &name, "21"]).is(4, "", &message);
}

#[test]
fn workers_limits_and_refusals_are_those_of_local_doors() {
    let Some(server) = Server::start() else { return };
    let name = server.name("square");
    let square = "while read n; do echo $((n * n)); done";
    let serving = serve(&name, &["--worker", "--", "sh", "-c", square]);
    for _ in 0..3 {
        ipc(&["door", "call", &name, "12"]).is(0, "144\n", "");
    }
    drop(serving);
    let slow = server.name("slow");
    let serving = serve(&slow, &["--call-timeout", "0.2", "--", "sleep", "100"]);
    let output = ipc(&["door", "call", &slow, "x"]).output();
    assert_eq!(code(&output), 124);
    assert!(text(&output.stderr).contains("--call-timeout"), "{}", text(&output.stderr));
    drop(serving);
    let big = server.name("big");
    let _serving = serve(&big, &["--", "head", "-c", "2000000", "/dev/zero"]);
    let output = ipc(&["door", "call", &big, "x"]).output();
    assert_eq!(code(&output), 3, "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("longer than"), "{}", text(&output.stderr));
    let output = ipc(&["door", "call", &big]).input(vec![b'x'; 2_000_000]).output();
    assert_eq!(code(&output), 3, "{}", text(&output.stderr));
}

#[test]
fn what_belongs_to_one_machine_is_refused() {
    let Some(server) = Server::start() else { return };
    let name = server.name("double");
    let output = ipc(&["door", "serve", &name, "--allow-uid", "0", "--", "true"]).output();
    assert_eq!(code(&output), 2);
    assert!(text(&output.stderr).contains("does not know the users"), "{}", text(&output.stderr));
    let message = "ipc: door call: --fd: a descriptor belongs to one machine\n\
                   hint: 'ipc door call nats://HOST/NAME --help' has the options for servers\n";
    ipc(&["door", "call", &name, "--fd", "1"]).is(2, "", message);
}

#[test]
fn a_procedure_ends_with_its_caller_and_a_call_with_its_server() {
    let Some(server) = Server::start() else { return };
    let name = server.name("slow");
    let serving = serve(&name, &["--", "sleep", "100"]);
    let caller = ipc(&["door", "call", &name, "x"]).start();
    until("the procedure runs", || !crate::support::children(serving.pid()).is_empty());
    caller.signal(Signal::SIGKILL);
    until("the procedure is ended", || crate::support::children(serving.pid()).is_empty());
    let message = format!("ipc: door call: {name}: timed out\n");
    ipc(&["door", "call", "-t", "0.5", &name, "x"]).is(124, "", &message);
    until("the procedure is ended", || crate::support::children(serving.pid()).is_empty());
    let caller = ipc(&["door", "call", &name, "x"]).start();
    until("the procedure runs", || !crate::support::children(serving.pid()).is_empty());
    serving.signal(Signal::SIGKILL);
    let output = caller.finish();
    assert_eq!(code(&output), 3, "{}", text(&output.stderr));
    let message = text(&output.stderr);
    assert!(message.contains("the server ended before it answered"), "{message}");
}

#[test]
fn several_servers_share_the_calls() {
    let Some(server) = Server::start() else { return };
    let name = server.name("who");
    let _servers = ["one", "two"].map(|word| serve(&name, &["--", "echo", word]));
    let mut answers = std::collections::BTreeSet::new();
    until("both have answered", || {
        answers.insert(ipc(&["door", "call", &name, ""]).succeeds());
        answers.len() == 2
    });
}
