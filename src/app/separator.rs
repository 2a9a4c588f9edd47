//! Several COMMANDs on one command line.

use std::ffi::OsString;

use crate::app::arguments::Plain;
use crate::base::exit::{Exit, Failure, Subject};

/// The word between two COMMANDs.
#[derive(Debug, clap::Args, Plain)]
pub struct Separator {
    /// Separate COMMANDs by WORD instead of --
    ///
    /// For a COMMAND that has a -- of its own. The first COMMAND still follows --.
    #[arg(
        long,
        hide_short_help = true,
        value_name = "WORD",
        hide_default_value = true,
        default_value = "--"
    )]
    separator: OsString,
}

impl Separator {
    /// The words of each COMMAND.
    ///
    /// # Errors
    /// Status 2 if a COMMAND has no words.
    pub fn split<'a>(&self, words: &'a [OsString]) -> anyhow::Result<Vec<&'a [OsString]>> {
        let commands: Vec<_> = words.split(|word| *word == self.separator).collect();
        match commands.iter().position(|command| command.is_empty()) {
            None => Ok(commands),
            Some(index) => {
                let separator = self.separator.to_string_lossy();
                let reason = format!("empty, number {} of {}", index + 1, commands.len());
                let hint = format!("each COMMAND but the first follows a '{separator}'");
                Err(Failure::new(Exit::Usage, reason).hint(hint)).about("COMMAND")
            }
        }
    }
}
