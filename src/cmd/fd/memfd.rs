//! `ipc fd memfd`.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use crate::app::arguments::Plain;
use crate::app::command::{Action, Effect, Example, Statuses};
use crate::app::context::Context;
use crate::app::handover::{become_with, command};
use crate::base::errno::Errno;
use crate::base::exit::{Exit, Subject, about};
use crate::io::transfer::{self, Side};
use crate::mechanism::descriptors::{Name, Named};
use crate::sys::descriptor::ClosedOnExec;
use crate::sys::{memfd, offset};

/// Become a command that gets stdin as a file in memory
///
/// Stdin is read to its end into a file that has no name: memfd_create(2). COMMAND has it as descriptor
/// 3, positioned at its beginning, and each '{}' in its words is replaced by a path of it,
/// /proc/self/fd/3. It vanishes with its last descriptor. Programs that want a file instead of a pipe can
/// read it as often as they like, and nothing is left on a disk.
///
/// With --seal, no process can change the file any more, COMMAND included, so that a receiver can rely
/// on it: F_ADD_SEALS of fcntl(2).
#[derive(Debug, clap::Args, Plain)]
pub struct Memfd {
    /// Let no process change the file
    #[arg(long)]
    seal: bool,
    /// Become this, with the file as descriptor 3 and {} as its path
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

impl Action for Memfd {
    const EXAMPLES: &'static [Example] = &[
        ("A secret for a program that wants a file", "pass show key | ipc fd memfd -- ssh-add {}"),
        (
            "Send bytes that the receiver can rely on",
            "ipc fd memfd --seal <plan -- ipc fd send ./worker 3=plan",
        ),
    ];

    const STATUSES: Statuses = Statuses::OfCommand;

    const EFFECT: Effect = Effect::BecomesCommand;

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let _closed = ClosedOnExec::new();
        let words: Vec<OsString> = self.command.iter().map(|word| with_path(word)).collect();
        let command = command(&words)?;
        let file = memfd::sealable().about("memfd")?;
        transfer::copy(context.stdin, &file, None).map_err(|error| match error.side {
            Side::Source => about(error.errno, "standard input"),
            Side::Destination => about(error.errno, "memfd"),
        })?;
        let finish = || -> Result<(), Errno> {
            offset::seek(&file, 0)?;
            if self.seal { memfd::seal(&file) } else { Ok(()) }
        };
        finish().about("memfd")?;
        let all = vec![Named { name: Name::unknown(), descriptor: file }];
        Err(become_with(&command, all, &[]))
    }
}

/// The word, with the path of the file in the place of each `{}`.
fn with_path(word: &OsStr) -> OsString {
    const PATH: &[u8] = b"/proc/self/fd/3";
    let mut rest = word.as_bytes();
    let mut result = Vec::new();
    while let Some(start) = rest.windows(2).position(|two| two == b"{}") {
        result.extend_from_slice(&rest[..start]);
        result.extend_from_slice(PATH);
        rest = &rest[start + 2..];
    }
    result.extend_from_slice(rest);
    OsString::from_vec(result)
}
