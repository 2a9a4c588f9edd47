//! Descriptors by number: those that our caller left open for us, as the 9 of `exec 9>file`, and
//! those that we let a COMMAND have.

use std::ffi::c_long;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
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

/// Takes the number 3 if it is free, so that no descriptor of ours gets it before
/// [`hand_over_as_third`].
pub fn reserve_third() -> Result<Option<OwnedFd>, Errno> {
    let null = OwnedFd::from(std::fs::File::open("/dev/null")?);
    Ok(Some(null).filter(|null| null.as_raw_fd() == THIRD))
}

/// Lets a COMMAND have a descriptor of ours as its number 3, in place of what has it: our
/// caller's, or the one that was reserved.
pub fn hand_over_as_third(fd: impl AsFd) -> Result<(), Errno> {
    // SAFETY: the call takes numbers only, and nobody here uses what it closes.
    match unsafe { libc::dup2(fd.as_fd().as_raw_fd(), THIRD) } {
        THIRD => Ok(()),
        _ => Err(Errno::last()),
    }
}

/// Closes what a COMMAND has got as its number 3 on our side.
pub fn close_third() {
    // It is open, and nobody here uses it.
    let _ = close(THIRD);
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

/// Keeps what else our caller left open, knowingly or not, from every COMMAND. A kernel that does
/// not know how leaves it as it is.
pub fn keep_to_ourselves() {
    // SAFETY: the call takes numbers only, and closes nothing in this process.
    unsafe {
        libc::syscall(libc::SYS_close_range, THIRD, libc::c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC)
    };
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
