//! Permits of processes that are killed while they hold, acquire or release them.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::{comes_back_to, semaphore, value};
use crate::peers::{Call, system_calls};
use crate::support::{Name, Running, binary, children, code, ipc, pause, rounds, sh, until};

/// Numbers that look random, the same in each run of one process.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

/// Each inside has one of as many locks as may be inside, twice: by descriptors below and above that
/// of the claim, since a process that ends frees them in the one order or the other. Who finds
/// neither is one too many.
const INSIDE: &str = r#"
    exec 8>"$0/1" 9>"$0/2" 208>"$0/3" 209>"$0/4"
    flock -n 8 || flock -n 9 || below=taken
    flock -n 208 || flock -n 209 || above=taken
    [ "$below$above" != takentaken ] || echo too many >"$0/violation"
    sleep 0.02
"#;

/// Has workers run a line of shell at a semaphore, in so many rounds each, and kills each worker at
/// a random moment: `ipc` alone, its command alone, or both and what they started.
fn kill_workers(rounds: u32, name: &Name, line: &str, directory: &Path) {
    const WORKERS: u64 = 4;
    let round = |random: &mut Random| {
        let mut worker = Command::new(binary())
            .args(["sem", "run", name, "--", "bash", "-c", line])
            .arg(directory)
            .process_group(0)
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let pid = worker.id() as i32;
        pause(Duration::from_micros(random.below(40_000)));
        match random.below(3) {
            0 => kill(Pid::from_raw(pid), Signal::SIGKILL).unwrap(),
            1 => kill(Pid::from_raw(-pid), Signal::SIGKILL).unwrap(),
            _ => {
                for child in children(pid) {
                    let _ = kill(Pid::from_raw(child), Signal::SIGKILL);
                }
            }
        }
        worker.wait().unwrap();
    };
    std::thread::scope(|scope| {
        for seed in 0..WORKERS {
            scope.spawn(move || {
                let mut random = Random(seed << 32 | u64::from(std::process::id()));
                (0..rounds).for_each(|_| round(&mut random));
            });
        }
    });
}

