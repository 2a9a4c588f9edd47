//! `ipc mq`.

use std::os::fd::AsFd;
use std::process::{Command, Stdio};

use nix::fcntl::OFlag;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::Signal;
use proptest::prelude::*;

use crate::peers;
use crate::support::{
    Name, Run, as_another_user, awkward, bash, binary, code, ipc, sh, text, until,
};

/// A queue of this shape, which has to be small: a user may have few bytes in all queues.
fn queue(max_msgs: &str, msg_size: &str) -> Name {
    let name = Name::new("mq");
    ipc(&["mq", "create", &name, "--max-msgs", max_msgs, "--msg-size", msg_size]).is(0, "", "");
    name
}

/// What `stat --json` says of a queue.
fn stat(name: &str) -> serde_json::Value {
    serde_json::from_str(&ipc(&["mq", "stat", "--json", name]).succeeds()).expect("it is JSON")
}

/// `ipc: mq VERB: NAME: REASON`, and perhaps a hint.
fn error(verb: &str, name: &str, reason: &str) -> String {
    format!("ipc: mq {verb}: {name}: {reason}\n")
}

#[test]
fn the_oldest_of_the_highest_priority_comes_first() {
    let name = queue("6", "64");
    for (priority, message) in [("0", "a"), ("7", "b"), ("0", "c"), ("7", "d"), ("32767", "e")] {
        ipc(&["mq", "send", &name, "-p", priority, message]).is(0, "", "");
    }
    ipc(&["mq", "recv", &name]).is(0, "e\n", "");
    ipc(&["mq", "recv", "--all", "--show-priority", &name]).is(0, "7\tb\n7\td\n0\ta\n0\tc\n", "");
}

#[test]
fn operands_are_messages_and_so_are_lines_of_stdin() {
    let name = queue("4", "64");
    ipc(&["mq", "send", &name, "one two", "", "-p", "1"]).is(0, "", "");
    ipc(&["mq", "recv", "--count", "2", &name]).is(0, "one two\n\n", "");
    ipc(&["mq", "send", &name, "--", "-5", "--all"]).is(0, "", "");
    ipc(&["mq", "recv", "--all", &name]).is(0, "-5\n--all\n", "");
    ipc(&["mq", "send", &name]).input("a\n\nb").is(0, "", "");
    ipc(&["mq", "recv", "--all", &name]).is(0, "a\n\nb\n", "");
    ipc(&["mq", "send", &name]).is(0, "", "");
    assert_eq!(stat(&name)["messages"], 0);
}

#[test]
fn an_empty_queue_is_no_error_for_all_and_status_1_for_nonblock() {
    let name = queue("2", "8");
    ipc(&["mq", "recv", "--all", &name]).is(0, "", "");
    ipc(&["mq", "recv", "-n", &name]).is(1, "", "");
    ipc(&["mq", "recv", "-nv", &name]).is(1, "", &error("recv", &name, "would block"));
    ipc(&["mq", "wait", "-n", &name]).is(1, "", "");
    ipc(&["mq", "send", &name, "x"]).is(0, "", "");
    ipc(&["mq", "wait", "-n", &name]).is(0, "", "");
    ipc(&["mq", "recv", "-n", "--count", "2", &name]).is(1, "x\n", "");
}

#[test]
fn a_timeout_that_runs_out_is_status_124() {
    let name = queue("1", "8");
    let timed_out = |verb| error(verb, &name, "timed out");
    ipc(&["mq", "recv", "-t", "30ms", &name]).is(124, "", &timed_out("recv"));
    ipc(&["mq", "wait", "-t", "30ms", &name]).is(124, "", &timed_out("wait"));
    ipc(&["mq", "send", "-t", "0", &name, "x"]).is(0, "", "");
    ipc(&["mq", "send", "-t", "30ms", &name, "y"]).is(124, "", &timed_out("send"));
    ipc(&["mq", "recv", "-t", "0", &name]).is(0, "x\n", "");
    ipc(&["mq", "recv", "-qt0", &name]).is(124, "", "");
}

#[test]
fn a_full_queue_takes_no_more_and_says_how_many_it_took() {
    let name = queue("2", "8");
    ipc(&["mq", "send", "-n", &name, "a", "b"]).is(0, "", "");
    ipc(&["mq", "send", "-n", &name, "c"]).is(1, "", "");
    assert_eq!(stat(&name)["messages"], 2);
    ipc(&["mq", "recv", &name]).is(0, "a\n", "");
    ipc(&["mq", "send", "-t", "10ms", &name]).input("d\ne\nf\n").is(
        124,
        "",
        &error("send", &name, "timed out; the message before it was sent"),
    );
    ipc(&["mq", "recv", "--all", &name]).is(0, "b\nd\n", "");
}

