//! Pseudo-terminals, for COMMANDs that buffer their output to a pipe: pty(7), ioctl_tty(2).

use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, OwnedFd};

use nix::fcntl::{OFlag, open};
use nix::sys::stat::Mode;

use super::descriptor;
use crate::base::errno::Errno;

/// A pseudo-terminal in raw mode and without echo.
#[derive(Debug)]
pub struct Pair {
    /// The side that reads the output to the terminal. It does not block, and fails with EIO after
    /// the last process has closed the terminal.
    pub master: OwnedFd,
    /// The terminal.
    pub terminal: OwnedFd,
}

/// Creates a pseudo-terminal, which does not become a controlling terminal.
///
/// # Errors
/// ENOSPC if the maximum number exists; ENOENT without /dev/ptmx.
pub fn create() -> Result<Pair, Errno> {
    let flags = OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC | OFlag::O_NONBLOCK;
    let master = open("/dev/ptmx", flags, Mode::empty())?;
    unlock(&master)?;
    let terminal = peer(&master)?;
    make_raw(&terminal)?;
    Ok(Pair { master, terminal })
}

fn unlock(master: &OwnedFd) -> Result<(), Errno> {
    let locked: libc::c_int = 0;
    // SAFETY: the number outlives the call, which only reads it.
    Errno::check(unsafe { libc::ioctl(master.as_raw_fd(), libc::TIOCSPTLCK, &raw const locked) })
}

/// Opens the terminal by its master, so that /dev/pts need not be mounted.
fn peer(master: &OwnedFd) -> Result<OwnedFd, Errno> {
    let flags = libc::O_RDWR | libc::O_NOCTTY | libc::O_CLOEXEC;
    // SAFETY: the call takes numbers only.
    let result = unsafe { libc::ioctl(master.as_raw_fd(), libc::TIOCGPTPEER, flags) };
    // SAFETY: the call above returned it, and no other owner has it.
    unsafe { descriptor::made(result.into()) }
}

fn make_raw(terminal: &OwnedFd) -> Result<(), Errno> {
    let mut settings = MaybeUninit::<libc::termios>::zeroed();
    // SAFETY: the library writes within the structure.
    Errno::check(unsafe { libc::tcgetattr(terminal.as_raw_fd(), settings.as_mut_ptr()) })?;
    // SAFETY: the call above has written it.
    let mut settings = unsafe { settings.assume_init() };
    // SAFETY: the structure outlives the call.
    unsafe { libc::cfmakeraw(&raw mut settings) };
    // SAFETY: the structure outlives the call, which only reads it.
    Errno::check(unsafe {
        libc::tcsetattr(terminal.as_raw_fd(), libc::TCSANOW, &raw const settings)
    })
}
