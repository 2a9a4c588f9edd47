//! The directory of all queues, even if it is not mounted: fsopen(2), fsmount(2).

use std::ffi::OsStr;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;

use nix::dir::Dir;
use nix::fcntl::{AtFlags, OFlag, openat};
use nix::sys::stat::{FileStat, Mode, fstat, fstatat};
use nix::sys::statfs::{FsType, fstatfs};

use super::{Access, Queue};
use crate::base::errno::Errno;
use crate::base::name::ObjectName;
use crate::sys::descriptor;

/// The usual mount point of the queue file system.
pub const DIRECTORY: &str = "/dev/mqueue";

/// The directory of all queues of this IPC namespace.
#[derive(Debug)]
pub struct Directory {
    fd: OwnedFd,
    /// Whether the directory certainly belongs to the IPC namespace of this process.
    is_ours: bool,
}

impl Directory {
    /// Opens a new detached mount, which no other process sees, or else the usual mount.
    ///
    /// # Errors
    /// ENOENT if the file system is not mounted at [`DIRECTORY`] and this process may not mount it;
    /// EMFILE or ENFILE if it could not try.
    pub fn open() -> Result<Self, Errno> {
        match mount_detached() {
            Ok(fd) => Ok(Self { fd, is_ours: true }),
            Err(refused) => match open_mounted() {
                Err(_) if matches!(refused, Errno(libc::EMFILE | libc::ENFILE)) => Err(refused),
                mounted => mounted.map(|fd| Self { fd, is_ours: false }),
            },
        }
    }

    /// The names of the queues, sorted.
    ///
    /// # Errors
    /// ENOENT if the mount shows the queues of another IPC namespace, as far as this process may
    /// open a queue to check.
    pub fn names(&self) -> Result<Vec<ObjectName>, Errno> {
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        let mut directory = Dir::openat(&self.fd, ".", flags, Mode::empty())?;
        let mut names = Vec::new();
        for entry in directory.iter() {
            // `.` and `..` are not valid names, so they are left out.
            names.extend(ObjectName::of_file(OsStr::from_bytes(entry?.file_name().to_bytes())));
        }
        names.sort();
        if !self.is_ours && names.iter().any(|name| self.is_elsewhere(name)) {
            return Err(Errno(libc::ENOENT));
        }
        Ok(names)
    }

    /// Whether a listed name leads to no queue, or to another one, in the IPC namespace of this
    /// process.
    fn is_elsewhere(&self, name: &ObjectName) -> bool {
        let opened = Queue::open(name, Access::Look).and_then(|queue| queue.status());
        match (opened, self.status(name)) {
            (Ok(ours), Ok(listed)) => ours.st_dev != listed.st_dev,
            (Err(Errno(libc::ENOENT)), Ok(_)) => true,
            // This process may not open the queue, or the queue was removed meanwhile.
            _ => false,
        }
    }

    /// The device of the files of all queues.
    pub fn device(&self) -> Result<u64, Errno> {
        Ok(fstat(&self.fd)?.st_dev)
    }

    /// A descriptor of the file of a queue, without opening the queue: O_PATH.
    pub fn locate(&self, name: &ObjectName) -> Result<OwnedFd, Errno> {
        let flags = OFlag::O_PATH | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        Ok(openat(&self.fd, name.without_slash(), flags, Mode::empty())?)
    }

    /// The status of the file of a queue, without opening the queue.
    pub fn status(&self, name: &ObjectName) -> Result<FileStat, Errno> {
        Ok(fstatat(&self.fd, name.without_slash(), AtFlags::AT_SYMLINK_NOFOLLOW)?)
    }
}

fn open_mounted() -> Result<OwnedFd, Errno> {
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    let directory = nix::fcntl::open(DIRECTORY, flags, Mode::empty())?;
    match fstatfs(&directory)?.filesystem_type() {
        MQUEUE_MAGIC => Ok(directory),
        _ => Err(Errno(libc::ENOENT)),
    }
}

const MQUEUE_MAGIC: FsType = FsType(0x1980_0202);

/// Mounts the queues of the IPC namespace of this process, without a mount point: fsopen(2),
/// fsconfig(2), fsmount(2).
///
/// # Errors
/// EPERM if the process lacks CAP_SYS_ADMIN.
fn mount_detached() -> Result<OwnedFd, Errno> {
    const FSOPEN_CLOEXEC: u32 = 1;
    const FSCONFIG_CMD_CREATE: u32 = 6;
    const FSMOUNT_CLOEXEC: u32 = 1;
    // SAFETY: the name is a string, and lives through the call.
    let result = unsafe { libc::syscall(libc::SYS_fsopen, c"mqueue".as_ptr(), FSOPEN_CLOEXEC) };
    // SAFETY: the call above returned the descriptor, and nothing else owns it.
    let context = unsafe { descriptor::made(result) }?;
    // SAFETY: this command takes neither key nor value.
    let result = unsafe {
        libc::syscall(
            libc::SYS_fsconfig,
            context.as_raw_fd(),
            FSCONFIG_CMD_CREATE,
            std::ptr::null::<u8>(),
            std::ptr::null::<u8>(),
            0,
        )
    };
    Errno::check(result)?;
    // SAFETY: the call takes numbers only.
    let result =
        unsafe { libc::syscall(libc::SYS_fsmount, context.as_raw_fd(), FSMOUNT_CLOEXEC, 0) };
    // SAFETY: the call above returned the descriptor, and nothing else owns it.
    unsafe { descriptor::made(result) }
}
