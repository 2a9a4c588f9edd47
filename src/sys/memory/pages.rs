//! Pages of an object in our memory, which survive the loss of the object's: mmap(2).
//!
//! Whoever maps an object gets SIGBUS when somebody else has cut it off, and where it has a hole
//! that its file system has no room to fill. Our handler puts an empty page in the place of the
//! lost one, and remembers: the access goes through to nowhere, and the caller learns that it did.

use std::ffi::c_void;
use std::iter::successors;
use std::num::NonZeroUsize;
use std::os::fd::AsFd;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Once, OnceLock};

use nix::sys::mman::{MapFlags, ProtFlags, mmap, munmap};
use nix::sys::statfs::{HUGETLBFS_MAGIC, fstatfs};

use crate::base::errno::Errno;
use crate::base::signal::Signal;
use crate::sys::signal::die_of;

/// A shared mapping. Other processes read and write the memory at the same time, so there are no
/// references into it, other than to atomics.
#[derive(Debug)]
pub struct Pages {
    start: NonNull<c_void>,
    length: NonZeroUsize,
    watched: &'static Watched,
}

impl Pages {
    /// Maps this many bytes of an object, from a page of it on.
    ///
    /// # Errors
    /// Those of mmap(2). EINVAL if `first` is not where a page begins; of huge pages `length` has to
    /// be whole ones.
    pub fn map(
        object: impl AsFd,
        first: i64,
        length: NonZeroUsize,
        protection: ProtFlags,
    ) -> Result<Self, Errno> {
        // SAFETY: the kernel chooses the place, so nothing that exists is mapped over.
        let start = unsafe { mmap(None, length, protection, MapFlags::MAP_SHARED, object, first) }?;
        let end = (start.addr().get() + length.get()).next_multiple_of(page_size());
        Ok(Self { start, length, watched: Watched::new(start.addr().get(), end) })
    }

    /// Where they begin.
    pub fn start(&self) -> NonNull<c_void> {
        self.start
    }

    /// Whether all that was read and written so far was the object's.
    ///
    /// # Errors
    /// EFAULT if part of it was lost.
    pub fn verify(&self) -> Result<(), Errno> {
        let lost = self.watched.lost.load(Ordering::SeqCst);
        if lost { Err(Errno(libc::EFAULT)) } else { Ok(()) }
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        self.watched.forget();
        // SAFETY: the memory is ours, and no reference into it outlives us.
        let unmapped = unsafe { munmap(self.start, self.length.get()) };
        debug_assert_eq!(unmapped, Ok(()), "munmap refused a mapping that we own");
    }
}

/// What an object can be mapped by: a huge page, of a file of a hugetlbfs, and a page of anything
/// else.
pub fn unit(object: impl AsFd) -> usize {
    match fstatfs(object) {
        Ok(system) if system.filesystem_type() == HUGETLBFS_MAGIC => system.block_size() as usize,
        _ => page_size(),
    }
}

/// The size of a page, as the kernel told us when we began: getauxval(3).
pub fn page_size() -> usize {
    // SAFETY: the call takes a number and gives one.
    unsafe { libc::getauxval(libc::AT_PAGESZ) as usize }
}

/// Where a mapping lies, for the handler. These stay for ever and are used again, so that the
/// handler may walk along them at any moment.
#[derive(Debug)]
struct Watched {
    taken: AtomicBool,
    start: AtomicUsize,
    end: AtomicUsize,
    /// Whether a page of it was lost.
    lost: AtomicBool,
    next: OnceLock<Box<Watched>>,
}

static FIRST: Watched = Watched::nothing();

impl Watched {
    const fn nothing() -> Self {
        Self {
            taken: AtomicBool::new(false),
            start: AtomicUsize::new(0),
            end: AtomicUsize::new(0),
            lost: AtomicBool::new(false),
            next: OnceLock::new(),
        }
    }

