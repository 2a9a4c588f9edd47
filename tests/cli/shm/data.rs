//! `write` and `cat`.

use std::fs;
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::process::{Command, Stdio};

use super::{MISSING, complaint, created};
use crate::peers;
use crate::support::{Name, binary, code, ipc, sh, text, until_asleep};

const NO_ROOM: &str = "hint: --grow makes room, --truncate fits it\n";

#[test]
fn written_bytes_are_printed_unchanged() {
    for size in [0, 1, 4095, 4097, 1_000_003] {
        let (name, key) = (Name::new("shm"), Name::system_v("shm"));
        let bytes: Vec<u8> = (0..size).map(|i: u32| (i / 3) as u8).collect();
        ipc(&["shm", "write", &name]).input(bytes.clone()).is(0, "", "");
        assert!(ipc(&["shm", "cat", &name]).output().stdout == bytes);
        if size > 0 {
            ipc(&["shm", "create", &key, "--size", &size.to_string()]).is(0, "", "");
            ipc(&["shm", "write", &key]).input(bytes.clone()).is(0, "", "");
            assert!(ipc(&["shm", "read", &key]).output().stdout == bytes);
        }
    }
}

#[test]
fn a_segment_without_a_key_is_reached_by_the_name_that_create_prints() {
    let line = ipc(&["shm", "create", "sysv:0", "--size", "3"]).succeeds();
    let name = Name::of("shm", line.trim_end());
    ipc(&["shm", "write", &name]).input("abc").is(0, "", "");
    ipc(&["shm", "cat", &name]).is(0, "abc", "");
    ipc(&["shm", "cat", "sysv:0"]).is(4, "", "ipc: shm cat: sysv:0: No such file or directory\n");
    ipc(&["shm", "write", "sysv:0"]).input("abc").is(
        2,
        "",
        "ipc: shm write: sysv:0: each use of this name makes a new object, which no other command finds\n\
         hint: 'create' makes one, and prints a name for it\n",
    );
}

#[test]
fn a_file_and_a_segment_are_copied_into_each_other() {
    let (name, key) = (Name::new("shm"), Name::system_v("shm"));
    let directory = tempfile::tempdir().unwrap();
    let line = "seq 100000 > a && ipc shm write \"$0\" < a && ipc shm cat \"$0\" > b && cmp a b &&
        ipc shm write \"$1\" < a && ipc shm cat \"$1\" > c && cmp a c &&
        ipc shm cat \"$0\" >> c && cat a a | cmp - c && ipc shm cat \"$0\" | cmp - a";
    sh(line).word(&*name).word(&*key).within(directory.path()).is(0, "", "");
}

#[test]
fn input_that_does_not_fit_is_refused() {
    let name = created("5");
    let does_not_fit = |room, written| {
        let reason = format!("the input does not fit into {room} bytes; {written} were written");
        complaint("write", &name, &reason) + NO_ROOM
    };
    ipc(&["shm", "write", &name]).input("abcde").is(0, "", "");
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("f"), "123456").unwrap();
    // The size of a file is known, so nothing is written.
    sh("ipc shm write \"$0\" < f").word(&*name).within(directory.path()).is(
        3,
        "",
        &does_not_fit(5, 0),
    );
    ipc(&["shm", "cat", &name]).is(0, "abcde", "");
    ipc(&["shm", "write", &name, "--offset", "3"]).input("123").is(3, "", &does_not_fit(2, 2));
    ipc(&["shm", "cat", &name]).is(0, "abc12", "");
    ipc(&["shm", "write", &name, "--offset", "6"]).input("x").is(
        3,
        "",
        &(complaint("write", &name, "offset 6 is beyond the end, 5") + NO_ROOM),
    );
}

#[test]
fn grow_and_truncate_change_the_size() {
    let name = created("5");
    ipc(&["shm", "write", &name, "--grow", "--offset", "4"]).input("xyz").is(0, "", "");
    ipc(&["shm", "cat", &name]).is(0, "\0\0\0\0xyz", "");
    ipc(&["shm", "write", &name, "--grow"]).input("ab").is(0, "", "");
    ipc(&["shm", "cat", &name]).is(0, "ab\0\0xyz", "");
    ipc(&["shm", "write", &name, "--truncate"]).input("cd").is(0, "", "");
    ipc(&["shm", "cat", &name]).is(0, "cd", "");
    ipc(&["shm", "resize", &name, "4"]).is(0, "", "");
    ipc(&["shm", "cat", &name]).is(0, "cd\0\0", "");
}

