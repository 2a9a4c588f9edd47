//! What a spool keeps: whatever is killed, wherever, and whatever fails.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::time::Duration;

use nix::sys::signal::Signal;

use super::{Spool, error};
use crate::support::{
    HANG_TIMEOUT, Run, as_another_user, code, copy_for_others, pause, rounds, skipped, text, until,
    until_within,
};

/// The system calls of a command line, in order, as strace(1) prints them; `None` without strace.
fn trace(spool: &Spool, line: &str) -> Option<Vec<String>> {
    if Command::new("strace").arg("-V").output().is_err() {
        skipped("strace is not installed");
        return None;
    }
    let log = spool.0.path().join("trace");
    let traced = format!("strace -f -y -o trace {line}");
    spool.sh(&traced).input("x\n").assert().success();
    let text = fs::read_to_string(log).expect("strace wrote it");
    // The process ID is before each call.
    Some(
        text.lines().map(|line| line.split_once(' ').expect("a pid").1.trim().to_owned()).collect(),
    )
}

/// The position of the first call from `from` on that has all of these texts.
#[track_caller]
fn position(calls: &[String], from: usize, texts: &[&str]) -> usize {
    let has_all = |call: &String| texts.iter().all(|text| call.contains(text));
    let found = calls[from..].iter().position(has_all);
    from + found.unwrap_or_else(|| panic!("no call with {texts:?} after {from}: {calls:#?}"))
}

#[test]
fn a_message_is_synced_before_it_is_renamed_and_the_directory_before_it_is_reported() {
    let spool = Spool::new();
    for line in ["ipc spool put s", "ipc spool put --name a s", "ipc spool put --each-line s"] {
        let Some(calls) = trace(&spool, line) else { return };
        let written = position(&calls, 0, &["s/tmp/"]);
        let synced = position(&calls, written, &["fsync(", "/s/tmp/"]);
        let renamed = position(&calls, synced, &["renameat", "/s/tmp>", "/s/ready>"]);
        let directory = position(&calls, renamed, &["fsync(", "/s/ready>"]);
        position(&calls, directory, &["write(1<"]);
        assert!(calls[..renamed].iter().all(|call| !call.starts_with("write(1<")));
    }
    let Some(calls) = trace(&spool, "ipc spool take s -- true") else { return };
    let counted = position(&calls, 0, &["renameat", "/s/ready>"]);
    let synced = position(&calls, counted, &["fsync(", "/s/ready>"]);
    position(&calls, synced, &["execve("]);
    let Some(calls) = trace(&spool, "ipc spool take s -- false || true") else { return };
    let renamed = position(&calls, 0, &["renameat", "/s/failed>"]);
    position(&calls, renamed, &["fsync(", "/s/failed>"]);
}

/// The calls of a command line, each with its number among those of its name.
fn numbered(calls: &[String]) -> Vec<(String, u32)> {
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    let mut numbered = Vec::new();
    for call in calls {
        let Some((name, _)) = call.split_once('(') else { continue };
        if !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') || name.is_empty() {
            continue;
        }
        let count = counts.entry(name).or_insert(0);
        *count += 1;
        numbered.push((name.to_owned(), *count));
    }
    numbered
}

/// Kills a command line at each of its system calls, and calls `check` after each kill with the
/// output.
fn killed_everywhere(
    spool: &Spool,
    line: &str,
    prepare: impl Fn(&Spool),
    check: impl Fn(&Spool, &str, &str),
) {
    prepare(spool);
    let Some(calls) = trace(spool, line) else { return };
    let calls: Vec<String> =
        calls.into_iter().filter(|call| !call.contains("exited with")).collect();
    let start = calls.iter().position(|call| call.contains("\"s\"")).unwrap_or(0);
    let before: BTreeSet<(String, u32)> = numbered(&calls[..start]).into_iter().collect();
    for (index, (name, number)) in numbered(&calls).into_iter().enumerate() {
        if name == "execve" || before.contains(&(name.clone(), number)) {
            continue;
        }
        // Some of the calls, and all that change names, unless all are wanted.
        if rounds(0) == 0
            && index % 12 != 0
            && !["renameat", "unlinkat", "linkat"].contains(&&*name)
        {
            continue;
        }
        prepare(spool);
        let inject = format!("inject={name}:signal=KILL:when={number}");
        let traced = format!("exec strace -f -o /dev/null -e trace={name} -e {inject} {line}");
        let output = spool.sh(&traced).input("x\n").output();
        check(spool, &text(&output.stdout), &format!("{name} {number}"));
    }
}

