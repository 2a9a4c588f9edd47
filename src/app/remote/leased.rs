//! Running a COMMAND that has something of a server for a limited time.

use std::ffi::OsString;

use crate::base::exit::{Exit, Failure, Subject};
use crate::base::text::escape;
use crate::io::output::{Output, rfc3339};
use crate::mechanism::remote::holder::Holder;
use crate::mechanism::remote::lease::RecordLease;
use crate::mechanism::remote::{RemoteName, SECRETS};
use crate::run::job::Command;
use crate::run::lease::{self, Ended};

use super::Lifetime;

/// The variable in which COMMAND finds the fencing token.
const TOKEN: &str = "IPC_LOCK_TOKEN";

/// A COMMAND that was found, and will hold something.
#[derive(Debug)]
pub struct Leased {
    command: Command,
    /// What the records on the server say about it.
    pub holder: Holder,
}

impl Leased {
    /// The COMMAND of these words.
    ///
    /// # Errors
    /// Status 126 or 127 if the file is not executable or does not exist; a usage error of `--ttl`.
    pub fn new(words: &[OsString], lifetime: Lifetime) -> anyhow::Result<Self> {
        let command = Command::new(words)?.without(&SECRETS);
        let holder = Holder::of_process(&command.name().to_string_lossy(), lifetime.duration()?);
        Ok(Self { command, holder })
    }

    /// Runs it, and gives the lease back; returns its status. `what` is the thing that it holds.
    ///
    /// # Errors
    /// Status 125 if the lease was lost before its end, and COMMAND was killed; those of a start.
    pub fn run(
        self,
        name: &RemoteName,
        what: &str,
        lease: RecordLease,
        output: &Output,
    ) -> anyhow::Result<Exit> {
        let token = lease.token().to_string();
        let command = self.command.with(TOKEN, token.as_bytes()).map_err(Failure::from)?;
        let Ended { exit, lost, unreleased } = lease::run(command, Box::new(lease))?;
        if lost {
            let reason = format!("{what} was lost, so COMMAND was killed");
            let hint = "the server did not answer in time, or 'ipc' was stopped";
            let failure = Failure::new(Exit::CommandNotStarted, reason).hint(hint);
            return Err(failure).about(name);
        }
        if let Some(error) = unreleased {
            let name = escape(name.as_ref().as_encoded_bytes()).into_owned();
            output.warn(format_args!("{name}: {what} ends later, by its --ttl: {error:#}"));
        }
        Ok(exit)
    }
}

/// A holder, in words.
pub fn in_words(holder: &Holder) -> String {
    if holder.host.is_empty() {
        return "another program".to_owned();
    }
    let (command, host) = (escape(holder.command.as_bytes()), escape(holder.host.as_bytes()));
    let since = rfc3339(holder.since).unwrap_or_default();
    format!("{} ({command}) of {host} since {since}", holder.pid)
}
