//! Sending and receiving: send(2), recv(2).

use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

use nix::sys::socket::{self, MsgFlags};

use super::Socket;
use crate::base::errno::Errno;
use crate::sys::heap;

/// A message that was received.
pub struct Message<'a> {
    /// Its content.
    pub bytes: &'a [u8],
    /// The sender, if it has an address.
    pub sender: Option<Sender>,
    /// The user of the sender, after [`Socket::receive_credentials`].
    pub uid: Option<u32>,
}

/// The address of a sender.
pub struct Sender {
    address: MaybeUninit<libc::sockaddr_storage>,
    length: libc::socklen_t,
}

impl Socket {
    /// Sends one message, or the bytes of a stream that there is room for.
    ///
    /// # Errors
    /// EAGAIN if it is non-blocking and full; EPIPE if the peer has left; EMSGSIZE if a message is
    /// longer than the socket takes.
    pub fn send(&self, bytes: &[u8]) -> Result<usize, Errno> {
        loop {
            match socket::send(self.0.as_raw_fd(), bytes, MsgFlags::MSG_NOSIGNAL) {
                Err(nix::errno::Errno::EINTR) => {}
                result => return Ok(result?),
            }
        }
    }

    /// Sends one whole message, and enlarges the send buffer if needed.
    ///
    /// # Errors
    /// As for [`Socket::send`]; EMSGSIZE if a limit of the system does not allow the size.
    pub fn send_message(&self, message: &[u8]) -> Result<(), Errno> {
        match self.send(message) {
            Err(Errno(libc::EMSGSIZE)) if self.make_room_for(message.len()).is_ok() => {
                self.send(message).map(drop)
            }
            result => result.map(drop),
        }
    }

    /// Sends a message to the sender of another.
    pub fn answer(&self, message: &[u8], sender: &Sender) -> Result<(), Errno> {
        loop {
            // SAFETY: the message and the address live through the call, with their sizes.
            let sent = unsafe {
                libc::sendto(
                    self.0.as_raw_fd(),
                    message.as_ptr().cast(),
                    message.len(),
                    libc::MSG_NOSIGNAL,
                    sender.address.as_ptr().cast(),
                    sender.length,
                )
            };
            match (sent, Errno::last()) {
                (0.., _) => return Ok(()),
                (_, Errno(libc::EINTR)) => {}
                (_, errno) => return Err(errno),
            }
        }
    }

    /// Receives the bytes of a stream that are there; 0 at the end.
    ///
    /// # Errors
    /// EAGAIN if it is non-blocking and nothing is there.
    pub fn receive(&self, buffer: &mut [u8]) -> Result<usize, Errno> {
        loop {
            match socket::recv(self.0.as_raw_fd(), buffer, MsgFlags::empty()) {
                Err(nix::errno::Errno::EINTR) => {}
                result => return Ok(result?),
            }
        }
    }

    /// Receives the next message, of any size, into a buffer that grows for it; `None` at the end.
    /// Requires [`Socket::mark_messages`].
    ///
    /// # Errors
    /// EAGAIN if it is non-blocking and no message is there; EMSGSIZE if another process that has the
    /// socket received the message, and the next one was longer and is truncated.
    pub fn receive_message<'a>(&self, buffer: &'a mut Vec<u8>) -> Result<Option<&'a [u8]>, Errno> {
        Ok(self.receive_message_from(buffer)?.map(|message| message.bytes))
    }

    /// The same, with the sender.
    pub fn receive_message_from<'a>(
        &self,
        buffer: &'a mut Vec<u8>,
    ) -> Result<Option<Message<'a>>, Errno> {
        let peeked = self.receive_part(&mut [], MsgFlags::MSG_PEEK | MsgFlags::MSG_TRUNC)?;
        let Some(Part { size, .. }) = peeked else { return Ok(None) };
        if buffer.len() < size {
            heap::lengthen(buffer, size.next_power_of_two())?;
        }
        match self.receive_part(buffer, MsgFlags::empty())? {
            Some(part) if part.is_truncated => Err(Errno(libc::EMSGSIZE)),
            part => Ok(part.map(|Part { size, sender, uid, .. }| Message {
                bytes: &buffer[..size],
                sender,
                uid,
            })),
        }
    }

    /// Receives or peeks at a marked message; `None` at the end. Descriptors that a sender passed are
    /// closed, as no caller of this expects them.
    fn receive_part(&self, buffer: &mut [u8], flags: MsgFlags) -> Result<Option<Part>, Errno> {
        let mut room = [0_u64; 16];
        let part = receive(&self.0, buffer, &mut room, flags)?;
        Ok((part.is_marked || part.size > 0).then_some(part))
    }
}

/// The result of recvmsg(2), without the bytes.
pub(super) struct Part {
    pub(super) size: usize,
    /// Whether the message is longer; the rest is lost then.
    pub(super) is_truncated: bool,
    /// Whether the kernel dropped control messages, for which there was no room or no descriptor.
    pub(super) is_cut: bool,
    /// Whether it came with a control message.
    is_marked: bool,
    sender: Option<Sender>,
    pub(super) uid: Option<u32>,
    /// The descriptors that the sender passed.
    pub(super) descriptors: Vec<OwnedFd>,
}

