//! The options of the verbs that listen or connect, and errors that name the holder of an address.

use std::ops::RangeInclusive;
use std::os::unix::ffi::OsStrExt;

use crate::app::arguments::Plain;
use crate::app::context::Context;
use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::base::exit::{Exit, Failure, Subject};
use crate::base::signal::Signal;
use crate::base::units::{Permissions, Timeout};
use crate::io::output::{Output, escape};
use crate::mechanism::socket;
use crate::mechanism::socket::activation::HandedOver;
use crate::mechanism::socket::address::{Address, Endpoint};
use crate::mechanism::socket::table;
use crate::mechanism::socket::table::Row;
use crate::mechanism::socket::{Connecting, Error, Listener, SourceError, Terms};
use crate::run::watchdog;
use crate::sys::process::{Holder, SocketHolders};
use crate::sys::signal::is_ignored;
use crate::sys::socket::SocketType;
use crate::sys::socket::{KeepAlive, Socket};

/// The type of a socket that has a connection.
#[derive(Clone, Copy, Debug, clap::Args, Plain)]
pub struct Connected {
    /// stream (bytes; the default) or seqpacket (messages)
    #[arg(
        long = "type",
        value_name = "TYPE",
        default_value = "stream",
        hide_default_value = true,
        hide_possible_values = true
    )]
    pub kind: SocketType,
}

impl Connected {
    /// Rejects datagram sockets, which have no connection and so no end.
    pub fn connections_only(self) -> anyhow::Result<()> {
        match self.kind {
            SocketType::Stream | SocketType::Seqpacket => Ok(()),
            SocketType::Dgram => {
                let reason = "datagrams have no connections; 'ipc sock send' and 'ipc sock recv' \
                              are for them";
                Err(Failure::new(Exit::Usage, reason)).about("--type dgram")
            }
        }
    }
}

/// The type of a socket that carries messages.
#[derive(Clone, Copy, Debug, clap::Args, Plain)]
pub struct MessageType {
    /// dgram (the default) or seqpacket (connections)
    #[arg(
        long = "type",
        value_name = "TYPE",
        default_value = "dgram",
        hide_default_value = true,
        hide_possible_values = true
    )]
    kind: SocketType,
}

impl MessageType {
    /// The type. A stream is rejected, because it has no message boundaries.
    pub fn kind(self) -> anyhow::Result<SocketType> {
        match self.kind {
            SocketType::Seqpacket | SocketType::Dgram => Ok(self.kind),
            SocketType::Stream => {
                let reason = "a stream has no messages; 'ipc sock connect' and 'ipc sock serve' are \
                              for bytes";
                Err(Failure::new(Exit::Usage, reason)).about("--type stream")
            }
        }
    }
}

/// The detection of a peer that has vanished.
#[derive(Clone, Copy, Debug, clap::Args, Plain)]
pub struct Silence {
    /// Probe a TCP peer that is silent for this long: 1s to 9h, or inf
    ///
    /// A peer that does not answer in as long again has vanished, which is an error. Without this
    /// option the system needs more than two hours to notice it, and with inf it never does.
    #[arg(long, value_name = "DURATION", value_parser = keepalive, hide_short_help = true)]
    keepalive: Option<KeepAlive>,
}

impl Silence {
    pub fn keepalive(self) -> KeepAlive {
        self.keepalive.unwrap_or(KeepAlive::System)
    }
}

fn keepalive(text: &str) -> Result<KeepAlive, String> {
    const SECONDS: RangeInclusive<u64> = 1..=9 * 60 * 60;
    match text.parse()? {
        Timeout::Forever => Ok(KeepAlive::Never),
        Timeout::For(duration) if SECONDS.contains(&duration.as_secs()) => {
            Ok(KeepAlive::After(duration.as_secs() as u32))
        }
        Timeout::For(_) => Err("from 1s to 9h, or inf".to_owned()),
    }
}

