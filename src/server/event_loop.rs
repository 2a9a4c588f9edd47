//! Serving clients side by side.

use crate::base::deadline::{Deadline, Waited};
use crate::base::exit::Exit;
use crate::base::signal::Signal;
use crate::base::units::Timeout;
use crate::io::output::Output;
use crate::sys::events::{Events, Interest};
use crate::sys::signal::{Blocked, die_of};

use crate::server::acceptor::{Acceptor, Awaited, LISTENER};
use crate::server::admission::{Client, Gate};

/// What is done for clients.
pub trait Service {
    /// Takes on a client, whose socket it may wait for under the client's number.
    fn begin(&mut self, client: Client, place: &Place<'_>) -> anyhow::Result<()>;

    /// Goes on with a client whose socket is ready.
    fn go_on(&mut self, _number: u64, _place: &Place<'_>) -> anyhow::Result<()> {
        Ok(())
    }

    /// Looks after children that may have ended.
    fn reap(&mut self) {}

    /// Ends what it can end of those it still serves.
    fn end(&mut self) {}

    /// How many clients it has.
    fn clients(&self) -> usize;

    /// The status to end with when the last client has left.
    fn exit(&self) -> Exit {
        Exit::Done
    }
}

/// Where a client is served.
pub struct Place<'a> {
    pub gate: &'a Gate,
    pub events: &'a Events,
    pub output: &'a Output,
}

/// How many, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Those above wait to be accepted.
    pub max_clients: usize,
    /// How long to stay without any.
    pub idle: Option<Timeout>,
    /// How long clients may take to finish when a signal ends us.
    pub grace: Option<Timeout>,
}

impl Limits {
    /// The moment by which clients have finished, if a signal ends us now.
    fn grace(&self) -> Deadline {
        moment(self.grace)
    }

    /// The moment to end at, if there is no client from now on.
    pub fn idle(&self) -> Deadline {
        moment(self.idle)
    }
}

fn moment(patience: Option<Timeout>) -> Deadline {
    match patience {
        Some(Timeout::For(duration)) => Deadline::after(duration),
        Some(Timeout::Forever) | None => Deadline::NEVER,
    }
}

/// The numbers of what is no client's, besides those who come.
const CHILDREN: u64 = u64::MAX - 1;
const ENDING: u64 = u64::MAX - 2;

/// Serves until there is nobody left to serve.
pub fn attend(
    hosted: Listening,
    service: &mut dyn Service,
    limits: Limits,
    output: &Output,
) -> anyhow::Result<Exit> {
    let Listening { gate, children, ending } = hosted;
    let entrance = Acceptor::new(gate)?;
    let ended = children.descriptor()?;
    entrance.events.add(&ended, CHILDREN, Interest::Readable)?;
    let told = ending.as_ref().map(Blocked::descriptor).transpose()?;
    if let Some(told) = &told {
        entrance.events.add(told, ENDING, Interest::Readable)?;
    }
    let (failed, stopping) = (None, None);
    EventLoop { entrance, children, ending, service, limits, output, failed, stopping }.run()
}

/// A service while it is done.
struct EventLoop<'a> {
    entrance: Acceptor,
    children: Blocked,
    ending: Option<Blocked>,
    service: &'a mut dyn Service,
    limits: Limits,
    output: &'a Output,
    /// The status of the last client, if it could not be taken on.
    failed: Option<Exit>,
    /// The signal that ends us, and by when the clients have finished.
    stopping: Option<(Signal, Deadline)>,
}

impl EventLoop<'_> {
    fn run(mut self) -> anyhow::Result<Exit> {
        let mut ready = Vec::new();
        while !self.is_over() {
            let awaited = if self.has_place() { Awaited::Everybody } else { Awaited::Inside };
            match self.entrance.wait(&mut ready, awaited, self.deadline())? {
                Waited::Done(()) => ready.iter().try_for_each(|&number| self.go_on(number))?,
                Waited::TimedOut if self.stopping.is_some() => break,
                Waited::TimedOut => return Ok(Exit::Done),
            }
            if self.entrance.gate.has_guests() {
                self.let_in()?;
            }
        }
        if let Some((signal, _)) = self.stopping {
            self.service.end();
            die_of(signal);
        }
        Ok(self.failed.unwrap_or_else(|| self.service.exit()))
    }

    fn is_over(&self) -> bool {
        let out_of_time = self.stopping.is_some_and(|(_, until)| until.has_passed());
        out_of_time || self.entrance.gate.is_closed() && self.service.clients() == 0
    }

    fn has_place(&self) -> bool {
        self.service.clients() < self.limits.max_clients
    }

    fn deadline(&self) -> Deadline {
        match self.stopping {
            Some((_, until)) => until,
            None if self.service.clients() == 0 => self.limits.idle(),
            None => Deadline::NEVER,
        }
    }

    fn go_on(&mut self, number: u64) -> anyhow::Result<()> {
        match number {
            LISTENER => self.let_in(),
            CHILDREN => self.reap(),
            ENDING => self.stop(),
            client => {
                let Acceptor { gate, events, .. } = &self.entrance;
                self.service.go_on(client, &Place { gate, events, output: self.output })
            }
        }
    }

    /// Lets in those who wait, as far as there is place.
    fn let_in(&mut self) -> anyhow::Result<()> {
        while self.has_place() {
            let Some(client) = self.entrance.next(self.output)? else { break };
            let Acceptor { gate, events, .. } = &self.entrance;
            let place = Place { gate, events, output: self.output };
            let begun = self.service.begin(client, &place);
            self.failed = begun.as_ref().err().map(Exit::of);
            // What one client cannot be given, the others may well be.
            begun.unwrap_or_else(|error| self.output.error(&error));
        }
        Ok(())
    }

    /// Looks after children that have ended.
    fn reap(&mut self) -> anyhow::Result<()> {
        // The signal only says that there may be some.
        while self.children.take(Deadline::PASSED)? != Waited::TimedOut {}
        self.service.reap();
        Ok(())
    }

    /// Lets nobody else in, and gives those who are inside time to finish; at a second signal none.
    fn stop(&mut self) -> anyhow::Result<()> {
        let signal = self.ending.as_ref().map(|ending| ending.take(Deadline::PASSED));
        let Some(Waited::Done(received)) = signal.transpose()? else { return Ok(()) };
        // Those who have connected already count as clients.
        self.let_in()?;
        self.entrance.gate.close();
        let until = match self.stopping {
            None => self.limits.grace(),
            Some(_) => Deadline::PASSED,
        };
        self.stopping = Some((received.signal, until));
        Ok(())
    }
}

/// What clients come to.
pub struct Listening {
    pub gate: Gate,
    /// Tells when children have ended.
    pub children: Blocked,
    /// What ends us, where clients are given time to finish.
    pub ending: Option<Blocked>,
}
