//! The allocator: a small arena first, and the C library when the arena is used up.
//!
//! Most runs parse a line of options, make a few system calls and end. For them malloc would be the larger
//! part of the work, as that of musl maps and unmaps pages repeatedly. An arena in the program's own zeroed
//! memory costs one page fault for each page in use, and nothing at the end. Only the latest allocation
//! can be freed in it, so the arena is small, and longer runs continue with the C library.
//!
//! The methods are out of line: every `Vec` calls them, and inlined they made the program a seventh
//! larger.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::UnsafeCell;
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::heap::or_end;

const SIZE: usize = 128 << 10;

#[global_allocator]
static ALLOCATOR: Arena = Arena(UnsafeCell::new([0; SIZE]));

/// The number of allocated bytes. It is initialised to something other than zero, so that it lies with
/// the initialised data, on a page that every run writes to.
static USED: AtomicUsize = AtomicUsize::new(ALIGNMENT);

/// The greatest alignment of an allocation in the arena.
const ALIGNMENT: usize = 64;

#[cfg(test)]
thread_local! {
    static ALLOCATIONS: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
}

/// How many pieces this thread has asked for, for tests of what asks for none.
#[cfg(test)]
pub fn allocations() -> u64 {
    ALLOCATIONS.with(std::cell::Cell::get)
}

#[repr(C, align(64))]
struct Arena(UnsafeCell<[u8; SIZE]>);

// SAFETY: each piece of the memory belongs to its owner, and the bound between allocated and free memory
// is an atomic.
unsafe impl Sync for Arena {}

impl Arena {
    fn start(&self) -> *mut u8 {
        self.0.get().cast()
    }

    /// The offset of a piece in the arena; `None` for a piece of the C library.
    fn offset(&self, piece: *mut u8) -> Option<usize> {
        piece.addr().checked_sub(self.start().addr()).filter(|&offset| offset < SIZE)
    }

    /// Moves the bound, if it is at the end of this piece, which is the latest then.
    fn move_end(&self, from: usize, to: usize) -> bool {
        to <= SIZE && USED.compare_exchange(from, to, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

/// The alignment of a piece. As malloc(3) does, it aligns bytes that have room for a header of the kernel:
/// the crate nix reads control messages in place.
fn alignment(layout: Layout) -> usize {
    let least = if layout.size() < 16 { 1 } else { size_of::<u64>() };
    layout.align().max(least)
}

// SAFETY: pieces are aligned as requested, do not overlap, and keep their bytes when they grow.
unsafe impl GlobalAlloc for Arena {
    #[inline(never)]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        #[cfg(test)]
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        let place = |used: usize| {
            let begin = used.checked_next_multiple_of(alignment(layout))?;
            let end = begin.checked_add(layout.size())?;
            (end <= SIZE).then_some((begin, end))
        };
        let mut used = USED.load(Ordering::Relaxed);
        while let Some((begin, end)) = place(used).filter(|_| layout.align() <= ALIGNMENT) {
            match USED.compare_exchange_weak(used, end, Ordering::Relaxed, Ordering::Relaxed) {
                // SAFETY: the piece ends within the arena.
                Ok(_) => return unsafe { self.start().add(begin) },
                Err(now) => used = now,
            }
        }
        // SAFETY: the layout is valid, as the caller guarantees.
        or_end(unsafe { System.alloc(layout) })
    }

    #[inline(never)]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if layout.size() >= SIZE {
            // The C library gets large pieces from the kernel, which zeroes them.
            // SAFETY: the layout is valid, as the caller guarantees.
            return or_end(unsafe { System.alloc_zeroed(layout) });
        }
        // SAFETY: the layout is valid, as the caller guarantees.
        let piece = unsafe { self.alloc(layout) };
        if !piece.is_null() {
            // The piece may have been in use before.
            // SAFETY: the piece is as long as the layout says.
            unsafe { ptr::write_bytes(piece, 0, layout.size()) };
        }
        piece
    }

    #[inline(never)]
    unsafe fn dealloc(&self, piece: *mut u8, layout: Layout) {
        match self.offset(piece) {
            Some(offset) => {
                self.move_end(offset + layout.size(), offset);
            }
            // SAFETY: the piece does not belong to the arena, and so to the C library.
            None => unsafe { System.dealloc(piece, layout) },
        }
    }

    #[inline(never)]
    unsafe fn realloc(&self, piece: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let Some(offset) = self.offset(piece) else {
            // SAFETY: the piece does not belong to the arena, and so to the C library.
            return or_end(unsafe { System.realloc(piece, layout, size) });
        };
        let fits =
            offset.checked_add(size).is_some_and(|end| self.move_end(offset + layout.size(), end));
        if fits || size <= layout.size() {
            return piece;
        }
        // SAFETY: the alignment is that of a valid layout, and the size is valid as the caller guarantees.
        let larger = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
        // SAFETY: the size is not zero, as the caller guarantees.
        let moved = unsafe { self.alloc(larger) };
        if !moved.is_null() {
            // SAFETY: both pieces are at least as long as the old layout says, and distinct.
            unsafe { ptr::copy_nonoverlapping(piece, moved, layout.size()) };
        }
        moved
    }
}
