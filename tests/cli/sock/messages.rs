//! Messages: `ipc sock send` and `recv`.

use std::os::unix::net::UnixDatagram;

use nix::sys::signal::Signal;

use super::{Place, abstract_name, sample, serve_port, stop};
use crate::peers;
use crate::support::{Running, as_another_user, bash, code, ipc, pause, sh, text, until};

/// A receiver that listens already.
fn receive(address: &str, words: &[&str]) -> Running {
    let receiver = ipc(&["sock", "recv", address]).words(words).start();
    ipc(&["sock", "wait", "-t", "60", address]).is(0, "", "");
    receiver
}

#[test]
fn seqpackets_of_all_clients_are_received_and_each_is_a_record() {
    let place = Place::new();
    let receiver = receive(&place, &["--type", "seqpacket", "--count", "6"]);
    let send = ["sock", "send", "--type", "seqpacket", &*place];
    let long = "x".repeat(100_000);
    ipc(&send).words(&["one", "", &long]).is(0, "", "");
    ipc(&send).input("two\n\nthree\n").is(0, "", "");
    let output = receiver.finish();
    assert_eq!((code(&output), text(&output.stderr)), (0, String::new()));
    // The records of one client keep their order; those of two clients may mix.
    let received = text(&output.stdout);
    let mut received: Vec<&str> = received.lines().collect();
    received.sort_unstable();
    assert!(received == ["", "", "one", "three", "two", &*long]);
    assert_eq!(place.names(), [""; 0]);
}

#[test]
fn a_client_that_stays_connected_does_not_delay_the_others() {
    let place = Place::new();
    let receiver = receive(&place, &["--type", "seqpacket", "--count", "2"]);
    let silent = sh("exec 3>&1; (sleep 600 & echo $! >&3; exec cat) | exec ipc sock connect \
                     --type seqpacket \"$0\" >/dev/null")
    .word(&*place)
    .start();
    until("it has connected", || {
        ipc(&["sock", "stat", &place]).succeeds().contains("connections:   1\n")
    });
    ipc(&["sock", "send", "--type", "seqpacket", &place, "a", "b"]).is(0, "", "");
    assert_eq!(text(&receiver.finish().stdout), "a\nb\n");
    drop(silent);
}

#[test]
fn a_message_over_a_connection_is_answered_on_it() {
    let address = abstract_name();
    let words = ["--type", "seqpacket", "-f", "--reply-with", "pong"];
    let receiver = receive(&address, &words);
    let send = ["sock", "send", "--type", "seqpacket", "--reply", &address];
    ipc(&send).words(&["a", ""]).is(0, "pong\npong\n", "");
    ipc(&send).input("b\n").is(0, "pong\n", "");
    receiver.signal(Signal::SIGTERM);
    assert_eq!(text(&receiver.finish().stdout), "a\n\nb\n");
}

#[test]
fn records_survive_in_every_framing_that_can_carry_them() {
    let records = b"3:a\nb,0:,2:\0\0,4:\xff\xfe\n\0,";
    for kind in ["dgram", "seqpacket"] {
        for (frame, expected) in [
            ("netstring", records.as_slice()),
            ("len4", b"\x03\0\0\0a\nb\0\0\0\0\x02\0\0\0\0\0\x04\0\0\0\xff\xfe\n\0"),
        ] {
            let place = Place::new();
            let receiver = receive(&place, &["--type", kind, "--count", "4", "--frame", frame]);
            let send = ["sock", "send", "--type", kind, "--frame", "netstring", &*place];
            ipc(&send).input(records.as_slice()).is(0, "", "");
            let output = receiver.finish();
            assert_eq!((code(&output), output.stdout.as_slice()), (0, expected), "{kind} {frame}");
        }
    }
}

#[test]
fn a_file_travels_as_one_message() {
    let place = Place::new();
    let receiver = receive(&place, &["--type", "seqpacket", "--frame", "whole"]);
    let sample = sample(2 << 20);
    let send = ["sock", "send", "--type", "seqpacket", "--frame", "whole", &*place];
    ipc(&send).input(sample.clone()).is(0, "", "");
    let output = receiver.finish();
    assert_eq!(code(&output), 0);
    assert!(output.stdout == sample);
}

#[test]
fn a_newline_within_a_message_is_written_with_a_warning() {
    let place = Place::new();
    let receiver = receive(&place, &["--count", "2"]);
    ipc(&["sock", "send", &place, "a\nb", "c\nd"]).is(0, "", "");
    let output = receiver.finish();
    assert_eq!((code(&output), text(&output.stdout)), (0, "a\nb\nc\nd\n".to_owned()));
    assert_eq!(text(&output.stderr).matches("a record has a newline in it").count(), 1);
}

