//! `--guard`.

use std::io::Write;
use std::process::{Command, Stdio};
use std::thread;

use nix::sys::signal::Signal;

use super::{complaint, created};
use crate::peers;
use crate::support::{Name, binary, children, code, ipc, sh, text, until};

#[test]
fn a_guard_is_held_and_released_however_the_command_ends() {
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
        // Other commands wait for it.
        guarded(&["shm", "peek", &name, "-n"]).is(1, "", "");
        let pid = nix::unistd::Pid::from_raw(writer.id() as i32);
        nix::sys::signal::kill(pid, signal).unwrap();
        let status = writer.wait().unwrap();
        assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(signal as i32));
        assert_eq!(value(), "1\n");
    }
}

#[test]
fn a_signal_that_ends_the_wait_for_a_guard_releases_nothing() {
    let (name, guard) = (created("8"), Name::new("sem"));
    ipc(&["sem", "create", &guard]).is(0, "", "");
    let waiter = ipc(&["shm", "peek", &name, "--guard", &guard]).start();
    waiter.wait_until_asleep();
    waiter.signal(Signal::SIGTERM);
    assert_eq!(code(&waiter.finish()), 128 + 15);
    ipc(&["sem", "value", &guard]).is(0, "0\n", "");
}

#[test]
fn a_guard_is_released_wherever_a_signal_ends_the_command() {
    let (name, guard) = (created("8"), Name::new("sem"));
    ipc(&["sem", "create", &guard, "--value", "1"]).is(0, "", "");
    let words = ["shm", "poke", &name, "--type", "u8", "1", "--guard", &guard];
    let Some(calls) = peers::system_calls(&words) else { return };
    for call in calls {
        call.signals("TERM", &words).output();
        let value = ipc(&["sem", "value", &guard]).succeeds();
        assert_eq!(value, "1\n", "{}", call.line);
    }
}

#[test]
fn nothing_is_written_after_a_signal_has_released_the_guard() {
    if !peers::there("strace", &["-o", "/dev/null", "true"]) {
        return;
    }
    let (name, guard) = (created("64M"), Name::new("sem"));
    ipc(&["sem", "create", &guard, "--value", "1"]).is(0, "", "");
    let value = || ipc(&["sem", "value", &guard]).succeeds();
    // strace delays the writes, and the end of the process.
    let calls = "trace=kill,tkill,tgkill,pwrite64";
    let delays = ["kill,tkill,tgkill:delay_enter=3000000", "pwrite64:delay_enter=10000"];
    let delays = delays.map(|delay| format!("inject={delay}"));
    let mut writer = Command::new("strace")
        .args(["-fqq", "-o", "/dev/null", "-e", calls, "-e", &delays[0], "-e", &delays[1]])
        .arg(binary())
        .args(["shm", "write", &name, "--guard", &guard])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = writer.stdin.take().unwrap();
    // Until the pipe is closed. Two threads work from 4 MiB on.
    let feed = thread::spawn(move || while input.write_all(&[b'x'; 4096]).is_ok() {});
    let byte_at = |offset| {
        let words = ["--type", "u8", "--offset", offset];
        ipc(&["shm", "peek", &name]).words(&words).succeeds()
    };
    until("two threads write", || byte_at("6M") == "120\n");
    let ours = children(writer.id() as i32)[0];
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(ours), Signal::SIGTERM).unwrap();
    until("the guard is free", || value() == "1\n");
    let written = || ipc(&["shm", "cat", &name]).output().stdout;
    let before = written();
    assert!(writer.try_wait().unwrap().is_none(), "the end is delayed");
    writer.wait().unwrap();
    feed.join().unwrap();
    assert!(written() == before, "something was written without the guard");
}

#[test]
fn a_system_v_guard_is_released_whatever_ends_the_command() {
    let (name, guard) = (created("8"), Name::system_v("sem"));
    ipc(&["sem", "create", &guard, "--value", "1"]).is(0, "", "");
    let value = || ipc(&["sem", "value", &guard]).succeeds();
    let poke = ["shm", "poke", &name, "--type", "u8", "65", "--guard", &guard];
    ipc(&poke).is(0, "", "");
    assert_eq!(value(), "1\n");
    for signal in [Signal::SIGTERM, Signal::SIGKILL] {
        let mut writer = Command::new(binary())
            .args(["shm", "write", &name, "--guard", &guard])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        until("the guard is held", || value() == "0\n");
        ipc(&poke).words(&["-n"]).is(1, "", "");
        ipc(&poke).words(&["-t", "10ms"]).is(
            124,
            "",
            &format!("ipc: shm poke: --guard {}: timed out\n", &*guard),
        );
        let pid = nix::unistd::Pid::from_raw(writer.id() as i32);
        nix::sys::signal::kill(pid, signal).unwrap();
        writer.wait().unwrap();
        assert_eq!(value(), "1\n");
    }
    ipc(&["sem", "rm", &guard]).is(0, "", "");
    let message = format!("ipc: shm poke: --guard {}: No such file or directory\n", &*guard);
    ipc(&poke).is(4, "", &message);
}

#[test]
fn a_timeout_without_a_guard_is_refused() {
    let name = created("8");
    for words in [&["-t", "1s"][..], &["-n"]] {
        ipc(&["shm", "cat", &name]).words(words).is(
            2,
            "",
            "ipc: shm cat: --timeout and --nonblock are for the wait for a --guard\n",
        );
    }
}

#[test]
fn a_command_without_memory_releases_its_guard_and_changes_nothing() {
    let (name, guard) = (Name::new("shm"), Name::new("sem"));
    ipc(&["shm", "write", &name]).input("before").is(0, "", "");
    ipc(&["sem", "create", &guard, "--value", "1"]).is(0, "", "");
    let within = |kib: usize, words: &str| sh(&format!("ulimit -v {kib}; exec ipc {words}"));
    let words = format!("shm write {} --grow --guard {} -t 30s", &*name, &*guard);
    let mut failed = 0;
    for kib in (2_000..64_000).step_by(250) {
        // The kernel and the dynamic loader may need more memory to start the program.
        if code(&within(kib, "--version").output()) != 0 {
            continue;
        }
        let written = within(kib, &words).input(vec![b'x'; 9_000_000]).output();
        ipc(&["sem", "value", &guard]).is(0, "1\n", "");
        if code(&written) == 0 {
            break;
        }
        failed += 1;
        let stderr = text(&written.stderr);
        let is_said = stderr.contains("Cannot allocate memory\nhint: 'free' shows");
        assert!(code(&written) == 3 && is_said, "{kib}: {} {stderr}", code(&written));
        ipc(&["shm", "cat", &name]).is(0, "before", "");
    }
    assert!(failed > 0, "there was memory enough all along");
}
