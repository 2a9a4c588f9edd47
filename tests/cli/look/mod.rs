//! `ipc ls`, `ipc who` and `ipc prune`: objects of every kind, and the processes that use them.

mod ls;

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::{Name, Run, Running, ipc, sh, until};

/// The rows that a command prints with `--json`.
fn rows(run: Run) -> Vec<Value> {
    let printed = run.word("--json").output();
    serde_json::from_slice(&printed.stdout).expect("it is an array")
}

/// The row of the object of this name and kind.
fn row_of(kind: &str, name: &str) -> Option<Value> {
    let listed = rows(ipc(&["ls", "-q", "--kind", kind]));
    listed.into_iter().find(|row| row["name"] == name && row["kind"] == kind)
}

/// Whether a process is among the holders of a row.
fn is_held_by(row: &Value, pid: i32) -> bool {
    row["holders"].as_array().expect("an array").iter().any(|holder| holder["pid"] == pid)
}

/// The process ID of this test.
fn own() -> i32 {
    std::process::id() as i32
}

/// A name that no other test has, of an object that this test removes.
fn name(noun: &'static str) -> Name {
    Name::new(noun)
}

/// A server that listens at a path.
fn serve(path: &Path) -> Running {
    let server = ipc(&["sock", "serve", "--echo"]).word(path).start();
    until("it listens", || path.exists());
    server
}

/// A lock file whose owner has ended, in a directory of the test.
fn dead_lock_file(directory: &Path) -> PathBuf {
    let path = directory.join("dead.lock");
    sh("sh -c 'ipc lock take \"$1\"; :' sh \"$0\"").word(&path).succeeds();
    path
}

/// A file that is open in this process, which its path outlives or not.
fn open(path: &Path) -> File {
    File::options().read(true).write(true).open(path).expect("it can be opened")
}

/// The name of a file in `/dev/shm`.
fn in_memory(name: &str) -> PathBuf {
    Path::new("/dev/shm").join(&name[1..])
}

fn removed(path: &Path) {
    fs::remove_file(path).expect("it can be removed");
}
