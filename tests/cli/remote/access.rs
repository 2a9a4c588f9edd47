//! Servers and users that are refused, and what is kept secret.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;

use super::server::Server;
use crate::support::{code, copy_for_others, ipc, sh, text, until};

#[test]
fn a_name_that_a_server_would_take_for_several_is_refused_before_anything_is_sent() {
    for (name, reason) in [
        ("nats://127.0.0.1:1/jobs.*", "'*' and '>'"),
        ("nats://127.0.0.1:1/>", "'*' and '>'"),
        ("nats://127.0.0.1:1/two words", "no spaces"),
        ("nats://127.0.0.1:1/two\nlines", "no spaces"),
        ("nats://127.0.0.1:1/", "it names no object"),
        ("nats://127.0.0.1:0/x", "the port"),
    ] {
        let output = ipc(&["lock", "test", name]).output();
        let message = text(&output.stderr);
        if message.contains("ipc-remote, which is not here") {
            return crate::support::skipped("there is no ipc-remote beside ipc");
        }
        assert_eq!((code(&output), message.contains(reason)), (2, true), "{message}");
    }
}

#[test]
fn a_password_in_a_name_is_refused_and_not_printed() {
    let Some(server) = Server::start() else { return };
    let name = format!("nats://me:secret@127.0.0.1:{}/job", server.port);
    let output = ipc(&["lock", "run", &name, "--", "true"]).output();
    let message = text(&output.stderr);
    assert_eq!(code(&output), 2, "{message}");
    assert!(message.contains("a password does not belong in a name"), "{message}");
    assert!(message.contains("--creds") && !message.contains("secret"), "{message}");
}

#[test]
fn secrets_do_not_reach_command_and_the_watchdog() {
    let Some(server) = Server::with(&["-js", "--auth", "open-sesame"]) else { return };
    let name = server.name("job");
    let output = ipc(&["lock", "test", &name]).output();
    assert_eq!(code(&output), 6, "{}", text(&output.stderr));
    let show = "env; pid=$(cut -d' ' -f4 /proc/$$/stat); \
                for child in $(cat /proc/$pid/task/$pid/children); do \
                cat /proc/$child/environ; cat /proc/$child/comm; done";
    let run = ipc(&["lock", "run", &name, "--", "sh", "-c", show]);
    let seen = run.env("NATS_TOKEN", "open-sesame").succeeds();
    assert!(seen.contains("IPC_LOCK_TOKEN=") && seen.contains("ipc-watchdog"), "{seen}");
    assert!(!seen.contains("sesame"), "{seen}");
    let output = ipc(&["lock", "test", &name]).env("NATS_TOKEN", "wrong").output();
    let message = text(&output.stderr);
    assert_eq!((code(&output), message.contains("wrong")), (6, false), "{message}");
}

#[test]
fn a_server_without_jetstream_is_refused() {
    let Some(server) = Server::with(&[]) else { return };
    let name = server.name("job");
    let output = ipc(&["lock", "test", &name]).output();
    let message = text(&output.stderr);
    assert_eq!(code(&output), 3, "{message}");
    assert!(message.contains("has no JetStream") && message.contains("2.11"), "{message}");
    let output = ipc(&["lock", "run", &name, "--", "true"]).output();
    assert_eq!(code(&output), 125, "{}", text(&output.stderr));
}

#[test]
fn a_server_that_does_not_expire_messages_is_refused() {
    if Server::with(&[]).is_none() {
        return;
    }
    // The greeting of an old server, and its answer to a ping.
    let old = TcpListener::bind("127.0.0.1:0").unwrap();
    let name = format!("nats://{}/job", old.local_addr().unwrap());
    let serving = std::thread::spawn(move || {
        let (mut client, _) = old.accept().unwrap();
        let greeting = "INFO {\"server_id\":\"old\",\"version\":\"2.9.10\",\"headers\":true,\
                        \"max_payload\":1048576}\r\n";
        client.write_all(greeting.as_bytes()).unwrap();
        let (mut seen, mut buffer) = (Vec::new(), [0; 512]);
        while !seen.ends_with(b"PING\r\n") {
            let count = client.read(&mut buffer).unwrap();
            seen.extend_from_slice(&buffer[..count]);
        }
        client.write_all(b"PONG\r\n").unwrap();
    });
    let output = ipc(&["lock", "test", &name]).output();
    let message = text(&output.stderr);
    assert_eq!(code(&output), 3, "{message}");
    assert!(message.contains("nats-server 2.9.10 does not expire"), "{message}");
    assert!(message.contains("hint: needs nats-server 2.11"), "{message}");
    serving.join().unwrap();
}