#[test]
fn a_message_that_is_too_long_is_refused_with_the_limit_and_the_way_out() {
    let name = queue("4", "8");
    let reason = "message of 9 bytes is longer than the queue allows (8)";
    let hint = "hint: create the queue with --msg-size 9\n";
    let refused = error("send", &name, reason) + hint;
    ipc(&["mq", "send", &name, "ok", "123456789"]).is(3, "", &refused);
    ipc(&["mq", "send", "--frame", "whole", &name]).input("123456789").is(3, "", &refused);
    assert_eq!(stat(&name)["messages"], 0);
    let after = format!("{reason}; the 2 messages before it were sent");
    ipc(&["mq", "send", &name]).input("a\nb\n123456789\nc\n").is(
        3,
        "",
        &(error("send", &name, &after) + hint),
    );
    ipc(&["mq", "recv", "--all", &name]).is(0, "a\nb\n", "");
    ipc(&["mq", "send", &name, "12345678"]).is(0, "", "");
}

#[test]
fn a_priority_beyond_the_greatest_is_a_usage_error() {
    let name = queue("1", "8");
    let reason = "priority 32768 is above the greatest (32767)";
    ipc(&["mq", "send", &name, "-p", "32768", "x"]).is(2, "", &error("send", &name, reason));
    let output = ipc(&["mq", "send", &name, "-p", "-1", "x"]).output();
    assert_eq!((code(&output), output.stdout.len()), (2, 0));
    assert_eq!(stat(&name)["messages"], 0);
}

#[test]
fn a_posix_queue_knows_no_types_and_says_which_does() {
    let name = queue("1", "8");
    let reason = "a POSIX queue gives the highest priority first and takes no --type or --except; \
                  System V queues (sysv:KEY) do";
    ipc(&["mq", "recv", "--type", "3", &name]).is(2, "", &error("recv", &name, reason));
    ipc(&["mq", "recv", "--except", "3", &name]).is(2, "", &error("recv", &name, reason));
}

#[test]
fn create_refuses_what_exists_unless_it_has_the_same_shape() {
    let name = queue("3", "16");
    ipc(&["mq", "create", &name]).is(5, "", &error("create", &name, "File exists"));
    ipc(&["mq", "create", "-e", &name]).is(0, "", "");
    ipc(&["mq", "create", "-e", &name, "--max-msgs", "3", "--msg-size", "16"]).is(0, "", "");
    let reason = "exists with --max-msgs 3 --msg-size 16";
    ipc(&["mq", "create", "-e", &name, "--msg-size", "17"]).is(
        5,
        "",
        &error("create", &name, reason),
    );
}

#[test]
fn permissions_are_those_asked_for_whatever_the_umask() {
    for (mode, octal) in [("u=rw,go+r", "0644"), ("0222", "0222"), ("0", "0000")] {
        let name = Name::new("mq");
        sh("umask 077; ipc mq create --max-msgs 1 --msg-size 8 -m \"$1\" \"$0\"")
            .words(&[&name, mode])
            .is(0, "", "");
        let list = ipc(&["mq", "ls", "--json"]).succeeds();
        let list: Vec<serde_json::Value> = serde_json::from_str(&list).unwrap();
        let found = list.iter().find(|queue| queue["name"] == *name).expect("it is listed");
        assert_eq!(found["mode"], octal);
    }
    let name = Name::new("mq");
    sh("umask 0; ipc mq create --max-msgs 1 --msg-size 8 \"$0\"").word(&*name).is(0, "", "");
    assert_eq!(stat(&name)["mode"], "0600");
}

#[test]
fn the_limits_of_the_kernel_are_named() {
    let limit = |name: &str| {
        let text = std::fs::read_to_string(format!("/proc/sys/fs/mqueue/{name}")).unwrap();
        text.trim().parse::<u64>().unwrap()
    };
    let name = Name::new("mq");
    for (option, sysctl, what) in
        [("--max-msgs", "msg_max", "messages"), ("--msg-size", "msgsize_max", "bytes a message")]
    {
        // Beyond what even the privileged may ask for.
        let (asked, allowed) = (1_u64 << 40, limit(sysctl));
        let reason = format!("{asked} {what} are more than the kernel allows ({allowed})");
        let hint = format!("hint: as root: sysctl fs.mqueue.{sysctl}={asked}\n");
        ipc(&["mq", "create", &name, option, &asked.to_string()]).is(
            3,
            "",
            &(error("create", &name, &reason) + &hint),
        );
    }
    ipc(&["mq", "stat", &name]).is(4, "", &error("stat", &name, "No such file or directory"));
}

