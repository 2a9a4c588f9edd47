//! Nouns and verbs, and the trait `Action`, which the options of a verb implement.

#[cfg(test)]
pub(crate) mod readings;

use std::ffi::OsString;
use std::fmt::Debug;

use clap::{Arg, ArgAction, ArgMatches, Args, Command};

use crate::app::arguments::{self, Known, Plain};
use crate::app::context::Context;
use crate::app::listing::Json;
use crate::app::options::Verbosity;
use crate::base::exit::Exit;
use crate::base::short::Short;
use crate::io::output::Words;

/// A mechanism, whose name is the first word after `ipc`.
#[derive(Debug)]
pub struct Noun {
    /// Its name.
    pub name: &'static str,
    /// Its description in listings, of at most 28 characters.
    pub about: &'static str,
    /// Its verbs, in the order of listings.
    pub verbs: &'static [Verb],
    /// Manual pages of the mechanism, for SEE ALSO.
    pub see_also: &'static [&'static str],
    /// What else its manual pages say.
    pub manual: Manual,
}

/// What the manual pages of a noun say beside its verbs. `‹bold›` and `«italic»` words have those fonts.
#[derive(Debug)]
pub struct Manual {
    /// The words by which people search for the mechanism, for apropos(1).
    pub topic: &'static str,
    /// The variables that its verbs read, or set for a COMMAND.
    pub environment: &'static [(&'static str, &'static str)],
    /// The files that matter to its users.
    pub files: &'static [(&'static str, &'static str)],
    /// The standards that have the mechanism.
    pub standards: &'static str,
}

impl Manual {
    /// For nouns without pages of their own.
    pub const NONE: Self = Self { topic: "", environment: &[], files: &[], standards: "" };
}

/// An operation on a mechanism, or a command without a noun, such as `ipc applets`.
#[derive(Debug)]
pub struct Verb {
    /// Its name.
    pub name: &'static str,
    /// Its description in listings.
    pub about: &'static str,
    /// An alias.
    pub alias: Option<&'static str>,
    /// The name and the alias; the name twice if there is no alias.
    called: [Short; 2],
    /// Lines of shell that show its use.
    pub examples: &'static [Example],
    /// Which program decides on its exit status.
    pub statuses: Statuses,
    /// The state of the process that it changes and does not restore.
    pub effect: Effect,
    /// The output with `--json`, one entry for each kind of object; empty without that option.
    pub json: &'static [Json],
    /// The words that its operands may be, each with its description; empty if they are names or numbers.
    pub words: fn() -> Vec<Described>,
    /// Rewrites words of another program's command line.
    pub(crate) translate: fn(&mut [OsString]),
    /// Adds its options to a command of clap.
    define: fn(Command) -> Command,
    /// The option of this name.
    pub(crate) option: fn(&[u8]) -> Option<Known>,
    /// Reads its options without clap; `None` if they are unusual or wrong.
    pub(crate) read_plain: fn(&[OsString]) -> Option<(Verbosity, Act)>,
    /// Takes its options from what clap has read.
    pub(crate) read: fn(ArgMatches) -> Act,
    #[cfg(test)]
    pub(crate) readings: readings::Readings,
}

/// The fields of a verb whose options only clap reads.
pub(crate) struct Parts {
    pub examples: &'static [Example],
    pub statuses: Statuses,
    pub json: &'static [Json],
    pub define: fn(Command) -> Command,
    pub read: fn(ArgMatches) -> Act,
}

/// Runs a verb with the options that were read before.
pub type Act = Box<dyn FnOnce(&mut Context) -> anyhow::Result<Exit>>;

/// A word, and its description, which may be empty.
pub type Described = (&'static str, &'static str);

/// A description of a line of shell, and the line.
pub type Example = (&'static str, &'static str);

/// What a verb changes in the process and does not restore, so that no other verb can run after it in the
/// same process.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Effect {
    /// Nothing: the mask, dispositions, threads, descriptors and memory are as before.
    None,
    /// It replaces the process by COMMAND.
    BecomesCommand,
    /// It changes what the kernel reverts when the process ends: SEM_UNDO.
    UndoneAtExit,
    /// It changes the mask or the dispositions of signals.
    Signals,
    /// It changes descriptors that the process shares with its caller, which is its purpose.
    CallersDescriptors,
}

/// Which program decides on the exit status of a verb.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Statuses {
    /// `ipc` itself.
    Own,
    /// COMMAND. An error of `ipc` before COMMAND starts has status 125.
    OfCommand,
    /// COMMAND if an option runs one, and `ipc` otherwise.
    OfCommandIfAny,
    /// The COMMAND that another process runs, and `ipc` if there is an error.
    OfProcedure,
}

impl Statuses {
    /// The status of a verb for an error with this status.
    pub fn of(self, error: Exit) -> Exit {
        match (self, error) {
            (Self::OfCommand, Exit::Failed | Exit::NotFound | Exit::InUse | Exit::Denied) => {
                Exit::CommandNotStarted
            }
            (_, exit) => exit,
        }
    }
}

