//! Events of files: a name appears in a directory, a file loses a name, a process writes to a file:
//! inotify(7).

use std::ffi::OsString;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use nix::sys::statfs::statfs;

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

/// Watched directories, whose events name what has changed.
#[derive(Debug)]
pub struct Names(Inotify);

/// The changes of names that are reported.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Changes {
    /// A name appears.
    Appears,
    /// A name appears, or a file is closed that was open for writing.
    AppearsOrIsWritten,
    /// A name disappears.
    Disappears,
}

/// A change in a watched directory.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Change {
    /// Of this name.
    Of(OsString),
    /// The kernel has discarded events.
    Unknown,
}

impl Names {
    /// Watches no directory yet.
    ///
    /// # Errors
    /// EMFILE if the maximum number of instances is reached.
    pub fn new() -> Result<Self, Errno> {
        Ok(Self(Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK)?))
    }

    /// Watches a directory, from now on.
    ///
    /// # Errors
    /// ENOSPC if the maximum number of watches is reached.
    pub fn add(&self, path: &Path, changes: Changes) -> Result<(), Errno> {
        let appears = AddWatchFlags::IN_CREATE | AddWatchFlags::IN_MOVED_TO;
        let changes = match changes {
            Changes::Appears => appears,
            Changes::AppearsOrIsWritten => appears | AddWatchFlags::IN_CLOSE_WRITE,
            Changes::Disappears => AddWatchFlags::IN_DELETE | AddWatchFlags::IN_MOVED_FROM,
        };
        self.0.add_watch(path, changes | AddWatchFlags::IN_ONLYDIR)?;
        Ok(())
    }

    /// The changes since the last call, without waiting.
    pub fn take(&self) -> Vec<Change> {
        let mut changes = Vec::new();
        while let Ok(events) = self.0.read_events() {
            changes.extend(events.into_iter().map(|event| match event.name {
                Some(name) if !event.mask.contains(AddWatchFlags::IN_Q_OVERFLOW) => {
                    Change::Of(name)
                }
                _ => Change::Unknown,
            }));
        }
        changes
    }
}

impl AsFd for Names {
    /// Readable after a change.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Whether other machines may change a directory, of which inotify(7) reports nothing: statfs(2).
pub fn is_remote(path: &Path) -> bool {
    /// NFS, SMB, CIFS, SMB2, FUSE, 9P, Ceph, AFS.
    const REMOTE: [i128; 8] = [
        0x6969,
        0x517b,
        0xff53_4d42,
        0xfe53_4d42,
        0x6573_5546,
        0x0102_1997,
        0x00c3_6400,
        0x5346_414f,
    ];
    statfs(path).is_ok_and(|system| REMOTE.contains(&i128::from(system.filesystem_type().0)))
}

impl AsFd for Watch {
    /// Readable after an event.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
