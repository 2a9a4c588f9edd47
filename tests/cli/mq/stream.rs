//! `ipc mq send` and `recv` over many messages: order, signals, framings, readers who leave.

use std::os::fd::{AsFd, OwnedFd};
use std::process::{Child, Command, Stdio};

use nix::fcntl::OFlag;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use proptest::prelude::*;

use super::{error, queue, stat, system_v_queue};
use crate::peers;
use crate::support::{Name, Run, binary, code, ipc, sh, sleeps_in, text, until, until_asleep};

#[test]
fn follow_writes_each_message_before_it_waits_and_ends_by_the_signal() {
    let name = queue("4", "64");
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("log");
    let follower = sh("exec ipc mq recv -f \"$0\" >\"$1\"").word(&*name).word(&log).start();
    let logged =
        |lines: &str| until(lines, || std::fs::read(&log).unwrap_or_default() == lines.as_bytes());
    ipc(&["mq", "send", &name, "a"]).is(0, "", "");
    logged("a\n");
    ipc(&["mq", "send", &name, "b", "c"]).is(0, "", "");
    logged("a\nb\nc\n");
    follower.wait_until_asleep();
    follower.signal(Signal::SIGTERM);
    assert_eq!(code(&follower.finish()), 128 + Signal::SIGTERM as i32);
}

#[test]
fn a_stream_keeps_its_order_and_waits_for_whoever_is_slower() {
    let name = queue("4", "16");
    let numbers: String = (0..20_000).map(|number| format!("{number}\n")).collect();
    let sender = ipc(&["mq", "send", &name]).input(numbers.clone()).start();
    ipc(&["mq", "recv", "--count", "20000", &name]).is(0, &numbers, "");
    assert_eq!(code(&sender.finish()), 0);
}

#[test]
fn a_signal_that_comes_when_a_message_was_just_taken_does_not_lose_it() {
    if !peers::there("strace", &["-V"]) {
        return;
    }
    let name = queue("4", "64");
    for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP] {
        ipc(&["mq", "send", &name, "a", "b"]).is(0, "", "");
        let inject = format!("inject=mq_timedreceive:signal={}:when=1", signal.as_str());
        let output = Run::new("strace", &["-qqo", "/dev/null", "-e", &inject])
            .word(binary())
            .words(&["mq", "recv", "-f", &name])
            .output();
        assert_eq!((code(&output), text(&output.stdout)), (128 + signal as i32, "a\nb\n".into()));
    }
}

#[test]
fn a_stream_that_is_interrupted_goes_on_where_it_ended() {
    let (logged, left) = interrupt_a_stream(Signal::SIGTERM, 5000);
    assert!((1..=5000).map(|number| format!("{number}\n")).eq(lines(&(logged + &left))));
}

/// Interrupts a receiver in the midst of a stream of numbers, whose output somebody reads slowly,
/// so that it is mostly about to write; returns what arrived there, and what is left to receive.
fn interrupt_a_stream(signal: Signal, count: u32) -> (String, String) {
    let name = queue("4", "1024");
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("log");
    let slow = "{ ipc mq recv -f \"$0\"; echo $? >&2; } | \
                { read -r x; echo \"$x\"; sleep 0.05; cat; } >\"$1\"";
    let pipeline = sh(slow).word(&*name).word(&log).start();
    // Filled up, so that few of them fit into a pipe.
    let numbers: String = (1..=count).map(|number| format!("{number:0>1000}\n")).collect();
    let sender = ipc(&["mq", "send", &name]).input(numbers).start();
    until("the stream flows", || std::fs::metadata(&log).is_ok_and(|log| log.len() > 0));
    let holders = stat(&name)["holders"].as_array().unwrap().clone();
    let mut pids = holders.iter().map(|holder| holder["pid"].as_i64().unwrap() as i32);
    let receiver = pids.find(|&pid| pid != sender.pid()).expect("it has the queue open");
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(receiver), signal).unwrap();
    let status = text(&pipeline.finish().stderr);
    assert!(status.ends_with(&format!("{}\n", 128 + signal as i32)), "{status}");
    let logged = std::fs::read_to_string(&log).unwrap();
    let rest = count as usize - logged.lines().count();
    let left = match rest {
        0 => String::new(),
        _ => ipc(&["mq", "recv", "--count", &rest.to_string(), &name]).succeeds(),
    };
    assert_eq!(code(&sender.finish()), 0);
    (logged, left)
}

