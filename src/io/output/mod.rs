//! The only writer of stdout and stderr: answers, records, listings and diagnostics.

mod color;
mod human;
mod key;
mod listing;
mod medium;
mod status_line;
mod table;
#[cfg(test)]
mod tests;
mod value;

use std::fmt::{self, Display, Write as _};
use std::os::fd::BorrowedFd;

use serde::Serialize;

pub use self::color::{Color, Paint};
pub use self::human::{age, human};
pub use self::key::{Key, Type, Visibility};
pub use self::status_line::StatusLine;
pub use self::table::{Headings, Look, Properties, Row, Sizes, Table};
pub use self::value::{Process, Value, order_of_numbers};
pub use crate::base::text::{escape, json_bytes, rfc3339};

use self::color::Role;
use self::medium::Medium;
use crate::base::errno::Errno;
use crate::base::exit::Failure;
use crate::base::text;
use crate::sys::heap;
use crate::sys::stdio::{self, Stream};

/// The amount of output on stderr.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Verbosity {
    /// No diagnostics.
    Quiet,
    /// Errors and warnings.
    #[default]
    Normal,
    /// Errors, warnings and progress.
    Verbose,
}

/// The format of the properties of objects.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// Stdout did not accept a write.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("standard output: {0}")]
pub struct Unwritable(pub Errno);

impl Unwritable {
    /// Whether the reader has closed it. That ends a command as SIGPIPE would, without a message.
    pub fn reader_left(self) -> bool {
        self.0 == Errno(libc::EPIPE)
    }
}

/// A write to stdout that failed before its end.
#[derive(Debug)]
pub struct WriteFailed {
    /// The reason.
    pub error: Unwritable,
    /// All bytes of the write.
    pub pending: Vec<u8>,
    /// The number of bytes that were written.
    pub written: usize,
}

/// The descriptors that an output writes to.
#[derive(Clone, Copy, Debug)]
pub struct Destinations {
    /// For the answer.
    pub stdout: BorrowedFd<'static>,
    /// For diagnostics.
    pub stderr: BorrowedFd<'static>,
    /// When the text for them is coloured.
    pub color: Color,
}

impl Destinations {
    /// The descriptors of this process.
    pub fn of_process() -> Self {
        Self { stdout: Stream::Output.fd(), stderr: Stream::Error.fd(), color: Color::default() }
    }

    /// The same, with text that is coloured as the option says.
    pub fn with_color(self, color: Color) -> Self {
        Self { color, ..self }
    }

    /// Writes a diagnostic in one write, so that the diagnostics of several processes do not mix.
    /// Errors are ignored: a command does not fail because its diagnostics cannot be written.
    pub fn complain(self, text: impl Display) {
        self.diagnose(text, Role::Error);
    }

    fn diagnose(self, text: impl Display, role: Role) {
        let text = self.color.of(self.stderr).diagnostics(text.to_string(), role);
        self.complain_bytes(text.as_bytes());
    }

    /// The same, without colour and with bytes that need not be UTF-8.
    pub fn complain_bytes(self, bytes: &[u8]) {
        status_line::write_instead(self.stderr, bytes);
    }
}

