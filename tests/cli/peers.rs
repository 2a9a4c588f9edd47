//! Other programs that use the same objects, in C, and in Python with posix_ipc and sysv_ipc. `make
//! tools` installs what they need. Without it their tests are skipped, unless `IPC_PEERS=required` is
//! set, as for `make test`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::support::{Run, Running, binary, children, sh, skipped, text, until};

/// A C program that was compiled for a test, in a directory of its own.
pub struct Program {
    directory: tempfile::TempDir,
}

impl Program {
    pub fn path(&self) -> PathBuf {
        self.directory.path().join("program")
    }

    /// The program with these arguments, not started yet.
    pub fn run(&self, words: &[&str]) -> Run {
        Run::new(self.path(), words)
    }
}

/// Compiles a C program; `None` where there is no compiler.
#[track_caller]
pub fn c(source: &str) -> Option<Program> {
    compile(source, &[])
}

/// Compiles a library that LD_PRELOAD puts before the C library; `None` where there is no compiler.
#[track_caller]
pub fn preloaded(source: &str) -> Option<Program> {
    compile(source, &["-shared", "-fPIC"])
}

#[track_caller]
fn compile(source: &str, options: &[&str]) -> Option<Program> {
    if !there("cc", &["--version"]) {
        return None;
    }
    let program = Program { directory: tempfile::tempdir().expect("a directory can be made") };
    let file = program.directory.path().join("program.c");
    std::fs::write(&file, source).expect("it can be written");
    let words = ["-O2", "-Wall", "-Werror", "-D_GNU_SOURCE", "-pthread", "-o"];
    let compiled = Command::new("cc")
        .args(options)
        .args(words)
        .args([&program.path(), &file])
        .arg("-lrt")
        .status();
    assert!(compiled.expect("the compiler runs").success());
    Some(program)
}

/// A Python script that uses this module; `None` where there is no such module.
#[track_caller]
pub fn python(module: &str, script: &str, words: &[&str]) -> Option<Run> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/python/bin/python3");
    let python = if own.exists() { own } else { "python3".into() };
    let import = format!("import {module}");
    let python = python.to_str().expect("paths here are UTF-8");
    there(python, &["-c", &import]).then(|| Run::new(python, &["-c", script]).words(words))
}

/// A line of shell at a terminal of its own, which shows stdout and stderr as the output; `None` where
/// there is no script(1).
#[track_caller]
pub fn at_terminal(line: &str) -> Option<Run> {
    // script(1) starts the shell that SHELL names, and shells differ in what they say of their jobs.
    let script = || sh("exec script -qec \"$0\" /dev/null").word(line).env("SHELL", "/bin/sh");
    there("script", &["--version"]).then(script)
}

/// Whether a program runs at all.
#[track_caller]
pub fn there(program: &str, words: &[&str]) -> bool {
    let there =
        Command::new(program).args(words).output().is_ok_and(|output| output.status.success());
    let required = std::env::var_os("IPC_PEERS").is_some_and(|value| value == "required");
    assert!(
        there || !required,
        "{program} {words:?} does not run; 'make tools' installs what the tests need"
    );
    if !there {
        skipped(&format!("{program} is missing"));
    }
    there
}

/// Whether there is such a device.
pub fn has_device(path: &str) -> bool {
    let there = Path::new(path).exists();
    if !there {
        skipped(&format!("{path} is missing"));
    }
    there
}

/// Whether `unshare` with these options is permitted. Containers often refuse it, so tests that need it
/// are skipped there, even with `IPC_PEERS`.
pub fn may_unshare(options: &[&str]) -> bool {
    let unshare = Command::new("unshare").args(options).arg("true").output();
    let may = unshare.is_ok_and(|output| output.status.success());
    if !may {
        skipped(&format!("unshare {} is refused", options.join(" ")));
    }
    may
}

/// A system call of a run of `ipc`.
#[derive(Clone, Debug)]
pub struct Call {
    name: String,
    /// Its number among the calls of this name, from 1 on.
    number: usize,
    /// As strace shows it.
    pub line: String,
}

