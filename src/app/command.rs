//! The shape of a command: nouns, their verbs, and what a verb does.

#[cfg(test)]
pub(crate) mod readings;

use std::ffi::{OsStr, OsString};
use std::fmt::Debug;

use clap::{Arg, ArgAction, ArgMatches, Args, Command};

use crate::app::arguments::{self, Plain};
use crate::app::context::Context;
use crate::app::options::Verbosity;
use crate::base::exit::Exit;

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
    /// What a run changes in its process for good.
    pub effect: Effect,
    pub(crate) translate: fn(&mut [OsString]),
    define: fn(Command) -> Command,
    pub(crate) read_plain: fn(&[OsString]) -> Option<(Verbosity, Act)>,
    pub(crate) read: fn(ArgMatches) -> Act,
    #[cfg(test)]
    pub(crate) readings: readings::Readings,
}

/// What a verb does with the options that were read for it.
pub type Act = Box<dyn FnOnce(&mut Context) -> anyhow::Result<Exit>>;

/// What a line of shell is good for, and the line.
pub type Example = (&'static str, &'static str);

/// What a run of a verb changes in its process for good, so that no other verb can follow in the same
/// process.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Effect {
    /// Nothing: the mask, dispositions, threads, descriptors and memory are as before.
    None,
    /// The process becomes COMMAND.
    BecomesCommand,
    /// The kernel undoes something when the process ends: SEM_UNDO.
    UndoneAtExit,
    /// The mask or dispositions of signals are for this verb alone.
    Signals,
    /// The descriptors of the caller are changed, which is the purpose.
    CallersDescriptors,
}

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
pub(crate) trait Action: Args + Plain + Debug + 'static {
    /// Lines of shell for the help and the manual.
    const EXAMPLES: &'static [Example];
    /// Whose exit status a run ends with.
    const STATUSES: Statuses = Statuses::Ours;
    /// What a run changes in its process for good.
    const EFFECT: Effect = Effect::None;

    /// Puts words in which another program's command line differs into ours.
    fn translate(_words: &mut [OsString]) {}

    /// Does it.
    fn run(self, context: &mut Context) -> anyhow::Result<Exit>;
}

impl Verb {
    /// The verb of this name that `R` defines.
    pub(crate) const fn new<R: Action>(name: &'static str) -> Self {
        Self {
            name,
            alias: None,
            examples: R::EXAMPLES,
            statuses: R::STATUSES,
            effect: R::EFFECT,
            translate: R::translate,
            define: R::augment_args,
            read_plain: |words| {
                let (verbosity, verb) = arguments::read::<(Verbosity, R)>(words)?;
                Some((verbosity, Box::new(|context| verb.run(context))))
            },
            read: |matches| Box::new(move |context| R::from_arg_matches(&matches)?.run(context)),
            #[cfg(test)]
            readings: readings::of::<R>,
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

    /// Whether this word names it.
    pub fn is_called(&self, word: &OsStr) -> bool {
        word == self.name || self.alias.is_some_and(|alias| word == alias)
    }

    /// The options of this verb, with those that every verb has.
    pub fn command(&self) -> Command {
        // The description of what comes last is that of the verb.
        let command = (self.define)(Verbosity::augment_args(Command::new(self.name)));
        let command = command.version(VERSION).display_name("ipc").args_override_self(true);
        let command = command.max_term_width(HELP_WIDTH);
        let command = command.disable_help_flag(true).disable_version_flag(true);
        let command = command.arg(help_option()).arg(version_option());
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
    pub fn explained(&self) -> Command {
        let lines = self.examples.iter().map(|(what, line)| format!("  # {what}\n  {line}\n"));
        let examples = lines.collect::<Vec<_>>().join("\n").replace(' ', UNBROKEN_SPACE);
        self.command().after_long_help(format!("Examples:\n{examples}"))
    }
}

pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The greatest width of help, in columns.
pub const HELP_WIDTH: usize = 80;

/// A space where help is not wrapped: an example is one line, as a shell reads it.
const UNBROKEN_SPACE: &str = "\u{a0}";

/// Help as it is printed, of what clap has rendered.
pub fn printed(help: &str) -> String {
    let help = help.replace(UNBROKEN_SPACE, " ");
    let lines = help.split_inclusive('\n').map(|line| match line.starts_with("Usage: ") {
        true => wrapped_usage(line),
        false => line.to_owned(),
    });
    lines.collect()
}

/// The usage line, which clap does not wrap.
fn wrapped_usage(line: &str) -> String {
    let mut lines = vec![String::new()];
    for word in line.split_inclusive(' ') {
        let last = lines.last_mut().expect("there is a first line");
        if last.len() + word.trim_end().len() > HELP_WIDTH {
            *last = last.trim_end().to_owned();
            lines.push(format!("{INDENT}{word}"));
        } else {
            last.push_str(word);
        }
    }
    lines.join("\n")
}

const INDENT: &str = "       ";

/// `-h` shows the common options, and `--help` all of them.
fn help_option() -> Arg {
    Arg::new("help")
        .short('h')
        .long("help")
        .action(ArgAction::Help)
        .help("Print help; --help has all options and examples")
        .long_help("Print all options and examples; -h prints the common options")
        .display_order(901)
}

fn version_option() -> Arg {
    Arg::new("version")
        .short('V')
        .long("version")
        .action(ArgAction::Version)
        .help("Print version")
        .hide_short_help(true)
        .display_order(902)
}

/// A verb, where it stands.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// Its noun, if it has one.
    pub noun: Option<&'static Noun>,
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
