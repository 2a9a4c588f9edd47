//! `ipc mq recv --exec`: a command for each message.

use std::path::Path;

use nix::sys::signal::Signal;

use super::{MISSING, error, queue, stat, system_v_queue};
use crate::peers;
use crate::support::{Run, Running, binary, code, ipc, script_that_cannot_start, sh, text, until};

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
fn the_failure_of_a_command_is_reported_and_its_message_goes_back_if_asked() {
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
        &error("recv", &name, "sh ended with status 7; the message is dropped"),
    );
    assert_eq!(stat(&name)["messages"], 0);
    ipc(&["mq", "send", &name, "x"]).is(0, "", "");
    ipc(&["mq", "recv", "--exec", &name, "--", "sh", "-c", "kill -9 $$"]).is(
        137,
        "",
        &error("recv", &name, "sh died of signal KILL; the message is dropped"),
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
    let directory = tempfile::tempdir().unwrap();
    script_that_cannot_start(directory.path());
    let reason = "ipc: mq recv: ./script: No such file or directory\n";
    let run = ["mq", "recv", "--exec", "--attempts", "1", &name, "--", "./script"];
    ipc(&run).within(directory.path()).is(127, "", reason);
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
        assert_eq!((status, stderr), (143, told));
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
    // Those that fail come round again and again, so the worker goes on until all others are done.
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("log");
    let larger = ["sh", "-c", "m=$(cat); [ $m -gt 3 ] && echo $m >>\"$0\""];
    let worker = ipc(&["mq", "recv", "-f", "--exec", "--requeue", "-q", &name, "--"]);
    let worker = worker.words(&larger).word(&log).start();
    assert_eq!(code(&sender.finish()), 0);
    let done = || std::fs::read_to_string(&log).is_ok_and(|log| log.lines().count() == 3);
    until("the others are done", done);
    worker.signal(Signal::SIGINT);
    assert_eq!(code(&worker.finish()), 130);
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
fn a_message_whose_command_was_started_does_not_go_back_for_want_of_a_descriptor() {
    if !peers::there("strace", &["-V"]) {
        return;
    }
    let name = queue("4", "64");
    ipc(&["mq", "send", &name, "x"]).is(0, "", "");
    let inject = "inject=pidfd_open:error=EMFILE";
    Run::new("strace", &["-fqqo", "/dev/null", "-e", inject])
        .word(binary())
        .words(&["mq", "recv", "--exec", "--requeue", &name, "--", "cat"])
        .is(0, "x", "");
    assert_eq!(stat(&name)["messages"], 0);
}

/// A worker that has received TERM, at a queue that a sender keeps full, with messages that go back.
fn ended_before_a_full_queue(name: &str, log: &Path) -> Running {
    let line = "exec ipc mq recv -f --exec --requeue \"$0\" -- false 2>\"$1\"";
    let worker = sh(line).word(name).word(log).start();
    let logged = |words: &str| {
        std::fs::read_to_string(log)
            .unwrap_or_default()
            .lines()
            .filter(|l| l.contains(words))
            .count()
    };
    until("it has more than can go back", || logged("goes back") > 20);
    worker.signal(Signal::SIGTERM);
    until("it waits for room", || logged("full; waiting to send a message back") > 0);
    worker
}

#[test]
fn messages_go_back_to_a_full_queue_before_a_signal_ends_the_worker() {
    let name = queue("1", "64");
    let numbers: Vec<String> = (10..50).map(|number| number.to_string()).collect();
    let sender = ipc(&["mq", "send", &name]).input(numbers.join("\n")).start();
    let directory = tempfile::tempdir().unwrap();
    let worker = ended_before_a_full_queue(&name, &directory.path().join("log"));
    let left = ipc(&["mq", "recv", "--count", "40", &name]).succeeds();
    let mut left: Vec<&str> = left.lines().collect();
    left.sort_unstable();
    assert_eq!(left, numbers);
    assert_eq!((code(&worker.finish()), code(&sender.finish())), (143, 0));
}

#[test]
fn a_second_signal_does_not_wait_for_a_full_queue() {
    let name = queue("1", "64");
    let _sender = ipc(&["mq", "send", &name]).input("x\n".repeat(40)).start();
    let directory = tempfile::tempdir().unwrap();
    let worker = ended_before_a_full_queue(&name, &directory.path().join("log"));
    worker.signal(Signal::SIGTERM);
    assert_eq!(code(&worker.finish()), 143);
}

#[test]
fn a_limit_on_threads_is_reported_and_no_message_is_lost() {
    if !peers::there("strace", &["-V"]) {
        return;
    }
    let name = queue("4", "64");
    ipc(&["mq", "send", &name, "kept"]).is(0, "", "");
    Run::new("strace", &["-fqqo", "/dev/null", "-e", "inject=clone,clone3:error=EAGAIN:when=1"])
        .word(binary())
        .words(&["mq", "recv", "--exec", &name, "--", "cat"])
        .is(
            125,
            "",
            "ipc: mq recv: starting a thread: Resource temporarily unavailable\n\
             hint: 'ulimit -u' shows how many there may be\n",
        );
    ipc(&["mq", "recv", &name]).is(0, "kept\n", "");
}

#[test]
fn the_status_of_a_command_differs_from_that_of_the_queue() {
    let name = queue("4", "64");
    let gone = error("recv", "/no-such", MISSING);
    ipc(&["mq", "recv", "--exec", "/no-such", "--", "true"]).is(125, "", &gone);
    ipc(&["mq", "recv", "-n", "-E", "77", "--exec", &name, "--", "true"]).is(77, "", "");
    ipc(&["mq", "recv", "-n", "-E", "77", &name]).is(
        2,
        "",
        "ipc: mq recv: --conflict-exit-code is for --exec\n",
    );
}

#[test]
fn all_are_all_of_a_type_and_each_is_tried_once() {
    let key = system_v_queue();
    ipc(&["mq", "send", "-p", "5", &key, "a", "b", "c"]).is(0, "", "");
    ipc(&["mq", "send", "-p", "7", &key, "d"]).is(0, "", "");
    let words = ["mq", "recv", "--all", "--exec", "--requeue", "-q", "--type", "7", &key, "--"];
    let print_and_fail = ["sh", "-c", "cat; echo; exit 1"];
    ipc(&words).words(&print_and_fail).is(1, "d\n", "");
    assert_eq!(stat(&key)["messages"], 4);
}

#[test]
fn a_command_prints_what_it_likes_so_json_is_refused() {
    let name = queue("1", "8");
    let output = ipc(&["mq", "recv", "--exec", "--json", &name, "--", "cat"]).output();
    assert_eq!(code(&output), 2);
}

#[test]
fn a_signal_that_a_shell_ignores_in_the_background_is_forwarded_and_ends_no_worker() {
    let name = queue("4", "64");
    ipc(&["mq", "send", &name, "one", "two"]).is(0, "", "");
    let line = "ipc mq recv -q --exec --count 2 $0 -- sh -c '
            read -r message; echo $message; : >$message; [ $message = two ] || exec sleep 1000' &
        until_true [ -e one ]
        sleep 0.1; ipc signal send INT $!; wait $!; echo $?";
    let directory = tempfile::tempdir().unwrap();
    sh(line).word(&*name).within(directory.path()).is(0, "one\ntwo\n130\n", "");
}

#[test]
fn a_message_that_always_fails_is_not_tried_again_before_a_delay() {
    for name in [queue("4", "64"), system_v_queue()] {
        let directory = tempfile::tempdir().unwrap();
        let log = directory.path().join("log");
        ipc(&["mq", "send", "-p", "9", &name, "poison"]).is(0, "", "");
        let picky = ["sh", "-c", "m=$(cat); echo $m >>\"$0\"; [ $m != poison ]"];
        let words = ["mq", "recv", "-f", "--exec", "--requeue", "-q", &name, "--"];
        let worker = ipc(&words).words(&picky).word(&log).start();
        let tries = |what: &str| {
            let log = std::fs::read_to_string(&log).unwrap_or_default();
            log.lines().filter(|line| *line == what).count()
        };
        until("it has failed", || tries("poison") == 1);
        // The worker goes on with others, and comes back to it; a worker that spins has tried it a
        // hundred times by the time that it has run a hundred others.
        for _ in 0..100 {
            ipc(&["mq", "send", &name, "good"]).is(0, "", "");
        }
        until("the others are done", || tries("good") == 100);
        assert!(tries("poison") < 10, "{}", tries("poison"));
        until("it is tried again", || tries("poison") > 1);
        worker.signal(Signal::SIGTERM);
        assert_eq!(code(&worker.finish()), 143);
        ipc(&["mq", "recv", "--show-priority", &name]).is(0, "9\tpoison\n", "");
    }
}

#[test]
fn a_message_of_high_priority_that_fails_does_not_keep_all_from_the_others() {
    let name = queue("4", "64");
    ipc(&["mq", "send", "-p", "9", &name, "poison"]).is(0, "", "");
    ipc(&["mq", "send", &name, "a", "b"]).is(0, "", "");
    let words = ["mq", "recv", "--all", "--exec", "--requeue", "-q", &name, "--"];
    ipc(&words).words(&["sh", "-c", "cat; echo; exit 1"]).is(1, "poison\na\nb\n", "");
    assert_eq!(stat(&name)["messages"], 3);
}

#[test]
fn workers_say_once_that_they_wait_if_asked() {
    let name = queue("4", "64");
    let words = ["mq", "recv", "-v", "-t", "50ms", "--count", "3", "--jobs", "2", "--exec", &name];
    ipc(&["mq", "send", &name, "a"]).is(0, "", "");
    let output = ipc(&words).words(&["--", "true"]).output();
    let waits = error("recv", &name, "waiting for a message");
    let late = error("recv", &name, "timed out");
    assert_eq!((code(&output), text(&output.stderr)), (124, waits + &late));
}
