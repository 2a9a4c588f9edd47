//! How clients are let in: the options of every verb that listens for them.

use std::os::unix::ffi::OsStrExt;

use crate::app::ready;
use crate::app::ready::Ready;
use crate::base::exit::{Exit, Failure, Subject};
use crate::base::signal::Signal;
use crate::base::units::{Permissions, Timeout};
use crate::io::output::Output;
use crate::mechanism::socket::Terms;
use crate::mechanism::socket::address::{Address, Place};
use crate::mechanism::socket::bound_path;
use crate::sys::descriptor;
use crate::sys::signal::Blocked;
use crate::sys::socket::SocketType;
use crate::sys::socket::{self, KeepAlive};

use crate::app::arguments::Plain;
use crate::app::socket::{
    Connected, Silence, ending as signals, listen, permissions, tell_address,
};
use crate::server::admission::{Admission, Gate};
use crate::server::event_loop::{Limits, Listening};

/// Where, for whom and for how many we listen.
#[derive(Debug, clap::Args, Plain)]
pub struct ListenOptions {
    #[command(flatten)]
    connected: Connected,
    /// Permissions of the path, octal or symbolic, whatever the umask; 0600 if not given
    #[arg(short, long)]
    mode: Option<Permissions>,
    /// How many clients may wait to be accepted
    #[arg(long, value_name = "N", default_value_t = socket::BACKLOG)]
    backlog: i32,
    /// End after the first client, with the status of what was done for it
    #[arg(long)]
    once: bool,
    #[command(flatten)]
    ready: Ready,
    #[command(flatten)]
    silence: Silence,
    /// Admit processes of this user
    #[arg(long, value_name = "UID")]
    allow_uid: Vec<u32>,
    /// Admit processes of this group
    #[arg(long, value_name = "GID")]
    allow_gid: Vec<u32>,
    /// Serve so many at a time; the others wait to be accepted
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    max_clients: Option<u32>,
    /// Serve so many of one user at a time; the user's others wait
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    max_per_uid: Option<u32>,
    /// At INT, TERM or HUP, let the clients that are served finish for this long
    ///
    /// Nobody else is let in. Commands that still run then get TERM. A second signal ends us at
    /// once.
    #[arg(long, value_name = "DURATION")]
    grace: Option<Timeout>,
    /// End when there was no client for this long
    #[arg(long, value_name = "DURATION")]
    idle: Option<Timeout>,
}

impl ListenOptions {
    /// Does what comes before anything of ours is opened.
    pub fn prepare(&self) -> anyhow::Result<ready::Listener> {
        self.connected.connections_only()?;
        // Descriptors of our caller come before any of ours.
        let ready = self.ready.listener()?;
        descriptor::keep_to_ourselves();
        Ok(ready)
    }

    /// Begins to listen, and says so.
    pub fn open(
        &self,
        address: &Address,
        ready: ready::Listener,
        output: &Output,
    ) -> anyhow::Result<Listening> {
        let admission = self.admission(address)?;
        let terms = self.terms(address)?;
        // Blocked before there is a path, so that none is left behind.
        let children = Blocked::new([Signal::CHLD].into_iter().collect());
        let ending = Blocked::new(signals().collect());
        let listener = listen(address, terms)?;
        let ending = match self.grace {
            Some(_) => Some(ending),
            None => {
                bound_path::end_by(signals(), listener.binding());
                drop(ending);
                None
            }
        };
        tell_address(&listener, address, output);
        ready.tell(listener.address().as_bytes())?;
        let max_per_uid = self.max_per_uid.map_or(usize::MAX, |limit| limit as usize);
        let gate = Gate::new(listener, admission).for_each_user(max_per_uid);
        let gate = if self.once { gate.for_one() } else { gate };
        Ok(Listening { gate, children, ending })
    }

    /// Refuses what does not go with one client at a time.
    pub fn one_at_a_time(&self) -> anyhow::Result<()> {
        match self.grace {
            None => Ok(()),
            Some(_) => {
                let reason = "only clients that are served side by side have it";
                Err(Failure::new(Exit::Usage, reason)).about("--grace")
            }
        }
    }

    /// Whether only one client is let in.
    pub fn is_for_one(&self) -> bool {
        self.once
    }

    /// Whether bytes or messages go through the sockets.
    pub fn kind(&self) -> SocketType {
        self.connected.kind
    }

    /// When to ask whether a silent TCP peer is still there.
    pub fn keepalive(&self) -> KeepAlive {
        self.silence.keepalive()
    }

    /// How many, and for how long.
    pub fn limits(&self) -> Limits {
        let max_clients = self.max_clients.map_or(usize::MAX, |limit| limit as usize);
        Limits { max_clients, idle: self.idle, grace: self.grace }
    }

    fn terms(&self, address: &Address) -> anyhow::Result<Terms> {
        let mode = permissions(self.mode, address)?;
        let (kind, keepalive) = (self.kind(), self.keepalive());
        Ok(Terms { kind, mode, backlog: self.backlog, keepalive })
    }

    fn admission(&self, address: &Address) -> anyhow::Result<Admission> {
        let named = !(self.allow_uid.is_empty() && self.allow_gid.is_empty());
        let counted = self.max_per_uid.is_some();
        match address.place() {
            Place::Path(_) | Place::Descriptor(_) | Place::Handed(_) if !named => {
                Ok(Admission::Everybody)
            }
            Place::Path(_) | Place::Abstract(_) | Place::Descriptor(_) | Place::Handed(_) => {
                let (users, groups) = (self.allow_uid.clone(), self.allow_gid.clone());
                Ok(Admission::Only { users, groups })
            }
            _ if named || counted => {
                let reason = "nobody knows the users of a network's clients";
                Err(Failure::new(Exit::Usage, reason)).about(if named {
                    "--allow-uid and --allow-gid"
                } else {
                    "--max-per-uid"
                })
            }
            _ => Ok(Admission::Everybody),
        }
    }
}
