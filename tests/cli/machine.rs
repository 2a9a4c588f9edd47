//! A missing part of the machine is reported as such, and not as a missing object.

use crate::peers;
use crate::support::{code, sh, text};

/// Runs a line of shell on a machine without IPC objects, after a change of its file systems.
fn with(change: &str, line: &str) -> Option<(i32, String, String)> {
    if !peers::may_unshare(&["--mount", "--ipc"]) {
        return None;
    }
    let line = format!("{change} || exit 99; {line}");
    let output = sh("exec unshare --mount --ipc sh -c \"$0\"").word(line).output();
    Some((code(&output), text(&output.stdout), text(&output.stderr)))
}

const NO_DEV_SHM: &str = "mkdir -p /dev && mount -t tmpfs none /dev";
const NO_PROC: &str = "mount -t tmpfs none /proc";
const NO_SYSTEM_V: &str = "mount -t tmpfs none /proc/sysvipc";

#[test]
fn a_missing_dev_shm_is_not_reported_as_a_missing_object() {
    let missing = |verb: &str| {
        format!(
            "ipc: {verb}: this machine has no /dev/shm, which holds POSIX shared memory and semaphores\n\
             hint: as root: mkdir -p /dev/shm && mount -t tmpfs -o mode=1777,nosuid,nodev none \
             /dev/shm\n"
        )
    };
    for words in [
        "shm create /x --size 1",
        "shm write /x",
        "shm cat /x",
        "shm stat /x",
        "shm rm /x",
        "sem create /x",
        "sem post /x",
        "sem value /x",
        "sem stat /x",
        "sem rm /x",
        "sem barrier /x --parties 2",
    ] {
        let Some(seen) = with(NO_DEV_SHM, &format!("echo a | ipc {words}")) else { return };
        let verb = words.split_once(" /").unwrap().0;
        assert_eq!(seen, (3, String::new(), missing(&format!("{verb}: /x"))));
    }
    for noun in ["shm", "sem"] {
        let size = if noun == "shm" { "--size 4" } else { "" };
        let line = format!("ipc {noun} create sysv:1 {size}; ipc {noun} ls --json");
        let Some((status, listed, said)) = with(NO_DEV_SHM, &line) else { return };
        assert!(listed.contains(r#""name":"sysv:0x00000001""#), "{listed}");
        assert_eq!((status, said), (3, missing(&format!("{noun} ls: /dev/shm"))));
    }
}

#[test]
fn without_proc_posix_objects_are_listed_and_system_v_objects_can_be_used() {
    let missing = "this machine has no /proc, which lists processes and objects\n\
                   hint: as root: mkdir -p /proc && mount -t proc none /proc\n";
    for (noun, table) in [("shm", "shm"), ("sem", "sem"), ("mq", "msg")] {
        let size = if noun == "shm" { "--size 4" } else { "" };
        let line = format!(
            "export LD_LIBRARY_PATH=; mount -t tmpfs none /dev/shm; ipc {noun} create /x {size}; \
             ipc {noun} create sysv:1 {size}; ipc {noun} ls --json"
        );
        let Some((status, listed, said)) = with(NO_PROC, &line) else { return };
        assert!(listed.contains(r#""name":"/x""#), "{listed}");
        let said_of_ls = format!("ipc: {noun} ls: /proc/sysvipc/{table}: {missing}");
        assert_eq!((status, said), (3, said_of_ls));
    }
    let line = "ipc sem value sysv:9; ipc sem stat sysv:9; ipc sem create sysv:1 --value 2 && \
                ipc sem value sysv:1; ipc sem stat sysv:1; ipc map ls; ipc lock ls";
    let Some((_, values, said)) = with(NO_PROC, line) else { return };
    assert_eq!(values.lines().next(), Some("2"));
    let unknown = "No such file or directory";
    let expected = format!(
        "ipc: sem value: sysv:9: {unknown}\nhint: 'ipc sem create' makes it\n\
         ipc: sem stat: sysv:9: {unknown}\nipc: sem stat: sysv:1: {missing}ipc: map ls: /proc: {missing}"
    );
    assert!(said.starts_with(&expected), "{said}");
}

#[test]
fn a_missing_proc_is_not_reported_as_a_missing_file() {
    let missing = "this machine has no /proc, which lists processes and objects\n\
                   hint: as root: mkdir -p /proc && mount -t proc none /proc\n";
    let line = "cd /dev/shm; ipc fifo create p; ipc lock ls; ipc sem run --create 1 /x -- true; \
                echo a >p & ipc fifo cat -k --count 4 p";
    let line = format!("mount -t tmpfs none /dev/shm; {line}");
    let Some((status, stdout, said)) = with(NO_PROC, &line) else { return };
    let expected = format!(
        "ipc: lock ls: /proc/locks: {missing}ipc: sem run: /x: {missing}ipc: fifo cat: p: {missing}"
    );
    assert_eq!((status, stdout, said), (3, "a\n".to_owned(), expected));
}

#[test]
fn a_kernel_without_system_v_objects_is_an_error_of_ls() {
    let said = "the kernel was built without System V objects (CONFIG_SYSVIPC)";
    for (noun, table) in [("shm", "shm"), ("sem", "sem"), ("mq", "msg")] {
        let Some((status, _, stderr)) = with(NO_SYSTEM_V, &format!("ipc {noun} ls")) else {
            return;
        };
        // The warning about hidden processes is not of interest here.
        let stderr = stderr.lines().next().unwrap_or_default();
        let expected = format!("ipc: {noun} ls: /proc/sysvipc/{table}: {said}");
        assert_eq!((status, stderr), (3, expected.as_str()));
    }
}

#[test]
fn a_lack_of_inodes_is_distinguished_from_a_lack_of_space() {
    let full = "mount -t tmpfs -o nr_inodes=2,mode=1777 none /dev/shm && : >/dev/shm/full";
    for words in ["shm create /x --size 1", "sem create /x", "fifo create /dev/shm/x"] {
        let Some((status, _, said)) = with(full, &format!("ipc {words}")) else { return };
        let hint = "hint: 'df -i /dev/shm' shows that no inode is free\n";
        assert!(status == 3 && said.ends_with(hint), "{words}: {said}");
    }
}
