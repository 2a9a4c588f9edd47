//! System V message queues: sysvipc(7), msgop(2).

use std::ffi::{c_int, c_long};
use std::mem::MaybeUninit;

use nix::unistd::{getegid, geteuid};

use super::heap;
use super::interrupt::{self, Attempt};
use super::system_v::{self, Kind, NEW, Row, Target, Unfinished};
use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;

/// Which message to take.
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
    /// Whether a message of this type may be taken.
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

/// A message that was taken from a queue, or copied.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Taken {
    /// Its length, in bytes.
    pub length: usize,
    /// Its type.
    pub kind: i64,
}

/// A queue. The kernel has no handles to these: any process may use an identifier at any time, and
/// the queue ends when it is removed.
#[derive(Debug)]
pub struct Queue {
    id: c_int,
    /// A message as the calls take it: its type, then its bytes.
    buffer: Vec<u8>,
    /// The type of an empty message that had to be taken to see it.
    seen: Option<i64>,
}

/// What stands before the bytes of a message.
const HEAD: usize = size_of::<c_long>();

impl Queue {
    /// Creates a queue with exactly these permissions, in which the umask has no say, and with
    /// another limit than is usual, if there is one. No queue is left if that fails, or if HUP, INT
    /// or TERM end the process meanwhile.
    ///
    /// It is made without any permission, and one change gives it all that it shall have: a queue
    /// without permissions is unfinished, and nobody but privileged processes can use it.
    ///
    /// # Errors
    /// EEXIST; ENOSPC if there are as many queues as there may be; EINVAL for an identifier; and
    /// those of [`Queue::set_max_bytes`].
    pub fn create(target: Target, mode: u32, max_bytes: Option<u64>) -> Result<Self, Errno> {
        let key = target.new_key()?;
        // Those who may not read the queue yet cannot ask for the bytes that it has at first.
        let bytes = max_bytes.unwrap_or_else(max_bytes_limit);
        let made = Unfinished::make(Kind::Queue, || get(key, NEW))?;
        let mut state = zeroed_state();
        state.msg_qbytes = bytes;
        state.msg_perm.uid = geteuid().as_raw();
        state.msg_perm.gid = getegid().as_raw();
        state.msg_perm.mode = mode as _;
        Self::set_state(made.id(), state)?;
        Ok(Self::new(made.keep()))
    }

    /// Finds an existing queue. Permission is asked for by what is then done.
    ///
    /// # Errors
    /// ENOENT if there is none.
    pub fn open(target: Target) -> Result<Self, Errno> {
        target.find(|key| get(key, 0), |id| Self::new(id).state()).map(Self::new)
    }

    fn new(id: c_int) -> Self {
        Self { id, buffer: Vec::new(), seen: None }
    }

    /// Its identifier.
    pub fn id(&self) -> i32 {
        self.id
    }

    /// Its line in the kernel's table, whoever may read the queue itself.
    ///
    /// # Errors
    /// ENOENT if it has been removed.
    pub fn row(&self) -> Result<Row, Errno> {
        system_v::row("msg", self.id)
    }

    /// Removes it. Those who wait are told with EIDRM.
    pub fn remove(&self) -> Result<(), Errno> {
        // SAFETY: this command takes no structure.
        Errno::check(unsafe { libc::msgctl(self.id, libc::IPC_RMID, std::ptr::null_mut()) })
    }

    /// How many messages wait in it.
    ///
    /// # Errors
    /// EACCES for those who may not receive.
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

    /// Sets the bytes that all its messages may have.
    ///
    /// # Errors
    /// EPERM for those who are neither its owner nor its maker, or who would raise it above the
    /// limit of the kernel, which is [`max_bytes_limit`].
    pub fn set_max_bytes(&self, bytes: u64) -> Result<(), Errno> {
        self.change(|state| state.msg_qbytes = bytes)
    }

    fn change(&self, change: impl FnOnce(&mut libc::msqid_ds)) -> Result<(), Errno> {
        let mut state = self.state()?;
        change(&mut state);
        Self::set_state(self.id, state)
    }

    fn set_state(id: c_int, mut state: libc::msqid_ds) -> Result<(), Errno> {
        // SAFETY: the kernel reads the structure, which lives through the call.
        Errno::check(unsafe { libc::msgctl(id, libc::IPC_SET, &raw mut state) })
    }

    fn state(&self) -> Result<libc::msqid_ds, Errno> {
        let mut state = zeroed_state();
        // SAFETY: the kernel writes the structure, which lives through the call.
        Errno::check(unsafe { libc::msgctl(self.id, libc::IPC_STAT, &raw mut state) })
            .map_err(removed)?;
        Ok(state)
    }

