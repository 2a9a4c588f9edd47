//! System V message queues: sysvipc(7), msgop(2).

use std::ffi::{c_int, c_long};
use std::mem::MaybeUninit;

use nix::unistd::{getegid, geteuid};

use super::heap;
use super::interrupt::Attempt;
use super::system_v::{self, NEW, Row, Target};
use crate::base::errno::Errno;

/// Which message to receive.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Selection {
    /// The oldest.
    Any,
    /// The oldest of this type, from 1 up.
    Type(i64),
    /// The oldest of the lowest type there is up to this one.
    UpTo(i64),
    /// The oldest of any other type than this.
    Except(i64),
}

impl Selection {
    /// Whether a message of this type is one of them.
    pub fn includes(self, kind: i64) -> bool {
        match self {
            Self::Any => true,
            Self::Type(number) => kind == number,
            Self::UpTo(number) => kind <= number,
            Self::Except(number) => kind != number,
        }
    }

    /// The argument of msgrcv(2), and its flag.
    fn arguments(self) -> (c_long, c_int) {
        match self {
            Self::Any => (0, 0),
            Self::Type(number) => (number, 0),
            Self::UpTo(number) => (-number, 0),
            Self::Except(number) => (number, libc::MSG_EXCEPT),
        }
    }
}

/// A message that was received, or copied.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Received {
    /// Its length, in bytes.
    pub length: usize,
    /// Its type.
    pub kind: i64,
    /// Whether it was longer than [`Queue::cut_at`] allows.
    pub is_cut: bool,
}

/// A queue. The kernel has no handles to queues: any process may use an identifier at any time, and
/// the queue ends when it is removed.
#[derive(Debug)]
pub struct Queue {
    id: c_int,
    /// A message as the calls take it: its type, then its bytes.
    buffer: Vec<u8>,
    /// The length to which longer messages are cut.
    longest: Option<usize>,
}

/// The bytes of the type, in front of those of the message.
const HEAD: usize = size_of::<c_long>();

/// Creates a queue without any permissions; returns its identifier.
///
/// # Errors
/// EEXIST; ENOSPC if there are as many queues as there may be.
pub fn make(key: c_int) -> Result<i32, Errno> {
    get(key, NEW)
}

/// Gives a queue to this process, with these permissions and this limit for the bytes of all messages.
/// A process that may not read the queue yet can set that.
///
/// # Errors
/// EPERM for a greater limit than [`max_bytes_limit`].
pub fn grant(id: i32, mode: u32, max_bytes: u64) -> Result<(), Errno> {
    let mut state = zeroed_state();
    state.msg_qbytes = max_bytes;
    state.msg_perm.uid = geteuid().as_raw();
    state.msg_perm.gid = getegid().as_raw();
    state.msg_perm.mode = mode as _;
    set_state(id, state)
}

impl Queue {
    /// Finds an existing queue. The kernel checks permissions in the calls that follow.
    ///
    /// # Errors
    /// ENOENT if there is none.
    pub fn open(target: Target) -> Result<Self, Errno> {
        target.find(|key| get(key, 0), |id| Self::of_id(id).state()).map(Self::of_id)
    }

    /// The queue with this identifier.
    pub fn of_id(id: i32) -> Self {
        Self { id, buffer: Vec::new(), longest: None }
    }

    /// Its identifier.
    pub fn id(&self) -> i32 {
        self.id
    }

    /// Its line in the kernel's table, which every process may read.
    ///
    /// # Errors
    /// ENOENT if it has been removed.
    pub fn row(&self) -> Result<Row, Errno> {
        system_v::row("msg", self.id)
    }

    /// Removes it. Processes that wait at it fail with EIDRM.
    pub fn remove(&self) -> Result<(), Errno> {
        // SAFETY: this command takes no structure.
        Errno::check(unsafe { libc::msgctl(self.id, libc::IPC_RMID, std::ptr::null_mut()) })
    }

    /// The number of its messages.
    ///
    /// # Errors
    /// EACCES for a process that may not receive.
    pub fn messages(&self) -> Result<u64, Errno> {
        Ok(self.state()?.msg_qnum)
    }

