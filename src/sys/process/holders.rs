//! Who has which objects open, mapped or attached: `/proc/PID/fd`, `/proc/PID/maps`.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::{fs, io};

use nix::sys::stat::FileStat;

use super::{command, look_into_others};

/// A process that has an object open or mapped.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Holder {
    /// Its process ID.
    pub pid: i32,
    /// Its name, as comm has it: 15 bytes of anything.
    pub command: Vec<u8>,
}

/// Those who hold an object, as far as we may see them.
#[derive(Clone, Debug, Default)]
pub struct Holders {
    /// The ones that we saw, ourselves not among them, by process ID.
    pub seen: Vec<Holder>,
    /// How many processes did not let us look.
    pub hidden: usize,
}

impl Holders {
    /// Looks through the descriptors and mappings of every process for this.
    pub fn of(object: impl Into<Object>) -> Self {
        let object = object.into();
        HoldersOfMany::find([object]).of(object)
    }
}

/// What processes have open, mapped or attached.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Object {
    /// A file, or an object that the kernel has a file for.
    File {
        /// Its file system.
        device: u64,
        /// Which of its files.
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
    /// What a line of `/proc/PID/maps` is about, which is `START-END PERMISSIONS OFFSET MAJOR:MINOR
    /// INODE PATH`. A System V segment's inode is its identifier.
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

/// Who holds which of several objects, found in one look at every process.
#[derive(Clone, Debug, Default)]
pub struct HoldersOfMany {
    seen: BTreeMap<Object, Vec<Holder>>,
    hidden: usize,
}

impl HoldersOfMany {
    /// Looks through the descriptors and mappings of every process for these.
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

    /// How many processes did not let us look.
    pub fn hidden(&self) -> usize {
        self.hidden
    }

    /// Those who hold this one.
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

/// What a process has open or mapped, of what is looked for.
fn held(pid: i32, is_wanted: impl Fn(&Object) -> bool) -> io::Result<BTreeSet<Object>> {
    let open = fs::read_dir(format!("/proc/{pid}/fd"))?.filter_map(|entry| {
        // A descriptor may be closed while we look.
        let found = fs::metadata(entry.ok()?.path()).ok()?;
        Some(Object::File { device: found.dev(), inode: found.ino() })
    });
    let maps = fs::read(format!("/proc/{pid}/maps"))?;
    let mapped = maps.split(|&b| b == b'\n').filter_map(Object::of_mapping);
    let mut held: BTreeSet<Object> = open.chain(mapped).filter(is_wanted).collect();
    let is_system_v = |object: &Object| matches!(object, Object::SystemV { .. });
    if held.iter().any(is_system_v) && !is_in_our_ipc_namespace(pid) {
        held.retain(|object| !is_system_v(object));
    }
    Ok(held)
}

/// Whether the identifiers of System V objects mean the same to a process as to us.
fn is_in_our_ipc_namespace(pid: i32) -> bool {
    let namespace = |of: &str| fs::read_link(format!("/proc/{of}/ns/ipc"));
    match (namespace(&pid.to_string()), namespace("self")) {
        (Ok(theirs), Ok(ours)) => theirs == ours,
        // A kernel without such namespaces has but one.
        _ => true,
    }
}

/// Which processes have which sockets open, as far as we may see them.
#[derive(Clone, Debug, Default)]
pub struct SocketHolders {
    by_inode: BTreeMap<u64, Vec<Holder>>,
    /// How many processes did not let us look.
    pub hidden: usize,
}

impl SocketHolders {
    /// Looks through the descriptors of every process.
    pub fn find() -> Self {
        let mut holders = Self::default();
        holders.hidden = look_into_others(|pid| {
            holders.enter(pid, socket_inodes(pid)?);
            Ok(())
        });
        holders
    }

    /// Those who have this one, by process ID.
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

/// The sockets that a process has open: descriptors that are links to `socket:[INODE]`.
fn socket_inodes(pid: i32) -> io::Result<impl Iterator<Item = u64>> {
    Ok(fs::read_dir(format!("/proc/{pid}/fd"))?.filter_map(|entry| {
        // A descriptor may be closed while we look.
        let link = fs::read_link(entry.ok()?.path()).ok()?;
        link.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
    }))
}

/// The directories that other processes have open or work in, as far as we may see them, and those
/// in which sockets usually are.
pub fn directories() -> BTreeSet<PathBuf> {
    let mut found: BTreeSet<PathBuf> = ["/run", "/tmp"].map(PathBuf::from).into();
    look_into_others(|pid| {
        let open =
            fs::read_dir(format!("/proc/{pid}/fd"))?.filter_map(|entry| Some(entry.ok()?.path()));
        let links = open.chain([format!("/proc/{pid}/cwd").into()]);
        // A descriptor may be closed while we look.
        let paths = links.filter_map(|link| fs::read_link(link).ok());
        found.extend(paths.filter(|path| path.is_absolute() && path.is_dir()));
        Ok(())
    });
    found
}

fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}