    /// The longest message that can be sent to it.
    pub fn limit(&self) -> usize {
        let longest = message_limit();
        // A longer one than the queue holds would wait for ever.
        self.max_bytes().map_or(longest, |bytes| bytes.min(longest)) as usize
    }

    /// Sends a message of a type from 1 up, waiting for room until `deadline`.
    ///
    /// # Errors
    /// EIDRM if the queue has been removed.
    pub fn send(&mut self, message: &[u8], kind: i64, deadline: Deadline) -> Result<Waited, Errno> {
        self.send_unless(message, kind, || false, deadline)
    }

    /// The same, unless `ends` is true after a signal has interrupted the wait.
    ///
    /// # Errors
    /// Those of [`Queue::send`].
    pub fn send_unless(
        &mut self,
        message: &[u8],
        kind: i64,
        ends: impl Fn() -> bool,
        deadline: Deadline,
    ) -> Result<Waited, Errno> {
        self.buffer.clear();
        self.buffer.extend_from_slice(&(kind as c_long).to_ne_bytes());
        heap::append(&mut self.buffer, message)?;
        let sent = interrupt::until(deadline, |attempt| {
            let flags = if attempt == Attempt::Nonblocking { libc::IPC_NOWAIT } else { 0 };
            // SAFETY: the buffer has a type and this many bytes behind it.
            Errno::check(unsafe {
                libc::msgsnd(self.id, self.buffer.as_ptr().cast(), message.len(), flags)
            })
            .map_err(|errno| cancelled(errno, &ends))
        });
        sent.or_else(|errno| match errno {
            CANCELLED => Ok(Waited::TimedOut),
            // The kernel says the same of a message that is too long.
            Errno(libc::EINVAL) => Err(self.state().err().unwrap_or(errno)),
            errno => Err(errno),
        })
    }

    /// Takes a message, if there is one such. Its bytes are in [`Queue::message`].
    pub fn try_receive(&mut self, selection: Selection) -> Result<Option<Taken>, Errno> {
        if let Some(kind) = self.seen.take() {
            return Ok(Some(Taken { length: 0, kind }));
        }
        let (number, flag) = selection.arguments();
        self.receive(number, flag | libc::IPC_NOWAIT)
    }

    /// Copies the message at this place, of which the oldest is 0, and takes none.
    ///
    /// # Errors
    /// ENOSYS if this kernel cannot; E2BIG if it was sent when longer ones were allowed.
    pub fn peek(&mut self, index: u32) -> Result<Option<Taken>, Errno> {
        match self.receive(index.into(), libc::MSG_COPY | libc::IPC_NOWAIT) {
            // It says of both that an argument is invalid.
            Err(Errno(libc::EIDRM)) if self.state().is_ok() => Err(Errno(libc::E2BIG)),
            copied => copied,
        }
    }

    fn receive(&mut self, number: c_long, flags: c_int) -> Result<Option<Taken>, Errno> {
        self.make_room()?;
        loop {
            let room = self.buffer.len() - HEAD;
            let buffer = self.buffer.as_mut_ptr().cast();
            // SAFETY: the buffer has room for a type and this many bytes behind it.
            let result = unsafe { libc::msgrcv(self.id, buffer, room, number, flags) };
            match (usize::try_from(result), Errno::last()) {
                (Ok(length), _) => return Ok(Some(self.taken(length))),
                (_, Errno(libc::ENOMSG)) => return Ok(None),
                (_, Errno(libc::EINTR)) => {}
                // It was sent when longer ones were allowed.
                (_, Errno(libc::E2BIG)) => heap::lengthen(&mut self.buffer, HEAD + room * 2)?,
                (_, errno) => return Err(removed(errno)),
            }
        }
    }

    /// Has memory be there for the longest message that there may be.
    pub fn make_room(&mut self) -> Result<(), Errno> {
        if self.buffer.len() <= HEAD {
            let longest = message_limit() as usize;
            heap::lengthen(&mut self.buffer, HEAD + longest)?;
        }
        Ok(())
    }

    fn taken(&self, length: usize) -> Taken {
        let (head, _) = self.buffer.split_first_chunk().expect("the type stands there");
        Taken { length, kind: c_long::from_ne_bytes(*head) }
    }

    /// How long a message there is memory for.
    pub fn room(&self) -> usize {
        self.buffer.len().saturating_sub(HEAD)
    }

    /// The bytes of what was received last, which had this length.
    pub fn message(&self, length: usize) -> &[u8] {
        &self.buffer[HEAD..HEAD + length]
    }

