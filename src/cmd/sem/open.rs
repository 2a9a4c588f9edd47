//! Opening a semaphore that may have to be created first.

use crate::app::objects::nameless;
use crate::app::trust::Trust;
use crate::base::exit::Failure;
use crate::base::units::Permissions;
use crate::mechanism::semaphore::{self, Error, Name, Properties, Semaphore};

use super::{Member, explain, missing};

/// Opens a semaphore. If it is missing, creates it first with the value `create`, if there is one.
pub fn open_or_create(
    name: &Name,
    member: Member,
    create: Option<u32>,
    trust: &Trust,
) -> Result<Box<dyn Semaphore>, Failure> {
    let Some(value) = create else { return member.open(name) };
    let failed = |error| missing(explain(name, error), name);
    loop {
        match semaphore::open(name, member.or_first()) {
            Err(Error::NotFound) if semaphore::is_private(name) => return Err(nameless()),
            Err(Error::NotFound) => {}
            opened => match accept(opened.map_err(failed)?, value, trust)? {
                Ok(semaphore) => return Ok(semaphore),
                // Another process has removed it meanwhile.
                Err(Error::NotFound | Error::Removed) => continue,
                Err(error) => return Err(failed(error)),
            },
        }
        let mode = Permissions::of_new_object(None);
        match semaphore::create(name, Properties { value, set_size: 1, mode }) {
            // If another process was faster, the semaphore still has to be accepted.
            Ok(_) | Err(Error::Exists) => {}
            Err(error) => return Err(failed(error)),
        }
    }
}

/// Checks that a semaphore is complete and that its creator is trusted.
fn accept(
    semaphore: Box<dyn Semaphore>,
    value: u32,
    trust: &Trust,
) -> Result<Result<Box<dyn Semaphore>, Error>, Failure> {
    let found = semaphore.wait_until_complete(value).and_then(|()| semaphore.found());
    match found {
        Ok(found) => trust.accept(&found, None).map(|_| Ok(semaphore)),
        Err(error) => Ok(Err(error)),
    }
}
