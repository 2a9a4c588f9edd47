//! Waiting until an object of a name exists, for a process that may start before the one that creates it.

use std::path::Path;
use std::time::Duration;

use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::sys::poll;
use crate::sys::watch::Watch;

/// The interval between attempts where nothing reports a new name.
const INTERVAL: Duration = Duration::from_millis(50);

/// The interval between attempts where a directory is watched, which may be one of another namespace.
const WATCHED: Duration = Duration::from_secs(1);

/// Calls `open` until the object exists, or until the deadline has passed. `directory` is the one in
/// which its name appears, if there is one.
///
/// # Errors
/// Those of `open`.
pub fn until_it_exists<T, E: From<Errno>>(
    directory: Option<&Path>,
    until: Deadline,
    is_missing: impl Fn(&E) -> bool,
    mut open: impl FnMut() -> Result<T, E>,
) -> Result<T, E> {
    let mut watch = None;
    loop {
        match open() {
            Err(error) if is_missing(&error) && !until.has_passed() => {}
            opened => return opened,
        }
        match (&watch, directory) {
            (Some(Ok::<Watch, Errno>(watch)), _) => {
                let _: Waited = watch.wait(until.min(Deadline::after(WATCHED)))?;
            }
            // The object may have been created before the watch was.
            (None, Some(directory)) => watch = Some(Watch::of_directory(directory)),
            (failed, _) => {
                let _: Waited = poll::any_readable(&[], until.min(Deadline::after(INTERVAL)))?;
                if failed.is_some() {
                    watch = None;
                }
            }
        }
    }
}