#[test]
fn the_limit_of_a_user_is_explained() {
    let name = Name::new("mq");
    let reason = "the queues of this user would take more memory than they may (RLIMIT_MSGQUEUE, \
                  100 bytes)";
    let hint = "hint: 'ulimit -q' shows the limit; make the queue smaller with --max-msgs and \
                --msg-size, or remove others\n";
    bash("ulimit -q 100; exec ipc mq create \"$0\" --max-msgs 4 --msg-size 64").word(&*name).is(
        3,
        "",
        &(error("create", &name, reason) + hint),
    );
    ipc(&["mq", "stat", &name]).is(4, "", &error("stat", &name, "No such file or directory"));
}

#[test]
fn stat_tells_what_waits_and_who_has_it_open() {
    let name = queue("4", "64");
    ipc(&["mq", "send", &name, "four", ""]).is(0, "", "");
    let seen = stat(&name);
    assert_eq!((&seen["messages"], &seen["bytes"]), (&2.into(), &4.into()));
    assert_eq!((&seen["max_msgs"], &seen["msg_size"]), (&4.into(), &64.into()));
    assert_eq!((&seen["mode"], &seen["notify_pid"]), (&"0600".into(), &serde_json::Value::Null));
    ipc(&["mq", "recv", "--all", &name]).is(0, "four\n\n", "");
    let waiter = ipc(&["mq", "recv", &name]).start();
    waiter.wait_until_asleep();
    assert_eq!(stat(&name)["holders"][0]["pid"], waiter.pid());
}

#[test]
fn ls_shows_queues_in_columns() {
    let name = queue("4", "64");
    ipc(&["mq", "send", &name, "four"]).is(0, "", "");
    let list = ipc(&["mq", "ls"]).succeeds();
    let columns = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let mut lines = list.lines().map(columns);
    let header = ["NAME", "MESSAGES", "BYTES", "MAX_MSGS", "MSG_SIZE", "MODE", "UID", "GID"];
    assert_eq!(lines.next().unwrap(), header);
    let line = lines.find(|columns| columns[0] == *name).expect("it is listed");
    assert_eq!(line[1..6], ["1", "4", "4", "64", "0600"]);
}

#[test]
fn somebody_who_may_not_mount_the_queues_is_told_what_to_mount() {
    let mounted = std::fs::read_to_string("/proc/mounts").unwrap().contains(" mqueue ");
    let Some(user) = as_another_user(&["mq", "ls", "-q"]) else { return };
    assert_eq!(code(&user.output()), if mounted { 0 } else { 4 });
    if !mounted {
        let output = as_another_user(&["mq", "ls"]).unwrap().output();
        assert_eq!(
            text(&output.stderr),
            "ipc: mq ls: /dev/mqueue: POSIX queues are not mounted, and you may not mount them\n\
             hint: as root: mkdir -p /dev/mqueue && mount -t mqueue none /dev/mqueue\n"
        );
    }
}

#[test]
fn a_queue_of_another_user_is_closed_to_others() {
    let name = queue("2", "8");
    for words in [["send", &name, "x"].as_slice(), &["recv", &name], &["stat", &name]] {
        let mut all = vec!["mq"];
        all.extend(words);
        let Some(user) = as_another_user(&all) else { return };
        user.is(6, "", &error(words[0], &name, "Permission denied"));
    }
}

#[test]
fn those_who_may_only_send_still_see_the_shape() {
    let name = Name::new("mq");
    let words = ["mq", "create", &name, "-m", "0622", "--max-msgs", "2", "--msg-size", "8"];
    ipc(&words).is(0, "", "");
    let Some(user) = as_another_user(&["mq", "stat", "--json", &name]) else { return };
    let seen: serde_json::Value = serde_json::from_str(&user.succeeds()).unwrap();
    assert_eq!((&seen["messages"], &seen["bytes"]), (&0.into(), &serde_json::Value::Null));
    as_another_user(&["mq", "send", &name, "x"]).unwrap().is(0, "", "");
    ipc(&["mq", "recv", &name]).is(0, "x\n", "");
}