    /// The bytes that all its messages may have.
    ///
    /// # Errors
    /// As [`Queue::messages`].
    pub fn max_bytes(&self) -> Result<u64, Errno> {
        Ok(self.state()?.msg_qbytes)
    }

    fn state(&self) -> Result<libc::msqid_ds, Errno> {
        let mut state = zeroed_state();
        // SAFETY: the kernel writes the structure, which lives through the call.
        Errno::check(unsafe { libc::msgctl(self.id, libc::IPC_STAT, &raw mut state) })
            .map_err(removed)?;
        Ok(state)
    }

    /// Cuts longer messages to this length when they are received: MSG_NOERROR of msgrcv(2).
    pub fn cut_at(&mut self, length: usize) {
        self.longest = Some(length);
    }

    /// Prepares a message of a type from 1 up for [`Queue::send`].
    ///
    /// # Errors
    /// ENOMEM.
    pub fn prepare(&mut self, message: &[u8], kind: i64) -> Result<(), Errno> {
        self.buffer.clear();
        self.buffer.extend_from_slice(&(kind as c_long).to_ne_bytes());
        heap::append(&mut self.buffer, message)
    }

    /// Sends the message that was prepared: msgsnd(2).
    ///
    /// # Errors
    /// EAGAIN if there is no room; EIDRM if the queue has been removed; EINVAL for a message that is
    /// too long.
    pub fn send(&self, attempt: Attempt) -> Result<(), Errno> {
        let bytes = self.buffer.len() - HEAD;
        // SAFETY: the buffer has a type and this many bytes behind it.
        Errno::check(unsafe {
            libc::msgsnd(self.id, self.buffer.as_ptr().cast(), bytes, nowait(attempt))
        })
        .map_err(|errno| match errno {
            Errno(libc::EINVAL) => self.state().err().unwrap_or(errno),
            errno => errno,
        })
    }

    /// Receives a message, if there is one such. Its bytes are in [`Queue::message`].
    pub fn try_receive(&mut self, selection: Selection) -> Result<Option<Received>, Errno> {
        let (number, flag) = selection.arguments();
        self.receive(number, flag | libc::IPC_NOWAIT)
    }

    /// Waits for a message and receives it. A removed queue ends the wait.
    pub fn wait_and_receive(&mut self, selection: Selection) -> Result<Option<Received>, Errno> {
        let (number, flag) = selection.arguments();
        self.receive(number, flag)
    }

    /// Copies the message with this index, of which the oldest has 0; the message stays.
    ///
    /// # Errors
    /// ENOSYS if this kernel cannot; E2BIG if it was sent when longer messages were allowed.
    pub fn peek(&mut self, index: u32) -> Result<Option<Received>, Errno> {
        match self.receive(index.into(), libc::MSG_COPY | libc::IPC_NOWAIT) {
            // The kernel returns EINVAL in both cases.
            Err(Errno(libc::EIDRM)) if self.state().is_ok() => Err(Errno(libc::E2BIG)),
            copied => copied,
        }
    }

    fn receive(&mut self, number: c_long, flags: c_int) -> Result<Option<Received>, Errno> {
        self.make_room()?;
        loop {
            let all = self.buffer.len() - HEAD;
            // One byte more shows that a message was longer.
            let room = self.longest.map_or(all, |longest| all.min(longest.saturating_add(1)));
            let cuts = self.longest.is_some_and(|longest| room > longest);
            let flags = if cuts { flags | libc::MSG_NOERROR } else { flags };
            let buffer = self.buffer.as_mut_ptr().cast();
            // SAFETY: the buffer has room for a type and this many bytes behind it.
            let result = unsafe { libc::msgrcv(self.id, buffer, room, number, flags) };
            match (usize::try_from(result), Errno::last()) {
                (Ok(length), _) => return Ok(Some(self.received(length))),
                (_, Errno(libc::ENOMSG)) => return Ok(None),
                (_, Errno(libc::EINTR)) => {}
                // It was sent when longer messages were allowed.
                (_, Errno(libc::E2BIG)) => heap::lengthen(&mut self.buffer, HEAD + all * 2)?,
                (_, errno) => return Err(removed(errno)),
            }
        }
    }

