//! At most one line a second about events that clients cause, so that clients cannot fill a log.

use std::fmt::Display;
use std::time::Duration;

use crate::base::deadline::Deadline;
use crate::io::output::Output;

/// The time between two lines.
const INTERVAL: Duration = Duration::from_secs(1);

/// Limits the lines of one kind.
#[derive(Debug)]
pub struct LineLimit {
    next: Deadline,
    /// The number of lines that were left out since the last one.
    left_out: u64,
}

impl Default for LineLimit {
    fn default() -> Self {
        Self { next: Deadline::PASSED, left_out: 0 }
    }
}

impl LineLimit {
    /// Passes a line to `write`, or counts it; the next line has the count.
    pub fn line(&mut self, text: impl Display, write: impl FnOnce(&dyn Display)) {
        if !self.next.has_passed() {
            self.left_out += 1;
            return;
        }
        self.next = Deadline::after(INTERVAL);
        match std::mem::take(&mut self.left_out) {
            0 => write(&text),
            count => write(&format_args!("{text} ({count} more before it)")),
        }
    }

    /// Prints it as a warning.
    pub fn warn(&mut self, output: &Output, text: impl Display) {
        self.line(text, |line| output.warn(line));
    }

    /// Prints it with `--verbose` only.
    pub fn note(&mut self, output: &Output, text: impl Display) {
        self.line(text, |line| output.note(line));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_are_left_out_are_counted_in_the_next_line() {
        let mut lines = Vec::new();
        let mut limit = LineLimit::default();
        for number in 0..5 {
            limit.line(number, |line| lines.push(line.to_string()));
        }
        limit.next = Deadline::PASSED;
        limit.line("last", |line| lines.push(line.to_string()));
        assert_eq!(lines, ["0", "last (4 more before it)"]);
    }
}