#[test]
fn a_missing_queue_is_named_and_can_be_created_on_sending() {
    let missing = "No such file or directory";
    let name = Name::new("mq");
    for words in [["send", &name, "x"].as_slice(), &["recv", &name], &["wait", &name]] {
        let words = [&["mq"], words].concat();
        ipc(&words).is(4, "", &error(words[1], &name, missing));
    }
    ipc(&["mq", "send", "--create", &name, "x"]).is(0, "", "");
    ipc(&["mq", "send", "--create", &name, "y"]).is(0, "", "");
    ipc(&["mq", "recv", "--all", &name]).is(0, "x\ny\n", "");
    assert_eq!(stat(&name)["mode"], "0600");
}

#[test]
fn rm_removes_all_it_can_and_those_who_have_a_queue_open_go_on() {
    let name = queue("2", "8");
    let reader = ipc(&["mq", "recv", "-t", "50ms", &name]).start();
    reader.wait_until_asleep();
    let missing = error("rm", "/ipc-no-such", "No such file or directory");
    ipc(&["mq", "rm", "/ipc-no-such", &name]).is(4, "", &missing);
    ipc(&["mq", "rm", "-f", &name, "/ipc-no-such"]).is(0, "", "");
    let output = reader.finish();
    assert_eq!(text(&output.stderr), error("recv", &name, "timed out"));
}

#[test]
fn any_bytes_are_a_name_and_a_name_has_a_length() {
    let mut name = awkward();
    name.push("\u{1}");
    let create = ipc(&["mq", "create", "--max-msgs", "1", "--msg-size", "8"]).word(&name);
    create.is(0, "", "");
    ipc(&["mq", "send"]).word(&name).word("x").is(0, "", "");
    ipc(&["mq", "recv"]).word(&name).is(0, "x\n", "");
    let listed = ipc(&["mq", "ls", "--json"]).succeeds();
    assert!(listed.contains("base64"), "{listed}");
    ipc(&["mq", "rm"]).word(&name).is(0, "", "");
    let long = "n".repeat(255);
    ipc(&["mq", "recv", &long]).is(
        4,
        "",
        &error("recv", &format!("/{long}"), "No such file or directory"),
    );
    let longer = "n".repeat(256);
    let output = ipc(&["mq", "recv", &longer]).output();
    assert_eq!(code(&output), 2);
    assert!(text(&output.stderr).contains("256 bytes is longer than this mechanism allows (255)"));
}

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
    let warning = "ipc: mq recv: a message has a newline in it, which ends one for whoever reads \
                   this; '--frame netstring' keeps messages apart\n";
    ipc(&["mq", "recv", "--all", &name]).is(0, "a\nb\nc\nd\n", warning);
    ipc(&["mq", "send", "-0", &name]).input("a\nb\0c\0").is(0, "", "");
    ipc(&["mq", "recv", "-0", "--all", &name]).is(0, "a\nb\0c\0", "");
}

#[test]
fn input_that_ends_within_a_record_is_an_error_and_what_was_whole_is_sent() {
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
    waiter.signal(Signal::SIGSTOP);
    waiter.signal(Signal::SIGCONT);
    waiter.wait_until_asleep();
    ipc(&["mq", "send", &name, "x"]).is(0, "", "");
    let output = waiter.finish();
    assert_eq!((code(&output), text(&output.stdout)), (0, "x\n".to_owned()));
}

const C_QUEUE: &str = r#"
#include <fcntl.h>
#include <mqueue.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int main(int argc, char **argv) {
    struct mq_attr attr = { .mq_maxmsg = 4, .mq_msgsize = 64 };
    int create = !strcmp(argv[1], "create");
    mqd_t queue = create ? mq_open(argv[2], O_CREAT | O_EXCL | O_RDWR, 0600, &attr) : mq_open(argv[2], O_RDWR);
    if (queue < 0) { perror("mq_open"); return 1; }
    if (!strcmp(argv[1], "send")) {
        if (mq_send(queue, argv[4], strlen(argv[4]), atoi(argv[3]))) { perror("mq_send"); return 1; }
    } else if (!create) {
        char text[64];
        unsigned priority;
        ssize_t length = mq_receive(queue, text, sizeof text, &priority);
        if (length < 0) { perror("mq_receive"); return 1; }
        printf("%u %.*s\n", priority, (int) length, text);
    }
    return 0;
}
"#;

