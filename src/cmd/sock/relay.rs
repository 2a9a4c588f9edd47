//! `ipc sock relay`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread::JoinHandle;

use crate::app::arguments::Plain;
use crate::app::command::{Action, Example};
use crate::app::context::Context;
use crate::base::deadline::{Deadline, Waited};
use crate::base::exit::{Exit, Failure, Subject};
use crate::io::output::Output;
use crate::mechanism::socket::Connecting;
use crate::mechanism::socket::address::{Address, Place};
use crate::mechanism::socket::relay;
use crate::sys::descriptor;
use crate::sys::eventfd::Bell;
use crate::sys::events::Interest;
use crate::sys::socket::SocketType;
use crate::sys::socket::{KeepAlive, Socket};
use crate::sys::thread;

use crate::app::listen::ListenOptions;
use crate::app::socket::connect;
use crate::cmd::sock::Lifetime;
use crate::server::admission::Client;
use crate::server::event_loop;
use crate::server::event_loop::{Limits, Service, attend};

/// Pass connections at one address on to another
///
/// For each client of the first address a connection to the second is made, and both ways what
/// comes from either is sent to the other. The end of one direction is passed on and the other goes
/// on. A connection lasts until both sides have sent their ends and have read everything. Where one
/// side fails, the other finds its connection reset if it is one of TCP, and ended
/// otherwise; a line on stderr says why.
///
/// Who may come in is decided as by 'ipc sock serve'. There are as many at a time as we may have
/// descriptors for, ten for each. The server at the second address sees us, not the client. A
/// connection that is open already (fd:N) can be had by one client, and so only with --once. Nothing
/// is encrypted: for TLS there are socat and stunnel, as ipc-sock-serve(1) and ipc-sock-connect(1)
/// show.
#[derive(Debug, clap::Args, Plain)]
pub struct Relay {
    /// Where to listen: a path with a slash, @NAME, tcp:HOST:PORT, vsock:CID:PORT or fd:N
    #[arg(value_name = "ADDRESS")]
    from: Address,
    /// Where to connect to
    #[arg(value_name = "ADDRESS")]
    to: Address,
    #[command(flatten)]
    hosting: ListenOptions,
    #[command(flatten)]
    lifetime: Lifetime,
}

impl Action for Relay {
    const EXAMPLES: &'static [Example] = &[
        ("Make a local server reachable at a port", "ipc sock relay tcp::8080 /run/server"),
        ("Reach a port by a path", "ipc sock relay ./db tcp:db.example.org:5432"),
    ];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let output = &mut context.output;
        if self.from.as_ref() == self.to.as_ref() {
            // Each connection would make another one, until there is no descriptor left.
            let reason = "it would be relayed to itself";
            return Err(Failure::new(Exit::Usage, reason)).about(&self.to);
        }
        // Descriptors of our caller come before any of ours.
        let open = self.connection()?;
        let ready = self.hosting.prepare()?;
        let hosted = self.hosting.open(&self.from, ready, output)?;
        let mut relays = Relays::new(self.to, open, &self.hosting, self.lifetime);
        let limits = self.hosting.limits();
        let max_clients = limits.max_clients.min(affordable());
        attend(hosted, &mut relays, Limits { max_clients, ..limits }, output)
    }
}

impl Relay {
    /// The connection to relay to, where it is open already.
    fn connection(&self) -> anyhow::Result<Option<Socket>> {
        match self.to.place() {
            Place::Descriptor(_) | Place::Handed(_) if self.hosting.is_for_one() => {
                match connect(&self.to, Connecting::new(self.hosting.kind(), Deadline::NEVER))? {
                    Waited::Done(socket) => Ok(Some(socket)),
                    Waited::TimedOut => Ok(None),
                }
            }
            Place::Descriptor(_) | Place::Handed(_) => {
                let reason = "one connection is for one client";
                let failure = Failure::new(Exit::Usage, reason).hint("--once lets one client in");
                Err(failure).about(&self.to)
            }
            _ => Ok(None),
        }
    }
}

/// How many clients we have descriptors for. The others wait to be accepted, rather than being
/// let in and then sent away.
fn affordable() -> usize {
    /// Two sockets, a bell, and pipes to move pages through, with room to spare.
    const EACH: usize = 10;
    const OWN: usize = 12;
    (descriptor::limit().saturating_sub(OWN) / EACH).max(1)
}

/// The clients, each with a thread of its own.
struct Relays {
    to: Arc<Address>,
    /// The connection that is open already, for the only client.
    open: Option<Socket>,
    kind: SocketType,
    keepalive: KeepAlive,
    lifetime: Lifetime,
    running: BTreeMap<u64, Connection>,
    last: Exit,
}

struct Connection {
    /// Rings when the thread has done.
    done: Arc<Bell>,
    thread: JoinHandle<anyhow::Result<()>>,
}

impl Relays {
    fn new(to: Address, open: Option<Socket>, hosting: &ListenOptions, lifetime: Lifetime) -> Self {
        let (kind, keepalive) = (hosting.kind(), hosting.keepalive());
        let (to, running) = (Arc::new(to), BTreeMap::new());
        Self { to, open, kind, keepalive, lifetime, running, last: Exit::Done }
    }
}

impl Service for Relays {
    fn begin(&mut self, client: Client, place: &event_loop::Place<'_>) -> anyhow::Result<()> {
        let number = client.number;
        let done = Arc::new(Bell::new()?);
        place.events.add(&*done, number, Interest::Readable)?;
        let deadline = self.lifetime.deadline();
        let how = Connecting { keepalive: self.keepalive, ..Connecting::new(self.kind, deadline) };
        let output = place.output.aside();
        let (to, open, bell) = (Arc::clone(&self.to), self.open.take(), Arc::clone(&done));
        let work = move || {
            let passed = pass(&client, &to, open, how, &output);
            drop(client);
            bell.ring();
            passed
        };
        let thread = thread::start(|thread| thread.spawn(work))?;
        self.running.insert(number, Connection { done, thread });
        Ok(())
    }

    fn go_on(&mut self, number: u64, place: &event_loop::Place<'_>) -> anyhow::Result<()> {
        let Some(Connection { done, thread }) = self.running.remove(&number) else { return Ok(()) };
        let passed = thread.join().expect("a relay does not panic");
        drop(done);
        self.last = passed.as_ref().map_or_else(Exit::of, |()| Exit::Done);
        if let Err(error) = passed {
            place.output.error(&error);
        }
        Ok(())
    }

    fn clients(&self) -> usize {
        self.running.len()
    }

    fn exit(&self) -> Exit {
        self.last
    }
}

fn pass(
    client: &Client,
    to: &Address,
    open: Option<Socket>,
    how: Connecting<'_>,
    output: &Output,
) -> anyhow::Result<()> {
    let connected = match open {
        Some(socket) => Ok(Waited::Done(socket)),
        // Its client shall not take this for an end.
        None => connect(to, how).inspect_err(|_| client.socket.reset_when_closed()),
    };
    match connected? {
        Waited::Done(onward) => {
            let passed = relay::both_ways(&client.socket, &onward, how.kind, how.deadline, output);
            passed.map_err(Failure::from).about(to)
        }
        Waited::TimedOut => Err(Failure::timed_out()).about(to),
    }
}