/// The lines, without the zeros that fill them up.
fn lines(text: &str) -> impl Iterator<Item = String> {
    text.lines().map(|line| format!("{}\n", line.trim_start_matches('0')))
}

#[test]
fn nothing_is_taken_for_an_output_that_is_closed_or_has_no_reader() {
    let name = queue("4", "64");
    ipc(&["mq", "send", &name, "kept"]).is(0, "", "");
    sh("ipc mq recv \"$0\" >&-").word(&*name).is(
        3,
        "",
        "ipc: mq recv: standard output: Bad file descriptor\n",
    );
    let output = Command::new(binary())
        .args(["mq", "recv", &name])
        .stdout(pipe_without_reader())
        .output()
        .expect("ipc runs");
    assert_eq!((code(&output), text(&output.stderr)), (141, String::new()));
    ipc(&["mq", "recv", "--all", &name]).is(0, "kept\n", "");
}

fn pipe_without_reader() -> Stdio {
    let (reader, writer) = nix::unistd::pipe2(OFlag::O_CLOEXEC).unwrap();
    drop(reader);
    // A child that another test is just starting may have it until it executes.
    until("the pipe has no reader", || {
        let mut fds = [PollFd::new(writer.as_fd(), PollFlags::empty())];
        poll(&mut fds, PollTimeout::ZERO) == Ok(1)
    });
    writer.into()
}

/// A pipe that is full, and what has to be read to make room in it.
fn full_pipe() -> (OwnedFd, OwnedFd) {
    let (reader, writer) = nix::unistd::pipe2(OFlag::O_CLOEXEC | OFlag::O_NONBLOCK).unwrap();
    while nix::unistd::write(&writer, &[b'.'; 4096]).is_ok() {}
    (reader, writer)
}

#[test]
fn the_timeout_covers_a_full_output_and_no_message_is_lost() {
    for name in [queue("4", "64"), system_v_queue()] {
        let (reader, full) = full_pipe();
        let run = |words: &[&str]| {
            let mut command = Command::new(binary());
            command.args(["mq", "recv", &name]).args(words).stderr(Stdio::piped());
            command.stdout(full.try_clone().unwrap()).spawn().unwrap()
        };
        let status = |words| code(&run(words).wait_with_output().unwrap());
        for message in [&[][..], &["kept"]] {
            ipc(&["mq", "send", &name, "--"]).words(message).is(0, "", "");
            assert_eq!((status(&["-n"]), status(&["-t", "20ms"])), (1, 124), "{message:?}");
        }
        let all = run(&["--all"]);
        until_asleep(all.id() as i32);
        assert_eq!(stat(&name)["messages"], 1);
        let mut bytes = vec![0; 1 << 20];
        let read = nix::unistd::read(&reader, &mut bytes).unwrap();
        assert!(bytes[..read].iter().all(|&byte| byte == b'.'));
        assert_eq!(code(&all.wait_with_output().unwrap()), 0);
        let read = nix::unistd::read(&reader, &mut bytes).unwrap();
        assert_eq!(text(&bytes[..read]), "kept\n");
        assert_eq!(status(&["--all"]), 0);
    }
}

/// How many messages 'send' says that it sent.
fn sent(said: &str) -> usize {
    let words = said.split_once("the ").and_then(|(_, rest)| rest.split_once(" messages"));
    words.unwrap_or_else(|| panic!("{said}")).0.parse().unwrap()
}

