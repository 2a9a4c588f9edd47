//! The program for objects on servers: the same verbs, with the engine of a kind of server.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::{Call, Response, catalog, fail, parse_with_clap, report_of};
use crate::app::command::{Noun, VERSION, Verb, VerbPath};
use crate::app::context::{Cancellation, Context};
use crate::base::exit::Exit;
use crate::base::short::Short;
use crate::base::text::escape;
use crate::cmd::remote::{COMMANDS, NOUNS, reason_without, reason_without_option};
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
    let found = NOUNS
        .iter()
        .find(|known| known.name == noun)
        .and_then(|noun| Some(VerbPath { noun: Some(noun), verb: verb_called(noun, verb)? }));
    let Some(path) = found else { return Err(without_engine(noun, verb)) };
    let options = words.split_off(2);
    parse_with_clap(path, options.clone()).map_err(|response| match response {
        Response::Usage(..) => refused_option(path, &options).unwrap_or(response),
        answer => answer,
    })
}

fn verb_called(noun: &Noun, word: &str) -> Option<&'static Verb> {
    let short = Short::new(word.as_bytes())?;
    noun.verbs.iter().find(|verb| verb.is_called(short))
}

/// The usage error of an option that the verb has for objects of this machine only.
fn refused_option(path: VerbPath, words: &[OsString]) -> Option<Response> {
    let command = path.verb.command().no_binary_name(true);
    let error = command.try_get_matches_from(words).err()?;
    let Some(ContextValue::String(given)) = error.get(ContextKind::InvalidArg) else { return None };
    if error.kind() != ErrorKind::UnknownArgument {
        return None;
    }
    let [noun, verb] = path.pair();
    let reason = reason_without_option(noun, given.trim_start_matches('-'))?;
    let hint = format!("'ipc {noun} {verb} nats://HOST/NAME --help' has the options for servers");
    let text = format!("ipc: {noun} {verb}: {given}: {reason}\nhint: {hint}\n");
    Some(Response::Usage(text, Color::default()).colored_as(words))
}

/// The usage error of a verb that has no engine for servers.
fn without_engine(noun: &str, verb: &str) -> Response {
    let verb = if COMMANDS.contains(&noun) { "" } else { verb };
    let words = escape(format!("{noun} {verb}").trim().as_bytes()).into_owned();
    let reason = reason_without(noun, verb).unwrap_or("there is no such verb for names on servers");
    let hint = "ipc-remote(7) has the verbs for names on servers";
    Response::Usage(format!("ipc: {words}: {reason}\nhint: {hint}\n"), Color::default())
}

#[cfg(test)]
mod tests {
    use clap::Arg;

    use super::super::noun_called;
    use super::*;
    use crate::cmd::remote::REFUSED_OPTIONS;

    /// The verbs for servers that have one of the same name here, each with that and its noun.
    fn both() -> impl Iterator<Item = (&'static str, &'static Verb, &'static Verb)> {
        NOUNS.iter().flat_map(|noun| {
            let local = noun_called(noun.name.as_ref()).unwrap();
            let verbs = noun.verbs.iter();
            verbs.filter_map(|verb| Some((noun.name, verb_called(local, verb.name)?, verb)))
        })
    }

    fn options(verb: &Verb) -> Vec<Arg> {
        let command = verb.command();
        command.get_arguments().filter(|option| option.get_long().is_some()).cloned().collect()
    }

    /// The names of an option: the long one, and its letter.
    fn names(option: &Arg) -> impl Iterator<Item = String> {
        let long = option.get_long().map(str::to_owned);
        long.into_iter().chain(option.get_short().map(String::from))
    }

    fn has_reason(noun: &str, option: &str) -> bool {
        reason_without_option(noun, option).is_some()
    }

    /// All that a user can see of an option beside its help.
    fn form(option: &Arg) -> String {
        let takes_value = option.get_action().takes_values();
        let number = option.get_num_args().filter(|_| takes_value);
        let words: Vec<String> =
            option.get_possible_values().iter().map(|it| it.get_name().to_owned()).collect();
        let (short, action) = (option.get_short(), option.get_action());
        let given = option.is_require_equals_set();
        format!(
            "{short:?} {action:?} {number:?} {given} {words:?} {:?}",
            option.get_default_values()
        )
    }

