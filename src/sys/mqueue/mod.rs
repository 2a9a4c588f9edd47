//! POSIX message queues: mq_overview(7).
//!
//! Through the system calls themselves, so that every C library gives the same queues: one is a
//! descriptor, and its name has no slash. Queues are opened non-blocking, since the timeouts of
//! mq_timedsend(3) and mq_timedreceive(3) are on the wall clock, where setting the time of day
//! would end or stretch a wait. A caller that waits polls the descriptor.

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

/// The greatest priority: MQ_PRIO_MAX is one more.
pub const PRIORITY_MAX: u32 = 32767;

/// How many messages a queue holds, and how long each may be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Shape {
    /// The greatest number of messages.
    pub max_msgs: u64,
    /// The greatest length of a message, in bytes.
    pub msg_size: u64,
}

/// The purpose for which a queue is opened.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Access {
    /// To send to it.
    Send,
    /// To receive from it.
    Receive,
    /// To receive from it, and to send back.
    Work,
    /// To inspect it, with either permission.
    Look,
}

/// A message that was received.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Received {
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

    /// Removes the name. Processes that have the queue open go on using it.
    pub fn unlink(name: &ObjectName) -> Result<(), Errno> {
        // SAFETY: the name is a string, and lives through the call.
        let result = unsafe { libc::syscall(libc::SYS_mq_unlink, bare(name).as_ptr()) };
        Errno::check(result)
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
        Errno::check(result).map(|()| attributes)
    }

    /// The file behind it.
    pub fn status(&self) -> Result<FileStat, Errno> {
        Ok(fstat(&self.0)?)
    }

    /// Its creator and its permissions.
    pub fn found(&self) -> Result<Found, Errno> {
        let status = self.status()?;
        Ok(Found::in_kernel(status.st_uid, status.st_mode & 0o777))
    }

    /// Its contents, for a process that may receive.
    pub fn contents(&self) -> Result<Contents, Errno> {
        let mut text = [0; 128];
        // A read from the position of the descriptor would find the end the second time.
        let length = pread(&self.0, &mut text, 0)?;
        Ok(Contents::parse(&text[..length]))
    }

    /// Sends a message.
    ///
    /// # Errors
    /// EAGAIN if the queue is full; EMSGSIZE if the message is longer than its shape allows.
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
    /// EAGAIN if there is none; EMSGSIZE if the buffer is shorter than the shape allows messages
    /// to be.
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

/// The contents of a queue, as read(2) reports them.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Contents {
    /// The bytes of all messages.
    pub bytes: u64,
    /// The process that asked for a notification of the next message: mq_notify(3).
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
    // SAFETY: the call above gave it, and nobody has it yet.
    unsafe { descriptor::made(result) }
}

/// The name as the kernel takes it.
fn bare(name: &ObjectName) -> &CStr {
    let name = name.with_slash().to_bytes_with_nul();
    CStr::from_bytes_with_nul(&name[1..]).expect("it ends with its only NUL")
}