#[test]
fn a_reader_that_does_not_read_keeps_nobody_from_ending_and_costs_no_message() {
    for (how, status) in [(&["-f"][..], 143), (&["-f", "-t", "1s"], 124)] {
        let name = queue("4", "64");
        let follower = ipc(&["mq", "recv", &name]).words(how).start();
        let line = "seq -f %050g 9999 | ipc mq send -t 1500ms \"$0\"";
        let output = sh(line).word(&*name).output();
        let sent = sent(&text(&output.stderr));
        if status == 143 {
            follower.signal(Signal::SIGTERM);
        }
        until("it has ended", || follower.is_zombie());
        let output = follower.finish();
        assert_eq!(code(&output), status);
        let printed = text(&output.stdout);
        let rest = ipc(&["mq", "recv", "--all", &name]).succeeds();
        let all: Vec<String> = (1..=sent).map(|number| format!("{number:050}")).collect();
        assert!(printed.lines().chain(rest.lines()).eq(all.iter().map(String::as_str)));
    }
}

#[test]
fn a_message_that_waits_halfway_for_its_reader_goes_back_when_a_signal_comes() {
    for key in [None, Some(Name::system_v("mq"))] {
        let name = key.unwrap_or_else(|| Name::new("mq"));
        let shape: &[&str] =
            if name.starts_with('/') { &["--max-msgs", "2", "--msg-size", "8000"] } else { &[] };
        ipc(&["mq", "create", &name]).words(shape).is(0, "", "");
        let long = "x".repeat(8000);
        ipc(&["mq", "send", &name, &long, "short"]).is(0, "", "");
        let (reader, writer) = nix::unistd::pipe().unwrap();
        nix::fcntl::fcntl(&writer, nix::fcntl::FcntlArg::F_SETPIPE_SZ(4096)).unwrap();
        let mut receiver = Command::new(binary())
            .args(["mq", "recv", "-f", &name])
            .stdout(writer)
            .spawn()
            .unwrap();
        until("it waits halfway", || sleeps_in(receiver.id() as i32, "poll"));
        kill(Pid::from_raw(receiver.id() as i32), Signal::SIGTERM).unwrap();
        let status = receiver.wait().unwrap();
        assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(15));
        let mut bytes = vec![0; 1 << 14];
        assert_eq!(nix::unistd::read(&reader, &mut bytes).unwrap(), 4096);
        ipc(&["mq", "recv", "--all", &name]).is(0, &format!("short\n{long}\n"), "");
    }
}

#[test]
fn a_terminal_that_does_not_go_on_keeps_nobody_from_ending_and_costs_no_message() {
    let name = queue("4", "64");
    let terminal = nix::pty::openpty(None, None).unwrap();
    let mut receiver = Command::new(binary())
        .args(["mq", "recv", "-f", &name])
        .stdout(terminal.slave)
        .spawn()
        .unwrap();
    let line = "seq -f %050g 9999 | ipc mq send -t 1s \"$0\"";
    let sent = sent(&text(&sh(line).word(&*name).output().stderr));
    // What goes back needs room.
    let taken = ipc(&["mq", "recv", "--all", &name]).succeeds();
    kill(Pid::from_raw(receiver.id() as i32), Signal::SIGTERM).unwrap();
    let status = receiver.wait().unwrap();
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(15));
    let mut printed = Vec::new();
    let mut bytes = [0; 4096];
    // It ends with an error, as nobody has the other side any more.
    while let Ok(count @ 1..) = nix::unistd::read(&terminal.master, &mut bytes) {
        printed.extend_from_slice(&bytes[..count]);
    }
    let printed = text(&printed).replace('\r', "");
    let rest = ipc(&["mq", "recv", "--all", &name]).succeeds();
    // One may be whole in the queue whose beginning was printed.
    let lines =
        printed.lines().chain(rest.lines()).chain(taken.lines()).filter(|line| line.len() == 50);
    let mut lines: Vec<String> = lines.map(str::to_owned).collect();
    lines.sort();
    lines.dedup();
    assert!((1..=sent).map(|number| format!("{number:050}")).eq(lines));
}

/// `mq recv --all`, which is stopped when it has taken two messages, and whose reader leaves.
fn stopped_without_a_reader(name: &str) -> (Child, Pid) {
    let call = if name.starts_with('/') { "mq_timedreceive" } else { "msgrcv" };
    let (trace, stop) = (format!("trace={call}"), format!("inject={call}:signal=STOP:when=2"));
    let mut strace = Command::new("strace")
        .args(["-qqo", "/dev/null", "-e", &trace, "-e", &stop])
        .arg(binary())
        .args(["mq", "recv", "--all", name])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let stopped = peers::until_stopped(strace.id() as i32);
    drop(strace.stdout.take());
    (strace, stopped)
}

