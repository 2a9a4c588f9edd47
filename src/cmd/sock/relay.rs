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
use crate::mechanism::socket::address::{Address, Endpoint};
use crate::mechanism::socket::expiry::Expiry;
use crate::mechanism::socket::relay;
use crate::sys::descriptor;
use crate::sys::eventfd::Bell;
use crate::sys::events::Interest;
use crate::sys::socket::SocketType;
use crate::sys::socket::{KeepAlive, Socket};
use crate::sys::thread;

use crate::app::listen::ListenOptions;
use crate::app::socket::{connect, resolve};
use crate::cmd::sock::{Lifetime, exit};
use crate::server::admission::Client;
use crate::server::event_loop;
use crate::server::event_loop::{Limits, ServerRef, Service};

/// Forward connections from one address to another
///
/// Each client of the first address gets a connection to the second one, and both directions are
/// forwarded. The end of one direction is forwarded too, and the other direction continues. A connection
/// lasts until both sides have sent their ends and have read everything. If one side fails, the
/// connection of the other is reset for TCP, and ends for other sockets; stderr has the reason.
///
/// Clients are admitted as by 'ipc sock serve'. The number of clients at a time is limited by the number
/// of descriptors of the process, ten for each client. The server at the second address sees 'ipc' as
/// its peer, not the client. An open connection (fd:N) is for one client, and so only with --once.
/// Nothing is encrypted: for TLS use socat or stunnel, as ipc-sock-serve(1) and ipc-sock-connect(1)
/// show.
#[derive(Debug, clap::Args, Plain)]
pub struct Relay {
    /// Listen at a path, @NAME, tcp:HOST:PORT, vsock:CID:PORT or fd:N
    #[arg(value_name = "ADDRESS")]
    from: Address,
    /// Connect to this address
    #[arg(value_name = "ADDRESS")]
    to: Address,
    #[command(flatten)]
    listen_options: ListenOptions,
    #[command(flatten)]
    lifetime: Lifetime,
}

impl Action for Relay {
    const EXAMPLES: &'static [Example] = &[
        ("Make a local server reachable at a port", "ipc sock relay tcp::8080 /run/server"),
        ("Reach a port by a path", "ipc sock relay ./db tcp:db.example.org:5432"),
    ];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        if self.from.as_ref() == self.to.as_ref() {
            // Each connection would cause another one, until no descriptor is left.
            let reason = "the relay would connect to itself";
            return Err(Failure::new(Exit::Usage, reason)).about(&self.to);
        }
        let (from, to) = (resolve(&self.from, context)?, resolve(&self.to, context)?);
        // The descriptors of the caller are taken before any other is opened.
        let open = self.connection(&to)?;
        let ready = self.listen_options.prepare()?;
        let listening = self.listen_options.open(&from, ready, context)?;
        let mut relays = Relays::new(to, open, &self.listen_options, self.lifetime);
        let limits = self.listen_options.limits();
        let max_clients = limits.max_clients.min(affordable());
        let limits = Limits { max_clients, ..limits };
        let ended = event_loop::serve(listening, &mut relays, limits, &context.output)?;
        Ok(exit(ended, context))
    }
}

impl Relay {
    /// The open connection to forward to, if the address is a descriptor.
    fn connection(&self, to: &Address) -> anyhow::Result<Option<Socket>> {
        match to.endpoint() {
            Endpoint::Descriptor(_) | Endpoint::Named(_) if self.listen_options.is_for_one() => {
                match connect(to, Connecting::new(self.listen_options.kind(), Deadline::NEVER))? {
                    Waited::Done(socket) => Ok(Some(socket)),
                    Waited::TimedOut => Ok(None),
                }
            }
            Endpoint::Descriptor(_) | Endpoint::Named(_) => {
                let reason = "one connection is for one client";
                let failure = Failure::new(Exit::Usage, reason).hint("--once admits one client");
                Err(failure).about(to)
            }
            _ => Ok(None),
        }
    }
}

