//! `ipc signal trap`.

use nix::sys::signal::Signal;

use super::{info, uid};
use crate::support::{code, ipc, sh, text, until};

#[test]
fn two_shells_play_ping_pong() {
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    // Each answers the one who signalled it, with its own value plus one.
    let player = "echo $$ >\"$1\"
        exec ipc signal trap --on RTMIN='
            echo $IPC_SIGNAL_VALUE
            [ $IPC_SIGNAL_VALUE -ge 20 ] && ipc signal send TERM $IPC_COMMAND_PID
            [ $IPC_SIGNAL_VALUE -ge 21 ] || ipc signal send RTMIN --value $((IPC_SIGNAL_VALUE + 1)) $(cat \"'\"$2\"'\")
        ' -- sleep 1000";
    let start = |mine: &str, other: &str| {
        let running = sh(player).word("sh").word(file(mine)).word(file(other)).start();
        until("the player is there", || {
            std::fs::read(format!("/proc/{}/comm", running.pid()))
                .is_ok_and(|comm| comm == b"ipc\n")
        });
        running
    };
    let (one, other) = (start("one", "other"), start("other", "one"));
    until("both listen", || {
        [&one, &other]
            .iter()
            .all(|player| info(&player.pid().to_string(), "blocked").contains("RTMIN"))
    });
    ipc(&["signal", "send", "RTMIN", "--value", "0", &one.pid().to_string()]).is(0, "", "");
    let values = |remainder| {
        let lines = (0..=21).filter(|value| value % 2 == remainder);
        lines.map(|value| format!("{value}\n")).collect::<String>()
    };
    let (one, other) = (one.finish(), other.finish());
    assert_eq!((code(&one), text(&one.stdout)), (143, values(0)));
    assert_eq!((code(&other), text(&other.stdout)), (143, values(1)));
}

#[test]
fn a_handler_runs_at_once_while_the_command_runs_and_knows_who_signalled() {
    let line = "ipc signal trap --on USR1='echo $IPC_SIGNAL $IPC_SIGNAL_UID ${IPC_SIGNAL_VALUE-none}; kill $IPC_COMMAND_PID' \
        -- sh -c 'ipc signal send USR1 $PPID; exec sleep 1000'";
    sh(line).is(143, &format!("USR1 {} none\n", uid()), "");
    let line = "ipc signal trap --on RTMIN+1='echo $IPC_SIGNAL_VALUE' -- sh -c '
        ipc signal send RTMIN+1 --value -7 $PPID'";
    sh(line).is(0, "-7\n", "");
}

#[test]
fn a_trap_loses_none_of_a_thousand_signals_and_keeps_their_order() {
    let python = "import ctypes, os
libc = ctypes.CDLL(None)
for value in range(1000):
    libc.sigqueue(os.getppid(), 40, ctypes.c_void_p(value))";
    let run = ipc(&[
        "signal",
        "trap",
        "--on",
        "40=echo $IPC_SIGNAL_VALUE",
        "--",
        "python3",
        "-c",
        python,
    ]);
    let expected: String = (0..1000).map(|value| format!("{value}\n")).collect();
    run.is(0, &expected, "");
}

#[test]
fn exit_and_the_end_of_the_command_have_handlers_too() {
    ipc(&[
        "signal",
        "trap",
        "--on",
        "EXIT=echo $IPC_SIGNAL",
        "--on",
        "CHLD=echo ended",
        "--",
        "sh",
        "-c",
        "exit 4",
    ])
    .is(4, "ended\nEXIT\n", "");
    ipc(&["signal", "trap", "--on", "EXIT=false", "-v", "--", "true"]).is(
        0,
        "",
        "ipc: signal trap: a handler ended with status 1\n",
    );
}

#[test]
fn without_a_command_a_trap_goes_on_until_a_signal_ends_it() {
    let running =
        ipc(&["signal", "trap", "--on", "USR1=echo one", "--on", "EXIT=echo end"]).start();
    until("it listens", || info(&running.pid().to_string(), "blocked").contains("USR1"));
    running.signal(Signal::SIGUSR1);
    running.wait_until_asleep();
    running.signal(Signal::SIGTERM);
    let output = running.finish();
    assert_eq!((code(&output), text(&output.stdout)), (143, "one\nend\n".to_owned()));
}

#[test]
fn a_signal_without_a_handler_is_passed_on() {
    let script =
        "trap 'echo asked; exit 3' TERM; ipc signal send TERM $PPID; while :; do sleep 0.01; done";
    let run = sh("exec ipc signal trap --on USR1=true -- sh -c \"$0\"").word(script);
    run.is(3, "asked\n", "");
}

#[test]
fn a_handler_that_is_none_is_a_usage_error() {
    let reason = "not a signal, or EXIT, and a line of shell, as in USR1='date'";
    for (handler, reason) in [
        ("USR1", reason),
        ("KILL=true", "no process can catch, block or ignore it"),
        ("FOO=true", "not a signal; 'ipc signal ls' lists them"),
    ] {
        ipc(&["signal", "trap", "--on", handler, "--", "true"]).is(
            2,
            "",
            &format!(
                "ipc: signal trap: --on '{handler}': {reason}\nhint: try 'ipc signal trap --help'\n"
            ),
        );
    }
}

#[test]
fn what_our_caller_ignores_ends_no_trap() {
    let line = "trap '' HUP; exec ipc signal trap --on USR1='echo one; kill $PPID'";
    let running = sh(line).start();
    until("it listens", || info(&running.pid().to_string(), "blocked").contains("USR1"));
    running.signal(Signal::SIGHUP);
    running.signal(Signal::SIGUSR1);
    let output = running.finish();
    assert_eq!((code(&output), text(&output.stdout)), (143, "one\n".to_owned()));
}
