//! The relations between one object or one process and the others: who has it open, mapped, attached or
//! locked, who waits, and who has the other end.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStringExt;
use std::path::Path;

use nix::sys::stat::{FileStat, stat};

use super::object::{By, Kind, Object, Thing, Use};
use super::{Survey, Uses};
use crate::mechanism::socket::table::{self, Row};
use crate::sys::process::visit;
use crate::sys::system_v::{self, Target};

/// How a process is related to an object.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum How {
    /// It has the object open.
    Open,
    /// It has the object mapped.
    Mapped,
    /// It has the segment attached.
    Attached,
    /// It holds the lock.
    Locked,
    /// It waits for the lock.
    Waiting,
    /// It has the other end of the connection or the pipe.
    Peer,
    /// It operated on the object last.
    LastUse,
    /// It owns the lock file.
    Owner,
}

impl How {
    /// Its word for users.
    pub fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Mapped => "mapped",
            Self::Attached => "attached",
            Self::Locked => "locked",
            Self::Waiting => "waiting",
            Self::Peer => "peer",
            Self::LastUse => "last-use",
            Self::Owner => "owner",
        }
    }
}

impl From<By> for How {
    fn from(by: By) -> Self {
        match by {
            By::Descriptor(_) => Self::Open,
            By::Mapping => Self::Mapped,
            By::Attachment => Self::Attached,
            By::Lock => Self::Locked,
            By::LastUse => Self::LastUse,
            By::Ownership => Self::Owner,
        }
    }
}

/// A process and an object.
#[derive(Clone, Debug)]
pub struct Relation {
    /// The process; `None` if it is not visible.
    pub pid: Option<i32>,
    /// How it is related to the object.
    pub how: How,
    /// The number of its descriptor.
    pub descriptor: Option<i32>,
    /// The access of the descriptor: r, w or rw.
    pub access: Option<&'static str>,
    /// The kind of the object: a word of [`Kind`], pipe or file.
    pub kind: &'static str,
    /// The name of the object.
    pub name: OsString,
}

/// An object, as a relation names it.
#[derive(Clone, Debug)]
struct Named {
    kind: &'static str,
    name: OsString,
}

impl Named {
    fn of(object: &Object) -> Self {
        Self { kind: object.kind.word(), name: object.name.clone() }
    }

    /// The name of a socket: its address and its peer's, or its number.
    fn of_socket(row: &Row) -> Self {
        let mut name = row.address.clone();
        if name.is_empty() {
            name = format!("socket:[{}]", row.inode).into_bytes();
        }
        if !row.peer.is_empty() {
            name.extend([b" -> ", &*row.peer].concat());
        }
        Self { kind: Kind::Sock.word(), name: OsString::from_vec(name) }
    }

    fn related(&self, used: Use, how: How) -> Relation {
        let descriptor = match used.by {
            By::Descriptor(number) => Some(number),
            _ => None,
        };
        Relation {
            pid: Some(used.pid),
            how,
            descriptor,
            access: descriptor.and_then(|number| access(used.pid, number)),
            kind: self.kind,
            name: self.name.clone(),
        }
    }

    /// The relation to a process that has no descriptor of it.
    fn related_process(&self, pid: Option<i32>, how: How) -> Relation {
        let (kind, name) = (self.kind, self.name.clone());
        Relation { pid, how, descriptor: None, access: None, kind, name }
    }
}

/// The access of a descriptor; `None` if it was closed meanwhile, or has none.
fn access(pid: i32, number: i32) -> Option<&'static str> {
    let info = visit::info(pid, number);
    let flags = info.lines().find_map(|line| line.strip_prefix("flags:"))?;
    let flags = i32::from_str_radix(flags.trim(), 8).ok()?;
    match flags & libc::O_ACCMODE {
        _ if flags & libc::O_PATH != 0 => None,
        libc::O_RDONLY => Some("r"),
        libc::O_WRONLY => Some("w"),
        _ => Some("rw"),
    }
}

/// The relations of the objects with a name or an address, or at a path; `None` if there is no such
/// object.
pub fn of_name(survey: &Survey, name: &OsStr, file: Option<&FileStat>) -> Option<Vec<Relation>> {
    let thing = file.map(Thing::of);
    let is_it = |object: &&Object| is_named(object, name, thing);
    let objects: Vec<&Object> = survey.objects.iter().filter(is_it).collect();
    if objects.is_empty() && file.is_none() {
        return None;
    }
    let index = Index::of(survey);
    let mut found: Vec<Relation> =
        objects.iter().flat_map(|object| of_indexed(survey, &index, object)).collect();
    if let Some(thing) = thing.filter(|thing| objects.iter().all(|o| o.thing != Some(*thing))) {
        let file = Named { kind: "file", name: name.to_owned() };
        found.extend(
            survey.uses.of(thing).into_iter().map(|used| file.related(used, used.by.into())),
        );
    }
    Some(found)
}

