//! Settings of a terminal, and its size: termios(3), ioctl_tty(2).

use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd};

use crate::base::errno::Errno;

/// The settings of a terminal.
#[derive(Clone, Copy, Debug)]
pub struct Settings(libc::termios);

impl Settings {
    /// The settings at this moment.
    ///
    /// # Errors
    /// ENOTTY if it is no terminal.
    pub fn of(terminal: BorrowedFd<'_>) -> Result<Self, Errno> {
        let mut settings = MaybeUninit::<libc::termios>::zeroed();
        // SAFETY: the library writes within the structure.
        Errno::check(unsafe { libc::tcgetattr(terminal.as_raw_fd(), settings.as_mut_ptr()) })?;
        // SAFETY: the call above has written it.
        Ok(Self(unsafe { settings.assume_init() }))
    }

    /// Raw mode without echo: cfmakeraw(3).
    pub fn raw(mut self) -> Self {
        // SAFETY: the structure outlives the call.
        unsafe { libc::cfmakeraw(&raw mut self.0) };
        self
    }

    /// Each key is read at once and has no echo. The keys for signals still send them.
    pub fn for_keys(mut self) -> Self {
        self.0.c_lflag &= !(libc::ECHO | libc::ICANON | libc::IEXTEN);
        self.0.c_iflag &= !(libc::IXON | libc::ICRNL | libc::INLCR | libc::ISTRIP);
        self.0.c_cc[libc::VMIN] = 1;
        self.0.c_cc[libc::VTIME] = 0;
        self
    }

    /// Changes the settings of the terminal to these. A signal handler may call it.
    ///
    /// # Errors
    /// EIO if the terminal was hung up.
    pub fn apply(&self, terminal: BorrowedFd<'_>) -> Result<(), Errno> {
        // SAFETY: the structure outlives the call, which only reads it.
        Errno::check(unsafe {
            libc::tcsetattr(terminal.as_raw_fd(), libc::TCSANOW, &raw const self.0)
        })
    }
}

/// The number of columns and rows of a terminal, if the terminal reports them.
pub fn size(terminal: BorrowedFd<'_>) -> Option<(u16, u16)> {
    let mut size = MaybeUninit::<libc::winsize>::zeroed();
    // SAFETY: the kernel writes at most the size of the structure.
    let result = unsafe { libc::ioctl(terminal.as_raw_fd(), libc::TIOCGWINSZ, size.as_mut_ptr()) };
    // SAFETY: zeros are a value of it, and the kernel may have written another.
    let size = unsafe { size.assume_init() };
    (result == 0 && size.ws_col > 0 && size.ws_row > 0).then_some((size.ws_col, size.ws_row))
}
