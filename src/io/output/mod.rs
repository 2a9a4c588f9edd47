//! The only writer of stdout and stderr: answers, records, listings and diagnostics.

mod listing;
mod record;
#[cfg(test)]
mod tests;

use std::fmt::{self, Display, Write as _};

use serde::Serialize;

pub use self::record::Record;
pub use crate::base::text::{escape, json_bytes, rfc3339};

use self::record::Medium;
use crate::base::errno::Errno;
use crate::base::exit::Failure;
use crate::sys::heap;
use crate::sys::stdio::{self, Stream};

/// How much to print on stderr.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Verbosity {
    /// No diagnostics.
    Quiet,
    /// Errors and warnings.
    #[default]
    Normal,
    /// Also what happens on the way.
    Verbose,
}

/// How to print what is known of objects.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// Stdout did not take what was written to it.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("standard output: {0}")]
pub struct Unwritable(pub Errno);

impl Unwritable {
    /// Whether the reader has left, which ends a command as SIGPIPE would, without a word.
    pub fn reader_left(self) -> bool {
        self.0 == Errno(libc::EPIPE)
    }
}

/// Stdout did not take all of this.
#[derive(Debug)]
pub struct WriteFailed {
    /// Why.
    pub error: Unwritable,
    /// All that was to be written.
    pub pending: Vec<u8>,
    /// How many bytes of it were.
    pub written: usize,
}

/// Stdout, gathered into large writes; and stderr, as quiet as it was asked to be.
#[derive(Debug)]
pub struct Output {
    pending: Vec<u8>,
    notes: Notes,
}

/// Stderr, as quiet as it was asked to be. A thread that does the work of a command has its own.
#[derive(Clone, Debug)]
pub struct Notes {
    verbosity: Verbosity,
    /// The words of the command, which its diagnostics begin with.
    command: String,
}

/// Beyond this much the pending output is written: as much as a pipe takes at once.
const ENOUGH: usize = 64 << 10;

impl Output {
    /// The output of the command that these words name.
    pub fn new(command: impl Into<String>, verbosity: impl Into<Verbosity>) -> Self {
        let (verbosity, command) = (verbosity.into(), command.into());
        Self { pending: Vec::new(), notes: Notes { verbosity, command } }
    }

    /// The same for another thread, which has diagnostics to print and no answer.
    pub fn aside(&self) -> Self {
        Self { pending: Vec::new(), notes: self.notes.clone() }
    }

    /// One line of the answer.
    pub fn line(&mut self, text: impl Display) -> Result<(), Unwritable> {
        self.text(format_args!("{text}\n"))
    }

    /// A part of the answer, as it is.
    pub fn text(&mut self, text: impl Display) -> Result<(), Unwritable> {
        // Writing into memory fails only where a Display fails, and none of ours does.
        let _ = write!(Appended(&mut self.pending), "{text}");
        self.write_if_enough()
    }

    /// Bytes of the answer, as they are.
    pub fn bytes(&mut self, bytes: &[u8]) -> Result<(), Unwritable> {
        self.reserve(bytes.len())?;
        self.pending.extend_from_slice(bytes);
        self.write_if_enough()
    }

    /// Has memory be there for so many bytes more than are pending.
    pub fn reserve(&mut self, bytes: usize) -> Result<(), Unwritable> {
        heap::reserve(&mut self.pending, bytes).map_err(Unwritable)
    }

    fn write_if_enough(&mut self) -> Result<(), Unwritable> {
        if self.pending.len() < ENOUGH { Ok(()) } else { self.flush() }
    }

    /// Writes what is pending. Every command ends with it, so that a full disk is noticed.
    pub fn flush(&mut self) -> Result<(), Unwritable> {
        let write = |bytes: &[u8]| stdio::write_all(Stream::Output, bytes);
        self.write_out(write).map_err(|failed| failed.error)
    }

    /// The same with `write`, which tells how much it wrote, and why no more; an error has what was
    /// pending.
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

    /// Lets `append` put bytes of the answer behind what is yet to be written.
    pub fn gather<T>(&mut self, append: impl FnOnce(&mut Vec<u8>) -> T) -> T {
        append(&mut self.pending)
    }

    /// What is yet to be written.
    pub fn pending(&self) -> &[u8] {
        &self.pending
    }