#[test]
fn a_put_that_is_killed_at_any_call_has_put_the_message_whole_or_not_at_all() {
    let spool = Spool::new();
    for line in ["ipc spool put s", "ipc spool put --dedupe key s"] {
        killed_everywhere(
            &spool,
            line,
            |spool| {
                spool.run("take", &["--all", "--", "true"]).assert().success();
            },
            |spool, printed, at| {
                // A put of the same key finds the message or puts it.
                if line.contains("dedupe") {
                    spool.run("put", &["--dedupe", "key"]).input("x\n").assert().success();
                }
                let taken = spool.take("cat").succeeds();
                let expected: &[&str] = match () {
                    () if line.contains("dedupe") || !printed.is_empty() => &["x\n"],
                    () => &["x\n", ""],
                };
                assert!(expected.contains(&&*taken), "{line}: {at}: {taken:?}");
            },
        );
    }
}

#[test]
fn a_take_that_is_killed_at_any_call_loses_no_message() {
    let spool = Spool::new();
    let line = "ipc spool take -n s -- sh -c 'echo done >>log'";
    let log = spool.0.path().join("log");
    killed_everywhere(
        &spool,
        line,
        |spool| {
            spool.run("take", &["--all", "--", "true"]).assert().success();
            let _ = fs::remove_file(&log);
            spool.put(&["--name", "a"], "x");
        },
        |spool, _, at| {
            until("the claim has ended", || spool.counts()[2] == 0);
            let done = fs::read_to_string(&log).is_ok();
            // The injection may have killed COMMAND, which is a failure.
            let [ready, .., failed] = spool.counts();
            let left = ready + failed;
            assert!(left == 1 || done && left == 0, "{at}: {ready} {failed} {done}");
            spool.run("requeue", &["--failed"]).is(0, "", "");
            spool.run("take", &["--all", "--", "true"]).assert().success();
            let joined = code(&spool.run("join", &["-q", "a"]).output());
            assert_eq!(joined, 0, "{at}");
        },
    );
}

/// A producer of messages, which kills every eighth of its puts some milliseconds after it has begun.
const PRODUCER: &str = "for i in $(seq $1); do
    echo $0-$i | { exec ipc spool put s >/dev/null; } &
    if [ $((i % 8)) = 0 ]; then
        sleep 0.00$((i / 8 % 10))
        kill -KILL $! 2>/dev/null
    fi
    wait $! && echo $0-$i >>put-$0
done 2>/dev/null";

/// A COMMAND that records when it runs at the same time as another one for its message.
const COMMAND: &str =
    "read m; mkdir busy-$m || echo $m >>twice-at-once; echo $m >>done; rmdir busy-$m";

/// Producers and workers are killed at random; the test then counts what was put and done.
#[test]
fn a_storm_of_kills_loses_no_message() {
    let spool = Spool::new();
    let puts = rounds(200);
    let start = |name| spool.sh(PRODUCER).word(name).word(puts.to_string()).start();
    let mut producers = ["a", "b", "c"].map(start);
    let options = ["-f", "-q", "--jobs", "2", "--", "sh", "-c", COMMAND];
    let worker = || spool.run("take", &options).start();
    let mut workers = vec![worker(), worker()];
    let mut kills = 0;
    while producers.iter_mut().any(|producer| !producer.has_ended()) {
        pause(Duration::from_millis(40));
        // Its COMMANDs go on, and have its output.
        workers[0].signal(Signal::SIGKILL);
        workers.remove(0).finish();
        workers.push(worker());
        kills += 1;
    }
    // A put and a COMMAND take some milliseconds.
    let limit = HANG_TIMEOUT + Duration::from_millis(100) * puts;
    until_within(limit, "all are done", || spool.counts() == [0; 4]);
    for worker in workers {
        worker.signal(Signal::SIGTERM);
        worker.finish();
    }
    let lines = |name: &str| fs::read_to_string(spool.0.path().join(name)).unwrap_or_default();
    let done_text = lines("done");
    let done: BTreeSet<&str> = done_text.lines().collect();
    let put = ["put-a", "put-b", "put-c"].map(lines).concat();
    let lost: Vec<&str> = put.lines().filter(|message| !done.contains(message)).collect();
    assert!(lost.is_empty(), "{kills} kills: {lost:?}");
    assert!(put.lines().count() as u32 >= 2 * puts, "{}", put.lines().count());
    assert_eq!(lines("twice-at-once"), "");
    // Each kill of a worker interrupts two COMMANDs at most.
    let again = done_text.lines().count() - done.len();
    assert!(again <= 2 * kills, "{again} of {kills} kills");
    let (put, done) = (put.lines().count(), done.len());
    let line = format!("{put} puts reported, {done} done, {again} of them again, {kills} kills\n");
    let _ = std::io::stderr().write_all(line.as_bytes());
}

