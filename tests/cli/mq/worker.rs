//! `ipc mq recv --exec`: attempts, dead letters, time limits, children.

use std::fs;
use std::path::Path;
use std::time::Instant;

use nix::sys::signal::Signal;

use super::{MISSING, error, queue, stat, system_v_queue};
use crate::support::{Name, Running, code, ipc, sh, text, until};

/// Queues of both kinds.
fn both() -> [Name; 2] {
    [queue("4", "64"), system_v_queue()]
}

fn send(name: &str, messages: &[&str]) {
    ipc(&["mq", "send", "-p", "3", name]).words(messages).is(0, "", "");
}

/// The messages of a queue, with their priorities.
fn drain(name: &str) -> String {
    ipc(&["mq", "recv", "--all", "--show-priority", name]).succeeds()
}

fn lines(path: &Path) -> usize {
    fs::read_to_string(path).unwrap_or_default().lines().count()
}

/// A worker that goes on until a signal.
fn follow(name: &str, options: &[&str], line: &str, log: &Path) -> Running {
    ipc(&["mq", "recv", "-f", "--exec", name])
        .words(options)
        .words(&["--", "sh", "-c", line])
        .word(log)
        .start()
}

#[test]
fn a_command_runs_again_until_it_succeeds() {
    for name in both() {
        send(&name, &["a"]);
        let line = "echo $IPC_ATTEMPT; [ $IPC_ATTEMPT = 3 ]";
        let fails = |attempt, delay| {
            let words =
                format!("sh ended with status 1; attempt {attempt} of 4, the next in {delay}");
            error("recv", &name, &words)
        };
        ipc(&["mq", "recv", "--exec", "--attempts", "4", "--retry-delay", "10ms", &name, "--"])
            .words(&["sh", "-c", line])
            .is(0, "1\n2\n3\n", &(fails(1, "0.01s") + &fails(2, "0.02s")));
        assert_eq!(drain(&name), "");
    }
}

#[test]
fn the_first_attempt_is_number_one() {
    let name = queue("4", "64");
    send(&name, &["a"]);
    ipc(&["mq", "recv", "--exec", &name, "--", "sh", "-c", "echo $IPC_ATTEMPT $IPC_MQ_PRIORITY"])
        .is(0, "1 3\n", "");
}

#[test]
fn a_message_is_dropped_after_the_last_attempt() {
    for name in both() {
        send(&name, &["a", "b"]);
        let line = "m=$(cat); echo $m$IPC_ATTEMPT; [ $m = b ] || exit 9";
        let output = ipc(&["mq", "recv", "--all", "--exec", "--attempts", "2"])
            .words(&["--retry-delay", "300ms", &name, "--", "sh", "-c", line])
            .output();
        // The worker goes on with other messages during the delay.
        assert_eq!((code(&output), text(&output.stdout)), (9, "a1\nb1\na2\n".into()));
        let first =
            error("recv", &name, "sh ended with status 9; attempt 1 of 2, the next in 0.3s");
        let last = error("recv", &name, "sh ended with status 9; the message is dropped");
        assert_eq!(text(&output.stderr), first + &last);
        assert_eq!(drain(&name), "");
    }
}

#[test]
fn a_message_does_not_run_again_before_the_delay() {
    let name = queue("4", "64");
    send(&name, &["a"]);
    let start = Instant::now();
    ipc(&["mq", "recv", "-q", "--exec", "--attempts", "3", "--retry-delay", "0.1", &name])
        .words(&["--", "false"])
        .is(1, "", "");
    assert!(start.elapsed().as_millis() >= 300);
}

#[test]
fn a_message_goes_back_after_the_last_attempt_if_asked() {
    for name in both() {
        send(&name, &["a"]);
        ipc(&["mq", "recv", "-q", "--exec", "--requeue", "--attempts", "2", "--retry-delay", "0"])
            .words(&[&name, "--", "sh", "-c", "echo $IPC_ATTEMPT; exit 5"])
            .is(5, "1\n2\n", "");
        assert_eq!(drain(&name), "3\ta\n");
    }
}

