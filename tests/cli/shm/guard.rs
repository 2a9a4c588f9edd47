//! `--guard`.

use std::process::{Command, Stdio};

use nix::sys::signal::Signal;

use super::{complaint, created};
use crate::support::{Name, binary, code, ipc, until};

#[test]
fn a_guard_is_held_meanwhile_and_given_back_however_it_ends() {
    let (name, guard) = (created("8"), Name::new("sem"));
    ipc(&["sem", "create", &guard, "--value", "1"]).is(0, "", "");
    let value = || ipc(&["sem", "value", &guard]).succeeds();
    let guarded = |words: &[&str]| ipc(words).words(&["--guard", &guard]);
    guarded(&["shm", "poke", &name, "--type", "u8", "65"]).is(0, "", "");
    guarded(&["shm", "cat", &name, "--count", "1"]).is(0, "A", "");
    guarded(&["shm", "add", &name, "--type", "u8", "200"]).is(
        3,
        "",
        &complaint("add", &name, "the sum of 65 and 200 is beyond u8"),
    );
    assert_eq!(value(), "1\n");
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        let mut writer = Command::new(binary())
            .args(["shm", "write", &name, "--guard", &guard])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        until("the guard is held", || value() == "0\n");
        // Others wait for it.
        guarded(&["shm", "peek", &name, "-n"]).is(1, "", "");
        let pid = nix::unistd::Pid::from_raw(writer.id() as i32);
        nix::sys::signal::kill(pid, signal).unwrap();
        let status = writer.wait().unwrap();
        assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(signal as i32));
        assert_eq!(value(), "1\n");
    }
}

#[test]
fn a_signal_that_ends_the_wait_for_a_guard_gives_nothing_back() {
    let (name, guard) = (created("8"), Name::new("sem"));
    ipc(&["sem", "create", &guard]).is(0, "", "");
    let waiter = ipc(&["shm", "peek", &name, "--guard", &guard]).start();
    waiter.wait_until_asleep();
    waiter.signal(Signal::SIGTERM);
    assert_eq!(code(&waiter.finish()), 128 + 15);
    ipc(&["sem", "value", &guard]).is(0, "0\n", "");
}
