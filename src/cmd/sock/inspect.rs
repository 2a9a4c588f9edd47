//! `ipc sock ls` and `stat`.

use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;

use nix::sys::stat::{fstat, stat};
use serde_json::Value as Json;

use crate::app::arguments::Plain;
use crate::app::command::{Action, Example};
use crate::app::context::Context;
use crate::app::listing::{Column, Columns, Listing};
use crate::app::objects::{Held, columns, ownership, warn_of_hidden};
use crate::app::options::Format;
use crate::app::socket::resolve;
use crate::base::errno::Errno;
use crate::base::exit::{Exit, Failure, Subject};
use crate::io::output::{Key, Record, Type, Value};
use crate::mechanism::socket::Error;
use crate::mechanism::socket::address::{Address, Endpoint};
use crate::mechanism::socket::table;
use crate::mechanism::socket::table::Row;
use crate::sys::descriptor;
use crate::sys::inode::is_socket;
use crate::sys::process::{Holders, SocketHolders};
use crate::sys::socket::Socket;

/// List the sockets of this machine
///
/// Lists the sockets of this network namespace that listen or receive datagrams: Unix sockets, then TCP,
/// then UDP. The holders are the visible processes that have the socket open; '-' means that there is
/// none. The number of processes that are not visible is printed on stderr.
#[derive(Debug, clap::Args, Plain)]
pub struct Ls {
    /// List connections, and sockets without a name, too
    #[arg(short, long)]
    all: bool,
    #[command(flatten)]
    listing: Listing<Listed>,
}

/// A row of `ls`.
#[derive(Debug)]
pub struct Listed {
    row: Row,
    holders: Holders,
}

impl Held for Listed {
    fn holders(&self) -> &Holders {
        &self.holders
    }
}

impl Columns for Listed {
    const COLUMNS: &'static [Column<Self>] = &[
        Column::new(Key::new("family", Type::Word, "unix, tcp or udp"), |it| it.row.family.into()),
        Column::new(Key::new("type", Type::Word, "stream, seqpacket or dgram"), |it| {
            it.row.kind.into()
        }),
        Column::new(
            Key::new("state", Type::Word, "Such as listening, connected or unconnected"),
            |it| it.row.state.into(),
        ),
        Column::new(
            Key::new("receive_queue", Type::Number, "Bytes to be read, or waiting clients"),
            |it| it.row.receive_queue.into(),
        ),
        Column::new(
            Key::new("send_queue", Type::Number, "Bytes to be sent, or length of the backlog"),
            |it| it.row.send_queue.into(),
        ),
        Column::new(Key::new("opener_uid", Type::Number, "User that opened it").or_null(), |it| {
            it.row.uid.into()
        }),
        Column::new(Key::new("address", Type::Text, "Its address").or_null(), |it| {
            optional(&it.row.address)
        }),
        Column::new(Key::new("peer", Type::Text, "Address of its peer").or_null(), |it| {
            optional(&it.row.peer)
        }),
        Column::new(
            Key::new("inode", Type::Number, "Number by which /proc/PID/fd shows it").on_request(),
            |it| it.row.inode.into(),
        ),
        columns::holders(),
        columns::hidden(),
    ];
}

/// An address; empty bytes are none.
fn optional(address: &[u8]) -> Value {
    if address.is_empty() { Value::MISSING } else { Value::text(address) }
}

impl Action for Ls {
    const EXAMPLES: &'static [Example] = &[
        ("List the servers", "ipc sock ls"),
        (
            "Find servers with clients that wait to be accepted",
            "ipc sock ls --filter state=listening --filter 'receive_queue>0'",
        ),
    ];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let output = &mut context.output;
        let holders = match self.listing.needs("holders") {
            true => SocketHolders::find(),
            false => SocketHolders::default(),
        };
        let rows = table::all()?.into_iter().filter(|row| self.all || row.is_reachable());
        let rows = rows.map(|row| Listed { holders: holders.of(row.inode), row });
        self.listing.print(rows, output)?;
        warn_of_hidden(holders.hidden, &self.listing, output)?;
        Ok(Exit::Done)
    }
}

/// Show the state of a socket
///
/// For an address, this is the server's socket: its state and queues, the processes that have it open,
/// the number of its connections, and the permissions of a path. The queues are the bytes to be read and
/// to be sent; for a listening socket, the clients that wait and the length of the backlog. A path whose
/// socket no process has open is dead.
///
/// For a descriptor (fd:N), this includes the peer with its credentials, and the options of the socket.
#[derive(Debug, clap::Args, Plain)]
pub struct Stat {
    /// A path with a slash, @NAME, tcp:HOST:PORT, udp:HOST:PORT or fd:N
    address: Address,
    #[command(flatten)]
    format: Format,
}

impl Action for Stat {
    const EXAMPLES: &'static [Example] = &[
        ("Show the server of a path", "ipc sock stat /run/server"),
        ("Show the peer of stdin", "ipc sock stat fd:0"),
    ];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let address = resolve(&self.address, context)?;
        let record = match address.endpoint() {
            Endpoint::Descriptor(number) => of_descriptor(*number).about(&address)?,
            _ => of_address(&address).map_err(Failure::from).about(&address)?,
        };
        context.output.show(&record, self.format)?;
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
            // The path may be longer than the one that the kernel knows, or another link to the file.
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

/// The row of a socket, with this address.
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
        .json_only("inode", Json::from(row.inode))
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
        // The socket is of a family without a table, or of another network namespace.
        None => Record::new()
            .optional_bytes("address", socket.local_address().as_bytes())
            .optional_bytes("peer", socket.peer_address().as_bytes()),
    };
    Ok(options(record, &socket))
}

fn options(record: Record, socket: &Socket) -> Record {
    // For a listening socket, the kernel returns the process that called listen(2).
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
