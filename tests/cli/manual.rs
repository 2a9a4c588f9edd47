//! The manual pages: what they are made of, and whether formatters and indexes accept them.

use std::fs;
use std::path::{Path, PathBuf};

use ipc_suite::program::manual as pages;
use ipc_suite::program::{Noun, Verb};

use crate::peers::there;
use crate::support::sh;

pub use ipc_suite::program::manual::json_type;

/// All verbs, and the nouns that they belong to.
pub fn verbs() -> impl Iterator<Item = (Option<&'static Noun>, &'static Verb)> {
    pages::verbs().map(|path| (path.noun, path.verb))
}

/// Every generated page, by its file name.
pub fn pages() -> Vec<(String, Vec<u8>)> {
    pages::files().into_iter().map(|(name, page)| (name, page.into_bytes())).collect()
}

/// The page of a verb, as roff.
pub fn page(noun: Option<&Noun>, verb: &Verb) -> String {
    let noun = noun.map_or(String::new(), |noun| format!("{}-", noun.name));
    let name = format!("ipc-{noun}{}.1", verb.name);
    let mut files = pages::files().into_iter();
    files.find(|(file, _)| *file == name).expect("each verb has a page").1
}

/// The committed pages, also those that are written by hand.
pub fn committed() -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("man");
    let entries = fs::read_dir(directory).expect("it is committed");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("it can be read").path()).collect();
    paths.sort();
    paths
}

/// All pages in one directory: those that are written by hand, and those that 'make generate' would write.
fn current() -> tempfile::TempDir {
    let directory = tempfile::tempdir().expect("a directory can be made");
    for path in committed().iter().filter(|path| path.extension().is_some_and(|end| end != "1")) {
        let name = path.file_name().expect("it is a file");
        fs::copy(path, directory.path().join(name)).expect("it can be copied");
    }
    for (name, page) in pages() {
        fs::write(directory.path().join(name), page).expect("it can be written");
    }
    directory
}

#[test]
fn mandoc_has_no_note_on_any_page() {
    if !there("mandoc", &["/dev/null"]) {
        return;
    }
    let directory = current();
    sh("mandoc -Tlint -Wall *").within(directory.path()).is(0, "", "");
}

#[test]
fn groff_has_no_warning_on_any_page() {
    if !there("groff", &["--version"]) {
        return;
    }
    let directory = current();
    let line = "for page in *; do groff -ww -man -Tutf8 -rLL=100n \"$page\" 2>&1 >/dev/null; done";
    sh(line).within(directory.path()).is(0, "", "");
}

#[test]
fn man_has_no_warning_on_any_page() {
    if !there("man", &["--version"]) {
        return;
    }
    let directory = current();
    let line =
        "for page in *; do man --warnings -E UTF-8 -l -Tutf8 -Z \"$page\" 2>&1 >/dev/null; done";
    sh(line).within(directory.path()).env("MANWIDTH", "200").is(0, "", "");
}

/// What people search for, and a page that they should find.
const SEARCHES: &[(&str, &str)] = &[
    ("shared memory", "ipc-shm (1)"),
    ("mutex", "ipc-lock-run (1)"),
    ("semaphore", "ipc-sem (1)"),
    ("timeout", "ipc-signal-alarm (1)"),
    ("broadcast", "ipc-fifo-tee (1)"),
    ("unix domain socket", "ipc-sock-serve (1)"),
    ("advisory lock", "ipc-lock (1)"),
    ("message queue", "ipc-mq (1)"),
    ("named pipe", "ipc-fifo (1)"),
    ("remote procedure call", "ipc-door (1)"),
    ("job queue", "ipc-spool (1)"),
    ("interprocess communication", "ipc (7)"),
    ("file descriptor", "ipc-fd (1)"),
];

#[test]
fn apropos_finds_the_pages_by_the_words_of_people() {
    if !there("mandb", &["--version"]) || !there("apropos", &["--version"]) {
        return;
    }
    let directory = current();
    let line = "mkdir man1 man5 man7 cache && mv *.1 man1 && mv *.5 man5 && mv *.7 man7
        printf 'MANDB_MAP %s %s/cache\\n' \"$PWD\" \"$PWD\" >manpath.conf
        mandb -q -C manpath.conf -c \"$PWD\" >/dev/null 2>&1";
    sh(line).within(directory.path()).is(0, "", "");
    for (words, page) in SEARCHES {
        let line = "apropos -C manpath.conf -M \"$PWD\" -- \"$0\"";
        let found = sh(line).word(words).within(directory.path()).env("COLUMNS", "200").succeeds();
        assert!(found.lines().any(|line| line.starts_with(page)), "{words}: {found}");
    }
}

#[test]
fn every_option_has_a_text_in_every_page() {
    for (name, page) in pages() {
        let page = String::from_utf8(page).expect("pages are UTF-8");
        let lines: Vec<&str> = page.lines().collect();
        for pair in lines.windows(3).filter(|lines| lines[0] == ".TP") {
            assert!(!pair[2].starts_with('.'), "{name}: {} has no text", pair[1]);
        }
    }
}
