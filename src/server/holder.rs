//! Holding descriptors for services between their restarts.
//!
//! The holder serves a door for its own requests, and receives the messages of sd_notify(3) at another
//! socket. It closes its copy of a descriptor when it is dropped, when its time is over, or when its peer
//! hangs up.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use serde_json::Value;

use crate::base::deadline::Deadline;
use crate::base::errno::Errno;
use crate::base::exit::Exit;
use crate::io::output::Notes;
use crate::mechanism::descriptors::holder::{Notification, Request as Asked};
use crate::mechanism::descriptors::{Name, of_process, send};
use crate::mechanism::door::{Content, Reason, Refusal};
use crate::mechanism::socket::Listener;
use crate::server::admission::Allowed;
use crate::server::door::procedure::{Finished, Procedure, Reply, Request, Source};
use crate::server::line_limit::LineLimit;
use crate::sys::events::{Events, Interest};
use crate::sys::same_file::is_same_file;
use crate::sys::socket::{Carried, Credentials, RIGHTS_MAX, Socket, is_our_user};

/// The terms of a holder.
#[derive(Clone, Debug)]
pub struct Holding {
    /// The processes that may send messages of sd_notify(3).
    pub allowed: Allowed,
    /// How long descriptors are held.
    pub expire: Option<Duration>,
    /// The maximum number of descriptors.
    pub most: usize,
}

/// A process that holds descriptors.
#[derive(Debug)]
pub struct Holder {
    holding: Holding,
    held: BTreeMap<u64, Held>,
    /// The number of descriptors that were stored.
    stored: u64,
    /// The socket for sd_notify(3).
    notify: Listener,
    buffer: Vec<u8>,
    notes: Notes,
    /// Limits the lines about messages that were refused.
    refused: LineLimit,
}

/// A descriptor that is held.
#[derive(Debug)]
struct Held {
    name: Name,
    descriptor: OwnedFd,
    /// The user of the process that has stored it.
    owner: u32,
    until: Deadline,
    /// Whether the events have it.
    is_polled: bool,
}

/// The number of the events of the socket for sd_notify(3); descriptors are counted from 1.
const NOTIFY: u64 = 0;

/// The longest message of sd_notify(3) that is read.
const MESSAGE_MAX: usize = 4096;

impl Holder {
    /// A holder without descriptors.
    ///
    /// # Errors
    /// Those of setsockopt(2).
    pub fn new(holding: Holding, notify: Listener, notes: Notes) -> Result<Self, Errno> {
        notify.socket().receive_credentials()?;
        Ok(Self {
            holding,
            held: BTreeMap::new(),
            stored: 0,
            notify,
            buffer: vec![0; MESSAGE_MAX],
            notes,
            refused: LineLimit::default(),
        })
    }

    /// Holds a descriptor, unless it is held already.
    fn store(&mut self, held: Held, polls: Polls, events: &Events) -> Result<(), Refusal> {
        let is_it = |(_, other): &(&u64, &Held)| {
            other.owner == held.owner && is_same_file(&other.descriptor, &held.descriptor)
        };
        if let Some((&number, _)) = self.held.iter().find(is_it) {
            // A service that stores all it has after each start renews them.
            self.held.entry(number).and_modify(|other| {
                other.name = held.name;
                other.until = held.until;
            });
            return Ok(());
        }
        if self.held.len() >= self.holding.most {
            let words = format!("{} descriptors are held already: --max-fds", self.held.len());
            return Err(Refusal::new(Reason::Descriptors, words));
        }
        self.stored += 1;
        let event = Source::Process.event(self.stored);
        // Regular files have no events.
        let is_polled =
            polls == Polls::Yes && events.add(&held.descriptor, event, Interest::Nothing).is_ok();
        self.held.insert(self.stored, Held { is_polled, ..held });
        Ok(())
    }