/// A file system of its own for the spool; `None` unless this is root.
fn on_small_tmpfs(spool: &Spool, size: &str, line: &str) -> Option<Run> {
    if !nix::unistd::Uid::effective().is_root() {
        skipped("only root mounts file systems");
        return None;
    }
    let mounted = format!("mkdir m && mount -t tmpfs -o size={size} tmpfs m && cd m && {line}");
    Some(spool.sh("exec unshare -m sh -c \"$0\"").word(mounted))
}

#[test]
fn a_full_disk_leaves_no_part_of_a_message() {
    let spool = Spool::new();
    let line =
        "ipc spool create s && head -c 1M /dev/zero | ipc spool put s; echo $?; ls s/tmp s/ready";
    let Some(run) = on_small_tmpfs(&spool, "256k", line) else { return };
    let output = run.output();
    assert_eq!(text(&output.stdout), "3\ns/ready:\n\ns/tmp:\n");
    let errors = text(&output.stderr);
    let expected = "ipc: spool put: s: No space left on device\nhint: 'df' shows the free space\n";
    assert_eq!(errors, expected);
}

#[test]
fn a_full_disk_does_not_keep_messages_from_being_taken() {
    let spool = Spool::new();
    let line = "ipc spool create s && printf '%s\\n' b a c | ipc spool put --each-line s >/dev/null
        head -c 1M /dev/zero >fill 2>/dev/null
        ipc spool take --all s -- sh -c 'cat; test $(cat {}) != b'; echo; ls s/ready
        ipc spool ls --failed --noheadings -o attempts,reason s";
    let Some(run) = on_small_tmpfs(&spool, "256k", line) else { return };
    let unrecorded = "No space left on device: it is not recorded how messages end, for 'join'";
    let failed = "sh ended with status 1; the message goes to failed/";
    run.is(0, "bac\n1  -\n", &[unrecorded, failed].map(|reason| error("take", reason)).concat());
}

#[test]
fn a_spool_that_cannot_be_written_to_is_reported() {
    let spool = Spool::new();
    let line = "ipc spool create s && echo hi | ipc spool put s >/dev/null && mount -o remount,ro m
        cd ..; cd m; ipc spool put s </dev/null; echo $?
        ipc spool take s -- cat; echo $?; ipc spool ls --noheadings -o state s";
    let line = line.replace("remount,ro m", "remount,ro \"$PWD\"");
    let Some(run) = on_small_tmpfs(&spool, "1m", &line) else { return };
    let output = run.output();
    assert_eq!(text(&output.stdout), "3\n125\nready\n");
    let reason = "Read-only file system";
    let expected = format!("ipc: spool put: s: {reason}\nipc: spool take: s: {reason}\n");
    assert_eq!(text(&output.stderr), expected);
}

#[test]
fn takers_in_two_pid_namespaces_exclude_each_other() {
    let spool = Spool::new();
    if !nix::unistd::Uid::effective().is_root() {
        skipped("only root makes PID namespaces");
        return;
    }
    let names: Vec<String> = (0..40).map(|n| n.to_string()).collect();
    spool.put(&["--each-line"], &names.join("\n"));
    let take = "ipc spool take --all --jobs 2 s -- sh -c 'mkdir busy-$IPC_SPOOL_NAME || echo twice; echo $(cat); sleep 0.01'";
    let takers = [(); 2].map(|()| {
        spool.sh("exec unshare --pid --fork --mount-proc sh -c \"$0\"").word(take).start()
    });
    let printed: String = takers.map(|taker| text(&taker.finish().stdout)).concat();
    let mut seen: Vec<&str> = printed.lines().collect();
    seen.sort_by_key(|line| line.parse::<u32>().ok());
    assert_eq!(seen, names);
}

/// The table of locks leaves out those of processes outside.
#[test]
fn a_claim_from_outside_of_a_pid_namespace_is_seen_in_it() {
    let spool = Spool::new();
    if !nix::unistd::Uid::effective().is_root() {
        skipped("only root makes PID namespaces");
        return;
    }
    for name in ["claimed", "waits"] {
        spool.put(&["--name", name], "");
    }
    let worker = spool.run("take", &["--", "sh", "-c", "exec sleep 60"]).start();
    until("COMMAND runs", || spool.counts()[2] == 1 && super::take::commands(&worker).len() == 1);
    let list = "ipc spool ls --noheadings -o name,state s; ipc spool stat s | grep claimed";
    let inside = spool.sh("exec unshare --pid --fork --mount-proc sh -c \"$0\"").word(list);
    inside.is(0, "claimed  claimed\nwaits    ready\nclaimed:     1\n", "");
    worker.signal(Signal::SIGTERM);
    assert_eq!(code(&worker.finish()), 143);
}

