//! Other programs that use the same objects: written in C, and in Python with posix_ipc and
//! sysv_ipc. `make tools` installs what they need; without it their tests are passed over, unless
//! `IPC_PEERS=required` is set, as it is for `make test`.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::Run;

/// A C program that was compiled for a test, with the directory that it lies in.
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
    if !there("cc", &["--version"]) {
        return None;
    }
    let program = Program { directory: tempfile::tempdir().expect("a directory can be made") };
    let file = program.directory.path().join("program.c");
    std::fs::write(&file, source).expect("it can be written");
    let words = ["-O2", "-Wall", "-Werror", "-D_GNU_SOURCE", "-pthread", "-o"];
    let compiled =
        Command::new("cc").args(words).args([&program.path(), &file]).args(["-lrt"]).status();
    assert!(compiled.expect("the compiler runs").success());
    Some(program)
}

/// A Python script that uses this module; `None` where there is no such module.
#[track_caller]
pub fn python(module: &str, script: &str, words: &[&str]) -> Option<Run> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/python/bin/python3");
    let python = if own.exists() { own } else { "python3".into() };
    let import = format!("import {module}");
    let python = python.to_str().expect("our paths are text");
    there(python, &["-c", &import]).then(|| Run::new(python, &["-c", script]).words(words))
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
    there
}

/// Whether we may have namespaces of our own, as `unshare` makes them with these options. A container
/// may well refuse, so their tests are passed over there, whatever `IPC_PEERS` says.
pub fn may_unshare(options: &[&str]) -> bool {
    let unshare = Command::new("unshare").args(options).arg("true").output();
    let may = unshare.is_ok_and(|output| output.status.success());
    if !may {
        let _ =
            writeln!(std::io::stderr(), "passed over: unshare {} is refused", options.join(" "));
    }
    may
}
