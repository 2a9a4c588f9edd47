//! What others do to a queue, and what kills leave behind.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::time::Duration;

use nix::sys::signal::Signal;

use super::*;
use crate::support::{pause, skipped};

#[test]
fn kills_of_producers_and_consumers_lose_no_message_that_was_put() {
    let name = queue("4K");
    let long: String = (0..1_000_000).map(|number| format!("{number:07}\n")).collect();
    let mut last = 0;
    for round in 0..40 {
        let producer = ipc(&["queue", "push", &name]).input(long.clone()).start();
        let (consumer, log) = consumer(&name);
        pause(Duration::from_millis(3 + round % 7));
        producer.signal(Signal::SIGKILL);
        producer.finish();
        // What was put is there for the consumer, in order and without a gap.
        until("the queue is empty", || stat(&name)["messages"] == 0);
        consumer.signal(Signal::SIGTERM);
        consumer.finish();
        let got = log.text();
        let count = got.lines().count();
        assert!(got == long[..got.len()], "round {round}");
        let pushed = stat(&name)["pushed"].as_u64().unwrap();
        assert_eq!(pushed - last, count as u64);
        last = pushed;
    }
    for _ in 0..40 {
        ipc(&["queue", "push", "-n", &name]).input(long[..2000].to_owned()).output();
        let (consumer, _log) = consumer(&name);
        pause(Duration::from_millis(2));
        consumer.signal(Signal::SIGKILL);
        consumer.finish();
    }
    ipc(&["queue", "verify", &name]).is(0, "", "");
    ipc(&["queue", "pop", "--all", &name]).assert().code(0);
    ipc(&["queue", "push", "-t", "10s", &name, "still"]).is(0, "", "");
    ipc(&["queue", "pop", "-t", "10s", &name]).is(0, "still\n", "");
}

#[test]
fn a_process_that_is_stopped_delays_no_other_for_longer_than_the_timeout() {
    let name = queue("4K");
    let consumer = ipc(&["queue", "pop", "-f", &name]).start();
    consumer.wait_until_asleep();
    consumer.stop();
    // It is stopped while it sleeps, without a lock.
    ipc(&["queue", "push", "-t", "10s", &name, "a"]).is(0, "", "");
    ipc(&["queue", "pop", "-t", "10s", &name]).is(0, "a\n", "");
    consumer.signal(Signal::SIGCONT);
    ipc(&["queue", "push", &name, "b"]).is(0, "", "");
    ipc(&["queue", "close", &name]).is(0, "", "");
    assert_eq!(text(&consumer.finish().stdout), "b\n");
}

/// The file of a queue, to change what is in it.
fn file(name: &str) -> File {
    File::options().write(true).open(format!("/dev/shm{name}")).expect("it is there")
}

#[test]
fn verify_tells_what_is_damaged_and_repairs_what_loses_nothing() {
    let name = queue("4K");
    ipc(&["queue", "push", &name, "abc"]).is(0, "", "");
    ipc(&["queue", "verify", &name]).is(0, "", "");
    ipc(&["queue", "verify", "--json", &name]).is(0, "{\"whole\":true,\"findings\":[]}\n", "");
    // The cursor of claims.
    file(&name).write_all_at(&8_u64.to_ne_bytes(), 384).unwrap();
    let cursor = "the cursor of claims is not at a message\n";
    ipc(&["queue", "verify", &name]).is(1, cursor, "");
    ipc(&["queue", "verify", "--repair", &name]).is(0, &format!("repaired: {cursor}"), "");
    ipc(&["queue", "verify", &name]).is(0, "", "");
    file(&name).write_all_at(&[9; 8], 4096).unwrap();
    let corrupt = "corrupt: a message is in no known state";
    ipc(&["queue", "verify", &name]).is(3, "", &error("verify", &name, corrupt));
    ipc(&["queue", "verify", "--repair", &name]).is(3, "", &error("verify", &name, corrupt));
    ipc(&["queue", "pop", &name]).is(3, "", &error("pop", &name, corrupt));
    ipc(&["queue", "rm", &name]).is(0, "", "");
}

#[test]
fn a_queue_of_another_version_or_byte_order_is_refused() {
    let name = queue("4K");
    let refused = |reason: &str| {
        for verb in ["pop", "stat", "tap", "close", "verify"] {
            ipc(&["queue", verb, &name]).is(3, "", &error(verb, &name, reason));
        }
    };
    file(&name).write_all_at(&2_u32.to_ne_bytes(), 12).unwrap();
    refused("is of another version");
    file(&name).write_all_at(&0x0102_0304_u32.swap_bytes().to_ne_bytes(), 8).unwrap();
    refused("was made by a machine of the other byte order");
    file(&name).set_len(100).unwrap();
    refused("is not a queue");
}

