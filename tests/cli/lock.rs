//! `ipc lock`.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nix::fcntl::{Flock, FlockArg};
use nix::sys::signal::Signal;
use tempfile::TempDir;

use crate::support::{as_another_user, code, ipc, sh, text, until};

/// A directory, and the path of a file in it that does not exist yet.
fn new_file() -> (TempDir, String) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("lock").to_str().unwrap().to_owned();
    (directory, path)
}

/// Locks a file, in this process, for as long as what it returns lives.
fn hold(path: &str) -> Flock<File> {
    let file = File::options().write(true).create(true).truncate(false).open(path).unwrap();
    Flock::lock(file, FlockArg::LockExclusiveNonblock).unwrap()
}

/// The file of a program in C that locks a file with fcntl(2), `ofd` or `posix`, and runs a
/// command; its status is 1 if somebody else has the lock.
fn c_locker(directory: &Path) -> PathBuf {
    const SOURCE: &str = r#"
        #define _GNU_SOURCE
        #include <fcntl.h>
        #include <stdlib.h>
        #include <string.h>
        #include <unistd.h>
        #include <sys/wait.h>
        int main(int n, char **words) {
            struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
            int fd = open(words[2], O_RDWR | O_CREAT | O_CLOEXEC, 0600), status;
            lock.l_start = atol(words[3]);
            lock.l_len = atol(words[4]);
            if (fcntl(fd, strcmp(words[1], "ofd") ? F_SETLK : F_OFD_SETLK, &lock)) return 1;
            if (fork() == 0) { execvp(words[5], words + 5); _exit(127); }
            wait(&status);
            return WEXITSTATUS(status);
        }"#;
    let (source, program) = (directory.join("locker.c"), directory.join("locker"));
    fs::write(&source, SOURCE).unwrap();
    let compiled = Command::new("gcc").arg("-o").args([&program, &source]).status().unwrap();
    assert!(compiled.success());
    program
}

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
    let at_terminal = |line: &str| sh("script -qec \"$0\" /dev/null").word(line).env("f", &file);
    let line = "ipc lock run -t 10ms $f -- true";
    let said = text(&at_terminal(line).output().stdout);
    let holder = format!("ipc: lock run: {file}: held by {} (", std::process::id());
    assert!(said.starts_with(&holder), "{said}");
    assert!(said.ends_with(&format!("ipc: lock run: {file}: timed out\r\n")), "{said}");
    at_terminal("ipc lock run -n $f -- true").is(1, "", "");
    at_terminal("ipc lock run -qt 10ms $f -- true").is(124, "", "");
}

#[test]
fn a_read_only_file_system_and_too_many_locks_are_told() {
    let (directory, file) = new_file();
    let inject =
        "exec strace -qq -o /dev/null -e inject=flock:error=ENOLCK ipc lock run \"$0\" -- true";
    if crate::peers::there("strace", &["--version"]) {
        sh(inject).word(&file).is(
            125,
            "",
            &format!(
                "ipc: lock run: {file}: No locks available\n\
             hint: the file system does not lock, or has reached its limit\n"
            ),
        );
    }
    if !crate::peers::may_unshare(&["--mount"]) {
        return;
    }
    let line = "exec unshare -m sh -c 'mount -t tmpfs -o ro none \"$0\" && cd \"$0\"
        ipc lock run f -- true; echo $?; ipc lock take -n f; echo $?; ipc lock run -n . -- echo mine' \"$0\"";
    sh(line).word(directory.path()).is(
        0,
        "125\n3\nmine\n",
        "ipc: lock run: f: Read-only file system\nipc: lock take: f: Read-only file system\n",
    );
}

