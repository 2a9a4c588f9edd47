//! FIFOs, which are pipes with a path: fifo(7).
//!
//! The type of a file is checked after a non-blocking open, before anything else, so that no regular
//! file or device is used as a FIFO. Symbolic links are followed: a user that can create a link to
//! another FIFO at a path can also create a FIFO there.

mod guard;
pub mod locked;
pub mod readers;

use std::ffi::OsString;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use nix::errno::Errno::{EAGAIN, EINTR, ENXIO};
use nix::fcntl::{FcntlArg, OFlag, fcntl, open};
use nix::sys::stat::{self, FileStat, Mode, SFlag, fstat, lstat, mode_t};
use nix::unistd::{mkfifo, unlink, write};

use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::mechanism::ownership::NewOwnership;
use crate::sys::inode::Links;
use crate::sys::interrupt;
use crate::sys::interrupt::Attempt;
use crate::sys::origin::Found;
use crate::sys::pidfd::Process;
use crate::sys::process::Openings;
use crate::sys::{descriptor, inode, pipe, poll, umask};

/// The longest record that a pipe takes in one piece, never mixed with the bytes of other writers:
/// PIPE_BUF, pipe(7).
pub const LONGEST_RECORD: usize = libc::PIPE_BUF;

/// An error of a FIFO.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Error {
    /// The kernel refused.
    #[error(transparent)]
    Kernel(#[from] Errno),
    /// The path has a file of this type.
    #[error("not a FIFO: {0}")]
    NotAFifo(&'static str),
    /// The last reader has closed it.
    #[error("the reader has left")]
    ReaderLeft,
}

impl Error {
    /// The error of a write to a FIFO.
    pub fn of_write(errno: Errno) -> Self {
        if errno == Errno(libc::EPIPE) { Self::ReaderLeft } else { Self::Kernel(errno) }
    }
}

impl From<nix::errno::Errno> for Error {
    fn from(errno: nix::errno::Errno) -> Self {
        Self::Kernel(errno.into())
    }
}

/// Creates a FIFO with exactly these permissions: mkfifo(3).
///
/// # Errors
/// EEXIST if the path exists.
pub fn create(path: &Path, mode: u32) -> Result<(), Errno> {
    umask::without(|| create_less_umask(path, mode))
}

/// Creates a FIFO with these permissions less the umask.
///
/// # Errors
/// EEXIST if the path exists.
pub fn create_less_umask(path: &Path, mode: u32) -> Result<(), Errno> {
    Ok(mkfifo(path, Mode::from_bits_truncate(mode as mode_t))?)
}

/// The read end of a FIFO.
#[derive(Debug)]
pub struct Reader(OwnedFd);

impl Reader {
    /// Opens it without waiting for a writer. Writers that wait for a reader continue.
    pub fn open(path: &Path) -> Result<Self, Error> {
        open_checked(path, OFlag::O_RDONLY | OFlag::O_NONBLOCK).map(Self)
    }

    /// Waits until a writer has written bytes, or has opened and closed it.
    pub fn wait(&self, deadline: Deadline) -> Result<Waited, Errno> {
        poll::readable(&self.0, deadline)
    }

    /// Whether a writer has it open, one that has written nothing included.
    ///
    /// poll(2) does not tell that before the first writer has left, and read(2) would take bytes. So
    /// bytes are copied with tee(2), which returns 0 without a writer, and fails with EAGAIN with one.
    pub fn has_writer(&self) -> Result<bool, Errno> {
        let (_reader, spare) = pipe::new()?;
        match pipe::duplicate(&self.0, &spare, 1) {
            Ok(count) => Ok(count > 0),
            Err(Errno(libc::EAGAIN)) => Ok(true),
            Err(errno) => Err(errno),
        }
    }

    /// Clears the end of file that former writers have left, so that [`Reader::wait`] waits for the
    /// next writer. Unread bytes stay.
    pub fn renew(&mut self) -> Result<(), Error> {
        // The new descriptor comes first: the kernel discards the bytes when the last one is closed.
        let flags = OFlag::O_RDONLY | OFlag::O_NONBLOCK | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
        self.0 = descriptor::reopen(&self.0, flags)?;
        Ok(())
    }
}

impl AsFd for Reader {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// The write end of a FIFO. It does not block.
#[derive(Debug)]
pub struct Writer(OwnedFd);

impl Writer {
    /// Waits for a reader until `deadline`, and opens it.
    pub fn open(path: &Path, deadline: Deadline) -> Result<Waited<Self>, Error> {
        // Another type of file is an error before the wait.
        status(path)?;
        let opened = interrupt::until(deadline, |attempt| open_for_writing(path, attempt))?;
        let Waited::Done(fd) = opened else { return Ok(Waited::TimedOut) };
        Self::of(fd).map(Waited::Done)
    }

    /// The write end that this descriptor is.
    fn of(fd: OwnedFd) -> Result<Self, Error> {
        check(&fstat(&fd)?)?;
        fcntl(&fd, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
        Ok(Self(fd))
    }

    /// The owners of the FIFO and of the links that lead to it.
    ///
    /// # Errors
    /// ENOENT if the path now leads to another file.
    pub fn found(&self, path: &Path) -> Result<Found, Error> {
        Ok(Found::of_open(path, &fstat(&self.0)?)?)
    }

    /// Writes all bytes, and waits for room until `deadline`. Up to [`LONGEST_RECORD`] bytes are
    /// written in one piece or not at all.
    ///
    /// # Errors
    /// [`Error::ReaderLeft`].
    pub fn write(&self, bytes: &[u8], deadline: Deadline) -> Result<Waited, Error> {
        self.write_counted(bytes, deadline).1
    }

    /// The same; returns also how many bytes were written.
    fn write_counted(&self, bytes: &[u8], deadline: Deadline) -> (usize, Result<Waited, Error>) {
        let mut written = 0;
        while written < bytes.len() {
            match write(&self.0, &bytes[written..]) {
                Ok(count) => written += count,
                Err(EINTR) => {}
                Err(EAGAIN) => match poll::writable(&self.0, deadline) {
                    Ok(Waited::Done(())) => {}
                    waited => return (written, waited.map_err(Error::from)),
                },
                Err(errno) => return (written, Err(Error::of_write(errno.into()))),
            }
        }
        (written, Ok(Waited::Done(())))
    }
}

impl AsFd for Writer {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// The status of a FIFO. It is not opened, because its users would notice that.
pub fn status(path: &Path) -> Result<FileStat, Error> {
    let status = stat::stat(path)?;
    check(&status)?;
    Ok(status)
}

/// The owners of a FIFO and of the links that lead to it.
pub fn find(path: &Path) -> Result<Found, Error> {
    status(path)?;
    Ok(Found::at(path)?)
}

/// The contents of a FIFO, which exist only while a process has it open.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Contents {
    /// The number of bytes that were written and not read yet.
    pub waiting: usize,
    /// The maximum number of bytes.
    pub capacity: usize,
}

/// The contents of a FIFO, through a copy of a descriptor of a process that has it open; `None` if
/// this process may copy none. Opening the FIFO anew would add a reader or a writer, for which other
/// processes may wait.
pub fn contents(openings: &Openings) -> Option<Contents> {
    openings.seen.iter().find_map(|opening| {
        let process = Process::open(opening.holder.pid).ok()?;
        let fd = process.copy_descriptor(opening.descriptor).ok()?;
        let (waiting, capacity) = (pipe::length(&fd).ok()?, pipe::capacity(&fd).ok()?);
        Some(Contents { waiting, capacity })
    })
}

/// Changes the owner and the permissions of a FIFO, which is not opened.
pub fn set_ownership(path: &Path, ownership: &NewOwnership) -> Result<(), Error> {
    let (file, status) = inode::locate(path, Links::Followed)?;
    check(&status)?;
    Ok(ownership.apply(file)?)
}

/// Removes a FIFO, but no link to one.
pub fn remove(path: &Path) -> Result<(), Error> {
    check(&lstat(path)?)?;
    Ok(unlink(path)?)
}

/// The FIFOs of a directory, sorted by name.
pub fn list(directory: &Path) -> Result<Vec<(OsString, FileStat)>, Errno> {
    let mut fifos = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        // It may have been removed meanwhile.
        let Ok(status) = lstat(&entry.path()) else { continue };
        if check(&status).is_ok() {
            fifos.push((entry.file_name(), status));
        }
    }
    fifos.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(fifos)
}

/// Opens a FIFO for writing.
///
/// # Errors
/// EAGAIN without a reader, if the attempt does not wait.
fn open_for_writing(path: &Path, attempt: Attempt) -> Result<OwnedFd, Errno> {
    let flags = OFlag::O_WRONLY | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
    let nonblocking = match attempt {
        Attempt::Nonblocking => OFlag::O_NONBLOCK,
        Attempt::Blocking => OFlag::empty(),
    };
    match open(path, flags | nonblocking, Mode::empty()) {
        Err(ENXIO) if attempt == Attempt::Nonblocking => Err(Errno(libc::EAGAIN)),
        result => Ok(result?),
    }
}

fn open_checked(path: &Path, flags: OFlag) -> Result<OwnedFd, Error> {
    let fd = open(path, flags | OFlag::O_NOCTTY | OFlag::O_CLOEXEC, Mode::empty())?;
    check(&fstat(&fd)?)?;
    Ok(fd)
}

fn check(status: &FileStat) -> Result<(), Error> {
    match inode::kind(status) {
        SFlag::S_IFIFO => Ok(()),
        SFlag::S_IFREG => Err(Error::NotAFifo("a regular file")),
        SFlag::S_IFDIR => Err(Error::NotAFifo("a directory")),
        SFlag::S_IFLNK => Err(Error::NotAFifo("a symbolic link")),
        SFlag::S_IFSOCK => Err(Error::NotAFifo("a socket")),
        _ => Err(Error::NotAFifo("a device")),
    }
}
