//! A queue on three servers, of which one is killed or stopped.

use nix::sys::signal::Signal;

use super::server::Server;
use crate::support::{code, ipc, rounds, sh, text, until};

/// A queue on three servers.
fn queue(servers: &[Server; 3]) -> String {
    let hosts = servers.each_ref().map(|server| format!("127.0.0.1:{}", server.port));
    let name = format!("nats://{}/jobs", hosts.join(","));
    let create = ["mq", "create", "-e", "--replicas", "3", "-t", "10", &name];
    until("a leader is elected", || code(&ipc(&create).output()) == 0);
    name
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
    let count = rounds(3000).max(3000);
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
