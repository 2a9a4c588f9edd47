//! Files that are complete before they have their name: open(2) with O_TMPFILE, linkat(2),
//! renameat2(2).
//!
//! Nobody ever opens half of one, and nothing stays behind where making it fails or is killed.
//! On file systems that know no files without names, such as NFS and FAT, it has another name
//! meanwhile, which is removed when it is dropped, and before a signal ends us that can be caught.
#![allow(unsafe_code, reason = "moves to sys")]

use std::ffi::{CStr, CString, OsString};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::ptr;
use std::sync::Once;
use std::sync::atomic::{AtomicPtr, Ordering};

use nix::errno::Errno::{EEXIST, EINTR, EISDIR, ENOENT, ENOSYS, EOPNOTSUPP, EPERM};
use nix::fcntl::{AT_FDCWD, AtFlags, OFlag, open, posix_fallocate};
use nix::sys::stat::{Mode, fchmod};
use nix::unistd::{linkat, unlink};

use crate::base::errno::Errno;
use crate::sys::signal::Blocked;
use crate::sys::{cleanup, descriptor, directory, stream};

/// A file that the name it is to have does not lead to yet. Dropping it forgets it.
#[derive(Debug)]
pub struct NewFile {
    file: OwnedFd,
    path: PathBuf,
    /// The name that it has meanwhile, where it has to have one.
    temporary: Option<Temporary>,
}

impl NewFile {
    /// An empty file for this path, with exactly these permissions, open to be read and written.
    pub fn new(path: &Path, mode: u32) -> Result<Self, Errno> {
        let directory = directory::parent(path);
        let owner_only = Mode::S_IRUSR | Mode::S_IWUSR;
        let flags = OFlag::O_TMPFILE | OFlag::O_RDWR | OFlag::O_CLOEXEC;
        let (file, temporary) = match open(directory, flags, owner_only) {
            Ok(file) => (file, None),
            // EISDIR is what a kernel says that does not know the flag.
            Err(EOPNOTSUPP | EISDIR) => {
                let (file, temporary) = Temporary::within(directory)?;
                (file, Some(temporary))
            }
            Err(errno) => return Err(errno.into()),
        };
        let new = Self { file, path: path.to_owned(), temporary };
        fchmod(&new.file, Mode::from_bits_truncate(mode))?;
        Ok(new)
    }

    /// The same, with these bytes in it.
    pub fn holding(path: &Path, mode: u32, content: &[u8]) -> Result<Self, Errno> {
        let new = Self::new(path, mode)?;
        stream::write(&new.file, content)?;
        Ok(new)
    }

    /// Its descriptor, to fill it.
    pub fn file(&self) -> &OwnedFd {
        &self.file
    }

    /// Makes it this long, with all of it in memory or on disk.
    ///
    /// # Errors
    /// ENOSPC if there is no room, EFBIG if it is longer than a file can be.
    pub fn allocate(&self, size: u64) -> Result<(), Errno> {
        let size = i64::try_from(size).map_err(|_| Errno(libc::EFBIG))?;
        loop {
            match posix_fallocate(&self.file, 0, size) {
                Err(EINTR) => {}
                // musl leaves it to the caller where the file system cannot.
                Err(EOPNOTSUPP) => return self.fill_with_zeros(size as u64),
                allocated => return Ok(allocated?),
            }
        }
    }

    fn fill_with_zeros(&self, size: u64) -> Result<(), Errno> {
        static ZEROS: [u8; 1 << 16] = [0; 1 << 16];
        let mut at = 0;
        while at < size {
            let length = (size - at).min(ZEROS.len() as u64);
            stream::write_at(&self.file, &ZEROS[..length as usize], at)?;
            at += length;
        }
        Ok(())
    }

    /// The descriptor alone. If it has no name by now, it never will.
    pub fn into_file(self) -> OwnedFd {
        self.file
    }

