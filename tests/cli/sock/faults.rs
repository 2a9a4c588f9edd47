//! What becomes of streams when somebody stops, dies, resets, is full, or sends no more.

use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::time::Duration;

use nix::libc;
use nix::sys::signal::Signal;
use nix::sys::socket::{setsockopt, sockopt};

use super::{Place, sample, serve, serve_port, stop};
use crate::peers;
use crate::support::{Running, bash, code, ipc, pause, sh, text, until};

/// More than all buffers on the way hold.
const LONG: usize = 32 << 20;

impl Place {
    /// A file of this content beside the socket.
    fn file(&self, content: &[u8]) -> String {
        let path = format!("{}.file", self.address);
        fs::write(&path, content).unwrap();
        path
    }

    fn listen(&self) -> UnixListener {
        UnixListener::bind(&*self.address).unwrap()
    }
}

/// Waits until no thread of the process has anything to do: it sends more than all buffers hold, so
/// it has no room.
fn wait_until_it_has_no_room(process: &Running) {
    let tasks = format!("/proc/{}/task", process.pid());
    let mut before = Vec::new();
    until("it has no room", || {
        let statuses =
            fs::read_dir(&tasks).unwrap().map(|task| task.unwrap().path().join("status"));
        let statuses = statuses.map(|file| fs::read_to_string(file).unwrap_or_default());
        let now: Vec<String> = statuses.collect();
        // The counts of context switches stand there as well.
        let is_idle = now == before && now.iter().all(|status| status.contains("S (sleeping)"));
        before = now;
        is_idle
    });
}

#[test]
fn a_stop_in_the_middle_of_sending_loses_nothing() {
    let sample = sample(LONG);
    for line in
        ["exec ipc sock connect \"$0\" <\"$1\"", "cat \"$1\" | exec ipc sock connect \"$0\""]
    {
        let place = Place::new();
        let (file, listener) = (place.file(&sample), place.listen());
        // The shell is the client itself, or what becomes of it is.
        let client = bash(&format!("shopt -s lastpipe; {line}")).word(&*place).word(&file).start();
        let (mut server, _) = listener.accept().unwrap();
        for _ in 0..3 {
            wait_until_it_has_no_room(&client);
            client.stop_and_continue();
        }
        let mut received = Vec::new();
        server.read_to_end(&mut received).unwrap();
        assert!(received == sample, "{line}: {} bytes", received.len());
        drop(server);
        let output = client.finish();
        assert_eq!((code(&output), text(&output.stderr)), (0, String::new()), "{line}");
    }
}

#[test]
fn a_stop_of_a_relay_loses_nothing() {
    let (place, front) = (Place::new(), Place::new());
    let (sample, listener) = (sample(LONG), place.listen());
    let relay = ipc(&["sock", "relay", "--once", &front, &place]).start();
    let client = ipc(&["sock", "connect", "--retry", "60", &front]).input(sample.clone()).start();
    let (mut server, _) = listener.accept().unwrap();
    for _ in 0..3 {
        wait_until_it_has_no_room(&client);
        relay.stop_and_continue();
    }
    let mut received = Vec::new();
    server.read_to_end(&mut received).unwrap();
    assert!(received == sample, "{} bytes", received.len());
    drop(server);
    for process in [client, relay] {
        let output = process.finish();
        assert_eq!((code(&output), text(&output.stderr)), (0, String::new()));
    }
}

#[test]
fn a_consumer_that_is_stopped_in_the_middle_gets_the_rest_when_it_goes_on() {
    let place = Place::new();
    let sample = sample(64 << 20);
    let file = place.file(&sample);
    let server = serve(&place, &["--", "cat", &file]);
    let line = "ipc sock connect \"$0\" | bash -c '{ dd bs=64K count=100 iflag=fullblock \
                status=none; echo $$ >\"$0.pid\"; kill -STOP $$; cat; } | md5sum' \"$0\"; \
                echo ${PIPESTATUS[@]}";
    let client = bash(line).word(&*place).start();
    let mut pid = String::new();
    until("it is stopped", || {
        pid = fs::read_to_string(format!("{}.pid", &*place)).unwrap_or_default();
        let stat = fs::read_to_string(format!("/proc/{}/stat", pid.trim_end()));
        pid.ends_with('\n') && stat.is_ok_and(|stat| stat.contains(") T "))
    });
    // As long as socat would wait for the rest of an answer.
    pause(Duration::from_millis(700));
    sh("kill -CONT \"$0\"").word(pid.trim_end()).is(0, "", "");
    let sum = sh("md5sum").input(sample).succeeds();
    assert_eq!(text(&client.finish().stdout), format!("{sum}0 0\n"));
    stop(server, Signal::SIGTERM);
}

