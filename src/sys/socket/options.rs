//! Options of sockets: socket(7), tcp(7).

use std::time::Duration;

use nix::sys::socket::{self, AddressFamily, sockopt};
use nix::sys::time::TimeVal;

use super::Socket;
use crate::base::errno::Errno;

/// The size of the send buffer that is asked for.
const SEND_BUFFER: usize = 4 << 20;

/// When the kernel probes a silent TCP peer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum KeepAlive {
    /// After the time that the system is set to, two hours by default.
    System,
    /// After this many seconds, and then several times in as long again.
    After(u32),
    /// Never.
    Never,
}

/// The versions of the Internet protocol that an IPv6 socket for every address accepts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Versions {
    /// IPv6 alone.
    Ipv6,
    /// IPv4 as well.
    Both,
}

/// The number of probes before a silent peer counts as lost.
const PROBES: u32 = 5;

impl Socket {
    /// Enlarges the send buffer of a Unix socket, so that neither side waits for the other at every
    /// block. A failure is harmless. TCP adapts its buffer by itself, unless its size is set.
    pub fn enlarge_send_buffer(&self) {
        if self.family() == Some(AddressFamily::Unix) {
            let _ = socket::setsockopt(&self.0, sockopt::SndBuf, &SEND_BUFFER);
        }
    }

    /// Enlarges the send buffer for a message of this size.
    ///
    /// # Errors
    /// EPERM if a limit of the system does not allow it.
    pub fn make_room_for(&self, size: usize) -> Result<(), Errno> {
        // The kernel doubles the size, and its own records take less than the half.
        let _ = socket::setsockopt(&self.0, sockopt::SndBuf, &size);
        if self.send_buffer()? < size {
            socket::setsockopt(&self.0, sockopt::SndBufForce, &size)?;
        }
        Ok(())
    }

    /// The size of the send buffer, with the kernel's own records.
    pub fn send_buffer(&self) -> Result<usize, Errno> {
        Ok(socket::getsockopt(&self.0, sockopt::SndBuf)?)
    }

    /// The size of the receive buffer, with the kernel's own records.
    pub fn receive_buffer(&self) -> Result<usize, Errno> {
        Ok(socket::getsockopt(&self.0, sockopt::RcvBuf)?)
    }

    /// Allows a TCP port that has connections in the state TIME_WAIT. A UDP port would be shared with
    /// its other sockets, so this is not for UDP.
    pub fn reuse_port(&self) -> Result<(), Errno> {
        Ok(socket::setsockopt(&self.0, sockopt::ReuseAddr, &true)?)
    }

    /// Sets the versions that an IPv6 socket accepts; the default depends on the system.
    pub fn accept_versions(&self, versions: Versions) -> Result<(), Errno> {
        let alone = versions == Versions::Ipv6;
        Ok(socket::setsockopt(&self.0, sockopt::Ipv6V6Only, &alone)?)
    }

    /// Lets the kernel choose the port at connect(2), so that it may choose one in use for another peer.
    pub fn choose_port_late(&self) {
        // Without the option, ports run out sooner.
        let _ = socket::setsockopt(&self.0, sockopt::IpBindAddressNoPort, &true);
    }

    /// Has TCP send bytes at once, and probe silent peers. Connections inherit the options of their
    /// listening socket.
    pub fn tune_tcp(&self, keepalive: KeepAlive) -> Result<(), Errno> {
        self.send_at_once()?;
        socket::setsockopt(&self.0, sockopt::KeepAlive, &(keepalive != KeepAlive::Never))?;
        if let KeepAlive::After(seconds) = keepalive {
            socket::setsockopt(&self.0, sockopt::TcpKeepIdle, &seconds)?;
            socket::setsockopt(&self.0, sockopt::TcpKeepInterval, &seconds.div_ceil(PROBES))?;
            socket::setsockopt(&self.0, sockopt::TcpKeepCount, &PROBES)?;
        }
        Ok(())
    }

    /// Has TCP send bytes at once.
    pub fn send_at_once(&self) -> Result<(), Errno> {
        Ok(socket::setsockopt(&self.0, sockopt::TcpNoDelay, &true)?)
    }

    /// The seconds of silence after which the kernel probes the peer; `None` if it never does.
    pub fn keeps_alive_after(&self) -> Option<u32> {
        let asks = socket::getsockopt(&self.0, sockopt::KeepAlive).ok()?;
        socket::getsockopt(&self.0, sockopt::TcpKeepIdle).ok().filter(|_| asks)
    }

    /// Whether bytes are sent at once; `None` unless it is a TCP socket.
    pub fn sends_at_once(&self) -> Option<bool> {
        socket::getsockopt(&self.0, sockopt::TcpNoDelay).ok()
    }

    /// Makes an empty message distinct from the end, for which recv(2) returns 0 as well: from now on
    /// each message, but not the end, comes with the time of its arrival.
    pub fn mark_messages(&self) -> Result<(), Errno> {
        Ok(socket::setsockopt(&self.0, sockopt::ReceiveTimestamp, &true)?)
    }

    /// Has the kernel add the credentials of the sender to each message: [`Message::uid`].
    pub fn receive_credentials(&self) -> Result<(), Errno> {
        Ok(socket::setsockopt(&self.0, sockopt::PassCred, &true)?)
    }

    pub(super) fn limit_sending(&self, limit: Duration) -> Result<(), Errno> {
        let limit = TimeVal::new(
            limit.as_secs().try_into().unwrap_or(i64::MAX),
            limit.subsec_micros().into(),
        );
        Ok(socket::setsockopt(&self.0, sockopt::SendTimeout, &limit)?)
    }
}
