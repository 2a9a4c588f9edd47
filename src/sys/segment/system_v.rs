//! System V shared memory: shmget(2), shmat(2), shmctl(2).

use std::ffi::{OsStr, OsString};
use std::mem::{ManuallyDrop, MaybeUninit};
use std::num::NonZeroUsize;
use std::ops::Range;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use std::sync::Once;
use std::sync::atomic::{AtomicI32, Ordering};

use nix::errno::Errno::{EAGAIN, EINTR};

use super::write::remaining;
use super::{
    Access, Description, Error, Fact, Made, PageSize, Passing, Place, Segment, Sync, Value, Window,
    WriteError,
};
use crate::cell::Width;
use crate::deadline::Deadline;
use crate::errno::Errno;
use crate::name::SystemVName;
use crate::sys::dev_shm;
use crate::sys::fill;
use crate::sys::new_file::NewFile;
use crate::sys::process::Object;
use crate::sys::signal::Blocked;
use crate::sys::system_v::{self, Row, Target};
use crate::sys::transfer::{self, Side};
use crate::sys::{ending, meminfo, sysctl};

/// A segment, by its identifier. What of it is needed is attached.
#[derive(Debug)]
struct Attached {
    id: i32,
    size: NonZeroUsize,
    access: Access,
}

impl Place for SystemVName {
    fn create(&self, size: u64, mode: u32, page_size: PageSize) -> Result<Option<String>, Error> {
        let target = Target::new(self)?;
        let made = Unfinished::make(target, size, mode, page_size)?;
        let id = made.id;
        match made.populate(page_size).and_then(|()| made.finish(mode)) {
            // Somebody who knows the key has removed it already, and so it was there.
            Err(Errno(libc::ENOENT)) => {}
            finished => finished?,
        }
        Ok(target.is_private().then(|| system_v::name_of(id)))
    }

    fn create_from(
        &self,
        source: BorrowedFd<'_>,
        offset: u64,
        mode: u32,
    ) -> Result<Made, WriteError> {
        let target = Target::new(self)?;
        if target.is_private() {
            return Err(Error::Nameless.into());
        }
        // Its size has to be known when it is made.
        let kept = match remaining(source) {
            Some(_) => None,
            None => Some(keep(source)?),
        };
        let source = kept.as_ref().map_or(source, AsFd::as_fd);
        let known = remaining(source).unwrap_or(0);
        let size = offset.checked_add(known).ok_or(Errno(libc::EFBIG))?;
        let made = match Unfinished::make(target, size, mode, PageSize::Ordinary) {
            Err(Error::Kernel(Errno(libc::EEXIST))) => return Ok(Made::TooLate(kept)),
            made => made?,
        };
        let segment = attach(made.id, Access::Write)?;
        if segment.fill(source, offset, Some(known))? < known {
            return Err(WriteError::CutShort);
        }
        made.finish(mode)?;
        Ok(Made::Complete(Box::new(segment)))
    }

    fn open(&self, access: Access) -> Result<Box<dyn Segment>, Error> {
        Ok(Box::new(attach(find(self)?, access)?))
    }

    fn remove(&self) -> Result<(), Error> {
        Ok(destroy(find(self)?)?)
    }

    fn describe(&self) -> Result<Description, Error> {
        let id = find(self)?;
        let rows = system_v::table("shm")?;
        let row = rows.iter().find(|row| row.number("shmid") == i64::from(id));
        Ok(described(row.ok_or(Errno(libc::ENOENT))?, self.as_ref().to_owned()))
    }

    fn list() -> Result<Vec<Description>, Errno> {
        let rows = match system_v::table("shm") {
            // A kernel without System V objects has none.
            Err(Errno(libc::ENOENT)) => Vec::new(),
            rows => rows?,
        };
        Ok(rows.iter().map(|row| described(row, row.name().into())).collect())
    }
}

/// SHM_DEST: it goes when the last one detaches.
const MARKED: u32 = 0o1000;

fn described(row: &Row, name: OsString) -> Description {
    let number = |column| Value::Number(row.number(column) as u64);
    let time = |column| Value::Time(row.number(column));
    let facts = [
        ("name", Value::Name(name)),
        ("size", number("size")),
        ("id", number("shmid")),
        ("key", Value::Key(row.number("key") as i32)),
        ("mode", Value::Mode(row.number("perms") as u32 & 0o777)),
        ("uid", number("uid")),
        ("gid", number("gid")),
        ("creator_uid", number("cuid")),
        ("creator_gid", number("cgid")),
        ("creator_pid", number("cpid")),
        ("last_pid", number("lpid")),
        ("attachments", number("nattch")),
        ("attached", time("atime")),
        ("detached", time("dtime")),
        ("changed", time("ctime")),
        ("resident", number("rss")),
        ("swapped", number("swap")),
        ("marked_for_removal", Value::Flag(row.number("perms") as u32 & MARKED != 0)),
    ];
    Description {
        facts: facts.map(|(key, value)| Fact { key, value }).into(),
        object: Object::SystemV { id: row.number("shmid") as i32 },
    }
}