#[test]
fn a_user_without_permission_is_told_so() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("users.conf");
    let users = "authorization { users: [
        { user: boss, password: b },
        { user: reader, password: r, permissions: {
            publish: [\"$JS.API.STREAM.INFO.>\", \"$JS.API.STREAM.MSG.GET.>\"], subscribe: [\"_INBOX.>\"] } }
    ] }";
    fs::write(&file, users).unwrap();
    let Some(server) = Server::with(&["-js", "-c", file.to_str().unwrap()]) else { return };
    let name = |user: &str| format!("nats://{user}@127.0.0.1:{}/job", server.port);
    let run = ["lock", "run", &name("boss"), "--", "true"];
    ipc(&run).env("NATS_PASSWORD", "b").is(0, "", "");
    let test = ["lock", "test", &name("reader")];
    ipc(&test).env("NATS_PASSWORD", "r").is(0, "", "");
    let output = ipc(&test).env("NATS_PASSWORD", "x").output();
    assert_eq!(code(&output), 6, "{}", text(&output.stderr));
    let create = ["shm", "create", &name("reader"), "--size", "4"];
    let output = ipc(&create).env("NATS_PASSWORD", "r").output();
    let message = text(&output.stderr);
    assert_eq!((code(&output), message.contains("Permissions Violation")), (6, true), "{message}");
}

#[test]
fn the_permissions_in_the_manual_are_enough() {
    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("server.conf");
    let permissions = "publish: ['ipc.>', '$KV.>', '$JS.API.>', '$JS.ACK.>', '_INBOX.>'], \
                       subscribe: ['ipc.>', '_INBOX.>', '$JS.EVENT.ADVISORY.CONSUMER.CREATED.>']";
    let user = format!("{{ user: me, password: pass, permissions: {{ {permissions} }} }}");
    fs::write(&config, format!("authorization {{ users: [ {user} ] }}\n")).unwrap();
    let Some(server) = Server::with(&["-js", "-c", config.to_str().unwrap()]) else { return };
    let name = format!("nats://me@127.0.0.1:{}/x", server.port);
    let ipc = |words: &[&str]| ipc(words).env("NATS_PASSWORD", "pass");
    let timed_out = |verb: &str| format!("ipc: {verb}: {name}: timed out\n");
    ipc(&["mq", "create", &name]).is(0, "", "");
    ipc(&["mq", "recv", "-t", "0.3", &name]).is(124, "", &timed_out("mq recv"));
    ipc(&["mq", "send", "-p5", &name]).input("one\ntwo\n").is(0, "", "");
    ipc(&["mq", "recv", "--all", &name]).is(0, "one\ntwo\n", "");
    ipc(&["spool", "create", &name]).is(0, "", "");
    let take = ["spool", "take", "-t", "0.3", &name, "--", "cat"];
    ipc(&take).is(124, "", &timed_out("spool take"));
    ipc(&["spool", "put", &name, "--name", "a"]).input("text").is(0, "a\n", "");
    ipc(&take).is(0, "text", "");
    ipc(&["lock", "run", &name, "--", "echo", "locked"]).is(0, "locked\n", "");
    ipc(&["sem", "run", "--create", "1", &name, "--", "echo", "held"]).is(0, "held\n", "");
    let barrier = ["sem", "barrier", "-t", "0.3", "--parties", "2", &name];
    ipc(&barrier).is(124, "", &timed_out("sem barrier"));
    ipc(&["shm", "create", &name, "--size", "4"]).is(0, "", "");
    let wait = ["shm", "wait", &name, "--change", "-t", "0.3"];
    ipc(&wait).is(124, "", &timed_out("shm wait"));
    let ready = directory.path().join("ready");
    let ready = ready.to_str().unwrap();
    let _serving = ipc(&["door", "serve", &name, "--ready", ready, "--", "cat"]).start();
    until("it serves", || fs::metadata(ready).is_ok_and(|file| file.len() > 0));
    ipc(&["door", "call", &name, "answer"]).is(0, "answer", "");
    ipc(&["signal", "wait", "-t", "0.3", "HUP", &name]).is(124, "", &timed_out("signal wait"));
    let message = format!("ipc: signal send: {name}: no process waits there\n");
    ipc(&["signal", "send", "HUP", &name]).is(4, "", &message);
}

