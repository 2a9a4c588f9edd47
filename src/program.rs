//! The command line: `ipc NOUN VERB`, found by hand so that a run builds the options of the one
//! verb that it needs. The whole tree is built for help, suggestions, manuals and completions.

mod similar;
#[cfg(test)]
mod tests;

use std::ffi::{OsStr, OsString};
use std::fmt::Debug;
use std::mem::ManuallyDrop;
use std::num::{IntErrorKind, ParseIntError};
use std::path::Path;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{ArgAction, ArgMatches, Args, Command, FromArgMatches};

use crate::app::arguments;
use crate::app::arguments::Plain;
use crate::app::links;
use crate::base::exit;
use crate::base::exit::Exit;
use crate::cmd;
use crate::io::output::{Output, Verbosity, complain};

/// A mechanism: the first word after `ipc`.
#[derive(Debug)]
pub struct Noun {
    /// The word.
    pub name: &'static str,
    /// What it is, in a line.
    pub about: &'static str,
    /// What can be done with it.
    pub verbs: &'static [Verb],
    /// Pages of other manuals that explain the mechanism.
    pub see_also: &'static [&'static str],
}

/// One thing that is done to a mechanism; or a command without a noun, such as `ipc applets`.
#[derive(Debug)]
pub struct Verb {
    /// The word.
    pub name: &'static str,
    /// Another word for it.
    pub alias: Option<&'static str>,
    /// Lines of shell that show its use.
    pub examples: &'static [Example],
    /// Whose exit status a run ends with.
    pub statuses: Statuses,
    translate: fn(&mut [OsString]),
    define: fn(Command) -> Command,
    read_plain: fn(&[OsString]) -> Option<(Verbosity, Act)>,
    read: fn(ArgMatches) -> Act,
    #[cfg(test)]
    readings: tests::Readings,
}

/// What a verb does with the options that were read for it.
type Act = Box<dyn FnOnce(&mut Output) -> anyhow::Result<Exit>>;

/// What a line of shell is good for, and the line.
pub type Example = (&'static str, &'static str);

/// Whose exit status a run ends with.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Statuses {
    /// That of `ipc`.
    Ours,
    /// That of the COMMAND which the verb runs; what fails before has 125.
    OfCommand,
    /// That of the COMMANDs, if an option has them run.
    OfCommandIfAny,
}

impl Statuses {
    /// The status for an error that by itself has this one.
    pub fn of(self, error: Exit) -> Exit {
        match (self, error) {
            (Self::OfCommand, Exit::Failed | Exit::NotFound | Exit::InUse | Exit::Denied) => {
                Exit::CommandNotStarted
            }
            (_, exit) => exit,
        }
    }
}

/// What a verb is: options that clap derives, examples, and what it does.
pub(crate) trait Run: Args + Plain + Debug + 'static {
    /// Lines of shell for the help and the manual.
    const EXAMPLES: &'static [Example];
    /// Whose exit status a run ends with.
    const STATUSES: Statuses = Statuses::Ours;

    /// Puts words in which another program's command line differs into ours.
    fn translate(_words: &mut [OsString]) {}

    /// Does it.
    fn run(self, output: &mut Output) -> anyhow::Result<Exit>;
}

impl Verb {
    /// The verb of this name that `R` defines.
    pub(crate) const fn new<R: Run>(name: &'static str) -> Self {
        Self {
            name,
            alias: None,
            examples: R::EXAMPLES,
            statuses: R::STATUSES,
            translate: R::translate,
            define: R::augment_args,
            read_plain: |words| {
                let (verbosity, verb) = arguments::read::<(Verbosity, R)>(words)?;
                Some((verbosity, Box::new(|output| verb.run(output))))
            },
            read: |matches| Box::new(move |output| R::from_arg_matches(&matches)?.run(output)),
            #[cfg(test)]
            readings: tests::readings::<R>,
        }
    }

    /// The same, understood under another name as well.
    pub(crate) const fn alias(mut self, alias: &'static str) -> Self {
        self.alias = Some(alias);
        self
    }

    /// The status of this verb for an error that by itself has this one.
    pub fn exit(&self, error: Exit) -> Exit {
        self.statuses.of(error)
    }

    fn is_called(&self, word: &OsStr) -> bool {
        word == self.name || self.alias.is_some_and(|alias| word == alias)
    }

