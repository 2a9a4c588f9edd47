//! `ipc signal send --group --wait`: a process group, until its last process has ended.

use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

use crate::peers;
use crate::support::{as_another_user, code, ipc, sh, text, until};

/// A group whose leader is a shell, which runs a line. It is killed at the end of the test.
struct Group {
    leader: Child,
    directory: tempfile::TempDir,
}

impl Group {
    /// Runs the line, and waits until it has made the file `ready`.
    fn new(line: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", line]).current_dir(directory.path()).process_group(0);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let leader = command.spawn().unwrap();
        let group = Self { leader, directory };
        until("the group is ready", || group.has("ready"));
        group
    }

    fn number(&self) -> String {
        self.leader.id().to_string()
    }

    fn has(&self, name: &str) -> bool {
        self.directory.path().join(name).exists()
    }

    /// The processes of the group that run.
    fn running(&self) -> usize {
        let line = "ps -eo pgid=,state= | grep -c \"^ *$0 [^Z]\"";
        text(&sh(line).word(self.number()).output().stdout).trim().parse().unwrap()
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let _ = nix::sys::signal::killpg(
            nix::unistd::Pid::from_raw(self.leader.id() as i32),
            nix::sys::signal::Signal::SIGKILL,
        );
        let _ = self.leader.wait();
    }
}

#[test]
fn a_group_has_ended_when_its_last_process_has() {
    // The leader ends at once, and a child only after a while.
    let group = Group::new(
        "trap 'exit 0' TERM
         sh -c 'trap \"sleep 0.3; : >last; exit\" TERM; : >ready; while :; do sleep 0.01; done' &
         wait",
    );
    ipc(&["signal", "send", "TERM", "--group", "--wait", &group.number()]).is(0, "", "");
    assert!(group.has("last"));
    assert_eq!(group.running(), 0);
}

#[test]
fn processes_that_are_forked_after_the_signal_are_waited_for() {
    let line = "sh -c 'trap \"(sleep 0.2; (sleep 0.2; : >grandchild) & ) & exit\" TERM
         : >ready; while :; do sleep 0.01; done'";
    let group = Group::new(line);
    ipc(&["signal", "send", "TERM", "--group", "--wait", &group.number()]).is(0, "", "");
    assert!(group.has("grandchild"));
    assert_eq!(group.running(), 0);
}

#[test]
fn a_group_that_does_not_end_is_killed() {
    let group = Group::new(
        "trap '' TERM
         sh -c 'trap \"\" TERM; while :; do sleep 0.01; done' &
         (exec sleep 1000) & : >ready; while :; do sleep 0.01; done",
    );
    let number = group.number();
    let words = ["signal", "send", "TERM", "--group", "--wait", "-t", "200ms"];
    let late = format!("ipc: signal send: {number}: timed out\n");
    ipc(&words).word(&number).is(124, "", &late);
    assert!(group.running() > 0);
    let output = ipc(&words).words(&["-v", "--then", "KILL"]).word(&number).output();
    assert_eq!(code(&output), 0, "{output:?}");
    let said = format!("ipc: signal send: {number}: timed out, sending KILL\n");
    assert_eq!(text(&output.stderr), said);
    assert_eq!(group.running(), 0);
}

#[test]
fn a_group_whose_leader_is_reaped_during_the_wait_is_still_that_group() {
    let group = Group::new(
        "trap 'exit 0' TERM
         sh -c 'trap \"\" TERM; : >ready; while :; do sleep 0.01; done' & wait",
    );
    let number = group.number();
    let words = ["signal", "send", "TERM", "--group", "--wait", "-t", "300ms", "--then", "KILL"];
    let wait = ipc(&words).word(&number).start();
    until("the leader has ended", || group.running() < 3 && is_zombie(&number));
    let mut group = group;
    group.leader.wait().unwrap();
    let output = wait.finish();
    assert_eq!((code(&output), text(&output.stderr)), (0, String::new()));
    assert_eq!(group.running(), 0);
}

fn is_zombie(pid: &str) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| stat.contains(") Z "))
}

#[test]
fn a_group_without_a_leader_is_known_by_its_number_which_is_said() {
    let mut group =
        Group::new("sh -c 'trap \"\" TERM; : >ready; while :; do sleep 0.01; done' & exit");
    group.leader.wait().unwrap();
    let number = group.number();
    let words = ["signal", "send", "TERM", "--group", "--wait", "-t", "100ms", "--then", "KILL"];
    ipc(&words).word(&number).is(
        0,
        "",
        &format!(
            "ipc: signal send: {number}: the group had no leader: KILL goes to the group that has \
             its number now\n"
        ),
    );
    assert_eq!(group.running(), 0);
}

#[test]
fn a_group_of_many_is_waited_for_with_few_descriptors() {
    let group =
        Group::new("for i in $(seq 100); do sleep 1000 & done; : >ready; trap 'exit' TERM; wait");
    let line = "ulimit -n 16; exec ipc signal send TERM --group --wait \"$0\"";
    sh(line).word(group.number()).is(0, "", "");
    assert_eq!(group.running(), 0);
}

#[test]
fn the_own_group_is_not_waited_for() {
    let reason = "--wait: this process is in the group, and would wait for itself";
    sh("ipc signal send TERM --group --wait 0").is(
        2,
        "",
        &format!("ipc: signal send: 0: {reason}\n"),
    );
}

#[test]
fn a_group_that_has_ended_is_not_found() {
    let mut child = Command::new("true").process_group(0).spawn().unwrap();
    child.wait().unwrap();
    let number = child.id().to_string();
    let said = format!("ipc: signal send: {number}: No such process\n");
    ipc(&["signal", "send", "TERM", "--group", "--wait", &number]).is(4, "", &said);
}

#[test]
fn a_group_of_another_user_is_refused() {
    let group = Group::new(": >ready; exec sleep 1000");
    let number = group.number();
    let words = ["signal", "send", "TERM", "--group", "--wait", &number];
    let Some(other) = as_another_user(&words) else { return };
    other.is(6, "", &format!("ipc: signal send: {number}: Operation not permitted\n"));
    assert_eq!(group.running(), 1);
}

#[test]
fn without_a_proc_the_members_are_not_visible() {
    if !peers::may_unshare(&["--mount"]) {
        return;
    }
    let group = Group::new(": >ready; exec sleep 1000");
    let number = group.number();
    let line = "mount -t tmpfs none /proc && exec ipc signal send TERM --group --wait \"$0\"";
    let inner = format!("exec unshare --mount sh -c '{line}' \"$0\"");
    sh(&inner).word(&number).is(
        3,
        "",
        &format!(
            "ipc: signal send: {number}: the processes of the group are not visible\n\
             hint: a /proc of this PID namespace shows them\n"
        ),
    );
}
