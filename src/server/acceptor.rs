//! The way in, watched together with those who are inside.

use std::time::Duration;

use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::io::output::Output;
use crate::sys::events::{Events, Interest};

use crate::server::admission::{Client, Gate};

/// The number under which the events tell of those who come.
pub const LISTENER: u64 = u64::MAX;

/// How long clients are left waiting when there is nothing to serve them with.
const PAUSE: Duration = Duration::from_millis(100);

/// Who is waited for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Awaited {
    /// Those inside, and those who come, if there is room for them.
    Everybody,
    /// Those inside.
    Inside,
}

/// A gate, and the events of all who have come through it.
#[derive(Debug)]
pub struct Acceptor {
    pub gate: Gate,
    pub events: Events,
    /// What the events tell of, of those who come.
    interest: Interest,
    /// Until when they are left waiting, as there is nothing to serve them with.
    pause: Option<Deadline>,
    /// Whether that was told.
    complained: bool,
}

impl Acceptor {
    pub fn new(gate: Gate) -> Result<Self, Errno> {
        let events = Events::new()?;
        if let Some(listener) = gate.listener() {
            events.add(listener, LISTENER, Interest::Readable)?;
        }
        Ok(Self { gate, events, interest: Interest::Readable, pause: None, complained: false })
    }

    /// Waits until some are ready, whose numbers it puts in place of what is in `ready`.
    pub fn wait(
        &mut self,
        ready: &mut Vec<u64>,
        awaited: Awaited,
        deadline: Deadline,
    ) -> Result<Waited, Errno> {
        loop {
            let is_open = self.pause.is_none() && self.gate.has_room();
            self.attend(match awaited {
                Awaited::Everybody if is_open => Interest::Readable,
                Awaited::Everybody | Awaited::Inside => Interest::Nothing,
            })?;
            let until = self.pause.map_or(deadline, |pause| pause.min(deadline));
            match self.events.wait(ready, until)? {
                Waited::TimedOut if !deadline.has_passed() => self.pause = None,
                waited => return Ok(waited),
            }
        }
    }

    /// Has the events tell of this, of those who come.
    fn attend(&mut self, interest: Interest) -> Result<(), Errno> {
        let Some(listener) = self.gate.listener().filter(|_| interest != self.interest) else {
            return Ok(());
        };
        self.events.change(listener, LISTENER, interest)?;
        self.interest = interest;
        Ok(())
    }

    /// The next client, if one waits. Where there are no descriptors or no memory for one, they are
    /// all left waiting for a while, and nobody is lost.
    pub fn next(&mut self, output: &Output) -> Result<Option<Client>, Errno> {
        match self.gate.next(output) {
            Err(errno @ Errno(libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM)) => {
                self.pause = Some(Deadline::after(PAUSE));
                if !std::mem::replace(&mut self.complained, true) {
                    output.warn(format_args!("clients are left waiting for a while: {errno}"));
                }
                Ok(None)
            }
            next => next,
        }
    }
}
