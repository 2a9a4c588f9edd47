//! Huge pages for a file in memory: madvise(2).

use std::num::NonZeroUsize;
use std::os::fd::AsFd;

use nix::sys::mman::{MapFlags, ProtFlags, mmap, mmap_anonymous, munmap};

use crate::base::errno::Errno;

/// The size and alignment of a huge page.
pub const HUGE_PAGE: usize = 2 << 20;

/// Since Linux 6.1; not every C library defines it.
const MADV_COLLAPSE: libc::c_int = 25;

/// Backs the first `length` bytes of a file in memory by huge pages: MADV_COLLAPSE of madvise(2).
///
/// # Errors
/// EINVAL if the kernel or the file system does not support it; ENOMEM or EAGAIN if no huge page is free.
pub fn collapse(file: impl AsFd, length: NonZeroUsize) -> Result<(), Errno> {
    // The address of the mapping must be aligned for huge pages.
    let room = length.checked_add(HUGE_PAGE).ok_or(Errno(libc::ENOMEM))?;
    // SAFETY: the kernel chooses the address, so that no existing mapping is replaced.
    let start = unsafe { mmap_anonymous(None, room, ProtFlags::PROT_NONE, MapFlags::MAP_PRIVATE) }?;
    let aligned = start.addr().get().next_multiple_of(HUGE_PAGE);
    let protection = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
    let flags = MapFlags::MAP_SHARED | MapFlags::MAP_FIXED;
    // SAFETY: the range lies within the mapping that was just made for it.
    let mapped = unsafe { mmap(NonZeroUsize::new(aligned), length, protection, flags, file, 0) };
    let collapsed = mapped.map_err(Errno::from).and_then(|at| {
        // SAFETY: the contents do not change.
        let result = unsafe { libc::madvise(at.as_ptr(), length.get(), MADV_COLLAPSE) };
        Errno::check(result)
    });
    // SAFETY: the mapping was made here, and nothing refers to it.
    unsafe { munmap(start, room.get()) }?;
    collapsed
}
