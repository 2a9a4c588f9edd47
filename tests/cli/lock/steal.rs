//! `ipc lock run --steal-after`: holders that hang get signals.

use nix::sys::signal::Signal;

use super::new_file;
use crate::peers;
use crate::support::{Running, as_another_user, code, ipc, script, sh, text, until};

/// A holder: a line of shell, after which the lock is held.
fn holder(file: &str, line: &str) -> Running {
    let holder = sh(line).word(file).start();
    until("the lock is held", || code(&ipc(&["lock", "test", file]).output()) == 1);
    holder
}

/// A shell that has the lock itself, and ignores TERM.
const STUBBORN: &str = "trap '' TERM; exec 9>>\"$0\"; ipc lock fd 9
    while :; do sleep 0.05 9>&-; done";

fn steal(file: &str, words: &[&str]) -> Vec<String> {
    let all = ["lock", "run", "--steal-after", "300ms", file];
    [all.as_slice(), words, &["--", "echo", "mine"]].concat().iter().map(|&w| w.into()).collect()
}

#[track_caller]
fn steals(file: &str, words: &[&str], signals: &[(i32, &str, &str)]) {
    let words = steal(file, words);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let output = ipc(&words).output();
    let said: String = signals
        .iter()
        .map(|(pid, name, signal)| {
            format!(
                "ipc: lock run: {file}: held by {pid} ({name}) for too long, sending {signal}\n"
            )
        })
        .collect();
    let seen = (code(&output), text(&output.stdout), text(&output.stderr));
    assert_eq!(seen, (0, "mine\n".to_owned(), said));
}

#[test]
fn a_holder_that_hangs_gets_term_and_then_kill() {
    let (_directory, file) = new_file();
    let shell = holder(&file, &format!("exec 8>&1; {STUBBORN}"));
    let pid = shell.pid();
    steals(&file, &[], &[(pid, "sh", "TERM"), (pid, "sh", "KILL")]);
    assert_eq!(code(&shell.finish()), 137);
}

#[test]
fn a_holder_that_ends_by_the_first_signal_gets_no_other() {
    for kind in ["flock", "ofd", "posix"] {
        let (_directory, file) = new_file();
        let line = format!("exec ipc lock run --kind {kind} \"$0\" -- sleep 1000");
        let run = holder(&file, &line);
        let pid = run.pid();
        steals(&file, &["--kind", kind], &[(pid, "ipc", "TERM")]);
        assert_eq!(code(&run.finish()), 143, "{kind}");
    }
}

#[test]
fn the_signals_are_those_that_were_asked_for() {
    let (_directory, file) = new_file();
    let line =
        "trap 'exit 7' USR1; exec 9>>\"$0\"; ipc lock fd 9; while :; do sleep 0.05 9>&-; done";
    let shell = holder(&file, line);
    steals(&file, &["--then", "USR1"], &[(shell.pid(), "sh", "USR1")]);
    assert_eq!(code(&shell.finish()), 7);
    let unknown = ipc(&["lock", "run", "--steal-after", "1", "--then", "TERM,", "f", "--", "true"]);
    assert_eq!(code(&unknown.output()), 2);
    ipc(&["lock", "run", "--then", "KILL", "f", "--", "true"]).assert().code(2);
    ipc(&["lock", "run", "-n", "--steal-after", "1", "f", "--", "true"]).assert().code(2);
}

#[test]
fn every_process_that_has_the_open_file_gets_the_signal() {
    let (directory, file) = new_file();
    // A child inherits the lock, another one does not.
    let line = "cd \"${0%/*}\"; exec 9>>\"$0\"; ipc lock fd 9
        sh -c 'trap \"\" TERM; while :; do sleep 1000 9>&-; done' & echo $! >with
        sleep 1000 9>&- & echo $! >without
        : >all; exec sleep 1000";
    let shell = holder(&file, line);
    until("all run", || directory.path().join("all").exists());
    let pid = |name: &str| {
        let text = std::fs::read_to_string(directory.path().join(name)).unwrap();
        text.trim().parse::<i32>().unwrap()
    };
    let (with, without) = (pid("with"), pid("without"));
    let words = steal(&file, &[]);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let output = ipc(&words).output();
    assert_eq!((code(&output), text(&output.stdout)), (0, "mine\n".to_owned()), "{output:?}");
    let said = text(&output.stderr);
    for (pid, signal) in [(shell.pid(), "TERM"), (with, "TERM"), (with, "KILL")] {
        let is_there = said.lines().any(|line| {
            line.contains(&format!(" {pid} (")) && line.ends_with(&format!("sending {signal}"))
        });
        assert!(is_there, "{pid} {signal}: {said}");
    }
    assert!(!said.contains(&without.to_string()), "{said}");
    ipc(&["signal", "send", "KILL", &without.to_string()]).is(0, "", "");
}

