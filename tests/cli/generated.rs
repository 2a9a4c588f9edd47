//! The manual pages and completions follow from the definitions of the commands.
//!
//! `make generate` writes them; otherwise this test compares them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use ipc_suite::program::{self, Verb};

use crate::{completion, manual};

/// Every generated file, by its path below the project.
fn expected() -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    for (name, page) in manual::pages() {
        files.insert(Path::new("man").join(name), page);
    }
    for (name, script) in completion::scripts() {
        files.insert(Path::new("completions").join(name), script.into_bytes());
    }
    files
}

/// The committed files of a generated directory.
fn committed(directory: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join(directory)).expect("the directory is committed");
    let names = entries.map(|entry| entry.expect("it can be read").file_name());
    names.map(|name| Path::new(directory).join(name)).collect()
}

/// Pages of formats, and that of the second program, have no definition that they could be generated from.
fn is_written_by_hand(path: &Path) -> bool {
    path.extension().is_some_and(|section| section == "5") || path.ends_with("ipc-remote.7")
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn generated_files_are_current() {
    let expected = expected();
    let left_over: Vec<PathBuf> = [committed("man"), committed("completions")]
        .concat()
        .into_iter()
        .filter(|path| !expected.contains_key(path) && !is_written_by_hand(path))
        .collect();
    let differing: Vec<&PathBuf> = expected
        .iter()
        .filter(|(path, bytes)| fs::read(root().join(path)).ok().as_ref() != Some(bytes))
        .map(|(path, _)| path)
        .collect();
    if std::env::var_os("IPC_GENERATE").is_some() {
        left_over
            .iter()
            .for_each(|path| fs::remove_file(root().join(path)).expect("it can be removed"));
        differing.iter().for_each(|path| {
            fs::write(root().join(path), &expected[*path]).expect("it can be written")
        });
        return;
    }
    assert!(left_over.is_empty(), "left over, 'make generate' removes them: {left_over:?}");
    assert!(
        differing.is_empty(),
        "differing or missing, 'make generate' writes them: {differing:?}"
    );
}

/// The names of a verb, and of other verbs with the same definition.
fn words(verb: &Verb) -> Vec<String> {
    let same = manual::verbs().filter(|(_, other)| std::ptr::eq(other.examples, verb.examples));
    let words = same.flat_map(|(noun, other)| {
        let noun = noun.map_or(String::new(), |noun| format!("{} ", noun.name));
        [Some(other.name), other.alias]
            .into_iter()
            .flatten()
            .map(move |name| format!("ipc {noun}{name}"))
    });
    words.collect()
}

#[test]
fn every_verb_has_examples_that_use_it() {
    for (_, verb) in manual::verbs() {
        let words = words(verb);
        assert!(!verb.examples.is_empty(), "{words:?} has no example");
        for (what, line) in verb.examples {
            assert!(
                words.iter().any(|words| line.contains(words)),
                "{words:?} is not used in: {line}"
            );
            assert!(!what.ends_with('.'), "a description ends without a full stop: {what}");
        }
    }
}

#[test]
fn every_example_is_a_command_line_that_is_understood() {
    for (_, verb) in manual::verbs() {
        for (_, line) in verb.examples {
            let parsed = crate::support::Run::new("/bin/bash", &["-n", "-c", line]).output();
            assert!(parsed.status.success(), "bash cannot read: {line}");
        }
    }
}

#[test]
fn the_definitions_hold_together() {
    program::tree().debug_assert();
}
