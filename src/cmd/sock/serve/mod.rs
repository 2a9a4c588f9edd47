//! `ipc sock serve`.

pub mod attend;
mod commands;
mod echo;
pub mod gate;
pub mod hosting;
mod hub;
mod talk;

use std::ffi::OsString;

use crate::address::Address;
use crate::cli::{Example, Run};
use crate::conversation;
use crate::exit::Exit;
use crate::frame::Framing;
use crate::output::Output;

use attend::{Service, attend};
use commands::Commands;
use echo::Echo;
use hosting::Hosting;
use hub::Hub;

/// Listen at a socket and serve those who connect
///
/// With a COMMAND, each client gets one, which has the socket itself as its stdin and stdout; they
/// run side by side. It finds IPC_PEER_PID, IPC_PEER_UID, IPC_PEER_GID, IPC_PEER_ADDR,
/// IPC_LOCAL_ADDR and IPC_CONN_NUM (1 for the first client) in its environment. With --echo,
/// clients get back what they send. With --hub, every client hears every other; one that is more
/// than 1 MiB behind is sent away. With none of these, one client at a time talks with our stdin and
/// stdout, and the others wait.
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
/// A path is ours alone unless the mode says otherwise; a port is everybody's who reaches it, and
/// nothing is encrypted: for TLS there are socat and stunnel.
#[derive(Debug, clap::Args)]
pub struct Serve {
    /// Where to listen: a path with a slash, @NAME, tcp:HOST:PORT, vsock:CID:PORT or fd:N
    address: Address,
    #[command(flatten)]
    hosting: Hosting,
    /// Send back what comes
    #[arg(long, conflicts_with = "command")]
    echo: bool,
    /// Send what comes from each client to every other
    #[arg(long, conflicts_with_all = ["command", "echo"])]
    hub: bool,
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
        let ready = self.hosting.prepare()?;
        // Found before there is a path.
        let service = self.service()?;
        let hosted = self.hosting.open(&self.address, ready, output)?;
        let limits = self.hosting.limits();
        match service {
            Some(mut service) => attend(hosted, service.as_mut(), limits, output),
            None => {
                let ends = conversation::ends(self.hosting.kind(), self.framing.form());
                talk::attend(hosted.gate, ends, limits, output)
            }
        }
    }
}

impl Serve {
    /// What is done for clients side by side; `None` if they talk with us one after the other.
    fn service(&self) -> anyhow::Result<Option<Box<dyn Service>>> {
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
