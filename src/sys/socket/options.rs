//! Options of sockets: socket(7), tcp(7).

use std::time::Duration;

use nix::sys::socket::{self, AddressFamily, sockopt};
use nix::sys::time::TimeVal;

use super::Socket;
use crate::base::errno::Errno;

/// How much the kernel is asked to hold of what we sent and the peer has not read.
const SEND_BUFFER: usize = 4 << 20;

/// When the kernel asks a silent TCP peer whether it is still there.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum KeepAlive {
    /// When the system thinks it right, which is after two hours.
    System,
    /// After so many seconds, and then a few times in as long again.
    After(u32),
    /// Never.
    Never,
}

/// The versions of the Internet protocol that an IPv6 socket for every address takes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Versions {
    /// IPv6 alone.
    Ipv6,
    /// What comes by IPv4 as well.
    Both,
}

/// How often a peer that does not answer is asked.
const PROBES: u32 = 5;

impl Socket {
    /// Lets the kernel hold much of what we send, so that neither side waits for the other at
    /// every block. It works as well without; and TCP finds out by itself how much is good, unless
    /// somebody says so.
    pub fn enlarge_send_buffer(&self) {
        if self.family() == Some(AddressFamily::Unix) {
            let _ = socket::setsockopt(&self.0, sockopt::SndBuf, &SEND_BUFFER);
        }
    }

    /// Makes room for a message of this size, as far as the limits of the system allow.
    ///
    /// # Errors
    /// EPERM if they do not.
    pub(super) fn make_room_for(&self, size: usize) -> Result<(), Errno> {
        // The kernel doubles what is asked for, and needs less than that for itself.
        let _ = socket::setsockopt(&self.0, sockopt::SndBuf, &size);
        if self.send_buffer()? < size {
            socket::setsockopt(&self.0, sockopt::SndBufForce, &size)?;
        }
        Ok(())
    }

    /// How much the kernel holds of what we send, its own records of it included.
    pub fn send_buffer(&self) -> Result<usize, Errno> {
        Ok(socket::getsockopt(&self.0, sockopt::SndBuf)?)
    }

    /// How much the kernel holds of what comes, its own records of it included.
    pub fn receive_buffer(&self) -> Result<usize, Errno> {
        Ok(socket::getsockopt(&self.0, sockopt::RcvBuf)?)
    }

    /// Lets it have a TCP port whose last connections are still being forgotten. A UDP port would be
    /// shared with whoever has it, so it is not for that.
    pub fn reuse_port(&self) -> Result<(), Errno> {
        Ok(socket::setsockopt(&self.0, sockopt::ReuseAddr, &true)?)
    }

    /// Says what an IPv6 socket takes, whatever the system is set to.
    pub fn take(&self, versions: Versions) -> Result<(), Errno> {
        let alone = versions == Versions::Ipv6;
        Ok(socket::setsockopt(&self.0, sockopt::Ipv6V6Only, &alone)?)
    }

    /// Has the kernel choose a port only when it connects, so that one that is in use for another
    /// peer will do.
    pub fn choose_port_late(&self) {
        // It works as well without, but for ports running out sooner.
        let _ = socket::setsockopt(&self.0, sockopt::IpBindAddressNoPort, &true);
    }

    /// For TCP: sends what is written at once, and finds out when a peer has vanished. What a
    /// listening socket is told is true of its connections.
    pub fn tune_tcp(&self, keepalive: KeepAlive) -> Result<(), Errno> {
        socket::setsockopt(&self.0, sockopt::TcpNoDelay, &true)?;
        socket::setsockopt(&self.0, sockopt::KeepAlive, &(keepalive != KeepAlive::Never))?;
        if let KeepAlive::After(seconds) = keepalive {
            socket::setsockopt(&self.0, sockopt::TcpKeepIdle, &seconds)?;
            socket::setsockopt(&self.0, sockopt::TcpKeepInterval, &seconds.div_ceil(PROBES))?;
            socket::setsockopt(&self.0, sockopt::TcpKeepCount, &PROBES)?;
        }
        Ok(())
    }

    /// After how many seconds of silence the kernel asks whether a peer is still there; `None` if
    /// it never does.
    pub fn keeps_alive_after(&self) -> Option<u32> {
        let asks = socket::getsockopt(&self.0, sockopt::KeepAlive).ok()?;
        socket::getsockopt(&self.0, sockopt::TcpKeepIdle).ok().filter(|_| asks)
    }

    /// Whether what is written is sent at once; `None` unless it is one of TCP.
    pub fn sends_at_once(&self) -> Option<bool> {
        socket::getsockopt(&self.0, sockopt::TcpNoDelay).ok()
    }

    /// Makes an empty message tell itself from the end, for which recv(2) gives 0 as well: from
    /// now on each message comes with the time of its arrival, which the end has none of.
    pub fn mark_messages(&self) -> Result<(), Errno> {
        Ok(socket::setsockopt(&self.0, sockopt::ReceiveTimestamp, &true)?)
    }

    /// Has each message tell who sent it: [`Message::uid`].
    pub fn tell_senders(&self) -> Result<(), Errno> {
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
