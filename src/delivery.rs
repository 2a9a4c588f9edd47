//! Messages on their way from where they were taken for good to stdout.
//!
//! A message that was taken and not yet written would be lost with us. So INT, TERM and HUP are
//! held back from before a message is taken until it is written, and let through only while we
//! wait; and none is taken before stdout has room, or after its reader has left. What is left to
//! lose is little: the messages of one write that fails, or that is under way when we are killed
//! (by KILL or QUIT, which are not held back).

use crate::deadline::{Deadline, Waited};
use crate::frame::{Form, Writer};
use crate::output::{Output, Record, Unwritable};
use crate::signals::Signal;
use crate::sys::signal::Blocked;
use crate::sys::stdio::{self, Blocking};

/// How much may be gathered for one write. A pipe that is empty takes it at once.
const GATHERED: usize = 32 << 10;

/// The way to stdout. For as long as it lives, signals wait.
#[derive(Debug)]
pub struct Delivery {
    writer: Writer,
    held: Blocked,
    blocking: Blocking,
    gathered: usize,
    /// Whether stdout takes more, as far as was seen since it was last written to or waited for.
    has_room: bool,
}

impl Delivery {
    /// A way for records in this form.
    ///
    /// # Errors
    /// That nothing can be written to stdout.
    pub fn new(form: Form) -> Result<Self, Unwritable> {
        let held = Blocked::new([Signal::INT, Signal::TERM, Signal::HUP].into_iter().collect());
        let blocking = stdio::blocking().map_err(Unwritable)?;
        Ok(Self { writer: Writer::new(form), held, blocking, gathered: 0, has_room: false })
    }

    /// Hands on a record that was taken. Several may be gathered until the next wait.
    pub fn write(&mut self, output: &mut Output, record: &[u8]) -> anyhow::Result<()> {
        self.writer.write(output, record)?;
        self.gather(output, record.len() + 1)
    }

    /// Hands on what is known of a record, as a line of JSON, at once.
    pub fn write_json(&mut self, output: &mut Output, record: &Record) -> anyhow::Result<()> {
        output.json(record)?;
        self.gather(output, GATHERED)
    }

    fn gather(&mut self, output: &mut Output, bytes: usize) -> anyhow::Result<()> {
        self.gathered += bytes;
        if self.gathered >= GATHERED {
            self.flush(output)?;
        }
        Ok(())
    }

    fn flush(&mut self, output: &mut Output) -> Result<(), Unwritable> {
        self.has_room = false;
        self.gathered = 0;
        output.flush()
    }

    /// Whether something may be taken, as stdout takes it. What was gathered is written if not.
    ///
    /// # Errors
    /// That the reader of stdout has left.
    pub fn has_room(&mut self, output: &mut Output) -> Result<bool, Unwritable> {
        if !self.has_room {
            self.flush(output)?;
            self.has_room = self.look_for_room(Deadline::PASSED)? == Waited::Done(());
        }
        Ok(self.has_room)
    }

    /// Waits until stdout takes something.
    ///
    /// # Errors
    /// That the reader of stdout has left.
    pub fn wait_for_room(&mut self, deadline: Deadline) -> Result<Waited, Unwritable> {
        let waited = self.held.lifted(|| self.look_for_room(deadline))?;
        self.has_room = waited == Waited::Done(());
        Ok(waited)
    }

    fn look_for_room(&self, deadline: Deadline) -> Result<Waited, Unwritable> {
        match self.blocking {
            Blocking::Sometimes => stdio::wait_for_room(deadline).map_err(Unwritable),
            Blocking::Never => Ok(Waited::Done(())),
        }
    }

    /// Writes what was gathered, then waits with `wait` for more to take.
    pub fn wait<T>(
        &mut self,
        output: &mut Output,
        wait: impl FnOnce() -> T,
    ) -> Result<T, Unwritable> {
        self.flush(output)?;
        Ok(self.held.lifted(wait))
    }
}