#[test]
fn a_stopped_holder_continues_to_handle_the_signal() {
    let (_directory, file) = new_file();
    let line =
        "trap 'exit 9' TERM; exec 9>>\"$0\"; ipc lock fd 9; while :; do sleep 0.05 9>&-; done";
    let shell = holder(&file, line);
    shell.stop();
    steals(&file, &["--then", "TERM"], &[(shell.pid(), "sh", "TERM")]);
    assert_eq!(code(&shell.finish()), 9);
}

#[test]
fn a_timeout_before_that_signals_nobody() {
    let (_directory, file) = new_file();
    let shell = holder(&file, STUBBORN);
    let words = ["lock", "run", "--steal-after", "1h", "-t", "200ms", &file, "--", "true"];
    ipc(&words).is(124, "", &format!("ipc: lock run: {file}: timed out\n"));
    shell.signal(Signal::SIGKILL);
    assert_eq!(code(&shell.finish()), 137);
}

#[test]
fn each_holder_has_its_own_time() {
    // Each of the holders has the lock for less than the time, one after the other.
    let (directory, file) = new_file();
    let line = "cd \"${0%/*}\"; for i in 1 2 3 4 5 6; do
        ipc lock run \"$0\" -- sh -c ': >held; exec sleep 0.7' || exit 1; done; echo all";
    let shell = sh(line).word(&file).start();
    until("it is held", || directory.path().join("held").exists());
    let words = ["lock", "run", "--steal-after", "5s", &file, "--", "true"];
    let output = ipc(&words).output();
    assert_eq!((code(&output), text(&output.stderr)), (0, String::new()));
    let output = shell.finish();
    assert_eq!((code(&output), text(&output.stdout)), (0, "all\n".to_owned()), "{output:?}");
}

#[test]
fn a_shared_lock_signals_only_holders_that_refuse_it() {
    let (_directory, file) = new_file();
    let reader = holder(&file, "exec ipc lock run -s \"$0\" -- sleep 1000");
    let words = ["lock", "run", "-s", "--steal-after", "0", &file, "--", "echo", "in"];
    ipc(&words).is(0, "in\n", "");
    steals(&file, &[], &[(reader.pid(), "ipc", "TERM")]);
    assert_eq!(code(&reader.finish()), 143);
}

#[test]
fn readers_of_the_same_range_have_a_time_each() {
    // Longer than the pause between two searches: a search must not forget the one before.
    let (_directory, file) = new_file();
    let start = |name: &str| {
        let line = format!("exec ipc lock run -s --range 0:64 \"$0\" -- sleep 10{name}");
        let reader = sh(&line).word(&file).start();
        let is_held =
            || text(&ipc(&["lock", "ls"]).output().stdout).contains(&reader.pid().to_string());
        until("the lock is held", is_held);
        reader
    };
    let (first, second) = (start("1"), start("2"));
    let words = ["lock", "run", "--range", "0:64", "--steal-after", "1500ms", &file, "--", "true"];
    let thief = ipc(&words).start();
    let output = first.finish();
    assert_eq!(code(&output), 143, "{output:?}");
    assert_eq!(code(&second.finish()), 143);
    let output = thief.finish();
    assert_eq!(code(&output), 0, "{output:?}");
}

#[test]
fn a_later_reader_of_the_same_range_is_not_signalled_with_the_first() {
    let (_directory, file) = new_file();
    let reader =
        || sh("exec ipc lock run -s --range 0:64 \"$0\" -- sleep 1000").word(&file).start();
    let holds = |reader: &Running| {
        text(&ipc(&["lock", "ls"]).output().stdout).contains(&reader.pid().to_string())
    };
    let first = reader();
    until("the lock is held", || holds(&first));
    let words =
        ["lock", "run", "--range", "0:64", "--steal-after", "6s", "-v", &file, "--", "true"];
    let thief = ipc(&words).start();
    crate::support::pause(std::time::Duration::from_secs(2));
    let second = reader();
    until("the lock is held", || holds(&second));
    assert_eq!(code(&first.finish()), 143);
    assert!(holds(&second), "its time is not over");
    second.signal(Signal::SIGTERM);
    second.finish();
    assert_eq!(code(&thief.finish()), 0);
}

#[test]
fn a_process_with_several_locks_gets_each_signal_once() {
    let (_directory, file) = new_file();
    let line = "exec 9>>\"$0\"; ipc lock fd --range 0:8 9; ipc lock fd --range 16:8 9
        trap '' TERM; while :; do sleep 0.05 9>&-; done";
    let shell = holder(&file, line);
    let words = ["lock", "run", "--range", "0:64", "--steal-after", "1500ms", &file, "--", "true"];
    let said = |signal| {
        format!(
            "ipc: lock run: {file}: held by {} (sh) for too long, sending {signal}\n",
            shell.pid()
        )
    };
    let (term, kill) = (said("TERM"), said("KILL"));
    ipc(&words).is(0, "", &format!("{term}{kill}"));
    assert_eq!(code(&shell.finish()), 137);
}