    /// The options of this verb, with those that every verb has.
    pub fn command(&self) -> Command {
        // The description of what comes last is that of the verb.
        let command = (self.define)(Verbosity::augment_args(Command::new(self.name)));
        let command = command.version(VERSION).display_name("ipc").args_override_self(true);
        // What stands behind an option is its value, whatever it begins with, as getopt(3) has it.
        let command = command.mut_args(|arg| match arg.get_action() {
            ArgAction::Set | ArgAction::Append if !arg.is_positional() => {
                arg.allow_hyphen_values(true)
            }
            _ => arg,
        });
        match self.alias {
            Some(alias) => command.visible_alias(alias),
            None => command,
        }
    }

    /// As [`Verb::command`], with what only people who ask for help want to see.
    fn explained(&self) -> Command {
        let lines = self.examples.iter().map(|(what, line)| format!("  # {what}\n  {line}\n"));
        let examples = lines.collect::<Vec<_>>().join("\n");
        self.command().after_long_help(format!("Examples:\n{examples}"))
    }
}

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The mechanisms.
pub const NOUNS: &[Noun] = &[
    cmd::fifo::NOUN,
    cmd::lock::NOUN,
    cmd::map::NOUN,
    cmd::mq::NOUN,
    cmd::sem::NOUN,
    cmd::shm::NOUN,
    cmd::signal::NOUN,
    cmd::sock::NOUN,
];

/// The commands that stand directly behind `ipc`.
pub const COMMANDS: &[Verb] =
    &[Verb::new::<cmd::applets::Applets>("applets"), Verb::new::<cmd::fifo::Mkfifo>("mkfifo")];

/// A command line that was understood.
pub struct Call {
    /// Which verb it is.
    pub place: Place,
    /// How much to say on stderr.
    pub verbosity: Verbosity,
    /// Does what was asked for.
    pub act: Act,
}

/// A verb, where it stands.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    noun: Option<&'static Noun>,
    /// The verb.
    pub verb: &'static Verb,
}

impl Place {
    /// The words that a diagnostic of the verb begins with; that of the noun may be empty.
    pub fn prefix(self) -> [&'static str; 3] {
        ["ipc", self.noun.map_or("", |noun| noun.name), self.verb.name]
    }

    /// The words that name the verb in diagnostics, such as `mq send`.
    pub fn words(self) -> String {
        let Self { noun, verb } = self;
        noun.map_or_else(|| verb.name.to_owned(), |noun| format!("{} {}", noun.name, verb.name))
    }
}

/// Something to say instead of doing anything: help, a version, or what is wrong with the words.
#[derive(Debug, Eq, PartialEq)]
pub enum Message {
    /// What was asked for, for stdout.
    Answer(String),
    /// What is wrong, for stderr.
    Usage(String),
}

impl Message {
    /// Says it, and gives the status for it.
    pub fn print(self) -> Exit {
        match self {
            Self::Usage(text) => {
                complain(text);
                Exit::Usage
            }
            Self::Answer(text) => {
                let mut output = Output::new("help", Verbosity::default());
                match output.text(text).and_then(|()| output.flush()) {
                    Ok(()) => Exit::Done,
                    Err(error) => crate::fail(&error.into(), &output),
                }
            }
        }
    }
}

/// Understands a command line, of which the first word is the name that we were called by.
///
/// # Errors
/// What to say instead.
pub fn parse(mut arguments: Vec<OsString>) -> Result<Call, Message> {
    let called = arguments.first().and_then(|name| Path::new(name).file_name()).unwrap_or_default();
    let implied = NOUNS.iter().find(|noun| called == noun.name);
    let mut words = arguments.drain(..).skip(1).peekable();
    let noun = implied.or_else(|| {
        let noun = NOUNS.iter().find(|noun| words.peek().is_some_and(|word| word == noun.name))?;
        words.next();
        Some(noun)
    });
    let verbs = noun.map_or(COMMANDS, |noun| noun.verbs);
    let verb = words.peek().and_then(|word| verbs.iter().find(|verb| verb.is_called(word)));
    let Some(verb) = verb else {
        // Scripts ask for it before anything else, so it does not wait for the tree.
        if words.peek().is_some_and(|word| word == "--version" || word == "-V") {
            return Err(Message::Answer(format!("ipc {VERSION}\n")));
        }
        let noun = noun.map(|noun| OsString::from(noun.name));
        return Err(answer_from_tree(noun.into_iter().chain(words).collect()));
    };
    words.next();
    let (place, mut rest) = (Place { noun, verb }, words.collect::<Vec<_>>());
    (verb.translate)(&mut rest);
    match (verb.read_plain)(&rest) {
        Some((verbosity, act)) => Ok(Call { place, verbosity, act }),
        None => parse_with_clap(place, rest),
    }
}

