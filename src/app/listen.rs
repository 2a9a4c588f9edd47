//! The options of every verb that listens and serves clients.

use std::os::unix::ffi::OsStrExt;
use std::time::Duration;

use crate::app::arguments::Plain;
use crate::app::context::Context;
use crate::app::ownership::Owner;
use crate::app::ready;
use crate::app::ready::Ready;
use crate::app::socket::{Connected, Silence, fatal_signals, listen, permissions, report_address};
use crate::base::deadline::{Deadline, Waited};
use crate::base::exit::{Exit, Failure, Subject};
use crate::base::signal::Signal;
use crate::base::units::{Permissions, Timeout};
use crate::mechanism::service_manager::{self, Manager, Running};
use crate::mechanism::socket::Terms;
use crate::mechanism::socket::address::{Address, Endpoint};
use crate::run::job::{self, Command};
use crate::server::admission::{Admission, Allowed};
use crate::server::event_loop::{Limits, Listening, Signals};
use crate::sys::cleanup;
use crate::sys::signal::Blocked;
use crate::sys::socket::SocketType;
use crate::sys::socket::{self, KeepAlive};

/// The options of every server: who may connect, and how it begins and ends.
#[derive(Debug, clap::Args, Plain)]
pub struct Serving {
    /// Permissions of the path; 0600 if not given
    ///
    /// Octal or symbolic; the umask does not apply.
    #[arg(short, long)]
    mode: Option<Permissions>,
    /// Owner of the path: USER, USER:GROUP or :GROUP
    ///
    /// By name or ID. The path appears with this owner, never with another one before. Only root can
    /// name another user.
    #[arg(long, value_name = "USER[:GROUP]", hide_short_help = true)]
    owner: Option<Owner>,
    #[command(flatten)]
    ready: Ready,
    /// Report to the service manager: sd_notify(3)
    ///
    /// The manager gets READY=1 when the server listens, and STOPPING=1 when it ends. Its socket is in
    /// the environment variable NOTIFY_SOCKET, which systemd sets for a unit with Type=notify: a path or
    /// an abstract name. Where the variable is not set or empty, nothing is reported. The variable is removed
    /// from the environment of COMMAND, as its reports would replace those of the server.
    #[arg(long, hide_short_help = true)]
    notify: bool,
    /// Admit processes of this user
    #[arg(long, value_name = "UID")]
    allow_uid: Vec<u32>,
    /// Admit processes of this group
    #[arg(long, value_name = "GID", hide_short_help = true)]
    allow_gid: Vec<u32>,
    /// Serve at most N clients of one user at a time
    ///
    /// The user's other clients wait.
    #[arg(
        long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..),
        hide_short_help = true,
    )]
    max_per_uid: Option<u32>,
    /// Let at most N clients wait to be accepted
    #[arg(
        long, value_name = "N", default_value_t = socket::BACKLOG, hide_short_help = true,
    )]
    backlog: i32,
    /// Let clients finish for this long after a signal
    ///
    /// INT, TERM and HUP end the server. No other client is admitted. A COMMAND that still runs
    /// after that gets TERM. A second signal ends the server at once.
    #[arg(long, value_name = "DURATION")]
    grace: Option<Timeout>,
    /// End after this long without a client
    #[arg(long, value_name = "DURATION")]
    idle: Option<Timeout>,
}

/// How the fatal signals end a server.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum End {
    /// At once, where no time to finish was given.
    AtOnce,
    /// After its event loop has ended the COMMANDs.
    InOrder,
}

impl Serving {
    /// The options of a server whose clients are threads of this process.
    pub fn within_process(grace: Option<Timeout>, idle: Option<Timeout>) -> Self {
        Self {
            mode: None,
            owner: None,
            ready: Ready::NONE,
            notify: false,
            allow_uid: Vec::new(),
            allow_gid: Vec::new(),
            max_per_uid: None,
            backlog: socket::BACKLOG,
            grace,
            idle,
        }
    }

    /// Takes over the descriptor for `--ready`, before any file is opened that could get its number.
    pub fn prepare(&self) -> anyhow::Result<ready::Target> {
        self.ready.target()
    }

    /// Listens, and reports that the server is ready.
    pub fn open(
        &self,
        address: &Address,
        (kind, keepalive): (SocketType, KeepAlive),
        end: End,
        ready: ready::Target,
        context: &Context,
    ) -> anyhow::Result<Listening> {
        let allowed = self.allowed(address)?;
        let terms = Terms { keepalive, ..self.socket_terms(address, kind)? };
        let manager = self.manager(context)?;
        let kept_children = job::keep_ended_children();
        let children = Blocked::new([Signal::CHLD].into_iter().collect());
        // The event loop accepts a signal from now on, or the cleanup runs.
        let blocked = Blocked::new(fatal_signals().collect());
        let listener = listen(address, terms)?;
        let (graceful, fatal) = match (self.grace, end) {
            (Some(_), _) | (None, End::InOrder) => (Some(blocked), None),
            (None, End::AtOnce) => {
                let fatal = cleanup::end_by(fatal_signals());
                drop(blocked);
                (None, Some(fatal))
            }
        };
        report_address(&listener, address, &context.output);
        ready.write(listener.address().as_bytes())?;
        let manager = manager.map(report_ready).transpose()?;
        let max_per_uid = self.max_per_uid.map_or(usize::MAX, |limit| limit as usize);
        let admission = Admission::new(listener, allowed).for_each_user(max_per_uid);
        Ok(Listening {
            manager,
            admission,
            signals: Signals { graceful, _fatal: fatal, children, _kept_children: kept_children },
        })
    }