#[test]
fn a_timeout_that_runs_out_is_status_124_and_the_command_does_not_run() {
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
        "ipc: lock run: --conflict-exit-code '256': 256 is not in 0..=255\n\
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
        waiter.signal(Signal::SIGSTOP);
        waiter.signal(Signal::SIGCONT);
    }
    drop(held);
    assert_eq!(text(&waiter.finish().stdout), "mine\n");
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
fn a_range_that_is_none_is_a_usage_error() {
    for (range, reason) in [
        ("5", "not a range such as 0:10, 4K:512 or 100:"),
        ("1:9223372036854775807", "beyond the greatest offset of a file"),
        ("-1:4", "not a range such as 0:10, 4K:512 or 100:"),
    ] {
        ipc(&["lock", "run", &format!("--range={range}"), "x", "--", "true"]).is(
            2,
            "",
            &format!(
                "ipc: lock run: --range '{range}': {reason}\nhint: try 'ipc lock run --help'\n"
            ),
        );
    }
    ipc(&["lock", "run", "--kind", "flock", "--range", "0:1", "x", "--", "true"]).is(
        2,
        "",
        "ipc: lock run: --range: a flock has the whole file\nhint: --kind ofd locks a range\n",
    );
}

#[test]
fn a_negative_timeout_is_a_usage_error() {
    let output = ipc(&["lock", "run", "--timeout=-1", "x", "--", "true"]).output();
    assert_eq!((code(&output), text(&output.stdout)), (2, String::new()));
    assert!(text(&output.stderr).starts_with("ipc: lock run: --timeout '-1': "), "{output:?}");
}

#[test]
fn the_command_does_not_get_the_descriptor_unless_told() {
    let (_directory, file) = new_file();
    let line = "ipc lock run $1 \"$0\" -- sh -c 'readlink /proc/self/fd/* | grep -c \"$0\"' \"$0\"";
    sh(line).word(&file).is(1, "0\n", "");
    sh(line).word(&file).word("-o").is(1, "0\n", "");
    sh(line).word(&file).word("--inherit").is(0, "1\n", "");
    sh(line).word(&file).word("-F").is(0, "1\n", "");
}

#[test]
fn with_no_fork_we_become_the_command() {
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
        // C libraries keep 32 and 33 for themselves, and let nobody touch them.
        assert_eq!((sets[0], sets[1] & !(3 << 31)), (0, 0));
    }
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
fn a_directory_can_be_locked_and_a_fifo_is_refused_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().to_str().unwrap();
    sh("ipc lock run \"$0\" -- ipc lock run -n \"$0\" -- true").word(path).is(1, "", "");
    ipc(&["lock", "run", "--kind", "ofd", path, "--", "true"]).is(
        125,
        "",
        &format!(
            "ipc: lock run: {path}: Is a directory\nhint: a directory takes a flock, or a shared lock\n"
        ),
    );
    let fifo = format!("{path}/fifo");
    nix::unistd::mkfifo(fifo.as_str(), nix::sys::stat::Mode::S_IRWXU).unwrap();
    ipc(&["lock", "run", &fifo, "--", "true"]).is(
        125,
        "",
        &format!("ipc: lock run: {fifo}: is a FIFO, which is not locked\n"),
    );
}

#[test]
fn what_cannot_be_opened_is_status_125() {
    let (_directory, file) = new_file();
    ipc(&["lock", "run", &format!("{file}/x/y"), "--", "true"]).is(
        125,
        "",
        &format!("ipc: lock run: {file}/x/y: No such file or directory\n"),
    );
    drop(hold(&file));
    ipc(&["lock", "run", &format!("{file}/x"), "--", "true"]).is(
        125,
        "",
        &format!("ipc: lock run: {file}/x: Not a directory\n"),
    );
    ipc(&["lock", "run", "/proc/ipc-no-such", "--", "true"]).is(
        125,
        "",
        "ipc: lock run: /proc/ipc-no-such: No such file or directory\n",
    );
}

#[test]
fn another_user_cannot_deny_us_our_lock_yet_sees_who_has_it() {
    let (directory, file) = new_file();
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
    ipc(&["lock", "run", &file, "--", "true"]).is(0, "", "");
    let Some(other) = as_another_user(&["lock", "run", &file, "--", "true"]) else { return };
    other.is(125, "", &format!("ipc: lock run: {file}: Permission denied\n"));
    let _held = hold(&file);
    let output = as_another_user(&["lock", "test", &file]).unwrap().output();
    assert_eq!((code(&output), text(&output.stderr)), (1, String::new()));
    assert!(text(&output.stdout).contains(&format!("{} ", std::process::id())), "{output:?}");
}

