//! At most one line a second about what strangers cause, so that they cannot fill a log.

use std::fmt::Display;
use std::time::Duration;

use crate::base::deadline::Deadline;
use crate::io::output::Output;

/// How long it takes until the next line.
const INTERVAL: Duration = Duration::from_secs(1);

/// Lines of one kind.
#[derive(Debug)]
pub struct Flood {
    next: Deadline,
    /// How many were left out since the last.
    left_out: u64,
}

impl Default for Flood {
    fn default() -> Self {
        Self { next: Deadline::PASSED, left_out: 0 }
    }
}

impl Flood {
    /// Has `write` write a line, or leaves it out and counts it; the next line says how many were.
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

    /// As a warning.
    pub fn warn(&mut self, output: &Output, text: impl Display) {
        self.line(text, |line| output.warn(line));
    }

    /// For those who asked with `--verbose`.
    pub fn note(&mut self, output: &Output, text: impl Display) {
        self.line(text, |line| output.note(line));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_is_counted_in_the_next_line() {
        let mut lines = Vec::new();
        let mut flood = Flood::default();
        for number in 0..5 {
            flood.line(number, |line| lines.push(line.to_string()));
        }
        flood.next = Deadline::PASSED;
        flood.line("last", |line| lines.push(line.to_string()));
        assert_eq!(lines, ["0", "last (4 more before it)"]);
    }
}
