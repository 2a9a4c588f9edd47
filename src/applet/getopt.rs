//! Options in the syntax of getopt_long(3) of glibc, for utilities with the command line of an
//! original: bundled short options, abbreviated long options, and the diagnostics of glibc.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// An option of a utility.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    /// The letter after one dash.
    pub short: Option<u8>,
    /// The word after two dashes.
    pub long: Option<&'static str>,
    /// Its argument.
    pub takes: Takes,
}

/// Whether an option has an argument.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Takes {
    /// None.
    Nothing,
    /// A required one, in the same word or the next.
    Argument,
    /// An optional one, in the same word.
    OptionalArgument,
}

/// Whether options may follow operands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Order {
    /// Anywhere before `--`, unless POSIXLY_CORRECT is set.
    Any,
    /// All words after the first operand are operands.
    OptionsFirst,
}

/// A word of the command line.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Word {
    /// The option with this index, and its argument.
    Option(usize, Option<OsString>),
    /// An operand.
    Operand(OsString),
}

/// A usage error, with the sentence of glibc, without the name of the program.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Misuse {
    sentence: OsString,
    what: Wrong,
}

/// The kind of a usage error.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Wrong {
    /// The argument of an option is missing.
    Argument,
    /// Anything else.
    Word,
}

impl Misuse {
    /// An error that getopt does not detect, such as a missing operand.
    pub fn new(sentence: &str) -> Self {
        Self { sentence: sentence.into(), what: Wrong::Word }
    }

    /// The sentence.
    pub fn sentence(&self) -> &OsStr {
        &self.sentence
    }

    /// The kind of error, for utilities with sentences of their own.
    pub fn what(&self) -> Wrong {
        self.what
    }

    fn of_argument(self) -> Self {
        Self { what: Wrong::Argument, ..self }
    }
}

/// The words of a command line, in order.
#[derive(Debug)]
pub struct SharedWords<'a> {
    known: &'a [Known],
    all: &'a [OsString],
    words: std::slice::Iter<'a, OsString>,
    /// The rest of a word of bundled short options.
    bundle: &'a [u8],
    order: Order,
    only_operands: bool,
}

impl<'a> SharedWords<'a> {
    /// The words, without the name of the program.
    pub fn new(words: &'a [OsString], known: &'a [Known], order: Order) -> Self {
        let posixly = std::env::var_os("POSIXLY_CORRECT").is_some();
        let order = if posixly { Order::OptionsFirst } else { order };
        Self { known, all: words, words: words.iter(), bundle: b"", order, only_operands: false }
    }

    /// The latest word that was read to its end, which is `argv[optind - 1]` in C; `None` is the name
    /// of the program.
    pub fn latest(&self) -> Option<&'a OsString> {
        let begun = self.all.len() - self.words.len();
        let read = begun - usize::from(!self.bundle.is_empty());
        self.all[..read].last()
    }

    /// The number of words after the latest.
    pub fn left(&self) -> usize {
        self.words.len()
    }

    fn short(&mut self) -> Result<Word, Misuse> {
        let (letter, rest) = self.bundle.split_first().expect("the bundle is not empty");
        self.bundle = rest;
        let is_it = |known: &Known| known.short == Some(*letter);
        let Some(index) = self.known.iter().position(is_it) else {
            return Err(misuse(["invalid option -- '".as_bytes(), &[*letter], b"'"]));
        };
        let argument = match self.known[index].takes {
            Takes::Nothing => return Ok(Word::Option(index, None)),
            _ if !rest.is_empty() => Some(OsString::from_vec(rest.to_vec())),
            Takes::OptionalArgument => None,
            Takes::Argument => match self.words.next() {
                Some(word) => Some(word.clone()),
                None => {
                    let sentence = "option requires an argument -- '".as_bytes();
                    return Err(misuse([sentence, &[*letter], b"'"]).of_argument());
                }
            },
        };
        self.bundle = b"";
        Ok(Word::Option(index, argument))
    }

    /// A long option, of which `text` follows the two dashes.
    fn long(&mut self, text: &'a [u8]) -> Result<Word, Misuse> {
        let (name, argument) = match text.iter().position(|&b| b == b'=') {
            Some(equals) => (&text[..equals], Some(&text[equals + 1..])),
            None => (text, None),
        };
        let index = self.option(name, text)?;
        let Known { long, takes, .. } = self.known[index];
        let long = long.unwrap_or_default().as_bytes();
        let argument = argument.map(|bytes| OsString::from_vec(bytes.to_vec()));
        match (takes, argument) {
            (Takes::Nothing, Some(_)) => {
                Err(misuse([b"option '--".as_slice(), long, b"' doesn't allow an argument"]))
            }
            (Takes::Argument, None) => match self.words.next() {
                Some(word) => Ok(Word::Option(index, Some(word.clone()))),
                None => {
                    let parts = [b"option '--".as_slice(), long, b"' requires an argument"];
                    Err(misuse(parts).of_argument())
                }
            },
            (_, argument) => Ok(Word::Option(index, argument)),
        }
    }

    /// The option of this name, or the only option that it abbreviates.
    fn option(&self, name: &[u8], text: &[u8]) -> Result<usize, Misuse> {
        let options = || {
            let long = |(index, known): (usize, &Known)| Some((index, known.long?));
            self.known.iter().enumerate().filter_map(long)
        };
        if let Some((index, _)) = options().find(|(_, long)| long.as_bytes() == name) {
            return Ok(index);
        }
        let begun = || options().filter(|(_, long)| long.as_bytes().starts_with(name));
        match (begun().next(), begun().nth(1)) {
            (Some((index, _)), None) => Ok(index),
            (None, _) => Err(misuse([b"unrecognized option '--".as_slice(), text, b"'"])),
            _ => {
                let possibilities =
                    begun().map(|(_, long)| format!(" '--{long}'")).collect::<String>();
                Err(misuse([
                    b"option '--".as_slice(),
                    text,
                    b"' is ambiguous; possibilities:",
                    possibilities.as_bytes(),
                ]))
            }
        }
    }
}

