//! `ipc signal`.

mod alarm;
mod group;
mod info;
mod init;
mod job_control;
mod send;
mod trap;
mod wait;

use std::process::Command;

use crate::nouns::{Names, Noun, Wait};
use crate::support::{Run, Running, ipc, until};

pub const NOUN: Noun = Noun {
    name: "signal",
    names: Names::None,
    create: &[],
    waits,
    commands: &["ipc signal trap --on USR2=true -- sh", "ipc signal alarm 1h -- sh"],
};

fn waits() -> Vec<Wait> {
    vec![
        Wait::new(":", "ipc signal wait USR2 >line", "ipc signal send USR2 $waiter", "")
            .says("waiting for USR2"),
        Wait::new(
            "sleep 1000 >/dev/null 2>&1 & echo $! >background",
            "ipc signal send 0 --wait $(cat background)",
            "kill $(cat background); rm background",
            "",
        ),
    ]
}

/// Starts a wait, and comes back when it listens.
/// Starts a wait, and returns when the signals are blocked.
pub fn wait(words: &[&str]) -> Running {
    started(ipc(&["signal", "wait"]), words)
}

pub fn uid() -> u32 {
    nix::unistd::getuid().as_raw()
}

/// A process that sleeps. It is killed at the end of the test.
pub struct Sleeper(std::process::Child);

impl Sleeper {
    pub fn new() -> Self {
        Self::of(Command::new("sleep"))
    }

    pub fn of(mut command: Command) -> Self {
        Self(command.arg("1000").spawn().unwrap())
    }

    pub fn pid(&self) -> String {
        self.0.id().to_string()
    }

    /// Whether it ended by this signal.
    pub fn died_of(mut self, signal: i32) -> bool {
        std::os::unix::process::ExitStatusExt::signal(&self.0.wait().unwrap()) == Some(signal)
    }
}

impl Drop for Sleeper {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The same, for a command that begins with `run`.
pub fn started(mut run: Run, words: &[&str]) -> Running {
    let directory = tempfile::tempdir().unwrap();
    let ready = directory.path().join("ready");
    for word in words {
        run = run.word(word);
    }
    let running = run.word("--ready").word(&ready).start();
    until("it is ready", || std::fs::read(&ready).is_ok_and(|line| line.ends_with(b"\n")));
    running
}

/// A field of the output of `info` for a process.
pub fn info(pid: &str, key: &str) -> String {
    let shown = ipc(&["signal", "info", "--json", pid]).succeeds();
    let info: serde_json::Value = serde_json::from_str(&shown).unwrap();
    info[key].to_string()
}
