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
use crate::endpoint::{Error, Listener, Terms};
use crate::errno::Errno;
use crate::exit::{Failure, Subject};
use crate::output::{Output, escape};
use crate::signals::Signal;
use crate::socket_table;
use crate::sys::process::{Holder, SocketHolders};
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

/// Begins to listen. Where somebody else does already, the hint says who.
fn listen(address: &Address, terms: Terms) -> anyhow::Result<Listener> {
    let listener = Listener::open(address, terms).map_err(|error| {
        let failure = Failure::from(error);
        match holder(address).filter(|_| error == Error::Kernel(Errno(libc::EADDRINUSE))) {
            Some(Holder { pid, command }) => {
                failure.hint(format!("process {pid} ({}) has it", escape(&command)))
            }
            None => failure,
        }
    });
    listener.about(address)
}

/// A process that others come to at an address, as far as we may see.
fn holder(address: &Address) -> Option<Holder> {
    let rows = socket_table::at(address).ok()?;
    let row = rows.iter().find(|row| row.is_reachable())?;
    SocketHolders::find().of(row.inode).first().cloned()
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