/// The options of a verb, with its examples and its code.
pub(crate) trait Action: Args + Plain + Debug + 'static {
    /// Lines of shell for the help and the manual.
    const EXAMPLES: &'static [Example];
    /// Which program decides on the exit status.
    const STATUSES: Statuses = Statuses::Own;
    /// The state of the process that it changes and does not restore.
    const EFFECT: Effect = Effect::None;
    /// The output with `--json`, one entry for each kind of object.
    const JSON: &'static [Json] = &[];

    /// The words that the operands may be, each with its description; empty if they are names or numbers.
    fn words() -> Vec<Described> {
        Vec::new()
    }

    /// Rewrites words of another program's command line, such as `-TERM` of kill(1).
    fn translate(_words: &mut [OsString]) {}

    /// Runs the verb.
    fn run(self, context: &mut Context) -> anyhow::Result<Exit>;
}

impl Verb {
    /// A verb of this name, implemented by `R`.
    pub(crate) const fn new<R: Action>(name: &'static str) -> Self {
        Self {
            name,
            about: R::ABOUT,
            alias: None,
            called: [Short::of(name); 2],
            examples: R::EXAMPLES,
            statuses: R::STATUSES,
            effect: R::EFFECT,
            json: R::JSON,
            words: R::words,
            translate: R::translate,
            define: R::augment_args,
            option: <(Verbosity, R)>::option,
            read_plain: |words| {
                let (verbosity, verb) = arguments::read::<(Verbosity, R)>(words)?;
                Some((verbosity, Box::new(|context| verb.run(context))))
            },
            read: |matches| Box::new(move |context| R::from_arg_matches(&matches)?.run(context)),
            #[cfg(test)]
            readings: readings::of::<R>,
        }
    }

    /// A verb of this name whose options clap always reads.
    pub(crate) const fn of_parts(name: &'static str, parts: Parts) -> Self {
        Self {
            name,
            about: "",
            alias: None,
            called: [Short::of(name); 2],
            examples: parts.examples,
            statuses: parts.statuses,
            effect: Effect::None,
            json: parts.json,
            words: Vec::new,
            translate: |_| {},
            define: parts.define,
            option: |_| None,
            read_plain: |_| None,
            read: parts.read,
            #[cfg(test)]
            readings: |_, _| (None, None),
        }
    }

    /// Adds an alias.
    pub(crate) const fn alias(mut self, alias: &'static str) -> Self {
        self.alias = Some(alias);
        self.called[1] = Short::of(alias);
        self
    }

    /// The status of this verb for an error with this status.
    pub fn exit(&self, error: Exit) -> Exit {
        self.statuses.of(error)
    }

    /// Whether this word is its name or its alias.
    pub fn is_called(&self, word: Short) -> bool {
        self.called.contains(&word)
    }

    /// The options of this verb and those of every verb, as they are defined.
    pub fn arguments(&self) -> Command {
        // clap uses the description of the last struct, which must be that of the verb.
        let command = (self.define)(Verbosity::augment_args(Command::new(self.name)));
        let command = command.disable_help_flag(true).disable_version_flag(true);
        command.arg(help_option()).arg(version_option())
    }

    /// The same, for clap.
    pub fn command(&self) -> Command {
        let command = self.arguments().version(VERSION).display_name("ipc");
        let command = command.args_override_self(true).max_term_width(HELP_WIDTH);
        // The word after an option is its value, whatever it begins with, as for getopt(3).
        let command = command.mut_args(|arg| match arg.get_action() {
            ArgAction::Set | ArgAction::Append if !arg.is_positional() => {
                arg.allow_hyphen_values(true)
            }
            _ => arg,
        });
        let command = match (self.effect, command.get_long_about()) {
            (Effect::BecomesCommand, Some(about)) => {
                let about = format!("{about}\n\n{REAPS_NOTHING}");
                command.long_about(about)
            }
            _ => command,
        };
        match self.alias {
            Some(alias) => command.visible_alias(alias),
            None => command,
        }
    }

    /// As [`Verb::command`], with the examples for `--help`.
    pub fn explained(&self) -> Command {
        let lines = self.examples.iter().map(|(what, line)| format!("  # {what}\n  {line}\n"));
        let examples = lines.collect::<Vec<_>>().join("\n").replace(' ', UNBROKEN_SPACE);
        self.command().after_long_help(format!("Examples:\n{examples}"))
    }
}

/// The note in the help of verbs that can become COMMAND.
pub const REAPS_NOTHING: &str = "Where 'ipc' becomes COMMAND, it reaps no orphans as the first process of a \
                             container (PID 1). 'ipc signal init' stays beside COMMAND and reaps them.";

pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The greatest width of help, in columns.
pub const HELP_WIDTH: usize = 80;

/// A space at which clap does not wrap: an example stays one line.
const UNBROKEN_SPACE: &str = "\u{a0}";

/// The final form of help that clap has rendered.
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

/// A verb and its noun.
#[derive(Clone, Copy, Debug)]
pub struct VerbPath {
    /// Its noun, if it has one.
    pub noun: Option<&'static Noun>,
    /// The verb.
    pub verb: &'static Verb,
}

impl VerbPath {
    /// The noun, which may be empty, and the verb.
    pub fn pair(self) -> Words {
        [self.noun.map_or("", |noun| noun.name), self.verb.name]
    }

    /// The words at the start of a diagnostic; the noun may be empty.
    pub fn prefix(self) -> [&'static str; 3] {
        let [noun, verb] = self.pair();
        ["ipc", noun, verb]
    }

    /// The name of the verb in diagnostics, such as `mq send`.
    pub fn words(self) -> String {
        let Self { noun, verb } = self;
        noun.map_or_else(|| verb.name.to_owned(), |noun| format!("{} {}", noun.name, verb.name))
    }
}
