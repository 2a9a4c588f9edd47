//! `ipc lock run`.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use nix::sys::signal::Signal;

use super::{hold, new_file};
use crate::peers;
use crate::support::{children, code, ipc, pause, sh, text, until};

#[test]
fn a_command_runs_under_the_lock_and_gives_its_status() {
    let (_directory, file) = new_file();
    ipc(&["lock", "run", &file, "--", "sh", "-c", "echo in; exit 7"]).is(7, "in\n", "");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o7777, 0o600);
}

#[test]
fn nonblock_says_no_without_a_word_and_with_verbose_names_the_holder() {
    let (_directory, file) = new_file();
    sh("ipc lock run \"$0\" -- ipc lock run -n \"$0\" -- echo never").word(&file).is(1, "", "");
    let output =
        sh("ipc lock run \"$0\" -- ipc lock run -nv \"$0\" -- echo never").word(&file).output();
    let said = text(&output.stderr);
    assert!(said.contains(&format!("ipc: lock run: {file}: held by ")), "{said}");
    assert!(said.contains(" (ipc), which runs since 20"), "{said}");
    assert!(said.ends_with(&format!("Z\nipc: lock run: {file}: would block\n")), "{said}");
    assert_eq!((code(&output), output.stdout.len()), (1, 0));
}

#[test]
fn at_a_terminal_the_holder_is_named_without_being_asked() {
    let (_directory, file) = new_file();
    let _held = hold(&file);
    let at_terminal = |line: &str| Some(peers::at_terminal(line)?.env("f", &file));
    let Some(run) = at_terminal("ipc lock run -t 10ms $f -- true") else { return };
    let said = text(&run.output().stdout);
    let holder = format!("ipc: lock run: {file}: held by {} (", std::process::id());
    assert!(said.starts_with(&holder), "{said}");
    assert!(said.ends_with(&format!("ipc: lock run: {file}: timed out\r\n")), "{said}");
    at_terminal("ipc lock run -n $f -- true").unwrap().is(1, "", "");
    at_terminal("ipc lock run -qt 10ms $f -- true").unwrap().is(124, "", "");
}

#[test]
fn a_timeout_is_status_124_and_the_command_does_not_run() {
    let (_directory, file) = new_file();
    let _held = hold(&file);
    let said = format!("ipc: lock run: {file}: timed out\n");
    for kind in ["-x", "-s"] {
        ipc(&["lock", "run", kind, "-t", "30ms", &file, "--", "echo", "never"]).is(124, "", &said);
    }
    ipc(&["lock", "run", "-t0", &file, "--", "echo", "never"]).is(124, "", &said);
}

#[test]
fn the_status_of_a_conflict_can_be_chosen() {
    let (_directory, file) = new_file();
    let _held = hold(&file);
    ipc(&["lock", "run", "-n", "-E", "77", &file, "--", "true"]).is(77, "", "");
    ipc(&["lock", "run", "-qt", "1ms", "-E0", &file, "--", "false"]).is(0, "", "");
    ipc(&["lock", "run", "-E", "256", &file, "--", "true"]).is(
        2,
        "",
        "ipc: lock run: --conflict-exit-code '256': not from 0 to 255\n\
         hint: try 'ipc lock run --help'\n",
    );
}

#[test]
fn a_waiter_gets_the_lock_when_it_is_given_back() {
    let (_directory, file) = new_file();
    let held = hold(&file);
    let waiter = ipc(&["lock", "run", &file, "--", "echo", "mine"]).start();
    waiter.wait_until_asleep();
    drop(held);
    assert_eq!(text(&waiter.finish().stdout), "mine\n");
}

#[test]
fn a_waiter_that_is_stopped_and_continued_goes_on_waiting() {
    let (_directory, file) = new_file();
    let held = hold(&file);
    let waiter = ipc(&["lock", "run", "-t", "1h", &file, "--", "echo", "mine"]).start();
    for _ in 0..3 {
        waiter.wait_until_asleep();
        waiter.stop_and_continue();
    }
    drop(held);
    assert_eq!(text(&waiter.finish().stdout), "mine\n");
}

