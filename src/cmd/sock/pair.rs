//! `ipc sock pair`.

use std::ffi::OsString;

use crate::app::arguments::Plain;
use crate::app::command::{Action, Example, Statuses};
use crate::app::context::Context;
use crate::app::separator::Separator;
use crate::base::exit::{Exit, Failure, Subject};
use crate::run::job::{Command, Job};
use crate::sys::descriptor::ClosedOnExec;
use crate::sys::socket::Socket;
use crate::sys::spawn::Streams;

use crate::app::socket::Connected;

/// Run two commands that are connected by a socket
///
/// Each has one end of the socket as its stdin and stdout: the output of one is the input of the other.
/// 'ipc' forwards INT, TERM, HUP, QUIT, USR1 and USR2 to both.
///
/// The status is that of the second COMMAND, or of the first if the second succeeds.
#[derive(Debug, clap::Args, Plain)]
pub struct Pair {
    #[command(flatten)]
    connected: Connected,
    #[command(flatten)]
    separator: Separator,
    /// The commands: the first, --, the second
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

impl Action for Pair {
    const EXAMPLES: &'static [Example] = &[(
        "Let two programs ask and answer each other",
        "ipc sock pair -- ./player white -- ./player black",
    )];
    const STATUSES: Statuses = Statuses::OfCommand;

    fn run(self, _: &mut Context) -> anyhow::Result<Exit> {
        let (first, second) = self.commands()?;
        let _closed = ClosedOnExec::new();
        let (one, other) = Socket::pair(self.connected.kind)?;
        let mut job = Job::new(None);
        for (command, socket) in [(first, one), (second, other)] {
            // The drop closes this process's end, so that the other COMMAND sees the end of its peer.
            job.start(&command, Streams::both(&socket))?;
        }
        let exits = job.finish()?;
        Ok(exits.into_iter().rfind(|exit| exit.code() != 0).unwrap_or(Exit::Done))
    }
}

impl Pair {
    /// The two commands.
    fn commands(&self) -> anyhow::Result<(Command, Command)> {
        match self.separator.split(&self.command)?[..] {
            [first, second] => Ok((Command::new(first)?, Command::new(second)?)),
            _ => {
                let reason = "expected two commands, with -- before each";
                Err(Failure::new(Exit::Usage, reason)).about("COMMAND")
            }
        }
    }
}