impl Iterator for SharedWords<'_> {
    type Item = Result<Word, Misuse>;

    fn next(&mut self) -> Option<Self::Item> {
        if !self.bundle.is_empty() {
            return Some(self.short());
        }
        let word = self.words.next()?;
        let operand = || Some(Ok(Word::Operand(word.clone())));
        match word.as_bytes() {
            _ if self.only_operands => operand(),
            b"--" => {
                self.only_operands = true;
                self.next()
            }
            [b'-', b'-', long @ ..] => Some(self.long(long)),
            [b'-', short @ ..] if !short.is_empty() => {
                self.bundle = short;
                Some(self.short())
            }
            _ => {
                self.only_operands = self.order == Order::OptionsFirst;
                operand()
            }
        }
    }
}

fn misuse<const N: usize>(parts: [&[u8]; N]) -> Misuse {
    Misuse { sentence: OsString::from_vec(parts.concat()), what: Wrong::Word }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [Known; 4] = [
        Known { short: Some(b'm'), long: Some("mode"), takes: Takes::Argument },
        Known { short: Some(b'n'), long: Some("nonblock"), takes: Takes::Nothing },
        Known { short: Some(b'Z'), long: None, takes: Takes::OptionalArgument },
        Known { short: None, long: Some("modest"), takes: Takes::Nothing },
    ];

    fn parse(line: &str, order: Order) -> Result<Vec<Word>, String> {
        let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        let words = SharedWords::new(&words, &KNOWN, order);
        words.collect::<Result<_, _>>().map_err(|misuse| misuse.sentence.into_string().unwrap())
    }

    fn option(index: usize, argument: Option<&str>) -> Word {
        Word::Option(index, argument.map(OsString::from))
    }

    fn operand(text: &str) -> Word {
        Word::Operand(text.into())
    }

    #[test]
    fn an_argument_of_a_short_option_is_the_rest_or_the_next_word() {
        let expected = vec![option(1, None), option(0, Some("7")), option(0, Some("8"))];
        assert_eq!(parse("-nm7 -m 8", Order::Any), Ok(expected));
        assert_eq!(parse("-Z -Zx", Order::Any), Ok(vec![option(2, None), option(2, Some("x"))]));
    }

    #[test]
    fn the_latest_word_is_the_one_that_was_read_to_its_end() {
        let words = ["-nx", "-m", "7", "a"].map(OsString::from);
        let mut words = SharedWords::new(&words, &KNOWN, Order::OptionsFirst);
        let mut latest = || {
            let _ = words.next();
            words.latest().and_then(|word| word.to_str())
        };
        assert_eq!([latest(), latest(), latest()], [None, Some("-nx"), Some("7")]);
    }

    #[test]
    fn an_abbreviation_of_one_long_option_is_that_option() {
        let expected = vec![option(1, None), option(0, Some("7")), option(3, None)];
        assert_eq!(parse("--non --mode=7 --modes", Order::Any), Ok(expected));
        let ambiguous = "option '--mod' is ambiguous; possibilities: '--mode' '--modest'";
        assert_eq!(parse("--mod", Order::Any), Err(ambiguous.to_owned()));
    }

    #[test]
    fn operands_are_anywhere_or_end_the_options() {
        let expected = vec![operand("a"), option(1, None), operand("-"), operand("-n")];
        assert_eq!(parse("a -n - -- -n", Order::Any), Ok(expected));
        let expected = vec![option(1, None), operand("a"), operand("-n"), operand("--")];
        assert_eq!(parse("-n a -n --", Order::OptionsFirst), Ok(expected));
    }

    #[test]
    fn errors_have_the_sentences_of_glibc() {
        for (line, sentence) in [
            ("-x", "invalid option -- 'x'"),
            ("-m", "option requires an argument -- 'm'"),
            ("--mode", "option '--mode' requires an argument"),
            ("--nonblock=1", "option '--nonblock' doesn't allow an argument"),
            ("--x=y", "unrecognized option '--x=y'"),
        ] {
            assert_eq!(parse(line, Order::Any), Err(sentence.to_owned()), "{line}");
        }
    }
}
