//! Shared mappings that survive the loss of their pages: mmap(2).
//!
//! An access to a mapped page raises SIGBUS if another process has truncated the object, or if the page
//! is a hole that the file system has no room to fill. For as long as there is a mapping, the handler
//! here replaces the lost page by an empty one and marks the mapping: the access succeeds, and the
//! caller learns of the loss from [`Pages::verify`].

use std::ffi::c_void;
use std::iter::successors;
use std::num::NonZeroUsize;
use std::os::fd::AsFd;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use nix::sys::mman::{MapFlags, ProtFlags, mmap, munmap};
use nix::sys::statfs::{HUGETLBFS_MAGIC, fstatfs};

use crate::base::errno::Errno;
use crate::base::signal::Signal;
use crate::sys::signal::{Handler, die_of};

/// A shared mapping. Other processes read and write the memory at the same time, so that only atomics
/// may refer to it.
#[derive(Debug)]
pub struct Pages {
    start: NonNull<c_void>,
    length: NonZeroUsize,
    watched: &'static Watched,
    /// Dropped after the memory is unmapped.
    _handler: SharedHandler,
}

impl Pages {
    /// Maps this many bytes of an object, from an offset that is a multiple of its page size.
    ///
    /// # Errors
    /// Those of mmap(2), such as EINVAL for an offset or a length that the page size does not divide,
    /// if the pages are huge.
    pub fn map(
        object: impl AsFd,
        first: i64,
        length: NonZeroUsize,
        protection: ProtFlags,
    ) -> Result<Self, Errno> {
        // SAFETY: the kernel chooses the address, so that no existing mapping is replaced.
        let start = unsafe { mmap(None, length, protection, MapFlags::MAP_SHARED, object, first) }?;
        let end = (start.addr().get() + length.get()).next_multiple_of(page_size());
        let handler = SharedHandler::acquire();
        let watched = Watched::enter(start.addr().get(), end);
        Ok(Self { start, length, watched, _handler: handler })
    }

    /// The address of the first byte.
    pub fn start(&self) -> NonNull<c_void> {
        self.start
    }

    /// Checks that all accesses so far were to pages of the object.
    ///
    /// # Errors
    /// EFAULT if a page was lost.
    pub fn verify(&self) -> Result<(), Errno> {
        let lost = self.watched.lost.load(Ordering::SeqCst);
        if lost { Err(Errno(libc::EFAULT)) } else { Ok(()) }
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        self.watched.leave();
        // SAFETY: the mapping belongs to this value, and no reference into it outlives the value.
        let unmapped = unsafe { munmap(self.start, self.length.get()) };
        debug_assert_eq!(unmapped, Ok(()), "munmap refused a mapping that it had made");
    }
}

/// The size of the pages of an object: huge pages on a hugetlbfs, and ordinary ones elsewhere.
pub fn unit(object: impl AsFd) -> usize {
    match fstatfs(object) {
        Ok(system) if system.filesystem_type() == HUGETLBFS_MAGIC => system.block_size() as usize,
        _ => page_size(),
    }
}

/// The size of an ordinary page: getauxval(3).
pub fn page_size() -> usize {
    // SAFETY: the call takes a number and returns one.
    unsafe { libc::getauxval(libc::AT_PAGESZ) as usize }
}

/// The addresses of a mapping, for the handler. An entry is reused and never freed, so that the handler
/// can walk the list at any moment.
#[derive(Debug)]
struct Watched {
    in_use: AtomicBool,
    start: AtomicUsize,
    end: AtomicUsize,
    /// Whether a page was lost.
    lost: AtomicBool,
    next: OnceLock<Box<Watched>>,
}

static FIRST: Watched = Watched::unused();

impl Watched {
    const fn unused() -> Self {
        Self {
            in_use: AtomicBool::new(false),
            start: AtomicUsize::new(0),
            end: AtomicUsize::new(0),
            lost: AtomicBool::new(false),
            next: OnceLock::new(),
        }
    }

