//! `ipc sem barrier`.

use std::path::PathBuf;

use nix::sys::signal::Signal;

use crate::peers::system_calls;
use crate::support::{Name, Running, as_another_user, bash, code, ipc, text, until};

/// A name, and the file that exists while a party waits.
fn barrier() -> (Name, PathBuf) {
    // No semaphore is ever made of it, so there is none to remove.
    let name = Name::new("sem");
    let file = PathBuf::from(format!("/dev/shm/ipc-barrier.{}", &name[1..]));
    (name, file)
}

/// A party that is counted and waits for the others.
fn waiting(name: &Name) -> Running {
    let running = ipc(&["sem", "barrier", name, "--parties", "3"]).start();
    running.wait_until_at_futex();
    running
}

#[test]
fn all_go_on_when_the_last_has_come_and_nothing_is_left() {
    let (name, file) = barrier();
    for _ in 0..3 {
        let mut first = waiting(&name);
        let mut second = waiting(&name);
        assert!(!first.has_ended() && !second.has_ended());
        ipc(&["sem", "barrier", &name, "--parties", "3"]).is(0, "", "");
        assert_eq!((code(&first.finish()), code(&second.finish())), (0, 0));
        assert!(!file.exists());
    }
}

#[test]
fn one_party_need_not_wait() {
    let (name, file) = barrier();
    ipc(&["sem", "barrier", "-n", &name, "--parties", "1"]).is(0, "", "");
    assert!(!file.exists());
}

#[test]
fn a_party_that_times_out_is_not_counted_and_the_others_go_on_waiting() {
    let (name, file) = barrier();
    ipc(&["sem", "barrier", "-n", &name, "--parties", "3"]).is(1, "", "");
    assert!(!file.exists());
    let first = waiting(&name);
    ipc(&["sem", "barrier", "-t", "20ms", &name, "--parties", "3"]).is(
        124,
        "",
        &format!("ipc: sem barrier: {}: timed out\n", &*name),
    );
    ipc(&["sem", "barrier", "-n", &name, "--parties", "3"]).is(1, "", "");
    let second = waiting(&name);
    ipc(&["sem", "barrier", "-n", &name, "--parties", "3"]).is(0, "", "");
    assert_eq!((code(&first.finish()), code(&second.finish())), (0, 0));
}

#[test]
fn a_party_that_a_signal_ends_is_not_counted_and_leaves_nothing() {
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        let (name, file) = barrier();
        let (first, second) = (waiting(&name), waiting(&name));
        first.signal(signal);
        assert_eq!(code(&first.finish()), 128 + signal as i32);
        assert!(file.exists());
        second.signal(signal);
        assert_eq!(code(&second.finish()), 128 + signal as i32);
        assert!(!file.exists());
    }
}

#[test]
fn a_party_that_is_killed_is_not_counted_any_more() {
    let (name, file) = barrier();
    let (first, second) = (waiting(&name), waiting(&name));
    second.signal(Signal::SIGKILL);
    second.finish();
    ipc(&["sem", "barrier", "-n", &name, "--parties", "3"]).is(1, "", "");
    let third = waiting(&name);
    ipc(&["sem", "barrier", "-n", &name, "--parties", "3"]).is(0, "", "");
    assert_eq!((code(&first.finish()), code(&third.finish())), (0, 0));
    assert!(!file.exists());
}

#[test]
fn the_file_of_killed_parties_is_replaced() {
    let (name, file) = barrier();
    let first = waiting(&name);
    first.signal(Signal::SIGKILL);
    first.finish();
    assert!(file.exists());
    ipc(&["sem", "barrier", "-n", &name, "--parties", "2"]).is(1, "", "");
    assert!(!file.exists());
}

/// A round of two, which has to be whole whatever was there before.
fn meet(name: &Name) {
    let other = ipc(&["sem", "barrier", name, "--parties", "2"]).start();
    ipc(&["sem", "barrier", name, "--parties", "2"]).is(0, "", "");
    assert_eq!(code(&other.finish()), 0);
}

