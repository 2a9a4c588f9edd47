//! `ipc prune`. Each test has the IPC objects of a namespace of its own, so that it removes no others.

use std::path::Path;

use serde_json::Value;

use super::{dead_lock_file, serve};
use crate::peers::{self, Call, Stopped};
use crate::support::{
    Run, Running, as_another_user, code, ipc, script, sh, sleeps_in, text, until,
};

/// A line of shell on a machine without IPC objects; `$0` is a word that follows.
fn alone(line: &str) -> Option<Run> {
    if !peers::may_unshare(&["--mount", "--ipc"]) {
        return None;
    }
    let line = format!("mount -t tmpfs -o mode=1777 none /dev/shm || exit 99; {line}");
    Some(sh("exec unshare --mount --ipc sh -c \"$0\" \"$1\"").word(script(&line)))
}

/// The rows about a directory.
fn pruned(directory: &Path, options: &[&str]) -> Vec<(String, String, String)> {
    let run = ipc(&["prune", "-q", "--json", "-k", "sock", "-k", "lockfile"]).words(options);
    let output = run.word(directory).output();
    let rows: Vec<Value> = serde_json::from_slice(&output.stdout).expect("it is an array");
    let word = |row: &Value, key: &str| row[key].as_str().unwrap().to_owned();
    let file = |row: &Value| {
        let name = word(row, "name");
        Path::new(&name).file_name().unwrap().to_str().unwrap().to_owned()
    };
    rows.iter().map(|row| (word(row, "result"), file(row), word(row, "reason"))).collect()
}

#[test]
fn what_has_a_dead_owner_is_shown_and_removed() {
    let directory = tempfile::tempdir().unwrap();
    let lock = dead_lock_file(directory.path());
    let socket = directory.path().join("socket");
    drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
    let left_over = directory.path().join(".server.ipc.new");
    std::fs::create_dir(&left_over).unwrap();
    let live = directory.path().join("live");
    let _server = serve(&live);
    let kept = directory.path().join("live.lock");
    let owner = std::process::id().to_string();
    ipc(&["lock", "take", "--owner", &owner]).word(&kept).is(0, "", "");
    let expected = |result: &str| {
        [
            (".server.ipc.new", "temporary directory of a server that was killed"),
            ("socket", "socket path without a listener"),
            ("dead.lock", "lock file whose owner has ended"),
        ]
        .map(|(file, reason)| (result.to_owned(), file.to_owned(), reason.to_owned()))
    };
    assert_eq!(pruned(directory.path(), &["--dry-run"]), expected("would-remove"));
    assert!(lock.exists() && socket.exists() && left_over.exists());
    assert_eq!(pruned(directory.path(), &["--older-than", "1h"]), []);
    assert_eq!(pruned(directory.path(), &[]), expected("removed"));
    assert!(!lock.exists() && !socket.exists() && !left_over.exists());
    assert_eq!(pruned(directory.path(), &[]), []);
    assert!(live.exists() && kept.exists());
    ipc(&["sock", "wait", "-t", "10s"]).word(&live).is(0, "", "");
}

#[test]
fn permits_of_a_killed_command_return_to_their_semaphore() {
    let line = "ipc sem create /x --value 2
        ipc sem run /x -- sleep 600 & until_true eval '[ $(ipc sem value /x) = 1 ]'
        ipc prune -q -n --kind sem $0 | grep -c permit
        kill -9 $! $(cat /proc/$!/task/$!/children); wait $! 2>/dev/null
        ipc prune -q -n --kind sem $0 | tr -s ' ' | tail -n 1
        ipc prune -q --kind sem $0 | tr -s ' ' | tail -n 1
        ipc prune -q --kind sem $0; ipc sem value /x";
    let directory = tempfile::tempdir().unwrap();
    let Some(run) = alone(line) else { return };
    let shown = run.word(directory.path()).output();
    let expected = "0\nwould-reclaim sem root 1 permit of a command that has ended /x\n\
                    reclaimed sem root 1 permit of a command that has ended /x\n2\n";
    assert_eq!(text(&shown.stdout), expected, "{}", text(&shown.stderr));
}

