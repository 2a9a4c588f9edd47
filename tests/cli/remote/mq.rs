//! `ipc mq` on a server.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::server::Server;
use crate::support::{code, ipc, rounds, sh, text, until};

/// A server, and the name of a queue on it that exists.
fn queue(options: &[&str]) -> Option<(Server, String)> {
    let server = Server::start()?;
    let name = server.name("eu/jobs");
    ipc(&["mq", "create", &name]).words(options).is(0, "", "");
    Some((server, name))
}

#[test]
fn the_oldest_of_the_highest_priority_is_received_first() {
    let Some((_server, name)) = queue(&[]) else { return };
    ipc(&["mq", "send", &name, "a", "b"]).is(0, "", "");
    ipc(&["mq", "send", "-p9", &name, "urgent"]).is(0, "", "");
    ipc(&["mq", "send", "-p", "3", &name]).input("three\nthird\n").is(0, "", "");
    ipc(&["mq", "recv", "--peek", "2", &name]).is(0, "urgent\n", "");
    ipc(&["mq", "recv", "-j", &name]).is(0, "{\"message\":\"urgent\",\"priority\":9}\n", "");
    ipc(&["mq", "recv", "--show-priority", "--count", "2", &name]).is(
        0,
        "3\tthree\n3\tthird\n",
        "",
    );
    ipc(&["mq", "recv", "--all", "-0", &name]).is(0, "a\0b\0", "");
    ipc(&["mq", "recv", "--all", &name]).is(0, "", "");
    ipc(&["mq", "recv", "-n", &name]).is(1, "", "");
    let message = format!("ipc: mq recv: {name}: timed out\n");
    ipc(&["mq", "recv", "-t", "0.2", &name]).is(124, "", &message);
    let message = format!("ipc: mq send: {name}: priority 32768 is above the greatest (32767)\n");
    ipc(&["mq", "send", "-p", "32768", &name, "x"]).is(2, "", &message);
}

#[test]
fn a_queue_exists_from_its_creation_to_its_removal() {
    let Some((server, name)) = queue(&["--max-msgs", "2", "--msg-size", "10"]) else { return };
    let message = format!("ipc: mq create: {name}: exists already\n");
    ipc(&["mq", "create", &name, "--max-msgs", "2", "--msg-size", "10"]).is(5, "", &message);
    ipc(&["mq", "create", "-e", &name, "--max-msgs", "2", "--msg-size", "10"]).is(0, "", "");
    let output = ipc(&["mq", "create", "-e", &name, "--max-msgs", "3"]).output();
    assert_eq!(code(&output), 5);
    assert!(text(&output.stderr).contains("exists with other limits"), "{}", text(&output.stderr));
    ipc(&["mq", "send", &name, "one"]).is(0, "", "");
    let columns = ["-o", "name,messages,max_msgs,msg_size,replicas", "--noheadings"];
    let listed = ipc(&["mq", "ls", &server.name("eu")]).words(&columns).succeeds();
    assert_eq!(listed.split_whitespace().collect::<Vec<_>>(), ["eu.jobs", "1", "2", "10", "1"]);
    ipc(&["mq", "ls", &server.name("other")]).words(&columns).is(0, "", "");
    let stat = ipc(&["mq", "stat", "--json", &name]).succeeds();
    assert!(stat.starts_with("{\"name\":\"eu.jobs\",\"messages\":1,\"claimed\":0,"), "{stat}");
    let output = ipc(&["mq", "send", &name, "longer than ten"]).output();
    assert_eq!(code(&output), 3);
    assert!(text(&output.stderr).contains("longer than the queue allows (10)"));
    ipc(&["mq", "rm", &name]).is(0, "", "");
    ipc(&["mq", "rm", "-f", &name]).is(0, "", "");
    let output = ipc(&["mq", "recv", &name]).output();
    assert_eq!(code(&output), 4);
    assert!(text(&output.stderr).contains("hint: 'ipc mq create' makes it"));
    ipc(&["mq", "send", "--create", &name, "made"]).is(0, "", "");
    ipc(&["mq", "recv", &name]).is(0, "made\n", "");
}

#[test]
fn a_full_queue_refuses_a_message_or_keeps_its_sender_waiting() {
    let Some((_server, name)) = queue(&["--max-msgs", "2"]) else { return };
    ipc(&["mq", "send", &name, "1", "2"]).is(0, "", "");
    ipc(&["mq", "send", "-n", &name, "3"]).is(1, "", "");
    let message = format!("ipc: mq send: {name}: timed out\n");
    ipc(&["mq", "send", "-t", "0.3", &name, "3"]).is(124, "", &message);
    let sender = ipc(&["mq", "send", "-v", &name, "3", "4"]).start();
    sender.wait_until_asleep();
    for message in ["1\n", "2\n", "3\n", "4\n"] {
        ipc(&["mq", "recv", "-t", "20", &name]).is(0, message, "");
    }
    let output = sender.finish();
    assert_eq!(code(&output), 0);
    assert!(text(&output.stderr).contains("waiting for room"), "{}", text(&output.stderr));
}

