//! `ipc shm`.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;

use nix::sys::signal::Signal;

use crate::peers;
use crate::support::{Name, as_another_user, awkward, code, ipc, sh, text};

/// A name of a System V segment that no other test has. The segment is removed with it.
struct Key(String);

impl Key {
    fn new() -> Self {
        // The names of objects are numbered; a key is made of the number and ours.
        let count: u32 = Name::new("shm").rsplit('-').next().unwrap().parse().unwrap();
        Self(format!("sysv:{:#x}", (std::process::id() << 8) + count + 1))
    }
}

impl std::ops::Deref for Key {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        let _ = std::process::Command::new(crate::support::binary())
            .args(["shm", "rm", "-fq", &self.0])
            .status();
    }
}

fn created(size: &str) -> Name {
    let name = Name::new("shm");
    ipc(&["shm", "create", &name, "--size", size]).is(0, "", "");
    name
}

/// What a diagnostic of this verb about this object says.
fn complaint(verb: &str, name: &str, reason: &str) -> String {
    format!("ipc: shm {verb}: {name}: {reason}\n")
}

const SHRANK: &str = "it became shorter while it was used";
const NO_ROOM: &str = "hint: --grow makes room, --truncate fits it\n";

#[test]
fn what_is_written_is_read_back_byte_for_byte() {
    for size in [0, 1, 4095, 4097, 1_000_003] {
        let (name, key) = (Name::new("shm"), Key::new());
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
fn a_file_and_a_segment_are_copied_into_each_other() {
    let (name, key) = (Name::new("shm"), Key::new());
    let directory = tempfile::tempdir().unwrap();
    let line = "seq 100000 > a && ipc shm write \"$0\" < a && ipc shm cat \"$0\" > b && cmp a b &&
        ipc shm write \"$1\" < a && ipc shm cat \"$1\" > c && cmp a c &&
        ipc shm cat \"$0\" >> c && cat a a | cmp - c && ipc shm cat \"$0\" | cmp - a";
    sh(line).word(&*name).word(&*key).within(directory.path()).is(0, "", "");
}

#[test]
fn create_makes_zeros_of_exactly_this_size_and_mode() {
    let name = Name::new("shm");
    sh("umask 077; ipc shm create -m a=rw --size 5K \"$0\"").word(&*name).is(0, "", "");
    let status = fs::metadata(format!("/dev/shm{}", &*name)).unwrap();
    assert_eq!((status.len(), status.permissions().mode() & 0o7777), (5120, 0o666));
    assert_eq!(ipc(&["shm", "cat", &name]).output().stdout, vec![0; 5120]);
}

#[test]
fn create_refuses_what_exists_unless_told_and_of_the_same_size() {
    let (name, key) = (created("8"), Key::new());
    ipc(&["shm", "create", &key, "--size", "8"]).is(0, "", "");
    for object in [&*name, &*key] {
        let run = |words: &[&str]| ipc(&["shm", "create", object, "--size"]).words(words);
        run(&["8"]).is(5, "", &complaint("create", object, "File exists"));
        run(&["8", "-e"]).is(0, "", "");
        let other = complaint("create", object, "exists with another size, 8 bytes");
        run(&["9", "-e"]).is(5, "", &other);
    }
}

#[test]
fn the_name_of_a_semaphore_is_no_name_of_a_segment() {
    for words in [&["create", "--size", "8"][..], &["write"], &["cat"], &["rm"], &["stat"]] {
        let reason = "names that begin with 'sem.' belong to semaphores, which 'ipc sem' knows";
        ipc(&["shm"]).words(words).word("sem.x").is(3, "", &complaint(words[0], "/sem.x", reason));
    }
    let semaphore = Name::new("sem");
    ipc(&["sem", "create", &semaphore]).is(0, "", "");
    assert!(!ipc(&["shm", "ls"]).succeeds().contains(&semaphore[1..]));
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
    // A file tells its size, so nothing is written.
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
fn a_segment_grows_or_is_fitted_when_told() {
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
fn a_missing_segment_appears_when_it_is_complete() {
    let name = Name::new("shm");
    let mut writer = std::process::Command::new(crate::support::binary())
        .args(["shm", "write", &name, "--offset", "2"])
        .stdin(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = writer.stdin.take().unwrap();
    input.write_all(b"half").unwrap();
    ipc(&["shm", "cat", &name]).is(4, "", &complaint("cat", &name, "No such file or directory"));
    input.write_all(b" whole").unwrap();
    drop(input);
    assert!(writer.wait().unwrap().success());
    ipc(&["shm", "cat", &name]).is(0, "\0\0half whole", "");
}

#[test]
fn cat_prints_the_part_that_was_asked_for() {
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
fn a_reader_of_stdout_that_left_ends_cat_without_a_word_and_a_full_one_with_one() {
    // More than any pipe holds.
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
fn a_segment_that_shrinks_while_it_is_printed_is_an_error() {
    let name = created("4M");
    let mut cat = std::process::Command::new(crate::support::binary())
        .args(["shm", "cat", &name])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
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
fn numbers_of_every_type_are_set_and_printed() {
    let (name, key) = (created("64"), Key::new());
    ipc(&["shm", "create", &key, "--size", "64"]).is(0, "", "");
    for object in [&*name, &*key] {
        for (kind, values) in [
            ("i8", "-128 127"),
            ("u8", "0 255"),
            ("i16", "-32768 32767"),
            ("u16", "0 65535"),
            ("i32", "-2147483648 2147483647"),
            ("u32", "0 4294967295"),
            ("i64", "-9223372036854775808 9223372036854775807"),
            ("u64", "0 18446744073709551615"),
            ("f32", "0.1 -inf"),
            ("f64", "1e300 -2.5"),
        ] {
            for offset in ["8", "9"] {
                let at = ["--type", kind, "--offset", offset];
                let poke = ipc(&["shm", "poke", object]).words(&at).word("--");
                poke.words(&values.split(' ').collect::<Vec<_>>()).is(0, "", "");
                let peek = ipc(&["shm", "peek", object]).words(&at);
                peek.words(&["--count", "2", "--sep", " "]).is(0, &format!("{values}\n"), "");
            }
        }
    }
}

#[test]
fn the_order_of_bytes_can_be_chosen() {
    let name = created("8");
    let run = |words: &[&str]| ipc(&[&["shm"], words].concat());
    run(&["poke", &name, "--type", "u32", "--endian", "big", "0x01020304"]).is(0, "", "");
    run(&["peek", &name, "--type", "u8", "--count", "4", "--sep", ","]).is(0, "1,2,3,4\n", "");
    run(&["add", &name, "--type", "u32", "--endian", "big", "1"]).is(0, "16909061\n", "");
    run(&["peek", &name, "--type", "u32", "--endian", "little"]).is(0, "84083201\n", "");
}

#[test]
fn what_cannot_be_done_is_refused_before_a_byte_changes() {
    let name = created("16");
    let before = ipc(&["shm", "poke", &name, "--type", "u64", "7", "7"]);
    before.is(0, "", "");
    let refused = |words: &[&str], status, reason: &str| {
        let subject = if status == 2 { words.last().unwrap() } else { &*name };
        ipc(&[&["shm", words[0], &name], &words[1..]].concat()).is(
            status,
            "",
            &complaint(words[0], subject, reason),
        );
    };
    refused(&["poke", "--type", "u64", "1", "2", "3"], 3, "24 bytes at 0 are beyond the end, 16");
    refused(
        &["poke", "--type", "u8", "--offset", "16", "1"],
        3,
        "1 bytes at 16 are beyond the end, 16",
    );
    refused(&["poke", "--type", "u8", "1", "256"], 2, "u8 is from 0 to 255");
    refused(&["poke", "--type", "i32", "1", "x"], 2, "not a number such as 42, -1 or 0xff");
    refused(&["poke", "--type", "f32", "1.5", "y"], 2, "not a number such as 1.5, -1 or inf");
    refused(
        &["add", "--type", "i32", "--offset", "2", "1"],
        3,
        "i32 at 2 is not aligned: its offset has to be a multiple of 4",
    );
    refused(
        &["cas", "--type", "i64", "--offset", "4", "1", "1"],
        3,
        "i64 at 4 is not aligned: its offset has to be a multiple of 8",
    );
    refused(&["add", "--type", "u8", "249"], 3, "the sum of 7 and 249 is beyond u8");
    refused(&["add", "--type", "u64", "-8"], 3, "the sum of 7 and -8 is beyond u64");
    refused(&["peek", "--offset", "13"], 3, "4 bytes at 13 are beyond the end, 16");
    let beyond = format!("{} bytes at 0 are beyond the end, 16", u64::MAX);
    refused(&["peek", "--count", &u64::MAX.to_string()], 3, &beyond);
    ipc(&["shm", "peek", &name, "--type", "u64", "--count", "2"]).is(0, "7\n7\n", "");
}

#[test]
fn cas_succeeds_once_and_tells_the_others_what_they_found() {
    let name = created("8");
    let run = |old, new| ipc(&["shm", "cas", &name, "--type", "i64", old, new]);
    run("0", "-5").is(0, "-5\n", "");
    run("0", "6").is(1, "-5\n", "");
    let float = |old, new| ipc(&["shm", "cas", &name, "--type", "f64", old, new]);
    ipc(&["shm", "poke", &name, "--type", "f64", "-0.0"]).is(0, "", "");
    float("0", "1.5").is(0, "1.5\n", "");
}

#[test]
fn no_addition_is_lost_when_two_shells_add() {
    let name = created("16");
    let line = "i=0; while [ $i -lt 1000 ]; do
        ipc shm add \"$0\" --type u64 --offset 8 1 > /dev/null || exit; i=$((i + 1)); done";
    let shells = [sh(line).word(&*name).start(), sh(line).word(&*name).start()];
    for shell in shells {
        assert!(shell.finish().status.success());
    }
    ipc(&["shm", "peek", &name, "--type", "u64", "--offset", "8"]).is(0, "2000\n", "");
}

#[test]
fn a_waiter_is_woken_by_each_way_to_change_a_number_of_any_width() {
    for (kind, change) in [
        ("u8", &["poke", "3"][..]),
        ("i16", &["add", "3"]),
        ("u32", &["cas", "0", "3"]),
        ("i64", &["poke", "3"]),
        ("u64", &["add", "3"]),
        ("f64", &["cas", "0", "3"]),
    ] {
        let name = created("16");
        // Never looking again, it goes on only if it is woken.
        let words = ["--offset", "8", "--type", kind, "--ge", "3", "--poll", "inf"];
        let waiter = ipc(&["shm", "wait", &name]).words(&words).start();
        waiter.wait_until_asleep();
        let at = ["--offset", "8", "--type", kind];
        let changed = ipc(&["shm", change[0], &name]).words(&at).words(&change[1..]).output();
        assert_eq!(code(&changed), 0);
        assert_eq!(text(&waiter.finish().stdout).trim_end_matches(".0\n"), {
            if kind == "f64" { "3" } else { "3\n" }
        });
    }
}

#[test]
fn the_upper_half_of_a_wide_number_wakes_as_well() {
    let name = created("8");
    let waiter = ipc(&["shm", "wait", &name, "--type", "u64", "--change", "--poll", "inf"]).start();
    waiter.wait_until_asleep();
    ipc(&["shm", "poke", &name, "--type", "u64", "0x100000000"]).is(0, "", "");
    assert_eq!(text(&waiter.finish().stdout), "4294967296\n");
}

#[test]
fn a_wait_gives_up_as_it_was_told_and_its_condition_may_hold_already() {
    let name = created("8");
    let run = |words: &[&str]| ipc(&[&["shm", "wait", &name, "--type", "i32"], words].concat());
    run(&["--eq", "0"]).is(0, "0\n", "");
    run(&["--ne", "-1"]).is(0, "0\n", "");
    run(&["--eq", "1", "-n"]).is(1, "", "");
    run(&["--change", "-t", "20ms"]).is(124, "", &complaint("wait", &name, "timed out"));
    let output = run(&[]).output();
    assert_eq!(code(&output), 2);
}

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
        let mut writer = std::process::Command::new(crate::support::binary())
            .args(["shm", "write", &name, "--guard", &guard])
            .stdin(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        crate::support::until("the guard is held", || value() == "0\n");
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

#[test]
fn stat_and_ls_tell_size_mode_and_holders() {
    let name = created("12K");
    let file = fs::File::open(format!("/dev/shm{}", &*name)).unwrap();
    let stat = ipc(&["shm", "stat", "--json", &name]).succeeds();
    let json: serde_json::Value = serde_json::from_str(&stat).unwrap();
    assert_eq!((&json["size"], &json["mode"]), (&12288.into(), &"0600".into()));
    assert_eq!(json["holders"][0]["pid"], std::process::id());
    drop(file);
    let list = ipc(&["shm", "ls", "--json"]).succeeds();
    let json: serde_json::Value = serde_json::from_str(&list).unwrap();
    let is_it = |entry: &&serde_json::Value| entry["name"] == *name;
    assert_eq!(json.as_array().unwrap().iter().find(is_it).unwrap()["size"], 12288);
}

#[test]
fn what_is_known_of_a_system_v_segment_is_told() {
    let key = Key::new();
    ipc(&["shm", "create", &key, "--size", "100", "-m", "0640"]).is(0, "", "");
    let stat = ipc(&["shm", "stat", "--json", &key]).succeeds();
    let json: serde_json::Value = serde_json::from_str(&stat).unwrap();
    assert_eq!((&json["size"], &json["mode"]), (&100.into(), &"0640".into()));
    assert_eq!((&json["attachments"], &json["marked_for_removal"]), (&0.into(), &false.into()));
    let id = json["id"].as_i64().unwrap();
    ipc(&["shm", "poke", &format!("sysv:id={id}"), "--type", "u8", "65"]).is(0, "", "");
    ipc(&["shm", "cat", &key, "--string"]).is(0, "A", "");
    assert!(
        ipc(&["shm", "ls"])
            .succeeds()
            .contains(&format!("sysv:{:#010x} ", { i64::from_str_radix(&key[7..], 16).unwrap() }))
    );
    let fixed = "a System V segment cannot be resized";
    let hint = "hint: copy it: ipc shm cat OLD | ipc shm write NEW\n";
    ipc(&["shm", "resize", &key, "200"]).is(3, "", &(complaint("resize", &key, fixed) + hint));
    ipc(&["shm", "rm", &key]).is(0, "", "");
    ipc(&["shm", "cat", &key]).is(4, "", &complaint("cat", &key, "No such file or directory"));
}

#[test]
fn rm_removes_all_it_can_and_tells_the_rest() {
    let name = created("8");
    let missing = complaint("rm", "/ipc-no-such", "No such file or directory");
    ipc(&["shm", "rm", "/ipc-no-such", &name]).is(4, "", &missing);
    ipc(&["shm", "rm", "-f", &name]).is(0, "", "");
}

#[test]
fn a_name_in_any_bytes_is_used_and_listed() {
    ipc(&["shm", "write"]).word(awkward()).input("x").is(0, "", "");
    let list = ipc(&["shm", "ls", "--json"]).succeeds();
    ipc(&["shm", "rm"]).word(awkward()).is(0, "", "");
    assert!(list.contains("base64"), "{list}");
}

#[test]
fn a_planted_link_or_fifo_is_no_segment() {
    let name = Name::new("shm");
    let path = format!("/dev/shm{}", &*name);
    let reason = "not a shared memory object: not a regular file";
    std::os::unix::fs::symlink("/etc/hostname", &path).unwrap();
    ipc(&["shm", "cat", &name]).is(3, "", &complaint("cat", &name, reason));
    ipc(&["shm", "write", &name]).input("x").is(3, "", &complaint("write", &name, reason));
    fs::remove_file(&path).unwrap();
    ipc(&["fifo", "create", &path]).is(0, "", "");
    ipc(&["shm", "cat", &name]).is(3, "", &complaint("cat", &name, reason));
}

#[test]
fn another_user_gets_what_the_mode_allows() {
    let name = created("8");
    let denied = |verb| complaint(verb, &name, "Permission denied");
    let Some(cat) = as_another_user(&["shm", "cat", &name]) else { return };
    cat.is(6, "", &denied("cat"));
    fs::set_permissions(format!("/dev/shm{}", &*name), fs::Permissions::from_mode(0o644)).unwrap();
    let peek = as_another_user(&["shm", "peek", &name, "--count", "2"]);
    peek.unwrap().is(0, "0\n0\n", "");
    let wait = as_another_user(&["shm", "wait", &name, "--type", "u64", "--eq", "5"]);
    let wait = wait.unwrap().start();
    wait.wait_until_asleep();
    as_another_user(&["shm", "poke", &name, "--type", "u8", "1"]).unwrap().is(
        6,
        "",
        &denied("poke"),
    );
    ipc(&["shm", "poke", &name, "--type", "u64", "5"]).is(0, "", "");
    assert_eq!(text(&wait.finish().stdout), "5\n");
}

const C_FACTORIALS: &str = r#"
#include <sys/mman.h>
#include <sys/wait.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
int main(int argc, char **argv) {
    int create = !strcmp(argv[1], "create");
    int fd = shm_open(argv[2], create ? O_CREAT | O_EXCL | O_RDWR : O_RDWR, 0600);
    if (fd < 0) { perror("shm_open"); return 1; }
    if (create && ftruncate(fd, 10 * sizeof(int))) { perror("ftruncate"); return 1; }
    int *table = mmap(0, 10 * sizeof(int), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (table == MAP_FAILED) { perror("mmap"); return 1; }
    if (create) {
        for (int i = 0; i < 10; i++) {
            if (fork() == 0) {
                table[i] = 1;
                for (int k = 2; k <= i + 1; k++) table[i] *= k;
                _exit(0);
            }
        }
        while (wait(0) > 0) {}
    } else {
        for (int i = 0; i < 10; i++) printf("%d\n", table[i]);
    }
    return 0;
}
"#;

#[test]
fn ten_children_in_c_store_factorials_that_ipc_prints_and_the_other_way_round() {
    let Some(c) = peers::c(C_FACTORIALS) else { return };
    let name = Name::new("shm");
    c.run(&["create", &name]).is(0, "", "");
    let factorials = "1\n2\n6\n24\n120\n720\n5040\n40320\n362880\n3628800\n";
    ipc(&["shm", "peek", &name, "--type", "i32", "--count", "10"]).is(0, factorials, "");
    let numbers: Vec<String> = (1..=10).map(|i| (i * -7).to_string()).collect();
    let words: Vec<&str> = numbers.iter().map(String::as_str).collect();
    ipc(&["shm", "poke", &name, "--type", "i32", "--"]).words(&words).is(0, "", "");
    c.run(&["print", &name]).is(0, &(numbers.join("\n") + "\n"), "");
}

#[test]
fn python_and_ipc_share_memory() {
    let name = Name::new("shm");
    let script = "import sys, mmap, struct, posix_ipc
m = posix_ipc.SharedMemory(sys.argv[1], posix_ipc.O_CREX, size=4096)
a = mmap.mmap(m.fd, m.size)
a[0:8] = struct.pack('=q', -5)
print('made', flush=True)
for line in sys.stdin:
    print(struct.unpack('=q', a[0:8])[0], flush=True)";
    let Some(python) = peers::python("posix_ipc", script, &[&name]) else { return };
    let python = python.input("\n").start();
    crate::support::until("python made it", || {
        ipc(&["shm", "peek", &name, "--type", "i64"]).output().stdout == b"-5\n"
    });
    // Its one line comes at once, so it prints what it stored, or what we stored meanwhile.
    let add = ipc(&["shm", "add", &name, "--type", "i64", "12"]);
    add.is(0, "7\n", "");
    let printed = text(&python.finish().stdout);
    assert!(["made\n-5\n", "made\n7\n"].contains(&printed.as_str()), "{printed}");
    let script = "import sys, mmap, struct, posix_ipc
m = posix_ipc.SharedMemory(sys.argv[1])
print(struct.unpack('=q', mmap.mmap(m.fd, m.size)[0:8])[0])";
    peers::python("posix_ipc", script, &[&name]).unwrap().is(0, "7\n", "");
}

#[test]
fn a_number_that_a_program_stores_without_waking_anybody_is_noticed() {
    let name = created("8");
    let waiter = ipc(&["shm", "wait", &name, "--type", "u8", "--eq", "65"]).start();
    waiter.wait_until_asleep();
    fs::write(format!("/dev/shm{}", &*name), "A").unwrap();
    let output = waiter.finish();
    // Truncating it first, as it did, may be what the waiter saw.
    assert!([0, 3].contains(&code(&output)), "{output:?}");
}

#[test]
fn huge_pages_are_had_or_refused_with_a_reason() {
    let name = Name::new("shm");
    let output = ipc(&["shm", "create", &name, "--size", "4M", "--huge"]).output();
    let hint = "\nhint: without --huge it has ordinary pages\n";
    assert!(code(&output) == 0 || text(&output.stderr).ends_with(hint), "{output:?}");
    let there = std::path::Path::new(&format!("/dev/shm{}", &*name)).exists();
    assert_eq!(there, code(&output) == 0);
}

#[test]
fn what_was_printed_before_an_error_is_printed() {
    let name = Name::new("shm");
    ipc(&["shm", "write", &name]).input("hello\0").is(0, "", "");
    let missing = "ipc: shm cat: /ipc-no-such: No such file or directory\n";
    ipc(&["shm", "cat", "--string", &name, "/ipc-no-such"]).is(4, "hello", missing);
}