#[test]
fn an_idle_object_is_removed_only_with_a_kind_and_an_age_and_while_no_process_uses_it() {
    const MAKE: &str = "ipc shm create /idle --size 9; ipc shm create /held --size 9
        ipc sem create /idle; ipc sem create /held; ipc mq create /idle; ipc mq create /held
        ipc queue create --capacity 4K /idleq; ipc queue create --capacity 4K /heldq
        ipc shm create sysv:1 --size 4; ipc sem create sysv:1; ipc mq create sysv:1
        exec 5</dev/shm/held 6</dev/shm/sem.held 7</dev/shm/heldq
        ipc mq recv /held & until ipc ls -q --kind mq --json | grep -q recv; do
        test \"$(ipc ls -q -k mq --filter name=/held --noheadings -o holders)\" != - && break; done
        left() { ipc ls -q -k shm -k sem -k mq -k queue --noheadings -o kind,name | tr -s ' ' | \
                 tr '\\n' ,; echo; }
        cd $0; ";
    const ALL: &str = "shm /held,shm /idle,shm sysv:0x00000001,sem /held,sem /idle,sem sysv:0x00000001,\
                       mq /held,mq /idle,mq sysv:0x00000001,queue /heldq,queue /idleq,";
    const HELD: &str = "shm /held,sem /held,mq /held,queue /heldq,";
    let directory = tempfile::tempdir().unwrap();
    let run = |line: &str| {
        let line = format!("{MAKE}{line}; left; kill $!");
        let output = alone(&line)?.word(directory.path()).output();
        Some((text(&output.stdout), text(&output.stderr)))
    };
    for line in ["ipc prune -q .", "ipc prune -q --older-than 0 .", "ipc prune -q -k shm -k sem ."]
    {
        let Some((left, said)) = run(line) else { return };
        assert_eq!(left, format!("{ALL}\n"), "{line}: {said}");
    }
    let all = "ipc prune -q -k shm -k sem -k mq -k queue . ";
    let Some((left, said)) = run(&format!("{all}--older-than 1h")) else { return };
    assert_eq!(left, format!("{ALL}\n"), "{said}");
    let Some((left, said)) = run(&format!("{all}--older-than 0 >&2")) else { return };
    assert_eq!(left, format!("{HELD}\n"), "{said}");
    let Some((left, said)) = run("ipc prune -q -k mq --older-than 0 -n . | grep -c would-remove")
    else {
        return;
    };
    assert_eq!(left, format!("2\n{ALL}\n"), "{said}");
}

/// A look reads the file of a queue, for which the kernel changes a time of it.
#[test]
fn a_look_at_an_idle_queue_does_not_make_it_younger() {
    let line = "mkdir $0/m; mount -t mqueue none $0/m; ipc mq create /idle; ipc mq create /used
        touch -d '2 hours ago' $0/m/idle $0/m/used; ipc mq send /used hello
        ipc ls -q -k mq >$0/out; ipc mq stat /idle >>$0/out
        ipc ls -q -k mq --filter 'age>=7000' --noheadings -o name
        ipc prune -q -k mq --older-than 1h $0 >&2; ipc ls -q -k mq --noheadings -o name; umount $0/m";
    let directory = tempfile::tempdir().unwrap();
    let Some(run) = alone(line) else { return };
    let output = run.word(directory.path()).output();
    assert_eq!(text(&output.stdout), "/idle\n/used\n", "{}", text(&output.stderr));
}

/// `ipc prune` of an idle segment of a machine of its own, which strace stops between two of the system calls
/// that are about that segment.
struct Pruning {
    run: Stopped,
}

/// How strace traces the calls of `ipc prune` that are about the segment, and no others.
const SEGMENT: &str = "printf data | ipc shm write /x; exec strace -qqP /dev/shm/x";
const PRUNE: &str = "ipc prune -q -k shm --older-than 0 $0";

impl Pruning {
    /// The calls about the segment: the look, and from the last open on the removal.
    fn calls(directory: &Path) -> Option<Vec<Call>> {
        if !peers::there("strace", &["-o", "/dev/null", "true"]) {
            return None;
        }
        let log = directory.join("log");
        let line = format!("{SEGMENT} -o {} {PRUNE}", log.display());
        alone(&line)?.word(directory).succeeds();
        Some(peers::calls_of(&std::fs::read_to_string(log).expect("strace wrote it")))
    }

    /// It is stopped after this call.
    fn stopped_after(call: &Call, directory: &Path) -> Option<Self> {
        let [trace, inject] = call.signaling("STOP");
        let line = format!("{SEGMENT} -o /dev/null -e {trace} -e {inject} {PRUNE}");
        Some(Self { run: Stopped::by(alone(&line)?.word(directory)) })
    }

    /// The segment, on the machine of `ipc prune`.
    fn segment(&self) -> std::path::PathBuf {
        format!("/proc/{}/root/dev/shm/x", self.run.pid()).into()
    }

    /// A process that opens the segment, and prints its contents and the number of its names after
    /// `ipc prune` has ended.
    fn opener(&self, directory: &Path) -> Running {
        let line = "exec 3<\"$0\"; until test -e \"$1/ended\"; do sleep 0.01; done
                    cat <&3; stat -Lc %h /proc/self/fd/3";
        sh(line).word(self.segment()).word(directory).start()
    }