/// Understands the options of a verb, or finds out what is wrong with them.
#[cold]
#[inline(never)]
fn parse_with_clap(place: Place, words: Vec<OsString>) -> Result<Call, Message> {
    let (verb, path) = (place.verb, place.words());
    let name = format!("ipc {path}");
    // Taking it apart again would cost as much as a system call or two, for nothing: we end soon.
    let mut command = ManuallyDrop::new(verb.command().bin_name(&name).no_binary_name(true));
    match command.try_get_matches_from_mut(&words) {
        Ok(matches) => {
            let verbosity = Verbosity::from_arg_matches(&matches).unwrap_or_default();
            Ok(Call { place, verbosity, act: (verb.read)(matches) })
        }
        Err(error) if error.use_stderr() => {
            let tip = misread_number(&error, &command, &words).or_else(|| tip(&error));
            let tip = tip.filter(|tip| !runs_command(&command) || !passes_value(tip));
            let tip = tip.or_else(|| misplaced_command(&error, &command));
            Err(usage_message(&error, &path, tip))
        }
        // Help is asked for: the same again, with the examples.
        Err(_) => Err(explain(verb.explained().bin_name(name).no_binary_name(true), words)),
    }
}

/// What to say to words that name no verb: the whole tree knows what was asked for or meant.
#[cold]
#[inline(never)]
fn answer_from_tree(words: Vec<OsString>) -> Message {
    let known = words.first().filter(|word| NOUNS.iter().any(|noun| *word == noun.name));
    let place = known.map_or(String::new(), |noun| noun.to_string_lossy().into_owned());
    match tree().bin_name("ipc").no_binary_name(true).try_get_matches_from(&words) {
        Err(error) if error.kind() == ErrorKind::MissingSubcommand => missing_word(&place),
        Err(error) if error.use_stderr() => {
            let tip = similar_word(&error, &place).or_else(|| tip(&error));
            usage_message(&error, &place, tip)
        }
        Err(error) => Message::Answer(error.render().to_string()),
        Ok(_) => missing_word(&place),
    }
}

/// The nouns or verbs that a word which is none of them may have been meant for.
fn similar_word(error: &clap::Error, noun: &str) -> Option<String> {
    let word = text_of(error, ContextKind::InvalidSubcommand)?;
    let names = |verb: &'static Verb| [Some(verb.name), verb.alias].into_iter().flatten();
    let known: Vec<&str> = match NOUNS.iter().find(|known| known.name == noun) {
        Some(noun) => noun.verbs.iter().flat_map(names).collect(),
        None => NOUNS.iter().map(|noun| noun.name).chain(COMMANDS.iter().flat_map(names)).collect(),
    };
    list_similar(word, &known, "subcommand")
}

/// Names the known words that a word may be a slip for.
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

/// What to say to words that end before the verb.
fn missing_word(noun: &str) -> Message {
    let names =
        |names: &mut dyn Iterator<Item = &'static str>| names.collect::<Vec<_>>().join(", ");
    Message::Usage(match NOUNS.iter().find(|known| known.name == noun) {
        Some(noun) => {
            let verbs = names(&mut noun.verbs.iter().map(|verb| verb.name));
            let name = noun.name;
            format!("ipc: {name}: a verb is wanted: {verbs}\nhint: try 'ipc {name} --help'\n")
        }
        None => {
            let nouns = names(&mut NOUNS.iter().map(|noun| noun.name));
            format!(
                "ipc: a noun and a verb are wanted; the nouns are {nouns}\nhint: try 'ipc --help'\n"
            )
        }
    })
}

fn explain(command: Command, words: Vec<OsString>) -> Message {
    match command.try_get_matches_from(words) {
        Err(error) => Message::Answer(error.render().to_string()),
        Ok(_) => Message::Answer(String::new()),
    }
}

/// Everything that `ipc` understands.
pub fn tree() -> Command {
    let nouns = NOUNS.iter().map(|noun| {
        Command::new(noun.name)
            .about(noun.about)
            .version(VERSION)
            .display_name("ipc")
            .subcommand_required(true)
            .subcommand_value_name("VERB")
            .subcommand_help_heading("Verbs")
            .disable_help_subcommand(true)
            .subcommands(noun.verbs.iter().map(Verb::explained))
    });
    let statuses = exit::MEANINGS.iter().chain(&exit::COMMAND_MEANINGS);
    let statuses =
        statuses.map(|(code, meaning)| format!("  {code:<10} {meaning}\n")).collect::<String>();
    Command::new("ipc")
        .about("Every way that Unix processes talk and coordinate, for shell scripts")
        .version(VERSION)
        .override_usage(links::MARK)
        .subcommand_required(true)
        .subcommands(nouns)
        .subcommands(COMMANDS.iter().map(Verb::explained))
        .after_help(
            "'ipc NOUN --help' lists the verbs of a noun, 'ipc NOUN VERB --help' explains one.",
        )
        .after_long_help(format!(
            "'ipc NOUN --help' lists the verbs of a noun, 'ipc NOUN VERB --help' explains one.\n\n\
             Exit status (the last five for verbs that run a COMMAND):\n{statuses}"
        ))
}

