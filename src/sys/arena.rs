//! The allocator: an arena for the little that one operation needs, then the C library's.
//!
//! Most runs parse a line of options, make a few system calls and end. For them malloc is the
//! larger part of the work: musl's maps and unmaps pages all along. An arena in the program's own
//! zeroed memory costs a page fault for each page that is touched, and nothing at the end. What it
//! gives is never taken back, but for the latest piece; so it is small, and whoever runs for long
//! is served by the C library once it is used up.
//!
//! The methods are out of line: every `Vec` calls them, and with a copy of them in each place the
//! program is a seventh larger.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::UnsafeCell;
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::heap::or_end;

const SIZE: usize = 128 << 10;

#[global_allocator]
static ALLOCATOR: Arena = Arena(UnsafeCell::new([0; SIZE]));

/// How much of the arena is given. It begins at something other than zero so that it lies with
/// the initialised data, on a page that every run touches anyway.
static USED: AtomicUsize = AtomicUsize::new(ALIGNMENT);

/// The greatest alignment that the arena serves.
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

// SAFETY: each piece of the memory belongs to the one who was given it, and the bound between
// given and free memory is an atomic.
unsafe impl Sync for Arena {}

impl Arena {
    fn start(&self) -> *mut u8 {
        self.0.get().cast()
    }

    /// How far into the arena a piece begins; `None` for one of the C library's.
    fn offset(&self, piece: *mut u8) -> Option<usize> {
        piece.addr().checked_sub(self.start().addr()).filter(|&offset| offset < SIZE)
    }

    /// Moves the bound from the end of the latest piece; refused to all other pieces.
    fn move_end(&self, from: usize, to: usize) -> bool {
        to <= SIZE && USED.compare_exchange(from, to, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

// SAFETY: pieces are aligned as asked, do not overlap, and keep their bytes when they grow.
unsafe impl GlobalAlloc for Arena {
    #[inline(never)]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        #[cfg(test)]
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        let place = |used: usize| {
            let begin = used.checked_next_multiple_of(layout.align())?;
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
        // SAFETY: the caller vouches for the layout.
        or_end(unsafe { System.alloc(layout) })
    }

    #[inline(never)]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if layout.size() >= SIZE {
            // The C library gets large pieces from the kernel, which has zeroed them.
            // SAFETY: the caller vouches for the layout.
            return or_end(unsafe { System.alloc_zeroed(layout) });
        }
        // SAFETY: the caller vouches for the layout.
        let piece = unsafe { self.alloc(layout) };
        if !piece.is_null() {
            // A piece may be one that was given back, so it is not zero by itself.
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
            // SAFETY: the piece is not the arena's, so it is the C library's.
            None => unsafe { System.dealloc(piece, layout) },
        }
    }

    #[inline(never)]
    unsafe fn realloc(&self, piece: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let Some(offset) = self.offset(piece) else {
            // SAFETY: the piece is not the arena's, so it is the C library's.
            return or_end(unsafe { System.realloc(piece, layout, size) });
        };
        let fits =
            offset.checked_add(size).is_some_and(|end| self.move_end(offset + layout.size(), end));
        if fits || size <= layout.size() {
            return piece;
        }
        // SAFETY: the alignment is that of a valid layout, and the caller vouches for the size.
        let larger = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
        // SAFETY: the layout is not of size zero, as the caller vouches.
        let moved = unsafe { self.alloc(larger) };
        if !moved.is_null() {
            // SAFETY: both pieces are at least as long as the old layout says, and distinct.
            unsafe { ptr::copy_nonoverlapping(piece, moved, layout.size()) };
        }
        moved
    }
}
