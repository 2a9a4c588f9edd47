//! An object of any kind, and how processes use it.

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use nix::sys::stat::{FileStat, SFlag};

use super::activity::Activity;
use crate::base::errno::Errno;
use crate::sys::inode::kind;
use crate::sys::parts::{self, Sharing};

/// The kind of an object.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Kind {
    /// Shared memory, POSIX or System V.
    Shm,
    /// A semaphore, or a set of System V semaphores.
    Sem,
    /// A message queue of the kernel.
    Mq,
    /// A queue in shared memory or in a file.
    Queue,
    /// A FIFO.
    Fifo,
    /// A Unix socket with an address.
    Sock,
    /// A Unix socket that serves a door.
    Door,
    /// A Unix socket that serves stored descriptors: `ipc fd hold`.
    Holder,
    /// A lock on a file.
    Lock,
    /// A lock file.
    LockFile,
    /// A spool.
    Spool,
    /// Memory without a name: a memfd, or a shared memory object that was removed and is in use.
    Memory,
}

impl Kind {
    /// All kinds, in the order of listings.
    pub const ALL: [Self; 12] = [
        Self::Shm,
        Self::Sem,
        Self::Mq,
        Self::Queue,
        Self::Fifo,
        Self::Sock,
        Self::Door,
        Self::Holder,
        Self::Lock,
        Self::LockFile,
        Self::Spool,
        Self::Memory,
    ];

    /// Its word for users.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Shm => "shm",
            Self::Sem => "sem",
            Self::Mq => "mq",
            Self::Queue => "queue",
            Self::Fifo => "fifo",
            Self::Sock => "sock",
            Self::Door => "door",
            Self::Holder => "holder",
            Self::Lock => "lock",
            Self::LockFile => "lockfile",
            Self::Spool => "spool",
            Self::Memory => "memory",
        }
    }
}

/// An object.
#[derive(Clone, Debug)]
pub struct Object {
    /// Its kind.
    pub kind: Kind,
    /// Its name, path or address, in the notation of the command line.
    pub name: OsString,
    /// The number of bytes in it.
    pub size: Option<u64>,
    /// The value of a semaphore, the number of messages, or the number of waiting clients.
    pub count: Option<u64>,
    /// Its permissions.
    pub mode: Option<u32>,
    /// The user that owns it.
    pub uid: Option<u32>,
    /// The time of the last use or change that the kernel records, in seconds since 1970.
    pub used: Option<i64>,
    /// What identifies it in the kernel.
    pub thing: Option<Thing>,
    /// The file of a socket's path.
    pub file: Option<Thing>,
    /// The inode of a file that is locked.
    pub inode: Option<u64>,
    /// The uses of it.
    pub holders: Vec<Use>,
    /// The processes that wait for it; `None` for one that is not visible.
    pub waiters: Vec<Option<i32>>,
    /// More about its kind.
    pub detail: String,
    /// Whether it is in use.
    pub state: State,
    /// How full it is, and what went through it.
    pub activity: Activity,
}

/// The time of the last change of a file, in seconds since 1970. A look at it changes the time of the last
/// access.
pub(super) fn time_of_use(status: &FileStat) -> i64 {
    status.st_mtime.max(status.st_ctime)
}

/// Whether an object is in use.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum State {
    /// A process uses it, or may use it.
    Held,
    /// No process uses it at this moment.
    Idle,
    /// Its owner has ended, and nothing else will use it.
    Dead(&'static str),
}

impl Object {
    /// An object of which nothing else is known.
    pub fn new(kind: Kind, name: impl Into<OsString>) -> Self {
        Self {
            kind,
            name: name.into(),
            size: None,
            count: None,
            mode: None,
            uid: None,
            used: None,
            thing: None,
            file: None,
            inode: None,
            holders: Vec::new(),
            waiters: Vec::new(),
            detail: String::new(),
            state: State::Held,
            activity: Activity::default(),
        }
    }

    /// The same, with the properties of its file.
    pub(super) fn with_file(mut self, status: &FileStat) -> Self {
        self.mode = Some(status.st_mode & 0o7777);
        self.uid = Some(status.st_uid);
        self.used = Some(time_of_use(status));
        self.thing = Some(Thing::of(status));
        self
    }