    /// Removes the variable of the service manager from the environment of a COMMAND, if the server itself
    /// reports to it.
    pub fn hide_manager(&self, command: Command) -> Command {
        if self.notify { service_manager::hide(command) } else { command }
    }

    /// The service manager to report to, if there is one.
    fn manager(&self, context: &Context) -> anyhow::Result<Option<Manager>> {
        let address = context.environment.get(service_manager::VARIABLE);
        // An empty variable is one that a script has unset.
        match address.filter(|address| self.notify && !address.is_empty()) {
            Some(address) => {
                let manager = Manager::connect(&address).map_err(Failure::from).about(&address);
                Ok(Some(manager.about(service_manager::VARIABLE)?))
            }
            None if self.notify => {
                context.output.note("NOTIFY_SOCKET is not set: there is nothing to report to");
                Ok(None)
            }
            None => Ok(None),
        }
    }

    /// The limits of the server, for this number of clients at a time.
    pub fn limits(&self, max_clients: usize, end: End) -> Limits {
        let at_once = match end {
            End::AtOnce => None,
            End::InOrder => Some(Timeout::For(Duration::ZERO)),
        };
        Limits { max_clients, idle: self.idle, grace: self.grace.or(at_once) }
    }

    /// How to listen at an address, such as one for datagrams beside that of the server.
    pub fn socket_terms(&self, address: &Address, kind: SocketType) -> anyhow::Result<Terms> {
        if self.owner.is_some() && address.path().is_none() {
            return Err(Failure::new(Exit::Usage, "only a path has an owner")).about("--owner");
        }
        let mode = permissions(self.mode, address)?;
        let (owner, keepalive) = (self.owner.map(Owner::ids), KeepAlive::System);
        Ok(Terms { kind, mode, owner, backlog: self.backlog, keepalive })
    }

    /// The processes that may be clients of this address.
    pub fn allowed(&self, address: &Address) -> anyhow::Result<Allowed> {
        let is_named = !(self.allow_uid.is_empty() && self.allow_gid.is_empty());
        let is_counted = self.max_per_uid.is_some();
        match address.endpoint() {
            Endpoint::Path(_) | Endpoint::Descriptor(_) | Endpoint::Named(_) if !is_named => {
                Ok(Allowed::All)
            }
            Endpoint::Path(_)
            | Endpoint::Abstract(_)
            | Endpoint::Descriptor(_)
            | Endpoint::Named(_) => {
                let (users, groups) = (self.allow_uid.clone(), self.allow_gid.clone());
                Ok(Allowed::Only { users, groups })
            }
            _ if is_named || is_counted => {
                let reason = "the users of a network's clients are not known";
                Err(Failure::new(Exit::Usage, reason)).about(if is_named {
                    "--allow-uid and --allow-gid"
                } else {
                    "--max-per-uid"
                })
            }
            _ => Ok(Allowed::All),
        }
    }
}

/// The admission of clients of a socket of any kind, and the limits of the server.
#[derive(Debug, clap::Args, Plain)]
pub struct ListenOptions {
    #[command(flatten)]
    connected: Connected,
    #[command(flatten)]
    serving: Serving,
    /// End after the first client, with its status
    ///
    /// The status is that of the COMMAND, or of the connection.
    #[arg(long)]
    once: bool,
    /// Serve at most N clients at a time; the others wait
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    max_clients: Option<u32>,
    #[command(flatten)]
    silence: Silence,
}

impl ListenOptions {
    /// Checks the type, and takes over the descriptor for `--ready`, before any file is opened that
    /// could get its number.
    pub fn prepare(&self) -> anyhow::Result<ready::Target> {
        self.connected.connections_only()?;
        self.serving.prepare()
    }

    /// Listens, and reports that the server is ready.
    pub fn open(
        &self,
        address: &Address,
        ready: ready::Target,
        context: &Context,
    ) -> anyhow::Result<Listening> {
        let sockets = (self.kind(), self.keepalive());
        let Listening { manager, admission, signals } =
            self.serving.open(address, sockets, End::AtOnce, ready, context)?;
        let admission = if self.once { admission.for_one() } else { admission };
        Ok(Listening { manager, admission, signals })
    }

    /// Removes the variable of the service manager from the environment of a COMMAND, if the server itself
    /// reports to it.
    pub fn hide_manager(&self, command: Command) -> Command {
        self.serving.hide_manager(command)
    }

    /// Rejects options that do not apply to a server of one client at a time.
    pub fn one_at_a_time(&self) -> anyhow::Result<()> {
        match self.serving.grace {
            None => Ok(()),
            Some(_) => {
                let reason = "it applies only to clients that are served side by side";
                Err(Failure::new(Exit::Usage, reason)).about("--grace")
            }
        }
    }

    /// Whether only one client is admitted.
    pub fn is_for_one(&self) -> bool {
        self.once
    }

    /// The type of the sockets.
    pub fn kind(&self) -> SocketType {
        self.connected.kind
    }

    /// The time after which the kernel probes a silent TCP peer.
    pub fn keepalive(&self) -> KeepAlive {
        self.silence.keepalive()
    }

    /// The limits of the server.
    pub fn limits(&self) -> Limits {
        let max_clients = self.max_clients.map_or(usize::MAX, |limit| limit as usize);
        self.serving.limits(max_clients, End::AtOnce)
    }
}

/// Reports that the server is ready.
fn report_ready(manager: Manager) -> anyhow::Result<Running> {
    /// The limit for a manager that reads nothing.
    const LIMIT: Duration = Duration::from_secs(5);
    match manager.ready(Deadline::after(LIMIT)).about(service_manager::VARIABLE)? {
        Waited::Done(running) => Ok(running),
        Waited::TimedOut => Err(Failure::timed_out()).about(service_manager::VARIABLE),
    }
}
