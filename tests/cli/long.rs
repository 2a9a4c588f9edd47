//! What fails once in thousands of runs. Here are a few runs; `make test-long` has as many as
//! `IPC_LONG` says.

use crate::support::ipc;

/// How many runs there are.
fn runs() -> u32 {
    let wanted = std::env::var("IPC_LONG").ok();
    wanted.map_or(20, |runs| runs.parse().expect("IPC_LONG is a number"))
}

#[test]
fn the_end_of_a_command_is_never_missed_behind_a_timeout() {
    let directory = tempfile::tempdir().unwrap();
    for _ in 0..runs() {
        let run = ipc(&["lock", "run", "-t", "1s", "l", "--", "true"]).within(directory.path());
        run.is(0, "", "");
    }
}

#[test]
fn the_end_of_a_command_is_never_missed_by_an_alarm_or_a_trap() {
    for _ in 0..runs() {
        ipc(&["signal", "alarm", "1h", "--", "true"]).is(0, "", "");
        ipc(&["signal", "trap", "--on", "USR1=:", "--", "true"]).is(0, "", "");
    }
}
