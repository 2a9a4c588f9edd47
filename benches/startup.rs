//! The cost of one short command as a whole process, in relation to an empty static C program, to a C
//! program that makes the same system calls, and to /bin/true.
//!
//! The C program (`startup.c`) shows how much of the cost is the system calls: the target is at most 1.1
//! of it in the static build. `IPC_OLD` names the static build of another version, which takes its turn
//! in the same run. Page faults, which are most of the difference, do not depend on the load.
#![allow(clippy::print_stdout, reason = "it is a program that prints its result")]

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use nix::sys::resource::{UsageWho, getrusage};

const ROUNDS: usize = 500;

/// A command, with NAME for the object.
struct Short {
    /// Its words.
    words: &'static str,
    /// The words of the command that reverts it, if there is one.
    after: &'static str,
    /// The words of the C program for the same system calls.
    calls: &'static str,
}

const fn short(words: &'static str, after: &'static str, calls: &'static str) -> Short {
    Short { words, after, calls }
}

const COMMANDS: &[Short] = &[
    short("--version", "", "version"),
    short("sem value NAME", "", "value NAME"),
    short("sem post NAME", "", "post NAME"),
    short("sem post --count 1 NAME", "", "post NAME"),
    short("sem wait -t 5 NAME", "sem post NAME", "wait NAME"),
    short("mq send -n NAME hello", "mq recv NAME", "send NAME"),
    short("mq recv -n NAME", "mq send NAME hello", "recv NAME"),
    short("shm peek NAME", "", "peek NAME"),
    short("shm peek --type i32 NAME", "", "peek NAME"),
    short("shm add NAME --type u64 1", "", "add NAME"),
    short("lock run -F FILE -- EMPTY", "", "run FILE EMPTY"),
    short("signal send 0 SELF", "", "signal SELF"),
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

    /// Runs a command in each build, and the C programs, in turn.
    fn compare(&self, others: &[Command], builds: &[(&str, PathBuf)], short: &Short) -> Vec<f64> {
        let mut contenders: Vec<Box<dyn FnMut() -> Duration>> = Vec::new();
        for other in others {
            let mut command = copied(other);
            // Only the system calls of the command are compared, and it is reverted alike.
            let is_reverted = !short.after.is_empty() && other.get_args().len() > 0;
            let mut after = is_reverted.then(|| self.command(&builds[0].1, short.after));
            contenders.push(Box::new(move || reverted(&mut command, after.as_mut())));
        }
        for (_, path) in builds {
            let mut command = self.command(path, short.words);
            let mut after =
                Some(self.command(path, short.after)).filter(|_| !short.after.is_empty());
            contenders.push(Box::new(move || reverted(&mut command, after.as_mut())));
        }
        support::ratios(support::scaled(ROUNDS), &mut contenders)
    }

    /// The page faults of one run, those of the process that becomes it included.
    fn faults(&self, program: &Path, words: &str, after: &str) -> i64 {
        let after = Some(self.command(program, after)).filter(|_| !after.is_empty());
        least_faults(self.command(program, words), after)
    }

    /// The same of the C program.
    fn faults_of_calls(&self, calls: &Path, builds: &[(&str, PathBuf)], short: &Short) -> i64 {
        let after = Some(self.command(&builds[0].1, short.after));
        least_faults(self.command(calls, short.calls), after.filter(|_| !short.after.is_empty()))
    }
}

fn least_faults(mut command: Command, mut after: Option<Command>) -> i64 {
    let faults = || getrusage(UsageWho::RUSAGE_CHILDREN).map_or(0, |all| all.minor_page_faults());
    let mut least = i64::MAX;
    for _ in 0..20 {
        let before = faults();
        support::time(&mut command);
        least = least.min(faults() - before);
        after.as_mut().map(support::time);
    }
    least
}

/// The time of a command, which another one reverts afterwards.
fn reverted(command: &mut Command, after: Option<&mut Command>) -> Duration {
    let time = support::time(command);
    after.map(support::time);
    time
}

fn copied(command: &Command) -> Command {
    let mut copy = Command::new(command.get_program());
    copy.args(command.get_args());
    copy
}

fn main() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let mut builds = support::builds(directory.path());
    if let Some(old) = std::env::var_os("IPC_OLD") {
        let copy = directory.path().join("ipc-old");
        support::copy(Path::new(&old), &copy);
        builds.push(("old", copy));
    }
    let source = include_str!("startup.c");
    let empty = compiled(directory.path(), "empty", "int main(void) { return 0; }\n");
    let calls = compiled(directory.path(), "calls", source);
    let (Some(empty), Some(calls)) = (empty, calls) else {
        println!("skipped: there is no musl-gcc");
        return;
    };
    let name = format!("/ipc-bench-{}", std::process::id());
    let stage = Stage { name, file: directory.path().join("lock"), empty };
    let run = |words: &str| support::time(&mut stage.command(&builds[0].1, words));
    for words in PREPARATION {
        run(words);
    }
    std::fs::write(&stage.file, "").expect("it can be written");

    let rounds = support::scaled(ROUNDS);
    println!(
        "{rounds} interleaved runs, medians of the ratio to an empty static C program; faults"
    );
    println!("calls: a C program that makes the same system calls\n");
    let columns = builds.iter().map(|(build, _)| format!("{build:>8}  faults"));
    println!("{:<28}    true   calls  faults{}", "", columns.collect::<String>());
    println!("{:<28}{:>24}", "(empty)", stage.faults(&stage.empty, "", ""));
    for short in COMMANDS {
        let others = [
            Command::new(&stage.empty),
            Command::new("/bin/true"),
            stage.command(&calls, short.calls),
        ];
        let ratios = stage.compare(&others, &builds, short);
        let mut line = format!("{:<28}{:>8.2}", format!("ipc {}", short.words), ratios[1]);
        line += &format!("{:>8.2}{:>8}", ratios[2], stage.faults_of_calls(&calls, &builds, short));
        for ((_, path), ratio) in builds.iter().zip(&ratios[3..]) {
            let faults = stage.faults(path, short.words, short.after);
            line += &format!("{ratio:>8.2}{faults:>8}");
        }
        println!("{line}");
    }
    for words in TIDYING {
        run(words);
    }
}

/// A static program with the C library that starts fastest.
fn compiled(directory: &Path, name: &str, text: &str) -> Option<PathBuf> {
    let (source, program) = (directory.join(format!("{name}.c")), directory.join(name));
    std::fs::write(&source, text).ok()?;
    let mut compile = Command::new("musl-gcc");
    compile.args(["-static", "-O2", "-s", "-o"]).args([&program, &source]);
    compile.status().is_ok_and(|status| status.success()).then_some(program)
}
