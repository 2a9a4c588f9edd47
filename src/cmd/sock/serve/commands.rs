//! `ipc sock serve -- COMMAND`: a COMMAND for each client.

use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt;

use crate::base::exit::Exit;
use crate::base::signal::Signal;
use crate::run::job::{Command, exit_of};
use crate::server::admission::{Client, Slot};
use crate::server::event_loop::{ServerRef, Service};
use crate::sys::descriptor;
use crate::sys::events::Interest;
use crate::sys::pidfd::Process;
use crate::sys::spawn::{Child, Streams, reap_orphans};

/// Starts a COMMAND for each client.
#[derive(Debug)]
pub struct Commands {
    command: Command,
    running: BTreeMap<u64, Running>,
    last: Exit,
}

/// The COMMAND of a client.
#[derive(Debug)]
struct Running {
    child: Child,
    /// Readable when the COMMAND has ended; `None` where CHLD has to report that, to leave descriptors
    /// for other clients.
    process: Option<Process>,
    _slot: Slot,
}

/// Variables of the environment that describe a client of another server, or sockets that were handed
/// over to this process.
const RESERVED: &[&str] = &["IPC_PEER_", "IPC_LOCAL_ADDR", "IPC_CONN_NUM", "LISTEN_"];

/// How many descriptors the next client may take until its COMMAND has started.
const RESERVE: usize = 8;

impl Commands {
    /// Starts this COMMAND for each client.
    pub fn new(command: Command) -> Self {
        let command = command.without(RESERVED);
        Self { command, running: BTreeMap::new(), last: Exit::Done }
    }
}

impl Commands {
    fn remove_if_ended(&mut self, number: u64) {
        let Some(running) = self.running.get_mut(&number) else { return };
        let ended = running.child.try_wait();
        if ended != Ok(None) {
            self.running.remove(&number);
            self.last = ended.ok().flatten().map_or(Exit::Failed, exit_of);
        }
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
        let process = child.process().ok().filter(|process| {
            descriptor::leaves(RESERVE, process)
                && server.events.add(process, client.number, Interest::Readable).is_ok()
        });
        self.running.insert(client.number, Running { child, process, _slot: client.slot });
        Ok(())
    }

    fn ready(&mut self, number: u64, _server: &ServerRef<'_>) -> anyhow::Result<()> {
        self.remove_if_ended(number);
        Ok(())
    }

    fn children_changed(&mut self, _server: &ServerRef<'_>) -> anyhow::Result<()> {
        reap_orphans();
        let without_process = self.running.iter().filter(|(_, running)| running.process.is_none());
        let numbers: Vec<u64> = without_process.map(|(&number, _)| number).collect();
        numbers.into_iter().for_each(|number| self.remove_if_ended(number));
        Ok(())
    }

    fn terminate(&mut self) {
        self.running.values().for_each(|running| running.child.send(Signal::TERM));
    }

    fn clients(&self) -> usize {
        self.running.len()
    }

    fn exit(&self) -> Exit {
        self.last
    }
}
