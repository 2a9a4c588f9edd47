//! Completes command lines: `ipc __complete`, which the scripts in `completions/` run at each TAB.
//!
//! Nothing here knows a verb. Nouns, verbs and options are those of the catalog, and the word for the
//! value of an argument, such as PID or SIGNAL, says what may stand there.

mod files;
mod line;
mod names;
mod place;
mod shell;
#[cfg(test)]
mod tests;
mod values;

use std::ffi::{OsStr, OsString};

use self::shell::Shell;

/// The first word of a script's call. It is no verb: it is in no help, and its form is that of the scripts.
pub const WORD: &str = "__complete";

/// What may stand at the cursor.
#[derive(Debug, Eq, PartialEq)]
enum Answer {
    /// These words.
    Words(Vec<Candidate>),
    /// A COMMAND and its words, from the word of this index on: the shell knows them.
    Command(usize),
}

/// A word that may stand at the cursor.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Candidate {
    /// The word.
    value: Vec<u8>,
    /// Its description; empty if there is none.
    about: String,
    /// Whether the word can be longer than this, as the path of a directory can.
    is_open: bool,
}

impl Candidate {
    fn new(value: impl Into<Vec<u8>>, about: impl Into<String>) -> Self {
        Self { value: value.into(), about: about.into(), is_open: false }
    }

    fn open(value: impl Into<Vec<u8>>, about: impl Into<String>) -> Self {
        Self { is_open: true, ..Self::new(value, about) }
    }

    /// The same with an end to which more is added, such as an equals sign.
    fn before(self, end: &str) -> Self {
        Self { value: [&self.value, end.as_bytes()].concat(), is_open: true, ..self }
    }

    /// The same behind another beginning, such as `--kind=`.
    fn behind(self, beginning: &[u8]) -> Self {
        Self { value: [beginning, &self.value].concat(), ..self }
    }
}

/// The answer to a script: the words after `__complete` are the name of the shell, and the command line in
/// the form in which that shell has it. `None` for a shell of another version of the scripts.
pub fn answer(words: &[OsString]) -> Option<Vec<u8>> {
    let (shell, line) = words.split_first()?;
    Shell::named(shell)?.answer(line)
}

/// The place where a word is completed.
#[derive(Clone, Copy, Debug)]
struct Cursor<'a> {
    /// The part of the word before it.
    word: &'a OsStr,
    /// Whether the shell shows descriptions. Those of processes take longer than all the rest.
    is_described: bool,
}

/// What may stand in the place of the last of these words.
fn answer_to(words: &[OsString], is_described: bool) -> Option<Answer> {
    let (word, before) = words.split_last()?;
    Some(place::answer(before, Cursor { word, is_described }))
}
