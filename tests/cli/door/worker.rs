//! `ipc door serve --worker`.

use nix::sys::signal::Signal;

use super::Door;
use crate::support::{children, code, sh, text, until};

const DOUBLE: &str = "while read n; do echo $((2 * n)); done";

#[test]
fn one_process_answers_all_calls() {
    let door = Door::of_worker(&[], "while read n; do echo $$ $n; done");
    until("the worker runs", || children(door.server.pid()).len() == 1);
    let pid = children(door.server.pid())[0];
    door.call(&["1"]).is(0, &format!("{pid} 1\n"), "");
    door.call(&[]).input("2\n").is(0, &format!("{pid} 2\n"), "");
    assert_eq!(door.number("workers"), 1);
}

#[test]
fn each_framing_of_records_works() {
    let cat = "exec cat";
    let door = Door::of_worker(&["--frame", "len4"], cat);
    let binary = crate::sock::sample(300_000);
    let output = door.call(&[]).input(binary.clone()).output();
    assert!(code(&output) == 0 && output.stdout == binary);
    let door = Door::of_worker(&["-0"], cat);
    door.call(&[]).input("a\nb").is(0, "a\nb", "");
    let door = Door::of_worker(&["--frame", "netstring"], cat);
    door.call(&[]).input("a\n\0b").is(0, "a\n\0b", "");
    let door = Door::of_worker(&[], cat);
    let refused = "ipc: door call: d: the argument has the byte that ends an argument of this \
                   procedure\n";
    door.call(&[]).input("a\nb").is(3, "", refused);
    let refused = "ipc: door serve: --frame whole: a worker needs the end of each argument\n";
    door.run("serve", &["--worker", "--frame", "whole", "e", "--", "cat"]).is(2, "", refused);
}

#[test]
fn a_worker_can_get_callers_and_write_statuses() {
    let line = "while read caller; read n; do echo 3; echo $caller $n; done";
    let door = Door::of_worker(&["--with-caller", "--with-status"], line);
    let output = sh("echo $$; exec ipc door call d x").within(door.directory.path()).output();
    let shown = text(&output.stdout);
    let (pid, rest) = shown.split_once('\n').unwrap();
    let (uid, gid) = (nix::unistd::geteuid(), nix::unistd::getegid());
    assert_eq!((code(&output), rest), (3, &*format!("{pid} {uid} {gid} x\n")));
}

#[test]
fn the_answer_to_a_caller_that_left_is_discarded() {
    let line =
        "while read n; do [ $n = slow ] && until [ -e go ]; do sleep 0.01; done; echo $n; done";
    let door = Door::of_worker(&[], line);
    let before = children(door.server.pid());
    door.call(&["-t", "100ms", "slow"]).is(124, "", "ipc: door call: d: timed out\n");
    let next = door.call(&["next"]).start();
    until("the next one waits", || door.number("waiting") == 1);
    std::fs::write(door.directory.path().join("go"), "").unwrap();
    assert_eq!(text(&next.finish().stdout), "next\n");
    assert_eq!(children(door.server.pid()).len(), 1);
    assert!(before.is_empty() || before == children(door.server.pid()));
}

#[test]
fn a_worker_that_misses_the_timeout_is_replaced() {
    let line = "while read n; do [ $n = hang ] && sleep 1000; echo $n; done";
    let door = Door::of_worker(&["--call-timeout", "300ms"], line);
    let late = "ipc: door call: d: the procedure did not answer within --call-timeout\n";
    door.call(&["hang"]).is(124, "", late);
    door.call(&["1"]).is(0, "1\n", "");
    until("the old one has ended", || children(door.server.pid()).len() == 1);
    // Also one that is stopped.
    let pid = children(door.server.pid())[0];
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), Signal::SIGSTOP).unwrap();
    door.call(&["2"]).is(124, "", late);
    door.call(&["3"]).is(0, "3\n", "");
    until("the old one has ended", || !children(door.server.pid()).contains(&pid));
}

#[test]
fn a_worker_that_ends_is_replaced() {
    let door = Door::of_worker(&[], "while read n; do [ $n = die ] && exit 5; echo $n; done");
    let said =
        "ipc: door call: d: the procedure's process ended with status 5 before it answered\n";
    for _ in 0..3 {
        door.call(&["1"]).is(0, "1\n", "");
        door.call(&["die"]).is(3, "", said);
    }
    door.call(&["2"]).is(0, "2\n", "");
    let pid = children(door.server.pid())[0];
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), Signal::SIGKILL).unwrap();
    until("it is reaped", || !children(door.server.pid()).contains(&pid));
    door.call(&["3"]).is(0, "3\n", "");
}

#[test]
fn no_caller_gets_the_answer_of_another() {
    let door = Door::of_worker(&[], "while read n; do printf '%s\\nmore\\n' $n; done");
    for number in ["1", "2", "3"] {
        door.call(&[number]).is(0, &format!("{number}\n"), "");
    }
}

#[test]
fn several_workers_answer_side_by_side() {
    let line = "while read n; do touch $n; until [ -e a ] && [ -e b ]; do sleep 0.01; done; \
                echo $$; done";
    let door = Door::of_worker(&["--max-calls", "2"], line);
    let (one, other) = (door.call(&["a"]).start(), door.call(&["b"]).start());
    let (one, other) = (text(&one.finish().stdout), text(&other.finish().stdout));
    assert!(!one.is_empty() && !other.is_empty() && one != other, "{one} {other}");
}

#[test]
fn a_worker_takes_no_descriptors() {
    let door = Door::of_worker(&[], DOUBLE);
    let refused = "ipc: door call: d: the server takes no descriptors\n";
    door.call(&["--fd", "0", "1"]).is(3, "", refused);
    door.call(&["1"]).is(0, "2\n", "");
}

#[test]
fn a_worker_that_calls_its_own_door_gets_an_error() {
    let line = "while read n; do ipc door call d 1 2>&1 | tr '\\n' ';'; echo; done";
    let door =
        Door::with(sh("exec ipc door serve --worker \"$@\"").word("sh"), &["--", "sh", "-c", line]);
    let output = door.call(&["x"]).output();
    assert!(text(&output.stdout).contains("has called its own door"), "{output:?}");
}

#[test]
fn the_end_of_the_server_ends_the_worker() {
    let door = Door::of_worker(&[], DOUBLE);
    until("the worker runs", || children(door.server.pid()).len() == 1);
    let pid = children(door.server.pid())[0];
    door.run("revoke", &["d"]).is(0, "", "");
    assert_eq!(code(&door.server.finish()), 0);
    until("the worker has ended", || !std::path::Path::new(&format!("/proc/{pid}/fd/0")).exists());
}

#[test]
fn a_server_kills_a_worker_or_a_procedure_that_ignores_its_end() {
    let line = "trap '' TERM; while read n; do echo $n; done; sleep 60; :";
    let worker = Door::of_worker(&[], line);
    assert_eq!(worker.call(&["1"]).succeeds(), "1\n");
    let pid = children(worker.server.pid())[0];
    worker.run("revoke", &["d"]).is(0, "", "");
    assert_eq!(code(&worker.server.finish()), 0);
    assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists());
    let procedure = Door::of(&[], "trap '' TERM; sleep 60; sleep 60");
    let caller = procedure.call(&["1"]).start();
    until("the call runs", || children(procedure.server.pid()).len() == 1);
    let pid = children(procedure.server.pid())[0];
    procedure.server.signal(Signal::SIGTERM);
    assert_eq!(code(&caller.finish()), 3);
    procedure.server.finish();
    assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists());
}
