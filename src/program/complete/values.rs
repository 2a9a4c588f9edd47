//! The values of an argument, by the word for it: PID, SIGNAL, FILE, or NAME for an object of the noun.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use clap::Arg;

use super::files::{self, Wanted};
use super::names;
use super::{Candidate, Cursor};
use crate::app::command::{Noun, Verb};
use crate::applet::APPLETS;
use crate::base::signal::Signal;
use crate::mechanism::survey::Kind;
use crate::program::catalog::{COMMANDS, NOUNS};
use crate::program::manual;

/// The place of the argument, and what is written of its value.
pub struct Asked<'a> {
    pub noun: Option<&'static Noun>,
    pub verb: &'static Verb,
    /// Its word is the part of the value before the cursor.
    pub(super) cursor: Cursor<'a>,
    /// The operands before it.
    pub operands: &'a [&'a OsStr],
}

impl Asked<'_> {
    /// The kind of the objects of the noun, which have its name.
    fn kind(&self) -> Option<Kind> {
        let noun = self.noun?;
        Kind::ALL.into_iter().find(|kind| kind.word() == noun.name)
    }
}

/// The values of an argument.
pub fn of(argument: &Arg, asked: &Asked<'_>) -> Vec<Candidate> {
    let choices = argument.get_possible_values();
    if !choices.is_empty() {
        let about = |help: Option<&clap::builder::StyledStr>| help.map(ToString::to_string);
        let visible = choices.iter().filter(|choice| !choice.is_hide_set());
        return visible
            .map(|choice| {
                Candidate::new(choice.get_name(), about(choice.get_help()).unwrap_or_default())
            })
            .collect();
    }
    if argument.is_positional() && !(asked.verb.words)().is_empty() {
        let words = (asked.verb.words)().into_iter();
        return words.map(|(word, about)| Candidate::new(word, about)).collect();
    }
    manual::word_of(argument).split('|').flat_map(|word| meant_by(word, asked)).collect()
}

/// The values that a word of help and manual means; none for a text or a number.
fn meant_by(word: &str, asked: &Asked<'_>) -> Vec<Candidate> {
    match word {
        "NAME" | "NAMES" | "PATH" | "DIRECTORY" => objects(word, asked),
        "LINK" => links(),
        "PAGE" => pages(),
        "VERB" => verbs(asked.operands.first().copied()),
        "SEM" => names::of(&[Kind::Sem]),
        "FILE" | "FILES" | "FILE.svg" => files::at(asked.cursor.word, Wanted::Any),
        "DIR" => files::at(asked.cursor.word, Wanted::Directory),
        "HOLDER" => files::at(asked.cursor.word, Wanted::Socket),
        "ADDRESS" => addresses(asked.cursor.word),
        "PID" | "PID[:START]" => names::processes(asked.cursor),
        "COMMAND" => names::commands(),
        "FD" => names::descriptors(asked.operands.first().copied()),
        "UID" => names::users(|name, number| Candidate::new(number, name)),
        "GID" => names::groups(|name, number| Candidate::new(number, name)),
        "USER" => names::users(Candidate::new),
        "@GROUP" => names::groups(|name, number| Candidate::new(format!("@{name}"), number)),
        "USER[:GROUP]" => owners(asked.cursor.word),
        "SIGNAL" => signals().collect(),
        "SIGNAL=SHELLCMD" => signals().map(|signal| signal.before("=")).collect(),
        "SIGNAL,..." => in_list(asked.cursor.word, signals().collect()),
        "KEY,..." => in_list(asked.cursor.word, keys(asked.verb)),
        "CONDITION" => {
            keys(asked.verb).into_iter().map(|key| Candidate { is_open: true, ..key }).collect()
        }
        // A word that stands for itself, such as 'any'.
        word if word.bytes().all(|byte| byte.is_ascii_lowercase()) => {
            vec![Candidate::new(word, "")]
        }
        _ => Vec::new(),
    }
}

/// Whether a word of help and manual is known here: either its values are found, or it is a number or a
/// text.
#[cfg(test)]
pub fn is_known(word: &str) -> bool {
    const FREE: &[&str] = &[
        "ARGUMENT",
        "CPU[,CPU]...",
        "DELTA",
        "DURATION",
        "EQ",
        "FORM",
        "GE",
        "I",
        "INDEX",
        "KEY",
        "LIST",
        "MESSAGE",
        "MESSAGES",
        "MODE",
        "N",
        "NE",
        "NEW",
        "OFF:LEN",
        "OFFSET",
        "OLD",
        "PRIO",
        "SEP",
        "SIZE",
        "STATE",
        "TEXT",
        "TIME",
        "TYPE",
        "VALUE",
        "WORD",
    ];
    const MEANT: &[&str] = &[
        "@GROUP",
        "ADDRESS",
        "COMMAND",
        "CONDITION",
        "DIR",
        "DIRECTORY",
        "FD",
        "FILE",
        "FILE.svg",
        "FILES",
        "GID",
        "HOLDER",
        "KEY,...",
        "LINK",
        "MECHANISM",
        "NAME",
        "NAMES",
        "NEED",
        "PAGE",
        "VERB",
        "PATH",
        "PID",
        "PID[:START]",
        "SEM",
        "SIGNAL",
        "SIGNAL,...",
        "SIGNAL=SHELLCMD",
        "UID",
        "USER",
        "USER[:GROUP]",
    ];
    FREE.contains(&word) || MEANT.contains(&word)
}

