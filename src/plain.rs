//! Plain command lines, which are understood without clap.
//!
//! Most command lines say nothing unusual: known options, each once, and words that need no second
//! look. `#[derive(Plain)]` reads the same attributes as clap's derive and understands these without
//! building a parser, which was a sixth of the whole run of a short command. It never says what is
//! wrong. Where it does not understand everything (an abbreviation, several letters behind one
//! hyphen, a value that has a parser of its own), it understands nothing, and clap reads the words
//! as if nobody had done so before. A test compares both, verb by verb.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::str::FromStr;

pub use ipc_derive::Plain;

/// Arguments that can be read from a plain command line.
pub trait Plain: Sized {
    /// What an option of this name is, if it is one of these arguments.
    fn option(name: &[u8]) -> Option<Known>;

    /// Takes what belongs to these arguments off the line; `None` if it is for clap to read.
    fn read(line: &mut Line<'_>) -> Option<Self>;
}

/// Two structs of arguments side by side.
impl<A: Plain, B: Plain> Plain for (A, B) {
    fn option(name: &[u8]) -> Option<Known> {
        A::option(name).or_else(|| B::option(name))
    }

    fn read(line: &mut Line<'_>) -> Option<Self> {
        Some((A::read(line)?, B::read(line)?))
    }
}

/// Reads words as arguments, if they are plain enough.
pub fn read<T: Plain>(words: &[OsString]) -> Option<T> {
    let mut line = Line::new(words, T::option)?;
    T::read(&mut line).filter(|_| line.is_understood())
}

/// A kind of option, with the name of the argument.
#[derive(Clone, Copy, Debug)]
pub enum Known {
    /// It stands alone.
    Flag(&'static str),
    /// A word follows it.
    Value(&'static str),
}

/// What one word can be read as.
pub trait Word: Sized {
    /// Reads a word; `None` if it means nothing, or something that needs more thought.
    fn read(word: &OsStr) -> Option<Self>;
}

impl<T: FromStr> Word for T {
    fn read(word: &OsStr) -> Option<Self> {
        word.to_str()?.parse().ok()
    }
}

/// A plain command line, of which arguments take what is theirs.
#[derive(Debug, Default)]
pub struct Line<'a> {
    options: Vec<(&'static str, Option<&'a OsStr>)>,
    operands: std::vec::IntoIter<&'a OsStr>,
    command: Option<&'a [OsString]>,
    /// The arguments that were among the operands.
    taken: Vec<&'static str>,
    rules: Vec<Rule>,
    is_for_clap: bool,
}

/// What holds beside an argument that is given.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// Arguments that may not be given as well.
    pub excludes: &'static [&'static str],
    /// Arguments that have to be.
    pub requires: &'static [&'static str],
}

// What every verb reads through is out of line: a copy for each would be a tenth of the program.
impl<'a> Line<'a> {
    /// Tells options from operands, with somebody who knows the options.
    pub fn new(words: &'a [OsString], known: impl Fn(&[u8]) -> Option<Known>) -> Option<Self> {
        let (mut line, mut operands) = (Self::default(), Vec::new());
        let mut words = words.iter();
        while let Some(word) = words.next() {
            if word == "--" {
                line.command = Some(words.as_slice());
                break;
            }
            if !word.as_bytes().starts_with(b"-") {
                operands.push(some(word)?);
                continue;
            }
            let (name, attached) = split(word);
            let option = match (known(name)?, attached) {
                (Known::Flag(name), None) => (name, None),
                (Known::Value(name), Some(value)) => (name, Some(some(value)?)),
                (Known::Value(name), None) => {
                    let value = words.next().filter(|word| !word.as_bytes().starts_with(b"-"))?;
                    (name, Some(some(value)?))
                }
                (Known::Flag(_), Some(_)) => return None,
            };
            if line.options.iter().any(|(name, _)| *name == option.0) {
                return None;
            }
            line.options.push(option);
        }
        line.operands = operands.into_iter();
        Some(line)
    }

    /// Whether this option stands there.
    #[inline(never)]
    pub fn flag(&self, name: &str) -> bool {
        self.options.iter().any(|(given, _)| *given == name)
    }

    /// The value of this option, if it stands there.
    #[inline(never)]
    pub fn value<T: Word>(&mut self, name: &str) -> Option<T> {
        let (_, value) = self.options.iter().find(|(given, _)| *given == name)?;
        self.word((*value)?)
    }

    /// The next operand, if there is one more.
    #[inline(never)]
    pub fn operand<T: Word>(&mut self, name: &'static str) -> Option<T> {
        let word = self.operands.next()?;
        self.taken.push(name);
        self.word(word)
    }

    /// All other operands.
    #[inline(never)]
    pub fn operands<T: Word>(&mut self, name: &'static str) -> Vec<T> {
        let words = std::mem::take(&mut self.operands);
        if !words.as_slice().is_empty() {
            self.taken.push(name);
        }
        words.filter_map(|word| self.word(word)).collect()
    }

    /// All that stands behind `--`.
    #[inline(never)]
    pub fn command<T: Word>(&mut self, name: &'static str) -> Vec<T> {
        let words = self.command.take().unwrap_or_default();
        if !words.is_empty() {
            self.taken.push(name);
        }
        words.iter().filter_map(|word| self.word(word)).collect()
    }

    fn word<T: Word>(&mut self, word: &OsStr) -> Option<T> {
        let value = T::read(word);
        self.want(value.is_some());
        value
    }

    /// Leaves the line to clap unless something holds.
    pub fn want(&mut self, holds: bool) {
        self.is_for_clap |= !holds;
    }

    /// Has a rule kept if this argument is given.
    pub fn rule(&mut self, name: &str, rule: Rule) {
        if self.is_given(name) {
            self.rules.push(rule);
        }
    }

    fn is_given(&self, name: &str) -> bool {
        self.flag(name) || self.taken.contains(&name)
    }

    fn is_kept(&self, rule: &Rule) -> bool {
        let is_given = |name: &&str| self.is_given(name);
        rule.requires.iter().all(is_given) && !rule.excludes.iter().any(is_given)
    }

    /// Whether every word was taken by an argument that understood it, and may stand there.
    fn is_understood(&self) -> bool {
        let is_taken = self.operands.as_slice().is_empty() && self.command.is_none();
        is_taken && !self.is_for_clap && self.rules.iter().all(|rule| self.is_kept(rule))
    }
}

/// A word that is there: what an empty one means depends on the argument.
fn some(word: &OsStr) -> Option<&OsStr> {
    (!word.is_empty()).then_some(word)
}

/// The name of an option, and the value that stands in the same word.
fn split(word: &OsStr) -> (&[u8], Option<&OsStr>) {
    let bytes = word.as_bytes();
    match bytes.iter().position(|&b| b == b'=').filter(|_| bytes.starts_with(b"--")) {
        Some(equals) => (&bytes[..equals], Some(OsStr::from_bytes(&bytes[equals + 1..]))),
        None => (bytes, None),
    }
}

/// Has the names of an enum's values read as clap reads them.
macro_rules! choice {
    ($choice:ty) => {
        impl crate::plain::Word for $choice {
            fn read(word: &std::ffi::OsStr) -> Option<Self> {
                clap::ValueEnum::from_str(word.to_str()?, false).ok()
            }
        }
    };
}
pub(crate) use choice;
