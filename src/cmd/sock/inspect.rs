//! `ipc sock ls` and `stat`.

use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;

use nix::sys::stat::{fstat, stat};
use serde_json::Value;

use crate::app::arguments::Plain;
use crate::app::command::{Action, Example};
use crate::app::context::Context;
use crate::app::objects::{listed_holders, ownership, warn_of_hidden};
use crate::app::options::Format;
use crate::base::errno::Errno;
use crate::base::exit::{Exit, Failure, Subject};
use crate::io::output::Record;
use crate::mechanism::socket::Error;
use crate::mechanism::socket::activation;
use crate::mechanism::socket::address::{Address, Place};
use crate::mechanism::socket::table;
use crate::mechanism::socket::table::Row;
use crate::sys::descriptor;
use crate::sys::inode::is_socket;
use crate::sys::process::SocketHolders;
use crate::sys::socket::Socket;

/// List the sockets of this machine
///
/// Those that others can come to are listed: Unix sockets, then TCP, then UDP, of our network
/// namespace. The holders are the processes that have the socket open, as far as they can be seen; '-'
/// is none of those. How many processes cannot be seen is said on stderr.
#[derive(Debug, clap::Args, Plain)]
pub struct Ls {
    /// List connections, and sockets without a name, as well
    #[arg(short, long)]
    all: bool,
    #[command(flatten)]
    format: Format,
}

impl Action for Ls {
    const EXAMPLES: &'static [Example] = &[
        ("See who listens", "ipc sock ls"),
        (
            "Find servers that are behind with accepting",
            "ipc sock ls --json | jq '.[] | select(.state == \"listening\" and .receive_queue > 0)'",
        ),
    ];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let output = &mut context.output;
        let holders = SocketHolders::find();
        let rows = table::all()?;
        let listed = rows.iter().filter(|row| self.all || row.is_reachable());
        let records: Vec<Record> = listed
            .map(|row| listed_holders(known(row, &row.address), &holders.of(row.inode)))
            .collect();
        output.list(&records, self.format)?;
        warn_of_hidden(holders.hidden, self.format, output)?;
        Ok(Exit::Done)
    }
}

/// Show all that is known of a socket
///
/// Of an address that is its server's socket: its state and queues, who has it open, how many
/// connections it has, and the permissions of a path. The queues are bytes to be read and to be
/// sent; of a socket that listens, the clients that wait and how many may. A path that no
/// process has open any more is told as dead.
///
/// Of a descriptor (fd:N) it is the peer, with its credentials, and the options besides.
#[derive(Debug, clap::Args, Plain)]
pub struct Stat {
    /// Address of the socket: a path with a slash, @NAME, tcp:HOST:PORT, udp:HOST:PORT or fd:N
    address: Address,
    #[command(flatten)]
    format: Format,
}

impl Action for Stat {
    const EXAMPLES: &'static [Example] = &[
        ("See whose socket it is", "ipc sock stat /run/server"),
        ("See who is at the other end of our stdin", "ipc sock stat fd:0"),
    ];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let output = &mut context.output;
        let record = match self.address.place() {
            Place::Descriptor(number) => of_descriptor(*number).about(&self.address)?,
            Place::Handed(name) => {
                let number = activation::named(name).ok_or(Error::NotHandedOver);
                let number = number.map_err(Failure::from).about(&self.address)?;
                of_descriptor(number).about(&self.address)?
            }
            _ => of_address(&self.address).map_err(Failure::from).about(&self.address)?,
        };
        output.show(&record, self.format)?;
        Ok(Exit::Done)
    }
}

fn of_address(address: &Address) -> Result<Record, Error> {
    let file = address.path().map(stat).transpose().map_err(|errno| Error::Kernel(errno.into()))?;
    if file.is_some_and(|file| !is_socket(&file)) {
        return Err(Error::NotASocket);
    }
    let rows = table::at(address)?;
    let record = match (rows.iter().find(|row| row.is_reachable()), &file) {
        (Some(row), _) => {
            let connections = rows.iter().filter(|row| row.state == "connected").count();
            // A path may be a longer one, or another, than the one that the kernel knows.
            let path = address.path().map(|path| path.as_os_str().as_bytes());
            let shown = path.unwrap_or(&row.address);
            with_holders(known(row, shown), row).number("connections", connections)
        }
        (None, Some(_)) => {
            Record::new().word("state", "dead").bytes("address", address.as_ref().as_bytes())
        }
        (None, None) => return Err(Error::Kernel(Errno(libc::ECONNREFUSED))),
    };
    Ok(match &file {
        Some(file) => ownership(record, file),
        None => record,
    })
}

fn with_holders(record: Record, row: &Row) -> Record {
    crate::app::objects::holders(record, &SocketHolders::find().of(row.inode))
}

/// What the table has of a socket, whose address is shown so.
fn known(row: &Row, address: &[u8]) -> Record {
    Record::new()
        .word("family", row.family)
        .word("type", row.kind)
        .word("state", row.state)
        .number("receive_queue", row.receive_queue)
        .number("send_queue", row.send_queue)
        .optional_number("opener_uid", row.uid)
        .optional_bytes("address", address)
        .optional_bytes("peer", &row.peer)
        .json_only("inode", Value::from(row.inode))
}

fn of_descriptor(number: i32) -> anyhow::Result<Record> {
    let fd = descriptor::inherited(number)?;
    let file = fstat(fd.as_fd()).map_err(Errno::from)?;
    if !is_socket(&file) {
        return Err(Failure::failed("not a socket").into());
    }
    let socket = Socket::from(fd.try_clone_to_owned()?);
    let rows = table::all()?;
    let record = match rows.iter().find(|row| row.inode == file.st_ino) {
        Some(row) => with_holders(known(row, &row.address), row),
        // Of a family without a table, or of another network namespace.
        None => Record::new()
            .optional_bytes("address", socket.local_address().as_bytes())
            .optional_bytes("peer", socket.peer_address().as_bytes()),
    };
    Ok(options(record, &socket))
}

fn options(record: Record, socket: &Socket) -> Record {
    // Of one that listens the kernel tells who made it listen.
    let peer = socket.peer().filter(|_| !socket.is_listening());
    let record = record
        .optional_number("peer_pid", peer.map(|peer| peer.pid))
        .optional_number("peer_uid", peer.map(|peer| peer.uid))
        .optional_number("peer_gid", peer.map(|peer| peer.gid))
        .optional_number("send_buffer", socket.send_buffer().ok())
        .optional_number("receive_buffer", socket.receive_buffer().ok());
    match socket.sends_at_once() {
        Some(at_once) => record
            .flag("nodelay", at_once)
            .optional_number("keepalive_seconds", socket.keeps_alive_after()),
        None => record,
    }
}
