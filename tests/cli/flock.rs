//! `flock`, called through a link of that name: the same as that of util-linux.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::support::{Run, binary, code, copy_for_others, ipc, text};

/// The one of util-linux, where the machine has it.
fn original() -> Option<PathBuf> {
    let path = PathBuf::from("/usr/bin/flock");
    let version = std::process::Command::new(&path).arg("--version").output().ok()?;
    text(&version.stdout).contains("util-linux").then_some(path)
}

/// A line of shell in a directory of its own, in which `flock` is this program and `held` is a
/// file that descriptor 7 has locked.
fn shell(program: &Path, line: &str) -> (TempDir, Run) {
    let links = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(program, links.path().join("flock")).unwrap();
    let prepare = "mkdir work work/directory; cd work; exec 7>held; flock 7";
    let paths = format!("{}:{}", links.path().display(), std::env::var("PATH").unwrap());
    let run = Run::new("bash", &["-c", &format!("{prepare}; {line}")])
        .within(links.path())
        .env("PATH", paths)
        .env("SHELL", "/bin/sh")
        .env("LC_ALL", "C.UTF-8");
    (links, run)
}

/// What a line said and did: status, stdout without what differs from run to run, stderr, and the
/// files it left with their modes.
type Outcome = (i32, String, String, Vec<(String, u32)>);

fn outcome(program: &Path, line: &str) -> Outcome {
    let (directory, run) = shell(program, line);
    let output = run.output();
    let mut files: Vec<_> = fs::read_dir(directory.path().join("work"))
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            let mode = entry.metadata().unwrap().permissions().mode();
            (entry.file_name().into_string().unwrap(), mode)
        })
        .collect();
    files.sort();
    let stdout = text(&output.stdout);
    let mut lines: Vec<String> = stdout
        .lines()
        .map(|line| match line.split_once("took ") {
            Some((before, _)) => format!("{before}took a while"),
            None => line.to_owned(),
        })
        .collect();
    // The original may write what it says behind what the command says.
    lines.sort();
    (code(&output), lines.join("\n"), text(&output.stderr), files)
}

#[track_caller]
fn is_as_the_original(lines: &[&str]) {
    let Some(original) = original() else { return };
    for line in lines {
        assert_eq!(outcome(&binary(), line), outcome(&original, line), "{line}");
    }
}

/// The same for what only newer versions than the installed one may have.
#[track_caller]
fn is(line: &str, status: i32, stdout: &str, stderr: &str) {
    shell(&binary(), line).1.is(status, stdout, stderr);
}

#[test]
fn it_runs_a_command_under_the_lock() {
    is_as_the_original(&[
        "flock new echo hi",
        "flock new sh -c 'exit 3'",
        "flock new -c 'echo $0 $#'",
        "flock new --command 'exit 4'",
        "SHELL= flock new -c 'echo $0'",
        "SHELL=/bin/bash flock new -c 'echo $0'",
        "flock -x new true -c",
        "flock directory echo hi",
        "umask 022; flock new true",
        "umask 077; flock new true",
        "flock new -- true",
        "flock -- new echo -n -x",
        "flock new bash -c 'kill -9 $$'",
        "flock new bash -c 'kill -37 $$'",
        "flock -F new sh -c 'echo hi; exit 5'",
        "flock --no-fork directory echo hi",
    ]);
}

#[test]
fn it_says_no_or_waits_no_longer_than_told() {
    is_as_the_original(&[
        "flock -n held true",
        "flock -nx held true",
        "flock -ns held true",
        "flock -nE 9 held true",
        "flock -nE0 held true",
        "flock -w 0 held true",
        "flock -w 0.01 held true",
        "flock -w .01 -E 77 held true",
        "flock --timeout=.01 --conflict-exit-code=78 held true",
        "flock --wait 0.01 held true",
        "flock --nonblock held true",
        "flock --nb held true",
        "flock --verbose -n held true",
        "flock --verbose -w 0 held true",
        "flock --verbose -w 0.01 held true",
        "flock --verb -s new echo hi",
        "flock --verbose 7",
        "flock -n -w 5 held true",
        "flock -w 1e1 -s new flock -s -w +5. new echo hi",
        "flock -w -1 new true",
        "flock -w inf new true",
    ]);
    // The original forgets what it has to say when it becomes the command.
    let said = "flock: getting lock took\nflock: executing echo\nhi\n";
    is("flock --verbose -F new echo hi | sed 's/ took .*/ took/'", 0, said, "");
}

#[test]
fn it_locks_a_descriptor_that_the_shell_has_open() {
    is_as_the_original(&[
        "exec 8>new; flock 8; echo $?; flock -n new true",
        "exec 8>new; flock -s 8; flock -ns new echo hi",
        "flock -u 7; flock -n held echo hi",
        "flock --unlock 7; flock -n held echo hi",
        "exec 8>held; flock -n 8",
        "flock ' 7'",
        "flock 99",
        "flock -- -1",
        "flock 7 echo hi; ls",
    ]);
}

