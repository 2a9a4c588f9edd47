//! Hands a command line with a name on a server over to the program that can reach servers, as git does
//! with its remote helpers. So `ipc` itself needs no cryptography, and starts as fast as without servers.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::{COMMANDS, noun_called};
use crate::app::arguments::{Known, Plain};
use crate::app::command::Verb;
use crate::app::options::Verbosity;
use crate::applet;
use crate::base::exit::{Exit, Failure};
use crate::base::remote_name::is_remote;
use crate::base::short::Short;
use crate::io::output::Destinations;
use crate::run::job::Command;
use crate::sys::signal::restore_dispositions_of_caller;
use crate::sys::spawn::Streams;

/// The program.
const PROGRAM: &str = "ipc-remote";

/// Where it is, if not beside this one.
const DIRECTORY: &str = match option_env!("IPC_LIBEXECDIR") {
    Some(directory) => directory,
    None => "/usr/local/libexec",
};

/// The options with a value that verbs for servers have, and the verbs of the same names here may not.
const OPTIONS: [&str; 10] = [
    "-t",
    "--timeout",
    "--creds",
    "--ca",
    "--cert",
    "--key",
    "--ttl",
    "--replicas",
    "--fence",
    "--attempts",
];

/// The commands without a noun whose operands are words rather than objects.
const WITHOUT_OBJECTS: [&str; 3] = ["applets", "guide", "man"];

/// The words of a call whose first operand is a name on a server: noun, verb, and all that follow.
#[inline]
pub fn of_remote(arguments: &[OsString]) -> Option<Vec<OsString>> {
    if arguments.iter().any(|word| is_remote(word)) { words(arguments) } else { None }
}

#[cold]
fn words(arguments: &[OsString]) -> Option<Vec<OsString>> {
    let implied = applet::name_of_program(arguments).and_then(noun_called);
    let mut rest = arguments.get(1..)?;
    let noun = implied.or_else(|| {
        let (first, others) = rest.split_first()?;
        let noun = noun_called(first)?;
        rest = others;
        Some(noun)
    });
    let (word, operands) = rest.split_first()?;
    let short = Short::new(word.as_bytes())?;
    let verbs = noun.map_or(COMMANDS, |noun| noun.verbs);
    let verb = verbs.iter().find(|verb| verb.is_called(short));
    let is_any = || operands.iter().take_while(|word| *word != "--").any(|word| is_remote(word));
    let is_meant = match noun {
        None => verb.is_some_and(|verb| !WITHOUT_OBJECTS.contains(&verb.name)) && is_any(),
        // A signal, or several, come before the name.
        Some(noun) if noun.name == "signal" => is_any(),
        Some(_) => first_operand(operands, verb).is_some_and(|operand| is_remote(operand)),
    };
    let all = noun.map(|noun| noun.name.into()).into_iter().chain(rest.iter().cloned());
    is_meant.then(|| all.collect())
}

/// The first word that is neither an option nor the value of one.
fn first_operand<'a>(words: &'a [OsString], verb: Option<&Verb>) -> Option<&'a OsString> {
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match word.as_bytes() {
            // If the verb has a COMMAND, the words behind it are COMMAND.
            b"--" => {
                return words
                    .next()
                    .filter(|_| verb.is_some_and(|it| (it.option)(b"--").is_none()));
            }
            bytes if !bytes.starts_with(b"-") => return Some(word),
            bytes if takes_next(bytes, verb) => drop(words.next()),
            _ => {}
        }
    }
    None
}

/// Whether the word after this option is its value.
fn takes_next(option: &[u8], verb: Option<&Verb>) -> bool {
    // Some verbs are for servers only.
    let known = verb.map_or(Verbosity::option as fn(&[u8]) -> _, |verb| verb.option);
    let has_value = |name: &[u8]| match known(name) {
        Some(known) => matches!(known, Known::Value(_) | Known::Values(_)),
        None => OPTIONS.iter().any(|option| option.as_bytes() == name),
    };
    if option.starts_with(b"--") {
        return !option.contains(&b'=') && has_value(option);
    }
    // The letters before the one with a value have none.
    let mut letters = option[1..].iter();
    letters.any(|&letter| has_value(&[b'-', letter])) && letters.as_slice().is_empty()
}

