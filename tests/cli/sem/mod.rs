//! `ipc sem`.

mod accidents;
mod barrier;
mod killed;
mod lost;
mod run;
mod stopped;
mod system_v;
mod zero;

use std::fs;

use nix::unistd::Pid;
use predicates::str::contains;

use crate::nouns::{Names, Noun, Wait};
use crate::peers;
use crate::support::{
    Name, Run, Running, as_another_user, awkward, binary, children, ipc, sh, text, until,
};

pub const NOUN: Noun = Noun {
    name: "sem",
    names: Names::Kernel,
    create: &[],
    waits,
    commands: &["ipc sem run $name -- sh", "ipc sem create --while $key -- sh"],
};

fn waits() -> Vec<Wait> {
    const NAME: &str = "ipc sem create $name";
    const KEY: &str = "ipc sem create $key";
    const BARRIER: &str = "ipc sem barrier --parties 2 $name";
    vec![
        Wait::new(NAME, "ipc sem wait $name", "ipc sem post $name", "")
            .says("$name: waiting until the value is 1 or more; it is 0"),
        Wait::new(NAME, "ipc sem wait --count 2 $name", "ipc sem post --count 2 $name", ""),
        Wait::new(NAME, "ipc sem run $name -- echo mine", "ipc sem post $name", "mine\n"),
        Wait::new(KEY, "ipc sem wait $key", "ipc sem post $key", "")
            .says("$key: waiting until the value is 1 or more; it is 0"),
        Wait::new(
            "ipc sem create --value 1 $key",
            "ipc sem wait --zero $key",
            "ipc sem set $key 0",
            "",
        )
        .says("$key: waiting until the value is 0; it is 1"),
        Wait::new(KEY, "ipc sem run $key -- echo mine", "ipc sem post $key", "mine\n"),
        Wait::new(":", BARRIER, BARRIER, "").says("$name: waiting until 2 have arrived"),
    ]
}

/// A semaphore of this many units.
fn semaphore(value: u32) -> Name {
    let name = Name::new("sem");
    ipc(&["sem", "create", &name, "--value", &value.to_string()]).is(0, "", "");
    name
}

fn value(name: &Name) -> String {
    ipc(&["sem", "value", name]).succeeds()
}

fn comes_back_to(name: &Name, units: u32) {
    until("the units are back", || value(name) == format!("{units}\n"));
}

/// The first child of a process, once it runs something else.
fn command_of(ipc: &Running) -> Pid {
    let mut child = None;
    until("the command runs", || {
        child = children(ipc.pid()).first().copied();
        let comm = child.map(|child| fs::read_to_string(format!("/proc/{child}/comm")));
        comm.is_some_and(|comm| comm.is_ok_and(|comm| comm != "ipc\n"))
    });
    Pid::from_raw(child.expect("it was found"))
}

/// A run that holds a unit, and its command.
fn holding(name: &Name) -> (Running, Pid) {
    let running = ipc(&["sem", "run", name, "--", "sleep", "600"]).start();
    let command = command_of(&running);
    (running, command)
}

#[test]
fn a_unit_that_was_posted_can_be_taken() {
    let name = Name::new("sem");
    ipc(&["sem", "create", &name]).is(0, "", "");
    ipc(&["sem", "post", &name, "--count", "2"]).is(0, "", "");
    ipc(&["sem", "wait", &name]).is(0, "", "");
    ipc(&["sem", "value", &name]).is(0, "1\n", "");
}

#[test]
fn a_name_without_its_slash_is_the_same_name() {
    let name = Name::new("sem");
    ipc(&["sem", "create", name.trim_start_matches('/'), "--value", "7"]).is(0, "", "");
    ipc(&["sem", "value", &name]).is(0, "7\n", "");
}

#[test]
fn create_accepts_an_existing_semaphore_only_with_exist_ok() {
    let name = Name::new("sem");
    ipc(&["sem", "create", &name, "--value", "3"]).is(0, "", "");
    ipc(&["sem", "create", &name]).is(
        5,
        "",
        &format!(
            "ipc: sem create: {}: File exists\nhint: --exist-ok accepts an existing one\n",
            &*name
        ),
    );
    ipc(&["sem", "create", "-e", &name]).is(0, "", "");
    ipc(&["sem", "value", &name]).is(0, "3\n", "");
}