/// Lets it go on, to die of SIGPIPE.
fn go_on((mut strace, stopped): (Child, Pid)) {
    kill(stopped, Signal::SIGCONT).unwrap();
    let status = strace.wait().unwrap();
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(13));
}

#[test]
fn a_message_goes_back_to_the_queue_that_it_came_from() {
    if !peers::there("strace", &["-o", "/dev/null", "true"]) {
        return;
    }
    let name = queue("4", "64");
    ipc(&["mq", "send", &name, "a", "b"]).is(0, "", "");
    let receiver = stopped_without_a_reader(&name);
    ipc(&["mq", "rm", &name]).is(0, "", "");
    ipc(&["mq", "create", &name, "--max-msgs", "4", "--msg-size", "64"]).is(0, "", "");
    go_on(receiver);
    assert_eq!(stat(&name)["messages"], 0);
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("key"), "").unwrap();
    let by_path = format!("sysv:{}:J", directory.path().join("key").display());
    ipc(&["mq", "create", &by_path]).is(0, "", "");
    let by_id = Name::of("mq", format!("sysv:id={}", stat(&by_path)["id"]));
    ipc(&["mq", "send", &by_id, "a", "b"]).is(0, "", "");
    let receiver = stopped_without_a_reader(&by_path);
    std::fs::remove_file(directory.path().join("key")).unwrap();
    go_on(receiver);
    ipc(&["mq", "recv", "--all", &by_id]).is(0, "a\nb\n", "");
}

#[test]
fn a_message_without_a_reader_goes_back() {
    let name = queue("4", "64");
    ipc(&["mq", "send", &name, "-p", "2", "a", ""]).is(0, "", "");
    ipc(&["mq", "send", &name, "c"]).is(0, "", "");
    let left = "2\ta\n2\t\n0\tc\n";
    for (words, left) in [
        (&["--show-priority"][..], left),
        (&["--frame", "netstring"], left),
        (&[], left),
        (&["--frame", "whole", "--count", "3"], left),
        // Each is written at once, so only the first was taken, and is the last of its priority.
        (&["--json"], "2\t\n2\ta\n0\tc\n"),
    ] {
        let all = if words.contains(&"--count") { "" } else { "--all" };
        let full = format!("ipc mq recv {all} \"$@\" >/dev/full");
        let told = "ipc: mq recv: standard output: No space left on device\n";
        sh(&full).word("sh").word(&*name).words(words).is(3, "", told);
        ipc(&["mq", "recv", &name, "--all", "--show-priority"]).is(0, left, "");
        ipc(&["mq", "send", &name, "-p", "2", "a", ""]).is(0, "", "");
        ipc(&["mq", "send", &name, "c"]).is(0, "", "");
    }
}

#[test]
fn gathered_messages_go_back_when_the_reader_leaves() {
    if !peers::there("strace", &["-o", "/dev/null", "true"]) {
        return;
    }
    for name in [queue("4", "64"), system_v_queue()] {
        ipc(&["mq", "send", &name, "-p", "2", "a", "b"]).is(0, "", "");
        go_on(stopped_without_a_reader(&name));
        ipc(&["mq", "recv", "--all", "--show-priority", &name]).is(0, "2\ta\n2\tb\n", "");
    }
}

#[test]
fn nothing_to_take_is_no_reason_to_wait_for_room() {
    let name = queue("4", "64");
    let (_reader, full) = full_pipe();
    let status = |words: &[&str]| {
        let mut command = Command::new(binary());
        command.args(["mq", "recv", "--all"]).args(words);
        command.stdout(full.try_clone().unwrap()).status().unwrap().code()
    };
    assert_eq!(status(&[&name]), Some(0));
    let key = system_v_queue();
    ipc(&["mq", "send", &key, "-p", "3", "of another type"]).is(0, "", "");
    assert_eq!(status(&[&key, "--type", "7"]), Some(0));
}