#[test]
fn a_datagram_of_any_size_is_received() {
    let place = Place::new();
    let receiver = receive(&place, &["--count", "3", "--frame", "netstring"]);
    let long = sample(2 << 20);
    ipc(&["sock", "send", "--frame", "whole", &place]).input(long.clone()).is(0, "", "");
    ipc(&["sock", "send", &place, "", "last"]).is(0, "", "");
    let output = receiver.finish();
    let expected = [format!("{}:", long.len()).as_bytes(), &long, b",0:,4:last,"].concat();
    assert!(output.stdout == expected, "{}", text(&output.stderr));
}

#[test]
fn a_datagram_too_long_for_udp_is_reported_with_its_size_and_the_number_sent() {
    let words = ["sock", "send", "--frame", "netstring", "udp:127.0.0.1:9"];
    let input = [b"1:a,70000:".as_slice(), &[b'x'; 70_000], b","].concat();
    ipc(&words).input(input).is(
        3,
        "",
        "ipc: sock send: udp:127.0.0.1:9: message of 70000 bytes is longer than the socket takes; \
         the message before it was sent\n",
    );
}

#[test]
fn a_sender_without_an_address_does_not_end_the_receiver() {
    let place = Place::new();
    let receiver = receive(&place, &["--count", "2", "--reply-with", "pong"]);
    UnixDatagram::unbound().unwrap().send_to(b"from nowhere", &*place).unwrap();
    ipc(&["sock", "send", "--reply", &place, "from somewhere"]).is(0, "pong\n", "");
    let output = receiver.finish();
    let seen = (code(&output), text(&output.stdout), text(&output.stderr));
    assert_eq!(seen, (0, "from nowhere\nfrom somewhere\n".into(), String::new()));
}

#[test]
fn a_sender_that_left_before_its_answer_is_reported_and_the_receiver_continues() {
    let place = Place::new();
    let receiver = receive(&place, &["--count", "2", "--reply-with", "pong"]);
    let gone = place.directory.path().join("gone");
    let sender = UnixDatagram::bind(&gone).unwrap();
    // It is not there any more when it is answered, however soon that is.
    std::fs::remove_file(&gone).unwrap();
    sender.send_to(b"first", &*place).unwrap();
    ipc(&["sock", "send", "--reply", &place, "second"]).is(0, "pong\n", "");
    let output = receiver.finish();
    assert_eq!((code(&output), text(&output.stdout)), (0, "first\nsecond\n".to_owned()));
    let reason = format!("ipc: sock recv: {}: No such file or directory\n", &*place);
    assert_eq!(text(&output.stderr), reason);
}

#[test]
fn a_stream_has_no_messages() {
    for verb in ["send", "recv"] {
        let reason = format!(
            "ipc: sock {verb}: --type stream: a stream has no messages; 'ipc sock connect' and \
             'ipc sock serve' are for bytes\n"
        );
        ipc(&["sock", verb, "--type", "stream", "./s"]).is(2, "", &reason);
        let output = ipc(&["sock", verb, "tcp:127.0.0.1:9"]).input("").output();
        assert_eq!(code(&output), 2);
        assert!(text(&output.stderr).contains("TCP carries bytes and not messages"));
    }
}

#[test]
fn datagrams_have_no_connections() {
    let place = Place::new();
    for verb in ["connect", "serve"] {
        let reason = format!(
            "ipc: sock {verb}: --type dgram: datagrams have no connections; 'ipc sock send' and \
             'ipc sock recv' are for them\n"
        );
        ipc(&["sock", verb, "--type", "dgram", &place]).is(2, "", &reason);
    }
    assert_eq!(place.names(), [""; 0]);
}

#[test]
fn the_timeout_counts_anew_for_each_message() {
    let place = Place::new();
    let receiver = receive(&place, &["-f", "-t", "2s"]);
    for message in ["a", "b", "c", "d"] {
        pause(std::time::Duration::from_millis(550));
        ipc(&["sock", "send", &place, message]).is(0, "", "");
    }
    let output = receiver.finish();
    assert_eq!((code(&output), text(&output.stdout)), (124, "a\nb\nc\nd\n".to_owned()));
    assert_eq!(text(&output.stderr), format!("ipc: sock recv: {}: timed out\n", &*place));
    ipc(&["sock", "recv", "-n", &place]).is(1, "", "");
    ipc(&["sock", "send", "--reply", "-t", "50ms", &place, "x"]).is(
        4,
        "",
        &format!("ipc: sock send: {}: No such file or directory\n", &*place),
    );
}

