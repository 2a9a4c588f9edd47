//! POSIX shared memory objects, which are files of `/dev/shm`: shm_overview(7).

use std::path::Path;

use super::FileName;
use crate::base::errno::Errno;
use crate::base::name::ObjectName;
use crate::mechanism::memory::segment::Error;
use crate::sys::dev_shm;
use crate::sys::regular_file::Links;

impl FileName for ObjectName {
    /// Every user can create links there.
    const LINKS: Links = Links::Refused;
    const NOT_REGULAR: &'static str = "not a shared memory object: not a regular file";
    const REGISTER: &'static str = dev_shm::DIRECTORY;

    /// Refuses the names of semaphores, which are in the same directory: a byte written into one
    /// breaks it.
    fn path(&self) -> Result<impl AsRef<Path>, Error> {
        if self.without_slash().as_encoded_bytes().starts_with(b"sem.") {
            return Err(Error::OfAnotherKind(
                "names that begin with 'sem.' belong to semaphores: use 'ipc sem'",
            ));
        }
        Ok(dev_shm::path(self.without_slash()))
    }

    fn all() -> Result<Vec<Self>, Errno> {
        let names = dev_shm::list()?;
        Ok(names.iter().filter_map(|name| Self::of_file(name).ok()).collect())
    }
}
