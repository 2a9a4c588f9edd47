//! POSIX message queues: mq_overview(7).
//!
//! Through the system calls themselves, so that every C library gives the same queues: one is a
//! descriptor, and its name has no slash. Queues are opened non-blocking, since the timeouts of
//! mq_timedsend(3) and mq_timedreceive(3) are on the wall clock, where setting the time of day
//! would end or stretch a wait. What has to wait polls the descriptor.

use std::ffi::{CStr, OsStr, c_long};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;

use nix::dir::Dir;
use nix::fcntl::{AtFlags, OFlag};
use nix::sys::resource::{Resource, getrlimit};
use nix::sys::stat::{FileStat, Mode, fchmod, fstat, fstatat};
use nix::sys::statfs::{FsType, fstatfs};

use super::stdio::Stream;
use crate::errno::Errno;
use crate::name::ObjectName;

/// The greatest priority: MQ_PRIO_MAX is one more.
pub const PRIORITY_MAX: u32 = 32767;

/// Where queues are files, on machines that mount them.
pub const DIRECTORY: &str = "/dev/mqueue";

/// How many messages a queue holds, and how long each may be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Shape {
    /// The greatest number of messages.
    pub max_msgs: u64,
    /// The greatest length of a message, in bytes.
    pub msg_size: u64,
}

/// What a queue is opened for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Access {
    /// To send to it.
    Send,
    /// To receive from it.
    Receive,
    /// To receive from it, and to send back.
    Work,
    /// To look at it, by whatever permission there is.
    Look,
}

/// A message that was taken from a queue.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Taken {
    /// Its length, in bytes.
    pub length: usize,
    /// Its priority.
    pub priority: u32,
}

/// An open queue. Dropping it closes the handle; the name stays.
#[derive(Debug)]
pub struct Queue(OwnedFd);

/// `struct mq_attr` as the kernel has it. In that of musl the flags of another call are hidden.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
struct Attributes {
    flags: c_long,
    max_msgs: c_long,
    msg_size: c_long,
    messages: c_long,
    reserved: [c_long; 4],
}

impl Queue {
    /// Creates a queue with exactly these permissions; the kernel chooses a shape that is not
    /// given. No queue is left if that fails.
    ///
    /// # Errors
    /// EEXIST; EINVAL for a shape beyond [`Limits`]; ENOSPC if there are as many queues as there
    /// may be; EMFILE if the queues of this user would take more than [`memory_limit`], or if this
    /// process has no descriptor left.
    pub fn create(name: &ObjectName, shape: Option<Shape>, mode: u32) -> Result<Self, Errno> {
        let attributes = shape.map(Shape::attributes).transpose()?;
        let flags = OFlag::O_RDWR | OFlag::O_CREAT | OFlag::O_EXCL;
        // Until it has the mode that was asked for, it has no permission beyond it.
        let queue = open(name, flags, mode & 0o600, attributes.as_ref())?;
        if let Err(errno) = fchmod(&queue, Mode::from_bits_truncate(mode)) {
            let _ = Self::unlink(name);
            return Err(errno.into());
        }
        Ok(Self(queue))
    }

    /// Opens an existing queue.
    pub fn open(name: &ObjectName, access: Access) -> Result<Self, Errno> {
        let (flags, other) = match access {
            Access::Send => (OFlag::O_WRONLY, None),
            Access::Receive => (OFlag::O_RDONLY, None),
            Access::Work => (OFlag::O_RDWR, None),
            Access::Look => (OFlag::O_RDONLY, Some(OFlag::O_WRONLY)),
        };
        match (open(name, flags, 0, None), other) {
            (Err(Errno(libc::EACCES)), Some(flags)) => open(name, flags, 0, None).map(Self),
            (opened, _) => opened.map(Self),
        }
    }

    /// Removes the name. Those who have the queue open go on using it.
    pub fn unlink(name: &ObjectName) -> Result<(), Errno> {
        // SAFETY: the name is a string, and lives through the call.
        let result = unsafe { libc::syscall(libc::SYS_mq_unlink, bare(name).as_ptr()) };
        if result == 0 { Ok(()) } else { Err(Errno::last()) }
    }

