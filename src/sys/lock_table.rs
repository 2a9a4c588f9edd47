//! Who holds file locks and who waits for them: `/proc/locks`, and the `lock:` lines of
//! `/proc/PID/fdinfo` that lead from an OFD lock, which has no process of its own, to those who
//! have the descriptor.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io::{self, BufRead, BufReader};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::sys::stat::FileStat;

use super::lock::{self, Kind, Mode, Range};
use super::process;
use crate::base::errno::Errno;

/// A file, as the table of locks names it.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct FileId {
    major: u32,
    minor: u32,
    inode: u64,
}

/// A lock, or somebody's wait for one.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Entry {
    /// The word of the table for its kind: FLOCK, OFDLCK, POSIX, LEASE or DELEG.
    pub kind: String,
    /// How it excludes others.
    pub mode: Mode,
    /// The process that the table names: who took a flock, who has a POSIX lock.
    pub pid: Option<i32>,
    /// The file.
    pub file: FileId,
    /// The first byte.
    pub start: u64,
    /// The last byte; `None` is the end of the file, wherever that will be.
    pub end: Option<u64>,
}

/// A lock with those who have it and those who wait for it.
#[derive(Clone, Debug)]
pub struct Held {
    /// The lock.
    pub entry: Entry,
    /// The processes that have it, as far as we may see them; the one that the table names where
    /// it does not let us look at its descriptors.
    pub pids: Vec<i32>,
    /// A path by which one of them has the file open.
    pub path: Option<PathBuf>,
    /// Those who wait for it; of one that waits for an OFD lock the kernel gives no process.
    pub waiters: Vec<Entry>,
}

/// A descriptor that carries a lock.
#[derive(Clone, Debug)]
struct Carrier {
    pid: i32,
    path: Option<PathBuf>,
}

impl FileId {
    /// The device and inode of a file. Some file systems (btrfs, overlayfs) tell stat(2) another
    /// device than the table has.
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

impl Held {
    /// A lock that somebody has whom the table does not show, of any range.
    pub fn of_nobody(kind: Kind, status: &FileStat) -> Self {
        let kind = if kind == Kind::Flock { "FLOCK" } else { "OFDLCK" }.to_owned();
        let (mode, file) = (Mode::Exclusive, FileId::of(status));
        let entry = Entry { kind, mode, pid: None, file, start: 0, end: None };
        Self { entry, pids: Vec::new(), path: None, waiters: Vec::new() }
    }
}

impl Held {
    fn add(&mut self, carriers: &[Carrier]) {
        self.pids = carriers.iter().map(|carrier| carrier.pid).collect();
        self.pids.dedup();
        self.path = carriers.iter().find_map(|carrier| carrier.path.clone());
    }
}

impl Entry {
    /// The kind, in our word where we have one.
    pub fn kind_word(&self) -> String {
        match self.kind.as_str() {
            "OFDLCK" => "ofd".to_owned(),
            kind => kind.to_ascii_lowercase(),
        }
    }

    /// Whether it has a byte of the range.
    pub fn touches(&self, range: Range) -> bool {
        let (start, length) = (range.start as u64, range.length as u64);
        let ends_before = length > 0 && start + length <= self.start;
        !ends_before && self.end.is_none_or(|end| end >= start)
    }