#[test]
fn a_message_goes_to_the_dead_letter_queue_after_the_last_attempt() {
    for name in both() {
        for dead in both() {
            send(&name, &["a", "b"]);
            let goes = error(
                "recv",
                &name,
                &format!("false ended with status 1; the message goes to {}", &*dead),
            );
            ipc(&["mq", "recv", "--all", "--exec", "--dead-letter", &dead, &name, "--", "false"])
                .is(1, "", &goes.repeat(2));
            assert_eq!((drain(&name), drain(&dead)), (String::new(), "3\ta\n3\tb\n".into()));
        }
    }
}

#[test]
fn a_priority_that_the_dead_letter_queue_does_not_have_becomes_the_nearest() {
    let (posix, system_v) = (queue("4", "64"), system_v_queue());
    ipc(&["mq", "send", &posix, "a"]).is(0, "", "");
    let dead_letter = |from: &str, to: &str| {
        ipc(&["mq", "recv", "-q", "--exec", "--dead-letter", to, from, "--", "false"])
            .is(1, "", "");
    };
    dead_letter(&posix, &system_v);
    assert_eq!(drain(&system_v), "1\ta\n");
    ipc(&["mq", "send", "-p", "99999", &system_v, "b"]).is(0, "", "");
    dead_letter(&system_v, &posix);
    assert_eq!(drain(&posix), "32767\tb\n");
}

#[test]
fn a_missing_dead_letter_queue_is_an_error_before_a_message_is_received() {
    for name in both() {
        send(&name, &["kept"]);
        for (dead, reason) in [("/no-such", MISSING), ("/a/b", "")] {
            let output =
                ipc(&["mq", "recv", "--exec", "--dead-letter", dead, &name, "--", "false"])
                    .output();
            let expected = error("recv", dead, reason);
            match reason {
                "" => assert_eq!(code(&output), 2, "{output:?}"),
                _ => assert_eq!((code(&output), text(&output.stderr)), (125, expected)),
            }
        }
        assert_eq!(drain(&name), "3\tkept\n");
    }
}

#[test]
fn a_queue_is_not_its_own_dead_letter_queue() {
    for name in both() {
        send(&name, &["kept"]);
        let reason = error("recv", &name, "the dead-letter queue is the queue itself");
        ipc(&["mq", "recv", "--exec", "--dead-letter", &name, &name, "--", "false"])
            .is(2, "", &reason);
        assert_eq!(drain(&name), "3\tkept\n");
    }
}

#[test]
fn a_worker_waits_for_room_in_the_dead_letter_queue() {
    for name in both() {
        let dead = queue("1", "64");
        send(&name, &["a", "b"]);
        let worker = ipc(&["mq", "recv", "--count", "2", "--exec", "--dead-letter", &dead, &name])
            .words(&["--", "false"])
            .start();
        until("the dead-letter queue is full", || stat(&dead)["messages"] == 1);
        worker.wait_until_asleep();
        ipc(&["mq", "recv", &dead]).is(0, "a\n", "");
        ipc(&["mq", "recv", "-t", "20s", &dead]).is(0, "b\n", "");
        let output = worker.finish();
        assert_eq!(code(&output), 1);
        let full = error("recv", &dead, "full; waiting to send a message to it");
        assert!(text(&output.stderr).ends_with(&full) || !text(&output.stderr).contains("full"));
    }
}

#[test]
fn a_signal_sends_a_message_back_that_waits_for_the_dead_letter_queue() {
    for name in both() {
        for dead in [queue("1", "64"), small_system_v_queue()] {
            ipc(&["mq", "send", &dead, "old"]).is(0, "", "");
            send(&name, &["kept"]);
            let directory = tempfile::tempdir().unwrap();
            let log = directory.path().join("log");
            let line = "exec ipc mq recv -f --exec --dead-letter \"$0\" \"$1\" -- false 2>\"$2\"";
            let worker = sh(line).word(&*dead).word(&*name).word(&log).start();
            let full = || fs::read_to_string(&log).is_ok_and(|log| log.contains("full; waiting"));
            until("the worker waits for room", full);
            worker.signal(Signal::SIGTERM);
            assert_eq!(code(&worker.finish()), 143);
            assert_eq!(drain(&name), "3\tkept\n");
        }
    }
}

