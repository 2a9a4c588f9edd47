//! Huge pages behind a file of memory: madvise(2).

use std::num::NonZeroUsize;
use std::os::fd::AsFd;

use nix::sys::mman::{MapFlags, ProtFlags, mmap, mmap_anonymous, munmap};

use crate::base::errno::Errno;

/// The size of a huge page, and where one may begin.
pub const HUGE_PAGE: usize = 2 << 20;

/// Since Linux 6.1; not every C library names it.
const MADV_COLLAPSE: libc::c_int = 25;

/// Has the kernel put huge pages behind the first `length` bytes of a file of memory, now:
/// MADV_COLLAPSE of madvise(2).
///
/// # Errors
/// EINVAL if the kernel or the file system has none for it; ENOMEM or EAGAIN if none is free.
pub fn collapse(file: impl AsFd, length: NonZeroUsize) -> Result<(), Errno> {
    // Only a mapping that begins where a huge page may begin can have one.
    let room = length.checked_add(HUGE_PAGE).ok_or(Errno(libc::ENOMEM))?;
    // SAFETY: the kernel chooses the place, so nothing that exists is mapped over.
    let start = unsafe { mmap_anonymous(None, room, ProtFlags::PROT_NONE, MapFlags::MAP_PRIVATE) }?;
    let aligned = start.addr().get().next_multiple_of(HUGE_PAGE);
    let protection = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
    let flags = MapFlags::MAP_SHARED | MapFlags::MAP_FIXED;
    // SAFETY: the place lies within the one that was just made for it.
    let mapped = unsafe { mmap(NonZeroUsize::new(aligned), length, protection, flags, file, 0) };
    let collapsed = mapped.map_err(Errno::from).and_then(|at| {
        // SAFETY: the contents stay the same.
        let result = unsafe { libc::madvise(at.as_ptr(), length.get(), MADV_COLLAPSE) };
        Errno::check(result)
    });
    // SAFETY: the memory is ours, and nothing refers to it.
    unsafe { munmap(start, room.get()) }?;
    collapsed
}
