//! `ipc signal`.

use std::process::Command;

use nix::sys::signal::Signal;
use serde_json::json;

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

/// A process that does nothing, for a long time. It ends with the test.
struct Sleeper(std::process::Child);

impl Sleeper {
    fn new() -> Self {
        Self::of(Command::new("sleep"))
    }

    fn of(mut command: Command) -> Self {
        Self(command.arg("1000").spawn().unwrap())
    }

    fn pid(&self) -> String {
        self.0.id().to_string()
    }

    /// Whether it ended by this signal.
    fn died_of(mut self, signal: i32) -> bool {
        std::os::unix::process::ExitStatusExt::signal(&self.0.wait().unwrap()) == Some(signal)
    }
}

impl Drop for Sleeper {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What `info` says of a process, by key.
fn info(pid: &str, key: &str) -> String {
    let shown = ipc(&["signal", "info", "--json", pid]).succeeds();
    let info: serde_json::Value = serde_json::from_str(&shown).unwrap();
    info[key].to_string()
}

#[test]
fn a_process_is_named_with_the_time_it_was_started_at() {
    let sleeper = Sleeper::new();
    let start: u64 = info(&sleeper.pid(), "start").parse().unwrap();
    let other = format!("{}:{}", sleeper.pid(), start + 1);
    ipc(&["signal", "send", "TERM", &other]).is(
        4,
        "",
        &format!("ipc: signal send: {other}: is another process by now\n"),
    );
    ipc(&["signal", "send", "TERM", &format!("{}:{start}", sleeper.pid())]).is(0, "", "");
    assert!(sleeper.died_of(15));
}

#[test]
fn wait_waits_for_the_end_and_then_insists() {
    let sleeper = Sleeper::new();
    ipc(&["signal", "send", "TERM", "--wait", &sleeper.pid()]).is(0, "", "");
    assert!(sleeper.died_of(15));
    let sleeper = Sleeper::new();
    let pid = sleeper.pid();
    let words = ["signal", "send", "CONT", "--wait", "-t", "20ms", &pid];
    ipc(&words).is(124, "", &format!("ipc: signal send: {pid}: timed out\n"));
    ipc(&words).word("--then").word("KILL").word("-v").is(
        0,
        "",
        &format!("ipc: signal send: {pid}: still there, sending KILL\n"),
    );
    assert!(sleeper.died_of(9));
    for words in [["-t", "1"], ["--then", "KILL"]] {
        let output = ipc(&["signal", "send", "0", "1"]).word(words[0]).word(words[1]).output();
        assert_eq!(code(&output), 2);
    }
}

#[test]
fn a_zombie_has_ended_and_can_still_be_probed() {
    let mut child = Command::new("true").spawn().unwrap();
    let pid = child.id().to_string();
    ipc(&["signal", "send", "0", "--wait", &pid]).is(0, "", "");
    assert_eq!(info(&pid, "state"), "\"Z (zombie)\"");
    child.wait().unwrap();
}

#[test]
fn an_orphan_gets_its_signal() {
    let pid = sh("sleep 1000 >/dev/null 2>&1 & echo $!").succeeds();
    ipc(&["signal", "send", "TERM", "--wait", pid.trim_end()]).is(0, "", "");
}

#[test]
fn a_group_gets_the_signal_even_without_its_leader() {
    for leader in ["wait", "exit"] {
        let line = format!("sleep 1000 & echo $!; sleep 1000 & echo $!; {leader}");
        let mut command = Command::new("sh");
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut group =
            command.args(["-c", &line]).stdout(std::process::Stdio::piped()).spawn().unwrap();
        let mut pids = String::new();
        let mut out = std::io::BufReader::new(group.stdout.take().unwrap());
        for _ in 0..2 {
            std::io::BufRead::read_line(&mut out, &mut pids).unwrap();
        }
        if leader == "exit" {
            group.wait().unwrap();
        }
        ipc(&["signal", "send", "TERM", "--group", &group.id().to_string()]).is(0, "", "");
        // The end of what they write to is that of all of them.
        std::io::Read::read_to_string(&mut out, &mut pids).unwrap();
        group.wait().unwrap();
    }
}

#[test]
fn the_process_of_a_pidfile_gets_the_signal() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("pid");
    let path = file.to_str().unwrap();
    for option in ["--pidfile", "-q"] {
        let sleeper = Sleeper::new();
        ipc(&["lock", "take", option, path, "--owner", &sleeper.pid()]).is(0, "", "");
        ipc(&["signal", "send", "TERM", "--pidfile", path]).is(0, "", "");
        assert!(sleeper.died_of(15));
        let output = ipc(&["signal", "send", "TERM", "--pidfile", path]).output();
        assert_eq!((code(&output), output.stdout.len()), (4, 0));
        std::fs::remove_file(&file).unwrap();
    }
    std::fs::write(&file, "no number\n").unwrap();
    ipc(&["signal", "send", "TERM", "--pidfile", path]).is(
        3,
        "",
        &format!("ipc: signal send: {path}: holds no number of a process\n"),
    );
}

