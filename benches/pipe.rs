//! Compares pipes with cat(1), tee(1), a shell, and the shortest equivalent C programs, which use
//! splice(2) and tee(2): bytes through a FIFO and through `pipe tee`, `pipe run` and a pipe of a
//! shell, and the memory of a stream.
//!
//! The targets: no slower than cat(1) or tee(1), at least 0.9 of the C program, memory that does not
//! depend on the length of the stream, and `pipe run` as fast as the shell.
//!
//! Words choose the measurements: `write`, `read`, `move`, `tee`, `run`, `memory`; the default is all.
//! `MIB` is the length of a stream, 4096 by default, and `ROUNDS` the number of turns of each contender.
#![allow(clippy::print_stdout, reason = "it is a program that prints its result")]

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

const SOURCE: &str = include_str!("pipe.c");

fn main() {
    // The directory is in memory, so that the disk has no influence.
    let directory = tempfile::tempdir_in("/dev/shm").expect("there is room");
    let Some(peer) = support::c(directory.path(), SOURCE) else {
        return println!("pipe: no C compiler, nothing to compare with");
    };
    let (build, ipc) = support::builds(directory.path()).pop().expect("there is a build");
    let bench = Bench {
        directory: directory.path(),
        ipc,
        peer,
        size: number("MIB", support::scaled(4096)) << 20,
        rounds: number("ROUNDS", support::scaled(7)),
    };
    for fifo in ["p", "q"] {
        assert!(Command::new("mkfifo").arg(directory.path().join(fifo)).status().is_ok());
    }
    let chosen: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    println!(
        "ipc: the {build} build; {} interleaved rounds of {} MiB, medians",
        bench.rounds,
        bench.size >> 20
    );
    println!("GiB/s, and in brackets the ratio to the first of the same round\n");
    for comparison in COMPARISONS {
        if chosen.is_empty() || chosen.iter().any(|word| word == comparison.word) {
            bench.compare(comparison);
        }
    }
    if chosen.is_empty() || chosen.iter().any(|word| word == "memory") {
        bench.memory();
    }
}

fn number(name: &str, otherwise: usize) -> usize {
    let value = std::env::var(name).ok();
    value.map_or(otherwise, |value| value.parse().expect("it is a number"))
}

struct Comparison {
    word: &'static str,
    what: &'static str,
    /// Names and lines of shell.
    contenders: &'static [(&'static str, &'static str)],
}

const COMPARISONS: &[Comparison] = &[
    Comparison {
        word: "write",
        what: "from a pipe into a FIFO",
        contenders: &[
            ("C splice", "$C drain $SIZE < p & $C feed $SIZE | $C splice > p && wait $!"),
            ("ipc", "$C drain $SIZE < p & $C feed $SIZE | $IPC fifo write p && wait $!"),
            ("cat", "$C drain $SIZE < p & $C feed $SIZE | cat > p && wait $!"),
        ],
    },
    Comparison {
        word: "read",
        what: "from a FIFO into a pipe",
        contenders: &[
            ("C splice", "$C feed $SIZE > p & $C splice < p | $C drain $SIZE && wait $!"),
            ("ipc", "$C feed $SIZE > p & $IPC fifo cat p | $C drain $SIZE && wait $!"),
            ("cat", "$C feed $SIZE > p & cat p | $C drain $SIZE && wait $!"),
        ],
    },
    Comparison {
        word: "move",
        what: "from a pipe into a pipe",
        contenders: &[
            ("C splice", "$C feed $SIZE | $C splice | $C drain $SIZE"),
            ("ipc pipe tee", "$C feed $SIZE | $IPC pipe tee | $C drain $SIZE"),
            ("cat", "$C feed $SIZE | cat | $C drain $SIZE"),
        ],
    },
    Comparison {
        word: "tee",
        what: "from a pipe into two",
        contenders: &[
            (
                "C tee",
                "$C drain $SIZE < p & $C feed $SIZE | $C tee 3> p | $C drain $SIZE && wait $!",
            ),
            (
                "ipc pipe tee",
                "$C drain $SIZE < p & $C feed $SIZE | $IPC pipe tee p | $C drain $SIZE && wait $!",
            ),
            (
                "ipc fifo tee",
                "$C drain $SIZE < p & $C feed $SIZE | $IPC fifo tee p | $C drain $SIZE && wait $!",
            ),
            ("tee", "$C drain $SIZE < p & $C feed $SIZE | tee p | $C drain $SIZE && wait $!"),
        ],
    },
    Comparison {
        word: "run",
        what: "two commands",
        contenders: &[
            ("shell", "$C feed $SIZE | $C drain $SIZE"),
            ("ipc pipe run", "$IPC pipe run --status any -- $C feed $SIZE -- $C drain $SIZE"),
        ],
    },
];

struct Bench<'a> {
    directory: &'a Path,
    ipc: PathBuf,
    peer: PathBuf,
    size: usize,
    rounds: usize,
}

impl Bench<'_> {
    fn compare(&self, comparison: &Comparison) {
        println!("{}", comparison.what);
        let contenders = comparison.contenders.iter();
        let contenders = contenders.map(|(_, line)| -> Box<dyn FnMut() -> Duration> {
            Box::new(|| support::time(&mut self.shell(line, self.size)))
        });
        let turns = support::turns(self.rounds, &mut contenders.collect::<Vec<_>>());
        let gib = self.size as f64 / (1 << 30) as f64;
        for (place, (name, _)) in comparison.contenders.iter().enumerate() {
            let rate = support::median(turns.iter().map(|times| gib / times[place]).collect());
            let ratio = turns.iter().map(|times| times[0] / times[place]).collect();
            println!("  {name:<14}{rate:>8.2}  ({:.2})", support::median(ratio));
        }
        println!();
    }

    /// Prints the memory of each byte mover after a short and after a long stream.
    fn memory(&self) {
        println!("the most memory of a stream of a MiB and of {} MiB, KiB", self.size >> 20);
        for (name, line) in [
            (
                "fifo write",
                "$C drain $SIZE < p & $C feed $SIZE | $C peak $IPC fifo write p && wait $!",
            ),
            ("fifo cat", "$C feed $SIZE > p & $C peak $IPC fifo cat p | $C drain $SIZE && wait $!"),
            (
                "pipe tee",
                "$C drain $SIZE < p & $C feed $SIZE | $C peak $IPC pipe tee p | $C drain $SIZE && wait $!",
            ),
            (
                "fifo tee",
                "$C drain $SIZE < p & $C feed $SIZE | $C peak $IPC fifo tee p | $C drain $SIZE && wait $!",
            ),
        ] {
            let [short, long] = [1 << 20, self.size].map(|size| {
                let output = self.shell(line, size).output().expect("bash starts");
                assert!(output.status.success(), "{line}: {output:?}");
                String::from_utf8_lossy(&output.stderr).trim().to_owned()
            });
            println!("  {name:<12}{short:>8}{long:>8}");
        }
    }

    fn shell(&self, line: &str, size: usize) -> Command {
        let line = format!("set -o pipefail; cd \"$DIRECTORY\"; {line}");
        let mut command = Command::new("bash");
        command.args(["-c", &line]).env("IPC", &self.ipc).env("C", &self.peer);
        command.env("DIRECTORY", self.directory).env("SIZE", size.to_string());
        command
    }
}
