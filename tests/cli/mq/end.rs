//! The end of a stream: markers, and receivers that end at one.

use super::{error, stat, system_v_queue};
use crate::peers;
use crate::support::{Name, code, ipc, sh, text};

fn queue() -> Name {
    let name = Name::new("mq");
    ipc(&["mq", "create", &name, "--max-msgs", "8", "--msg-size", "16"]).is(0, "", "");
    name
}

/// A queue of each kind.
fn queues() -> [Name; 2] {
    [queue(), system_v_queue()]
}

#[test]
fn a_marker_ends_a_receiver_after_the_messages_before_it() {
    for name in queues() {
        ipc(&["mq", "send", "--eof", &name, "a", "b"]).is(0, "", "");
        ipc(&["mq", "recv", "-f", "--until-eof", &name]).is(0, "a\nb\n", "");
        assert_eq!(stat(&name)["messages"], 0);
        sh("seq 3 | ipc mq send --eof $0").word(&*name).is(0, "", "");
        ipc(&["mq", "recv", "-f", "--until-eof", "--json", &name]).assert().success();
        let receiver = ipc(&["mq", "recv", "-f", "--until-eof", &name]).start();
        receiver.wait_until_asleep();
        ipc(&["mq", "send", "--eof", &name]).is(0, "", "");
        assert_eq!(code(&receiver.finish()), 0);
    }
}

#[test]
fn a_receiver_takes_one_marker_and_nothing_behind_it() {
    for name in queues() {
        ipc(&["mq", "send", "--eof=2", &name, "a"]).is(0, "", "");
        ipc(&["mq", "send", &name, "b"]).is(0, "", "");
        ipc(&["mq", "recv", "-f", "--until-eof", &name]).is(0, "a\n", "");
        ipc(&["mq", "recv", "-f", "--until-eof", &name]).is(0, "", "");
        ipc(&["mq", "recv", "--all", &name]).is(0, "b\n", "");
    }
}

#[test]
fn a_marker_has_the_lowest_priority() {
    let name = queue();
    ipc(&["mq", "send", "--eof", "-p", "7", &name, "a"]).is(0, "", "");
    ipc(&["mq", "send", "-p", "1", &name, "late"]).is(0, "", "");
    ipc(&["mq", "recv", "--show-priority", "-f", "--until-eof", &name]).is(
        0,
        "7\ta\n1\tlate\n",
        "",
    );
}

#[test]
fn a_marker_is_a_message_for_other_receivers() {
    let name = queue();
    ipc(&["mq", "send", "--eof", &name]).is(0, "", "");
    ipc(&["mq", "recv", &name]).is(0, "\0ipc-eof\n", "");
    let key = system_v_queue();
    ipc(&["mq", "send", "--eof", &key]).is(0, "", "");
    ipc(&["mq", "recv", "--show-priority", &key]).is(0, "2147483647\t\0ipc-eof\n", "");
    ipc(&["mq", "send", "--eof", "-p", "5", &key]).is(0, "", "");
    ipc(&["mq", "recv", "--type", "6", "-n", &key]).is(1, "", "");
    ipc(&["mq", "recv", "--type", "5", "-f", "--until-eof", &key]).is(0, "", "");
}

#[test]
fn a_marker_that_has_no_room_waits_as_a_message_does() {
    let name = Name::new("mq");
    ipc(&["mq", "create", &name, "--max-msgs", "1", "--msg-size", "8"]).is(0, "", "");
    ipc(&["mq", "send", "--eof", "-n", &name, "a"]).is(1, "", "");
    ipc(&["mq", "recv", &name]).is(0, "a\n", "");
    let reason = "timed out; the message before it was sent";
    ipc(&["mq", "send", "--eof=2", "-t", "10ms", &name]).is(124, "", &error("send", &name, reason));
    ipc(&["mq", "recv", "-f", "--until-eof", &name]).is(0, "", "");
}

#[test]
fn a_queue_whose_messages_are_too_short_for_a_marker_gets_nothing() {
    let name = Name::new("mq");
    ipc(&["mq", "create", &name, "--max-msgs", "2", "--msg-size", "7"]).is(0, "", "");
    let reason = "message of 8 bytes is longer than the queue allows (7), and a marker has this \
                  length\nhint: create the queue with --msg-size 8";
    ipc(&["mq", "send", "--eof", &name, "a"]).is(3, "", &error("send", &name, reason));
    assert_eq!(stat(&name)["messages"], 0);
}

