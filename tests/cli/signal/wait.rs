//! `ipc signal wait`.

use nix::sys::signal::Signal;

use super::{started, uid, wait};
use crate::peers;
use crate::support::{code, ipc, sh, text, until};

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
fn real_time_signals_are_all_printed_in_order() {
    let waiter = wait(&["RTMIN", "--count", "1000"]);
    let script = "for value in $(seq 1000); do ipc signal send RTMIN $0 --value $value; done";
    sh(script).word(waiter.pid().to_string()).is(0, "", "");
    let out = text(&waiter.finish().stdout);
    let values: Vec<u32> =
        out.lines().map(|line| line.rsplit('=').next().unwrap().parse().unwrap()).collect();
    assert_eq!(values, (1..=1000).collect::<Vec<_>>());
}

#[test]
fn a_signal_of_the_kernel_has_no_sender() {
    let waiter = wait(&["ALRM"]);
    waiter.wait_until_asleep();
    waiter.signal(Signal::SIGALRM);
    assert!(text(&waiter.finish().stdout).starts_with("ALRM pid="));
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
fn a_signal_that_the_caller_ignores_is_received() {
    let waiter = started(sh("trap '' USR1; exec ipc signal wait \"$@\"").word("sh"), &["USR1"]);
    waiter.signal(Signal::SIGUSR1);
    assert!(text(&waiter.finish().stdout).starts_with("USR1 pid="));
}

#[test]
fn a_wait_goes_on_after_a_stop() {
    let waiter = wait(&["USR1", "-t", "1h"]);
    waiter.wait_until_asleep();
    waiter.stop_and_continue();
    waiter.signal(Signal::SIGUSR1);
    assert_eq!(code(&waiter.finish()), 0);
}

#[test]
fn ready_is_written_after_the_signals_are_blocked() {
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
    // The reader of the first line sends the second signal.
    let line = "mkfifo \"$0\"
        { ipc signal wait RTMIN --count 2 --ready 3 3>\"$0\" & echo $!; wait; } | {
            read waiter; read pid <\"$0\"
            ipc signal send RTMIN $waiter; read first; echo \"${first%% *}\"
            ipc signal send RTMIN $waiter; read second; echo \"${second%% *}\"; }";
    sh(line).word(fifo).is(0, "RTMIN\nRTMIN\n", "");
}

#[test]
fn unknown_and_uncatchable_signals_are_usage_errors() {
    let hint = "hint: try 'ipc signal wait --help'\n";
    for signal in ["KILL", "SIGSTOP", "9"] {
        let said =
            format!("ipc: signal wait: {signal}: no process can catch, block or ignore it\n");
        ipc(&["signal", "wait", signal]).is(2, "", &format!("{said}{hint}"));
    }
    for signal in ["FOO", "0", "65"] {
        let said =
            format!("ipc: signal wait: {signal}: not a signal; 'ipc signal ls' lists them\n");
        ipc(&["signal", "wait", signal]).is(2, "", &format!("{said}{hint}"));
    }
}

#[test]
fn ten_thousand_queued_values_are_all_printed_in_order() {
    const SOURCE: &str = r#"
        #include <errno.h>
        #include <sched.h>
        #include <signal.h>
        #include <stdlib.h>
        int main(int n, char **words) {
            for (int i = 0; n == 2 && i < 10000; i++) {
                union sigval value = { .sival_int = i };
                while (sigqueue(atoi(words[1]), SIGRTMAX, value)) {
                    if (errno != EAGAIN) return 1;
                    sched_yield();
                }
            }
        }"#;
    let Some(sender) = peers::c(SOURCE) else { return };
    let directory = tempfile::tempdir().unwrap();
    let values = directory.path().join("values");
    let run = sh("exec ipc signal wait -f RTMAX \"$@\" >\"$0\"").word(&values);
    let waiter = started(run, &[]);
    sender.run(&[&waiter.pid().to_string()]).is(0, "", "");
    let read = || std::fs::read_to_string(&values).unwrap();
    until("all values are there", || read().ends_with("value=9999\n"));
    waiter.signal(Signal::SIGTERM);
    assert_eq!(code(&waiter.finish()), 143);
    let out = read();
    let values: Vec<u32> =
        out.lines().map(|line| line.rsplit('=').next().unwrap().parse().unwrap()).collect();
    assert_eq!(values, (0..10000).collect::<Vec<_>>());
}

#[test]
fn a_signal_that_is_still_pending_at_the_end_has_no_effect() {
    let waiter = wait(&["RTMIN", "RTMIN+1"]);
    let pid = waiter.pid().to_string();
    // While it is stopped, all of them are queued.
    waiter.stop();
    for signal in ["RTMIN", "RTMIN+1", "RTMIN"] {
        ipc(&["signal", "send", signal, &pid]).is(0, "", "");
    }
    waiter.signal(Signal::SIGCONT);
    let output = waiter.finish();
    let stdout = text(&output.stdout);
    assert_eq!((code(&output), stdout.lines().count(), text(&output.stderr)), (0, 1, "".into()));
}