/// The relations of one object of a survey.
pub fn of(survey: &Survey, object: &Object) -> Vec<Relation> {
    of_indexed(survey, &Index::of(survey), object)
}

fn of_indexed(survey: &Survey, index: &Index, object: &Object) -> Vec<Relation> {
    let mut found = of_object(object);
    if matches!(object.kind, Kind::Sock | Kind::Door | Kind::Holder) {
        found.extend(connections(survey, index, object));
    }
    if object.kind == Kind::Spool {
        found.extend(workers(survey, object));
    }
    found
}

fn is_named(object: &Object, name: &OsStr, thing: Option<Thing>) -> bool {
    let Some(thing) = thing else {
        return object.kind != Kind::Lock && (object.name == name || has_id(object, name));
    };
    if object.kind == Kind::Lock {
        let Thing::File { inode, .. } = thing else { return false };
        let at_path = || stat(Path::new(&object.name)).map(|status| Thing::of(&status));
        return object.inode == Some(inode) && at_path().map_or(true, |there| there == thing);
    }
    let is_posix = object.name == name && !matches!(object.kind, Kind::Fifo | Kind::Memory);
    object.thing == Some(thing) || object.file == Some(thing) || is_posix
}

/// Whether it is the System V object of a name with an identifier.
fn has_id(object: &Object, name: &OsStr) -> bool {
    match object.thing {
        Some(Thing::Segment { id } | Thing::Set { id } | Thing::Messages { id }) => {
            system_v::spelled(Target::Id(id)) == name
        }
        _ => false,
    }
}

fn of_object(object: &Object) -> Vec<Relation> {
    let named = Named::of(object);
    let holders = object.holders.iter().map(|&used| named.related(used, used.by.into()));
    let mut found: Vec<Relation> = holders.collect();
    if object.kind == Kind::Lock && found.is_empty() {
        found.push(named.related_process(None, How::Locked));
    }
    let waiting = object.waiters.iter().map(|&pid| named.related_process(pid, How::Waiting));
    found.extend(waiting);
    found
}

/// The objects and sockets of a survey, by what identifies them: a process may have thousands open.
struct Index<'a> {
    uses: &'a Uses,
    objects: BTreeMap<Thing, &'a Object>,
    sockets: BTreeMap<u64, &'a Row>,
    /// The sockets at the other ends of each.
    ends: BTreeMap<u64, BTreeSet<u64>>,
}

impl<'a> Index<'a> {
    fn of(survey: &'a Survey) -> Self {
        // Of two objects of one thing, the first is meant.
        let objects = survey.objects.iter().rev();
        let objects = objects.filter_map(|object| Some((object.thing?, object)));
        let sockets = survey.sockets.iter().map(|row| (row.inode, row)).collect();
        let (uses, ends) = (&survey.uses, ends(&survey.sockets));
        Self { uses, objects: objects.collect(), sockets, ends }
    }

    /// The processes that have the other ends of this socket.
    fn peers(&self, inode: u64) -> impl Iterator<Item = Relation> {
        self.ends.get(&inode).into_iter().flatten().flat_map(|&end| self.as_peer(end))
    }

    /// The processes that have this socket, as the peer of another.
    fn as_peer(&self, inode: u64) -> Vec<Relation> {
        let unnamed =
            || Named { kind: Kind::Sock.word(), name: format!("socket:[{inode}]").into() };
        let named = self.sockets.get(&inode).map_or_else(unnamed, |row| Named::of_socket(row));
        let uses = self.uses.of(Thing::Socket { inode }).into_iter();
        uses.map(|used| named.related(used, How::Peer)).collect()
    }

    /// The use of an object, of an unnamed pipe with the processes at its other end, or of a socket.
    fn of_use(&self, thing: Thing, used: Use) -> Vec<Relation> {
        if let Some(object) = self.objects.get(&thing) {
            return vec![Named::of(object).related(used, used.by.into())];
        }
        match thing {
            Thing::Socket { inode } => {
                let row = self.sockets.get(&inode);
                row.map(|row| Named::of_socket(row).related(used, How::Open)).into_iter().collect()
            }
            Thing::File { inode, .. } if self.uses.is_pipe(thing) => {
                self.of_pipe(thing, inode, used)
            }
            _ => Vec::new(),
        }
    }

