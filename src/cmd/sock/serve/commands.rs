//! A COMMAND for each client.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

use crate::base::exit::Exit;
use crate::base::signal::Signal;
use crate::run::job::{Command, exit_of};
use crate::sys::spawn::{Child, Streams, reap};

use crate::server::admission::{Client, Pass};
use crate::server::event_loop::{Place, Service};

/// The commands that run, of one that is started for each client.
#[derive(Debug)]
pub struct Commands {
    command: Command,
    running: Vec<(Child, Pass)>,
    last: Exit,
}

/// What begins so in our own environment is of another server's client, or of sockets that were
/// handed over to us.
const RESERVED: &[&str] = &["IPC_PEER_", "IPC_LOCAL_ADDR", "IPC_CONN_NUM", "LISTEN_"];

impl Commands {
    /// Finds the COMMAND.
    pub fn new(words: &[OsString]) -> anyhow::Result<Self> {
        let command = Command::new(words)?.without(RESERVED);
        Ok(Self { command, running: Vec::new(), last: Exit::Done })
    }
}

impl Service for Commands {
    fn begin(&mut self, client: Client, place: &Place<'_>) -> anyhow::Result<()> {
        let number = client.number.to_string();
        let address = client.socket.peer_address();
        // A port may be one of several addresses; a name is what clients know.
        let local = match client.peer {
            Some(_) => place.gate.address().to_owned(),
            None => client.socket.local_address(),
        };
        let mut variables = vec![
            ("IPC_CONN_NUM", number.as_bytes()),
            ("IPC_PEER_ADDR", address.as_bytes()),
            ("IPC_LOCAL_ADDR", local.as_bytes()),
        ];
        let peer = client
            .peer
            .map(|peer| (peer.pid.to_string(), peer.uid.to_string(), peer.gid.to_string()));
        if let Some((pid, uid, gid)) = &peer {
            variables.push(("IPC_PEER_PID", pid.as_bytes()));
            variables.push(("IPC_PEER_UID", uid.as_bytes()));
            variables.push(("IPC_PEER_GID", gid.as_bytes()));
        }
        let started = self.command.start(Streams::both(&client.socket), &variables);
        // It was there when we began.
        let child = started.map_err(|errno| self.command.failed(errno))?;
        self.running.push((child, client.pass));
        Ok(())
    }

    fn reap(&mut self) {
        while let Some((pid, status)) = reap() {
            if let Some(place) = self.running.iter().position(|(child, _)| child.pid() == pid) {
                self.running.swap_remove(place);
                self.last = exit_of(status);
            }
        }
    }

    fn end(&mut self) {
        self.running.iter().for_each(|(child, _)| child.send(Signal::TERM));
    }

    fn clients(&self) -> usize {
        self.running.len()
    }

    fn exit(&self) -> Exit {
        self.last
    }
}
