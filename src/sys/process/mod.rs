//! Other processes, as `/proc` shows them: proc(5).

mod blocked;
mod descriptors;
mod group;
mod holders;
pub mod limits;
mod mappings;
mod namespace;
mod openings;
pub mod visit;

use std::collections::BTreeMap;
use std::ffi::CStr;
use std::fs;
use std::io::{self, Write};
use std::mem;
use std::num::NonZeroUsize;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use nix::fcntl::{AT_FDCWD, OFlag, openat};
use nix::sys::stat::Mode;
use nix::unistd::read;

pub use self::blocked::waits_for_open_file_lock;
pub use self::descriptors::{Descriptor, descriptors, targets};
pub use self::group::{
    OwnGroup, group_of, kill_all, kill_group, leave_session, own_group, set_name,
};
pub use self::holders::{
    Holder, Holders, HoldersOfMany, Object, SocketHolders, directories, directories_of,
    is_in_own_ipc_namespace,
};
pub use self::namespace::{
    boot_id, host_name, is_first_namespace, machine, pid_namespace, proc_shows_own_namespace,
};
pub use self::openings::Openings;

use super::names::Names;
use super::parts::{self, Sharing};
use crate::base::errno::Errno;

/// All processes, by ID.
pub fn all() -> impl Iterator<Item = i32> {
    numbers_in("/proc").into_iter()
}

/// Checks whether processes can be seen at all.
///
/// # Errors
/// ENOENT without a /proc.
pub fn can_be_seen() -> Result<(), Errno> {
    Ok(fs::symlink_metadata("/proc/self").map(drop)?)
}

/// The name of a process; empty if the process has ended.
pub fn command(pid: i32) -> Vec<u8> {
    // The name has 15 bytes, that of a kernel thread up to 63.
    let mut buffer = [0; 64];
    let command = beginning(pid, "comm", &mut buffer);
    command.strip_suffix(b"\n").unwrap_or(command).to_vec()
}

/// The names of many processes.
pub fn commands(pids: &[i32]) -> Vec<Vec<u8>> {
    /// It takes three system calls for a process.
    const SHARING: Sharing = Sharing {
        part: NonZeroUsize::new(64).unwrap(),
        for_a_thread: NonZeroUsize::new(250).unwrap(),
    };
    let of = || |pids: &[i32]| pids.iter().map(|&pid| command(pid)).collect::<Vec<_>>();
    parts::shared(pids, SHARING, of).into_iter().flatten().collect()
}

/// The beginning of a file of `/proc/PID`, by three system calls and without an allocation: some commands read
/// one for each process. Empty if the process has ended.
fn beginning<'a>(pid: i32, file: &str, buffer: &'a mut [u8]) -> &'a [u8] {
    let mut path = [0; 64];
    let mut rest = &mut path[..];
    let is_written = write!(rest, "/proc/{pid}/{file}\0").is_ok();
    let Some(path) = CStr::from_bytes_until_nul(&path).ok().filter(|_| is_written) else {
        return &[];
    };
    // open(2) of musl takes one more system call.
    let flags = OFlag::O_RDONLY | OFlag::O_CLOEXEC;
    let open = openat(AT_FDCWD, path, flags, Mode::empty());
    let count = open.and_then(|file| read(&file, buffer)).unwrap_or(0);
    &buffer[..count]
}

/// The whole name of a process. The kernel keeps 15 bytes of it. The rest of a longer name is read
/// from the command line, which may begin with the interpreter of a script, or from the name of the
/// executable.
pub fn full_name(pid: i32) -> Vec<u8> {
    /// The maximum number of words before the name of a script: the interpreter and one option.
    const BEFORE: usize = 2;
    /// The maximum length of a name in the kernel.
    const KEPT: usize = 15;
    let short = command(pid);
    if short.len() < KEPT {
        return short;
    }
    let line = command_line(pid);
    let file = fs::read_link(format!("/proc/{pid}/exe")).unwrap_or_default();
    let words = line.split(|&b| b == 0).take(BEFORE + 1).chain([file.as_os_str().as_bytes()]);
    let mut names = words.filter_map(|word| word.rsplit(|&b| b == b'/').next());
    names.find(|name| name.starts_with(&short)).map_or(short.clone(), <[u8]>::to_vec)
}

