//! Serving a door: callers connect, and a procedure answers each of them.
//!
//! A caller counts as a call from the moment its request is received. While as many calls are in
//! progress as may be, requests of further callers stay in their sockets, but questions about the door
//! are answered.

pub mod bridge;
mod commands;
mod ending;
pub mod procedure;
mod workers;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::time::Duration;

use crate::base::deadline::Deadline;
use crate::base::errno::Errno;
use crate::io::output::Output;
use crate::mechanism::door::{
    Content, Description, HEADER, Kind, PACKET_MAX, Packet, Problem, Reason, Refusal, kind_of,
    receive, refuse, send,
};
use crate::server::admission::Client;
use crate::server::event_loop::{ServerRef, Service};
use crate::server::line_limit::LineLimit;
use crate::sys::events::{Events, Interest};
use crate::sys::socket::is_our_user;
use crate::sys::spawn::reap_orphans;
use crate::sys::{descriptor, poll, process};

pub use self::commands::Commands;
pub use self::procedure::Procedure;
use self::procedure::{Finished, Reply, Request, Source};
pub use self::workers::{Extras, Workers};

/// The terms of a door.
#[derive(Clone, Debug)]
pub struct Terms {
    /// The number of calls that may be in progress at a time.
    pub max_calls: usize,
    /// The maximum length of an argument, and of an answer.
    pub max_size: u64,
    /// The number of descriptors that a caller may lend.
    pub max_descriptors: usize,
    /// The time that a call may take.
    pub call_timeout: Option<Duration>,
    /// The number of worker processes; 0 if each call has a process of its own.
    pub workers: usize,
    /// The cookie.
    pub cookie: OsString,
    /// Whether the peers of the connections are the callers.
    pub knows_callers: bool,
}

/// The descriptors of a server besides those of its callers.
const OWN: usize = 16;

impl Terms {
    /// The number of calls that this process has descriptors for, of those that were asked for.
    pub fn possible_calls(asked: Option<usize>) -> usize {
        /// The descriptors of a call besides its connection.
        const EACH: usize = 8;
        let possible = (descriptor::limit().saturating_sub(OWN) / EACH).max(1);
        asked.map_or(possible, |asked| asked.min(possible))
    }

    /// The number of connections to accept: those of the calls, and more for callers that wait.
    pub fn connections(&self) -> usize {
        self.max_calls + descriptor::limit().saturating_sub(OWN) / 4
    }

    fn call_deadline(&self) -> Deadline {
        self.call_timeout.map_or(Deadline::NEVER, Deadline::after)
    }

    fn timed_out(&self) -> Refusal {
        Refusal::new(Reason::TimedOut, "the procedure did not answer within --call-timeout")
    }
}

/// The packet for a caller that is not admitted.
pub fn denial() -> Vec<u8> {
    Refusal::new(Reason::Denied, "the server does not admit this user").packet()
}

/// The time in which a caller has to send its request.
const REQUEST_TIME: Duration = Duration::from_secs(10);

/// A door.
pub struct Door {
    /// Before the procedure, whose drop waits for processes: the callers learn at once that the server ends.
    callers: BTreeMap<u64, Caller>,
    procedure: Box<dyn Procedure>,
    terms: Terms,
    /// The callers whose requests wait until a call is over, the first one first.
    waiting: VecDeque<u64>,
    /// The callers that have revoked the door, and wait until it is closed.
    revokers: Vec<Client>,
    answered: u64,
    is_revoked: bool,
    buffer: Vec<u8>,
    /// Limits the lines about requests that were refused.
    refused: LineLimit,
}

/// A caller that is connected.
struct Caller {
    client: Client,
    stage: Stage,
}

/// What is expected of a caller.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Stage {
    /// It sends its request, until then.
    Silent(Deadline),
    /// It waits until a call is over.
    Waiting,
    /// It waits for its answer.
    Calling,
}

impl Door {
    /// A door whose calls this procedure answers.
    pub fn new(procedure: Box<dyn Procedure>, terms: Terms) -> Self {
        Self {
            procedure,
            terms,
            callers: BTreeMap::new(),
            waiting: VecDeque::new(),
            revokers: Vec::new(),
            answered: 0,
            is_revoked: false,
            buffer: vec![0; PACKET_MAX],
            refused: LineLimit::default(),
        }
    }