/// The words of a command, with which its diagnostics begin: noun and verb. The noun may be empty.
pub type Words = [&'static str; 2];

/// Buffered stdout, and stderr with the verbosity of the command.
#[derive(Debug)]
pub struct Output {
    pending: Vec<u8>,
    notes: Notes,
}

/// Stderr with the verbosity of the command. Each thread of a command has its own copy.
#[derive(Clone, Debug)]
pub struct Notes {
    destinations: Destinations,
    verbosity: Verbosity,
    command: Words,
}

/// The number of pending bytes that causes a write: the capacity of a pipe.
const ENOUGH: usize = 64 << 10;

impl Output {
    /// The output of the command that these words name.
    pub fn new(
        command: Words,
        verbosity: impl Into<Verbosity>,
        destinations: Destinations,
    ) -> Self {
        let verbosity = verbosity.into();
        Self { pending: Vec::new(), notes: Notes { destinations, verbosity, command } }
    }

    /// An output for another thread, with nothing pending.
    pub fn aside(&self) -> Self {
        Self { pending: Vec::new(), notes: self.notes.clone() }
    }

    /// One line of the answer.
    pub fn line(&mut self, text: impl Display) -> Result<(), Unwritable> {
        self.text(format_args!("{text}\n"))
    }

    /// A part of the answer, as it is.
    pub fn text(&mut self, text: impl Display) -> Result<(), Unwritable> {
        // A write into memory fails only if an implementation of Display fails, and none does.
        let _ = write!(Appended(&mut self.pending), "{text}");
        self.write_if_enough()
    }

    /// Bytes of the answer, as they are.
    pub fn bytes(&mut self, bytes: &[u8]) -> Result<(), Unwritable> {
        self.reserve(bytes.len())?;
        self.pending.extend_from_slice(bytes);
        self.write_if_enough()
    }

    /// Reserves memory for this number of bytes after the pending ones.
    pub fn reserve(&mut self, bytes: usize) -> Result<(), Unwritable> {
        heap::reserve(&mut self.pending, bytes).map_err(Unwritable)
    }

    fn write_if_enough(&mut self) -> Result<(), Unwritable> {
        if self.pending.len() < ENOUGH { Ok(()) } else { self.flush() }
    }

    /// Writes the pending bytes. Every command ends with it, so that a full disk is an error.
    pub fn flush(&mut self) -> Result<(), Unwritable> {
        let stdout = self.notes.destinations.stdout;
        let write = |bytes: &[u8]| stdio::write_all(stdout, bytes);
        self.write_out(write).map_err(|failed| failed.error)
    }

    /// The same with the function `write`, which returns the number of bytes written, and the
    /// reason if it wrote fewer than all. An error has the pending bytes.
    pub fn write_out(
        &mut self,
        write: impl FnOnce(&[u8]) -> (usize, Result<(), Errno>),
    ) -> Result<(), WriteFailed> {
        let (written, result) = write(&self.pending);
        match result {
            Ok(()) => {
                self.pending.clear();
                Ok(())
            }
            Err(errno) => {
                let pending = std::mem::take(&mut self.pending);
                Err(WriteFailed { error: Unwritable(errno), pending, written })
            }
        }
    }

    /// Lets `append` add bytes of the answer to those that are not written yet.
    pub fn gather<T>(&mut self, append: impl FnOnce(&mut Vec<u8>) -> T) -> T {
        append(&mut self.pending)
    }

    /// The bytes that are not written yet.
    pub fn pending(&self) -> &[u8] {
        &self.pending
    }

    /// The properties of one object, one per line.
    pub fn properties(
        &mut self,
        properties: &Properties<'_>,
        format: impl Into<Format>,
    ) -> Result<(), Unwritable> {
        if format.into() == Format::Json {
            return self.json(properties);
        }
        let lines = properties.lines(self.medium(), self.paint());
        lines.into_iter().try_for_each(|line| self.bytes(&line))
    }

    /// The properties of several objects, in columns below their headings.
    pub fn table(
        &mut self,
        table: &Table<'_>,
        format: impl Into<Format>,
        look: Look,
    ) -> Result<(), Unwritable> {
        if format.into() == Format::Json {
            return self.json(table);
        }
        for line in table.lines(look, self.medium(), self.paint()) {
            self.bytes(&line)?;
        }
        Ok(())
    }

    /// How the answer is painted.
    fn paint(&self) -> Paint {
        let Destinations { stdout, color, .. } = self.notes.destinations;
        color.of(stdout)
    }

    /// The medium of stdout. If a terminal does not report its width, COLUMNS has it; the default
    /// is 80.
    fn medium(&self) -> Medium {
        const USUAL: usize = 80;
        let stdout = self.notes.destinations.stdout;
        if !stdio::is_terminal(stdout) {
            return Medium::Elsewhere;
        }
        let variable = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
        let width = stdio::width(stdout).or(variable.filter(|&columns| columns > 0));
        Medium::Terminal(width.unwrap_or(USUAL))
    }

    /// One line of JSON.
    pub fn json(&mut self, value: &(impl Serialize + ?Sized)) -> Result<(), Unwritable> {
        // Records have only values that JSON can represent: keys are strings, and numbers are
        // finite.
        let text = serde_json::to_string(value).unwrap_or_default();
        self.line(crate::base::text::harmless(text))
    }

    /// The descriptors that it writes to, for transfers that bypass it after a flush.
    pub fn destinations(&self) -> Destinations {
        self.notes.destinations
    }

    /// The diagnostics alone.
    pub fn notes(&self) -> Notes {
        self.notes.clone()
    }

    /// A diagnostic that only `--verbose` prints.
    pub fn note(&self, text: impl Display) {
        self.notes.note(text);
    }

    /// A diagnostic of an error that does not end the command.
    pub fn warn(&self, text: impl Display) {
        self.notes.warn(text);
    }

    /// Whether `--verbose` was given, so that details are worth a system call.
    pub fn is_verbose(&self) -> bool {
        self.notes.is_verbose()
    }

    /// Whether diagnostics are printed to a terminal.
    pub fn is_watched(&self) -> bool {
        self.notes.verbosity != Verbosity::Quiet
            && stdio::is_terminal(self.notes.destinations.stderr)
    }

    /// An error, and its hint if it has one.
    pub fn error(&self, error: &anyhow::Error) {
        let failure = Failure::in_chain(error);
        if failure.is_some_and(Failure::is_expected) {
            return self.note(format_args!("{error:#}"));
        }
        self.warn(format_args!("{error:#}"));
        let hint = failure.and_then(Failure::hint_text).or_else(|| hint_of_limit(error));
        if let Some(hint) = hint.filter(|_| self.notes.verbosity != Verbosity::Quiet) {
            self.notes.destinations.complain(format_args!("hint: {hint}\n"));
        }
    }
}

impl Notes {
    /// A diagnostic that only `--verbose` prints.
    pub fn note(&self, text: impl Display) {
        if self.verbosity == Verbosity::Verbose {
            self.complain(text, Role::Note);
        }
    }

    /// A diagnostic of an error that does not end the command.
    pub fn warn(&self, text: impl Display) {
        if self.verbosity != Verbosity::Quiet {
            self.complain(text, Role::Error);
        }
    }

    /// Whether `--verbose` was given, so that details are worth a system call.
    pub fn is_verbose(&self) -> bool {
        self.verbosity == Verbosity::Verbose
    }

    /// A diagnostic that was requested, whatever the verbosity is.
    pub fn say(&self, text: impl Display) {
        self.complain(text, Role::Note);
    }

    /// Whether diagnostics are suppressed.
    pub fn is_quiet(&self) -> bool {
        self.verbosity == Verbosity::Quiet
    }

    /// Stderr.
    pub fn stderr(&self) -> BorrowedFd<'static> {
        self.destinations.stderr
    }

    /// A text behind the words of the command.
    pub fn prefixed(&self, text: impl Display) -> String {
        let [noun, verb] = self.command;
        let space = if noun.is_empty() { "" } else { " " };
        format!("ipc: {noun}{space}{verb}: {text}")
    }

    fn complain(&self, text: impl Display, role: Role) {
        self.destinations.diagnose(format_args!("{}\n", self.prefixed(text)), role);
    }
}

/// The hint for an error whose last cause is a limit that the caller can see and change.
fn hint_of_limit(error: &anyhow::Error) -> Option<&'static str> {
    let cause = error.chain().last()?.to_string();
    let limits = [
        (libc::ENOMEM, text::MEMORY_HINT),
        (libc::EMFILE, text::OPEN_FILES_HINT),
        (libc::ENFILE, text::ALL_OPEN_FILES_HINT),
    ];
    limits.iter().find(|(errno, _)| cause == Errno(*errno).to_string()).map(|(_, hint)| *hint)
}

/// Bytes to which formatted text is appended.
struct Appended<'a>(&'a mut Vec<u8>);

impl fmt::Write for Appended<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}