#[test]
fn changes_are_polled_for_where_inotify_does_not_work() {
    let spool = Spool::new();
    if trace(&spool, "true").is_none() {
        return;
    }
    let line = "exec strace -f -o /dev/null -e trace=inotify_init1 -e inject=inotify_init1:error=EMFILE \
                ipc spool take s -- cat";
    let taker = spool.sh(line).start();
    until("it waits", || crate::support::children(taker.pid()).len() == 1);
    pause(Duration::from_millis(300));
    spool.put(&[], "hi");
    assert_eq!(text(&taker.finish().stdout), "hi");
}

#[test]
fn users_share_a_spool_by_the_modes_of_its_directories() {
    let spool = Spool::new();
    spool.run("rm", &[]).is(0, "", "");
    fs::set_permissions(spool.0.path(), fs::Permissions::from_mode(0o755)).unwrap();
    spool.run("create", &["-m", "0666"]).is(0, "", "");
    let run = |words: &[&str]| Some(as_another_user(words)?.within(spool.0.path()));
    let Some(put) = run(&["spool", "put", "s"]) else { return };
    put.input("of nobody\n").assert().success();
    spool.put(&["--name", "of root"], "of root\n");
    let take = ["spool", "take", "--all", "s", "--", "cat"];
    run(&take).unwrap().is(0, "of nobody\nof root\n", "");
    // A message that only its owner may read stays, is reported once and skipped.
    spool.put(&["--name", "secret"], "secret");
    let file = spool.files("ready").remove(0);
    let secret = spool.path("ready").join(file);
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
    spool.put(&["--each-line"], "a\nb");
    let skipped = "ipc: spool take: s: secret: this user may not read it; it is skipped\n";
    run(&take).unwrap().is(0, "ab", skipped);
    spool.take("cat").is(0, "secret", "");
    spool.run("rm", &[]).is(0, "", "");
    spool.run("create", &[]).is(0, "", "");
    let denied = "ipc: spool put: s: Permission denied\n";
    run(&["spool", "put", "s"]).unwrap().is(6, "", denied);
}

#[test]
fn users_of_a_group_share_a_spool_of_the_group() {
    let spool = Spool::new();
    if !nix::unistd::Uid::effective().is_root() {
        skipped("only root becomes another user");
        return;
    }
    fs::set_permissions(spool.0.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let (_directory, copy) = copy_for_others();
    let parent = "install -d -m 2770 -g 4242 m && cd m && one spool create -m 0660 s";
    let change = "install -d -m 755 m && cd m && \"$0\" spool create -m 0660 s && chgrp -R 4242 s";
    for create in [parent, change] {
        let line = format!(
            "set -e; rm -rf m
            one() {{ setpriv --reuid 65533 --regid 65533 --groups 4242 \"$ipc\" \"$@\"; }}
            other() {{ setpriv --reuid 65534 --regid 65534 --groups 4242 \"$ipc\" \"$@\"; }}
            ipc=$0; {create}
            echo text | one spool put --name message s
            touch s/ready/foreign
            other spool take --log 1K s -- sh -c 'cat; echo why >&2; exit 3' || echo $?
            one spool ls --failed --noheadings -o name,status s
            one spool join s message || echo $?
            one spool stat --json s | grep -o '\"quarantined\": *[0-9]*'
            one spool requeue s message
            one spool take s -- cat"
        );
        let run = spool.sh("exec sh -c \"$0\" \"$1\" 2>errors").word(line).word(&copy);
        let printed = "message\ntext\n3\nmessage  3\n1\n\"quarantined\":1\ntext\n";
        run.is(0, printed, "");
    }
}

/// Waiting messages are drained in a time that is linear: the number of system calls shows it.
#[test]
fn a_spool_is_scanned_once_for_many_messages() {
    let spool = Spool::new();
    let count = |messages: usize| {
        spool.put(&["--each-line"], &"x\n".repeat(messages));
        let line = "ipc spool take --all s -- true";
        let calls = trace(&spool, line)?;
        Some(calls.iter().filter(|call| call.starts_with("getdents64(")).count())
    };
    let (Some(few), Some(many)) = (count(10), count(100)) else { return };
    assert!(many <= few + 2, "{few} {many}");
}

#[test]
fn few_descriptors_are_enough() {
    let spool = Spool::new();
    spool.put(&["--each-line"], "a\nb\nc");
    spool.sh("ulimit -n 28; ipc spool take --all s -- cat").is(0, "abc", "");
}