    /// Holds all of these descriptors, or none of those that are not held already.
    fn store_all(
        &mut self,
        mut all: impl Iterator<Item = Held>,
        events: &Events,
    ) -> Result<(), Refusal> {
        let before = self.stored;
        let stored = all.try_for_each(|held| self.store(held, Polls::Yes, events));
        if stored.is_err() {
            let new = self.held.split_off(&(before + 1));
            new.values().for_each(|held| held.forget(events));
        }
        stored
    }

    fn until(&self, expire: Option<Duration>) -> Deadline {
        expire.or(self.holding.expire).map_or(Deadline::NEVER, Deadline::after)
    }

    /// Closes descriptors.
    fn close(&mut self, events: &Events, is_wanted: impl Fn(&Held) -> bool) -> usize {
        let before = self.held.len();
        self.held.retain(|_, held| {
            let stays = !is_wanted(held);
            if !stays {
                held.forget(events);
            }
            stays
        });
        before - self.held.len()
    }

    /// Sends copies of the descriptors that a user may have.
    fn give(&self, uid: u32, to: &OwnedFd) -> Result<(), Refusal> {
        let socket = Socket::from(to.try_clone().map_err(|errno| refusal(Errno::from(errno)))?);
        socket.make_non_blocking().map_err(refusal)?;
        let own: Vec<(&Name, BorrowedFd<'_>)> = self
            .held
            .values()
            .filter(|held| held.is_of(uid))
            .map(|held| (&held.name, held.descriptor.as_fd()))
            .collect();
        for some in own.chunks(RIGHTS_MAX) {
            send(&socket, some).map_err(refusal)?;
        }
        Ok(())
    }

    /// A description of the descriptors that a user may have.
    fn list(&self, uid: u32) -> Result<Vec<u8>, Refusal> {
        let rows = of_process(std::process::id() as i32).map_err(|errno| match errno {
            Errno(libc::ENOENT) => refusal("it has no /proc, which lists its descriptors"),
            errno => refusal(errno),
        })?;
        let describe = |held: &Held| {
            let number = held.descriptor.as_raw_fd();
            let row = rows.iter().find(|row| row.descriptor.number == number)?;
            let mut description = row.describe();
            description["name"] = held.name.text().into();
            description["owner"] = held.owner.into();
            description["expires_in"] = held.until.remaining().map(|left| left.as_secs()).into();
            Some(description)
        };
        let own = self.held.values().filter(|held| held.is_of(uid));
        Ok(Value::from(own.filter_map(describe).collect::<Vec<_>>()).to_string().into_bytes())
    }

    fn answer(&mut self, request: Request<'_>, events: &Events) -> Result<Reply, Refusal> {
        let malformed = || Refusal::new(Reason::Malformed, "not a request for a holder");
        let uid = request.caller.ok_or_else(malformed)?.uid;
        let asked = Asked::decode(request.argument.bytes()).ok_or_else(malformed)?;
        let lent = request.descriptors.len();
        match asked {
            Asked::Store { expire, names } if names.len() == lent && lent > 0 => {
                let until = self.until(expire);
                let all = names.into_iter().zip(request.descriptors).map(|(name, descriptor)| {
                    Held { name, descriptor, owner: uid, until, is_polled: false }
                });
                self.store_all(all, events)?;
                Ok(reply(Vec::new()))
            }
            Asked::Take if lent == 1 => {
                self.give(uid, &request.descriptors[0])?;
                Ok(reply(Vec::new()))
            }
            Asked::Drop(names) if lent == 0 => {
                let mut missing = names.iter().filter(|name| {
                    !self.held.values().any(|held| held.is_of(uid) && held.name == **name)
                });
                if let Some(name) = missing.next() {
                    let words = Content::Bytes(name.text().as_bytes().to_vec());
                    let status = Exit::NotFound.code();
                    return Ok(Reply { status, contents: [words, Content::default()] });
                }
                self.close(events, |held| held.is_of(uid) && names.contains(&held.name));
                Ok(reply(Vec::new()))
            }
            Asked::List if lent == 0 => self.list(uid).map(reply),
            _ => Err(malformed()),
        }
    }

    /// Reports a message that stores nothing: its sender gets no answer.
    fn ignore(&mut self, why: impl Display) {
        let notes = &self.notes;
        self.refused.line(why, |line| notes.warn(line));
    }

    /// Receives a message of sd_notify(3). All descriptors that it does not store are closed.
    fn notified(&mut self, events: &Events) {
        let Ok(carried) = self.notify.socket().receive_with(&mut self.buffer) else { return };
        let Some(Credentials { pid, uid, .. }) = carried.sender else { return };
        let problem = match carried {
            _ if !self.holding.allowed.contains(carried.sender) => {
                Some("--allow-uid does not name the user")
            }
            // Its last lines are missing.
            Carried { is_truncated: true, .. } => Some("it is longer than 4096 bytes"),
            Carried { is_cut: true, .. } => Some("it has too many descriptors"),
            _ => None,
        };
        if let Some(problem) = problem {
            self.ignore(format_args!("a message of process {pid} of user {uid}: {problem}"));
            return;
        }
        match Notification::decode(&self.buffer[..carried.size]) {
            Some(Notification::Store { name, polls }) => {
                let polls = if polls { Polls::Yes } else { Polls::No };
                let until = self.until(None);
                for descriptor in carried.descriptors {
                    let name = name.clone();
                    let held = Held { name, descriptor, owner: uid, until, is_polled: false };
                    if let Err(why) = self.store(held, polls, events) {
                        self.ignore(why.words);
                    }
                }
            }
            Some(Notification::Remove(name)) => {
                self.close(events, |held| held.is_of(uid) && held.name == name);
            }
            None => {}
        }
    }
}

/// Whether a descriptor is closed when its peer hangs up.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Polls {
    Yes,
    No,
}

