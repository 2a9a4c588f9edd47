//! `ipc signal alarm`.

use nix::sys::signal::Signal;

use crate::support::{Run, code, ipc, until};

#[test]
fn an_alarm_has_the_statuses_of_timeout() {
    for words in [
        &["5", "true"][..],
        &["5", "false"],
        &["0", "sh", "-c", "exit 7"],
        &["0.05", "sleep", "1000"],
        &["-s", "INT", "0.05", "sleep", "1000"],
        &["-s", "KILL", "0.05", "sleep", "1000"],
        &["--preserve-status", "0.05", "sleep", "1000"],
        &["--foreground", "0.05", "sleep", "1000"],
        // The limit is long enough for the shell to set its trap.
        &["-k", "0.05", "1", "sh", "-c", "trap '' TERM; while :; do sleep 0.01; done"],
        &["0.05", "sh", "-c", "sleep 1000 & wait"],
        &["0.05", "sh", "-c", "kill -STOP $$; sleep 1000"],
        &["5", "sh", "-c", "kill -9 $$"],
        &["-s", "0", "0.05", "sleep", "0.2"],
        &["-k", "0.05", "-s", "0", "0.05", "sleep", "1000"],
        &["1e1", "false"],
        &["5e-2", "sleep", "1000"],
        &["1E-3m", "sleep", "1000"],
        &["infinity", "false"],
        &["INF", "false"],
        &["1e400", "false"],
        &["+5", "false"],
        &["5", "/no/such"],
        &["5", "/"],
    ] {
        const COMMANDS: [&str; 6] = ["true", "false", "sh", "sleep", "/no/such", "/"];
        let at = words.iter().position(|word| COMMANDS.contains(word)).unwrap();
        let mut alarm = ipc(&["signal", "alarm"]);
        let mut timeout = Run::new("timeout", &[]);
        for (index, word) in words.iter().enumerate() {
            timeout = timeout.word(word);
            alarm = if index == at { alarm.word("--") } else { alarm };
            alarm = alarm.word(word);
        }
        let (alarm, timeout) = (alarm.output(), timeout.output());
        assert_eq!((code(&alarm), &alarm.stdout), (code(&timeout), &timeout.stdout), "{words:?}");
    }
}

#[test]
fn an_alarm_signals_the_children_and_passes_signals_on() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("pid");
    let line = "sleep 1000 >/dev/null 2>&1 & echo $! >\"$0\"; wait";
    ipc(&["signal", "alarm", "50ms", "-v", "--", "sh", "-c", line]).word(&file).is(
        124,
        "",
        "ipc: signal alarm: sh: timed out, sending TERM\n",
    );
    let pid = std::fs::read_to_string(&file).unwrap();
    let gone = || !std::path::Path::new(&format!("/proc/{}/fd/1", pid.trim_end())).exists();
    until("the child is gone", gone);
    let script = "trap 'exit 9' USR1; echo $$ >\"$0\"; while :; do sleep 0.01; done";
    std::fs::remove_file(&file).unwrap();
    let running = ipc(&["signal", "alarm", "1h", "--", "sh", "-c", script]).word(&file).start();
    until("it runs", || std::fs::read(&file).is_ok_and(|line| line.ends_with(b"\n")));
    running.signal(Signal::SIGUSR1);
    assert_eq!(code(&running.finish()), 9);
}

#[test]
fn with_signal_0_the_command_goes_on_and_the_status_is_124() {
    ipc(&["signal", "alarm", "-v", "-s", "0", "10ms", "--", "sh", "-c", "sleep 0.2; exit 7"]).is(
        124,
        "",
        "ipc: signal alarm: sh: timed out, sending 0\n",
    );
}
