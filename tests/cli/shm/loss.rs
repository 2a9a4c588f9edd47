//! Segments that become shorter, are removed or have no room while they are used.

use std::io::{Read, Write};
use std::process::{Command, Output, Stdio};

use nix::sys::signal::Signal;

use super::{complaint, created};
use crate::peers::{self, Stopped};
use crate::support::{
    Name, as_another_user, binary, children, code, ipc, is_at_futex, sh, text, until,
};

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
    // It waits for the pipe, whose capacity is less than the segment.
    ipc(&["shm", "resize", &name, "1"]).is(0, "", "");
    let output = cat.wait_with_output().unwrap();
    assert_eq!((code(&output), text(&output.stderr)), (3, complaint("cat", &name, SHRANK)));
}

#[test]
fn a_number_beyond_a_new_end_is_an_error_with_its_page_or_within_it() {
    for (size, offset, shorter) in [("8K", "4096", "16"), ("8", "4", "4")] {
        let name = created(size);
        let words = ["--type", "i32", "--offset", offset, "--eq", "1", "--poll", "5ms"];
        let waiter = ipc(&["shm", "wait", &name]).words(&words).start();
        waiter.wait_until_asleep();
        ipc(&["shm", "resize", &name, shorter]).is(0, "", "");
        let output = waiter.finish();
        assert_eq!((code(&output), text(&output.stderr)), (3, complaint("wait", &name, SHRANK)));
    }
}

#[test]
fn a_sigbus_that_a_process_sends_ends_the_command() {
    let name = created("8");
    let waiter = ipc(&["shm", "wait", &name, "--type", "i32", "--eq", "1"]).start();
    waiter.wait_until_at_futex();
    waiter.signal(Signal::SIGBUS);
    assert_eq!(code(&waiter.finish()), 128 + Signal::SIGBUS as i32);
}

#[test]
fn a_sigbus_that_the_caller_ignores_is_ignored_while_memory_is_mapped() {
    let name = created("8");
    let line = "trap '' BUS; exec ipc shm wait $0 --type i32 --eq 1 -t 60s";
    let waiter = sh(line).word(&*name).start();
    waiter.wait_until_at_futex();
    waiter.signal(Signal::SIGBUS);
    ipc(&["shm", "poke", &name, "--type", "i32", "1"]).is(0, "", "");
    assert_eq!(code(&waiter.finish()), 0);
    // A page that is lost is replaced all the same.
    ipc(&["shm", "poke", &name, "--type", "i32", "0"]).is(0, "", "");
    let waiter = sh(line).word(&*name).start();
    waiter.wait_until_at_futex();
    ipc(&["shm", "resize", &name, "0"]).is(0, "", "");
    let output = waiter.finish();
    assert_eq!((code(&output), text(&output.stderr)), (3, complaint("wait", &name, SHRANK)));
}

#[test]
fn a_lost_page_that_cannot_be_replaced_ends_the_command() {
    let name = created("4K");
    // It sleeps for longer than resize takes, so that the access is not one of the kernel.
    let words = ["shm", "wait", &name, "--type", "i32", "--eq", "1", "--poll", "2s"];
    let Some(calls) = peers::system_calls(&[&words[..], &["-t", "20ms"]].concat()) else { return };
    let mapped = calls.iter().rfind(|call| call.line.contains("MAP_SHARED")).unwrap();
    // strace dies of the same signal as the traced process.
    let waiter = mapped.last_to_succeed("ENOMEM", &words).start();
    until("it waits", || children(waiter.pid()).first().is_some_and(|&pid| is_at_futex(pid)));
    ipc(&["shm", "resize", &name, "0"]).is(0, "", "");
    assert_eq!(code(&waiter.finish()), 128 + Signal::SIGBUS as i32);
}

/// A new segment of each kind.
fn of_each_kind(size: &str) -> [Name; 2] {
    let key = Name::system_v("shm");
    ipc(&["shm", "create", &key, "--size", size]).is(0, "", "");
    [created(size), key]
}

