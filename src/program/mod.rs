//! The program: finds noun and verb by hand, so that a run builds the options of the one verb that it
//! needs, runs the verb, and reports errors.

pub mod catalog;
mod similar;
#[cfg(test)]
mod tests;
mod tree;
mod usage;

use std::ffi::OsString;
use std::mem::ManuallyDrop;
use std::path::Path;

use clap::error::ErrorKind;
use clap::{Command, FromArgMatches};

use self::usage::{
    misplaced_command, misread_number, passes_value, runs_command, similar_word, tip, usage_message,
};
use crate::app::command::{Act, Place, VERSION, printed};
use crate::app::context::Context;
use crate::app::options::Verbosity;
use crate::applet;
use crate::base::exit::Exit;
use crate::base::signal::Signal;
use crate::io::output::{Output, Unwritable, complain};
use crate::sys::heap::{self, Report};

pub use self::catalog::{COMMANDS, NOUNS};
pub use self::tree::tree;
pub use crate::app::command::{Example, Noun, Statuses, Verb};

/// A command line that was understood.
pub struct Call {
    /// Which verb it is.
    pub place: Place,
    /// How much to say on stderr.
    pub verbosity: Verbosity,
    /// Does what was asked for.
    pub act: Act,
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
                    Err(error) => fail(&error.into(), &output),
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
        Err(error) => Message::Answer(printed(&error.render().to_string())),
        Ok(_) => missing_word(&place),
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
        Err(error) => Message::Answer(printed(&error.render().to_string())),
        Ok(_) => Message::Answer(String::new()),
    }
}

/// Runs `ipc` with these arguments, the name it was called by first; returns the exit status.
pub fn run(arguments: Vec<OsString>) -> u8 {
    if crate::sys::entry::is_privileged_by_file() {
        complain("ipc: does not run set-user-ID, set-group-ID or with file capabilities\n");
        return Exit::Failed.code();
    }
    if let Some(applet) = applet::called_by(&arguments) {
        let command = Some([applet.name, "", ""]);
        heap::report_as(Report { command, status: applet.failure });
        return (applet.run)(&arguments);
    }
    let call = match parse(arguments) {
        Ok(call) => call,
        Err(message) => return message.print().code(),
    };
    heap::report_as(report_of(&call));
    let place = call.place;
    let mut context = Context::new(place.words(), call.verbosity, &catalog::NAMES);
    let outcome = (call.act)(&mut context);
    // What was printed before an error is as good as what was printed without one.
    let outcome = context.output.flush().map_err(Into::into).and(outcome);
    match outcome {
        Ok(exit) => exit.code(),
        Err(error) => place.verb.exit(fail(&error, &context.output)).code(),
    }
}

/// What a verb ends with that can allocate no more.
fn report_of(Call { place, verbosity, .. }: &Call) -> Report {
    let command = (!verbosity.is_quiet()).then(|| place.prefix());
    Report { command, status: place.verb.exit(Exit::Failed).code() }
}

/// Says what went wrong, and finds the status for it.
///
/// If the reader of stdout has left, which is its good right, we end as SIGPIPE would end us.
fn fail(error: &anyhow::Error, output: &Output) -> Exit {
    let unwritable = error.chain().find_map(|cause| cause.downcast_ref::<Unwritable>());
    if unwritable.is_some_and(|unwritable| unwritable.reader_left()) {
        crate::sys::signal::die_of(Signal::PIPE);
    }
    output.error(error);
    Exit::of(error)
}
