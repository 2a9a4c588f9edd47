//! Descriptors by number: descriptors that the caller of `ipc` opened, such as 9 in `exec 9>file`,
//! and descriptors that a COMMAND inherits.

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

/// The same descriptor under a number that scripts do not use, as they do in 'exec 3>file', if such
/// a number is free.
pub fn out_of_the_way(fd: OwnedFd) -> OwnedFd {
    copy_out_of_the_way(&fd).unwrap_or(fd)
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

/// The maximum number of descriptors of this process.
pub fn limit() -> usize {
    let (soft, _) = getrlimit(Resource::RLIMIT_NOFILE).unwrap_or((LEAST, LEAST));
    usize::try_from(soft).unwrap_or(usize::MAX)
}
