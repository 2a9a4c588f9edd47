//! `ipc sock relay` and `pair`.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

use nix::sys::signal::Signal;

use super::{Place, abstract_name, sample, serve, serve_port, stop};
use crate::support::{code, ipc, sh, text};

#[test]
fn two_commands_exchange_bytes() {
    let asks = "echo question; read answer; echo \"got $answer\" >&2";
    let answers = "read question; echo \"answer to $question\"";
    ipc(&["sock", "pair", "--", "sh", "-c", asks, "--", "sh", "-c", answers]).is(
        0,
        "",
        "got answer to question\n",
    );
}

#[test]
fn a_pair_has_the_status_of_the_last_command_that_failed() {
    for (first, second, status) in [("5", "0", 5), ("5", "6", 6), ("0", "0", 0)] {
        let (first, second) = (format!("exit {first}"), format!("exit {second}"));
        ipc(&["sock", "pair", "--", "sh", "-c", &first, "--", "sh", "-c", &second])
            .is(status, "", "");
    }
    ipc(&["sock", "pair", "--", "cat", "--", "ipc-no-such"]).is(
        127,
        "",
        "ipc: sock pair: ipc-no-such: No such file or directory\n",
    );
    ipc(&["sock", "pair", "--", "cat"]).is(
        2,
        "",
        "ipc: sock pair: COMMAND: expected two commands, with -- before each\n",
    );
}

#[test]
fn the_end_of_one_command_of_a_pair_is_the_end_of_input_of_the_other() {
    let read = ["--", "sh", "-c", "cat >&2; exec ls /proc/self/fd >&2"];
    ipc(&["sock", "pair", "--", "echo", "bye"]).words(&read).is(0, "", "bye\n0\n1\n2\n3\n");
}

#[test]
fn a_relay_forwards_every_byte_in_both_directions() {
    let (place, front) = (Place::new(), Place::new());
    let server = serve(&place, &["--echo"]);
    let relay = ipc(&["sock", "relay", &front, &place]).start();
    ipc(&["sock", "wait", "-t60", &front]).is(0, "", "");
    let sample = sample(16 << 20);
    let output = ipc(&["sock", "connect", &front]).input(sample.clone()).output();
    assert_eq!((code(&output), text(&output.stderr)), (0, String::new()));
    assert!(output.stdout == sample);
    let mut slow = UnixStream::connect(&*front).unwrap();
    ipc(&["sock", "connect", &front]).input("quick").is(0, "quick", "");
    slow.write_all(b"slow").unwrap();
    slow.shutdown(std::net::Shutdown::Write).unwrap();
    let mut answer = String::new();
    slow.read_to_string(&mut answer).unwrap();
    assert_eq!(answer, "slow");
    stop(relay, Signal::SIGTERM);
    assert_eq!(front.names(), [""; 0]);
    stop(server, Signal::SIGTERM);
}

#[test]
fn a_relay_leads_from_a_port_to_a_path_and_passes_on_messages() {
    let place = Place::new();
    let server = serve(&place, &["--", "tr", "a-z", "A-Z"]);
    let (relay, address) = serve_port(&["sock", "relay", "tcp:127.0.0.1:0", &place]);
    ipc(&["sock", "connect", &address]).input("abc").is(0, "ABC", "");
    stop(relay, Signal::SIGTERM);
    stop(server, Signal::SIGTERM);
    let front = abstract_name();
    let server = serve(&place, &["--type", "seqpacket", "--echo"]);
    let relay = ipc(&["sock", "relay", "--type", "seqpacket", &front, &place]).start();
    ipc(&["sock", "wait", "-t60", &front]).is(0, "", "");
    ipc(&["sock", "connect", "--type", "seqpacket", &front])
        .input("a\n\nb\n")
        .is(0, "a\n\nb\n", "");
    stop(relay, Signal::SIGTERM);
    stop(server, Signal::SIGTERM);
}

#[test]
fn a_relay_without_a_server_disconnects_its_client_and_reports_the_reason() {
    let (place, front) = (Place::new(), Place::new());
    let relay = ipc(&["sock", "relay", "--once", &front, &place]).start();
    ipc(&["sock", "connect", "--retry", "60", &front]).is(0, "", "");
    let output = relay.finish();
    let words = format!("ipc: sock relay: {}: No such file or directory\n", &*place);
    assert_eq!((code(&output), text(&output.stderr)), (4, words));
}

#[test]
fn an_open_connection_is_for_one_client() {
    let (place, front) = (Place::new(), Place::new());
    ipc(&["sock", "relay", &front, "fd:7"]).is(
        2,
        "",
        "ipc: sock relay: fd:7: one connection is for one client\nhint: --once admits one client\n",
    );
    ipc(&["sock", "relay", "--once", &front, "fd:7"]).is(
        3,
        "",
        "ipc: sock relay: fd:7: Bad file descriptor\n",
    );
    assert!(front.names().is_empty());
    let server = serve(&place, &["--echo"]);
    let line = "exec 7<&0 </dev/null >/dev/null; exec ipc sock relay --once \"$0\" fd:7";
    let relay = sh("exec ipc sock connect \"$0\" -- sh -c \"$1\" \"$2\"").word(&*place).word(line);
    let relay = relay.word(&*front).start();
    ipc(&["sock", "connect", "--retry", "60", &front]).input("hi").is(0, "hi", "");
    let output = relay.finish();
    assert_eq!((code(&output), text(&output.stderr)), (0, String::new()));
    stop(server, Signal::SIGTERM);
}

#[test]
fn a_relay_to_itself_is_refused() {
    let place = Place::new();
    let refused = format!("ipc: sock relay: {}: the relay would connect to itself\n", &*place);
    ipc(&["sock", "relay", &place, &place]).is(2, "", &refused);
    assert!(place.names().is_empty());
}
