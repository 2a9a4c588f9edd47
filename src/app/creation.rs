//! How objects are created: permissions, `--exist-ok`, and what may be there already.

use std::ffi::OsStr;

use crate::app::arguments::Plain;
use crate::app::objects::{exists_already, tell};
use crate::app::trust::{Accepted, Trust};
use crate::base::exit::{Exit, Failure};
use crate::base::units::Permissions;
use crate::io::output::Output;
use crate::sys::origin::Found;

/// How an object is created.
#[derive(Clone, Debug, clap::Args, Plain)]
pub struct Creation {
    /// Permissions, octal or symbolic, whatever the umask; 0600 if not given
    #[arg(short, long)]
    mode: Option<Permissions>,
    /// Succeed if it exists already
    #[arg(short, long)]
    exist_ok: bool,
    #[command(flatten)]
    trust: Trust,
}

impl Creation {
    /// The permissions for the new object.
    pub fn mode(&self) -> u32 {
        Permissions::of_new_object(self.mode)
    }

    /// Lets an object pass that exists already, if it has the permissions that were asked for and is
    /// not planted.
    pub fn accept(&self, found: &Found) -> Result<Accepted, Failure> {
        self.trust.accept(found, self.mode.map(|_| self.mode()))
    }

    /// The same, for an object that is then given the permissions that were asked for.
    pub fn accept_of_any_mode(&self, found: &Found) -> Result<Accepted, Failure> {
        self.trust.accept(found, None)
    }

    /// The permissions that were asked for, if an object that exists already has others.
    pub fn other_mode(&self, found: &Found) -> Option<u32> {
        self.mode.map(|_| self.mode()).filter(|&mode| mode != found.mode())
    }

    /// Creates an object with `create`; `None` if it exists already, where that is all right and
    /// `exists` has accepted it and finds it to be what was wanted.
    pub fn make<T, E: Into<anyhow::Error>, F: Into<anyhow::Error>>(
        &self,
        name: impl AsRef<OsStr>,
        output: &Output,
        mut create: impl FnMut() -> Result<T, E>,
        mut exists: impl FnMut() -> Result<Accepted, F>,
    ) -> anyhow::Result<Option<T>> {
        // How often it may be gone when it is looked at, before something else is wrong: a link to
        // nowhere, where a FIFO is wanted, is always there and never found.
        let mut attempts_left = 100;
        loop {
            match create().map_err(Into::into) {
                Ok(made) => {
                    tell(output, name, "created");
                    return Ok(Some(made));
                }
                Err(error) if Exit::of(&error) != Exit::InUse => return Err(error),
                Err(error) if !self.exist_ok => return Err(exists_already(error)),
                Err(_) => {}
            }
            match exists().map_err(Into::into) {
                Ok(Accepted { .. }) => {
                    tell(output, name, "was there");
                    return Ok(None);
                }
                // Somebody has removed it meanwhile.
                Err(error) if Exit::of(&error) == Exit::NotFound && attempts_left > 0 => {
                    attempts_left -= 1;
                }
                Err(error) => return Err(error),
            }
        }
    }
}