#[test]
fn a_waiter_that_was_stopped_beyond_its_deadline_acquires_a_lock_that_is_free_by_then() {
    let (_directory, file) = new_file();
    let held = hold(&file);
    let waiter = ipc(&["lock", "run", "-t", "2s", &file, "--", "echo", "mine"]).start();
    waiter.wait_until_asleep();
    waiter.stop();
    drop(held);
    // Past the deadline, and past what file systems have beyond it.
    pause(Duration::from_millis(3200));
    waiter.signal(Signal::SIGCONT);
    let output = waiter.finish();
    assert_eq!((code(&output), text(&output.stdout)), (0, "mine\n".to_owned()));
}

#[test]
fn a_lease_is_not_waited_for_beyond_the_deadline_and_is_no_fault_of_the_file_system() {
    // Its holder is asked to give it up, and does not; the kernel takes it after a minute or so.
    let script = "import os, signal, sys
signal.signal(signal.SIGIO, lambda *_: None)
fd = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_WRLCK)
open(sys.argv[1] + '.leased', 'w')
while True: signal.pause()";
    let (_directory, file) = new_file();
    let script = format!("import fcntl\n{script}");
    let Some(holder) = peers::python("fcntl", &script, &[&file]) else { return };
    let _holder = holder.start();
    until("it is leased", || fs::exists(format!("{file}.leased")).unwrap());
    ipc(&["lock", "run", "-n", &file, "--", "echo", "never"]).is(1, "", "");
    let expected = format!("ipc: lock run: {file}: timed out\n");
    ipc(&["lock", "run", "-t", "20ms", &file, "--", "echo", "never"]).is(124, "", &expected);
}

#[test]
fn shared_locks_go_together_and_exclude_exclusive_ones() {
    let (_directory, file) = new_file();
    for kind in ["flock", "ofd", "posix"] {
        let line =
            "ipc lock run -s --kind $1 \"$0\" -- ipc lock run $2 -n --kind $1 \"$0\" -- echo in";
        sh(line).word(&file).word(kind).word("-s").is(0, "in\n", "");
        sh(line).word(&file).word(kind).word("-x").is(1, "", "");
    }
}

#[test]
fn ranges_conflict_where_they_overlap() {
    let (_directory, file) = new_file();
    let line = "ipc lock run --range 10:10 \"$0\" -- ipc lock run -n --kind $1 --range $2 \"$0\" -- echo in";
    for kind in ["ofd", "posix"] {
        for (range, status) in
            [("0:10", 0), ("20:", 0), ("0:11", 1), ("19:1", 1), ("0:", 1), ("12:2", 1)]
        {
            let out = if status == 0 { "in\n" } else { "" };
            sh(line).word(&file).word(kind).word(range).is(status, out, "");
        }
    }
}

#[test]
fn the_command_gets_the_descriptor_only_with_inherit() {
    let (_directory, file) = new_file();
    let line = "ipc lock run $1 \"$0\" -- sh -c 'readlink /proc/self/fd/* | grep -c \"$0\"' \"$0\"";
    sh(line).word(&file).is(1, "0\n", "");
    sh(line).word(&file).word("-o").is(1, "0\n", "");
    sh(line).word(&file).word("--inherit").is(0, "1\n", "");
    sh(line).word(&file).word("-F").is(0, "1\n", "");
}

#[test]
fn with_no_fork_ipc_becomes_the_command() {
    let (_directory, file) = new_file();
    let line = "ipc lock run -F \"$0\" -- sh -c 'echo $$ $PPID; ipc lock test \"$0\" >/dev/null; echo $?' \"$0\"";
    let running = sh(&format!("echo $$; exec {line}")).word(&file);
    let out = running.succeeds();
    let mut lines = out.lines();
    let (shell, command) = (lines.next().unwrap(), lines.next().unwrap());
    assert_eq!(command.split(' ').next(), Some(shell));
    assert_eq!(lines.next(), Some("1"));
}

