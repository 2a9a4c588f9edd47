//! Streams whose peer stops, dies, resets, is full, or sends no more.

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
fn a_client_of_a_killed_server_or_relay_fails() {
    for relayed in [false, true] {
        let (place, front) = (Place::new(), Place::new());
        // Its output has no reader.
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
fn a_relay_reports_a_killed_server_and_so_does_its_client() {
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
fn a_relay_without_a_server_resets_the_connection() {
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
        // The relay stays until its client has read everything, and so has its reader.
        for process in std::iter::once(client).chain(relay) {
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
    // From a file: a client that waits for input when the peer leaves has sent everything.
    let file = place.file(&sample(LONG));
    let line = "exec ipc sock connect --retry 60 \"$0\" <\"$1\"";
    let client = sh(line).word(&*place).word(file).output();
    assert_eq!((code(&client), text(&client.stdout)), (3, String::new()));
    let output = server.finish();
    let words = "ipc: sock serve: standard output: No space left on device\n";
    assert_eq!((code(&output), text(&output.stderr)), (3, words.to_owned()));
}

/// A listener that sends its end at once, and closes when a line comes by stdin, having read as much
/// as it is asked to.
const RELUCTANT: &str = "
import socket, sys
kind = getattr(socket, 'SOCK_' + sys.argv[2].upper())
s = socket.socket(socket.AF_UNIX, kind)
s.bind(sys.argv[1])
s.listen()
c, _ = s.accept()
c.shutdown(socket.SHUT_WR)
sys.stdin.readline()
for _ in range(int(sys.argv[3])):
    c.recv(4)
";

#[test]
fn unread_bytes_at_the_close_of_a_peer_are_an_error_and_read_ones_are_not() {
    for kind in ["stream", "seqpacket"] {
        for (reads, expected) in [(0, 3), (1, 3), (2, 0)] {
            let place = Place::new();
            let script = format!("{RELUCTANT}\nsys.stdout.close()");
            let line = "mkfifo \"$0.go\"; exec python3 -c \"$1\" \"$0\" \"$2\" \"$3\" <\"$0.go\"";
            if peers::python("socket", "", &[]).is_none() {
                return;
            }
            let server =
                sh(line).word(&*place).word(script).word(kind).word(reads.to_string()).start();
            let words = ["sock", "connect", "-v", "--type", kind, "--retry", "60", &place];
            let client = ipc(&words).input("one\ntwo\n").start();
            let go = fs::File::options().write(true).open(wait_for(&format!("{}.go", &*place)));
            // Both of its directions have ended.
            until("the client waits", || waits_for_its_peer(client.pid()));
            client.wait_until_asleep();
            let before = processor_time(client.pid());
            pause(Duration::from_millis(200));
            assert!(processor_time(client.pid()) - before < 10, "it spins");
            writeln!(go.unwrap()).unwrap();
            let output = client.finish();
            assert_eq!(code(&output), expected, "{kind} {reads}");
            let told = text(&output.stderr);
            let size = if kind == "stream" { 8 } else { 6 };
            let unread = format!("ipc: sock connect: the peer has not read {size} bytes yet\n");
            assert!(told.contains(&unread), "{told}");
            assert_eq!(told.contains("the peer hung up before"), expected == 3, "{told}");
            assert_eq!(code(&server.finish()), 0);
        }
    }
}

/// The path, when something has it.
fn wait_for(path: &str) -> &str {
    until("the path is there", || fs::metadata(path).is_ok());
    path
}

/// Whether it has come to where it waits for its peer to read: in epoll_wait(2).
fn waits_for_its_peer(pid: i32) -> bool {
    crate::support::sleeps_in(pid, "epoll_wait")
}

/// The ticks that a process has had a processor for.
fn processor_time(pid: i32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap().split(' ').collect();
    fields[11..13].iter().map(|ticks| ticks.parse::<u64>().unwrap()).sum()
}

#[test]
fn a_peer_that_neither_reads_nor_closes_is_waited_for_until_the_longest_time() {
    let (place, front) = (Place::new(), Place::new());
    let listener = place.listen();
    for relayed in [false, true] {
        let relay = relayed.then(|| {
            ipc(&["sock", "relay", "--once", "--max-time", "300ms", &front, &place]).start()
        });
        let address = if relayed { &*front } else { &*place };
        let words = ["sock", "connect", "--retry", "60", "--max-time", "300ms", address];
        let client = ipc(&words[..if relayed { 4 } else { 6 }]).word(address);
        let client = client.input("data").start();
        let (peer, _) = listener.accept().unwrap();
        peer.shutdown(Shutdown::Write).unwrap();
        let unread = "timed out before the peer had read everything\n";
        let output = client.finish();
        match relay {
            None => {
                let told = format!("ipc: sock connect: {address}: {unread}");
                assert_eq!((code(&output), text(&output.stderr)), (124, told));
            }
            Some(relay) => {
                assert_eq!(code(&output), 0);
                let output = relay.finish();
                let told = format!("ipc: sock relay: {}: {unread}", &*place);
                assert_eq!((code(&output), text(&output.stderr)), (124, told));
            }
        }
    }
}

#[test]
fn a_connection_ends_at_its_maximum_time_in_every_wait() {
    let place = Place::new();
    let listener = place.listen();
    let told = format!("ipc: sock connect: {}: timed out\n", &*place);
    // For the peer to send, for stdin, for room in the socket, and for a reader of stdout.
    for line in [
        "ipc sock connect --max-time 200ms \"$0\" </dev/null",
        "mkfifo \"$0.in\"; ipc sock connect --max-time 200ms --send-only \"$0\" <>\"$0.in\"",
        "yes | ipc sock connect --max-time 200ms \"$0\"",
        "yes | ipc sock connect --max-time 200ms --type stream --send-only \"$0\"",
        "ipc sock connect --max-time 200ms --recv-only \"$0\"",
    ] {
        let client = bash(&format!("{line}; echo ${{PIPESTATUS[-1]}}"));
        let client = client.word(&*place).start();
        let (_peer, _) = listener.accept().unwrap();
        let output = client.finish();
        assert_eq!((text(&output.stdout), text(&output.stderr)), ("124\n".into(), told.clone()));
    }
}

#[test]
fn one_direction_alone_sends_or_receives_and_leaves_the_other() {
    let place = Place::new();
    let listener = place.listen();
    // It drops what comes, however much that is, and ends without the peer's end.
    let client = ipc(&["sock", "connect", "--send-only", &place]).input("data").start();
    let (mut peer, _) = listener.accept().unwrap();
    peer.write_all(&sample(LONG)).unwrap();
    let mut received = String::new();
    peer.read_to_string(&mut received).unwrap();
    let output = client.finish();
    let seen = (code(&output), text(&output.stdout), received.as_str());
    assert_eq!(seen, (0, String::new(), "data"));
    // It sends nothing, not even an end.
    let client = ipc(&["sock", "connect", "--recv-only", &place]).input("data").start();
    let (mut peer, _) = listener.accept().unwrap();
    peer.write_all(b"news").unwrap();
    client.wait_until_asleep();
    peer.set_nonblocking(true).unwrap();
    let error = peer.read(&mut [0]).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock);
    drop(peer);
    let output = client.finish();
    assert_eq!((code(&output), text(&output.stdout)), (0, "news".to_owned()));
    for option in ["--recv-only", "--send-only", "--max-time=1s"] {
        let refused = "it applies only to a connection of stdin and stdout\n";
        let name = option.split('=').next().unwrap();
        let said = |verb: &str| format!("ipc: sock {verb}: {name}: {refused}");
        ipc(&["sock", "connect", option, &place, "--", "true"]).is(2, "", &said("connect"));
        ipc(&["sock", "serve", option, "./none", "--echo"]).is(2, "", &said("serve"));
    }
}

#[test]
fn a_server_whose_stdout_takes_no_more_leaves_its_client_an_error() {
    let place = Place::new();
    let server = sh("ipc sock serve --once \"$0\" </dev/null | head -c 5").word(&*place).start();
    // It fits into the buffers, so that the client has sent all of it when the server leaves.
    let client = ipc(&["sock", "connect", "--retry", "60", &place]).input(sample(2 << 20));
    assert_eq!(code(&client.output()), 3);
    assert_eq!(server.finish().stdout, sample(5));
}
