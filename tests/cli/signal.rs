//! `ipc signal`.

use std::process::Command;

use nix::sys::signal::Signal;

use crate::support::{Run, Running, as_another_user, code, ipc, sh, text, until};

/// Starts a wait, and comes back when it listens.
fn wait(words: &[&str]) -> Running {
    started(ipc(&["signal", "wait"]), words)
}

/// The same where the wait is what these words begin with.
fn started(mut run: Run, words: &[&str]) -> Running {
    let directory = tempfile::tempdir().unwrap();
    let ready = directory.path().join("ready");
    for word in words {
        run = run.word(word);
    }
    let running = run.word("--ready").word(&ready).start();
    until("it is ready", || std::fs::read(&ready).is_ok_and(|line| line.ends_with(b"\n")));
    running
}

fn uid() -> u32 {
    nix::unistd::getuid().as_raw()
}

#[test]
fn a_signal_is_printed_with_its_sender() {
    let waiter = wait(&["USR1", "usr2"]);
    waiter.signal(Signal::SIGUSR2);
    let output = waiter.finish();
    let line = format!("USR2 pid={} uid={}\n", std::process::id(), uid());
    assert_eq!((code(&output), text(&output.stdout), text(&output.stderr)), (0, line, "".into()));
}

#[test]
fn a_queued_value_arrives() {
    for value in ["5", "-1", "2147483647", "-2147483648"] {
        let waiter = wait(&["RTMIN+3", "--json"]);
        let pid = waiter.pid().to_string();
        ipc(&["signal", "send", "SIGRTMIN+3", &pid, "--value", value]).is(0, "", "");
        let out = text(&waiter.finish().stdout);
        assert!(out.starts_with(r#"{"signal":"RTMIN+3","number":37,"pid":"#), "{out}");
        assert!(out.ends_with(&format!(r#","uid":{},"value":{value}}}{}"#, uid(), "\n")), "{out}");
    }
}

#[test]
fn real_time_signals_come_in_order_and_none_is_lost() {
    let waiter = wait(&["RTMIN", "--count", "1000"]);
    let script = "for value in $(seq 1000); do ipc signal send RTMIN $0 --value $value; done";
    sh(script).word(waiter.pid().to_string()).is(0, "", "");
    let out = text(&waiter.finish().stdout);
    let values: Vec<u32> =
        out.lines().map(|line| line.rsplit('=').next().unwrap().parse().unwrap()).collect();
    assert_eq!(values, (1..=1000).collect::<Vec<_>>());
}

#[test]
fn what_the_kernel_sends_has_no_sender() {
    // A file size limit of 0 has the kernel send XFSZ to the shell that writes.
    let line = "ipc signal wait ALRM & sleep 0.1; kill -ALRM $!; wait $!";
    assert!(sh(line).succeeds().starts_with("ALRM pid="));
    let python = "import os, signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])
signal.setitimer(signal.ITIMER_REAL, 0.01)
os.execvp('ipc', ['ipc', 'signal', 'wait', 'ALRM', '--json'])";
    sh("exec python3 -c \"$0\"").word(python).is(
        0,
        "{\"signal\":\"ALRM\",\"number\":14,\"pid\":null,\"uid\":null,\"value\":null}\n",
        "",
    );
}

#[test]
fn nonblock_and_timeout_have_their_statuses() {
    ipc(&["signal", "wait", "-n", "USR1"]).is(1, "", "");
    ipc(&["signal", "wait", "-t", "20ms", "USR1"]).is(124, "", "ipc: signal wait: timed out\n");
}

#[test]
fn a_signal_that_our_caller_ignores_is_received_all_the_same() {
    let waiter = started(sh("trap '' USR1; exec ipc signal wait \"$@\"").word("sh"), &["USR1"]);
    waiter.signal(Signal::SIGUSR1);
    assert!(text(&waiter.finish().stdout).starts_with("USR1 pid="));
}

#[test]
fn a_wait_that_is_stopped_and_continued_goes_on() {
    let waiter = wait(&["USR1", "-t", "1h"]);
    waiter.wait_until_asleep();
    waiter.signal(Signal::SIGSTOP);
    waiter.signal(Signal::SIGCONT);
    waiter.signal(Signal::SIGUSR1);
    assert_eq!(code(&waiter.finish()), 0);
}

#[test]
fn readiness_is_told_to_a_file_or_a_descriptor_after_the_signals_are_blocked() {
    let directory = tempfile::tempdir().unwrap();
    let fifo = directory.path().join("fifo");
    nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let line = "ipc signal wait USR1 --ready \"$0\" & read pid <\"$0\"
        [ $pid = $! ] && kill -USR1 $pid && wait $!";
    assert!(sh(line).word(&fifo).succeeds().starts_with("USR1 pid="));
    let line =
        "ipc signal wait USR1 --ready 3 3>\"$0\" & read pid <\"$0\"; kill -USR1 $pid; wait $!";
    assert!(sh(line).word(&fifo).succeeds().starts_with("USR1 pid="));
    ipc(&["signal", "wait", "USR1", "--ready", "77"]).is(
        3,
        "",
        "ipc: signal wait: 77: Bad file descriptor\n",
    );
}

#[test]
fn each_line_is_written_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let fifo = directory.path().join("fifo");
    // The second signal is sent by who read the line of the first.
    let line = "mkfifo \"$0\"
        { ipc signal wait RTMIN --count 2 --ready 3 3>\"$0\" & echo $!; wait; } | {
            read waiter; read pid <\"$0\"
            ipc signal send RTMIN $waiter; read first; echo \"${first%% *}\"
            ipc signal send RTMIN $waiter; read second; echo \"${second%% *}\"; }";
    sh(line).word(fifo).is(0, "RTMIN\nRTMIN\n", "");
}

#[test]
fn a_process_that_is_not_there_and_one_that_is_not_ours_are_told_apart() {
    let mut child = Command::new("true").spawn().unwrap();
    let pid = child.id().to_string();
    child.wait().unwrap();
    let said = format!("ipc: signal send: {pid}: No such process\n");
    ipc(&["signal", "send", "TERM", &pid]).is(4, "", &said);
    ipc(&["signal", "send", "0", &pid]).is(4, "", &said);
    let pid = std::process::id().to_string();
    let Some(other) = as_another_user(&["signal", "send", "0", &pid]) else { return };
    other.is(6, "", &format!("ipc: signal send: {pid}: Operation not permitted\n"));
}

#[test]
fn signal_0_probes() {
    ipc(&["signal", "send", "0", &std::process::id().to_string()]).is(0, "", "");
}

#[test]
fn all_get_the_signal_that_can() {
    let waiter = wait(&["USR1"]);
    let pid = waiter.pid().to_string();
    let mut gone = Command::new("true").spawn().unwrap();
    gone.wait().unwrap();
    let gone = gone.id().to_string();
    ipc(&["signal", "send", "USR1", &gone, &pid]).is(
        4,
        "",
        &format!("ipc: signal send: {gone}: No such process\n"),
    );
    assert_eq!(code(&waiter.finish()), 0);
}

#[test]
fn numbers_that_are_no_processes_are_usage_errors() {
    for pid in ["0", "-1", "-2147483648", "2147483648", "4194305", "1x", "", "+1"] {
        let reason = "not the number of a process, which is 1 to 4194304";
        let subject = if pid.is_empty() { "''" } else { pid };
        ipc(&["signal", "send", "TERM", pid]).is(
            2,
            "",
            &format!("ipc: signal send: {subject}: {reason}\nhint: try 'ipc signal send --help'\n"),
        );
    }
}

#[test]
fn signals_that_are_none_or_cannot_be_waited_for_are_usage_errors() {
    let hint = "hint: try 'ipc signal wait --help'\n";
    for signal in ["KILL", "SIGSTOP", "9"] {
        let said = format!("ipc: signal wait: {signal}: no process can wait for it or catch it\n");
        ipc(&["signal", "wait", signal]).is(2, "", &format!("{said}{hint}"));
    }
    for signal in ["FOO", "0", "65"] {
        let said =
            format!("ipc: signal wait: {signal}: not a signal; 'ipc signal ls' lists them\n");
        ipc(&["signal", "wait", signal]).is(2, "", &format!("{said}{hint}"));
    }
}

#[test]
fn ls_lists_all_signals() {
    let out = ipc(&["signal", "ls"]).succeeds();
    assert_eq!(out.lines().count(), 63);
    for line in ["NAME      NUMBER  DEFAULT  EFFECT", "HUP            1  term     the process dies"]
    {
        assert!(out.lines().any(|seen| seen == line), "{line}\n{out}");
    }
    let json = ipc(&["signal", "ls", "--json"]).succeeds();
    assert!(json.contains(r#"{"name":"RTMIN+3","number":37,"default":"term","#), "{json}");
}

#[test]
fn a_value_is_queued_to_programs_in_c_and_python() {
    let python = "import signal
signal.pthread_sigmask(signal.SIG_BLOCK, [40])
print('ready', flush=True)
info = signal.sigwaitinfo([40])
print(info.si_signo, info.si_code, info.si_uid, flush=True)";
    let line = "mkfifo \"$0\"; python3 -c \"$1\" >\"$0\" & exec 3<\"$0\"
        read ready <&3; ipc signal send 40 $! --value 7; cat <&3";
    let directory = tempfile::tempdir().unwrap();
    let out = format!("40 -1 {}\n", uid());
    sh(line).word(directory.path().join("fifo")).word(python).is(0, &out, "");
}
