//! `ipc sock serve`.

mod commands;
mod echo;
mod hub;
mod sequential;

use std::ffi::OsString;

use crate::app::arguments::Plain;
use crate::app::command::{Action, Example};
use crate::app::context::Context;
use crate::app::listen::ListenOptions;
use crate::app::options::Framing;
use crate::app::ready;
use crate::app::socket::{fatal_signals, handed_over, resolve};
use crate::base::exit::{Exit, Failure, Subject};
use crate::cmd::sock::{Lifetime, OneWay, exit};
use crate::mechanism::socket::activation;
use crate::mechanism::socket::address::Address;
use crate::mechanism::socket::duplex;
use crate::mechanism::socket::duplex::{Terms, Traffic};
use crate::run::job::Command;
use crate::server::event_loop;
use crate::server::event_loop::{Listening, Service};
use crate::sys::descriptor::{ClosedOnExec, Third};
use crate::sys::signal::Blocked;
use commands::Commands;
use echo::Echo;
use hub::Hub;

/// Listen at a socket and serve clients
///
/// With a COMMAND, each client gets its own COMMAND, with the socket as its stdin and stdout; the
/// COMMANDs run side by side. The environment of COMMAND has IPC_PEER_PID, IPC_PEER_UID, IPC_PEER_GID,
/// IPC_PEER_ADDR, IPC_LOCAL_ADDR and IPC_CONN_NUM (1 for the first client). With --echo, each client
/// gets its own bytes back. With --hub, the bytes of each client go to every other client; a client that
/// is more than 1 MiB behind is disconnected. A client of the hub that sends its end and has sent
/// nothing before still receives; one that has sent something is disconnected once it has got the bytes
/// that are kept for it. With none of these, one client at a time is connected to stdin and stdout, and
/// the others wait; status 0 means the same as for 'ipc sock connect'.
///
/// A path appears with its final permissions, when the server already listens. The path of a dead server
/// is taken over; a path that a process has open is refused with status 5; a file that is not a socket
/// is never removed. The server removes its path at the end, also when INT, TERM or HUP ends it.
/// COMMANDs that run at that time continue, unless --grace waits for them.
///
/// An abstract name (@NAME) has no permissions: the server admits only processes of its own user, and
/// of the users that --allow-uid names. A path is guarded by its mode; with --allow-uid, the server
/// admits only processes of these users and of its own.
///
/// By default only processes of the same user can connect to a path; any process that reaches a port can
/// connect to it. A TCP address without a host (tcp::80) is every address of this machine. A COMMAND's
/// output to a TCP socket is sent at once (TCP_NODELAY).
///
/// Nothing is encrypted. For TLS, let socat listen at the port and connect to the path, as in the
/// examples, or stunnel, with 'accept = 443', 'connect = /run/web' and 'cert = web.pem'.
#[derive(Debug, clap::Args, Plain)]
#[command(mut_args(|arg| {
    // These options apply to one client at a time, which is less common here than in `connect`.
    match arg.get_id().as_str() {
        "max_time" | "recv_only" | "send_only" => arg.hide_short_help(true),
        _ => arg,
    }
}))]
pub struct Serve {
    /// Path with a slash, @NAME, tcp:HOST:PORT, vsock:CID:PORT or fd:N
    ///
    /// Without it, the server uses the socket that systemd or another caller handed over in LISTEN_FDS.
    /// fd:NAME selects one of several by its name in LISTEN_FDNAMES.
    address: Option<Address>,
    /// Send each client its own bytes back
    #[arg(long, conflicts_with = "command")]
    echo: bool,
    /// Send the bytes of each client to every other
    #[arg(long, conflicts_with_all = ["command", "echo"])]
    hub: bool,
    #[command(flatten)]
    listen_options: ListenOptions,
    /// Hand the listening socket to a single COMMAND
    ///
    /// COMMAND gets the socket as descriptor 3, and LISTEN_FDS and LISTEN_PID in its environment, as for
    /// sd_listen_fds(3). It admits clients itself. 'ipc' forwards INT, TERM, HUP, QUIT, USR1 and USR2 to
    /// it. After its end the path is removed, unless another process still has the socket, and 'ipc'
    /// ends with its status.
    #[arg(long, requires = "command", conflicts_with_all = [
        "echo", "hub", "allow_uid", "allow_gid", "max_clients", "max_per_uid", "idle", "grace",
        "once",
    ], hide_short_help = true)]
    activate: bool,
    #[command(flatten)]
    lifetime: Lifetime,
    #[command(flatten)]
    one_way: OneWay,
    #[command(flatten)]
    framing: Framing,
    /// Run this for each client, with the socket as stdin and stdout
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