#[test]
fn an_answer_that_comes_late_after_the_end_of_stdin_is_not_cut() {
    let (place, front) = (Place::new(), Place::new());
    let relay = ipc(&["sock", "relay", "--once", &front, &place]).start();
    let server =
        serve(&place, &["--", "sh", "-c", "cat; sleep 0.8; echo and; sleep 0.8; echo late"]);
    ipc(&["sock", "connect", "--retry", "60", &front]).input("early ").is(
        0,
        "early and\nlate\n",
        "",
    );
    assert_eq!(code(&relay.finish()), 0);
    stop(server, Signal::SIGTERM);
}

#[test]
fn who_sends_to_a_server_or_through_a_relay_that_is_killed_is_told() {
    for relayed in [false, true] {
        let (place, front) = (Place::new(), Place::new());
        // Nobody reads what it prints.
        let server = serve(&place, &["--once"]);
        let relay = relayed.then(|| ipc(&["sock", "relay", "--once", &front, &place]).start());
        let address = if relayed { &*front } else { &*place };
        let client =
            ipc(&["sock", "connect", "--retry", "60", address]).input(sample(LONG)).start();
        wait_until_it_has_no_room(&client);
        relay.as_ref().unwrap_or(&server).signal(Signal::SIGKILL);
        let output = client.finish();
        let words = format!("ipc: sock connect: {address}: the peer hung up before it had read");
        assert_eq!(code(&output), 3);
        assert!(text(&output.stderr).starts_with(&words), "{}", text(&output.stderr));
    }
}

#[test]
fn a_relay_tells_of_a_server_that_is_killed_and_so_does_its_client() {
    let (place, front) = (Place::new(), Place::new());
    let server = serve(&place, &[]);
    let relay = ipc(&["sock", "relay", "--once", &front, &place]).start();
    let client = ipc(&["sock", "connect", "--retry", "60", &front]).input(sample(LONG)).start();
    until("the relay has come to the server", || {
        ipc(&["sock", "stat", &place]).succeeds().contains("connections:   1\n")
    });
    wait_until_it_has_no_room(&client);
    server.signal(Signal::SIGKILL);
    for (process, verb, address) in [(relay, "relay", &*place), (client, "connect", &*front)] {
        let output = process.finish();
        let words = format!("ipc: sock {verb}: {address}: the peer hung up before it had read");
        assert_eq!(code(&output), 3, "{verb}");
        assert!(text(&output.stderr).starts_with(&words), "{}", text(&output.stderr));
    }
}

/// Ends a connection as a host does that lost it.
fn reset(stream: TcpStream) {
    let at_once = libc::linger { l_onoff: 1, l_linger: 0 };
    setsockopt(&stream, sockopt::Linger, &at_once).unwrap();
}

#[test]
fn a_connection_that_is_reset_is_an_error_with_all_that_came_before() {
    for relayed in [false, true] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut address = format!("tcp:{}", listener.local_addr().unwrap());
        let relay =
            relayed.then(|| serve_port(&["sock", "relay", "--once", "tcp:127.0.0.1:0", &address]));
        if let Some((_, front)) = &relay {
            address.clone_from(front);
        }
        let client = ipc(&["sock", "connect", &address]).start();
        let (mut server, _) = listener.accept().unwrap();
        // Its connection stands when its stdin has ended.
        assert_eq!(server.read(&mut [0]).unwrap(), 0);
        server.write_all(b"some of it").unwrap();
        reset(server);
        let output = client.finish();
        let words = format!("ipc: sock connect: {address}: ");
        assert_eq!((code(&output), text(&output.stdout)), (3, "some of it".to_owned()));
        assert!(text(&output.stderr).starts_with(&words), "{}", text(&output.stderr));
        if let Some((relay, _)) = relay {
            assert_eq!(code(&relay.finish()), 3);
        }
    }
}

