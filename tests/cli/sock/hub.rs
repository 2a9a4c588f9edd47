//! `ipc sock serve --hub`.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

use nix::sys::signal::Signal;

use super::{Place, sample, serve};
use crate::peers;
use crate::support::{bash, code, ipc, sh, text, until};

#[test]
fn a_hub_sends_to_every_other_client_and_a_slow_one_delays_none() {
    let place = Place::new();
    let server = serve(&place, &["--hub"]);
    let connect = || UnixStream::connect(&*place).unwrap();
    let (mut speaker, mut listener, mut slow) = (connect(), connect(), connect());
    // A client whose bytes were forwarded is a member.
    for mut stream in [&slow, &listener] {
        stream.write_all(b"!").unwrap();
        speaker.read_exact(&mut [0]).unwrap();
    }
    listener.read_exact(&mut [0]).unwrap();
    let sample = sample(8 << 20);
    let mut heard = vec![0; 64 << 10];
    for part in sample.chunks(heard.len()) {
        speaker.write_all(part).unwrap();
        listener.read_exact(&mut heard).unwrap();
        assert!(heard == part);
    }
    let mut taken = Vec::new();
    slow.read_to_end(&mut taken).unwrap();
    assert!(sample.starts_with(&taken[1..]) && taken.len() < sample.len());
    drop((speaker, listener));
    server.signal(Signal::SIGTERM);
    let words = "ipc: sock serve: client 3 was too slow and is disconnected\n";
    assert_eq!(text(&server.finish().stderr), words);
}

#[test]
fn a_hub_keeps_messages_whole() {
    let place = Place::new();
    let server = serve(&place, &["--type", "seqpacket", "--hub"]);
    let Some(listener) = peers::python(
        "socket",
        "
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
s.connect(sys.argv[1])
s.send(b'here')
print([s.recv(99), s.recv(99), s.recv(99)])
",
        &[&place],
    ) else {
        return;
    };
    let speaker = bash(
        "coproc ipc sock connect --type seqpacket \"$0\"; read -u ${COPROC[0]} line; echo $line; \
         printf 'one\\n\\ntwo\\n' >&${COPROC[1]}; sleep 60",
    );
    let speaker = speaker.word(&*place).start();
    until("the speaker is there", || {
        ipc(&["sock", "stat", &place]).succeeds().contains("connections:   1\n")
    });
    listener.is(0, "[b'one', b'', b'two']\n", "");
    drop(speaker);
    server.signal(Signal::SIGTERM);
    server.finish();
}

#[test]
fn a_hub_disconnects_a_client_that_reads_nothing_with_a_warning() {
    let place = Place::new();
    let server = serve(&place, &["--type", "seqpacket", "--hub"]);
    let idle = ["sock", "connect", "--type", "seqpacket", &*place, "--", "sleep", "600"];
    let _idle = ipc(&idle).start();
    until("it is a member", || {
        ipc(&["sock", "stat", &place]).succeeds().contains("connections:   1\n")
    });
    let sample = sample(4 << 20);
    let connect = ["sock", "connect", "--type", "seqpacket", "--frame", "netstring", &*place];
    let records = sample
        .chunks(16 << 10)
        .flat_map(|record| [format!("{}:", record.len()).as_bytes(), record, b","].concat());
    // A client that was disconnected after its end was forwarded completely.
    ipc(&connect).input(records.collect::<Vec<u8>>()).is(0, "", "");
    until("it is sent away", || {
        ipc(&["sock", "stat", &place]).succeeds().contains("connections:   0\n")
    });
    server.signal(Signal::SIGTERM);
    let words = "ipc: sock serve: client 1 was too slow and is disconnected\n";
    assert_eq!(text(&server.finish().stderr), words);
    let manual = text(&ipc(&["sock", "serve", "--help"]).output().stdout);
    assert!(manual.contains("1 MiB"), "the limit is in the manual");
}

/// The connections that a server has.
fn connections(place: &Place) -> usize {
    let shown = ipc(&["sock", "stat", "--json", place]).succeeds();
    let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
    shown["connections"].as_u64().unwrap() as usize
}

#[test]
fn a_client_of_a_hub_that_sends_nothing_listens_with_an_empty_stdin_and_without_one() {
    for (kind, words) in [
        ("stream", "</dev/null"),
        ("stream", "--recv-only"),
        ("seqpacket", "</dev/null"),
        ("seqpacket", "--recv-only"),
    ] {
        let place = Place::new();
        let server = serve(&place, &["--hub", "--type", kind]);
        let line = format!("exec ipc sock connect --type {kind} \"$0\" {words}");
        let listener = sh(&line).word(&*place).start();
        until("it listens", || connections(&place) == 1);
        listener.wait_until_asleep();
        for word in ["one\n", "two\n"] {
            // It has something to say, and is disconnected when it has said that.
            ipc(&["sock", "connect", "--type", kind, &place]).input(word).is(0, "", "");
        }
        assert_eq!(connections(&place), 1, "{kind} {words}");
        server.signal(Signal::SIGTERM);
        server.finish();
        let output = listener.finish();
        let heard = (code(&output), text(&output.stdout), text(&output.stderr));
        assert_eq!(heard, (0, "one\ntwo\n".into(), String::new()), "{kind} {words}");
    }
}

#[test]
fn a_listener_that_leaves_a_hub_is_let_go_and_the_hub_sleeps_until_then() {
    let place = Place::new();
    let server = serve(&place, &["--hub"]);
    let listener = UnixStream::connect(&*place).unwrap();
    listener.shutdown(std::net::Shutdown::Write).unwrap();
    until("it listens", || connections(&place) == 1);
    server.wait_until_asleep();
    drop(listener);
    until("it is let go", || connections(&place) == 0);
    server.signal(Signal::SIGTERM);
    server.finish();
}

#[test]
fn a_hub_delivers_the_kept_bytes_before_it_disconnects_a_client() {
    let place = Place::new();
    let server = serve(&place, &["--hub"]);
    let connect = || UnixStream::connect(&*place).unwrap();
    let (mut speaker, mut slow, mut witness) = (connect(), connect(), connect());
    slow.write_all(b"!").unwrap();
    speaker.read_exact(&mut [0]).unwrap();
    witness.read_exact(&mut [0]).unwrap();
    // More than the buffers of the kernel hold, and less than makes it too slow.
    let sample = sample(900 << 10);
    let writer = sample.clone();
    let writer = std::thread::spawn(move || speaker.write_all(&writer).map(|()| speaker));
    // The hub has read everything when another client has it.
    let mut heard = vec![0; sample.len()];
    witness.read_exact(&mut heard).unwrap();
    let _speaker = writer.join().unwrap().unwrap();
    slow.shutdown(std::net::Shutdown::Write).unwrap();
    slow.read_exact(&mut heard).unwrap();
    assert!(heard == sample);
    assert_eq!(slow.read(&mut [0]).unwrap(), 0);
    server.signal(Signal::SIGTERM);
    server.finish();
}
