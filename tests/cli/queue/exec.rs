//! `ipc queue pop --exec`: claims.

use std::path::Path;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::*;

/// The process of the COMMAND, which writes its number to a file here.
fn pid_of_command(directory: &Path) -> Pid {
    let pid = || {
        let text = std::fs::read_to_string(directory.join("pid")).ok()?;
        text.strip_suffix('\n')?.parse().ok()
    };
    until("COMMAND runs", || pid().is_some());
    Pid::from_raw(pid().expect("it was there"))
}

#[test]
fn a_message_leaves_the_queue_when_its_command_has_succeeded() {
    let name = queue("4K");
    ipc(&["queue", "push", &name, "one", "two"]).is(0, "", "");
    let line = "cat; echo \" $IPC_ATTEMPT $IPC_QUEUE_POSITION\"";
    let run = ["queue", "pop", "--count", "2", "--exec", &name, "--", "sh", "-c", line];
    ipc(&run).is(0, "one 1 0\ntwo 1 24\n", "");
    assert_eq!(stat(&name)["popped"], 2);
}

#[test]
fn a_message_whose_command_failed_stays_and_its_attempts_are_counted() {
    let name = queue("4K");
    ipc(&["queue", "push", &name, "bad"]).is(0, "", "");
    let said = error("pop", &name, "sh ended with status 7; the message stays in the queue");
    for attempt in 1..=3 {
        let line = "echo $IPC_ATTEMPT; exit 7";
        let run = ["queue", "pop", "--exec", &name, "--", "sh", "-c", line];
        ipc(&run).is(7, &format!("{attempt}\n"), &said);
    }
    let stat = stat(&name);
    assert_eq!((&stat["messages"], &stat["redelivered"]), (&1.into(), &2.into()));
    ipc(&["queue", "pop", &name]).is(0, "bad\n", "");
}

#[test]
fn a_command_that_cannot_be_started_costs_no_attempt() {
    let name = queue("4K");
    let directory = tempfile::tempdir().unwrap();
    script_that_cannot_start(directory.path());
    ipc(&["queue", "push", &name, "kept"]).is(0, "", "");
    let reason = "ipc: queue pop: ./script: No such file or directory\n";
    let run = ["queue", "pop", "--exec", "--attempts", "1", &name, "--"];
    let show = ["sh", "-c", "cat; echo \" $IPC_ATTEMPT\"; exit 7"];
    for attempt in 1..=2 {
        ipc(&run).word("./script").within(directory.path()).is(127, "", reason);
        ipc(&run).word("/no/such").assert().code(127);
        ipc(&run).word("/").assert().code(126);
        let failed = error("pop", &name, "sh ended with status 7; the message stays in the queue");
        ipc(&run).words(&show).is(7, &format!("kept {attempt}\n"), &failed);
    }
    ipc(&["queue", "verify", &name]).is(0, "", "");
    ipc(&["queue", "pop", &name]).is(0, "kept\n", "");
}

#[test]
fn a_worker_tries_again_and_buries_what_fails_for_good() {
    let (name, dead) = (queue("4K"), queue("4K"));
    ipc(&["queue", "push", &name, "bad", "good"]).is(0, "", "");
    let line = "read m; echo $m $IPC_ATTEMPT; test $m = good";
    let options = ["--attempts", "3", "--retry-delay", "10ms", "--dead-letter", &dead];
    let run = ipc(&["queue", "pop", "--all", "--exec", "-q"]).words(&options);
    let output = run.words(&[&*name, "--", "sh", "-c", line]).output();
    assert_eq!(code(&output), 1);
    let mut lines: Vec<String> = text(&output.stdout).lines().map(str::to_owned).collect();
    lines.sort();
    assert_eq!(lines, ["bad 1", "bad 2", "bad 3", "good 1"]);
    assert_eq!(stat(&name)["messages"], 0);
    ipc(&["queue", "pop", &dead]).is(0, "bad\n", "");
    let own = ["queue", "pop", "--exec", "--dead-letter", &name, &name, "--", "true"];
    ipc(&own).is(2, "", &error("pop", &name, "the dead-letter queue is the queue itself"));
}

#[test]
fn a_message_that_fails_is_not_tried_in_a_loop() {
    let name = queue("4K");
    ipc(&["queue", "push", &name, "bad"]).is(0, "", "");
    let worker = ipc(&[
        "queue",
        "pop",
        "-f",
        "--exec",
        "-t",
        "400ms",
        &name,
        "--",
        "sh",
        "-c",
        "echo x; false",
    ]);
    let output = worker.output();
    assert_eq!(text(&output.stdout), "x\n");
    assert_eq!(stat(&name)["messages"], 1);
}

#[test]
fn a_killed_worker_s_message_is_delivered_again_when_its_command_has_ended_too() {
    let name = queue("4K");
    let directory = tempfile::tempdir().unwrap();
    ipc(&["queue", "push", &name, "job", "next"]).is(0, "", "");
    let line = "exec >/dev/null 2>&1; echo $$ >pid; while test ! -e go; do sleep 0.02; done";
    let run = ipc(&["queue", "pop", "--exec", &name, "--", "sh", "-c", line]);
    let worker = run.within(directory.path()).start();
    let _command = pid_of_command(directory.path());
    worker.signal(Signal::SIGKILL);
    worker.finish();
    // COMMAND has the claim: the next message comes first.
    let stat_now = stat(&name);
    assert_eq!((&stat_now["messages"], &stat_now["claimed"]), (&2.into(), &1.into()));
    assert!(stat_now["oldest_claim"].as_f64().is_some(), "{stat_now}");
    ipc(&["queue", "pop", &name]).is(0, "next\n", "");
    assert_eq!(stat(&name)["pinned"], 1);
    ipc(&["queue", "pop", "-n", &name]).is(1, "", "");
    std::fs::write(directory.path().join("go"), "").unwrap();
    let again = ["queue", "pop", "--exec", &name, "--", "sh", "-c", "cat; echo \" $IPC_ATTEMPT\""];
    ipc(&again).is(0, "job 2\n", "");
    assert_eq!(stat(&name)["messages"], 0);
}

#[test]
fn a_kill_of_worker_and_command_delivers_again() {
    let name = queue("4K");
    ipc(&["queue", "push", &name, "job"]).is(0, "", "");
    let directory = tempfile::tempdir().unwrap();
    let line = "exec >/dev/null 2>&1; echo $$ >pid; exec sleep 60";
    let run = ipc(&["queue", "pop", "--exec", &name, "--", "sh", "-c", line]);
    let worker = run.within(directory.path()).start();
    let command = pid_of_command(directory.path());
    worker.signal(Signal::SIGKILL);
    kill(command, Signal::SIGKILL).unwrap();
    worker.finish();
    ipc(&["queue", "pop", "-t", "10s", &name]).is(0, "job\n", "");
}
