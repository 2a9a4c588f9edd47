//! What is offered in each place of a command line.

use std::ffi::OsString;

use super::values::is_known;
use super::{Answer, answer_to};
use crate::program::manual::word_of;
use crate::program::{COMMANDS, NOUNS};

fn answer(line: &str) -> Answer {
    let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
    answer_to(&words, true).unwrap()
}

/// The words that are offered, as far as they begin with the last word of the line.
fn offered(line: &str) -> Vec<String> {
    let Answer::Words(words) = answer(line) else { panic!("{line}: a COMMAND") };
    let last = line.rsplit(' ').next().unwrap();
    let words = words.into_iter().map(|word| String::from_utf8_lossy(&word.value).into_owned());
    words.filter(|word| word.starts_with(last)).collect()
}

#[test]
fn the_word_for_each_value_says_what_may_stand_there() {
    let commands = NOUNS.iter().flat_map(|noun| noun.verbs).chain(COMMANDS);
    for command in commands {
        for argument in command.command().get_arguments() {
            let takes_word = argument.is_positional() || argument.get_action().takes_values();
            if !takes_word || !argument.get_possible_values().is_empty() {
                continue;
            }
            for word in word_of(argument).split('|') {
                let is_literal = word.bytes().all(|byte| byte.is_ascii_lowercase());
                let hint =
                    "add it to program/complete/values.rs, as a word for names or for a text";
                assert!(is_literal || is_known(word), "{}: {word}: {hint}", command.name);
            }
        }
    }
}

#[test]
fn nouns_and_commands_come_first_and_then_verbs() {
    assert_eq!(offered("ipc si"), ["signal"]);
    assert_eq!(offered("ipc he"), ["help"]);
    assert_eq!(offered("ipc help l"), ["lock", "limits", "ls"]);
    assert_eq!(offered("ipc --v"), ["--version"]);
    assert_eq!(offered("ipc shm c"), ["create", "cat", "cas"]);
    assert_eq!(offered("ipc no "), [""; 0]);
}

#[test]
fn a_link_implies_its_noun() {
    assert_eq!(offered("/usr/bin/sem w"), ["wait"]);
    assert_eq!(offered("sem wait --ti"), ["--timeout"]);
}

#[test]
fn options_follow_the_verb_and_are_offered_once() {
    assert_eq!(offered("ipc sem wait --no"), ["--nonblock"]);
    assert_eq!(offered("ipc sem wait -t 5 --ti"), [""; 0]);
    assert_eq!(offered("ipc sem wait -n"), ["-n"]);
    assert_eq!(offered("ipc ls --filter a=b --fil"), ["--filter"]);
}

#[test]
fn values_of_an_option_follow_it_or_an_equals_sign() {
    assert_eq!(offered("ipc ls --kind sh"), ["shm"]);
    assert_eq!(offered("ipc ls --kind=sh"), ["--kind=shm"]);
    assert_eq!(offered("ipc ls -k sh"), ["shm"]);
    assert_eq!(offered("ipc ls --sort name,si"), ["name,size"]);
    assert_eq!(offered("ipc ls --sort -si"), ["-size"]);
    assert_eq!(offered("ipc signal alarm -s KI"), ["KILL"]);
    assert_eq!(offered("ipc signal trap --on TER"), ["TERM="]);
    assert_eq!(offered("ipc shm set /x --owner root:roo"), ["root:root"]);
}

#[test]
fn operands_are_counted_without_options_and_their_values() {
    assert!(offered("ipc signal send TER").contains(&"TERM".to_owned()));
    let pid = std::process::id().to_string();
    let parent = std::os::unix::process::parent_id().to_string();
    assert!(offered(&format!("ipc signal send --value 3 TERM {parent}")).contains(&parent));
    assert!(offered(&format!("ipc signal send -TERM {parent}")).contains(&parent));
    // The process that asks is no answer.
    assert!(!offered(&format!("ipc signal send TERM {pid}")).contains(&pid));
    assert!(offered(&format!("ipc pipe stat {pid} 0")).contains(&"0".to_owned()));
}

#[test]
fn a_command_is_left_to_the_shell() {
    assert_eq!(answer("ipc lock run f -- ca"), Answer::Command(5));
    assert_eq!(answer("ipc lock run -t 5 f -- cat x"), Answer::Command(7));
    assert_eq!(answer("lock run f -- cat -- x"), Answer::Command(4));
    assert_eq!(offered("ipc lock run f "), ["--"]);
}

#[test]
fn each_command_of_a_pipeline_begins_behind_its_separator() {
    assert_eq!(answer("ipc pipe run -- seq 3 -- so"), Answer::Command(7));
    assert_eq!(answer("ipc pipe run --separator : -- a -- b : c"), Answer::Command(10));
}

#[test]
fn words_without_a_meaning_are_left_alone() {
    assert_eq!(offered("ipc shm resize /x "), [""; 0]);
    assert_eq!(offered("ipc mq send /q -- "), [""; 0]);
}

#[test]
fn pages_of_the_manual_are_nouns_with_their_verbs_and_sections() {
    assert_eq!(offered("ipc man lim"), ["limits"]);
    assert_eq!(offered("ipc man sem bar"), ["barrier"]);
    assert_eq!(offered("ipc man 5 "), ["door", "lock", "queue", "sem", "spool"]);
    assert_eq!(offered("ipc man 7 r"), ["remote"]);
}
