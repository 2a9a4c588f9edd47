//! `ipc sock`: sockets.

mod connect;
mod inspect;
mod pair;
mod recv;
mod relay;
mod send;
mod serve;
mod wait;

use crate::app::arguments::Plain;
use crate::app::command::{Noun, Verb};
use crate::base::deadline::Deadline;
use crate::base::exit::{Exit, Failure, Subject};
use crate::base::units::Timeout;
use crate::mechanism::socket::duplex::Directions;

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

/// For how long a connection may last.
#[derive(Clone, Copy, Debug, clap::Args, Plain)]
pub struct Lifetime {
    /// End a connection that lasts longer than this, with status 124
    ///
    /// The wait for a peer that has not read everything is a part of it.
    #[arg(long, value_name = "DURATION")]
    max_time: Option<Timeout>,
}

impl Lifetime {
    /// The moment by which a connection that begins now has ended.
    fn deadline(self) -> Deadline {
        match self.max_time {
            Some(Timeout::For(duration)) => Deadline::after(duration),
            Some(Timeout::Forever) | None => Deadline::NEVER,
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
