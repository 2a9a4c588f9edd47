//! The lock file beside the path of a socket: flock(2).

use std::ffi::OsString;
use std::os::fd::OwnedFd;

use nix::sys::stat::fstat;
use nix::unistd::geteuid;

use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::sys::directory::Directory;
use crate::sys::inode::{is_regular, is_same};
use crate::sys::lock::{Kind, Lock, Mode, Range};

/// A locked lock file. Dropping it removes the file, and then releases the lock.
#[derive(Debug)]
pub struct LockFile<'a> {
    directory: &'a Directory,
    name: OsString,
    fd: OwnedFd,
}

const LOCK: Lock =
    Lock { kind: Kind::Flock, mode: Mode::Exclusive, range: Range { start: 0, length: 0 } };

impl<'a> LockFile<'a> {
    /// Creates and locks the lock file of this name, waiting until `deadline` for its holder.
    ///
    /// The file exists only while a process holds the lock or waits for it. The next holder uses and
    /// removes a file that a killed holder left behind.
    ///
    /// # Errors
    /// EEXIST if something else has the name: no regular file, not empty, or of another user.
    pub fn acquire(
        directory: &'a Directory,
        name: OsString,
        deadline: Deadline,
    ) -> Result<Waited<Self>, Errno> {
        loop {
            let fd = directory.open_or_create(&name)?;
            let file = fstat(&fd)?;
            let is_lock_file =
                is_regular(&file) && file.st_size == 0 && file.st_uid == geteuid().as_raw();
            if !is_lock_file {
                return Err(Errno(libc::EEXIST));
            }
            if LOCK.wait(&fd, deadline)? == Waited::TimedOut {
                return Ok(Waited::TimedOut);
            }
            // The former holder may have removed the file, and another process created a new one.
            if directory.status(&name).is_ok_and(|now| is_same(&now, &file)) {
                return Ok(Waited::Done(Self { directory, name, fd }));
            }
        }
    }
}

impl Drop for LockFile<'_> {
    fn drop(&mut self) {
        // The next holder uses a file that cannot be removed.
        let _ = self.directory.unlink(&self.name);
        let _ = LOCK.release(&self.fd);
    }
}