impl Held {
    /// Removes it from the events. Other processes have copies, so that closing it does not.
    fn forget(&self, events: &Events) {
        if self.is_polled {
            events.remove(&self.descriptor);
        }
    }

    /// Whether a user may have it: its owner, the user of the holder, root.
    fn is_of(&self, uid: u32) -> bool {
        uid == self.owner || uid == 0 || is_our_user(uid)
    }
}

fn reply(answer: Vec<u8>) -> Reply {
    Reply { status: 0, contents: [Content::Bytes(answer), Content::default()] }
}

fn refusal(error: impl std::fmt::Display) -> Refusal {
    Refusal::new(Reason::Failed, format_args!("the holder: {error}"))
}

impl Procedure for Holder {
    fn start(&mut self, events: &Events) -> Result<(), Errno> {
        events.add(&self.notify, Source::Process.event(NOTIFY), Interest::Readable)
    }

    fn has_room(&self) -> bool {
        true
    }

    fn begin(&mut self, request: Request<'_>, events: &Events) -> Result<Option<Reply>, Refusal> {
        self.answer(request, events).map(Some)
    }

    fn abandon(&mut self, _number: u64) {}

    fn ready(&mut self, _source: Source, number: u64, events: &Events) -> Option<Finished> {
        if number == NOTIFY {
            self.notified(events);
        } else if let Some(held) = self.held.remove(&number) {
            // Its peer has hung up, or it has an error.
            events.remove(&held.descriptor);
        }
        None
    }

    fn children_changed(&mut self, _events: &Events) -> Vec<Finished> {
        Vec::new()
    }

    fn deadline(&self) -> Deadline {
        self.held.values().map(|held| held.until).fold(Deadline::NEVER, Deadline::min)
    }

    fn tick(&mut self, events: &Events) -> Vec<Finished> {
        self.close(events, |held| held.until.has_passed());
        Vec::new()
    }

    fn busy(&self) -> Vec<i32> {
        Vec::new()
    }
}