    /// Handles the request of a caller, or leaves it in the socket.
    fn look_at_request(&mut self, number: u64, server: &ServerRef<'_>) -> Result<(), Errno> {
        let Some(caller) = self.callers.get_mut(&number) else { return Ok(()) };
        if !self.procedure.has_room() {
            let mut beginning = [0; HEADER];
            let size = caller.client.socket.peek(&mut beginning)?;
            if kind_of(&beginning[..size]) == Some(Kind::Call) {
                return self.have_wait(number, server);
            }
        }
        self.take_request(number, server);
        Ok(())
    }

    /// Leaves the request of a caller until a call is over; refuses it if none ever will be.
    fn have_wait(&mut self, number: u64, server: &ServerRef<'_>) -> Result<(), Errno> {
        if self.is_waited_for_in_vain(number) {
            let words = "the procedure has called its own door, and all calls that the server \
                         takes at a time are in progress";
            self.refuse(number, &Refusal::new(Reason::Recursion, words), server.output);
            return Ok(());
        }
        let Some(caller) = self.callers.get_mut(&number) else { return Ok(()) };
        caller.stage = Stage::Waiting;
        // A hangup is still reported.
        let event = Source::Caller.event(number);
        server.events.change(&caller.client.socket, event, Interest::Nothing)?;
        self.waiting.push_back(number);
        Ok(())
    }

    /// Whether each process that answers a call waits for a call of this door itself, with this
    /// caller. What such a call waits for is another of these processes, or the end of one of them.
    fn is_waited_for_in_vain(&self, number: u64) -> bool {
        let busy = self.procedure.busy();
        let mut free: BTreeSet<i32> = busy.iter().copied().collect();
        let waits = |(own, caller): &(&u64, &Caller)| {
            **own == number || !matches!(caller.stage, Stage::Silent(_))
        };
        for (_, caller) in self.callers.iter().filter(waits) {
            let peer = caller.client.peer;
            if let Some(ancestor) = peer.and_then(|peer| ancestor_of(peer.pid, &busy)) {
                free.remove(&ancestor);
            }
        }
        free.is_empty()
    }

    /// Receives and handles the request of a caller.
    fn take_request(&mut self, number: u64, server: &ServerRef<'_>) {
        let mut buffer = std::mem::take(&mut self.buffer);
        let received = match self.callers.get(&number) {
            Some(caller) => receive(&caller.client.socket, &mut buffer),
            None => Ok(None),
        };
        match received {
            Ok(Some(Ok(packet))) => self.handle(number, packet, server),
            Ok(Some(Err(problem))) => self.refuse(number, &problem.into(), server.output),
            // It has left.
            Ok(None) | Err(_) => drop(self.callers.remove(&number)),
        }
        self.buffer = buffer;
    }

    fn handle(&mut self, number: u64, packet: Packet<'_>, server: &ServerRef<'_>) {
        match packet.kind {
            Kind::Call => {
                if let Err(refusal) = self.begin(number, packet, server.events) {
                    self.refuse(number, &refusal, server.output);
                }
            }
            Kind::Info => {
                let content = Content::Bytes(self.describe().encode());
                if let Some(caller) = self.callers.remove(&number) {
                    caller.send(Kind::Description, 0, [content, Content::default()]);
                }
            }
            Kind::Revoke => self.revoke(number, server.output),
            Kind::Answer | Kind::Description | Kind::Revoked | Kind::Refusal => {
                let problem = Problem::Kind(packet.kind as u16);
                self.refuse(number, &problem.into(), server.output);
            }
        }
    }