    /// Allocates memory for the longest message that there may be.
    pub fn make_room(&mut self) -> Result<(), Errno> {
        if self.buffer.len() <= HEAD {
            let longest = message_limit() as usize;
            heap::lengthen(&mut self.buffer, HEAD + longest)?;
        }
        Ok(())
    }

    fn received(&self, length: usize) -> Received {
        let (head, _) = self.buffer.split_first_chunk().expect("the buffer has room for the type");
        let longest = self.longest.unwrap_or(length);
        Received {
            length: length.min(longest),
            kind: c_long::from_ne_bytes(*head),
            is_cut: length > longest,
        }
    }

    /// The length of the longest message that there is memory for.
    pub fn room(&self) -> usize {
        self.buffer.len().saturating_sub(HEAD)
    }

    /// The bytes of the message that was received last, which had this length.
    pub fn message(&self, length: usize) -> &[u8] {
        &self.buffer[HEAD..HEAD + length]
    }

    /// Looks for a message by receiving one that has no bytes. A message that has some stays, and the
    /// kernel reports that it is too long: `None`. A message without bytes leaves the queue; its type
    /// is returned.
    ///
    /// # Errors
    /// EAGAIN if there is no such message; EIDRM if the queue has been removed.
    pub fn look(&self, selection: Selection, attempt: Attempt) -> Result<Option<i64>, Errno> {
        let (number, flag) = selection.arguments();
        let mut head: c_long = 0;
        let flags = flag | nowait(attempt);
        // SAFETY: there is room for the type, and for no bytes.
        let result = unsafe { libc::msgrcv(self.id, (&raw mut head).cast(), 0, number, flags) };
        match (result, Errno::last()) {
            (0, _) => Ok(Some(head)),
            (_, Errno(libc::E2BIG)) => Ok(None),
            (_, Errno(libc::ENOMSG)) => Err(Errno(libc::EAGAIN)),
            (_, errno) => Err(removed(errno)),
        }
    }
}

fn set_state(id: c_int, mut state: libc::msqid_ds) -> Result<(), Errno> {
    // SAFETY: the kernel reads the structure, which lives through the call.
    Errno::check(unsafe { libc::msgctl(id, libc::IPC_SET, &raw mut state) })
}

fn nowait(attempt: Attempt) -> c_int {
    if attempt == Attempt::Nonblocking { libc::IPC_NOWAIT } else { 0 }
}

/// The length of the longest message that any queue takes: kernel.msgmax.
pub fn message_limit() -> u64 {
    info().msgmax as u64
}

/// The bytes that the messages of a queue may have, unless a privileged process sets another limit:
/// kernel.msgmnb.
pub fn max_bytes_limit() -> u64 {
    info().msgmnb as u64
}

/// The greatest number of queues: kernel.msgmni.
pub fn queues_limit() -> u64 {
    info().msgmni as u64
}

/// The limits of the kernel: IPC_INFO of msgctl(2), which needs no /proc.
fn info() -> libc::msginfo {
    let mut info = MaybeUninit::<libc::msginfo>::zeroed();
    // SAFETY: the kernel writes the structure, which lives through the call. A kernel without System V
    // objects leaves the zeros of which it consists, and has no queue for them to apply to.
    unsafe { libc::msgctl(0, libc::IPC_INFO, info.as_mut_ptr().cast()) };
    // SAFETY: all zeros are valid, and so is what the kernel writes.
    unsafe { info.assume_init() }
}

fn zeroed_state() -> libc::msqid_ds {
    // SAFETY: the structure consists of numbers, for which zero is valid.
    unsafe { MaybeUninit::zeroed().assume_init() }
}

/// All queues of this IPC namespace: key, msqid, perms, cbytes, qnum, lspid, lrpid, uid, gid, cuid,
/// cgid, stime, rtime and ctime.
pub fn list() -> Result<Vec<Row>, Errno> {
    system_v::table("msg")
}

/// The kernel returns EINVAL for an identifier without a queue.
fn removed(errno: Errno) -> Errno {
    if errno == Errno(libc::EINVAL) { Errno(libc::EIDRM) } else { errno }
}

fn get(key: c_int, flags: c_int) -> Result<c_int, Errno> {
    // SAFETY: the call takes numbers only.
    let id = unsafe { libc::msgget(key, flags) };
    if id < 0 { Err(Errno::last()) } else { Ok(id) }
}
