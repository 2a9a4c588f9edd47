//! The processes that have an object open, mapped or attached: `/proc/PID/fd`, `/proc/PID/maps`.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::{fs, io};

use nix::sys::stat::FileStat;

use super::{command, directory_of, look_into_others, text};

/// A process that has an object open or mapped.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Holder {
    /// Its process ID.
    pub pid: i32,
    /// Its name, as in comm: up to 15 bytes.
    pub command: Vec<u8>,
}

/// The holders of an object, as far as this process may see them.
#[derive(Clone, Debug, Default)]
pub struct Holders {
    /// The holders, without this process, by process ID.
    pub seen: Vec<Holder>,
    /// The number of processes that could not be seen.
    pub hidden: usize,
}

impl Holders {
    /// Searches the descriptors and mappings of every process.
    pub fn of(object: impl Into<Object>) -> Self {
        let object = object.into();
        HoldersOfMany::find([object]).of(object)
    }
}

/// An object that processes have open, mapped or attached.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Object {
    /// A file, or an object that the kernel has a file for.
    File {
        /// The device of its file system.
        device: u64,
        /// Its inode number.
        inode: u64,
    },
    /// A segment of System V shared memory.
    SystemV {
        /// Its identifier.
        id: i32,
    },
}

impl From<&FileStat> for Object {
    fn from(status: &FileStat) -> Self {
        Self::File { device: status.st_dev, inode: status.st_ino }
    }
}

impl Object {
    /// The object of a line of `/proc/PID/maps`, which has the form `START-END PERMISSIONS OFFSET
    /// MAJOR:MINOR INODE PATH`. The inode of a System V segment is its identifier.
    fn of_mapping(line: &[u8]) -> Option<Self> {
        let mut fields = line.split(|&b| b == b' ').filter(|field| !field.is_empty()).skip(3);
        let (device, inode) = (text(fields.next()?)?, text(fields.next()?)?);
        if fields.next()?.starts_with(b"/SYSV") {
            return Some(Self::SystemV { id: inode.parse().ok()? });
        }
        let (major, minor) = device.split_once(':')?;
        let number = |digits| u32::from_str_radix(digits, 16).ok();
        let device = libc::makedev(number(major)?, number(minor)?);
        Some(Self::File { device, inode: inode.parse().ok()? })
    }
}

/// The holders of several objects, found in one search of every process.
#[derive(Clone, Debug, Default)]
pub struct HoldersOfMany {
    seen: BTreeMap<Object, Vec<Holder>>,
    hidden: usize,
}

impl HoldersOfMany {
    /// Searches the descriptors and mappings of every process.
    pub fn find(objects: impl IntoIterator<Item = Object>) -> Self {
        let seen = objects.into_iter().map(|object| (object, Vec::new())).collect();
        let mut holders = Self { seen, hidden: 0 };
        holders.hidden = look_into_others(|pid| {
            let held = held(pid, |object| holders.seen.contains_key(object))?;
            holders.enter(pid, held);
            Ok(())
        });
        holders
    }

    /// The number of processes that could not be seen.
    pub fn hidden(&self) -> usize {
        self.hidden
    }

    /// The holders of this object.
    pub fn of(&self, object: Object) -> Holders {
        let seen = self.seen.get(&object).cloned().unwrap_or_default();
        Holders { seen, hidden: self.hidden }
    }

    fn enter(&mut self, pid: i32, held: BTreeSet<Object>) {
        if held.is_empty() {
            return;
        }
        let holder = Holder { pid, command: command(pid) };
        for object in held {
            self.seen.entry(object).or_default().push(holder.clone());
        }
    }
}

