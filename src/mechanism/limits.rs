//! The limits of the kernel for objects of interprocess communication, and how much of each is in
//! use: proc_sys_kernel(5), proc_sys_fs(5), statvfs(3), getrlimit(2).

use std::fs;

use crate::base::errno::Errno;
use crate::base::name::ObjectName;
use crate::sys::memory::page_size;
use crate::sys::mqueue::{Access, Shape};
use crate::sys::process::limits as of_process;
use crate::sys::{accounts, dev_shm, mqueue, statvfs, sysctl, system_v, system_v_semaphore};

/// A limit.
#[derive(Clone, Debug)]
pub struct Limit {
    /// The objects that it is for: the name of a noun, or `file`, `process`.
    pub kind: &'static str,
    /// What it limits.
    pub name: &'static str,
    /// The maximum; `None` if there is none.
    pub maximum: Option<u64>,
    /// The part in use; `None` if the kernel does not count it.
    pub used: Option<u64>,
    pub unit: Unit,
    /// What raises it: a sysctl, a resource limit, or an option of mount(8); `None` if it is a constant of the
    /// kernel.
    pub setting: Option<&'static str>,
}

/// What a limit counts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Unit {
    Objects,
    Bytes,
}

impl Limit {
    /// The part in use, from 0 to 1; `None` if one of both numbers is not known.
    pub fn share(&self) -> Option<f64> {
        let (used, maximum) = self.used.zip(self.maximum)?;
        Some(if maximum == 0 { 1.0 } else { used as f64 / maximum as f64 })
    }
}

/// A maximum that is no limit: so many bytes or objects are not addressable.
const BOUNDLESS: u64 = 1 << 62;

/// All limits, as far as this machine has them.
pub fn all() -> Vec<Limit> {
    let all = [
        system_v_semaphores(),
        system_v_memory(),
        system_v_queues(),
        queues(),
        memory(),
        pipes(),
        inotify(),
        files(),
        processes(),
    ]
    .concat();
    let bounded = |limit: Limit| Limit {
        maximum: limit.maximum.filter(|&maximum| maximum < BOUNDLESS),
        ..limit
    };
    all.into_iter().map(bounded).collect()
}

fn objects(kind: &'static str, name: &'static str, setting: &'static str) -> Limit {
    Limit { kind, name, maximum: None, used: None, unit: Unit::Objects, setting: Some(setting) }
}

fn bytes(kind: &'static str, name: &'static str, setting: &'static str) -> Limit {
    Limit { unit: Unit::Bytes, ..objects(kind, name, setting) }
}

impl Limit {
    fn of(self, maximum: u64) -> Self {
        Self { maximum: Some(maximum), ..self }
    }

    /// The maximum that a sysctl has; `None` of them if the kernel does not have it.
    fn of_sysctl(self, path: &str) -> Self {
        Self { maximum: sysctl::find(path), ..self }
    }

    fn used(self, used: impl Into<Option<u64>>) -> Self {
        Self { used: used.into(), ..self }
    }
}

/// The sum of a column of a System V table, and the number of its rows; `None` without the table.
fn system_v_table(name: &str, column: &str) -> Option<(u64, u64)> {
    let rows = system_v::table(name).ok()?;
    let sum = rows.iter().map(|row| u64::try_from(row.number(column)).unwrap_or(0)).sum();
    Some((rows.len() as u64, sum))
}

/// SEMVMX of the kernel.
const SYSTEM_V_VALUE_MAX: u64 = 32767;

fn system_v_semaphores() -> Vec<Limit> {
    let Some((sets, semaphores)) = system_v_table("sem", "nsems") else { return Vec::new() };
    let limits = system_v_semaphore::limits();
    const SETTING: &str = "kernel.sem";
    vec![
        objects("sem", "System V sets", SETTING).of(limits.sets).used(sets),
        objects("sem", "System V semaphores", SETTING).of(limits.semaphores).used(semaphores),
        objects("sem", "semaphores of a set", SETTING).of(limits.per_set),
        objects("sem", "operations of a call", SETTING).of(limits.operations),
        Limit {
            setting: None,
            ..objects("sem", "value of a System V semaphore", SETTING).of(SYSTEM_V_VALUE_MAX)
        },
    ]
}

fn system_v_memory() -> Vec<Limit> {
    let Some((segments, size)) = system_v_table("shm", "size") else { return Vec::new() };
    let page = page_size() as u64;
    let pages = sysctl::find("kernel/shmall");
    vec![
        objects("shm", "System V segments", "kernel.shmmni")
            .of_sysctl("kernel/shmmni")
            .used(segments),
        Limit {
            maximum: pages.map(|pages| pages.saturating_mul(page)),
            ..bytes("shm", "bytes of all segments", "kernel.shmall").used(size)
        },
        bytes("shm", "bytes of a segment", "kernel.shmmax").of_sysctl("kernel/shmmax"),
    ]
}

fn system_v_queues() -> Vec<Limit> {
    let Some((count, _)) = system_v_table("msg", "cbytes") else { return Vec::new() };
    vec![
        objects("mq", "System V queues", "kernel.msgmni").of_sysctl("kernel/msgmni").used(count),
        bytes("mq", "bytes of a System V queue", "kernel.msgmnb").of_sysctl("kernel/msgmnb"),
        bytes("mq", "bytes of a System V message", "kernel.msgmax").of_sysctl("kernel/msgmax"),
    ]
}

