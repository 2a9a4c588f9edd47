//! What holds for every command that waits.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::peers;
use crate::support::{Name, Run, binary, ipc, pause, text};

/// The system calls of a command that waits in vain for 20 ms, as strace shows them.
fn calls(words: &[&str]) -> Option<String> {
    if !peers::there("strace", &["--version"]) {
        return None;
    }
    let output = Run::new("strace", &["-f"]).word(binary()).words(words).output();
    assert_eq!(output.status.code(), Some(124), "{output:?}");
    Some(text(&output.stderr))
}

#[test]
fn no_wait_is_on_the_clock_that_can_be_set() {
    let (semaphore, set, queue) = (Name::new("sem"), Name::system_v("sem"), Name::new("mq"));
    ipc(&["sem", "create", &semaphore]).is(0, "", "");
    ipc(&["sem", "create", &set]).is(0, "", "");
    ipc(&["mq", "create", "--max-msgs", "1", "--msg-size", "8", &queue]).is(0, "", "");
    let directory = tempfile::tempdir().unwrap();
    let fifo = directory.path().join("fifo").to_str().unwrap().to_owned();
    ipc(&["mkfifo", &fifo]).is(0, "", "");
    for words in [
        &["sem", "wait", "-t", "20ms", &semaphore][..],
        &["sem", "wait", "-t", "20ms", "--count", "2", &semaphore],
        &["sem", "run", "-t", "20ms", &semaphore, "--", "true"],
        &["sem", "wait", "-t", "20ms", &set],
        &["sem", "run", "-t", "20ms", &set, "--", "true"],
        &["sem", "barrier", "-t", "20ms", "--parties", "2", &semaphore],
        &["mq", "recv", "-t", "20ms", &queue],
        &["fifo", "cat", "-t", "20ms", &fifo],
        &["fifo", "write", "-t", "20ms", &fifo, "x"],
        &["signal", "wait", "-t", "20ms", "USR1"],
        &["sock", "wait", "-t", "20ms", "@ipc-test-no-such"],
    ] {
        let Some(calls) = calls(words) else { return };
        // A timed call of a queue takes a time of day, so none may have a time.
        let of_queues = calls.lines().filter(|line| line.contains("mq_timed"));
        for line in of_queues {
            assert!(line.contains("NULL)"), "{words:?}: {line}");
        }
        assert!(!calls.contains("CLOCK_REALTIME"), "{words:?}: {calls}");
    }
}

#[test]
fn a_wait_ends_at_its_time_for_who_was_stopped_meanwhile() {
    let (semaphore, set) = (Name::new("sem"), Name::system_v("sem"));
    let (queue, key, segment) = (Name::new("mq"), Name::system_v("mq"), Name::new("shm"));
    ipc(&["sem", "create", &semaphore]).is(0, "", "");
    ipc(&["sem", "create", &set]).is(0, "", "");
    ipc(&["mq", "create", "--max-msgs", "1", "--msg-size", "8", &queue]).is(0, "", "");
    ipc(&["mq", "create", &key]).is(0, "", "");
    ipc(&["shm", "create", "--size", "8", &segment]).is(0, "", "");
    let commands = [
        &["sem", "wait", "-t", "4s", &semaphore][..],
        &["sem", "wait", "-t", "4s", &set],
        &["mq", "recv", "-t", "4s", &queue],
        &["mq", "recv", "-t", "4s", &key],
        &["shm", "wait", "-t", "4s", "--eq", "1", "--type", "i32", &segment],
        &["shm", "wait", "-t", "4s", "--eq", "1", "--type", "u64", &segment],
        &["signal", "wait", "-t", "4s", "USR1"],
    ];
    let started = Instant::now();
    let waiters = commands.map(|words| (words, ipc(words).start()));
    for (_, waiter) in &waiters {
        waiter.wait_until_asleep();
        waiter.stop();
    }
    let left = Duration::from_secs(4).saturating_sub(started.elapsed());
    pause(Duration::from_millis(4100));
    for (_, waiter) in &waiters {
        waiter.signal(Signal::SIGCONT);
    }
    let continued = Instant::now();
    for (words, waiter) in waiters {
        assert_eq!(waiter.finish().status.code(), Some(124), "{words:?}");
        // One that went on with what was left would take so long, if anything was.
        assert!(continued.elapsed() < left || left.as_secs() == 0, "{words:?}, {left:?}");
    }
}

#[test]
fn a_number_alone_is_seconds_and_what_is_no_duration_is_refused() {
    let name = Name::new("sem");
    ipc(&["sem", "create", &name, "--value", "1"]).is(0, "", "");
    ipc(&["sem", "wait", "-t", "5", &name]).is(0, "", "");
    let refused = ipc(&["sem", "wait", "-t", "1M", &name]);
    let reason = "--timeout '1M': 'M' is too long to wait for; minutes are 'm'";
    refused.is(2, "", &format!("ipc: sem wait: {reason}\nhint: try 'ipc sem wait --help'\n"));
    let refused = ipc(&["sem", "wait", "-t", "-1", &name]).output();
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
}

