//! `ipc sock`: sockets.

mod connect;
mod look;
mod pair;
mod recv;
mod relay;
mod send;
mod serve;
mod wait;

use std::os::unix::ffi::OsStrExt;
use std::sync::Arc;
use std::thread;

use crate::address::{Address, Place, SocketType};
use crate::binding::Binding;
use crate::cli::{Noun, Verb};
use crate::deadline::{Deadline, Waited};
use crate::endpoint::Listener;
use crate::errno::Errno;
use crate::output::{Output, escape};
use crate::signals::Signal;
use crate::sys::signal::{Blocked, die_of, is_ignored};

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
        Verb::new::<look::Stat>("stat"),
        Verb::new::<look::Ls>("ls"),
    ],
    see_also: &["socket(7)", "unix(7)", "tcp(7)", "udp(7)", "vsock(7)"],
};

/// The type of a socket that has a connection.
#[derive(Clone, Copy, Debug, clap::Args)]
struct Connected {
    /// Whether bytes or messages go through it
    #[arg(long = "type", value_name = "TYPE", default_value = "stream")]
    kind: SocketType,
}

/// Says where we listen, if that is not what was asked for: the system picked the port.
fn tell_address(listener: &Listener, asked: &Address, output: &Output) {
    let known =
        matches!(asked.place(), Place::Descriptor(_)) || listener.address() == asked.as_ref();
    if !known {
        output.warn(format_args!("listening at {}", escape(listener.address().as_bytes())));
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