#[test]
fn a_queue_that_others_may_write_is_used_without_trusting_what_is_in_it() {
    let name = Name::new("queue");
    ipc(&["queue", "create", "-m", "0666", "--capacity", "4K", &name]).is(0, "", "");
    let Some(other) = as_another_user(&["queue", "push"]) else { return };
    other.words(&[&*name, "hi", "there"]).is(0, "", "");
    ipc(&["queue", "pop", &name]).is(0, "hi\n", "");
    // A length beyond the end, a tail beyond the capacity, a file that is cut off.
    let whole = fs::read(format!("/dev/shm{}", &*name)).unwrap();
    let head = 4096 + 24;
    for (at, bytes) in [(head, u64::MAX), (head, 0x1_ffff_fff0), (128 + 72, 1 << 40)] {
        file(&name).write_all_at(&bytes.to_ne_bytes(), at).unwrap();
        file(&name).write_all_at(&bytes.to_ne_bytes(), at + 24).unwrap();
        for words in [&["pop", "-n"][..], &["tap"], &["pop", "--all"], &["stat"]] {
            let output = ipc(&["queue"]).words(words).word(&*name).output();
            let said = text(&output.stderr);
            let is_stat_of_record = words == ["stat"] && code(&output) == 0;
            assert!(
                is_stat_of_record || code(&output) == 3 && said.contains("corrupt"),
                "{words:?} {said}"
            );
        }
        file(&name).write_all_at(&whole, 0).unwrap();
    }
    file(&name).set_len(4096).unwrap();
    let corrupt = "corrupt: the size of the file is not that of the queue";
    ipc(&["queue", "pop", &name]).is(3, "", &error("pop", &name, corrupt));
    remove(&name);
}

#[test]
fn a_queue_that_is_cut_off_while_it_is_waited_for_is_an_error_and_no_signal() {
    for mode in ["0600", "0666"] {
        let name = Name::new("queue");
        ipc(&["queue", "create", "-m", mode, "--capacity", "4K", &name]).is(0, "", "");
        let consumer = ipc(&["queue", "pop", &name]).start();
        consumer.wait_until_asleep();
        file(&name).set_len(0).unwrap();
        let ended = consumer.finish();
        assert_eq!(code(&ended), 3, "{mode}");
        assert!(text(&ended.stderr).contains("corrupt: "), "{}", text(&ended.stderr));
        remove(&name);
    }
}

/// Removes a damaged queue, which `rm` may not take for a queue any more.
fn remove(name: &str) {
    let _ = fs::remove_file(format!("/dev/shm{name}"));
}

#[test]
fn a_queue_that_another_user_has_planted_is_not_used_unless_trusted() {
    let name = Name::new("queue");
    let Some(other) = as_another_user(&["queue", "create", "-m", "0666", "--capacity", "4K"])
    else {
        return;
    };
    other.word(&*name).is(0, "", "");
    let planted = "exists, created by another user (nobody) where every user can create one\n\
                   hint: --trust nobody accepts it";
    let create = ["queue", "create", "-e", "--capacity", "4K", &name];
    ipc(&create).is(6, "", &error("create", &name, planted));
    let push = ["queue", "push", "--create", "--capacity", "4K", &name, "x"];
    ipc(&push).is(6, "", &error("push", &name, planted));
    ipc(&create).words(&["--trust", "nobody"]).is(0, "", "");
    ipc(&push).words(&["--trust", "nobody"]).is(0, "", "");
    // Without --create the name was chosen.
    ipc(&["queue", "pop", &name]).is(0, "x\n", "");
}

#[test]
fn a_user_that_may_not_use_a_queue_is_denied() {
    let name = queue("4K");
    let Some(other) = as_another_user(&["queue", "pop"]) else { return };
    other.word(&*name).is(6, "", &error("pop", &name, "Permission denied"));
}

#[test]
fn a_queue_is_whole_or_not_there_on_a_full_file_system() {
    if !peers::may_unshare(&["--mount"]) {
        return;
    }
    let line = "mount -t tmpfs -o size=16k none /dev/shm || exit
        ipc queue create /a --capacity 8K; echo $?
        ipc queue create /b --capacity 8K; echo $?
        ipc queue push --create --capacity 8K /b x; echo $?
        ipc queue push -n /a $(seq 2000); echo $?
        ls /dev/shm";
    let output = sh("exec unshare --mount sh -c \"$0\"").word(line).output();
    assert_eq!(text(&output.stdout), "0\n3\n3\n1\na\n");
    let full = "No space left on device\nhint: 'df' shows the free space";
    let said = [error("create", "/b", full), error("push", "/b", full)].concat();
    assert_eq!(text(&output.stderr), said);
}

#[test]
fn processes_of_two_pid_namespaces_share_a_queue() {
    if !peers::may_unshare(&["--pid", "--fork"]) {
        return;
    }
    let name = queue("4K");
    let lines: String = (0..50_000).map(|number| format!("{number}\n")).collect();
    let line = "exec unshare --pid --fork ipc queue push \"$0\"";
    let (consumer, log) = consumer(&name);
    sh(line).word(&*name).input(lines.clone()).is(0, "", "");
    ipc(&["queue", "close", &name]).is(0, "", "");
    consumer.finish();
    assert!(log.text() == lines);
}

#[test]
fn a_queue_in_a_file_outlives_its_processes() {
    let directory = tempfile::tempdir().unwrap();
    let run = |words: &[&str]| ipc(&["queue"]).words(words).within(directory.path());
    run(&["push", "--create", "--capacity", "4K", "./q", "a"]).is(0, "", "");
    // A queue that was made in another boot is made valid in this one.
    let path = directory.path().join("q");
    let mut bytes = fs::read(&path).unwrap();
    if bytes[32..48] == [0; 16] {
        skipped("the boot has no number");
        return;
    }
    bytes[32] ^= 1;
    let sum = bytes[..120].iter().fold(0xcbf2_9ce4_8422_2325_u64, |sum, byte| {
        (sum ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    bytes[120..128].copy_from_slice(&sum.to_ne_bytes());
    fs::write(&path, bytes).unwrap();
    run(&["pop", "./q"]).is(0, "a\n", "");
}
