//! The cost of one short command as a whole process, in relation to an empty static C program and
//! to /bin/true.
//!
//! The targets, on a quiet machine: `sem value` and `sem post` at most 1.15 of the empty program in
//! the static build, with an ordinary option 1.2, `mq send` 1.30, `mq recv` 1.56; the ordinary
//! build at most 1.3 of /bin/true. Page faults, which are most of it, do not depend on the load.
#![allow(clippy::print_stdout, reason = "it is a program that prints its result")]

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use nix::sys::resource::{UsageWho, getrusage};

const ROUNDS: usize = 500;

/// The words of a command with NAME for the object, and those of the command that reverts it.
const COMMANDS: &[(&str, &str)] = &[
    ("sem value NAME", ""),
    ("sem post NAME", ""),
    ("sem post --count 1 NAME", ""),
    ("sem wait -t 5 NAME", "sem post NAME"),
    ("mq send -n NAME hello", "mq recv NAME"),
    ("mq recv -n NAME", "mq send NAME hello"),
    ("shm peek NAME", ""),
    ("shm add NAME --type u64 1", ""),
    ("lock run -F FILE -- EMPTY", ""),
    ("signal send 0 SELF", ""),
    ("--version", ""),
];

const PREPARATION: &[&str] = &[
    "sem create NAME --value 100",
    "mq create NAME --max-msgs 2 --msg-size 16",
    "mq send NAME hello",
    "shm create NAME --size 4096",
];

const TIDYING: &[&str] = &["sem rm NAME", "mq rm NAME", "shm rm NAME"];

/// The objects of the commands.
struct Stage {
    name: String,
    file: PathBuf,
    empty: PathBuf,
}

impl Stage {
    fn command(&self, program: &Path, words: &str) -> Command {
        let mut command = Command::new(program);
        for word in words.split_whitespace() {
            match word {
                "NAME" => command.arg(&self.name),
                "FILE" => command.arg(&self.file),
                "EMPTY" => command.arg(&self.empty),
                "SELF" => command.arg(std::process::id().to_string()),
                word => command.arg(word),
            };
        }
        command
    }

    /// Runs a command in each build, an empty program and /bin/true in turn.
    fn compare(&self, builds: &[(&str, PathBuf)], words: &str, after: &str) -> Vec<f64> {
        let mut contenders: Vec<Box<dyn FnMut() -> Duration>> = Vec::new();
        let others = [self.empty.as_path(), Path::new("/bin/true")];
        for other in others {
            let mut command = Command::new(other);
            contenders.push(Box::new(move || support::time(&mut command)));
        }
        for (_, path) in builds {
            let mut command = self.command(path, words);
            let mut after = Some(self.command(path, after)).filter(|_| !after.is_empty());
            contenders.push(Box::new(move || {
                let time = support::time(&mut command);
                after.as_mut().map(support::time);
                time
            }));
        }
        support::ratios(support::scaled(ROUNDS), &mut contenders)
    }

    /// The page faults of one run, those of the process that becomes it included.
    fn faults(&self, program: &Path, words: &str, after: &str) -> i64 {
        let faults =
            || getrusage(UsageWho::RUSAGE_CHILDREN).map_or(0, |all| all.minor_page_faults());
        let mut least = i64::MAX;
        for _ in 0..20 {
            let before = faults();
            support::time(&mut self.command(program, words));
            least = least.min(faults() - before);
            if !after.is_empty() {
                support::time(&mut self.command(program, after));
            }
        }
        least
    }
}

fn main() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let builds = support::builds(directory.path());
    let (empty, what) = match empty(directory.path()) {
        Some(empty) => (empty, "an empty static C program"),
        None => ("/bin/true".into(), "/bin/true, as there is no musl-gcc"),
    };
    let name = format!("/ipc-bench-{}", std::process::id());
    let stage = Stage { name, file: directory.path().join("lock"), empty };
    let run = |words: &str| support::time(&mut stage.command(&builds[0].1, words));
    for words in PREPARATION {
        run(words);
    }

    println!(
        "{} interleaved runs, medians of the ratio to {what}; page faults\n",
        support::scaled(ROUNDS)
    );
    let columns = builds.iter().map(|(build, _)| format!("{build:>8}  faults"));
    println!("{:<28}    true{}", "", columns.collect::<String>());
    println!("{:<28}{:>8}{:>8}", "(empty)", "", stage.faults(&stage.empty, "", ""));
    for (words, after) in COMMANDS {
        let ratios = stage.compare(&builds, words, after);
        let columns = builds.iter().zip(&ratios[2..]).map(|((_, path), ratio)| {
            format!("{ratio:>8.2}{:>8}", stage.faults(path, words, after))
        });
        println!("{:<28}{:>8.2}{}", format!("ipc {words}"), ratios[1], columns.collect::<String>());
    }
    for words in TIDYING {
        run(words);
    }
}

/// A program that does nothing, static and with the C library that starts fastest.
fn empty(directory: &Path) -> Option<PathBuf> {
    let (source, program) = (directory.join("empty.c"), directory.join("empty"));
    std::fs::write(&source, "int main(void) { return 0; }\n").ok()?;
    let mut compile = Command::new("musl-gcc");
    compile.args(["-static", "-O2", "-s", "-o"]).args([&program, &source]);
    compile.status().is_ok_and(|status| status.success()).then_some(program)
}