    /// Continues it. Returns its result, and what the opener has.
    fn result(self, opener: Running, directory: &Path) -> (String, String) {
        let output = self.run.continue_to_end();
        std::fs::write(directory.join("ended"), "").expect("it can be written");
        let printed = text(&output.stdout);
        let result = printed.lines().last().and_then(|line| line.split_whitespace().next());
        (result.unwrap_or("nothing").to_owned(), text(&opener.finish().stdout))
    }
}

#[test]
fn a_process_that_opens_an_object_before_its_removal_keeps_it() {
    let directory = tempfile::tempdir().unwrap();
    let Some(calls) = Pruning::calls(directory.path()) else { return };
    let last = |word: &str| calls.iter().rposition(|call| call.line.contains(word));
    let [opened, leased, checked, unlinked] =
        ["open", "F_WRLCK) ", "F_GETLEASE", "unlink"].map(|word| last(word).expect(word));
    // No call is between the check of the lease and the removal.
    assert!(opened < leased && leased < checked && checked + 1 == unlinked, "{calls:?}");
    // Before the lease the other process opens it at once. From the lease on it waits until the lease is
    // given back, and 'ipc prune' sees that it waits, unless it has checked already: then the other process
    // gets an object without a name, as the manual says.
    for (index, call) in calls.iter().enumerate().take(unlinked) {
        let Some(pruning) = Pruning::stopped_after(call, directory.path()) else { return };
        let _ = std::fs::remove_file(directory.path().join("ended"));
        let opener = pruning.opener(directory.path());
        let waits = || sleeps_in(opener.pid(), "break_lease");
        // The loader of the shell has other files there.
        let third = || std::fs::read_link(format!("/proc/{}/fd/3", opener.pid()));
        let has_it = || third().is_ok_and(|path| path.ends_with("x"));
        until("it opens the segment, or waits", || has_it() || waits());
        assert_eq!(waits(), index >= leased, "{}", call.line);
        let result = pruning.result(opener, directory.path());
        // An object that is in use at the look is no candidate.
        let (expected, names) = match index {
            _ if index < opened => ("nothing", 1),
            _ if index == checked => ("removed", 0),
            _ => ("kept", 1),
        };
        assert_eq!(result, (expected.to_owned(), format!("data{names}\n")), "{}", call.line);
    }
}

#[test]
fn an_object_of_the_same_name_that_was_created_meanwhile_is_kept() {
    let directory = tempfile::tempdir().unwrap();
    let Some(calls) = Pruning::calls(directory.path()) else { return };
    let opened = calls.iter().rposition(|call| call.line.contains("open")).expect("it opens it");
    let looked = &calls[opened.checked_sub(1).expect("it looks before it opens")];
    let Some(pruning) = Pruning::stopped_after(looked, directory.path()) else { return };
    let segment = pruning.segment();
    // The directory outlives its machine.
    let directory = std::fs::File::open(segment.parent().unwrap()).unwrap();
    std::fs::remove_file(&segment).unwrap();
    std::fs::write(&segment, "other").unwrap();
    let output = pruning.run.continue_to_end();
    let printed = text(&output.stdout);
    assert!(printed.lines().last().is_some_and(|line| line.starts_with("kept ")), "{printed}");
    let path = format!("/proc/self/fd/{}/x", std::os::fd::AsRawFd::as_raw_fd(&directory));
    assert_eq!(std::fs::read_to_string(path).unwrap(), "other");
}

#[test]
fn a_mapping_alone_keeps_an_object() {
    let script = "import mmap, os, time; f = os.open('/dev/shm/x', os.O_RDWR); m = mmap.mmap(f, 9); \
                  os.close(f); time.sleep(600)";
    if peers::python("mmap", "", &[]).is_none() {
        return;
    }
    let line = format!(
        "ipc shm create /x --size 9; python3 -c \"{script}\" &
         until_true eval 'ipc ls -q -k shm | grep -q python'
         ipc prune -k shm --older-than 0 $0 2>/dev/null; kill $!; wait $! 2>/dev/null
         ipc prune -k shm --older-than 0 $0 2>/dev/null | tail -n 1 | cut -d ' ' -f 1"
    );
    let directory = tempfile::tempdir().unwrap();
    let Some(run) = alone(&line) else { return };
    assert_eq!(text(&run.word(directory.path()).output().stdout), "removed\n");
}

#[test]
fn a_private_segment_is_removed_when_its_creator_and_its_last_user_have_ended() {
    let line = "ipc shm create sysv:0 --size 9 >/dev/null; ipc shm create sysv:5 --size 9
                ipc prune -q $0 | tail -n 1 | cut -d ' ' -f 1; ipc ls -k shm --noheadings -o name";
    let directory = tempfile::tempdir().unwrap();
    let Some(run) = alone(line) else { return };
    let output = run.word(directory.path()).output();
    assert_eq!(text(&output.stdout), "removed\nsysv:0x00000005\n", "{}", text(&output.stderr));
}

