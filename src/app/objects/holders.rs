//! Processes that cannot be seen, or not be named.

use crate::app::listing::{Columns, Listing};
use crate::io::output::{Output, Unwritable};
use crate::sys::accounts;

/// Warns below a listing, on stderr, how many processes are hidden. JSON has the number in each row.
///
/// # Errors
/// EPIPE, ENOSPC and others if stdout cannot be written to, because the list is flushed first.
pub fn warn_of_hidden<R: Columns>(
    hidden: usize,
    listing: &Listing<R>,
    output: &mut Output,
) -> Result<(), Unwritable> {
    output.flush()?;
    if hidden > 0 && listing.is_text() && listing.needs("holders") {
        output.warn(not_seen(hidden));
    }
    Ok(())
}

pub fn not_seen(hidden: usize) -> String {
    match hidden {
        1 => "1 process could not be seen".to_owned(),
        hidden => format!("{hidden} processes could not be seen"),
    }
}

/// The words for a holder that cannot be named. Only another PID namespace hides it from root.
pub fn unseen_holder() -> &'static str {
    if accounts::is_root() {
        "a process of another PID namespace"
    } else {
        "a process of another user or PID namespace"
    }
}
