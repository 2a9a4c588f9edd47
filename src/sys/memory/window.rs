//! A view of shared memory, mapped or attached: mmap(2), shmat(2).
//!
//! Other processes read and write the memory at the same time, so it is only ever touched by
//! atomics.

use std::ffi::c_void;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU8, AtomicU16, AtomicU32, AtomicU64, Ordering};

use nix::sys::mman::{MsFlags, ProtFlags, msync};
use nix::sys::stat::fstat;
use nix::sys::statfs::fstatfs;

use super::atomic::Atomic;
use super::{Access, Pages, page_size, unit};
use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::sys::futex;
use crate::sys::memory::Width;

/// Part of an object, or all of it, in our memory.
#[derive(Debug)]
pub struct Window<'a> {
    start: NonNull<c_void>,
    length: NonZeroUsize,
    /// The offset in the object of the first byte.
    first: u64,
    origin: Origin<'a>,
}

/// The words that hold a cell, as the kernel compares them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Snapshot([u32; 2]);

#[derive(Debug)]
enum Origin<'a> {
    /// Of this object, which has to be so long.
    Mapped(Pages, BorrowedFd<'a>, u64),
    Attached,
}

impl<'a> Window<'a> {
    /// Maps the pages of an object that have these bytes.
    ///
    /// # Errors
    /// Those of mmap(2). EINVAL for no bytes at all, EOVERFLOW for more than fit in memory.
    pub fn map(object: BorrowedFd<'a>, bytes: Range<u64>, access: Access) -> Result<Self, Errno> {
        let protection = match access {
            Access::Read => ProtFlags::PROT_READ,
            Access::Write => ProtFlags::PROT_READ | ProtFlags::PROT_WRITE,
        };
        let unit = unit(object) as u64;
        let first = bytes.start - bytes.start % unit;
        let length = (bytes.end - first).checked_next_multiple_of(unit);
        let length = length.and_then(|length| usize::try_from(length).ok());
        let length = NonZeroUsize::new(length.ok_or(Errno(libc::EOVERFLOW))?);
        let length = length.ok_or(Errno(libc::EINVAL))?;
        let at = i64::try_from(first).map_err(|_| Errno(libc::EOVERFLOW))?;
        let pages = Pages::map(object, at, length, protection)?;
        let start = pages.start();
        Ok(Self { start, length, first, origin: Origin::Mapped(pages, object, bytes.end) })
    }

    /// Attaches a System V segment of this size: shmat(2).
    pub fn attach(id: i32, size: NonZeroUsize, access: Access) -> Result<Self, Errno> {
        let flags = if access == Access::Read { libc::SHM_RDONLY } else { 0 };
        // SAFETY: the kernel chooses the place, so nothing that exists is mapped over.
        let start = unsafe { libc::shmat(id, std::ptr::null(), flags) };
        match NonNull::new(start) {
            Some(start) if start.as_ptr().addr() != usize::MAX => {
                Ok(Self { start, length: size, first: 0, origin: Origin::Attached })
            }
            _ => Err(Errno::last()),
        }
    }

    /// The bits of an aligned cell.
    ///
    /// # Panics
    /// If it is not aligned, or not within the window, as in all of these.
    pub fn load(&self, offset: u64, width: Width) -> u64 {
        self.cell(offset, width).load()
    }

    /// Sets an aligned cell.
    pub fn store(&self, offset: u64, width: Width, bits: u64) {
        self.cell(offset, width).store(bits);
    }

    /// Sets a cell that need not be aligned. Others may see it half done.
    pub fn store_bytewise(&self, offset: u64, width: Width, bits: u64) {
        for (&byte, at) in bits.to_ne_bytes()[width.low_bytes()].iter().zip(offset..) {
            self.store(at, Width::One, byte.into());
        }
    }

