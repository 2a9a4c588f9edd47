//! Descriptors by number: descriptors that the caller of `ipc` opened, such as 9 in `exec 9>file`,
//! and descriptors that a COMMAND inherits.

use std::ffi::c_long;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU8, Ordering};

use nix::fcntl::{FcntlArg, FdFlag, OFlag, fcntl, open};
use nix::sys::resource::{Resource, getrlimit};
use nix::sys::stat::Mode;
use nix::unistd::close;

use super::process;
use crate::base::errno::Errno;

/// The first number above the three standard descriptors.
const THIRD: i32 = 3;

/// A number above those that scripts use.
const UNUSUAL: i32 = 100;

/// The number of descriptors that POSIX guarantees to every process: _POSIX_OPEN_MAX.
const LEAST: u64 = 20;

/// A bit for each standard descriptor that the caller left closed. The entry point opens another
/// file there, which is not the one that the caller means by the number.
static CLOSED_BY_CALLER: AtomicU8 = AtomicU8::new(0);

/// Records that the caller left a standard descriptor closed.
pub(super) fn mark_closed(number: i32) {
    CLOSED_BY_CALLER.fetch_or(1 << number, Ordering::Relaxed);
}

/// Whether the entry point opened this number because the caller left it closed.
fn is_marked_closed(number: i32) -> bool {
    (0..THIRD).contains(&number) && CLOSED_BY_CALLER.load(Ordering::Relaxed) & 1 << number != 0
}

/// A descriptor of the caller. It stays open, and a COMMAND inherits it.
///
/// A verb calls this before it opens anything: a number that was free may have another file later.
///
/// # Errors
/// EBADF if the caller left it closed.
pub fn inherited(number: i32) -> Result<BorrowedFd<'static>, Errno> {
    if number < 0 || is_marked_closed(number) {
        return Err(Errno(libc::EBADF));
    }
    // SAFETY: the next call checks that it is open. The only function that closes a descriptor of
    // the caller is `handed_over`, which returns no borrow of it.
    let fd = unsafe { BorrowedFd::borrow_raw(number) };
    fcntl(fd, FcntlArg::F_GETFD)?;
    Ok(fd)
}

/// Takes over a descriptor of the caller: a COMMAND does not inherit it, and dropping it closes it.
/// The three standard ones stay open even so. It gets another number, because the caller may mean
/// another file when it names the old one later.
///
/// # Errors
/// EBADF if it is not open.
pub fn handed_over(number: i32) -> Result<OwnedFd, Errno> {
    let fd = inherited(number)?;
    let copy = copy_out_of_the_way(fd).map_or_else(|| fd.try_clone_to_owned(), Ok)?;
    if number > libc::STDERR_FILENO {
        close(number)?;
    }
    Ok(copy)
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
pub(super) fn duplicate(fd: impl AsFd, number: i32) -> Result<(), Errno> {
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

/// Closes all descriptors but these, in a process that uses no other any more.
pub fn close_others(kept: &[BorrowedFd<'_>]) {
    let mut kept: Vec<i32> = kept.iter().map(AsRawFd::as_raw_fd).collect();
    kept.sort_unstable();
    let mut first = 0;
    for number in kept {
        if first < number {
            close_range(first, number - 1);
        }
        first = number + 1;
    }
    close_range(first, i32::MAX);
}

/// Closes the descriptors from one number to another, inclusive: close_range(2), since Linux 5.9.
fn close_range(first: i32, last: i32) {
    // SAFETY: the call takes numbers only, and the caller uses none of these descriptors any more.
    let result = unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) };
    if result != 0 {
        let last = last.min(i32::try_from(limit()).unwrap_or(i32::MAX));
        (first..=last).for_each(|number| {
            let _ = close(number);
        });
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

/// The same descriptor under a number that scripts do not use, as they do in 'exec 3>file', if such
/// a number is free.
pub fn out_of_the_way(fd: OwnedFd) -> OwnedFd {
    copy_out_of_the_way(&fd).unwrap_or(fd)
}

/// The same descriptors under numbers that a COMMAND does not get any of them under, where it gets
/// them from number 3 up: see `Streams::from_third`.
///
/// # Errors
/// EMFILE if there may be no more descriptors.
pub fn above_third(descriptors: Vec<OwnedFd>) -> Result<Vec<OwnedFd>, Errno> {
    let first = THIRD + descriptors.len() as i32;
    let above = |fd: OwnedFd| match fd.as_raw_fd() {
        number if number >= first => Ok(fd),
        _ => {
            let number = fcntl(&fd, FcntlArg::F_DUPFD_CLOEXEC(first))?;
            // SAFETY: the call made this descriptor, and nothing else has it.
            Ok(unsafe { OwnedFd::from_raw_fd(number) })
        }
    };
    descriptors.into_iter().map(above).collect()
}

fn copy_out_of_the_way(fd: impl AsFd) -> Option<OwnedFd> {
    let number = fcntl(fd, FcntlArg::F_DUPFD_CLOEXEC(UNUSUAL)).ok()?;
    // SAFETY: the call made this descriptor, and nothing else has it.
    Some(unsafe { OwnedFd::from_raw_fd(number) })
}

/// The new descriptor that a system call returned, or the error if it returned -1.
///
/// # Safety
/// It is the result of the latest call of this thread, and nothing else owns the descriptor.
pub(super) unsafe fn made(result: c_long) -> Result<OwnedFd, Errno> {
    match i32::try_from(result) {
        // SAFETY: the caller guarantees that it is new and has no owner.
        Ok(fd @ 0..) => Ok(unsafe { OwnedFd::from_raw_fd(fd) }),
        _ => Err(Errno::last()),
    }
}

/// A path of an open file, which is valid even if the file was renamed or removed.
pub fn path(fd: impl AsFd) -> PathBuf {
    format!("/proc/self/fd/{}", fd.as_fd().as_raw_fd()).into()
}

/// Opens the file of a descriptor once more, even if the file was renamed or removed.
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

/// Whether this descriptor leaves so many below the limit. The kernel gives the lowest free number, so
/// they may be more.
pub fn leaves(count: usize, fd: &impl AsFd) -> bool {
    let number = usize::try_from(fd.as_fd().as_raw_fd()).unwrap_or(usize::MAX);
    number.saturating_add(count) < limit()
}

/// The maximum number of descriptors of this process.
pub fn limit() -> usize {
    let (soft, _) = getrlimit(Resource::RLIMIT_NOFILE).unwrap_or((LEAST, LEAST));
    usize::try_from(soft).unwrap_or(usize::MAX)
}

/// Opens an existing file for reading and writing. A FIFO opens at once.
pub fn open_both(path: &Path) -> Result<OwnedFd, Errno> {
    Ok(open(path, OFlag::O_RDWR | OFlag::O_CLOEXEC, Mode::empty())?)
}

/// Creates a file for this user, open for reading and writing.
///
/// # Errors
/// EEXIST.
pub fn create(path: &Path) -> Result<OwnedFd, Errno> {
    let flags = OFlag::O_RDWR | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_CLOEXEC;
    Ok(open(path, flags, Mode::S_IRUSR | Mode::S_IWUSR)?)
}

/// Makes the calls on a descriptor, and on its duplicates, wait.
pub fn make_blocking(fd: impl AsFd) -> Result<(), Errno> {
    fcntl(fd, FcntlArg::F_SETFL(OFlag::empty()))?;
    Ok(())
}

/// Makes the calls on a descriptor, and on its duplicates, fail with EAGAIN instead of waiting.
pub fn make_non_blocking(fd: impl AsFd) -> Result<(), Errno> {
    fcntl(fd, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
    Ok(())
}
