//! `ipc man`.

use std::fs;

use crate::manual;
use crate::peers;
use crate::support::{binary, ipc, sh};

#[test]
fn man_shows_the_page_of_a_verb_of_a_noun_and_of_the_program() {
    for (words, title) in [
        (vec!["man"], "IPC(1)"),
        (vec!["man", "sem"], "IPC-SEM(1)"),
        (vec!["man", "shm", "read"], "IPC-SHM-CAT(1)"),
        (vec!["man", "limits"], "IPC-LIMITS(1)"),
        (vec!["man", "7"], "IPC(7)"),
        (vec!["man", "5", "lock"], "IPC-LOCK(5)"),
        (vec!["man", "7", "remote"], "IPC-REMOTE(7)"),
    ] {
        let text = ipc(&words).succeeds();
        assert!(text.starts_with(title), "{text}");
        assert!(text.contains("\nSEE ALSO\n"), "{text}");
    }
}

#[test]
fn text_of_man_has_at_most_eighty_columns_except_for_examples() {
    let text = ipc(&["man", "sock", "serve"]).succeeds();
    let is_text = |line: &&str| !line.starts_with("           ");
    let long = text.lines().filter(is_text).find(|line| line.chars().count() > 80);
    assert_eq!(long, None);
}

#[test]
fn man_prints_the_source_that_is_installed() {
    let source = manual::pages().into_iter().find(|(name, _)| name == "ipc-sem-wait.1").unwrap().1;
    ipc(&["man", "--roff", "sem", "wait"]).is(0, &String::from_utf8(source).unwrap(), "");
}

#[test]
fn man_shows_every_page_that_is_written_by_hand() {
    for path in manual::committed() {
        let source = fs::read_to_string(&path).expect("it is committed");
        let name = path.file_name().and_then(|name| name.to_str()).expect("names are UTF-8");
        if manual::pages().iter().any(|(generated, _)| generated == name) {
            continue;
        }
        let (noun, section) =
            name.trim_start_matches("ipc-").split_once('.').expect("it has a section");
        ipc(&["man", "--roff", section, noun]).is(0, &source, "");
        // The text has all words, without macros.
        let text = ipc(&["man", section, noun]).succeeds();
        for line in source.lines().filter(|line| !line.contains(['.', '\\', '"'])) {
            let words: Vec<&str> = text.split_whitespace().collect();
            let words = words.join(" ");
            let line: Vec<&str> = line.split_whitespace().collect();
            assert!(words.contains(&line.join(" ")), "{name}: {line:?}");
        }
    }
}

#[test]
fn a_page_that_is_not_there_is_not_found() {
    let hint = "hint: 'ipc --help' lists the nouns and commands, 'ipc NOUN -h' the verbs, 'ipc man -h' other pages\n";
    ipc(&["man", "sem", "nap"]).is(4, "", &format!("ipc: man: sem nap: no such page\n{hint}"));
    ipc(&["man", "a\nb"]).is(4, "", &format!("ipc: man: a\\nb: no such page\n{hint}"));
}

#[test]
fn on_a_terminal_man_uses_a_formatter_or_the_pager() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let run = |path: &str| {
        let line = format!("PATH={path} PAGER=\"sed s/^/paged:/\" {} man sem", binary().display());
        Some(peers::at_terminal(&line)?.within(directory.path()).succeeds())
    };
    let man = "#!/bin/sh\ncat >/dev/null\necho formatted by man \"$@\"\n";
    fs::write(directory.path().join("man"), man).expect("it can be written");
    sh("chmod +x man; for name in sh sed cat; do ln -s \"$(command -v $name)\" $name; done")
        .within(directory.path())
        .is(0, "", "");
    let here = directory.path().to_str().expect("paths here are UTF-8");
    let Some(shown) = run(here) else { return };
    assert_eq!(shown, "formatted by man -l -\r\n");
    fs::write(directory.path().join("man"), "#!/bin/sh\nexit 1\n").expect("it can be written");
    assert!(run(here).unwrap().starts_with("paged:IPC-SEM(1)"));
}
