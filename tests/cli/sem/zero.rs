//! Waits for the value 0, and semaphores that a waiter creates.

use nix::sys::signal::Signal;

use super::value;
use crate::peers;
use crate::support::{Name, as_another_user, code, ipc, sh, text};

fn set(values: &str) -> Name {
    let key = Name::system_v("sem");
    ipc(&["sem", "create", &key, "--nsems", "2", "--value", values]).is(0, "", "");
    key
}

#[test]
fn a_wait_for_zero_ends_when_the_value_is_zero_and_does_not_change_it() {
    let key = set("2");
    ipc(&["sem", "wait", "--zero", "-n", &key]).is(1, "", "");
    let told = format!("ipc: sem wait: {}: timed out\n", &*key);
    ipc(&["sem", "wait", "--zero", "-t", "10ms", &key]).is(124, "", &told);
    let waiters = [0, 1].map(|_| ipc(&["sem", "wait", "--zero", &key]).start());
    for waiter in &waiters {
        waiter.wait_until_asleep();
        waiter.stop_and_continue();
    }
    ipc(&["sem", "wait", &key]).is(0, "", "");
    waiters[0].wait_until_asleep();
    ipc(&["sem", "wait", &key]).is(0, "", "");
    for waiter in waiters {
        assert_eq!(code(&waiter.finish()), 0);
    }
    ipc(&["sem", "wait", "--zero", &key]).is(0, "", "");
    assert_eq!(value(&key), "0\n");
}

#[test]
fn a_wait_for_zero_is_for_one_semaphore_of_a_set() {
    let key = set("1");
    ipc(&["sem", "set", &key, "0", "--index", "1"]).is(0, "", "");
    ipc(&["sem", "wait", "--zero", "-n", "--index", "1", &key]).is(0, "", "");
    ipc(&["sem", "wait", "--zero", "-n", "--index", "0", &key]).is(1, "", "");
    let told = format!(
        "ipc: sem wait: {}: no semaphore 2: the set has 2\n\
         hint: the first is --index 0, the last --index 1\n",
        &*key
    );
    ipc(&["sem", "wait", "--zero", "--index", "2", &key]).is(4, "", &told);
}

#[test]
fn a_wait_for_zero_reports_the_value_and_a_removal() {
    let key = set("3");
    let waiter = ipc(&["sem", "wait", "--zero", "-v", &key]).start();
    waiter.wait_until_asleep();
    let stat = ipc(&["sem", "stat", "--json", &key]).succeeds();
    assert!(stat.contains("\"zero_waiters\":[1,0]"), "{stat}");
    ipc(&["sem", "rm", &key]).is(0, "", "");
    let output = waiter.finish();
    let waits = format!("ipc: sem wait: {}: waiting until the value is 0; it is 3\n", &*key);
    assert!(text(&output.stderr).starts_with(&waits), "{}", text(&output.stderr));
    assert_eq!(code(&output), 4);
}

#[test]
fn a_user_who_may_only_read_waits_for_zero() {
    let key = Name::system_v("sem");
    ipc(&["sem", "create", "-m", "0604", &key]).is(0, "", "");
    let Some(wait) = as_another_user(&["sem", "wait", "--zero", &key]) else { return };
    wait.is(0, "", "");
}

#[test]
fn a_posix_semaphore_has_no_wait_for_zero() {
    let name = Name::new("sem");
    let told = format!(
        "ipc: sem wait: {}: a POSIX semaphore has no wait for the value 0\n\
         hint: a System V semaphore (sysv:KEY) has one, and 'ipc shm wait' waits for any number in \
         shared memory\n",
        &*name
    );
    ipc(&["sem", "wait", "--zero", &name]).is(2, "", &told);
    assert_eq!(code(&ipc(&["sem", "wait", "--zero", "--count", "2", "sysv:1"]).output()), 2);
}

#[test]
fn python_ends_a_wait_for_zero() {
    let key = set("1");
    let script = "import sys, sysv_ipc\nsysv_ipc.Semaphore(int(sys.argv[1], 0)).acquire()";
    let number = key.trim_start_matches("sysv:");
    let Some(python) = peers::python("sysv_ipc", script, &[number]) else { return };
    let waiter = ipc(&["sem", "wait", "--zero", &key]).start();
    waiter.wait_until_asleep();
    python.is(0, "", "");
    assert_eq!(code(&waiter.finish()), 0);
}

#[test]
fn a_waiter_creates_a_missing_semaphore() {
    for name in [Name::new("sem"), Name::system_v("sem")] {
        ipc(&["sem", "wait", "--create", "2", &name]).is(0, "", "");
        assert_eq!(value(&name), "1\n");
        ipc(&["sem", "wait", "--create", "5", &name]).is(0, "", "");
        assert_eq!(value(&name), "0\n");
        let waiter = ipc(&["sem", "wait", "--create", "5", &name]).start();
        waiter.wait_until_asleep();
        ipc(&["sem", "post", &name]).is(0, "", "");
        assert_eq!(code(&waiter.finish()), 0);
    }
    assert_eq!(code(&ipc(&["sem", "wait", "--create", "1", "sysv:0"]).output()), 2);
}

#[test]
fn several_waiters_create_one_semaphore() {
    let name = Name::new("sem");
    let line =
        "for i in 1 2 3 4 5 6 7 8; do ipc sem wait --create 5 -n $0 && echo yes & done; wait";
    let output = sh(line).word(&*name).output();
    assert_eq!(text(&output.stdout), "yes\n".repeat(5));
}

#[test]
fn a_semaphore_that_another_user_has_made_is_not_waited_for_with_create() {
    let name = Name::new("sem");
    let Some(create) = as_another_user(&["sem", "create", "-m", "0666", &name]) else { return };
    create.is(0, "", "");
    assert_eq!(code(&ipc(&["sem", "wait", "-n", "--create", "1", &name]).output()), 6);
    ipc(&["sem", "wait", "-n", "--create", "1", "--trust", "any", &name]).is(1, "", "");
}

#[test]
fn a_waiter_that_is_ended_leaves_the_semaphore_that_it_has_created() {
    let name = Name::new("sem");
    let waiter = ipc(&["sem", "wait", "--create", "0", &name]).start();
    waiter.wait_until_asleep();
    waiter.signal(Signal::SIGTERM);
    assert_eq!(code(&waiter.finish()), 128 + 15);
    assert_eq!(value(&name), "0\n");
}
