//! Writes records to stdout.

use crate::io::frame::{Form, Length, ReadError};
use crate::io::output::Output;

/// Writes records to stdout.
#[derive(Clone, Copy, Debug)]
pub struct Writer {
    form: Form,
    warned: bool,
}

impl Writer {
    /// A writer of records in this form.
    pub fn new(form: Form) -> Self {
        Self { form, warned: false }
    }

    /// The number of bytes of framing after a record.
    pub fn tail(self) -> usize {
        self.form.trailer().len()
    }

    /// Writes a record. A record that the form cannot represent is written unchanged, with a
    /// warning for the first one.
    ///
    /// # Errors
    /// EPIPE, ENOSPC and others of stdout; an error if the length does not fit into 4 bytes.
    pub fn write(&mut self, output: &mut Output, record: &[u8]) -> anyhow::Result<()> {
        let limit = self.form.longest();
        if record.len() > limit {
            let length = Length::Exactly(record.len() as u64);
            return Err(ReadError::TooLong { length, limit }.into());
        }
        if self.has_to_look() && self.form.ends_within(record) {
            self.warn(output);
        }
        Ok(self.form.encode(record, |bytes| output.bytes(bytes))?)
    }

    /// The form of the records.
    pub fn form(self) -> Form {
        self.form
    }

    /// Whether all records so far could be represented, so that the next must be checked.
    pub fn has_to_look(self) -> bool {
        !self.warned
    }

    /// Warns of the first record that the form cannot represent.
    pub fn warn(&mut self, output: &Output) {
        self.warned = true;
        let what = if self.form == Form::Line { "newline" } else { "NUL" };
        output.warn(format_args!(
            "a record has a {what} in it, which ends one for whoever reads this; \
             '--frame netstring' keeps records apart"
        ));
    }
}
