//! The examples of README.md print what README.md shows.
//!
//! A block marked `console` is a session: one bash runs the lines that begin with `$ `, and prints the
//! lines below each. Objects are named `/my-...` there; the test replaces these names by its own.

use std::path::{Path, PathBuf};

use crate::support::{ipc, sh, skipped};

fn readme() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")
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

#[test]
fn every_verb_has_an_example_in_the_readme() {
    let text = std::fs::read_to_string(readme()).expect("there is a README.md");
    for (noun, verb) in crate::manual::verbs() {
        let words = noun.map_or(String::new(), |noun| format!("{} ", noun.name));
        let words = format!("ipc {words}{}", verb.name);
        assert!(text.contains(&words), "{words} is not in README.md");
    }
}

#[test]
fn every_session_of_the_readme_shows_what_it_says() {
    let text = std::fs::read_to_string(readme()).expect("there is a README.md");
    let sessions = sessions(&text);
    assert!(!sessions.is_empty());
    let lists_queues = ipc(&["mq", "ls"]).output().status.success();
    for (number, steps) in sessions {
        if !lists_queues && steps.iter().any(|(command, _)| command.contains("mq ls")) {
            skipped("/dev/mqueue is not mounted, and only root may mount it");
            continue;
        }
        let own = format!("/ipc-test-{}-{number}-", std::process::id());
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
                "README.md, session at line {number}: {command}"
            );
        }
    }
}
