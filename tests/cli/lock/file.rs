//! `ipc lock take` and `drop`.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill as signal, killpg};
use nix::unistd::Pid;

use super::new_file;
use crate::peers;
use crate::support::{code, ipc, pause, rounds, sh, text, until};

#[test]
fn a_lock_file_names_its_owner_until_it_is_dropped() {
    let (_directory, file) = new_file();
    let line = "ipc lock take \"$0\" && [ \"$(head -n 1 \"$0\")\" = $$ ] && stat -c %a \"$0\"
        sh -c 'ipc lock take -n \"$0\"; echo $?' \"$0\"
        ipc lock drop \"$0\" && ! [ -e \"$0\" ]";
    sh(line).word(&file).is(0, "600\n1\n", "");
}

#[test]
fn the_owner_of_a_lock_file_is_reported_with_verbose() {
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
fn the_owner_is_reported_before_the_wait() {
    let (_directory, file) = new_file();
    let owner = std::os::unix::process::parent_id().to_string();
    ipc(&["lock", "take", &file, "--owner", &owner]).is(0, "", "");
    for verb in ["take", "run"] {
        let words = if verb == "run" { &["--", "true"][..] } else { &[] };
        let waiter = ipc(&["lock", verb, "-v", &file]).words(words).start();
        waiter.wait_until_asleep();
        waiter.signal(Signal::SIGTERM);
        let said = text(&waiter.finish().stderr);
        let lines: Vec<&str> = said.lines().collect();
        let held = format!("ipc: lock {verb}: {file}: held by {owner} (");
        assert!(lines.len() == 2 && lines[0].starts_with(&held), "{said}");
        assert_eq!(lines[1], format!("ipc: lock {verb}: {file}: waiting for the lock"));
    }
}

#[test]
fn an_empty_file_is_no_lock_file_unless_it_becomes_one_within_a_second() {
    let (directory, _) = new_file();
    let empty = directory.path().join("l");
    fs::write(&empty, "").unwrap();
    let said = "l: empty, so not a lock file\n\
                hint: 'ipc lock drop --force' removes it, and 'ipc lock run' locks it as it is\n";
    for options in [&["-n"][..], &["-t", "10ms"], &[]] {
        let take = ipc(&["lock", "take", "l"]).words(options).within(directory.path());
        take.is(3, "", &format!("ipc: lock take: {said}"));
    }
    ipc(&["lock", "drop", "l"]).within(directory.path()).is(
        3,
        "",
        &format!("ipc: lock drop: {said}"),
    );
    assert_eq!(fs::read(&empty).unwrap(), b"");
    let taker = ipc(&["lock", "take", "l"]).within(directory.path()).start();
    taker.wait_until_asleep();
    fs::remove_file(&empty).unwrap();
    assert_eq!(code(&taker.finish()), 0);
}

#[test]
fn a_file_that_is_locked_is_waited_for() {
    for (kind, remove) in [("flock", "--remove"), ("ofd", "--remove"), ("posix", "-s")] {
        let (_directory, file) = new_file();
        // With --remove the name goes with the lock; otherwise what is left is no lock file.
        let line = "ipc lock run --kind $1 $2 \"$0\" -- sh -c '
            ipc lock take -n \"$0\"; echo $?
            exec 3>&1; { ipc lock take -q \"$0\" >&3; echo $? >\"$0.status\"; } >/dev/null &
            sleep 0.3; ls \"$0.status\" 2>/dev/null' \"$0\"
            until_true [ -s \"$0.status\" ]; cat \"$0.status\"";
        let last = if remove == "--remove" { "0" } else { "3" };
        sh(line).word(&file).words(&[kind, remove]).is(0, &format!("1\n{last}\n"), "");
    }
}

#[test]
fn a_stale_lock_file_that_is_locked_is_not_broken() {
    for kind in ["flock", "ofd", "posix"] {
        let (_directory, file) = new_file();
        sh("ipc lock take \"$0\"").word(&file).is(0, "", "");
        let content = fs::read(&file).unwrap();
        let line = "ipc lock run --kind $1 \"$0\" -- sh -c '
            ipc lock take -n \"$0\"; echo $?; ipc lock drop \"$0\"; echo $?' \"$0\"";
        let said = format!("ipc: lock drop: {file}: locked by another process\n");
        sh(line).word(&file).word(kind).is(0, "1\n5\n", &said);
        assert_eq!(fs::read(&file).unwrap(), content);
        ipc(&["lock", "take", "-n", &file]).is(0, "", "");
    }
}

#[test]
fn a_lock_file_that_is_taken_is_locked_to_all_verbs() {
    let (_directory, file) = new_file();
    let mut owner = Command::new("sleep").arg("1000").spawn().unwrap();
    let number = owner.id().to_string();
    ipc(&["lock", "take", &file, "--owner", &number]).is(0, "", "");
    let row = format!(
        r#"[{{"pid":{number},"command":"sleep","kind":"file","mode":"exclusive","start":0,"end":null,"waiters":null}}]"#
    );
    ipc(&["lock", "test", "--json", &file]).is(1, &format!("{row}\n"), "");
    for kind in ["flock", "ofd", "posix"] {
        ipc(&["lock", "run", "-n", "--kind", kind, &file, "--", "true"]).is(1, "", "");
    }
    sh("ipc lock fd -n 9 9<\"$0\"; echo $?; ipc lock fd -t 10ms 9 9>>\"$0\"").word(&file).is(
        124,
        "1\n",
        "ipc: lock fd: 9: timed out\n",
    );
    // Nothing of that stays behind.
    sh("ipc lock run -n \"$0.other\" -- true; flock -n \"$0\" true").word(&file).is(0, "", "");
    let waiters = [
        ipc(&["lock", "run", &file, "--", "true"]).start(),
        sh("exec ipc lock fd 9 9<\"$0\"").word(&file).start(),
    ];
    waiters.iter().for_each(crate::support::Running::wait_until_asleep);
    owner.kill().unwrap();
    for waiter in waiters {
        assert_eq!(code(&waiter.finish()), 0);
    }
    owner.wait().unwrap();
    ipc(&["lock", "test", &file]).is(0, "", "");
    ipc(&["lock", "drop", &file]).is(0, "", "");
}

#[test]
fn a_lock_file_that_is_dropped_lets_a_command_run_that_waits_for_it() {
    let (_directory, file) = new_file();
    ipc(&["lock", "take", &file]).is(0, "", "");
    let waiter = ipc(&["lock", "run", &file, "--", "echo", "in"]).start();
    waiter.wait_until_asleep();
    ipc(&["lock", "drop", &file]).is(0, "", "");
    assert_eq!(text(&waiter.finish().stdout), "in\n");
}

#[test]
fn drop_breaks_a_lock_file_that_take_would_break() {
    let (_directory, file) = new_file();
    for option in ["-q", "--pidfile"] {
        sh("ipc lock take $1 \"$0\"").word(&file).word(option).is(0, "", "");
        ipc(&["lock", "test", option, &file]).is(0, "", "");
        ipc(&["lock", "drop", option, &file]).is(0, "", "");
    }
    ipc(&["lock", "take", "--pidfile", &file]).is(0, "", "");
    ipc(&["lock", "test", &file]).is(0, "", "");
    assert_eq!(code(&ipc(&["lock", "test", "--pidfile", &file]).output()), 1);
}

#[test]
fn a_lock_file_is_dropped_by_its_owner_alone_or_by_force() {
    let (_directory, file) = new_file();
    let (owner, parent) = (std::process::id(), std::os::unix::process::parent_id());
    ipc(&["lock", "take", &file]).is(0, "", "");
    ipc(&["lock", "take", &file]).is(
        5,
        "",
        &format!("ipc: lock take: {file}: owned by process {owner} already\n"),
    );
    ipc(&["lock", "drop", &file, "--owner", &parent.to_string()]).is(
        5,
        "",
        &format!(
            "ipc: lock drop: {file}: owned by process {owner}, not by {parent}\n\
             hint: --owner names another owner, --force drops the lock file of any owner\n"
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
fn a_waiter_that_was_stopped_beyond_its_deadline_takes_a_lock_file_that_is_free_by_then() {
    let (_directory, file) = new_file();
    let parent = std::os::unix::process::parent_id().to_string();
    ipc(&["lock", "take", &file, "--owner", &parent]).is(0, "", "");
    let waiter = ipc(&["lock", "take", "-t", "2s", &file]).start();
    waiter.wait_until_asleep();
    waiter.stop();
    ipc(&["lock", "drop", &file, "--owner", &parent]).is(0, "", "");
    // Past the deadline, and past what file systems have beyond it.
    pause(Duration::from_millis(3200));
    waiter.signal(Signal::SIGCONT);
    let output = waiter.finish();
    assert_eq!((code(&output), text(&output.stderr)), (0, String::new()));
}

#[test]
fn a_lock_file_that_cannot_be_judged_is_respected() {
    let (_directory, file) = new_file();
    for content in ["999999\n", "4194304\nstart 1\nboot x\npidns 1\nmachine elsewhere\n"] {
        fs::write(&file, content).unwrap();
        ipc(&["lock", "take", "-n", &file]).is(1, "", "");
        assert_eq!(fs::read_to_string(&file).unwrap(), content);
    }
    fs::write(&file, "999999\n").unwrap();
    ipc(&["lock", "take", "-n", "--pidfile", &file]).is(0, "", "");
}

#[test]
fn another_file_than_a_lock_file_is_refused() {
    let (directory, file) = new_file();
    let reason = "not a lock file: it names no owner";
    nix::unistd::mkfifo(file.as_str(), nix::sys::stat::Mode::S_IRWXU).unwrap();
    let link = format!("{file}.link");
    std::os::unix::fs::symlink("/etc/passwd", &link).unwrap();
    let socket = format!("{file}.socket");
    let _listening = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let text = format!("{file}.text");
    for content in ["garbage\n", "4711"] {
        fs::write(&text, content).unwrap();
        let said = format!("ipc: lock take: {text}: {reason}\n");
        ipc(&["lock", "take", &text]).is(3, "", &said);
        assert_eq!(fs::read_to_string(&text).unwrap(), content);
    }
    for path in [&file, &link, &socket, directory.path().to_str().unwrap()] {
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

/// Kills one of them: alone, so that the verb which it runs goes on for an owner who is gone; or
/// with that verb, wherever that is.
fn kill(mut contender: Child, with_verb: bool) {
    let pid = Pid::from_raw(contender.id() as i32);
    let killed =
        if with_verb { killpg(pid, Signal::SIGKILL) } else { signal(pid, Signal::SIGKILL) };
    killed.unwrap();
    contender.wait().unwrap();
}

#[test]
fn a_lock_file_is_never_taken_twice_nor_lost_in_a_storm_of_kills() {
    let (directory, file) = new_file();
    let log = directory.path().join("log");
    let binary = crate::support::binary();
    let contender = || {
        let log = File::options().append(true).create(true).open(&log).unwrap();
        let words = ["-c", CONTENDER, binary.to_str().unwrap(), &file];
        let mut command = Command::new("python3");
        // A verb whose owner is killed beside it says so.
        command.args(words).stdout(log).stderr(Stdio::null()).process_group(0).spawn().unwrap()
    };
    let entries = || fs::read_to_string(&log).unwrap_or_default().lines().count();
    let mut contenders: Vec<_> = (0..8).map(|_| contender()).collect();
    for round in 0..rounds(48) as usize {
        let before = entries();
        until("somebody gets the lock", || entries() > before);
        let victim = std::mem::replace(&mut contenders[round * 5 % 8], contender());
        kill(victim, round % 2 == 0);
    }
    contenders.into_iter().for_each(|contender| kill(contender, true));
    let text = fs::read_to_string(&log).unwrap();
    assert_eq!(text.lines().find(|line| *line != "in"), None);
    // Verbs of owners who were killed alone may still be about to end.
    ipc(&["lock", "take", "-t", "1m", &file]).is(0, "", "");
    let names = || fs::read_dir(directory.path()).unwrap().count();
    until("nothing is left but the lock, its referee and the log", || names() == 3);
}

#[test]
fn a_caller_in_another_pid_namespace_is_no_owner() {
    if !peers::may_unshare(&["--pid", "--fork", "--mount-proc"]) {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    for verb in ["take", "drop"] {
        let line = format!("exec unshare --pid --fork --mount-proc ipc lock {verb} l");
        sh(&line).within(directory.path()).is(
            3,
            "",
            &format!(
                "ipc: lock {verb}: owner: the calling process is in another PID namespace\n\
                 hint: --owner PID names the owner\n"
            ),
        );
    }
}
