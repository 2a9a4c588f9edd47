//! `ipc signal init`: the first process of a container.

use crate::peers;
use crate::support::{Run, code, ipc, script, sh, text};

/// A line of shell that has `ipc signal init` as the first process of a PID namespace, and a line of
/// shell as its COMMAND; `None` if that is not permitted.
#[track_caller]
fn container(command: &str) -> Option<Run> {
    let options = ["--pid", "--fork", "--mount-proc", "--kill-child"];
    let line =
        "exec unshare --pid --fork --mount-proc --kill-child ipc signal init -- sh -c \"$0\"";
    peers::may_unshare(&options).then(|| sh(line).word(script(command)))
}

#[test]
fn the_status_is_that_of_the_command() {
    for (command, status) in [
        ("exit 0", 0),
        ("exit 7", 7),
        ("kill -TERM $$", 143),
        ("kill -KILL $$", 137),
        ("ulimit -c 0; kill -SEGV $$", 139),
    ] {
        let Some(run) = container(command) else { return };
        let output = run.output();
        assert_eq!((code(&output), text(&output.stderr)), (status, String::new()), "{command}");
    }
    let missing = "ipc: signal init: no-such-command: No such file or directory\n";
    ipc(&["signal", "init", "--", "no-such-command"]).is(127, "", missing);
}

#[test]
fn orphans_are_reaped() {
    // Each child of the command leaves a grandchild behind, which ends while the command runs.
    let command = "for i in 1 2 3 4 5 6 7 8 9 10; do (sleep 0.0$i & ) ; done
        (sh -c 'kill -KILL $$' &)
        sleep 0.5; cat /proc/[0-9]*/stat 2>/dev/null | grep -c ') Z '; exit 3";
    let Some(run) = container(command) else { return };
    run.is(3, "0\n", "");
}

#[test]
fn an_orphan_is_a_child_of_the_first_process() {
    let command = "(sleep 100 & echo $! >pid); grep PPid /proc/$(cat pid)/status | tr -s '\\t' ' '";
    let directory = tempfile::tempdir().unwrap();
    let Some(run) = container(command) else { return };
    run.within(directory.path()).is(0, "PPid: 1\n", "");
}