#[test]
fn an_ancestor_is_not_signalled() {
    let (_directory, file) = new_file();
    let line =
        "exec 9>>\"$0\"; ipc lock fd 9; sh -c 'ipc lock run --steal-after 100ms \"$0\" -- true
        echo $?' \"$0\" 9>&-; echo $$";
    let output = sh(line).word(&file).output();
    let stdout = text(&output.stdout);
    let (status, pid) = stdout.trim().split_once('\n').unwrap();
    assert_eq!(status, "5");
    let reason = "an ancestor of this process, which is not signalled";
    assert_eq!(
        text(&output.stderr),
        format!("ipc: lock run: {file}: held by process {pid} (sh), {reason}\n")
    );
}

#[test]
fn this_process_itself_is_not_signalled() {
    let (_directory, file) = new_file();
    let line =
        "exec 9>>\"$0\"; ipc lock fd 9; exec ipc lock run --steal-after 100ms \"$0\" -- true";
    let running = sh(line).word(&file).start();
    let pid = running.pid();
    let output = running.finish();
    let reason = "which is this process itself";
    assert_eq!(
        (code(&output), text(&output.stderr)),
        (5, format!("ipc: lock run: {file}: held by process {pid} (ipc), {reason}\n"))
    );
}

#[test]
fn the_first_process_is_not_signalled() {
    if !peers::may_unshare(&["--pid", "--fork", "--mount-proc", "--kill-child"]) {
        return;
    }
    let (_directory, file) = new_file();
    // The first process has the lock; the other one was adopted by it.
    let line = "exec 9>>\"$0\"; ipc lock fd 9
        setsid sh -c 'ipc lock run --steal-after 100ms \"$0\" -- true; echo $? >\"$0.status\"' \"$0\" 9>&- &
        until_true [ -s \"$0.status\" ]; cat \"$0.status\"";
    let container = "exec unshare --pid --fork --mount-proc --kill-child sh -c \"$1\" \"$0\"";
    let reason = "the first process, which is not signalled";
    sh(container).word(&file).word(script(line)).is(
        0,
        "5\n",
        &format!("ipc: lock run: {file}: held by process 1 (sh), {reason}\n"),
    );
}

#[test]
fn a_holder_that_is_not_visible_is_not_signalled() {
    let (directory, file) = new_file();
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o777);
    std::fs::set_permissions(directory.path(), open).unwrap();
    std::fs::write(&file, "").unwrap();
    let all: std::fs::Permissions = std::os::unix::fs::PermissionsExt::from_mode(0o666);
    std::fs::set_permissions(&file, all).unwrap();
    let shell = holder(&file, STUBBORN);
    let unseen = format!(
        "ipc: lock run: {file}: held by a process that is not visible, so none is signalled\n\
         hint: root sees the processes of all users, and a /proc of the host those of all \
         containers\n"
    );
    let words = ["lock", "run", "--steal-after", "100ms", &file, "--", "true"];
    if let Some(other) = as_another_user(&words) {
        other.is(6, "", &unseen);
    }
    // In a PID namespace, and without a /proc.
    if peers::may_unshare(&["--pid", "--fork", "--mount-proc", "--kill-child"]) {
        let line = "exec unshare --pid --fork --mount-proc --kill-child \
                    ipc lock run --steal-after 100ms \"$0\" -- true";
        sh(line).word(&file).is(6, "", &unseen);
        let line = "exec unshare --mount sh -c 'mount -t tmpfs none /proc
            exec ipc lock run --steal-after 100ms \"$0\" -- true' \"$0\"";
        sh(line).word(&file).is(6, "", &unseen);
    }
    assert!(!shell.is_zombie());
    shell.signal(Signal::SIGKILL);
    shell.finish();
}

#[test]
fn the_owner_of_a_lock_file_is_not_signalled() {
    let (_directory, file) = new_file();
    ipc(&["lock", "take", &file]).is(0, "", "");
    let message = format!(
        "ipc: lock run: {file}: held by a lock file, whose owner is not signalled\n\
         hint: 'ipc lock test' prints the owner, 'ipc lock drop --force' drops the lock file\n"
    );
    ipc(&["lock", "run", "--steal-after", "100ms", &file, "--", "true"]).is(5, "", &message);
    ipc(&["lock", "drop", &file]).is(0, "", "");
}

#[test]
fn a_thief_that_is_killed_leaves_the_lock_free() {
    let (_directory, file) = new_file();
    let shell = holder(&file, STUBBORN);
    let words = ["lock", "run", "--steal-after", "300ms", &file, "--", "sleep", "1000"];
    let thief = ipc(&words).start();
    assert_eq!(code(&shell.finish()), 137);
    until("the thief has it", || {
        text(&ipc(&["lock", "test", &file]).output().stdout).contains(&thief.pid().to_string())
    });
    for child in crate::support::children(thief.pid()) {
        ipc(&["signal", "send", "KILL", &child.to_string()]).output();
    }
    thief.signal(Signal::SIGKILL);
    thief.finish();
    ipc(&["lock", "run", "-t", "60", &file, "--", "true"]).is(0, "", "");
}
