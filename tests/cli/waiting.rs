//! Facts about every command that waits.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::nouns::{self, Scene, Wait};
use crate::peers;
use crate::support::{Name, code, ipc, pause, text};

/// The waits that a timeout ends.
fn timed_waits() -> impl Iterator<Item = Wait> {
    nouns::waits().into_iter().filter(|wait| wait.is_timed && nouns::has(wait.verb(), "timeout"))
}

#[test]
fn no_wait_is_on_the_clock_that_can_be_set() {
    if !peers::there("strace", &["--version"]) {
        return;
    }
    for wait in timed_waits() {
        let (scene, line) = (Scene::of(&wait), wait.with("-t 20ms"));
        let output = scene.shell(&format!("exec timeout -k 1 30 strace -f {line}")).output();
        assert_eq!(code(&output), 124, "{line}: {output:?}");
        let calls = text(&output.stderr);
        // A timed call of a queue takes a time of day, so none may have a time.
        let of_queues = calls.lines().filter(|line| line.contains("mq_timed"));
        for call in of_queues {
            assert!(call.contains("NULL)"), "{line}: {call}");
        }
        // pthread_join(3) of glibc names the clock without a time.
        let has_time = |call: &&str| call.contains("CLOCK_REALTIME") && !call.contains("NULL");
        let timed: Vec<&str> = calls.lines().filter(has_time).collect();
        assert!(timed.is_empty(), "{line}: {timed:?}");
    }
}

#[test]
fn a_command_that_was_stopped_while_it_waited_ends_at_its_deadline() {
    // One command for each kernel interface that waits.
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

#[test]
fn a_wait_says_its_reason_if_asked() {
    for wait in timed_waits() {
        let Some(reason) = wait.says else { continue };
        let (scene, line) = (Scene::of(&wait), wait.with("-v -t 20ms"));
        let output = scene.shell(&line).output();
        assert_eq!(code(&output), 124, "{line}: {output:?}");
        let said = text(&output.stderr);
        let words: Vec<&str> = wait.wait.splitn(4, ' ').collect();
        let expected = format!("ipc: {} {}: {reason}\n", words[1], words[2]);
        let expected = scene.named(&expected);
        assert!(said.starts_with(&expected), "{line}: {said}");
    }
}

#[test]
fn what_is_there_at_once_is_no_wait() {
    let (queue, semaphore) = (Name::new("mq"), Name::new("sem"));
    ipc(&["mq", "create", "--max-msgs", "1", "--msg-size", "8", &queue]).is(0, "", "");
    ipc(&["sem", "create", &semaphore, "--value", "1"]).is(0, "", "");
    ipc(&["mq", "send", &queue, "x"]).is(0, "", "");
    ipc(&["mq", "recv", "-v", &queue]).is(0, "x\n", "");
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