    /// How many such messages there are, or `most`; `None` where the kernel does not tell without
    /// taking them.
    pub fn count(&mut self, selection: Selection, most: u64) -> Result<Option<u64>, Errno> {
        if selection == Selection::Any {
            return self.messages().map(|count| Some(count.min(most)));
        }
        let (mut count, mut index) = (0, 0);
        while count < most {
            match self.peek(index) {
                Ok(Some(message)) => count += u64::from(selection.includes(message.kind)),
                Ok(None) => break,
                Err(Errno(libc::ENOSYS | libc::E2BIG)) => return Ok(None),
                Err(errno) => return Err(errno),
            }
            index += 1;
        }
        Ok(Some(count))
    }

    /// Waits until there is such a message, and takes none.
    ///
    /// The kernel knows no such wait. But one for a message of no bytes is told of each that has
    /// some, which stays. One that has none is taken; it comes first when this queue is then
    /// received from, and [`Queue::give_back`] makes it the last for others, as dropping the queue
    /// does where there is room at once.
    pub fn wait(&mut self, selection: Selection, deadline: Deadline) -> Result<Waited, Errno> {
        self.wait_unless(selection, || false, deadline)
    }

    /// The same, unless `ends` is true after a signal has interrupted the wait.
    pub fn wait_unless(
        &mut self,
        selection: Selection,
        ends: impl Fn() -> bool,
        deadline: Deadline,
    ) -> Result<Waited, Errno> {
        let (number, flag) = selection.arguments();
        let mut head: c_long = 0;
        let waited = interrupt::until(deadline, |attempt| {
            let nowait = if attempt == Attempt::Nonblocking { libc::IPC_NOWAIT } else { 0 };
            // SAFETY: there is room for the type, and for no bytes.
            let result =
                unsafe { libc::msgrcv(self.id, (&raw mut head).cast(), 0, number, flag | nowait) };
            match (result, Errno::last()) {
                (0, _) => Ok(Some(head)),
                (_, Errno(libc::E2BIG)) => Ok(None),
                (_, Errno(libc::ENOMSG)) => Err(Errno(libc::EAGAIN)),
                (_, errno) => Err(removed(cancelled(errno, &ends))),
            }
        });
        match waited {
            Err(CANCELLED) => Ok(Waited::TimedOut),
            waited => Ok(waited?.map(|seen| self.seen = seen)),
        }
    }

    /// Puts back an empty message that had to be taken to see it, waiting for room until `deadline`.
    pub fn give_back(&mut self, deadline: Deadline) -> Result<Waited, Errno> {
        self.give_back_unless(|| false, deadline)
    }

    /// The same, unless `ends` is true after a signal has interrupted the wait.
    pub fn give_back_unless(
        &mut self,
        ends: impl Fn() -> bool,
        deadline: Deadline,
    ) -> Result<Waited, Errno> {
        let Some(kind) = self.seen else { return Ok(Waited::Done(())) };
        let sent = self.send_unless(&[], kind, ends, deadline)?;
        if sent == Waited::Done(()) {
            self.seen = None;
        }
        Ok(sent)
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        // Where there is no room there is nothing else to be done.
        let _ = self.give_back(Deadline::PASSED);
    }
}

/// The longest message that can be sent to a queue that nobody has given another limit.
pub fn limit_of_new() -> usize {
    max_bytes_limit().min(message_limit()) as usize
}

/// The longest message that the kernel takes for any queue: kernel.msgmax.
pub fn message_limit() -> u64 {
    info().msgmax as u64
}

/// The bytes that the messages of a queue may have, unless a privileged process says otherwise:
/// kernel.msgmnb.
pub fn max_bytes_limit() -> u64 {
    info().msgmnb as u64
}

/// The greatest number of queues: kernel.msgmni.
pub fn queues_limit() -> u64 {
    info().msgmni as u64
}

/// The limits of the kernel, as it has them itself: they need no /proc.
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

/// The end of a wait that the caller has asked for.
const CANCELLED: Errno = Errno(libc::ECANCELED);

/// EINTR is the end of a wait if the caller says so.
fn cancelled(errno: Errno, ends: impl Fn() -> bool) -> Errno {
    if errno == Errno(libc::EINTR) && ends() { CANCELLED } else { errno }
}

/// How it is told that there is no queue with an identifier, or not any more.
fn removed(errno: Errno) -> Errno {
    if errno == Errno(libc::EINVAL) { Errno(libc::EIDRM) } else { errno }
}

fn get(key: c_int, flags: c_int) -> Result<c_int, Errno> {
    // SAFETY: the call takes numbers only.
    let id = unsafe { libc::msgget(key, flags) };
    if id < 0 { Err(Errno::last()) } else { Ok(id) }
}