#[test]
fn a_file_name_in_any_bytes_is_locked_and_escaped() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(crate::support::awkward());
    ipc(&["lock", "run"]).word(&path).word("--").word("echo").word("in").is(0, "in\n", "");
    assert!(path.exists());
    let output = ipc(&["lock", "test"]).word(path.join("x")).output();
    assert_eq!(output.stderr.iter().filter(|&&b| b == b'\n').count(), 1);
}

#[test]
fn a_descriptor_of_the_shell_is_locked_until_it_is_closed() {
    let (_directory, file) = new_file();
    for kind in ["flock", "ofd"] {
        let line = "exec 9>>\"$0\"; ipc lock fd 9 --kind $1; ipc lock run -n --kind $1 \"$0\" -- true; echo $?
                    exec 9>&-; ipc lock run -n --kind $1 \"$0\" -- true; echo $?";
        sh(line).word(&file).word(kind).is(0, "1\n0\n", "");
    }
}

#[test]
fn unlock_gives_the_lock_of_a_descriptor_back() {
    let (_directory, file) = new_file();
    for kind in ["flock", "ofd"] {
        let line = "exec 9>>\"$0\"; ipc lock fd 9 --kind $1; ipc lock unlock 9 --kind $1
                    ipc lock run -n --kind $1 \"$0\" -- echo free";
        sh(line).word(&file).word(kind).is(0, "free\n", "");
    }
}

#[test]
fn a_descriptor_that_is_not_open_or_not_suited_is_told() {
    let (_directory, file) = new_file();
    ipc(&["lock", "fd", "77"]).is(3, "", "ipc: lock fd: 77: Bad file descriptor\n");
    ipc(&["lock", "unlock", "77"]).is(3, "", "ipc: lock unlock: 77: Bad file descriptor\n");
    sh(": >\"$0\"; ipc lock fd --kind ofd 9 9<\"$0\"").word(&file).is(
        3,
        "",
        "ipc: lock fd: 9: is not open for writing, which a lock of this kind needs\n\
         hint: 'exec 9<>FILE' opens a file for both\n",
    );
    sh("ipc lock fd --kind posix 9 9>\"$0\"").word(&file).is(
        2,
        "",
        "ipc: lock fd: --kind: a posix lock would end with ipc itself\n\
         hint: --kind ofd excludes the same, and stays with the descriptor\n",
    );
}

#[test]
fn two_descriptors_of_one_process_conflict() {
    let (_directory, file) = new_file();
    sh("exec 8>>\"$0\" 9>>\"$0\"; ipc lock fd 8; ipc lock fd -n 9").word(&file).is(1, "", "");
}

#[test]
fn test_is_0_for_what_is_free_and_names_the_holder_of_what_is_not() {
    let (_directory, file) = new_file();
    ipc(&["lock", "test", &file]).is(
        4,
        "",
        &format!("ipc: lock test: {file}: No such file or directory\n"),
    );
    let _held = hold(&file);
    let (pid, comm) = (std::process::id(), fs::read_to_string("/proc/self/comm").unwrap());
    let waiter = ipc(&["lock", "run", &file, "--", "true"]).start();
    waiter.wait_until_asleep();
    let row = format!(
        r#"[{{"pid":{pid},"command":"{}","kind":"flock","mode":"exclusive","start":0,"end":null,"waiters":1}}]"#,
        comm.trim_end()
    );
    ipc(&["lock", "test", "--json", &file]).is(1, &format!("{row}\n"), "");
}

#[test]
fn test_finds_the_process_of_an_ofd_lock_and_looks_at_the_range() {
    let (_directory, file) = new_file();
    let line = "ipc lock run --range 10:10 \"$0\" -- sh -c '
        ipc lock test \"$0\" | tail -n +2 | { read pid rest; [ $pid = $PPID ]; echo $? $rest; }
        ipc lock test --range 0:10 \"$0\"; echo $?' \"$0\"";
    sh(line).word(&file).is(0, "0 ipc ofd exclusive 10 19 0\n0\n", "");
}

