//! `ipc spool` on a server.

use nix::sys::signal::Signal;

use super::server::Server;
use crate::support::{code, ipc, script_that_cannot_start, sh, text, until};

/// A server, and the name of a spool on it that exists.
fn spool() -> Option<(Server, String)> {
    let server = Server::start()?;
    let name = server.name("eu/jobs");
    ipc(&["spool", "create", &name]).is(0, "", "");
    Some((server, name))
}

const SHOW: &str = "echo \"$IPC_SPOOL_NAME: $(cat \"$0\"), $IPC_ATTEMPT\"";

#[test]
fn messages_are_taken_by_priority_and_have_names() {
    let Some((server, name)) = spool() else { return };
    let message = format!("ipc: spool create: {name}: exists already\n");
    ipc(&["spool", "create", &name]).is(5, "", &message);
    ipc(&["spool", "create", "-e", &name]).is(0, "", "");
    let missing = server.name("missing");
    let output = ipc(&["spool", "put", &missing]).output();
    assert_eq!(code(&output), 4);
    assert!(text(&output.stderr).contains("hint: 'ipc spool create' makes it"));
    ipc(&["spool", "put", "--name", "a b.txt", &name]).input("one").is(0, "a b.txt\n", "");
    let output = ipc(&["spool", "put", "--name", "a b.txt", &name]).input("two").output();
    assert_eq!((code(&output), text(&output.stdout)), (5, String::new()));
    let message = format!("ipc: spool put: {name}: a b.txt: is there already\n");
    ipc(&["spool", "put", "--dedupe", "a b.txt", &name]).input("3").is(0, "a b.txt\n", &message);
    let put = ipc(&["spool", "put", "--each-line", "--priority", "9", &name]).input("x\ny\n");
    assert_eq!(put.succeeds().lines().count(), 2);
    let columns = ["-o", "state,priority,size", "--noheadings"];
    let listed = ipc(&["spool", "ls", &name]).words(&columns).succeeds();
    let words: Vec<&str> = listed.split_whitespace().collect();
    assert_eq!(words, ["ready", "9", "1", "ready", "9", "1", "ready", "0", "3"]);
    let take = ["spool", "take", "--count", "2", &name, "--", "cat", "{}"];
    ipc(&take).is(0, "xy", "");
    ipc(&["spool", "take", "-n", &name, "--", "sh", "-c", SHOW, "{}"]).is(
        0,
        "a b.txt: one, 1\n",
        "",
    );
    ipc(&["spool", "take", "--all", &name, "--", "false"]).is(0, "", "");
    ipc(&["spool", "put", "--name", "a b.txt", &name]).input("again").is(0, "a b.txt\n", "");
    let output = ipc(&["spool", "rm", &name]).output();
    assert_eq!(code(&output), 5, "{}", text(&output.stderr));
    ipc(&["spool", "rm", "--purge", &name]).is(0, "", "");
    ipc(&["spool", "rm", "-f", &name]).is(0, "", "");
}

#[test]
fn messages_are_removed_by_their_names() {
    let Some((_server, name)) = spool() else { return };
    for message in ["a.1", "b", "c"] {
        ipc(&["spool", "put", "--name", message, &name]).input("x").succeeds();
    }
    ipc(&["spool", "rm", &name, "a.1", "c"]).is(0, "", "");
    let missing = format!("ipc: spool rm: c: no such message in {name}\n");
    ipc(&["spool", "rm", &name, "c"]).is(4, "", &missing);
    ipc(&["spool", "rm", "-f", &name, "c"]).is(0, "", "");
    ipc(&["spool", "ls", "-o", "name", "--noheadings", &name]).is(0, "b\n", "");
}

#[test]
fn a_message_whose_command_cannot_be_started_goes_back_at_once_and_the_delivery_counts() {
    let Some((_server, name)) = spool() else { return };
    let directory = tempfile::tempdir().unwrap();
    script_that_cannot_start(directory.path());
    ipc(&["spool", "put", "--name", "a", &name]).input("x").succeeds();
    let missing = ["spool", "take", "-n", &name, "--", "./missing"];
    assert_eq!(code(&ipc(&missing).within(directory.path()).output()), 127);
    let script = ["spool", "take", "-n", &name, "--", "./script"];
    let output = ipc(&script).within(directory.path()).output();
    assert!([126, 127].contains(&code(&output)), "{}", text(&output.stderr));
    let take = ["spool", "take", "-n", &name, "--", "sh", "-c", "echo $IPC_ATTEMPT"];
    ipc(&take).is(0, "2\n", "");
}

#[test]
fn a_message_whose_attempts_fail_is_set_aside_until_it_is_requeued() {
    let Some((_server, name)) = spool() else { return };
    ipc(&["spool", "put", "--name", "job.1", "--priority", "4", &name])
        .input("x")
        .is(0, "job.1\n", "");
    let line = format!(
        "ipc spool take -q --attempts 2 --retry-delay 0.1 {name} -- \
         sh -c 'echo attempt $IPC_ATTEMPT; exit 3'"
    );
    sh(&line).is(3, "attempt 1\nattempt 2\n", "");
    ipc(&["spool", "take", "-n", &name, "--", "true"]).is(1, "", "");
    let columns = ["-o", "name,state,priority,status,reason", "--noheadings"];
    let failed = ipc(&["spool", "ls", "--failed", &name]).words(&columns).succeeds();
    let words: Vec<&str> = failed.split_whitespace().take(4).collect();
    assert_eq!(words, ["job.1", "failed", "4", "3"]);
    let stat = ipc(&["spool", "stat", "--json", &name]).succeeds();
    assert!(stat.contains("\"waiting\":0,\"claimed\":0,\"failed\":1"), "{stat}");
    let output = ipc(&["spool", "requeue", &name, "other"]).output();
    assert_eq!(code(&output), 4, "{}", text(&output.stderr));
    ipc(&["spool", "requeue", "--failed", &name]).is(0, "", "");
    ipc(&["spool", "ls", "--failed", &name]).words(&columns).is(0, "", "");
    ipc(&["spool", "take", "-n", &name, "--", "sh", "-c", SHOW, "{}"]).is(0, "job.1: x, 1\n", "");
}

#[test]
fn a_delayed_message_is_not_taken_before_its_time_and_one_of_a_killed_worker_again() {
    let Some((_server, name)) = spool() else { return };
    let late = ipc(&["spool", "put", "--name", "late", "--delay", "3s", &name]).input("late");
    late.is(0, "late\n", "");
    ipc(&["spool", "put", "--name", "now", &name]).input("now").is(0, "now\n", "");
    ipc(&["spool", "take", "--all", &name, "--", "sh", "-c", SHOW, "{}"]).is(
        0,
        "now: now, 1\n",
        "",
    );
    ipc(&["spool", "take", "-t", "30", &name, "--", "sh", "-c", SHOW, "{}"]).is(
        0,
        "late: late, 1\n",
        "",
    );
    ipc(&["spool", "put", "--name", "job", &name]).input("x").is(0, "job\n", "");
    let worker = ipc(&["spool", "take", &name, "--", "sleep", "100"]).start();
    until("COMMAND runs", || !super::commands(worker.pid()).is_empty());
    worker.signal(Signal::SIGTERM);
    assert_eq!(code(&worker.finish()), 128 + 15);
    ipc(&["spool", "take", "-t", "30", &name, "--", "sh", "-c", SHOW, "{}"]).is(
        0,
        "job: x, 2\n",
        "",
    );
}
