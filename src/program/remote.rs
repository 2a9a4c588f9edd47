//! The program for objects on servers: the same verbs, with the engine of a kind of server.

use std::ffi::OsString;

use super::{Call, Response, catalog, fail, parse_with_clap, report_of};
use crate::app::command::{VERSION, VerbPath};
use crate::app::context::{Cancellation, Context};
use crate::base::exit::Exit;
use crate::base::short::Short;
use crate::base::text::escape;
use crate::cmd::remote::{NOUNS, reason_without};
use crate::io::output::{Color, Destinations};
use crate::mechanism::remote::Engine;
use crate::run::lease;
use crate::sys::{entry, heap};

/// Runs a verb on the object of a server; returns the exit status. The arguments begin with the name of
/// the program, which noun and verb follow.
pub fn run(arguments: Vec<OsString>, engine: &'static dyn Engine) -> u8 {
    if entry::is_privileged_by_file() {
        let refusal =
            "ipc-remote: does not run set-user-ID, set-group-ID or with file capabilities\n";
        Destinations::of_process().complain(refusal);
        return Exit::Failed.code();
    }
    if arguments.get(1).is_some_and(|word| word == lease::WATCHDOG) {
        return lease::watch();
    }
    let call = match parse(arguments.into_iter().skip(1).collect()) {
        Ok(call) => call,
        Err(response) => return response.print(Cancellation::Die).code(),
    };
    let _report = heap::report_as(report_of(&call));
    let Call { path, verbosity, act, .. } = call;
    let mut context = Context::new(path.pair(), verbosity, Cancellation::Die, &catalog::NAMES);
    context.engine = Some(engine);
    let outcome = act(&mut context);
    let outcome = context.output.flush().map_err(Into::into).and(outcome);
    outcome.unwrap_or_else(|error| path.verb.exit(fail(&error, &context))).code()
}

/// What a user reads who runs the program.
const PURPOSE: &str = "'ipc' executes this program for names on servers, such as \
                       nats://HOST/NAME; see ipc-remote(7)";

/// Parses noun, verb and options.
fn parse(mut words: Vec<OsString>) -> Result<Call, Response> {
    let word = |index: usize| words.get(index).and_then(|word| word.to_str()).unwrap_or_default();
    let (noun, verb) = (word(0), word(1));
    if matches!(noun, "--version" | "-V") {
        return Err(Response::Answer(format!("ipc-remote {VERSION}\n")));
    }
    if noun.is_empty() {
        return Err(Response::Usage(format!("ipc-remote: {PURPOSE}\n"), Color::default()));
    }
    if matches!(noun, "--help" | "-h") {
        return Err(Response::Answer(format!("ipc-remote: {PURPOSE}\n")));
    }
    let found = NOUNS.iter().find(|known| known.name == noun).and_then(|noun| {
        let short = Short::new(verb.as_bytes())?;
        Some((noun, noun.verbs.iter().find(|verb| verb.is_called(short))?))
    });
    match found {
        Some((noun, verb)) => {
            let path = VerbPath { noun: Some(noun), verb };
            parse_with_clap(path, words.split_off(2))
        }
        None => Err(without_engine(noun, verb)),
    }
}

/// The usage error of a verb that has no engine for servers.
fn without_engine(noun: &str, verb: &str) -> Response {
    let words = escape(format!("{noun} {verb}").trim().as_bytes()).into_owned();
    let reason = reason_without(noun, verb);
    let hint = "ipc-remote(7) has the verbs for names on servers";
    Response::Usage(format!("ipc: {words}: {reason}\nhint: {hint}\n"), Color::default())
}