    /// Enters a mapping in the list.
    fn enter(start: usize, end: usize) -> &'static Self {
        let mut entry = &FIRST;
        while entry.in_use.swap(true, Ordering::SeqCst) {
            entry = entry.next.get_or_init(|| Box::new(Self::unused()));
        }
        entry.lost.store(false, Ordering::SeqCst);
        entry.start.store(start, Ordering::SeqCst);
        entry.end.store(end, Ordering::SeqCst);
        entry
    }

    /// Removes the mapping from the list.
    fn leave(&self) {
        self.end.store(0, Ordering::SeqCst);
        self.in_use.store(false, Ordering::SeqCst);
    }

    /// The mapping that contains an address.
    fn containing(address: usize) -> Option<&'static Self> {
        successors(Some(&FIRST), |watched| Some(watched.next.get()?)).find(|watched| {
            let start = watched.start.load(Ordering::SeqCst);
            (start..watched.end.load(Ordering::SeqCst)).contains(&address)
        })
    }
}

/// The handler of SIGBUS, which all mappings share. It is installed with the first mapping, and with the
/// last one the former disposition is restored.
#[derive(Debug)]
struct SharedHandler(());

/// The number of mappings, and the handler.
static SHARED: Mutex<(usize, Option<Handler>)> = Mutex::new((0, None));

/// Whether SIGBUS was ignored before the handler was installed.
static WAS_IGNORED: AtomicBool = AtomicBool::new(false);

impl SharedHandler {
    fn acquire() -> Self {
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        shared.0 += 1;
        if shared.1.is_none() {
            // The handler makes atomic changes, and calls nothing but getauxval, mmap, signal and the
            // calls of die_of, all of which it may call.
            let handler = Handler::install_with_information(Signal::BUS, replace_lost_page);
            WAS_IGNORED.store(handler.was_ignored(), Ordering::SeqCst);
            shared.1 = Some(handler);
        }
        Self(())
    }
}

impl Drop for SharedHandler {
    fn drop(&mut self) {
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        shared.0 -= 1;
        if shared.0 == 0 {
            shared.1 = None;
        }
    }
}

extern "C" fn replace_lost_page(_: i32, info: *mut libc::siginfo_t, _: *mut c_void) {
    // SAFETY: with SA_SIGINFO the kernel passes its information, which lives as long as the handler runs.
    let info = unsafe { &*info };
    if info.si_code <= 0 {
        // A process sent the signal. No access is repeated that would raise it again.
        if !WAS_IGNORED.load(Ordering::SeqCst) {
            die_of(Signal::BUS);
        }
        return;
    }
    // SAFETY: the information about SIGBUS contains an address.
    let address = unsafe { info.si_addr() }.addr();
    let Some(watched) = Watched::containing(address) else {
        return restore_default();
    };
    watched.lost.store(true, Ordering::SeqCst);
    let page = address - address % page_size();
    let (start, end) = (watched.start.load(Ordering::SeqCst), watched.end.load(Ordering::SeqCst));
    // A huge page cannot be replaced in part, so then the whole mapping is replaced. If that fails for
    // want of memory, the access would be repeated without end.
    if !replace(page, page_size()) && !replace(start, end.saturating_sub(start)) {
        restore_default();
    }
}

/// Replaces pages of a mapping by empty ones; returns whether that succeeded.
fn replace(start: usize, length: usize) -> bool {
    let start = std::ptr::without_provenance_mut(start);
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED;
    let protection = libc::PROT_READ | libc::PROT_WRITE;
    // SAFETY: the pages belong to a watched mapping, and what they contained is lost.
    unsafe { libc::mmap(start, length, protection, flags, -1, 0) != libc::MAP_FAILED }
}

/// Lets the access, which is repeated, end the process.
fn restore_default() {
    // SAFETY: the call sets the default disposition, which involves no handler.
    unsafe { libc::signal(libc::SIGBUS, libc::SIG_DFL) };
}

#[cfg(test)]
mod tests {
    use std::os::fd::OwnedFd;
    use std::sync::atomic::AtomicU32;

    use nix::sys::memfd::{MFdFlags, memfd_create};
    use nix::unistd::ftruncate;

    use super::*;

    const LENGTH: NonZeroUsize = NonZeroUsize::new(8).unwrap();

