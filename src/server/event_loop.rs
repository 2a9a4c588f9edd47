//! Serving clients side by side.

use crate::base::deadline::{Deadline, Waited};
use crate::base::exit::Exit;
use crate::base::signal::Signal;
use crate::base::units::Timeout;
use crate::io::output::Output;
use crate::mechanism::service_manager::Running;
use crate::server::acceptor::{Acceptor, LISTENER, NewClients};
use crate::server::admission::{Admission, Client};
use crate::sys::cleanup::Handlers;
use crate::sys::events::{Events, Interest};
use crate::sys::signal::{Blocked, Handler};

/// The work that a server does for its clients.
pub trait Service {
    /// Begins to serve, before the first client.
    fn begin(&mut self, _server: &ServerRef<'_>) -> anyhow::Result<()> {
        Ok(())
    }

    /// Starts to serve a client. The service may add the client's socket, or another descriptor, to
    /// the events under the client's number.
    fn start(&mut self, client: Client, server: &ServerRef<'_>) -> anyhow::Result<()>;

    /// Continues with a client whose descriptor is ready.
    fn ready(&mut self, _number: u64, _server: &ServerRef<'_>) -> anyhow::Result<()> {
        Ok(())
    }

    /// Looks for child processes of the service that have ended.
    fn children_changed(&mut self, _server: &ServerRef<'_>) -> anyhow::Result<()> {
        Ok(())
    }

    /// The time of the next [`Service::tick`].
    fn deadline(&self) -> Deadline {
        Deadline::NEVER
    }

    /// Does what is due at [`Service::deadline`].
    fn tick(&mut self, _server: &ServerRef<'_>) -> anyhow::Result<()> {
        Ok(())
    }

    /// Whether no more clients are to be admitted; the server ends after the last of those it has.
    fn is_closing(&self) -> bool {
        false
    }

    /// Learns that no more clients are admitted.
    fn closed(&mut self) {}

    /// Asks the clients that are still served to end.
    fn terminate(&mut self) {}

    /// The number of clients that are served.
    fn clients(&self) -> usize;

    /// The status to end with after the last client.
    fn exit(&self) -> Exit {
        Exit::Done
    }
}

/// The parts of a server that its service uses.
pub struct ServerRef<'a> {
    pub admission: &'a Admission,
    pub events: &'a Events,
    pub output: &'a Output,
}

/// How a server ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Ended {
    /// It has no more clients to serve.
    Served(Exit),
    /// It took this fatal signal from the queue, and its clients have had their time to finish.
    BySignal(Signal),
}

/// The limits of a server.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The number of clients to serve at a time; the others stay in the backlog.
    pub max_clients: usize,
    /// How long the server stays without clients.
    pub idle: Option<Timeout>,
    /// How long clients may take to finish after a fatal signal.
    pub grace: Option<Timeout>,
}

impl Limits {
    /// The end of the grace period that starts now.
    fn grace(&self) -> Deadline {
        end_of(self.grace)
    }

    /// The end of the idle period that starts now.
    pub fn idle(&self) -> Deadline {
        end_of(self.idle)
    }
}

fn end_of(period: Option<Timeout>) -> Deadline {
    match period {
        Some(Timeout::For(duration)) => Deadline::after(duration),
        Some(Timeout::Forever) | None => Deadline::NEVER,
    }
}

/// A server that listens, with its signals prepared.
///
/// The order of the fields is the order in which they are dropped: the path of the listening socket
/// is removed while signals still wait for that.
pub struct Listening {
    /// The service manager, which is told of the end before the path is removed.
    pub manager: Option<Running>,
    pub admission: Admission,
    pub signals: Signals,
}

/// The mask and the handlers of signals while a server listens. Dropping it restores those before.
pub struct Signals {
    /// The fatal signals, where clients get time to finish.
    pub graceful: Option<Blocked>,
    /// The fatal signals, where they end the process at once, after clean-up.
    pub _fatal: Option<Handlers>,
    /// CHLD, which reports that a child has ended.
    pub children: Blocked,
    /// The kernel discards the status of a child while CHLD is ignored.
    pub _kept_children: Handler,
}

/// The numbers of the events that belong to no client, besides [`LISTENER`].
const CHILDREN: u64 = u64::MAX - 1;
const FATAL: u64 = u64::MAX - 2;

/// Serves until no client is left to serve.
pub fn serve(
    listening: Listening,
    service: &mut dyn Service,
    limits: Limits,
    output: &Output,
) -> anyhow::Result<Ended> {
    let Listening { manager, admission, signals } = listening;
    let acceptor = Acceptor::new(admission)?;
    let children = signals.children.descriptor()?;
    acceptor.events.add(&children, CHILDREN, Interest::Readable)?;
    let fatal = signals.graceful.as_ref().map(Blocked::descriptor).transpose()?;
    if let Some(fatal) = &fatal {
        acceptor.events.add(fatal, FATAL, Interest::Readable)?;
    }
    let mut server = EventLoop {
        manager,
        acceptor,
        signals: &signals,
        service,
        limits,
        output,
        failed: None,
        stopping: None,
    };
    server.run()
}

