//! Finds what a word of a command line is: a noun, a verb, an option, a value or a part of COMMAND.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use clap::{Arg, ArgAction, Command};

use super::values::{self, Asked};
use super::{Answer, Candidate, Cursor};
use crate::app::command::{Noun, Verb};
use crate::applet;
use crate::program::catalog::{COMMANDS, NOUNS};

/// What may stand behind these words, of which the first is the name of the program.
pub fn answer(words: &[OsString], cursor: Cursor<'_>) -> Answer {
    let implied = applet::name_of_program(words).and_then(noun_called);
    let mut at = 1.min(words.len());
    let is_help = implied.is_none() && words.get(at).is_some_and(|word| word == "help");
    at += usize::from(is_help);
    let noun = implied.or_else(|| {
        let noun = noun_called(words.get(at)?)?;
        at += 1;
        Some(noun)
    });
    let verbs = noun.map_or(COMMANDS, |noun| noun.verbs);
    let Some(word) = words.get(at) else {
        return Answer::Words(first_words(noun, verbs, is_help, cursor.word));
    };
    let is_called = |verb: &&Verb| word == verb.name || verb.alias.is_some_and(|name| word == name);
    match verbs.iter().find(is_called) {
        Some(verb) if !is_help => after_verb(noun, verb, &words[at + 1..], at + 1, cursor),
        _ => Answer::Words(Vec::new()),
    }
}

fn noun_called(word: impl AsRef<OsStr>) -> Option<&'static Noun> {
    NOUNS.iter().find(|noun| word.as_ref() == noun.name)
}

/// The words before the options: verbs, and nouns if none is given.
fn first_words(
    noun: Option<&Noun>,
    verbs: &'static [Verb],
    is_help: bool,
    current: &OsStr,
) -> Vec<Candidate> {
    if current.as_bytes().starts_with(b"-") {
        let version = Candidate::new("--version", "Print version");
        return vec![Candidate::new("--help", "Print help"), version];
    }
    let mut words = Vec::new();
    if noun.is_none() {
        words.extend(NOUNS.iter().map(|noun| Candidate::new(noun.name, noun.about)));
    }
    words.extend(verbs.iter().map(values::described));
    if noun.is_none() && !is_help {
        words.push(Candidate::new("help", "Print help"));
    }
    words
}

/// The answer behind a verb. `words` are those between the verb, which has the index `start` - 1, and the
/// cursor.
fn after_verb(
    noun: Option<&'static Noun>,
    verb: &'static Verb,
    words: &[OsString],
    start: usize,
    cursor: Cursor<'_>,
) -> Answer {
    let mut words = words.to_vec();
    (verb.translate)(&mut words);
    let command = verb.arguments();
    let mut line = Line::new(&command);
    for (index, word) in words.iter().enumerate() {
        if word == "--" && line.runs_command() && line.awaiting.is_none() {
            let last = line.last_separator(&words[index + 1..]);
            return Answer::Command(start + index + 1 + last);
        }
        line.take(word);
    }
    Answer::Words(line.candidates(noun, verb, cursor))
}

/// The words of a verb before the cursor.
struct Line<'a> {
    arguments: Vec<&'a Arg>,
    given: Vec<(&'a Arg, &'a OsStr)>,
    operands: Vec<&'a OsStr>,
    /// The option whose value comes next.
    awaiting: Option<&'a Arg>,
    /// Whether `--` has ended the options.
    has_ended: bool,
}

impl<'a> Line<'a> {
    fn new(command: &'a Command) -> Self {
        Self {
            arguments: command.get_arguments().filter(|arg| !arg.is_hide_set()).collect(),
            given: Vec::new(),
            operands: Vec::new(),
            awaiting: None,
            has_ended: false,
        }
    }

    fn runs_command(&self) -> bool {
        self.arguments.iter().any(|arg| arg.is_last_set())
    }

    /// The number of words up to the last COMMAND of a verb that separates COMMANDs by a word.
    fn last_separator(&self, words: &[OsString]) -> usize {
        let is_separator = |arg: &&&Arg| arg.get_id() == "separator";
        let Some(separator) = self.arguments.iter().find(is_separator) else { return 0 };
        let given = self.given.iter().rev().find(|(arg, _)| arg.get_id() == separator.get_id());
        let word = given.map_or(OsStr::new("--"), |&(_, word)| word);
        words.iter().rposition(|other| other == word).map_or(0, |index| index + 1)
    }

    /// Takes the next word.
    fn take(&mut self, word: &'a OsString) {
        let bytes = word.as_bytes();
        if let Some(option) = self.awaiting.take() {
            self.given.push((option, word));
        } else if self.has_ended || !bytes.starts_with(b"-") || bytes == b"-" {
            self.operands.push(word);
        } else if bytes == b"--" {
            self.has_ended = true;
        } else if let Some(name) = bytes.strip_prefix(b"--") {
            self.take_long(name);
        } else {
            self.take_letters(word);
        }
    }