#[test]
fn a_message_without_bytes_stays_where_nobody_reads() {
    let key = system_v_queue();
    let receiver = Command::new(binary())
        .args(["mq", "recv", &key])
        .stdout(Stdio::piped())
        .spawn()
        .map(|mut receiver| (receiver.stdout.take(), receiver));
    let (reader, mut receiver) = receiver.unwrap();
    until("it waits for a message", || sleeps_in(receiver.id() as i32, "msgrcv"));
    drop(reader);
    ipc(&["mq", "send", &key, ""]).is(0, "", "");
    let status = receiver.wait().unwrap();
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(13));
    assert_eq!(stat(&key)["messages"], 1);
}

#[test]
fn a_follower_ends_when_its_reader_leaves() {
    let name = queue("4", "64");
    ipc(&["mq", "send", &name, "first"]).is(0, "", "");
    sh("ipc mq recv -f \"$0\" | head -n 1").word(&*name).is(0, "first\n", "");
    assert_eq!(stat(&name)["messages"], 0);
}

#[test]
fn a_message_that_looks_like_two_is_written_with_one_warning() {
    let name = queue("4", "64");
    ipc(&["mq", "send", &name, "a\nb", "c\nd"]).is(0, "", "");
    let warning = "ipc: mq recv: a record has a newline in it, which ends one for whoever reads \
                   this; '--frame netstring' keeps records apart\n";
    ipc(&["mq", "recv", "--all", &name]).is(0, "a\nb\nc\nd\n", warning);
    ipc(&["mq", "send", "-0", &name]).input("a\nb\0c\0").is(0, "", "");
    ipc(&["mq", "recv", "-0", "--all", &name]).is(0, "a\nb\0c\0", "");
}

#[test]
fn input_that_ends_within_a_record_is_an_error_and_whole_records_are_sent() {
    let name = queue("4", "64");
    let reason = "the input ends within a record; the message before it was sent";
    ipc(&["mq", "send", "--frame", "netstring", &name]).input("1:a,5:bc").is(
        3,
        "",
        &error("send", &name, reason),
    );
    ipc(&["mq", "recv", "--all", &name]).is(0, "a\n", "");
    sh("ipc mq send \"$0\" </").word(&*name).is(
        3,
        "",
        &error("send", &name, "standard input: Is a directory"),
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..Default::default() })]
    #[test]
    fn messages_survive_each_framing_that_can_carry_them(
        messages in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..60), 1..5),
    ) {
        let name = queue("4", "64");
        let joined = |end: u8| messages.iter().flat_map(|m| [m.as_slice(), &[end]].concat()).collect::<Vec<u8>>();
        let len4 = || messages.iter().flat_map(|m| [&(m.len() as u32).to_le_bytes()[..], m].concat()).collect::<Vec<u8>>();
        let mut forms = vec![("len4", len4())];
        if !messages.concat().contains(&b'\n') {
            forms.push(("line", joined(b'\n')));
        }
        if !messages.concat().contains(&0) {
            forms.push(("null", joined(0)));
        }
        if messages.len() == 1 {
            forms.push(("whole", messages[0].clone()));
        }
        for (form, stream) in forms {
            let sent = ipc(&["mq", "send", "--frame", form, &name]).input(stream.clone()).output();
            prop_assert_eq!((code(&sent), text(&sent.stderr)), (0, String::new()));
            let received = ipc(&["mq", "recv", "--all", "--frame", "netstring", &name]).output();
            let sent = ipc(&["mq", "send", "--frame", "netstring", &name]).input(received.stdout).output();
            prop_assert_eq!((code(&sent), text(&sent.stderr)), (0, String::new()));
            let received = ipc(&["mq", "recv", "--all", "--frame", form, &name]).output();
            prop_assert_eq!(received.stdout, stream, "{}", form);
        }
    }
}

#[test]
fn stopping_and_continuing_does_not_end_a_wait() {
    let name = queue("2", "8");
    let waiter = ipc(&["mq", "recv", "-t", "30s", &name]).start();
    waiter.wait_until_asleep();
    waiter.stop_and_continue();
    waiter.wait_until_asleep();
    ipc(&["mq", "send", &name, "x"]).is(0, "", "");
    let output = waiter.finish();
    assert_eq!((code(&output), text(&output.stdout)), (0, "x\n".to_owned()));
}
