//! `ipc signal trap`.

use nix::sys::signal::Signal;

use super::{info, uid};
use crate::peers;
use crate::support::{Name, Run, code, ipc, sh, text, until};

#[test]
fn two_traps_answer_each_other() {
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    // Each one answers its sender, with the value plus one.
    let player = "echo $$ >\"$1\"
        exec ipc signal trap --on RTMIN='
            echo $IPC_SIGNAL_VALUE
            [ $IPC_SIGNAL_VALUE -ge 20 ] && ipc signal send TERM $IPC_COMMAND_PID
            [ $IPC_SIGNAL_VALUE -ge 21 ] || ipc signal send RTMIN --value $((IPC_SIGNAL_VALUE + 1)) $(cat \"'\"$2\"'\")
        ' -- sleep 1000";
    let start = |mine: &str, other: &str| {
        let running = sh(player).word("sh").word(file(mine)).word(file(other)).start();
        until("the player has started", || {
            std::fs::read(format!("/proc/{}/comm", running.pid()))
                .is_ok_and(|comm| comm == b"ipc\n")
        });
        running
    };
    let (one, other) = (start("one", "other"), start("other", "one"));
    until("both have blocked the signal", || {
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
fn a_handler_runs_while_the_command_runs_and_knows_the_sender() {
    let line = "ipc signal trap --on USR1='echo $IPC_SIGNAL $IPC_SIGNAL_UID ${IPC_SIGNAL_VALUE-none}; kill $IPC_COMMAND_PID' \
        -- sh -c 'ipc signal send USR1 $PPID; exec sleep 1000'";
    sh(line).is(143, &format!("USR1 {} none\n", uid()), "");
    let line = "ipc signal trap --on RTMIN+1='echo $IPC_SIGNAL_VALUE' -- sh -c '
        ipc signal send RTMIN+1 --value -7 $PPID'";
    sh(line).is(0, "-7\n", "");
}

#[test]
fn a_thousand_signals_are_handled_in_order() {
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
fn exit_and_the_end_of_the_command_have_handlers() {
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
fn a_trap_without_a_command_ends_by_a_signal() {
    let running =
        ipc(&["signal", "trap", "--on", "USR1=echo one", "--on", "EXIT=echo end"]).start();
    until("the signal is blocked", || info(&running.pid().to_string(), "blocked").contains("USR1"));
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
fn an_invalid_handler_is_a_usage_error() {
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
fn a_signal_that_the_caller_ignores_does_not_end_a_trap() {
    let line = "trap '' HUP; exec ipc signal trap --on USR1='echo one; kill $PPID'";
    let running = sh(line).start();
    until("the signal is blocked", || info(&running.pid().to_string(), "blocked").contains("USR1"));
    running.signal(Signal::SIGHUP);
    running.signal(Signal::SIGUSR1);
    let output = running.finish();
    assert_eq!((code(&output), text(&output.stdout)), (143, "one\n".to_owned()));
}

#[test]
fn signals_that_a_shell_ignores_in_the_background_are_passed_on() {
    for (signal, status) in [("INT", 130), ("QUIT", 131)] {
        for verb in ["signal trap --on USR1=true", "signal alarm 1h", "lock run f"] {
            let line = "ipc $1 -- sh -c ': >ready; exec sleep 1000' & p=$!
                until_true [ -e ready ]
                sleep 0.1; ipc signal send $2 $p; wait $p; echo $?";
            let directory = tempfile::tempdir().unwrap();
            let run = sh(line).word("sh").word(verb).word(signal).within(directory.path());
            run.is(0, &format!("{status}\n"), "");
        }
    }
}

#[test]
fn handlers_run_also_if_no_descriptor_is_left() {
    let line = "exec 3>&- 4>&- 5>&- 6>&-; ulimit -n 8; exec ipc signal trap --on USR1='echo hit' -- sh -c '
        ipc signal send USR1 $PPID; sleep 0.2; exit 7'";
    sh(line).is(7, "hit\n", "");
}

#[test]
fn a_trap_without_a_free_descriptor_does_not_start_its_command() {
    let line =
        "exec 3>&- 4>&- 5>&- 6>&-; ulimit -n 4; exec ipc signal trap --on USR1=true -- touch made";
    let directory = tempfile::tempdir().unwrap();
    sh(line).within(directory.path()).is(
        125,
        "",
        "ipc: signal trap: /dev/null: Too many open files\n\
         hint: 'prlimit --nofile' shows how many files a process may have open\n",
    );
    assert!(!directory.path().join("made").exists());
}

/// A trap in which the given start of a process fails with EAGAIN.
fn failing_start(which: &str, words: &str) -> Option<Run> {
    let line = format!(
        "exec strace -qqo /dev/null -e inject=clone,clone3,vfork:error=EAGAIN:when={which} \
         ipc signal trap {words}"
    );
    peers::there("strace", &["-o", "/dev/null", "true"]).then(|| sh(&line))
}

const NO_PROCESS: &str = "Resource temporarily unavailable\n\
    hint: 'prlimit --nproc' shows how many processes a user may have; \
    a control group has a limit of its own, pids.max\n";

#[test]
fn a_handler_that_cannot_be_started_is_started_later() {
    let words = "--on USR1='echo hit' -- sh -c '
        ipc signal send USR1 $PPID; until [ -e go ] || [ $((i += 1)) = 200 ]; do sleep 0.01; done; exit 7'";
    let Some(run) = failing_start("2", words) else { return };
    run.is(7, "hit\n", &format!("ipc: signal trap: /bin/sh: {NO_PROCESS}"));
}

#[test]
fn a_handler_that_cannot_be_started_at_the_end_is_reported() {
    let Some(run) = failing_start("2+", "--on EXIT='echo hit' -- sh -c 'exit 7'") else { return };
    run.is(7, "", &format!("ipc: signal trap: handler of EXIT not run: /bin/sh: {NO_PROCESS}"));
    let Some(run) = failing_start("1", "--on EXIT='echo hit' -- sh -c 'exit 7'") else { return };
    run.is(125, "", &format!("ipc: signal trap: sh: {NO_PROCESS}"));
}

#[test]
fn a_trap_sleeps_while_it_waits_for_its_last_handler() {
    let line = "ipc signal trap --on EXIT='sleep 1' -- true; cat /proc/$$/stat";
    let stat = sh(line).succeeds();
    // The user and system time of children that have been waited for.
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap().split(' ').collect();
    let ticks: u64 = fields[13..15].iter().map(|field| field.parse::<u64>().unwrap()).sum();
    assert!(ticks < 50, "{stat}");
}

#[test]
fn a_command_starts_without_ignored_or_blocked_signals() {
    let show = "-- grep -E '^Sig(Blk|Ign):' /proc/self/status";
    let clean = "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n";
    for verb in [
        "signal trap --on USR1=true",
        "signal alarm 1h",
        "signal run",
        "lock run f",
        "lock run --no-fork f",
        "sem run --create 1 $name",
        "sock pair -- true",
    ] {
        let (directory, name) = (tempfile::tempdir().unwrap(), Name::new("sem"));
        let stdout = if verb.starts_with("sock") { "| cat >&2" } else { ">&2" };
        let line = format!("exec ipc {verb} -- sh -c \"$0 {stdout}\"");
        let words = show.trim_start_matches("-- ");
        let run = sh(&line).word(words).within(directory.path()).env("name", &*name);
        run.is(0, "", clean);
    }
}