/// Becomes the program; returns the exit status only if that fails.
pub fn to_program(words: &[OsString]) -> u8 {
    let beside = std::env::current_exe().ok().and_then(|own| Some(own.parent()?.join(PROGRAM)));
    let failure = match beside
        .into_iter()
        .chain([Path::new(DIRECTORY).join(PROGRAM)])
        .find(|path| path.is_file())
    {
        Some(path) => {
            let words: Vec<OsString> =
                [path.clone().into_os_string()].into_iter().chain(words.iter().cloned()).collect();
            restore_dispositions_of_caller();
            let error = match Command::new(&words) {
                Ok(command) => command.exec(Streams::default(), &[]),
                Err(error) => error,
            };
            Failure::failed(format!("{error:#}"))
        }
        None => Failure::failed("names on servers need the program ipc-remote, which is not here")
            .hint(format!(
                "'make install' puts it beside ipc; it may be in {DIRECTORY} as well; ipc-remote(7) has the \
                 verbs for such names"
            )),
    };
    let count = if words.first().is_some_and(|word| noun_called(word).is_some()) { 2 } else { 1 };
    let verb: Vec<_> = words.iter().take(count).map(|word| word.to_string_lossy()).collect();
    let hint = failure.hint_text().map(|hint| format!("hint: {hint}\n")).unwrap_or_default();
    let text = format!("ipc: {}: {failure}\n{hint}", verb.join(" "));
    Destinations::of_process().complain(text);
    Exit::Failed.code()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meant(line: &str) -> bool {
        let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        of_remote(&words).is_some()
    }

    #[test]
    fn a_call_is_handed_over_if_its_first_operand_is_on_a_server() {
        for line in [
            "ipc lock run nats://h/x -- true",
            "ipc lock run -n nats://h/x -- true",
            "ipc lock run --timeout 5s nats://h/x -- true",
            "ipc lock run -nqE 7 --creds file nats://h/x -- true",
            "ipc lock run --ttl 5s -t5 nats://h/x -- true",
            "ipc lock verify nats://h/x 7",
            "/usr/bin/lock test tls://h/x",
            "ipc lock test -t 1 nats://h/x",
            "ipc mq send -p 5 nats://h/q text",
            "ipc mq rm -- nats://h/q",
            "ipc ls nats://h/q",
            "ipc who -v 17 tls://h/q",
        ] {
            assert!(meant(line), "{line}");
        }
    }

    #[test]
    fn a_text_or_a_command_that_looks_like_such_a_name_stays_here() {
        for line in [
            "ipc mq send /q nats://h/x",
            "ipc mq send -n /q nats://h/x",
            "ipc lock run /x -- nats://h/x",
            "ipc sem run --create 2 /x -- curl nats://h/x",
            "ipc guide nats://h/x",
            "ipc lock test ./nats://h/x",
            "ipc nats://h/x",
            "ipc lock",
        ] {
            assert!(!meant(line), "{line}");
        }
    }

    #[test]
    fn the_options_of_verbs_for_servers_are_known_here() {
        for noun in crate::cmd::remote::NOUNS {
            for verb in noun.verbs {
                let command = verb.command();
                let options = command.get_arguments().filter(|option| {
                    option.get_action().takes_values() && !option.is_require_equals_set()
                });
                let words = options.flat_map(|option| {
                    let long = option.get_long().map(|long| format!("--{long}"));
                    long.into_iter().chain(option.get_short().map(|short| format!("-{short}")))
                });
                for option in words {
                    let local = noun_called(noun.name.as_ref()).unwrap();
                    let local = local.verbs.iter().find(|other| other.name == verb.name);
                    assert!(takes_next(option.as_bytes(), local), "{} {option}", verb.name);
                }
            }
        }
    }
}
