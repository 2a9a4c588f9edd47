//! `ipc sem` at System V semaphores.

use nix::sys::signal::Signal;

use crate::peers;
use crate::support::{Name, as_another_user, binary, code, ipc, sh, text, until};

/// A set with this value in each of its semaphores.
fn set(count: u32, value: u32) -> Name {
    let name = Name::system_v("sem");
    let (count, value) = (count.to_string(), value.to_string());
    ipc(&["sem", "create", &name, "--nsems", &count, "--value", &value]).is(0, "", "");
    name
}

const C_SET: &str = r#"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sem.h>
int main(int argc, char **argv) {
    key_t key = strtol(argv[2] + 5, NULL, 0);
    int create = !strcmp(argv[1], "create");
    int id = semget(key, create ? 2 : 0, create ? IPC_CREAT | IPC_EXCL | 0600 : 0);
    if (id < 0) { perror("semget"); return 1; }
    struct sembuf change = { .sem_num = 1, .sem_op = argc > 3 ? atoi(argv[3]) : 0 };
    if (change.sem_op && semop(id, &change, 1)) { perror("semop"); return 1; }
    printf("%d\n", semctl(id, 1, GETVAL));
    return 0;
}
"#;

#[test]
fn each_semaphore_of_a_set_counts_by_itself() {
    let name = set(3, 1);
    ipc(&["sem", "post", &name, "--index", "1", "--count", "4"]).is(0, "", "");
    ipc(&["sem", "wait", &name, "--index", "2"]).is(0, "", "");
    for (index, value) in [("0", "1\n"), ("1", "5\n"), ("2", "0\n")] {
        ipc(&["sem", "value", &name, "--index", index]).is(0, value, "");
    }
    ipc(&["sem", "set", &name, "7", "--index", "2"]).is(0, "", "");
    assert!(ipc(&["sem", "stat", "--json", &name]).succeeds().contains(r#""values":[1,5,7]"#));
}

#[test]
fn an_index_beyond_the_set_is_named() {
    let name = set(2, 0);
    for words in [&["value"][..], &["wait", "-n"], &["post"], &["run", "-n"]] {
        let line = format!("ipc sem {} --index 2 \"$0\"", words.join(" "));
        let line = if words[0] == "run" { line + " -- true" } else { line };
        sh(&line).word(&*name).is(
            if words[0] == "run" { 125 } else { 4 },
            "",
            &format!(
                "ipc: sem {}: {}: no semaphore 2: the set has 2\n\
                 hint: the first is --index 0, the last --index 1\n",
                words[0], &*name
            ),
        );
    }
}

#[test]
fn several_units_are_taken_at_once_or_not_at_all() {
    let name = set(1, 2);
    ipc(&["sem", "wait", "-n", "--count", "3", &name]).is(1, "", "");
    ipc(&["sem", "wait", "-t", "20ms", "--count", "3", &name]).is(
        124,
        "",
        &format!("ipc: sem wait: {}: timed out\n", &*name),
    );
    ipc(&["sem", "wait", "-t", "0", "--count", "2", &name]).is(0, "", "");
    ipc(&["sem", "value", &name]).is(0, "0\n", "");
}

#[test]
fn stopping_and_continuing_does_not_end_a_wait_and_removing_does() {
    let name = set(1, 0);
    let waiter = ipc(&["sem", "wait", "-t", "1m", &name]).start();
    waiter.wait_until_asleep();
    waiter.stop_and_continue();
    waiter.wait_until_asleep();
    assert!(
        ipc(&["sem", "stat", "--json", &name])
            .succeeds()
            .contains(r#""waiters":1,"unit_waiters":[1]"#)
    );
    ipc(&["sem", "rm", &name]).is(0, "", "");
    let output = waiter.finish();
    let expected = format!("ipc: sem wait: {}: the semaphore was removed\n", &*name);
    assert_eq!((code(&output), text(&output.stderr)), (4, expected));
    ipc(&["sem", "rm", &name]).is(
        4,
        "",
        &format!("ipc: sem rm: {}: No such file or directory\n", &*name),
    );
}

#[test]
fn a_value_beyond_that_of_the_kernel_is_refused() {
    let name = set(1, 32767);
    let refused = |verb: &str| {
        format!("ipc: sem {verb}: {}: the value would be above the maximum, 32767\n", &*name)
    };
    ipc(&["sem", "post", &name]).is(3, "", &refused("post"));
    for (words, units) in [
        (&["post", "--count", "40000"][..], 40000),
        (&["wait", "--count", "32768"], 32768),
        (&["create", "--value", "32768"], 32768),
    ] {
        let reason = format!("{units} is above the maximum value (32767)");
        ipc(&["sem"]).words(words).word(&*name).is(
            2,
            "",
            &format!("ipc: sem {}: {}: {reason}\n", words[0], &*name),
        );
    }
    let reason = "32768 is above the maximum value (32767)";
    let impossible = format!("ipc: sem set: {}: {reason}\n", &*name);
    ipc(&["sem", "set", &name, "32768"]).is(2, "", &impossible);
    ipc(&["sem", "wait", "--count", "32767", &name]).is(0, "", "");
}

#[test]
fn create_accepts_an_existing_set_only_with_exist_ok_and_the_same_size() {
    let name = set(2, 0);
    let exists = |reason: &str| format!("ipc: sem create: {}: {reason}\n", &*name);
    ipc(&["sem", "create", &name]).is(
        5,
        "",
        &exists("File exists\nhint: --exist-ok accepts an existing one"),
    );
    ipc(&["sem", "create", "-e", &name]).is(0, "", "");
    ipc(&["sem", "create", "-e", "--nsems", "2", &name]).is(0, "", "");
    ipc(&["sem", "create", "-e", "--nsems", "3", &name]).is(
        5,
        "",
        &exists("exists with --nsems 2"),
    );
}

#[test]
fn a_set_without_a_key_is_reached_by_its_identifier() {
    let line = ipc(&["sem", "create", "sysv:0", "--value", "2"]).succeeds();
    let name = Name::of("sem", line.trim_end());
    ipc(&["sem", "value", &name]).is(0, "2\n", "");
    let listed = ipc(&["sem", "ls", "--json"]).succeeds();
    assert!(listed.contains(&format!(r#""name":"{}","value":2,"nsems":1"#, &*name)), "{listed}");
}

#[test]
fn a_set_that_could_not_be_found_again_is_not_created() {
    ipc(&["sem", "run", "--create", "1", "sysv:0", "--", "true"]).is(
        2,
        "",
        "ipc: sem run: sysv:0: each use of this name makes a new object, which no other command finds\n\
         hint: 'create' makes one, and prints a name for it\n",
    );
}

#[test]
fn options_of_the_other_kind_are_refused() {
    let (posix, system_v) = (Name::new("sem"), Name::system_v("sem"));
    ipc(&["sem", "create", &posix, "--nsems", "2"]).is(
        2,
        "",
        &format!(
            "ipc: sem create: {}: --nsems is for System V sets; a POSIX semaphore stands alone\n",
            &*posix
        ),
    );
    ipc(&["sem", "post", &posix, "--undo"]).is(
        2,
        "",
        &format!(
            "ipc: sem post: {}: --undo is for System V semaphores; 'ipc sem run' releases \
             permits in any case\n",
            &*posix
        ),
    );
    ipc(&["sem", "value", &posix, "--index", "0"]).is(
        2,
        "",
        &format!(
            "ipc: sem value: {}: --index is for System V sets; a POSIX semaphore stands alone\n",
            &*posix
        ),
    );
    ipc(&["sem", "value", &system_v]).is(
        4,
        "",
        &format!(
            "ipc: sem value: {}: No such file or directory\nhint: 'ipc sem create' makes it\n",
            &*system_v
        ),
    );
}

#[test]
fn a_change_with_undo_is_reverted_when_the_process_ends() {
    let name = set(1, 1);
    ipc(&["sem", "wait", "--undo", &name]).is(0, "", "");
    ipc(&["sem", "value", &name]).is(0, "1\n", "");
    ipc(&["sem", "post", "--undo", &name]).is(0, "", "");
    ipc(&["sem", "value", &name]).is(0, "1\n", "");
}

#[test]
fn a_run_becomes_the_command_and_its_units_come_back_when_it_is_killed() {
    let name = set(2, 3);
    sh("ipc sem run --index 1 --count 2 \"$0\" -- sh -c 'ipc sem value --index 1 \"$0\"; exit 7' \"$0\"")
        .word(&*name)
        .is(7, "1\n", "");
    let running = ipc(&["sem", "run", "--count", "3", &name, "--", "sleep", "600"]).start();
    let comm = format!("/proc/{}/comm", running.pid());
    until("it has become the command", || {
        std::fs::read_to_string(&comm).is_ok_and(|comm| comm == "sleep\n")
    });
    ipc(&["sem", "value", &name]).is(0, "0\n", "");
    let next = ipc(&["sem", "run", "-t", "1m", &name, "--", "echo", "next"]).start();
    next.wait_until_asleep();
    running.signal(Signal::SIGKILL);
    assert_eq!(text(&next.finish().stdout), "next\n");
    until("the units are back", || ipc(&["sem", "value", &name]).succeeds() == "3\n");
}

#[test]
fn a_run_creates_a_set_of_one() {
    let name = Name::system_v("sem");
    ipc(&["sem", "run", "--create", "2", &name, "--", "true"]).is(0, "", "");
    ipc(&["sem", "value", &name]).is(0, "2\n", "");
}

#[test]
fn a_c_program_and_ipc_share_a_set() {
    let Some(c) = peers::c(C_SET) else { return };
    let (ours, theirs) = (set(2, 3), Name::system_v("sem"));
    c.run(&["change", &ours, "-2"]).is(0, "1\n", "");
    ipc(&["sem", "value", "--index", "1", &ours]).is(0, "1\n", "");
    c.run(&["create", &theirs]).is(0, "0\n", "");
    let waiter = c.run(&["change", &theirs, "-2"]).start();
    waiter.wait_until_asleep();
    ipc(&["sem", "post", "--index", "1", "--count", "2", &theirs]).is(0, "", "");
    assert_eq!(text(&waiter.finish().stdout), "0\n");
    let waiter = ipc(&["sem", "wait", "--index", "1", &theirs]).start();
    waiter.wait_until_asleep();
    c.run(&["change", &theirs, "1"]).succeeds();
    assert_eq!(code(&waiter.finish()), 0);
}

/// Makes a semaphore of 3 units, or opens one and acquires or releases a unit, and tells the value.
const PYTHON_SEMAPHORE: &str = "
import sys, sysv_ipc
verb, name = sys.argv[1:]
flags = {'flags': sysv_ipc.IPC_CREX, 'initial_value': 3} if verb == 'create' else {}
semaphore = sysv_ipc.Semaphore(int(name[5:], 0), **flags)
if verb != 'create': getattr(semaphore, verb)()
print(semaphore.value)
";

#[test]
fn python_and_ipc_use_semaphores_of_each_other_and_wake_each_other() {
    let (ours, theirs) = (set(1, 0), Name::system_v("sem"));
    let python = |verb, name| peers::python("sysv_ipc", PYTHON_SEMAPHORE, &[verb, name]);
    let waits = |name| ipc(&["sem", "stat", "--json", name]).succeeds().contains("\"waiters\":1,");
    let Some(create) = python("create", &theirs) else { return };
    create.is(0, "3\n", "");
    ipc(&["sem", "wait", "--count", "3", &theirs]).is(0, "", "");
    let waiter = ipc(&["sem", "wait", &theirs]).start();
    until("ipc waits", || waits(&theirs));
    python("release", &theirs).expect("it worked before").succeeds();
    assert_eq!(code(&waiter.finish()), 0);
    let waiter = python("acquire", &ours).expect("it worked before").start();
    until("python waits", || waits(&ours));
    ipc(&["sem", "post", &ours, "--count", "2"]).is(0, "", "");
    assert_eq!(text(&waiter.finish().stdout), "1\n");
    ipc(&["sem", "value", &ours]).is(0, "1\n", "");
}

/// A line of shell in an IPC namespace of its own, where kernel.sem is this; `None` where we may
/// not have one.
fn with_limits(limits: &str, line: &str) -> Option<crate::support::Run> {
    let enter = "echo \"$1\" >/proc/sys/kernel/sem && shift && exec \"$@\"";
    let words = ["--ipc", "--mount-proc", "--fork", "--pid", "sh", "-c", enter, "sh", limits];
    if !peers::may_unshare(&["--ipc", "--mount-proc", "--fork", "--pid"]) {
        return None;
    }
    let run = crate::support::Run::new("unshare", &words).words(&["sh", "-c", line]);
    Some(run.word(binary()))
}

#[test]
fn a_limit_of_the_kernel_is_named_with_the_number_in_use() {
    const HINT: &str = "hint: 'ipc sem ls' shows them; sysctl kernel.sem has the limits: semaphores \
                        in a set, in all sets, changes at once, and sets\n";
    let sets = "\"$0\" sem create sysv:1 && \"$0\" sem create sysv:2";
    let Some(sets) = with_limits("10 20 5 1", sets) else { return };
    let reason = "the maximum number of sets is reached (1 of 1)";
    sets.is(3, "", &format!("ipc: sem create: sysv:2: {reason}\n{HINT}"));
    let semaphores =
        "\"$0\" sem create sysv:1 --nsems 8 --value 1 && \"$0\" sem create sysv:2 --nsems 3";
    let Some(semaphores) = with_limits("10 10 5 4", semaphores) else { return };
    let reason = "3 more semaphores are too many (8 of 10 are in use)";
    semaphores.is(3, "", &format!("ipc: sem create: sysv:2: {reason}\n{HINT}"));
    let large = "\"$0\" sem create sysv:1 --nsems 11";
    let Some(large) = with_limits("10 20 5 4", large) else { return };
    let reason = "11 semaphores are more than a set may have (10)";
    let hint = "hint: the first number of sysctl kernel.sem is the limit\n";
    large.is(3, "", &format!("ipc: sem create: sysv:1: {reason}\n{hint}"));
}

#[test]
fn a_set_that_its_maker_may_not_use_has_the_value_that_was_asked_for() {
    for mode in ["0444", "0222"] {
        let key = Name::system_v("sem");
        let words = ["sem", "create", "-m", mode, "--nsems", "2", "--value", "3", &key];
        let Some(create) = as_another_user(&words) else { return };
        create.is(0, "", "");
        ipc(&["sem", "value", &key, "--index", "1"]).is(0, "3\n", "");
        assert!(ipc(&["sem", "stat", "--json", &key]).succeeds().contains(&format!("\"{mode}\"")));
    }
}
