//! The kernel's list of the sockets of this network namespace: sock_diag(7), netlink(7).

use std::os::fd::{AsRawFd, OwnedFd};

use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, recv, sendto, socket,
};

use crate::base::errno::Errno;

/// The state of a listening socket. The kernel uses the numbers of TCP for all families.
pub const LISTENING: u8 = 10;

/// From linux/sock_diag.h; libc does not define it.
const SOCK_DIAG_BY_FAMILY: u16 = 20;

/// The size of `struct nlmsghdr`.
const HEADER: usize = 16;

/// The size of the buffer for answers: that of libmnl. The kernel divides its answers into pieces that fit.
const BUFFER: usize = 8 << 10;

/// A socket to the kernel, for one list after the other.
#[derive(Debug)]
pub struct Lists {
    netlink: OwnedFd,
    buffer: Vec<u8>,
}

impl Lists {
    /// Opens the socket.
    ///
    /// # Errors
    /// EPROTONOSUPPORT from a kernel without such lists.
    pub fn open() -> Result<Self, Errno> {
        let netlink = socket(
            AddressFamily::Netlink,
            SockType::Raw,
            SockFlag::SOCK_CLOEXEC,
            SockProtocol::NetlinkSockDiag,
        )?;
        Ok(Self { netlink, buffer: vec![0; BUFFER] })
    }

    /// Sends a request in the format of a family, and calls `each` with the description of each socket.
    ///
    /// # Errors
    /// ENOENT if the kernel cannot list that family.
    pub fn dump(&mut self, request: &[u8], mut each: impl FnMut(&[u8])) -> Result<(), Errno> {
        self.ask(request)?;
        loop {
            let received = recv(self.netlink.as_raw_fd(), &mut self.buffer, MsgFlags::empty());
            let count = match received {
                Err(nix::errno::Errno::EINTR) => continue,
                result => result?,
            };
            let mut rest = &self.buffer[..count];
            if rest.is_empty() {
                return Err(Errno(libc::EPROTO));
            }
            while let Some((kind, body, after)) = next_message(rest) {
                match i32::from(kind) {
                    libc::NLMSG_DONE => return Ok(()),
                    libc::NLMSG_ERROR => {
                        let errno = number(body, 0).map_or(libc::EPROTO, |errno| -(errno as i32));
                        return Err(Errno(errno));
                    }
                    _ => each(body),
                }
                rest = after;
            }
        }
    }

    /// Sends `struct nlmsghdr` and the request.
    fn ask(&self, request: &[u8]) -> Result<(), Errno> {
        let flags = (libc::NLM_F_REQUEST | libc::NLM_F_DUMP) as u16;
        let mut message = Vec::with_capacity(HEADER + request.len());
        message.extend(((HEADER + request.len()) as u32).to_ne_bytes());
        message.extend(SOCK_DIAG_BY_FAMILY.to_ne_bytes());
        message.extend(flags.to_ne_bytes());
        message.extend([0; 8]);
        message.extend(request);
        let kernel = NetlinkAddr::new(0, 0);
        sendto(self.netlink.as_raw_fd(), &message, &kernel, MsgFlags::empty())?;
        Ok(())
    }
}

/// One list, as [`Lists::dump`].
pub fn dump(request: &[u8], each: impl FnMut(&[u8])) -> Result<(), Errno> {
    Lists::open()?.dump(request, each)
}

/// The type and the body of the first message, and the messages after it.
fn next_message(bytes: &[u8]) -> Option<(u16, &[u8], &[u8])> {
    let length = number(bytes, 0)? as usize;
    let kind = u16::from_ne_bytes(bytes.get(4..6)?.try_into().ok()?);
    let body = bytes.get(HEADER..length)?;
    Some((kind, body, bytes.get(length.next_multiple_of(4)..).unwrap_or_default()))
}

/// The number at this offset, in the byte order of this machine.
pub fn number(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}
