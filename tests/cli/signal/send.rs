//! `ipc signal send`.

use std::process::Command;

use nix::sys::signal::Signal;

use super::{Sleeper, info, uid, wait};
use crate::peers;
use crate::support::{Running, as_another_user, code, ipc, sh, until};

#[test]
fn a_missing_process_and_one_of_another_user_have_different_statuses() {
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
fn signal_0_checks_for_a_process() {
    ipc(&["signal", "send", "0", &std::process::id().to_string()]).is(0, "", "");
}

#[test]
fn after_a_failure_the_other_processes_are_still_signalled() {
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
fn a_number_that_is_no_process_id_is_a_usage_error() {
    for pid in ["00", "-1", "-2147483648", "2147483648", "4194305", "1x", "", "+1"] {
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
fn number_0_is_the_group_of_the_caller_and_only_with_group() {
    ipc(&["signal", "send", "TERM", "0"]).is(
        2,
        "",
        "ipc: signal send: 0: not the number of a process, which is 1 to 4194304\n\
         hint: --group 0 is the process group of the caller\n",
    );
    // The shell and the sender are both in the group.
    let line = "setsid -w sh -c 'exec 2>/dev/null; trap \"echo shell; exit 3\" TERM; ipc signal send TERM --group 0; :'";
    sh(line).is(3, "shell\n", "");
    let line = "exec setsid -w sh -c 'exec ipc signal send RTMIN --value 7 --group 0'";
    sh(line).is(128 + 34, "", "");
}

#[test]
fn a_python_program_gets_the_queued_value() {
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

#[test]
fn a_start_time_excludes_other_processes_with_the_number() {
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
fn wait_waits_for_the_end_and_then_sends_the_second_signal() {
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
        &format!("ipc: signal send: {pid}: timed out, sending KILL\n"),
    );
    assert!(sleeper.died_of(9));
    for words in [["-t", "1"], ["--then", "KILL"]] {
        let output = ipc(&["signal", "send", "0", "1"]).word(words[0]).word(words[1]).output();
        assert_eq!(code(&output), 2);
    }
}

#[test]
fn a_zombie_has_ended_and_signal_0_still_finds_it() {
    let mut child = Command::new("true").spawn().unwrap();
    let pid = child.id().to_string();
    ipc(&["signal", "send", "0", "--wait", &pid]).is(0, "", "");
    assert_eq!(info(&pid, "state"), "\"Z (zombie)\"");
    child.wait().unwrap();
}

#[test]
fn an_orphan_is_signalled() {
    let pid = sh("sleep 1000 >/dev/null 2>&1 & echo $!").succeeds();
    ipc(&["signal", "send", "TERM", "--wait", pid.trim_end()]).is(0, "", "");
}

#[test]
fn a_group_is_signalled_also_without_its_leader() {
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
        let number = group.id().to_string();
        if leader == "exit" {
            ipc(&["signal", "send", "RTMIN", "--value", "1", "--group", &number]).is(
                3,
                "",
                &format!(
                    "ipc: signal send: {number}: \
                     the leader has ended, and only through the leader does a group get a value\n"
                ),
            );
        }
        ipc(&["signal", "send", "TERM", "--group", &number]).is(0, "", "");
        // End of file: all of them have ended.
        std::io::Read::read_to_string(&mut out, &mut pids).unwrap();
        group.wait().unwrap();
    }
}

#[test]
fn the_process_of_a_pidfile_is_signalled() {
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
        &format!(
            "ipc: signal send: {path}: has no process ID\n\
             hint: the file is a process ID and a newline, or a lock file of 'ipc lock take'\n"
        ),
    );
}

#[test]
fn processes_of_a_name_are_signalled() {
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
             hint: --newest selects one of them, --all selects all\n"
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
fn all_processes_of_a_namespace_are_signalled_but_the_first_and_the_sender() {
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
fn the_whole_of_a_long_name_is_compared_for_programs_and_scripts() {
    let directory = tempfile::tempdir().unwrap();
    let stem = format!("ipc-long-{}", std::process::id());
    let (name, other) = (format!("{stem}-of-one"), format!("{stem}-of-another"));
    let start = |name: &str| {
        let link = directory.path().join(name);
        std::os::unix::fs::symlink("/usr/bin/sleep", &link).unwrap();
        let sleeper = Sleeper::of(Command::new(&link));
        until("it runs", || info(&sleeper.pid(), "command") == format!("\"{}\"", &name[..15]));
        sleeper
    };
    let (one, another) = (start(&name), start(&other));
    let send = |name: &str| ipc(&["signal", "send", "TERM", "--name", name]);
    for unknown in [&stem, &name[..15]] {
        let said = format!("ipc: signal send: {unknown}: no process has this name\n");
        send(unknown).is(4, "", &said);
    }
    send(&name).is(0, "", "");
    send(&other).is(0, "", "");
    assert!(one.died_of(15));
    assert!(another.died_of(15));
    let script = directory.path().join(format!("{stem}-script.sh"));
    let line =
        "exec 2>/dev/null; printf '#!/bin/sh -e\\necho on; read line\\n' >\"$0\"; chmod +x \"$0\"; mkfifo \"$0.in\"
        \"$0\" <>\"$0.in\" >\"$0.out\" & until_true [ -s \"$0.out\" ]
        ipc signal send KILL --name \"${0##*/}\"; wait $!; echo $?";
    sh(line).word(&script).is(0, "137\n", "");
}

#[test]
fn a_signal_may_begin_with_a_hyphen_as_for_kill() {
    for word in ["-TERM", "-term", "-SIGTERM", "-15"] {
        let sleeper = Sleeper::new();
        ipc(&["signal", "send", word, &sleeper.pid()]).is(0, "", "");
        assert!(sleeper.died_of(15), "{word}");
    }
    let sleeper = Sleeper::new();
    ipc(&["signal", "send", "-0", &sleeper.pid()]).is(0, "", "");
    ipc(&["signal", "send", "-v", "--wait", "-KILL", &sleeper.pid()]).is(0, "", "");
    assert!(sleeper.died_of(9));
    // The word after an option with a value is the value.
    let sleeper = Sleeper::new();
    ipc(&["signal", "send", "--value", "-7", "-TERM", &sleeper.pid()]).is(0, "", "");
    assert!(sleeper.died_of(15));
    ipc(&["signal", "send", "TERM", "-15"]).is(
        2,
        "",
        "ipc: signal send: -15: not the number of a process, which is 1 to 4194304\n\
         hint: try 'ipc signal send --help'\n",
    );
}

#[test]
fn a_pidfile_that_is_older_than_the_process_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("pid");
    let sleeper = Sleeper::new();
    let pid = sleeper.pid();
    std::fs::write(&path, format!("{pid}\n")).unwrap();
    let words = ["signal", "send", "--pidfile", path.to_str().unwrap()];
    ipc(&words).word("0").is(0, "", "");
    // The process was started long after the file was written: it has the number of another one.
    crate::support::make_older(&path, 1);
    let message = format!(
        "ipc: signal send: {}: is older than process {pid} (sleep), and so names another\n\
         hint: --force signals the process anyway\n",
        path.display()
    );
    ipc(&words).word("TERM").is(4, "", &message);
    ipc(&words).word("0").is(4, "", &message);
    ipc(&words).words(&["--force", "TERM"]).is(0, "", "");
    assert!(sleeper.died_of(libc::SIGTERM));
}

#[test]
fn a_lock_file_with_the_start_time_needs_no_age() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("lock");
    let sleeper = Sleeper::new();
    ipc(&["lock", "take", "--owner", &sleeper.pid(), path.to_str().unwrap()]).is(0, "", "");
    crate::support::make_older(&path, 1);
    ipc(&["signal", "send", "TERM", "--pidfile", path.to_str().unwrap()]).is(0, "", "");
    assert!(sleeper.died_of(libc::SIGTERM));
}

#[test]
fn a_process_that_refuses_the_second_signal_keeps_it_from_no_other() {
    // It may be signalled by its real user, and belongs to root alone after TERM.
    let program = "
import os, signal, time
signal.signal(signal.SIGTERM, lambda *_: os.setresuid(0, 0, 0))
os.setresuid(65534, 0, 0)
while True:
    time.sleep(1)";
    let words = ["signal", "send", "TERM", "--wait", "-t", "500ms", "--then", "KILL"];
    let Some(send) = as_another_user(&words) else { return };
    let Some(refusing) = peers::python("os", program, &[]) else { return };
    let refusing = refusing.start();
    let line = "exec setpriv --reuid 65534 sh -c \"trap '' TERM; while :; do sleep 0.05; done\"";
    let stubborn = sh(line).start();
    let status = |running: &Running, key: &str| {
        let text = std::fs::read_to_string(format!("/proc/{}/status", running.pid())).unwrap();
        text.lines().find_map(|line| line.strip_prefix(key)).unwrap_or_default().trim().to_owned()
    };
    until("it has a handler", || status(&refusing, "Uid:").starts_with("65534\t0"));
    let ignored = || u64::from_str_radix(&status(&stubborn, "SigIgn:"), 16).unwrap();
    until("it ignores TERM", || ignored() & 0x4000 != 0);
    let (first, second) = (refusing.pid().to_string(), stubborn.pid().to_string());
    let message = format!("ipc: signal send: {first}: Operation not permitted\n");
    send.words(&[&first, &second]).is(6, "", &message);
    assert_eq!(code(&stubborn.finish()), 137);
    refusing.signal(Signal::SIGKILL);
    refusing.finish();
}
