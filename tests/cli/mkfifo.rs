//! `mkfifo`, called through a link with that name: compared with GNU mkfifo.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::support::{Run, binary, code, ipc, text};

/// GNU mkfifo, where the machine has it.
fn original() -> Option<PathBuf> {
    let path = PathBuf::from("/usr/bin/mkfifo");
    let version = std::process::Command::new(&path).arg("--version").output().ok()?;
    text(&version.stdout).contains("GNU coreutils").then_some(path)
}

/// The outcome of a run: status, stdout, stderr, and the names and modes of the files.
type Outcome = (i32, String, String, Vec<(Vec<u8>, u32)>);

/// Runs a program by the name `mkfifo` in a directory of its own, in which `taken` is a file.
fn outcome(program: &Path, words: &[&OsStr], umask: &str, locale: &str) -> Outcome {
    let (links, work) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    std::os::unix::fs::symlink(program, links.path().join("mkfifo")).unwrap();
    fs::write(work.path().join("taken"), "").unwrap();
    let line = format!("umask {umask}; exec -a mkfifo \"$0\" \"$@\"");
    let mut run = Run::new("bash", &["-c", &line]).word(links.path().join("mkfifo"));
    for word in words {
        run = run.word(word);
    }
    let output = run.within(work.path()).env("LC_ALL", locale).output();
    let mut files: Vec<_> = fs::read_dir(work.path())
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            let mode = entry.metadata().unwrap().permissions().mode();
            (entry.file_name().as_bytes().to_vec(), mode)
        })
        .collect();
    files.sort();
    (code(&output), text(&output.stdout), text(&output.stderr), files)
}

#[track_caller]
fn is_as_the_original(lines: &[&[&[u8]]]) {
    let Some(original) = original() else { return };
    for words in lines {
        let words: Vec<&OsStr> = words.iter().map(|word| OsStr::from_bytes(word)).collect();
        for (umask, locale) in [("022", "C.UTF-8"), ("077", "C")] {
            let seen = outcome(&binary(), &words, umask, locale);
            assert_eq!(seen, outcome(&original, &words, umask, locale), "{words:?} {umask}");
        }
    }
}

#[test]
fn it_creates_the_files_of_the_original() {
    is_as_the_original(&[
        &[b"p"],
        &[b"p", b"q", b"--", b"-r"],
        &[b"-m", b"600", b"p"],
        &[b"-m600", b"-m", b"a=rw", b"p"],
        &[b"p", b"--mode=0"],
        &[b"--mod", b"u=rwx,g=u,o-r", b"p"],
        &[b"-m", b"+x", b"p"],
        &[b"-m", b"=", b"p"],
        &[b"-m", b"=640", b"p"],
        &[b"-m", b"go=", b"p"],
        &[b"-m", b"a+X", b"p"],
        &[b"-m", b"u+t", b"p"],
        &[b"-Z", b"p"],
        &[b"--context", b"p"],
        &[b"--context=foo", b"p"],
        &[b"-"],
        &[b"\xff \xc3\xa4\n"],
    ]);
}

#[test]
fn it_has_the_errors_of_the_original() {
    is_as_the_original(&[
        &[],
        &[b"--"],
        &[b""],
        &[b"taken"],
        &[b"taken", b"p"],
        &[b"no/p", b"taken"],
        &[b"-m", b"rw", b"p"],
        &[b"-m", b"", b"p"],
        &[b"-m", b"8", b"p"],
        &[b"-m", b"77777", b"p"],
        &[b"-m", b"1777", b"p"],
        &[b"-m", b"u+s", b"p"],
        &[b"-m", b"\xff", b"p"],
        &[b"-m"],
        &[b"--mode"],
        &[b"-x"],
        &[b"-Zx", b"p"],
        &[b"--unknown=3", b"p"],
        &[b"--=x"],
        &[b"--help=x"],
        &[b"--ver="],
    ]);
}

#[test]
fn it_quotes_names_as_the_original_does() {
    is_as_the_original(&[
        &[b"a\nb/c"],
        &[b"a\n/c\n"],
        &[b"it's/x"],
        &[b"a\"b'/x"],
        &[b"'#/x"],
        &[b"#'/x"],
        &[b"'~/{}/x"],
        &[b"a'\\/x"],
        &[b"a'\xc3\xa4/x"],
        &[b"\xc3\xa4/x"],
        &[b"\xc3/x"],
        &[b"a\x01'b/x"],
        &[b"a\t\x1b\x7f\x07\x08\x0b\x0c\r/x"],
        &[b"$(x)`y`!/x"],
    ]);
}

#[test]
fn help_and_version_go_to_stdout_and_a_full_one_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    ipc(&["applets", "--install"]).word(directory.path()).words(&["mkfifo"]).is(0, "", "");
    let mkfifo = directory.path().join("mkfifo");
    assert!(Run::new(&mkfifo, &["--help", "--bogus"]).succeeds().starts_with("Usage: "));
    assert!(Run::new(&mkfifo, &["--vers"]).succeeds().starts_with("mkfifo (ipc) "));
    let line = "cd \"$0\" && ./mkfifo --version > /dev/full";
    Run::new("sh", &["-c", line]).word(directory.path()).is(
        1,
        "",
        "./mkfifo: write error: No space left on device\n",
    );
}
