//! Three servers as one: a majority decides. Without one nobody believes to have a lock, and no message is lost.

use nix::sys::signal::Signal;

use super::server::Server;
use crate::support::{code, ipc, rounds, sh, text, until};

/// A name on all servers of a cluster.
fn name(servers: &[Server; 3], path: &str) -> String {
    let hosts = servers.each_ref().map(|server| format!("127.0.0.1:{}", server.port));
    format!("nats://{}/{path}", hosts.join(","))
}

/// A queue on three servers.
fn queue(servers: &[Server; 3]) -> String {
    let name = name(servers, "jobs");
    let create = ["mq", "create", "-e", "--replicas", "3", "-t", "10", &name];
    until("a leader is elected", || code(&ipc(&create).output()) == 0);
    name
}

/// A cluster that has accepted its first record, and the name of a lock with all its hosts.
fn ready() -> Option<([Server; 3], String)> {
    let servers = Server::cluster()?;
    let name = name(&servers, "job");
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
    assert_eq!((code(&output), text(&output.stdout)), (124, String::new()));
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

/// The node that leads a queue, and its number of messages.
fn leader(name: &str) -> (usize, u64) {
    let stat = ipc(&["mq", "stat", "--json", name]).succeeds();
    let stat: serde_json::Value = serde_json::from_str(&stat).unwrap();
    let leader = stat["leader"].as_str().unwrap().trim_start_matches('n');
    (leader.parse().unwrap(), stat["messages"].as_u64().unwrap())
}

#[test]
fn no_message_is_lost_or_doubled_if_the_leader_is_killed_while_they_are_sent() {
    let Some(mut servers) = Server::cluster() else { return };
    let name = queue(&servers);
    let count = rounds(1500).max(1500);
    let sender = sh(&format!("seq {count} | ipc mq send {name}")).start();
    until("some are sent", || leader(&name).1 > 100);
    let (node, _) = leader(&name);
    servers[node].kill();
    let output = sender.finish();
    assert_eq!((code(&output), text(&output.stderr)), (0, String::new()));
    let received = ipc(&["mq", "recv", "-t", "30", "--count", &count.to_string(), &name]);
    let received = received.succeeds();
    let expected: String = (1..=count).map(|number| format!("{number}\n")).collect();
    assert!(received == expected, "{} lines", received.lines().count());
    ipc(&["mq", "recv", "-t", "1", "-q", &name]).is(124, "", "");
}

#[test]
fn without_a_majority_a_send_times_out_and_works_again_with_one() {
    let Some(servers) = Server::cluster() else { return };
    let name = queue(&servers);
    ipc(&["mq", "send", &name, "before"]).is(0, "", "");
    let (node, _) = leader(&name);
    let others: Vec<&Server> =
        servers.iter().enumerate().filter(|(index, _)| *index != node).map(|(_, it)| it).collect();
    others.iter().for_each(|node| node.signal(Signal::SIGSTOP));
    let own = format!("nats://127.0.0.1:{}/jobs", servers[node].port);
    let output = ipc(&["mq", "send", "-t", "1", &own, "during"]).output();
    assert_eq!(code(&output), 124, "{}", text(&output.stderr));
    others.iter().for_each(|node| node.signal(Signal::SIGCONT));
    ipc(&["mq", "send", "-t", "40", &name, "after"]).is(0, "", "");
    let received = ipc(&["mq", "recv", "-t", "30", "--count", "2", &name]).succeeds();
    assert!(received.starts_with("before\n"), "{received}");
    // The message whose answer did not arrive may be there.
    assert!(["before\nafter\n", "before\nduring\n"].contains(&received.as_str()), "{received}");
}
