//! Locks on files, their holders and their waiters: `/proc/locks`. An OFD lock has no process of its own;
//! the `lock:` lines of `/proc/PID/fdinfo` lead from it to the processes that have the descriptor.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, BufRead, BufReader};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::sys::stat::FileStat;

use super::inode::is_regular;
use super::lock::{Kind, Mode, Range};
use super::process;
use super::process::visit::Descriptor;
use crate::base::errno::Errno;

/// A file in the table of locks.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct FileId {
    major: u32,
    minor: u32,
    inode: u64,
}

/// A lock, or a wait for one.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Entry {
    /// The word of the table for its kind: FLOCK, OFDLCK, POSIX, LEASE or DELEG.
    pub kind: String,
    /// The mode.
    pub mode: Mode,
    /// The process in the table: the one that acquired a flock, or the owner of a POSIX lock.
    pub pid: Option<i32>,
    /// The file.
    pub file: FileId,
    /// The first byte.
    pub start: u64,
    /// The last byte; `None` is the end of the file.
    pub end: Option<u64>,
}

/// A lock, its holders and its waiters.
#[derive(Clone, Debug)]
pub struct HeldLock {
    /// The lock.
    pub entry: Entry,
    /// The processes that hold it, as far as they are visible; the one in the table if its descriptors are
    /// not visible.
    pub pids: Vec<i32>,
    /// The evidence for that.
    pub evidence: Evidence,
    /// A path by which one of the processes has the file open.
    pub path: Option<PathBuf>,
    /// The waiters. The kernel shows no process for a waiter for an OFD lock.
    pub waiters: Vec<Entry>,
}

/// The evidence that processes hold a lock.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Evidence {
    /// Their descriptors, which have the lock.
    Descriptors,
    /// The table, which has the process that acquired the lock, if any.
    Table,
}

/// A descriptor with a lock.
#[derive(Clone, Debug)]
pub struct LockedDescriptor {
    pid: i32,
    path: Option<PathBuf>,
}

impl FileId {
    /// The device and inode of a file. For some file systems (btrfs, overlayfs) stat(2) returns another
    /// device than the table.
    pub fn of(status: &FileStat) -> Self {
        Self {
            major: libc::major(status.st_dev),
            minor: libc::minor(status.st_dev),
            inode: status.st_ino,
        }
    }

    /// Its inode.
    pub fn inode(self) -> u64 {
        self.inode
    }

    /// Its device, as the table shows it.
    pub fn device(self) -> String {
        format!("{:02x}:{:02x}", self.major, self.minor)
    }
}

impl HeldLock {
    /// A lock whose holder is not visible, with any range.
    pub fn hidden(kind: Kind, status: &FileStat) -> Self {
        let kind = if kind == Kind::Flock { "FLOCK" } else { "OFDLCK" }.to_owned();
        let (mode, file) = (Mode::Exclusive, FileId::of(status));
        let entry = Entry { kind, mode, pid: None, file, start: 0, end: None };
        Self::of_table(entry, Vec::new())
    }

    fn of_table(entry: Entry, pids: Vec<i32>) -> Self {
        Self { entry, pids, evidence: Evidence::Table, path: None, waiters: Vec::new() }
    }

    fn add(&mut self, descriptors: &[LockedDescriptor]) {
        self.pids = descriptors.iter().map(|descriptor| descriptor.pid).collect();
        self.pids.dedup();
        self.evidence = Evidence::Descriptors;
        self.path = descriptors.iter().find_map(|descriptor| descriptor.path.clone());
    }
}

impl Entry {
    /// The name of the kind for users.
    pub fn kind_word(&self) -> String {
        match self.kind.as_str() {
            "OFDLCK" => "ofd".to_owned(),
            kind => kind.to_ascii_lowercase(),
        }
    }

    /// Whether it includes a byte of the range.
    pub fn touches(&self, range: Range) -> bool {
        let (start, length) = (range.start as u64, range.length as u64);
        let ends_before = length > 0 && start + length <= self.start;
        !ends_before && self.end.is_none_or(|end| end >= start)
    }

    /// Parses the fields of a line behind its number and its arrow: `FLOCK ADVISORY WRITE 4711
    /// fd:01:5678 0 EOF`.
    fn parse(fields: &str) -> Option<Self> {
        let mut fields = fields.split_ascii_whitespace();
        let kind = fields.next()?.to_owned();
        let mut next = || fields.next();
        let _advisory = next()?;
        let mode = if next()? == "READ" { Mode::Shared } else { Mode::Exclusive };
        let pid = next()?.parse().ok().filter(|&pid: &i32| pid > 0);
        let mut file = next()?.split(':');
        let file = FileId {
            major: u32::from_str_radix(file.next()?, 16).ok()?,
            minor: u32::from_str_radix(file.next()?, 16).ok()?,
            inode: file.next()?.parse().ok()?,
        };
        let (start, end) = (next()?.parse().ok()?, next()?);
        let end = if end == "EOF" { None } else { Some(end.parse().ok()?) };
        Some(Self { kind, mode, pid, file, start, end })
    }
}

