//! POSIX shared memory objects, which are files of `/dev/shm`: shm_overview(7).

use std::path::Path;

use crate::base::errno::Errno;
use crate::base::name::ObjectName;
use crate::mechanism::memory::segment::Error;
use crate::mechanism::memory::segment::file_place::FilePlace;
use crate::sys::dev_shm;
use crate::sys::regular_file::Links;

impl FilePlace for ObjectName {
    /// Everybody may make names there.
    const LINKS: Links = Links::Refused;
    const NOT_REGULAR: &'static str = "not a shared memory object: not a regular file";
    const REGISTER: &'static str = dev_shm::DIRECTORY;

    /// Semaphores lie in the same directory, and a byte written into one breaks it.
    fn path(&self) -> Result<impl AsRef<Path>, Error> {
        if self.without_slash().as_encoded_bytes().starts_with(b"sem.") {
            return Err(Error::OfAnotherKind(
                "names that begin with 'sem.' belong to semaphores, which 'ipc sem' knows",
            ));
        }
        Ok(dev_shm::path(self.without_slash()))
    }

    fn all() -> Result<Vec<Self>, Errno> {
        let names = dev_shm::list()?;
        Ok(names.iter().filter_map(|name| Self::of_file(name).ok()).collect())
    }
}