    /// Its shape.
    pub fn shape(&self) -> Result<Shape, Errno> {
        let attributes = self.attributes()?;
        Ok(Shape { max_msgs: attributes.max_msgs as u64, msg_size: attributes.msg_size as u64 })
    }

    /// How many messages wait in it.
    pub fn messages(&self) -> Result<u64, Errno> {
        Ok(self.attributes()?.messages as u64)
    }

    fn attributes(&self) -> Result<Attributes, Errno> {
        let mut attributes = Attributes::default();
        // SAFETY: the kernel writes the structure, which lives through the call.
        let result = unsafe {
            libc::syscall(
                libc::SYS_mq_getsetattr,
                self.0.as_raw_fd(),
                std::ptr::null::<Attributes>(),
                &raw mut attributes,
            )
        };
        if result == 0 { Ok(attributes) } else { Err(Errno::last()) }
    }

    /// The file behind it.
    pub fn status(&self) -> Result<FileStat, Errno> {
        Ok(fstat(&self.0)?)
    }

    /// What only those who may receive are told.
    pub fn contents(&self) -> Result<Contents, Errno> {
        let mut text = [0; 128];
        let length = nix::unistd::read(&self.0, &mut text)?;
        Ok(Contents::parse(&text[..length]))
    }

    /// Sends a message.
    ///
    /// # Errors
    /// EAGAIN if the queue is full; EMSGSIZE if the message is longer than its shape allows.
    pub fn try_send(&self, message: &[u8], priority: u32) -> Result<(), Errno> {
        loop {
            // SAFETY: the message lives through the call, and has the length that is told.
            let result = unsafe {
                libc::syscall(
                    libc::SYS_mq_timedsend,
                    self.0.as_raw_fd(),
                    message.as_ptr(),
                    message.len(),
                    priority,
                    std::ptr::null::<libc::timespec>(),
                )
            };
            match (result, Errno::last()) {
                (0, _) => return Ok(()),
                (_, Errno(libc::EINTR)) => {}
                (_, errno) => return Err(errno),
            }
        }
    }

    /// Takes the oldest message of the highest priority.
    ///
    /// # Errors
    /// EAGAIN if there is none; EMSGSIZE if the buffer is shorter than the shape allows messages
    /// to be.
    pub fn try_receive(&self, buffer: &mut [u8]) -> Result<Taken, Errno> {
        loop {
            let mut priority = 0;
            // SAFETY: the buffer and the priority live through the call, and the buffer has the
            // length that is told.
            let result = unsafe {
                libc::syscall(
                    libc::SYS_mq_timedreceive,
                    self.0.as_raw_fd(),
                    buffer.as_mut_ptr(),
                    buffer.len(),
                    &raw mut priority,
                    std::ptr::null::<libc::timespec>(),
                )
            };
            match (usize::try_from(result), Errno::last()) {
                (Ok(length), _) => return Ok(Taken { length, priority }),
                (_, Errno(libc::EINTR)) => {}
                (_, errno) => return Err(errno),
            }
        }
    }
}

impl AsFd for Queue {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl Shape {
    /// # Errors
    /// EINVAL for numbers that the kernel cannot even be asked for.
    fn attributes(self) -> Result<Attributes, Errno> {
        let number = |value: u64| c_long::try_from(value).map_err(|_| Errno(libc::EINVAL));
        Ok(Attributes {
            max_msgs: number(self.max_msgs)?,
            msg_size: number(self.msg_size)?,
            ..Attributes::default()
        })
    }
}

/// What waits in a queue, as read(2) tells it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Contents {
    /// The bytes of all messages.
    pub bytes: u64,
    /// The process that asked mq_notify(3) to be told of the next message.
    pub notified: Option<i32>,
}

impl Contents {
    /// Reads `QSIZE:129 NOTIFY:0 SIGNO:0 NOTIFY_PID:8260`, with spaces between.
    fn parse(text: &[u8]) -> Self {
        let text = String::from_utf8_lossy(text);
        let value = |key: &str| text.split_whitespace().find_map(|field| field.strip_prefix(key));
        let number = |key| value(key).and_then(|digits| digits.parse::<u64>().ok());
        Self {
            bytes: number("QSIZE:").unwrap_or(0),
            notified: number("NOTIFY_PID:").filter(|&pid| pid != 0).map(|pid| pid as i32),
        }
    }
}