#[test]
fn reserved_memory_that_is_not_written_is_freed() {
    let name = created("10");
    let size_and_memory = || {
        let status = fs::metadata(format!("/dev/shm{}", &*name)).unwrap();
        (status.len(), status.blocks() * 512 < 1 << 20)
    };
    ipc(&["shm", "write", &name, "--grow", "--offset", "20M"]).is(0, "", "");
    assert_eq!(size_and_memory(), (10, true));
    let output = sh("ipc shm write \"$0\" --grow --offset 20M </").word(&*name).output();
    assert_eq!((code(&output), size_and_memory()), (3, (10, true)));
    ipc(&["shm", "write", &name, "--truncate", "--offset", "20"]).is(0, "", "");
    ipc(&["shm", "cat", &name]).is(0, &"\0".repeat(20), "");
}

#[test]
fn a_system_v_segment_keeps_its_size_and_longer_input_is_an_error() {
    let key = Name::system_v("shm");
    ipc(&["shm", "create", &key, "--size", "4"]).is(0, "", "");
    let write = |words: &[&str], input: &str| {
        ipc(&["shm", "write", &key]).words(words).input(input).output()
    };
    let full = complaint("write", &key, "the input does not fit into 4 bytes; 4 were written");
    assert_eq!(code(&write(&[], "1234")), 0);
    let fixed = complaint("write", &key, "a System V segment cannot be resized")
        + "hint: copy it: ipc shm cat OLD | ipc shm write NEW\n";
    for words in [&["--grow"][..], &["--truncate"]] {
        for input in ["abcde", "abcd", "abc"] {
            let output = write(words, input);
            assert_eq!((code(&output), text(&output.stderr)), (3, fixed.clone()));
        }
    }
    ipc(&["shm", "cat", &key]).is(0, "1234", "");
    let output = write(&[], "12345");
    assert_eq!((code(&output), text(&output.stderr)), (3, full));
    assert_eq!(code(&write(&[], "abc")), 0);
    ipc(&["shm", "cat", &key]).is(0, "abc4", "");
    let beyond = complaint("write", &key, "offset 5 is beyond the end, 4");
    assert_eq!(text(&write(&["--offset", "5"], "x").stderr), beyond);
}

#[test]
fn a_system_v_segment_is_created_from_a_stream() {
    let key = Name::system_v("shm");
    ipc(&["shm", "write", &key]).is(
        3,
        "",
        &complaint("write", &key, "a System V segment has one byte or more"),
    );
    let bytes: Vec<u8> = (0..200_003_u32).map(|i| (i / 7) as u8).collect();
    ipc(&["shm", "write", &key, "--offset", "3"]).input(bytes.clone()).is(0, "", "");
    assert!(ipc(&["shm", "cat", &key]).output().stdout == [&[0; 3][..], &bytes].concat());
}

#[test]
fn an_unfinished_system_v_segment_is_removed_when_a_signal_ends_the_command() {
    if !peers::there("strace", &["-o", "/dev/null", "true"]) {
        return;
    }
    let key = Name::system_v("shm");
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("f"), "12345678").unwrap();
    for call in ["shmget:signal=TERM:when=2", "shmat:signal=INT", "read:signal=HUP:when=1"] {
        let line = "strace -qqo /dev/null -e inject=$2 $0 shm write $1 < f";
        let run = sh(line).word(binary()).word(&*key).word(call).within(directory.path());
        assert!(code(&run.output()) > 128, "{call}");
        ipc(&["shm", "stat", &key]).is(
            4,
            "",
            &complaint("stat", &key, "No such file or directory"),
        );
    }
    sh("ipc shm write $0 -m 0440 < f").word(&*key).within(directory.path()).is(0, "", "");
    let stat = ipc(&["shm", "stat", "--json", &key]).succeeds();
    assert!(stat.contains("\"mode\":\"0440\""), "{stat}");
}