#[test]
fn a_file_of_credentials_lets_its_user_in() {
    let file = |name: &str| {
        let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cli/remote/credentials");
        format!("{directory}/{name}")
    };
    let Some(server) = Server::with(&["-js", "-c", &file("server.conf")]) else { return };
    let (name, user) = (server.name("job"), file("user.creds"));
    let run = ["lock", "run", &name, "--", "sh", "-c", "echo in ${NATS_CREDS-without}"];
    ipc(&run).env("NATS_CREDS", &user).is(0, "in without\n", "");
    ipc(&["mq", "create", "--creds", &user, &name]).is(0, "", "");
    ipc(&["mq", "send", "--creds", &user, &name, "text"]).is(0, "", "");
    ipc(&["mq", "recv", "--creds", &user, &name])
        .env("NATS_CREDS", "/nonexistent")
        .is(0, "text\n", "");
    // A user of an account that the operator has not signed; the right user with another key; nobody.
    let message = format!(
        "ipc: lock test: {name}: the server does not accept this user\n\
         hint: --creds FILE, NATS_CREDS or NATS_TOKEN prove who you are\n"
    );
    for credentials in ["stranger.creds", "other-seed.creds"] {
        ipc(&["lock", "test", &name, "--creds", &file(credentials)]).is(6, "", &message);
    }
    ipc(&["lock", "test", &name]).is(6, "", &message);
    let config = file("server.conf");
    let message = format!("ipc: lock test: {name}: {config}: no credentials of a user are in it\n");
    ipc(&["lock", "test", &name, "--creds", &config]).is(3, "", &message);
}

#[test]
fn a_host_that_does_not_answer_ends_at_the_deadline() {
    if Server::with(&[]).is_none() {
        return;
    }
    // It accepts connections by its backlog, and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let name = format!("nats://{}/job", silent.local_addr().unwrap());
    let message = format!("ipc: lock test: {name}: timed out\n");
    ipc(&["lock", "test", "-t", "0.5", &name]).is(124, "", &message);
    let port = silent.local_addr().unwrap().port();
    drop(silent);
    let output = ipc(&["lock", "test", &format!("nats://127.0.0.1:{port}/job")]).output();
    let message = text(&output.stderr);
    assert_eq!(code(&output), 4, "{message}");
    assert!(message.contains("Connection refused"), "{message}");
}

#[test]
fn the_next_host_is_tried() {
    let Some(server) = Server::start() else { return };
    let name = format!("nats://127.0.0.1:1,127.0.0.1:{}/job", server.port);
    ipc(&["lock", "run", &name, "--", "echo", "done"]).is(0, "done\n", "");
}

#[test]
fn without_ipc_remote_the_message_says_what_is_missing() {
    let (_directory, copy) = copy_for_others();
    for (words, verb) in
        [("lock run -n nats://host/job -- true", "lock run"), ("who nats://host/job", "who")]
    {
        let output = sh(&format!("{} {words}", copy.display())).output();
        let message = text(&output.stderr);
        assert_eq!(code(&output), 3, "{message}");
        assert!(message.starts_with(&format!("ipc: {verb}: names on servers need")), "{message}");
        assert!(message.contains("\nhint: 'make install'"), "{message}");
    }
    assert!(fs::metadata(copy).is_ok());
}