/// A server and its service.
struct EventLoop<'a> {
    /// The service manager, until the server stops.
    manager: Option<Running>,
    acceptor: Acceptor,
    signals: &'a Signals,
    service: &'a mut dyn Service,
    limits: Limits,
    output: &'a Output,
    /// The status of the last client, if the service failed to start it.
    failed: Option<Exit>,
    /// The fatal signal that arrived, and the end of the grace period.
    stopping: Option<(Signal, Deadline)>,
}

impl EventLoop<'_> {
    fn run(&mut self) -> anyhow::Result<Ended> {
        let mut ready = Vec::new();
        let Acceptor { admission, events, .. } = &self.acceptor;
        self.service.begin(&ServerRef { admission, events, output: self.output })?;
        while !self.is_over() {
            let new_clients =
                if self.has_capacity() { NewClients::Accept } else { NewClients::Leave };
            let due = self.service.deadline();
            match self.acceptor.wait(&mut ready, new_clients, self.deadline().min(due))? {
                Waited::Done(()) => ready.iter().try_for_each(|&number| self.handle(number))?,
                Waited::TimedOut if due.has_passed() => {
                    let Acceptor { admission, events, .. } = &self.acceptor;
                    self.service.tick(&ServerRef { admission, events, output: self.output })?;
                }
                Waited::TimedOut if self.stopping.is_some() => break,
                Waited::TimedOut => return Ok(Ended::Served(Exit::Done)),
            }
            if self.acceptor.admission.has_queued() {
                self.start_clients()?;
            }
            if self.service.is_closing() && !self.acceptor.admission.is_closed() {
                self.close()?;
            }
        }
        if let Some((signal, _)) = self.stopping {
            self.service.terminate();
            return Ok(Ended::BySignal(signal));
        }
        Ok(Ended::Served(self.failed.unwrap_or_else(|| self.service.exit())))
    }

    fn is_over(&self) -> bool {
        let out_of_time = self.stopping.is_some_and(|(_, until)| until.has_passed());
        out_of_time || self.acceptor.admission.is_closed() && self.service.clients() == 0
    }

    fn has_capacity(&self) -> bool {
        self.service.clients() < self.limits.max_clients
    }

    fn deadline(&self) -> Deadline {
        match self.stopping {
            Some((_, until)) => until,
            None if self.service.clients() == 0 => self.limits.idle(),
            None => Deadline::NEVER,
        }
    }

    fn handle(&mut self, number: u64) -> anyhow::Result<()> {
        match number {
            LISTENER => self.start_clients(),
            CHILDREN => self.children_changed(),
            FATAL => self.stop(),
            client => {
                let Acceptor { admission, events, .. } = &self.acceptor;
                self.service.ready(client, &ServerRef { admission, events, output: self.output })
            }
        }
    }

    /// Starts the clients that wait, up to the limit.
    fn start_clients(&mut self) -> anyhow::Result<()> {
        while self.has_capacity() {
            let Some(client) = self.acceptor.next(self.output)? else { break };
            let Acceptor { admission, events, .. } = &self.acceptor;
            let server = ServerRef { admission, events, output: self.output };
            let started = self.service.start(client, &server);
            self.failed = started.as_ref().err().map(Exit::of);
            // A failure to serve one client does not end the service for the others.
            started.unwrap_or_else(|error| self.output.error(&error));
        }
        Ok(())
    }

    fn children_changed(&mut self) -> anyhow::Result<()> {
        // One signal may report several children.
        while self.signals.children.take(Deadline::PASSED)? != Waited::TimedOut {}
        let Acceptor { admission, events, .. } = &self.acceptor;
        self.service.children_changed(&ServerRef { admission, events, output: self.output })
    }

    /// Admits no more clients but those that have connected.
    fn close(&mut self) -> anyhow::Result<()> {
        self.start_clients()?;
        self.acceptor.admission.close();
        self.service.closed();
        Ok(())
    }

    /// Admits no more clients, and starts the grace period; a second signal ends it.
    fn stop(&mut self) -> anyhow::Result<()> {
        let signal = self.signals.graceful.as_ref().map(|fatal| fatal.take(Deadline::PASSED));
        let Some(Waited::Done(received)) = signal.transpose()? else { return Ok(()) };
        // The clients may take long to finish.
        drop(self.manager.take());
        // Clients that have connected before the signal are served.
        self.close()?;
        let until = match self.stopping {
            None => self.limits.grace(),
            Some(_) => Deadline::PASSED,
        };
        self.stopping = Some((received.signal, until));
        Ok(())
    }
}
