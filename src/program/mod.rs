//! The program: finds noun and verb by hand, so that a run builds the options of the one verb that it
//! needs, runs the verb, and reports errors.

pub mod catalog;
mod complete;
mod handover;
pub mod manual;
mod remote;
mod similar;
#[cfg(test)]
mod tests;
mod tree;
mod usage;

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use clap::error::ErrorKind;
use clap::{Command, FromArgMatches};

use self::usage::{
    misplaced_command, misread_number, passes_value, runs_command, similar_word, tip, usage_message,
};
use crate::app::command::{Act, VERSION, VerbPath, printed};
use crate::app::context::{Cancellation, Context};
use crate::app::options::Verbosity;
use crate::applet;
use crate::base::exit::Exit;
use crate::base::short::Short;
use crate::base::signal::Signal;
use crate::io::output::{Color, Destinations, Unwritable};
use crate::sys::heap::{self, Report};

pub use self::catalog::{COMMANDS, NOUNS};
pub use self::remote::run as run_remote;
pub use self::tree::tree;
pub use crate::app::command::{Effect, Example, Noun, Statuses, Verb};
pub use crate::app::listing::{Json, Shape};
pub use crate::cmd::guide::Text as Guide;
pub use crate::io::output::{Key, Type};

/// A parsed command line.
pub struct Call {
    /// The noun and the verb.
    pub path: VerbPath,
    /// The amount of output on stderr.
    pub verbosity: Verbosity,
    /// Runs the verb with its options.
    pub act: Act,
    /// The parser of the options, if clap parsed them.
    parser: Option<Box<Command>>,
}

/// Text that is printed instead of running a verb.
#[derive(Debug, Eq, PartialEq)]
pub enum Response {
    /// Help or the version, for stdout.
    Answer(String),
    /// The same for a script of a shell, which need not be UTF-8.
    Bytes(Vec<u8>),
    /// A usage error, for stderr.
    Usage(String, Color),
}

impl Response {
    /// Prints it, and returns the status of the run.
    pub fn print(self, cancellation: Cancellation) -> Exit {
        match self {
            Self::Usage(text, color) => {
                Destinations::of_process().with_color(color).complain(text);
                Exit::Usage
            }
            Self::Answer(text) => Self::Bytes(text.into_bytes()).print(cancellation),
            Self::Bytes(bytes) => {
                let (words, verbosity) = (["", "help"], Verbosity::default());
                let mut context = Context::new(words, verbosity, cancellation, &[]);
                match context.output.bytes(&bytes).and_then(|()| context.output.flush()) {
                    Ok(()) => Exit::Done,
                    Err(error) => fail(&error.into(), &context),
                }
            }
        }
    }

    /// The same, in the colour that the words ask for, which could not be read as options.
    fn colored_as(self, words: &[OsString]) -> Self {
        match self {
            Self::Usage(text, _) => Self::Usage(text, usage::color(words)),
            answer => answer,
        }
    }
}

/// Parses a command line. Its first word is the name of the program.
///
/// # Errors
/// Help, the version or a usage error.
pub fn parse(mut arguments: Vec<OsString>) -> Result<Call, Response> {
    let implied = applet::name_of_program(&arguments).and_then(noun_called);
    let mut words = arguments.drain(..).skip(1).peekable();
    let noun = implied.or_else(|| {
        let noun = noun_called(words.peek()?)?;
        words.next();
        Some(noun)
    });
    let verbs = noun.map_or(COMMANDS, |noun| noun.verbs);
    let word = words.peek().and_then(|word| Short::new(word.as_bytes()));
    let verb = word.and_then(|word| verbs.iter().find(|verb| verb.is_called(word)));
    let Some(verb) = verb else {
        // Scripts check the version first, so it is printed without building the tree.
        if words.peek().is_some_and(|word| word == "--version" || word == "-V") {
            return Err(Response::Answer(format!("ipc {VERSION}\n")));
        }
        let words: Vec<OsString> = words.collect();
        if let Some(answer) = completion(&words) {
            return Err(Response::Bytes(answer));
        }
        let noun = noun.map(|noun| OsString::from(noun.name));
        return Err(answer_from_tree(noun.into_iter().chain(words).collect()));
    };
    words.next();
    let (path, mut rest) = (VerbPath { noun, verb }, words.collect::<Vec<_>>());
    (verb.translate)(&mut rest);
    match (verb.read_plain)(&rest) {
        Some((verbosity, act)) => Ok(Call { path, verbosity, act, parser: None }),
        None => parse_with_clap(path, rest),
    }
}

