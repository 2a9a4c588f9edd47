//! `ipc sock serve`.

mod attend;
mod commands;
mod echo;
mod gate;
mod talk;

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::sync::Arc;
use std::thread;

use crate::address::{Address, Place};
use crate::binding::Binding;
use crate::cli::{Example, Run};
use crate::conversation;
use crate::deadline::{Deadline, Waited};
use crate::endpoint::{Listener, Terms};
use crate::errno::Errno;
use crate::exit::{Exit, Failure, Subject};
use crate::frame::Framing;
use crate::output::Output;
use crate::ready::Ready;
use crate::signals::Signal;
use crate::sys::signal::{Blocked, die_of, is_ignored};
use crate::sys::{descriptor, socket};
use crate::units::Mode;

use super::Connected;
use attend::{Service, attend};
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
/// Nothing here is encrypted.
#[derive(Debug, clap::Args)]
pub struct Serve {
    /// Where to listen: a path with a slash, or @NAME
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
        let service = self.service()?;
        // Blocked before there is a path, so that none is left behind.
        let children = Blocked::new([Signal::CHLD].into_iter().collect());
        let ending = Blocked::new(ending().collect());
        let listener = Listener::open(&self.address, self.terms());
        let listener = listener.map_err(Failure::from).about(&self.address)?;
        give_up_when_told(ending, listener.binding())?;
        ready.tell(listener.address().as_bytes())?;
        let gate = Gate::new(listener, self.admission(), self.once);
        match service {
            Some(mut service) => attend(gate, service.as_mut(), &children, output),
            None => {
                let ends = conversation::ends(self.connected.kind, self.framing.form());
                talk::attend(gate, ends, output)
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

    fn admission(&self) -> Admission {
        match self.address.place() {
            Place::Path(_) if self.allow_uid.is_empty() => Admission::Everybody,
            _ => Admission::Users(self.allow_uid.clone()),
        }
    }
}

/// The signals that end us. A caller who has us ignore HUP, as nohup(1) does, means it; INT is
/// ignored by whatever a script runs in the background.
fn ending() -> impl Iterator<Item = Signal> {
    let all = [Signal::INT, Signal::TERM, Signal::HUP].into_iter();
    all.filter(|&signal| signal != Signal::HUP || !is_ignored(signal))
}

/// Waits in a thread for a signal that ends us, removes the path and dies of it: whatever the
/// others are doing, it goes no further.
fn give_up_when_told(signals: Blocked, binding: Option<Arc<Binding>>) -> Result<(), Errno> {
    thread::Builder::new().spawn(move || {
        loop {
            if let Ok(Waited::Done(received)) = signals.take(Deadline::NEVER) {
                binding.iter().for_each(|binding| binding.release());
                die_of(received.signal);
            }
        }
    })?;
    Ok(())
}