#[test]
fn the_memory_of_a_system_v_segment_is_allocated_or_the_segment_is_not_created() {
    let key = Name::system_v("shm");
    ipc(&["shm", "create", &key, "--size", "1M", "-m", "0400"]).is(0, "", "");
    let stat = ipc(&["shm", "stat", "--json", &key]).succeeds();
    assert!(stat.contains("\"resident\":1048576"), "{stat}");
    assert!(stat.contains("\"mode\":\"0400\""), "{stat}");
    ipc(&["shm", "rm", &key]).is(0, "", "");
    let message = complaint("create", &key, "Cannot allocate memory")
        + "hint: 'free' shows how much memory there is, 'ulimit -v' how much a process may have\n";
    ipc(&["shm", "create", &key, "--size", "1P"]).is(3, "", &message);
    ipc(&["shm", "stat", &key]).is(4, "", &complaint("stat", &key, "No such file or directory"));
}

#[test]
fn errors_name_the_limits_of_system_v_segments() {
    if !peers::may_unshare(&["--ipc"]) {
        return;
    }
    let line = "cd /proc/sys/kernel; echo 4096 >shmmax; ipc shm create sysv:1 --size 8K; echo $?
        echo 1 >shmmni; ipc shm create sysv:1 --size 4K; ipc shm create sysv:2 --size 4K; echo $?
        ipc shm create sysv:3 --size 0; echo $?
        echo 9 >shmmni; echo 1 >shmall; ipc shm create sysv:4 --size 4K; echo $?";
    let unshared = sh("exec unshare --ipc sh -c \"$0\"").word(line).output();
    assert_eq!(text(&unshared.stdout), "3\n3\n3\n3\n");
    assert_eq!(
        text(&unshared.stderr),
        "ipc: shm create: sysv:1: 8192 bytes exceed the maximum of a System V segment (4096)\n\
         hint: as root: sysctl kernel.shmmax=8192\n\
         ipc: shm create: sysv:2: the maximum number of System V segments exists (1)\n\
         hint: 'ipc shm ls' shows them; sysctl kernel.shmmni is the limit\n\
         ipc: shm create: sysv:3: a System V segment has one byte or more\n\
         ipc: shm create: sysv:4: System V segments would exceed the maximum number of pages (1)\n\
         hint: 'ipc shm ls' shows them; sysctl kernel.shmall is the limit\n"
    );
}

#[test]
fn one_thread_writes_if_there_is_no_descriptor_for_a_second() {
    let name = created("1");
    sh("head -c 20M /dev/zero | (ulimit -n 4; ipc shm write \"$0\" --truncate)")
        .word(&*name)
        .is(0, "", "");
    ipc(&["shm", "stat", &name]).assert().stdout(predicates::str::contains("20971520"));
}

#[test]
fn a_segment_is_not_written_from_itself() {
    let name = created("8K");
    for words in ["--grow", "--grow --offset 4096", "--truncate --offset 1", ""] {
        sh(&format!("ipc shm write $0 {words} < /dev/shm$0")).word(&*name).is(
            3,
            "",
            &complaint("write", &name, "the input is the segment itself"),
        );
    }
    assert_eq!(fs::metadata(format!("/dev/shm{}", &*name)).unwrap().len(), 8192);
}

#[test]
fn a_missing_segment_appears_when_it_is_complete() {
    let name = Name::new("shm");
    let mut writer = Command::new(binary())
        .args(["shm", "write", &name, "--offset", "2"])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = writer.stdin.take().unwrap();
    input.write_all(b"half").unwrap();
    ipc(&["shm", "cat", &name]).is(4, "", &complaint("cat", &name, MISSING));
    input.write_all(b" whole").unwrap();
    drop(input);
    assert!(writer.wait().unwrap().success());
    ipc(&["shm", "cat", &name]).is(0, "\0\0half whole", "");
}

