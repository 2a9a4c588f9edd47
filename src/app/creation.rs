//! Creating an object: permissions, `--exist-ok`, and objects that exist already.

use std::ffi::OsStr;

use crate::app::arguments::Plain;
use crate::app::objects::{exists_already, report};
use crate::app::trust::{Accepted, Trust};
use crate::base::exit::{Exit, Failure};
use crate::base::units::Permissions;
use crate::io::output::Output;
use crate::sys::origin::Found;

/// Options for creating an object.
#[derive(Clone, Debug, clap::Args, Plain)]
pub struct Creation {
    /// Permissions, octal or symbolic; 0600 by default
    ///
    /// They are set exactly, whatever the umask.
    #[arg(short, long)]
    mode: Option<Permissions>,
    /// Succeed if it exists already
    #[arg(short, long)]
    exist_ok: bool,
    #[command(flatten)]
    trust: Trust,
}

impl Creation {
    /// The permissions of the new object.
    pub fn mode(&self) -> u32 {
        Permissions::of_new_object(self.mode)
    }

    /// Accepts an object that exists already, if a trusted user made it and it has the requested
    /// permissions.
    pub fn accept(&self, found: &Found) -> Result<Accepted, Failure> {
        self.trust.accept(found, self.mode.map(|_| self.mode()))
    }

    /// Accepts an object that exists already, if a trusted user made it. The caller sets the
    /// requested permissions.
    pub fn accept_of_any_mode(&self, found: &Found) -> Result<Accepted, Failure> {
        self.trust.accept(found, None)
    }

    /// The requested permissions, if an object that exists already has others.
    pub fn other_mode(&self, found: &Found) -> Option<u32> {
        self.mode.map(|_| self.mode()).filter(|&mode| mode != found.mode())
    }

    /// Creates an object with `create`; `None` if it exists already, and `exists` accepts it.
    ///
    /// # Errors
    /// Status 5 if the object exists already and --exist-ok is not given; those of `create` and
    /// `exists`.
    pub fn make<T, E: Into<anyhow::Error>, F: Into<anyhow::Error>>(
        &self,
        name: impl AsRef<OsStr>,
        output: &Output,
        mut create: impl FnMut() -> Result<T, E>,
        mut exists: impl FnMut() -> Result<Accepted, F>,
    ) -> anyhow::Result<Option<T>> {
        // Another process may remove the object between the two calls. The number is limited
        // because a dangling symbolic link exists for `create` and never for `exists`.
        let mut attempts_left = 100;
        loop {
            match create().map_err(Into::into) {
                Ok(made) => {
                    report(output, name, "created");
                    return Ok(Some(made));
                }
                Err(error) if Exit::of(&error) != Exit::InUse => return Err(error),
                Err(error) if !self.exist_ok => return Err(exists_already(error)),
                Err(_) => {}
            }
            match exists().map_err(Into::into) {
                Ok(Accepted { .. }) => {
                    report(output, name, "existed already");
                    return Ok(None);
                }
                Err(error) if Exit::of(&error) == Exit::NotFound && attempts_left > 0 => {
                    attempts_left -= 1;
                }
                Err(error) => return Err(error),
            }
        }
    }
}
