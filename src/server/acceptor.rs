//! The listening socket, waited for together with the clients that are served.

use std::time::Duration;

use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::io::output::Output;
use crate::server::admission::{Admission, Client};
use crate::sys::events::{Events, Interest};

/// The number under which the events report new clients.
pub const LISTENER: u64 = u64::MAX;

/// The pause before the next attempt to accept a client, where resources for it were missing.
const PAUSE: Duration = Duration::from_millis(100);

/// Whether a wait ends for new clients as well.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum NewClients {
    /// It does, if the queue has room for them.
    Accept,
    /// They stay in the backlog.
    Leave,
}

/// Admission, and the events of all clients.
#[derive(Debug)]
pub struct Acceptor {
    pub admission: Admission,
    pub events: Events,
    /// The events of the listening socket that a wait ends for.
    interest: Interest,
    /// The end of the pause that missing resources caused.
    pause: Option<Deadline>,
    /// Whether a warning about missing resources was printed.
    has_warned: bool,
}

impl Acceptor {
    pub fn new(admission: Admission) -> Result<Self, Errno> {
        let events = Events::new()?;
        if let Some(listener) = admission.listener() {
            events.add(listener, LISTENER, Interest::Readable)?;
        }
        let (interest, pause) = (Interest::Readable, None);
        Ok(Self { admission, events, interest, pause, has_warned: false })
    }

    /// Waits until descriptors are ready, and replaces the content of `ready` by their numbers.
    pub fn wait(
        &mut self,
        ready: &mut Vec<u64>,
        new_clients: NewClients,
        deadline: Deadline,
    ) -> Result<Waited, Errno> {
        loop {
            let is_open = self.pause.is_none() && self.admission.has_room();
            self.watch_listener(match new_clients {
                NewClients::Accept if is_open => Interest::Readable,
                NewClients::Accept | NewClients::Leave => Interest::Nothing,
            })?;
            let until = self.pause.map_or(deadline, |pause| pause.min(deadline));
            match self.events.wait(ready, until)? {
                Waited::TimedOut if !deadline.has_passed() => self.pause = None,
                waited => return Ok(waited),
            }
        }
    }

    fn watch_listener(&mut self, interest: Interest) -> Result<(), Errno> {
        let Some(listener) = self.admission.listener().filter(|_| interest != self.interest) else {
            return Ok(());
        };
        self.events.change(listener, LISTENER, interest)?;
        self.interest = interest;
        Ok(())
    }

    /// The next client, if one waits. Where descriptors or memory for it are missing, all clients
    /// stay in the backlog for a moment, and no connection is lost.
    pub fn next(&mut self, output: &Output) -> Result<Option<Client>, Errno> {
        match self.admission.next(output) {
            Err(errno @ Errno(libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM)) => {
                self.pause = Some(Deadline::after(PAUSE));
                if !std::mem::replace(&mut self.has_warned, true) {
                    output.warn(format_args!("clients are left waiting for a while: {errno}"));
                }
                Ok(None)
            }
            next => next,
        }
    }
}