/// The answer to a script that completes command lines.
fn completion(words: &[OsString]) -> Option<Vec<u8>> {
    let (first, rest) = words.split_first()?;
    (first == complete::WORD).then(|| complete::answer(rest)).flatten()
}

/// The noun of this name.
fn noun_called(word: &OsStr) -> Option<&'static Noun> {
    let word = Short::new(word.as_bytes())?;
    let index = catalog::SHORT_NAMES.iter().position(|name| *name == word)?;
    NOUNS.get(index)
}

/// Parses the options of a verb with clap, which reports usage errors.
#[cold]
#[inline(never)]
fn parse_with_clap(path: VerbPath, words: Vec<OsString>) -> Result<Call, Response> {
    let (verb, words_of_verb) = (path.verb, path.words());
    let name = format!("ipc {words_of_verb}");
    let mut command = Box::new(verb.command().bin_name(&name).no_binary_name(true));
    match command.try_get_matches_from_mut(&words) {
        Ok(matches) => {
            let verbosity = Verbosity::from_arg_matches(&matches).unwrap_or_default();
            let act = (verb.read)(matches);
            Ok(Call { path, verbosity, act, parser: Some(command) })
        }
        Err(error) if error.use_stderr() => {
            let tip = misread_number(&error, &command, &words).or_else(|| tip(&error));
            let tip = tip.filter(|tip| !runs_command(&command) || !passes_value(tip));
            let tip = tip.or_else(|| misplaced_command(&error, &command));
            Err(usage_message(&error, &words_of_verb, tip).colored_as(&words))
        }
        // It is help, which has the examples too.
        Err(_) => Err(explain(verb.explained().bin_name(name).no_binary_name(true), &words)),
    }
}

/// The response to words without a verb. The whole tree is needed for help and suggestions.
#[cold]
#[inline(never)]
fn answer_from_tree(words: Vec<OsString>) -> Response {
    let words = help_first(words);
    let known = words.first().filter(|word| NOUNS.iter().any(|noun| *word == noun.name));
    let noun = known.map_or(String::new(), |noun| noun.to_string_lossy().into_owned());
    let response = match tree().bin_name("ipc").no_binary_name(true).try_get_matches_from(&words) {
        Err(error) if error.kind() == ErrorKind::MissingSubcommand => missing_word(known),
        Err(error) if error.use_stderr() => {
            let tip = similar_word(&error, &noun).or_else(|| tip(&error));
            usage_message(&error, &noun, tip)
        }
        Err(error) => Response::Answer(printed(&error.render().to_string())),
        Ok(_) => missing_word(known),
    };
    response.colored_as(&words)
}

/// Reads `NOUN help VERB` as `help NOUN VERB`, and without `help` if there is no such verb: the error
/// then names the noun and similar words.
fn help_first(mut words: Vec<OsString>) -> Vec<OsString> {
    let is_noun = |word: &OsString| NOUNS.iter().any(|noun| word == noun.name);
    if words.first().is_some_and(is_noun) && words.get(1).is_some_and(|word| word == "help") {
        words.swap(0, 1);
    }
    if words.first().is_some_and(|word| word == "help") && !has_help(&words[1..]) {
        words.remove(0);
    }
    words
}

