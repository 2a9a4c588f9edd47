//! `ipc sock`: sockets.

mod connect;
mod serve;
mod wait;

use crate::address::SocketType;
use crate::cli::{Noun, Verb};

pub const NOUN: Noun = Noun {
    name: "sock",
    about: "Serve and connect to sockets",
    verbs: &[
        Verb::new::<serve::Serve>("serve"),
        Verb::new::<connect::Connect>("connect"),
        Verb::new::<wait::Wait>("wait"),
    ],
    see_also: &["socket(7)", "unix(7)"],
};

/// The type of a socket that has a connection.
#[derive(Clone, Copy, Debug, clap::Args)]
struct Connected {
    /// Whether bytes or messages go through it
    #[arg(long = "type", value_name = "TYPE", default_value = "stream")]
    kind: SocketType,
}