#[test]
fn the_removal_of_a_segment_is_an_error_of_wait_write_and_cat() {
    for name in of_each_kind("4M") {
        let removed = |verb| (4, complaint(verb, &name, "the segment was removed"));
        let result = |output: Output| (code(&output), text(&output.stderr));
        let words = ["--type", "i32", "--eq", "1", "--poll", "5ms"];
        let waiter = ipc(&["shm", "wait", &name]).words(&words).start();
        waiter.wait_until_asleep();
        let mut writer = Command::new(binary())
            .args(["shm", "write", &name])
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = writer.stdin.take().unwrap();
        input.write_all(b"first").unwrap();
        until("it writes", || ipc(&["shm", "cat", &name, "--count", "1"]).succeeds() == "f");
        let mut reader = Command::new(binary())
            .args(["shm", "cat", &name])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut first = [0];
        reader.stdout.as_mut().unwrap().read_exact(&mut first).unwrap();
        ipc(&["shm", "rm", &name]).is(0, "", "");
        drop(input);
        assert_eq!(result(writer.wait_with_output().unwrap()), removed("write"));
        assert_eq!(result(waiter.finish()), removed("wait"));
        let read = reader.wait_with_output().unwrap();
        assert_eq!(read.stdout.len(), (4 << 20) - 1);
        assert_eq!(result(read), removed("cat"));
    }
}

#[test]
fn a_segment_that_was_removed_before_is_used_by_its_identifier_like_any_other() {
    let key = Name::system_v("shm");
    ipc(&["shm", "create", &key, "--size", "8"]).is(0, "", "");
    let stat: serde_json::Value =
        serde_json::from_str(&ipc(&["shm", "stat", "--json", &key]).succeeds()).unwrap();
    let by_id = format!("sysv:id={}", stat["id"]);
    // A process that has it attached.
    let holder = ipc(&[
        "shm", "wait", &by_id, "--type", "u32", "--offset", "4", "--eq", "1", "--poll", "inf",
    ])
    .start();
    holder.wait_until_at_futex();
    ipc(&["shm", "rm", &key]).is(0, "", "");
    ipc(&["shm", "write", &by_id]).input("\0abc").is(0, "", "");
    ipc(&["shm", "cat", &by_id, "--count", "4"]).is(0, "\0abc", "");
    ipc(&["shm", "wait", &by_id, "--type", "u8", "--eq", "0"]).is(0, "0\n", "");
    ipc(&["shm", "poke", &by_id, "--type", "u8", "2"]).is(0, "", "");
    ipc(&["shm", "add", &by_id, "--type", "u8", "--", "-1"]).is(0, "1\n", "");
    // It wakes, and finds that the segment was removed.
    ipc(&["shm", "poke", &by_id, "--type", "u32", "--offset", "4", "1"]).is(0, "", "");
    assert_eq!(code(&holder.finish()), 4);
    ipc(&["shm", "cat", &by_id]).is(4, "", &complaint("cat", &by_id, "No such file or directory"));
}

#[test]
fn the_removal_of_a_segment_is_an_error_of_the_verbs_for_numbers() {
    if !peers::there("strace", &["-o", "/dev/null", "true"]) {
        return;
    }
    for verb in [&["peek"][..], &["poke", "1"], &["add", "1"], &["cas", "0", "1"]] {
        for (name, call) in of_each_kind("8").into_iter().zip(["mmap", "shmat"]) {
            let words = [&["shm", verb[0], &name], &verb[1..], &["--type", "i32"]].concat();
            // A hole is not mapped.
            ipc(&["shm", "poke", &name, "--type", "i32", "0"]).is(0, "", "");
            let Some(calls) = peers::system_calls(&words) else { return };
            let mapped = calls.iter().rfind(|line| line.line.starts_with(call)).unwrap();
            ipc(&["shm", "poke", &name, "--type", "i32", "0"]).is(0, "", "");
            let stopped = Stopped::after(mapped, &words);
            ipc(&["shm", "rm", &name]).is(0, "", "");
            let output = stopped.continue_to_end();
            let message = complaint(verb[0], &name, "the segment was removed");
            assert_eq!((code(&output), text(&output.stderr)), (4, message));
        }
    }
}

#[test]
fn a_segment_that_shrinks_while_it_is_written_is_an_error_and_stays_short() {
    for how in [&[][..], &["--grow"], &["--truncate"]] {
        let name = created("1M");
        let mut writer = Command::new(binary())
            .args(["shm", "write", &name])
            .args(how)
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = writer.stdin.take().unwrap();
        input.write_all(&[b'x'; 8192]).unwrap();
        let byte = || ipc(&["shm", "peek", &name, "--type", "u8", "--offset", "8191"]).succeeds();
        until("it is written", || byte() == "120\n");
        ipc(&["shm", "resize", &name, "4096"]).is(0, "", "");
        input.write_all(&[b'y'; 4096]).unwrap();
        drop(input);
        let output = writer.wait_with_output().unwrap();
        assert_eq!((code(&output), text(&output.stderr)), (3, complaint("write", &name, SHRANK)));
        assert_eq!(ipc(&["shm", "cat", &name]).output().stdout, [b'x'; 4096]);
    }
}

