//! Reads plain command lines without clap.
//!
//! Most command lines are plain: known options, each once, and simple values. `#[derive(Plain)]`
//! reads the same attributes as clap's derive, and reads such lines without building a parser,
//! which was a third of the run of a short command. It reports no errors: if any word is unusual
//! (an empty value, a negative fraction as an operand), clap reads the whole line. Tests compare
//! both readers for every verb, and check that this one reads every option.

use std::ffi::{OsStr, OsString};
use std::ops::RangeBounds;
use std::os::unix::ffi::OsStrExt;
use std::slice::Iter;
use std::str::FromStr;

pub use ipc_derive::Plain;

/// Arguments that can be read from a plain command line.
pub trait Plain: Sized {
    /// The first line of the documentation, which clap has as the description of a command.
    const ABOUT: &'static str;

    /// The kind of the option of this name, if it is one of these arguments.
    fn option(name: &[u8]) -> Option<Known>;

    /// Consumes the words of these arguments; `None` if clap must read the line.
    fn read(line: &mut Line<'_>) -> Option<Self>;
}

/// Two structs of arguments side by side.
impl<A: Plain, B: Plain> Plain for (A, B) {
    const ABOUT: &'static str = B::ABOUT;

    fn option(name: &[u8]) -> Option<Known> {
        A::option(name).or_else(|| B::option(name))
    }

    fn read(line: &mut Line<'_>) -> Option<Self> {
        Some((A::read(line)?, B::read(line)?))
    }
}

/// Reads a command line, if it is plain.
pub fn read<T: Plain>(words: &[OsString]) -> Option<T> {
    let mut line = Line::new(words, T::option)?;
    T::read(&mut line).filter(|_| line.is_understood())
}

/// The name of an argument as a number: the comparison of two needs no text and few instructions.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Id(u32);

impl Id {
    /// The number of a name: the hash FNV-1a, which differs for all arguments of a verb.
    pub const fn of(name: &str) -> Self {
        let (name, mut hash, mut index) = (name.as_bytes(), 0x811c_9dc5_u32, 0);
        while index < name.len() {
            hash = (hash ^ name[index] as u32).wrapping_mul(0x0100_0193);
            index += 1;
        }
        Self(hash)
    }
}

/// A kind of option, with the name of the argument.
#[derive(Clone, Copy, Debug)]
pub enum Known {
    /// An option without a value.
    Flag(Id),
    /// An option with a value.
    Value(Id),
    /// An option with a value after an equals sign, or this one.
    OptionalValue(Id, &'static str),
    /// An option with a value that can be given several times.
    Values(Id),
    /// Not an option, but a negative number among the operands after the first.
    Number,
}

/// The kind of the option of a name, as [`Plain::option`].
pub type Options = fn(&[u8]) -> Option<Known>;

/// A value that is read from one word.
pub trait Word: Sized {
    /// Reads a word; `None` if it is invalid or not plain.
    fn read(word: &OsStr) -> Option<Self>;
}

impl<T: FromStr> Word for T {
    fn read(word: &OsStr) -> Option<Self> {
        word.to_str()?.parse().ok()
    }
}

/// A function that reads a word, as [`Word::read`].
pub type Reader<T> = fn(&OsStr) -> Option<T>;

/// Reads a word by a function that takes ownership.
pub fn owned<T, E>(word: &OsStr, parse: impl FnOnce(OsString) -> Result<T, E>) -> Option<T> {
    parse(word.to_owned()).ok()
}

/// Whether a number of any type is in a range.
pub fn is_within(number: impl Into<i128>, range: impl RangeBounds<i128>) -> bool {
    range.contains(&number.into())
}

/// A plain command line, whose words the arguments consume.
#[derive(Debug, Default)]
pub struct Line<'a> {
    options: Vec<(Id, Option<&'a OsStr>)>,
    operands: std::vec::IntoIter<&'a OsStr>,
    command: Option<&'a [OsString]>,
    /// The arguments that have consumed operands.
    taken: Vec<Id>,
    rules: Vec<Rule>,
    /// Groups of arguments of which one is required.
    needs: Vec<&'static [Id]>,
    is_for_clap: bool,
}

/// The conditions of an argument that is given.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// Arguments that conflict with it.
    pub excludes: &'static [Id],
    /// Arguments that it requires.
    pub requires: &'static [Id],
}

// These methods are not inlined: copies for each verb were a tenth of the program.
impl<'a> Line<'a> {
    /// Separates options from operands.
    #[inline(never)]
    pub fn new(words: &'a [OsString], known: Options) -> Option<Self> {
        let (mut line, mut operands) = (Self::default(), Vec::new());
        let mut words = words.iter();
        while let Some(word) = words.next() {
            // The word itself, as a text of the program would be on another page.
            if word == "--" && known(word.as_bytes()).is_some() {
                line.command = Some(words.as_slice());
                break;
            }
            if word == "--" {
                operands.extend(words.map(|word| some(word)).collect::<Option<Vec<_>>>()?);
                break;
            }
            let is_number = is_negative(word) && !operands.is_empty();
            let is_operand = is_number && matches!(known(b"-1"), Some(Known::Number));
            if is_operand || !word.as_bytes().starts_with(b"-") {
                operands.push(some(word)?);
                continue;
            }
            line.take_option(word, &mut words, known)?;
        }
        line.operands = operands.into_iter();
        Some(line)
    }

