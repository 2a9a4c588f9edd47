//! `ipc fifo` and `ipc mkfifo`.

mod tee;
mod write;

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};

use tempfile::TempDir;

use crate::nouns::{Names, Noun, Wait};
use crate::support::{Running, awkward, code, ipc, sh, text, until};

pub const NOUN: Noun =
    Noun { name: "fifo", names: Names::Paths, create: &[], waits, commands: &[] };

fn waits() -> Vec<Wait> {
    const FIFO: &str = "ipc mkfifo f";
    vec![
        Wait::new(FIFO, "ipc fifo cat f", "ipc fifo write f hi", "hi\n")
            .says("f: waiting for a writer"),
        Wait::new(FIFO, "ipc fifo write f hi", "ipc fifo cat f", "")
            .says("f: waiting for a reader"),
        Wait::new(FIFO, "ipc fifo tee f", "ipc fifo cat f", "").says("f: waiting for a reader"),
    ]
}

/// A directory with a FIFO `p` in it.
fn fifo() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    ipc(&["mkfifo", "p"]).within(directory.path()).is(0, "", "");
    directory
}

/// A reader of the FIFO that has opened it.
fn reader(directory: &TempDir, words: &[&str]) -> Running {
    let reader = ipc(&[&["fifo", "cat", "p"], words].concat()).within(directory.path()).start();
    reader.wait_until_asleep();
    reader
}

#[test]
fn create_ignores_the_umask() {
    let directory = tempfile::tempdir().unwrap();
    sh("umask 077; ipc fifo create a && ipc mkfifo -m a=rw b c")
        .within(directory.path())
        .is(0, "", "");
    for (name, mode) in [("a", 0o600), ("b", 0o666), ("c", 0o666)] {
        let status = fs::metadata(directory.path().join(name)).unwrap();
        assert!(status.file_type().is_fifo());
        assert_eq!(status.permissions().mode() & 0o7777, mode);
    }
}

#[test]
fn a_mode_with_more_than_permissions_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    for mode in ["4755", "+t"] {
        ipc(&["fifo", "create", "-m", mode, "p"]).within(directory.path()).is(
            2,
            "",
            &format!(
                "ipc: fifo create: --mode '{mode}': mode must specify only file permission bits\n\
                 hint: try 'ipc fifo create --help'\n"
            ),
        );
    }
}

#[test]
fn create_creates_the_others_if_one_exists() {
    let directory = fifo();
    fs::write(directory.path().join("f"), "").unwrap();
    let run = |words| ipc(words).within(directory.path());
    run(&["mkfifo", "p", "q"]).is(
        5,
        "",
        "ipc: mkfifo: p: File exists\nhint: --exist-ok accepts an existing one\n",
    );
    run(&["mkfifo", "-e", "p", "q"]).is(0, "", "");
    run(&["mkfifo", "-e", "f"]).is(3, "", "ipc: mkfifo: f: not a FIFO: a regular file\n");
}

#[test]
fn every_byte_arrives_unchanged() {
    let directory = fifo();
    let bytes: Vec<u8> = (0..2_000_003_u32).map(|i| (i / 7) as u8).collect();
    let reader = reader(&directory, &[]);
    ipc(&["fifo", "write", "p"]).within(directory.path()).input(bytes.clone()).is(0, "", "");
    let output = reader.finish();
    assert_eq!(code(&output), 0);
    assert!(output.stdout == bytes);
}

#[test]
fn messages_of_any_bytes_are_written_as_lines() {
    let directory = fifo();
    let reader = reader(&directory, &[]);
    ipc(&["fifo", "write", "p", "a b"]).word(awkward()).within(directory.path()).is(0, "", "");
    let expected = [b"a b\n", awkward().as_encoded_bytes(), b"\n"].concat();
    assert_eq!(reader.finish().stdout, expected);
}

#[test]
fn another_type_of_file_is_an_error_before_a_byte_is_moved() {
    let directory = fifo();
    fs::write(directory.path().join("f"), "mine").unwrap();
    for (path, what) in [("f", "a regular file"), (".", "a directory"), ("/dev/null", "a device")] {
        for verb in ["write", "cat", "stat", "rm"] {
            ipc(&["fifo", verb, path]).within(directory.path()).is(
                3,
                "",
                &format!("ipc: fifo {verb}: {path}: not a FIFO: {what}\n"),
            );
        }
    }
    assert_eq!(fs::read(directory.path().join("f")).unwrap(), b"mine");
    ipc(&["fifo", "write", "q", "x"]).within(directory.path()).is(
        4,
        "",
        "ipc: fifo write: q: No such file or directory\nhint: --create makes the FIFO\n",
    );
}

