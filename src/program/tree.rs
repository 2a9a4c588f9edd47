//! The whole command line as clap has it: for help, suggestions, manual pages and completions.

use clap::Command;

use super::catalog::{COMMANDS, NOUNS};
use crate::app::command::{VERSION, Verb};
use crate::app::links;
use crate::base::exit;

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
