//! The examples of the manual, as they are printed there.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use nix::sys::signal::Signal;

use super::hold::Holder;
use crate::support::{bash, code, example, sh, skipped, text, until};

/// An example of a verb that stores and takes at the holder `./h`.
fn two_lines(verb: &str, words: &str) -> (String, String) {
    let line = example(&["fd", verb], words).replace("./held", "./h");
    // The test has a holder of its own.
    let line = line.trim_start_matches("ipc fd hold ./h & ");
    let (store, take) = line.split_once("; ").unwrap();
    (store.to_owned(), take.to_owned())
}

#[test]
fn a_listening_socket_survives_the_restarts_of_its_server() {
    let holder = Holder::new(&[]);
    let (store, take) = two_lines("hold", "fd:web");
    holder.sh(&store).is(0, "", "");
    holder.sh("printf '#!/bin/sh\necho hello\n' >handler; chmod +x handler").is(0, "", "");
    let path = holder.directory.path().join("web");
    let over = AtomicBool::new(false);
    let answered = AtomicU32::new(0);
    std::thread::scope(|scope| {
        let clients = scope.spawn(|| {
            let mut failures = 0;
            while !over.load(Ordering::Relaxed) {
                let asked = UnixStream::connect(&path).and_then(|mut stream| {
                    let mut text = String::new();
                    stream.read_to_string(&mut text)?;
                    Ok(text)
                });
                match asked {
                    Ok(text) if text == "hello\n" => drop(answered.fetch_add(1, Ordering::Relaxed)),
                    _ => failures += 1,
                }
            }
            failures
        });
        for _ in 0..5 {
            let before = answered.load(Ordering::Relaxed);
            let server = holder.sh(&format!("exec {take}")).start();
            until("it answers", || answered.load(Ordering::Relaxed) > before + 3);
            server.signal(Signal::SIGTERM);
            assert_eq!(code(&server.finish()), 143);
        }
        // The last client waits in the backlog.
        over.store(true, Ordering::Relaxed);
        let server = holder.sh(&format!("exec {take}")).start();
        assert_eq!(clients.join().unwrap(), 0);
        server.signal(Signal::SIGTERM);
        server.finish();
    });
}

#[test]
fn a_connected_client_survives_too() {
    let holder = Holder::new(&[]);
    let (store, take) = two_lines("store", "--once");
    let server = holder.sh(&format!("exec {store}")).start();
    until("it listens", || holder.directory.path().join("chat").exists());
    let mut client = UnixStream::connect(holder.directory.path().join("chat")).unwrap();
    assert_eq!(code(&server.finish()), 0);
    for number in 1..=3 {
        client.write_all(format!("question {number}\n").as_bytes()).unwrap();
        holder.sh(&take).is(0, "", "");
        let expected = format!("question {number}?\n");
        let mut answer = vec![0; expected.len()];
        client.read_exact(&mut answer).unwrap();
        assert_eq!(text(&answer), expected);
    }
    drop(client);
    until("it is closed", || holder.names().is_empty());
}

#[test]
fn a_log_file_is_handed_to_a_confined_process() {
    if !nix::unistd::Uid::effective().is_root() {
        return skipped("only root becomes another user");
    }
    let directory = tempfile::tempdir().unwrap();
    let receive = example(&["fd", "recv"], "./log")
        .replace("./log", "./s")
        .replace("echo started", "cat log 2>/dev/null; id -u");
    let send = example(&["fd", "send"], "./log").replace("./log", "./s").replace("/var/log/", "");
    bash(&format!("umask 077; : >app.log; {receive} & {send}; wait; cat app.log"))
        .within(directory.path())
        .is(0, "65534\n", "");
}

#[test]
fn a_file_in_memory_is_given_to_a_program_and_to_a_process() {
    let secret = example(&["fd", "memfd"], "ssh-add").replace("pass show key", "echo secret");
    sh(&secret.replace("ssh-add", "cat")).is(0, "secret\n", "");
    let directory = tempfile::tempdir().unwrap();
    let send = example(&["fd", "memfd"], "--seal");
    sh(&format!(
        "echo one >plan; ipc fd recv --ready r ./worker -- sh -c 'cat <&3; ! echo x >&3' 2>/dev/null &
         until_true [ -s r ]; {send}; wait $!"
    ))
    .within(directory.path())
    .is(0, "one\n", "");
}

#[test]
fn a_descriptor_of_a_process_is_used() {
    let directory = tempfile::tempdir().unwrap();
    let owner = sh("echo noise >&2; : >r; exec sleep 1000 >out 2>log").within(directory.path());
    let owner = owner.start();
    until("it sleeps", || directory.path().join("log").exists());
    let pid = owner.pid().to_string();
    std::fs::write(directory.path().join("log"), "old").unwrap();
    for words in ["hello", "self/fd"] {
        let line = example(&["fd", "get"], words).replace("4711", &pid);
        sh(&line).within(directory.path()).is(0, "", "");
    }
    let content = |name: &str| std::fs::read_to_string(directory.path().join(name)).unwrap();
    assert_eq!((content("out"), content("log")), ("hello\n".to_owned(), String::new()));
    owner.signal(Signal::SIGKILL);
    owner.finish();
}

#[test]
fn a_file_is_stored_for_an_hour() {
    let holder = Holder::new(&[]);
    holder.sh(&example(&["fd", "store"], "draft").replace("./held", "./h")).is(0, "", "");
    let shown = holder.sh("ipc fd ls --json ./h").succeeds();
    let rows: serde_json::Value = serde_json::from_str(&shown).unwrap();
    let left = rows[0]["expires_in"].as_u64().unwrap();
    assert!((3000..=3600).contains(&left), "{shown}");
}
