//! Segments that become shorter, vanish or have no room while they are used.

use std::io::Read;
use std::process::{Command, Stdio};

use nix::sys::signal::Signal;

use super::{complaint, created};
use crate::peers;
use crate::support::{binary, children, code, ipc, is_at_futex, sh, text, until};

const SHRANK: &str = "it became shorter while it was used";

#[test]
fn a_segment_that_shrinks_while_it_is_printed_is_an_error() {
    let name = created("4M");
    let mut cat = Command::new(binary())
        .args(["shm", "cat", &name])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = [0];
    cat.stdout.as_mut().unwrap().read_exact(&mut first).unwrap();
    // It waits for the pipe, which holds less than all of it.
    ipc(&["shm", "resize", &name, "1"]).is(0, "", "");
    let output = cat.wait_with_output().unwrap();
    assert_eq!((code(&output), text(&output.stderr)), (3, complaint("cat", &name, SHRANK)));
}

#[test]
fn a_segment_that_shrinks_while_it_is_mapped_is_an_error_and_no_signal() {
    let name = created("8K");
    let words = ["--type", "i32", "--offset", "4096", "--eq", "1", "--poll", "5ms"];
    let waiter = ipc(&["shm", "wait", &name]).words(&words).start();
    waiter.wait_until_asleep();
    ipc(&["shm", "resize", &name, "16"]).is(0, "", "");
    let output = waiter.finish();
    assert_eq!((code(&output), text(&output.stderr)), (3, complaint("wait", &name, SHRANK)));
}

#[test]
fn a_number_that_is_cut_off_within_its_page_is_missed() {
    let name = created("8");
    let words = ["--type", "i32", "--offset", "4", "--eq", "1", "--poll", "5ms"];
    let waiter = ipc(&["shm", "wait", &name]).words(&words).start();
    waiter.wait_until_asleep();
    ipc(&["shm", "resize", &name, "4"]).is(0, "", "");
    let output = waiter.finish();
    assert_eq!((code(&output), text(&output.stderr)), (3, complaint("wait", &name, SHRANK)));
}

#[test]
fn a_sigbus_that_somebody_sends_ends_us() {
    let name = created("8");
    let waiter = ipc(&["shm", "wait", &name, "--type", "i32", "--eq", "1"]).start();
    waiter.wait_until_at_futex();
    waiter.signal(Signal::SIGBUS);
    assert_eq!(code(&waiter.finish()), 128 + Signal::SIGBUS as i32);
}

#[test]
fn a_loss_that_nothing_can_be_put_in_the_place_of_ends_us() {
    let name = created("4K");
    // It sleeps for longer than resize takes, or the kernel may be the first to miss the memory.
    let words = ["shm", "wait", &name, "--type", "i32", "--eq", "1", "--poll", "2s"];
    let Some(calls) = peers::system_calls(&[&words[..], &["-t", "20ms"]].concat()) else { return };
    let mapped = calls.iter().rfind(|call| call.line.contains("MAP_SHARED")).unwrap();
    // strace dies of the signal that what it traces dies of.
    let waiter = mapped.last_to_succeed("ENOMEM", &words).start();
    until("it waits", || children(waiter.pid()).first().is_some_and(|&pid| is_at_futex(pid)));
    ipc(&["shm", "resize", &name, "0"]).is(0, "", "");
    assert_eq!(code(&waiter.finish()), 128 + Signal::SIGBUS as i32);
}

#[test]
fn a_segment_that_is_removed_is_still_there_for_those_who_have_it() {
    let name = created("8");
    let words = ["--type", "i32", "--eq", "1", "--poll", "5ms", "-t", "200ms"];
    let waiter = ipc(&["shm", "wait", &name]).words(&words).start();
    waiter.wait_until_asleep();
    ipc(&["shm", "rm", &name]).is(0, "", "");
    assert_eq!(code(&waiter.finish()), 124);
}

#[test]
fn a_full_file_system_refuses_at_create_and_leaves_nothing() {
    if !peers::may_unshare(&["--mount"]) {
        return;
    }
    let line = "mount -t tmpfs -o size=16k none /dev/shm || exit
        ipc shm create /a --size 12K; echo $?
        ipc shm create /b --size 8K; echo $?
        head -c 8K /dev/zero | ipc shm write /b; echo $?
        ipc shm resize /a 20K; echo $?
        ipc shm stat --json /a | tr , '\\n' | grep '\"size\"'
        ls /dev/shm";
    let output = sh("exec unshare --mount sh -c \"$0\"").word(line).output();
    assert_eq!(text(&output.stdout), "0\n3\n3\n3\n\"size\":12288\na\n");
    let hint = "hint: 'df' tells how much room there is\n";
    let full = |verb, name| complaint(verb, name, "No space left on device") + hint;
    assert_eq!(
        text(&output.stderr),
        [full("create", "/b"), full("write", "/b"), full("resize", "/a")].concat()
    );
}

#[test]
fn a_hole_that_a_full_file_system_cannot_fill_is_not_taken_for_a_loss() {
    if !peers::may_unshare(&["--mount"]) {
        return;
    }
    let line = "mount -t tmpfs -o size=16k none /dev/shm || exit
        truncate -s 1M /dev/shm/a; ipc shm create /b --size 16K
        ipc shm poke /a --type u64 --offset 512K 1; echo $?
        ipc shm peek /a --type u64 --offset 512K; echo $?
        ipc shm add /a --type u64 --offset 512K 1; echo $?
        ipc shm rm /b; ipc shm add /a --type u64 --offset 512K 1";
    let output = sh("exec unshare --mount sh -c \"$0\"").word(line).output();
    assert_eq!(text(&output.stdout), "3\n3\n3\n1\n");
    let full = |verb| {
        complaint(verb, "/a", "No space left on device")
            + "hint: 'df' tells how much room there is\n"
    };
    assert_eq!(text(&output.stderr), [full("poke"), full("peek"), full("add")].concat());
}