#[test]
fn a_c_program_and_ipc_send_to_each_other_with_priorities() {
    let Some(c) = peers::c(C_QUEUE) else { return };
    let name = Name::new("mq");
    c.run(&["create", &name]).is(0, "", "");
    c.run(&["send", &name, "3", "from C"]).is(0, "", "");
    c.run(&["send", &name, "9", "urgent"]).is(0, "", "");
    let both = "9\turgent\n3\tfrom C\n";
    ipc(&["mq", "recv", "--all", "--show-priority", &name]).is(0, both, "");
    let ours = queue("4", "64");
    ipc(&["mq", "send", &ours, "-p", "5", "from ipc"]).is(0, "", "");
    ipc(&["mq", "send", &ours, "-p", "8", "sooner"]).is(0, "", "");
    c.run(&["recv", &ours]).is(0, "8 sooner\n", "");
    c.run(&["recv", &ours]).is(0, "5 from ipc\n", "");
    let waiter = c.run(&["recv", &ours]).start();
    waiter.wait_until_asleep();
    ipc(&["mq", "send", &ours, "woken"]).is(0, "", "");
    assert_eq!(text(&waiter.finish().stdout), "0 woken\n");
}

#[test]
fn python_and_ipc_send_to_each_other_with_priorities() {
    let name = queue("4", "64");
    let script = "import sys, posix_ipc\nq = posix_ipc.MessageQueue(sys.argv[1])\n\
                  print(q.receive())\nq.send(b'from python', priority=4)";
    let Some(python) = peers::python("posix_ipc", script, &[&name]) else { return };
    ipc(&["mq", "send", &name, "-p", "2", "from ipc"]).is(0, "", "");
    python.is(0, "(b'from ipc', 2)\n", "");
    ipc(&["mq", "recv", "--show-priority", &name]).is(0, "4\tfrom python\n", "");
}

/// A System V queue, and its key.
fn system_v_queue() -> Name {
    let key = Name::system_v("mq");
    ipc(&["mq", "create", &key]).is(0, "", "");
    key
}

#[test]
fn system_v_messages_have_types_by_which_they_are_chosen() {
    let key = system_v_queue();
    for (kind, message) in [("5", "a"), ("3", "b"), ("5", "c"), ("1", "d"), ("3", "e")] {
        ipc(&["mq", "send", &key, "-p", kind, message]).is(0, "", "");
    }
    ipc(&["mq", "recv", &key, "--type", "5"]).is(0, "a\n", "");
    ipc(&["mq", "recv", &key, "--type=-4"]).is(0, "d\n", "");
    ipc(&["mq", "recv", &key, "--type", "-4", "--show-priority"]).is(0, "3\tb\n", "");
    ipc(&["mq", "recv", &key, "--except", "5"]).is(0, "e\n", "");
    ipc(&["mq", "recv", &key, "-n", "--type", "9"]).is(1, "", "");
    ipc(&["mq", "recv", &key, "-t", "10ms", "--except", "5"]).is(
        124,
        "",
        &error("recv", &key, "timed out"),
    );
    ipc(&["mq", "recv", &key, "--all", "--show-priority"]).is(0, "5\tc\n", "");
    ipc(&["mq", "send", &key, "x"]).is(0, "", "");
    ipc(&["mq", "recv", &key, "--show-priority"]).is(0, "1\tx\n", "");
    ipc(&["mq", "send", &key, "-p0", "x"]).is(
        2,
        "",
        &error("send", &key, "the type of a System V message is 1 or more"),
    );
}

#[test]
fn a_copy_of_a_system_v_message_leaves_it_where_it_is() {
    let key = system_v_queue();
    ipc(&["mq", "send", &key, "a", "b"]).is(0, "", "");
    ipc(&["mq", "recv", &key, "--peek", "1"]).is(0, "b\n", "");
    ipc(&["mq", "recv", &key, "--peek", "2"]).is(1, "", "");
    assert_eq!(stat(&key)["messages"], 2);
}