/// A System V queue that has room for one message of three bytes.
fn small_system_v_queue() -> Name {
    let name = Name::system_v("mq");
    ipc(&["mq", "create", "--max-bytes", "4", &name]).is(0, "", "");
    name
}

#[test]
fn a_dead_letter_queue_that_is_removed_or_too_small_loses_nothing() {
    for name in both() {
        let (removed, small) = (queue("4", "64"), queue("4", "2"));
        let directory = tempfile::tempdir().unwrap();
        let log = directory.path().join("log");
        let options = ["--dead-letter", &removed];
        let worker = follow(&name, &options, "echo >>$0; exit 1", &log);
        worker.wait_until_asleep();
        ipc(&["mq", "rm", &removed]).is(0, "", "");
        send(&name, &["kept"]);
        until("the command has failed", || lines(&log) >= 1);
        worker.signal(Signal::SIGTERM);
        let output = worker.finish();
        assert_eq!(code(&output), 143);
        let reason = "cannot take a message, which goes back: the queue was removed";
        let expected = error("recv", &removed, reason);
        let stderr = text(&output.stderr);
        assert!(stderr.ends_with(&expected) || stderr.contains("goes back"), "{stderr}");
        assert_eq!(drain(&name), "3\tkept\n");
        send(&name, &["kept"]);
        let output =
            ipc(&["mq", "recv", "--exec", "--dead-letter", &small, &name, "--", "false"]).output();
        let reason = "cannot take a message, which goes back: message of 4 bytes is too long";
        assert_eq!(code(&output), 1);
        assert!(text(&output.stderr).ends_with(&error("recv", &small, reason)));
        assert_eq!(drain(&name), "3\tkept\n");
    }
}

#[test]
fn messages_that_wait_for_another_attempt_go_back_when_a_signal_ends_the_worker() {
    for name in both() {
        let directory = tempfile::tempdir().unwrap();
        let log = directory.path().join("log");
        send(&name, &["a", "b"]);
        let options = ["-q", "--attempts", "3", "--retry-delay", "1h"];
        let worker = follow(&name, &options, "echo >>$0; exit 1", &log);
        until("both have failed", || lines(&log) == 2);
        worker.wait_until_asleep();
        worker.signal(Signal::SIGTERM);
        assert_eq!(code(&worker.finish()), 143);
        // The second goes back first if the signal has found its COMMAND still running.
        let drained = drain(&name);
        let mut messages: Vec<&str> = drained.lines().collect();
        messages.sort_unstable();
        assert_eq!(messages, ["3\ta", "3\tb"]);
    }
}

#[test]
fn a_message_goes_back_whose_command_a_signal_has_ended() {
    for name in both() {
        for options in [&["--attempts", "2"][..], &["--dead-letter", "DEAD"]] {
            let dead = queue("4", "64");
            let options: Vec<&str> =
                options.iter().map(|&word| if word == "DEAD" { &*dead } else { word }).collect();
            let directory = tempfile::tempdir().unwrap();
            let log = directory.path().join("log");
            send(&name, &["kept"]);
            let worker = follow(&name, &options, "echo >>$0; exec sleep 60", &log);
            until("the command runs", || lines(&log) == 1);
            worker.signal(Signal::SIGTERM);
            let output = worker.finish();
            let reason = error("recv", &name, "sh died of signal TERM; the message goes back");
            assert_eq!((code(&output), text(&output.stderr)), (143, reason));
            assert_eq!((drain(&name), drain(&dead)), ("3\tkept\n".into(), String::new()));
        }
    }
}

