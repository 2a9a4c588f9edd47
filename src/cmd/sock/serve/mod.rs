//! `ipc sock serve`.

mod attend;
mod commands;
mod echo;
mod gate;
mod talk;

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

use crate::address::{Address, Place};
use crate::cli::{Example, Run};
use crate::conversation;
use crate::endpoint::{Listener, Terms};
use crate::exit::{Exit, Failure, Subject};
use crate::frame::Framing;
use crate::output::{Output, escape};
use crate::ready::Ready;
use crate::signals::Signal;
use crate::sys::signal::Blocked;
use crate::sys::{descriptor, socket};
use crate::units::{Mode, Patience};

use super::{Connected, ending, give_up_when_told};
use attend::{Limits, Service, attend};
use commands::Commands;
use echo::Echo;
use gate::{Admission, Gate};

/// Listen at a socket and serve those who connect
///
/// With a COMMAND, each client gets one, which has the socket itself as its stdin and stdout; they
/// run side by side. It finds IPC_PEER_PID, IPC_PEER_UID, IPC_PEER_GID, IPC_PEER_ADDR,
/// IPC_LOCAL_ADDR and IPC_CONN_NUM (1 for the first client) in its environment. With --echo,
/// clients get back what they send. With neither, one client at a time talks with our stdin and
/// stdout, and the others wait.
///
/// A path appears with its final permissions and when we listen already. One that a dead server
/// left is taken over; one that a process has open is refused with status 5; what is no socket is
/// never removed. The path is removed in the end, also by INT, TERM and HUP, of which we then die.
/// Commands that run go on by themselves.
///
/// An abstract name (@NAME) has no permissions: it admits only processes of our own user and of
/// those that --allow-uid names. For a path, which the mode guards, --allow-uid narrows who is
/// admitted to these and ourselves.
///
/// A path is ours alone unless the mode says otherwise; a port is everybody's who reaches it, and
/// nothing is encrypted: for TLS there are socat and stunnel.
#[derive(Debug, clap::Args)]
pub struct Serve {
    /// Where to listen: a path with a slash, @NAME, tcp:HOST:PORT, vsock:CID:PORT or fd:N
    address: Address,
    #[command(flatten)]
    connected: Connected,
    /// Permissions of the path, octal or symbolic, whatever the umask; 0600 if not given
    #[arg(short, long)]
    mode: Option<Mode>,
    /// How many clients may wait to be accepted
    #[arg(long, value_name = "N", default_value_t = socket::BACKLOG)]
    backlog: i32,
    /// End after the first client, with the status of its COMMAND
    #[arg(long)]
    once: bool,
    #[command(flatten)]
    ready: Ready,
    /// Admit processes of this user
    #[arg(long, value_name = "UID")]
    allow_uid: Vec<u32>,
    /// Admit processes of this group
    #[arg(long, value_name = "GID")]
    allow_gid: Vec<u32>,
    /// Serve so many at a time; the others wait to be accepted
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    max_clients: Option<u32>,
    /// End when there was no client for this long
    #[arg(long, value_name = "DURATION")]
    idle: Option<Patience>,
    /// Send back what comes
    #[arg(long, conflicts_with = "command")]
    echo: bool,
    #[command(flatten)]
    framing: Framing,
    /// What to run for each client
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

impl Run for Serve {
    const EXAMPLES: &'static [Example] = &[
        ("Answer each client with a script", "ipc sock serve /run/date -- date"),
        ("Collect what clients send, one after the other", "ipc sock serve @log </dev/null >>log"),
        (
            "Go on when it listens",
            "ipc sock serve --ready 3 @echo --echo 3>ready & read line <ready",
        ),
    ];

    fn run(self, output: &mut Output) -> anyhow::Result<Exit> {
        // Descriptors of our caller come before any of ours.
        let ready = self.ready.listener()?;
        descriptor::keep_to_ourselves();
        let (service, admission) = (self.service()?, self.admission()?);
        // Blocked before there is a path, so that none is left behind.
        let children = Blocked::new([Signal::CHLD].into_iter().collect());
        let ending = Blocked::new(ending().collect());
        let listener = Listener::open(&self.address, self.terms());
        let listener = listener.map_err(Failure::from).about(&self.address)?;
        give_up_when_told(ending, listener.binding())?;
        if listener.address() != self.address.as_ref() {
            // The port, where the system picked one.
            let address = escape(listener.address().as_bytes());
            output.warn(format_args!("listening at {address}"));
        }
        ready.tell(listener.address().as_bytes())?;
        let gate = Gate::new(listener, admission, self.once);
        match service {
            Some(mut service) => attend(gate, service.as_mut(), &children, self.limits(), output),
            None => {
                let ends = conversation::ends(self.connected.kind, self.framing.form());
                talk::attend(gate, ends, self.limits(), output)
            }
        }
    }
}

impl Serve {
    fn terms(&self) -> Terms {
        let mode = Mode::of_new_object(self.mode.as_ref());
        Terms { kind: self.connected.kind, mode, backlog: self.backlog }
    }

    /// What is done for clients side by side; `None` if they talk with us one after the other.
    fn service(&self) -> anyhow::Result<Option<Box<dyn Service>>> {
        Ok(if self.echo {
            Some(Box::new(Echo::new(self.connected.kind)))
        } else if self.command.is_empty() {
            None
        } else {
            Some(Box::new(Commands::new(&self.command)?))
        })
    }

    fn limits(&self) -> Limits {
        let max_clients = self.max_clients.map_or(usize::MAX, |limit| limit as usize);
        Limits { max_clients, idle: self.idle }
    }

    fn admission(&self) -> anyhow::Result<Admission> {
        let named = !(self.allow_uid.is_empty() && self.allow_gid.is_empty());
        match self.address.place() {
            Place::Path(_) | Place::Descriptor(_) if !named => Ok(Admission::Everybody),
            Place::Path(_) | Place::Abstract(_) | Place::Descriptor(_) => {
                let (users, groups) = (self.allow_uid.clone(), self.allow_gid.clone());
                Ok(Admission::Only { users, groups })
            }
            _ if named => {
                let reason = "nobody knows the users of a network's clients";
                Err(Failure::new(Exit::Usage, reason)).about("--allow-uid and --allow-gid")
            }
            _ => Ok(Admission::Everybody),
        }
    }
}
