//! The cost of `ipc ls` on a machine with 2,000 processes and 10,000 objects of all kinds, in namespaces of its
//! own: its time, its memory, how the time grows from half as many, and that of lsof(8), lslocks(8) and
//! ss(8), which look at a part each, in relation to it.
//!
//! The targets: 0.3 s and 50 MiB, and at most 2.2 times the time for twice as many.
#![allow(clippy::print_stdout, reason = "it is a program that prints its result")]

mod support;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

const MACHINE: &str = include_str!("look.c");

const ROUNDS: usize = 11;

fn main() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let Some(machine) = support::c(directory.path(), MACHINE) else {
        return println!("no C compiler, which the machine needs");
    };
    let machine = Machine { program: machine, queue: directory.path().join("queue") };
    let (processes, objects) = (support::scaled(2000), support::scaled(10_000));
    for (build, ipc) in support::builds(directory.path()) {
        println!("{build}");
        make_queue(&ipc, &machine.queue);
        let ls = [ipc.as_os_str(), "ls".as_ref()];
        let half = machine.run(processes / 2, objects / 2, &ls);
        let whole = machine.run(processes, objects, &ls);
        let (Some(half), Some(whole)) = (half, whole) else {
            return println!("  namespaces are not allowed here");
        };
        println!(
            "  {processes} processes, {objects} objects: {:.0} ms (CPU {:.0} ms), {:.1} MiB",
            whole.seconds * 1000.0,
            whole.cpu * 1000.0,
            whole.mebibytes
        );
        println!("  in relation to half as many: {:.2} of the CPU time", whole.cpu / half.cpu);
        for words in [&["lsof", "-nPw"][..], &["lslocks"], &["ss", "-xap"]] {
            if !support::has(words[0]) {
                continue;
            }
            let command: Vec<&OsStr> = words.iter().map(OsStr::new).collect();
            let Some(other) = machine.run(processes, objects, &command) else { continue };
            println!("  {}: {:.2} of its CPU time", words.join(" "), other.cpu / whole.cpu);
        }
    }
}

/// A queue of `ipc`, of which the machine has copies.
fn make_queue(ipc: &Path, file: &Path) {
    let mut command = Command::new(ipc);
    command.args(["queue", "create", "--exist-ok", "--capacity", "4K"]).arg(file);
    assert!(command.status().expect("it starts").success());
}

/// The program that makes processes and objects.
struct Machine {
    program: PathBuf,
    queue: PathBuf,
}

/// Medians of several runs of a command.
struct Cost {
    seconds: f64,
    /// The part of it in which a CPU worked, which depends less on other processes.
    cpu: f64,
    mebibytes: f64,
}

impl Machine {
    /// Runs a command beside so many processes and objects; `None` where namespaces are not allowed.
    fn run(&self, processes: usize, objects: usize, words: &[&OsStr]) -> Option<Cost> {
        let mut command = Command::new(&self.program);
        let numbers = [processes, objects, support::scaled(ROUNDS).max(3)];
        command.args(numbers.map(|number| number.to_string())).arg(&self.queue);
        let output = command.args(words).output().expect("it starts");
        if output.status.code() == Some(77) {
            return None;
        }
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).expect("it prints numbers");
        let column = |index: usize| {
            let values = text.lines().map(|line| {
                let word = line.split(' ').nth(index).expect("two numbers");
                word.parse::<f64>().expect("a number")
            });
            support::median(values.collect())
        };
        let (seconds, cpu) = (column(0) / 1e6, column(1) / 1e6);
        Some(Cost { seconds, cpu, mebibytes: column(2) / 1024.0 })
    }
}
