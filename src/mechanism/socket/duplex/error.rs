//! How a connection fails, and the failure of a verb that follows.

use crate::base::errno::Errno;
use crate::base::exit::{Exit, Failure};
use crate::io::frame::ReadError;
use crate::mechanism::socket::expiry::Expired;
use crate::sys::socket::Socket;

/// How a connection failed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Error {
    /// Stdin could not be read.
    #[error("standard input: {0}")]
    Input(ReadError),
    /// The peer closed before it had read all bytes, or before all were sent.
    #[error("the peer hung up before it had read everything: {0}")]
    PeerLeft(Errno),
    /// The deadline passed.
    #[error("timed out")]
    TimedOut,
    /// No byte moved for the time that the connection may be idle.
    #[error("timed out: the connection is idle")]
    Idle,
    /// The end of the connection, after everything was sent.
    #[error("timed out before the peer had read everything")]
    Unread,
    /// Any other error of the socket.
    #[error(transparent)]
    Socket(Errno),
    /// A message is longer than a socket takes.
    #[error("message of {size} bytes is longer than the socket takes{}", in_brackets(*.limit))]
    TooLong {
        /// Its size.
        size: usize,
        /// The size of the send buffer, with the kernel's own records, where that is the reason.
        limit: Option<usize>,
    },
}

impl Error {
    /// The error of a message of this size that was not sent.
    pub fn of_sending(socket: &Socket, size: usize, errno: Errno) -> Self {
        match (errno, socket.send_buffer()) {
            (Errno(libc::EMSGSIZE), Ok(limit)) => {
                Self::TooLong { size, limit: Some(limit).filter(|&limit| limit < size) }
            }
            _ => Self::of_socket(errno),
        }
    }

    /// The error of a call on a connected socket.
    pub fn of_socket(errno: Errno) -> Self {
        match errno.0 {
            libc::EPIPE | libc::ECONNRESET => Self::PeerLeft(errno),
            _ => Self::Socket(errno),
        }
    }
}

fn in_brackets(limit: Option<usize>) -> String {
    limit.map_or_else(String::new, |limit| format!(" ({limit})"))
}

impl From<Expired> for Error {
    fn from(expired: Expired) -> Self {
        match expired {
            Expired::AtEnd => Self::TimedOut,
            Expired::Idle => Self::Idle,
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let failure = Self::failed(error.to_string());
        match error {
            Error::Socket(errno) => failure.with_exit(errno.into()),
            Error::TimedOut | Error::Idle | Error::Unread => failure.with_exit(Exit::TimedOut),
            Error::TooLong { limit: Some(_), .. } => {
                failure.hint("the sysctl net.core.wmem_max limits it")
            }
            _ => failure,
        }
    }
}
