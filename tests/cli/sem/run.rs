//! `ipc sem run`.

use std::fs;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::{C_SEMAPHORE, comes_back_to, command_of, holding, semaphore, value};
use crate::peers;
use crate::support::{Name, Running, code, ipc, sh, text, until};

#[test]
fn a_command_has_the_units_while_it_runs_and_gives_its_status() {
    let name = semaphore(3);
    sh("ipc sem run --count 2 \"$0\" -- sh -c 'ipc sem value \"$0\"; exit 7' \"$0\"")
        .word(&*name)
        .is(7, "1\n", "");
    assert_eq!(value(&name), "3\n");
}

#[test]
fn units_that_are_not_there_are_an_answer_and_not_in_time_is_another() {
    let name = semaphore(1);
    ipc(&["sem", "run", "-n", "--count", "2", &name, "--", "true"]).is(1, "", "");
    ipc(&["sem", "run", "-t", "50ms", "--count", "2", &name, "--", "true"]).is(
        124,
        "",
        &format!("ipc: sem run: {}: timed out\n", &*name),
    );
    ipc(&["sem", "run", "-qn", "-E", "9", "--count", "2", &name, "--", "true"]).is(9, "", "");
    assert_eq!(value(&name), "1\n");
}

#[test]
fn a_failure_before_the_command_runs_has_a_status_of_its_own_and_keeps_no_permit() {
    let name = semaphore(1);
    ipc(&["sem", "run", "/ipc-no-such", "--", "true"]).is(
        125,
        "",
        "ipc: sem run: /ipc-no-such: No such file or directory\nhint: 'ipc sem create' makes it\n",
    );
    ipc(&["sem", "run", &name, "--", "/no/such"]).is(
        127,
        "",
        "ipc: sem run: /no/such: No such file or directory\n",
    );
    assert_eq!(value(&name), "1\n");
}

#[test]
fn create_makes_a_missing_semaphore_and_leaves_one_that_is_there_alone() {
    let name = Name::new("sem");
    ipc(&["sem", "run", "--create", "2", &name, "--", "true"]).is(0, "", "");
    ipc(&["sem", "run", "--create", "9", &name, "--", "true"]).is(0, "", "");
    assert_eq!(value(&name), "2\n");
}

#[test]
fn units_come_back_when_the_command_is_killed() {
    let name = semaphore(1);
    let (running, command) = holding(&name);
    assert_eq!(value(&name), "0\n");
    kill(command, Signal::SIGKILL).unwrap();
    assert_eq!(code(&running.finish()), 137);
    assert_eq!(value(&name), "1\n");
}

#[test]
fn the_command_holds_the_units_when_ipc_is_killed_and_they_come_back_when_it_ends() {
    let name = semaphore(1);
    let (running, command) = holding(&name);
    running.signal(Signal::SIGKILL);
    let waiter = ipc(&["sem", "wait", "-t", "1m", &name]).start();
    waiter.wait_until_asleep();
    assert_eq!(value(&name), "0\n");
    kill(command, Signal::SIGKILL).unwrap();
    assert_eq!(code(&waiter.finish()), 0);
    assert_eq!(value(&name), "0\n");
}

#[test]
fn units_come_back_when_both_are_killed_in_either_order() {
    for command_first in [false, true] {
        let name = semaphore(1);
        let (running, command) = holding(&name);
        let waiter = ipc(&["sem", "run", "-t", "1m", &name, "--", "echo", "in"]).start();
        waiter.wait_until_asleep();
        let both = [Pid::from_raw(running.pid()), command];
        for pid in if command_first { [both[1], both[0]] } else { both } {
            kill(pid, Signal::SIGKILL).unwrap();
        }
        let output = waiter.finish();
        assert_eq!((code(&output), text(&output.stdout)), (0, "in\n".to_owned()));
        assert_eq!(value(&name), "1\n");
    }
}

#[test]
fn a_process_that_the_command_leaves_running_holds_the_permits_unless_closed() {
    let directory = tempfile::tempdir().unwrap();
    let fifo = directory.path().join("fifo");
    nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
    for (option, left) in [("-q", "0\n"), ("--close", "1\n")] {
        let name = semaphore(1);
        sh("ipc sem run $2 \"$0\" -- sh -c 'exec >/dev/null 2>&1; cat <\"$0\" &' \"$1\"")
            .word(&*name)
            .word(&fifo)
            .word(option)
            .is(0, "", "");
        assert_eq!(value(&name), left);
        // Opening and closing it ends what was left.
        fs::OpenOptions::new().write(true).open(&fifo).unwrap();
        comes_back_to(&name, 1);
    }
}

#[test]
fn with_close_the_units_are_those_of_ipc_alone() {
    let name = semaphore(1);
    let running = ipc(&["sem", "run", "--close", &name, "--", "sleep", "600"]).start();
    let command = command_of(&running);
    assert_eq!(value(&name), "0\n");
    running.signal(Signal::SIGKILL);
    drop(running);
    comes_back_to(&name, 1);
    kill(command, Signal::SIGKILL).unwrap();
}

#[test]
fn a_command_that_closes_all_descriptors_has_the_units_as_long_as_ipc_runs() {
    let name = semaphore(1);
    sh("ipc sem run \"$0\" -- bash -c 'exec 100>&-; ipc sem value \"$0\"' \"$0\"")
        .word(&*name)
        .is(0, "0\n", "");
    assert_eq!(value(&name), "1\n");
}

