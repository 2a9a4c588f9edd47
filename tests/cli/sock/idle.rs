//! `--idle-timeout`: connections without a byte for a while.

use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::time::Duration;

use nix::sys::signal::Signal;

use super::{Place, serve, stop};
use crate::support::{code, ipc, pause, sh, text};

const IDLE: &str = "timed out: the connection is idle\n";

/// A pause between two bytes, and an idle time that is many times as long.
const PAUSE: Duration = Duration::from_millis(100);
const LONG: &str = "2s";

#[test]
fn a_connection_without_a_byte_ends_with_status_124() {
    let place = Place::new();
    let listener = UnixListener::bind(&*place).unwrap();
    let server = std::thread::spawn(move || {
        let clients: Vec<_> = (0..4).map(|_| listener.accept().unwrap().0).collect();
        clients.into_iter().map(|mut client| client.read_to_end(&mut Vec::new())).count()
    });
    // The stdin of each stays open without a byte.
    let stdin = "mkfifo \"$0.in\" 2>/dev/null; exec <>\"$0.in\"; exec ipc sock connect";
    for options in ["", "--recv-only", "--send-only", "--max-time 1h"] {
        let line = format!("{stdin} --idle-timeout 200ms {options} \"$0\"");
        sh(&line).word(&*place).is(124, "", &format!("ipc: sock connect: {}: {IDLE}", &*place));
    }
    assert_eq!(server.join().unwrap(), 4);
}

#[test]
fn a_byte_in_either_direction_keeps_a_connection() {
    for words in [["--recv-only"].as_slice(), &["--type", "stream"]] {
        let place = Place::new();
        let listener = UnixListener::bind(&*place).unwrap();
        let options = ["sock", "connect", "--idle-timeout", LONG, &place];
        let client = ipc(&[options.as_slice(), words].concat()).start();
        let (mut server, _) = listener.accept().unwrap();
        for _ in 0..30 {
            server.write_all(b".").unwrap();
            pause(PAUSE);
        }
        drop(server);
        let output = client.finish();
        let seen = (code(&output), text(&output.stdout), text(&output.stderr));
        assert_eq!(seen, (0, ".".repeat(30), String::new()), "longer than the idle time");
    }
}

#[test]
fn a_peer_that_reads_keeps_a_connection_whose_directions_have_ended() {
    let place = Place::new();
    let listener = UnixListener::bind(&*place).unwrap();
    let line = "head -c 1M /dev/zero | ipc sock connect --idle-timeout 2s \"$0\"";
    let client = sh(line).word(&*place).start();
    let (mut server, _) = listener.accept().unwrap();
    server.shutdown(std::net::Shutdown::Write).unwrap();
    let (mut buffer, mut total) = ([0; 32 << 10], 0);
    while total < 1 << 20 {
        total += server.read(&mut buffer).unwrap();
        pause(PAUSE);
    }
    assert_eq!(server.read(&mut buffer).unwrap(), 0);
    drop(server);
    assert_eq!(code(&client.finish()), 0);
}

#[test]
fn a_peer_that_reads_nothing_more_is_an_idle_one() {
    let place = Place::new();
    let listener = UnixListener::bind(&*place).unwrap();
    let client =
        ipc(&["sock", "connect", "--idle-timeout", "200ms", &place]).input("unread").start();
    let (server, _) = listener.accept().unwrap();
    server.shutdown(std::net::Shutdown::Write).unwrap();
    let output = client.finish();
    let message = "timed out before the peer had read everything\n";
    assert_eq!(code(&output), 124);
    assert!(text(&output.stderr).ends_with(message), "{output:?}");
}

