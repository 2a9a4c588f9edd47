//! Three servers as one: a majority decides, and without one nobody believes to have a lock.

use nix::sys::signal::Signal;

use super::server::Server;
use crate::support::{code, ipc, text, until};

/// A cluster that has accepted its first record, and the name of a lock with all its hosts.
fn ready() -> Option<([Server; 3], String)> {
    let servers = Server::cluster()?;
    let ports = servers.each_ref().map(|server| format!("127.0.0.1:{}", server.port));
    let name = format!("nats://{}/job", ports.join(","));
    let run = || ipc(&["lock", "run", "--replicas", "3", "-t", "5", &name, "--", "true"]).output();
    until("the cluster has a leader", || code(&run()) == 0);
    Some((servers, name))
}

#[test]
fn without_a_majority_command_is_ended_and_nobody_gets_the_lock() {
    let Some((servers, name)) = ready() else { return };
    let held = ipc(&["lock", "run", "--ttl", "3s", &name, "--", "sleep", "100"]).start();
    until("it is held", || code(&ipc(&["lock", "test", "-t", "5", &name]).output()) == 1);
    servers[1].signal(Signal::SIGSTOP);
    servers[2].signal(Signal::SIGSTOP);
    let output = held.finish();
    assert_eq!(code(&output), 125, "{}", text(&output.stderr));
    let output = ipc(&["lock", "run", "-t", "1", &name, "--", "echo", "never"]).output();
    let said = text(&output.stderr);
    assert_eq!((code(&output), text(&output.stdout)), (124, String::new()), "{said}");
    servers[1].signal(Signal::SIGCONT);
    servers[2].signal(Signal::SIGCONT);
    let run = || ipc(&["lock", "run", "-t", "5", &name, "--", "true"]).output();
    until("a majority is back", || code(&run()) == 0);
}

#[test]
fn a_holder_keeps_its_lock_while_one_server_is_killed() {
    let Some((mut servers, name)) = ready() else { return };
    for server in &mut servers {
        let held = ipc(&["lock", "run", "--ttl", "30s", &name, "--", "sleep", "100"]).start();
        until("it is held", || code(&ipc(&["lock", "test", "-t", "5", &name]).output()) == 1);
        server.kill();
        until("another server answers", || {
            code(&ipc(&["lock", "test", "-t", "5", &name]).output()) == 1
        });
        held.signal(Signal::SIGTERM);
        let output = held.finish();
        assert_eq!(code(&output), 128 + 15, "{}", text(&output.stderr));
        until("it is free", || code(&ipc(&["lock", "test", "-t", "5", &name]).output()) == 0);
        server.restart();
    }
}
