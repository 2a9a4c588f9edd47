//! Memory and queues that forked processes share.

use std::fs::File;
use std::num::NonZeroUsize;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::ptr::NonNull;

use ipc_suite::bench::ring::Ring;
use nix::sys::mman::{MapFlags, ProtFlags, mmap, mmap_anonymous, munmap};

/// A value of atomics, all zeros at first, that forked processes share.
pub struct Shared<T>(NonNull<T>);

/// What may be shared: all zeros is a value, and it is changed by atomics only.
///
/// # Safety
/// The type consists of atomics.
pub unsafe trait Atomics {}

impl<T: Atomics> Shared<T> {
    pub fn new() -> Self {
        let length = NonZeroUsize::new(size_of::<T>()).expect("it has a size");
        let protection = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        let flags = MapFlags::MAP_SHARED | MapFlags::MAP_NORESERVE;
        // SAFETY: the kernel chooses the place, so nothing that exists is mapped over.
        let at = unsafe { mmap_anonymous(None, length, protection, flags) };
        Self(at.expect("there is memory").cast())
    }

    /// The beginning of a file, which has to be so long.
    pub fn map(file: &File) -> Self {
        let length = NonZeroUsize::new(size_of::<T>()).expect("it has a size");
        let protection = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        // SAFETY: the kernel chooses the place, so nothing that exists is mapped over.
        let at = unsafe { mmap(None, length, protection, MapFlags::MAP_SHARED, file, 0) };
        Self(at.expect("it can be mapped").cast())
    }
}

impl<T> Drop for Shared<T> {
    fn drop(&mut self) {
        // SAFETY: this value owns the memory, and no reference into it outlives this value.
        let _ = unsafe { munmap(self.0.cast(), size_of::<T>()) };
    }
}

impl<T: Atomics> Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: it is mapped, aligned to a page, and consists of atomics.
        unsafe { self.0.as_ref() }
    }
}

/// A path for a queue, which is removed when this is dropped by the process that made it.
pub struct QueuePath {
    path: PathBuf,
    maker: u32,
}

impl QueuePath {
    pub fn new(name: &str) -> Self {
        let maker = std::process::id();
        Self { path: PathBuf::from(format!("/dev/shm/ipc-ring-{name}-{maker}")), maker }
    }

    pub fn create(&self, mode: u32, capacity: u64) -> Ring {
        let _ = std::fs::remove_file(&self.path);
        Ring::create(&self.path, mode, capacity).expect("a queue can be made")
    }

    pub fn open(&self) -> Ring {
        let file = File::options().read(true).write(true).open(&self.path);
        Ring::attach(file.expect("it is there").into()).expect("it is a queue")
    }
}

impl Deref for QueuePath {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.path
    }
}

impl Drop for QueuePath {
    fn drop(&mut self) {
        if std::process::id() == self.maker {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}