/// The directory of all queues of this IPC namespace.
#[derive(Debug)]
pub struct Directory(OwnedFd);

impl Directory {
    /// Opens our own mount of it, that nobody else sees, or else the usual one.
    ///
    /// # Errors
    /// ENOENT if it is not mounted at [`DIRECTORY`] and we may not mount it.
    pub fn open() -> Result<Self, Errno> {
        mount_detached().or_else(|_| open_mounted()).map(Self)
    }

    /// The names of the queues, sorted.
    pub fn names(&self) -> Result<Vec<ObjectName>, Errno> {
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        let mut directory = Dir::openat(&self.0, ".", flags, Mode::empty())?;
        let mut names = Vec::new();
        for entry in directory.iter() {
            // What is no name, `.` and `..`, is no queue.
            names.extend(ObjectName::new(OsStr::from_bytes(entry?.file_name().to_bytes())));
        }
        names.sort();
        Ok(names)
    }

    /// The file of a queue, which need not be opened for it.
    pub fn status(&self, name: &ObjectName) -> Result<FileStat, Errno> {
        Ok(fstatat(&self.0, name.without_slash(), AtFlags::AT_SYMLINK_NOFOLLOW)?)
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
    let context = owned(result)?;
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
    if result != 0 {
        return Err(Errno::last());
    }
    // SAFETY: the call takes numbers only.
    let result =
        unsafe { libc::syscall(libc::SYS_fsmount, context.as_raw_fd(), FSMOUNT_CLOEXEC, 0) };
    owned(result)
}

/// The limits of a machine, or of an IPC namespace.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limits {
    /// The largest shape.
    pub largest: Shape,
    /// The shape of queues for which nobody asked for another.
    pub default: Shape,
    /// The greatest number of queues.
    pub queues: u64,
}

impl Limits {
    /// As `/proc/sys/fs/mqueue` has them now; what cannot be read is as the kernel begins.
    pub fn now() -> Self {
        let largest =
            Shape { max_msgs: sysctl("msg_max", 10), msg_size: sysctl("msgsize_max", 8192) };
        let default = Shape {
            max_msgs: sysctl("msg_default", 10).min(largest.max_msgs),
            msg_size: sysctl("msgsize_default", 8192).min(largest.msg_size),
        };
        Self { largest, default, queues: sysctl("queues_max", 256) }
    }
}

fn sysctl(name: &str, usual: u64) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/sys/fs/mqueue/{name}"));
    text.ok().and_then(|text| text.trim().parse().ok()).unwrap_or(usual)
}

/// How many bytes the queues of this user may take, RLIMIT_MSGQUEUE; `None` is without limit.
pub fn memory_limit() -> Option<u64> {
    let (soft, _) = getrlimit(Resource::RLIMIT_MSGQUEUE).ok()?;
    (soft != libc::RLIM_INFINITY).then_some(soft)
}

/// Whether this process can have one more descriptor, which EMFILE leaves open.
pub fn has_free_descriptor() -> bool {
    nix::unistd::dup(Stream::Error.fd()).is_ok()
}

fn open(
    name: &ObjectName,
    flags: OFlag,
    mode: u32,
    attributes: Option<&Attributes>,
) -> Result<OwnedFd, Errno> {
    let flags = flags | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
    let attributes = attributes.map_or(std::ptr::null(), std::ptr::from_ref);
    // SAFETY: the name is a string; it and the attributes live through the call.
    let result = unsafe {
        libc::syscall(libc::SYS_mq_open, bare(name).as_ptr(), flags.bits(), mode, attributes)
    };
    owned(result)
}

/// The name as the kernel takes it.
fn bare(name: &ObjectName) -> &CStr {
    let name = name.with_slash().to_bytes_with_nul();
    CStr::from_bytes_with_nul(&name[1..]).expect("it ends with its only NUL")
}

fn owned(result: c_long) -> Result<OwnedFd, Errno> {
    match i32::try_from(result) {
        // SAFETY: the call succeeded, so this is a new descriptor that nobody else has.
        Ok(fd) if fd >= 0 => Ok(unsafe { OwnedFd::from_raw_fd(fd) }),
        _ => Err(Errno::last()),
    }
}