#[test]
fn processes_of_a_name_get_the_signal() {
    let directory = tempfile::tempdir().unwrap();
    let name = format!("i{}", std::process::id());
    let link = directory.path().join(&name);
    std::os::unix::fs::symlink("/usr/bin/sleep", &link).unwrap();
    let start = || {
        let sleeper = Sleeper::of(Command::new(&link));
        until("it runs", || {
            let comm = std::fs::read_to_string(format!("/proc/{}/comm", sleeper.pid()));
            comm.is_ok_and(|comm| comm.trim_end() == name)
        });
        sleeper
    };
    ipc(&["signal", "send", "TERM", "--name", &name]).is(
        4,
        "",
        &format!("ipc: signal send: {name}: no process has this name\n"),
    );
    let (first, second) = (start(), start());
    let several = format!("{}, {}", first.pid(), second.pid());
    ipc(&["signal", "send", "TERM", "--name", &name]).is(
        3,
        "",
        &format!(
            "ipc: signal send: {name}: is the name of several processes: {several}\n\
             hint: --newest picks one, --all takes them all\n"
        ),
    );
    ipc(&["signal", "send", "INT", "--name", &name, "--newest"]).is(0, "", "");
    let third = start();
    ipc(&["signal", "send", "TERM", "--name", &name, "--all"]).is(0, "", "");
    assert!(first.died_of(15));
    assert!(second.died_of(2));
    assert!(third.died_of(15));
}

#[test]
fn all_processes_of_a_namespace_get_the_signal_but_the_first_and_ourselves() {
    if !crate::peers::may_unshare(&["--pid", "--fork", "--mount-proc"]) {
        return;
    }
    let line = "exec unshare --pid --fork --mount-proc sh -c '
        sleep 1000 & first=$!; sleep 1000 & second=$!
        exec 2>/dev/null # where the shell says which jobs were terminated
        ipc signal send TERM --all-processes; echo $?
        wait $first; echo $?; wait $second; echo $?'";
    sh(line).is(0, "0\n143\n143\n", "");
}