    /// Reads the fields behind the number of a line, and behind its arrow: `FLOCK ADVISORY WRITE
    /// 4711 fd:01:5678 0 EOF`.
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

/// All locks that can be seen.
pub fn all() -> Result<Vec<Held>, Errno> {
    Ok(with_carriers(table()?, carriers(|_| true)))
}

/// The locks of one file.
pub fn of_file(status: &FileStat) -> Result<Vec<Held>, Errno> {
    let is_it = |metadata: &fs::Metadata| {
        (metadata.dev(), metadata.ino()) == (status.st_dev, status.st_ino)
    };
    let carriers = carriers(is_it);
    let id = FileId::of(status);
    let mut locks = table()?;
    locks.retain(|held| held.entry.file == id || carriers.contains_key(&held.entry));
    Ok(with_carriers(locks, carriers))
}

/// The locks of the file at a path that touch a range, as far as they can be seen without opening
/// the file.
pub fn seen_of_path(path: &OsStr, range: Range) -> Result<Vec<Held>, lock::Error> {
    let mut held = of_file(&lock::status(path)?)?;
    held.retain(|held| held.entry.touches(range));
    Ok(held)
}

/// The same, those that cannot be seen so included.
pub fn of_path(path: &OsStr, range: Range) -> Result<Vec<Held>, lock::Error> {
    let status = lock::status(path)?;
    let mut held = seen_of_path(path, range)?;
    if held.is_empty() && !is_complete_for(&status) {
        let hidden = lock::probe(path, range)?;
        held.extend(hidden.into_iter().map(|kind| Held::of_nobody(kind, &status)));
    }
    Ok(held)
}

/// Whether the file at a path is locked in any way; one that is gone is not.
pub fn is_locked(path: &OsStr) -> Result<bool, lock::Error> {
    match of_path(path, Range::default()) {
        Err(lock::Error::Kernel(Errno(libc::ENOENT))) => Ok(false),
        locks => Ok(!locks?.is_empty()),
    }
}

/// Whether the table has every lock: that of another PID namespace leaves out what was locked in
/// this one's parents, and the device of some file systems (major number 0) may go by another name.
fn is_complete_for(status: &FileStat) -> bool {
    libc::major(status.st_dev) != 0 && process::is_first_namespace()
}

/// Names those who have the descriptor instead of the one who made the lock, and adds the locks
/// that only descriptors show: in a PID namespace other than the first the table leaves out those
/// whose process has ended, as it has no number for it.
fn with_carriers(mut locks: Vec<Held>, carriers: BTreeMap<Entry, Vec<Carrier>>) -> Vec<Held> {
    let mut hidden = carriers.clone();
    for held in &mut locks {
        hidden.remove(&held.entry);
        match carriers.get(&held.entry) {
            Some(carriers) => held.add(carriers),
            None => {
                let entry = held.entry.clone();
                held.pids.retain(|&pid| may_carry(pid, &entry));
            }
        }
    }
    locks.extend(hidden.into_iter().map(|(entry, carriers)| {
        let mut held = Held { entry, pids: Vec::new(), path: None, waiters: Vec::new() };
        held.add(&carriers);
        held
    }));
    locks
}

/// Whether the process that the table names for a lock has it. It may have ended since it made the
/// lock, and its number may be another's by now.
fn may_carry(pid: i32, entry: &Entry) -> bool {
    match descriptors_of(pid) {
        Ok(descriptors) => descriptors
            .iter()
            .any(|(_, info)| locks_of(info).is_ok_and(|locks| locks.contains(entry))),
        Err(error) => error.kind() == io::ErrorKind::PermissionDenied,
    }
}

/// The table of the kernel.
fn table() -> Result<Vec<Held>, Errno> {
    let mut locks: Vec<Held> = Vec::new();
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
                locks.push(Held { entry, pids, path: None, waiters: Vec::new() });
            }
        }
    }
    Ok(locks)
}

/// The descriptors of all processes that carry locks of the files that `wanted` picks.
fn carriers(wanted: impl Fn(&fs::Metadata) -> bool) -> BTreeMap<Entry, Vec<Carrier>> {
    let mut carriers: BTreeMap<Entry, Vec<Carrier>> = BTreeMap::new();
    // What we inherited is not what anybody asks about.
    for pid in process::all().filter(|&pid| pid != std::process::id() as i32) {
        // It may be gone, or not be ours to look into.
        for (path, info) in descriptors_of(pid).unwrap_or_default() {
            if !fs::metadata(&path).is_ok_and(|metadata| wanted(&metadata)) {
                continue;
            }
            for entry in locks_of(&info).unwrap_or_default() {
                let carrier = Carrier { pid, path: fs::read_link(&path).ok() };
                carriers.entry(entry).or_default().push(carrier);
            }
        }
    }
    carriers
}

/// The descriptors of a process: where each leads, and what is known of it.
fn descriptors_of(pid: i32) -> io::Result<Vec<(PathBuf, PathBuf)>> {
    let process = Path::new("/proc").join(pid.to_string());
    let paths =
        |entry: fs::DirEntry| (entry.path(), process.join("fdinfo").join(entry.file_name()));
    Ok(fs::read_dir(process.join("fd"))?.flatten().map(paths).collect())
}

fn locks_of(info: &Path) -> io::Result<Vec<Entry>> {
    let text = fs::read_to_string(info)?;
    let lines = text.lines().filter_map(|line| line.strip_prefix("lock:"));
    Ok(lines.filter_map(|line| Entry::parse(line.split_once(": ")?.1)).collect())
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
    fn what_is_no_line_is_left_out() {
        for line in ["", "POSIX", "POSIX ADVISORY READ 1 <none>:0 0 EOF", "POSIX *NOINODE*"] {
            assert_eq!(Entry::parse(line), None, "{line}");
        }
    }
}