#[test]
fn a_link_to_a_fifo_is_followed_but_not_removed() {
    let directory = fifo();
    std::os::unix::fs::symlink("p", directory.path().join("l")).unwrap();
    let reader = reader(&directory, &[]);
    ipc(&["fifo", "write", "l", "x"]).within(directory.path()).is(0, "", "");
    assert_eq!(text(&reader.finish().stdout), "x\n");
    ipc(&["fifo", "rm", "l"]).within(directory.path()).is(
        3,
        "",
        "ipc: fifo rm: l: not a FIFO: a symbolic link\n",
    );
}

#[test]
fn without_a_reader_write_ends_with_the_status_of_its_option() {
    let directory = fifo();
    let run = |words| ipc(words).within(directory.path());
    run(&["fifo", "write", "-n", "p", "x"]).is(1, "", "");
    run(&["fifo", "write", "-nv", "p", "x"]).is(1, "", "ipc: fifo write: p: would block\n");
    run(&["fifo", "write", "-t0", "p", "x"]).is(124, "", "ipc: fifo write: p: timed out\n");
    run(&["fifo", "write", "-t50ms", "p", "x"]).is(124, "", "ipc: fifo write: p: timed out\n");
}

#[test]
fn after_a_timeout_the_position_of_a_file_is_behind_the_written_bytes() {
    let directory = fifo();
    let bytes: Vec<u8> = (0..4_000_003_u32).map(|i| (i / 7) as u8).collect();
    fs::write(directory.path().join("f"), &bytes).unwrap();
    sh("exec <f 9<>p; ipc fifo write -qt 50ms p; echo $?; cat >rest
        exec 8<p 9<&-; cat <&8 >first; [ -s first ] && cat first rest | cmp - f")
    .within(directory.path())
    .is(0, "124\n", "");
}

#[test]
fn without_a_writer_cat_ends_with_the_status_of_its_option() {
    let directory = fifo();
    let run = |words| ipc(words).within(directory.path());
    run(&["fifo", "cat", "-n", "p"]).is(1, "", "");
    run(&["fifo", "cat", "-t50ms", "p"]).is(124, "", "ipc: fifo cat: p: timed out\n");
}

#[test]
fn a_writer_that_has_written_nothing_is_told_from_none() {
    let directory = fifo();
    let _writer = sh("exec sleep 1000 9<>p").within(directory.path()).start();
    let path = directory.path().join("p");
    let stat = || ipc(&["fifo", "stat", "--json"]).word(&path).succeeds();
    until("the writer is there", || !stat().contains("\"writers\":[]"));
    let run = |words| ipc(words).within(directory.path());
    let there = "; a writer has it open, and has written nothing\n";
    run(&["fifo", "cat", "-n", "p"]).is(1, "", "");
    run(&["fifo", "cat", "-nv", "p"]).is(1, "", &format!("ipc: fifo cat: p: would block{there}"));
    let error = format!("ipc: fifo cat: p: timed out{there}");
    run(&["fifo", "cat", "-t50ms", "p"]).is(124, "", &error);
    let waits = "ipc: fifo cat: p: waiting for the writer to write\n";
    run(&["fifo", "cat", "-vt50ms", "p"]).is(124, "", &format!("{waits}{error}"));
}

#[test]
fn a_write_waits_for_a_reader() {
    let directory = fifo();
    let writer = ipc(&["fifo", "write", "-t60", "p", "x"]).within(directory.path()).start();
    writer.wait_until_asleep();
    ipc(&["fifo", "cat", "p"]).within(directory.path()).is(0, "x\n", "");
    assert_eq!(code(&writer.finish()), 0);
}

#[test]
fn a_wait_for_room_ends_at_the_timeout() {
    let directory = fifo();
    // A reader that does not read.
    let line = "exec 3<>p; yes | ipc fifo write -t 50ms p";
    sh(line).within(directory.path()).is(124, "", "ipc: fifo write: p: timed out\n");
    let line = "exec 3<>p; yes | ipc fifo write -n p";
    sh(line).within(directory.path()).is(1, "", "");
}

#[test]
fn the_timeout_does_not_limit_waits_for_stdin() {
    let directory = fifo();
    let reader = reader(&directory, &[]);
    let line = "{ echo a; sleep 0.3; echo b; } | ipc fifo write -t 100ms p";
    sh(line).within(directory.path()).is(0, "", "");
    assert_eq!(text(&reader.finish().stdout), "a\nb\n");
}

#[test]
fn a_reader_that_left_is_an_error_with_a_message() {
    let directory = fifo();
    let reader = reader(&directory, &["--count", "2"]);
    let writer = sh("yes | ipc fifo write p").within(directory.path()).output();
    assert_eq!(code(&writer), 3);
    assert_eq!(text(&writer.stderr), "ipc: fifo write: p: the reader has left: Broken pipe\n");
    assert_eq!(text(&reader.finish().stdout), "y\n");
}

#[test]
fn a_reader_of_stdout_that_left_ends_cat_without_a_message() {
    let directory = fifo();
    let line = "{ ipc fifo cat p; echo $? >&2; } | head -c 2 & yes 2>/dev/null > p; wait";
    sh(line).within(directory.path()).is(0, "y\n", "141\n");
}

#[test]
fn with_keep_open_cat_waits_for_the_next_writer() {
    let directory = fifo();
    let reader = reader(&directory, &["--keep-open", "--count", "11"]);
    for message in ["one", "two"] {
        ipc(&["fifo", "write", "p", message]).within(directory.path()).is(0, "", "");
        reader.wait_until_asleep();
    }
    ipc(&["fifo", "write", "p", "drei"]).within(directory.path()).is(0, "", "");
    assert_eq!(text(&reader.finish().stdout), "one\ntwo\ndre");
}

#[test]
fn write_can_create_the_fifo() {
    let directory = tempfile::tempdir().unwrap();
    let line = "ipc fifo write --create -m a=rw -t0 p x; ipc fifo write --create -nt p x";
    let stderr = text(&sh(line).within(directory.path()).output().stderr);
    assert!(stderr.starts_with("ipc: fifo write: p: timed out\n"), "{stderr}");
    let status = fs::metadata(directory.path().join("p")).unwrap();
    assert_eq!(status.permissions().mode() & 0o777, 0o666);
}

#[test]
fn stat_shows_the_contents_the_readers_and_the_writers() {
    let directory = fifo();
    let path = directory.path().join("p");
    ipc(&["fifo", "stat", "--json"]).word(&path).succeeds();
    let mut end = fs::OpenOptions::new().read(true).write(true).open(&path).unwrap();
    end.write_all(b"abc").unwrap();
    let json: serde_json::Value =
        serde_json::from_str(&ipc(&["fifo", "stat", "--json"]).word(&path).succeeds()).unwrap();
    assert_eq!(json["waiting"], 3);
    assert_eq!(json["capacity"], 65536);
    assert_eq!(json["readers"][0]["pid"], std::process::id());
    assert_eq!(json["writers"][0]["pid"], std::process::id());
    let mut bytes = [0; 3];
    end.read_exact(&mut bytes).unwrap();
    assert_eq!(&bytes, b"abc");
}

#[test]
fn stat_is_not_seen_as_a_reader_or_writer() {
    let directory = fifo();
    let mut writer = sh("echo x > p").within(directory.path()).start();
    writer.wait_until_asleep();
    ipc(&["fifo", "stat", "p"]).within(directory.path()).succeeds();
    assert!(!writer.has_ended());
    ipc(&["fifo", "cat", "p"]).within(directory.path()).is(0, "x\n", "");
}

#[test]
fn ls_lists_only_fifos() {
    let directory = fifo();
    fs::write(directory.path().join("f"), "").unwrap();
    let list = ipc(&["fifo", "ls"]).within(directory.path()).succeeds();
    assert_eq!(list.lines().count(), 2, "{list}");
    assert!(list.lines().nth(1).unwrap().starts_with("p     0600"), "{list}");
    let json = ipc(&["fifo", "ls", "--json"]).word(directory.path()).succeeds();
    let path = directory.path().join("p");
    assert!(json.contains(&format!("\"path\":\"{}\"", path.display())), "{json}");
}

#[test]
fn rm_removes_the_others_if_one_fails() {
    let directory = fifo();
    ipc(&["fifo", "rm", "q", "p"]).within(directory.path()).is(
        4,
        "",
        "ipc: fifo rm: q: No such file or directory\n",
    );
    ipc(&["fifo", "rm", "-f", "p"]).within(directory.path()).is(0, "", "");
    until("the FIFO is gone", || !directory.path().join("p").exists());
}

#[test]
fn no_bytes_are_read_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let line = "ipc fifo create f && ipc fifo cat --count 0 f && ipc fifo cat -k --count 0 f";
    sh(line).within(directory.path()).is(0, "", "");
    sh("ipc fifo cat --count 0 none 2>&1 | head -n 1").within(directory.path()).is(
        0,
        "ipc: fifo cat: none: No such file or directory\n",
        "",
    );
}
