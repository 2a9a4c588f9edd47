//! `ipc limits`, beside what the kernel says in other ways.

use serde_json::Value;

use crate::support::{Name, ipc, sh};

fn limits(words: &[&str]) -> Vec<Value> {
    serde_json::from_str(&ipc(&["limits", "--json"]).words(words).succeeds()).expect("it is JSON")
}

fn find(limits: &[Value], name: &str) -> Value {
    let found = limits.iter().find(|limit| limit["limit"] == name);
    found.unwrap_or_else(|| panic!("{name} is listed")).clone()
}

#[test]
fn maximums_are_those_of_the_kernel() {
    let limits = limits(&[]);
    for (name, file) in [
        ("messages of a POSIX queue", "fs/mqueue/msg_max"),
        ("bytes of a POSIX message", "fs/mqueue/msgsize_max"),
        ("bytes of a System V queue", "kernel/msgmnb"),
        ("capacity of a pipe", "fs/pipe-max-size"),
        ("watches of a user", "fs/inotify/max_user_watches"),
    ] {
        let text = std::fs::read_to_string(format!("/proc/sys/{file}")).unwrap();
        assert_eq!(find(&limits, name)["max"], text.trim().parse::<u64>().unwrap(), "{name}");
    }
    let limit = sh("ulimit -n 100; ipc limits --json").succeeds();
    let limit: Vec<Value> = serde_json::from_str(&limit).unwrap();
    assert_eq!(find(&limit, "descriptors of a process")["max"], 100);
}

#[test]
fn what_is_in_use_is_counted() {
    // An IPC namespace of its own has no other objects.
    let line = "unshare --user --map-root-user --ipc sh -c '
        ipc sem create --nsems 3 sysv:1 && ipc mq create sysv:2 && ipc shm create -s 4K sysv:3 &&
        ipc limits -o limit,used --noheadings --filter kind~\"^(sem|mq|shm)$\"'";
    let output = sh(line).output();
    if String::from_utf8_lossy(&output.stderr).contains("unshare") {
        return crate::support::skipped("user namespaces are not allowed");
    }
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    for (name, used) in [
        ("System V sets", "1"),
        ("System V semaphores", "3"),
        ("System V segments", "1"),
        ("System V queues", "1"),
        ("bytes of all segments", "4096"),
    ] {
        let line = shown.lines().find(|line| line.starts_with(&format!("{name}  ")));
        assert_eq!(line.and_then(|line| line.split_whitespace().last()), Some(used), "{shown}");
    }
}

#[test]
fn memory_that_is_written_is_in_use() {
    let name = Name::new("shm");
    let used = |limits: &[Value]| find(limits, "bytes of /dev/shm")["used"].as_u64().unwrap();
    let line = "head -c 8M /dev/zero | ipc shm write $0";
    let before = used(&limits(&[]));
    sh(line).word(&*name).succeeds();
    let after = used(&limits(&[]));
    drop(name);
    // Other tests use the same memory meanwhile.
    assert!(after + (64 << 20) > before + (8 << 20), "{before} {after}");
}

#[test]
fn above_lists_what_is_nearly_full() {
    let line = "unshare --user --map-root-user --mount sh -c '
        mount -t tmpfs -o size=1M,nr_inodes=100 none /dev/shm && head -c 960K /dev/zero >/dev/shm/x &&
        ipc limits --above 90 --filter kind=shm -o limit --noheadings; echo $?
        rm /dev/shm/x; ipc limits --above 90 --filter kind=shm; echo $?'";
    let output = sh(line).output();
    if String::from_utf8_lossy(&output.stderr).contains("unshare") {
        return crate::support::skipped("user namespaces are not allowed");
    }
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(shown.starts_with("bytes of /dev/shm\n0\n"), "{shown}");
}

#[test]
fn without_proc_it_says_so() {
    let line = "unshare --user --map-root-user --mount --pid --fork sh -c '
        mount -t tmpfs none /proc && ipc limits; echo $?'";
    let output = sh(line).output();
    if String::from_utf8_lossy(&output.stderr).contains("unshare") {
        return crate::support::skipped("user namespaces are not allowed");
    }
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(shown.contains("bytes of /dev/shm") || shown.ends_with("3\n"), "{shown}");
}
