//! Somebody who is stopped in the middle of a change, which is no reason for others to stay longer
//! than they want.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::{semaphore, value};
use crate::peers::{Call, system_calls};
use crate::support::{Name, Running, children, code, ipc, until};

/// An `ipc` that is stopped after a system call. It is killed with this.
struct Stopped {
    tracer: Running,
    pid: Pid,
}

impl Stopped {
    fn after(call: &Call, words: &[&str]) -> Self {
        let tracer = call.signals("SIGSTOP", words).start();
        let (mut pid, mut looks) = (None, 0);
        until("it is stopped for longer than each call stops it", || {
            pid = children(tracer.pid()).first().copied().map(Pid::from_raw);
            looks = if pid.is_some_and(is_stopped) { looks + 1 } else { 0 };
            looks == 50
        });
        Self { tracer, pid: pid.expect("it was found") }
    }

    /// Lets it go on to its end.
    fn continue_to_end(self) -> i32 {
        kill(self.pid, Signal::SIGCONT).unwrap();
        code(&self.tracer.finish())
    }
}

fn is_stopped(pid: Pid) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with(['T', 't']))
}

/// A run that is stopped while it makes the semaphore's first slots, and has them to itself.
fn stopped_run(name: &Name) -> Option<Stopped> {
    fn words(name: &str) -> [&str; 5] {
        ["sem", "run", name, "--", "true"]
    }
    let calls = system_calls(&words(&semaphore(1)))?;
    let call = calls.iter().find(|call| call.line.starts_with("ftruncate"));
    Some(Stopped::after(call.expect("the file grows"), &words(name)))
}

#[test]
fn who_does_not_want_to_wait_is_not_kept_by_one_who_is_stopped_while_he_takes_units() {
    let name = semaphore(2);
    let Some(stopped) = stopped_run(&name) else { return };
    ipc(&["sem", "run", "-n", &name, "--", "true"]).is(1, "", "");
    ipc(&["sem", "run", "-t", "20ms", &name, "--", "true"]).is(
        124,
        "",
        &format!("ipc: sem run: {}: timed out\n", &*name),
    );
    // These change the value alone.
    ipc(&["sem", "wait", "-n", &name]).is(0, "", "");
    ipc(&["sem", "post", &name]).is(0, "", "");
    assert_eq!(value(&name), "2\n");
    ipc(&["sem", "set", &name, "1"]).is(
        5,
        "",
        &format!(
            "ipc: sem set: {}: a command is stopped in the middle of taking or giving back units\n",
            &*name
        ),
    );
    assert_eq!(stopped.continue_to_end(), 0);
    assert_eq!(value(&name), "2\n");
}

#[test]
fn who_waits_goes_on_when_one_who_was_stopped_does() {
    let name = semaphore(1);
    let Some(stopped) = stopped_run(&name) else { return };
    let waiter = ipc(&["sem", "run", &name, "--", "true"]).start();
    waiter.wait_until_asleep();
    assert_eq!(stopped.continue_to_end(), 0);
    assert_eq!(code(&waiter.finish()), 0);
    assert_eq!(value(&name), "1\n");
}

#[test]
fn who_waits_goes_on_when_one_who_was_stopped_is_killed() {
    let name = semaphore(1);
    let Some(stopped) = stopped_run(&name) else { return };
    let waiter = ipc(&["sem", "run", &name, "--", "true"]).start();
    waiter.wait_until_asleep();
    kill(stopped.pid, Signal::SIGKILL).unwrap();
    assert_eq!(code(&waiter.finish()), 0);
    assert_eq!(value(&name), "1\n");
}

#[test]
fn who_does_not_want_to_wait_at_a_barrier_is_not_kept_by_one_who_is_stopped_in_its_door() {
    // No semaphore is ever made of it, so there is none to remove.
    let name = Name::new("sem");
    let Some(calls) = system_calls(&["sem", "barrier", &name, "--parties", "1"]) else { return };
    let door = calls.iter().position(|call| call.line.contains("F_OFD_SETLK"));
    let call = &calls[door.expect("it locks the door")];
    let stopped = Stopped::after(call, &["sem", "barrier", &name, "--parties", "2"]);
    ipc(&["sem", "barrier", "-n", &name, "--parties", "2"]).is(1, "", "");
    ipc(&["sem", "barrier", "-t", "20ms", &name, "--parties", "2"]).is(
        124,
        "",
        &format!("ipc: sem barrier: {}: timed out\n", &*name),
    );
    let waiter = ipc(&["sem", "barrier", &name, "--parties", "2"]).start();
    waiter.wait_until_asleep();
    assert_eq!(stopped.continue_to_end(), 0);
    assert_eq!(code(&waiter.finish()), 0);
}