#[test]
fn a_system_v_queue_that_is_full_makes_its_senders_wait() {
    let key = Name::system_v("mq");
    ipc(&["mq", "create", &key, "--max-bytes", "8"]).is(0, "", "");
    assert_eq!(stat(&key)["max_bytes"], 8);
    ipc(&["mq", "send", &key, "12345678"]).is(0, "", "");
    ipc(&["mq", "send", "-n", &key, "x"]).is(1, "", "");
    ipc(&["mq", "send", "-t", "20ms", &key, "x"]).is(124, "", &error("send", &key, "timed out"));
    let sender = ipc(&["mq", "send", "-t", "30s", &key, "x"]).start();
    sender.wait_until_asleep();
    sender.signal(Signal::SIGSTOP);
    sender.signal(Signal::SIGCONT);
    sender.wait_until_asleep();
    ipc(&["mq", "recv", &key]).is(0, "12345678\n", "");
    assert_eq!(code(&sender.finish()), 0);
    ipc(&["mq", "set", &key, "--max-bytes", "4"]).is(0, "", "");
    let reason = "message of 5 bytes is longer than the queue allows (4)";
    ipc(&["mq", "send", &key, "12345"]).is(3, "", &error("send", &key, reason));
}

#[test]
fn waiting_for_a_system_v_message_takes_none_even_if_it_is_empty() {
    let key = system_v_queue();
    ipc(&["mq", "wait", &key, "-n"]).is(1, "", "");
    ipc(&["mq", "wait", &key, "-t", "10ms"]).is(124, "", &error("wait", &key, "timed out"));
    for message in ["x", ""] {
        let waiter = ipc(&["mq", "wait", &key]).start();
        waiter.wait_until_asleep();
        ipc(&["mq", "send", &key, message]).is(0, "", "");
        assert_eq!(code(&waiter.finish()), 0);
        ipc(&["mq", "wait", &key, "-n"]).is(0, "", "");
        ipc(&["mq", "recv", &key]).is(0, &format!("{message}\n"), "");
    }
    let receiver = ipc(&["mq", "recv", &key]).start();
    receiver.wait_until_asleep();
    ipc(&["mq", "send", &key, ""]).is(0, "", "");
    assert_eq!(text(&receiver.finish().stdout), "\n");
}

#[test]
fn those_who_wait_at_a_system_v_queue_are_told_that_it_was_removed() {
    let key = system_v_queue();
    let receiver = ipc(&["mq", "recv", &key]).start();
    receiver.wait_until_asleep();
    ipc(&["mq", "rm", &key]).is(0, "", "");
    let output = receiver.finish();
    let told = (code(&output), text(&output.stderr));
    assert_eq!(told, (4, error("recv", &key, "the queue was removed")));
    ipc(&["mq", "recv", &key]).is(4, "", &error("recv", &key, "No such file or directory"));
}

#[test]
fn a_system_v_queue_without_a_key_is_reached_by_its_identifier() {
    let name = ipc(&["mq", "create", "sysv:0"]).succeeds();
    let name = name.trim_end();
    ipc(&["mq", "send", name, "x"]).is(0, "", "");
    assert!(ipc(&["mq", "ls", "--json"]).succeeds().contains(name));
    ipc(&["mq", "recv", name]).is(0, "x\n", "");
    ipc(&["mq", "rm", name]).is(0, "", "");
    ipc(&["mq", "recv", name]).is(4, "", &error("recv", name, "No such file or directory"));
    let reason = "the kernel chooses identifiers; sysv:0 makes a new one";
    ipc(&["mq", "create", "sysv:id=7"]).is(2, "", &error("create", "sysv:id=7", reason));
}

#[test]
fn each_kind_refuses_the_limits_of_the_other() {
    let reason = "--max-bytes is for System V queues; POSIX queues have --max-msgs and --msg-size";
    let name = Name::new("mq");
    ipc(&["mq", "create", &name, "--max-bytes", "9"]).is(2, "", &error("create", &name, reason));
    let reason = "--max-msgs and --msg-size are for POSIX queues; System V queues have --max-bytes";
    let key = Name::system_v("mq");
    ipc(&["mq", "create", &key, "--max-msgs", "9"]).is(2, "", &error("create", &key, reason));
    let reason = "only the limit of a System V queue can be changed";
    ipc(&["mq", "set", &name, "--max-bytes", "9"]).is(2, "", &error("set", &name, reason));
}

#[test]
fn the_limits_of_system_v_queues_are_named_and_a_failed_create_leaves_nothing() {
    let key = Name::system_v("mq");
    let limit = std::fs::read_to_string("/proc/sys/kernel/msgmnb").unwrap();
    let asked = limit.trim().parse::<u64>().unwrap() + 1;
    let output = ipc(&["mq", "create", &key, "--max-bytes", &asked.to_string()]).output();
    // Somebody with CAP_SYS_RESOURCE may.
    if code(&output) != 0 {
        let reason = format!("{asked} bytes are more than the kernel allows ({})", limit.trim());
        let hint = format!("hint: as root: sysctl kernel.msgmnb={asked}\n");
        let told = (code(&output), text(&output.stderr));
        assert_eq!(told, (6, error("create", &key, &reason) + &hint));
        ipc(&["mq", "stat", &key]).is(4, "", &error("stat", &key, "No such file or directory"));
    }
}

