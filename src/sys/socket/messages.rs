//! What goes through sockets: send(2), recv(2).

use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

use nix::sys::socket::{self, MsgFlags};

use super::Socket;
use crate::base::errno::Errno;
use crate::sys::heap;

/// A message that was received.
pub struct Message<'a> {
    /// What it says.
    pub bytes: &'a [u8],
    /// Where an answer goes, if it can.
    pub sender: Option<Sender>,
    /// The user who sent it, where that was asked for.
    pub uid: Option<u32>,
}

/// Where a message came from.
pub struct Sender {
    address: MaybeUninit<libc::sockaddr_storage>,
    length: libc::socklen_t,
}

impl Socket {
    /// Sends one message, or as much of a stream as is taken.
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

    /// Sends one message whole, for which it lets the socket hold more if that is needed.
    ///
    /// # Errors
    /// As for [`Socket::send`]; EMSGSIZE if the limits of the system do not allow as much.
    pub fn send_message(&self, message: &[u8]) -> Result<(), Errno> {
        match self.send(message) {
            Err(Errno(libc::EMSGSIZE)) if self.make_room_for(message.len()).is_ok() => {
                self.send(message).map(drop)
            }
            result => result.map(drop),
        }
    }

    /// Answers who sent a message.
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

    /// Receives what there is of a stream; 0 is the end.
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

    /// Receives the next message, whatever its size, into a buffer that grows for it; `None` at
    /// the end. The socket's messages are marked: [`Socket::mark_messages`].
    ///
    /// # Errors
    /// EAGAIN if it is non-blocking and nothing is there; EMSGSIZE if another process, which has
    /// the socket as well, took the message, and the next was longer and is cut off.
    pub fn receive_message<'a>(&self, buffer: &'a mut Vec<u8>) -> Result<Option<&'a [u8]>, Errno> {
        Ok(self.receive_message_from(buffer)?.map(|message| message.bytes))
    }

    /// The same, and who sent it.
    pub fn receive_message_from<'a>(
        &self,
        buffer: &'a mut Vec<u8>,
    ) -> Result<Option<Message<'a>>, Errno> {
        let looked = self.receive_part(&mut [], MsgFlags::MSG_PEEK | MsgFlags::MSG_TRUNC)?;
        let Some(Part { size, .. }) = looked else { return Ok(None) };
        if buffer.len() < size {
            heap::lengthen(buffer, size.next_power_of_two())?;
        }
        match self.receive_part(buffer, MsgFlags::empty())? {
            Some(part) if part.is_cut => Err(Errno(libc::EMSGSIZE)),
            part => Ok(part.map(|Part { size, sender, uid, .. }| Message {
                bytes: &buffer[..size],
                sender,
                uid,
            })),
        }
    }

    /// Receives a marked message, or looks at it; `None` at the end.
    fn receive_part(&self, buffer: &mut [u8], flags: MsgFlags) -> Result<Option<Part>, Errno> {
        let mut sender = Sender { address: MaybeUninit::zeroed(), length: 0 };
        let mut room = [0_u64; 16];
        let mut part = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: buffer.len() };
        // SAFETY: zeros are a value of it: no address, no parts, no room for marks.
        let mut header: libc::msghdr = unsafe { MaybeUninit::zeroed().assume_init() };
        header.msg_name = sender.address.as_mut_ptr().cast();
        header.msg_namelen = size_of::<libc::sockaddr_storage>() as libc::socklen_t;
        header.msg_iov = &raw mut part;
        header.msg_iovlen = 1;
        header.msg_control = room.as_mut_ptr().cast();
        header.msg_controllen = size_of_val(&room) as _;
        let flags = flags.bits() | libc::MSG_CMSG_CLOEXEC;
        let size = loop {
            // SAFETY: the header points to places that live through the call, with their sizes.
            let size = unsafe { libc::recvmsg(self.0.as_raw_fd(), &raw mut header, flags) };
            match usize::try_from(size) {
                Ok(size) => break size,
                Err(_) if Errno::last() == Errno(libc::EINTR) => {}
                Err(_) => return Err(Errno::last()),
            }
        };
        sender.length = header.msg_namelen;
        let is_marked = header.msg_controllen != 0;
        // SAFETY: the kernel has filled the header, and the room is still there.
        let uid = unsafe { read_marks(&header) };
        let sender = (sender.length as usize > size_of::<libc::sa_family_t>()).then_some(sender);
        let is_cut = header.msg_flags & libc::MSG_TRUNC != 0;
        Ok((is_marked || size > 0).then_some(Part { size, is_cut, sender, uid }))
    }
}

/// What recvmsg(2) told besides the bytes.
struct Part {
    size: usize,
    /// Whether the message is longer, and the rest of it lost.
    is_cut: bool,
    sender: Option<Sender>,
    uid: Option<u32>,
}

/// Reads what came along with a message: the user who sent it, if the kernel told. Descriptors that
/// somebody sent along, which nobody asked for, are closed.
///
/// # Safety
/// The kernel has filled the header, and the room for marks that it points to is still there.
unsafe fn read_marks(header: &libc::msghdr) -> Option<u32> {
    let mut uid = None;
    // SAFETY: the caller promises as much as it needs.
    let mut mark = unsafe { libc::CMSG_FIRSTHDR(header) };
    // SAFETY: it is null, or points to a mark in that room.
    while let Some(found) = unsafe { mark.as_ref() } {
        // SAFETY: this is where its contents begin.
        let contents = unsafe { libc::CMSG_DATA(mark) };
        match (found.cmsg_level, found.cmsg_type) {
            (libc::SOL_SOCKET, libc::SCM_CREDENTIALS) => {
                // SAFETY: marks of this type have these contents, whatever their alignment.
                let credentials = unsafe { contents.cast::<libc::ucred>().read_unaligned() };
                uid = Some(credentials.uid);
            }
            (libc::SOL_SOCKET, libc::SCM_RIGHTS) => {
                let (before, length) = (contents.addr() - mark.addr(), found.cmsg_len as _);
                let length: usize = length;
                let count = (length - before) / size_of::<RawFd>();
                // SAFETY: marks of this type have descriptors up to their end, made for us.
                unsafe { close_all(contents.cast(), count) };
            }
            _ => {}
        }
        // SAFETY: as for the first.
        mark = unsafe { libc::CMSG_NXTHDR(header, mark) };
    }
    uid
}

/// Closes the descriptors that the kernel has just made for a message.
///
/// # Safety
/// There are so many of them, and nobody else knows their numbers.
unsafe fn close_all(first: *const RawFd, count: usize) {
    for index in 0..count {
        // SAFETY: there are so many of them.
        let place = unsafe { first.add(index) };
        // SAFETY: it is one of them, whatever its alignment.
        let fd = unsafe { place.read_unaligned() };
        // SAFETY: nobody else knows the number.
        drop(unsafe { OwnedFd::from_raw_fd(fd) });
    }
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
    fn a_message_that_is_cut_off_is_known_to_be() {
        let (near, far) = pair();
        near.send(b"whole").unwrap();
        near.send(b"whole").unwrap();
        let cut = far.receive_part(&mut [0; 4], MsgFlags::empty()).unwrap().unwrap();
        assert!(cut.is_cut);
        let whole = far.receive_part(&mut [0; 5], MsgFlags::empty()).unwrap().unwrap();
        assert!(!whole.is_cut);
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
        // The last of its writers is gone.
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
