//! The reader without clap and clap read a command line as the same options.

use std::cell::Cell;
use std::ffi::OsString;

use clap::{Arg, Command};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, TestError, TestRunner};

use crate::app::arguments::Id;
use crate::app::command::{Verb, VerbPath};
use crate::program::{COMMANDS, NOUNS};

fn verb_paths() -> impl Iterator<Item = VerbPath> {
    let with_noun = NOUNS
        .iter()
        .flat_map(|noun| noun.verbs.iter().map(move |verb| VerbPath { noun: Some(noun), verb }));
    with_noun.chain(COMMANDS.iter().map(|verb| VerbPath { noun: None, verb }))
}

#[test]
fn the_numbers_of_all_arguments_differ() {
    let mut names: Vec<String> = verb_paths()
        .flat_map(|path| {
            let command = path.verb.command();
            let arguments = command.get_arguments();
            arguments.map(|argument| argument.get_id().to_string()).collect::<Vec<_>>()
        })
        .collect();
    names.sort_unstable();
    names.dedup();
    assert!(names.len() > 50, "{names:?}");
    for (place, name) in names.iter().enumerate() {
        let same = names[..place].iter().find(|other| Id::of(other) == Id::of(name));
        assert_eq!(same, None, "the number of {name}");
    }
}

#[test]
fn the_description_of_a_verb_is_that_of_clap() {
    for path in verb_paths() {
        let about = path.verb.command().get_about().map(ToString::to_string);
        assert_eq!(about.as_deref(), Some(path.verb.about));
    }
}

/// Words that some argument accepts, and words that none accepts.
const WORDS: &[&str] = &[
    "/name",
    "name",
    "sysv:1",
    "sysv:id=2",
    "./path",
    "@abstract",
    "tcp:localhost:80",
    "fd:3",
    "0",
    "1",
    "3",
    "+5",
    "-1",
    "-7",
    "007",
    "65536",
    "4294967296",
    "10s",
    "5",
    "1m",
    "4K",
    "1MiB",
    "0644",
    "u=rw",
    "TERM",
    "RTMIN+1",
    "USR1",
    "0:10",
    "100:",
    "u32",
    "f64",
    "native",
    "len4",
    "line",
    "stream",
    "flock",
    "ofd",
    "text with spaces",
    "a=b",
    "TERM=exit",
    "",
    "-",
    "--",
    "-x",
    "--no",
    "true",
    "é",
    "stop",
];

/// An example, pieces with the positions at which they are inserted, and the words at the end.
type Line = (Index, Vec<(Index, Piece)>, usize);

/// An argument, its word, and the form in which they are written.
type Piece = (Index, Index, u8);

fn words(arguments: &[&Arg], (argument, word, how): Piece) -> Vec<OsString> {
    let argument = argument.get(arguments);
    let choices = argument.get_possible_values();
    let word = match choices.is_empty() || how % 8 == 0 {
        true => (*word.get(WORDS)).to_owned(),
        false => word.get(&choices).get_name().to_owned(),
    };
    let long = argument.get_long().map(|name| format!("--{name}"));
    let short = argument.get_short().map(|letter| format!("-{letter}"));
    let (Some(name), Some(other)) = (long.clone().or(short.clone()), short.or(long)) else {
        return vec![word.into()];
    };
    let words = match (how / 8, argument.get_action().takes_values()) {
        (0..3, _) => vec![format!("{name}={word}")],
        (3..5, _) => vec![format!("{other}{word}")],
        (5, _) => vec![name, word],
        (6, _) => vec![name],
        (7, _) => {
            let letter = other.trim_start_matches('-').chars().next().unwrap_or('x');
            vec![format!("-q{letter}{word}")]
        }
        (8..20, true) => vec![other, word],
        (_, true) => vec![name, word],
        (8..20, false) => vec![other],
        (_, false) => vec![name],
    };
    words.into_iter().map(OsString::from).collect()
}

/// The words after the verb in its examples, up to the first word that needs a shell.
fn examples(path: VerbPath) -> Vec<Vec<OsString>> {
    let call = format!("ipc {} ", path.words());
    let lines = path.verb.examples.iter().filter_map(|(_, line)| line.split_once(&call));
    let words = |line: &str| {
        let end = line.find(['|', '<', '>', '&', ';', ')', '$', '"', '\'']).unwrap_or(line.len());
        line[..end].split_whitespace().map(OsString::from).collect()
    };
    std::iter::once(Vec::new()).chain(lines.map(|(_, line)| words(line))).collect()
}

/// Reads random lines of options of a verb both ways; returns the number that clap was not needed for.
fn compare(path: VerbPath) -> Result<u32, TestError<Line>> {
    let command = path.verb.command();
    let arguments: Vec<&Arg> = command.get_arguments().collect();
    let examples = examples(path);
    let plain = Cell::new(0);
    let line = (any::<Index>(), vec((any::<Index>(), any::<Piece>()), 0..4), 0..9_usize);
    let config = Config { cases: 500, failure_persistence: None, ..Config::default() };
    TestRunner::new(config).run(&line, |(example, pieces, behind)| {
        let mut words = example.get(&examples).clone();
        for (at, piece) in pieces {
            let at = at.index(words.len() + 1);
            words.splice(at..at, self::words(&arguments, piece));
        }
        if behind < 3 {
            words.extend(["--", "a", "b"].map(OsString::from).into_iter().take(behind));
        }
        let (plainly, with_clap) = (path.verb.readings)(command.clone(), &words);
        plain.set(plain.get() + u32::from(plainly.is_some()));
        prop_assert!(
            plainly.is_none() || plainly == with_clap,
            "{words:?}: {plainly:?}, but with clap {with_clap:?}"
        );
        Ok(())
    })?;
    Ok(plain.get())
}

