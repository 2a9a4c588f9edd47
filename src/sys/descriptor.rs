//! Descriptors by number: those that our caller left open for us, as the 9 of `exec 9>file`, and
//! those that we let a COMMAND have.

use std::ffi::c_long;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU8, Ordering};

use nix::fcntl::{FcntlArg, FdFlag, OFlag, fcntl, open};
use nix::sys::resource::{Resource, getrlimit};
use nix::sys::stat::Mode;
use nix::unistd::close;

use super::process;
use crate::base::errno::Errno;

/// The first behind the three standard ones.
const THIRD: i32 = 3;

/// Beyond those that scripts open by number.
const UNUSUAL: i32 = 100;

/// How many every process may have, as POSIX promises: _POSIX_OPEN_MAX.
const LEAST: u64 = 20;

/// A bit for each standard descriptor that the caller left closed. The entry point puts a file of
/// its own there, which is not what the caller means by the number.
static CLOSED_BY_CALLER: AtomicU8 = AtomicU8::new(0);

/// Remembers that the caller left a standard descriptor closed.
pub(super) fn mark_closed(number: i32) {
    CLOSED_BY_CALLER.fetch_or(1 << number, Ordering::Relaxed);
}

/// Whether the caller left a descriptor closed whose number is in use now all the same.
fn is_marked_closed(number: i32) -> bool {
    (0..THIRD).contains(&number) && CLOSED_BY_CALLER.load(Ordering::Relaxed) & 1 << number != 0
}

/// A descriptor of our caller's. It stays open, and is passed on to a COMMAND.
///
/// This has to come before anything is opened: a number that was free could be one of ours later.
///
/// # Errors
/// EBADF if the caller left it closed.
pub fn inherited(number: i32) -> Result<BorrowedFd<'static>, Errno> {
    if number < 0 || is_marked_closed(number) {
        return Err(Errno(libc::EBADF));
    }
    // SAFETY: whether it is open comes next, and nothing here closes what it did not open, but for
    // `handed_over`, which lets nobody borrow it.
    let fd = unsafe { BorrowedFd::borrow_raw(number) };
    fcntl(fd, FcntlArg::F_GETFD)?;
    Ok(fd)
}

/// The same for one that our caller left for us alone: a COMMAND does not get it, and dropping it
/// closes it. The three standard ones stay open even so. It gets another number, which our caller
/// does not mean when it names another descriptor.
///
/// # Errors
/// EBADF if it is not open.
pub fn handed_over(number: i32) -> Result<OwnedFd, Errno> {
    let fd = inherited(number)?;
    let ours = copy_out_of_the_way(fd).map_or_else(|| fd.try_clone_to_owned(), Ok)?;
    if number > libc::STDERR_FILENO {
        close(number)?;
    }
    Ok(ours)
}

/// The number 3, which a COMMAND gets a descriptor under. Dropping it gives the number back to the
/// descriptor of the caller that had it, or closes it.
#[derive(Debug)]
pub struct Third {
    /// The caller's, and its flags.
    before: Option<(OwnedFd, FdFlag)>,
}

impl Third {
    /// Reserves the number, so that no descriptor that is opened from now on gets it.
    ///
    /// # Errors
    /// EMFILE if there may be no more descriptors.
    pub fn reserve() -> Result<Self, Errno> {
        let Ok(callers) = inherited(THIRD) else {
            let null = OwnedFd::from(std::fs::File::open("/dev/null")?);
            if null.as_raw_fd() == THIRD {
                // The drop of the reservation closes it.
                let _ = null.into_raw_fd();
            } else {
                duplicate(&null, THIRD)?;
            }
            return Ok(Self { before: None });
        };
        let flags = FdFlag::from_bits_retain(fcntl(callers, FcntlArg::F_GETFD)?);
        let copy = copy_out_of_the_way(callers).map_or_else(|| callers.try_clone_to_owned(), Ok)?;
        Ok(Self { before: Some((copy, flags)) })
    }

    /// Puts a descriptor there, which a COMMAND inherits.
    ///
    /// # Errors
    /// Those of dup2(2).
    pub fn put(&self, fd: impl AsFd) -> Result<(), Errno> {
        duplicate(fd, THIRD)
    }
}

impl Drop for Third {
    fn drop(&mut self) {
        match &self.before {
            None => drop(close(THIRD)),
            Some((callers, flags)) => {
                let _ = duplicate(callers, THIRD);
                if let Ok(third) = inherited(THIRD) {
                    let _ = fcntl(third, FcntlArg::F_SETFD(*flags));
                }
            }
        }
    }
}

