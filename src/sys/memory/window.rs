//! A part of a shared object in memory, mapped or attached: mmap(2), shmat(2).
//!
//! Other processes read and write the memory at the same time, so that only atomics refer to it.

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

/// A part of an object in memory, or all of it.
#[derive(Debug)]
pub struct Window<'a> {
    start: NonNull<c_void>,
    length: NonZeroUsize,
    /// The offset of the first byte in the object.
    first: u64,
    mapping: Mapping<'a>,
}

/// The 32-bit words of a number, for the comparison of a futex.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Snapshot([u32; 2]);

#[derive(Debug)]
enum Mapping<'a> {
    /// Pages of this object, and the least size that the object must have.
    Mapped(Pages, BorrowedFd<'a>, u64),
    /// A System V segment.
    Attached,
}

impl<'a> Window<'a> {
    /// Maps the pages of an object that contain these bytes.
    ///
    /// # Errors
    /// Those of mmap(2); EINVAL for an empty range; EOVERFLOW for a range that exceeds the address space.
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
        Ok(Self { start, length, first, mapping: Mapping::Mapped(pages, object, bytes.end) })
    }

    /// Attaches a System V segment of this size: shmat(2).
    pub fn attach(id: i32, size: NonZeroUsize, access: Access) -> Result<Self, Errno> {
        let flags = if access == Access::Read { libc::SHM_RDONLY } else { 0 };
        // SAFETY: the kernel chooses the address, so that no existing mapping is replaced.
        let start = unsafe { libc::shmat(id, std::ptr::null(), flags) };
        match NonNull::new(start) {
            Some(start) if start.as_ptr().addr() != usize::MAX => {
                Ok(Self { start, length: size, first: 0, mapping: Mapping::Attached })
            }
            _ => Err(Errno::last()),
        }
    }

    /// Loads the bits of an aligned number.
    ///
    /// # Panics
    /// If the number is not aligned, or not within the window, as in all methods here.
    pub fn load(&self, offset: u64, width: Width) -> u64 {
        self.number(offset, width).load()
    }

    /// Stores the bits of an aligned number.
    pub fn store(&self, offset: u64, width: Width, bits: u64) {
        self.number(offset, width).store(bits);
    }

    /// Stores the bits of a number that need not be aligned, byte by byte. Other processes may read a
    /// mixture of old and new bytes.
    pub fn store_bytewise(&self, offset: u64, width: Width, bits: u64) {
        for (&byte, at) in bits.to_ne_bytes()[width.low_bytes()].iter().zip(offset..) {
            self.store(at, Width::One, byte.into());
        }
    }

    /// Changes an aligned number atomically to the result of `change`, which may run several times.
    ///
    /// # Errors
    /// Those of `change`, with the number unchanged.
    pub fn update<E>(
        &self,
        offset: u64,
        width: Width,
        mut change: impl FnMut(u64) -> Result<u64, E>,
    ) -> Result<u64, E> {
        let cell = self.number(offset, width);
        let mut seen = cell.load();
        loop {
            let bits = change(seen)?;
            match cell.replace(seen, bits) {
                Ok(()) => return Ok(bits),
                Err(other) => seen = other,
            }
        }
    }

    /// Wakes all waiters of a number.
    pub fn wake(&self, offset: u64, width: Width) {
        for word in words(offset, width) {
            futex::wake(self.at(word), i32::MAX);
        }
    }

    /// A snapshot for [`Window::wait`]. It must be taken before the number is loaded.
    pub fn snapshot(&self, offset: u64, width: Width) -> Snapshot {
        let mut words = words(offset, width).map(|word| {
            let word: &AtomicU32 = self.at(word);
            word.load(Ordering::Acquire)
        });
        Snapshot([words.next().unwrap_or_default(), words.next().unwrap_or_default()])
    }

    /// Sleeps while a number equals the snapshot, until its waiters are woken. The sleep may end
    /// spuriously.
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
            (None, _) => unreachable!("a number lies in one word at least"),
        }
    }

    /// Reads once from a descriptor into the memory; 0 is the end.
    pub fn read_from(&self, fd: BorrowedFd<'_>, bytes: Range<u64>) -> nix::Result<usize> {
        let (at, length) = self.part(bytes);
        // SAFETY: the part is within the window, and only atomics refer to the window.
        nix::errno::Errno::result(unsafe { libc::read(fd.as_raw_fd(), at, length) })
            .map(|count| count as usize)
    }

    /// Reads once from this offset of a file into the memory; 0 is the end.
    pub fn read_at(
        &self,
        fd: BorrowedFd<'_>,
        position: u64,
        bytes: Range<u64>,
    ) -> nix::Result<usize> {
        let position = i64::try_from(position).map_err(|_| nix::errno::Errno::EOVERFLOW)?;
        let (at, length) = self.part(bytes);
        // SAFETY: the part is within the window, and only atomics refer to the window.
        nix::errno::Errno::result(unsafe { libc::pread64(fd.as_raw_fd(), at, length, position) })
            .map(|count| count as usize)
    }

    /// Allocates all pages, as a write to each would: MADV_POPULATE_WRITE of madvise(2).
    ///
    /// # Errors
    /// EFAULT if there is no room; EINVAL on a kernel before 5.14.
    pub fn populate(&self) -> Result<(), Errno> {
        // SAFETY: the pages belong to the window, and their contents do not change.
        let result =
            unsafe { libc::madvise(self.start.as_ptr(), self.length.get(), MADV_POPULATE_WRITE) };
        Errno::check(result)
    }

    /// Allocates all pages if the kernel supports it.
    ///
    /// # Errors
    /// EFAULT if there is no room.
    pub fn populate_if_possible(&self) -> Result<(), Errno> {
        match self.populate() {
            Err(Errno(libc::EINVAL)) => Ok(()),
            populated => populated,
        }
    }

    /// Allocates all pages before the first write, if the kernel supports it.
    ///
    /// # Errors
    /// Those of [`Window::verify`].
    pub fn prepare(&self) -> Result<(), Errno> {
        match (self.populate_if_possible(), &self.mapping) {
            (Err(Errno(libc::EFAULT)), Mapping::Mapped(_, object, end)) => {
                Err(reason_of_loss(*object, *end))
            }
            (populated, _) => populated,
        }
    }

    /// Writes once from the memory to a descriptor.
    pub fn write_to(&self, fd: BorrowedFd<'_>, bytes: Range<u64>) -> nix::Result<usize> {
        let (at, length) = self.part(bytes);
        // SAFETY: the part is within the window, and the kernel only reads it.
        nix::errno::Errno::result(unsafe { libc::write(fd.as_raw_fd(), at, length) })
            .map(|count| count as usize)
    }

    /// Writes changes to the disk or reads them again: msync(2).
    pub fn sync(&self, how: MsFlags) -> Result<(), Errno> {
        // SAFETY: the pages belong to the window, and their contents may change at any time anyway.
        Ok(unsafe { msync(self.start, self.length.get(), how) }?)
    }

    /// Checks that all accesses so far were to pages of the object.
    ///
    /// # Errors
    /// EFAULT if the object was truncated. Otherwise a hole was not filled: ENOSPC if the file system is
    /// full, and EIO for any other reason.
    pub fn verify(&self) -> Result<(), Errno> {
        match &self.mapping {
            Mapping::Mapped(pages, object, end) => {
                pages.verify().map_err(|_| reason_of_loss(*object, *end))
            }
            Mapping::Attached => Ok(()),
        }
    }

    fn number(&self, offset: u64, width: Width) -> &dyn Atomic {
        match width {
            Width::One => self.at::<AtomicU8>(offset),
            Width::Two => self.at::<AtomicU16>(offset),
            Width::Four => self.at::<AtomicU32>(offset),
            Width::Eight => self.at::<AtomicU64>(offset),
        }
    }

    fn at<A: Atomic>(&self, offset: u64) -> &A {
        let size = size_of::<A>() as u64;
        assert!(offset.is_multiple_of(size), "{size} bytes at {offset} are not aligned");
        let (at, _) = self.part(offset..offset + size);
        // SAFETY: the number is aligned and within the window, lives as long, and only atomics refer to it.
        unsafe { &*at.cast::<A>() }
    }

    /// The address and the length of these bytes of the object. They may lie behind its end, in its last
    /// page.
    fn part(&self, bytes: Range<u64>) -> (*mut c_void, usize) {
        let end = self.first + self.length.get().next_multiple_of(page_size()) as u64;
        assert!(self.first <= bytes.start && bytes.end <= end, "{bytes:?} is not in the window");
        // SAFETY: the assertion has checked that the address is within the window.
        let at = unsafe { self.start.as_ptr().byte_add((bytes.start - self.first) as usize) };
        (at, (bytes.end - bytes.start) as usize)
    }
}

impl Drop for Window<'_> {
    fn drop(&mut self) {
        // Pages unmap themselves.
        if let Mapping::Attached = self.mapping {
            // SAFETY: this value attached the memory, and no reference into it outlives the value.
            unsafe { libc::shmdt(self.start.as_ptr()) };
        }
    }
}

/// The reason why a page of an object was lost, as far as it can be determined afterwards.
fn reason_of_loss(object: BorrowedFd<'_>, end: u64) -> Errno {
    let is_all_there = fstat(object).is_ok_and(|status| status.st_size as u64 >= end);
    let is_full = || fstatfs(object).is_ok_and(|system| system.blocks_available() == 0);
    match is_all_there {
        false => Errno(libc::EFAULT),
        true if is_full() => Errno(libc::ENOSPC),
        true => Errno(libc::EIO),
    }
}

/// Not every C library defines it.
const MADV_POPULATE_WRITE: libc::c_int = 23;

/// The offsets of the 32-bit words of a number: one or two if it is aligned. Waiters sleep on them, and
/// wakers wake them.
fn words(offset: u64, width: Width) -> impl Iterator<Item = u64> {
    (offset - offset % 4..offset + width.bytes()).step_by(4)
}
