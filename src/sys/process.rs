//! Other processes, as `/proc` shows them: proc(5).

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;

use nix::sched::CpuSet;
use nix::sys::stat::FileStat;

use super::pidfd::Process;
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

fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
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
        for pid in others() {
            match held(pid, |object| holders.seen.contains_key(object)) {
                Ok(held) => holders.enter(pid, held),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(_) => holders.hidden += 1,
            }
        }
        holders
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
fn held(pid: i32, is_wanted: impl Fn(&Object) -> bool) -> std::io::Result<BTreeSet<Object>> {
    let open = fs::read_dir(format!("/proc/{pid}/fd"))?.filter_map(|entry| {
        // A descriptor may be closed while we look.
        let found = fs::metadata(entry.ok()?.path()).ok()?;
        Some(Object::File { device: found.dev(), inode: found.ino() })
    });
    let maps = fs::read(format!("/proc/{pid}/maps"))?;
    let mapped = maps.split(|&b| b == b'\n').filter_map(Object::of_mapping);
    Ok(open.chain(mapped).filter(is_wanted).collect())
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
        for pid in others() {
            match socket_inodes(pid) {
                Ok(inodes) => holders.enter(pid, inodes),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(_) => holders.hidden += 1,
            }
        }
        holders
    }

    /// Those who have this one, by process ID.
    pub fn of(&self, inode: u64) -> &[Holder] {
        self.by_inode.get(&inode).map_or(&[], Vec::as_slice)
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
fn socket_inodes(pid: i32) -> std::io::Result<impl Iterator<Item = u64>> {
    Ok(fs::read_dir(format!("/proc/{pid}/fd"))?.filter_map(|entry| {
        // A descriptor may be closed while we look.
        let link = fs::read_link(entry.ok()?.path()).ok()?;
        link.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
    }))
}

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
        for pid in others() {
            match descriptors(pid, status) {
                Ok(descriptors) => openings
                    .seen
                    .extend(descriptors.filter_map(|descriptor| Opening::look(pid, descriptor))),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(_) => openings.hidden += 1,
            }
        }
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

/// How many CPUs this thread may run on.
pub fn allowed_cpus() -> usize {
    let set = nix::sched::sched_getaffinity(nix::unistd::Pid::from_raw(0));
    set.map_or(1, |set| (0..CpuSet::count()).filter(|&cpu| set.is_set(cpu) == Ok(true)).count())
}

/// Sends a signal to all processes of a group; 0 is ours.
///
/// # Errors
/// EINVAL for group 1, of which the call would make all processes that there are.
pub fn kill_group(group: i32, signal: Option<Signal>) -> Result<(), Errno> {
    if group == 1 { Err(Errno(libc::EINVAL)) } else { kill_many(-group, signal) }
}

/// Sends a signal to all processes that we may signal, but for the first one and ourselves.
pub fn kill_all(signal: Option<Signal>) -> Result<(), Errno> {
    kill_many(-1, signal)
}

fn kill_many(which: i32, signal: Option<Signal>) -> Result<(), Errno> {
    // SAFETY: the call takes numbers only.
    let result = unsafe { libc::kill(which, signal.map_or(0, Signal::number)) };
    if result == 0 { Ok(()) } else { Err(Errno::last()) }
}

/// The number of our process group.
pub fn own_group() -> i32 {
    nix::unistd::getpgrp().as_raw()
}

/// Puts us at the head of a process group of our own, if we are not there yet.
pub fn lead_group() {
    // Refused only to the leader of a session, which leads its group already.
    let _ = nix::unistd::setpgid(nix::unistd::Pid::from_raw(0), nix::unistd::Pid::from_raw(0));
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

/// Copies a descriptor of another process, which shares its position and flags: pidfd_getfd(2).
///
/// # Errors
/// EPERM if we may not trace the process; EBADF if it has no such descriptor.
pub fn copy_descriptor(process: &Process, number: i32) -> Result<OwnedFd, Errno> {
    let pidfd = process.as_fd().as_raw_fd();
    // SAFETY: the call takes numbers only.
    let result = unsafe { libc::syscall(libc::SYS_pidfd_getfd, pidfd, number, 0) };
    if result < 0 {
        return Err(Errno::last());
    }
    // SAFETY: the kernel just gave us this descriptor.
    Ok(unsafe { OwnedFd::from_raw_fd(result as i32) })
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

/// Which boot of the machine this is.
pub fn boot_id() -> Result<String, Errno> {
    Ok(fs::read_to_string("/proc/sys/kernel/random/boot_id")?.trim_end().to_owned())
}

/// Which machine this is, as far as it has been told: machine-id(5), or its name.
pub fn machine() -> String {
    let id = fs::read_to_string("/etc/machine-id").unwrap_or_default();
    match id.trim_end() {
        "" => fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default().trim_end().into(),
        id => id.to_owned(),
    }
}

/// Which PID namespace our numbers of processes belong to.
pub fn pid_namespace() -> Result<u64, Errno> {
    Ok(fs::metadata("/proc/self/ns/pid")?.ino())
}

/// All processes, by ID.
pub fn all() -> impl Iterator<Item = i32> {
    numbers_in("/proc").into_iter()
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

/// All processes but ourselves, by ID.
fn others() -> impl Iterator<Item = i32> {
    all().filter(|&pid| pid != std::process::id() as i32)
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

/// The descriptors by which a process has a file open.
fn descriptors(pid: i32, status: &FileStat) -> std::io::Result<impl Iterator<Item = i32>> {
    let (inode, device) = (status.st_ino, status.st_dev);
    Ok(fs::read_dir(format!("/proc/{pid}/fd"))?.filter_map(move |entry| {
        let entry = entry.ok()?;
        // A descriptor may be closed while we look.
        let found = fs::metadata(entry.path()).ok()?;
        let is_it = found.ino() == inode && found.dev() == device;
        is_it.then(|| entry.file_name().to_str()?.parse().ok())?
    }))
}
