//! The examples of README.md and of the tour print what they show there.
//!
//! A block marked `console` is a session: one bash runs the lines that begin with `$ `, and prints the
//! lines below each. Objects are named `/my-...` there; the test replaces these names by its own.

use std::path::Path;

use ipc_suite::program;

use crate::support::{ipc, sh, skipped};

/// The document with an example of every verb.
const TOUR: &str = "docs/tour.md";

fn document(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    std::fs::read_to_string(path).expect("the document is there")
}

/// A command line and its output.
type Step = (String, String);

/// The console blocks, each with the line that it begins at.
fn sessions(text: &str) -> Vec<(usize, Vec<Step>)> {
    let mut sessions: Vec<(usize, Vec<Step>)> = Vec::new();
    let mut within = false;
    for (number, line) in text.lines().enumerate() {
        match line {
            "```console" => {
                within = true;
                sessions.push((number + 1, Vec::new()));
            }
            "```" => within = false,
            _ if !within => {}
            _ => {
                let (_, steps) = sessions.last_mut().expect("a block has begun");
                match (line.strip_prefix("$ "), steps.last_mut()) {
                    (Some(command), _) => steps.push((command.to_owned(), String::new())),
                    (None, Some((command, shown)))
                        if line.starts_with("> ") && shown.is_empty() =>
                    {
                        *command += &format!("\n{}", &line[2..]);
                    }
                    (None, Some((_, shown))) => *shown += &format!("{line}\n"),
                    (None, None) => panic!("line {}: a session begins with a command", number + 1),
                }
            }
        }
    }
    sessions
}

/// Removes the lines that depend on other processes of the machine.
fn without_notices(shown: &str) -> String {
    shown.split_inclusive('\n').filter(|line| !line.contains("could not be seen")).collect()
}

/// Runs the sessions of a document, and compares.
fn every_session_shows_what_it_says(name: &str) {
    let sessions = sessions(&document(name));
    assert!(!sessions.is_empty());
    let lists_queues = ipc(&["mq", "ls"]).output().status.success();
    for (number, steps) in sessions {
        if !lists_queues && steps.iter().any(|(command, _)| command.contains("mq ls")) {
            skipped("/dev/mqueue is not mounted, and only root may mount it");
            continue;
        }
        // The place of the session tells its objects from those of another document.
        let own = format!("/ipc-test-{}-{}-{number}-", std::process::id(), name.len());
        const END: &str = "--- end of step ---";
        let script: String =
            steps.iter().map(|(command, _)| format!("{command}\necho '{END}'\n")).collect();
        let script = script.replace("/my-", &own);
        let directory = tempfile::tempdir().expect("a directory can be made");
        let session = "exec 2>&1; exec bash -c \"$0\"";
        let shown =
            sh(session).word(script).within(directory.path()).succeeds().replace(&own, "/my-");
        let shown = without_notices(&shown);
        let mut shown =
            shown.split(&format!("{END}\n")).map(str::to_owned).collect::<Vec<_>>().into_iter();
        for (command, expected) in steps {
            let shown = shown.next();
            assert_eq!(
                shown.as_ref(),
                Some(&expected),
                "{name}, session at line {number}: {command}"
            );
        }
    }
}

#[test]
fn every_session_of_the_readme_shows_what_it_says() {
    every_session_shows_what_it_says("README.md");
}

#[test]
fn every_session_of_the_tour_shows_what_it_says() {
    every_session_shows_what_it_says(TOUR);
}

#[test]
fn every_noun_has_an_example_in_the_readme() {
    let text = document("README.md");
    for noun in program::NOUNS {
        let words = format!("**{}**: ", noun.name);
        assert!(text.contains(&words), "{words} is not in README.md");
    }
}

#[test]
fn every_verb_has_an_example_in_the_tour() {
    let text = document(TOUR);
    for (noun, verb) in crate::manual::verbs() {
        let words = noun.map_or(String::new(), |noun| format!("{} ", noun.name));
        let words = format!("ipc {words}{}", verb.name);
        assert!(text.contains(&words), "{words} is not in {TOUR}");
    }
}

#[test]
fn the_links_of_the_documents_lead_to_files() {
    for name in ["README.md", TOUR, "examples/README.md", "CONTRIBUTING.md", "ARCHITECTURE.md"] {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
        let directory = directory.parent().expect("a file is in a directory");
        for link in document(name).split("](").skip(1) {
            let path = link.split([')', '#']).next().expect("a split has a first part");
            let is_file = path.is_empty() || path.contains("://") || directory.join(path).exists();
            assert!(is_file, "{name} links to {path}");
        }
    }
}

/// Whether a word between backticks is the path of a file or a folder of the project, without a
/// placeholder such as NOUN.
fn is_a_path(word: &str) -> bool {
    let is_part = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-./".contains(c);
    word.contains('/')
        && word.starts_with(|c: char| c.is_ascii_lowercase())
        && !word.starts_with("target/")
        && word.chars().all(is_part)
}

#[test]
fn the_paths_that_the_documents_name_exist() {
    for name in ["ARCHITECTURE.md", "CONTRIBUTING.md", "docs/portability.md"] {
        let text = document(name);
        let words = text.split('`').skip(1).step_by(2);
        for path in words.filter(|word| is_a_path(word)) {
            let root = Path::new(env!("CARGO_MANIFEST_DIR"));
            let exists =
                ["", "src", "tests"].iter().any(|base| root.join(base).join(path).exists());
            assert!(exists, "{name} names {path}");
        }
    }
}