/// The permissions of the path to listen on; `asked` are the requested ones.
pub fn permissions(asked: Option<Permissions>, address: &Address) -> anyhow::Result<u32> {
    if asked.is_some() && address.path().is_none() {
        // A caller that requests permissions relies on them.
        return Err(Failure::new(Exit::Usage, "only a path has permissions")).about("--mode");
    }
    Ok(Permissions::of_new_object(asked))
}

/// Prints the address if the system chose the port.
pub fn report_address(listener: &Listener, asked: &Address, output: &Output) {
    let is_chosen = match asked.endpoint() {
        Endpoint::Tcp(at) | Endpoint::Udp(at) => at.port == 0,
        Endpoint::Vsock { port, .. } => *port == libc::VMADDR_PORT_ANY,
        Endpoint::Path(_)
        | Endpoint::Abstract(_)
        | Endpoint::Descriptor(_)
        | Endpoint::Named(_) => false,
    };
    if is_chosen {
        output.warn(format_args!("listening at {}", escape(listener.address().as_bytes())));
    }
}

/// The sockets that this process inherited.
pub fn handed_over(context: &Context) -> HandedOver {
    HandedOver::from_environment(|name| context.environment.get(name))
}

/// The same address, with a named inherited socket replaced by the number of its descriptor.
pub fn resolve(address: &Address, context: &Context) -> anyhow::Result<Address> {
    handed_over(context).resolve(address).map_err(Failure::from).about(address)
}

/// Listens at an address.
pub fn listen(address: &Address, terms: Terms) -> anyhow::Result<Listener> {
    Listener::open(address, terms).or_else(|error| match (error, address.path()) {
        (Error::Beside(helper), Some(path)) => Err(Failure::from(error)).about(helper.path(path)),
        _ => Err(explain(error, address)).about(address),
    })
}

/// Looks the path of an address up, if it has one, and gives up at the deadline.
pub fn look_up(address: &Address, deadline: Deadline) -> anyhow::Result<()> {
    let path = address.path();
    path.map_or(Ok(()), |path| watchdog::look_up(path, deadline)).about(address)
}

/// Connects to an address.
pub fn connect(address: &Address, how: Connecting<'_>) -> anyhow::Result<Waited<Socket>> {
    look_up(address, how.deadline)?;
    socket::connect(address, how).or_else(|error| match (error, how.source) {
        (Error::Source(_), Some(source)) => Err(explain(error, source)).about(source),
        _ => Err(Failure::from(error)).about(address),
    })
}

/// The failure to bind an address. If the address is in use, the hint names its holder.
fn explain(error: Error, address: &Address) -> Failure {
    let in_use = Errno(libc::EADDRINUSE);
    let busy = [Error::Kernel(in_use), Error::Source(SourceError::Kernel(in_use))];
    let holder = Some(address).filter(|_| busy.contains(&error)).and_then(holder);
    match holder {
        Some(holder) => Failure::from(error).hint(format!("{holder} has it")),
        None => error.into(),
    }
}

/// The process whose socket is bound to an address, if it is visible.
fn holder(address: &Address) -> Option<String> {
    let rows = table::at(address).ok()?;
    let open = |row: &&Row| row.inode != 0;
    let row = rows.iter().find(|row| row.is_reachable()).or_else(|| rows.iter().find(open))?;
    match SocketHolders::find().of(row.inode).seen.first() {
        Some(Holder { pid, command }) => Some(format!("process {pid} ({})", escape(command))),
        None => row.uid.map(|uid| format!("a process of user {uid}")),
    }
}

/// The signals that end a server. A caller that ignores HUP, such as nohup(1), does so on purpose;
/// but every shell starts background commands with INT ignored.
pub fn fatal_signals() -> impl Iterator<Item = Signal> {
    let all = [Signal::INT, Signal::TERM, Signal::HUP].into_iter();
    all.filter(|&signal| signal != Signal::HUP || !is_ignored(signal))
}