fn queues() -> Vec<Limit> {
    if sysctl::find("fs/mqueue/queues_max").is_none() {
        return Vec::new();
    }
    let directory = mqueue::Directory::open();
    let names = directory.as_ref().ok().and_then(|directory| directory.names().ok());
    let used = directory.ok().zip(names.as_ref());
    let used = used.and_then(|(directory, names)| bytes_of_own_queues(&directory, names));
    vec![
        objects("mq", "POSIX queues", "fs.mqueue.queues_max")
            .of_sysctl("fs/mqueue/queues_max")
            .used(names.map(|names| names.len() as u64)),
        objects("mq", "messages of a POSIX queue", "fs.mqueue.msg_max")
            .of_sysctl("fs/mqueue/msg_max"),
        bytes("mq", "bytes of a POSIX message", "fs.mqueue.msgsize_max")
            .of_sysctl("fs/mqueue/msgsize_max"),
        Limit {
            maximum: mqueue::memory_limit(),
            ..bytes("mq", "bytes of a user's POSIX queues", "ulimit -q").used(used)
        },
    ]
}

/// The bytes that the kernel counts for the POSIX queues of this user, according to getrlimit(2), as far as they
/// are in this IPC namespace; `None` if one of them cannot be opened.
fn bytes_of_own_queues(directory: &mqueue::Directory, names: &[ObjectName]) -> Option<u64> {
    let is_own = |name: &&ObjectName| {
        directory.status(name).is_ok_and(|status| status.st_uid == accounts::own_user())
    };
    let bytes = |name: &ObjectName| {
        match mqueue::Queue::open(name, Access::Look).and_then(|queue| queue.shape()) {
            Ok(shape) => Some(bytes_of_queue(shape)),
            // It was removed meanwhile.
            Err(Errno(libc::ENOENT)) => Some(0),
            Err(_) => None,
        }
    };
    names.iter().filter(is_own).map(bytes).sum()
}

/// The bytes that a queue of this shape is counted with: its messages, and what the kernel needs for them.
fn bytes_of_queue(Shape { max_msgs, msg_size }: Shape) -> u64 {
    /// The sizes of struct msg_msg and of struct posix_msg_tree_node, on machines of 64 bits.
    const MESSAGE: u64 = 48;
    const TREE_NODE: u64 = 48;
    let priorities = u64::from(mqueue::PRIORITY_MAX) + 1;
    max_msgs * (MESSAGE + msg_size) + max_msgs.min(priorities) * TREE_NODE
}

/// The file system of POSIX shared memory, semaphores and queues of `ipc queue`.
fn memory() -> Vec<Limit> {
    let Ok(space) = statvfs::of(&dev_shm::path("".as_ref())) else { return Vec::new() };
    const SETTING: &str = "size= of /dev/shm";
    const INODES: &str = "nr_inodes= of /dev/shm";
    let limited = |maximum: u64| (maximum > 0).then_some(maximum);
    vec![
        Limit {
            maximum: limited(space.bytes),
            ..bytes("shm", "bytes of /dev/shm", SETTING).used(space.used_bytes)
        },
        Limit {
            maximum: limited(space.files),
            ..objects("shm", "files in /dev/shm", INODES).used(space.used_files)
        },
    ]
}

fn pipes() -> Vec<Limit> {
    let page = page_size() as u64;
    let pages = |path: &str| match sysctl::find(path) {
        // Zero is no limit.
        Some(0) | None => None,
        Some(pages) => Some(pages.saturating_mul(page)),
    };
    vec![
        bytes("pipe", "capacity of a pipe", "fs.pipe-max-size").of_sysctl("fs/pipe-max-size"),
        Limit {
            maximum: pages("fs/pipe-user-pages-soft"),
            ..bytes("pipe", "bytes of a user's pipes, soft", "fs.pipe-user-pages-soft")
        },
        Limit {
            maximum: pages("fs/pipe-user-pages-hard"),
            ..bytes("pipe", "bytes of a user's pipes, hard", "fs.pipe-user-pages-hard")
        },
    ]
}

fn inotify() -> Vec<Limit> {
    let (instances, watches) = of_process::inotify_of_user().unzip();
    vec![
        objects("inotify", "instances of a user", "fs.inotify.max_user_instances")
            .of_sysctl("fs/inotify/max_user_instances")
            .used(instances),
        objects("inotify", "watches of a user", "fs.inotify.max_user_watches")
            .of_sysctl("fs/inotify/max_user_watches")
            .used(watches),
        objects("inotify", "events of an instance", "fs.inotify.max_queued_events")
            .of_sysctl("fs/inotify/max_queued_events"),
    ]
}

fn files() -> Vec<Limit> {
    let open = fs::read_to_string("/proc/sys/fs/file-nr").ok();
    let open = open.and_then(|text| text.split_whitespace().next()?.parse().ok());
    vec![
        objects("file", "open files of the machine", "fs.file-max")
            .of_sysctl("fs/file-max")
            .used(open),
        Limit {
            maximum: of_process::open_files(),
            ..objects("file", "descriptors of a process", "ulimit -n")
        },
        objects("file", "maximum of ulimit -n", "fs.nr_open").of_sysctl("fs/nr_open"),
        objects("sock", "backlog of a socket", "net.core.somaxconn")
            .of_sysctl("net/core/somaxconn"),
        objects("sock", "datagrams of a Unix socket", "net.unix.max_dgram_qlen")
            .of_sysctl("net/unix/max_dgram_qlen"),
    ]
}

fn processes() -> Vec<Limit> {
    let (queued, maximum) = of_process::pending_signals().unzip();
    vec![
        Limit {
            maximum,
            ..objects("signal", "queued signals of a user", "ulimit -i").used(queued)
        },
        objects("process", "processes and threads", "kernel.pid_max")
            .of_sysctl("kernel/pid_max")
            .used(of_process::threads()),
    ]
}