    /// Lets the handler put pages in the place of those that are lost between these addresses.
    fn new(start: usize, end: usize) -> &'static Self {
        static INSTALLED: Once = Once::new();
        INSTALLED.call_once(install);
        let mut free = &FIRST;
        while free.taken.swap(true, Ordering::SeqCst) {
            free = free.next.get_or_init(|| Box::new(Self::nothing()));
        }
        free.lost.store(false, Ordering::SeqCst);
        free.start.store(start, Ordering::SeqCst);
        free.end.store(end, Ordering::SeqCst);
        free
    }

    fn forget(&self) {
        self.end.store(0, Ordering::SeqCst);
        self.taken.store(false, Ordering::SeqCst);
    }

    /// The mapping that an address lies in.
    fn around(address: usize) -> Option<&'static Self> {
        successors(Some(&FIRST), |watched| Some(watched.next.get()?)).find(|watched| {
            let start = watched.start.load(Ordering::SeqCst);
            (start..watched.end.load(Ordering::SeqCst)).contains(&address)
        })
    }
}

fn install() {
    // SAFETY: all zeros is a valid action.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_flags = libc::SA_SIGINFO;
    action.sa_sigaction = replace_lost_page as Handler as libc::sighandler_t;
    // It fails only for numbers that are no signals.
    // SAFETY: the handler makes atomic changes, and calls nothing but getauxval, mmap, signal and
    // what die_of calls, which may be called there.
    unsafe { libc::sigaction(libc::SIGBUS, &raw const action, std::ptr::null_mut()) };
}

type Handler = extern "C" fn(i32, *mut libc::siginfo_t, *mut c_void);

extern "C" fn replace_lost_page(_: i32, info: *mut libc::siginfo_t, _: *mut c_void) {
    // SAFETY: with SA_SIGINFO the kernel hands its information to the handler, for as long as it runs.
    let info = unsafe { &*info };
    if info.si_code <= 0 {
        // A process sent it, and no access is repeated.
        return die_of(Signal::BUS);
    }
    // SAFETY: the information about SIGBUS has an address.
    let address = unsafe { info.si_addr() }.addr();
    let Some(watched) = Watched::around(address) else {
        // Not ours to mend.
        return end_us();
    };
    watched.lost.store(true, Ordering::SeqCst);
    let page = address - address % page_size();
    let (start, end) = (watched.start.load(Ordering::SeqCst), watched.end.load(Ordering::SeqCst));
    // A huge page cannot be replaced in part, so then it is all of them. Where nothing can be put
    // there, for want of memory, the access would be repeated for ever.
    if !replace(page, page_size()) && !replace(start, end.saturating_sub(start)) {
        end_us();
    }
}

/// Puts empty pages in the place of some of a mapping; whether that was possible.
fn replace(start: usize, length: usize) -> bool {
    let start = std::ptr::without_provenance_mut(start);
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED;
    let protection = libc::PROT_READ | libc::PROT_WRITE;
    // SAFETY: the pages are of our mapping, which has lost what was there.
    unsafe { libc::mmap(start, length, protection, flags, -1, 0) != libc::MAP_FAILED }
}

/// Has the access, which is repeated, end us.
fn end_us() {
    // SAFETY: no handler is involved, only the disposition of the kernel's.
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

    /// A file of 8 bytes, and its first word in our memory.
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
    fn what_is_cut_off_is_lost_and_what_is_mapped_beside_it_is_not() {
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
    fn a_huge_page_that_is_cut_off_is_lost_as_a_whole() {
        let flags = MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_HUGETLB;
        // Most systems have set none aside.
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
    fn a_loss_is_forgotten_with_the_mapping() {
        for _ in 0..3 {
            let (file, pages) = mapped();
            assert_eq!(pages.verify(), Ok(()));
            ftruncate(&file, 0).unwrap();
            word(&pages).load(Ordering::SeqCst);
            assert_eq!(pages.verify(), Err(Errno(libc::EFAULT)));
        }
    }
}