    fn take_long(&mut self, word: &'a [u8]) {
        let (name, value) = match word.iter().position(|&byte| byte == b'=') {
            Some(at) => (&word[..at], Some(OsStr::from_bytes(&word[at + 1..]))),
            None => (word, None),
        };
        let Some(option) = self.long(name) else { return };
        match value {
            None if awaits_word(option) => self.awaiting = Some(option),
            value => self.given.push((option, value.unwrap_or_default())),
        }
    }

    fn take_letters(&mut self, word: &'a OsStr) {
        let letters = &word.as_bytes()[1..];
        for (index, letter) in letters.iter().enumerate() {
            let is_it = |arg: &&&Arg| arg.get_short() == Some(char::from(*letter));
            let Some(option) = self.arguments.iter().find(is_it).copied() else {
                // It is a number, such as -5.
                return self.operands.push(word);
            };
            let rest = OsStr::from_bytes(&letters[index + 1..]);
            if option.get_action().takes_values() {
                match rest.is_empty() && awaits_word(option) {
                    true => self.awaiting = Some(option),
                    false => self.given.push((option, rest)),
                }
                return;
            }
            self.given.push((option, OsStr::new("")));
        }
    }

    fn long(&self, name: &[u8]) -> Option<&'a Arg> {
        let is_it = |arg: &&&Arg| arg.get_long().is_some_and(|long| long.as_bytes() == name);
        self.arguments.iter().find(is_it).copied()
    }

    fn candidates(
        &self,
        noun: Option<&'static Noun>,
        verb: &'static Verb,
        cursor: Cursor<'_>,
    ) -> Vec<Candidate> {
        let asked = |word| Asked {
            noun,
            verb,
            cursor: Cursor { word, ..cursor },
            operands: &self.operands,
        };
        if let Some(option) = self.awaiting {
            return values::of(option, &asked(cursor.word));
        }
        let bytes = cursor.word.as_bytes();
        if !self.has_ended && bytes.starts_with(b"-") {
            let equals = bytes.iter().position(|&byte| byte == b'=');
            let Some(equals) = equals.filter(|_| bytes.starts_with(b"--")) else {
                return self.options(bytes);
            };
            let Some(option) = self.long(&bytes[2..equals]) else { return Vec::new() };
            let (name, value) = bytes.split_at(equals + 1);
            let values = values::of(option, &asked(OsStr::from_bytes(value)));
            return values.into_iter().map(|candidate| candidate.behind(name)).collect();
        }
        match self.operand() {
            Some(operand) => values::of(operand, &asked(cursor.word)),
            None if self.has_ended => Vec::new(),
            None => self.after_operands(),
        }
    }

    /// The operand that comes next.
    fn operand(&self) -> Option<&'a Arg> {
        let mut operands =
            self.arguments.iter().copied().filter(|arg| arg.is_positional() && !arg.is_last_set());
        let last = operands.clone().next_back()?;
        let repeats = matches!(last.get_action(), ArgAction::Append);
        operands.nth(self.operands.len()).or_else(|| repeats.then_some(last))
    }

    /// What may follow all operands: COMMAND, or options.
    fn after_operands(&self) -> Vec<Candidate> {
        let command = self.arguments.iter().find(|arg| arg.is_last_set());
        match command {
            Some(command) => vec![Candidate::new("--", help(command.get_help()))],
            None => self.options(b"--"),
        }
    }

    /// The options that begin so, without those that are given and cannot be repeated.
    fn options(&self, beginning: &[u8]) -> Vec<Candidate> {
        let is_given =
            |arg: &Arg| self.given.iter().any(|(given, _)| given.get_id() == arg.get_id());
        let repeats = |arg: &Arg| matches!(arg.get_action(), ArgAction::Append | ArgAction::Count);
        let mut options: Vec<&Arg> = (self.arguments.iter().copied())
            .filter(|arg| !arg.is_positional() && (repeats(arg) || !is_given(arg)))
            .collect();
        options.sort_by_key(|arg| arg.get_long());
        let mut candidates = Vec::new();
        for option in options {
            let about = help(option.get_help());
            if let Some(letter) = option.get_short().filter(|_| !beginning.starts_with(b"--")) {
                candidates.push(Candidate::new(format!("-{letter}"), about.clone()));
            }
            candidates
                .extend(option.get_long().map(|long| Candidate::new(format!("--{long}"), about)));
        }
        candidates
    }
}

/// Whether the value of an option is the next word, if it is not in the same.
fn awaits_word(option: &Arg) -> bool {
    option.get_action().takes_values() && !option.is_require_equals_set()
}

fn help(text: Option<&clap::builder::StyledStr>) -> String {
    text.map(ToString::to_string).unwrap_or_default()
}
