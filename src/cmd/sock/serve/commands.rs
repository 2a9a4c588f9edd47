//! `ipc sock serve -- COMMAND`: a COMMAND for each client.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

use crate::base::exit::Exit;
use crate::base::signal::Signal;
use crate::run::job::{Command, exit_of};
use crate::server::admission::{Client, Slot};
use crate::server::event_loop::{ServerRef, Service};
use crate::sys::spawn::{Child, Streams, reap_orphans};

/// Starts a COMMAND for each client.
#[derive(Debug)]
pub struct Commands {
    command: Command,
    running: Vec<(Child, Slot)>,
    last: Exit,
}

/// Variables of the environment that describe a client of another server, or sockets that were handed
/// over to this process.
const RESERVED: &[&str] = &["IPC_PEER_", "IPC_LOCAL_ADDR", "IPC_CONN_NUM", "LISTEN_"];

impl Commands {
    /// Finds the COMMAND.
    pub fn new(words: &[OsString]) -> anyhow::Result<Self> {
        let command = Command::new(words)?.without(RESERVED);
        Ok(Self { command, running: Vec::new(), last: Exit::Done })
    }
}

impl Service for Commands {
    fn start(&mut self, client: Client, server: &ServerRef<'_>) -> anyhow::Result<()> {
        let number = client.number.to_string();
        let address = client.socket.peer_address();
        // A port may belong to several addresses; clients of a path or a name know only that.
        let local = match client.peer {
            Some(_) => server.admission.address().to_owned(),
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
        let child = started.map_err(|errno| self.command.failed(errno))?;
        self.running.push((child, client.slot));
        Ok(())
    }

    fn children_changed(&mut self) -> anyhow::Result<()> {
        reap_orphans();
        let mut index = 0;
        while let Some((child, _)) = self.running.get_mut(index) {
            match child.try_wait() {
                Ok(None) => index += 1,
                ended => {
                    self.last = ended.ok().flatten().map_or(Exit::Failed, exit_of);
                    self.running.swap_remove(index);
                }
            }
        }
        Ok(())
    }

    fn terminate(&mut self) {
        self.running.iter().for_each(|(child, _)| child.send(Signal::TERM));
    }

    fn clients(&self) -> usize {
        self.running.len()
    }

    fn exit(&self) -> Exit {
        self.last
    }
}