#[test]
fn a_worker_that_is_killed_loses_what_it_holds_and_no_more() {
    for name in both() {
        let directory = tempfile::tempdir().unwrap();
        let log = directory.path().join("log");
        send(&name, &["a", "b"]);
        let worker = follow(&name, &["--attempts", "2"], "echo >>$0; exec sleep 1", &log);
        until("the command runs", || lines(&log) == 1);
        worker.signal(Signal::SIGKILL);
        assert_eq!(code(&worker.finish()), 137);
        assert_eq!(drain(&name), "3\tb\n");
    }
}

#[test]
fn a_command_that_takes_too_long_gets_term() {
    for name in both() {
        send(&name, &["a"]);
        let reason = "sh timed out and died of signal TERM; the message is dropped";
        // The signal reaches the children of the shell as well.
        ipc(&["mq", "recv", "--exec", "--time-limit", "100ms", &name, "--"])
            .words(&["sh", "-c", "sleep 60; true"])
            .is(124, "", &error("recv", &name, reason));
    }
}

#[test]
fn a_command_that_ends_well_after_its_time_limit_has_failed() {
    let name = queue("4", "64");
    send(&name, &["a"]);
    let reason = "sh timed out and ended with status 0; the message goes back";
    ipc(&["mq", "recv", "--exec", "--requeue", "--time-limit", "100ms", &name, "--"])
        .words(&["sh", "-c", "trap 'exit 0' TERM; while :; do :; done"])
        .is(124, "", &error("recv", &name, reason));
    assert_eq!(drain(&name), "3\ta\n");
}

#[test]
fn a_command_that_ignores_term_gets_kill() {
    for name in both() {
        send(&name, &["a"]);
        let reason = "sh timed out and died of signal KILL; the message is dropped";
        ipc(&["mq", "recv", "--exec", "--time-limit", "100ms", "--kill-after", "100ms", &name])
            .words(&["--", "sh", "-c", "trap '' TERM; while :; do sleep 0.01; done"])
            .is(137, "", &error("recv", &name, reason));
    }
}

#[test]
fn a_command_in_time_has_its_own_status() {
    let name = queue("4", "64");
    send(&name, &["a"]);
    ipc(&["mq", "recv", "-q", "--exec", "--time-limit", "1h", &name, "--", "sh", "-c", "exit 4"])
        .is(4, "", "");
    send(&name, &["a"]);
    ipc(&["mq", "recv", "--exec", "--time-limit", "0", &name, "--", "cat"]).is(0, "a", "");
}

#[test]
fn a_time_limit_counts_for_each_attempt() {
    let name = queue("4", "64");
    send(&name, &["a"]);
    let line = "[ $IPC_ATTEMPT = 2 ] || exec sleep 60; cat";
    ipc(&["mq", "recv", "-q", "--exec", "--time-limit", "200ms", "--attempts", "2"])
        .words(&["--retry-delay", "0", &name, "--", "sh", "-c", line])
        .is(0, "a", "");
}

#[test]
fn a_worker_goes_on_when_the_command_ends_and_waits_for_its_children_if_asked() {
    for name in both() {
        let directory = tempfile::tempdir().unwrap();
        let line = "(until [ -e go ]; do sleep 0.01; done; : >done) >/dev/null 2>&1 & : >begun";
        send(&name, &["a"]);
        let command = ["--", "sh", "-c", line];
        ipc(&["mq", "recv", "--exec", &name])
            .words(&command)
            .within(directory.path())
            .is(0, "", "");
        fs::write(directory.path().join("go"), "").unwrap();
        until("the child has ended", || directory.path().join("done").exists());
        for file in ["go", "done", "begun"] {
            fs::remove_file(directory.path().join(file)).unwrap();
        }
        send(&name, &["b"]);
        let worker = ipc(&["mq", "recv", "--exec", "--wait-children", &name]).words(&command);
        let mut worker = worker.within(directory.path()).start();
        until("the command has begun", || directory.path().join("begun").exists());
        worker.wait_until_asleep();
        assert!(!worker.has_ended());
        fs::write(directory.path().join("go"), "").unwrap();
        assert_eq!(code(&worker.finish()), 0);
        assert!(directory.path().join("done").exists());
    }
}

