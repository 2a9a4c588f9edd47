//! `ipc map`: it shares its verbs with `ipc shm`, whose tests cover them.

use std::fs;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::nouns::{Names, Noun, Wait};
use crate::peers;
use crate::shm;
use crate::support::{as_another_user, awkward, binary, code, ipc, sh, text, until};

pub const NOUN: Noun =
    Noun { name: "map", names: Names::Paths, create: &["--size", "8"], waits, commands: &[] };

fn waits() -> Vec<Wait> {
    let mut waits = shm::guarded("map", "m");
    waits.push(
        Wait::new(
            "ipc map create --size 8 m",
            "ipc map wait --type u32 --eq 7 m",
            "ipc map poke --type u32 m 7",
            "7\n",
        )
        .says("m: waiting until the number is 7"),
    );
    waits
}

#[test]
fn a_file_is_created_written_shown_and_removed() {
    let directory = tempfile::tempdir().unwrap();
    let run = |words: &[&str]| ipc(&[&["map"], words].concat()).within(directory.path());
    run(&["create", "f", "--size", "64", "-m", "0640"]).is(0, "", "");
    let status = fs::metadata(directory.path().join("f")).unwrap();
    assert_eq!((status.len(), status.permissions().mode() & 0o777), (64, 0o640));
    run(&["create", "f", "--size", "64"]).is(
        5,
        "",
        "ipc: map create: f: File exists\nhint: --exist-ok accepts an existing one\n",
    );
    run(&["poke", "f", "--type", "i32", "--offset", "60", "-7"]).is(0, "", "");
    run(&["add", "f", "--type", "i32", "--offset", "60", "8"]).is(0, "1\n", "");
    run(&["peek", "f", "--offset", "60"]).is(0, "1\n", "");
    run(&["write", "f", "--sync", "--truncate"]).input("abc").is(0, "", "");
    run(&["cat", "f"]).is(0, "abc", "");
    run(&["resize", "f", "5"]).is(0, "", "");
    assert_eq!(fs::read(directory.path().join("f")).unwrap(), b"abc\0\0");
    run(&["rm", "f"]).is(0, "", "");
    run(&["rm", "f"]).is(4, "", "ipc: map rm: f: No such file or directory\n");
}

#[test]
fn a_missing_file_appears_when_it_is_complete() {
    let directory = tempfile::tempdir().unwrap();
    let line = "{ printf half; ls; printf ' whole'; } | ipc map write f; ls; cat f";
    sh(line).within(directory.path()).is(0, "f\nhalf whole", "");
}

#[test]
fn a_waiter_on_a_file_is_woken() {
    let directory = tempfile::tempdir().unwrap();
    let run = |words: &[&str]| ipc(&[&["map"], words].concat()).within(directory.path());
    run(&["create", "f", "--size", "8"]).is(0, "", "");
    let wait = ["wait", "f", "--type", "i64", "--ne", "0", "--poll", "inf"];
    let waiter = run(&wait).start();
    waiter.wait_until_asleep();
    run(&["poke", "f", "--type", "i64", "-1"]).is(0, "", "");
    assert_eq!(text(&waiter.finish().stdout), "-1\n");
}

#[test]
fn a_directory_or_fifo_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("p");
    ipc(&["mkfifo"]).word(&path).is(0, "", "");
    for verb in ["cat", "stat", "rm", "sync"] {
        ipc(&["map", verb, "p"]).within(directory.path()).is(
            3,
            "",
            &format!("ipc: map {verb}: p: not a regular file\n"),
        );
    }
    assert!(fs::metadata(&path).unwrap().file_type().is_fifo());
}

#[test]
fn a_dangling_link_is_reported_and_neither_followed_nor_replaced() {
    let directory = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink("nowhere", directory.path().join("l")).unwrap();
    let run =
        |words: &[&str]| ipc(&["map", words[0], "l"]).words(&words[1..]).within(directory.path());
    let refusal = |verb| format!("ipc: map {verb}: l: a symbolic link that leads nowhere\n");
    run(&["write"]).input("x").is(3, "", &refusal("write"));
    run(&["cat"]).is(3, "", &refusal("cat"));
    run(&["create", "--size", "1"]).is(
        5,
        "",
        "ipc: map create: l: File exists\nhint: --exist-ok accepts an existing one\n",
    );
    run(&["create", "--size", "1", "-e"]).is(3, "", &refusal("create"));
    assert_eq!(names_in(directory.path()), ["l"]);
}

#[test]
fn create_finds_an_existing_file_in_a_read_only_directory() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("f");
    std::fs::write(&file, "12345678").unwrap();
    let open = |mode| std::fs::Permissions::from_mode(mode);
    std::fs::set_permissions(directory.path(), open(0o755)).unwrap();
    std::fs::set_permissions(&file, open(0o644)).unwrap();
    let file = file.to_str().unwrap();
    let Some(create) = as_another_user(&["map", "create", "-e", "--size", "8", file]) else {
        return;
    };
    create.is(0, "", "");
}

#[test]
fn sync_accepts_a_file_of_any_size() {
    let directory = tempfile::tempdir().unwrap();
    let run = |words: &[&str]| ipc(&[&["map"], words].concat()).within(directory.path());
    for size in ["0", "1", "10000"] {
        run(&["create", size, "--size", size]).is(0, "", "");
        run(&["sync", size]).is(0, "", "");
        run(&["sync", size, "--async"]).is(0, "", "");
        run(&["sync", size, "--invalidate"]).is(0, "", "");
    }
}