    /// Gives it its name.
    ///
    /// # Errors
    /// EEXIST if there is something of that name; it can be tried again.
    pub fn link(&self) -> Result<(), Errno> {
        match &self.temporary {
            None => {
                let unnamed = descriptor::path(&self.file);
                let follow = AtFlags::AT_SYMLINK_FOLLOW;
                match linkat(AT_FDCWD, &unnamed, AT_FDCWD, &self.path, follow) {
                    // Without a /proc, for whoever opened it, or may.
                    Err(ENOENT) => {
                        let empty = AtFlags::AT_EMPTY_PATH;
                        Ok(linkat(&self.file, c"", AT_FDCWD, &self.path, empty)?)
                    }
                    linked => Ok(linked?),
                }
            }
            Some(temporary) => temporary.become_(&self.path),
        }
    }
}

/// A name that is in use until the right one is. Dropping it removes it.
#[derive(Debug)]
struct Temporary(&'static CStr);

/// The latest, which is removed before a signal ends us.
static LATEST: AtomicPtr<libc::c_char> = AtomicPtr::new(ptr::null_mut());

impl Temporary {
    /// A file with a name that nobody else has in this directory.
    fn within(directory: &Path) -> Result<(OwnedFd, Self), Errno> {
        static WATCHED: Once = Once::new();
        WATCHED.call_once(|| cleanup::undo_first(remove_latest));
        let flags = OFlag::O_RDWR | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_CLOEXEC;
        for number in 0_u32.. {
            let mut name = OsString::from(".ipc-");
            name.push(format!("{}-{number}", std::process::id()));
            let path = CString::new(directory.join(name).as_os_str().as_bytes());
            let path = path.map_err(|_| Errno(libc::EINVAL))?;
            // No signal comes between the name and the note that we have it.
            let _blocked = Blocked::new(cleanup::signals());
            match open(path.as_c_str(), flags, Mode::S_IRUSR | Mode::S_IWUSR) {
                // One that was killed had our number, and left its file.
                Err(EEXIST) => {}
                opened => {
                    let file = opened?;
                    // The handler may read it at any time, so it is never freed.
                    let path: &CStr = Box::leak(path.into_boxed_c_str());
                    LATEST.store(path.as_ptr().cast_mut(), Ordering::Relaxed);
                    return Ok((file, Self(path)));
                }
            }
        }
        Err(Errno(libc::EEXIST))
    }

    /// Gives the file its right name, without taking it from another.
    fn become_(&self, path: &Path) -> Result<(), Errno> {
        match linkat(AT_FDCWD, self.0, AT_FDCWD, path, AtFlags::empty()) {
            // A file has but one name there, as on FAT.
            Err(EPERM | EOPNOTSUPP | ENOSYS) => self.rename(path),
            linked => Ok(linked?),
        }
    }

    fn rename(&self, path: &Path) -> Result<(), Errno> {
        let path = CString::new(path.as_os_str().as_bytes()).map_err(|_| Errno(libc::EINVAL))?;
        // SAFETY: both paths live through the call.
        let result = unsafe {
            libc::syscall(
                libc::SYS_renameat2,
                libc::AT_FDCWD,
                self.0.as_ptr(),
                libc::AT_FDCWD,
                path.as_ptr(),
                libc::RENAME_NOREPLACE,
            )
        };
        Errno::check(result)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let (ours, none) = (self.0.as_ptr().cast_mut(), ptr::null_mut());
        let _ = LATEST.compare_exchange(ours, none, Ordering::Relaxed, Ordering::Relaxed);
        // After a rename there is no such name any more.
        let _ = unlink(self.0);
    }
}

/// Removes the name of the latest. It only makes an atomic change and a system call, so that it
/// may be called when a signal comes.
fn remove_latest() {
    let path = LATEST.swap(ptr::null_mut(), Ordering::Relaxed);
    if !path.is_null() {
        // SAFETY: it is a string, which is never freed.
        unsafe { libc::unlink(path) };
    }
}