/// Words the error of a command line as all our errors are: one line, and a hint.
fn usage_message(error: &clap::Error, place: &str, tip: Option<String>) -> Message {
    let rendered = error.render().to_string();
    let reason = rendered.strip_prefix("error: ").unwrap_or(&rendered);
    let reason = reason.split("\n\n").next().unwrap_or(reason);
    let reason = reason.split('\n').map(str::trim).collect::<Vec<_>>().join(" ");
    let reason = refused_value(error).unwrap_or(reason);
    let help =
        if place.is_empty() { "ipc --help".to_owned() } else { format!("ipc {place} --help") };
    let hint = tip.unwrap_or_else(|| format!("try '{help}'"));
    let place = if place.is_empty() { String::new() } else { format!("{place}: ") };
    Message::Usage(format!(
        "ipc: {place}{}\nhint: {hint}\n",
        crate::io::output::escape(reason.as_bytes())
    ))
}

/// What may have been meant instead.
fn tip(error: &clap::Error) -> Option<String> {
    let rendered = error.render().to_string();
    let tip = rendered.lines().find_map(|line| line.trim().strip_prefix("tip: "))?;
    let suggested = [
        (ContextKind::InvalidSubcommand, ContextKind::SuggestedSubcommand, "subcommand"),
        (ContextKind::InvalidArg, ContextKind::SuggestedArg, "argument"),
        (ContextKind::InvalidValue, ContextKind::SuggestedValue, "value"),
    ];
    // What clap takes for similar often is not.
    for (word, suggestions, what) in suggested {
        let known: Vec<&str> = match error.get(suggestions) {
            Some(ContextValue::String(one)) => vec![one],
            Some(ContextValue::Strings(several)) => several.iter().map(String::as_str).collect(),
            _ => continue,
        };
        return list_similar(text_of(error, word)?, &known, what);
    }
    // A value is seldom what was meant by a word that begins as an option does, unless by a number.
    let digit = tip.strip_prefix("to pass '-").and_then(|word| word.bytes().next());
    Some(tip.to_owned())
        .filter(|tip| !passes_value(tip) || digit.is_some_and(|byte| byte.is_ascii_digit()))
}

/// How to pass a negative number that clap does not take for one, such as -inf or -0x10.
fn misread_number(error: &clap::Error, verb: &Command, words: &[OsString]) -> Option<String> {
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

/// Whether it says how to pass a value that begins as an option does.
fn passes_value(tip: &str) -> bool {
    tip.starts_with("to pass ")
}

/// Whether -- stands before a COMMAND, and not before values.
fn runs_command(verb: &Command) -> bool {
    verb.get_positionals().any(clap::Arg::is_last_set)
}

/// The way out for those who forgot what flock(1) and timeout(1) do not want.
fn misplaced_command(error: &clap::Error, verb: &Command) -> Option<String> {
    let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidArg) else { return None };
    let is_word = error.kind() == ErrorKind::UnknownArgument && !word.starts_with('-');
    (is_word && runs_command(verb)).then(|| "the COMMAND stands behind --".to_owned())
}

/// Our own sentence about a value that one of our types refused: the value is the subject.
fn refused_value(error: &clap::Error) -> Option<String> {
    let argument = text_of(error, ContextKind::InvalidArg)?;
    let value = text_of(error, ContextKind::InvalidValue)?;
    if error.kind() == ErrorKind::InvalidValue && value.is_empty() && argument.starts_with('<') {
        // It is there, unlike what clap says.
        return Some(format!("'': not a {}", argument.trim_matches(['<', '>', '.'])));
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

/// The range that clap wants a number to be in, in words rather than in those of Rust.
fn range(reason: &str) -> Option<String> {
    let (_, range) = reason.split_once(" is not in ")?;
    let (from, to) = range.split_once("..")?;
    match to.strip_prefix('=') {
        Some(to) => Some(format!("not from {from} to {to}")),
        // Without an end of its own it is that of the type.
        None => Some(format!("not {from} or more")),
    }
}