#[test]
fn processes_that_the_command_leaves_end_with_the_container() {
    let command = "setsid sh -c 'sleep 0.3; : >left' & exit 0";
    let directory = tempfile::tempdir().unwrap();
    let Some(run) = container(command) else { return };
    run.within(directory.path()).is(0, "", "");
    crate::support::pause(std::time::Duration::from_millis(500));
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[test]
fn a_signal_goes_to_the_group_of_the_command() {
    // The command and its child both handle it; 1 is `ipc`.
    let command = "trap 'echo command' $signal
        ipc signal run --default INT --default QUIT -- sh -c \"trap 'echo child; exit' $signal
            : >ready; while :; do sleep 0.01; done\" &
        until_true [ -e ready ]
        setsid sh -c \"kill -$signal 1\"
        wait; wait; exit 5";
    for signal in ["TERM", "INT", "HUP", "QUIT", "USR1", "ALRM", "WINCH", "40", "PWR"] {
        let directory = tempfile::tempdir().unwrap();
        let Some(run) = container(command) else { return };
        let output = run.env("signal", signal).within(directory.path()).output();
        let stdout = text(&output.stdout);
        let mut heard: Vec<&str> = stdout.lines().collect();
        heard.sort_unstable();
        assert_eq!((code(&output), heard), (5, vec!["child", "command"]), "{signal}: {output:?}");
    }
}

#[test]
fn a_command_without_a_handler_dies_of_the_signal() {
    // For the first process itself the kernel would ignore it.
    for (signal, status) in [("TERM", 143), ("INT", 130), ("USR1", 138), ("35", 163)] {
        let command = format!("setsid sh -c 'sleep 0.1; kill -{signal} 1' & exec sleep 1000");
        let Some(run) = container(&command) else { return };
        assert_eq!(code(&run.output()), status, "{signal}");
    }
}

#[test]
fn a_command_in_a_group_of_its_own_gets_signals_too() {
    let command = "exec setsid sh -c 'trap \"echo heard; exit 4\" TERM
        (sleep 0.1; exec setsid sh -c \"kill -TERM 1\") & while :; do sleep 0.01; done'";
    let Some(run) = container(command) else { return };
    let output = run.output();
    // setsid(1) forks if it leads a group, and then the command is setsid itself.
    assert!([4, 143].contains(&code(&output)), "{output:?}");
}

#[test]
fn the_signals_of_job_control_stop_and_continue_the_command() {
    // The command starts no process when it is stopped: a shell that waits in vfork(2) for a child, which is
    // stopped before its execve(2), does not stop.
    let command = "echo $$ >pid; exec sh -c 'trap \"echo end; exit 6\" TERM
        sleep 1000 & : >ready; wait'";
    let probe = "until_true [ -e ready ]; pid=$(cat pid)
        state() { sed 's/.*) //; s/ .*//' /proc/$pid/stat; }
        kill -TSTP 1; until_true eval '[ $(state) = T ]'; echo stopped
        kill -CONT 1; until_true eval '[ $(state) != T ]'; echo continued
        kill -TERM 1";
    let directory = tempfile::tempdir().unwrap();
    let Some(run) = container(&format!("setsid sh -c \"$probe\" & {command}")) else { return };
    let output = run.env("probe", script(probe)).within(directory.path()).output();
    assert_eq!((code(&output), text(&output.stdout)), (6, "stopped\ncontinued\nend\n".to_owned()));
}

#[test]
fn a_signal_from_outside_of_the_container_is_forwarded() {
    let directory = tempfile::tempdir().unwrap();
    let command = "trap 'exit 9' TERM; : >ready; while :; do sleep 0.01; done";
    let Some(run) = container(command) else { return };
    let running = run.within(directory.path()).start();
    let ready = directory.path().join("ready");
    crate::support::until("the command runs", || ready.exists());
    let first = crate::support::children(running.pid());
    assert_eq!(first.len(), 1);
    ipc(&["signal", "send", "TERM", &first[0].to_string()]).is(0, "", "");
    assert_eq!(code(&running.finish()), 9);
}

/// Types ^C at the terminal of a container, and prints the status.
const TERMINAL: &str = r#"
import os, pty, sys, time
program, key = sys.argv[1], sys.argv[2].encode().decode('unicode_escape').encode()
command = "trap 'echo heard; exit 11' INT; read line; echo \"got $line\"; while :; do sleep 0.01; done"
pid, terminal = pty.fork()
if pid == 0:
    # As a container engine does: the first process leads the session of the terminal.
    libc = __import__('ctypes').CDLL(None)
    import signal
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    assert libc.unshare(0x20000000) == 0
    child = os.fork()
    if child == 0:
        os.execv(program, [program, 'signal', 'init', '--', 'sh', '-c', command])
    os._exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
seen = b''
def read_until(what):
    global seen
    while what not in seen:
        seen += os.read(terminal, 4096)
os.write(terminal, b'words\n')
read_until(b'got words')
os.write(terminal, key)
read_until(b'heard')
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"#;

#[test]
fn a_key_of_the_terminal_reaches_the_command() {
    if !peers::may_unshare(&["--pid", "--fork"]) {
        return;
    }
    let program = crate::support::binary().to_str().unwrap().to_owned();
    let Some(run) = peers::python("pty", TERMINAL, &[&program, "\\x03"]) else { return };
    run.is(0, "11\n", "");
}

#[test]
fn where_it_is_not_the_first_process_it_forwards_and_says_that_it_does_not_reap() {
    let note = "ipc: signal init: this is not PID 1: orphans of COMMAND go to another process\n";
    ipc(&["signal", "init", "-v", "--", "true"]).is(0, "", note);
    ipc(&["signal", "init", "--", "sh", "-c", "exit 8"]).is(8, "", "");
    let line = "ipc signal init -- sh -c 'trap \"echo command; exit 3\" TERM; : >ready
        while :; do sleep 0.01; done' 2>errors & pid=$!
        until_true [ -e ready ]; ipc signal send TERM $pid; wait $pid; echo $?";
    let directory = tempfile::tempdir().unwrap();
    sh(line).within(directory.path()).is(0, "command\n3\n", "");
}

#[test]
fn verbs_that_become_their_command_say_that_they_reap_nothing() {
    let note = "'ipc signal init'";
    for place in [["signal", "run"], ["lock", "run"], ["sem", "run"], ["sock", "connect"]] {
        let help = ipc(&place).words(&["--help"]).succeeds();
        assert!(help.contains(note), "{help}");
    }
    assert!(!ipc(&["signal", "trap", "--help"]).succeeds().contains(note));
}