#[test]
fn permissions_are_those_asked_for_whatever_the_umask() {
    let name = Name::new("sem");
    sh("umask 077; ipc sem create -m u=rw,go+r \"$0\"").word(&*name).is(0, "", "");
    let stat = ipc(&["sem", "stat", "--json", &name]).assert();
    stat.success().stdout(contains(r#""mode":"0644""#)).stderr("");
}

#[test]
fn nonblock_says_no_without_a_word_and_with_verbose_says_why() {
    let name = Name::new("sem");
    ipc(&["sem", "create", &name]).is(0, "", "");
    ipc(&["sem", "wait", "-n", &name]).is(1, "", "");
    ipc(&["sem", "wait", "-nv", &name]).is(
        1,
        "",
        &format!("ipc: sem wait: {}: would block\n", &*name),
    );
}

#[test]
fn a_timeout_is_status_124_and_changes_nothing() {
    let name = Name::new("sem");
    ipc(&["sem", "create", &name]).is(0, "", "");
    ipc(&["sem", "wait", "-t", "50ms", &name]).is(
        124,
        "",
        &format!("ipc: sem wait: {}: timed out\n", &*name),
    );
    ipc(&["sem", "wait", "-qt0", &name]).is(124, "", "");
    ipc(&["sem", "post", &name]).is(0, "", "");
    ipc(&["sem", "wait", "-t", "0", &name]).is(0, "", "");
}

#[test]
fn a_waiter_is_woken_by_a_post() {
    let name = Name::new("sem");
    ipc(&["sem", "create", &name]).is(0, "", "");
    let waiter = ipc(&["sem", "wait", &name]).start();
    waiter.wait_until_asleep();
    ipc(&["sem", "post", &name]).is(0, "", "");
    assert!(waiter.finish().status.success());
}

#[test]
fn a_missing_semaphore_is_named_in_the_message() {
    ipc(&["sem", "post", "/ipc-no-such"]).is(
        4,
        "",
        "ipc: sem post: /ipc-no-such: No such file or directory\nhint: 'ipc sem create' makes it\n",
    );
}

#[test]
fn a_name_with_control_characters_stays_one_line() {
    ipc(&["sem", "value", "/ipc\nno\x1bsuch"]).is(
        4,
        "",
        "ipc: sem value: /ipc\\nno\\x1bsuch: No such file or directory\nhint: 'ipc sem create' makes it\n",
    );
}

#[test]
fn a_file_that_is_no_semaphore_is_refused_before_it_is_opened() {
    let name = Name::new("sem");
    let file = format!("/dev/shm/sem.{}", &name[1..]);
    for size in [0, 16, 33] {
        std::fs::write(&file, vec![0; size]).unwrap();
        let reason = format!("not a semaphore: a file of {size} bytes, where a semaphore has 32");
        let hint = "hint: 'ipc sem rm' removes it; then create the semaphore again";
        ipc(&["sem", "wait", &name]).is(
            3,
            "",
            &format!("ipc: sem wait: {}: {reason}\n{hint}\n", &*name),
        );
    }
}

#[test]
fn rm_removes_all_it_can_and_tells_the_rest() {
    let name = Name::new("sem");
    ipc(&["sem", "create", &name]).is(0, "", "");
    ipc(&["sem", "rm", "/ipc-no-such", &name]).is(
        4,
        "",
        "ipc: sem rm: /ipc-no-such: No such file or directory\n",
    );
    ipc(&["sem", "rm", "-f", &name]).is(0, "", "");
}

#[test]
fn a_closed_stdout_is_an_error_and_a_reader_that_left_is_none() {
    let name = Name::new("sem");
    ipc(&["sem", "create", &name]).is(0, "", "");
    sh("ipc sem value \"$0\" >&-").word(&*name).is(
        3,
        "",
        "ipc: sem value: standard output: Bad file descriptor\n",
    );
    sh("ipc sem value \"$0\" >/dev/full").word(&*name).is(
        3,
        "",
        "ipc: sem value: standard output: No space left on device\n",
    );
    let output = sh("{ ipc sem value \"$0\"; echo $? >&2; } | :").word(&*name).output();
    assert!(["0\n", "141\n"].contains(&text(&output.stderr).as_str()), "{output:?}");
}

const C_SEMAPHORE: &str = r#"
#include <semaphore.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int main(int argc, char **argv) {
    int create = !strcmp(argv[1], "create");
    sem_t *sem = create ? sem_open(argv[2], O_CREAT | O_EXCL, 0600, atoi(argv[3])) : sem_open(argv[2], 0);
    if (sem == SEM_FAILED) { perror("sem_open"); return 1; }
    for (int i = 0; i < (argc > 3 && !create ? atoi(argv[3]) : 0); i++) {
        if (!strcmp(argv[1], "post") ? sem_post(sem) : sem_wait(sem)) { perror(argv[1]); return 1; }
    }
    int value;
    sem_getvalue(sem, &value);
    printf("%d\n", value);
    return 0;
}
"#;

#[test]
fn a_c_program_and_ipc_open_semaphores_of_each_other() {
    let Some(c) = peers::c(C_SEMAPHORE) else { return };
    let (ours, theirs) = (Name::new("sem"), Name::new("sem"));
    ipc(&["sem", "create", &ours, "--value", "5"]).is(0, "", "");
    c.run(&["wait", &ours, "2"]).is(0, "3\n", "");
    ipc(&["sem", "value", &ours]).is(0, "3\n", "");
    c.run(&["create", &theirs, "4"]).is(0, "4\n", "");
    ipc(&["sem", "wait", &theirs]).is(0, "", "");
    c.run(&["value", &theirs]).is(0, "3\n", "");
}

#[test]
fn a_waiter_in_c_is_woken_by_ipc_and_the_other_way_round() {
    let Some(c) = peers::c(C_SEMAPHORE) else { return };
    let name = Name::new("sem");
    ipc(&["sem", "create", &name]).is(0, "", "");
    let theirs = c.run(&["wait", &name, "1"]).start();
    theirs.wait_until_asleep();
    ipc(&["sem", "post", &name]).is(0, "", "");
    assert_eq!(text(&theirs.finish().stdout), "0\n");
    let ours = ipc(&["sem", "wait", &name]).start();
    ours.wait_until_asleep();
    c.run(&["post", &name, "1"]).succeeds();
    assert!(ours.finish().status.success());
}

#[test]
fn units_are_counted_exactly_when_c_and_ipc_contend_for_them() {
    const EACH: usize = 300;
    let Some(c) = peers::c(C_SEMAPHORE) else { return };
    let name = Name::new("sem");
    ipc(&["sem", "create", &name]).is(0, "", "");
    let count = EACH.to_string();
    let loop_of = |verb: &str| {
        format!(
            "i=0; while [ $i -lt {EACH} ]; do ipc sem {verb} \"$0\" || exit; i=$((i + 1)); done"
        )
    };
    let running = [
        c.run(&["wait", &name, &count]).start(),
        sh(&loop_of("post")).word(&*name).start(),
        c.run(&["post", &name, &count]).start(),
        sh(&loop_of("wait")).word(&*name).start(),
    ];
    for command in running {
        let output = command.finish();
        assert!(output.status.success(), "{output:?}");
    }
    ipc(&["sem", "value", &name]).is(0, "0\n", "");
    let stat = ipc(&["sem", "stat", "--json", &name]).assert();
    stat.success().stdout(contains(r#""waiters":0"#)).stderr("");
}

/// Makes a semaphore of 3 units, or opens one and acquires or releases a unit, and tells the value.
const PYTHON_SEMAPHORE: &str = "
import sys, posix_ipc
verb, name = sys.argv[1:]
flags = {'flags': posix_ipc.O_CREX, 'initial_value': 3} if verb == 'create' else {}
semaphore = posix_ipc.Semaphore(name, **flags)
if verb != 'create': getattr(semaphore, verb)()
print(semaphore.value)
";

#[test]
fn python_and_ipc_use_semaphores_of_each_other_and_wake_each_other() {
    let (ours, theirs) = (Name::new("sem"), Name::new("sem"));
    let python = |verb, name| peers::python("posix_ipc", PYTHON_SEMAPHORE, &[verb, name]);
    let Some(create) = python("create", &theirs) else { return };
    create.is(0, "3\n", "");
    ipc(&["sem", "wait", "--count", "3", &theirs]).is(0, "", "");
    let waiter = ipc(&["sem", "wait", &theirs]).start();
    waiter.wait_until_at_futex();
    python("release", &theirs).expect("it worked before").succeeds();
    assert!(waiter.finish().status.success());
    ipc(&["sem", "create", &ours]).is(0, "", "");
    let waiter = python("acquire", &ours).expect("it worked before").start();
    until("it waits", || ipc(&["sem", "stat", &ours]).succeeds().contains("waiters: 1"));
    ipc(&["sem", "post", &ours, "--count", "2"]).is(0, "", "");
    assert_eq!(text(&waiter.finish().stdout), "1\n");
    ipc(&["sem", "value", &ours]).is(0, "1\n", "");
}

#[test]
fn stopping_and_continuing_does_not_end_a_wait() {
    let name = Name::new("sem");
    ipc(&["sem", "create", &name]).is(0, "", "");
    let waiter = ipc(&["sem", "wait", "-t", "1m", &name]).start();
    waiter.wait_until_asleep();
    waiter.stop_and_continue();
    waiter.wait_until_asleep();
    ipc(&["sem", "post", &name]).is(0, "", "");
    assert!(waiter.finish().status.success());
}

#[test]
fn a_name_in_any_bytes_is_used_and_listed() {
    let name = awkward();
    Run::new(binary(), &["sem", "create"]).word(&name).is(0, "", "");
    let listed = ipc(&["sem", "ls"]).output().stdout;
    Run::new(binary(), &["sem", "rm"]).word(&name).is(0, "", "");
    assert!(listed.windows(name.len()).any(|bytes| bytes == name.as_encoded_bytes()));
}

#[test]
fn another_user_is_denied_by_name() {
    let name = Name::new("sem");
    ipc(&["sem", "create", &name]).is(0, "", "");
    let Some(other) = as_another_user(&["sem", "post", &name]) else { return };
    other.is(6, "", &format!("ipc: sem post: {}: Permission denied\n", &*name));
}

#[test]
fn files_that_are_no_semaphores_are_refused_and_left_alone() {
    let name = Name::new("sem");
    let file = format!("/dev/shm/sem.{}", &name[1..]);
    let refuses = |reason: &str| {
        ipc(&["sem", "wait", "-n", &name]).is(
            3,
            "",
            &format!("ipc: sem wait: {}: {reason}\n", &*name),
        );
        std::fs::remove_file(&file).unwrap();
    };
    let hint = "hint: 'ipc sem rm' removes it; then create the semaphore again";
    std::fs::write(&file, [0; 4096]).unwrap();
    refuses(&format!(
        "not a semaphore: a file of 4096 bytes without a semaphore at its beginning\n{hint}"
    ));
    std::fs::write(&file, [0xff; 32]).unwrap();
    refuses(&format!("not a semaphore: its value would be above the maximum, 2147483647\n{hint}"));
    std::os::unix::fs::symlink("/etc/passwd", &file).unwrap();
    let hint = "hint: 'ls -ld /dev/shm/sem.*' shows what it is; 'rm' or 'rmdir' removes it";
    refuses(&format!("not a semaphore: not a regular file\n{hint}"));
    nix::unistd::mkfifo(file.as_str(), nix::sys::stat::Mode::S_IRWXU).unwrap();
    refuses(&format!("not a semaphore: not a regular file\n{hint}"));
}

#[test]
fn the_maximum_value_is_not_exceeded() {
    let name = Name::new("sem");
    let refused = |verb: &str| {
        format!("ipc: sem {verb}: {}: the value would be above the maximum, 2147483647\n", &*name)
    };
    let impossible = |verb: &str| {
        let reason = "2147483648 is above the maximum value (2147483647)";
        format!("ipc: sem {verb}: {}: {reason}\n", &*name)
    };
    ipc(&["sem", "create", &name, "--value", "2147483648"]).is(2, "", &impossible("create"));
    ipc(&["sem", "run", &name, "--create", "2147483648", "--", "true"]).is(
        2,
        "",
        &impossible("run"),
    );
    ipc(&["sem", "create", &name, "--value", "2147483647"]).is(0, "", "");
    ipc(&["sem", "post", &name]).is(3, "", &refused("post"));
    ipc(&["sem", "set", &name, "2147483648"]).is(2, "", &impossible("set"));
    ipc(&["sem", "value", &name]).is(0, "2147483647\n", "");
    ipc(&["sem", "wait", "--count", "2147483647", &name]).is(0, "", "");
}

#[test]
fn a_value_that_is_set_wakes_waiters() {
    let name = Name::new("sem");
    ipc(&["sem", "create", &name]).is(0, "", "");
    let waiters = [(); 2].map(|()| ipc(&["sem", "wait", &name]).start());
    waiters.iter().for_each(|waiter| waiter.wait_until_asleep());
    ipc(&["sem", "set", &name, "3"]).is(0, "", "");
    for waiter in waiters {
        assert!(waiter.finish().status.success());
    }
    ipc(&["sem", "value", &name]).is(0, "1\n", "");
}

#[test]
fn a_waiter_goes_on_waiting_for_a_semaphore_that_is_removed() {
    let name = Name::new("sem");
    ipc(&["sem", "create", &name]).is(0, "", "");
    let mut waiter = ipc(&["sem", "wait", &name]).start();
    waiter.wait_until_asleep();
    ipc(&["sem", "rm", &name]).is(0, "", "");
    ipc(&["sem", "create", &name, "--value", "1"]).is(0, "", "");
    ipc(&["sem", "wait", &name]).is(0, "", "");
    assert!(!waiter.has_ended());
}

#[test]
fn both_kinds_are_listed() {
    let (posix, system_v) = (Name::new("sem"), Name::system_v("sem"));
    ipc(&["sem", "create", &posix, "--value", "4"]).is(0, "", "");
    ipc(&["sem", "create", &system_v, "--value", "5"]).is(0, "", "");
    let listed = ipc(&["sem", "ls", "--json"]).succeeds();
    for (name, value) in [(&posix, 4), (&system_v, 5)] {
        let line = format!(r#""name":"{}","value":{value},"nsems":1,"mode":"0600""#, &**name);
        assert!(listed.contains(&line), "{listed}");
    }
}
