//! The terminal of a COMMAND that has a process group of its own.
//!
//! A process in another group than that of the foreground is stopped when it reads from the terminal, and
//! gets no signals from it. So the group of COMMAND gets the foreground while COMMAND runs, if stdin and
//! stdout are the terminal: a pager behind a pipe needs it itself. If COMMAND is stopped, by ^Z, the group of
//! this process takes the foreground back and stops as well, so that the shell continues.

use std::time::Duration;

use crate::base::deadline::Deadline;
use crate::base::signal::Signal;
use crate::sys::process;
use crate::sys::stdio::Stream;
use crate::sys::terminal::{self, Lent};

/// How often a COMMAND in the foreground is looked at.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// The foreground, while a COMMAND runs.
#[derive(Debug)]
pub struct Foreground {
    group: i32,
    lent: Option<Lent<'static>>,
}

impl Foreground {
    /// Lends the foreground to the group of a COMMAND, if this process has it.
    pub fn for_group(group: i32) -> Self {
        let mut foreground = Self { group, lent: None };
        foreground.lend();
        foreground
    }

    fn lend(&mut self) {
        let (stdin, stdout) = (Stream::Input.fd(), Stream::Output.fd());
        if terminal::foreground(stdin).is_some() && terminal::foreground(stdout).is_some() {
            self.lent = Lent::to(self.group, stdin);
        }
        if self.lent.is_some() {
            // It may have been stopped because it read earlier.
            let _ = process::kill_group(self.group, Some(Signal::CONT));
        }
    }

    /// When to call [`Foreground::follow`] next.
    pub fn next_look(&self) -> Deadline {
        match self.lent {
            Some(_) => Deadline::after(LOOK_AGAIN),
            None => Deadline::NEVER,
        }
    }

    /// Stops with the COMMAND, and continues it afterwards.
    pub fn follow(&mut self) {
        if self.lent.is_some() && process::is_stopped(self.group) {
            self.lent = None;
            let _ = process::kill_group(0, Some(Signal::TSTP));
            self.lend();
            let _ = process::kill_group(self.group, Some(Signal::CONT));
        }
    }
}
