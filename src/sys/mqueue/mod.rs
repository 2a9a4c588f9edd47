//! POSIX message queues: mq_overview(7).
//!
//! This module makes the system calls itself, so that queues are the same with every C library: a
//! queue is a descriptor, and its name has no slash. It opens queues non-blocking, because the
//! timeouts of mq_timedsend(3) and mq_timedreceive(3) are on the wall clock: setting the time of
//! day would end or stretch a wait. A caller that waits polls the descriptor.

mod directory;
mod limits;

use std::ffi::{CStr, c_long};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use nix::fcntl::OFlag;
use nix::sys::stat::{FileStat, fstat};
use nix::sys::uio::pread;

pub use self::directory::{DIRECTORY, Directory};
pub use self::limits::{Limits, MOST, memory_limit};

use super::origin::Found;
use super::{descriptor, umask};
use crate::base::errno::Errno;
use crate::base::name::ObjectName;

/// The maximum priority: MQ_PRIO_MAX is one more.
pub const PRIORITY_MAX: u32 = 32767;

/// The maximum number and length of the messages in a queue.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Shape {
    /// The maximum number of messages.
    pub max_msgs: u64,
    /// The maximum length of a message in bytes.
    pub msg_size: u64,
}

/// The purpose for which a process opens a queue.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Access {
    /// Send messages.
    Send,
    /// Receive messages.
    Receive,
    /// Receive messages, and requeue them.
    Work,
    /// Inspect the queue, with permission to read or to write.
    Look,
}

/// A received message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Received {
    /// The length of the message in bytes.
    pub length: usize,
    /// The priority of the message.
    pub priority: u32,
}

/// An open queue. Dropping it closes the descriptor; the name stays.
#[derive(Debug)]
pub struct Queue(OwnedFd);

/// `struct mq_attr` of the kernel. musl's definition hides the flags of another call.
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
    /// Creates a queue with exactly these permissions. Without a shape, the kernel uses its
    /// default. A failed call leaves no queue behind.
    ///
    /// # Errors
    /// EEXIST if the name exists; EINVAL if the shape exceeds [`Limits`]; ENOSPC if the maximum
    /// number of queues exists; EMFILE if the queues of this user would exceed [`memory_limit`], or
    /// if this process has no descriptor left.
    pub fn create(name: &ObjectName, shape: Option<Shape>, mode: u32) -> Result<Self, Errno> {
        let attributes = shape.map(Shape::attributes).transpose()?;
        let flags = OFlag::O_RDWR | OFlag::O_CREAT | OFlag::O_EXCL;
        umask::without(|| open(name, flags, mode, attributes.as_ref())).map(Self)
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

    /// A descriptor of the file behind a queue, for its owner and its permissions. Permission to read or
    /// write is not needed if the file system of queues is mounted.
    ///
    /// # Errors
    /// EACCES without permission and without a mount.
    pub fn locate(name: &ObjectName) -> Result<OwnedFd, Errno> {
        match Self::open(name, Access::Look) {
            Err(Errno(libc::EACCES)) => {
                let directory = Directory::open().map_err(|_| Errno(libc::EACCES))?;
                directory.locate(name)
            }
            opened => opened.map(|queue| queue.0),
        }
    }

    /// Removes the name. Processes that have the queue open can still use it.
    pub fn unlink(name: &ObjectName) -> Result<(), Errno> {
        // SAFETY: the name is a string, and lives through the call.
        let result = unsafe { libc::syscall(libc::SYS_mq_unlink, bare(name).as_ptr()) };
        Errno::check(result)
    }

    /// The shape of the queue.
    pub fn shape(&self) -> Result<Shape, Errno> {
        let attributes = self.attributes()?;
        Ok(Shape { max_msgs: attributes.max_msgs as u64, msg_size: attributes.msg_size as u64 })
    }

    /// The number of messages in the queue.
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
        Errno::check(result).map(|()| attributes)
    }

    /// The status of the file behind the queue.
    pub fn status(&self) -> Result<FileStat, Errno> {
        Ok(fstat(&self.0)?)
    }

    /// The owner and the permissions of the queue.
    pub fn found(&self) -> Result<Found, Errno> {
        let status = self.status()?;
        Ok(Found::in_kernel(status.st_uid, status.st_mode & 0o777))
    }

    /// The contents of the queue. The process needs permission to receive. The read changes the ctime of the
    /// file, but not the [`time_of_use`].
    pub fn contents(&self) -> Result<Contents, Errno> {
        let mut text = [0; 128];
        // A second read(2) from the position of the descriptor would find the end.
        let length = pread(&self.0, &mut text, 0)?;
        Ok(Contents::parse(&text[..length]))
    }

    /// Sends a message.
    ///
    /// # Errors
    /// EAGAIN if the queue is full; EMSGSIZE if the message is longer than the shape allows.
    pub fn try_send(&self, message: &[u8], priority: u32) -> Result<(), Errno> {
        loop {
            // SAFETY: the message lives through the call, and has that length.
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

    /// Receives the oldest message of the highest priority.
    ///
    /// # Errors
    /// EAGAIN if the queue is empty; EMSGSIZE if the buffer is shorter than the maximum length of a
    /// message.
    pub fn try_receive(&self, buffer: &mut [u8]) -> Result<Received, Errno> {
        loop {
            let mut priority = 0;
            // SAFETY: the buffer and the priority live through the call, and the buffer has
            // that length.
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
                (Ok(length), _) => return Ok(Received { length, priority }),
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
    /// EINVAL if a number does not fit in a `long`.
    fn attributes(self) -> Result<Attributes, Errno> {
        let number = |value: u64| c_long::try_from(value).map_err(|_| Errno(libc::EINVAL));
        Ok(Attributes {
            max_msgs: number(self.max_msgs)?,
            msg_size: number(self.msg_size)?,
            ..Attributes::default()
        })
    }
}

/// The time of the last send or receipt, in seconds since 1970. The ctime of the file is that of the last read(2) of
/// it as well, by which this and other programs look at a queue.
pub fn time_of_use(status: &FileStat) -> i64 {
    status.st_mtime
}

/// The contents of a queue, as read(2) reports them.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Contents {
    /// The bytes of all messages.
    pub bytes: u64,
    /// The process registered for a notification of the next message: mq_notify(3).
    pub notified: Option<i32>,
}

impl Contents {
    /// Parses `QSIZE:129 NOTIFY:0 SIGNO:0 NOTIFY_PID:8260`, with spaces between.
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
    // SAFETY: the call above returned the descriptor, and nothing else owns it.
    unsafe { descriptor::made(result) }
}

/// The name in the form of the system calls: without the slash.
fn bare(name: &ObjectName) -> &CStr {
    let name = name.with_slash().to_bytes_with_nul();
    CStr::from_bytes_with_nul(&name[1..]).expect("it ends with its only NUL")
}