    fn begin(&mut self, number: u64, packet: Packet<'_>, events: &Events) -> Result<(), Refusal> {
        let Packet { parts: [argument, _], descriptors, .. } = packet;
        if argument.length() > self.terms.max_size {
            return Err(commands::too_long("argument", self.terms.max_size));
        }
        let most = self.terms.max_descriptors;
        if descriptors.len() > most {
            let words = match most {
                0 => "the server takes no descriptors".to_owned(),
                most => format!("the server takes at most {most} descriptors"),
            };
            return Err(Refusal::new(Reason::Descriptors, words));
        }
        let Some(caller) = self.callers.get_mut(&number) else { return Ok(()) };
        let Client { socket, peer, .. } = &caller.client;
        let peer = peer.filter(|_| self.terms.knows_callers);
        let request = Request { number, argument, descriptors, caller: peer, socket };
        if let Some(reply) = self.procedure.begin(request, events)? {
            self.reply(number, reply);
            return Ok(());
        }
        caller.stage = Stage::Calling;
        let event = Source::Caller.event(number);
        events.change(&caller.client.socket, event, Interest::Nothing).map_err(commands::failed)
    }

    /// Has the door closed, if the caller is of a user that may do that. A caller that has timed out
    /// meanwhile has left: it reported that nothing was revoked.
    fn revoke(&mut self, number: u64, output: &Output) {
        let has_left = |caller: &Caller| poll::has_hung_up(&caller.client.socket);
        if self.callers.get(&number).is_none_or(has_left) {
            self.callers.remove(&number);
            return;
        }
        let peer = self.callers.get(&number).and_then(|caller| caller.client.peer);
        if !peer.is_some_and(|peer| peer.uid == 0 || is_our_user(peer.uid)) {
            let words = "only the user of the server may revoke the door";
            self.refuse(number, &Refusal::new(Reason::Denied, words), output);
            return;
        }
        let revoker = self.callers.remove(&number);
        self.revokers.extend(revoker.map(|caller| caller.client));
        match self.is_revoked {
            // The door is closed already.
            true => self.answer_revokers(),
            false => self.is_revoked = true,
        }
    }

    fn answer_revokers(&mut self) {
        let running = u32::try_from(self.calls()).unwrap_or(u32::MAX);
        for client in self.revokers.drain(..) {
            let _ = send(&client.socket, Kind::Revoked, running, Default::default(), &[]);
        }
    }

    /// The number of callers that wait for an answer.
    fn calls(&self) -> usize {
        let has_call = |caller: &&Caller| !matches!(caller.stage, Stage::Silent(_));
        self.callers.values().filter(has_call).count()
    }

    fn describe(&self) -> Description {
        let number = |count: usize| count as u64;
        let running = self.callers.values().filter(|caller| caller.stage == Stage::Calling);
        Description {
            pid: u64::from(std::process::id()),
            answered: self.answered,
            running: number(running.count()),
            waiting: number(self.waiting.len()),
            max_calls: number(self.terms.max_calls),
            max_size: self.terms.max_size,
            max_descriptors: number(self.terms.max_descriptors),
            workers: number(self.terms.workers),
            cookie: self.terms.cookie.as_bytes().to_vec(),
        }
    }

    /// Refuses the request of a caller, and disconnects it.
    fn refuse(&mut self, number: u64, refusal: &Refusal, output: &Output) {
        let Some(caller) = self.callers.remove(&number) else { return };
        refuse(&caller.client.socket, refusal);
        if let Some(peer) = caller.client.peer {
            let words = &refusal.words;
            let line = format_args!("process {} of user {}: {words}", peer.pid, peer.uid);
            self.refused.note(output, line);
        }
    }

    /// Sends a caller its answer, and takes the request of the next one.
    fn finish(&mut self, finished: impl IntoIterator<Item = Finished>, server: &ServerRef<'_>) {
        for (number, reply) in finished {
            match reply {
                Ok(reply) => self.reply(number, reply),
                Err(refusal) => self.refuse(number, &refusal, server.output),
            }
        }
        self.take_waiting(server);
    }

    /// Sends a caller the answer of the procedure.
    fn reply(&mut self, number: u64, Reply { status, contents }: Reply) {
        self.answered += 1;
        if let Some(caller) = self.callers.remove(&number) {
            caller.send(Kind::Answer, status.into(), contents);
        }
    }