#[test]
fn a_server_of_one_client_at_a_time_goes_on_with_the_next_client() {
    let place = Place::new();
    let line = "exec ipc sock serve --idle-timeout 300ms \"$0\" </dev/null";
    let server = sh(line).word(&*place).start();
    ipc(&["sock", "wait", "-t", "60", &place]).is(0, "", "");
    let silent = UnixStream::connect(&*place).unwrap();
    // Stdin has ended, so the server sends its end and then nothing.
    ipc(&["sock", "connect", &place]).input("next\n").is(0, "", "");
    drop(silent);
    server.signal(Signal::SIGTERM);
    let output = server.finish();
    assert_eq!(text(&output.stdout), "next\n");
    assert_eq!(text(&output.stderr), format!("ipc: sock serve: {}: {IDLE}", &*place));
}

#[test]
fn the_status_of_the_only_client_is_124() {
    for words in ["--echo", "--hub", ""] {
        let place = Place::new();
        let line = format!(
            "mkfifo \"$0.in\"; exec <>\"$0.in\"
             exec ipc sock serve --once --idle-timeout 200ms {words} \"$0\""
        );
        let server = sh(&line).word(&*place).start();
        ipc(&["sock", "wait", "-t", "60", &place]).is(0, "", "");
        let mut client = UnixStream::connect(&*place).unwrap();
        assert_eq!(client.read(&mut [0]).unwrap(), 0, "{words}: the server disconnects it");
        let output = server.finish();
        assert_eq!(code(&output), 124, "{words}");
        let expected = match words {
            "" => format!("ipc: sock serve: {}: {IDLE}", &*place),
            _ => "ipc: sock serve: client 1 was idle and is disconnected\n".to_owned(),
        };
        assert_eq!(text(&output.stderr), expected, "{words}");
    }
}

#[test]
fn clients_side_by_side_are_idle_each_on_its_own() {
    for words in ["--echo", "--hub"] {
        let place = Place::new();
        let server = serve(&place, &[words, "--idle-timeout", LONG]);
        let mut busy = UnixStream::connect(&*place).unwrap();
        let mut other = UnixStream::connect(&*place).unwrap();
        for _ in 0..30 {
            busy.write_all(b".").unwrap();
            pause(PAUSE);
        }
        other.set_nonblocking(true).unwrap();
        let mut buffer = [0; 64];
        match words {
            // It gets the bytes of the other, so it is not idle.
            "--hub" => assert_eq!(other.read(&mut buffer).unwrap(), 30),
            _ => assert_eq!(other.read(&mut buffer).unwrap(), 0, "it is disconnected"),
        }
        server.signal(Signal::SIGTERM);
        assert_eq!(text(&server.finish().stderr).lines().count(), usize::from(words == "--echo"));
    }
}

#[test]
fn a_relay_ends_an_idle_connection() {
    let (place, front) = (Place::new(), Place::new());
    let server = serve(&place, &["--echo"]);
    let words = ["sock", "relay", "--once", "--idle-timeout", "300ms", &front, &place];
    let relay = ipc(&words).start();
    ipc(&["sock", "wait", "-t", "60", &front]).is(0, "", "");
    let mut client = UnixStream::connect(&*front).unwrap();
    client.write_all(b"one").unwrap();
    let mut heard = Vec::new();
    client.read_to_end(&mut heard).unwrap();
    assert_eq!(heard, b"one");
    let output = relay.finish();
    assert_eq!(
        (code(&output), text(&output.stderr)),
        (124, format!("ipc: sock relay: {}: {IDLE}", &*place))
    );
    stop(server, Signal::SIGTERM);
}

#[test]
fn a_command_has_its_connection_for_itself() {
    let reason = "--idle-timeout: a COMMAND has the connection, and can end it itself\n";
    ipc(&["sock", "serve", "--idle-timeout", "1s", "./s", "--", "cat"]).is(
        2,
        "",
        &format!("ipc: sock serve: {reason}"),
    );
    ipc(&["sock", "connect", "--idle-timeout", "1s", "./s", "--", "cat"]).is(
        2,
        "",
        &format!("ipc: sock connect: {reason}"),
    );
    let help = ipc(&["sock", "serve", "--help"]).succeeds();
    assert!(help.contains("'ipc sock serve --idle'"), "{help}");
}
