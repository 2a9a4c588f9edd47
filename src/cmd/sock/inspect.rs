//! `ipc sock ls` and `stat`.

use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;

use nix::sys::stat::{fstat, stat};

use crate::app::arguments::Plain;
use crate::app::command::{Action, Example};
use crate::app::context::Context;
use crate::app::listing::{self, Column, Columns, Json, Listing};
use crate::app::objects::columns::{PROCESS, processes};
use crate::app::objects::{Held, Ownership, columns, warn_of_hidden};
use crate::app::options::Format;
use crate::app::socket::resolve;
use crate::base::errno::Errno;
use crate::base::exit::{Exit, Failure, Subject};
use crate::io::output::{Key, Type, Value};
use crate::mechanism::socket::Error;
use crate::mechanism::socket::address::{Address, Endpoint};
use crate::mechanism::socket::table;
use crate::mechanism::socket::table::Row;
use crate::sys::descriptor;
use crate::sys::inode::is_socket;
use crate::sys::process::{Holders, SocketHolders};
use crate::sys::socket::{Credentials, Socket};

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
    const JSON: &'static [Json] = &[Json::array::<Listed>()];

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
    const JSON: &'static [Json] = &[Json::object::<Status>()];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let address = resolve(&self.address, context)?;
        let status = match address.endpoint() {
            Endpoint::Descriptor(number) => Status::of_descriptor(*number).about(&address)?,
            _ => Status::of_address(&address).map_err(Failure::from).about(&address)?,
        };
        listing::show(&status, self.format, &mut context.output)?;
        Ok(Exit::Done)
    }
}

/// What `stat` shows.
#[derive(Debug, Default)]
struct Status {
    /// The row of the table; `None` for a dead path, and for a socket that no table has.
    row: Option<Row>,
    is_dead: bool,
    address: Vec<u8>,
    peer: Vec<u8>,
    holders: Option<Holders>,
    /// The number of connections, for an address.
    connections: Option<usize>,
    /// The permissions of a path.
    ownership: Option<Ownership>,
    /// The options of a descriptor.
    options: Option<Options>,
}

/// The peer and the options of a socket that is open as a descriptor.
#[derive(Debug)]
struct Options {
    peer: Option<Credentials>,
    send_buffer: Option<usize>,
    receive_buffer: Option<usize>,
    /// Whether it sends at once, and when it probes a silent peer, for TCP.
    sends_at_once: Option<bool>,
    keeps_alive_after: Option<u32>,
}

impl Status {
    fn of_address(address: &Address) -> Result<Self, Error> {
        let file = address.path().map(stat).transpose();
        let file = file.map_err(|errno| Error::Kernel(errno.into()))?;
        if file.is_some_and(|file| !is_socket(&file)) {
            return Err(Error::NotASocket);
        }
        let rows = table::at(address)?;
        let status = match (rows.iter().find(|row| row.is_reachable()), &file) {
            (Some(row), _) => {
                let connections = rows.iter().filter(|row| row.state == "connected").count();
                // The path may be longer than the one that the kernel knows, or another link to the
                // file.
                let path = address.path().map(|path| path.as_os_str().as_bytes());
                let address = path.unwrap_or(&row.address).to_vec();
                Self { address, connections: Some(connections), ..Self::of_row(row) }
            }
            (None, Some(_)) => Self {
                is_dead: true,
                address: address.as_ref().as_bytes().into(),
                ..Self::default()
            },
            (None, None) => return Err(Error::Kernel(Errno(libc::ECONNREFUSED))),
        };
        Ok(Self { ownership: file.as_ref().map(Ownership::from), ..status })
    }

    fn of_descriptor(number: i32) -> anyhow::Result<Self> {
        let fd = descriptor::inherited(number)?;
        let file = fstat(fd.as_fd()).map_err(Errno::from)?;
        if !is_socket(&file) {
            return Err(Failure::failed("not a socket").into());
        }
        let socket = Socket::from(fd.try_clone_to_owned()?);
        let rows = table::all()?;
        let status = match rows.iter().find(|row| row.inode == file.st_ino) {
            Some(row) => Self::of_row(row),
            // The socket is of a family without a table, or of another network namespace.
            None => Self {
                address: socket.local_address().as_bytes().into(),
                peer: socket.peer_address().as_bytes().into(),
                ..Self::default()
            },
        };
        Ok(Self { options: Some(Options::of(&socket)), ..status })
    }

    fn of_row(row: &Row) -> Self {
        Self {
            address: row.address.clone(),
            peer: row.peer.clone(),
            holders: Some(SocketHolders::find().of(row.inode)),
            row: Some(row.clone()),
            ..Self::default()
        }
    }

    /// A value of the row.
    fn known<T: Into<Value>>(&self, value: impl FnOnce(&Row) -> T) -> Value {
        self.row.as_ref().map_or(Value::Inapplicable, |row| value(row).into())
    }

    fn state(&self) -> Value {
        if self.is_dead { "dead".into() } else { self.known(|row| row.state) }
    }

    fn peer(&self) -> Value {
        if self.is_dead { Value::Inapplicable } else { optional(&self.peer) }
    }

    /// A value of the permissions.
    fn of_path(&self, value: impl FnOnce(Ownership) -> Value) -> Value {
        self.ownership.map_or(Value::Inapplicable, value)
    }