    /// The options whose form differs, with the reason.
    const DIFFERENT: [(&str, &str); 1] =
        [("door serve --max-size", "the limit of the server is the default")];

    #[test]
    fn an_option_is_the_same_for_servers_or_is_refused_with_a_reason() {
        let mut wrong = Vec::new();
        for (noun, local, remote) in both() {
            let there = options(remote);
            for option in options(local) {
                let long = option.get_long().unwrap();
                let what = format!("{noun} {} --{long}", local.name);
                match there.iter().find(|other| other.get_long() == Some(long)) {
                    Some(same) if form(same) == form(&option) => {}
                    Some(_) if DIFFERENT.iter().any(|(known, _)| *known == what) => {}
                    Some(same) => wrong.push(format!("{what}: {} {}", form(&option), form(same))),
                    None if names(&option).all(|name| has_reason(noun, &name)) => {}
                    None => wrong.push(format!("{what}: no reason")),
                }
                let short = option.get_short();
                let other = there.iter().find(|it| short.is_some() && it.get_short() == short);
                if other.is_some_and(|other| other.get_long() != Some(long)) {
                    wrong.push(format!("{what}: its letter has another meaning"));
                }
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
    }

    #[test]
    fn only_verbs_for_servers_have_the_options_of_servers() {
        // The way to the server, how a holder is seen, and where things are stored.
        let every = ["creds", "ca", "cert", "key", "timeout", "ttl", "replicas"];
        for (noun, local, remote) in both() {
            let here = options(local);
            for option in options(remote) {
                let long = option.get_long().unwrap();
                let is_own = (noun, remote.name, long) == ("shm", "cas", "fence");
                let is_known = every.contains(&long) || is_own;
                let is_same = here.iter().any(|other| other.get_long() == Some(long));
                assert!(is_same || is_known, "{noun} {} --{long}", remote.name);
            }
        }
    }

    #[test]
    fn the_operands_and_the_alias_of_a_verb_are_the_same_for_servers() {
        // The server is an operand of a list, and the name is one where signals go to processes.
        let others = ["lock ls", "mq ls", "sem ls", "shm ls", "signal send", "signal wait"];
        for (noun, local, remote) in both() {
            let what = format!("{noun} {}", local.name);
            assert_eq!(local.alias, remote.alias, "{what}");
            let operands = |verb: &Verb| -> Vec<String> {
                let command = verb.command();
                let operands = command.get_positionals().filter(|operand| !operand.is_last_set());
                let number =
                    |operand: &Arg| operand.get_num_args().map(|number| number.max_values());
                operands.map(|it| format!("{:?} {}", number(it), it.is_required_set())).collect()
            };
            if !others.contains(&what.as_str()) {
                assert_eq!(operands(remote), operands(local), "{what}");
            }
        }
    }

    #[test]
    fn every_reason_is_that_of_an_option() {
        for (noun, refused, _) in REFUSED_OPTIONS {
            for option in *refused {
                let is_refused = both().any(|(of, local, remote)| {
                    let has =
                        |verb| options(verb).iter().any(|it| names(it).any(|it| it == *option));
                    (noun.is_empty() || of == *noun) && has(local) && !has(remote)
                });
                assert!(is_refused, "{noun} --{option}");
            }
        }
    }

    #[test]
    fn every_other_verb_has_a_reason() {
        for command in COMMANDS {
            assert!(reason_without(command, "").is_some(), "{command}");
        }
        for noun in catalog::NOUNS {
            let remote = NOUNS.iter().find(|other| other.name == noun.name);
            for verb in noun.verbs {
                let is_there = remote.is_some_and(|noun| verb_called(noun, verb.name).is_some());
                let reason = reason_without(noun.name, verb.name);
                assert!(is_there || reason.is_some(), "{} {}", noun.name, verb.name);
            }
        }
    }
}
