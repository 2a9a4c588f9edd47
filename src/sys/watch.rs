//! Events of files: a name appears in a directory, a file loses a name, a process writes to a file:
//! inotify(7).

use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};

use super::{descriptor, poll};
use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;

/// A watched directory or file.
#[derive(Debug)]
pub struct Watch(Inotify);

impl Watch {
    /// Watches a directory for new names, from now on.
    ///
    /// # Errors
    /// EMFILE and ENOSPC if the maximum number of watches is reached.
    pub fn of_directory(path: &Path) -> Result<Self, Errno> {
        let appears = AddWatchFlags::IN_CREATE | AddWatchFlags::IN_MOVED_TO;
        Self::new(path, appears | AddWatchFlags::IN_ONLYDIR)
    }

    /// Watches an open file for the loss of a name, from now on.
    ///
    /// # Errors
    /// EMFILE and ENOSPC if the maximum number of watches is reached.
    pub fn of_names(file: impl AsFd) -> Result<Self, Errno> {
        // The link count is an attribute. IN_DELETE_SELF does not occur while the file is open.
        Self::new(&descriptor::path(file), AddWatchFlags::IN_ATTRIB | AddWatchFlags::IN_MOVE_SELF)
    }

    /// Watches an open file for writes, from now on. The kernel reports no changes through a mapping.
    ///
    /// # Errors
    /// EMFILE and ENOSPC if the maximum number of watches is reached.
    pub fn of_writes(file: impl AsFd) -> Result<Self, Errno> {
        Self::new(&descriptor::path(file), AddWatchFlags::IN_MODIFY)
    }

    fn new(path: &Path, changes: AddWatchFlags) -> Result<Self, Errno> {
        let inotify = Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK)?;
        inotify.add_watch(path, changes)?;
        Ok(Self(inotify))
    }

    /// Waits for an event.
    pub fn wait(&self, deadline: Deadline) -> Result<Waited, Errno> {
        let waited = poll::readable(self.0.as_fd(), deadline)?;
        if waited == Waited::Done(()) {
            // The caller examines the file itself, so that the events can be discarded.
            while self.0.read_events().is_ok() {}
        }
        Ok(waited)
    }
}

impl AsFd for Watch {
    /// Readable after an event.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
