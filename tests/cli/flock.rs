//! `flock`, called through a link of that name: the same as that of util-linux.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::support::{Run, binary, code, copy_for_others, ipc, text};

/// The one of util-linux, where the machine has it, or that which `IPC_FLOCK` names.
fn original() -> Option<PathBuf> {
    let path = std::env::var_os("IPC_FLOCK").map_or_else(|| "/usr/bin/flock".into(), PathBuf::from);
    let version = std::process::Command::new(&path).arg("--version").output().ok()?;
    text(&version.stdout).contains("util-linux").then_some(path)
}

/// A line of shell in a directory of its own, in which `flock` is this program and `held` is a
/// file that descriptor 7 has locked.
fn shell(program: &Path, line: &str) -> (TempDir, Run) {
    shell_of("bash", program, line)
}

/// The same of another shell than bash.
fn shell_of(interpreter: &str, program: &Path, line: &str) -> (TempDir, Run) {
    let links = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(program, links.path().join("flock")).unwrap();
    let prepare = "mkdir work work/directory; cd work; exec 7>held; flock 7";
    let paths = format!("{}:{}", links.path().display(), std::env::var("PATH").unwrap());
    let run = Run::new(interpreter, &["-c", &format!("{prepare}; {line}")])
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
fn it_fails_at_once_or_at_the_timeout() {
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
        "flock 7 echo hi; ls",
    ]);
}

#[test]
fn scripts_use_it_in_bash_and_dash() {
    for (line, out) in [
        // A critical section, which another process finds locked.
        ("( flock -n 9 || exit 1; echo in; flock -n new true || echo busy ) 9>new", "in\nbusy\n"),
        ("( flock -n 9 || exit 3; echo never ) 9>held; echo $?", "3\n"),
        // Readers together, and no writer beside them.
        (
            "( flock -s 6; flock -sn new echo reader; flock -xn new echo writer; echo $? ) 6>new",
            "reader\n1\n",
        ),
        ("exec 6>new; flock -x 6; flock -sn new echo reader; flock -u 6; flock -sn new echo free", "free\n"),
        ("flock directory flock -n directory echo never; echo $?", "1\n"),
        // A script that locks itself.
        (
            "echo '[ \"$LOCKER\" != \"$0\" ] && exec env LOCKER=\"$0\" flock -en \"$0\" \"$0\" \"$@\" || :
                echo \"$1\"; flock -n \"$0\" true || echo locked' >script; chmod +x script; ./script word",
            "word\nlocked\n",
        ),
    ] {
        for interpreter in ["bash", "dash"] {
            if crate::peers::there(interpreter, &["-c", ":"]) {
                shell_of(interpreter, &binary(), line).1.is(0, out, "");
            }
        }
    }
    // Other shells know descriptors of one digit only.
    is(
        "( flock -s 200; flock -sn new echo reader; flock -n new true; echo $? ) 200>new",
        0,
        "reader\n1\n",
        "",
    );
}

#[test]
fn the_command_inherits_the_lock_unless_closed() {
    is_as_the_original(&[
        "flock new sh -c 'ls -l /proc/self/fd | grep -c new'",
        "flock -o new sh -c 'ls -l /proc/self/fd | grep -c new'",
        "flock -F new sh -c 'ls -l /proc/self/fd | grep -c new'",
        // What is left running in the background has the lock, or has not.
        "flock new sh -c 'exec sleep 5 >/dev/null & echo $! >pid'; flock -n new echo free; kill $(cat pid); rm pid",
        "flock -o new sh -c 'exec sleep 5 >/dev/null & echo $! >pid'; flock -n new echo free; kill $(cat pid); rm pid",
        "flock -o new flock -n new true",
        // Signals have the effect on it that they had on the caller.
        "flock new bash -c 'kill -PIPE $$; echo alive'",
        "flock new bash -c 'kill -XFSZ $$; echo alive'",
        "flock -F new bash -c 'kill -PIPE $$; echo alive'",
        "trap '' PIPE XFSZ INT; flock new bash -c 'for s in PIPE XFSZ INT; do kill -$s $$; done; echo alive'",
        "trap '' PIPE XFSZ INT; flock -F new bash -c 'for s in PIPE XFSZ INT; do kill -$s $$; done; echo alive'",
        "trap '' CHLD; flock new bash -c 'exit 7'",
        "echo 'echo $0 $1' >script; chmod +x script; flock new ./script word",
    ]);
}