#[test]
fn descriptors_that_are_sent_along_do_not_pile_up() {
    let place = Place::new();
    let receiver = receive(&place, &["-f", "--type", "seqpacket"]);
    let Some(flood) = peers::python(
        "socket",
        "
import array, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
s.connect(sys.argv[1])
rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', [0] * 253))]
for _ in range(20):
    s.sendmsg([b'hold these'], rights)
",
        &[&place],
    ) else {
        return;
    };
    let heard = || {
        until("all are heard and gone", || {
            let waiting = ipc(&["sock", "stat", &place]).succeeds();
            waiting.contains("connections:   0\n") && waiting.contains("receive_queue: 0\n")
        });
    };
    flood.is(0, "", "");
    // There is an order among the messages of one connection only.
    heard();
    ipc(&["sock", "send", "--type", "seqpacket", &place, "last"]).is(0, "", "");
    heard();
    let descriptors = format!("/proc/{}/fd", receiver.pid());
    assert!(std::fs::read_dir(descriptors).unwrap().count() < 20);
    receiver.signal(Signal::SIGTERM);
    assert_eq!(text(&receiver.finish().stdout), "hold these\n".repeat(20) + "last\n");
}

#[test]
fn a_receiver_whose_reader_pauses_or_leaves_ends_as_it_should() {
    let place = Place::new();
    // A pipe that is full before anything is received: a receiver that waits for room dies of the signal,
    // and the path is gone.
    let line = "mkfifo \"$0.out\"; exec 3<>\"$0.out\"; head -c 65536 /dev/zero >&3; \
                exec ipc sock recv -f \"$0\" >&3";
    let receiver = bash(line).word(&*place).start();
    ipc(&["sock", "wait", "-t", "60", &place]).is(0, "", "");
    stop(receiver, Signal::SIGTERM);
    assert_eq!(place.names(), ["s.out"]);
    std::fs::remove_file(format!("{}.out", &*place)).unwrap();
    for kind in ["dgram", "seqpacket"] {
        let line = "{ ipc sock recv -f --type \"$1\" \"$0\"; echo $? >&2; } | head -n 1";
        let receiver = bash(line).word(&*place).word(kind).start();
        ipc(&["sock", "wait", "-t", "60", &place]).is(0, "", "");
        ipc(&["sock", "send", "--type", kind, &place, "only"]).is(0, "", "");
        let output = receiver.finish();
        assert_eq!((text(&output.stdout), text(&output.stderr)), ("only\n".into(), "141\n".into()));
        assert_eq!(place.names(), [""; 0]);
    }
}

#[test]
fn datagrams_arrive_whole_and_an_empty_one_is_a_message() {
    let place = Place::new();
    let receiver = ipc(&["sock", "recv", "--count", "4", &place]).start();
    ipc(&["sock", "wait", "-t", "60", &place]).is(0, "", "");
    let long = "x".repeat(100_000);
    ipc(&["sock", "send", &place, "one", "", &long, "last"]).is(0, "", "");
    let output = receiver.finish();
    assert_eq!((code(&output), text(&output.stderr)), (0, String::new()));
    assert!(text(&output.stdout) == format!("one\n\n{long}\nlast\n"));
    assert_eq!(place.names(), [""; 0]);
    let (receiver, address) = serve_port(&["sock", "recv", "udp:127.0.0.1:0", "--count", "2"]);
    ipc(&["sock", "send", &address, "", "there"]).is(0, "", "");
    assert_eq!(text(&receiver.finish().stdout), "\nthere\n");
}

#[test]
fn an_answer_goes_back_to_the_sender() {
    let address = abstract_name();
    let server = ipc(&["sock", "recv", "-f", "--reply-with", "pong", &address]).start();
    ipc(&["sock", "wait", "-t", "60", &address]).is(0, "", "");
    ipc(&["sock", "send", "--reply", &address, "a", "b"]).is(0, "pong\npong\n", "");
    server.signal(Signal::SIGTERM);
    assert_eq!(text(&server.finish().stdout), "a\nb\n");
}

#[test]
fn messages_of_other_users_do_not_reach_an_abstract_name() {
    let address = abstract_name();
    let Some(stranger) = as_another_user(&["sock", "send", &address, "forged"]) else { return };
    let receiver = ipc(&["sock", "recv", &address]).start();
    ipc(&["sock", "wait", "-t", "60", &address]).is(0, "", "");
    stranger.is(0, "", "");
    ipc(&["sock", "send", &address, "ours"]).is(0, "", "");
    assert_eq!(text(&receiver.finish().stdout), "ours\n");
}
