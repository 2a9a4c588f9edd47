//! A line on a terminal that is replaced again and again, and removed in the end.
//!
//! The line and the diagnostics of a command share stderr. A diagnostic takes the place of the line, and
//! the next line follows below it.

use std::os::fd::BorrowedFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::base::errno::Errno;
use crate::sys::cleanup::{Registered, Undo};
use crate::sys::process::own_group;
use crate::sys::{stdio, stream, terminal};

/// Returns to the first column, and erases the line: control sequences of ECMA-48.
const ERASE: &[u8] = b"\r\x1b[K";

/// Whether the line has text. There is one stderr in a process.
static IS_SHOWN: AtomicBool = AtomicBool::new(false);

/// Held during a write while the line has text, or gets it.
static WRITING: Mutex<()> = Mutex::new(());

/// The line, which a fatal signal removes, too.
#[derive(Debug)]
pub struct StatusLine {
    erasing: Registered<Erasing>,
}

/// Removes the line.
#[derive(Debug)]
struct Erasing {
    terminal: BorrowedFd<'static>,
    /// Whether a signal ends the process, so that no line may follow.
    is_over: AtomicBool,
}

impl Undo for Erasing {
    fn undo(&self) {
        self.is_over.store(true, Ordering::SeqCst);
        erase(self.terminal);
    }
}

impl StatusLine {
    /// A line on a terminal, without text.
    ///
    /// # Errors
    /// ENOMEM if more is registered for a fatal signal than any command needs.
    pub fn new(terminal: BorrowedFd<'static>) -> Result<Self, Errno> {
        let erasing = Registered::new(Erasing { terminal, is_over: AtomicBool::new(false) })?;
        Ok(Self { erasing })
    }

    /// Replaces the text, which is cut to the width of the terminal: a longer one could not be erased. A
    /// job in the background shows none.
    pub fn show(&self, text: &str) {
        const USUAL: usize = 80;
        let terminal = self.erasing.terminal;
        if terminal::foreground(terminal).is_some_and(|group| group != own_group()) {
            // The terminal shows the lines of other commands by now.
            IS_SHOWN.store(false, Ordering::SeqCst);
            return;
        }
        let width = stdio::width(terminal).unwrap_or(USUAL);
        let text: String = text.chars().take(width.saturating_sub(1)).collect();
        let _writing = WRITING.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.erasing.is_over.load(Ordering::SeqCst) {
            IS_SHOWN.store(true, Ordering::SeqCst);
            let _ = stdio::write_all(terminal, &[ERASE, text.as_bytes()].concat());
        }
    }
}

impl Drop for StatusLine {
    fn drop(&mut self) {
        let _writing = WRITING.lock().unwrap_or_else(PoisonError::into_inner);
        erase(self.erasing.terminal);
    }
}

/// Removes the line, if it has text. A signal handler may call it.
fn erase(terminal: BorrowedFd<'_>) {
    if IS_SHOWN.swap(false, Ordering::SeqCst) {
        let _ = stream::write_at_once(terminal, ERASE);
    }
}

/// Writes a diagnostic in place of the line.
pub fn write_instead(stderr: BorrowedFd<'_>, bytes: &[u8]) {
    if !IS_SHOWN.load(Ordering::SeqCst) {
        let _ = stdio::write_all(stderr, bytes);
        return;
    }
    let _writing = WRITING.lock().unwrap_or_else(PoisonError::into_inner);
    erase(stderr);
    let _ = stdio::write_all(stderr, bytes);
}
