//! `ipc sock serve`.

pub mod attend;
mod commands;
mod echo;
pub mod gate;
pub mod hosting;
mod hub;
mod talk;

use std::ffi::OsString;
use std::mem::ManuallyDrop;

use crate::address::Address;
use crate::child;
use crate::cli::{Example, Run};
use crate::conversation;
use crate::exit::Exit;
use crate::frame::Framing;
use crate::output::Output;
use crate::ready;
use crate::sys::descriptor;

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
    /// Hand the listening socket to a single COMMAND, which does all the rest
    ///
    /// We become the COMMAND. It has the socket as descriptor 3, and LISTEN_FDS and LISTEN_PID in
    /// its environment, as sd_listen_fds(3) wants them. Whom it lets in is its own affair, and so
    /// is the path, which stays until it removes it or the next server takes it over.
    #[arg(long, requires = "command", conflicts_with_all = [
        "echo", "hub", "allow_uid", "allow_gid", "max_clients", "max_per_uid", "idle", "grace",
        "once",
    ])]
    activate: bool,
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
            "Listen for a server that takes over its socket",
            "ipc sock serve --activate -m 660 /run/server -- ./server",
        ),
        (
            "Go on when it listens",
            "ipc sock serve --ready 3 @echo --echo 3>ready & read line <ready",
        ),
    ];

    fn run(self, output: &mut Output) -> anyhow::Result<Exit> {
        let ready = self.hosting.prepare()?;
        if self.activate {
            return self.become_command(ready, output);
        }
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
    /// Listens, and becomes the COMMAND that serves.
    fn become_command(&self, ready: ready::Listener, output: &Output) -> anyhow::Result<Exit> {
        // Ours until the socket takes its number.
        let _third = descriptor::reserve_third()?.map(ManuallyDrop::new);
        // Found before there is a path.
        Commands::new(&self.command)?;
        let hosted = self.hosting.open(&self.address, ready, output)?;
        let Some(listener) = hosted.gate.listener() else { return Ok(Exit::Done) };
        listener.socket().set_non_blocking(false)?;
        descriptor::hand_over_as_third(listener)?;
        let mut command = child::command(&self.command);
        command.env("LISTEN_FDS", "1").env("LISTEN_PID", std::process::id().to_string());
        command.env_remove("LISTEN_FDNAMES");
        Err(child::exec(&mut command))
    }

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