/// The wanted objects that a process has open or mapped.
fn held(pid: i32, is_wanted: impl Fn(&Object) -> bool) -> io::Result<BTreeSet<Object>> {
    let open = fs::read_dir(format!("/proc/{pid}/fd"))?.filter_map(|entry| {
        // A descriptor may be closed meanwhile.
        let found = fs::metadata(entry.ok()?.path()).ok()?;
        Some(Object::File { device: found.dev(), inode: found.ino() })
    });
    let maps = fs::read(format!("/proc/{pid}/maps"))?;
    let mapped = maps.split(|&b| b == b'\n').filter_map(Object::of_mapping);
    let mut held: BTreeSet<Object> = open.chain(mapped).filter(is_wanted).collect();
    let is_system_v = |object: &Object| matches!(object, Object::SystemV { .. });
    if held.iter().any(is_system_v) && !is_in_own_ipc_namespace(pid) {
        held.retain(|object| !is_system_v(object));
    }
    Ok(held)
}

/// Whether a process is in the IPC namespace of this one, so that identifiers of System V objects are
/// the same.
pub fn is_in_own_ipc_namespace(pid: i32) -> bool {
    let namespace = |of: &str| fs::read_link(format!("/proc/{of}/ns/ipc"));
    match (namespace(&pid.to_string()), namespace("self")) {
        (Ok(other), Ok(own)) => other == own,
        // The kernel has no IPC namespaces.
        _ => true,
    }
}

/// The holders of sockets, as far as this process may see them.
#[derive(Clone, Debug, Default)]
pub struct SocketHolders {
    by_inode: BTreeMap<u64, Vec<Holder>>,
    /// The number of processes that could not be seen.
    pub hidden: usize,
}

impl SocketHolders {
    /// Searches the descriptors of every process.
    pub fn find() -> Self {
        let mut holders = Self::default();
        holders.hidden = look_into_others(|pid| {
            holders.enter(pid, socket_inodes(pid)?);
            Ok(())
        });
        holders
    }

    /// The holders of this socket, by process ID.
    pub fn of(&self, inode: u64) -> Holders {
        let seen = self.by_inode.get(&inode).cloned().unwrap_or_default();
        Holders { seen, hidden: self.hidden }
    }

    fn enter(&mut self, pid: i32, inodes: impl Iterator<Item = u64>) {
        let mut inodes: Vec<u64> = inodes.collect();
        inodes.sort_unstable();
        inodes.dedup();
        if inodes.is_empty() {
            return;
        }
        let holder = Holder { pid, command: command(pid) };
        for inode in inodes {
            self.by_inode.entry(inode).or_default().push(holder.clone());
        }
    }
}

/// The sockets that a process has open. Their descriptors are links to `socket:[INODE]`.
fn socket_inodes(pid: i32) -> io::Result<impl Iterator<Item = u64>> {
    Ok(fs::read_dir(format!("/proc/{pid}/fd"))?.filter_map(|entry| {
        // A descriptor may be closed meanwhile.
        let link = fs::read_link(entry.ok()?.path()).ok()?;
        link.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
    }))
}

/// The open and working directories of other processes, as far as this process may see them, and the
/// usual directories of sockets.
pub fn directories() -> BTreeSet<PathBuf> {
    let mut found: BTreeSet<PathBuf> = ["/run", "/tmp"].map(PathBuf::from).into();
    look_into_others(|pid| {
        found.extend(directories_at(pid)?);
        Ok(())
    });
    found
}

/// The open directories of a process and its working directory, as far as this process may see them.
pub fn directories_of(pid: i32) -> Vec<PathBuf> {
    directories_at(pid).map(Iterator::collect).unwrap_or_default()
}

fn directories_at(pid: i32) -> io::Result<impl Iterator<Item = PathBuf>> {
    let open =
        fs::read_dir(format!("/proc/{pid}/fd"))?.filter_map(|entry| Some(entry.ok()?.path()));
    // A descriptor may be closed meanwhile.
    let paths = open.filter_map(|link| fs::read_link(link).ok()).chain(directory_of(pid));
    Ok(paths.filter(|path| path.is_absolute() && path.is_dir()))
}
