//! The contents of a new file, before it has its name.

use std::num::NonZeroUsize;
use std::os::fd::OwnedFd;

use nix::sys::statfs::{HUGETLBFS_MAGIC, TMPFS_MAGIC, fstatfs};

use super::FileSegment;
use super::space::{allocate, check_room, truncate};
use crate::base::errno::Errno;
use crate::io::fill;
use crate::mechanism::memory::segment::{Access, Error, Input, PageSize, Segment, WriteError};
use crate::sys::memory::{self, HUGE_PAGE};
use crate::sys::offset::remaining;

/// Fills an empty file with zeros, and allocates memory or disk space for them.
pub fn fill_with_zeros(file: &OwnedFd, size: u64, page_size: PageSize) -> Result<(), Error> {
    check_room(file, size)?;
    let segment = FileSegment::new(file.try_clone().map_err(Errno::from)?, Access::Write);
    if page_size == PageSize::Ordinary {
        return segment.resize(size);
    }
    match fstatfs(file)?.filesystem_type() {
        // All of its pages are huge.
        HUGETLBFS_MAGIC => segment.resize(size),
        TMPFS_MAGIC => {
            truncate(file, size)?;
            let collapsed = collapse(file, size);
            // The part without huge pages. A lack of room is the reason to report, before that of
            // `collapse`.
            segment.reserve(0..size)?;
            collapsed
        }
        _ => Err(Error::NoHugePages("huge pages for files are those of a hugetlbfs or a tmpfs")),
    }
}

/// Fills an empty file with zeros up to the offset of the input, and then with all of its bytes.
pub fn fill_from(file: &OwnedFd, input: Input<'_>) -> Result<(), WriteError> {
    let Input { source, offset, counter, .. } = input;
    let known = remaining(source).unwrap_or(0);
    let size = offset.checked_add(known).ok_or(Error::TooLarge)?;
    let segment = FileSegment::new(file.try_clone().map_err(Errno::from)?, Access::Write);
    let is_tmpfs = fstatfs(file).map_err(Errno::from)?.filesystem_type() == TMPFS_MAGIC;
    check_room(file, size)?;
    let written = if is_tmpfs && fill::is_worthwhile(known) {
        segment.reserve(0..offset)?;
        truncate(file, size)?;
        fill::from_both_ends(source, file, offset, known, counter)?
    } else {
        // A lack of room is reported before the copy begins, rather than near its end.
        segment.reserve(0..size)?;
        segment.fill(source, offset, None, counter)?
    };
    // The source may have become shorter.
    Ok(truncate(file, offset + written)?)
}

/// Backs an empty file by as many huge pages as fit into it.
fn collapse(file: &OwnedFd, size: u64) -> Result<(), Error> {
    let size = usize::try_from(size).map_err(|_| Error::TooLarge)?;
    let whole = NonZeroUsize::new(size - size % HUGE_PAGE)
        .ok_or(Error::NoHugePages("a huge page has 2 MiB, more than the segment"))?;
    // The kernel collapses only ranges that have a page. One page is enough, and the fewer there are,
    // the less is copied.
    for start in (0..whole.get() as u64).step_by(HUGE_PAGE) {
        allocate(file, start..start + 1)?;
    }
    memory::collapse(file, whole).map_err(|errno| match errno.0 {
        libc::ENOMEM | libc::EAGAIN => Error::NoHugePages("no huge page is free at the moment"),
        libc::EINVAL => Error::NoHugePages("there are no huge pages for this file system"),
        _ => errno.into(),
    })
}