/// Gives a descriptor another number as well, which a COMMAND inherits; what has the number is
/// closed.
fn duplicate(fd: impl AsFd, number: i32) -> Result<(), Errno> {
    // SAFETY: the call takes numbers only, and no value here owns what it closes.
    match unsafe { libc::dup2(fd.as_fd().as_raw_fd(), number) } {
        -1 => Err(Errno::last()),
        _ => Ok(()),
    }
}

/// Lets a COMMAND have a descriptor of ours.
pub fn pass_on(fd: impl AsFd) -> Result<(), Errno> {
    fcntl(fd, FcntlArg::F_SETFD(FdFlag::empty()))?;
    Ok(())
}

/// Keeps a descriptor from a COMMAND.
pub fn keep(fd: impl AsFd) -> Result<(), Errno> {
    fcntl(fd, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC))?;
    Ok(())
}

/// Closes the descriptors of the caller, but for the standard ones, in every COMMAND that is started
/// while this lives. Dropping it makes them inheritable again.
#[derive(Debug)]
pub struct ClosedOnExec(Vec<i32>);

impl ClosedOnExec {
    /// Marks all that are open now.
    pub fn new() -> Self {
        let mut numbers = open_numbers();
        numbers.retain(|&number| number >= THIRD && is_inheritable(number));
        let marked = Self(numbers);
        marked.set(FdFlag::FD_CLOEXEC);
        marked
    }

    fn set(&self, flags: FdFlag) {
        for fd in self.0.iter().filter_map(|&number| inherited(number).ok()) {
            let _ = fcntl(fd, FcntlArg::F_SETFD(flags));
        }
    }
}

impl Drop for ClosedOnExec {
    fn drop(&mut self) {
        self.set(FdFlag::empty());
    }
}

/// The numbers of the open descriptors; without a /proc, all numbers that may be open.
fn open_numbers() -> Vec<i32> {
    let Ok(listing) = std::fs::read_dir("/proc/self/fd") else {
        return (THIRD..i32::try_from(limit()).unwrap_or(i32::MAX)).collect();
    };
    listing.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

fn is_inheritable(number: i32) -> bool {
    let flags = inherited(number).and_then(|fd| Ok(fcntl(fd, FcntlArg::F_GETFD)?));
    flags.is_ok_and(|flags| flags & libc::FD_CLOEXEC == 0)
}

/// The same descriptor under a number that scripts do not use by themselves, as 'exec 3>file' does,
/// if there is room for such.
pub fn out_of_the_way(fd: OwnedFd) -> OwnedFd {
    copy_out_of_the_way(&fd).unwrap_or(fd)
}

fn copy_out_of_the_way(fd: impl AsFd) -> Option<OwnedFd> {
    let number = fcntl(fd, FcntlArg::F_DUPFD_CLOEXEC(UNUSUAL)).ok()?;
    // SAFETY: the kernel just gave us this descriptor.
    Some(unsafe { OwnedFd::from_raw_fd(number) })
}

/// What a system call gave that makes a descriptor, with -1 for a failure.
///
/// # Safety
/// It is the result of the latest call of this thread, and nobody else has taken the descriptor.
pub(super) unsafe fn made(result: c_long) -> Result<OwnedFd, Errno> {
    match i32::try_from(result) {
        // SAFETY: the caller vouches for its being new, and nobody's.
        Ok(fd @ 0..) => Ok(unsafe { OwnedFd::from_raw_fd(fd) }),
        _ => Err(Errno::last()),
    }
}

/// A path that leads to an open file, whatever has become of the name by which it was opened.
pub fn path(fd: impl AsFd) -> PathBuf {
    format!("/proc/self/fd/{}", fd.as_fd().as_raw_fd()).into()
}

/// Opens the file behind a descriptor once more, whatever has become of the name by which it was
/// opened.
///
/// # Errors
/// ENOSYS without a /proc.
pub fn reopen(fd: impl AsFd, flags: OFlag) -> Result<OwnedFd, Errno> {
    match open(&path(fd), flags, Mode::empty()) {
        Err(nix::errno::Errno::ENOENT) if process::can_be_seen().is_err() => {
            Err(Errno(libc::ENOSYS))
        }
        opened => Ok(opened?),
    }
}

/// How many descriptors this process may have.
pub fn limit() -> usize {
    let (soft, _) = getrlimit(Resource::RLIMIT_NOFILE).unwrap_or((LEAST, LEAST));
    usize::try_from(soft).unwrap_or(usize::MAX)
}
