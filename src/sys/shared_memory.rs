//! POSIX shared memory objects, which are files of `/dev/shm`: shm_overview(7).

use std::os::fd::BorrowedFd;

use super::dev_shm::{self, Unnamed};
use super::file_segment::{self, FileSegment};
use super::process::Holders;
use super::segment::{Access, Entry, Error, Fact, Pages, Place, Segment, Value, WriteError};
use crate::errno::Errno;
use crate::name::ObjectName;

const SEMAPHORE: Error = Error::OfAnotherKind(
    "names that begin with 'sem.' belong to semaphores, which 'ipc sem' knows",
);

impl Place for ObjectName {
    fn create(&self, size: u64, mode: u32, pages: Pages) -> Result<(), Error> {
        check(self)?;
        let file = Unnamed::new(mode)?;
        file_segment::fill_new(file.file(), size, pages)?;
        file.link(self.without_slash())?;
        Ok(())
    }

    fn create_from(
        &self,
        source: BorrowedFd<'_>,
        offset: u64,
        mode: u32,
    ) -> Result<(), WriteError> {
        check(self)?;
        let file = Unnamed::new(mode)?;
        file_segment::fill_new_from(file.file(), source, offset)?;
        file.link(self.without_slash())?;
        Ok(())
    }

    fn open(&self, access: Access) -> Result<Box<dyn Segment>, Error> {
        check(self)?;
        let opened = dev_shm::open_object(self.without_slash(), file_segment::flags(access));
        let (file, _) = opened.map_err(not_regular)?;
        Ok(Box::new(FileSegment::new(file, access)))
    }

    fn remove(&self) -> Result<(), Error> {
        check(self)?;
        Ok(dev_shm::unlink(self.without_slash())?)
    }

    fn describe(&self) -> Result<(Vec<Fact>, Holders), Error> {
        check(self)?;
        let status = dev_shm::status(self.without_slash()).map_err(not_regular)?;
        let name = Fact { key: "name", value: Value::Name(self.as_ref().to_owned()) };
        let facts = std::iter::once(name).chain(file_segment::facts(&status)).collect();
        Ok((facts, Holders::of(&status)))
    }

    fn list() -> Result<Vec<Entry>, Errno> {
        let names = dev_shm::list()?;
        let names = names.iter().filter_map(|name| Self::new(name).ok());
        Ok(names
            .filter(|name| check(name).is_ok())
            .filter_map(|name| {
                // It may have gone since, or be a directory.
                let status = dev_shm::status(name.without_slash()).ok()?;
                Some(Entry {
                    name: name.as_ref().to_owned(),
                    size: status.st_size as u64,
                    mode: status.st_mode,
                    uid: status.st_uid,
                    gid: status.st_gid,
                    changed: status.st_mtime,
                })
            })
            .collect())
    }
}

/// Semaphores lie in the same directory, and a byte written into one breaks it.
fn check(name: &ObjectName) -> Result<(), Error> {
    let is_semaphore = name.without_slash().as_encoded_bytes().starts_with(b"sem.");
    if is_semaphore { Err(SEMAPHORE) } else { Ok(()) }
}

fn not_regular(errno: Errno) -> Error {
    match errno {
        Errno(libc::EINVAL | libc::ELOOP | libc::EISDIR | libc::ENXIO) => {
            Error::OfAnotherKind("not a shared memory object: not a regular file")
        }
        errno => errno.into(),
    }
}
