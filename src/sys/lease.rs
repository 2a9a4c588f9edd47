//! Whether a file is open for writing: F_SETLEASE of fcntl(2).

use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

use crate::base::errno::Errno;
use crate::base::signal::Signal;

/// The answer of the kernel to a request for a read lease.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Lease {
    /// No process has the file open for writing.
    Granted,
    /// A process has.
    Refused,
}

/// The command that chooses the signal of a broken lease; libc leaves it out.
const F_SETSIG: i32 = 10;

/// Requests a read lease on a file that is open for reading only, and gives it back at once.
///
/// # Errors
/// EACCES if the file belongs to another user; EINVAL if the file system has no leases.
pub fn read(file: impl AsFd) -> Result<Lease, Errno> {
    let file = file.as_fd();
    // A writer that opens the file meanwhile causes a signal. URG is ignored by default.
    fcntl(file, F_SETSIG, Signal::URG.number())?;
    match fcntl(file, libc::F_SETLEASE, libc::F_RDLCK) {
        Ok(()) => {
            fcntl(file, libc::F_SETLEASE, libc::F_UNLCK)?;
            Ok(Lease::Granted)
        }
        Err(Errno(libc::EAGAIN)) => Ok(Lease::Refused),
        Err(errno) => Err(errno),
    }
}

fn fcntl(file: BorrowedFd<'_>, command: i32, value: i32) -> Result<(), Errno> {
    // SAFETY: the call takes numbers only.
    Errno::check(unsafe { libc::fcntl(file.as_raw_fd(), command, value) })
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;

    #[test]
    fn a_file_that_is_open_for_writing_has_no_lease() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let reader = File::open(file.path()).unwrap();
        assert_eq!(read(&reader), Ok(Lease::Refused));
        let path = file.into_temp_path();
        assert_eq!(read(&reader), Ok(Lease::Granted));
        File::create(&path).unwrap();
    }
}