#[test]
fn the_command_inherits_the_lock_unless_told_otherwise() {
    is_as_the_original(&[
        "flock new sh -c 'ls -l /proc/self/fd | grep -c new'",
        "flock -o new sh -c 'ls -l /proc/self/fd | grep -c new'",
        "flock -F new sh -c 'ls -l /proc/self/fd | grep -c new'",
        // What is left running in the background has the lock, or has not.
        "flock new sh -c 'exec sleep 5 >/dev/null & echo $! >pid'; flock -n new echo free; kill $(cat pid); rm pid",
        "flock -o new sh -c 'exec sleep 5 >/dev/null & echo $! >pid'; flock -n new echo free; kill $(cat pid); rm pid",
        "flock -o new flock -n new true",
    ]);
}

#[test]
fn what_is_wrong_is_told_in_the_same_words_with_the_same_status() {
    is_as_the_original(&[
        "flock",
        "flock -z",
        "flock --bogus",
        "flock --no",
        "flock --v",
        "flock --verbose=1",
        "flock -w",
        "flock --timeout",
        "flock -w abc new true",
        "flock -w 1s new true",
        "flock -w '' new true",
        "flock -E abc new true",
        "flock -E '' new true",
        "flock -E 256 new true",
        "flock -E -1 new true",
        "flock -F -o new true",
        "flock new",
        "flock 7x",
        "flock -u",
        "flock new -c",
        "flock new -c a b",
        "flock -c echo",
        "flock -99",
        "flock new /no/such",
        "flock new ./held",
        "flock new -F",
        "flock new -chi",
        "flock -F new /no/such",
        "flock no/such true",
        "flock '' true",
        "flock held/x true",
        "flock /proc/no-such true",
        "SHELL=/no/such flock new -c true",
        "flock -n $'a\\nb\\xff/x' true 2>&1 | od -c",
        "chmod 0 new; flock --version | grep -c '^flock'",
    ]);
}

#[test]
fn a_file_that_may_not_be_opened_or_made_has_its_own_statuses() {
    let other = "setpriv --reuid 65534 --regid 65534 --clear-groups";
    if !crate::peers::may_unshare(&["--mount"]) {
        return;
    }
    let (program, ipc) = copy_for_others();
    let copy = program.path().join("flock");
    fs::rename(ipc, &copy).unwrap();
    let line = format!(
        "chmod 755 .. .; touch new; chmod 0 new; {other} \"{0}\" new true; echo $?
         unshare -m sh -c 'mount -t tmpfs -o ro none directory && \"{0}\" directory/x true; echo $?'",
        copy.display()
    );
    is(
        &line,
        0,
        "66\n73\n",
        "flock: cannot open lock file new: Permission denied\n\
         flock: cannot open lock file directory/x: Read-only file system\n",
    );
}

#[test]
fn fcntl_locks_exclude_each_other_and_no_flock() {
    is("flock --fcntl held echo hi", 0, "hi\n", "");
    is("flock --fcntl new flock -n --fcntl new true", 1, "", "");
    is("flock --fcntl -s new flock -n --fcntl -s new echo hi", 0, "hi\n", "");
    is(
        "flock --start 0 --length 10 new flock -n --start 10 --length 10 new echo hi",
        0,
        "hi\n",
        "",
    );
    is("flock --start 0 --length 11 new flock -n --start 10 --length 10 new echo hi", 1, "", "");
    is("flock --length 10 new flock -n --start 9 new echo hi", 1, "", "");
    is("flock --start x new true", 64, "", "flock: invalid start value: 'x'\n");
}

#[test]
fn a_descriptor_option_takes_a_command_too() {
    is("exec 8>new; flock --fd 8 flock -n new true", 1, "", "");
    is("exec 8>new; flock --fd 8; flock -n new true", 1, "", "");
    is("flock --fd 99 true", 65, "", "flock: 99: Bad file descriptor\n");
    is("flock --fd x true", 64, "", "flock: bad file descriptor: 'x'\n");
}

#[test]
fn its_locks_and_those_of_the_original_exclude_each_other() {
    let Some(original) = original() else { return };
    let original = original.display();
    is(&format!("flock new {original} -n new true"), 1, "", "");
    is(&format!("{original} new flock -n new true"), 1, "", "");
}

#[test]
fn help_is_on_stdout_and_a_full_disk_is_noticed() {
    let (_directory, run) = shell(&binary(), "flock --help");
    assert!(run.succeeds().contains("flock [options] <file>|<directory> -c <command>"));
    is_as_the_original(&["flock --help >/dev/full", "flock -V >/dev/full"]);
    assert!(ipc(&["applets"]).succeeds().lines().any(|name| name == "flock"));
}
