//! `ipc sem` on a server.

use super::server::Server;
use crate::support::{code, ipc, sh, text, until};

#[test]
fn as_many_commands_as_permits_run_at_a_time() {
    let Some(server) = Server::start() else { return };
    let name = server.name("builds");
    let output = ipc(&["sem", "run", &name, "--", "true"]).output();
    assert_eq!(code(&output), 125);
    assert!(text(&output.stderr).contains("--create N"), "{}", text(&output.stderr));
    let hold = || ipc(&["sem", "run", "--create", "2", &name, "--", "sleep", "100"]).start();
    let holders = [hold(), hold()];
    let list = || ipc(&["sem", "ls", &name, "-o", "permits,free", "--noheadings"]).succeeds();
    until("both are held", || list().split_whitespace().eq(["2", "0"]));
    ipc(&["sem", "run", "-n", &name, "--", "true"]).is(1, "", "");
    let stat = ipc(&["sem", "stat", "--json", &name]).succeeds();
    let stat: serde_json::Value = serde_json::from_str(&stat).unwrap();
    assert_eq!((&stat["permits"], &stat["free"]), (&2.into(), &0.into()), "{stat}");
    let runs = stat["runs"].as_array().unwrap();
    let mut pids: Vec<i64> = runs.iter().map(|run| run["pid"].as_i64().unwrap()).collect();
    let mut expected = holders.each_ref().map(|holder| i64::from(holder.pid()));
    pids.sort_unstable();
    expected.sort_unstable();
    assert_eq!(pids, expected, "{stat}");
    assert!(runs.iter().all(|run| run["command"] == "sleep"), "{stat}");
    let output = ipc(&["sem", "rm", &name]).output();
    assert_eq!(code(&output), 5, "{}", text(&output.stderr));
    let waiting = ipc(&["sem", "run", "--count", "2", &name, "--", "echo", "both"]).start();
    waiting.wait_until_asleep();
    for holder in holders {
        holder.signal(nix::sys::signal::Signal::SIGTERM);
        assert_eq!(code(&holder.finish()), 128 + 15);
    }
    assert_eq!(text(&waiting.finish().stdout), "both\n");
    let output = ipc(&["sem", "run", "--count", "3", &name, "--", "true"]).output();
    assert!(text(&output.stderr).contains("has 2 permits"), "{}", text(&output.stderr));
    ipc(&["sem", "rm", &name]).is(0, "", "");
    ipc(&["sem", "ls", &name, "--json"]).is(0, "[]\n", "");
    let message = format!("ipc: sem stat: {name}: no such object on the server\n");
    ipc(&["sem", "stat", &name]).is(4, "", &message);
}

#[test]
fn the_parties_of_a_barrier_go_on_together_and_the_name_can_be_used_again() {
    let Some(server) = Server::start() else { return };
    let name = server.name("start");
    ipc(&["sem", "barrier", "-t", "0.3", &name, "--parties", "2"]).is(
        124,
        "",
        &format!("ipc: sem barrier: {name}: timed out\n"),
    );
    for _ in 0..2 {
        let arrive = || ipc(&["sem", "barrier", &name, "--parties", "3"]).start();
        let first = [arrive(), arrive()];
        first.iter().for_each(crate::support::Running::wait_until_asleep);
        let last = arrive();
        for party in first.into_iter().chain([last]) {
            let output = party.finish();
            assert_eq!((code(&output), text(&output.stderr)), (0, String::new()));
        }
    }
    // The one that comes later is refused, which may be this one.
    let line = format!("until ipc sem barrier -q {name} --parties 2; do :; done");
    let waiting = sh(&line).start();
    let other = || ipc(&["sem", "barrier", "-t", "5", &name, "--parties", "3"]).output();
    until("another number is refused", || code(&other()) == 5);
    ipc(&["sem", "barrier", &name, "--parties", "2"]).is(0, "", "");
    assert_eq!(code(&waiting.finish()), 0);
}
