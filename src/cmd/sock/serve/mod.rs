//! `ipc sock serve`.

mod commands;
mod echo;
mod hub;
mod sequential;

use std::ffi::OsString;
use std::mem::ManuallyDrop;

use crate::app::arguments::Plain;
use crate::app::command::{Action, Example};
use crate::app::context::Context;
use crate::app::options::Framing;
use crate::app::ready;
use crate::app::socket::ending;
use crate::base::exit::{Exit, Failure, Subject};
use crate::cmd::sock::{Lifetime, OneWay};
use crate::io::output::Output;
use crate::mechanism::socket::activation;
use crate::mechanism::socket::address::Address;
use crate::mechanism::socket::duplex;
use crate::mechanism::socket::duplex::Terms;
use crate::sys::descriptor;
use crate::sys::signal::Blocked;

use crate::app::listen::ListenOptions;
use crate::server::event_loop::{Service, attend};
use commands::Commands;
use echo::Echo;
use hub::Hub;

/// Listen at a socket and serve those who connect
///
/// With a COMMAND, each client gets one, which has the socket itself as its stdin and stdout; they
/// run side by side. It finds IPC_PEER_PID, IPC_PEER_UID, IPC_PEER_GID, IPC_PEER_ADDR,
/// IPC_LOCAL_ADDR and IPC_CONN_NUM (1 for the first client) in its environment. With --echo,
/// clients get back what they send. With --hub, every client hears every other; one that is more
/// than 1 MiB behind is disconnected. A client of the hub that sends its end without having sent
/// anything goes on listening; one that has sent something is disconnected when all that it is owed is
/// delivered. With none of these, one client at a time talks with our stdin and stdout, and the others
/// wait; what status 0 means is as for 'ipc sock connect'.
///
/// A path appears with its final permissions and when we listen already. One that a dead server
/// left is taken over; one that a process has open is refused with status 5; what is no socket is
/// never removed. The path is removed in the end, also by INT, TERM and HUP, of which we then die.
/// Commands that run go on by themselves, unless --grace waits for them.
///
/// An abstract name (@NAME) has no permissions: it admits only processes of our own user and of
/// those that --allow-uid names. For a path, which the mode guards, --allow-uid narrows who is
/// admitted to these and ourselves.
///
/// A path is ours alone unless the mode says otherwise; a port is everybody's who reaches it. A TCP
/// address without a host (tcp::80) is every address of this machine. What a COMMAND writes to a TCP
/// socket is sent at once (TCP_NODELAY).
///
/// Nothing is encrypted. For TLS, let socat listen at the port and connect to our path, as in the
/// examples, or stunnel, with 'accept = 443', 'connect = /run/web' and 'cert = web.pem'.
#[derive(Debug, clap::Args, Plain)]
pub struct Serve {
    /// Where to listen: a path with a slash, @NAME, tcp:HOST:PORT, vsock:CID:PORT or fd:N
    ///
    /// Without it, at the socket that systemd, or who else started us, handed over in LISTEN_FDS.
    /// Of several, fd:NAME picks one by its name in LISTEN_FDNAMES.
    address: Option<Address>,
    #[command(flatten)]
    hosting: ListenOptions,
    /// Send back what comes
    #[arg(long, conflicts_with = "command")]
    echo: bool,
    /// Send what comes from each client to every other
    #[arg(long, conflicts_with_all = ["command", "echo"])]
    hub: bool,
    /// Hand the listening socket to a single COMMAND, which does all the rest
    ///
    /// It has the socket as descriptor 3, and LISTEN_FDS and LISTEN_PID in its environment, as
    /// sd_listen_fds(3) wants them. Whom it lets in is its own affair. It gets INT, TERM, HUP, QUIT,
    /// USR1 and USR2 that are sent to us; when it has ended, the path is removed, unless somebody it
    /// left running has the socket, and its status is ours.
    #[arg(long, requires = "command", conflicts_with_all = [
        "echo", "hub", "allow_uid", "allow_gid", "max_clients", "max_per_uid", "idle", "grace",
        "once",
    ])]
    activate: bool,
    #[command(flatten)]
    lifetime: Lifetime,
    #[command(flatten)]
    one_way: OneWay,
    #[command(flatten)]
    framing: Framing,
    /// What to run for each client
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

