//! Shared mappings of objects: mmap(2).

use std::ffi::c_void;
use std::num::NonZeroUsize;
use std::os::fd::AsFd;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, AtomicU64};

use nix::sys::mman::{MapFlags, ProtFlags, mmap, munmap};

use crate::errno::Errno;

/// Memory that other processes read and write at the same time. There are no references into it,
/// other than to atomics.
#[derive(Debug)]
pub struct Mapping {
    start: NonNull<c_void>,
    length: NonZeroUsize,
}

// SAFETY: the memory is shared between processes anyway, and is only touched by atomics.
unsafe impl Send for Mapping {}
// SAFETY: as above.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// Maps the first `length` bytes of an object for reading and writing.
    pub fn new(object: impl AsFd, length: NonZeroUsize) -> Result<Self, Errno> {
        let protection = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        // SAFETY: the kernel chooses the place, so nothing that exists is mapped over.
        let start = unsafe { mmap(None, length, protection, MapFlags::MAP_SHARED, object, 0) }?;
        Ok(Self { start, length })
    }

    /// The aligned 32-bit cell at this offset.
    ///
    /// # Panics
    /// If the cell is not aligned, or not within the mapping.
    pub fn atomic_u32(&self, offset: usize) -> &AtomicU32 {
        // SAFETY: the cell is aligned, and lives as long as the mapping.
        unsafe { AtomicU32::from_ptr(self.cell(offset, size_of::<u32>()).cast()) }
    }

    /// The aligned 64-bit cell at this offset.
    ///
    /// # Panics
    /// As [`Mapping::atomic_u32`].
    pub fn atomic_u64(&self, offset: usize) -> &AtomicU64 {
        // SAFETY: the cell is aligned, and lives as long as the mapping.
        unsafe { AtomicU64::from_ptr(self.cell(offset, size_of::<u64>()).cast()) }
    }

    fn cell(&self, offset: usize, size: usize) -> *mut c_void {
        let within = offset.checked_add(size).is_some_and(|end| end <= self.length.get());
        assert!(offset.is_multiple_of(size) && within, "no cell of {size} bytes at {offset}");
        // SAFETY: the offset is within the mapping.
        unsafe { self.start.as_ptr().byte_add(offset) }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: the memory is ours, and no reference into it outlives us.
        let unmapped = unsafe { munmap(self.start, self.length.get()) };
        debug_assert_eq!(unmapped, Ok(()), "munmap refused a mapping that we own");
    }
}