/// All visible locks.
pub fn all() -> Result<Vec<HeldLock>, Errno> {
    Ok(with_holders(table()?, descriptors(|_| true), may_hold))
}

/// The locks of one file.
pub fn of_file(status: &FileStat) -> Result<Vec<HeldLock>, Errno> {
    let is_it = |metadata: &fs::Metadata| {
        (metadata.dev(), metadata.ino()) == (status.st_dev, status.st_ino)
    };
    let descriptors = descriptors(is_it);
    let id = FileId::of(status);
    let mut locks = table()?;
    locks.retain(|held| held.entry.file == id || descriptors.contains_key(&held.entry));
    Ok(with_holders(locks, descriptors, may_hold))
}

/// Replaces the process in the table by the processes that have the descriptor, and adds locks that only
/// descriptors show: in a PID namespace other than the first, the table leaves out locks whose process has
/// ended, since it has no process ID for it.
fn with_holders(
    mut locks: Vec<HeldLock>,
    descriptors: BTreeMap<Entry, Vec<LockedDescriptor>>,
    may_hold: impl Fn(i32, &Entry) -> bool,
) -> Vec<HeldLock> {
    let mut hidden = descriptors.clone();
    for held in &mut locks {
        hidden.remove(&held.entry);
        match descriptors.get(&held.entry) {
            Some(descriptors) => held.add(descriptors),
            None => {
                let entry = held.entry.clone();
                held.pids.retain(|&pid| may_hold(pid, &entry));
            }
        }
    }
    locks.extend(hidden.into_iter().map(|(entry, descriptors)| {
        let mut held = HeldLock::of_table(entry, Vec::new());
        held.add(&descriptors);
        held
    }));
    merged(locks)
}

/// The locks, without those whose processes another one has already: shared locks of several open file
/// descriptions have the same entry, and each of them was given the processes of all.
fn merged(locks: Vec<HeldLock>) -> Vec<HeldLock> {
    let mut merged: Vec<HeldLock> = Vec::new();
    let mut places = BTreeMap::new();
    for mut held in locks {
        let place = *places.entry(held.entry.clone()).or_insert(merged.len());
        match merged.get_mut(place) {
            Some(other) if held.evidence == Evidence::Descriptors => {
                other.waiters.append(&mut held.waiters);
            }
            _ => merged.push(held),
        }
    }
    merged
}

/// Whether a descriptor of a process has the lock, as far as this process may see.
pub fn holds(pid: i32, entry: &Entry) -> bool {
    descriptors_of(pid).is_ok_and(|descriptors| have(&descriptors, entry))
}

fn have(descriptors: &[(PathBuf, PathBuf)], entry: &Entry) -> bool {
    descriptors.iter().any(|(_, info)| locks_of(info).is_ok_and(|locks| locks.contains(entry)))
}

/// Whether the process in the table may hold the lock. It may have ended since it acquired the lock, and
/// another process may have its process ID by now.
fn may_hold(pid: i32, entry: &Entry) -> bool {
    match descriptors_of(pid) {
        Ok(descriptors) => have(&descriptors, entry),
        Err(error) => error.kind() == io::ErrorKind::PermissionDenied,
    }
}

/// The files with a flock, by the table of the kernel alone. It leaves out locks whose process has ended
/// in a PID namespace other than the first.
pub fn files_with_flock() -> Result<BTreeSet<u64>, Errno> {
    let held = table()?.into_iter().map(|held| held.entry);
    Ok(held.filter(|entry| entry.kind == "FLOCK").map(|entry| entry.file.inode).collect())
}

/// The table of the kernel.
fn table() -> Result<Vec<HeldLock>, Errno> {
    let mut locks: Vec<HeldLock> = Vec::new();
    for line in BufReader::new(fs::File::open("/proc/locks")?).lines() {
        let line = line?;
        let Some((_, fields)) = line.split_once(": ") else { continue };
        let fields = fields.trim_start();
        let waits = fields.starts_with("->");
        let Some(entry) = Entry::parse(fields.trim_start_matches("->")) else { continue };
        match locks.last_mut() {
            Some(held) if waits => held.waiters.push(entry),
            _ if waits => {}
            _ => {
                let pids = entry.pid.into_iter().collect();
                locks.push(HeldLock::of_table(entry, pids));
            }
        }
    }
    Ok(locks)
}

