//! `ipc sock`: sockets.

mod connect;
mod inspect;
mod pair;
mod recv;
mod relay;
mod send;
mod serve;
mod wait;

use std::ops::RangeInclusive;
use std::os::unix::ffi::OsStrExt;

use crate::app::arguments::Plain;
use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::base::exit::{Exit, Failure, Subject};
use crate::base::signal::Signal;
use crate::base::units::{Patience, Permissions};
use crate::io::output::{Output, escape};
use crate::mechanism::socket;
use crate::mechanism::socket::address::{Address, Place, SocketType};
use crate::mechanism::socket::duplex::Directions;
use crate::mechanism::socket::table;
use crate::mechanism::socket::table::Row;
use crate::mechanism::socket::{Connecting, Error, Listener, SourceError, Terms};
use crate::program::{Noun, Verb};
use crate::sys::process::{Holder, SocketHolders};
use crate::sys::signal::is_ignored;
use crate::sys::socket::{KeepAlive, Socket};

pub const NOUN: Noun = Noun {
    name: "sock",
    about: "Serve and connect to sockets",
    verbs: &[
        Verb::new::<serve::Serve>("serve"),
        Verb::new::<connect::Connect>("connect"),
        Verb::new::<send::Send>("send"),
        Verb::new::<recv::Recv>("recv"),
        Verb::new::<relay::Relay>("relay"),
        Verb::new::<pair::Pair>("pair"),
        Verb::new::<wait::Wait>("wait"),
        Verb::new::<inspect::Stat>("stat"),
        Verb::new::<inspect::Ls>("ls"),
    ],
    see_also: &["socket(7)", "unix(7)", "tcp(7)", "udp(7)", "vsock(7)"],
};

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

/// For how long a connection may last.
#[derive(Clone, Copy, Debug, clap::Args, Plain)]
pub struct Lifetime {
    /// End a connection that lasts longer than this, with status 124
    ///
    /// The wait for a peer that has not read everything is a part of it.
    #[arg(long, value_name = "DURATION")]
    max_time: Option<Patience>,
}

impl Lifetime {
    /// The moment by which a connection that begins now has ended.
    fn deadline(self) -> Deadline {
        match self.max_time {
            Some(Patience::For(duration)) => Deadline::after(duration),
            Some(Patience::Forever) | None => Deadline::NEVER,
        }
    }

    /// Refuses it where a COMMAND or other clients have the connection.
    fn only_with_our_streams(self) -> anyhow::Result<()> {
        match self.max_time {
            None => Ok(()),
            Some(_) => Err(not_with_our_streams()).about("--max-time"),
        }
    }
}

/// Which directions a connection has.
#[derive(Clone, Copy, Debug, clap::Args, Plain)]
struct OneWay {
    /// Send nothing, and leave stdin alone; the peer is not told that nothing comes
    #[arg(long, conflicts_with = "send_only")]
    recv_only: bool,
    /// Print nothing, and end when stdin has ended and the peer has read everything
    #[arg(long)]
    send_only: bool,
}

impl OneWay {
    fn directions(self) -> Directions {
        match self {
            Self { recv_only: true, .. } => Directions::Receive,
            Self { send_only: true, .. } => Directions::Send,
            Self { .. } => Directions::Both,
        }
    }

    /// Refuses it where a COMMAND or other clients have the connection.
    fn only_with_our_streams(self) -> anyhow::Result<()> {
        match self.directions() {
            Directions::Both => Ok(()),
            Directions::Receive => Err(not_with_our_streams()).about("--recv-only"),
            Directions::Send => Err(not_with_our_streams()).about("--send-only"),
        }
    }
}

fn not_with_our_streams() -> Failure {
    Failure::new(Exit::Usage, "only a connection of our stdin and stdout has it")
}

fn keepalive(text: &str) -> Result<KeepAlive, String> {
    const SECONDS: RangeInclusive<u64> = 1..=9 * 60 * 60;
    match text.parse()? {
        Patience::Forever => Ok(KeepAlive::Never),
        Patience::For(duration) if SECONDS.contains(&duration.as_secs()) => {
            Ok(KeepAlive::After(duration.as_secs() as u32))
        }
        Patience::For(_) => Err("from 1s to 9h, or inf".to_owned()),
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
fn connect(address: &Address, how: Connecting<'_>) -> anyhow::Result<Waited<Socket>> {
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
fn messages_only(kind: SocketType) -> anyhow::Result<()> {
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
