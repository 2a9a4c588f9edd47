//! FIFOs, which are pipes with a path: fifo(7).
//!
//! A path is opened without waiting, and looked at before anything else is done with it, so that
//! neither a file nor a device takes the place of a FIFO. Symbolic links are followed: one who
//! could plant a link to another FIFO could as well plant the FIFO.

use std::ffi::OsString;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use nix::errno::Errno::{EAGAIN, EINTR, ENXIO};
use nix::fcntl::{FcntlArg, OFlag, fcntl, open};
use nix::sys::stat::{self, FileStat, Mode, SFlag, fstat, lstat, mode_t};
use nix::unistd::{mkfifo, unlink, write};

use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::sys::interrupt;
use crate::sys::interrupt::Attempt;
use crate::sys::origin::Found;
use crate::sys::pidfd::Process;
use crate::sys::process::Openings;
use crate::sys::{descriptor, inode, pipe, poll, umask};

/// The longest record that a pipe takes in one piece, never mixed with what others write:
/// PIPE_BUF, pipe(7).
pub const LONGEST_RECORD: usize = libc::PIPE_BUF;

/// Why a FIFO cannot be used.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Error {
    /// The kernel refused.
    #[error(transparent)]
    Kernel(#[from] Errno),
    /// There is something of that name, and it is no FIFO.
    #[error("not a FIFO: {0}")]
    NotAFifo(&'static str),
}

impl From<nix::errno::Errno> for Error {
    fn from(errno: nix::errno::Errno) -> Self {
        Self::Kernel(errno.into())
    }
}

/// Makes a FIFO with exactly these permissions: mkfifo(3).
///
/// # Errors
/// EEXIST if there is anything of that name.
pub fn create(path: &Path, mode: u32) -> Result<(), Errno> {
    umask::without(|| create_less_umask(path, mode))
}

/// Makes a FIFO with those of these permissions that the umask lets it have.
///
/// # Errors
/// EEXIST if there is anything of that name.
pub fn create_less_umask(path: &Path, mode: u32) -> Result<(), Errno> {
    Ok(mkfifo(path, Mode::from_bits_truncate(mode as mode_t))?)
}

/// The end of a FIFO that is read from.
#[derive(Debug)]
pub struct Reader(OwnedFd);

impl Reader {
    /// Opens it without waiting for a writer. Writers that wait for a reader go on.
    pub fn open(path: &Path) -> Result<Self, Error> {
        open_checked(path, OFlag::O_RDONLY | OFlag::O_NONBLOCK).map(Self)
    }

    /// Waits until a writer has written something, or has come and left.
    pub fn wait(&self, deadline: Deadline) -> Result<Waited, Errno> {
        poll::readable(&self.0, deadline)
    }

    /// Forgets the writers that have left, so that [`Reader::wait`] waits for the next one. What
    /// they have written stays.
    pub fn renew(&mut self) -> Result<(), Error> {
        // Opened before the old one is closed: bytes are lost when the last end closes.
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

/// The end of a FIFO that is written to. It does not block.
#[derive(Debug)]
pub struct Writer(OwnedFd);

impl Writer {
    /// Opens it, waiting for a reader until `deadline`.
    pub fn open(path: &Path, deadline: Deadline) -> Result<Waited<Self>, Error> {
        // Whether it is a FIFO comes before the wait.
        status(path)?;
        let opened = interrupt::until(deadline, |attempt| {
            let flags = OFlag::O_WRONLY | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
            let nonblocking = match attempt {
                Attempt::Nonblocking => OFlag::O_NONBLOCK,
                Attempt::Blocking => OFlag::empty(),
            };
            match open(path, flags | nonblocking, Mode::empty()) {
                // There is no reader.
                Err(ENXIO) if attempt == Attempt::Nonblocking => Err(Errno(libc::EAGAIN)),
                result => Ok(result?),
            }
        })?;
        let Waited::Done(fd) = opened else { return Ok(Waited::TimedOut) };
        check(&fstat(&fd)?)?;
        fcntl(&fd, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
        Ok(Waited::Done(Self(fd)))
    }

    /// Who made it, if that is where the path leads.
    ///
    /// # Errors
    /// ENOENT if the path leads to another one by now.
    pub fn found(&self, path: &Path) -> Result<Found, Error> {
        Ok(Found::of_open(path, &fstat(&self.0)?)?)
    }

    /// Writes all of it, waiting for room until `deadline`. What is no longer than
    /// [`LONGEST_RECORD`] is written in one piece or not at all.
    ///
    /// # Errors
    /// EPIPE if the last reader has left.
    pub fn write(&self, mut bytes: &[u8], deadline: Deadline) -> Result<Waited, Errno> {
        while !bytes.is_empty() {
            match write(&self.0, bytes) {
                Ok(count) => bytes = &bytes[count..],
                Err(EINTR) => {}
                Err(EAGAIN) => match poll::writable(&self.0, deadline)? {
                    Waited::Done(()) => {}
                    Waited::TimedOut => return Ok(Waited::TimedOut),
                },
                Err(errno) => return Err(errno.into()),
            }
        }
        Ok(Waited::Done(()))
    }
}

impl AsFd for Writer {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// What is known of a FIFO, without opening it, which others would notice.
pub fn status(path: &Path) -> Result<FileStat, Error> {
    let status = stat::stat(path)?;
    check(&status)?;
    Ok(status)
}

/// Who made a FIFO, and the links that lead to it.
pub fn find(path: &Path) -> Result<Found, Error> {
    status(path)?;
    Ok(Found::at(path)?)
}

/// What a FIFO holds. It exists only while somebody has the FIFO open.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Contents {
    /// Bytes that were written and not yet read.
    pub waiting: usize,
    /// Bytes that it holds at most.
    pub capacity: usize,
}

/// Asks one of those who have a FIFO open what is in it; `None` if there is nobody whom we may
/// ask. It is asked through a copy of that descriptor: a new one would be another end, and let
/// those go on who wait for one.
pub fn contents(openings: &Openings) -> Option<Contents> {
    openings.seen.iter().find_map(|opening| {
        let process = Process::open(opening.holder.pid).ok()?;
        let fd = process.copy_descriptor(opening.descriptor).ok()?;
        let (waiting, capacity) = (pipe::length(&fd).ok()?, pipe::capacity(&fd).ok()?);
        Some(Contents { waiting, capacity })
    })
}

/// Removes the path of a FIFO. A link to one is none.
pub fn remove(path: &Path) -> Result<(), Error> {
    check(&lstat(path)?)?;
    Ok(unlink(path)?)
}

/// The names of the FIFOs in a directory, sorted, and what is known of each.
pub fn list(directory: &Path) -> Result<Vec<(OsString, FileStat)>, Errno> {
    let mut fifos = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        // It may have gone since.
        let Ok(status) = lstat(&entry.path()) else { continue };
        if check(&status).is_ok() {
            fifos.push((entry.file_name(), status));
        }
    }
    fifos.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(fifos)
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
