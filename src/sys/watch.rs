//! Being told when names appear in a directory: inotify(7).

use std::os::fd::AsFd;
use std::path::Path;

use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};

use super::poll;
use crate::deadline::{Deadline, Waited};
use crate::errno::Errno;

/// A directory that is watched.
#[derive(Debug)]
pub struct Watch(Inotify);

impl Watch {
    /// Watches a directory from now on.
    ///
    /// # Errors
    /// EMFILE and ENOSPC if there are too many watches already.
    pub fn new(directory: &Path) -> Result<Self, Errno> {
        let inotify = Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK)?;
        let appears = AddWatchFlags::IN_CREATE | AddWatchFlags::IN_MOVED_TO;
        inotify.add_watch(directory, appears | AddWatchFlags::IN_ONLYDIR)?;
        Ok(Self(inotify))
    }

    /// Waits until something has appeared, whatever it is.
    pub fn wait(&self, deadline: Deadline) -> Result<Waited, Errno> {
        let waited = poll::readable(self.0.as_fd(), deadline)?;
        if waited == Waited::Done(()) {
            // What it was does not matter: the caller looks for itself.
            while self.0.read_events().is_ok() {}
        }
        Ok(waited)
    }
}