#[test]
fn never_too_many_are_inside_and_all_units_come_back_when_workers_are_killed_at_any_moment() {
    let name = semaphore(2);
    let directory = tempfile::tempdir().unwrap();
    kill_workers(rounds(200), &name, INSIDE, directory.path());
    comes_back_to(&name, 2);
    assert!(!directory.path().join("violation").exists(), "too many were inside");
    assert!(ipc(&["sem", "stat", "--json", &name]).succeeds().contains(r#""runs":[]"#));
}

#[test]
fn all_units_of_a_set_come_back_when_workers_are_killed_at_any_moment() {
    let name = Name::system_v("sem");
    ipc(&["sem", "create", &name, "--value", "2"]).is(0, "", "");
    kill_workers(rounds(50), &name, "sleep 0.02", Path::new("/"));
    comes_back_to(&name, 2);
}

/// The calls that `ipc` makes with these words, from the first one on the semaphore on.
fn calls_on_semaphore(words: &[&str]) -> Option<Vec<Call>> {
    let mut calls = system_calls(words)?;
    let first = calls.iter().position(|call| call.line.contains("/dev/shm/sem."));
    Some(calls.split_off(first.expect("it opens the semaphore")))
}

#[test]
fn a_run_that_is_killed_at_any_system_call_leaves_the_count_right() {
    let name = semaphore(1);
    let Some(calls) = calls_on_semaphore(&["sem", "run", &name, "--", "true"]) else { return };
    assert!(calls.len() > 10, "{calls:?}");
    for call in calls {
        let name = semaphore(1);
        call.signals("SIGKILL", &["sem", "run", &name, "--", "true"]).output();
        comes_back_to(&name, 1);
        ipc(&["sem", "run", "-n", &name, "--", "true"]).is(0, "", "");
        let whole = ipc(&["sem", "stat", "--json", &name]).succeeds();
        assert!(whole.contains(r#""value":1,"waiters":0,"runs":[]"#), "{call:?}: {whole}");
    }
}

#[test]
fn a_run_that_is_killed_at_any_system_call_while_it_waits_takes_nothing() {
    fn words(name: &str) -> [&str; 7] {
        ["sem", "run", "-t", "20ms", name, "--", "true"]
    }
    let Some(calls) = calls_on_semaphore(&words(&semaphore(0))) else { return };
    for call in calls {
        let name = semaphore(0);
        call.signals("SIGKILL", &words(&name)).output();
        ipc(&["sem", "post", &name]).is(0, "", "");
        ipc(&["sem", "run", "-n", &name, "--", "true"]).is(0, "", "");
        assert_eq!(value(&name), "1\n", "{call:?}");
    }
}

#[test]
fn a_post_that_is_killed_at_any_system_call_has_posted_or_not_and_leaves_no_waiter_asleep() {
    let Some(calls) = calls_on_semaphore(&["sem", "post", &semaphore(0)]) else { return };
    for call in calls {
        let name = semaphore(0);
        let mut waiter = ipc(&["sem", "wait", &name]).start();
        waiter.wait_until_at_futex();
        call.signals("SIGKILL", &["sem", "post", &name]).output();
        // A unit that is there is taken.
        until("no unit is left", || waiter.has_ended() || value(&name) == "0\n");
        ipc(&["sem", "post", &name]).is(0, "", "");
        assert_eq!(code(&waiter.finish()), 0, "{call:?}");
        assert!(["0\n", "1\n"].contains(&value(&name).as_str()), "{call:?}");
    }
}

#[test]
fn a_wait_that_is_killed_at_any_system_call_has_taken_one_unit_or_none() {
    let Some(calls) = calls_on_semaphore(&["sem", "wait", &semaphore(1)]) else { return };
    for call in calls {
        let name = semaphore(2);
        call.signals("SIGKILL", &["sem", "wait", &name]).output();
        assert!(["1\n", "2\n"].contains(&value(&name).as_str()), "{call:?}");
        ipc(&["sem", "set", &name, "1"]).is(0, "", "");
        ipc(&["sem", "wait", "-n", &name]).is(0, "", "");
        ipc(&["sem", "wait", "-n", &name]).is(1, "", "");
    }
}

/// Runs a command that leaves a reader of a FIFO running, which holds the unit.
fn leave_running(name: &Name, fifo: &Path) {
    nix::unistd::mkfifo(fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
    sh("ipc sem run \"$0\" -- sh -c 'exec >/dev/null 2>&1; cat <\"$0\" &' \"$1\"")
        .word(&**name)
        .word(fifo)
        .is(0, "", "");
    assert_eq!(value(name), "0\n");
}

/// Whether a process watches for the end of another.
fn watches(running: &Running) -> bool {
    let descriptors = fs::read_dir(format!("/proc/{}/fd", running.pid())).unwrap();
    descriptors.flatten().any(|descriptor| {
        let link = fs::read_link(descriptor.path());
        link.is_ok_and(|link| link.to_string_lossy().contains("pidfd"))
    })
}

#[test]
fn a_process_that_a_command_left_running_is_found_and_its_end_awaited() {
    let directory = tempfile::tempdir().unwrap();
    let fifo = directory.path().join("fifo");
    let name = semaphore(1);
    leave_running(&name, &fifo);
    let waiter = ipc(&["sem", "wait", &name]).start();
    until("the daemon is watched", || watches(&waiter));
    // Opening and closing it ends what was left.
    fs::OpenOptions::new().write(true).open(&fifo).unwrap();
    assert_eq!(code(&waiter.finish()), 0);
    ipc(&["sem", "post", &name]).is(0, "", "");
    assert_eq!(value(&name), "1\n");
}
