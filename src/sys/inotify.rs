//! Being told that somebody has written to a file: inotify(7).

use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};

use crate::errno::Errno;

/// The writes to a file since this was made: its descriptor is readable when there were some.
/// Changes of memory that is mapped are not seen.
#[derive(Debug)]
pub struct Changes(Inotify);

impl Changes {
    /// Those of an open file, whatever its name is by now.
    ///
    /// # Errors
    /// EMFILE if the user has as many of these as there may be: fs.inotify.max_user_instances.
    pub fn of(file: impl AsFd) -> Result<Self, Errno> {
        let inotify = Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK)?;
        let path = format!("/proc/self/fd/{}", file.as_fd().as_raw_fd());
        inotify.add_watch(path.as_str(), AddWatchFlags::IN_MODIFY)?;
        Ok(Self(inotify))
    }

    /// Forgets those that there were.
    pub fn forget(&self) {
        // There is an error when there are none left.
        while self.0.read_events().is_ok_and(|events| !events.is_empty()) {}
    }
}

impl AsFd for Changes {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