/// The objects of the noun: their names, or paths where they can be.
fn objects(word: &str, asked: &Asked<'_>) -> Vec<Candidate> {
    let is_path = asked.cursor.word.as_bytes().iter().filter(|&&byte| byte == b'/').count() > 1
        || asked.cursor.word.as_bytes().starts_with(b"./")
        || asked.cursor.word.as_bytes().starts_with(b"../");
    match (asked.kind(), word) {
        (Some(Kind::Queue), _) if is_path => files::at(asked.cursor.word, Wanted::Any),
        (Some(kind @ (Kind::Shm | Kind::Sem | Kind::Mq | Kind::Queue)), _) => names::of(&[kind]),
        (Some(Kind::Fifo), _) => files::at(asked.cursor.word, Wanted::Fifo),
        (Some(Kind::Door), _) => files::at(asked.cursor.word, Wanted::Socket),
        (Some(Kind::Spool), "NAME" | "NAMES") => {
            asked.operands.first().map(|spool| files::messages(spool)).unwrap_or_default()
        }
        (Some(Kind::Spool), _) => files::at(asked.cursor.word, Wanted::Spool),
        (None, "NAME") if asked.noun.is_none() => {
            names::of(&[Kind::Shm, Kind::Sem, Kind::Mq, Kind::Queue])
        }
        (_, "PATH") => files::at(asked.cursor.word, Wanted::Any),
        _ => Vec::new(),
    }
}

/// The words that name a manual page.
fn pages() -> Vec<Candidate> {
    let nouns = NOUNS.iter().map(|noun| Candidate::new(noun.name, noun.about));
    let sections = [("5", "Formats of files and objects"), ("7", "Guide to the mechanisms")];
    let sections = sections.map(|(section, about)| Candidate::new(section, about));
    nouns.chain(COMMANDS.iter().map(described)).chain(sections).collect()
}

/// The verbs of a noun, or the pages of a section.
fn verbs(page: Option<&OsStr>) -> Vec<Candidate> {
    let Some(page) = page.and_then(OsStr::to_str) else { return Vec::new() };
    let noun = NOUNS.iter().find(|noun| noun.name == page);
    let verbs = noun.map(|noun| noun.verbs).unwrap_or_default().iter().map(described);
    verbs.chain(manual::written_by_hand(page).map(|name| Candidate::new(name, ""))).collect()
}

/// A verb with its description. Its options would take longer to build than all the rest.
pub fn described(verb: &Verb) -> Candidate {
    Candidate::new(verb.name, verb.about)
}

/// The names of links to the program.
fn links() -> Vec<Candidate> {
    let nouns = NOUNS.iter().map(|noun| Candidate::new(noun.name, noun.about));
    nouns.chain(APPLETS.iter().map(|applet| Candidate::new(applet.name, ""))).collect()
}

/// The addresses that listen, and paths of sockets.
fn addresses(word: &OsStr) -> Vec<Candidate> {
    const UNIX: &[u8] = b"unix:";
    let bytes = word.as_bytes();
    if let Some(path) = bytes.strip_prefix(UNIX) {
        let paths = files::at(OsStr::from_bytes(path), Wanted::Socket).into_iter();
        return paths.map(|candidate| candidate.behind(UNIX)).collect();
    }
    let mut found = names::listeners();
    if bytes.contains(&b'/') || bytes.starts_with(b".") {
        let listens = |path: &Candidate| found.iter().any(|listener| listener.value == path.value);
        let paths = files::at(word, Wanted::Socket).into_iter();
        let others: Vec<_> = paths.filter(|path| !listens(path)).collect();
        found.extend(others);
    }
    found
}

/// A user, a group behind a colon, or both.
fn owners(word: &OsStr) -> Vec<Candidate> {
    match word.as_bytes().iter().position(|&byte| byte == b':') {
        None => names::users(Candidate::open),
        Some(colon) => {
            let groups = names::groups(Candidate::new).into_iter();
            groups.map(|group| group.behind(&word.as_bytes()[..=colon])).collect()
        }
    }
}

/// The signals, each with what it does by default.
fn signals() -> impl Iterator<Item = Candidate> {
    let about = |signal: Signal| format!("{:?}", signal.default_action()).to_lowercase();
    Signal::all().map(move |signal| Candidate::new(signal.to_string(), about(signal)))
}

/// The keys of the output with `--json`, each once.
fn keys(verb: &Verb) -> Vec<Candidate> {
    let mut keys: Vec<Candidate> = Vec::new();
    for key in verb.json.iter().flat_map(|json| (json.keys)()) {
        if !keys.iter().any(|other| other.value == key.name.as_bytes()) {
            keys.push(Candidate::open(key.name, key.meaning));
        }
    }
    keys
}

/// Values behind the last comma of a list, or behind the sign of an element.
fn in_list(word: &OsStr, values: Vec<Candidate>) -> Vec<Candidate> {
    let bytes = word.as_bytes();
    let comma = bytes.iter().rposition(|&byte| byte == b',').map_or(0, |comma| comma + 1);
    let sign = bytes[comma..].first().is_some_and(|byte| matches!(byte, b'+' | b'-'));
    let beginning = &bytes[..comma + usize::from(sign)];
    values.into_iter().map(|value| value.behind(beginning)).collect()
}
