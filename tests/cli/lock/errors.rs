//! What is refused, and in which words.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::{hold, new_file};
use crate::support::{as_another_user, code, ipc, sh, text};

#[test]
fn a_read_only_file_system_and_too_many_locks_are_reported() {
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
fn a_range_that_is_none_is_a_usage_error() {
    for (range, reason) in [
        ("5", "not a range such as 0:10, 4K:512 or 100:"),
        ("1:9223372036854775807", "beyond the maximum offset of a file"),
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
        "ipc: lock run: --range: a flock locks the whole file\nhint: --kind ofd locks a range\n",
    );
}

#[test]
fn a_negative_timeout_is_a_usage_error() {
    let hint = "hint: try 'ipc lock run --help'\n";
    let reason = "not a duration such as 500ms, 1m 30s or 5";
    let said = format!("ipc: lock run: --timeout '-1': {reason}\n{hint}");
    ipc(&["lock", "run", "--timeout=-1", "x", "--", "true"]).is(2, "", &said);
    ipc(&["lock", "run", "-t", "-1", "x", "--", "true"]).is(2, "", &said);
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
        &format!("ipc: lock run: {fifo}: is a FIFO, which cannot be locked\n"),
    );
}

#[test]
fn a_file_that_cannot_be_opened_is_status_125() {
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
fn another_user_cannot_block_the_lock_but_sees_its_holder() {
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
fn a_deadlock_among_posix_ranges_is_reported_and_the_other_process_continues() {
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
         hint: each process would wait for the other: release one lock first\n"
    );
    assert_eq!(ends, [(0, String::new()), (125, said)]);
}

#[test]
fn a_file_system_that_needs_write_access_is_reported() {
    if !crate::peers::there("strace", &["--version"]) {
        return;
    }
    let (_directory, file) = new_file();
    let inject =
        "exec strace -qq -o /dev/null -e inject=flock:error=EBADF ipc lock run \"$0\" -- true";
    sh(inject).word(&file).is(
        125,
        "",
        &format!(
            "ipc: lock run: {file}: Bad file descriptor\n\
             hint: this file system, like NFS, needs write access for the lock, or read access with --shared\n"
        ),
    );
}