/// What a command that waits in vain for a moment says with -v.
fn said_while_waiting(words: &[&str]) -> String {
    let output = ipc(&[words, &["-v", "-t", "20ms"]].concat()).output();
    assert_eq!(output.status.code(), Some(124), "{words:?}: {output:?}");
    text(&output.stderr)
}

#[test]
fn a_wait_says_what_it_waits_for_if_asked() {
    let (semaphore, set) = (Name::new("sem"), Name::system_v("sem"));
    let (queue, segment) = (Name::new("mq"), Name::new("shm"));
    ipc(&["sem", "create", &semaphore]).is(0, "", "");
    ipc(&["sem", "create", &set]).is(0, "", "");
    ipc(&["mq", "create", "--max-msgs", "1", "--msg-size", "8", &queue]).is(0, "", "");
    ipc(&["shm", "create", "--size", "8", &segment]).is(0, "", "");
    let directory = tempfile::tempdir().unwrap();
    let fifo = directory.path().join("fifo").to_str().unwrap().to_owned();
    ipc(&["mkfifo", &fifo]).is(0, "", "");
    let number = ["--type", "i32"];
    let guarded = [&["shm", "peek", &segment][..], &number, &["--guard", &semaphore]].concat();
    let until_7 = [&["shm", "wait", &segment][..], &number, &["--eq", "7"]].concat();
    let guard = format!("--guard {}", &*semaphore);
    let value = "until the value is 1 or more; it is 0";
    for (words, name, what) in [
        (&["sem", "wait", &semaphore][..], &*semaphore, value),
        (&["sem", "wait", &set], &set, value),
        (&["sem", "barrier", "--parties", "2", &semaphore], &semaphore, "until 2 have come"),
        (&["mq", "recv", &queue], &queue, "for a message"),
        (&["mq", "wait", &queue], &queue, "for a message"),
        (&["fifo", "cat", &fifo], &fifo, "for a writer"),
        (&["fifo", "write", &fifo, "x"], &fifo, "for a reader"),
        (&guarded, &guard, value),
        (&until_7, &segment, "until the number is 7"),
        (&["sock", "wait", "@ipc-test-no-such"], "@ipc-test-no-such", "for a listener"),
    ] {
        let said = said_while_waiting(words);
        let place = words[..2].join(" ");
        let wait = format!("ipc: {place}: {name}: waiting {what}\n");
        assert!(said.starts_with(&wait), "{words:?}: {said}");
    }
    let said = said_while_waiting(&["signal", "wait", "USR1"]);
    assert!(said.starts_with("ipc: signal wait: waiting for USR1\n"), "{said}");
    ipc(&["mq", "send", &queue, "x"]).is(0, "", "");
    let said = said_while_waiting(&["mq", "send", &queue, "y"]);
    let full = format!("ipc: mq send: {}: waiting for room: the queue is full\n", &*queue);
    assert!(said.starts_with(&full), "{said}");
    // What is there at once is no wait.
    ipc(&["mq", "recv", "-v", &queue]).is(0, "x\n", "");
    ipc(&["sem", "post", &semaphore]).is(0, "", "");
    ipc(&["sem", "wait", "-v", &semaphore]).is(0, "", "");
}

#[test]
fn a_wait_for_units_says_who_has_them_if_asked() {
    let (semaphore, set) = (Name::new("sem"), Name::system_v("sem"));
    ipc(&["sem", "create", "--value", "1", &semaphore]).is(0, "", "");
    ipc(&["sem", "create", "--value", "1", &set]).is(0, "", "");
    for (name, has) in [(&semaphore, "(sleep) holds 1"), (&set, "(sleep)")] {
        let holder = ipc(&["sem", "run", name, "--", "sleep", "60"]).start();
        let value = || ipc(&["sem", "value", name]).succeeds();
        crate::support::until("it has the unit", || value() == "0\n");
        holder.wait_until_asleep();
        let words = ["sem", "run", "-v", "-t", "20ms", name, "--", "true"];
        crate::support::until("the command is known", || {
            let output = ipc(&words).output();
            assert_eq!(output.status.code(), Some(124));
            text(&output.stderr).contains(has)
        });
        holder.signal(Signal::SIGTERM);
        holder.finish();
    }
}

#[test]
fn who_tries_again_says_so_if_asked() {
    let words = ["sock", "connect", "-v", "--retry", "20ms", "@ipc-test-no-such"];
    let output = ipc(&words).output();
    let wait = "ipc: sock connect: @ipc-test-no-such: waiting for a listener\n";
    assert!(text(&output.stderr).starts_with(wait), "{output:?}");
    assert_eq!(output.status.code(), Some(4));
}