/// All that a stream gives, in a file without a name, for whose size there is a limit.
fn keep(stream: BorrowedFd<'_>) -> Result<OwnedFd, WriteError> {
    let file = NewFile::new(&dev_shm::path(OsStr::new("ipc")), 0o600)?.into_file();
    fill::from_stream(stream, fill::Target::new(&file, 0), 0, None)?;
    Ok(file)
}

/// A segment that is not yet as it shall be. Dropping it removes it, and so does a signal that ends
/// us, of those that can be caught. Others may find it meanwhile: the kernel gives a key only to a
/// segment that it makes.
#[derive(Debug)]
struct Unfinished {
    id: i32,
}

/// The segment that is to be removed when a signal comes; -1 for none.
static UNFINISHED: AtomicI32 = AtomicI32::new(-1);

impl Unfinished {
    /// Makes one that we may write to, whatever its permissions shall be.
    fn make(target: Target, size: u64, mode: u32, page_size: PageSize) -> Result<Self, Error> {
        static WATCHED: Once = Once::new();
        WATCHED.call_once(|| ending::undo_first(remove_unfinished));
        // No signal comes between the segment and the note that we have it.
        let _blocked = Blocked::new(ending::signals());
        let id = make(target, size, mode | OURS, page_size)?;
        UNFINISHED.store(id, Ordering::Relaxed);
        Ok(Self { id })
    }

    /// Has all of its memory be there. The kernel promises none, and ends processes when there is no
    /// more: so what there is not is refused before. Huge pages are set aside.
    fn populate(&self, page_size: PageSize) -> Result<(), Errno> {
        if page_size == PageSize::Huge {
            return Ok(());
        }
        let segment = attach(self.id, Access::Write)?;
        let size = segment.size.get() as u64;
        if meminfo::available().is_some_and(|available| size > available) {
            return Err(Errno(libc::ENOMEM));
        }
        match segment.window(0..size)?.populate() {
            // A kernel before 5.14 cannot.
            Err(Errno(libc::EINVAL)) => Ok(()),
            Err(Errno(libc::EFAULT)) => Err(Errno(libc::ENOMEM)),
            populated => populated,
        }
    }

    /// Gives it its permissions, and leaves it to everybody.
    fn finish(self, mode: u32) -> Result<(), Errno> {
        if mode & OURS != OURS {
            set_mode(self.id, mode)?;
        }
        let _finished = ManuallyDrop::new(self);
        UNFINISHED.store(-1, Ordering::Relaxed);
        Ok(())
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        remove_unfinished();
    }
}

/// Removes the segment that is not finished, unless somebody did. It only makes an atomic change and a
/// system call, so that it may be called when a signal comes.
fn remove_unfinished() {
    let id = UNFINISHED.swap(-1, Ordering::Relaxed);
    if id >= 0 {
        // What went wrong is told already.
        let _ = destroy(id);
    }
}

/// Permissions for us to write.
const OURS: u32 = 0o600;

fn set_mode(id: i32, mode: u32) -> Result<(), Errno> {
    let mut status = status(id)?;
    status.shm_perm.mode = mode as _;
    // SAFETY: the kernel reads the structure, which lives through the call.
    Errno::check(unsafe { libc::shmctl(id, libc::IPC_SET, &raw mut status) }).map_err(no_such)
}

fn make(target: Target, size: u64, mode: u32, page_size: PageSize) -> Result<i32, Error> {
    let Target::Key(key) = target else {
        return Err(Error::OfAnotherKind("the kernel chooses identifiers; sysv:0 makes a new one"));
    };
    if size == 0 {
        return Err(Error::OfAnotherKind("a System V segment has one byte or more"));
    }
    let bytes = usize::try_from(size).map_err(|_| Errno(libc::EFBIG))?;
    let huge = if page_size == PageSize::Huge { libc::SHM_HUGETLB } else { 0 };
    let flags = libc::IPC_CREAT | libc::IPC_EXCL | huge | mode as i32;
    // SAFETY: the call takes numbers only.
    match unsafe { libc::shmget(key, bytes, flags) } {
        -1 => Err(why_not_made(Errno::last(), size, page_size)),
        id => Ok(id),
    }
}

fn why_not_made(errno: Errno, size: u64, page_size: PageSize) -> Error {
    let limit = sysctl::number("kernel/shmmax", u64::MAX);
    match (errno, page_size) {
        (Errno(libc::ENOMEM | libc::EPERM), PageSize::Huge) => {
            Error::NoHugePages("no huge pages are set aside, as 'sysctl vm.nr_hugepages' does")
        }
        (Errno(libc::EINVAL), _) if size > limit => Error::TooLarge { size, limit },
        (Errno(libc::ENOSPC), _) => Error::TooMany,
        (errno, _) => errno.into(),
    }
}

