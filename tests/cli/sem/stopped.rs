//! Somebody who is stopped in the middle of a change, which is no reason for others to stay longer
//! than they want.

use super::{semaphore, value};
use crate::peers::{Stopped, system_calls};
use crate::support::{Name, code, ipc};

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
fn a_try_does_not_wait_for_a_process_that_is_stopped_while_it_acquires() {
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
            "ipc: sem set: {}: a command is stopped while it acquires or releases permits\n",
            &*name
        ),
    );
    assert_eq!(code(&stopped.continue_to_end()), 0);
    assert_eq!(value(&name), "2\n");
}

#[test]
fn a_waiter_continues_when_a_stopped_process_does() {
    let name = semaphore(1);
    let Some(stopped) = stopped_run(&name) else { return };
    let waiter = ipc(&["sem", "run", &name, "--", "true"]).start();
    waiter.wait_until_asleep();
    assert_eq!(code(&stopped.continue_to_end()), 0);
    assert_eq!(code(&waiter.finish()), 0);
    assert_eq!(value(&name), "1\n");
}

#[test]
fn a_waiter_continues_when_a_stopped_process_is_killed() {
    let name = semaphore(1);
    let Some(stopped) = stopped_run(&name) else { return };
    let waiter = ipc(&["sem", "run", &name, "--", "true"]).start();
    waiter.wait_until_asleep();
    stopped.kill();
    assert_eq!(code(&waiter.finish()), 0);
    assert_eq!(value(&name), "1\n");
}

#[test]
fn a_try_at_a_barrier_does_not_wait_for_a_stopped_holder_of_its_mutex() {
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
    assert_eq!(code(&stopped.continue_to_end()), 0);
    assert_eq!(code(&waiter.finish()), 0);
}
