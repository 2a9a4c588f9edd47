//! The descriptors by which processes have a file open: `/proc/PID/fdinfo`.

use std::os::unix::fs::MetadataExt;
use std::{fs, io};

use nix::sys::stat::FileStat;

use super::{Holder, command, look_into_others};

/// A descriptor by which a process has a file open.
#[derive(Clone, Debug)]
pub struct Opening {
    /// The process.
    pub holder: Holder,
    /// The number of the descriptor in that process.
    pub descriptor: i32,
    /// Whether it is open for reading.
    pub reads: bool,
    /// Whether it is open for writing.
    pub writes: bool,
}

/// The descriptors of a file, as far as this process may see them.
#[derive(Clone, Debug, Default)]
pub struct Openings {
    /// The descriptors of other processes, by process ID.
    pub seen: Vec<Opening>,
    /// The number of processes that could not be seen.
    pub hidden: usize,
}

impl Openings {
    /// Searches the descriptors of every process.
    pub fn of(status: &FileStat) -> Self {
        let mut openings = Self::default();
        openings.hidden = look_into_others(|pid| {
            let seen = descriptors(pid, status)?.filter_map(|number| Opening::look(pid, number));
            openings.seen.extend(seen);
            Ok(())
        });
        openings
    }

    /// The processes that have it open for reading.
    pub fn readers(&self) -> Vec<Holder> {
        self.holders(|opening| opening.reads)
    }

    /// The processes that have it open for writing.
    pub fn writers(&self) -> Vec<Holder> {
        self.holders(|opening| opening.writes)
    }

    fn holders(&self, has: impl Fn(&Opening) -> bool) -> Vec<Holder> {
        let mut holders: Vec<Holder> = self
            .seen
            .iter()
            .filter(|opening| has(opening))
            .map(|opening| opening.holder.clone())
            .collect();
        holders.dedup();
        holders
    }
}

impl Opening {
    /// The contents of `/proc/PID/fdinfo/N`; `None` if it was closed meanwhile.
    fn look(pid: i32, descriptor: i32) -> Option<Self> {
        let text = fs::read_to_string(format!("/proc/{pid}/fdinfo/{descriptor}")).ok()?;
        let flags = text.lines().find_map(|line| line.strip_prefix("flags:"))?;
        let flags = i32::from_str_radix(flags.trim(), 8).ok()?;
        let access = flags & libc::O_ACCMODE;
        let is_open = flags & libc::O_PATH == 0;
        Some(Self {
            holder: Holder { pid, command: command(pid) },
            descriptor,
            reads: is_open && access != libc::O_WRONLY,
            writes: is_open && access != libc::O_RDONLY,
        })
    }
}

/// The descriptors by which a process has a file open.
fn descriptors(pid: i32, status: &FileStat) -> io::Result<impl Iterator<Item = i32>> {
    let (inode, device) = (status.st_ino, status.st_dev);
    Ok(fs::read_dir(format!("/proc/{pid}/fd"))?.filter_map(move |entry| {
        let entry = entry.ok()?;
        // A descriptor may be closed meanwhile.
        let found = fs::metadata(entry.path()).ok()?;
        let is_it = found.ino() == inode && found.dev() == device;
        is_it.then(|| entry.file_name().to_str()?.parse().ok())?
    }))
}