#[test]
fn a_last_party_that_is_killed_at_any_system_call_has_released_the_other_or_is_not_counted() {
    let (name, _) = barrier();
    let words = ["sem", "barrier", &name, "--parties", "2"];
    let other = ipc(&words).start();
    let Some(calls) = system_calls(&words) else { return };
    assert_eq!(code(&other.finish()), 0);
    for call in calls {
        let (name, file) = barrier();
        let words = ["sem", "barrier", &name, "--parties", "2"];
        let mut other = ipc(&words).start();
        other.wait_until_at_futex();
        call.signals("SIGKILL", &words).output();
        until("the other goes on", || {
            other.has_ended()
                || code(&ipc(&["sem", "barrier", "-n", &name, "--parties", "2"]).output()) == 0
        });
        assert_eq!(code(&other.finish()), 0, "{call:?}");
        meet(&name);
        assert!(!file.exists());
    }
}

#[test]
fn a_waiting_party_that_is_killed_at_any_system_call_does_not_block_others() {
    let (name, _) = barrier();
    let words = ["sem", "barrier", "-t", "20ms", &name, "--parties", "2"];
    let Some(calls) = system_calls(&words) else { return };
    for call in calls {
        let (name, file) = barrier();
        let words = ["sem", "barrier", "-t", "20ms", &name, "--parties", "2"];
        call.signals("SIGKILL", &words).output();
        meet(&name);
        assert!(!file.exists(), "{call:?}");
    }
}

#[test]
fn parties_that_expect_another_number_are_refused() {
    let (name, file) = barrier();
    let first = waiting(&name);
    ipc(&["sem", "barrier", &name, "--parties", "2"]).is(
        5,
        "",
        &format!(
            "ipc: sem barrier: {}: other processes wait for 3 parties\n\
             hint: all parties need the same number: --parties 3\n",
            &*name
        ),
    );
    drop(first);
    std::fs::remove_file(file).unwrap();
}

#[test]
fn a_file_that_is_no_barrier_is_refused_and_left_alone() {
    let (name, file) = barrier();
    let refused = format!(
        "ipc: sem barrier: {}: is no barrier, or another user's\n\
         hint: choose another name, or see what is in /dev/shm\n",
        &*name
    );
    let is_refused = || ipc(&["sem", "barrier", &name, "--parties", "2"]).is(6, "", &refused);
    std::fs::write(&file, "hello, world").unwrap();
    is_refused();
    std::fs::remove_file(&file).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", &file).unwrap();
    is_refused();
    std::fs::remove_file(&file).unwrap();
    nix::unistd::mkfifo(&file, nix::sys::stat::Mode::S_IRWXU).unwrap();
    is_refused();
    std::fs::remove_file(&file).unwrap();
}

#[test]
fn another_user_does_not_take_part() {
    let (name, file) = barrier();
    let first = waiting(&name);
    if let Some(other) = as_another_user(&["sem", "barrier", &name, "--parties", "3"]) {
        other.is(6, "", &format!("ipc: sem barrier: {}: Permission denied\n", &*name));
    }
    drop(first);
    std::fs::remove_file(file).unwrap();
}

#[test]
fn no_party_passes_before_all_have_arrived_in_any_round() {
    const LINE: &str = r#"
        party() {
            for round in 1 2 3 4 5 6 7 8 9 10; do
                echo $round
                ipc sem barrier "$0" --parties 4 || echo failed
            done
        }
        party "$0" & party "$0" & party "$0" & party "$0" & wait
    "#;
    let (name, _) = barrier();
    let output = bash(LINE).word(&*name).output();
    let expected: String = (1..=10).map(|round| format!("{round}\n").repeat(4)).collect();
    assert_eq!((code(&output), text(&output.stdout)), (0, expected));
}
