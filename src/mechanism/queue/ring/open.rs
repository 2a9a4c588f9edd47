//! Making a queue, and opening one.

use std::cell::Cell;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::io::spin::Spin;
use crate::mechanism::new_file::NewFile;
use crate::mechanism::robust_lock::{Locker, Numbers};
use crate::sys::lock::Lock;
use crate::sys::memory::Reach;
use crate::sys::object::Object;
use crate::sys::stream;

use super::layout::{
    ADOPTION, HEAD, HEADER, Header, LEAST_CAPACITY, MAGIC, MOST_CAPACITY, NO_WAIT, POP, PUSH,
    SEARCHED, WAIT, boot,
};
use super::{Error, Memory, Ring, verify};

/// For how long another process that opens the queue as the first of this boot is waited for.
const ADOPTION_LIMIT: Duration = Duration::from_secs(10);

impl Ring {
    /// The capacity of a queue that is to have at least so many bytes: a power of two.
    pub fn capacity_for(bytes: u64) -> Option<u64> {
        (bytes <= MOST_CAPACITY).then(|| bytes.max(LEAST_CAPACITY).next_power_of_two())
    }

    /// Makes a queue with exactly these permissions, whose memory is there. It is complete before it
    /// has its name.
    ///
    /// # Errors
    /// EEXIST if the name is taken, ENOSPC if there is no room, EFBIG if there never is.
    pub fn create(path: &Path, mode: u32, bytes: u64) -> Result<Self, Error> {
        let too_large = Error::Kernel(Errno(libc::EFBIG));
        let capacity = Self::capacity_for(bytes).ok_or(too_large)?;
        let new = NewFile::new(path, mode)?;
        new.allocate(HEAD as u64 + capacity)?;
        stream::write_at(new.file(), &first_page(&Header::new(capacity)?), 0)?;
        new.link()?;
        Self::attach(new.into_file())
    }

    /// Whether a file that is open for reading is a queue, of any version and in any condition.
    pub fn is_in(file: &OwnedFd) -> Result<bool, Error> {
        let mut magic = [0; 8];
        Ok(stream::read_at(file, &mut magic, 0)? == magic.len() && &magic == MAGIC)
    }

    /// Uses a queue whose file is open for reading and writing, by an open file description of its
    /// own: its locks are those of the description.
    ///
    /// # Errors
    /// [`Error::Foreign`] if it is no queue, [`Error::Corrupt`] if it is a damaged one.
    pub fn attach(file: OwnedFd) -> Result<Self, Error> {
        let object = Object::of(&file)?;
        let mut header = read_header(&file, &object)?;
        if !object.is_volatile && header.boot != boot() {
            header = adopt(&file, &object)?;
        }
        let (reach, numbers) = match object.is_ours_alone {
            true => (Reach::Mapping, Numbers::Of(header.namespace)),
            false => (Reach::Descriptor, Numbers::Distrusted),
        };
        // The same open file description, so that its locks are those of both.
        let twin = file.try_clone().map_err(Errno::from)?;
        let memory = Memory::map(file, header.capacity, reach)?;
        let spins = || Cell::new(Spin::default());
        Ok(Self { memory, locker: Locker::new(numbers, twin), room: spins(), messages: spins() })
    }
}

/// The words of a new queue.
fn first_page(header: &Header) -> [u8; HEAD] {
    let mut page = [0; HEAD];
    page[..HEADER].copy_from_slice(&header.encode());
    for side in [PUSH, POP] {
        page[side + WAIT..side + WAIT + 4].copy_from_slice(&NO_WAIT.to_ne_bytes());
    }
    page
}

fn read_header(file: &OwnedFd, object: &Object) -> Result<Header, Error> {
    let mut bytes = [0; HEADER];
    if !object.is_regular || stream::read_at(file, &mut bytes, 0)? < bytes.len() {
        return Err(Error::Foreign("is not a queue"));
    }
    Header::decode(&bytes, object.size)
}

/// Makes a queue in a file valid in this boot: it may have words of the last one, in which other
/// threads had the numbers. After a crash it may be damaged.
fn adopt(file: &OwnedFd, object: &Object) -> Result<Header, Error> {
    if !object.is_ours_alone {
        return Err(Error::Foreign("has not been used by its owner since the last boot"));
    }
    let end = Deadline::after(ADOPTION_LIMIT);
    let Waited::Done(()) = Lock::of_byte(ADOPTION).wait(file, end)? else {
        return Err(Error::Stuck);
    };
    let header = read_header(file, object).and_then(|header| match header.boot == boot() {
        true => Ok(header),
        false => reset(file, header),
    });
    Lock::of_byte(ADOPTION).release(file)?;
    header
}

fn reset(file: &OwnedFd, old: Header) -> Result<Header, Error> {
    let twin = file.try_clone().map_err(Errno::from)?;
    let memory = Memory::map(twin, old.capacity, Reach::Mapping)?;
    verify::check_messages(&memory)?;
    for side in [PUSH, POP] {
        memory.word(side).store(0, Ordering::SeqCst);
        memory.word(side + WAIT).store(NO_WAIT, Ordering::SeqCst);
    }
    memory.long(SEARCHED).store(0, Ordering::SeqCst);
    memory.verify()?;
    let header = Header::new(old.capacity)?;
    stream::write_at(file, &header.encode(), 0)?;
    Ok(header)
}
