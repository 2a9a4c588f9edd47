//! Removing what killed processes have left in `tmp/`.

use super::directory::Spool;
use super::files::WHOLE;
use super::part::Part;
use super::scan;
use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::sys::time;

/// The age of a file that no process writes, before it is removed: between the end of its lock and
/// its rename a message has no lock.
const AGE: i64 = 60;

/// Removes temporary files whose writers have ended. A file of another user, or one that cannot be
/// removed, stays.
pub fn clean(spool: &Spool) -> Result<(), Errno> {
    let now = (time::now() / 1_000_000_000) as i64;
    for file in scan::files(spool, Part::Temporary)? {
        let file = file?;
        let Ok(status) = spool.status_of(Part::Temporary, &file) else { continue };
        let Some(name) = file.to_str().filter(|_| status.st_ctime + AGE < now) else { continue };
        let Ok(fd) = spool.read(Part::Temporary, name) else { continue };
        if WHOLE.wait(&fd, Deadline::PASSED)? == Waited::Done(()) {
            let _ = spool.unlink(Part::Temporary, name);
        }
    }
    Ok(())
}