    /// The same, with the uses that a pass has found.
    pub(super) fn with_holders(mut self, of: impl FnOnce(Thing) -> Vec<Use>) -> Self {
        self.enter_holders(of);
        self
    }

    /// Enters the uses that a pass has found.
    pub(super) fn enter_holders(&mut self, of: impl FnOnce(Thing) -> Vec<Use>) {
        self.holders = self.thing.map(of).unwrap_or_default();
        self.state = if self.holders.is_empty() { State::Idle } else { State::Held };
    }
}

/// What is looked for.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// The kinds; none means all.
    pub kinds: Vec<Kind>,
    /// Paths of files that no table of the kernel has: lock files, queues, FIFOs, socket paths.
    pub paths: Vec<PathBuf>,
    /// A file whose uses are collected, whatever it is.
    pub file: Option<Thing>,
}

impl Request {
    /// Whether Unix sockets are wanted, whatever they serve.
    pub(super) fn wants_sockets(&self) -> bool {
        [Kind::Sock, Kind::Door, Kind::Holder].iter().any(|&kind| self.wants(kind))
    }

    pub(super) fn wants(&self, kind: Kind) -> bool {
        self.kinds.is_empty() || self.kinds.contains(&kind)
    }
}

/// A place whose objects could not be listed, and the reason.
pub type Unlisted = (&'static str, Errno);

/// What identifies an object in the kernel.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Thing {
    /// A file, a FIFO, a pipe, a message queue, or memory without a name.
    File {
        /// Its device.
        device: u64,
        /// Its inode.
        inode: u64,
    },
    /// A socket.
    Socket {
        /// Its inode in the file system of sockets.
        inode: u64,
    },
    /// A segment of System V shared memory.
    Segment {
        /// Its identifier.
        id: i32,
    },
    /// A set of System V semaphores, which processes do not hold.
    Set {
        /// Its identifier.
        id: i32,
    },
    /// A System V message queue, which processes do not hold.
    Messages {
        /// Its identifier.
        id: i32,
    },
}

impl Thing {
    /// The file with this status.
    pub fn of(status: &FileStat) -> Self {
        Self::File { device: status.st_dev, inode: status.st_ino }
    }

    /// The device of a file.
    pub(super) fn device(self) -> Option<u64> {
        match self {
            Self::File { device, .. } => Some(device),
            _ => None,
        }
    }

    /// The object of a descriptor with this status.
    pub(super) fn of_descriptor(status: &FileStat) -> Self {
        match kind(status) {
            SFlag::S_IFSOCK => Self::Socket { inode: status.st_ino },
            _ => Self::of(status),
        }
    }
}

/// A use of an object by a process.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Use {
    /// The process.
    pub pid: i32,
    /// How it uses the object.
    pub by: By,
}

/// How a process uses an object.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum By {
    /// It has this descriptor.
    Descriptor(i32),
    /// It has a mapping, without a descriptor that was found before.
    Mapping,
    /// It has attached a segment.
    Attachment,
    /// It holds a lock.
    Lock,
    /// It operated on a System V semaphore or queue last, and runs.
    LastUse,
    /// It owns a lock file.
    Ownership,
}

/// The objects of a place, or none and a row of the places that could not be listed.
pub(super) fn or_unlisted<T: Default>(
    result: Result<T, Errno>,
    place: &'static str,
    unlisted: &mut Vec<Unlisted>,
) -> T {
    result.unwrap_or_else(|errno| {
        unlisted.push((place, errno));
        T::default()
    })
}

/// The objects that `look` finds at each item, in the order of the items. Several threads look at many items.
pub(super) fn each<T: Sync>(
    items: &[T],
    look: impl Fn(&T) -> Option<Object> + Sync,
) -> Vec<Object> {
    /// A look takes a few system calls.
    const SHARING: Sharing = Sharing {
        part: NonZeroUsize::new(64).unwrap(),
        for_a_thread: NonZeroUsize::new(150).unwrap(),
    };
    let found = parts::shared(items, SHARING, || {
        |items: &[T]| items.iter().filter_map(&look).collect::<Vec<Object>>()
    });
    found.into_iter().flatten().collect()
}
