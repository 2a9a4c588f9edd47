//! Letting every client hear every other.
//!
//! What a client sends goes to all others at once. Where one has no room, the rest is kept for it,
//! once for all who are behind, up to a limit: a client that is further behind than that is
//! disconnected, as it can neither stop the others nor be told that something is missing.
//!
//! The end of what a client sends is not its end where it has sent nothing: it only listens. One that
//! has sent something wants no more than what it is owed at that moment.

use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use crate::base::errno::Errno;
use crate::sys::events::{Events, Interest};
use crate::sys::heap;
use crate::sys::socket::SocketType;

use super::echo::{receive, send};
use crate::server::admission::Client;
use crate::server::event_loop::{Place, Service};

/// Clients who hear each other.
pub struct Hub {
    kind: SocketType,
    members: BTreeMap<u64, Member>,
    /// What was received last, of whichever client.
    buffer: Vec<u8>,
    /// Those who are to leave.
    leaving: Vec<u64>,
}

struct Member {
    client: Client,
    behind: VecDeque<Rest>,
    /// How much is kept for it, with what keeping it takes.
    kept: usize,
    stage: Stage,
}

/// What a client still does.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Stage {
    /// It listens, and may speak, which it has not done so far.
    Silent,
    /// It listens and speaks.
    Speaking,
    /// It only listens, until it closes.
    Listening,
    /// It has spoken to the end, and takes what is kept for it.
    Leaving,
}

/// What of something a client has not taken yet.
struct Rest {
    bytes: Rc<Vec<u8>>,
    start: usize,
}

/// What is received at once.
const BLOCK: usize = 64 << 10;

/// How far a client may be behind.
const KEPT_MAX: usize = 1 << 20;

/// What it takes to keep something, be it empty.
const RECORD: usize = size_of::<Rest>() + 2 * size_of::<usize>();

impl Hub {
    pub fn new(kind: SocketType) -> Self {
        Self { kind, members: BTreeMap::new(), buffer: vec![0; BLOCK], leaving: Vec::new() }
    }

    /// Receives once from a client, and sends that to all others.
    fn hear(&mut self, number: u64, place: &Place<'_>) -> Result<(), Errno> {
        let Some(speaker) = self.members.get_mut(&number) else { return Ok(()) };
        let bytes = match receive(&speaker.client.socket, self.kind, &mut self.buffer) {
            Ok(Some(bytes)) => bytes,
            Err(Errno(libc::EAGAIN)) => return Ok(()),
            Ok(None) => return self.end(number, place.events),
            // It has left, or there was an error, which is its own affair.
            Err(_) => {
                self.leaving.push(number);
                return Ok(());
            }
        };
        speaker.stage = Stage::Speaking;
        let mut shared = None;
        for (&other, member) in self.members.iter_mut().filter(|(other, _)| **other != number) {
            match member.tell(self.kind, bytes, &mut shared) {
                Ok(Told::Behind) => member.await_changes(other, place.events)?,
                Ok(Told::All) => {}
                Err(_) => self.leaving.push(other),
            }
        }
        Ok(())
    }

    /// Notes that a client sends no more.
    fn end(&mut self, number: u64, events: &Events) -> Result<(), Errno> {
        let Some(member) = self.members.get_mut(&number) else { return Ok(()) };
        member.stage = match member.stage {
            Stage::Silent => Stage::Listening,
            _ if member.behind.is_empty() => {
                self.leaving.push(number);
                return Ok(());
            }
            _ => Stage::Leaving,
        };
        member.await_changes(number, events)
    }

    /// Goes on telling a client what was kept for it.
    fn catch_up(&mut self, number: u64, events: &Events) -> Result<(), Errno> {
        let Some(member) = self.members.get_mut(&number) else { return Ok(()) };
        match member.catch_up(self.kind) {
            Ok(Told::All) if member.stage == Stage::Leaving => self.leaving.push(number),
            Ok(Told::All) => member.await_changes(number, events)?,
            Ok(Told::Behind) => {}
            Err(_) => self.leaving.push(number),
        }
        Ok(())
    }