    /// Changes an aligned cell to what `change` makes of it, at once for everybody who looks.
    ///
    /// # Errors
    /// What `change` refused with; the cell is as it was.
    pub fn update<E>(
        &self,
        offset: u64,
        width: Width,
        mut change: impl FnMut(u64) -> Result<u64, E>,
    ) -> Result<u64, E> {
        let cell = self.cell(offset, width);
        let mut seen = cell.load();
        loop {
            let bits = change(seen)?;
            match cell.replace(seen, bits) {
                Ok(()) => return Ok(bits),
                Err(other) => seen = other,
            }
        }
    }

    /// Wakes all who wait for a cell to change.
    pub fn wake(&self, offset: u64, width: Width) {
        for word in words(offset, width) {
            futex::wake(self.at(word), i32::MAX);
        }
    }

    /// What [`Window::wait`] has to be given, taken before the cell is looked at.
    pub fn snapshot(&self, offset: u64, width: Width) -> Snapshot {
        let mut words = words(offset, width).map(|word| {
            let word: &AtomicU32 = self.at(word);
            word.load(Ordering::Acquire)
        });
        Snapshot([words.next().unwrap_or_default(), words.next().unwrap_or_default()])
    }

    /// Sleeps until somebody wakes those who wait for the cell, or it is not as in the snapshot
    /// any more; perhaps for no reason.
    pub fn wait(
        &self,
        offset: u64,
        width: Width,
        Snapshot(seen): Snapshot,
        deadline: Deadline,
    ) -> Result<Waited, Errno> {
        let mut words = words(offset, width).map(|word| self.at::<AtomicU32>(word));
        match (words.next(), words.next()) {
            (Some(low), Some(high)) => {
                futex::wait_for_either([(low, seen[0]), (high, seen[1])], deadline)
            }
            (Some(word), None) => futex::wait(word, seen[0], deadline),
            (None, _) => unreachable!("a cell has a word"),
        }
    }

    /// Reads once from a descriptor straight into the memory; 0 is the end.
    pub fn read_from(&self, fd: BorrowedFd<'_>, bytes: Range<u64>) -> nix::Result<usize> {
        let (at, length) = self.part(bytes);
        // SAFETY: the part is within the window, of which there are no references but to atomics.
        nix::errno::Errno::result(unsafe { libc::read(fd.as_raw_fd(), at, length) })
            .map(|count| count as usize)
    }

    /// The same from this position of a file.
    pub fn read_at(
        &self,
        fd: BorrowedFd<'_>,
        position: u64,
        bytes: Range<u64>,
    ) -> nix::Result<usize> {
        let position = i64::try_from(position).map_err(|_| nix::errno::Errno::EOVERFLOW)?;
        let (at, length) = self.part(bytes);
        // SAFETY: the part is within the window, of which there are no references but to atomics.
        nix::errno::Errno::result(unsafe { libc::pread64(fd.as_raw_fd(), at, length, position) })
            .map(|count| count as usize)
    }

    /// Has all pages be there, and ready to be written: MADV_POPULATE_WRITE of madvise(2).
    ///
    /// # Errors
    /// EFAULT where there is no room; EINVAL on a kernel before 5.14.
    pub fn populate(&self) -> Result<(), Errno> {
        // SAFETY: the pages are the window's, and their contents stay as they are.
        let result =
            unsafe { libc::madvise(self.start.as_ptr(), self.length.get(), MADV_POPULATE_WRITE) };
        Errno::check(result)
    }

    /// The same where the kernel can.
    ///
    /// # Errors
    /// EFAULT where there is no room.
    pub fn populate_if_possible(&self) -> Result<(), Errno> {
        match self.populate() {
            Err(Errno(libc::EINVAL)) => Ok(()),
            populated => populated,
        }
    }

    /// Has all pages be there before any is written, where the kernel can.
    ///
    /// # Errors
    /// Those of [`Window::verify`].
    pub fn prepare(&self) -> Result<(), Errno> {
        match (self.populate_if_possible(), &self.origin) {
            (Err(Errno(libc::EFAULT)), Origin::Mapped(_, object, end)) => {
                Err(why_lost(*object, *end))
            }
            (populated, _) => populated,
        }
    }

