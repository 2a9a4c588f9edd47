//! POSIX and System V segments as one: the name chooses the engine.

use std::os::fd::BorrowedFd;

use crate::base::name::{AnyName, ObjectName, SystemVName};
use crate::mechanism::memory::segment::{
    Access, Created, Description, Error, Listing, PageSize, Segment, SegmentName, WriteError,
};
use crate::sys::origin::Found;

impl AnyName {
    fn engine(&self) -> &dyn SegmentName {
        match self {
            Self::Posix(name) => name,
            Self::SystemV(name) => name,
        }
    }
}

impl SegmentName for AnyName {
    fn create(
        &self,
        size: u64,
        mode: u32,
        page_size: PageSize,
    ) -> Result<Option<SystemVName>, Error> {
        self.engine().create(size, mode, page_size)
    }

    fn create_from(
        &self,
        source: BorrowedFd<'_>,
        offset: u64,
        mode: u32,
    ) -> Result<Created, WriteError> {
        self.engine().create_from(source, offset, mode)
    }

    fn open(&self, access: Access) -> Result<Box<dyn Segment>, Error> {
        self.engine().open(access)
    }

    fn can_grow(&self) -> bool {
        self.engine().can_grow()
    }

    fn open_found(&self, access: Access) -> Result<(Box<dyn Segment>, Found), Error> {
        self.engine().open_found(access)
    }

    fn remove(&self) -> Result<(), Error> {
        self.engine().remove()
    }

    fn sync_name(&self) -> Result<(), Error> {
        self.engine().sync_name()
    }

    fn describe(&self) -> Result<Description, Error> {
        self.engine().describe()
    }

    fn list() -> Listing {
        let (mut all, others) = (ObjectName::list(), SystemVName::list());
        all.found.extend(others.found);
        all.unlisted.extend(others.unlisted);
        all
    }
}