/// The system calls of a run of `ipc` with these words; `None` where calls cannot be traced.
#[track_caller]
pub fn system_calls(words: &[&str]) -> Option<Vec<Call>> {
    if !there("strace", &["-o", "/dev/null", "true"]) {
        return None;
    }
    let log = tempfile::NamedTempFile::new().expect("a file can be made");
    let run = Run::new("strace", &["-qq", "-o"]).word(log.path()).word(binary()).words(words);
    assert!(run.output().status.code().is_some(), "{words:?}");
    Some(calls_of(&text(&std::fs::read(log.path()).expect("it can be read"))))
}

/// The system calls of one process in a log of strace.
pub fn calls_of(log: &str) -> Vec<Call> {
    let mut counts = BTreeMap::new();
    let calls = log.lines().filter_map(|line| {
        let name = line.split_once('(')?.0.to_owned();
        let count = counts.entry(name.clone()).and_modify(|count| *count += 1).or_insert(1);
        Some(Call { name, number: *count, line: line.to_owned() })
    });
    calls.collect()
}

impl Call {
    /// `ipc` with these words, which gets a signal at this call: KILL before the call, any other signal
    /// after it.
    pub fn signals(&self, signal: &str, words: &[&str]) -> Run {
        let [trace, inject] = self.signaling(signal);
        Run::new("strace", &["-qq", "-o", "/dev/null", "-e", &trace, "-e", &inject])
            .word(binary())
            .words(words)
    }

    /// The expressions for `strace -e` by which a process gets a signal at this call.
    pub fn signaling(&self, signal: &str) -> [String; 2] {
        let Self { name, number, .. } = self;
        [format!("trace={name}"), format!("inject={name}:signal={signal}:when={number}")]
    }

    /// `ipc` with these words, in which this call fails.
    pub fn fails(&self, error: &str, words: &[&str]) -> Run {
        let Self { name, number, .. } = self;
        let trace = format!("trace={name}");
        let inject = format!("inject={name}:error={error}:when={number}");
        Run::new("strace", &["-qq", "-o", "/dev/null", "-e", &trace, "-e", &inject])
            .word(binary())
            .words(words)
    }

    /// `ipc` with these words, in which all calls of this name that come after it fail.
    pub fn last_to_succeed(&self, error: &str, words: &[&str]) -> Run {
        let Self { name, number, .. } = self;
        let trace = format!("trace={name}");
        let inject = format!("inject={name}:error={error}:when={}+", number + 1);
        Run::new("strace", &["-qq", "-o", "/dev/null", "-e", &trace, "-e", &inject])
            .word(binary())
            .words(words)
    }
}

/// An `ipc` that is stopped after a system call. It is killed with this.
pub struct Stopped {
    tracer: Running,
    pid: Pid,
}

impl Stopped {
    pub fn after(call: &Call, words: &[&str]) -> Self {
        Self::by(call.signals("SIGSTOP", words))
    }

    /// The child of this strace, which stops it.
    pub fn by(strace: Run) -> Self {
        let tracer = strace.start();
        let pid = until_stopped(tracer.pid());
        Self { tracer, pid }
    }

    /// Its process ID.
    pub fn pid(&self) -> i32 {
        self.pid.as_raw()
    }

    /// Kills it at the call.
    pub fn kill(&self) {
        kill(self.pid, Signal::SIGKILL).unwrap();
    }

    /// Continues it, and waits for its end.
    pub fn continue_to_end(self) -> Output {
        kill(self.pid, Signal::SIGCONT).unwrap();
        self.tracer.finish()
    }
}

/// Waits until the child of this strace is stopped for longer than each call stops it.
#[track_caller]
pub fn until_stopped(strace: i32) -> Pid {
    let (mut pid, mut looks) = (None, 0);
    until("it is stopped", || {
        pid = children(strace).first().copied().map(Pid::from_raw);
        looks = if pid.is_some_and(is_stopped) { looks + 1 } else { 0 };
        looks == 50
    });
    pid.expect("it was found")
}

fn is_stopped(pid: Pid) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with(['T', 't']))
}
