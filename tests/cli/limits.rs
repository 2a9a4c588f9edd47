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
fn maximums_are_those_of_ipcs() {
    if !crate::peers::there("ipcs", &["-l"]) {
        return;
    }
    let limits = limits(&[]);
    let theirs = std::process::Command::new("ipcs").arg("-l").output().unwrap().stdout;
    let theirs = String::from_utf8_lossy(&theirs).into_owned();
    for (name, key) in [
        ("System V segments", "max number of segments"),
        ("System V sets", "max number of arrays"),
        ("semaphores of a set", "max semaphores per array"),
        ("System V semaphores", "max semaphores system wide"),
        ("operations of a call", "max ops per semop call"),
        ("value of a System V semaphore", "semaphore max value"),
        ("System V queues", "max queues system wide"),
        ("bytes of a System V message", "max size of message (bytes)"),
        ("bytes of a System V queue", "default max size of queue (bytes)"),
    ] {
        let line = theirs.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(" = "));
        assert_eq!(find(&limits, name)["max"].to_string(), line.unwrap(), "{key}");
    }
}

#[test]
fn bytes_of_queues_are_those_that_the_kernel_counts() {
    let line = "unshare --user --map-root-user --ipc --mount bash -c '
        used() { ipc limits --noheadings --filter \"limit~s POSIX queues\" -o used; }
        ipc mq create /one --max-msgs 7 --msg-size 100; one=$(used)
        ulimit -q $((2 * one)); ipc mq create /two --max-msgs 7 --msg-size 100 && echo 2
        ipc mq rm /two; ulimit -q $((2 * one - 1))
        ipc mq create -q /two --max-msgs 7 --msg-size 100 || echo full; echo $((one == $(used)))'";
    let output = sh(line).output();
    if String::from_utf8_lossy(&output.stderr).contains("unshare") {
        return crate::support::skipped("user namespaces are not allowed");
    }
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(shown, "2\nfull\n1\n", "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn shares_are_compared_and_sizes_are_for_people() {
    let named = "ipc limits --noheadings --filter 'limit=files in /dev/shm'";
    let all = sh(&format!("{named} -o percent")).succeeds();
    let percent: u32 = all.trim().parse().unwrap();
    let found = sh(&format!("{named} -o percent --filter 'percent<={percent}'")).succeeds();
    assert_eq!(found, all);
    let capacity = sh("ipc limits --human --noheadings --filter 'limit=capacity of a pipe' -o max");
    assert!(capacity.succeeds().trim_end().ends_with(['K', 'M']));
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
fn what_is_nearly_full_is_listed_by_above_and_stands_out() {
    const RED: &str = "\x1b[31m";
    // An IPC namespace of its own has no segments of System V.
    let line = "unshare --user --map-root-user --mount --ipc sh -c '
        list() { ipc limits --filter kind=shm -o limit --noheadings \"$@\"; echo $?; }
        mount -t tmpfs -o size=1M,nr_inodes=100 none /dev/shm && head -c 960K /dev/zero >/dev/shm/x &&
        list --above 90; list --color always; rm /dev/shm/x; list --above 90; list --color always'";
    let output = sh(line).output();
    if String::from_utf8_lossy(&output.stderr).contains("unshare") {
        return crate::support::skipped("user namespaces are not allowed");
    }
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    let (above, rest) = shown.split_once("\n0\n").expect("it lists one");
    assert_eq!(above, "bytes of /dev/shm", "{shown}");
    let (full, rest) = rest.split_once("\n0\n1\n").expect("it lists all, then none");
    let red: Vec<&str> = full.lines().filter(|line| line.contains(RED)).collect();
    assert_eq!(red, [format!("{RED}bytes of /dev/shm\x1b[0m")], "{shown}");
    assert!(rest.contains("bytes of /dev/shm\n") && !rest.contains(RED), "{shown}");
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