/// The number of clients that the process has descriptors for. The others stay in the backlog, rather
/// than being accepted and then disconnected.
fn affordable() -> usize {
    /// Two sockets, two event descriptors, and the pipes for splice(2), with a margin.
    const EACH: usize = 10;
    const OWN: usize = 12;
    (descriptor::limit().saturating_sub(OWN) / EACH).max(1)
}

/// The connections, each with a thread of its own.
struct Relays {
    to: Arc<Address>,
    /// The open connection, for the only client.
    open: Option<Socket>,
    kind: SocketType,
    keepalive: KeepAlive,
    lifetime: Lifetime,
    running: BTreeMap<u64, Connection>,
    last: Exit,
}

struct Connection {
    /// Rings when the thread has ended.
    done: Arc<Bell>,
    /// Rings when the connection has to end.
    stop: Arc<Bell>,
    thread: JoinHandle<anyhow::Result<()>>,
}

impl Relays {
    fn new(to: Address, open: Option<Socket>, options: &ListenOptions, lifetime: Lifetime) -> Self {
        let (kind, keepalive) = (options.kind(), options.keepalive());
        let (to, running) = (Arc::new(to), BTreeMap::new());
        Self { to, open, kind, keepalive, lifetime, running, last: Exit::Done }
    }
}

impl Service for Relays {
    fn start(&mut self, client: Client, server: &ServerRef<'_>) -> anyhow::Result<()> {
        let number = client.number;
        let (done, stop) = (Arc::new(Bell::new()?), Arc::new(Bell::new()?));
        server.events.add(&*done, number, Interest::Readable)?;
        let deadline = self.lifetime.deadline();
        let how = Connecting { keepalive: self.keepalive, ..Connecting::new(self.kind, deadline) };
        let output = server.output.aside();
        let (to, open, lifetime) = (Arc::clone(&self.to), self.open.take(), self.lifetime);
        let (ended, stopped) = (Arc::clone(&done), Arc::clone(&stop));
        let work = move || {
            let forwarded = forward(&client, &to, open, how, lifetime, &stopped, &output);
            drop(client);
            ended.ring();
            forwarded
        };
        let thread = thread::start(|thread| thread.spawn(work))?;
        self.running.insert(number, Connection { done, stop, thread });
        Ok(())
    }

    fn ready(&mut self, number: u64, server: &ServerRef<'_>) -> anyhow::Result<()> {
        let Some(Connection { done, thread, .. }) = self.running.remove(&number) else {
            return Ok(());
        };
        let forwarded = thread.join().expect("a relay does not panic");
        drop(done);
        self.last = forwarded.as_ref().map_or_else(Exit::of, |()| Exit::Done);
        if let Err(error) = forwarded {
            server.output.error(&error);
        }
        Ok(())
    }

    fn terminate(&mut self) {
        self.running.values().for_each(|connection| connection.stop.ring());
    }

    fn clients(&self) -> usize {
        self.running.len()
    }

    fn exit(&self) -> Exit {
        self.last
    }
}

fn forward(
    client: &Client,
    to: &Address,
    open: Option<Socket>,
    how: Connecting<'_>,
    lifetime: Lifetime,
    stop: &Bell,
    output: &Output,
) -> anyhow::Result<()> {
    let connected = match open {
        Some(socket) => Ok(Waited::Done(socket)),
        // The client must not take this for an end.
        None => connect(to, how).inspect_err(|_| client.socket.reset_when_closed()),
    };
    match connected? {
        Waited::Done(onward) => {
            let sockets = [&client.socket, &onward];
            let expiry = Expiry::new(how.deadline, lifetime.idle());
            let forwarded = relay::both_ways(sockets, how.kind, &expiry, stop, output);
            forwarded.map_err(Failure::from).about(to)
        }
        Waited::TimedOut => Err(Failure::timed_out()).about(to),
    }
}
