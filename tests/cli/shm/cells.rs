//! Numbers: `peek`, `poke`, `add`, `cas` and `wait`.

use std::fs;

use super::{complaint, created};
use crate::support::{Name, code, ipc, sh, text};

#[test]
fn a_number_that_is_not_aligned_is_read_and_set() {
    let name = created("10");
    for (kind, number, bytes) in [
        ("u16", "0x1234", &b"\0\x34\x12\0\0\0\0\0\0\0"[..]),
        ("u32", "0x12345678", b"\0\x78\x56\x34\x12\0\0\0\0\0"),
        ("u64", "0x123456789abcdef0", b"\0\xf0\xde\xbc\x9a\x78\x56\x34\x12\0"),
    ] {
        let cell = ["--type", kind, "--endian", "little", "--offset", "1"];
        ipc(&["shm", "poke", &name, number]).words(&cell).is(0, "", "");
        assert_eq!(ipc(&["shm", "cat", &name]).output().stdout, bytes);
        let shown = u64::from_str_radix(&number[2..], 16).unwrap();
        ipc(&["shm", "peek", &name]).words(&cell).is(0, &format!("{shown}\n"), "");
    }
}

#[test]
fn numbers_of_every_type_are_set_and_printed() {
    let (name, key) = (created("64"), Name::system_v("shm"));
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
fn an_impossible_change_is_refused_before_a_byte_changes() {
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
        "1 byte at 16 is beyond the end, 16",
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
    let beyond = format!("{} numbers of 4 bytes are more than any segment has", u64::MAX);
    refused(&["peek", "--count", &u64::MAX.to_string()], 3, &beyond);
    ipc(&["shm", "peek", &name, "--type", "u64", "--count", "2"]).is(0, "7\n7\n", "");
}

#[test]
fn cas_succeeds_once_and_otherwise_prints_the_number_found() {
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
fn a_waiter_is_woken_by_every_verb_that_changes_a_number_of_any_width() {
    for (kind, change) in [
        ("u8", &["poke", "3"][..]),
        ("i16", &["add", "3"]),
        ("u32", &["cas", "0", "3"]),
        ("i64", &["poke", "3"]),
        ("u64", &["add", "3"]),
        ("f64", &["cas", "0", "3"]),
    ] {
        let name = created("16");
        // With --poll inf, it reads the number again only if it is woken.
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
fn a_change_of_the_upper_half_of_a_wide_number_wakes_waiters() {
    let name = created("8");
    let waiter = ipc(&["shm", "wait", &name, "--type", "u64", "--change", "--poll", "inf"]).start();
    waiter.wait_until_asleep();
    ipc(&["shm", "poke", &name, "--type", "u64", "0x100000000"]).is(0, "", "");
    assert_eq!(text(&waiter.finish().stdout), "4294967296\n");
}

#[test]
fn a_wait_times_out_and_ends_at_once_if_its_condition_holds() {
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
fn a_number_that_a_program_stores_without_a_wake_up_is_detected() {
    let name = created("8");
    let waiter = ipc(&["shm", "wait", &name, "--type", "u8", "--eq", "65"]).start();
    waiter.wait_until_asleep();
    fs::write(format!("/dev/shm{}", &*name), "A").unwrap();
    let output = waiter.finish();
    // The program truncates the segment first, which the waiter may detect.
    assert!([0, 3].contains(&code(&output)), "{output:?}");
}

#[test]
fn numbers_are_printed_as_json_if_json_has_them() {
    let name = created("16");
    let peek = |words: &[&str]| ipc(&["shm", "peek", &name, "--json"]).words(words);
    ipc(&["shm", "poke", &name, "--type", "u64", "18446744073709551615"]).is(0, "", "");
    peek(&["--type", "u64", "--count", "2"]).is(0, "[18446744073709551615,0]\n", "");
    peek(&["--count", "0"]).is(0, "[]\n", "");
    ipc(&["shm", "poke", &name, "--type", "f32", "--", "0.1", "-inf", "nan"]).is(0, "", "");
    peek(&["--type", "f32", "--count", "3"]).is(0, "[0.1,\"-inf\",\"NaN\"]\n", "");
    assert_eq!(code(&peek(&["--sep", " "]).output()), 2);
}

#[test]
fn a_wait_that_would_never_sleep_is_refused() {
    let name = created("8");
    let words = ["--type", "i32", "--eq", "1", "--poll", "0"];
    let output = ipc(&["shm", "wait", &name]).words(&words).output();
    assert_eq!(code(&output), 2);
    assert_eq!(text(&output.stderr), "ipc: shm wait: --poll 0: it would never sleep\n");
}

#[test]
fn a_number_beyond_a_floating_point_type_is_refused() {
    let name = created("8");
    let run = |words: &[&str]| ipc(&["shm", words[0], &name, "--type"]).words(&words[1..]);
    for (kind, beyond) in [("f32", "1e39"), ("f32", "-3.5e38"), ("f64", "1e400")] {
        let message = format!("ipc: shm poke: {beyond}: beyond the greatest {kind}\n");
        run(&["poke", kind, "--", beyond]).is(2, "", &message);
    }
    run(&["poke", "f64", "1e308"]).is(0, "", "");
    let message = complaint("add", &name, "the sum of 1e308 and 1e308 is beyond f64");
    run(&["add", "f64", "1e308"]).is(3, "", &message);
    run(&["peek", "f64"]).is(0, "1e308\n", "");
    run(&["add", "f64", "inf"]).is(0, "inf\n", "");
    run(&["add", "f64", "--", "-1e308"]).is(0, "inf\n", "");
}

#[test]
fn a_nan_counts_as_unchanged() {
    let name = created("4");
    ipc(&["shm", "poke", &name, "--type", "f32", "nan"]).is(0, "", "");
    let words = ["shm", "wait", &name, "--type", "f32", "--change", "-t", "20ms", "--poll", "5ms"];
    ipc(&words).is(124, "", &complaint("wait", &name, "timed out"));
}

#[test]
fn a_number_is_an_i32_unless_another_type_is_given() {
    let name = created("8");
    let run = |words: &[&str]| ipc(&["shm"]).words(words);
    run(&["poke", &name, "-1"]).is(0, "", "");
    run(&["peek", &name, "--type", "u64"]).is(0, "4294967295\n", "");
    run(&["add", &name, "6"]).is(0, "5\n", "");
    run(&["cas", &name, "5", "7"]).is(0, "7\n", "");
    run(&["wait", &name, "--eq", "7"]).is(0, "7\n", "");
    run(&["peek", &name]).is(0, "7\n", "");
}

#[test]
fn an_error_of_stdout_says_that_the_number_was_changed() {
    let name = created("8");
    for (words, number) in [("add $0 5", 5), ("cas $0 5 9", 9)] {
        for (stdout, reason) in
            [("/dev/full", "No space left on device"), ("&-", "Bad file descriptor")]
        {
            ipc(&["shm", "poke", &name, if number == 5 { "0" } else { "5" }]).is(0, "", "");
            let verb = words.split(' ').next().unwrap();
            let message = format!(
                "ipc: shm {verb}: standard output: {reason}; the number was changed, it is {number} now\n"
            );
            sh(&format!("ipc shm {words} >{stdout}")).word(&*name).is(3, "", &message);
            ipc(&["shm", "peek", &name]).is(0, &format!("{number}\n"), "");
        }
    }
    // The number is unchanged.
    let message = "ipc: shm cas: standard output: No space left on device\n";
    sh("ipc shm cas $0 1 2 >/dev/full").word(&*name).is(3, "", message);
}