#[test]
fn ten_thousand_queued_values_come_in_order_and_none_is_lost() {
    const SOURCE: &str = r#"
        #include <errno.h>
        #include <sched.h>
        #include <signal.h>
        #include <stdlib.h>
        int main(int n, char **words) {
            for (int i = 0; i < 10000; i++) {
                union sigval value = { .sival_int = i };
                while (sigqueue(atoi(words[1]), SIGRTMAX, value)) {
                    if (errno != EAGAIN) return 1;
                    sched_yield();
                }
            }
        }"#;
    let directory = tempfile::tempdir().unwrap();
    let (source, program) = (directory.path().join("send.c"), directory.path().join("send"));
    std::fs::write(&source, SOURCE).unwrap();
    assert!(Command::new("gcc").arg("-o").args([&program, &source]).status().unwrap().success());
    let values = directory.path().join("values");
    let run = sh("exec ipc signal wait -f RTMAX \"$@\" >\"$0\"").word(&values);
    let waiter = started(run, &[]);
    let sent = Command::new(&program).arg(waiter.pid().to_string()).status().unwrap();
    assert!(sent.success());
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
        "ipc: signal trap: a handler ended with exit status: 1\n",
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
        ("KILL=true", "no process can wait for it or catch it"),
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
fn a_command_runs_with_signals_ignored_and_blocked() {
    let grep = ["grep", "-E", "Sig(Blk|Ign)", "/proc/self/status"];
    let mut run =
        ipc(&["signal", "run", "--ignore", "PIPE", "--ignore", "USR1", "--block", "RTMAX", "--"]);
    for word in grep {
        run = run.word(word);
    }
    let out = run.succeeds();
    let set = |line: &str| u64::from_str_radix(line.split('\t').nth(1).unwrap(), 16).unwrap();
    let sets: Vec<u64> = out.lines().map(set).collect();
    assert_eq!((sets[0], sets[1] & !(3 << 31)), (1 << 63, 1 << 12 | 1 << 9));
    let hup = "trap '' HUP; exec ipc signal run --default HUP -- sh -c 'kill -HUP $$; echo alive'";
    sh(hup).is(129, "", "");
    ipc(&["signal", "run", "--ignore", "KILL", "--", "true"]).is(
        2,
        "",
        "ipc: signal run: --ignore 'KILL': no process can wait for it or catch it\n\
         hint: try 'ipc signal run --help'\n",
    );
}

#[test]
fn an_alarm_ends_as_timeout_does() {
    for words in [
        &["5", "true"][..],
        &["5", "false"],
        &["0", "sh", "-c", "exit 7"],
        &["0.05", "sleep", "1000"],
        &["-s", "INT", "0.05", "sleep", "1000"],
        &["-s", "KILL", "0.05", "sleep", "1000"],
        &["--preserve-status", "0.05", "sleep", "1000"],
        &["--foreground", "0.05", "sleep", "1000"],
        &["-k", "0.05", "0.05", "sh", "-c", "trap '' TERM; while :; do sleep 0.01; done"],
        &["0.05", "sh", "-c", "sleep 1000 & wait"],
        &["0.05", "sh", "-c", "kill -STOP $$; sleep 1000"],
        &["5", "sh", "-c", "kill -9 $$"],
        &["5", "/no/such"],
        &["5", "/"],
    ] {
        let options = words.iter().position(|word| word.parse::<f64>().is_ok() && !word.is_empty());
        let at = if words[0] == "-k" { 2 } else { options.unwrap() };
        let mut ours = ipc(&["signal", "alarm"]);
        let mut theirs = Run::new("timeout", &[]);
        for (index, word) in words.iter().enumerate() {
            theirs = theirs.word(word);
            ours = ours.word(word);
            ours = if index == at { ours.word("--") } else { ours };
        }
        let (ours, theirs) = (ours.output(), theirs.output());
        assert_eq!((code(&ours), &ours.stdout), (code(&theirs), &theirs.stdout), "{words:?}");
    }
}

#[test]
fn an_alarm_takes_the_children_along_and_passes_signals_on() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("pid");
    let line = "sleep 1000 >/dev/null 2>&1 & echo $! >\"$0\"; wait";
    ipc(&["signal", "alarm", "50ms", "-v", "--", "sh", "-c", line]).word(&file).is(
        124,
        "",
        "ipc: signal alarm: sh: not in time, sending TERM\n",
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
fn info_shows_what_a_process_does_with_signals() {
    let waiter =
        started(sh("trap '' USR2; exec ipc signal wait \"$@\"").word("sh"), &["USR1", "RTMIN+2"]);
    waiter.wait_until_asleep();
    let pid = waiter.pid().to_string();
    assert!(info(&pid, "ignored").contains("\"USR2\""));
    assert_eq!(info(&pid, "pending"), "[]");
    assert_eq!(info(&pid, "command"), "\"ipc\"");
    let out = ipc(&["signal", "info", "--tree", &std::process::id().to_string()]).succeeds();
    assert!(out.lines().any(|line| line.trim_start().starts_with(&format!("{pid} "))), "{out}");
    let mut gone = Command::new("true").spawn().unwrap();
    gone.wait().unwrap();
    let gone = gone.id().to_string();
    ipc(&["signal", "info", &gone]).is(
        4,
        "",
        &format!("ipc: signal info: {gone}: No such process\n"),
    );
}

#[test]
fn info_tells_what_waits_for_the_process_from_what_waits_for_one_thread() {
    let python = "import os, signal, sys, threading
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1, signal.SIGUSR2])
def thread():
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])
    signal.pthread_kill(threading.get_ident(), signal.SIGUSR2)
    os.kill(os.getpid(), signal.SIGUSR1)
    print(os.getpid(), threading.get_native_id(), flush=True)
    sys.stdin.readline()
threading.Thread(target=thread).start()";
    let line = "python3 -c \"$0\" | { read pid tid; echo $tid
        ipc signal info --json $pid; echo >f; }";
    let out = sh("mkfifo f; exec 3<>f; eval \"$1\" <&3");
    let directory = tempfile::tempdir().unwrap();
    let out = out.within(directory.path()).word(python).word(line).succeeds();
    let (tid, seen) = out.split_once('\n').unwrap();
    let seen: serde_json::Value = serde_json::from_str(seen).unwrap();
    let tid: i64 = tid.parse().unwrap();
    let thread = json!({ "blocked": ["USR1", "USR2", "ALRM"], "pending": ["USR2"], "tid": tid });
    assert_eq!((&seen["pending"], &seen["threads"]), (&json!(["USR1"]), &json!([thread])));
}