#[test]
fn a_segment_that_shrinks_while_a_file_is_copied_into_it_is_an_error() {
    if !peers::there("strace", &["-o", "/dev/null", "true"]) {
        return;
    }
    let name = created("80M");
    let directory = tempfile::tempdir_in("/dev/shm").unwrap();
    std::fs::write(directory.path().join("f"), vec![b'x'; 80 << 20]).unwrap();
    // The size is checked before each piece of 32 MiB. The command is stopped after the second.
    let stop = "inject=copy_file_range:signal=STOP:when=2";
    let strace = "exec strace -qqo /dev/null -e trace=copy_file_range -e $2 $0 shm write $1 < f";
    let run = sh(strace).word(binary()).word(&*name).word(stop).within(directory.path());
    let writer = Stopped::by(run);
    ipc(&["shm", "resize", &name, "4096"]).is(0, "", "");
    let output = writer.continue_to_end();
    assert_eq!((code(&output), text(&output.stderr)), (3, complaint("write", &name, SHRANK)));
}

#[test]
fn the_removal_of_a_system_v_segment_during_its_creation_is_an_error() {
    if !peers::there("strace", &["-o", "/dev/null", "true"]) {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("f"), "bytes").unwrap();
    for mode in ["0600", "0400"] {
        let key = Name::system_v("shm");
        let stop = "inject=shmat:signal=STOP:when=1";
        let strace = "exec strace -qqo /dev/null -e trace=shmat -e $3 $0 shm write $1 -m $2 < f";
        let run = sh(strace).word(binary()).word(&*key).word(mode).word(stop);
        let writer = Stopped::by(run.within(directory.path()));
        ipc(&["shm", "rm", &key]).is(0, "", "");
        let output = writer.continue_to_end();
        let message = complaint("write", &key, "the segment was removed");
        assert_eq!((code(&output), text(&output.stderr)), (4, message));
    }
}

#[test]
fn a_system_v_segment_that_its_creator_may_not_read_is_created() {
    for mode in ["0222", "0444"] {
        let key = Name::system_v("shm");
        let Some(write) = as_another_user(&["shm", "write", "-m", mode, &key]) else { return };
        write.input("abc").is(0, "", "");
        ipc(&["shm", "cat", &key]).is(0, "abc", "");
        assert!(ipc(&["shm", "stat", "--json", &key]).succeeds().contains(mode));
    }
}

#[test]
fn a_file_without_a_name_does_not_count_as_removed() {
    sh("exec 9<>f; rm f; printf 12345678 >&9; ipc map cat /proc/self/fd/9")
        .within(tempfile::tempdir().unwrap().path())
        .is(0, "12345678", "");
}

#[test]
fn create_fails_on_a_full_file_system_and_leaves_nothing() {
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
    let hint = "hint: 'df' shows the free space\n";
    let full = |verb, name| complaint(verb, name, "No space left on device") + hint;
    assert_eq!(
        text(&output.stderr),
        [full("create", "/b"), full("write", "/b"), full("resize", "/a")].concat()
    );
}

#[test]
fn several_numbers_are_all_set_or_none() {
    if !peers::may_unshare(&["--mount"]) {
        return;
    }
    let line = "mount -t tmpfs -o size=16k none /dev/shm || exit
        truncate -s 12K /dev/shm/a; ipc shm poke /a --type i32 0; ipc shm create /b --size 12K
        ipc shm poke /a --type i32 --offset 4092 1 2; echo $?
        ipc shm rm /b; ipc shm peek /a --type i32 --offset 4092 --count 2 --sep ' '";
    let output = sh("exec unshare --mount sh -c \"$0\"").word(line).output();
    assert_eq!(text(&output.stdout), "3\n0 0\n");
}

#[test]
fn memory_is_allocated_on_a_file_system_without_fallocate() {
    if !peers::may_unshare(&["--mount"]) {
        return;
    }
    let line = "cd \"$1\" && truncate -s 4M image && mkfs.ext2 -qF image && mkdir disk || exit
        mount -o loop image disk || exit
        ipc map create disk/small --size 1M; echo $?
        ipc map create disk/large --size 100M; echo $?
        ipc map resize disk/small 100M; echo $?
        ls disk; stat -c '%s %b' disk/small";
    let directory = tempfile::tempdir().unwrap();
    let run = sh("exec unshare --mount sh -c \"$0\" sh \"$1\"").word(line).word(directory.path());
    let output = run.output();
    // The machine may have no such file system, or no loop devices.
    if output.stdout.is_empty() {
        return;
    }
    let stdout = text(&output.stdout);
    let mut lines = stdout.lines();
    assert_eq!(lines.by_ref().take(5).collect::<Vec<_>>(), ["0", "3", "3", "lost+found", "small"]);
    let (size, blocks) = lines.next().unwrap().split_once(' ').unwrap();
    assert!(size == "1048576" && blocks.parse::<u64>().unwrap() >= 2048, "{stdout}");
}