#[test]
fn ls_agrees_with_lslocks() {
    let (_directory, file) = new_file();
    let line = "ipc lock run -s \"$0\" -- ipc lock run --kind posix --range 5:10 \"$0\" -- sh -c '
            ipc lock ls --json
            lslocks -n -o TYPE,MODE,START,END,PATH | grep -F \"$0\" | sort' \"$0\"";
    let out = sh(line).word(&file).succeeds();
    let (ours, theirs) = out.split_once('\n').unwrap();
    let ours: Vec<serde_json::Value> = serde_json::from_str(ours).unwrap();
    let mut ours: Vec<String> = ours
        .iter()
        .filter(|lock| lock["path"] == file.as_str())
        .map(|lock| format!("{} {} {} {}", lock["kind"], lock["mode"], lock["start"], lock["end"]))
        .collect();
    ours.sort();
    assert_eq!(ours, [r#""flock" "shared" 0 null"#, r#""posix" "exclusive" 5 14"#]);
    let lines: Vec<String> =
        theirs.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(lines, [format!("FLOCK READ 0 0 {file}"), format!("POSIX WRITE 5 14 {file}"),]);
}

#[test]
fn flock_of_util_linux_and_ours_exclude_each_other() {
    let (_directory, file) = new_file();
    sh("flock \"$0\" ipc lock run -n \"$0\" -- true").word(&file).is(1, "", "");
    sh("ipc lock run \"$0\" -- flock -n \"$0\" true").word(&file).is(1, "", "");
    sh("flock -s \"$0\" ipc lock run -ns \"$0\" -- echo in").word(&file).is(0, "in\n", "");
    sh("exec 9>>\"$0\"; flock 9; ipc lock fd -n 9; echo $?; ipc lock unlock 9; flock -n \"$0\" true")
        .word(&file)
        .is(0, "0\n", "");
}

#[test]
fn record_locks_of_c_programs_and_ours_exclude_each_other() {
    let (directory, file) = new_file();
    let locker = c_locker(directory.path());
    for theirs in ["ofd", "posix"] {
        for ours in ["ofd", "posix"] {
            let line = "\"$1\" $2 \"$0\" 0 10 ipc lock run -n --kind $3 --range 9:5 \"$0\" -- true; echo $?
                ipc lock run --kind $3 --range 0:10 \"$0\" -- \"$1\" $2 \"$0\" 9 5 true; echo $?
                ipc lock run --kind $3 --range 0:10 \"$0\" -- \"$1\" $2 \"$0\" 10 5 echo in";
            sh(line).word(&file).word(&locker).word(theirs).word(ours).is(0, "1\n1\nin\n", "");
        }
    }
}

#[test]
fn locks_of_python_and_ours_exclude_each_other() {
    let (_directory, file) = new_file();
    for (function, kind) in [("flock", "flock"), ("lockf", "posix"), ("lockf", "ofd")] {
        let theirs = format!(
            "import fcntl, sys
file = open(sys.argv[1], 'r+')
try: fcntl.{function}(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
except BlockingIOError: sys.exit(1)
import subprocess
sys.exit(subprocess.run(sys.argv[2:]).returncode)"
        );
        let line = "ipc lock run --kind $1 \"$0\" -- python3 -c \"$2\" \"$0\" true; echo $?
            python3 -c \"$2\" \"$0\" ipc lock run -n --kind $1 \"$0\" -- true; echo $?";
        sh(line).word(&file).word(kind).word(theirs).is(0, "1\n1\n", "");
    }
}

#[test]
fn a_deadlock_among_posix_ranges_is_told_and_the_other_goes_on() {
    let (_directory, file) = new_file();
    // With -F each is one process, which has its first range and waits for the other's.
    let half = |mine: &str, other: &str| {
        let line = "ipc lock run -F --kind posix --range $1:1 \"$0\" -- sh -c '
            touch \"$0.$1\"; until [ -e \"$0.$2\" ]; do sleep 0.01; done
            exec ipc lock run --kind posix --range $2:1 \"$0\" -- true' \"$0\" $1 $2";
        sh(&format!("exec {line}")).word(&file).word(mine).word(other).start()
    };
    let (one, other) = (half("0", "1"), half("1", "0"));
    let mut ends: Vec<_> = [one, other]
        .map(|half| half.finish())
        .map(|output| (code(&output), text(&output.stderr)))
        .into();
    ends.sort();
    let said = format!(
        "ipc: lock run: {file}: Resource deadlock avoided\n\
         hint: each would wait for the other: give one back first\n"
    );
    assert_eq!(ends, [(0, String::new()), (125, said)]);
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
fn a_lock_file_says_whose_it_is_until_it_is_dropped() {
    let (_directory, file) = new_file();
    let line = "ipc lock take \"$0\" && [ \"$(head -n 1 \"$0\")\" = $$ ] && stat -c %a \"$0\"
        sh -c 'ipc lock take -n \"$0\"; echo $?' \"$0\"
        ipc lock drop \"$0\" && ! [ -e \"$0\" ]";
    sh(line).word(&file).is(0, "600\n1\n", "");
}

#[test]
fn who_has_a_lock_file_is_told_with_verbose() {
    let (_directory, file) = new_file();
    let owner = std::os::unix::process::parent_id().to_string();
    ipc(&["lock", "take", &file, "--owner", &owner]).is(0, "", "");
    let output = ipc(&["lock", "take", "-vt", "10ms", &file]).output();
    let said = text(&output.stderr);
    assert!(said.starts_with(&format!("ipc: lock take: {file}: held by {owner} (")), "{said}");
    assert!(said.contains(") since 2"), "{said}");
    assert!(said.ends_with(&format!("ipc: lock take: {file}: timed out\n")), "{said}");
    assert_eq!(code(&output), 124);
}

#[test]
fn a_lock_file_is_dropped_by_its_owner_alone_or_by_force() {
    let (_directory, file) = new_file();
    let (owner, parent) = (std::process::id(), std::os::unix::process::parent_id());
    ipc(&["lock", "take", &file]).is(0, "", "");
    ipc(&["lock", "take", &file]).is(
        5,
        "",
        &format!("ipc: lock take: {file}: taken by process {owner} already\n"),
    );
    ipc(&["lock", "drop", &file, "--owner", &parent.to_string()]).is(
        5,
        "",
        &format!(
            "ipc: lock drop: {file}: the lock of process {owner}, not of {parent}\n\
             hint: --owner names another process, --force asks none\n"
        ),
    );
    ipc(&["lock", "drop", "-f", &file]).is(0, "", "");
    ipc(&["lock", "drop", &file]).is(
        4,
        "",
        &format!("ipc: lock drop: {file}: No such file or directory\n"),
    );
}

#[test]
fn a_lock_file_of_a_dead_owner_is_taken_over() {
    let (_directory, file) = new_file();
    for option in ["-q", "--pidfile"] {
        sh("ipc lock take $1 \"$0\"").word(&file).word(option).is(0, "", "");
        assert!(Path::new(&file).exists());
        ipc(&["lock", "take", "-n", option, &file]).is(0, "", "");
        let first = fs::read_to_string(&file).unwrap().lines().next().unwrap().to_owned();
        assert_eq!(first, std::process::id().to_string());
        ipc(&["lock", "drop", &file]).is(0, "", "");
    }
}

#[test]
fn a_lock_file_is_taken_over_the_moment_its_owner_dies_or_drops_it() {
    let (_directory, file) = new_file();
    let mut owner = Command::new("sleep").arg("1000").spawn().unwrap();
    let number = owner.id().to_string();
    let take = || ipc(&["lock", "take", "-t", "1h", &file]).start();
    ipc(&["lock", "take", &file, "--owner", &number]).is(0, "", "");
    let waiter = take();
    waiter.wait_until_asleep();
    owner.kill().unwrap();
    assert_eq!(code(&waiter.finish()), 0);
    owner.wait().unwrap();
    ipc(&["lock", "drop", &file]).is(0, "", "");
    let parent = std::os::unix::process::parent_id().to_string();
    ipc(&["lock", "take", &file, "--owner", &parent]).is(0, "", "");
    let waiter = take();
    waiter.wait_until_asleep();
    ipc(&["lock", "drop", &file, "--owner", &parent]).is(0, "", "");
    assert_eq!(code(&waiter.finish()), 0);
}

#[test]
fn a_lock_file_that_cannot_be_judged_is_respected() {
    let (_directory, file) = new_file();
    for content in
        ["", "garbage\n", "999999\n", "4194304\nstart 1\nboot x\npidns 1\nmachine elsewhere\n"]
    {
        fs::write(&file, content).unwrap();
        ipc(&["lock", "take", "-n", &file]).is(1, "", "");
        assert_eq!(fs::read_to_string(&file).unwrap(), content);
    }
    fs::write(&file, "999999\n").unwrap();
    ipc(&["lock", "take", "-n", "--pidfile", &file]).is(0, "", "");
}

#[test]
fn what_is_no_lock_file_is_refused() {
    let (directory, file) = new_file();
    let reason = "not a lock file of ours: it does not say whose it is";
    nix::unistd::mkfifo(file.as_str(), nix::sys::stat::Mode::S_IRWXU).unwrap();
    let link = format!("{file}.link");
    std::os::unix::fs::symlink("/etc/passwd", &link).unwrap();
    for path in [&file, &link, directory.path().to_str().unwrap()] {
        let said = format!("{path}: {reason}\n");
        ipc(&["lock", "take", "-n", path]).is(3, "", &format!("ipc: lock take: {said}"));
        ipc(&["lock", "drop", "-f", path]).is(3, "", &format!("ipc: lock drop: {said}"));
    }
    ipc(&["lock", "take", &format!("{file}/no/such")]).is(
        3,
        "",
        &format!("ipc: lock take: {file}/no/such: Not a directory\n"),
    );
    let mut gone = Command::new("true").spawn().unwrap();
    gone.wait().unwrap();
    let gone = gone.id().to_string();
    ipc(&["lock", "take", &link, "--owner", &gone]).is(
        4,
        "",
        &format!("ipc: lock take: {gone}: No such process\n"),
    );
}

/// One of those who want a lock file all the time. What it does under the lock is refereed by a
/// lock of the kernel's, which goes with the process.
const CONTENDER: &str = r#"
import fcntl, os, subprocess, sys, time
ipc, file = sys.argv[1:]
me = str(os.getpid())
referee = open(file + '.referee', 'w')
def say(text):
    # At once, as we may be killed between two writes.
    os.write(1, text.encode() + b'\n')
def lock(verb, *options):
    return subprocess.run([ipc, 'lock', verb, file, '--owner', me, *options]).returncode
while True:
    if lock('take', '-t', '30') != 0:
        say('not in time')
        break
    try:
        fcntl.flock(referee, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        say('two at a time')
        break
    say('in')
    time.sleep(0.001)
    fcntl.flock(referee, fcntl.LOCK_UN)
    if lock('drop') != 0:
        say('not mine')
        break
"#;

#[test]
fn a_lock_file_is_never_taken_twice_nor_lost_in_a_storm_of_kills() {
    let (directory, file) = new_file();
    let log = directory.path().join("log");
    let binary = crate::support::binary();
    let contender = || {
        let log = File::options().append(true).create(true).open(&log).unwrap();
        let words = ["-c", CONTENDER, binary.to_str().unwrap(), &file];
        // A verb whose owner is killed beside it says so.
        Command::new("python3").args(words).stdout(log).stderr(Stdio::null()).spawn().unwrap()
    };
    let entries = || fs::read_to_string(&log).unwrap_or_default().lines().count();
    let mut contenders: Vec<_> = (0..8).map(|_| contender()).collect();
    for kill in 0..24 {
        let before = entries();
        until("somebody gets the lock", || entries() > before);
        let victim = &mut contenders[kill * 5 % 8];
        victim.kill().unwrap();
        victim.wait().unwrap();
        *victim = contender();
    }
    for contender in &mut contenders {
        contender.kill().unwrap();
        contender.wait().unwrap();
    }
    let text = fs::read_to_string(&log).unwrap();
    assert_eq!(text.lines().find(|line| *line != "in"), None);
    ipc(&["lock", "take", "-t", "1m", &file]).is(0, "", "");
}

#[test]
fn a_command_is_not_blamed_for_descriptors_that_we_have_not() {
    let (_directory, file) = new_file();
    let line = "ulimit -n 4; exec ipc lock run \"$0\" -- true";
    sh(line).word(&file).is(125, "", "ipc: lock run: true: Too many open files\n");
}