#[test]
fn a_private_segment_is_kept_if_its_last_user_is_in_another_pid_namespace() {
    if !peers::may_unshare(&["--pid", "--fork", "--mount-proc"]) {
        return;
    }
    let inside =
        "ipc shm create sysv:0 --size 9 >/dev/null; ipc prune -qn $0 | grep -c would-remove
                  : >$0/made; until test -e $0/used; do sleep 0.01; done
                  ipc prune -qn $0 | grep -c would-remove";
    let line = format!(
        "unshare --pid --fork --mount-proc sh -c '{inside}' $0 &
         until test -e $0/made; do sleep 0.01; done
         ipc shm poke $(ipc ls -qk shm --noheadings -o name) --type u8 1
         : >$0/used; wait; ipc prune -qn $0 | grep -c would-remove"
    );
    let directory = tempfile::tempdir().unwrap();
    let Some(run) = alone(&line) else { return };
    let output = run.word(directory.path()).output();
    // All processes have ended, which can be seen from the namespace around it alone.
    assert_eq!(text(&output.stdout), "1\n0\n1\n", "{}", text(&output.stderr));
}

#[test]
fn a_set_is_kept_if_one_of_its_last_users_is_in_another_pid_namespace() {
    if !peers::may_unshare(&["--pid", "--fork", "--mount-proc"]) {
        return;
    }
    let count = "ipc prune -qn -k sem --older-than 0 $0 | grep -c would-remove";
    let line = format!(
        "ipc sem create sysv:5 --nsems 2 --value 0; ipc sem post sysv:5 --index 0
         unshare --pid --fork --mount-proc sh -c 'ipc sem post sysv:5 --index 1; {count}' $0; {count}"
    );
    let directory = tempfile::tempdir().unwrap();
    let Some(run) = alone(&line) else { return };
    let output = run.word(directory.path()).output();
    // Both have ended, which can be seen from the namespace around it alone.
    assert_eq!(text(&output.stdout), "0\n1\n", "{}", text(&output.stderr));
}

#[test]
fn objects_of_another_user_are_removed_only_for_that_user() {
    let line = "ipc shm create /x --size 9; ipc shm set /x --owner 54321
                ipc prune -q -k shm --older-than 0 $0; ipc ls -k shm --noheadings -o name
                ipc prune -q -k shm --older-than 0 --user 54321 $0 >/dev/null; ipc ls -k shm | grep -c x";
    let directory = tempfile::tempdir().unwrap();
    let Some(run) = alone(line) else { return };
    let output = run.word(directory.path()).output();
    assert_eq!(text(&output.stdout), "/x\n0\n", "{}", text(&output.stderr));
}

#[test]
fn a_file_that_only_looks_like_a_lock_file_is_kept() {
    let directory = tempfile::tempdir().unwrap();
    // A pidfile of a process that has ended, and a number that is none.
    for (name, contents) in [("pid", "4194303\n"), ("count", "42\n"), ("empty.lock", "")] {
        std::fs::write(directory.path().join(name), contents).unwrap();
    }
    assert_eq!(pruned(directory.path(), &[]), []);
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 3);
}

#[test]
fn queues_that_cannot_be_listed_do_not_matter_where_none_can_be_removed() {
    let directory = tempfile::tempdir().unwrap();
    let everybody = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(directory.path(), everybody).unwrap();
    let Some(run) = as_another_user(&["prune", "-n"]) else { return };
    run.word(directory.path()).is(0, "", "");
}

#[test]
fn another_user_removes_nothing_of_this_one() {
    let directory = tempfile::tempdir().unwrap();
    let everybody = std::os::unix::fs::PermissionsExt::from_mode(0o777);
    std::fs::set_permissions(directory.path(), everybody).unwrap();
    let lock = dead_lock_file(directory.path());
    let socket = directory.path().join("socket");
    drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
    for options in [&[][..], &["--user", "root"]] {
        let words = [&["prune", "-q", "-k", "sock", "-k", "lockfile"], options].concat();
        let Some(run) = as_another_user(&words) else { return };
        let output = run.word(directory.path()).output();
        assert!(!text(&output.stdout).contains("removed"), "{}", text(&output.stdout));
        assert!(lock.exists() && (socket.exists() || !options.is_empty()));
    }
}

#[test]
fn a_path_that_does_not_exist_is_an_error() {
    let output = ipc(&["prune", "-k", "lockfile", "/no/such/directory"]).output();
    let said = "ipc: prune: /no/such/directory: No such file or directory\n";
    assert_eq!((code(&output), text(&output.stderr)), (4, said.to_owned()));
}