#[test]
fn a_waiting_receiver_gets_what_is_sent_later_of_any_priority() {
    let Some((_server, name)) = queue(&[]) else { return };
    let receiver = ipc(&["mq", "recv", "-f", "--until-eof", &name]).start();
    receiver.wait_until_asleep();
    let waiter = ipc(&["mq", "recv", "-v", &name]).start();
    waiter.wait_until_asleep();
    ipc(&["mq", "send", "-p5", &name, "one", "two", "three"]).is(0, "", "");
    let one = text(&waiter.finish().stdout);
    ipc(&["mq", "send", "--eof", &name, "four"]).is(0, "", "");
    let output = receiver.finish();
    let mut all: Vec<String> = text(&output.stdout).lines().map(str::to_owned).collect();
    all.push(one.trim_end().to_owned());
    all.sort();
    assert_eq!(all, ["four", "one", "three", "two"], "{}", text(&output.stderr));
}

#[test]
fn a_wait_receives_nothing() {
    let Some((_server, name)) = queue(&[]) else { return };
    ipc(&["mq", "wait", "-n", &name]).is(1, "", "");
    let waiter = ipc(&["mq", "wait", &name]).start();
    waiter.wait_until_asleep();
    ipc(&["mq", "send", "-p7", &name, "late"]).is(0, "", "");
    assert_eq!(code(&waiter.finish()), 0);
    ipc(&["mq", "wait", "-t", "5", &name]).is(0, "", "");
    ipc(&["mq", "recv", "-t", "5", &name]).is(0, "late\n", "");
}

#[test]
fn a_message_stays_until_its_command_has_succeeded() {
    let Some((server, name)) = queue(&[]) else { return };
    ipc(&["mq", "send", "-p4", &name, "7"]).is(0, "", "");
    let square = "read n; echo $((n * n)) $IPC_ATTEMPT $IPC_MQ_PRIORITY";
    let message = format!(
        "ipc: mq recv: {name}: false ended with status 1; the message stays in the queue\n"
    );
    ipc(&["mq", "recv", "--exec", "--retry-delay", "0", &name, "--", "false"]).is(1, "", &message);
    ipc(&["mq", "recv", "-t", "20", "--exec", &name, "--", "sh", "-c", square])
        .is(0, "49 2 4\n", "");
    ipc(&["mq", "recv", "-n", &name]).is(1, "", "");
    let failed = server.name("failed");
    ipc(&["mq", "create", &failed]).is(0, "", "");
    ipc(&["mq", "send", &name, "bad"]).is(0, "", "");
    let line = format!(
        "ipc mq recv -q --exec --attempts 2 --retry-delay 0.1 --dead-letter {failed} {name} -- \
         sh -c 'echo attempt $IPC_ATTEMPT; exit 3'"
    );
    sh(&line).is(3, "attempt 1\nattempt 2\n", "");
    ipc(&["mq", "recv", "-n", &name]).is(1, "", "");
    ipc(&["mq", "recv", "-n", &failed]).is(0, "bad\n", "");
}

#[test]
fn the_message_of_a_worker_that_is_ended_or_killed_is_received_by_another() {
    let Some((_server, name)) = queue(&[]) else { return };
    ipc(&["mq", "send", &name, "job"]).is(0, "", "");
    let state = || ipc(&["mq", "stat", "--json", &name]).succeeds();
    for signal in [Signal::SIGTERM, Signal::SIGKILL] {
        let worker = ipc(&["mq", "recv", "-qf", "--exec", &name, "--", "sleep", "100"]).start();
        until("it is claimed", || state().contains("\"messages\":1,\"claimed\":1"));
        until("COMMAND runs", || !super::commands(worker.pid()).is_empty());
        ipc(&["mq", "recv", "-n", &name]).is(1, "", "");
        let commands = super::commands(worker.pid());
        worker.signal(signal);
        if signal == Signal::SIGKILL {
            // COMMAND goes on, and has its output.
            for command in commands {
                let _ = kill(Pid::from_raw(command), Signal::SIGKILL);
            }
        }
        let output = worker.finish();
        assert_eq!(code(&output), 128 + signal as i32);
        if signal == Signal::SIGTERM {
            // It goes back at once.
            ipc(&["mq", "wait", "-t", "20", &name]).is(0, "", "");
        }
    }
    ipc(&["mq", "recv", "-t", "50", &name]).is(0, "job\n", "");
}