impl Action for Serve {
    const EXAMPLES: &'static [Example] = &[
        ("Answer each client with a script", "ipc sock serve /run/date -- date"),
        (
            "Collect the input of clients, one after the other",
            "ipc sock serve @log </dev/null >>log",
        ),
        (
            "Listen for a server that gets its socket from the caller",
            "ipc sock serve --activate -m 660 /run/server -- ./server",
        ),
        ("Start by systemd when a client connects", "ipc sock serve --idle 1m -- ./handler"),
        (
            "Serve TLS, with socat in front of the path",
            "ipc sock serve /run/web -- ./handler & \
             socat OPENSSL-LISTEN:443,fork,reuseaddr,cert=web.pem,verify=0 UNIX-CONNECT:/run/web",
        ),
        (
            "Disconnect clients that are silent for a minute",
            "ipc sock serve --echo --idle-timeout 1m /run/echo",
        ),
        (
            "Be a unit of systemd with Type=notify, for clients of another user",
            "ipc sock serve --notify --owner www-data /run/server -- ./handler",
        ),
        (
            "Continue when the server listens",
            "ipc sock serve --ready 3 @echo --echo 3>ready & read line <ready",
        ),
    ];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let address = match &self.address {
            Some(address) => resolve(address, context)?,
            None => handed_over(context).address().map_err(no_address).about("ADDRESS")?,
        };
        let ready = self.listen_options.prepare()?;
        if self.activate {
            self.lifetime.not_with_command()?;
            self.one_way.only_with_stdio()?;
            return self.run_with_listener(&address, ready, context);
        }
        let _closed = (!self.command.is_empty()).then(ClosedOnExec::new);
        // A COMMAND that does not exist is reported before the path appears.
        let service = self.service()?;
        let listening = self.listen_options.open(&address, ready, context)?;
        match service {
            Some(mut service) => {
                let limits = self.listen_options.limits();
                let output = &context.output;
                let ended = event_loop::serve(listening, service.as_mut(), limits, output)?;
                Ok(exit(ended, context))
            }
            None => self.serve_sequentially(listening, context),
        }
    }
}

fn no_address(error: activation::Error) -> Failure {
    Failure::new(Exit::Usage, error.to_string())
}

impl Serve {
    /// Connects one client after the other to stdin and stdout.
    fn serve_sequentially(
        &self,
        listening: Listening,
        context: &mut Context,
    ) -> anyhow::Result<Exit> {
        let Listening { manager: _manager, admission, signals: _signals } = listening;
        let (kind, form) = (self.listen_options.kind(), self.framing.form());
        let ends = duplex::ends(kind, form, context.stdin, context.stdout);
        let terms = || Terms {
            directions: self.one_way.directions(),
            expiry: self.lifetime.expiry(),
            traffic: Traffic::default(),
        };
        let limits = self.listen_options.limits();
        sequential::serve(admission, ends, limits, terms, &mut context.output)
    }

    /// Listens, and runs the COMMAND that serves.
    fn run_with_listener(
        &self,
        address: &Address,
        ready: ready::Target,
        context: &Context,
    ) -> anyhow::Result<Exit> {
        // Reserved first: the socket or the lock file must not get this number.
        let third = Third::reserve()?;
        let _closed = ClosedOnExec::new();
        // A COMMAND that does not exist is reported before the path appears.
        let command = activation::announce(&self.command)?;
        let command = self.listen_options.hide_manager(command);
        let Listening { manager, admission, signals: _signals } =
            self.listen_options.open(address, ready, context)?;
        // A fatal signal ends the COMMAND, and then the path is removed.
        let _blocked = Blocked::new(fatal_signals().collect());
        let Some(listener) = admission.into_listener() else { return Ok(Exit::Done) };
        let (bound_path, socket) = listener.into_parts();
        socket.make_blocking()?;
        third.put(&socket)?;
        drop(socket);
        let exit = command.run(|_| drop(third));
        drop(manager);
        match (bound_path, &exit) {
            (Some(bound_path), Ok(_)) => bound_path.remove_unless_open(),
            // No process has got the socket.
            (bound_path, _) => drop(bound_path),
        }
        exit
    }

    /// The service for clients that are served side by side; `None` for one client at a time.
    fn service(&self) -> anyhow::Result<Option<Box<dyn Service>>> {
        if self.echo || self.hub || !self.command.is_empty() {
            self.lifetime.only_with_stdio()?;
            self.one_way.only_with_stdio()?;
        }
        let (kind, idle) = (self.listen_options.kind(), self.lifetime.idle());
        Ok(if self.echo {
            Some(Box::new(Echo::new(kind, idle)))
        } else if self.hub {
            Some(Box::new(Hub::new(kind, idle)))
        } else if self.command.is_empty() {
            self.listen_options.one_at_a_time()?;
            None
        } else {
            self.lifetime.not_with_command()?;
            let command = Command::new(&self.command)?;
            Some(Box::new(Commands::new(self.listen_options.hide_manager(command))))
        })
    }
}
