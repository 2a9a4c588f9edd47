//! The whole command line as clap has it: for help, suggestions, manual pages and completions.

use clap::Command;

use super::catalog::{COMMANDS, NOUNS};
use crate::app::command::{HELP_WIDTH, VERSION, Verb};
use crate::app::links;
use crate::base::exit;

/// Everything that `ipc` understands.
pub fn tree() -> Command {
    let nouns = NOUNS.iter().map(|noun| {
        Command::new(noun.name)
            .about(noun.about)
            .version(VERSION)
            .display_name("ipc")
            .max_term_width(HELP_WIDTH)
            .subcommand_required(true)
            .subcommand_value_name("VERB")
            .disable_help_subcommand(true)
            .subcommands(noun.verbs.iter().map(Verb::explained))
            .help_template(
                "{about-with-newline}\n{usage-heading} {usage}\n\nVerbs:\n{subcommands}{after-help}",
            )
            .after_help(format!(
                "'ipc {} VERB -h' explains a verb; '--help' has all options and examples.",
                noun.name
            ))
    });
    let statuses = exit::MEANINGS.iter().chain(&exit::COMMAND_MEANINGS);
    let statuses =
        statuses.map(|(code, meaning)| format!("  {code:<10} {meaning}\n")).collect::<String>();
    let root = Command::new("ipc")
        .about("Every way that Unix processes talk and coordinate, for shell scripts")
        .version(VERSION)
        .max_term_width(HELP_WIDTH)
        .override_usage(links::MARK)
        .subcommand_required(true)
        .subcommands(nouns)
        .subcommands(COMMANDS.iter().map(Verb::explained));
    let names: Vec<_> = root.get_subcommands().map(name_and_about).collect();
    root.before_help(format!("Commands:\n{}", in_two_columns(&names)))
        .before_long_help(format!("Commands:\n{}", in_one_column(&names)))
        .help_template(
            "{about-with-newline}\n{usage-heading} {usage}\n\n{before-help}Options:\n{options}{after-help}",
        )
        .after_help("'ipc NOUN -h' lists the verbs of a noun, 'ipc NOUN VERB -h' explains one.")
        .after_long_help(format!(
            "'ipc NOUN --help' lists the verbs of a noun, 'ipc NOUN VERB --help' explains one.\n\n\
             Exit status (the last five for verbs that run a COMMAND):\n{statuses}"
        ))
}

fn name_and_about(command: &Command) -> (String, String) {
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    (command.get_name().to_owned(), about)
}

fn in_one_column(names: &[(String, String)]) -> String {
    lines(names).join("\n")
}

/// Two columns, of which the first is read first, so that many names fit a screen.
fn in_two_columns(names: &[(String, String)]) -> String {
    let lines = lines(names);
    let (left, right) = lines.split_at(lines.len().div_ceil(2));
    let rows = left.iter().enumerate().map(|(row, line)| match right.get(row) {
        Some(other) => format!("{line:<width$}{other}", width = HELP_WIDTH / 2),
        None => line.clone(),
    });
    rows.collect::<Vec<_>>().join("\n")
}

fn lines(names: &[(String, String)]) -> Vec<String> {
    let width = names.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
    names.iter().map(|(name, about)| format!("  {name:<width$}  {about}")).collect()
}

#[cfg(test)]
mod tests {
    use super::in_two_columns;

    #[test]
    fn two_columns_are_read_from_top_to_bottom() {
        let names = ["fifo", "lock", "sem"].map(|name| (name.to_owned(), format!("Use {name}")));
        let expected =
            format!("  fifo  Use fifo{}  sem   Use sem\n  lock  Use lock", " ".repeat(24));
        assert_eq!(in_two_columns(&names), expected);
    }

    #[test]
    fn twenty_five_nouns_and_two_commands_need_fourteen_rows() {
        let names = vec![("eightlet".to_owned(), "x".repeat(28)); 27];
        let rows = in_two_columns(&names);
        assert_eq!(rows.lines().count(), 14);
        assert!(rows.lines().all(|row| row.len() <= 80), "{rows}");
    }
}
