//! Other processes, as `/proc` shows them: proc(5).

mod group;
mod holders;
mod openings;
mod place;

use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt;
use std::{fs, io};

pub use self::group::{OwnGroup, kill_all, kill_group, own_group};
pub use self::holders::{Holder, Holders, HoldersOfMany, Object, SocketHolders, directories};
pub use self::openings::Openings;
pub use self::place::{
    boot_id, has_our_numbers, is_first_namespace, machine, pid_namespace, unseen,
};

use crate::base::errno::Errno;

/// All processes, by ID.
pub fn all() -> impl Iterator<Item = i32> {
    numbers_in("/proc").into_iter()
}

/// Looks whether processes can be seen at all.
///
/// # Errors
/// ENOENT without a /proc.
pub fn can_be_seen() -> Result<(), Errno> {
    Ok(fs::symlink_metadata("/proc/self").map(drop)?)
}

/// The name of a process; empty if it is gone.
pub fn command(pid: i32) -> Vec<u8> {
    let mut command = fs::read(format!("/proc/{pid}/comm")).unwrap_or_default();
    command.pop_if(|last| *last == b'\n');
    command
}

/// The whole name of a process. The kernel keeps 15 bytes of it; where they are used up, the rest is
/// found in its command line, which may begin with the interpreter of a script, or in the name of
/// the file that it executes.
pub fn full_name(pid: i32) -> Vec<u8> {
    /// How many words of the command line may come before that of a script: its interpreter and one
    /// option.
    const BEFORE: usize = 2;
    /// What the kernel keeps of a name.
    const KEPT: usize = 15;
    let short = command(pid);
    if short.len() < KEPT {
        return short;
    }
    let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let file = fs::read_link(format!("/proc/{pid}/exe")).unwrap_or_default();
    let words = line.split(|&b| b == 0).take(BEFORE + 1).chain([file.as_os_str().as_bytes()]);
    let mut names = words.filter_map(|word| word.rsplit(|&b| b == b'/').next());
    names.find(|name| name.starts_with(&short)).map_or(short.clone(), <[u8]>::to_vec)
}

/// What `/proc/PID/status` tells of a process, by key.
///
/// # Errors
/// ESRCH if there is no such process.
pub fn status(pid: i32) -> Result<BTreeMap<String, String>, Errno> {
    status_at(&format!("/proc/{pid}/status"))
}

/// The same of each of its threads, by ID.
pub fn threads(pid: i32) -> Vec<(i32, BTreeMap<String, String>)> {
    let task = format!("/proc/{pid}/task");
    // One that has ended since has nothing to tell.
    let status = |tid| Some((tid, status_at(&format!("{task}/{tid}/status")).ok()?));
    numbers_in(&task).into_iter().filter_map(status).collect()
}

fn status_at(path: &str) -> Result<BTreeMap<String, String>, Errno> {
    let text = fs::read(path).map_err(|error| match error.into() {
        Errno(libc::ENOENT) => Errno(libc::ESRCH),
        errno => errno,
    })?;
    let text = String::from_utf8_lossy(&text);
    let pairs = text.lines().filter_map(|line| line.split_once(':'));
    Ok(pairs.map(|(key, value)| (key.to_owned(), value.trim().to_owned())).collect())
}

/// The process that started us.
pub fn parent() -> i32 {
    nix::unistd::getppid().as_raw()
}

/// The process that started another, or took it over; `None` if that is gone.
pub fn parent_of(pid: i32) -> Option<i32> {
    status(pid).ok()?.get("PPid")?.parse().ok()
}

/// The moment a process was started at, in ticks since boot: with the number, and on the same
/// boot, it is one process and never another.
///
/// # Errors
/// ESRCH if there is no such process, or only what is left of it until its parent asks.
pub fn start_time(pid: i32) -> Result<u64, Errno> {
    let gone = Errno(libc::ESRCH);
    let text = fs::read(format!("/proc/{pid}/stat")).map_err(|error| match error.into() {
        Errno(libc::ENOENT) => gone,
        errno => errno,
    })?;
    let (state, start) = state_and_start(&text).ok_or(Errno(libc::EIO))?;
    if matches!(state, b'Z' | b'X') { Err(gone) } else { Ok(start) }
}

/// Whether a process does not let us look at its descriptors.
pub fn is_closed_to_us(pid: i32) -> bool {
    let denied = |error: io::Error| error.kind() == io::ErrorKind::PermissionDenied;
    fs::read_dir(format!("/proc/{pid}/fd")).is_err_and(denied)
}

/// Whether a process is stopped, by a signal or by one who traces it.
pub fn is_stopped(pid: i32) -> bool {
    let text = fs::read(format!("/proc/{pid}/stat")).unwrap_or_default();
    state_and_start(&text).is_some_and(|(state, _)| matches!(state, b'T' | b't'))
}

/// The time of day a process was started at, in seconds since 1970.
///
/// # Errors
/// Those of [`start_time`].
pub fn started_at(pid: i32) -> Result<i64, Errno> {
    /// How many ticks a second has in `/proc`, whatever the kernel counts in.
    const TICKS: u64 = 100;
    let text = fs::read_to_string("/proc/stat")?;
    let boot = text.lines().find_map(|line| line.strip_prefix("btime ")?.parse::<i64>().ok());
    Ok(boot.ok_or(Errno(libc::EIO))? + (start_time(pid)? / TICKS) as i64)
}

/// Fields 3 and 22 of `/proc/PID/stat`. The second is the command, which may hold anything, and so
/// is followed by the last parenthesis there is.
fn state_and_start(text: &[u8]) -> Option<(u8, u64)> {
    let end = text.iter().rposition(|&b| b == b')')?;
    let mut fields = text[end + 1..].split(|b| b.is_ascii_whitespace()).filter(|f| !f.is_empty());
    let state = *fields.next()?.first()?;
    let start = std::str::from_utf8(fields.nth(18)?).ok()?.parse().ok()?;
    Some((state, start))
}

/// Looks into every process but ourselves; returns how many did not let us. One that has ended
/// meanwhile has nothing to hide. Where `/proc` does not show those of others (its option hidepid),
/// the first process of all is the one that we know of.
fn look_into_others(mut look: impl FnMut(i32) -> io::Result<()>) -> usize {
    const FIRST: i32 = 1;
    let ours = std::process::id() as i32;
    let has_ended = |error: &io::Error| {
        error.kind() == io::ErrorKind::NotFound || error.raw_os_error() == Some(libc::ESRCH)
    };
    let mut hidden = usize::from(ours != FIRST && all().next() != Some(FIRST));
    for pid in all().filter(|&pid| pid != ours) {
        match look(pid) {
            Err(error) if !has_ended(&error) => hidden += 1,
            _ => {}
        }
    }
    hidden
}

/// The entries of a directory that are numbers, in order.
fn numbers_in(directory: &str) -> Vec<i32> {
    let mut numbers: Vec<i32> = fs::read_dir(directory)
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .collect();
    numbers.sort_unstable();
    numbers
}
