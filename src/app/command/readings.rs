//! Both readings of a command line, without clap and with it, for the test that compares them.

use std::ffi::OsString;

use clap::{Command, FromArgMatches};

use crate::app::arguments;
use crate::app::command::Action;
use crate::app::options::Verbosity;

/// Reads a command line without clap, and with it.
pub(crate) type Readings = fn(Command, &[OsString]) -> (Option<String>, Option<String>);

pub(crate) fn of<R: Action>(
    command: Command,
    words: &[OsString],
) -> (Option<String>, Option<String>) {
    let matches = command.no_binary_name(true).try_get_matches_from(words).ok();
    let with_clap = matches
        .map(|matches| (Verbosity::from_arg_matches(&matches), R::from_arg_matches(&matches)))
        .map(|(verbosity, verb)| (verbosity.unwrap(), verb.unwrap()));
    let show = |(verbosity, verb)| format!("{verbosity:?} {verb:?}");
    (arguments::read::<(Verbosity, R)>(words).map(show), with_clap.map(show))
}
