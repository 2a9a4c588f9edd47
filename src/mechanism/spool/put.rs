//! Putting a message: it is written and synced under a temporary name, and then renamed.

use std::ffi::CString;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::fd::OwnedFd;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::directory::{Spool, sync_file};
use super::encoded::{Encoded, MADE};
use super::entry::{Entry, Origin, push_number};
use super::files::WHOLE;
use super::name::MessageName;
use super::part::Part;
use super::reservation;
use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::mechanism::new_file::TemporaryName;
use crate::sys::cleanup::Handlers;
use crate::sys::time;

/// A time in which messages are put, so that the handlers of fatal signals are installed once.
#[derive(Debug)]
pub struct Session {
    _handlers: Handlers,
}

impl Default for Session {
    fn default() -> Self {
        Self { _handlers: Handlers::acquire() }
    }
}

/// What a message is to be.
#[derive(Clone, Debug, Default)]
pub struct Label {
    /// Its priority.
    pub priority: u32,
    /// The time before which it is not taken, in nanoseconds since 1970; 0 if there is none.
    pub due: u64,
    /// Its name, if one is given.
    pub name: Option<MessageName>,
}

/// A message that is not complete. Dropping it discards the message.
#[derive(Debug)]
pub struct Draft<'s> {
    spool: &'s Spool,
    entry: Entry,
    file_name: String,
    file: OwnedFd,
    temporary: TemporaryName,
}

/// The result of a put.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Put {
    /// The message has its name. It is durable after the directory is synced.
    Done(MessageName),
    /// A message of this name is there already, durable.
    Exists(MessageName),
}

impl<'s> Draft<'s> {
    /// Begins a message.
    ///
    /// # Errors
    /// EACCES if this user may not put messages, ENOSPC if there is no room.
    pub fn new(spool: &'s Spool, label: &Label) -> Result<Self, Errno> {
        let put = next_time();
        let (origin, name) = match &label.name {
            Some(name) => (Origin::Given, name.encoded().into()),
            None => (Origin::Made, made_name(put)),
        };
        let entry =
            Entry { priority: label.priority, put, due: label.due, attempts: 0, origin, name };
        let file_name = entry.file();
        let name = CString::new(file_name.as_str()).map_err(|_| Errno(libc::EINVAL))?;
        let directory = spool.part(Part::Temporary)?;
        let (file, temporary) = TemporaryName::create_unique(directory, name)?;
        // It says that the writer lives, to those that remove what killed ones have left.
        let _: Waited = WHOLE.wait(&file, Deadline::PASSED)?;
        spool.share(&file, spool.mode_of_files())?;
        Ok(Self { spool, entry, file_name, file, temporary })
    }

    /// The descriptor, to write the message to.
    pub fn file(&self) -> &OwnedFd {
        &self.file
    }

    /// Gives the message its name. It is durable after [`Spool::sync`] of the part `Ready`, which
    /// the caller calls once for several messages.
    pub fn publish(self) -> Result<Put, Errno> {
        sync_file(&self.file)?;
        WHOLE.release(&self.file)?;
        match self.entry.origin {
            Origin::Made => {
                self.rename()?;
                Ok(Put::Done(MessageName::of_encoded(self.entry.name)))
            }
            Origin::Given => self.publish_named(),
        }
    }

    fn rename(&self) -> Result<(), Errno> {
        let name = self.file_name.as_str();
        self.spool.rename((Part::Temporary, name), (Part::Ready, name))?;
        self.temporary.is_gone();
        Ok(())
    }

    /// Reserves the name of the message. One put at a time does that.
    fn publish_named(self) -> Result<Put, Errno> {
        let name = self.entry.message_name();
        let names = reservation::Names::lock(self.spool)?;
        if !names.reserve(name.encoded(), &self.file_name)? {
            return Ok(Put::Exists(name));
        }
        let renamed = self.rename().and_then(|()| self.spool.sync(Part::Ready));
        if renamed.is_err() && self.temporary.exists() {
            names.free(name.encoded())?;
        }
        renamed.map(|()| Put::Done(name))
    }
}

/// The time of a put: later than that of each one before in this process.
fn next_time() -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    let now = time::now();
    let later = |last: u64| Some(now.max(last + 1));
    let before = LAST.fetch_update(Ordering::Relaxed, Ordering::Relaxed, later);
    now.max(before.unwrap_or(0) + 1)
}

/// A name that no other message has: the time, and a number that differs between processes, also if they
/// have the same process ID in different namespaces.
fn made_name(put: u64) -> Encoded {
    static PROCESS: OnceLock<(u32, Duration)> = OnceLock::new();

    let process = PROCESS.get_or_init(|| (std::process::id(), time::since_boot()));
    // The random keys of the standard library would be one more thread-local variable.
    let mut hasher = DefaultHasher::new();
    (put, process, &raw const put as usize).hash(&mut hasher);
    let number = hasher.finish() as u32;
    let mut name = String::with_capacity(MADE);
    push_number::<16>(&mut name, put, 16);
    push_number::<16>(&mut name, number.into(), 8);
    name.as_str().into()
}
