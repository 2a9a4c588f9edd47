//! The directory of all queues, which need not be mounted: fsopen(2), fsmount(2).

use std::ffi::OsStr;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;

use nix::dir::Dir;
use nix::fcntl::{AtFlags, OFlag};
use nix::sys::stat::{FileStat, Mode, fstatat};
use nix::sys::statfs::{FsType, fstatfs};

use super::{Access, Queue};
use crate::base::errno::Errno;
use crate::base::name::ObjectName;
use crate::sys::descriptor;

/// Where queues are files, on machines that mount them.
pub const DIRECTORY: &str = "/dev/mqueue";

/// The directory of all queues of this IPC namespace.
#[derive(Debug)]
pub struct Directory {
    fd: OwnedFd,
    /// Whether it is certainly that of our IPC namespace.
    is_ours: bool,
}

impl Directory {
    /// Opens our own mount of it, that nobody else sees, or else the usual one.
    ///
    /// # Errors
    /// ENOENT if it is not mounted at [`DIRECTORY`] and we may not mount it.
    pub fn open() -> Result<Self, Errno> {
        match mount_detached() {
            Ok(fd) => Ok(Self { fd, is_ours: true }),
            Err(_) => open_mounted().map(|fd| Self { fd, is_ours: false }),
        }
    }

    /// The names of the queues, sorted.
    ///
    /// # Errors
    /// ENOENT if what is mounted shows the queues of another IPC namespace, as far as we may open
    /// one to see that.
    pub fn names(&self) -> Result<Vec<ObjectName>, Errno> {
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        let mut directory = Dir::openat(&self.fd, ".", flags, Mode::empty())?;
        let mut names = Vec::new();
        for entry in directory.iter() {
            // What is no name, `.` and `..`, is no queue.
            names.extend(ObjectName::of_file(OsStr::from_bytes(entry?.file_name().to_bytes())));
        }
        names.sort();
        if !self.is_ours && names.iter().any(|name| self.is_elsewhere(name)) {
            return Err(Errno(libc::ENOENT));
        }
        Ok(names)
    }

    /// Whether a name that is listed here leads to no queue of ours, or to another one.
    fn is_elsewhere(&self, name: &ObjectName) -> bool {
        let opened = Queue::open(name, Access::Look).and_then(|queue| queue.status());
        match (opened, self.status(name)) {
            (Ok(ours), Ok(listed)) => ours.st_dev != listed.st_dev,
            (Err(Errno(libc::ENOENT)), Ok(_)) => true,
            // It may not be opened, or has gone since.
            _ => false,
        }
    }

    /// The file of a queue, which need not be opened for it.
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

/// Mounts the queues of our IPC namespace at no place: fsopen(2), fsconfig(2), fsmount(2).
///
/// # Errors
/// EPERM without CAP_SYS_ADMIN.
fn mount_detached() -> Result<OwnedFd, Errno> {
    const FSOPEN_CLOEXEC: u32 = 1;
    const FSCONFIG_CMD_CREATE: u32 = 6;
    const FSMOUNT_CLOEXEC: u32 = 1;
    // SAFETY: the name is a string, and lives through the call.
    let result = unsafe { libc::syscall(libc::SYS_fsopen, c"mqueue".as_ptr(), FSOPEN_CLOEXEC) };
    // SAFETY: the call above gave it, and nobody has it yet.
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
    // SAFETY: the call above gave it, and nobody has it yet.
    unsafe { descriptor::made(result) }
}
