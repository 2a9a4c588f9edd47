//! `ipc spool create`.

use crate::app::arguments::Plain;
use crate::app::command::{Action, Example};
use crate::app::context::Context;
use crate::app::creation::Creation;
use crate::app::trust::Accepted;
use crate::base::exit::{Exit, Failure, Subject};
use crate::base::name::FilePath;
use crate::mechanism::spool::directory::Spool;
use crate::sys::origin::Found;

use super::explain;

/// Create a spool
///
/// A spool is a directory of messages, which are files. Its permissions are those of its directory:
/// users who may write it put and take messages, and a message gets the group and the read bits of
/// the directory. With --mode, users who may read a directory may also search it: 0660 makes
/// directories of mode 0770. For a group, create the spool in a directory of that group with the
/// set-group-ID bit, or give the spool that group (chgrp -R).
///
/// An empty directory becomes a spool. The status is 5 if there is anything else of that name.
#[derive(Debug, clap::Args, Plain)]
pub struct Create {
    /// Path of the directory
    directory: FilePath,
    #[command(flatten)]
    creation: Creation,
}

impl Action for Create {
    const EXAMPLES: &'static [Example] = &[
        ("Create a spool", "ipc spool create ./jobs"),
        ("Create one for a group", "ipc spool create /var/spool/jobs -m 0660"),
    ];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let create = || create(&self.directory, self.creation.mode());
        self.creation
            .make(&self.directory, &context.output, create, || self.accept())
            .about(&self.directory)?;
        Ok(Exit::Done)
    }
}

impl Create {
    /// Accepts a spool that exists already, if it is trusted and has the requested permissions.
    fn accept(&self) -> Result<Accepted, Failure> {
        Spool::open(self.directory.path()).map_err(|error| explain(error, &self.directory))?;
        let found = Found::at(self.directory.path())?;
        let accepted = self.creation.accept_of_any_mode(&found)?;
        match self.creation.other_mode(&found) {
            Some(mode) if searchable(mode) != found.mode() => {
                let reason = format!("exists with --mode {:04o}", found.mode());
                Err(Failure::new(Exit::InUse, reason))
            }
            _ => Ok(accepted),
        }
    }
}

/// Creates a spool.
pub fn create(directory: &FilePath, mode: u32) -> Result<Spool, Failure> {
    Spool::create(directory.path(), searchable(mode)).map_err(|error| explain(error, directory))
}

/// The permissions of a directory: users who may read it may search it.
fn searchable(mode: u32) -> u32 {
    mode | (mode & 0o444) >> 2
}
