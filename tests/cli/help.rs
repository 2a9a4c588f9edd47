//! `-h` is one screen, at every level; `--help` is everything.

use std::fmt::Write as _;

use crate::manual;
use crate::support::ipc;
use ipc_suite::program::NOUNS;

const LINES: usize = 24;
const COLUMNS: usize = 80;

/// The words of every command line that has help: none, each noun, each verb.
fn places() -> Vec<Vec<&'static str>> {
    let nouns = NOUNS.iter().map(|noun| vec![noun.name]);
    let verbs = manual::verbs()
        .map(|(noun, verb)| noun.into_iter().map(|noun| noun.name).chain([verb.name]).collect());
    [Vec::new()].into_iter().chain(nouns).chain(verbs).collect()
}

/// The output of `-h` or `--help` on a terminal of 80 columns.
fn help(place: &[&str], option: &str) -> String {
    ipc(place).words(&[option]).env("COLUMNS", COLUMNS.to_string()).succeeds()
}

#[test]
fn short_help_fits_a_screen_everywhere() {
    let mut offenders = String::new();
    for place in places() {
        let help = help(&place, "-h");
        let (lines, words) = (help.lines().count(), place.join(" "));
        if lines > LINES {
            let _ = writeln!(offenders, "ipc {words} -h: {lines} lines");
        }
        for line in help.lines().filter(|line| line.chars().count() > COLUMNS) {
            let _ = writeln!(offenders, "ipc {words} -h: more than {COLUMNS} columns: {line}");
        }
    }
    assert!(offenders.is_empty(), "\n{offenders}");
}

#[test]
fn a_row_of_a_listing_in_the_help_is_one_line() {
    let is_listing = |place: &&Vec<&str>| match place[..] {
        [] => true,
        [noun] => NOUNS.iter().any(|listed| listed.name == noun),
        _ => false,
    };
    for place in places().iter().filter(is_listing) {
        let help = help(place, "-h");
        let split = help.lines().find(|line| line.starts_with("           "));
        assert_eq!(split, None, "ipc {}: the description is too long", place.join(" "));
    }
}

#[test]
fn short_help_says_where_the_rest_is() {
    for place in places() {
        assert!(help(&place, "-h").contains("--help"), "{place:?}");
    }
}

#[test]
fn long_help_has_every_option_and_the_examples() {
    for (noun, verb) in manual::verbs() {
        let place: Vec<_> = noun.into_iter().map(|noun| noun.name).chain([verb.name]).collect();
        let help = help(&place, "--help");
        let command = verb.command();
        for name in command.get_arguments().filter_map(clap::Arg::get_long) {
            assert!(help.contains(&format!("--{name}")), "{place:?}: --{name} is missing");
        }
        for (_, line) in verb.examples {
            assert!(help.contains(line), "{place:?}: {line} is missing");
        }
    }
}

#[test]
fn help_for_an_unknown_word_names_the_noun_and_similar_words() {
    let tee = "ipc: fifo: unrecognized subcommand 'te'\n\
        hint: a similar subcommand exists: 'tee'\n";
    ipc(&["fifo", "help", "te"]).is(2, "", tee);
    ipc(&["help", "fifo", "te"]).is(2, "", tee);
    ipc(&["help", "fifi"]).is(
        2,
        "",
        "ipc: unrecognized subcommand 'fifi'\nhint: a similar subcommand exists: 'fifo'\n",
    );
}