#[test]
fn a_signal_is_passed_on_and_the_command_has_the_last_word() {
    let (_directory, file) = new_file();
    let script =
        "trap 'echo asked; exit 9' TERM; echo ready >\"$0.ready\"; while :; do sleep 0.01; done";
    let running = ipc(&["lock", "run", &file, "--", "sh", "-c", script, &file]).start();
    until("the command runs", || Path::new(&format!("{file}.ready")).exists());
    running.signal(Signal::SIGTERM);
    let output = running.finish();
    assert_eq!((code(&output), text(&output.stdout)), (9, "asked\n".to_owned()));
}

#[test]
fn a_command_that_dies_of_a_signal_has_128_and_its_number() {
    let (_directory, file) = new_file();
    for (signal, number) in [("TERM", 15), ("KILL", 9), ("37", 37), ("64", 64)] {
        let kill = format!("kill -{signal} $$");
        ipc(&["lock", "run", &file, "--", "bash", "-c", &kill]).is(128 + number, "", "");
    }
}

#[test]
fn a_command_has_default_dispositions_and_an_empty_mask() {
    let (_directory, file) = new_file();
    for option in ["-o", "-F"] {
        let line = "trap '' INT QUIT USR1 PIPE; ipc lock run $1 \"$0\" -- grep -E 'Sig(Blk|Ign)' /proc/self/status";
        let out = sh(line).word(&file).word(option).succeeds();
        let set = |line: &str| u64::from_str_radix(line.split('\t').nth(1).unwrap(), 16).unwrap();
        let sets: Vec<u64> = out.lines().map(set).collect();
        // C libraries reserve 32 and 33.
        assert_eq!((sets[0], sets[1] & !(3 << 31)), (0, 0));
    }
}

#[test]
fn a_signal_is_passed_on_where_no_descriptor_is_left() {
    let (_directory, file) = new_file();
    let running = ipc(&["lock", "run", &file, "--", "sleep", "1000"]).start();
    let pid = running.pid();
    until("the command runs", || {
        let name = |&pid: &i32| fs::read_to_string(format!("/proc/{pid}/comm"));
        children(pid).first().map(name).is_some_and(|name| name.is_ok_and(|name| name == "sleep\n"))
    });
    sh("exec prlimit --nofile=3:3 --pid \"$0\"").word(pid.to_string()).is(0, "", "");
    running.signal(Signal::SIGTERM);
    assert_eq!(code(&running.finish()), 128 + Signal::SIGTERM as i32);
}

#[test]
fn a_command_that_cannot_be_started_has_its_statuses() {
    let (directory, file) = new_file();
    ipc(&["lock", "run", &file, "--", "/no/such"]).is(
        127,
        "",
        "ipc: lock run: /no/such: No such file or directory\n",
    );
    let plain = directory.path().join("plain");
    fs::write(&plain, "").unwrap();
    ipc(&["lock", "run", &file, "-F", "--"]).word(&plain).is(
        126,
        "",
        &format!("ipc: lock run: {}: Permission denied\n", plain.display()),
    );
}

#[test]
fn remove_removes_the_file_while_it_is_locked_and_a_waiter_locks_the_next_one() {
    let (_directory, file) = new_file();
    ipc(&["lock", "run", "--remove", &file, "--", "sh", "-c", "test -e \"$0\"", &file])
        .is(0, "", "");
    assert!(!Path::new(&file).exists());
    let line = "ipc lock run --remove \"$0\" -- sh -c '
        ipc lock run \"$0\" -- sh -c \"test -e \\\"\\$0\\\"; echo \\$?\" \"$0\" & until ipc lock test --json \"$0\" | grep -q waiters.:1; do :; done' \"$0\"";
    let out = sh(line).word(&file).succeeds();
    assert_eq!(out.lines().last(), Some("0"), "{out}");
    assert!(Path::new(&file).exists());
}

