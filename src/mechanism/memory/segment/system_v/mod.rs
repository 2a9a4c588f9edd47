//! System V shared memory: shmget(2), shmat(2), shmctl(2).

mod attachable;
mod unfinished;

use std::ffi::OsString;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use self::attachable::Attachable;
use self::unfinished::Unfinished;
use crate::base::errno::Errno;
use crate::base::name::SystemVName;
use crate::io::fill;
use crate::io::transfer::Counter;
use crate::mechanism::memory::segment::{
    Access, Created, Description, Engine, Error, Fact, Input, Listing, New, PageSize, Segment,
    Value, WriteError,
};
use crate::mechanism::ownership::NewOwnership;
use crate::sys::memfd;
use crate::sys::offset::remaining;
use crate::sys::origin::Found;
use crate::sys::process::Object;
use crate::sys::system_v::{self, Kind, NewObject, Row, Target};
use crate::sys::system_v_segment::{self, MARKED};

impl Engine for SystemVName {
    fn create(&self, new: New) -> Result<Option<NewObject>, Error> {
        let target = Target::new(self)?;
        let made = Unfinished::make(target, new)?;
        let id = made.id();
        match made.populate(new.page_size).and_then(|()| made.finish(new.mode)) {
            // Another process has removed it already. It did exist.
            Err(Error::NotFound) => {}
            finished => finished?,
        }
        Ok(Some(NewObject { id, is_private: target.is_private() }))
    }

    fn create_from(&self, input: Input<'_>) -> Result<Created, WriteError> {
        let Input { source, offset, mode, counter } = input;
        let target = Target::new(self)?;
        if target.is_private() {
            return Err(Error::Nameless.into());
        }
        // The size has to be known when the segment is created.
        let kept = match remaining(source) {
            Some(_) => None,
            None => Some(read_all(source, counter)?),
        };
        // Bytes that were read into memory are counted already.
        let uncounted = Counter::default();
        let counter = if kept.is_some() { &uncounted } else { counter };
        let source = kept.as_ref().map_or(source, AsFd::as_fd);
        let known = remaining(source).unwrap_or(0);
        let size = offset.checked_add(known).ok_or(Error::TooLarge)?;
        let new = New { size, mode, page_size: PageSize::Ordinary };
        let made = match Unfinished::make(target, new) {
            Err(Error::Exists) => return Ok(Created::TooLate(kept)),
            made => made?,
        };
        let segment = made.attachable()?;
        if segment.fill(source, offset, Some(known), counter)? < known {
            return Err(WriteError::CutShort);
        }
        // Before the permissions are set: after that the creator may lack the permission to check.
        segment.check_not_removed()?;
        match made.finish(mode) {
            Err(Error::NotFound) => Err(Error::Removed.into()),
            finished => Ok(finished.map(|()| Created::Complete(Box::new(segment)))?),
        }
    }

    fn open(&self, access: Access) -> Result<Box<dyn Segment>, Error> {
        Ok(Box::new(Attachable::new(find(self)?, access)?))
    }

    fn can_grow(&self) -> bool {
        false
    }

    fn open_found(&self, access: Access) -> Result<(Box<dyn Segment>, Found), Error> {
        let id = find(self)?;
        let found = attachable::found(id)?;
        Ok((Box::new(Attachable::new(id, access)?), found))
    }

    fn set_ownership(&self, ownership: &NewOwnership) -> Result<(), Error> {
        Ok(ownership.apply_to_system_v(Kind::Segment, find(self)?)?)
    }

    fn remove(&self) -> Result<(), Error> {
        Ok(system_v_segment::remove(find(self)?)?)
    }

    /// These segments are on no disk.
    fn sync_name(&self) -> Result<(), Error> {
        Ok(())
    }

    fn describe(&self) -> Result<Description, Error> {
        let row = system_v::row("shm", find(self)?)?;
        Ok(described(&row, self.as_ref().to_owned()))
    }

    fn list() -> Listing {
        let rows = system_v::table("shm");
        Listing {
            found: rows.iter().flatten().map(|row| described(row, row.name())).collect(),
            unlisted: rows.err().map(|errno| ("/proc/sysvipc/shm", errno)).into_iter().collect(),
        }
    }
}

fn described(row: &Row, name: OsString) -> Description {
    let number = |column| Value::Number(row.number(column) as u64);
    let time = |column| Value::Time(row.number(column));
    let facts = [
        ("name", Value::Name(name)),
        ("size", number("size")),
        ("id", number("shmid")),
        ("key", Value::Name(row.key().into())),
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
        object: Object::SystemV { id: row.id() },
    }
}

/// Reads a stream to its end, into a file in memory.
fn read_all(stream: BorrowedFd<'_>, counter: &Counter) -> Result<OwnedFd, WriteError> {
    let file = memfd::new()?;
    fill::from_stream(stream, fill::Destination::new(&file, 0, counter), 0, None)?;
    Ok(file)
}

fn find(name: &SystemVName) -> Result<i32, Errno> {
    Target::new(name)?.find(|key| system_v_segment::get(key, 0, 0), system_v_segment::status)
}