    /// A value of the options.
    fn option<T: Into<Value>>(&self, value: impl FnOnce(&Options) -> T) -> Value {
        self.options.as_ref().map_or(Value::Inapplicable, |options| value(options).into())
    }

    /// A value of the options of TCP.
    fn tcp(&self, value: impl FnOnce(&Options) -> Value) -> Value {
        let options = self.options.as_ref().filter(|options| options.sends_at_once.is_some());
        options.map_or(Value::Inapplicable, value)
    }
}

impl Options {
    fn of(socket: &Socket) -> Self {
        let sends_at_once = socket.sends_at_once();
        Self {
            // For a listening socket, the kernel returns the process that called listen(2).
            peer: socket.peer().filter(|_| !socket.is_listening()),
            send_buffer: socket.send_buffer().ok(),
            receive_buffer: socket.receive_buffer().ok(),
            keeps_alive_after: sends_at_once.and_then(|_| socket.keeps_alive_after()),
            sends_at_once,
        }
    }
}

const OPEN: &str = "open sockets";
const PATH: &str = "a path";
const DESCRIPTOR: &str = "a descriptor";
const TCP: &str = "a descriptor of TCP";

impl Columns for Status {
    const COLUMNS: &'static [Column<Self>] = &[
        Column::new(Key::new("family", Type::Word, "unix, tcp or udp").only(OPEN), |it| {
            it.known(|row| row.family)
        }),
        Column::new(Key::new("type", Type::Word, "stream, seqpacket or dgram").only(OPEN), |it| {
            it.known(|row| row.kind)
        }),
        Column::new(
            Key::new("state", Type::Word, "Such as listening or connected; dead without a server")
                .only("an address, or a socket of this network namespace"),
            Self::state,
        ),
        Column::new(
            Key::new("receive_queue", Type::Number, "Bytes to be read, or waiting clients")
                .only(OPEN),
            |it| it.known(|row| row.receive_queue),
        ),
        Column::new(
            Key::new("send_queue", Type::Number, "Bytes to be sent, or length of the backlog")
                .only(OPEN),
            |it| it.known(|row| row.send_queue),
        ),
        Column::new(
            Key::new("opener_uid", Type::Number, "User that opened it").or_null().only(OPEN),
            |it| it.known(|row| row.uid),
        ),
        Column::new(Key::new("address", Type::Text, "Its address").or_null(), |it| {
            optional(&it.address)
        }),
        Column::new(
            Key::new("peer", Type::Text, "Address of its peer").or_null().only(OPEN),
            Self::peer,
        ),
        Column::new(
            Key::new("inode", Type::Number, "Number by which /proc/PID/fd shows it")
                .only(OPEN)
                .on_request(),
            |it| it.known(|row| row.inode),
        ),
        Column::new(
            Key::new("holders", Type::Objects(PROCESS), "Processes that have it open").only(OPEN),
            |it| match &it.holders {
                Some(holders) => processes(&holders.seen, holders.hidden),
                None => Value::Inapplicable,
            },
        ),
        Column::new(
            Key::new("hidden", Type::Number, "Number of processes that could not be seen")
                .only(OPEN)
                .on_request(),
            |it| it.holders.as_ref().map_or(Value::Inapplicable, |holders| holders.hidden.into()),
        ),
        Column::new(
            Key::new("connections", Type::Number, "Number of connections").only("a server"),
            |it| it.connections.map_or(Value::Inapplicable, Value::from),
        ),
        Column::new(Key::new("mode", Type::Mode, "Permissions").only(PATH), |it| {
            it.of_path(|ownership| Value::Mode(ownership.mode))
        }),
        Column::new(Key::new("uid", Type::Number, "User that owns it").only(PATH), |it| {
            it.of_path(|ownership| ownership.uid.into())
        }),
        Column::new(Key::new("gid", Type::Number, "Group that owns it").only(PATH), |it| {
            it.of_path(|ownership| ownership.gid.into())
        }),
        Column::new(
            Key::new("peer_pid", Type::Number, "Process of its peer").or_null().only(DESCRIPTOR),
            |it| it.option(|options| options.peer.map(|peer| peer.pid)),
        ),
        Column::new(
            Key::new("peer_uid", Type::Number, "User of its peer").or_null().only(DESCRIPTOR),
            |it| it.option(|options| options.peer.map(|peer| peer.uid)),
        ),
        Column::new(
            Key::new("peer_gid", Type::Number, "Group of its peer").or_null().only(DESCRIPTOR),
            |it| it.option(|options| options.peer.map(|peer| peer.gid)),
        ),
        Column::new(
            Key::new("send_buffer", Type::Size, "SO_SNDBUF").or_null().only(DESCRIPTOR),
            |it| it.option(|options| options.send_buffer),
        ),
        Column::new(
            Key::new("receive_buffer", Type::Size, "SO_RCVBUF").or_null().only(DESCRIPTOR),
            |it| it.option(|options| options.receive_buffer),
        ),
        Column::new(Key::new("nodelay", Type::Flag, "TCP_NODELAY").only(TCP), |it| {
            it.tcp(|options| options.sends_at_once.into())
        }),
        Column::new(
            Key::new("keepalive_seconds", Type::Number, "Silence after which the peer is probed")
                .or_null()
                .only(TCP),
            |it| it.tcp(|options| options.keeps_alive_after.into()),
        ),
    ];
}