#[test]
fn a_limit_of_processes_is_not_reported_as_an_error_of_the_command() {
    let (_directory, file) = new_file();
    if !peers::there("strace", &["--version"]) {
        return;
    }
    let line = "exec strace -qq -o /dev/null -e inject=clone,clone3,vfork,fork:error=EAGAIN \
        ipc lock run \"$0\" -- true";
    let said = "ipc: lock run: true: Resource temporarily unavailable\n\
        hint: 'prlimit --nproc' shows how many processes a user may have; \
        a control group has a limit of its own, pids.max\n";
    sh(line).word(&file).is(125, "", said);
}

#[test]
fn a_script_without_a_first_line_is_run_by_the_shell() {
    let (directory, file) = new_file();
    let line = "echo 'echo $0 $1' >script; chmod +x script
        for how in -o -F; do ipc lock run $how \"$0\" -- ./script word; done
        PATH=:$PATH ipc lock run \"$0\" -- script word";
    let out = "./script word\n./script word\nscript word\n";
    sh(line).within(directory.path()).word(&file).is(0, out, "");
}

/// Mounts a file system whose server never answers, and runs a command.
const DEAD: &str = r"
import ctypes, os, subprocess, sys
libc = ctypes.CDLL(None)
server = os.open('/dev/fuse', os.O_RDWR)
options = b'fd=%d,rootmode=40000,user_id=0,group_id=0' % server
if libc.mount(b'dead', sys.argv[1].encode(), b'fuse', 0, options):
    sys.exit(77)
sys.exit(subprocess.run(sys.argv[2:]).returncode)
";

#[test]
fn a_file_system_that_does_not_answer_is_not_waited_for_beyond_the_timeout() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().to_str().unwrap();
    if !peers::may_unshare(&["--mount"]) || !peers::has_device("/dev/fuse") {
        return;
    }
    for (line, status) in [
        ("ipc lock run -t 10ms \"$0/f\" -- echo never", 124),
        ("ipc lock run -t 10ms -E 5 -v \"$0/f\" -- echo never", 5),
        ("ipc lock take -t 10ms \"$0/f\"", 124),
        ("ipc fifo write -t 10ms \"$0/f\" x", 124),
        ("ipc fifo cat -t 10ms \"$0/f\"", 124),
        ("ipc fifo tee -t 10ms \"$0/f\"", 124),
        ("ipc fifo write -v -t 10ms \"$0/f\" x", 124),
        ("ipc fifo write --create -t 10ms \"$0/f\" x", 124),
        ("ipc queue push -t 10ms \"$0/f\" x", 124),
        ("ipc queue push --create --capacity 4K -t 10ms \"$0/f\" x", 124),
        ("ipc queue pop -t 10ms \"$0/f\"", 124),
        ("ipc queue tap -f -t 10ms \"$0/f\"", 124),
        ("ipc map wait -t 10ms \"$0/f\" --eq 1", 124),
        ("ipc sock connect -t 10ms \"$0/f\"", 124),
        ("ipc sock wait -v -t 10ms \"$0/f\"", 124),
        ("ipc sock send -t 10ms \"$0/f\" x", 124),
        ("ipc door call -t 10ms \"$0/f\" x", 124),
        ("ipc door info -t 10ms \"$0/f\"", 124),
        ("ipc spool join -t 10ms \"$0/f\"", 124),
        ("ipc spool take -t 10ms \"$0/f\" -- cat", 124),
        ("ipc spool watch -t 10ms \"$0/f\" -- cat", 124),
    ] {
        let words: Vec<&str> = line.split(' ').collect();
        let output = sh("exec unshare -m python3 -c \"$1\" \"$0\" sh -c \"$2\" \"$0\"")
            .word(path)
            .word(DEAD)
            .word(line)
            .output();
        if code(&output) == 77 {
            return;
        }
        let said = format!(
            "ipc: {} {}: {path}/f: timed out\nhint: the file system does not answer\n",
            words[1], words[2]
        );
        let seen = (code(&output), text(&output.stdout), text(&output.stderr));
        assert_eq!(seen, (status, String::new(), said), "{line}");
    }
}
