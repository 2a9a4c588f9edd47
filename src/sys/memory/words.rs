//! The words at the beginning of an object: mmap(2).

use std::ffi::c_void;
use std::num::NonZeroUsize;
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicU32, AtomicU64};

use nix::sys::mman::ProtFlags;

use super::Pages;
use crate::base::errno::Errno;

/// Words at the beginning of an object that several processes change at the same time.
#[derive(Debug)]
pub struct SharedWords {
    pages: Pages,
    length: NonZeroUsize,
}

// SAFETY: only atomics refer to the memory, and the owner of this value unmaps it.
unsafe impl Send for SharedWords {}
// SAFETY: as above.
unsafe impl Sync for SharedWords {}

impl SharedWords {
    /// Maps the first `length` bytes of an object for reading and writing.
    pub fn new(object: impl AsFd, length: NonZeroUsize) -> Result<Self, Errno> {
        let protection = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        Ok(Self { pages: Pages::map(object, 0, length, protection)?, length })
    }

    /// Checks that all accesses so far were to pages of the object.
    ///
    /// # Errors
    /// EFAULT if the object was truncated, or had a hole that the file system has no room to fill.
    pub fn verify(&self) -> Result<(), Errno> {
        self.pages.verify()
    }

    /// The aligned 32-bit word at this offset.
    ///
    /// # Panics
    /// If the word is not aligned, or not within the mapping.
    pub fn atomic_u32(&self, offset: usize) -> &AtomicU32 {
        // SAFETY: the word is aligned, lives as long as the mapping, and only atomics refer to it.
        unsafe { AtomicU32::from_ptr(self.word(offset, size_of::<u32>()).cast()) }
    }

    /// The aligned 64-bit word at this offset.
    ///
    /// # Panics
    /// As [`SharedWords::atomic_u32`].
    pub fn atomic_u64(&self, offset: usize) -> &AtomicU64 {
        // SAFETY: the word is aligned, lives as long as the mapping, and only atomics refer to it.
        unsafe { AtomicU64::from_ptr(self.word(offset, size_of::<u64>()).cast()) }
    }

    fn word(&self, offset: usize, size: usize) -> *mut c_void {
        let within = offset.checked_add(size).is_some_and(|end| end <= self.length.get());
        assert!(offset.is_multiple_of(size) && within, "no word of {size} bytes at {offset}");
        // SAFETY: the offset is within the mapping.
        unsafe { self.pages.start().as_ptr().byte_add(offset) }
    }
}
