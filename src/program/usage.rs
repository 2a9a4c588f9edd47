//! Usage errors, in one line and with a hint.

use std::ffi::OsString;
use std::num::{IntErrorKind, ParseIntError};

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, ValueEnum};

use super::{COMMANDS, NOUNS, Response, similar};
use crate::app::command::Verb;
use crate::base::text::escape;
use crate::io::output::Color;

/// Writes a usage error in the form of all errors: one line, and a hint.
pub fn usage_message(error: &clap::Error, verb: &str, tip: Option<String>) -> Response {
    let rendered = error.render().to_string();
    let reason = rendered.strip_prefix("error: ").unwrap_or(&rendered);
    let reason = reason.split("\n\n").next().unwrap_or(reason);
    let reason = reason.split('\n').map(str::trim).collect::<Vec<_>>().join(" ");
    let reason = refused_value(error).unwrap_or(reason);
    let help = if verb.is_empty() { "ipc --help".to_owned() } else { format!("ipc {verb} --help") };
    let hint = tip.unwrap_or_else(|| format!("try '{help}'"));
    let verb = if verb.is_empty() { String::new() } else { format!("{verb}: ") };
    let text = format!("ipc: {verb}{}\nhint: {hint}\n", escape(reason.as_bytes()));
    Response::Usage(text, Color::default())
}

/// The value of the last `--color` before a COMMAND, in words with a usage error.
pub fn color(words: &[OsString]) -> Color {
    let end = words.iter().position(|word| word == "--").unwrap_or(words.len());
    let mut color = Color::default();
    for (index, word) in words[..end].iter().enumerate() {
        let value = match word.to_str().and_then(|word| word.strip_prefix("--color")) {
            Some("") => words.get(index + 1).and_then(|value| value.to_str()),
            Some(value) => value.strip_prefix('='),
            None => None,
        };
        color = value.and_then(|value| Color::from_str(value, false).ok()).unwrap_or(color);
    }
    color
}

/// A suggestion for an unknown word.
pub fn tip(error: &clap::Error) -> Option<String> {
    let rendered = error.render().to_string();
    let tip = rendered.lines().find_map(|line| line.trim().strip_prefix("tip: "))?;
    let suggested = [
        (ContextKind::InvalidSubcommand, ContextKind::SuggestedSubcommand, "subcommand"),
        (ContextKind::InvalidArg, ContextKind::SuggestedArg, "argument"),
        (ContextKind::InvalidValue, ContextKind::SuggestedValue, "value"),
    ];
    // clap suggests words that are not similar enough.
    for (word, suggestions, what) in suggested {
        let known: Vec<&str> = match error.get(suggestions) {
            Some(ContextValue::String(one)) => vec![one],
            Some(ContextValue::Strings(several)) => several.iter().map(String::as_str).collect(),
            _ => continue,
        };
        return list_similar(text_of(error, word)?, &known, what);
    }
    // A word that begins as an option does is seldom meant as a value, except a number.
    let digit = tip.strip_prefix("to pass '-").and_then(|word| word.bytes().next());
    Some(tip.to_owned())
        .filter(|tip| !passes_value(tip) || digit.is_some_and(|byte| byte.is_ascii_digit()))
}

/// The way to pass a negative number in a form that clap does not accept, such as -inf or -0x10.
pub fn misread_number(error: &clap::Error, verb: &Command, words: &[OsString]) -> Option<String> {
    let takes_numbers = verb.get_positionals().any(clap::Arg::is_allow_negative_numbers_set);
    let is_long = matches!(error.get(ContextKind::InvalidArg),
        Some(ContextValue::String(word)) if word.starts_with("--"));
    if error.kind() != ErrorKind::UnknownArgument || is_long || !takes_numbers {
        return None;
    }
    let is_number = |word: &&str| {
        word.strip_prefix('-').is_some_and(|rest| {
            rest.starts_with(|c: char| c.is_ascii_digit() || c == '.')
                || rest.parse::<f64>().is_ok()
        })
    };
    let number = words.iter().filter_map(|word| word.to_str()).find(is_number)?;
    Some(format!("to pass '{number}' as a value, use '-- {number}'"))
}

