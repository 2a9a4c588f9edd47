//! `ipc lock`.

mod descriptor;
mod errors;
mod file;
mod look;
mod namespaces;
mod others;
mod run;

use std::fs::File;

use nix::fcntl::{Flock, FlockArg};
use tempfile::TempDir;

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
