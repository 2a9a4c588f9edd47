//! Serving clients side by side.

use std::time::Duration;

use crate::deadline::{Deadline, Waited};
use crate::errno::Errno;
use crate::exit::Exit;
use crate::output::Output;
use crate::signals::Signal;
use crate::sys::events::{Events, Interest};
use crate::sys::signal::{Blocked, die_of};
use crate::units::Patience;

use super::gate::{Client, Gate};
use super::hosting::Hosted;

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
    pub idle: Option<Patience>,
    /// How long clients may take to finish when a signal ends us.
    pub grace: Option<Patience>,
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

fn moment(patience: Option<Patience>) -> Deadline {
    match patience {
        Some(Patience::For(duration)) => Deadline::after(duration),
        Some(Patience::Forever) | None => Deadline::NEVER,
    }
}

/// The numbers of what is no client's.
const LISTENER: u64 = u64::MAX;
const CHILDREN: u64 = u64::MAX - 1;
const ENDING: u64 = u64::MAX - 2;

/// How long clients are left waiting when there is nothing to serve them with.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves until there is nobody left to serve.
pub fn attend(
    hosted: Hosted,
    service: &mut dyn Service,
    limits: Limits,
    output: &Output,
) -> anyhow::Result<Exit> {
    let Hosted { mut gate, children, ending } = hosted;
    let mut events = Events::new()?;
    let ended = children.descriptor()?;
    events.add(&ended, CHILDREN, Interest::Readable)?;
    let told = ending.as_ref().map(Blocked::descriptor).transpose()?;
    if let Some(told) = &told {
        events.add(told, ENDING, Interest::Readable)?;
    }
    if let Some(listener) = gate.listener() {
        events.add(listener, LISTENER, Interest::Readable)?;
    }
    let mut ready = Vec::new();
    let mut pause = None;
    let mut attentive = true;
    let mut stopping: Option<(Signal, Deadline)> = None;
    while !(gate.is_closed() && service.clients() == 0) {
        let wanted = pause.is_none() && service.clients() < limits.max_clients && gate.has_room();
        if wanted != attentive {
            attentive = wanted;
            let interest = if wanted { Interest::Readable } else { Interest::Nothing };
            wait_for_clients(&gate, &events, interest)?;
        }
        let idle = if service.clients() == 0 { limits.idle() } else { Deadline::NEVER };
        let deadline = stopping.map_or(pause.unwrap_or(idle), |(_, until)| until);
        if events.wait(&mut ready, deadline)? == Waited::TimedOut {
            if stopping.is_some() {
                break;
            }
            if pause.take().is_none() {
                return Ok(Exit::Done);
            }
            continue;
        }
        for &number in &ready {
            match number {
                LISTENER => pause = let_in(&mut gate, service, &events, limits, output)?,
                CHILDREN => reap(service, &children)?,
                ENDING => {
                    let signal = ending.as_ref().map(|ending| ending.take(Deadline::PASSED));
                    let Some(Waited::Done(received)) = signal.transpose()? else { continue };
                    // Those who have connected already count as clients.
                    let _ = let_in(&mut gate, service, &events, limits, output)?;
                    gate.close();
                    let until = stopping.map_or_else(|| limits.grace(), |_| Deadline::PASSED);
                    stopping = Some((received.signal, until));
                }
                client => {
                    let place = Place { gate: &gate, events: &events, output };
                    service.go_on(client, &place)?;
                }
            }
        }
        if gate.has_guests() {
            pause = let_in(&mut gate, service, &events, limits, output)?;
        }
    }
    if let Some((signal, _)) = stopping {
        service.end();
        die_of(signal);
    }
    Ok(service.exit())
}

/// Looks after children that have ended.
fn reap(service: &mut dyn Service, children: &Blocked) -> Result<(), Errno> {
    // The signal only says that there may be some.
    while children.take(Deadline::PASSED)? != Waited::TimedOut {}
    service.reap();
    Ok(())
}

/// Lets in those who wait; or says until when they are left waiting, as there are no descriptors
/// or no memory for them.
fn let_in(
    gate: &mut Gate,
    service: &mut dyn Service,
    events: &Events,
    limits: Limits,
    output: &Output,
) -> anyhow::Result<Option<Deadline>> {
    while service.clients() < limits.max_clients {
        match gate.next(output) {
            Ok(Some(client)) => service.begin(client, &Place { gate, events, output })?,
            Ok(None) => return Ok(None),
            Err(errno @ Errno(libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM)) => {
                output.note(format_args!("clients are left waiting: {errno}"));
                return Ok(Some(Deadline::after(PAUSE)));
            }
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(None)
}

fn wait_for_clients(gate: &Gate, events: &Events, interest: Interest) -> Result<(), Errno> {
    match gate.listener() {
        Some(listener) => events.change(listener, LISTENER, interest),
        None => Ok(()),
    }
}
