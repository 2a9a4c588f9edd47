//! A terminal as a screen: cells that text is drawn into, and the keys that people press.
//!
//! The cells are those of ratatui-core, which knows the width of each character and compares two screens.
//! The terminal and its keys are own code: crossterm keeps a handler of WINCH and a reader of stdin for the
//! rest of the process, and its locks need more thread-local memory than musl has room for.

mod ansi;
mod keys;
mod picture;
mod scope;

use std::os::fd::BorrowedFd;

use ratatui_core::buffer::Buffer;
use ratatui_core::layout::Rect;

pub use self::ansi::lines;
pub use self::keys::{Key, Keys};
pub use self::picture::picture;

use self::scope::Scope;
use crate::base::errno::Errno;
use crate::io::output::Paint;
use crate::sys::{stream, termios};

/// The size of a terminal that reports none.
const USUAL: (u16, u16) = (80, 24);

/// The greatest width and height that is drawn.
const MOST: u16 = 1000;

/// A terminal that shows cells. Dropping it restores the terminal, and so do fatal signals and panics.
#[derive(Debug)]
pub struct Screen {
    terminal: BorrowedFd<'static>,
    scope: Scope,
    paint: Paint,
    /// The cells that the terminal shows.
    shown: Buffer,
}

impl Screen {
    /// Makes a terminal a screen.
    ///
    /// # Errors
    /// ENOTTY if it is no terminal; EIO if it was hung up.
    pub fn open(terminal: BorrowedFd<'static>, paint: Paint) -> Result<Self, Errno> {
        Ok(Self { terminal, scope: Scope::enter(terminal)?, paint, shown: Buffer::default() })
    }

    /// The area of the terminal.
    pub fn area(&self) -> Rect {
        let (width, height) = termios::size(self.terminal).unwrap_or(USUAL);
        Rect::new(0, 0, width.min(MOST), height.min(MOST))
    }

    /// Shows the cells of a buffer.
    ///
    /// # Errors
    /// EIO if the terminal was hung up.
    pub fn show(&mut self, buffer: Buffer) -> Result<(), Errno> {
        /// Erases the whole screen.
        const ERASE: &str = "\x1b[0m\x1b[2J";
        let mut text = String::new();
        if self.shown.area != buffer.area {
            text.push_str(ERASE);
            self.shown = Buffer::empty(buffer.area);
        }
        text.push_str(&ansi::differences(&self.shown, &buffer, self.paint));
        self.shown = buffer;
        stream::write(self.terminal, text.as_bytes())
    }

    /// Draws the whole screen the next time, as its contents are unknown.
    pub fn forget(&mut self) {
        self.shown = Buffer::default();
    }

    /// Restores the terminal while `work` runs, which may stop the process.
    ///
    /// # Errors
    /// EIO if the terminal was hung up meanwhile.
    pub fn suspended(&mut self, work: impl FnOnce()) -> Result<(), Errno> {
        self.forget();
        self.scope.suspended(work)
    }
}
