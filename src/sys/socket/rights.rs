//! Messages that carry descriptors: SCM_RIGHTS of unix(7), sendmsg(2), recvmsg(2).

use std::io::IoSlice;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};

use nix::sys::socket::{self, MsgFlags};

use super::{Socket, messages};
use crate::base::errno::Errno;

/// The maximum number of descriptors in one message: SCM_MAX_FD of the kernel.
pub const RIGHTS_MAX: usize = 253;

/// The room for the control messages of a message, in words: so many descriptors, and what the kernel
/// adds.
const ROOM: usize = (RIGHTS_MAX * size_of::<RawFd>()).div_ceil(size_of::<u64>()) + 32;

/// A message that was received, without its bytes.
#[derive(Debug)]
pub struct Carried {
    /// The number of bytes; 0 also at the end.
    pub size: usize,
    /// Whether the message is longer than the buffer; the rest is lost then.
    pub is_truncated: bool,
    /// The descriptors, which close on exec.
    pub descriptors: Vec<OwnedFd>,
    /// The user of the sender, after [`Socket::receive_credentials`].
    pub uid: Option<u32>,
    /// Whether there were more descriptors, which the kernel closed: this process may have no more.
    pub is_cut: bool,
}

impl Socket {
    /// Sends one message of these parts, with these descriptors.
    ///
    /// # Errors
    /// As for [`Socket::send`]; EINVAL for more than [`RIGHTS_MAX`] descriptors; ETOOMANYREFS if too
    /// many descriptors of this user are in messages that were not received.
    pub fn send_with(&self, parts: &[&[u8]], descriptors: &[BorrowedFd<'_>]) -> Result<(), Errno> {
        if descriptors.len() > RIGHTS_MAX {
            return Err(Errno(libc::EINVAL));
        }
        let mut parts: Vec<IoSlice<'_>> = parts.iter().map(|part| IoSlice::new(part)).collect();
        let mut room = [0_u64; ROOM];
        // SAFETY: zeros are a valid header: no address, no parts, no control buffer.
        let mut header: libc::msghdr = unsafe { MaybeUninit::zeroed().assume_init() };
        // An `IoSlice` is a `iovec` in memory.
        header.msg_iov = parts.as_mut_ptr().cast();
        header.msg_iovlen = parts.len() as _;
        if !descriptors.is_empty() {
            header.msg_control = room.as_mut_ptr().cast();
            header.msg_controllen = size_of_val(&room) as _;
            // SAFETY: the control buffer has room for so many descriptors, and is aligned for a header.
            header.msg_controllen = unsafe { write_rights(&header, descriptors) } as _;
        }
        loop {
            // SAFETY: the parts and the control buffer live through the call, and have these sizes.
            let sent = unsafe { libc::sendmsg(self.0.as_raw_fd(), &header, libc::MSG_NOSIGNAL) };
            match (sent, Errno::last()) {
                (0.., _) => return Ok(()),
                (_, Errno(libc::EINTR)) => {}
                (_, errno) => return Err(errno),
            }
        }
    }

    /// Receives the next message, with its descriptors.
    ///
    /// # Errors
    /// EAGAIN if it is non-blocking and no message is there.
    pub fn receive_with(&self, buffer: &mut [u8]) -> Result<Carried, Errno> {
        let mut room = [0; ROOM];
        let part = messages::receive(&self.0, buffer, &mut room, MsgFlags::empty())?;
        let messages::Part { size, is_truncated, is_cut, descriptors, uid, .. } = part;
        Ok(Carried { size, is_truncated, descriptors, uid, is_cut })
    }

    /// Copies the beginning of the next message, which stays; returns the number of bytes.
    ///
    /// # Errors
    /// EAGAIN if it is non-blocking and no message is there.
    pub fn peek(&self, buffer: &mut [u8]) -> Result<usize, Errno> {
        Ok(socket::recv(self.0.as_raw_fd(), buffer, MsgFlags::MSG_PEEK)?)
    }
}

/// Writes the control message of these descriptors, and returns the length of the control messages.
///
/// # Safety
/// The control buffer of the header has room for it, and is aligned for the header of such a message.
unsafe fn write_rights(header: &libc::msghdr, descriptors: &[BorrowedFd<'_>]) -> usize {
    let size = size_of_val(descriptors) as u32;
    // SAFETY: the caller guarantees that the control buffer is valid.
    let mark = unsafe { libc::CMSG_FIRSTHDR(header) };
    // SAFETY: the call takes a number.
    let length = unsafe { libc::CMSG_LEN(size) };
    // SAFETY: it points to the beginning of the control buffer, which has room for a header.
    let message = unsafe { &mut *mark };
    message.cmsg_level = libc::SOL_SOCKET;
    message.cmsg_type = libc::SCM_RIGHTS;
    message.cmsg_len = length as _;
    // SAFETY: as for the header.
    let contents = unsafe { libc::CMSG_DATA(mark) }.cast::<RawFd>();
    for (index, descriptor) in descriptors.iter().enumerate() {
        // SAFETY: the buffer has room for all descriptors.
        let element = unsafe { contents.add(index) };
        // SAFETY: it points into the buffer, with any alignment.
        unsafe { element.write_unaligned(descriptor.as_raw_fd()) };
    }
    // SAFETY: the call takes a number.
    unsafe { libc::CMSG_SPACE(size) as usize }
}