#[test]
fn options_of_markers_are_checked() {
    let name = queue();
    for option in ["-q", "--all", "--count=2"] {
        let output = ipc(&["mq", "recv", "--until-eof", option, &name]).output();
        assert_eq!(code(&output), 2, "{}", text(&output.stderr));
    }
    ipc(&["mq", "recv", "--until-eof", &name]).is(
        2,
        "",
        "ipc: mq recv: --until-eof is for --follow\n\
         hint: 'ipc mq recv -f --until-eof' ends at the marker\n",
    );
    let output = ipc(&["mq", "send", "--eof=0", &name]).output();
    assert_eq!(code(&output), 2, "{}", text(&output.stderr));
}

#[test]
fn a_terminal_is_not_read_for_a_marker() {
    let name = queue();
    let line = format!("ipc mq send --eof {}", &*name);
    let Some(sender) = peers::at_terminal(&line) else { return };
    sender.assert().success();
    ipc(&["mq", "recv", "-f", "--until-eof", &name]).is(0, "", "");
}

#[test]
fn one_marker_ends_a_worker_with_all_of_its_commands() {
    for name in queues() {
        ipc(&["mq", "send", "--eof=2", &name, "a", "b", "c"]).is(0, "", "");
        let words =
            ["mq", "recv", "-f", "--until-eof", "--exec", "--jobs", "3", &name, "--", "cat"];
        let output = ipc(&words).output();
        let mut lines: Vec<_> = text(&output.stdout).chars().collect();
        lines.sort_unstable();
        assert_eq!((code(&output), lines), (0, vec!['a', 'b', 'c']), "{}", text(&output.stderr));
        assert_eq!(stat(&name)["messages"], 1);
    }
}

#[test]
fn a_marker_ends_the_threads_of_a_worker_that_wait() {
    for name in queues() {
        let words =
            ["mq", "recv", "-f", "--until-eof", "--exec", "--jobs", "3", &name, "--", "cat"];
        let worker = ipc(&words).start();
        worker.wait_until_asleep();
        ipc(&["mq", "send", "--eof", &name, "a"]).is(0, "", "");
        let output = worker.finish();
        assert_eq!((code(&output), text(&output.stdout)), (0, "a".to_owned()));
    }
}

#[test]
fn a_worker_finishes_its_attempts_before_it_ends_at_a_marker() {
    let name = queue();
    let directory = tempfile::tempdir().unwrap();
    ipc(&["mq", "send", "--eof", &name, "a"]).is(0, "", "");
    let worker = "ipc mq recv -fq --until-eof --exec --attempts 3 --retry-delay 10ms $0 -- \
                  sh -c 'echo $IPC_ATTEMPT >>tried; [ $IPC_ATTEMPT = 3 ]'; echo $?; cat tried";
    sh(worker).word(&*name).within(directory.path()).is(0, "0\n1\n2\n3\n", "");
}

#[test]
fn python_sends_and_sees_markers_of_a_posix_queue() {
    let name = queue();
    let script = "import sys, posix_ipc\nq = posix_ipc.MessageQueue(sys.argv[1])\n\
                  print(q.receive(), q.receive())\nq.send(b'\\0ipc-eof', priority=0)";
    let Some(python) = peers::python("posix_ipc", script, &[&name]) else { return };
    ipc(&["mq", "send", "--eof", "-p", "2", &name, "x"]).is(0, "", "");
    python.is(0, "(b'x', 2) (b'\\x00ipc-eof', 0)\n", "");
    ipc(&["mq", "recv", "-f", "--until-eof", &name]).is(0, "", "");
}

#[test]
fn python_sends_and_sees_markers_of_a_system_v_queue() {
    let key = system_v_queue();
    let script = "import sys, sysv_ipc\nq = sysv_ipc.MessageQueue(int(sys.argv[1], 0))\n\
                  print(q.receive(type=2147483647))\nq.send(b'\\0ipc-eof', type=3)";
    let number = key.trim_start_matches("sysv:");
    let Some(python) = peers::python("sysv_ipc", script, &[number]) else { return };
    ipc(&["mq", "send", "--eof", &key]).is(0, "", "");
    python.is(0, "(b'\\x00ipc-eof', 2147483647)\n", "");
    ipc(&["mq", "recv", "-f", "--until-eof", "--type", "3", &key]).is(0, "", "");
}