#[test]
fn sync_writes_the_size_and_the_name_too() {
    if !peers::there("strace", &["-o", "/dev/null", "true"]) {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    for line in ["printf x | $0 map write f --sync", "$0 map write f --sync --truncate </dev/null"]
    {
        let line = line.replace("$0", "strace -qqo log -e trace=fsync,fdatasync \"$0\"");
        sh(&line).word(binary()).within(directory.path()).is(0, "", "");
        let log = std::fs::read_to_string(directory.path().join("log")).unwrap();
        assert_eq!(log.lines().filter(|line| line.ends_with("= 0")).count(), 2, "{log}");
    }
}

#[test]
fn processes_whose_mappings_are_hidden_are_reported() {
    let path = std::env::temp_dir();
    let Some(ls) = as_another_user(&["map", "ls"]) else { return };
    let output = ls.within(&path).output();
    let stderr = text(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    assert!(
        stderr.starts_with("ipc: map ls: ") && stderr.ends_with(" could not be seen\n"),
        "{stderr}"
    );
    assert_eq!(stderr.lines().count(), 1);
    assert!(!text(&output.stdout).contains("could not be seen"));
}

#[test]
fn ls_lists_mapped_files_and_stat_shows_their_holders() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(awkward());
    ipc(&["map", "create", "--size", "8"]).word(&path).is(0, "", "");
    let wait = ipc(&["map", "wait", "--type", "u8", "--eq", "1"]).word(&path).start();
    wait.wait_until_asleep();
    let pid = wait.pid();
    until("the mapping is listed", || ipc(&["map", "ls", "--json"]).succeeds().contains("base64"));
    let stat = ipc(&["map", "stat", "--json"]).word(&path).succeeds();
    let json: serde_json::Value = serde_json::from_str(&stat).unwrap();
    assert_eq!(json["holders"][0]["pid"], pid);
    ipc(&["map", "poke", "--type", "u8"]).word(&path).word("1").is(0, "", "");
    assert!(wait.finish().status.success());
}

#[test]
fn huge_pages_for_files_are_those_of_a_hugetlbfs_or_a_tmpfs() {
    let directory = tempfile::tempdir().unwrap();
    ipc(&["map", "create", "f", "--size", "4M", "--huge"]).within(directory.path()).is(
        3,
        "",
        "ipc: map create: f: huge pages for files are those of a hugetlbfs or a tmpfs\n\
         hint: without --huge it has ordinary pages\n",
    );
    assert!(!directory.path().join("f").exists());
}

/// Options with which strace simulates a file system without O_TMPFILE.
const NO_UNNAMED: &str = "inject=open,openat:error=EOPNOTSUPP:when=1";

/// Options with which it simulates one without O_TMPFILE and without hard links.
const ONE_NAME: &str = "inject=linkat:error=EPERM";

/// `ipc map` with these words, for a file on such a file system.
fn on_poor_file_system(poor: &[&str], words: &[&str], file: &Path) -> Command {
    let mut command = Command::new("strace");
    command.args(["-fqqo", "/dev/null", "-e", "trace=open,openat,linkat"]);
    // Files that the program opens at its start are not counted.
    command.arg("-P").arg(file.parent().unwrap());
    if poor.contains(&ONE_NAME) {
        command.arg("-P").arg(file);
    }
    command.args(poor.iter().flat_map(|inject| ["-e", inject]));
    command.arg(binary()).arg("map").args(words).arg(file);
    command
}

fn names_in(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn a_file_system_without_unnamed_files_is_supported() {
    if !peers::there("strace", &["-o", "/dev/null", "true"]) {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("f");
    for poor in [&[NO_UNNAMED][..], &[NO_UNNAMED, ONE_NAME]] {
        let run = |words: &[&str]| on_poor_file_system(poor, words, &path).output().unwrap();
        assert_eq!(code(&run(&["create", "-m", "0640", "--size", "5"])), 0);
        assert_eq!(fs::read(&path).unwrap(), [0; 5]);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o640);
        assert_eq!(names_in(directory.path()), ["f"]);
        let refused = run(&["create", "--size", "6"]);
        let exists = format!(
            "ipc: map create: {}: File exists\nhint: --exist-ok accepts an existing one\n",
            path.display()
        );
        assert_eq!((code(&refused), text(&refused.stderr)), (5, exists));
        assert_eq!(fs::read(&path).unwrap(), [0; 5]);
        assert_eq!(names_in(directory.path()), ["f"]);
        fs::remove_file(&path).unwrap();
        assert_eq!(code(&run(&["create", "--size", "7E"])), 3);
        assert_eq!(names_in(directory.path()), [""; 0]);
    }
}

#[test]
fn a_temporary_name_is_removed_when_a_signal_ends_the_command() {
    if !peers::there("strace", &["-o", "/dev/null", "true"]) {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("f");
    let mut command = on_poor_file_system(&[NO_UNNAMED], &["write"], &path);
    let mut writer = command.stdin(Stdio::piped()).spawn().unwrap();
    until("it has a name", || names_in(directory.path()).len() == 1);
    // .ipc-PID-NUMBER
    let pid = names_in(directory.path())[0].split('-').nth(1).unwrap().parse().unwrap();
    kill(Pid::from_raw(pid), Signal::SIGTERM).unwrap();
    assert_eq!(writer.wait().unwrap().signal(), Some(Signal::SIGTERM as i32));
    assert_eq!(names_in(directory.path()), [""; 0]);
}