#[test]
fn a_time_limit_is_for_children_as_well() {
    let name = queue("4", "64");
    send(&name, &["a"]);
    let reason = "sh timed out and ended with status 0; the message is dropped";
    ipc(&["mq", "recv", "--exec", "--wait-children", "--time-limit", "200ms", &name, "--"])
        .words(&["sh", "-c", "sleep 60 >/dev/null 2>&1 &"])
        .is(124, "", &error("recv", &name, reason));
}

#[test]
fn a_signal_to_the_worker_reaches_a_command_in_its_own_group() {
    let name = queue("4", "64");
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("log");
    send(&name, &["kept"]);
    let options = ["-q", "--requeue", "--wait-children", "--time-limit", "1h"];
    let worker = follow(&name, &options, "sleep 60 & echo >>$0; wait", &log);
    until("the command runs", || lines(&log) == 1);
    worker.signal(Signal::SIGINT);
    // The shell ignores INT for the child in the background, and goes on to wait for it.
    worker.signal(Signal::SIGTERM);
    assert!([130, 143].contains(&code(&worker.finish())));
    assert_eq!(drain(&name), "3\tkept\n");
}

#[test]
fn a_command_inherits_no_descriptor_unless_children_are_waited_for() {
    let name = queue("4", "64");
    let count = |options: &[&str]| -> u32 {
        send(&name, &["a"]);
        let run = ipc(&["mq", "recv", "--exec", &name]).words(options);
        let run = run.words(&["--", "sh", "-c", "ls /proc/self/fd | wc -l"]);
        run.succeeds().trim().parse().expect("it is a number")
    };
    // The test harness may have some open.
    assert_eq!(count(&["--wait-children"]), count(&[]) + 1);
    let child = ipc(&["mq", "recv", "--exec", "--jobs", "3", "--attempts", "2", &name]);
    send(&name, &["a"]);
    let child = child.words(&["--", "sh", "-c", "ls /proc/self/fd | wc -l"]).succeeds();
    assert_eq!(child.trim().parse(), Ok(count(&[])));
}

#[test]
fn an_idle_worker_with_several_threads_ends_by_a_signal() {
    for name in both() {
        for signal in [Signal::SIGTERM, Signal::SIGUSR1] {
            let worker =
                ipc(&["mq", "recv", "-f", "--exec", "--jobs", "4", &name, "--", "true"]).start();
            until("all threads wait", || threads(worker.pid()) == 5);
            worker.wait_until_asleep();
            worker.signal(signal);
            assert_eq!(code(&worker.finish()), 128 + signal as i32);
        }
    }
}

fn threads(pid: i32) -> usize {
    fs::read_dir(format!("/proc/{pid}/task")).map_or(0, Iterator::count)
}

#[test]
fn options_of_a_worker_need_exec_and_exclude_each_other() {
    let name = queue("4", "64");
    for options in [
        &["--attempts", "2"][..],
        &["--retry-delay", "1s"],
        &["--dead-letter", "/dead"],
        &["--requeue"],
        &["--time-limit", "1s"],
        &["--wait-children"],
        &["--exec", "--kill-after", "1s", "--", "true"],
        &["--exec", "--requeue", "--dead-letter", "/dead", "--", "true"],
        &["--exec", "--attempts", "0", "--", "true"],
        &["--exec", "-0", "--", "true"],
        &["--exec", "--frame", "len4", "--", "true"],
    ] {
        let output = ipc(&["mq", "recv", &name]).words(options).output();
        assert_eq!((code(&output), text(&output.stdout)), (2, String::new()), "{options:?}");
    }
}

#[test]
fn the_help_says_how_often_a_message_is_processed() {
    let help = ipc(&["mq", "recv", "--help"]).succeeds();
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    for words in ["at most once", "at least once", "--dead-letter", "IPC_ATTEMPT"] {
        assert!(help.contains(words), "{words}");
    }
}