#[test]
fn cat_prints_the_requested_part() {
    let name = Name::new("shm");
    ipc(&["shm", "write", &name]).input("ab\0cdefgh").is(0, "", "");
    let run = |words: &[&str]| ipc(&[&["shm", "cat", &name], words].concat());
    run(&["--offset", "3", "--count", "2"]).is(0, "cd", "");
    run(&["--string"]).is(0, "ab", "");
    run(&["--string", "--offset", "3"]).is(0, "cdefgh", "");
    run(&["--offset", "9"]).is(0, "", "");
    run(&["--offset", "10"]).is(3, "", &complaint("cat", &name, "offset 10 is beyond the end, 9"));
    let beyond = complaint("cat", &name, "3 bytes at 7 are beyond the end, 9");
    run(&["--offset", "7", "--count", "3"]).is(3, "", &beyond);
    let beyond = format!("{} bytes at 15 are beyond the end, 9", u64::MAX);
    run(&["--offset", "15", "--count", &u64::MAX.to_string()]).is(
        3,
        "",
        &complaint("cat", &name, &beyond),
    );
    ipc(&["shm", "cat", &name, &name, "--count", "2"]).is(0, "abab", "");
}

#[test]
fn a_closed_pipe_ends_cat_without_a_message_and_a_full_device_with_one() {
    // More than the capacity of any pipe.
    let name = created("4M");
    let output = sh("{ ipc shm cat \"$0\"; echo $? >&2; } | head -c 1").word(&*name).output();
    assert_eq!(text(&output.stderr), "141\n");
    sh("ipc shm cat \"$0\" > /dev/full").word(&*name).is(
        3,
        "",
        "ipc: shm cat: standard output: No space left on device\n",
    );
}

#[test]
fn output_before_an_error_is_printed() {
    let name = Name::new("shm");
    ipc(&["shm", "write", &name]).input("hello\0").is(0, "", "");
    let missing = &complaint("cat", "/ipc-no-such", MISSING);
    ipc(&["shm", "cat", "--string", &name, "/ipc-no-such"]).is(4, "hello", missing);
}

/// Several commands that begin to write a missing segment, each to its own part.
fn written_by_several(noun: &str, name: &str) -> Vec<u8> {
    const PARTS: [&str; 4] = ["first ", "second ", "third ", "and last"];
    let mut offset = 0;
    let mut writers = Vec::new();
    for part in PARTS {
        let mut writer = Command::new(binary())
            .args([noun, "write", name, "--offset", &offset.to_string()])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let input = writer.stdin.take().unwrap();
        // It looks for the segment before it reads.
        until_asleep(writer.id() as i32);
        writers.push((writer, input, part));
        offset += part.len();
    }
    for (_, input, part) in &mut writers {
        input.write_all(part.as_bytes()).unwrap();
    }
    let ends: Vec<_> =
        writers.into_iter().map(|(writer, input, _)| (writer, drop(input))).collect();
    for (mut writer, ()) in ends {
        assert!(writer.wait().unwrap().success());
    }
    ipc(&[noun, "cat", name]).output().stdout
}

#[test]
fn several_commands_create_a_segment_by_writing_and_no_input_is_lost() {
    let name = Name::new("shm");
    assert_eq!(text(&written_by_several("shm", &name)), "first second third and last");
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("f");
    let written = written_by_several("map", path.to_str().unwrap());
    assert_eq!(text(&written), "first second third and last");
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[test]
fn several_commands_create_a_system_v_segment_of_one_size() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("f"), vec![b'x'; 100_000]).unwrap();
    for _ in 0..10 {
        let key = Name::system_v("shm");
        let writers = [(); 4]
            .map(|()| sh("ipc shm write \"$0\" < f").word(&*key).within(directory.path()).start());
        for writer in writers {
            let output = writer.finish();
            assert_eq!((code(&output), text(&output.stderr)), (0, String::new()));
        }
        assert!(ipc(&["shm", "cat", &key]).output().stdout == vec![b'x'; 100_000]);
    }
}

#[test]
fn several_commands_that_let_a_segment_grow_do_not_truncate_it() {
    let name = created("0");
    let line = "i=$1; while [ $i -lt 40 ]; do
        printf %04d $i | ipc shm write --grow --offset $((4 * i)) \"$0\" || exit; i=$((i + 4)); done";
    let shells = ["0", "1", "2", "3"].map(|first| sh(line).word(&*name).word(first).start());
    for shell in shells {
        assert!(shell.finish().status.success());
    }
    let all: String = (0..40).map(|i| format!("{i:04}")).collect();
    ipc(&["shm", "cat", &name]).is(0, &all, "");
}