/// Whether a tip is about passing a value that begins as an option does.
pub fn passes_value(tip: &str) -> bool {
    tip.starts_with("to pass ")
}

/// Whether `--` precedes a COMMAND, not values.
pub fn runs_command(verb: &Command) -> bool {
    verb.get_positionals().any(clap::Arg::is_last_set)
}

/// A tip for a COMMAND without `--`, which flock(1) and timeout(1) do not need.
pub fn misplaced_command(error: &clap::Error, verb: &Command) -> Option<String> {
    let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidArg) else { return None };
    let is_word = error.kind() == ErrorKind::UnknownArgument && !word.starts_with('-');
    (is_word && runs_command(verb)).then(|| "the COMMAND stands behind --".to_owned())
}

/// The reason why a value was refused, with the value as the subject.
fn refused_value(error: &clap::Error) -> Option<String> {
    let argument = text_of(error, ContextKind::InvalidArg)?;
    let value = text_of(error, ContextKind::InvalidValue)?;
    if error.kind() == ErrorKind::InvalidValue
        && value.is_empty()
        && argument.starts_with(['<', '['])
    {
        // clap says that the value is missing, but it is empty.
        return Some(format!("'': not a {}", argument.trim_matches(['<', '>', '[', ']', '.'])));
    }
    let reason =
        std::error::Error::source(error).filter(|_| error.kind() == ErrorKind::ValueValidation)?;
    let reason = match reason.downcast_ref().map(ParseIntError::kind) {
        Some(IntErrorKind::PosOverflow | IntErrorKind::NegOverflow) => "too large".to_owned(),
        Some(IntErrorKind::Zero) => "not 1 or more".to_owned(),
        Some(_) => "not a number".to_owned(),
        None => range(&reason.to_string()).unwrap_or_else(|| reason.to_string()),
    };
    let option = argument.split(' ').next().filter(|name| name.starts_with('-'));
    Some(match option {
        Some(option) => format!("{option} '{value}': {reason}"),
        None if value.is_empty() => format!("'': {reason}"),
        None => format!("{value}: {reason}"),
    })
}

/// The valid range of a number, without the notation of Rust.
fn range(reason: &str) -> Option<String> {
    let (_, range) = reason.split_once(" is not in ")?;
    let (from, to) = range.split_once("..")?;
    match to.strip_prefix('=') {
        Some(to) => Some(format!("not from {from} to {to}")),
        // The end is the maximum of the type, which is not worth a mention.
        None => Some(format!("not {from} or more")),
    }
}

/// A suggestion for a word that is neither a noun nor a verb.
pub fn similar_word(error: &clap::Error, noun: &str) -> Option<String> {
    let word = text_of(error, ContextKind::InvalidSubcommand)?;
    let names = |verb: &'static Verb| [Some(verb.name), verb.alias].into_iter().flatten();
    let known: Vec<&str> = match NOUNS.iter().find(|known| known.name == noun) {
        Some(noun) => noun.verbs.iter().flat_map(names).collect(),
        None => NOUNS.iter().map(|noun| noun.name).chain(COMMANDS.iter().flat_map(names)).collect(),
    };
    list_similar(word, &known, "subcommand")
}

/// Names the known words that a mistyped word resembles.
fn list_similar(word: &str, known: &[&str], what: &str) -> Option<String> {
    let similar: Vec<String> = known
        .iter()
        .filter(|known| similar::is_slip(word, known))
        .map(|known| format!("'{known}'"))
        .collect();
    match similar.as_slice() {
        [] => None,
        [one] => Some(format!("a similar {what} exists: {one}")),
        several => Some(format!("some similar {what}s exist: {}", several.join(", "))),
    }
}

fn text_of(error: &clap::Error, kind: ContextKind) -> Option<&str> {
    match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text),
        _ => None,
    }
}