#[test]
fn signals_are_passed_on_to_the_command() {
    let name = semaphore(1);
    let directory = tempfile::tempdir().unwrap();
    let ready = directory.path().join("ready");
    let line = "trap 'echo got; exit 3' TERM; : >\"$0\"; while :; do sleep 0.01; done";
    let words = ["sem", "run", &name, "--", "sh", "-c", line];
    let running = ipc(&words).word(&ready).start();
    until("the command is ready", || ready.exists());
    running.signal(Signal::SIGTERM);
    let output = running.finish();
    assert_eq!((code(&output), text(&output.stdout)), (3, "got\n".to_owned()));
    assert_eq!(value(&name), "1\n");
}

#[test]
fn the_holders_of_permits_are_reported() {
    let name = semaphore(3);
    let running = ipc(&["sem", "run", "--count", "2", &name, "--", "sleep", "600"]).start();
    let command = command_of(&running);
    let run = format!(r#""runs":[{{"command":"sleep","count":2,"pid":{command}}}]"#);
    until("the command is named", || {
        ipc(&["sem", "stat", "--json", &name]).succeeds().contains(&run)
    });
    let shown = ipc(&["sem", "stat", &name]).succeeds();
    assert!(shown.contains(&format!("runs:    {command} (sleep) holds 2\n")), "{shown}");
    kill(command, Signal::SIGKILL).unwrap();
    running.finish();
    assert!(ipc(&["sem", "stat", &name]).succeeds().contains("runs:    none\n"));
}

#[test]
fn c_and_python_use_a_semaphore_that_has_been_run_with() {
    let name = semaphore(2);
    ipc(&["sem", "run", &name, "--", "true"]).is(0, "", "");
    let script = "import sys, posix_ipc\ns = posix_ipc.Semaphore(sys.argv[1])\ns.acquire()\ns.release()\nprint(s.value)";
    if let Some(python) = peers::python("posix_ipc", script, &[&name]) {
        python.is(0, "2\n", "");
    }
    let Some(c) = peers::c(C_SEMAPHORE) else { return };
    sh("ipc sem run \"$0\" -- \"$1\" wait \"$0\" 1").word(&*name).word(c.path()).is(0, "0\n", "");
    assert_eq!(value(&name), "1\n");
    c.run(&["post", &name, "1"]).is(0, "2\n", "");
}

#[test]
fn a_waiting_c_program_is_woken_when_an_ipc_reclaims() {
    let Some(c) = peers::c(C_SEMAPHORE) else { return };
    let name = semaphore(1);
    let (running, command) = holding(&name);
    let waiter = c.run(&["wait", &name, "1"]).start();
    waiter.wait_until_asleep();
    running.signal(Signal::SIGKILL);
    kill(command, Signal::SIGKILL).unwrap();
    drop(running);
    until("the waiter is woken", || {
        ipc(&["sem", "stat", "--json", &name])
            .succeeds()
            .contains(r#""value":0,"waiters":0,"runs":[]"#)
    });
    assert_eq!(text(&waiter.finish().stdout), "0\n");
}

#[test]
fn waiters_for_several_permits_do_not_block_each_other() {
    let name = semaphore(1);
    let waiters: Vec<Running> =
        (0..3).map(|_| ipc(&["sem", "wait", "--count", "3", &name]).start()).collect();
    waiters.iter().for_each(Running::wait_until_asleep);
    assert_eq!(value(&name), "1\n");
    for _ in 0..8 {
        ipc(&["sem", "post", &name]).is(0, "", "");
    }
    waiters.into_iter().for_each(|waiter| assert_eq!(code(&waiter.finish()), 0));
    assert_eq!(value(&name), "0\n");
}

#[test]
fn a_waiter_for_several_permits_passes_on_a_wake_up_for_too_few() {
    let Some(c) = peers::c(C_SEMAPHORE) else { return };
    let name = semaphore(0);
    let several = ipc(&["sem", "wait", "--count", "2", &name]).start();
    several.wait_until_asleep();
    until("he is counted", || ipc(&["sem", "stat", &name]).succeeds().contains("waiters: 1"));
    let one = c.run(&["wait", &name, "1"]).start();
    one.wait_until_asleep();
    until("both are", || ipc(&["sem", "stat", &name]).succeeds().contains("waiters: 2"));
    ipc(&["sem", "post", &name]).is(0, "", "");
    assert_eq!(code(&one.finish()), 0);
    ipc(&["sem", "post", "--count", "2", &name]).is(0, "", "");
    assert_eq!(code(&several.finish()), 0);
}

#[test]
fn a_limit_for_files_refuses_and_breaks_nothing() {
    let name = Name::new("sem");
    ipc(&["sem", "create", &name, "--value", "1"]).is(0, "", "");
    let refused = format!("ipc: sem run: {}: File too large\n", &*name);
    sh("ulimit -f 0; ipc sem run \"$0\" -- true").word(&*name).is(125, "", &refused);
    ipc(&["sem", "value", &name]).is(0, "1\n", "");
    ipc(&["sem", "run", &name, "--", "ipc-no-such"]).output();
    ipc(&["sem", "value", &name]).is(0, "1\n", "");
}

#[test]
fn a_waiter_without_descriptors_to_watch_holders_still_waits() {
    let name = semaphore(1);
    // The semaphore takes the only one.
    let line = "exec 3>&-; ulimit -n 4; exec ipc sem wait -t 20ms \"$0\"";
    let expected = format!("ipc: sem wait: {}: timed out\n", &*name);
    sh("exec ipc sem run \"$0\" -- sh -c \"$1\" \"$0\"")
        .word(&*name)
        .word(line)
        .is(124, "", &expected);
    assert_eq!(value(&name), "1\n");
}
