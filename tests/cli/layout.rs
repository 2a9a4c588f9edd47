//! The rules of the source tree: layers, and tests for every command.

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
            found.extend(sources(relative.to_str().expect("paths here are UTF-8")));
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

/// The layers, the lowest first. A file uses its own layer and those below.
const LAYERS: [&[&str]; 9] = [
    &["base"],
    &["sys"],
    &["io"],
    &["run"],
    &["mechanism"],
    &["server"],
    &["measure"],
    &["app"],
    &["cmd", "applet"],
];

/// The module that a file is: `sys/lock/mod.rs` is `sys::lock`.
fn module(path: &Path) -> String {
    let path = path.strip_prefix("src").expect("it is below src").with_extension("");
    let mut parts: Vec<_> =
        path.iter().map(|part| part.to_str().expect("paths here are UTF-8")).collect();
    if matches!(parts.last(), Some(&"mod" | &"lib" | &"main")) {
        parts.pop();
    }
    parts.join("::")
}

/// The paths that a file names, whole: `crate::` is left out, and `super::` is resolved.
fn names(path: &Path) -> Vec<String> {
    let text = code(path).join(" ");
    let text = text.split("#[cfg(test)] mod").next().expect("there is a first part");
    let own = module(path);
    let parent = own.rsplit_once("::").map_or("", |(parent, _)| parent);
    let mut found = Vec::new();
    for (root, prefix) in [("crate::", ""), ("super::", parent), ("self::", own.as_str())] {
        let starts = text.match_indices(root).map(|(start, _)| start);
        for start in starts.filter(|&start| !is_inside_a_word(text, start)) {
            let rest = &text[start + root.len()..];
            found.extend(tree(rest).into_iter().map(|name| join(prefix, &name)));
        }
    }
    found
}

fn is_inside_a_word(text: &str, start: usize) -> bool {
    text[..start].ends_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | ':' | '$'))
}

fn join(prefix: &str, name: &str) -> String {
    match (prefix, name.strip_prefix("super::")) {
        ("", _) => name.to_owned(),
        (prefix, Some(name)) => join(prefix.rsplit_once("::").map_or("", |(up, _)| up), name),
        (prefix, None) => format!("{prefix}::{name}"),
    }
}

/// The paths of a use tree: of `a::{b, c::d}` those are `a::b` and `a::c::d`.
fn tree(text: &str) -> Vec<String> {
    let end = text.find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | ':')));
    let (path, rest) = text.split_at(end.unwrap_or(text.len()));
    let Some(inner) = rest.strip_prefix('{').filter(|_| path.is_empty() || path.ends_with("::"))
    else {
        return vec![path.to_owned()];
    };
    let (mut depth, mut start, mut found) = (0, 0, Vec::new());
    for (at, c) in inner.char_indices() {
        let ends = depth == 0 && matches!(c, ',' | '}');
        if ends && !inner[start..at].trim().is_empty() {
            found.extend(tree(inner[start..at].trim()).iter().map(|name| format!("{path}{name}")));
        }
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => start = at + 1,
            _ => {}
        }
    }
    found
}

fn layer(module: &str) -> Option<usize> {
    let first = module.split("::").next().expect("there is a first part");
    LAYERS.iter().position(|layer| layer.contains(&first))
}

#[test]
fn a_file_uses_its_own_layer_and_those_below() {
    let mut wrong = Vec::new();
    for path in sources("src").iter().filter(|path| !path.ends_with("tests.rs")) {
        let Some(own) = layer(&module(path)) else { continue };
        let above = |name: &String| {
            let is_program = name.starts_with("program::");
            is_program || layer(name).is_some_and(|used| used > own)
        };
        let names = names(path).into_iter().filter(above);
        wrong.extend(names.map(|name| format!("{} uses {name}", path.display())));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The module among `modules` that a path leads into.
fn owner<'a>(modules: &'a [String], name: &str) -> Option<&'a String> {
    let mut prefix = name;
    loop {
        if let Some(found) = modules.iter().find(|module| *module == prefix) {
            return Some(found);
        }
        prefix = prefix.rsplit_once("::")?.0;
    }
}

#[test]
fn no_files_use_each_other_in_a_circle() {
    let paths: Vec<_> =
        sources("src").into_iter().filter(|path| !path.ends_with("tests.rs")).collect();
    let modules: Vec<_> = paths.iter().map(|path| module(path)).collect();
    // A parent declares its children and re-exports their names, which is not a use.
    let related = |a: &str, b: &str| {
        a == b || b.starts_with(&format!("{a}::")) || a.starts_with(&format!("{b}::"))
    };
    let mut arrows: Vec<Vec<usize>> = Vec::new();
    for (path, own) in paths.iter().zip(&modules) {
        let used = names(path);
        let used = used.iter().filter_map(|name| owner(&modules, name));
        let used = used.filter(|other| !other.is_empty() && !related(own, other));
        let mut used: Vec<_> =
            used.filter_map(|other| modules.iter().position(|module| module == other)).collect();
        used.sort_unstable();
        used.dedup();
        arrows.push(used);
    }
    let mut left: Vec<usize> = (0..modules.len()).collect();
    loop {
        let before = left.len();
        let kept = left.clone();
        left.retain(|&file| arrows[file].iter().any(|used| kept.contains(used)));
        if left.len() == before {
            break;
        }
    }
    // The files that are left use a circle or are part of one; a file that none of them uses is not part.
    loop {
        let before = left.len();
        let kept = left.clone();
        left.retain(|file| kept.iter().any(|&user| arrows[user].contains(file)));
        if left.len() == before {
            break;
        }
    }
    let circle: Vec<_> = left.iter().map(|&file| modules[file].as_str()).collect();
    assert!(circle.is_empty(), "{}", circle.join("\n"));
}

#[test]
fn base_and_sys_do_not_use_clap() {
    for path in sources("src/base").into_iter().chain(sources("src/sys")) {
        let found = code(&path).into_iter().find(|line| line.contains("clap"));
        assert_eq!(found, None, "{}", path.display());
    }
}

#[test]
fn commands_make_no_system_calls_of_their_own() {
    for path in sources("src/cmd").iter().filter(|path| !path.ends_with("tests.rs")) {
        let calls = [
            "nix::unistd",
            "nix::fcntl",
            "nix::poll",
            "nix::sys::socket",
            "nix::sys::mman",
            "nix::mqueue",
        ];
        let found =
            code(path).into_iter().find(|line| calls.iter().any(|call| line.contains(call)));
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
        let name = path.file_stem().expect("it has a name").to_str().expect("paths here are UTF-8");
        assert!(name == "main" || main.contains(&format!("mod {name};")), "{name} is forgotten");
    }
}
