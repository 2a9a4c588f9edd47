//! Verbs and options that names on servers do not have.

use ipc_suite::program::{COMMANDS, NOUNS, Verb};

use crate::support::{binary, code, ipc, skipped, text};

/// The verbs for names on servers.
const VERBS: [(&str, &[&str]); 7] = [
    ("door", &["serve", "call"]),
    ("lock", &["run", "test", "ls"]),
    ("mq", &["create", "send", "recv", "wait", "stat", "ls", "rm"]),
    ("sem", &["run", "barrier", "stat", "ls", "rm"]),
    ("shm", &["create", "write", "cat", "peek", "poke", "add", "cas", "wait", "stat", "ls", "rm"]),
    ("signal", &["send", "wait"]),
    ("spool", &["create", "put", "take", "ls", "stat", "requeue", "rm"]),
];

/// A name on a server that is never connected to.
const NAME: &str = "nats://127.0.0.1:1/x";

fn is_there() -> bool {
    let is_there = binary().with_file_name("ipc-remote").exists();
    if !is_there {
        skipped("there is no ipc-remote beside ipc");
    }
    is_there
}

fn has_operand(verb: &Verb) -> bool {
    verb.command().get_positionals().any(|operand| !operand.is_last_set())
}

#[test]
fn every_other_verb_with_a_name_says_why_it_has_none_on_a_server() {
    if !is_there() {
        return;
    }
    let of_nouns = NOUNS.iter().flat_map(|noun| {
        let known = VERBS.iter().find(|(name, _)| *name == noun.name).map_or(&[][..], |it| it.1);
        let others = noun.verbs.iter().filter(|verb| !known.contains(&verb.name));
        others.filter(|verb| has_operand(verb)).map(|verb| vec![noun.name, verb.name])
    });
    // The operands of the others are words.
    let has_objects = |verb: &&Verb| !["applets", "guide", "man"].contains(&verb.name);
    let commands = COMMANDS.iter().filter(has_objects).map(|verb| vec![verb.name]);
    let mut count = 0;
    for words in of_nouns.chain(commands) {
        let output = ipc(&words).words(&[NAME]).output();
        let message = text(&output.stderr);
        let start = format!("ipc: {}: ", words.join(" "));
        let hint = "hint: ipc-remote(7) has the verbs for names on servers\n";
        let says_why = message.starts_with(&start) && message.ends_with(hint);
        assert_eq!((code(&output), says_why), (2, true), "{words:?}: {message}");
        assert!(!message.contains("no such verb"), "{words:?}: {message}");
        count += 1;
    }
    assert!(count > 40, "{count}");
}

#[test]
fn an_option_that_has_no_meaning_on_a_server_is_refused_with_the_reason() {
    if !is_there() {
        return;
    }
    for (words, option, reason) in [
        (&["mq", "recv", "--type", "3"][..], "--type", "has priorities, not types"),
        (&["mq", "create", "-m600"], "-m", "the accounts of the server decide"),
        (&["lock", "run", "-s"], "-s", "has one holder"),
        (&["shm", "peek", "--guard", "/s"], "--guard", "whole or not there"),
        (&["shm", "wait", "--poll=1s", "--change"], "--poll", "reports each change"),
        (&["spool", "take", "--log", "1K"], "--log", "keeps no files"),
        (&["door", "serve", "--allow-uid", "0"], "--allow-uid", "does not know the users"),
    ] {
        let output = ipc(words).words(&[NAME]).output();
        let message = text(&output.stderr);
        let [noun, verb] = [words[0], words[1]];
        let start = format!("ipc: {noun} {verb}: {option}: ");
        let is_refused = message.starts_with(&start) && message.contains(reason);
        assert_eq!((code(&output), is_refused), (2, true), "{words:?}: {message}");
        let hint = format!("hint: 'ipc {noun} {verb} nats://HOST/NAME --help' has the options");
        assert!(message.contains(&hint), "{message}");
    }
    let help = ipc(&["mq", "recv", "nats://HOST/NAME", "--help"]).succeeds();
    assert!(help.contains("--creds"), "{help}");
}

#[test]
fn a_path_that_looks_like_a_name_on_a_server_is_a_path() {
    let directory = tempfile::tempdir().unwrap();
    let run = ipc(&["lock", "test", "./nats:x"]).within(directory.path());
    assert_ne!(code(&run.output()), 2);
}
