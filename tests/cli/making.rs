//! An object is complete or does not exist, whatever ends the process that creates it.

use std::process::Output;
use std::time::Duration;

use crate::nouns::{self, Names, Noun};
use crate::peers::{self, Call, Stopped, system_calls};
use crate::support::{Name, code, ipc, pause, text};

/// The command that creates an object, and facts of the complete object.
const WHOLE: [(&[&str], &[&str]); 5] = [
    (
        &["sem", "create", "--value", "3", "--nsems", "2"],
        &[r#""values":[3,3]"#, r#""mode":"0600""#],
    ),
    (&["sem", "create", "--value", "3", "-m", "0440"], &[r#""values":[3]"#, r#""mode":"0440""#]),
    // More than one semop(2) changes.
    (&["sem", "create", "--value", "3", "--nsems", "501"], &["3,3,3]", r#""nsems":501"#]),
    (
        &["mq", "create", "--max-bytes", "4096", "-m", "0440"],
        &[r#""max_bytes":4096"#, r#""mode":"0440""#],
    ),
    (&["shm", "create", "--size", "64", "-m", "0440"], &[r#""size":64"#, r#""mode":"0440""#]),
];

/// The system calls of a run, from the one that creates the object on.
fn calls_from_creation(words: &[&str]) -> Option<Vec<Call>> {
    let mut calls = system_calls(words)?;
    let is_making = |call: &Call| {
        ["semget(", "msgget(", "shmget("].iter().any(|get| call.line.starts_with(get))
    };
    let first = calls.iter().position(is_making).expect("it makes an object");
    Some(calls.split_off(first))
}

/// The facts that `stat` prints; `None` if the object does not exist.
fn facts_of(noun: &str, name: &str) -> Option<String> {
    let output = ipc(&[noun, "stat", "--json", name]).output();
    (code(&output) == 0).then(|| text(&output.stdout))
}

fn is_complete(printed: &str, facts: &[&str]) -> bool {
    facts.iter().all(|fact| printed.contains(fact))
}

#[test]
fn a_signal_during_the_creation_of_a_system_v_object_leaves_a_complete_one_or_none() {
    for (words, facts) in WHOLE {
        let noun = match words[0] {
            "sem" => "sem",
            "mq" => "mq",
            _ => "shm",
        };
        let name = Name::system_v(noun);
        let words = [words, &[&*name]].concat();
        let Some(calls) = calls_from_creation(&words) else { return };
        let removed = calls.iter().filter(|call| {
            ipc(&[noun, "rm", "-f", &name]).is(0, "", "");
            call.signals("SIGTERM", &words).output();
            let printed = facts_of(noun, &name);
            assert!(
                printed.as_ref().is_none_or(|printed| is_complete(printed, facts)),
                "{call:?} {printed:?}"
            );
            printed.is_none()
        });
        assert!(removed.count() > 0, "{words:?}");
    }
}

#[test]
fn the_incomplete_object_of_a_killed_creator_is_not_used() {
    for (words, facts) in &WHOLE[..4] {
        let noun = if words[0] == "sem" { "sem" } else { "mq" };
        let name = Name::system_v(noun);
        let words = [*words, &[&*name]].concat();
        let again = [&words[..2], &["-e"], &words[2..]].concat();
        let Some(calls) = calls_from_creation(&words) else { return };
        let unfinished = calls.iter().filter(|call| {
            ipc(&[noun, "rm", "-f", &name]).is(0, "", "");
            call.signals("SIGKILL", &words).output();
            let output = ipc(&again).output();
            // Its permissions are set last, and allow nothing to other users until then.
            let is_refused = code(&output) == 5;
            let printed = facts_of(noun, &name).expect("a process has created it");
            assert!(is_refused || is_complete(&printed, facts), "{call:?} {printed}");
            is_refused && text(&output.stderr).contains("finished")
        });
        assert!(unfinished.count() > 0, "{words:?}");
    }
}

/// Two commands that create the same object. One is stopped between its creation and its completion.
fn after_a_stop(words: &[&str], meanwhile: &[&str]) -> Option<(Output, Output)> {
    let call = calls_from_creation(words)?.swap_remove(0);
    ipc(&[words[0], "rm", words.last().unwrap()]).is(0, "", "");
    let maker = Stopped::after(&call, words);
    let other = ipc(meanwhile).start();
    other.wait_until_asleep();
    let maker = maker.continue_to_end();
    Some((maker, other.finish()))
}

#[test]
fn a_command_waits_for_the_creator_of_an_incomplete_object() {
    let name = Name::system_v("sem");
    let words = ["sem", "create", "--value", "3", &name];
    let again = ["sem", "create", "-e", "--value", "3", &name];
    let Some((maker, other)) = after_a_stop(&words, &again) else { return };
    assert_eq!((code(&maker), code(&other), text(&other.stderr)), (0, 0, String::new()));
    ipc(&["sem", "value", &name]).is(0, "3\n", "");
    let queue = Name::system_v("mq");
    let words = ["mq", "create", "--max-bytes", "4096", &queue];
    let send = ["mq", "send", "--create", &queue, "x"];
    let Some((maker, other)) = after_a_stop(&words, &send) else { return };
    assert_eq!((code(&maker), code(&other), text(&other.stderr)), (0, 0, String::new()));
    ipc(&["mq", "recv", &queue]).is(0, "x\n", "");
}

#[test]
fn a_set_with_other_values_is_refused_and_not_reset() {
    const FOREIGN: &str = r#"
#include <stdlib.h>
#include <sys/sem.h>
int main(int argc, char **argv) {
    int id = semget(strtol(argv[1] + 5, NULL, 0), 1, IPC_CREAT | IPC_EXCL | 0600);
    return id < 0 || semctl(id, 0, SETVAL, 7);
}
"#;
    let name = Name::system_v("sem");
    let Some(program) = peers::c(FOREIGN) else { return };
    program.run(&[&name]).is(0, "", "");
    ipc(&["sem", "create", "-e", "--value", "7", &name]).is(0, "", "");
    let refused = |verb: &str| {
        format!(
            "ipc: sem {verb}: {}: exists with other values, and is not finished\n\
             hint: its creator was killed, or sets values as ipcmk(1) does: 'ipc sem create -e \
             --reset' gives it the values, 'ipc sem rm' removes it\n",
            &*name
        )
    };
    ipc(&["sem", "create", "-e", "--value", "3", &name]).is(5, "", &refused("create"));
    ipc(&["sem", "run", "--create", "3", &name, "--", "true"]).is(125, "", &refused("run"));
    ipc(&["sem", "value", &name]).is(0, "7\n", "");
    ipc(&["sem", "create", "-e", "--reset", "--value", "3", "-m", "0640", &name]).is(0, "", "");
    assert!(is_complete(&facts_of("sem", &name).unwrap(), COMPLETE_AFTER_RESET));
    ipc(&["sem", "create", "-e", "--value", "4", &name]).is(0, "", "");
}

const COMPLETE_AFTER_RESET: &[&str] = &[r#""values":[3]"#, r#""mode":"0640""#];

#[test]
fn reset_sets_the_value_of_an_existing_semaphore() {
    let name = Name::new("sem");
    let create = |words: &[&str]| ipc(&["sem", "create", &name]).words(words);
    create(&["--reset"]).is(
        2,
        "",
        "ipc: sem create: the following required arguments were not provided: --exist-ok\n\
         hint: try 'ipc sem create --help'\n",
    );
    create(&["-e", "--reset", "--value", "2"]).is(0, "", "");
    ipc(&["sem", "wait", &name]).is(0, "", "");
    create(&["-e", "--value", "2"]).is(0, "", "");
    ipc(&["sem", "value", &name]).is(0, "1\n", "");
    create(&["-e", "--reset", "--value", "2", "-m", "0660"]).is(0, "", "");
    let printed = facts_of("sem", &name).unwrap();
    assert!(is_complete(&printed, &[r#""value":2"#, r#""mode":"0660""#]), "{printed}");
    let holder = ipc(&["sem", "run", &name, "--", "sleep", "60"]).start();
    while !ipc(&["sem", "value", &name]).succeeds().starts_with('1') {
        pause(Duration::from_millis(5));
    }
    assert_eq!(code(&create(&["-e", "--reset", "--value", "2"]).output()), 5);
    drop(holder);
}

#[test]
fn an_existing_object_with_another_mode_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let refused = |noun: &str, verb: &str, name: &str| {
        format!("ipc: {noun} {verb}: {name}: exists with --mode 0600\n")
    };
    let objects = nouns::objects(directory.path());
    for (Noun { name: noun, create: size, .. }, name) in &objects {
        let create = |words: &[&str]| {
            ipc(&[noun, "create", name]).words(size).words(words).within(directory.path())
        };
        create(&[]).is(0, "", "");
        create(&["-e"]).is(0, "", "");
        create(&["-e", "-m", "0600"]).is(0, "", "");
        create(&["-e", "-m", "0666"]).is(5, "", &refused(noun, "create", name));
        if matches!(*noun, "shm" | "map") {
            let write = ipc(&[noun, "write", "-m", "0644", name]).within(directory.path());
            write.input("x").is(5, "", &refused(noun, "write", name));
        }
    }
    let write = ["fifo", "write", "-n", "--create", "-m", "0644", "fifo", "x"];
    ipc(&write).within(directory.path()).is(5, "", &refused("fifo", "write", "fifo"));
}

#[test]
fn every_noun_prints_the_key_of_an_object_in_the_same_form() {
    for Noun { name: noun, create: size, .. } in nouns::with(Names::Kernel) {
        let name = Name::system_v(noun);
        ipc(&[noun, "create", &name]).words(size).is(0, "", "");
        let printed: serde_json::Value =
            serde_json::from_str(&facts_of(noun, &name).unwrap()).unwrap();
        assert_eq!(printed["key"], name["sysv:".len()..], "{noun}");
        let me = nix::unistd::geteuid().as_raw();
        assert_eq!((&printed["creator_uid"], printed["creator_gid"].is_u64()), (&me.into(), true));
    }
}

#[test]
fn an_error_names_the_wrong_part_of_a_key_that_ftok_makes() {
    for Noun { name: noun, .. } in nouns::with(Names::Kernel) {
        let usage = "PROJ in sysv:PATH:PROJ is one character, or a number from 1 to 255";
        ipc(&[noun, "stat", "sysv:/tmp:long"]).is(
            2,
            "",
            &format!(
                "ipc: {noun} stat: sysv:/tmp:long: {usage}\nhint: try 'ipc {noun} stat --help'\n"
            ),
        );
    }
    let missing = |verb: &str| {
        format!(
            "ipc: {verb}: sysv:/no/such:J: there is no /no/such, from which its key is made\n\
             hint: ftok(3) makes the key of an existing file and PROJ\n"
        )
    };
    ipc(&["sem", "create", "sysv:/no/such:J"]).is(4, "", &missing("sem create"));
    ipc(&["sem", "post", "sysv:/no/such:J"]).is(4, "", &missing("sem post"));
    ipc(&["mq", "send", "--create", "sysv:/no/such:J", "x"]).is(4, "", &missing("mq send"));
    for words in
        ["shm cat", "shm stat", "shm rm", "sem stat", "sem rm", "mq stat", "mq rm", "mq recv"]
    {
        let words: Vec<&str> = words.split(' ').chain(["sysv:/no/such:J"]).collect();
        ipc(&words).is(4, "", &missing(&words[..2].join(" ")));
    }
    ipc(&["shm", "create", "sysv:/no/such:J", "--size", "1"]).is(4, "", &missing("shm create"));
    ipc(&["shm", "write", "sysv:/no/such:J"]).is(4, "", &missing("shm write"));
}

#[test]
fn the_limit_of_the_kernel_is_distinguished_from_that_of_a_queue() {
    let name = Name::system_v("mq");
    ipc(&["mq", "create", &name]).is(0, "", "");
    let limit = std::fs::read_to_string("/proc/sys/kernel/msgmax").unwrap();
    let limit: usize = limit.trim().parse().unwrap();
    let bytes = limit + 1;
    ipc(&["mq", "send", "--frame", "whole", &name]).input(vec![b'x'; bytes]).is(
        3,
        "",
        &format!(
            "ipc: mq send: {}: message of {bytes} bytes is longer than the kernel allows ({limit})\n\
             hint: as root: sysctl kernel.msgmax={bytes}\n",
            &*name
        ),
    );
}

#[test]
fn a_semaphore_of_a_program_that_is_linked_to_musl_is_reported() {
    let name = Name::new("shm");
    std::fs::write(format!("/dev/shm{}", &*name), [0; 32]).unwrap();
    ipc(&["sem", "wait", &name]).is(
        4,
        "",
        &format!(
            "ipc: sem wait: {0}: No such file or directory\n\
             hint: /dev/shm{0} may be a semaphore of this name of a program built with musl; 'ipc' \
             and programs built with glibc cannot share it\n",
            &*name
        ),
    );
}

#[test]
fn in_a_directory_that_was_removed_nothing_is_found() {
    let directory = tempfile::tempdir().unwrap();
    let line = "mkdir gone && cd gone && rmdir ../gone && exec ipc";
    for words in [
        "queue create --capacity 4K ./q",
        "map create --size 4K ./m",
        "lock take ./l",
        "fifo create ./p",
    ] {
        let output =
            crate::support::sh(&format!("{line} {words}")).within(directory.path()).output();
        let said = text(&output.stderr);
        assert!(said.contains(": No such file or directory"), "{words}: {said}");
        assert_eq!(code(&output), 4, "{words}");
    }
}