/// Receives or peeks at a message, with its control messages in `room`.
pub(super) fn receive(
    socket: &OwnedFd,
    buffer: &mut [u8],
    room: &mut [u64],
    flags: MsgFlags,
) -> Result<Part, Errno> {
    let mut sender = Sender { address: MaybeUninit::zeroed(), length: 0 };
    let mut part = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: buffer.len() };
    // SAFETY: zeros are a valid header: no address, no parts, no control buffer.
    let mut header: libc::msghdr = unsafe { MaybeUninit::zeroed().assume_init() };
    header.msg_name = sender.address.as_mut_ptr().cast();
    header.msg_namelen = size_of::<libc::sockaddr_storage>() as libc::socklen_t;
    header.msg_iov = &raw mut part;
    header.msg_iovlen = 1;
    header.msg_control = room.as_mut_ptr().cast();
    header.msg_controllen = size_of_val(room) as _;
    let flags = flags.bits() | libc::MSG_CMSG_CLOEXEC;
    let size = loop {
        // SAFETY: the buffers of the header live through the call, and have these sizes.
        let size = unsafe { libc::recvmsg(socket.as_raw_fd(), &raw mut header, flags) };
        match usize::try_from(size) {
            Ok(size) => break size,
            Err(_) if Errno::last() == Errno(libc::EINTR) => {}
            Err(_) => return Err(Errno::last()),
        }
    };
    sender.length = header.msg_namelen;
    // SAFETY: the kernel has filled the header, and the control buffer lives.
    let Marks { uid, descriptors } = unsafe { read_marks(&header) };
    Ok(Part {
        size,
        is_truncated: header.msg_flags & libc::MSG_TRUNC != 0,
        is_cut: header.msg_flags & libc::MSG_CTRUNC != 0,
        is_marked: header.msg_controllen != 0,
        sender: (sender.length as usize > size_of::<libc::sa_family_t>()).then_some(sender),
        uid,
        descriptors,
    })
}

/// The control messages of a message.
#[derive(Default)]
struct Marks {
    /// The user of the sender, if the kernel added it.
    uid: Option<u32>,
    /// The descriptors that the sender passed.
    descriptors: Vec<OwnedFd>,
}

/// Reads the control messages, and takes over the descriptors in them.
///
/// # Safety
/// The kernel has just filled the header, and the control buffer that it points to is valid.
unsafe fn read_marks(header: &libc::msghdr) -> Marks {
    let mut marks = Marks::default();
    // SAFETY: the caller guarantees that the header and its buffer are valid.
    let mut mark = unsafe { libc::CMSG_FIRSTHDR(header) };
    // SAFETY: it is null, or points to a control message in that buffer.
    while let Some(found) = unsafe { mark.as_ref() } {
        // SAFETY: `mark` points to a control message.
        let contents = unsafe { libc::CMSG_DATA(mark) };
        match (found.cmsg_level, found.cmsg_type) {
            (libc::SOL_SOCKET, libc::SCM_CREDENTIALS) => {
                // SAFETY: control messages of this type have this content, with any alignment.
                let credentials = unsafe { contents.cast::<libc::ucred>().read_unaligned() };
                marks.uid = Some(credentials.uid);
            }
            (libc::SOL_SOCKET, libc::SCM_RIGHTS) => {
                let (before, length) = (contents.addr() - mark.addr(), found.cmsg_len as _);
                let length: usize = length;
                let count = (length - before) / size_of::<RawFd>();
                // SAFETY: control messages of this type have new descriptors up to their end.
                marks.descriptors.extend(unsafe { take_all(contents.cast(), count) });
            }
            _ => {}
        }
        // SAFETY: as for the first.
        mark = unsafe { libc::CMSG_NXTHDR(header, mark) };
    }
    marks
}

/// Takes over the descriptors that the kernel has just made for a message.
///
/// # Safety
/// There are `count` descriptors, and nothing else owns them.
unsafe fn take_all(first: *const RawFd, count: usize) -> Vec<OwnedFd> {
    let take = |index| {
        // SAFETY: the array has `count` elements.
        let element = unsafe { first.add(index) };
        // SAFETY: it points to an element, with any alignment.
        let fd = unsafe { element.read_unaligned() };
        // SAFETY: nothing else owns the descriptor.
        unsafe { OwnedFd::from_raw_fd(fd) }
    };
    (0..count).map(take).collect()
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;

    use nix::sys::socket::{ControlMessage, sendmsg};

    use super::*;
    use crate::sys::socket::SocketType;

    fn pair() -> (Socket, Socket) {
        let (near, far) = Socket::pair(SocketType::Seqpacket).unwrap();
        far.mark_messages().unwrap();
        (near, far)
    }

    #[test]
    fn a_truncated_message_is_detected() {
        let (near, far) = pair();
        near.send(b"whole").unwrap();
        near.send(b"whole").unwrap();
        let cut = far.receive_part(&mut [0; 4], MsgFlags::empty()).unwrap().unwrap();
        assert!(cut.is_truncated);
        let whole = far.receive_part(&mut [0; 5], MsgFlags::empty()).unwrap().unwrap();
        assert!(!whole.is_truncated);
    }

    #[test]
    fn descriptors_that_are_sent_along_are_closed() {
        let (near, far) = pair();
        let (reader, writer) = nix::unistd::pipe().unwrap();
        let rights = [writer.as_raw_fd(); 20];
        let parts = [std::io::IoSlice::new(b"take these")];
        let control = [ControlMessage::ScmRights(&rights)];
        sendmsg::<()>(near.0.as_raw_fd(), &parts, &control, MsgFlags::empty(), None).unwrap();
        drop(writer);
        let message = far.receive_message(&mut Vec::new()).unwrap().map(<[u8]>::to_vec);
        assert_eq!(message.as_deref(), Some(b"take these".as_slice()));
        // Every writer is closed.
        assert_eq!(nix::unistd::read(reader.as_fd(), &mut [0]), Ok(0));
    }

    #[test]
    fn an_empty_message_is_not_the_end() {
        let (near, far) = pair();
        near.send(b"").unwrap();
        drop(near);
        assert_eq!(far.receive_message(&mut Vec::new()), Ok(Some(b"".as_slice())));
        assert_eq!(far.receive_message(&mut Vec::new()), Ok(None));
    }
}
