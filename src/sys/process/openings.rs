//! By which descriptors a file is open, and for what: `/proc/PID/fdinfo`.

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
    /// Whether it reads.
    pub reads: bool,
    /// Whether it writes.
    pub writes: bool,
}

/// The descriptors of a file, as far as we may see them.
#[derive(Clone, Debug, Default)]
pub struct Openings {
    /// The ones that we saw, our own not among them, by process ID.
    pub seen: Vec<Opening>,
    /// How many processes did not let us look.
    pub hidden: usize,
}

impl Openings {
    /// Looks through the descriptors of every process for this file.
    pub fn of(status: &FileStat) -> Self {
        let mut openings = Self::default();
        openings.hidden = look_into_others(|pid| {
            let seen = descriptors(pid, status)?.filter_map(|number| Opening::look(pid, number));
            openings.seen.extend(seen);
            Ok(())
        });
        openings
    }

    /// Those who read, each once.
    pub fn readers(&self) -> Vec<Holder> {
        self.holders(|opening| opening.reads)
    }

    /// Those who write, each once.
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
    /// What `/proc/PID/fdinfo/N` tells; nothing if it was closed meanwhile.
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
        // A descriptor may be closed while we look.
        let found = fs::metadata(entry.path()).ok()?;
        let is_it = found.ino() == inode && found.dev() == device;
        is_it.then(|| entry.file_name().to_str()?.parse().ok())?
    }))
}