#[test]
fn a_client_that_resets_its_connection_is_an_error_of_the_server() {
    let (server, address) = serve_port(&["sock", "serve", "--once", "tcp:127.0.0.1:0"]);
    let mut client = TcpStream::connect(address.strip_prefix("tcp:").unwrap()).unwrap();
    client.write_all(b"some of it").unwrap();
    reset(client);
    let output = server.finish();
    assert_eq!((code(&output), text(&output.stdout)), (3, "some of it".to_owned()));
}

#[test]
fn a_relay_to_nobody_resets_a_connection_rather_than_end_it() {
    let place = Place::new();
    let (relay, address) = serve_port(&["sock", "relay", "--once", "tcp:127.0.0.1:0", &place]);
    let mut client = TcpStream::connect(address.strip_prefix("tcp:").unwrap()).unwrap();
    let error = client.read(&mut [0]).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    assert_eq!(code(&relay.finish()), 4);
}

/// Which direction ends first, and whether a relay stands between.
const CONVERSATIONS: [(bool, bool); 4] =
    [(false, false), (false, true), (true, false), (true, true)];

#[test]
fn as_a_client_either_direction_may_end_before_the_other() {
    let sample = sample(4 << 20);
    for (relayed, they_end_first) in CONVERSATIONS {
        let (place, front) = (Place::new(), Place::new());
        let listener = place.listen();
        let relay = relayed.then(|| ipc(&["sock", "relay", "--once", &front, &place]).start());
        let address = if relayed { &front } else { &place };
        let words = ["sock", "connect", "--retry", "60", address];
        let client = ipc(&words).input(sample.clone()).start();
        converse(listener.accept().unwrap().0, &sample, they_end_first);
        for process in relay.into_iter().chain([client]) {
            let output = process.finish();
            assert_eq!((code(&output), text(&output.stderr)), (0, String::new()));
            assert!(output.stdout.is_empty() || output.stdout == sample);
        }
    }
}

#[test]
fn as_a_server_either_direction_may_end_before_the_other() {
    let sample = sample(4 << 20);
    for (relayed, they_end_first) in CONVERSATIONS {
        let (place, front) = (Place::new(), Place::new());
        let server = ipc(&["sock", "serve", "--once", &place]).input(sample.clone()).start();
        ipc(&["sock", "wait", "-t60", &place]).is(0, "", "");
        let relay = relayed.then(|| ipc(&["sock", "relay", "--once", &front, &place]).start());
        let address = if relayed { &front } else { &place };
        ipc(&["sock", "wait", "-t60", address]).is(0, "", "");
        converse(UnixStream::connect(&**address).unwrap(), &sample, they_end_first);
        let output = server.finish();
        assert_eq!((code(&output), text(&output.stderr)), (0, String::new()));
        assert!(output.stdout == sample);
        assert!(relay.is_none_or(|relay| code(&relay.finish()) == 0));
    }
}

/// Sends and receives a sample, the one after the other.
fn converse(mut stream: UnixStream, sample: &[u8], they_end_first: bool) {
    let mut received = Vec::new();
    if they_end_first {
        stream.read_to_end(&mut received).unwrap();
    }
    stream.write_all(sample).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    if !they_end_first {
        stream.read_to_end(&mut received).unwrap();
    }
    assert!(received == sample);
}

#[test]
fn a_disk_that_is_full_is_an_error_on_both_sides() {
    if !peers::may_unshare(&["--mount"]) {
        return;
    }
    let place = Place::new();
    let disk = place.directory.path().join("disk");
    fs::create_dir(&disk).unwrap();
    let line =
        "mount -t tmpfs -o size=1m none \"$1\" && exec ipc sock serve --once \"$0\" >\"$1/out\"";
    let server = sh("exec unshare --mount sh -c \"$2\" \"$0\" \"$1\"")
        .word(&*place)
        .word(&disk)
        .word(line)
        .start();
    // From a file: one who waits for input when the peer leaves has nothing that was not sent.
    let file = place.file(&sample(LONG));
    let line = "exec ipc sock connect --retry 60 \"$0\" <\"$1\"";
    let client = sh(line).word(&*place).word(file).output();
    assert_eq!((code(&client), text(&client.stdout)), (3, String::new()));
    let output = server.finish();
    let words = "ipc: sock serve: standard output: No space left on device\n";
    assert_eq!((code(&output), text(&output.stderr)), (3, words.to_owned()));
}
