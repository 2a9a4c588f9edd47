//! Who comes in, and in which order.

use std::ffi::{OsStr, OsString};

use crate::endpoint::Listener;
use crate::errno::Errno;
use crate::output::Output;
use crate::sys::socket::{Credentials, Socket, is_our_user};

/// Who may come in. We ourselves always may.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Admission {
    /// Everybody who could connect.
    Everybody,
    /// Processes of these users, or of these groups.
    Only {
        /// Effective users.
        users: Vec<u32>,
        /// Effective groups.
        groups: Vec<u32>,
    },
}

/// A client who came in.
#[derive(Debug)]
pub struct Client {
    pub socket: Socket,
    /// Counted from 1.
    pub number: u64,
    /// `None` where nobody knows.
    pub peer: Option<Credentials>,
}

/// Where clients come in.
#[derive(Debug)]
pub struct Gate {
    /// `None` when as many came in as should: nobody else is to connect and wait in vain.
    listener: Option<Listener>,
    address: OsString,
    admission: Admission,
    once: bool,
    admitted: u64,
}

impl Gate {
    pub fn new(listener: Listener, admission: Admission, once: bool) -> Self {
        let address = listener.address().to_owned();
        Self { listener: Some(listener), address, admission, once, admitted: 0 }
    }

    /// What to wait for, unless as many came in as should.
    pub fn listener(&self) -> Option<&Listener> {
        self.listener.as_ref()
    }

    /// Where clients come in, as they write it.
    pub fn address(&self) -> &OsStr {
        &self.address
    }

    /// Whether as many came in as should.
    pub fn is_closed(&self) -> bool {
        self.listener.is_none()
    }

    /// The next client, if one waits. Those who may not come in are sent away unheard.
    ///
    /// # Errors
    /// EMFILE and its like, with the client still waiting.
    pub fn next(&mut self, output: &Output) -> Result<Option<Client>, Errno> {
        while let Some(listener) = &self.listener {
            let Some(socket) = listener.socket().accept()? else { return Ok(None) };
            let peer = socket.peer();
            if self.admits(peer) {
                self.admitted += 1;
                socket.tune_tcp();
                if self.once {
                    self.listener = None;
                }
                return Ok(Some(Client { socket, number: self.admitted, peer }));
            }
            match peer {
                Some(peer) => output.warn(format_args!(
                    "process {} of user {} was sent away: --allow-uid does not name the user",
                    peer.pid, peer.uid
                )),
                None => output.warn("a client of an unknown user was sent away"),
            }
        }
        Ok(None)
    }

    fn admits(&self, peer: Option<Credentials>) -> bool {
        match &self.admission {
            Admission::Everybody => true,
            Admission::Only { users, groups } => peer.is_some_and(|peer| {
                let named = users.contains(&peer.uid) || groups.contains(&peer.gid);
                named || is_our_user(peer.uid)
            }),
        }
    }
}
