//! The tree keeps its own rules: layers, and tests for every command.

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust file below a directory, by its path below the project.
pub fn sources(directory: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(root().join(directory)).expect("the directory is there") {
        let path = entry.expect("it can be read").path();
        let relative = path.strip_prefix(root()).expect("it is below").to_owned();
        if path.is_dir() {
            found.extend(sources(relative.to_str().expect("our paths are text")));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(relative);
        }
    }
    found.sort();
    found
}

fn text(path: &Path) -> String {
    fs::read_to_string(root().join(path)).expect("it can be read")
}

/// The lines of code, without those that are comments.
fn code(path: &Path) -> Vec<String> {
    let text = text(path);
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with("//"));
    lines.map(str::to_owned).collect()
}

#[test]
fn unsafe_code_stands_in_sys_only() {
    for path in sources("src").iter().filter(|path| !path.starts_with("src/sys")) {
        let found = code(path)
            .into_iter()
            .find(|line| line.contains("unsafe {") || line.contains("unsafe fn"));
        assert_eq!(found, None, "{}", path.display());
    }
}

#[test]
fn sys_prints_nothing_and_knows_no_command() {
    for path in sources("src/sys") {
        // The entry point is where the process begins, so it calls up.
        let above = ["crate::cmd", "crate::cli", "crate::output", "crate::child"];
        let found =
            code(&path).into_iter().find(|line| above.iter().any(|layer| line.contains(layer)));
        assert_eq!(found, None, "{}", path.display());
    }
}

#[test]
fn commands_make_no_system_calls_of_their_own() {
    for path in sources("src/cmd") {
        let calls = [
            "nix::unistd",
            "nix::fcntl",
            "nix::poll",
            "nix::sys::socket",
            "nix::sys::mman",
            "nix::mqueue",
        ];
        let found =
            code(&path).into_iter().find(|line| calls.iter().any(|call| line.contains(call)));
        assert_eq!(found, None, "{}", path.display());
    }
}

#[test]
fn every_command_has_a_file_of_tests() {
    for entry in fs::read_dir(root().join("src/cmd")).expect("the directory is there") {
        let path = entry.expect("it can be read").path();
        let name = path.file_stem().expect("it has a name").to_owned();
        let tests = root().join("tests/cli").join(&name);
        let there = tests.with_extension("rs").exists() || tests.is_dir();
        assert!(name == "mod" || there, "no tests for {}", path.display());
    }
}

#[test]
fn every_file_of_tests_is_part_of_the_crate() {
    let main = text(Path::new("tests/cli/main.rs"));
    for path in sources("tests/cli").iter().filter(|path| path.components().count() == 3) {
        let name = path.file_stem().expect("it has a name").to_str().expect("our paths are text");
        assert!(name == "main" || main.contains(&format!("mod {name};")), "{name} is forgotten");
    }
}