#[test]
fn no_message_is_lost_or_doubled_if_the_server_is_killed_in_between() {
    let Some((mut server, name)) = queue(&[]) else { return };
    let count = rounds(2000).max(2000);
    let sender = sh(&format!("seq {count} | ipc mq send {name}")).start();
    let messages = || {
        let stat = ipc(&["mq", "stat", "--json", &name]).succeeds();
        let stat: serde_json::Value = serde_json::from_str(&stat).unwrap();
        stat["messages"].as_u64().unwrap()
    };
    until("some are sent", || messages() > 100);
    server.restart();
    let output = sender.finish();
    assert_eq!((code(&output), text(&output.stderr)), (0, String::new()));
    let received = ipc(&["mq", "recv", "--all", &name]).succeeds();
    assert!(received == numbers(count.into()), "{} lines", received.lines().count());
}

/// The numbers from 1 on, a line each.
fn numbers(count: u64) -> String {
    (1..=count).map(|number| format!("{number}\n")).collect()
}

#[test]
fn what_a_full_queue_does_not_take_leaves_no_gap() {
    let Some((_server, name)) = queue(&["--max-msgs", "70"]) else { return };
    let sender = sh(&format!("seq 200 | ipc mq send -nv {name}"));
    let message =
        format!("ipc: mq send: {name}: would block; the 70 messages before it were sent\n");
    let output = sender.output();
    assert_eq!((code(&output), text(&output.stderr)), (1, message));
    // Senders wait for room that a receiver makes one by one, and do not overtake themselves.
    let send =
        |prefix: &str| sh(&format!("seq -f '{prefix}%g' 100 | ipc mq send -t 60 {name}")).start();
    let senders = [send("a"), send("b")];
    let received = ipc(&["mq", "recv", "-t", "60", "--count", "270", &name]).succeeds();
    for sender in senders {
        let output = sender.finish();
        assert_eq!((code(&output), text(&output.stderr)), (0, String::new()));
    }
    let of = |prefix: char| -> String {
        let lines = received.lines().filter_map(|line| line.strip_prefix(prefix));
        lines.map(|line| format!("{line}\n")).collect()
    };
    assert_eq!((of('a'), of('b')), (numbers(100), numbers(100)));
    assert!(received.starts_with(&numbers(70)), "{received}");
    ipc(&["mq", "recv", "-n", &name]).is(1, "", "");
}

#[test]
fn messages_that_are_said_to_be_sent_are_there_after_the_server_was_killed() {
    let Some((mut server, name)) = queue(&[]) else { return };
    let sender = sh(&format!("seq 1000000 | ipc mq send -t 1 {name}")).start();
    until("some are sent", || {
        let stat = ipc(&["mq", "stat", "--json", &name]).succeeds();
        !stat.contains("\"messages\":0,")
    });
    server.kill();
    let output = sender.finish();
    let message = text(&output.stderr);
    assert_eq!(code(&output), 124, "{message}");
    let said = message.split("the ").nth(1).and_then(|rest| rest.split(' ').next());
    let said: u64 = said.and_then(|count| count.parse().ok()).expect("it says how many");
    server.restart();
    let received = ipc(&["mq", "recv", "--all", &name]).succeeds();
    let count = received.lines().count() as u64;
    assert!((said..=said + 64).contains(&count), "{said} {count}");
    assert!(received == numbers(count), "{count} lines");
}

#[test]
fn framings_are_those_of_local_queues() {
    let Some((_server, name)) = queue(&[]) else { return };
    ipc(&["mq", "send", "--frame", "whole", &name]).input("two\nlines").is(0, "", "");
    ipc(&["mq", "send", "-0", &name]).input("a\0b\nc\0").is(0, "", "");
    ipc(&["mq", "recv", "--frame", "netstring", "--count", "3", &name]).is(
        0,
        "9:two\nlines,1:a,3:b\nc,",
        "",
    );
}

#[test]
fn a_message_that_stdout_does_not_take_goes_back() {
    let Some((_server, name)) = queue(&[]) else { return };
    ipc(&["mq", "send", &name, "kept"]).is(0, "", "");
    let output = sh(&format!("ipc mq recv {name} >/dev/full")).output();
    assert_eq!(code(&output), 3, "{}", text(&output.stderr));
    ipc(&["mq", "recv", "-t", "5", &name]).is(0, "kept\n", "");
    sh(&format!("ipc mq send {name} 1 2 3; ipc mq recv -f {name} | head -1")).is(0, "1\n", "");
}
