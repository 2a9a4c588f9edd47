//! Being told when names appear in a directory, a file loses one, or somebody writes to it:
//! inotify(7).

use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};

use super::{descriptor, poll};
use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;

/// A directory or file that is watched.
#[derive(Debug)]
pub struct Watch(Inotify);

impl Watch {
    /// Watches a directory for names that appear, from now on.
    ///
    /// # Errors
    /// EMFILE and ENOSPC if there are too many watches already.
    pub fn of_directory(path: &Path) -> Result<Self, Errno> {
        let appears = AddWatchFlags::IN_CREATE | AddWatchFlags::IN_MOVED_TO;
        Self::new(path, appears | AddWatchFlags::IN_ONLYDIR)
    }

    /// Watches an open file for the loss of a name, from now on.
    ///
    /// # Errors
    /// EMFILE and ENOSPC if there are too many watches already.
    pub fn of_names(file: impl AsFd) -> Result<Self, Errno> {
        // The count of names is an attribute. The end of the file itself is none: it is open.
        Self::new(&descriptor::path(file), AddWatchFlags::IN_ATTRIB | AddWatchFlags::IN_MOVE_SELF)
    }

    /// Watches an open file for writes to it, from now on. Changes of memory that is mapped are
    /// none.
    ///
    /// # Errors
    /// EMFILE and ENOSPC if there are too many watches already.
    pub fn of_writes(file: impl AsFd) -> Result<Self, Errno> {
        Self::new(&descriptor::path(file), AddWatchFlags::IN_MODIFY)
    }

    fn new(path: &Path, changes: AddWatchFlags) -> Result<Self, Errno> {
        let inotify = Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK)?;
        inotify.add_watch(path, changes)?;
        Ok(Self(inotify))
    }

    /// Waits until something has happened, whatever it is.
    pub fn wait(&self, deadline: Deadline) -> Result<Waited, Errno> {
        let waited = poll::readable(self.0.as_fd(), deadline)?;
        if waited == Waited::Done(()) {
            // What it was does not matter: the caller looks for itself.
            while self.0.read_events().is_ok() {}
        }
        Ok(waited)
    }
}

impl AsFd for Watch {
    /// Readable when something has happened.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
