//! Failures that one run in thousands shows. A few runs are made here; `make test-long` makes as many
//! as `IPC_LONG` says.

use crate::support::{ipc, rounds};

#[test]
fn the_end_of_a_command_is_never_missed_behind_a_timeout() {
    let directory = tempfile::tempdir().unwrap();
    for _ in 0..rounds(20) {
        let run = ipc(&["lock", "run", "-t", "1s", "l", "--", "true"]).within(directory.path());
        run.is(0, "", "");
    }
}

#[test]
fn the_end_of_a_command_is_never_missed_by_an_alarm_or_a_trap() {
    for _ in 0..rounds(20) {
        ipc(&["signal", "alarm", "1h", "--", "true"]).is(0, "", "");
        ipc(&["signal", "trap", "--on", "USR1=:", "--", "true"]).is(0, "", "");
    }
}