fn find(name: &SystemVName) -> Result<i32, Errno> {
    match Target::new(name)? {
        Target::Id(id) => Ok(id),
        private if private.is_private() => Err(Errno(libc::ENOENT)),
        // SAFETY: the call takes numbers only.
        Target::Key(key) => match unsafe { libc::shmget(key, 0, 0) } {
            -1 => Err(Errno::last()),
            id => Ok(id),
        },
    }
}

fn attach(id: i32, access: Access) -> Result<Attached, Errno> {
    let size = NonZeroUsize::new(status(id)?.shm_segsz).ok_or(Errno(libc::EINVAL))?;
    Ok(Attached { id, size, access })
}

fn status(id: i32) -> Result<libc::shmid_ds, Errno> {
    let mut status = MaybeUninit::<libc::shmid_ds>::uninit();
    // SAFETY: the kernel writes no more than it is.
    Errno::check(unsafe { libc::shmctl(id, libc::IPC_STAT, status.as_mut_ptr()) })
        .map_err(no_such)?;
    // SAFETY: the call succeeded, so the kernel wrote it.
    Ok(unsafe { status.assume_init() })
}

fn destroy(id: i32) -> Result<(), Errno> {
    // SAFETY: the command needs no structure.
    Errno::check(unsafe { libc::shmctl(id, libc::IPC_RMID, std::ptr::null_mut()) }).map_err(no_such)
}

/// How it is told that no segment has an identifier, or not any more.
fn no_such(errno: Errno) -> Errno {
    match errno {
        Errno(libc::EINVAL | libc::EIDRM) => Errno(libc::ENOENT),
        errno => errno,
    }
}

impl Attached {
    fn end(&self, offset: u64, limit: Option<u64>) -> u64 {
        let size = self.size.get() as u64;
        offset.saturating_add(limit.unwrap_or(u64::MAX)).min(size)
    }
}

impl Segment for Attached {
    fn size(&self) -> Result<u64, Errno> {
        Ok(self.size.get() as u64)
    }

    fn was_removed(&self) -> Result<bool, Errno> {
        match status(self.id) {
            Ok(status) => Ok(u32::from(status.shm_perm.mode) & MARKED != 0),
            Err(Errno(libc::ENOENT)) => Ok(true),
            Err(errno) => Err(errno),
        }
    }

    fn can_grow(&self) -> bool {
        false
    }

    /// No descriptor leads to one.
    fn is(&self, _: BorrowedFd<'_>) -> bool {
        false
    }

    fn fill(
        &self,
        source: BorrowedFd<'_>,
        offset: u64,
        limit: Option<u64>,
    ) -> Result<u64, transfer::Error> {
        let end = self.end(offset, limit);
        let window = self.window(0..end).map_err(|errno| Side::Destination.failed(errno))?;
        let mut position = offset;
        while position < end {
            match window.read_from(source, position..end) {
                Ok(0) => break,
                Ok(count) => position += count as u64,
                Err(EINTR) => {}
                Err(EAGAIN) => wait(Side::Source, source)?,
                Err(errno) => return Err(Side::Source.failed(errno)),
            }
        }
        Ok(position - offset)
    }

    fn drain(
        &self,
        destination: BorrowedFd<'_>,
        bytes: Range<u64>,
        _: Passing,
    ) -> Result<u64, transfer::Error> {
        let end = self.end(bytes.start, Some(bytes.end - bytes.start));
        let window = self.window(0..end).map_err(|errno| Side::Source.failed(errno))?;
        let mut position = bytes.start;
        while position < end {
            match window.write_to(destination, position..end) {
                Ok(count) => position += count as u64,
                Err(EINTR) => {}
                Err(EAGAIN) => wait(Side::Destination, destination)?,
                Err(errno) => return Err(Side::Destination.failed(errno)),
            }
        }
        Ok(position - bytes.start)
    }

    fn read(&self, buffer: &mut [u8], offset: u64) -> Result<usize, Errno> {
        let end = self.end(offset, Some(buffer.len() as u64));
        let window = self.window(0..end)?;
        for (byte, at) in buffer.iter_mut().zip(offset..end) {
            *byte = window.load(at, Width::One) as u8;
        }
        Ok(end.saturating_sub(offset) as usize)
    }

    /// Segments are attached as a whole.
    fn window(&self, _: Range<u64>) -> Result<Window<'_>, Errno> {
        Window::attach(self.id, self.size, self.access).map_err(no_such)
    }

    /// All of it is there, and there will never be more.
    fn reserve(&self, bytes: Range<u64>) -> Result<(), Error> {
        if bytes.end <= self.size.get() as u64 { Ok(()) } else { Err(Error::FixedSize) }
    }

    fn release(&self) {}

    fn resize(&self, _: u64) -> Result<(), Error> {
        Err(Error::FixedSize)
    }

    /// There is no disk behind it.
    fn sync(&self, _: Sync) -> Result<(), Errno> {
        Ok(())
    }
}

/// Waits for as long as it takes.
fn wait(side: Side, fd: BorrowedFd<'_>) -> Result<(), transfer::Error> {
    side.wait(fd, Deadline::NEVER).map(drop)
}
