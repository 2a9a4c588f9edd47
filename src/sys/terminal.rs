//! Pseudo-terminals, for COMMANDs that buffer their output to a pipe, and the process group that uses a
//! terminal: pty(7), ioctl_tty(2).

use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};

use nix::fcntl::{OFlag, open};
use nix::sys::stat::Mode;

use super::descriptor;
use super::process::{OwnGroup, own_group};
use super::signal::Blocked;
use crate::base::errno::Errno;
use crate::base::signal::Signal;

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

/// The process group in the foreground of a terminal: 0 if its leader is outside of the PID namespace;
/// `None` if the descriptor is not the controlling terminal of this process.
pub fn foreground(fd: BorrowedFd<'_>) -> Option<i32> {
    // SAFETY: the call takes a number.
    let group = unsafe { libc::tcgetpgrp(fd.as_raw_fd()) };
    (group >= 0).then_some(group)
}

fn set_foreground(fd: BorrowedFd<'_>, group: i32) {
    // The kernel would stop a process in the background that does this.
    let _blocked = Blocked::new([Signal::TTOU].into_iter().collect());
    // A terminal that was hung up meanwhile has no foreground.
    // SAFETY: the call takes numbers only.
    unsafe { libc::tcsetpgrp(fd.as_raw_fd(), group) };
}

/// The group of this process in the foreground of its terminal. Dropping it returns the foreground to the
/// former group.
#[derive(Debug)]
pub struct Foreground<'a> {
    terminal: BorrowedFd<'a>,
    former: i32,
}

impl<'a> Foreground<'a> {
    /// Takes over the foreground, if the former group of this process has it and it has another group by
    /// now.
    pub fn take(terminal: BorrowedFd<'a>, group: &OwnGroup) -> Option<Self> {
        let former = group.former().filter(|&former| foreground(terminal) == Some(former))?;
        set_foreground(terminal, own_group());
        Some(Self { terminal, former })
    }
}

impl Drop for Foreground<'_> {
    fn drop(&mut self) {
        set_foreground(self.terminal, self.former);
    }
}

/// The foreground of the terminal, lent by this process group to another one. Dropping it takes the foreground
/// back.
#[derive(Debug)]
pub struct Lent<'a> {
    terminal: BorrowedFd<'a>,
    owner: i32,
}

impl<'a> Lent<'a> {
    /// Lends the foreground to this group, if the group of this process has it.
    pub fn to(group: i32, terminal: BorrowedFd<'a>) -> Option<Self> {
        let owner = foreground(terminal).filter(|&owner| owner == own_group())?;
        set_foreground(terminal, group);
        Some(Self { terminal, owner })
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        set_foreground(self.terminal, self.owner);
    }
}