    /// Consumes the options of one word, and the next word if it is the value of the last option.
    fn take_option(
        &mut self,
        word: &'a OsStr,
        following: &mut Iter<'a, OsString>,
        known: Options,
    ) -> Option<()> {
        let bytes = word.as_bytes();
        if bytes.starts_with(b"--") {
            let (name, attached) = split(bytes);
            if name == b"--" {
                return None;
            }
            return self.push(known(name)?, attached, following);
        }
        let mut letters = bytes.get(1..).filter(|letters| !letters.is_empty())?;
        while let Some((letter, rest)) = letters.split_first() {
            // `--` and `-1` belong to COMMAND or are numbers, not options.
            if !letter.is_ascii_alphanumeric() {
                return None;
            }
            let option = known(&[b'-', *letter])?;
            if !matches!(option, Known::Flag(_)) {
                // The meaning of an equals sign here is left to clap.
                let attached = (!rest.is_empty()).then_some(rest);
                let is_plain = !rest.starts_with(b"=");
                return self.push(option, attached, following).filter(|()| is_plain);
            }
            self.push(option, None, following)?;
            letters = rest;
        }
        Some(())
    }

    /// Adds an option, with its value in the same word or the next.
    fn push(
        &mut self,
        option: Known,
        attached: Option<&'a [u8]>,
        following: &mut Iter<'a, OsString>,
    ) -> Option<()> {
        let value = match (option, attached) {
            (Known::Flag(_), None) => None,
            (Known::Flag(_), Some(_)) | (Known::Number, _) => return None,
            (Known::OptionalValue(_, word), None) => Some(OsStr::new(word)),
            (_, Some(value)) => Some(some(OsStr::from_bytes(value))?),
            // A value may begin with a dash, as in `Verb::command`.
            (_, None) => Some(some(following.next()?)?),
        };
        match option {
            Known::Flag(name) | Known::Value(name) | Known::Values(name) => {
                self.options.push((name, value));
            }
            Known::OptionalValue(name, _) => self.options.push((name, value)),
            Known::Number => {}
        }
        Some(())
    }

    /// Whether this option is given.
    #[inline(never)]
    pub fn flag(&self, name: Id) -> bool {
        self.options.iter().any(|&(given, _)| given == name)
    }

    /// The value of this option, if it is given. The last one applies, but all must be valid.
    #[inline(never)]
    pub fn value<T>(&mut self, name: Id, read: Reader<T>) -> Option<T> {
        let mut last = None;
        for (_, value) in self.options.iter().filter(|&&(given, _)| given == name) {
            last = value.and_then(read);
            self.is_for_clap |= last.is_none();
        }
        last
    }

