//! Messages on their way from where they were taken for good to stdout.
//!
//! A message that was taken and not yet written would be lost with us. So INT, TERM and HUP are
//! held back from before a message is taken until it is written, and let through only while we
//! wait; and none is taken before stdout has room, or after its reader has left. What is left to
//! lose is little: the messages of one write that fails, or that is under way when we are killed
//! (by KILL or QUIT, which are not held back).

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
}

impl Delivery {
    /// A way for records in this form, which has room for a first one.
    ///
    /// # Errors
    /// That nothing can be written to stdout, or that its reader has left.
    pub fn new(form: Form) -> Result<Self, Unwritable> {
        let held = Blocked::new([Signal::INT, Signal::TERM, Signal::HUP].into_iter().collect());
        let blocking = stdio::blocking().map_err(Unwritable)?;
        let delivery = Self { writer: Writer::new(form), held, blocking, gathered: 0 };
        delivery.lifted(|| ())?;
        Ok(delivery)
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
            self.wait(output, || ())?;
        }
        Ok(())
    }

    /// Writes what was gathered, then waits with `wait` for more to take, and for room for it.
    pub fn wait<T>(
        &mut self,
        output: &mut Output,
        wait: impl FnOnce() -> T,
    ) -> Result<T, Unwritable> {
        output.flush()?;
        self.gathered = 0;
        self.lifted(wait)
    }

    fn lifted<T>(&self, wait: impl FnOnce() -> T) -> Result<T, Unwritable> {
        self.held.lifted(|| {
            let result = wait();
            match self.blocking {
                Blocking::Sometimes => stdio::wait_for_room().map_err(Unwritable)?,
                Blocking::Never => {}
            }
            Ok(result)
        })
    }
}
