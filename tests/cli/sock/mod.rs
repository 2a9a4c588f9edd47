//! `ipc sock`.

mod activation;
mod binding;
mod commands;
mod faults;
mod foreign;
mod hub;
mod idle;
mod limits;
mod look;
mod manager;
mod messages;
mod paths;
mod ports;
mod relay;

use std::io::{Read, Write};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use nix::sys::signal::Signal;

use crate::nouns::{Names, Noun, Wait};
use crate::peers;
use crate::support::{Running, as_another_user, bash, binary, code, ipc, sh, text, until};

pub const NOUN: Noun = Noun {
    name: "sock",
    names: Names::None,
    create: &[],
    waits,
    commands: &["ipc sock pair -- sleep 1000 -- sh"],
};

fn waits() -> Vec<Wait> {
    /// Answers each client when there is a file `go`, or the test is over.
    const SERVER: &str =
        "ipc sock serve ./s -- sh -c 'until [ -e go ] || ! [ -d \"$PWD\" ]; do sleep 0.01; done
        echo hi' >/dev/null 2>&1 & echo $! >background; ipc sock wait ./s";
    const SERVER_AT_ONCE: &str =
        "ipc sock serve ./s -- echo hi >/dev/null 2>&1 & echo $! >background";
    /// Reads from each client, and answers when there is a file `go`.
    const ANSWERER: &str = "ipc sock serve --type seqpacket ./s -- sh -c 'dd count=1 >&2
        until [ -e go ] || ! [ -d \"$PWD\" ]; do sleep 0.01; done; printf pong' >/dev/null 2>&1 & echo $! >background
        ipc sock wait ./s";
    const CLIENT: &str = "echo hi | ipc sock connect ./s";
    vec![
        Wait::new(SERVER, "ipc sock connect ./s", ": >go", "hi\n").untimed(),
        Wait::new(":", "ipc sock connect --retry 1h ./s", SERVER_AT_ONCE, "hi\n").untimed(),
        Wait::new(":", "ipc sock wait ./s", SERVER, "").says("./s: waiting for a listener"),
        Wait::new(":", "ipc sock recv ./s", "ipc sock send ./s hi", "hi\n"),
        Wait::new(ANSWERER, "ipc sock send --type seqpacket --reply ./s ping", ": >go", "pong\n"),
        Wait::new(":", "ipc sock serve --once ./s -- echo hi", "ipc sock connect ./s", ""),
        Wait::new(":", "ipc sock serve --once --echo ./s", CLIENT, ""),
        Wait::new(":", "ipc sock serve --once ./s", CLIENT, "hi\n"),
        Wait::new(
            SERVER_AT_ONCE,
            "ipc sock relay --once ./front ./s",
            "ipc sock connect ./front",
            "",
        ),
    ]
}

/// A directory, and the address of a socket in it.
struct Place {
    directory: tempfile::TempDir,
    address: String,
}

impl Place {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let address = directory.path().join("s").to_str().unwrap().to_owned();
        Self { directory, address }
    }

    /// What is in the directory.
    fn names(&self) -> Vec<String> {
        let names = std::fs::read_dir(self.directory.path()).unwrap();
        let mut names: Vec<String> =
            names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

impl std::ops::Deref for Place {
    type Target = str;

    fn deref(&self) -> &str {
        &self.address
    }
}

/// An abstract name that no other test has.
fn abstract_name() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("@ipc-test-{}-{count}", std::process::id())
}

/// A server that listens already.
fn serve(address: &str, words: &[&str]) -> Running {
    let server = ipc(&["sock", "serve", address]).words(words).start();
    ipc(&["sock", "wait", "-t", "60", address]).is(0, "", "");
    server
}

/// Ends a server, which dies of the signal and says nothing.
#[track_caller]
fn stop(server: Running, signal: Signal) {
    server.signal(signal);
    let output = server.finish();
    assert_eq!((code(&output), text(&output.stderr)), (128 + signal as i32, String::new()));
}

/// Bytes that look alike nowhere.
pub fn sample(size: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut bytes = Vec::with_capacity(size + 8);
    while bytes.len() < size {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend(state.to_le_bytes());
    }
    bytes.truncate(size);
    bytes
}

#[test]
fn an_echo_returns_the_bytes() {
    for address in [Place::new().to_string(), abstract_name()] {
        let directory = Path::new(&address).parent().filter(|_| address.starts_with('/'));
        directory.into_iter().for_each(|directory| std::fs::create_dir_all(directory).unwrap());
        let server = serve(&address, &["--echo"]);
        ipc(&["sock", "connect", &address]).input("hello").is(0, "hello", "");
        ipc(&["sock", "connect", &address]).is(0, "", "");
        stop(server, Signal::SIGTERM);
        directory.into_iter().for_each(|directory| std::fs::remove_dir(directory).unwrap());
    }
}

/// Whether the process sleeps in epoll_wait(2), where a server waits for clients.
fn is_listening(pid: i32) -> bool {
    let call = std::fs::read_to_string(format!("/proc/{pid}/syscall")).unwrap_or_default();
    let number = call.split(' ').next().and_then(|number| number.parse::<i64>().ok());
    number.is_some_and(|number| {
        number == nix::libc::SYS_epoll_wait || number == nix::libc::SYS_epoll_pwait
    })
}

#[test]
fn a_wait_at_a_file_that_is_not_a_socket_fails() {
    let place = Place::new();
    std::fs::write(&*place, "").unwrap();
    let refused = format!("ipc: sock wait: {}: not a socket\n", &*place);
    ipc(&["sock", "wait", "-t", "10s", &place]).is(3, "", &refused);
    ipc(&["sock", "wait", "-n", &place]).is(3, "", &refused);
}

#[test]
fn a_connection_without_a_listener_is_not_found() {
    let place = Place::new();
    let refused = |reason| format!("ipc: sock connect: {}: {reason}\n", &*place);
    ipc(&["sock", "connect", &place]).is(4, "", &refused("No such file or directory"));
    drop(UnixListener::bind(&*place).unwrap());
    ipc(&["sock", "connect", &place]).is(4, "", &refused("Connection refused"));
    ipc(&["sock", "connect", "--retry", "50ms", &place]).is(4, "", &refused("Connection refused"));
    ipc(&["sock", "connect", "--retry", "inf", "-t", "50ms", &place]).is(
        124,
        "",
        &refused("timed out"),
    );
}

#[test]
fn retrying_finds_a_server_that_starts_later() {
    for address in [Place::new(), Place { address: abstract_name(), ..Place::new() }] {
        let client = ipc(&["sock", "connect", "--retry", "60", &address]).input("hi").start();
        client.wait_until_asleep();
        let server = ipc(&["sock", "serve", "--echo", "--once", &address]).start();
        let output = client.finish();
        assert_eq!((code(&output), text(&output.stdout)), (0, "hi".to_owned()));
        assert_eq!(code(&server.finish()), 0);
    }
}

#[test]
fn waiting_has_an_end_and_asking_has_an_answer() {
    let place = Place::new();
    ipc(&["sock", "wait", "-t", "50ms", &place]).is(
        124,
        "",
        &format!("ipc: sock wait: {}: timed out\n", &*place),
    );
    ipc(&["sock", "wait", "-n", &place]).is(1, "", "");
    ipc(&["sock", "wait", "-n", "@ipc-no-such"]).is(1, "", "");
    let missing = place.directory.path().join("later/s");
    let waiter = ipc(&["sock", "wait", "-t60"]).word(&missing).start();
    waiter.wait_until_asleep();
    std::fs::create_dir(missing.parent().unwrap()).unwrap();
    let listener = UnixListener::bind(&missing).unwrap();
    assert_eq!(code(&waiter.finish()), 0);
    listener.set_nonblocking(true).unwrap();
    assert!(listener.accept().is_err(), "the server was disturbed");
}

#[test]
fn a_full_backlog_obeys_the_timeout() {
    let place = Place::new();
    let program = peers::python(
        "socket",
        "
import signal, socket, sys
s = socket.socket(socket.AF_UNIX)
s.bind(sys.argv[1])
s.listen(0)
c = socket.socket(socket.AF_UNIX)
c.connect(sys.argv[1])
signal.pause()
",
        &[&place],
    );
    let Some(program) = program else { return };
    let server = program.start();
    until("it listens and waits", || {
        let call = std::fs::read_to_string(format!("/proc/{}/syscall", server.pid()));
        call.is_ok_and(|call| call.starts_with(&format!("{} ", nix::libc::SYS_pause)))
    });
    ipc(&["sock", "connect", "-t", "50ms", &place]).is(
        124,
        "",
        &format!("ipc: sock connect: {}: timed out\n", &*place),
    );
    ipc(&["sock", "connect", "-n", &place]).is(1, "", "");
}

#[test]
fn all_bytes_arrive_in_both_directions_from_files_and_pipes() {
    const SIZE: usize = 64 << 20;
    let place = Place::new();
    let file = place.directory.path().join("input");
    let sample = sample(SIZE);
    std::fs::write(&file, &sample).unwrap();
    let server = serve(&place, &["--echo"]);
    for line in [
        "ipc sock connect \"$0\" <\"$1\"",
        "cat \"$1\" | ipc sock connect \"$0\"",
        "cat \"$1\" | ipc sock connect \"$0\" | cat",
        "ipc sock connect \"$0\" <\"$1\" >\"$1.out\" && cat \"$1.out\"",
    ] {
        let output = sh(line).word(&*place).word(&file).output();
        assert_eq!((code(&output), text(&output.stderr)), (0, String::new()), "{line}");
        assert!(output.stdout == sample, "{line}");
    }
    stop(server, Signal::SIGTERM);
}

#[test]
fn a_consumer_that_pauses_holds_up_nothing_but_its_own_direction() {
    let place = Place::new();
    let listener = UnixListener::bind(&*place).unwrap();
    let sample = sample(8 << 20);
    // The consumer reads only when the server has got every byte.
    let client =
        bash("mkfifo \"$0.go\"; ipc sock connect \"$0\" | { read go <\"$0.go\"; md5sum; }")
            .word(&*place)
            .input(sample.clone())
            .start();
    let (mut server, _) = listener.accept().unwrap();
    let mut writer = server.try_clone().unwrap();
    let sent = sample.clone();
    let writing = std::thread::spawn(move || {
        writer.write_all(&sent).unwrap();
        writer.shutdown(std::net::Shutdown::Write).unwrap();
    });
    let mut received = Vec::new();
    server.read_to_end(&mut received).unwrap();
    assert!(received == sample);
    std::fs::write(format!("{}.go", &*place), "go\n").unwrap();
    writing.join().unwrap();
    drop(server);
    let expected = sh("md5sum").input(sample).succeeds();
    assert_eq!(text(&client.finish().stdout), expected);
}

#[test]
fn a_peer_that_only_sends_no_more_still_gets_all_we_have() {
    let place = Place::new();
    let listener = UnixListener::bind(&*place).unwrap();
    let client = ipc(&["sock", "connect", &place]).input(sample(4 << 20)).start();
    let (mut server, _) = listener.accept().unwrap();
    server.write_all(b"answer").unwrap();
    server.shutdown(std::net::Shutdown::Write).unwrap();
    let mut received = Vec::new();
    server.read_to_end(&mut received).unwrap();
    assert_eq!(received.len(), 4 << 20);
    drop(server);
    let output = client.finish();
    assert_eq!((code(&output), text(&output.stdout)), (0, "answer".to_owned()));
}

#[test]
fn a_peer_that_closes_ends_a_client_with_more_input() {
    let place = Place::new();
    let listener = UnixListener::bind(&*place).unwrap();
    let line = "mkfifo \"$0.in\"; exec 3<>\"$0.in\"; exec ipc sock connect \"$0\" <&3";
    let client = sh(line).word(&*place).start();
    let (mut server, _) = listener.accept().unwrap();
    server.write_all(b"bye ").unwrap();
    drop(server);
    let output = client.finish();
    assert_eq!((code(&output), text(&output.stdout)), (0, "bye ".to_owned()));
}

#[test]
fn a_peer_that_closes_early_is_an_error_and_its_bytes_are_printed() {
    let place = Place::new();
    let listener = UnixListener::bind(&*place).unwrap();
    let client = sh("yes | ipc sock connect \"$0\"").word(&*place).start();
    let (mut server, _) = listener.accept().unwrap();
    server.write_all(b"enough").unwrap();
    let mut some = [0; 100];
    server.read_exact(&mut some).unwrap();
    drop(server);
    let output = client.finish();
    assert_eq!((code(&output), text(&output.stdout)), (3, "enough".to_owned()));
    let words = format!("ipc: sock connect: {}: the peer hung up before it had read", &*place);
    assert!(text(&output.stderr).starts_with(&words), "{}", text(&output.stderr));
}

#[test]
fn closed_and_full_standard_descriptors_are_errors() {
    let place = Place::new();
    let server = serve(&place, &["--echo"]);
    sh("ipc sock connect \"$0\" <&-").word(&*place).is(
        3,
        "",
        &format!("ipc: sock connect: {}: standard input: Bad file descriptor\n", &*place),
    );
    for (stdout, reason) in
        [(">&-", "Bad file descriptor"), (">/dev/full", "No space left on device")]
    {
        sh(&format!("ipc sock connect \"$0\" {stdout}")).word(&*place).input("x").is(
            3,
            "",
            &format!("ipc: sock connect: standard output: {reason}\n"),
        );
    }
    let output =
        sh("{ yes | ipc sock connect \"$0\"; echo $? >&2; } | head -n 1").word(&*place).output();
    assert_eq!((text(&output.stdout), text(&output.stderr)), ("y\n".into(), "141\n".into()));
    stop(server, Signal::SIGTERM);
}

#[test]
fn one_client_at_a_time_is_connected_to_stdin_and_stdout() {
    let place = Place::new();
    let printed = format!("{}.out", &*place);
    let server = sh("exec ipc sock serve \"$0\" >\"$0.out\"").word(&*place).start();
    for line in ["first\n", "second\n"] {
        ipc(&["sock", "connect", "--retry", "60", &place]).input(line).is(0, "", "");
    }
    until("it has printed both", || std::fs::read(&printed).unwrap() == b"first\nsecond\n");
    stop(server, Signal::SIGTERM);
    std::fs::remove_file(printed).unwrap();
    let server = sh("echo hello | ipc sock serve --once \"$0\"").word(&*place).start();
    ipc(&["sock", "connect", "--retry", "60", &place]).input("world\n").is(0, "hello\n", "");
    assert_eq!(text(&server.finish().stdout), "world\n");
    assert_eq!(place.names(), [""; 0]);
}

/// Answers `*` to each message and ends at STOP, as a client it sends three messages, one of them
/// empty, and prints what it receives.
const SEQPACKET_PEER: &str = r#"
    #include <stdio.h>
    #include <string.h>
    #include <sys/socket.h>
    #include <sys/un.h>
    #include <unistd.h>
    int main(int argc, char **argv) {
        struct sockaddr_un a = { .sun_family = AF_UNIX };
        char buffer[4096];
        int s = socket(AF_UNIX, SOCK_SEQPACKET, 0);
        memcpy(a.sun_path, argv[2], strlen(argv[2]));
        if (strcmp(argv[1], "serve") == 0) {
            if (bind(s, (void *)&a, sizeof a) != 0 || listen(s, 5) != 0) return 1;
            int c = accept(s, NULL, NULL);
            for (;;) {
                ssize_t n = recv(c, buffer, sizeof buffer, 0);
                if (n < 0) return 2;
                if (n == 4 && memcmp(buffer, "STOP", 4) == 0) return 0;
                if (send(c, "*", 1, 0) != 1) return 3;
            }
        }
        if (connect(s, (void *)&a, sizeof a) != 0) return 4;
        if (send(s, "one", 3, 0) != 3 || send(s, "", 0, 0) != 0 || send(s, "two", 3, 0) != 3) return 5;
        shutdown(s, SHUT_WR);
        for (int i = 0; i < 3; i++) {
            ssize_t n = recv(s, buffer, sizeof buffer, 0);
            printf("%zd:%.*s\n", n, (int)n, buffer);
        }
        return 0;
    }"#;

#[test]
fn a_c_server_of_seqpackets_answers_each_message_and_stops() {
    let place = Place::new();
    let Some(program) = peers::c(SEQPACKET_PEER) else { return };
    let server = program.run(&["serve", &place]).start();
    let words = ["sock", "connect", "--type", "seqpacket", "--retry", "60", &place];
    ipc(&words).input("a\nb\nSTOP\n").is(0, "*\n*\n", "");
    assert_eq!(code(&server.finish()), 0);
}

#[test]
fn a_c_client_of_seqpackets_gets_its_messages_back_the_empty_one_too() {
    let place = Place::new();
    let Some(program) = peers::c(SEQPACKET_PEER) else { return };
    let server = serve(&place, &["--type", "seqpacket", "--echo"]);
    program.run(&["connect", &place]).is(0, "3:one\n0:\n3:two\n", "");
    stop(server, Signal::SIGTERM);
}

#[test]
fn each_record_of_any_size_is_a_message_and_an_empty_one_is_not_the_end() {
    let place = Place::new();
    let server = serve(&place, &["--type", "seqpacket", "--echo"]);
    let connect = ["sock", "connect", "--type", "seqpacket", &*place];
    let long = "x".repeat(1_000_000);
    let lines = format!("\na\n\n\n{long}\n\n");
    ipc(&connect).input(lines.clone()).is(0, &lines, "");
    let records = "3:a\nb,0:,1:\0,";
    ipc(&connect).words(&["--frame", "netstring"]).input(records).is(0, records, "");
    stop(server, Signal::SIGTERM);
}

#[test]
fn a_message_too_long_for_the_system_is_reported_with_its_size() {
    let Some(client) = as_another_user(&["sock", "connect", "--type", "seqpacket"]) else { return };
    let address = abstract_name();
    let server = serve(&address, &["--type", "seqpacket", "--allow-uid", "65534", "--echo"]);
    let output = client.word(&address).input(vec![b'x'; 64 << 20]).output();
    assert_eq!((code(&output), text(&output.stdout)), (3, String::new()));
    let reason = format!("ipc: sock connect: {address}: message of 67108864 bytes is longer than");
    assert!(text(&output.stderr).starts_with(&reason), "{}", text(&output.stderr));
    stop(server, Signal::SIGTERM);
}

#[test]
fn a_socket_of_another_type_is_reported() {
    let place = Place::new();
    let server = serve(&place, &["--type", "seqpacket", "--echo"]);
    ipc(&["sock", "connect", &place]).is(
        3,
        "",
        &format!(
            "ipc: sock connect: {}: the socket there is not of type stream\n\
             hint: give its type with --type\n",
            &*place
        ),
    );
    stop(server, Signal::SIGTERM);
}

#[test]
fn addresses_of_unknown_forms_are_usage_errors() {
    let output = ipc(&["sock", "connect", "nowhere"]).output();
    assert_eq!(code(&output), 2);
    assert!(text(&output.stderr).starts_with("ipc: sock connect: nowhere: not an address"));
    assert!(binary().exists());
}

/// A server at a port of the system's choice, and its address.
fn serve_port(words: &[&str]) -> (Running, String) {
    let place = Place::new();
    let ready = format!("{}.ready", &*place);
    let (verb, rest) = words.split_at(2);
    let server = ipc(verb).words(&["-q", "--ready", &ready]).words(rest).start();
    let mut address = String::new();
    until("it is ready", || {
        address = std::fs::read_to_string(&ready).unwrap_or_default();
        address.ends_with('\n')
    });
    (server, address.trim_end().to_owned())
}