/// The descriptors of other processes with locks on the files for which `wanted` is true.
fn descriptors(wanted: impl Fn(&fs::Metadata) -> bool) -> BTreeMap<Entry, Vec<LockedDescriptor>> {
    let mut descriptors: BTreeMap<Entry, Vec<LockedDescriptor>> = BTreeMap::new();
    // The caller of `ipc` asks about other processes than `ipc` itself.
    for pid in process::all().filter(|&pid| pid != std::process::id() as i32) {
        // The process may have ended, or be another user's.
        for (path, info) in descriptors_of(pid).unwrap_or_default() {
            if !fs::metadata(&path).is_ok_and(|metadata| wanted(&metadata)) {
                continue;
            }
            for entry in locks_of(&info).unwrap_or_default() {
                let descriptor = LockedDescriptor { pid, path: fs::read_link(&path).ok() };
                descriptors.entry(entry).or_default().push(descriptor);
            }
        }
    }
    descriptors
}

/// The descriptors of a process: paths of the link to the file, and of its information.
fn descriptors_of(pid: i32) -> io::Result<Vec<(PathBuf, PathBuf)>> {
    let process = Path::new("/proc").join(pid.to_string());
    let paths =
        |entry: fs::DirEntry| (entry.path(), process.join("fdinfo").join(entry.file_name()));
    Ok(fs::read_dir(process.join("fd"))?.flatten().map(paths).collect())
}

fn locks_of(info: &Path) -> io::Result<Vec<Entry>> {
    Ok(locks_in(&fs::read_to_string(info)?))
}

/// The locks in the information of a descriptor.
fn locks_in(info: &str) -> Vec<Entry> {
    let lines = info.lines().filter_map(|line| line.strip_prefix("lock:"));
    lines.filter_map(|line| Entry::parse(line.split_once(": ")?.1)).collect()
}

/// The locks of the table, while a pass over all processes finds their descriptors.
#[derive(Debug, Default)]
pub struct Search {
    locks: Vec<HeldLock>,
    inodes: BTreeSet<u64>,
    is_whole: bool,
}

impl Search {
    /// Reads the table.
    ///
    /// # Errors
    /// ENOENT without a /proc.
    pub fn new() -> Result<Self, Errno> {
        let locks = table()?;
        let inodes = locks.iter().map(|held| held.entry.file.inode).collect();
        // In another PID namespace, the table leaves out locks of processes that have ended.
        let is_whole = process::is_first_namespace();
        Ok(Self { locks, inodes, is_whole })
    }

    /// The locks of a descriptor of the file with this status. The inode alone is compared with the table,
    /// since some file systems have another device in it.
    pub fn locks_of(&self, descriptor: &Descriptor<'_>) -> Vec<(Entry, LockedDescriptor)> {
        let status = descriptor.status;
        if !self.inodes.contains(&status.st_ino) && (self.is_whole || !is_regular(status)) {
            return Vec::new();
        }
        let entries = locks_in(&descriptor.info()).into_iter();
        let found =
            |entry| (entry, LockedDescriptor { pid: descriptor.pid, path: descriptor.link() });
        entries.map(found).collect()
    }

    /// The locks and their holders, of what [`Search::locks_of`] found in the order of the processes. A process
    /// that was not seen may hold the lock that the table has it for.
    pub fn finish(
        self,
        found: Vec<(Entry, LockedDescriptor)>,
        is_unseen: impl Fn(i32) -> bool,
    ) -> Vec<HeldLock> {
        let mut descriptors: BTreeMap<Entry, Vec<LockedDescriptor>> = BTreeMap::new();
        for (entry, descriptor) in found {
            descriptors.entry(entry).or_default().push(descriptor);
        }
        let may_hold = |pid, _: &Entry| is_unseen(pid) || pid == std::process::id() as i32;
        with_holders(self.locks, descriptors, may_hold)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_table_is_read() {
        let entry = Entry::parse("OFDLCK ADVISORY  WRITE -1 fd:01:5678 5 EOF").unwrap();
        assert_eq!((entry.kind.as_str(), entry.mode, entry.pid), ("OFDLCK", Mode::Exclusive, None));
        assert_eq!((entry.file.device(), entry.file.inode()), ("fd:01".to_owned(), 5678));
        assert_eq!((entry.start, entry.end), (5, None));
        let entry = Entry::parse("POSIX  ADVISORY  READ 4711 00:2a:13 0 9").unwrap();
        assert_eq!((entry.mode, entry.pid, entry.end), (Mode::Shared, Some(4711), Some(9)));
    }

    #[test]
    fn a_malformed_line_is_skipped() {
        for line in ["", "POSIX", "POSIX ADVISORY READ 1 <none>:0 0 EOF", "POSIX *NOINODE*"] {
            assert_eq!(Entry::parse(line), None, "{line}");
        }
    }
}