    /// Writes once to a descriptor straight from the memory.
    pub fn write_to(&self, fd: BorrowedFd<'_>, bytes: Range<u64>) -> nix::Result<usize> {
        let (at, length) = self.part(bytes);
        // SAFETY: the part is within the window, and the kernel only reads it.
        nix::errno::Errno::result(unsafe { libc::write(fd.as_raw_fd(), at, length) })
            .map(|count| count as usize)
    }

    /// Hands changes to the disk or has them read again: msync(2).
    pub fn sync(&self, how: MsFlags) -> Result<(), Errno> {
        // SAFETY: the pages are the window's, and their contents are those of the file, which others
        // change anyway.
        Ok(unsafe { msync(self.start, self.length.get(), how) }?)
    }

    /// Whether all that was read and written was the object's.
    ///
    /// # Errors
    /// EFAULT if part of it was cut off. If it is all there, it has holes: ENOSPC if the file system
    /// has no room to fill them, and EIO for anything else that kept it from it.
    pub fn verify(&self) -> Result<(), Errno> {
        match &self.origin {
            Origin::Mapped(pages, object, end) => {
                pages.verify().map_err(|_| why_lost(*object, *end))
            }
            Origin::Attached => Ok(()),
        }
    }

    fn cell(&self, offset: u64, width: Width) -> &dyn Atomic {
        match width {
            Width::One => self.at::<AtomicU8>(offset),
            Width::Two => self.at::<AtomicU16>(offset),
            Width::Four => self.at::<AtomicU32>(offset),
            Width::Eight => self.at::<AtomicU64>(offset),
        }
    }

    fn at<A: Atomic>(&self, offset: u64) -> &A {
        let size = size_of::<A>() as u64;
        assert!(offset.is_multiple_of(size), "a cell of {size} bytes at {offset} is not aligned");
        let (at, _) = self.part(offset..offset + size);
        // SAFETY: the cell is aligned, within the window and lives as long, and is only ever touched by
        // atomics.
        unsafe { &*at.cast::<A>() }
    }

    /// Where these bytes of the object are. The last page of the object is there to its end.
    fn part(&self, bytes: Range<u64>) -> (*mut c_void, usize) {
        let end = self.first + self.length.get().next_multiple_of(page_size()) as u64;
        assert!(self.first <= bytes.start && bytes.end <= end, "{bytes:?} is not in the window");
        // SAFETY: that is within the window, as was just checked.
        let at = unsafe { self.start.as_ptr().byte_add((bytes.start - self.first) as usize) };
        (at, (bytes.end - bytes.start) as usize)
    }
}

impl Drop for Window<'_> {
    fn drop(&mut self) {
        // Pages see to themselves.
        if let Origin::Attached = self.origin {
            // SAFETY: the memory is ours, and no reference into it outlives us.
            unsafe { libc::shmdt(self.start.as_ptr()) };
        }
    }
}

/// Why a page of an object was lost, as far as it can be seen afterwards.
fn why_lost(object: BorrowedFd<'_>, end: u64) -> Errno {
    let is_all_there = fstat(object).is_ok_and(|status| status.st_size as u64 >= end);
    let is_full = || fstatfs(object).is_ok_and(|system| system.blocks_available() == 0);
    match is_all_there {
        false => Errno(libc::EFAULT),
        true if is_full() => Errno(libc::ENOSPC),
        true => Errno(libc::EIO),
    }
}

/// Not every C library names it.
const MADV_POPULATE_WRITE: libc::c_int = 23;

/// The offsets of the words that a cell lies in, of an aligned one no more than two. Those who wait
/// and those who wake have to mean the same.
fn words(offset: u64, width: Width) -> impl Iterator<Item = u64> {
    (offset - offset % 4..offset + width.bytes()).step_by(4)
}
