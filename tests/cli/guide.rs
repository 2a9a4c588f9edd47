//! `ipc guide`.

use ipc_suite::program;
use serde_json::Value;

use crate::support::{ipc, sh};

/// The guide in JSON.
fn mechanisms() -> Vec<Value> {
    serde_json::from_str(&ipc(&["guide", "--json"]).succeeds()).expect("it is JSON")
}

fn string<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_else(|| panic!("{key} is a string"))
}

#[test]
fn the_tables_fit_a_terminal_and_have_a_line_for_each_mechanism() {
    let shown = ipc(&["guide"]).succeeds();
    assert!(shown.lines().all(|line| line.len() <= 80), "{shown}");
    for mechanism in mechanisms() {
        let name = string(&mechanism, "mechanism");
        let lines = shown.lines().filter(|line| line.split("  ").next() == Some(name));
        assert_eq!(lines.count(), 2, "{name}");
    }
}

#[test]
fn every_noun_is_in_the_guide_and_the_guide_names_only_nouns() {
    let mechanisms = mechanisms();
    let named: Vec<&str> = mechanisms.iter().map(|one| string(one, "noun")).collect();
    for noun in program::NOUNS {
        let is_known = named.contains(&noun.name);
        assert!(is_known, "{} has no entry in src/cmd/guide/facts/", noun.name);
        ipc(&["guide", noun.name]).succeeds();
    }
    let is_noun = |name: &&str| program::NOUNS.iter().any(|noun| noun.name == *name);
    assert!(named.iter().all(is_noun), "{named:?}");
}

#[test]
fn the_words_for_needs_are_no_names_of_mechanisms() {
    let mechanisms = mechanisms();
    for (word, _) in program::Guide::whole().needs {
        let clash = mechanisms
            .iter()
            .any(|one| [string(one, "mechanism"), string(one, "noun")].contains(&word));
        assert!(!clash, "{word}");
    }
}

#[test]
fn needs_give_the_mechanisms_that_meet_them_the_best_first_with_reasons() {
    let shown = ipc(&["guide", "many-writers", "messages", "survive-crash"]).succeeds();
    assert!(shown.starts_with("1. queue: message queue in shared memory\n"), "{shown}");
    assert!(
        shown.contains("\n  many-writers    yes     each message is committed whole\n"),
        "{shown}"
    );
    assert!(shown.contains("\n  $ ipc queue push --create"), "{shown}");
    assert!(!shown.contains(" no\n"), "{shown}");
}

#[test]
fn needs_that_no_mechanism_meets_are_status_1_and_the_nearest_are_shown() {
    let output = ipc(&["guide", "network", "descriptors"]).output();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "ipc: guide: no mechanism meets all of these needs\n"
    );
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(shown.contains("  network         no\n"), "{shown}");
}

#[test]
fn an_unknown_word_is_a_usage_error() {
    let hint = "hint: 'ipc guide' lists the mechanisms and the words for needs\n";
    let said = format!("ipc: guide: fats: neither a mechanism nor a need\n{hint}");
    ipc(&["guide", "fast", "fats"]).is(2, "", &said);
    let said = format!("ipc: guide: mq: a mechanism is the only operand\n{hint}");
    ipc(&["guide", "mq", "fast"]).is(2, "", &said);
}

#[test]
fn every_command_to_start_with_runs() {
    // In namespaces of their own, the names clash with no others.
    const APART: &str = "unshare --user --map-root-user --mount --ipc --net sh -c \
        'ip link set lo up; mount -t tmpfs none /dev/shm && cd /dev/shm && eval \"$0\"' \"$0\"";
    if !sh(APART).word("true").output().status.success() {
        return crate::support::skipped("user namespaces are not allowed");
    }
    for mechanism in mechanisms() {
        let start = string(&mechanism, "start");
        // A server, and a reader that stays, are ended.
        let line = format!("timeout 1 bash -c '{}'; echo $?", start.replace('\'', r"'\''"));
        let output = sh(APART).word(line).output();
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{start}");
        let shown = String::from_utf8_lossy(&output.stdout).into_owned();
        let status = shown.lines().last().unwrap_or_default();
        assert!(["0", "124"].contains(&status), "{start}: {shown}");
    }
}

#[test]
fn a_reader_that_leaves_ends_it_quietly() {
    let run = sh("ipc guide | head -1; ipc guide --json | head -c 1 >/dev/null");
    let shown = run.succeeds();
    assert!(shown.starts_with("MECHANISM"), "{shown}");
}
