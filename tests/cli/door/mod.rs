//! `ipc door`.

mod call;
mod examples;
mod faults;
mod manage;
mod packets;
mod worker;

use std::path::PathBuf;

use crate::nouns::{Names, Noun, Wait};
use crate::support::{Run, Running, ipc, until};

pub const NOUN: Noun = Noun { name: "door", names: Names::None, create: &[], waits, commands: &[] };

fn waits() -> Vec<Wait> {
    /// Answers when there is a file `go`, or the test is over.
    const SERVER: &str =
        "ipc door serve --ready ready ./d -- sh -c 'until [ -e go ] || ! [ -d \"$PWD\" ]
        do sleep 0.01; done; echo hi' >/dev/null 2>&1 & echo $! >background
        until_true [ -s ready ]";
    const STOPPED: &str =
        "ipc door serve --ready ready ./d -- true >/dev/null 2>&1 & echo $! >background
        until_true [ -s ready ]; kill -STOP $(cat background)";
    const CONTINUE: &str = "kill -CONT $(cat background)";
    vec![
        Wait::new(SERVER, "ipc door call ./d", ": >go", "hi\n"),
        Wait::new(STOPPED, "ipc door revoke ./d", CONTINUE, ""),
        Wait::new(":", "ipc door serve --idle 1h ./d -- true", "ipc door revoke ./d", ""),
    ]
}

/// A directory with a door in it, and its server.
struct Door {
    directory: tempfile::TempDir,
    server: Running,
}

impl Door {
    /// Serves a procedure, which is a line of shell.
    fn of(options: &[&str], line: &str) -> Self {
        Self::with(ipc(&["door", "serve"]).words(options), &["--", "sh", "-c", line])
    }

    /// The same, with a worker.
    fn of_worker(options: &[&str], line: &str) -> Self {
        Self::with(ipc(&["door", "serve", "--worker"]).words(options), &["--", "sh", "-c", line])
    }

    /// Serves with these words, and returns when the server listens.
    fn with(run: Run, command: &[&str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let ready = directory.path().join("ready");
        let run = run.words(&["--ready", "ready", "./d"]).words(command);
        let server = run.within(directory.path()).start();
        until("the server listens", || ready.metadata().is_ok_and(|ready| ready.len() > 0));
        let door = Self { directory, server };
        // From now on, it has all descriptors of its own.
        door.number("pid");
        door
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("d")
    }

    /// A verb at the door.
    fn run(&self, verb: &str, words: &[&str]) -> Run {
        ipc(&["door", verb]).within(self.directory.path()).words(words)
    }

    fn call(&self, argument: &[&str]) -> Run {
        self.run("call", &["d"]).words(argument)
    }

    /// A number that `info` shows.
    fn number(&self, key: &str) -> i64 {
        let text = self.run("info", &["--json", "d"]).succeeds();
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        value[key].as_i64().unwrap()
    }

    /// The number of descriptors of the server.
    fn descriptors(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.server.pid())).unwrap().count()
    }

    /// Waits until the server has no call, and as many descriptors as before.
    #[track_caller]
    fn until_at_rest(&self, descriptors: usize) {
        until("the server is at rest", || {
            self.number("running") + self.number("waiting") == 0
                && self.descriptors() <= descriptors
        });
    }
}
