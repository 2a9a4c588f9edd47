//! The check that there is memory for a segment before it is allocated.

use crate::base::errno::Errno;
use crate::sys::meminfo;

/// Smaller segments are not checked: the check would take longer than the allocation.
const WORTHWHILE: u64 = 16 << 20;

/// Checks that so many bytes are available, as the kernel ends processes when memory runs out.
///
/// # Errors
/// ENOMEM.
pub fn check_available(bytes: u64) -> Result<(), Errno> {
    let is_too_much = || meminfo::available().is_some_and(|available| bytes > available);
    if bytes >= WORTHWHILE && is_too_much() { Err(Errno(libc::ENOMEM)) } else { Ok(()) }
}