/// Whether these words, as far as they name a noun and a verb, have help.
fn has_help(words: &[OsString]) -> bool {
    let Some(first) = words.first() else { return true };
    match (NOUNS.iter().find(|noun| first == noun.name), words.get(1)) {
        (Some(noun), Some(verb)) => noun.verbs.iter().any(|one| verb == one.name),
        (Some(_), None) => true,
        (None, _) => COMMANDS.iter().any(|command| first == command.name),
    }
}

/// The usage error of words that end before the verb: the short help, which lists the words that may
/// follow.
fn missing_word(noun: Option<&OsString>) -> Response {
    let help = OsString::from("-h");
    match explain(tree().bin_name("ipc").no_binary_name(true), noun.into_iter().chain([&help])) {
        Response::Answer(help) | Response::Usage(help, _) => {
            Response::Usage(help, Color::default())
        }
        other => other,
    }
}

fn explain<'a>(command: Command, words: impl IntoIterator<Item = &'a OsString>) -> Response {
    match command.try_get_matches_from(words) {
        Err(error) => Response::Answer(printed(&error.render().to_string())),
        Ok(_) => Response::Answer(String::new()),
    }
}

/// Runs `ipc` with these arguments, of which the first is the name of the program, in a process that
/// exits next; returns the exit status.
pub fn run(arguments: Vec<OsString>) -> u8 {
    if crate::sys::entry::is_privileged_by_file() {
        let refusal = "ipc: does not run set-user-ID, set-group-ID or with file capabilities\n";
        Destinations::of_process().complain(refusal);
        return Exit::Failed.code();
    }
    if let Some(applet) = applet::called_by(&arguments) {
        let command = Some([applet.name, "", ""]);
        let _report = heap::report_as(Report { command, status: applet.failure });
        return (applet.run)(&arguments);
    }
    let (status, rest) = run_verb(arguments, Cancellation::Die);
    // The kernel frees what is left faster than drops would.
    std::mem::forget(rest);
    status
}

/// Runs one of several verbs of a process, which continues after it; returns the exit status.
pub fn run_among_others(arguments: Vec<OsString>) -> u8 {
    run_verb(arguments, Cancellation::Return).0
}

/// The context of a verb, and the parser of its command line if clap parsed it.
type Rest = Option<(Context, Option<Box<Command>>)>;

fn run_verb(arguments: Vec<OsString>, cancellation: Cancellation) -> (u8, Rest) {
    if let Some(words) = handover::of_remote(&arguments) {
        return (handover::to_program(&words), None);
    }
    let call = match parse(arguments) {
        Ok(call) => call,
        Err(response) => return (response.print(cancellation).code(), None),
    };
    let _report = heap::report_as(report_of(&call));
    let Call { path, verbosity, act, parser } = call;
    let mut context = Context::new(path.pair(), verbosity, cancellation, &catalog::NAMES);
    context.manual = manual::shown;
    let outcome = act(&mut context);
    // The output before an error is valid, so it is written before the error is reported.
    let outcome = context.output.flush().map_err(Into::into).and(outcome);
    let exit = outcome.unwrap_or_else(|error| path.verb.exit(fail(&error, &context)));
    (exit.code(), Some((context, parser)))
}

/// The report of a failed allocation in a verb.
fn report_of(Call { path, verbosity, .. }: &Call) -> Report {
    let command = (!verbosity.is_quiet()).then(|| path.prefix());
    Report { command, status: path.verb.exit(Exit::Failed).code() }
}

/// Prints an error, and returns its status.
///
/// If the reader of stdout has disconnected, the verb ends as by SIGPIPE.
fn fail(error: &anyhow::Error, context: &Context) -> Exit {
    let unwritable = error.chain().find_map(|cause| cause.downcast_ref::<Unwritable>());
    if unwritable.is_some_and(|unwritable| unwritable.reader_left()) {
        return context.cancellation.by(Signal::PIPE);
    }
    context.output.error(error);
    Exit::of(error)
}