#[test]
fn what_is_read_without_clap_is_read_as_clap_reads_it() {
    let compare =
        |path: VerbPath| compare(path).unwrap_or_else(|error| panic!("{}: {error}", path.words()));
    let plain: u32 = verb_paths().map(compare).sum();
    assert!(plain > 1000, "only {plain} lines were read without clap");
}

/// The forms of one option, with or without a value.
fn ways(argument: &Arg, word: &str) -> Vec<Vec<String>> {
    let long = argument.get_long().map(|name| format!("--{name}"));
    let short = argument.get_short().map(|letter| format!("-{letter}"));
    let names = long.iter().chain(&short);
    if !argument.get_action().takes_values() {
        let bundled = short.iter().map(|name| vec![format!("{name}q")]);
        return names.map(|name| vec![name.clone()]).chain(bundled).collect();
    }
    let apart = names.map(|name| vec![name.clone(), word.to_owned()]);
    let with_equals = long.iter().map(|name| vec![format!("{name}={word}")]);
    let attached = short.iter().map(|name| vec![format!("{name}{word}")]);
    apart.chain(with_equals).chain(attached).collect()
}

/// Words that clap accepts as a value of this option; one empty word for an option without a value.
fn values(verb: &Verb, command: &Command, option: &Arg, example: &[OsString]) -> Vec<String> {
    if !option.get_action().takes_values() {
        return vec![String::new()];
    }
    let choices = option.get_possible_values();
    let names = choices.iter().map(|choice| choice.get_name());
    let words = names.chain(WORDS.iter().copied().filter(|word| !word.is_empty()));
    let is_value = |word: &&str| {
        let way = ways(option, word).remove(0).into_iter().map(OsString::from);
        let words: Vec<OsString> = way.chain(example.iter().cloned()).collect();
        (verb.readings)(command.clone(), &words).1.is_some()
    };
    words.filter(is_value).take(5).map(ToOwned::to_owned).collect()
}

/// The command lines of an example and one option that only clap can read.
fn left_to_clap(path: VerbPath) -> Vec<String> {
    let command = path.verb.command();
    let options = command.get_arguments().filter(|argument| !argument.is_positional());
    let examples = examples(path);
    let mut left = Vec::new();
    for (option, example) in options.flat_map(|option| examples.iter().map(move |it| (option, it)))
    {
        let values = values(path.verb, &command, option, example);
        for way in values.iter().flat_map(|value| ways(option, value)) {
            let words: Vec<OsString> =
                way.iter().map(OsString::from).chain(example.iter().cloned()).collect();
            let (plainly, with_clap) = (path.verb.readings)(command.clone(), &words);
            if with_clap.is_some() && plainly.is_none() {
                left.push(format!("{} {words:?}", path.words()));
            }
        }
    }
    left
}

#[test]
fn every_option_is_read_without_clap() {
    // The last of two options that override each other applies, which is left to clap.
    let is_overridden =
        |line: &String| line.starts_with("lock run [\"-") && line.contains("\"-s\"");
    let left: Vec<String> =
        verb_paths().flat_map(left_to_clap).filter(|line| !is_overridden(line)).collect();
    assert!(left.is_empty(), "{} lines:\n{}", left.len(), left.join("\n"));
}

#[test]
fn what_scripts_run_in_loops_is_read_without_clap() {
    for line in [
        "sem value /name",
        "sem post /name",
        "sem wait /name -t 10s",
        "sem post /name --count 1",
        "sem run /name -- true",
        "mq send -n /name hello",
        "mq recv --timeout=5 /name",
        "lock run file -- true",
        "lock run -F file -- true",
        "lock test file",
        "shm add /name --type u64 --offset 8 1",
        "shm cat /name --count 10",
        "signal send TERM 1",
        "fifo cat ./path",
    ] {
        let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        let is_called = |path: &VerbPath| line.starts_with(&format!("{} ", path.words()));
        let path = verb_paths().find(is_called).expect("there is such a verb");
        assert!((path.verb.readings)(path.verb.command(), &words[2..]).0.is_some(), "{line}");
    }
}

#[test]
fn what_is_wrong_is_left_to_clap() {
    for line in [
        "sem value",
        "sem value /name /other",
        "sem value /name -- true",
        "sem value ",
        "sem value -",
        "sem value /name --index 70000",
        "sem value /name --index",
        "sem value /name --inde 1",
        "sem value /name --help",
        "sem run /name",
        "sem run /name --",
        "sem run -q-1 /name -- true",
        "sem run --=1 /name",
        "mq send /name -nx",
        "mq send /name --nonblock=yes",
        "mq send /name -t=5",
        "mq send /name -t",
        "mq send /name -t -5",
        "mq send /name -n -t 5",
        "mq recv /name --jobs 2",
        "sock connect -q-- /run/server",
        "sem run -n-1 /name -- true",
    ] {
        let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        let is_called =
            |path: &VerbPath| format!("{line} ").starts_with(&format!("{} ", path.words()));
        let path = verb_paths().find(is_called).expect("there is such a verb");
        assert_eq!((path.verb.readings)(path.verb.command(), &words[2..]).0, None, "{line}");
    }
}
