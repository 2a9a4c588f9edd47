//! Names that were given: a link in `names/` keeps each for one message.
//!
//! The link count of the file tells whether its message is there, except where links do not last:
//! overlayfs makes a copy of a file of a lower layer when it is renamed, and the link stays with the
//! old file; a copy of a spool may have two files. There a scan looks for the message.

use std::os::fd::OwnedFd;
use std::time::Duration;

use nix::sys::stat::FileStat;

use super::directory::{Spool, sync_file};
use super::entry::{Entry, Origin};
use super::files::WHOLE;
use super::part::Part;
use super::scan::{self, Found};
use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::sys::inode;

/// The names of a spool, of which no other process reserves or frees one until this is dropped.
#[derive(Debug)]
pub struct Names<'s> {
    spool: &'s Spool,
    directory: OwnedFd,
}

/// The maximum wait before a name is freed. A link that is left behind keeps no message away: the
/// next put of its name removes it.
const PATIENCE: Duration = Duration::from_secs(1);

impl<'s> Names<'s> {
    /// Waits until the names are free to change.
    pub fn lock(spool: &'s Spool) -> Result<Self, Errno> {
        Ok(Self::lock_until(spool, Deadline::NEVER)?.expect("there is no deadline"))
    }

    fn lock_until(spool: &'s Spool, deadline: Deadline) -> Result<Option<Self>, Errno> {
        let directory = spool.open_part(Part::Names)?;
        Ok(match WHOLE.wait(&directory, deadline)? {
            Waited::Done(()) => Some(Self { spool, directory }),
            Waited::TimedOut => None,
        })
    }

    /// Reserves a name durably for a message in `tmp/`; returns whether it was free.
    pub fn reserve(&self, name: &str, temporary: &str) -> Result<bool, Errno> {
        loop {
            match self.spool.link((Part::Temporary, temporary), (Part::Names, name)) {
                Err(Errno(libc::EEXIST)) if self.is_in_use(name)? => return Ok(false),
                Err(Errno(libc::EEXIST)) => self.free(name)?,
                linked => {
                    linked?;
                    return sync_file(&self.directory).map(|()| true);
                }
            }
        }
    }

    /// Frees a name.
    pub fn free(&self, name: &str) -> Result<(), Errno> {
        match self.spool.unlink(Part::Names, name) {
            Err(Errno(libc::ENOENT)) => Ok(()),
            removed => removed,
        }
    }

    /// Whether the message of a link is there. It is not if its put was killed, which leaves a
    /// temporary file, or if it was removed and this process was killed before it freed the name.
    fn is_in_use(&self, name: &str) -> Result<bool, Errno> {
        let link = match self.spool.status_of(Part::Names, name) {
            Err(Errno(libc::ENOENT)) => return Ok(false),
            link => link?,
        };
        if link.st_nlink < 2 || !self.spool.keeps_links() {
            // A message that is renamed during the scan may be left out.
            return Ok(self.has_message(name)? || self.has_message(name)?);
        }
        for file in scan::files(self.spool, Part::Temporary)? {
            let file = file?;
            let status = self.spool.status_of(Part::Temporary, &file);
            if status.is_ok_and(|status| inode::is_same(&status, &link)) {
                self.spool.unlink(Part::Temporary, &file)?;
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn has_message(&self, name: &str) -> Result<bool, Errno> {
        for part in [Part::Ready, Part::Failed] {
            for found in scan::messages(self.spool, part)? {
                if matches!(found?, Found::Message(entry, _) if has_name(&entry, name)) {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }
}

fn has_name(entry: &Entry, name: &str) -> bool {
    entry.origin == Origin::Given && *entry.name == *name
}

/// Frees the name of a message that was removed, whose file had this status. A failure is none of
/// the message: the next put of the name frees it.
pub fn free(spool: &Spool, name: &str, removed: &FileStat) {
    let Ok(Some(names)) = Names::lock_until(spool, Deadline::after(PATIENCE)) else { return };
    let link = spool.status_of(Part::Names, name);
    // It may be that of a new message of the name.
    if link.is_ok_and(|link| inode::is_same(&link, removed)) || names.is_in_use(name) == Ok(false) {
        let _ = names.free(name);
    }
}