    /// All values of this option.
    #[inline(never)]
    pub fn values<T>(&mut self, name: Id, read: Reader<T>) -> Vec<T> {
        let mut values = Vec::new();
        for (_, value) in self.options.iter().filter(|&&(given, _)| given == name) {
            let value = value.and_then(read);
            self.is_for_clap |= value.is_none();
            values.extend(value);
        }
        values
    }

    /// The next operand, if any.
    #[inline(never)]
    pub fn operand<T>(&mut self, name: Id, read: Reader<T>) -> Option<T> {
        let word = self.operands.next()?;
        self.taken.push(name);
        self.word(word, read)
    }

    /// All other operands.
    #[inline(never)]
    pub fn operands<T>(&mut self, name: Id, read: Reader<T>) -> Vec<T> {
        let words = std::mem::take(&mut self.operands);
        if !words.as_slice().is_empty() {
            self.taken.push(name);
        }
        words.filter_map(|word| self.word(word, read)).collect()
    }

    /// All words after `--`.
    #[inline(never)]
    pub fn command<T>(&mut self, name: Id, read: Reader<T>) -> Vec<T> {
        let words = self.command.take().unwrap_or_default();
        if !words.is_empty() {
            self.taken.push(name);
        }
        words.iter().filter_map(|word| self.word(word, read)).collect()
    }

    fn word<T>(&mut self, word: &OsStr, read: Reader<T>) -> Option<T> {
        let value = read(word);
        self.is_for_clap |= value.is_none();
        value
    }

    /// Requires one of these arguments; otherwise clap reads the line.
    pub fn need(&mut self, names: &'static [Id]) {
        self.needs.push(names);
    }

    /// Requires exactly one of these arguments.
    pub fn need_one(&mut self, names: &'static [Id]) {
        self.need(names);
        self.is_for_clap |= names.iter().filter(|&&name| self.is_given(name)).count() > 1;
    }

    /// Applies a rule if this argument is given.
    pub fn rule(&mut self, name: Id, rule: Rule) {
        if self.is_given(name) {
            self.rules.push(rule);
        }
    }

    fn is_given(&self, name: Id) -> bool {
        self.flag(name) || self.taken.contains(&name)
    }

    fn is_kept(&self, rule: &Rule) -> bool {
        let is_given = |&name: &Id| self.is_given(name);
        rule.requires.iter().all(is_given) && !rule.excludes.iter().any(is_given)
    }

    /// Whether an argument has read every word, and all rules are satisfied.
    fn is_understood(&self) -> bool {
        let is_taken = self.operands.as_slice().is_empty() && self.command.is_none();
        let is_needed = |names: &&[Id]| names.iter().any(|&name| self.is_given(name));
        is_taken
            && !self.is_for_clap
            && self.needs.iter().all(is_needed)
            && self.rules.iter().all(|rule| self.is_kept(rule))
    }
}

/// A word that is not empty: the meaning of an empty word depends on the argument.
fn some(word: &OsStr) -> Option<&OsStr> {
    (!word.is_empty()).then_some(word)
}

/// Whether it is a negative decimal integer.
fn is_negative(word: &OsStr) -> bool {
    let digits = word.as_bytes().strip_prefix(b"-");
    digits.is_some_and(|digits| !digits.is_empty() && digits.iter().all(u8::is_ascii_digit))
}

/// The name of a long option, and its value in the same word.
fn split(word: &[u8]) -> (&[u8], Option<&[u8]>) {
    match word.iter().position(|&byte| byte == b'=') {
        Some(equals) => (&word[..equals], Some(&word[equals + 1..])),
        None => (word, None),
    }
}

/// Implements `Word` for an enum by the names that clap knows.
macro_rules! choice {
    ($choice:ty) => {
        impl crate::app::arguments::Word for $choice {
            fn read(word: &std::ffi::OsStr) -> Option<Self> {
                clap::ValueEnum::from_str(word.to_str()?, false).ok()
            }
        }
    };
}
pub(crate) use choice;
