//! Processes of other PID namespaces, whose numbers mean other processes here.

use serde_json::Value;

use super::new_file;
use crate::peers::may_unshare;
use crate::support::{Name, code, ipc, sh, text, until};

/// A line of shell that runs as the first process of a PID namespace, of which `/proc` is.
fn in_namespace(line: &str) -> crate::support::Run {
    sh(&format!("exec unshare -pf --mount-proc --kill-child sh -c '{line}' \"$0\" \"$1\""))
}

#[test]
fn the_owner_of_a_lock_file_in_another_namespace_is_not_named_after_a_process_of_ours() {
    if !may_unshare(&["--pid", "--fork", "--mount-proc"]) {
        return;
    }
    let (_directory, file) = new_file();
    let _owner = in_namespace("ipc lock take \"$0\"; exec sleep 1000").word(&file).word("").start();
    until("the lock file is there", || std::fs::exists(&file).unwrap());
    let elsewhere = "a process of another PID namespace";
    for (verb, rest) in [("take", &[][..]), ("run", &["--", "true"])] {
        let output = ipc(&["lock", verb, "-nv", &file]).words(rest).output();
        let said = text(&output.stderr);
        let held = format!("ipc: lock {verb}: {file}: held by {elsewhere} since 2");
        assert!(said.starts_with(&held), "{said}");
        assert_eq!(code(&output), 1);
    }
    let me = std::process::id();
    ipc(&["lock", "drop", &file]).is(
        5,
        "",
        &format!(
            "ipc: lock drop: {file}: owned by {elsewhere}, not by {me}\n\
             hint: whether the owner has ended is not visible; --force drops the lock file of any owner\n"
        ),
    );
    let output = ipc(&["lock", "test", &file]).output();
    assert!(text(&output.stdout).contains(&format!("-  ({elsewhere})  file")), "{output:?}");
    let output = ipc(&["lock", "test", "--json", &file]).output();
    let locks: Value = serde_json::from_str(&text(&output.stdout)).unwrap();
    assert_eq!((&locks[0]["pid"], &locks[0]["command"]), (&Value::Null, &Value::Null));
    ipc(&["signal", "send", "--pidfile", &file, "TERM"]).is(
        4,
        "",
        &format!("ipc: signal send: {file}: has the PID of a process of another PID namespace\n"),
    );
}

#[test]
fn a_lock_whose_locker_has_ended_is_seen_in_a_namespace() {
    if !may_unshare(&["--pid", "--fork", "--mount-proc"]) {
        return;
    }
    let (_directory, file) = new_file();
    let line = "exec 9>\"$0\"; ipc lock fd 9 --kind $1
        ipc lock test \"$0\" | tail -n +2 | { read pid command kind rest; echo $pid $command $kind; }
        ipc lock ls --json | grep -c \"$0\"
        ipc lock run -nv --kind $1 \"$0\" -- true 2>\"$0.said\"
        sed \"s/, which.*//; s/.*lock: //\" \"$0.said\"";
    for kind in ["flock", "ofd"] {
        let out = format!("1 sh {kind}\n1\nheld by 1 (sh)\nwould block\n");
        in_namespace(line).word(&file).word(kind).is(0, &out, "");
    }
}

#[test]
fn a_lock_that_is_held_outside_of_a_namespace_has_no_process_there() {
    if !may_unshare(&["--pid", "--fork", "--mount-proc"]) {
        return;
    }
    let (_directory, file) = new_file();
    let _held = super::hold(&file);
    in_namespace("ipc lock run -nv \"$0\" -- true").word(&file).word("").is(
        1,
        "",
        &format!(
            "ipc: lock run: {file}: held by a process of another PID namespace\n\
             ipc: lock run: {file}: would block\n"
        ),
    );
}

#[test]
fn a_command_of_another_namespace_that_holds_units_is_not_named_after_a_process_of_ours() {
    if !may_unshare(&["--pid", "--fork", "--mount-proc"]) {
        return;
    }
    let name = Name::new("sem");
    ipc(&["sem", "create", &name, "--value", "2"]).is(0, "", "");
    let line = "ipc sem run \"$0\" -- sleep 1000";
    let _outside = sh(&format!("exec {line}")).word(&*name).start();
    let stat = || ipc(&["sem", "stat", "--json", &name]).succeeds();
    until("the command outside runs", || stat().contains("sleep"));
    // In the namespace there is no process of that number, or it is another one.
    let line =
        "ipc sem stat \"$0\" | grep runs: ; ipc sem stat -j \"$0\" | grep -o \"runs.*pid[^}]*\"";
    in_namespace(line).word(&*name).word("").is(
        0,
        "runs:    a process of another PID namespace holds 1\n\
         runs\":[{\"command\":null,\"count\":1,\"pid\":null\n",
        "",
    );
}

#[test]
fn a_lock_file_without_the_ids_of_boot_and_machine_is_never_broken() {
    if !may_unshare(&["--mount"]) {
        return;
    }
    let (_directory, file) = new_file();
    let hide = |path: &str| format!("mount --bind /dev/null {path}");
    let boot = hide("/proc/sys/kernel/random/boot_id");
    let machine = format!("[ ! -e /etc/machine-id ] || {}", hide("/etc/machine-id"));
    for (hidden, line) in [(&boot, "boot -"), (&machine, "machine -")] {
        // The owner is a shell that has ended, on a boot that is not this one.
        let take = format!(
            "exec unshare -m sh -c '{hidden}; sh -c \"ipc lock take $0; :\"
                sed -i \"s/^boot [^-].*/boot another/\" \"$0\"
                grep -cx \"{line}\" \"$0\"; ipc lock take -n \"$0\"; echo $?' \"$0\""
        );
        sh(&take).word(&file).is(0, "1\n1\n", "");
        ipc(&["lock", "take", "-n", &file]).is(1, "", "");
        ipc(&["lock", "drop", "-f", &file]).is(0, "", "");
    }
}

#[test]
fn without_a_proc_of_its_own_namespace_an_owner_is_not_visible() {
    if !may_unshare(&["--pid", "--fork"]) {
        return;
    }
    let (_directory, file) = new_file();
    // The /proc is that of the namespace outside.
    let line = "exec unshare -pf sh -c 'ipc lock take --owner 1 \"$0\"; echo $?' \"$0\"";
    sh(line).word(&file).is(
        0,
        "3\n",
        "ipc: lock take: 1: the owner is not visible\n\
         hint: a /proc of this PID namespace has to be mounted\n",
    );
}
