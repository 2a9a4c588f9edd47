//! Segments of either kind, POSIX or System V, of which the name picks one.

use std::os::fd::BorrowedFd;

use super::{Access, Description, Error, Made, PageSize, Place, Segment, Unlisted, WriteError};
use crate::name::{AnyName, ObjectName, SystemVName};

impl AnyName {
    fn place(&self) -> &dyn Place {
        match self {
            Self::Posix(name) => name,
            Self::SystemV(name) => name,
        }
    }
}

impl Place for AnyName {
    fn create(
        &self,
        size: u64,
        mode: u32,
        page_size: PageSize,
    ) -> Result<Option<SystemVName>, Error> {
        self.place().create(size, mode, page_size)
    }

    fn create_from(
        &self,
        source: BorrowedFd<'_>,
        offset: u64,
        mode: u32,
    ) -> Result<Made, WriteError> {
        self.place().create_from(source, offset, mode)
    }

    fn open(&self, access: Access) -> Result<Box<dyn Segment>, Error> {
        self.place().open(access)
    }

    fn can_grow(&self) -> bool {
        self.place().can_grow()
    }

    fn remove(&self) -> Result<(), Error> {
        self.place().remove()
    }

    fn sync_name(&self) -> Result<(), Error> {
        self.place().sync_name()
    }

    fn describe(&self) -> Result<Description, Error> {
        self.place().describe()
    }

    fn list() -> Result<Vec<Description>, Unlisted> {
        let mut all = ObjectName::list()?;
        all.extend(SystemVName::list()?);
        Ok(all)
    }
}
