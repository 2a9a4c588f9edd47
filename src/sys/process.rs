//! Other processes, as `/proc` shows them: proc(5).

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use nix::sched::CpuSet;
use nix::sys::stat::FileStat;

use crate::errno::Errno;
use crate::signals::Signal;

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
    /// Looks through the descriptors and mappings of every process for this file.
    pub fn of(status: &FileStat) -> Self {
        let mut holders = Self::default();
        for pid in all().filter(|&pid| pid != std::process::id() as i32) {
            match holds(pid, status) {
                Ok(true) => holders.seen.push(Holder { pid, command: command(pid) }),
                Ok(false) => {}
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(_) => holders.hidden += 1,
            }
        }
        holders
    }
}

/// Sends a signal to a child of ours that is not reaped yet, so that its number is its own.
pub fn kill(pid: u32, signal: Signal) -> Result<(), Errno> {
    // SAFETY: the call takes numbers only.
    match unsafe { libc::kill(pid as i32, signal.number()) } {
        0 => Ok(()),
        _ => Err(Errno::last()),
    }
}

/// How many CPUs this thread may run on.
pub fn allowed_cpus() -> usize {
    let set = nix::sched::sched_getaffinity(nix::unistd::Pid::from_raw(0));
    set.map_or(1, |set| (0..CpuSet::count()).filter(|&cpu| set.is_set(cpu) == Ok(true)).count())
}

/// All processes, by ID.
pub fn all() -> impl Iterator<Item = i32> {
    let mut pids: Vec<i32> = fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .collect();
    pids.sort_unstable();
    pids.into_iter()
}

/// The name of a process; empty if it is gone.
pub fn command(pid: i32) -> Vec<u8> {
    let mut command = fs::read(format!("/proc/{pid}/comm")).unwrap_or_default();
    command.pop_if(|last| *last == b'\n');
    command
}

fn holds(pid: i32, status: &FileStat) -> std::io::Result<bool> {
    for entry in fs::read_dir(format!("/proc/{pid}/fd"))? {
        // A descriptor may be closed while we look.
        let Ok(found) = fs::metadata(entry?.path()) else { continue };
        if found.ino() == status.st_ino && found.dev() == status.st_dev {
            return Ok(true);
        }
    }
    maps(pid, status)
}

/// Whether a line of `/proc/PID/maps` has the device and the inode: `START-END PERMISSIONS OFFSET
/// MAJOR:MINOR INODE PATH`.
fn maps(pid: i32, status: &FileStat) -> std::io::Result<bool> {
    let text = fs::read(Path::new(&format!("/proc/{pid}/maps")))?;
    let device = format!("{:02x}:{:02x}", libc::major(status.st_dev), libc::minor(status.st_dev));
    let inode = status.st_ino.to_string();
    Ok(text.split(|&b| b == b'\n').any(|line| {
        let mut fields = line.split(|&b| b == b' ').skip(3);
        fields.next() == Some(device.as_bytes()) && fields.next() == Some(inode.as_bytes())
    }))
}