    /// A file of 8 bytes, and a mapping of it.
    fn mapped() -> (OwnedFd, Pages) {
        let file = OwnedFd::from(tempfile::tempfile().unwrap());
        ftruncate(&file, 8).unwrap();
        let protection = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        let pages = Pages::map(&file, 0, LENGTH, protection).unwrap();
        (file, pages)
    }

    fn word(pages: &Pages) -> &AtomicU32 {
        // SAFETY: the word lies at the beginning, and lives as long as the pages.
        unsafe { AtomicU32::from_ptr(pages.start().as_ptr().cast()) }
    }

    #[test]
    fn a_truncated_mapping_is_lost_and_another_one_is_not() {
        let (lost, kept) = (mapped(), mapped());
        for (_, pages) in [&lost, &kept] {
            word(pages).store(7, Ordering::SeqCst);
        }
        ftruncate(&lost.0, 0).unwrap();
        assert_eq!(word(&lost.1).fetch_add(1, Ordering::SeqCst), 0);
        assert_eq!(lost.1.verify(), Err(Errno(libc::EFAULT)));
        assert_eq!((word(&kept.1).load(Ordering::SeqCst), kept.1.verify()), (7, Ok(())));
    }

    #[test]
    fn a_truncated_huge_page_is_lost_as_a_whole() {
        let flags = MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_HUGETLB;
        // Most systems have no huge pages.
        let Ok(file) = memfd_create(c"", flags) else { return };
        let Some(length) = NonZeroUsize::new(unit(&file)) else { return };
        ftruncate(&file, length.get() as i64).unwrap();
        let protection = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        let Ok(pages) = Pages::map(&file, 0, length, protection) else { return };
        word(&pages).store(7, Ordering::SeqCst);
        assert_eq!(pages.verify(), Ok(()));
        ftruncate(&file, 0).unwrap();
        assert_eq!(word(&pages).fetch_add(1, Ordering::SeqCst), 0);
        assert_eq!(pages.verify(), Err(Errno(libc::EFAULT)));
    }

    #[test]
    fn a_later_mapping_is_not_marked_by_an_earlier_loss() {
        for _ in 0..3 {
            let (file, pages) = mapped();
            assert_eq!(pages.verify(), Ok(()));
            ftruncate(&file, 0).unwrap();
            word(&pages).load(Ordering::SeqCst);
            assert_eq!(pages.verify(), Err(Errno(libc::EFAULT)));
        }
    }

    fn disposition() -> libc::sighandler_t {
        let mut action = std::mem::MaybeUninit::<libc::sigaction>::zeroed();
        let (none, now) = (std::ptr::null(), action.as_mut_ptr());
        // SAFETY: the kernel writes one action.
        assert_eq!(unsafe { libc::sigaction(libc::SIGBUS, none, now) }, 0);
        // SAFETY: it was zeroed, and is written by now.
        unsafe { action.assume_init() }.sa_sigaction
    }

    /// Mappings of other tests share the handler, so this one runs in a process of its own.
    #[test]
    fn the_disposition_is_restored_after_the_last_of_several_mappings() {
        const ALONE: &str = "IPC_TEST_ALONE";
        if std::env::var_os(ALONE).is_none() {
            let name = concat!(
                module_path!(),
                "::the_disposition_is_restored_after_the_last_of_several_mappings"
            );
            let (_, name) = name.split_once("::").unwrap();
            let mut alone = std::process::Command::new(std::env::current_exe().unwrap());
            let output = alone.args(["--exact", name]).env(ALONE, "1").output().unwrap();
            let stdout = String::from_utf8_lossy(&output.stdout);
            assert!(output.status.success() && stdout.contains("1 passed"), "{stdout}");
            return;
        }
        let before = disposition();
        for _ in 0..3 {
            let (first, second) = (mapped(), mapped());
            let handler = disposition();
            assert_ne!(handler, before);
            drop(first);
            assert_eq!(disposition(), handler);
            ftruncate(&second.0, 0).unwrap();
            word(&second.1).load(Ordering::SeqCst);
            assert_eq!(second.1.verify(), Err(Errno(libc::EFAULT)));
            drop(second);
            assert_eq!(disposition(), before);
        }
    }
}
