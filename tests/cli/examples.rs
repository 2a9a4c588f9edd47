//! The scripts of `examples/` print, in every shell, what their comments say, and leave nothing behind.
//!
//! The comment that a script begins with ends with the lines of its output, below `# Prints:`.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::{code, ipc, sh, skipped, text};

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples")
}

/// A script, by its file name.
struct Example {
    name: String,
    path: PathBuf,
    /// What its comment says that it prints.
    prints: String,
}

fn examples() -> Vec<Example> {
    let files = fs::read_dir(directory()).expect("there are examples");
    let paths = files.map(|file| file.expect("it can be read").path());
    let mut scripts: Vec<PathBuf> =
        paths.filter(|path| path.extension().is_some_and(|end| end == "sh")).collect();
    scripts.sort();
    scripts.into_iter().map(Example::read).collect()
}

impl Example {
    fn read(path: PathBuf) -> Self {
        let text = fs::read_to_string(&path).expect("it can be read");
        let lines = text.lines().skip_while(|&line| line != "# Prints:").skip(1);
        let lines = lines.map_while(|line| line.strip_prefix("#   "));
        let prints = lines.map(|line| format!("{line}\n")).collect();
        let name = path.file_name().expect("it is a file").to_string_lossy().into_owned();
        Self { name, path, prints }
    }

    /// Runs it in a shell, and compares what it prints and leaves.
    fn run(&self, shell: &str) {
        let temporary = tempfile::tempdir().expect("a directory can be made");
        let run = sh("exec \"$0\" \"$1\"").word(shell).word(&self.path);
        let running = run.env("TMPDIR", temporary.path()).within(temporary.path()).start();
        let pid = running.pid();
        let output = running.finish();
        let seen = (code(&output), text(&output.stdout), text(&output.stderr));
        let name = format!("{shell} {}", self.name);
        assert_eq!(seen, (0, self.prints.clone(), String::new()), "{name}");

        let files: Vec<_> =
            fs::read_dir(temporary.path()).expect("it is still there").flatten().collect();
        assert!(files.is_empty(), "{name} left {files:?}");
        let own = format!("name~/example-{pid}(-|$)");
        let left = ipc(&["ls", "-q", "--noheadings", "--filter", &own]).output();
        assert_eq!(text(&left.stdout), "", "{name} left objects");
    }
}

fn every_example_in(shell: &str) {
    if !sh(&format!("command -v {shell}")).output().status.success() {
        skipped(&format!("there is no {shell}"));
        return;
    }
    for example in examples() {
        example.run(shell);
    }
}

#[test]
fn every_example_prints_in_bash_what_it_says() {
    every_example_in("bash");
}

#[test]
fn every_example_prints_in_dash_what_it_says() {
    every_example_in("dash");
}

#[test]
fn every_example_prints_in_zsh_what_it_says() {
    every_example_in("zsh");
}

#[test]
fn the_table_of_examples_is_complete() {
    let table = fs::read_to_string(directory().join("README.md")).expect("there is a table");
    let listed: Vec<&str> = table
        .lines()
        .filter_map(|line| line.strip_prefix("| ["))
        .map(|row| row.split(']').next().expect("a split has a first part"))
        .collect();
    let mut names: Vec<String> = examples().into_iter().map(|example| example.name).collect();
    names.retain(|name| !listed.contains(&name.as_str()));
    assert!(names.is_empty(), "not in examples/README.md: {names:?}");
    for name in listed {
        assert!(directory().join(name).exists(), "there is no examples/{name}");
    }
}