impl Action for Serve {
    const EXAMPLES: &'static [Example] = &[
        ("Answer each client with a script", "ipc sock serve /run/date -- date"),
        ("Collect what clients send, one after the other", "ipc sock serve @log </dev/null >>log"),
        (
            "Listen for a server that takes over its socket",
            "ipc sock serve --activate -m 660 /run/server -- ./server",
        ),
        ("Be started by systemd when somebody connects", "ipc sock serve --idle 1m -- ./handler"),
        (
            "Serve TLS, with socat in front of the path",
            "ipc sock serve /run/web -- ./handler & \
             socat OPENSSL-LISTEN:443,fork,reuseaddr,cert=web.pem,verify=0 UNIX-CONNECT:/run/web",
        ),
        (
            "Go on when it listens",
            "ipc sock serve --ready 3 @echo --echo 3>ready & read line <ready",
        ),
    ];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let output = &mut context.output;
        let address = match &self.address {
            Some(address) => address.clone(),
            None => activation::address().map_err(no_address).about("ADDRESS")?,
        };
        let ready = self.hosting.prepare()?;
        if self.activate {
            self.lifetime.only_with_our_streams()?;
            self.one_way.only_with_our_streams()?;
            return self.run_with_listener(&address, ready, output);
        }
        // Found before there is a path.
        let service = self.service()?;
        let hosted = self.hosting.open(&address, ready, output)?;
        let limits = self.hosting.limits();
        match service {
            Some(mut service) => attend(hosted, service.as_mut(), limits, output),
            None => {
                let ends = duplex::ends(self.hosting.kind(), self.framing.form());
                let terms = || Terms {
                    directions: self.one_way.directions(),
                    deadline: self.lifetime.deadline(),
                };
                sequential::attend(hosted.gate, ends, limits, terms, output)
            }
        }
    }
}

fn no_address(error: activation::Error) -> Failure {
    Failure::new(Exit::Usage, error.to_string())
}

impl Serve {
    /// Listens, and runs the COMMAND that serves.
    fn run_with_listener(
        &self,
        address: &Address,
        ready: ready::Listener,
        output: &Output,
    ) -> anyhow::Result<Exit> {
        // Ours until the socket takes its number.
        let third = descriptor::reserve_third()?.map(ManuallyDrop::new);
        // Found before there is a path.
        let command = activation::announce(&self.command)?;
        let hosted = self.hosting.open(address, ready, output)?;
        // What ends us ends the COMMAND, and then the path is removed.
        let _held = Blocked::new(ending().collect());
        let Some(listener) = hosted.gate.into_listener() else { return Ok(Exit::Done) };
        let (binding, socket) = listener.into_parts();
        socket.make_blocking()?;
        descriptor::hand_over_as_third(&socket)?;
        drop((socket, third));
        let exit = command.run(|_| descriptor::close_third());
        match (binding, &exit) {
            (Some(binding), Ok(_)) => binding.leave(),
            // Nobody has got the socket.
            (binding, _) => drop(binding),
        }
        exit
    }

    /// What is done for clients side by side; `None` if they talk with us one after the other.
    fn service(&self) -> anyhow::Result<Option<Box<dyn Service>>> {
        if self.echo || self.hub || !self.command.is_empty() {
            self.lifetime.only_with_our_streams()?;
            self.one_way.only_with_our_streams()?;
        }
        Ok(if self.echo {
            Some(Box::new(Echo::new(self.hosting.kind())))
        } else if self.hub {
            Some(Box::new(Hub::new(self.hosting.kind())))
        } else if self.command.is_empty() {
            self.hosting.one_at_a_time()?;
            None
        } else {
            Some(Box::new(Commands::new(&self.command)?))
        })
    }
}
