//! Segments of either kind, POSIX or System V, of which the name picks one.

use std::os::fd::BorrowedFd;

use crate::base::name::{AnyName, ObjectName, SystemVName};
use crate::mechanism::memory::segment::{
    Access, Description, Error, Listed, Made, PageSize, Place, Segment, WriteError,
};
use crate::sys::origin::Found;

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

    fn open_found(&self, access: Access) -> Result<(Box<dyn Segment>, Found), Error> {
        self.place().open_found(access)
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

    fn list() -> Listed {
        let (mut all, others) = (ObjectName::list(), SystemVName::list());
        all.found.extend(others.found);
        all.unlisted.extend(others.unlisted);
        all
    }
}