#[test]
fn python_and_ipc_share_a_system_v_queue_and_its_key() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().to_str().unwrap();
    let name = format!("sysv:{path}:Q");
    let _guard = Name::of("mq", &name);
    let script = "import sys, sysv_ipc\nq = sysv_ipc.MessageQueue(sysv_ipc.ftok(sys.argv[1], ord('Q'), True))\n\
                  print(q.receive())\nq.send(b'from python', type=4)";
    let Some(python) = peers::python("sysv_ipc", script, &[path]) else { return };
    ipc(&["mq", "create", &name, "-m", "0640"]).is(0, "", "");
    assert_eq!(stat(&name)["mode"], "0640");
    ipc(&["mq", "send", &name, "-p", "2", "from ipc"]).is(0, "", "");
    python.is(0, "(b'from ipc', 2)\n", "");
    ipc(&["mq", "recv", "--show-priority", &name]).is(0, "4\tfrom python\n", "");
}

#[test]
fn a_command_has_each_message_on_stdin_and_its_priority_in_the_environment() {
    let name = queue("4", "64");
    let show = ["sh", "-c", "printf '%s:' $IPC_MQ_PRIORITY; cat; echo"];
    ipc(&["mq", "send", &name, "-p", "3", "one\ntwo", ""]).is(0, "", "");
    ipc(&["mq", "recv", "--all", "--exec", &name, "--"]).words(&show).is(0, "3:one\ntwo\n3:\n", "");
    ipc(&["mq", "recv", "-n", "--exec", &name, "--", "true"]).is(1, "", "");
    ipc(&["mq", "recv", "-t", "10ms", "--exec", "--jobs", "2", &name, "--", "true"]).is(
        124,
        "",
        &error("recv", &name, "timed out"),
    );
}

#[test]
fn a_command_that_fails_is_told_and_its_message_goes_back_if_asked() {
    let name = queue("4", "64");
    let picky = ["sh", "-c", "read -r x; [ $x != b ] || exit 7"];
    ipc(&["mq", "send", &name, "-p", "2", "a\n", "b\n", "c\n"]).is(0, "", "");
    ipc(&["mq", "recv", "--all", "--exec", "--requeue", &name, "--"]).words(&picky).is(
        7,
        "",
        &error("recv", &name, "sh ended with status 7; the message goes back"),
    );
    ipc(&["mq", "recv", "--exec", &name, "--"]).words(&picky).is(
        7,
        "",
        &error("recv", &name, "sh ended with status 7"),
    );
    assert_eq!(stat(&name)["messages"], 0);
    ipc(&["mq", "send", &name, "x"]).is(0, "", "");
    ipc(&["mq", "recv", "--exec", &name, "--", "sh", "-c", "kill -9 $$"]).is(
        137,
        "",
        &error("recv", &name, "sh died of signal KILL"),
    );
}

#[test]
fn a_message_whose_command_cannot_be_started_goes_back() {
    let name = queue("4", "64");
    ipc(&["mq", "send", &name, "-p", "5", "kept"]).is(0, "", "");
    let reason = "ipc: mq recv: /no/such: No such file or directory\n";
    ipc(&["mq", "recv", "--exec", &name, "--", "/no/such"]).is(127, "", reason);
    let reason = "ipc: mq recv: /: Permission denied\n";
    ipc(&["mq", "recv", "-f", "--exec", "--jobs", "3", &name, "--", "/"]).is(126, "", reason);
    ipc(&["mq", "recv", "--show-priority", &name]).is(0, "5\tkept\n", "");
}

#[test]
fn commands_run_beside_each_other_if_asked() {
    let name = queue("4", "64");
    let directory = tempfile::tempdir().unwrap();
    // Each waits for the other to have begun.
    let meet = "read -r x; touch $x; until [ -e a ] && [ -e b ]; do sleep 0.01; done";
    ipc(&["mq", "send", &name, "a\n", "b\n"]).is(0, "", "");
    ipc(&["mq", "recv", "--count", "2", "--exec", "--jobs", "2", &name, "--", "sh", "-c", meet])
        .within(directory.path())
        .is(0, "", "");
}