#[test]
fn errors_have_the_words_and_statuses_of_util_linux() {
    is_as_the_original(&[
        "flock",
        "flock -F -o new true",
        "flock new -c",
        "flock new -c a b",
        "flock new --command",
        "flock new --command a b",
        "flock 2147483648 true; rm 2147483648",
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
fn a_file_is_opened_for_both_where_a_server_wants_that() {
    if !crate::peers::there("strace", &["--version"]) {
        return;
    }
    let inject = |options: &str| format!("strace -qqo /dev/null -e inject=flock:error={options}");
    let refused = inject("EBADF:when=1");
    let look = "sh -c 'grep -hs flags /proc/self/fdinfo/* | grep -c 0100002'";
    is_as_the_original(&[
        &format!("{refused} flock new {look}"),
        &format!("{refused} flock -s new {look}"),
        &format!("{} flock new true", inject("ENOLCK")),
        &format!("{} flock new true", inject("EINTR:when=1..3")),
    ]);
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
    let line = "flock --start 4K --length 1KiB new sh -c 'cat /proc/self/fdinfo/* 2>/dev/null | grep -c \"4096 5119\"'";
    is(line, 0, "1\n", "");
    // An exclusive one wants the file open for writing, and for no more.
    let line = "flock --fcntl new sh -c 'for n in /proc/$$/fd/*; do case $(readlink $n) in
        */new) grep -o 010000. /proc/$$/fdinfo/${n##*/};; esac; done'";
    is(line, 0, "0100001\n", "");
    is("flock --fcntl -s directory echo hi", 0, "hi\n", "");
    let said = "flock: directory: Bad file descriptor\n";
    is("flock --fcntl directory echo hi", 65, "", said);
}

#[test]
fn a_descriptor_option_takes_a_command() {
    is("exec 8>new; flock --fd 8 flock -n new true", 1, "", "");
    is("exec 8>new; flock --fd 8 -c 'flock -n new true'", 1, "", "");
    is("exec 8>new; flock --fd 8 --command 'flock -n --fd 8 -c \"echo in\"'", 0, "in\n", "");
    is("exec 8>new; flock --fd 8 -cx 'echo in'", 64, "", &unrecognized("8"));
    let closed = "flock: 8: Bad file descriptor\n";
    is("exec 8>new; flock -o --fd 8 --command 'flock -n --fd 8 true'", 65, "", closed);
}

#[test]
fn a_closed_standard_descriptor_is_not_open() {
    is_as_the_original(&[
        "flock 0 <&-",
        "flock -u 1 >&-",
        "flock -n 0 <held",
        "flock new true <&-",
    ]);
    is("flock --fd 0 true <&-", 65, "", "flock: 0: Bad file descriptor\n");
}

const TRY: &str = "Try 'flock --help' for more information.\n";

fn unrecognized(word: &str) -> String {
    format!("flock: unrecognized option '{word}'\n{TRY}")
}

/// What util-linux 2.43-devel does (sys-utils/flock.c and lib/strutils.c of its commit
/// 39465c780eed, 2026-08-20), which older versions do otherwise: a line, its status and what it says
/// on stderr, without the name of the program.
const OF_2_43: &[(&str, i32, &str)] = &[
    // -c is an option only behind --fd, and the last one.
    ("flock --fd 7 -c 'echo in'", 0, ""),
    ("flock --fd 7 -c -n 'echo in'", 0, ""),
    ("flock --fd 7 -c -- 'echo in'", 0, ""),
    ("flock -c --fd 7 'echo in'", 0, ""),
    ("flock -c 'echo in' new", 64, "-c requires exactly one command argument"),
    ("flock -c", 64, "-c requires exactly one command argument"),
    ("flock --fd 7 -c", 64, "-c requires exactly one command argument"),
    ("flock --fd 7 -c -n", 64, "-n requires exactly one command argument"),
    ("flock --fd 7 -c --", 64, "-- requires exactly one command argument"),
    ("flock --fd 7 --command a b", 64, "--command requires exactly one command argument"),
    ("flock -c 'echo in'", 64, "missing file descriptor, file or directory"),
    ("flock new -c", 64, "-c requires exactly one command argument"),
    ("flock new --command a b", 64, "--command requires exactly one command argument"),
    ("flock --fd 7", 64, "missing command"),
    ("flock --fd 7 new -c true", 69, "failed to execute new: No such file or directory"),
    ("flock --fd -1 true", 64, "missing file descriptor, file or directory"),
    ("flock --fd x true", 64, "invalid file descriptor: 'x'"),
    ("flock --fd 99 true", 65, "99: Bad file descriptor"),
    ("flock -w -1 99", 71, "cannot set up timer: Invalid argument"),
    ("flock", 64, "not enough arguments\nTRY"),
    ("flock -u", 64, "missing file descriptor, file or directory"),
    ("flock -- -1", 64, "missing file descriptor, file or directory"),
    ("flock new", 64, "invalid file descriptor: 'new'"),
    ("flock 7x", 64, "invalid file descriptor: '7x'"),
    ("flock 99999999999", 64, "invalid file descriptor: '99999999999': RANGE"),
    ("flock 99999999999999999999x", 64, "invalid file descriptor: '99999999999999999999x': RANGE"),
    // What is no option.
    ("flock -z", 64, "unrecognized option '-z'\nTRY"),
    ("flock -nz", 64, "unrecognized option '-nz'\nTRY"),
    ("flock -zn", 64, "unrecognized option 'flock'\nTRY"),
    ("flock -99", 64, "unrecognized option 'flock'\nTRY"),
    ("flock --bogus", 64, "unrecognized option '--bogus'\nTRY"),
    ("flock --comm true", 64, "unrecognized option '--comm'\nTRY"),
    ("flock --no", 64, "unrecognized option '--no'\nTRY"),
    ("flock --v", 64, "unrecognized option '--v'\nTRY"),
    ("flock --verbose=1", 64, "unrecognized option '--verbose=1'\nTRY"),
    ("flock -w", 64, "option '-w' requires an argument\nTRY"),
    ("flock -nw", 64, "option '-nw' requires an argument\nTRY"),
    ("flock --timeout", 64, "option '--timeout' requires an argument\nTRY"),
    // Numbers.
    ("flock -w 0x10 new true", 0, ""),
    ("flock -w 0x1p-9 held true", 1, ""),
    ("flock -w -0.0000001 held true", 1, ""),
    ("flock -w 0.0000001 --verbose held true", 1, "failed to get lock"),
    ("flock -n -w -1 new true", 71, "cannot set up timer: Invalid argument"),
    ("flock -w nan new true", 71, "cannot set up timer: Invalid argument"),
    ("flock -w abc new true", 64, "invalid timeout: 'abc'"),
    ("flock -w 1s new true", 64, "invalid timeout: '1s'"),
    ("flock -w '' new true", 64, "invalid timeout: ''"),
    ("flock -w 1e9999 new true", 64, "invalid timeout: '1e9999': RANGE"),
    ("flock -E ' 9' -n held true", 9, ""),
    ("flock -E abc new true", 64, "invalid exit code (allowed values: 0-255): 'abc'"),
    ("flock -E '' new true", 64, "invalid exit code (allowed values: 0-255): ''"),
    ("flock -E 256 new true", 64, "invalid exit code (allowed values: 0-255): '256': RANGE"),
    ("flock -E -1 new true", 64, "invalid exit code (allowed values: 0-255): '-1': RANGE"),
    ("flock -E -1x new true", 64, "invalid exit code (allowed values: 0-255): '-1x': RANGE"),
    ("flock --start 1.5K new sh -c 'grep -qs \" 1536 EOF\" /proc/self/fdinfo/*'", 0, ""),
    ("flock --start 010 new sh -c 'grep -qs \" 8 EOF\" /proc/self/fdinfo/*'", 0, ""),
    ("flock --start x new true", 64, "invalid as start offset: 'x': Invalid argument"),
    ("flock --start -5 new true", 64, "invalid as start offset: '-5': Invalid argument"),
    ("flock --start 1Z new true", 64, "invalid as start offset: '1Z': RANGE"),
    ("flock --length '' new true", 64, "invalid as length of lock range: '': Invalid argument"),
    ("flock --length 8E new true", 65, "new: Invalid argument"),
];

#[test]
fn differences_between_versions_are_as_in_util_linux_2_43() {
    // A newer original than the machine has can be named by IPC_FLOCK, to hold this to it.
    let named = std::env::var_os("IPC_FLOCK").map(PathBuf::from);
    for program in named.into_iter().chain([binary()]) {
        for &(line, status, said) in OF_2_43 {
            let said = said.replace("TRY", TRY.trim_end());
            let said = said.replace("RANGE", "Numerical result out of range");
            let said = if said.is_empty() { said } else { format!("flock: {said}\n") };
            let (_directory, run) = shell(&program, line);
            let output = run.output();
            let seen = (code(&output), text(&output.stderr));
            assert_eq!(seen, (status, said), "{line}");
        }
    }
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
