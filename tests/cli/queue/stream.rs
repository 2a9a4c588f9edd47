//! Records through a queue between two processes.

use std::time::Duration;

use super::*;
use crate::support::{Run, binary, pause};

#[test]
fn every_framing_keeps_every_byte() {
    let directory = tempfile::tempdir().unwrap();
    let name = queue("64K");
    let bytes: Vec<u8> = (0..=255).cycle().take(3000).collect();
    let file = directory.path().join("bytes");
    std::fs::write(&file, &bytes).unwrap();
    let line = "set -e
        ipc queue push --frame whole $1 <bytes; ipc queue push $1 'a b' '' ''
        for form in len4 netstring; do
            ipc queue pop --all --frame $form $1 >framed
            ipc queue push --frame $form $1 <framed
        done
        ipc queue pop --frame whole $1 | cmp - bytes
        ipc queue pop --all -0 $1 | od -An -c";
    let run = Run::new("/bin/bash", &["-c", line, "-", &name]).within(directory.path());
    let path =
        format!("{}:{}", binary().parent().unwrap().display(), std::env::var("PATH").unwrap());
    run.env("PATH", path).is(0, "   a       b  \\0  \\0  \\0\n", "");
}

#[test]
fn a_message_that_a_framing_cannot_carry_is_printed_with_one_warning() {
    let name = queue("4K");
    ipc(&["queue", "push", &name, "a\nb", "c\nd"]).is(0, "", "");
    let warning = "ipc: queue pop: a record has a newline in it, which ends one for whoever reads \
                   this; '--frame netstring' keeps records apart\n";
    ipc(&["queue", "pop", "--all", &name]).is(0, "a\nb\nc\nd\n", warning);
    ipc(&["queue", "push", "--frame", "netstring", &name]).input("1:a,2:b").is(
        3,
        "",
        &error("push", &name, "the input ends within a record; the message before it was sent"),
    );
    ipc(&["queue", "pop", "--all", &name]).is(0, "a\n", "");
}

#[test]
fn many_lines_go_through_a_small_queue_in_order() {
    let name = queue("4K");
    let lines: String = (0..200_000).map(|number| format!("{number}\n")).collect();
    let (consumer, log) = consumer(&name);
    ipc(&["queue", "push", &name]).input(lines.clone()).is(0, "", "");
    ipc(&["queue", "close", &name]).is(0, "", "");
    assert_eq!(code(&consumer.finish()), 0);
    assert!(log.text() == lines, "lines are missing or in disorder");
}

#[test]
fn several_producers_and_consumers_share_a_queue() {
    let name = queue("16K");
    let consumers: Vec<_> = (0..3).map(|_| consumer(&name)).collect();
    let producers: Vec<_> = (0..3)
        .map(|producer| {
            let lines: String = (0..20_000).map(|n| format!("{producer} {n:05}\n")).collect();
            ipc(&["queue", "push", &name]).input(lines).start()
        })
        .collect();
    for producer in producers {
        assert_eq!(code(&producer.finish()), 0);
    }
    ipc(&["queue", "close", &name]).is(0, "", "");
    let mut all = Vec::new();
    for (consumer, log) in consumers {
        consumer.finish();
        let got = log.text();
        for producer in 0..3 {
            let own: Vec<&str> =
                got.lines().filter(|line| line.starts_with(&producer.to_string())).collect();
            assert!(own.is_sorted(), "the messages of a producer are in disorder");
        }
        all.extend(got.lines().map(str::to_owned));
    }
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 60_000);
}

#[test]
fn a_record_that_comes_alone_is_not_held_back() {
    let name = queue("4K");
    let line = "(echo one; sleep 60) | ipc queue push \"$0\"";
    let producer = sh(&format!("exec setsid -w sh -c '{line}' \"$0\"")).word(&*name).start();
    ipc(&["queue", "pop", &name]).is(0, "one\n", "");
    let group = nix::unistd::Pid::from_raw(-crate::support::children(producer.pid())[0]);
    let _ = nix::sys::signal::kill(group, nix::sys::signal::Signal::SIGKILL);
}

#[test]
fn one_is_printed_when_it_comes_and_a_signal_ends_the_wait() {
    let name = queue("4K");
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("log");
    let line = "exec ipc queue pop -f \"$0\" >log";
    let consumer = sh(line).word(&*name).within(directory.path()).start();
    ipc(&["queue", "push", &name, "one"]).is(0, "", "");
    until("it is printed", || std::fs::read_to_string(&log).is_ok_and(|text| text == "one\n"));
    consumer.wait_until_at_futex();
    consumer.stop_and_continue();
    ipc(&["queue", "push", &name, "two"]).is(0, "", "");
    until("it is printed", || std::fs::read_to_string(&log).is_ok_and(|t| t == "one\ntwo\n"));
    consumer.signal(nix::sys::signal::Signal::SIGTERM);
    assert_eq!(code(&consumer.finish()), 143);
}

