//! Creates and opens queues.

use std::cell::{Cell, RefCell};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::rc::Rc;
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

/// The longest wait for another process that is the first to open the queue in this boot.
const ADOPTION_LIMIT: Duration = Duration::from_secs(10);

impl Ring {
    /// The capacity of a queue of at least so many bytes: a power of two.
    pub fn capacity_for(bytes: u64) -> Option<u64> {
        (bytes <= MOST_CAPACITY).then(|| bytes.max(LEAST_CAPACITY).next_power_of_two())
    }

    /// Creates a queue with exactly these permissions and with all its memory allocated. The queue
    /// gets its name only when it is complete.
    ///
    /// # Errors
    /// EEXIST if the name exists, ENOSPC if the file system has no room, EFBIG if the queue is
    /// larger than the maximum.
    pub fn create(path: &Path, mode: u32, bytes: u64) -> Result<Self, Error> {
        let too_large = Error::Kernel(Errno(libc::EFBIG));
        let capacity = Self::capacity_for(bytes).ok_or(too_large)?;
        let new = NewFile::new(path, mode)?;
        new.allocate(HEAD as u64 + capacity)?;
        stream::write_at(new.file(), &first_page(&Header::new(capacity)?), 0)?;
        new.link()?;
        Self::attach(new.into_file())
    }

    /// Whether a file that is open for reading is a queue, of any version, damaged or not.
    pub fn is_in(file: &OwnedFd) -> Result<bool, Error> {
        let mut magic = [0; 8];
        Ok(stream::read_at(file, &mut magic, 0)? == magic.len() && &magic == MAGIC)
    }

    /// Uses a queue whose file is open for reading and writing. The open file description must not
    /// be shared, because the locks belong to it.
    ///
    /// # Errors
    /// [`Error::Foreign`] if the file is not a queue that this program can use, [`Error::Corrupt`]
    /// if it is a damaged queue, [`Error::Stuck`] if another process does not finish its first use
    /// in this boot.
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
        let file = Rc::new(file);
        let memory = Memory::map(Rc::clone(&file), header.capacity, reach)?;
        Ok(Self {
            memory,
            locker: Locker::new(numbers, file),
            room: Cell::new(Spin::default()),
            messages: Cell::new(Spin::default()),
            stage: RefCell::default(),
        })
    }
}

/// The first page of a new queue: its header and its words.
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

/// Makes a queue valid in this boot. Its lock words may hold thread numbers of the last boot, which
/// other threads have now. After a crash of the machine the queue may be damaged.
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
    let memory = Memory::map(Rc::new(twin), old.capacity, Reach::Mapping)?;
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