    fn let_go(&mut self, place: &Place<'_>) {
        for number in self.leaving.drain(..) {
            if self.members.remove(&number).is_some_and(|member| member.kept > KEPT_MAX) {
                place.output.warn(format_args!("client {number} was too slow and is disconnected"));
            }
        }
    }
}

impl Service for Hub {
    fn begin(&mut self, client: Client, place: &Place<'_>) -> anyhow::Result<()> {
        client.socket.make_non_blocking()?;
        if self.kind != SocketType::Stream {
            client.socket.mark_messages()?;
        }
        place.events.add(&client.socket, client.number, Interest::Readable)?;
        let member = Member { client, behind: VecDeque::new(), kept: 0, stage: Stage::Silent };
        self.members.insert(member.client.number, member);
        Ok(())
    }

    fn go_on(&mut self, number: u64, place: &Place<'_>) -> anyhow::Result<()> {
        let Some(member) = self.members.get(&number) else { return Ok(()) };
        match (member.is_heard(), member.behind.is_empty()) {
            (true, true) => self.hear(number, place)?,
            // It is waited for both, and either may have come.
            (true, false) => {
                self.catch_up(number, place.events)?;
                self.hear(number, place)?;
            }
            (false, false) => self.catch_up(number, place.events)?,
            // Only a hangup or an error is reported of one that does nothing but listen.
            (false, true) => self.leaving.push(number),
        }
        self.let_go(place);
        Ok(())
    }

    fn clients(&self) -> usize {
        self.members.len()
    }
}

/// How far a client was told.
enum Told {
    All,
    Behind,
}

impl Member {
    /// Sends it something, or keeps for it what it does not take: in `shared`, with all others who
    /// are behind.
    ///
    /// # Errors
    /// ENOBUFS if it is too far behind, ENOMEM if nothing can be kept for it; or that it has left.
    fn tell(
        &mut self,
        kind: SocketType,
        bytes: &[u8],
        shared: &mut Option<Rc<Vec<u8>>>,
    ) -> Result<Told, Errno> {
        let start = match self.behind.is_empty() {
            true => match send(&self.client.socket, kind, bytes)? {
                Some(sent) if sent == bytes.len() => return Ok(Told::All),
                sent => sent.unwrap_or(0),
            },
            false => 0,
        };
        self.kept += bytes.len() + RECORD;
        if self.kept > KEPT_MAX {
            return Err(Errno(libc::ENOBUFS));
        }
        let bytes = match shared {
            Some(shared) => Rc::clone(shared),
            None => Rc::clone(shared.insert(Rc::new(heap::copy(bytes)?))),
        };
        self.behind.push_back(Rest { bytes, start });
        Ok(Told::Behind)
    }

    fn catch_up(&mut self, kind: SocketType) -> Result<Told, Errno> {
        while let Some(rest) = self.behind.front_mut() {
            let left = &rest.bytes[rest.start..];
            match send(&self.client.socket, kind, left)? {
                None => return Ok(Told::Behind),
                Some(sent) if sent < left.len() => rest.start += sent,
                Some(_) => {
                    self.kept -= rest.bytes.len() + RECORD;
                    self.behind.pop_front();
                }
            }
        }
        Ok(Told::All)
    }

    /// Whether it may still send something.
    fn is_heard(&self) -> bool {
        matches!(self.stage, Stage::Silent | Stage::Speaking)
    }

    /// Waits for what can come next: room, if something is kept for it, and what it sends.
    fn await_changes(&self, number: u64, events: &Events) -> Result<(), Errno> {
        let interest = match (self.is_heard(), self.behind.is_empty()) {
            (true, true) => Interest::Readable,
            (true, false) => Interest::Both,
            (false, true) => Interest::Nothing,
            (false, false) => Interest::Writable,
        };
        events.change(&self.client.socket, number, interest)
    }
}
