//! What the verbs that listen or connect share: options, and errors that name the holder of an address.

use crate::app::arguments::Plain;
use crate::base::deadline::Waited;
use crate::base::errno::Errno;
use crate::base::exit::{Exit, Failure, Subject};
use crate::base::signal::Signal;
use crate::base::units::{Permissions, Timeout};
use crate::io::output::{Output, escape};
use crate::mechanism::socket;
use crate::mechanism::socket::address::{Address, Place};
use crate::mechanism::socket::table;
use crate::mechanism::socket::table::Row;
use crate::mechanism::socket::{Connecting, Error, Listener, SourceError, Terms};
use crate::sys::process::{Holder, SocketHolders};
use crate::sys::signal::is_ignored;
use crate::sys::socket::SocketType;
use crate::sys::socket::{KeepAlive, Socket};
use std::ops::RangeInclusive;
use std::os::unix::ffi::OsStrExt;

/// The type of a socket that has a connection.
#[derive(Clone, Copy, Debug, clap::Args, Plain)]
pub struct Connected {
    /// Whether bytes or messages go through it
    #[arg(long = "type", value_name = "TYPE", default_value = "stream")]
    pub kind: SocketType,
}

impl Connected {
    /// Refuses what has no connection, and so no end.
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

/// What is done about peers that vanish.
#[derive(Clone, Copy, Debug, clap::Args, Plain)]
pub struct Silence {
    /// Ask a TCP peer that is silent for this long whether it is still there, 1s to 9h; or inf
    ///
    /// One that does not answer in as long again has vanished, which is an error. Without this
    /// option it takes the system more than two hours to find out, and with inf it never does.
    #[arg(long, value_name = "DURATION", value_parser = keepalive)]
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

/// The permissions of what we listen at, of which these were asked for.
pub fn permissions(asked: Option<Permissions>, address: &Address) -> anyhow::Result<u32> {
    if asked.is_some() && address.path().is_none() {
        // Whoever asks for them relies on them.
        return Err(Failure::new(Exit::Usage, "only a path has permissions")).about("--mode");
    }
    Ok(Permissions::of_new_object(asked))
}

/// Says where we listen, if the system picked the port.
pub fn tell_address(listener: &Listener, asked: &Address, output: &Output) {
    let picked = match asked.place() {
        Place::Tcp(at) | Place::Udp(at) => at.port == 0,
        Place::Vsock { port, .. } => *port == libc::VMADDR_PORT_ANY,
        Place::Path(_) | Place::Abstract(_) | Place::Descriptor(_) | Place::Handed(_) => false,
    };
    if picked {
        output.warn(format_args!("listening at {}", escape(listener.address().as_bytes())));
    }
}

/// Begins to listen.
pub fn listen(address: &Address, terms: Terms) -> anyhow::Result<Listener> {
    Listener::open(address, terms).or_else(|error| match (error, address.path()) {
        (Error::Beside(helper), Some(path)) => Err(Failure::from(error)).about(helper.path(path)),
        _ => Err(explain(error, address)).about(address),
    })
}

/// Connects.
pub fn connect(address: &Address, how: Connecting<'_>) -> anyhow::Result<Waited<Socket>> {
    socket::connect(address, how).or_else(|error| match (error, how.source) {
        (Error::Source(_), Some(source)) => Err(explain(error, source)).about(source),
        _ => Err(Failure::from(error)).about(address),
    })
}

/// What is wrong with an address that we wanted for ourselves. Where it is in use, the hint says by
/// whom.
fn explain(error: Error, address: &Address) -> Failure {
    let in_use = Errno(libc::EADDRINUSE);
    let taken = [Error::Kernel(in_use), Error::Source(SourceError::Kernel(in_use))];
    let holder = Some(address).filter(|_| taken.contains(&error)).and_then(holder);
    match holder {
        Some(holder) => Failure::from(error).hint(format!("{holder} has it")),
        None => error.into(),
    }
}

/// Whose socket is bound to an address, as far as we may see.
fn holder(address: &Address) -> Option<String> {
    let rows = table::at(address).ok()?;
    let open = |row: &&Row| row.inode != 0;
    let row = rows.iter().find(|row| row.is_reachable()).or_else(|| rows.iter().find(open))?;
    match SocketHolders::find().of(row.inode).seen.first() {
        Some(Holder { pid, command }) => Some(format!("process {pid} ({})", escape(command))),
        None => row.uid.map(|uid| format!("a process of user {uid}")),
    }
}

/// Refuses to take bytes for messages.
pub fn messages_only(kind: SocketType) -> anyhow::Result<()> {
    match kind {
        SocketType::Seqpacket | SocketType::Dgram => Ok(()),
        SocketType::Stream => {
            let reason = "a stream has no messages; 'ipc sock connect' and 'ipc sock serve' are \
                          for bytes";
            Err(Failure::new(Exit::Usage, reason)).about("--type stream")
        }
    }
}

/// The signals that end us. A caller who has us ignore HUP, as nohup(1) does, means it; INT is
/// ignored by whatever a script runs in the background.
pub fn ending() -> impl Iterator<Item = Signal> {
    let all = [Signal::INT, Signal::TERM, Signal::HUP].into_iter();
    all.filter(|&signal| signal != Signal::HUP || !is_ignored(signal))
}
