//! `ipc lock`.

mod descriptor;
mod errors;
mod file;
mod look;
mod namespaces;
mod others;
mod pidfile;
mod run;
mod steal;

use std::fs::File;

use crate::nouns::{Names, Noun, Wait};
use nix::fcntl::{Flock, FlockArg};
use tempfile::TempDir;

pub const NOUN: Noun = Noun {
    name: "lock",
    names: Names::None,
    create: &[],
    waits,
    commands: &["ipc lock run f -- sh"],
};

fn waits() -> Vec<Wait> {
    const LOCKED: &str = ": >f; ipc lock run f -- sleep 1000 >/dev/null 2>&1 & echo $! >background
        until_true eval '! ipc lock test f >/dev/null'";
    const RECORD_LOCKED: &str = ": >f; ipc lock run --kind ofd f -- sleep 1000 >/dev/null 2>&1 &
        echo $! >background; until_true eval '! ipc lock test f >/dev/null'";
    const UNLOCK: &str = "kill $(cat background); rm background";
    vec![
        Wait::new(LOCKED, "ipc lock run f -- echo mine", UNLOCK, "mine\n"),
        Wait::new(RECORD_LOCKED, "ipc lock run --kind ofd f -- echo mine", UNLOCK, "mine\n"),
        Wait::new(RECORD_LOCKED, "ipc lock run --kind posix f -- echo mine", UNLOCK, "mine\n"),
        Wait::new(LOCKED, "ipc lock fd 9 9<f", UNLOCK, ""),
        Wait::new(RECORD_LOCKED, "ipc lock fd --kind ofd 9 9<>f", UNLOCK, ""),
        Wait::new("ipc lock take --owner 1 l", "ipc lock take l", "ipc lock drop --owner 1 l", ""),
    ]
}

/// A directory, and the path of a file in it that does not exist yet.
pub fn new_file() -> (TempDir, String) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("lock").to_str().unwrap().to_owned();
    (directory, path)
}

/// Locks a file, in this process, for as long as what it returns lives.
pub fn hold(path: &str) -> Flock<File> {
    let file = File::options().write(true).create(true).truncate(false).open(path).unwrap();
    Flock::lock(file, FlockArg::LockExclusiveNonblock).unwrap()
}