    /// What is known of one object, a line for each thing that is.
    pub fn show(&mut self, record: &Record, format: impl Into<Format>) -> Result<(), Unwritable> {
        if format.into() == Format::Json {
            return self.json(record);
        }
        let medium = medium();
        let width = record.readable().map(|field| field.key.len()).max().unwrap_or(0) + 1;
        for field in record.readable() {
            self.text(format_args!("{:<width$} ", format!("{}:", field.key)))?;
            self.bytes(&field.shown_on(medium))?;
            self.bytes(b"\n")?;
        }
        Ok(())
    }

    /// What is known of many objects, in columns below a header.
    pub fn list(
        &mut self,
        records: &[Record],
        format: impl Into<Format>,
    ) -> Result<(), Unwritable> {
        if format.into() == Format::Json {
            return self.json(records);
        }
        for line in listing::lines(records, medium()) {
            self.bytes(&line)?;
        }
        Ok(())
    }

    /// One line of JSON.
    pub fn json(&mut self, value: &(impl Serialize + ?Sized)) -> Result<(), Unwritable> {
        // Records hold nothing that JSON cannot: keys are strings and numbers are finite.
        let text = serde_json::to_string(value).unwrap_or_default();
        self.line(crate::base::text::harmless(text))
    }

    /// What says things on stderr as this does.
    pub fn notes(&self) -> Notes {
        self.notes.clone()
    }

    /// Something that happens on the way, for those who asked with `--verbose`.
    pub fn note(&self, text: impl Display) {
        self.notes.note(text);
    }

    /// Something wrong that does not end the command.
    pub fn warn(&self, text: impl Display) {
        self.notes.warn(text);
    }

    /// Whether more than the answer is wanted, and so worth finding out.
    pub fn is_verbose(&self) -> bool {
        self.notes.is_verbose()
    }

    /// Whether somebody sits at a terminal and reads what we say.
    pub fn is_watched(&self) -> bool {
        self.notes.verbosity != Verbosity::Quiet && stdio::is_terminal(Stream::Error)
    }

    /// What went wrong, and the way out where there is one.
    pub fn error(&self, error: &anyhow::Error) {
        let failure = Failure::in_chain(error);
        if failure.is_some_and(Failure::is_expected) {
            return self.note(format_args!("{error:#}"));
        }
        self.warn(format_args!("{error:#}"));
        let of_errno = || is_for_memory(error).then_some(heap::HINT);
        let hint = failure.and_then(Failure::hint_text).or_else(of_errno);
        if let Some(hint) = hint.filter(|_| self.notes.verbosity != Verbosity::Quiet) {
            complain(format_args!("hint: {hint}\n"));
        }
    }
}

impl Notes {
    /// Something that happens on the way, for those who asked with `--verbose`.
    pub fn note(&self, text: impl Display) {
        if self.verbosity == Verbosity::Verbose {
            self.complain(text);
        }
    }

    /// Something wrong that does not end the command.
    pub fn warn(&self, text: impl Display) {
        if self.verbosity != Verbosity::Quiet {
            self.complain(text);
        }
    }

    /// Whether more than the answer is wanted, and so worth finding out.
    pub fn is_verbose(&self) -> bool {
        self.verbosity == Verbosity::Verbose
    }

    fn complain(&self, text: impl Display) {
        complain(format_args!("ipc: {}: {text}\n", self.command));
    }
}

/// Whether something failed as there was no memory for it.
fn is_for_memory(error: &anyhow::Error) -> bool {
    let words = Errno(libc::ENOMEM).to_string();
    error.chain().last().is_some_and(|cause| cause.to_string() == words)
}

/// Writes a diagnostic, whole and at once so that those of several processes do not mix. A stderr
/// that takes nothing is no reason to stop.
pub fn complain(text: impl Display) {
    complain_bytes(text.to_string().as_bytes());
}

/// The same, in bytes that may be of any kind.
pub fn complain_bytes(bytes: &[u8]) {
    let _ = stdio::write_all(Stream::Error, bytes);
}

/// Lets formatting append to bytes.
struct Appended<'a>(&'a mut Vec<u8>);

impl fmt::Write for Appended<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

/// What stdout is. A terminal that does not tell its width has that of COLUMNS, or else 80.
fn medium() -> Medium {
    const USUAL: usize = 80;
    if !stdio::is_terminal(Stream::Output) {
        return Medium::Elsewhere;
    }
    let told = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let width = stdio::width(Stream::Output).or(told.filter(|&columns| columns > 0));
    Medium::Terminal(width.unwrap_or(USUAL))
}