#[test]
fn a_signal_ends_the_command_and_its_message_goes_back() {
    for key in [queue("4", "64"), system_v_queue()] {
        let directory = tempfile::tempdir().unwrap();
        ipc(&["mq", "send", &key, "-p", "2", "kept"]).is(0, "", "");
        let words =
            ["mq", "recv", "-f", "--exec", "--requeue", "--jobs", "2", &key, "--", "sh", "-c"];
        let worker =
            ipc(&words).word("touch begun; exec sleep 60").within(directory.path()).start();
        until("the command runs", || directory.path().join("begun").exists());
        worker.signal(Signal::SIGTERM);
        let output = worker.finish();
        let told = error("recv", &key, "sh died of signal TERM; the message goes back");
        let (status, stderr) = (code(&output), text(&output.stderr));
        // The end may come before the words.
        assert!(status == 143 && (stderr == told || stderr.is_empty()), "{status} {stderr}");
        ipc(&["mq", "recv", "--show-priority", &key]).is(0, "2\tkept\n", "");
        let idle = ipc(&words).word("true").start();
        idle.wait_until_asleep();
        idle.signal(Signal::SIGINT);
        assert_eq!(code(&idle.finish()), 130);
    }
}

#[test]
fn messages_that_go_back_to_a_full_queue_do_not_stop_the_worker() {
    let name = queue("3", "64");
    let sender = ipc(&["mq", "send", &name]).input("1\n2\n3\n4\n5\n6\n").start();
    until("the queue is full", || stat(&name)["messages"] == 3);
    let larger = ["sh", "-c", "[ $(cat) -gt 3 ]"];
    let worker = ipc(&["mq", "recv", "--count", "6", "--exec", "--requeue", "-q", &name, "--"]);
    worker.words(&larger).is(1, "", "");
    assert_eq!(code(&sender.finish()), 0);
    let left = ipc(&["mq", "recv", "--all", &name]).succeeds();
    let mut left: Vec<&str> = left.lines().collect();
    left.sort_unstable();
    assert_eq!(left, ["1", "2", "3"]);
}

#[test]
fn a_worker_that_ends_waits_until_its_message_can_go_back() {
    let name = queue("1", "64");
    let sender = ipc(&["mq", "send", &name]).input("back\nnext\n").start();
    until("the queue is full", || stat(&name)["messages"] == 1);
    let directory = tempfile::tempdir().unwrap();
    let taken = directory.path().join("taken");
    let failing = ["mq", "recv", "--exec", "--requeue", &name, "--", "sh", "-c"];
    let worker = ipc(&failing).word(": >\"$0\"; exit 1").word(&taken).start();
    // Either the message goes back first, or what the sender waited to send has filled the queue.
    until("the worker has a message", || taken.exists());
    ipc(&["mq", "recv", "--count", "2", &name]).succeeds();
    assert_eq!(code(&sender.finish()), 0);
    let told = error("recv", &name, "sh ended with status 1; the message goes back");
    let output = worker.finish();
    assert!(text(&output.stderr).starts_with(&told), "{output:?}");
    assert_eq!(code(&output), 1);
}

#[test]
fn the_size_of_messages_is_a_size() {
    let name = Name::new("mq");
    ipc(&["mq", "create", &name, "--max-msgs", "1", "--msg-size", "0x40"]).is(0, "", "");
    let stat = ipc(&["mq", "stat", "--json", &name]).succeeds();
    assert!(stat.contains(r#""msg_size":64"#), "{stat}");
    let refused = ipc(&["mq", "create", &name, "--msg-size", "0"]);
    let reason = "--msg-size '0': not a size above 0\nhint: try 'ipc mq create --help'";
    refused.is(2, "", &format!("ipc: mq create: {reason}\n"));
}

#[test]
fn messages_are_lines_of_json_in_any_bytes_and_with_their_priorities() {
    let name = Name::new("mq");
    ipc(&["mq", "create", &name, "--max-msgs", "4", "--msg-size", "16"]).is(0, "", "");
    ipc(&["mq", "send", &name, "-p", "9", "a\nb"]).is(0, "", "");
    ipc(&["mq", "send", &name, "--frame", "whole"]).input([0xff]).is(0, "", "");
    let expected = "{\"message\":\"a\\nb\",\"priority\":9}\n\
                    {\"message\":{\"base64\":\"/w==\"},\"priority\":0}\n";
    ipc(&["mq", "recv", "--all", "--json", &name]).is(0, expected, "");
}
