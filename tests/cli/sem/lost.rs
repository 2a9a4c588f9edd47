//! Files that are truncated while they are used, which would end processes that map them by SIGBUS.

use std::fs::OpenOptions;
use std::path::Path;

use super::semaphore;
use crate::peers;
use crate::support::{Name, Run, binary, code, ipc, sh, text};

fn cut_off(path: impl AsRef<Path>) {
    OpenOptions::new().write(true).open(path).unwrap().set_len(0).unwrap();
}

fn file(name: &Name) -> String {
    format!("/dev/shm/sem.{}", &name[1..])
}

/// The message of a verb whose semaphore was truncated.
fn gone(verb: &str, name: &str) -> String {
    format!(
        "ipc: {verb}: {name}: the memory of the semaphore is gone: its file was truncated, or /dev/shm \
         is full\nhint: 'ipc sem rm' removes it; then create the semaphore again\n"
    )
}

#[test]
fn a_waiter_for_a_semaphore_that_is_truncated_reports_it() {
    let segment = Name::new("shm");
    ipc(&["shm", "create", &segment, "--size", "8"]).is(0, "", "");
    for (verb, words, status) in [
        ("sem wait", &["sem", "wait"][..], 3),
        ("sem wait", &["sem", "wait", "--count", "2"], 3),
        ("sem run", &["sem", "run"], 125),
        ("shm cat", &["shm", "cat", &segment, "--guard"], 3),
    ] {
        let name = semaphore(0);
        let mut words = [words, &[&name]].concat();
        if verb == "sem run" {
            words.extend(["--", "true"]);
        }
        let waiter = ipc(&words).start();
        waiter.wait_until_at_futex();
        cut_off(file(&name));
        let output = waiter.finish();
        let seen = (code(&output), text(&output.stderr));
        let subject = match verb {
            "shm cat" => format!("--guard {}", &*name),
            _ => name.to_string(),
        };
        assert_eq!(seen, (status, gone(verb, &subject)), "{words:?}");
    }
}

#[test]
fn a_command_whose_semaphore_is_truncated_keeps_its_status_and_the_loss_is_reported() {
    let name = semaphore(1);
    sh("ipc sem run \"$0\" -- sh -c ': >\"$0\"; exit 7' \"$1\"").word(&*name).word(file(&name)).is(
        7,
        "",
        &gone("sem run", &name),
    );
}

#[test]
fn a_party_at_a_barrier_that_is_truncated_reports_it() {
    // No semaphore is ever made of it, so there is none to remove.
    let name = Name::new("sem");
    let file = format!("/dev/shm/ipc-barrier.{}", &name[1..]);
    let waiter = ipc(&["sem", "barrier", &name, "--parties", "2"]).start();
    waiter.wait_until_at_futex();
    cut_off(&file);
    let output = waiter.finish();
    let reason = "the memory of the barrier is gone: its file was truncated, or /dev/shm is full";
    let expected = format!("ipc: sem barrier: {}: {reason}\n", &*name);
    assert_eq!((code(&output), text(&output.stderr)), (3, expected));
    std::fs::remove_file(file).unwrap();
}

/// A line of shell where `/dev/shm` has one page, which is in use; `None` without permission to mount.
fn where_memory_is_full(line: &str) -> Option<Run> {
    let mount = "mount -t tmpfs -o size=4k tmpfs /dev/shm && head -c 4096 /dev/zero >/dev/shm/full";
    peers::may_unshare(&["--mount"])
        .then(|| Run::new("unshare", &["--mount", "sh", "-c", &format!("{mount} && {line}")]))
        .map(|run| run.word(binary()))
}

#[test]
fn a_semaphore_that_is_a_hole_in_a_full_file_system_is_refused() {
    for verb in ["value", "post", "wait", "stat"] {
        let line = format!("truncate -s 32 /dev/shm/sem.x && \"$0\" sem {verb} /x");
        let Some(run) = where_memory_is_full(&line) else { return };
        run.is(3, "", &gone(&format!("sem {verb}"), &Name::of("sem", "/x")));
    }
}

#[test]
fn a_failed_creation_in_a_full_file_system_leaves_nothing() {
    for (words, status) in
        [("create /x", 3), ("run --create 1 /x -- true", 125), ("barrier /x --parties 2", 3)]
    {
        let line = format!("{{ \"$0\" sem {words}; echo $?; ls /dev/shm; }}");
        let Some(run) = where_memory_is_full(&line) else { return };
        let verb = words.split(' ').next().unwrap();
        let reason = format!(
            "ipc: sem {verb}: /x: No space left on device\nhint: 'df' shows the free space\n"
        );
        run.is(0, &format!("{status}\nfull\n"), &reason);
    }
}