#[test]
fn nothing_is_taken_that_stdout_does_not_take() {
    let name = queue("1M");
    let lines: String = (0..20_000).map(|number| format!("{number:07}\n")).collect();
    ipc(&["queue", "push", &name]).input(lines).is(0, "", "");
    // The reader takes ten bytes and leaves.
    let line = "set -o pipefail; ipc queue pop -f \"$0\" | head -c 80";
    let output = crate::support::bash(line).word(&*name).output();
    assert_eq!(code(&output), 141);
    let left = stat(&name)["messages"].as_u64().unwrap();
    // What was in the pipe is lost; what was not written is in the queue again.
    assert!((10_000..20_000).contains(&left), "{left}");
    ipc(&["queue", "pop", "--all", &name]).assert().code(0);
    ipc(&["queue", "push", &name, "kept"]).is(0, "", "");
    sh("ipc queue pop \"$0\" >/dev/full").word(&*name).is(
        3,
        "",
        "ipc: queue pop: standard output: No space left on device\n",
    );
    ipc(&["queue", "pop", &name]).is(0, "kept\n", "");
    sh("ipc queue pop \"$0\" >&-").word(&*name).assert().code(3);
}

#[test]
fn a_consumer_whose_reader_has_left_ends_by_itself() {
    let name = queue("4K");
    let line = "set -o pipefail; ipc queue pop -f \"$0\" | true";
    let output = crate::support::bash(line).word(&*name).output();
    assert_eq!((code(&output), text(&output.stderr)), (141, String::new()));
}

#[test]
fn a_smaller_batch_is_what_a_kill_can_lose() {
    let name = queue("64K");
    let lines: String = (0..1000).map(|number| format!("{number:07}\n")).collect();
    ipc(&["queue", "push", &name]).input(lines.clone()).is(0, "", "");
    ipc(&["queue", "pop", "--all", "--batch", "1", &name]).is(0, &lines, "");
}

#[test]
fn no_call_of_the_kernel_is_made_for_a_message_while_no_process_sleeps() {
    if !peers::there("strace", &["--version"]) {
        return;
    }
    let name = queue("16M");
    let lines = "x".repeat(99) + "\n";
    let lines = lines.repeat(100_000);
    let futexes = |words: &[&str], input: &str| {
        let traced = Run::new("strace", &["-c", "-f"]).word(binary()).words(words);
        let output = traced.input(input).output();
        assert_eq!(code(&output), 0, "{}", text(&output.stderr));
        let calls = text(&output.stderr);
        let count = |line: &str| line.split_whitespace().nth(3).and_then(|n| n.parse::<u64>().ok());
        let sum = calls.lines().rfind(|line| line.ends_with("total")).and_then(count);
        (calls.contains("futex"), sum.expect("there is a sum"))
    };
    let (slept, calls) = futexes(&["queue", "push", &name], &lines);
    // 10 MB in pieces of at most what a pipe holds.
    assert!(!slept && calls < 5000, "{calls}");
    let (slept, calls) = futexes(&["queue", "pop", "--all", &name], "");
    assert!(!slept && calls < 20_000, "{calls}");
}

#[test]
fn no_memory_is_allocated_for_a_message_after_the_first_ones() {
    if !peers::there("strace", &["--version"]) {
        return;
    }
    let name = queue("16M");
    let line = "x".repeat(99) + "\n";
    let changes = |words: &[&str], input: &str| {
        let options = ["-f", "-qq", "-e", "trace=brk,mmap,mremap,munmap"];
        let traced = Run::new("strace", &options).word(binary()).words(words);
        let output = traced.input(input).output();
        assert_eq!(code(&output), 0, "{}", text(&output.stderr));
        text(&output.stderr).lines().count()
    };
    let both = |count: usize| {
        let pushed = changes(&["queue", "push", &name], &line.repeat(count));
        [pushed, changes(&["queue", "pop", "--all", &name], "")]
    };
    let (few, many) = (both(5_000), both(100_000));
    for (few, many) in few.into_iter().zip(many) {
        // The buffers may grow once more.
        assert!(many <= few + 10, "{many} changes of the memory instead of {few}");
    }
}

#[test]
fn waiting_takes_no_cpu() {
    let (empty, full) = (queue("4K"), queue("4K"));
    ipc(&["queue", "push", &full, &"x".repeat(4080)]).is(0, "", "");
    let waiters = [
        ipc(&["queue", "pop", &empty]).start(),
        ipc(&["queue", "pop", "-f", &empty]).start(),
        ipc(&["queue", "tap", "-f", &empty]).start(),
        ipc(&["queue", "push", &full, "more"]).start(),
        ipc(&["queue", "pop", "--exec", &empty, "--", "cat"]).start(),
    ];
    // A thread of the worker sleeps in futex(2), its main thread in another call.
    let (worker, others) = waiters.split_last().expect("there are some");
    others.iter().for_each(Running::wait_until_at_futex);
    worker.wait_until_asleep();
    let ticks = |waiter: &Running| -> u64 {
        let path = format!("/proc/{}/stat", waiter.pid());
        let text = std::fs::read_to_string(path).expect("it runs");
        let fields: Vec<&str> = text.rsplit(") ").next().unwrap().split(' ').collect();
        fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
    };
    let before: Vec<u64> = waiters.iter().map(ticks).collect();
    pause(Duration::from_millis(2500));
    for (waiter, before) in waiters.iter().zip(before) {
        assert!(ticks(waiter) - before <= 2, "a waiter takes CPU time");
    }
}