#[test]
fn a_hole_on_a_full_file_system_is_no_loss() {
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
    assert_eq!(text(&output.stdout), "3\n0\n0\n3\n1\n");
    let full = |verb| {
        complaint(verb, "/a", "No space left on device") + "hint: 'df' shows the free space\n"
    };
    assert_eq!(text(&output.stderr), [full("poke"), full("add")].concat());
}

#[test]
fn reading_a_hole_allocates_no_memory_and_needs_no_room() {
    if !peers::may_unshare(&["--mount"]) {
        return;
    }
    let line = "mount -t tmpfs -o size=16k none /dev/shm || exit
        truncate -s 1M /dev/shm/a; printf 1234 | ipc shm write /a --offset 64K
        peek() { ipc shm peek /a --type u32 \"$@\" --sep ' ' || echo $?; }
        look() {
            peek --offset 64K --count 3; peek --offset 65532 --count 2; peek --offset 65534
            peek --offset 0 --count 262144 | wc -w; ipc shm peek /a --type u8 --offset 4095 --json
            ipc shm cat /a | cksum; ipc shm cat /a >/dev/null; ipc shm cat --string /a
            stat -c %b /dev/shm/a
        }
        look; ipc shm create /b --size 12K; look; truncate -s 4 /dev/shm/a; peek --offset 4";
    let output = sh("exec unshare --mount sh -c \"$0\"").word(line).output();
    let sum = sh("{ head -c 65536 /dev/zero; printf 1234; head -c 983036 /dev/zero; } | cksum");
    let looked =
        format!("875770417 0 0\n0 875770417\n842072064\n262144\n[0]\n{}8\n", sum.succeeds());
    assert_eq!(text(&output.stdout), format!("{looked}{looked}3\n"));
    let message = complaint("peek", "/a", "4 bytes at 4 are beyond the end, 4");
    assert_eq!(text(&output.stderr), message);
}

#[test]
fn wait_works_in_a_hole_without_room_for_a_page() {
    if !peers::may_unshare(&["--mount"]) {
        return;
    }
    let line = "mount -t tmpfs -o size=16k none /dev/shm || exit
        truncate -s 1M /dev/shm/a; ipc shm create /b --size 16K
        wait() { ipc shm wait /a --type u32 --offset 64K \"$@\"; echo $?; }
        wait --eq 0; wait --ne 0 -t 120ms; wait --ne 0 -t 0; stat -c %b /dev/shm/a
        ipc shm wait /a --type u32 --offset 64K --ne 0 --poll inf & waiter=$!
        sleep 0.2; ipc shm rm /b; ipc shm poke /a --type u32 --offset 64K 7; command wait $waiter; echo $?";
    let output = sh("exec unshare --mount sh -c \"$0\"").word(line).output();
    assert_eq!(text(&output.stdout), "0\n0\n124\n124\n0\n7\n0\n");
    let late = complaint("wait", "/a", "timed out");
    assert_eq!(text(&output.stderr), late.repeat(2));
}

#[test]
fn a_failed_check_for_removal_is_no_error() {
    if !peers::there("strace", &["-o", "/dev/null", "true"]) {
        return;
    }
    let commands =
        [&["write", "--grow"][..], &["write"], &["poke", "1"], &["add", "1"], &["cas", "0", "1"]];
    for words in commands {
        let name = created("8");
        let words = [&["shm", words[0], &name], &words[1..]].concat();
        let Some(calls) = peers::system_calls(&words) else { return };
        let is_question = |call: &&peers::Call| {
            call.line.starts_with("fstat(") || call.line.starts_with("newfstatat(")
        };
        let last = calls.iter().rfind(is_question).unwrap();
        ipc(&["shm", "poke", &name, "0", "0"]).is(0, "", "");
        let output = last.fails("EIO", &words).output();
        assert_eq!((code(&output), text(&output.stderr)), (0, String::new()), "{words:?}");
    }
}