    /// Takes the requests of callers that wait, as far as there is room for calls.
    fn take_waiting(&mut self, server: &ServerRef<'_>) {
        while self.procedure.has_room() {
            let Some(number) = self.waiting.pop_front() else { break };
            self.take_request(number, server);
        }
    }

    /// Forgets a caller that has left.
    fn leave(&mut self, number: u64) {
        let Some(caller) = self.callers.remove(&number) else { return };
        match caller.stage {
            Stage::Silent(_) => {}
            Stage::Waiting => self.waiting.retain(|&waiting| waiting != number),
            Stage::Calling => self.procedure.abandon(number),
        }
    }
}

impl Caller {
    /// Sends the answer. A caller that has left does not need it.
    fn send(&self, kind: Kind, number: u32, contents: [Content; 2]) {
        let socket = &self.client.socket;
        if let Err(errno) = send(socket, kind, number, contents, &[]) {
            refuse(socket, &commands::failed(errno));
        }
    }
}

/// The one of these processes that has started a process, directly or not. A process whose parents have
/// ended is in the process group of the one that has started it.
fn ancestor_of(pid: i32, processes: &[i32]) -> Option<i32> {
    /// A limit for the case that the numbers change meanwhile.
    const GENERATIONS: usize = 64;
    let parents = std::iter::successors(Some(pid), |&pid| process::parent_of(pid));
    let found = parents.take(GENERATIONS).find(|pid| processes.contains(pid));
    found.or_else(|| process::group_of(pid).filter(|group| processes.contains(group)))
}

impl Service for Door {
    fn begin(&mut self, server: &ServerRef<'_>) -> anyhow::Result<()> {
        Ok(self.procedure.start(server.events)?)
    }

    fn start(&mut self, client: Client, server: &ServerRef<'_>) -> anyhow::Result<()> {
        let number = client.number;
        let event = Source::Caller.event(number);
        server.events.add(&client.socket, event, Interest::Readable)?;
        let stage = Stage::Silent(Deadline::after(REQUEST_TIME));
        self.callers.insert(number, Caller { client, stage });
        Ok(())
    }

    fn ready(&mut self, event: u64, server: &ServerRef<'_>) -> anyhow::Result<()> {
        let Some((source, number)) = Source::of(event) else { return Ok(()) };
        if source != Source::Caller {
            let finished = self.procedure.ready(source, number, server.events);
            self.finish(finished, server);
            return Ok(());
        }
        match self.callers.get(&number).map(|caller| caller.stage) {
            Some(Stage::Silent(_)) => {
                let looked = self.look_at_request(number, server);
                looked.unwrap_or_else(|_| self.leave(number));
            }
            // The only events are a hangup and an error.
            Some(Stage::Waiting | Stage::Calling) => self.leave(number),
            None => {}
        }
        Ok(())
    }

    fn children_changed(&mut self, server: &ServerRef<'_>) -> anyhow::Result<()> {
        reap_orphans();
        let finished = self.procedure.children_changed(server.events);
        self.finish(finished, server);
        Ok(())
    }

    fn deadline(&self) -> Deadline {
        let own = self.callers.values().map(|caller| match caller.stage {
            Stage::Silent(until) => until,
            Stage::Waiting | Stage::Calling => Deadline::NEVER,
        });
        own.fold(self.procedure.deadline(), Deadline::min)
    }

    fn tick(&mut self, server: &ServerRef<'_>) -> anyhow::Result<()> {
        let is_late = |caller: &Caller| match caller.stage {
            Stage::Silent(until) => until.has_passed(),
            Stage::Waiting | Stage::Calling => false,
        };
        let late = self.callers.iter().filter(|(_, caller)| is_late(caller));
        let late: Vec<u64> = late.map(|(&number, _)| number).collect();
        for number in late {
            let refusal = Refusal::new(Reason::Silent, "the caller has sent no request");
            self.refuse(number, &refusal, server.output);
        }
        let finished = self.procedure.tick(server.events);
        self.finish(finished, server);
        Ok(())
    }

    fn is_closing(&self) -> bool {
        self.is_revoked
    }

    fn closed(&mut self) {
        self.answer_revokers();
    }

    fn clients(&self) -> usize {
        self.callers.len() + self.revokers.len()
    }
}
