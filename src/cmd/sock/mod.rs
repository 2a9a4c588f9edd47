//! `ipc sock`: sockets.

mod connect;
mod inspect;
mod notify;
mod pair;
mod recv;
mod relay;
mod send;
mod serve;
#[cfg(test)]
mod tests;
mod wait;

use std::time::Duration;

use crate::app::arguments::Plain;
use crate::app::command::{Manual, Noun, Verb};
use crate::app::context::Context;
use crate::base::deadline::Deadline;
use crate::base::exit::{Exit, Failure, Subject};
use crate::base::units::Timeout;
use crate::mechanism::socket::duplex::Directions;
use crate::mechanism::socket::expiry::Expiry;
use crate::server::event_loop::Ended;

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
        Verb::new::<notify::Notify>("notify"),
        Verb::new::<inspect::Stat>("stat"),
        Verb::new::<inspect::Ls>("ls"),
    ],
    see_also: &["socket(7)", "unix(7)", "tcp(7)", "udp(7)", "vsock(7)", "sd_notify(3)"],
    manual: Manual {
        topic: "Unix domain sockets, TCP, UDP and vsock",
        environment: &[
            (
                "‹IPC_PEER_PID›, ‹IPC_PEER_UID›, ‹IPC_PEER_GID›",
                "The client of a Unix socket, for the COMMAND of ‹ipc-sock-serve›(1).",
            ),
            ("‹IPC_PEER_ADDR›, ‹IPC_LOCAL_ADDR›", "The addresses of both ends."),
            ("‹IPC_CONN_NUM›", "The number of the connection, from 1."),
            (
                "‹LISTEN_FDS›, ‹LISTEN_PID›, ‹NOTIFY_SOCKET›",
                "Sockets that a service manager has opened, and where it hears of states.",
            ),
        ],
        files: &[("«/proc/net/unix», «/proc/net/tcp», «/proc/net/udp»", "The tables of sockets.")],
        standards: "Sockets are in POSIX.1-2024. Abstract names and vsock are of Linux.",
    },
};

/// The status of a verb that served; a fatal signal ends it as the context says.
fn exit(ended: Ended, context: &Context) -> Exit {
    match ended {
        Ended::Served(exit) => exit,
        Ended::BySignal(signal) => context.cancellation.by(signal),
    }
}

/// The limits of a connection.
#[derive(Clone, Copy, Debug, clap::Args, Plain)]
pub struct Lifetime {
    /// End a connection after this long, with status 124
    ///
    /// This includes the wait for a peer that has not read everything.
    #[arg(long, value_name = "DURATION")]
    max_time: Option<Timeout>,
    /// End a connection after this long without a byte, with status 124
    ///
    /// A byte in either direction counts, and so does one that the peer reads of those that were sent.
    /// The connection of a silent peer ends; the server continues. 'ipc sock serve --idle' is the
    /// opposite: it ends a server that has had no client for this long, and never ends a connection.
    #[arg(long, value_name = "DURATION", hide_short_help = true)]
    idle_timeout: Option<Timeout>,
}

impl Lifetime {
    /// The limits of a connection that begins now.
    fn expiry(self) -> Expiry {
        Expiry::new(self.deadline(), self.idle())
    }

    /// The time without a byte after which a connection ends.
    fn idle(self) -> Option<Duration> {
        match self.idle_timeout {
            Some(Timeout::For(duration)) => Some(duration),
            Some(Timeout::Forever) | None => None,
        }
    }

    /// The end of a connection that begins now.
    fn deadline(self) -> Deadline {
        match self.max_time {
            Some(Timeout::For(duration)) => Deadline::after(duration),
            Some(Timeout::Forever) | None => Deadline::NEVER,
        }
    }

    /// Refuses the options where a COMMAND has the connection.
    fn not_with_command(self) -> anyhow::Result<()> {
        self.only_with_stdio()?;
        match self.idle_timeout {
            None => Ok(()),
            Some(_) => {
                let reason = "a COMMAND has the connection, and can end it itself";
                Err(Failure::new(Exit::Usage, reason)).about("--idle-timeout")
            }
        }
    }

    /// Refuses the option that applies only to a connection of stdin and stdout.
    fn only_with_stdio(self) -> anyhow::Result<()> {
        match self.max_time {
            None => Ok(()),
            Some(_) => Err(not_with_stdio()).about("--max-time"),
        }
    }
}

/// The directions of a connection.
#[derive(Clone, Copy, Debug, clap::Args, Plain)]
struct OneWay {
    /// Receive only, and do not read stdin
    ///
    /// The peer does not get an end of input.
    #[arg(long, conflicts_with = "send_only")]
    recv_only: bool,
    /// Send only, and drop what the peer sends
    ///
    /// The connection ends when stdin has ended and the peer has read everything.
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

    /// Refuses the option where a COMMAND or other clients have the connection.
    fn only_with_stdio(self) -> anyhow::Result<()> {
        match self.directions() {
            Directions::Both => Ok(()),
            Directions::Receive => Err(not_with_stdio()).about("--recv-only"),
            Directions::Send => Err(not_with_stdio()).about("--send-only"),
        }
    }
}

fn not_with_stdio() -> Failure {
    Failure::new(Exit::Usage, "it applies only to a connection of stdin and stdout")
}