/// The fields of `/proc/PID/status`, by key.
///
/// # Errors
/// ESRCH if there is no such process.
pub fn status(pid: i32) -> Result<BTreeMap<String, String>, Errno> {
    status_at(&format!("/proc/{pid}/status"))
}

/// The same of each of its threads, by ID.
pub fn threads(pid: i32) -> Vec<(i32, BTreeMap<String, String>)> {
    let task = format!("/proc/{pid}/task");
    // A thread that has ended meanwhile is left out.
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

/// The process ID of the parent; 0 if it is in another PID namespace.
pub fn parent() -> i32 {
    nix::unistd::getppid().as_raw()
}

/// The parent of a process; `None` if the process has ended.
pub fn parent_of(pid: i32) -> Option<i32> {
    status(pid).ok()?.get("PPid")?.parse().ok()
}

/// The name of a process and the process ID of its parent, in one read; `None` if the process has ended.
pub fn name_and_parent(pid: i32) -> Option<(Vec<u8>, i32)> {
    name_and_parent_in(&fs::read(format!("/proc/{pid}/stat")).ok()?)
}

/// Fields 2 and 4 of `/proc/PID/stat`.
fn name_and_parent_in(text: &[u8]) -> Option<(Vec<u8>, i32)> {
    let start = text.iter().position(|&byte| byte == b'(')? + 1;
    let end = text.iter().rposition(|&byte| byte == b')')?;
    let mut fields = text.get(end + 1..)?.split(u8::is_ascii_whitespace).filter(|f| !f.is_empty());
    let parent = self::text(fields.nth(1)?)?.parse().ok()?;
    Some((text.get(start..end)?.to_vec(), parent))
}

/// The real or effective user of a process, whichever `/proc` shows; `None` if the process has ended.
pub fn user_of(pid: i32) -> Option<u32> {
    Some(fs::metadata(format!("/proc/{pid}")).ok()?.uid())
}

/// The working directory of a process; `None` if it is not visible.
pub fn directory_of(pid: i32) -> Option<PathBuf> {
    fs::read_link(format!("/proc/{pid}/cwd")).ok()
}

/// The words at the beginning of the command line of a process, each with a NUL behind it, as far as they fit
/// the buffer. The kernel copies them from the memory of the process, and no more than that.
pub fn command_line_in(pid: i32, buffer: &mut [u8]) -> &[u8] {
    beginning(pid, "cmdline", buffer)
}

/// The words of the command line of a process, each with a NUL behind it; empty if they are not visible.
pub fn command_line(pid: i32) -> Vec<u8> {
    fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default()
}

/// The ancestors of a process, its parent first, as far as they are in this PID namespace.
pub fn ancestors(pid: i32) -> Vec<i32> {
    let mut found = Vec::new();
    let mut next = parent_of(pid);
    // A parent may end, and its number be reused, while this function runs.
    while let Some(parent) = next.filter(|parent| *parent > 0 && !found.contains(parent)) {
        found.push(parent);
        next = parent_of(parent);
    }
    found
}

/// The PID namespace of a process, as `pid:[N]`, if it is another one than that of this process.
pub fn other_namespace_of(pid: i32) -> Option<String> {
    let namespace = |of: &str| fs::read_link(format!("/proc/{of}/ns/pid")).ok();
    let other = namespace(&pid.to_string())?;
    (namespace("self")? != other).then(|| other.to_string_lossy().into_owned())
}

/// The start time of a process, in ticks since boot. Together, the process ID and the start time
/// identify a process of one boot.
///
/// # Errors
/// ESRCH if there is no such process, or a zombie.
pub fn start_time(pid: i32) -> Result<u64, Errno> {
    let ended = Errno(libc::ESRCH);
    let text = fs::read(format!("/proc/{pid}/stat")).map_err(|error| match error.into() {
        Errno(libc::ENOENT) => ended,
        errno => errno,
    })?;
    let (state, start) = state_and_start(&text).ok_or(Errno(libc::EIO))?;
    if matches!(state, b'Z' | b'X') { Err(ended) } else { Ok(start) }
}

/// Whether this process may not see the descriptors of another.
pub fn is_hidden(pid: i32) -> bool {
    let denied = |error: io::Error| error.kind() == io::ErrorKind::PermissionDenied;
    fs::read_dir(format!("/proc/{pid}/fd")).is_err_and(denied)
}

/// Whether a process is stopped, by a signal or by a tracer.
pub fn is_stopped(pid: i32) -> bool {
    let text = fs::read(format!("/proc/{pid}/stat")).unwrap_or_default();
    state_and_start(&text).is_some_and(|(state, _)| matches!(state, b'T' | b't'))
}

/// The time of day at which a process was started, in seconds since 1970.
///
/// # Errors
/// Those of [`start_time`].
pub fn started_at(pid: i32) -> Result<i64, Errno> {
    /// The number of ticks per second in `/proc`, which does not depend on the tick of the kernel.
    const TICKS: u64 = 100;
    let text = fs::read_to_string("/proc/stat")?;
    let boot = text.lines().find_map(|line| line.strip_prefix("btime ")?.parse::<i64>().ok());
    Ok(boot.ok_or(Errno(libc::EIO))? + (start_time(pid)? / TICKS) as i64)
}

/// Fields 3 and 22 of `/proc/PID/stat`. Field 2 is the name, which may contain any bytes, so that it
/// ends at the last parenthesis.
fn state_and_start(text: &[u8]) -> Option<(u8, u64)> {
    let end = text.iter().rposition(|&b| b == b')')?;
    let mut fields = text[end + 1..].split(|b| b.is_ascii_whitespace()).filter(|f| !f.is_empty());
    let state = *fields.next()?.first()?;
    let start = std::str::from_utf8(fields.nth(18)?).ok()?.parse().ok()?;
    Some((state, start))
}

/// Looks into every process but this one; returns how many could not be seen. A process that has
/// ended meanwhile is not counted.
fn look_into_others(mut look: impl FnMut(i32) -> io::Result<()>) -> usize {
    let (others, hidden) = others();
    let is_unseen = |&pid: &i32| look(pid).is_err_and(|error| !is_of_the_end(&error));
    hidden + others.into_iter().filter(is_unseen).count()
}

/// Every process but this one, and the number of those that `/proc` does not list. If it does not list the
/// processes of other users (its option hidepid), process 1 stands for them in the number.
fn others() -> (Vec<i32>, usize) {
    const FIRST: i32 = 1;
    let own = std::process::id() as i32;
    let mut others: Vec<i32> = all().collect();
    let hidden = usize::from(own != FIRST && others.first() != Some(&FIRST));
    others.retain(|&pid| pid != own);
    (others, hidden)
}

/// Whether it is the error of a look into a process that has ended.
fn is_of_the_end(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound || error.raw_os_error() == Some(libc::ESRCH)
}

/// Bytes as text.
fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}

/// The entries of a directory that are numbers, in order.
fn numbers_in(directory: &str) -> Vec<i32> {
    let mut numbers = Vec::new();
    let read = read_numbers(directory, &mut vec![0; 4096], &mut numbers);
    numbers.sort_unstable();
    read.map(|_directory| numbers).unwrap_or_default()
}

/// Reads the entries of a directory that are numbers; returns the directory.
fn read_numbers(path: &str, buffer: &mut Vec<u8>, numbers: &mut Vec<i32>) -> io::Result<OwnedFd> {
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    let directory = openat(AT_FDCWD, path, flags, Mode::empty())?;
    let mut names = Names::with_buffer(directory, mem::take(buffer));
    numbers.clear();
    while let Some(name) = names.read().map_err(|errno| io::Error::from_raw_os_error(errno.0))? {
        numbers.extend(text(name.bytes).and_then(|digits| digits.parse::<i32>().ok()));
    }
    let directory;
    (*buffer, directory) = names.into_parts();
    Ok(directory)
}