    fn of_pipe(&self, thing: Thing, inode: u64, used: Use) -> Vec<Relation> {
        let named = Named { kind: "pipe", name: format!("pipe:[{inode}]").into() };
        let others = self.uses.of(thing).into_iter().filter(|other| other.pid != used.pid);
        let others = others.map(|other| named.related(other, How::Peer));
        let own = named.related(used, How::Open);
        // The other end is that of the processes with another access.
        let access = own.access;
        [own].into_iter().chain(others.filter(|other| other.access != access)).collect()
    }
}

/// The sockets at the other ends of each. Several sockets can be connected to one for datagrams.
fn ends(sockets: &[Row]) -> BTreeMap<u64, BTreeSet<u64>> {
    // The kernel lists the two ends of a connection within the machine each by its addresses.
    let is_inet = |row: &&Row| row.family != "unix" && row.inode != 0 && !row.peer.is_empty();
    let inet = sockets.iter().filter(is_inet);
    let inet: BTreeMap<_, _> = inet.map(|row| ((&row.address, &row.peer), row.inode)).collect();
    let mut ends: BTreeMap<u64, BTreeSet<u64>> = BTreeMap::new();
    for row in sockets {
        let other = || inet.get(&(&row.peer, &row.address)).copied();
        if let Some(other) = row.peer_inode.or_else(other) {
            ends.entry(row.inode).or_default().insert(other);
            ends.entry(other).or_default().insert(row.inode);
        }
    }
    ends
}

/// The clients of a server: those that have the other end of a connection with its address.
fn connections(survey: &Survey, index: &Index<'_>, object: &Object) -> Vec<Relation> {
    let address = object.name.as_encoded_bytes();
    let of_server = survey.sockets.iter().filter(|row| row.address == address);
    of_server.flat_map(|row| index.peers(row.inode)).collect()
}

/// The processes that hold claims of a spool, which are locks on its messages.
fn workers(survey: &Survey, spool: &Object) -> Vec<Relation> {
    // The kernel shows the locked files by their real paths.
    let Ok(directory) = std::fs::canonicalize(&spool.name) else { return Vec::new() };
    let is_in_it = |object: &&Object| {
        object.kind == Kind::Lock && Path::new(&object.name).starts_with(&directory)
    };
    survey.objects.iter().filter(is_in_it).flat_map(of_object).collect()
}

/// The relations of these sockets: the processes that have them open, and those that have the other ends.
pub fn of_sockets(survey: &Survey, inodes: &[u64]) -> Vec<Relation> {
    let index = Index::of(survey);
    let open = |&inode: &u64| {
        let thing = Thing::Socket { inode };
        survey.uses.of(thing).into_iter().map(move |used| (thing, used))
    };
    let mut found: Vec<Relation> =
        inodes.iter().flat_map(open).flat_map(|(thing, used)| index.of_use(thing, used)).collect();
    found.extend(inodes.iter().flat_map(|&inode| index.peers(inode)));
    found
}

/// All that a process holds and waits for, and the other ends of its pipes and connections.
pub fn of_process(survey: &Survey, pid: i32) -> Vec<Relation> {
    let (mut found, index) = (Vec::new(), Index::of(survey));
    for (thing, used) in own_uses(&survey.uses, pid) {
        found.extend(index.of_use(thing, used));
        if let Thing::Socket { inode } = thing {
            found.extend(index.peers(inode));
        }
    }
    for object in survey.objects.iter().filter(|object| !is_found_by_use(object)) {
        let is_its = |relation: &Relation| relation.pid == Some(pid);
        found.extend(of_object(object).into_iter().filter(is_its));
    }
    found
}

/// Whether its holders are those of [`Uses`].
fn is_found_by_use(object: &Object) -> bool {
    !matches!(object.thing, None | Some(Thing::Set { .. } | Thing::Messages { .. }))
}

fn own_uses(uses: &Uses, pid: i32) -> Vec<(Thing, Use)> {
    let mut own: Vec<(Thing, Use)> = uses.of_process(pid).collect();
    let number = |used: &Use| match used.by {
        By::Descriptor(number) => number,
        _ => i32::MAX,
    };
    own.sort_by_key(|(thing, used)| (number(used), *thing));
    own
}

/// Adds the TCP and UDP sockets to those of a survey.
pub fn add_inet(survey: &mut Survey) {
    survey.sockets.extend(table::inet().unwrap_or_default());
}
