//! `ipc.7`: the text of `ipc guide`, and what holds for all mechanisms.

use super::page::Page;
use super::reference;
use crate::cmd::guide;
use crate::program::catalog::NOUNS;

/// The page on the mechanisms.
pub fn page() -> Page {
    let text = guide::Text::whole();
    let about = "interprocess communication: choose among shared memory, semaphores, mutexes, message \
                 queues, sockets, pipes, locks and signals";
    let mut page = Page::new("ipc", 7, about);
    page.section("DESCRIPTION");
    page.paragraphs(DESCRIPTION);
    page.section("CHOOSING A MECHANISM");
    page.marked("‹ipc-guide›(1) proposes mechanisms for these words:");
    page.terms(text.needs);
    page.paragraphs("These tables compare the mechanisms.");
    page.lines(text.tables);
    for (title, terms) in [("NAMES", NAMES), ("LIFETIMES", LIFETIMES), ("SIGNALS", SIGNALS)] {
        page.section(title);
        page.marked_terms(terms);
    }
    page.section("LIMITS");
    page.marked(
        "‹ipc-limits›(1) shows these limits and their use on this machine, and warns of those that are nearly \
         reached.",
    );
    page.marked_terms(LIMITS);
    page.section("MECHANISMS");
    for (name, text) in text.mechanisms {
        page.part(name);
        page.lines(text);
    }
    page.section("STANDARDS");
    page.marked(STANDARDS);
    let nouns = NOUNS.iter().map(|noun| reference(&format!("ipc-{}", noun.name)));
    let pages = ["ipc(1)", "ipc-guide(1)", "ipc-limits(1)"].map(str::to_owned);
    let system = ["sysvipc(7)", "shm_overview(7)", "sem_overview(7)", "mq_overview(7)", "unix(7)"];
    page.see_also(pages.into_iter().chain(nouns).chain(system.map(str::to_owned)));
    page
}

const DESCRIPTION: &str = "\
Processes on a Unix machine communicate and coordinate in many ways, which differ in what they carry, in how \
long it lasts, and in what remains when a process is killed. This page is generated from the text of 'ipc \
guide'.";

const NAMES: &[(&str, &str)] = &[
    (
        "‹/name›",
        "POSIX shared memory, semaphores and message queues, and queues of ‹ipc-queue›(1): a slash and up to \
         255 bytes (251 for semaphores) without another slash. Each kind has its own names. The names belong \
         to the mount namespace (files in «/dev/shm») or, for message queues, to the IPC namespace: a \
         container sees its own ones.",
    ),
    (
        "‹sysv:KEY›, ‹sysv:PATH:PROJ›, ‹sysv:id=N›",
        "System V shared memory, semaphores and message queues: a number of 32 bits, the number that ‹ftok›(3) \
         makes of a file, or an identifier. They belong to the IPC namespace.",
    ),
    (
        "«PATH»",
        "FIFOs, sockets, doors, spools, lock files, mapped files, and queues that survive a reboot. The \
         permissions of the directory apply too.",
    ),
    (
        "‹@name›, ‹tcp:HOST:PORT›, ‹udp:HOST:PORT›",
        "Abstract Unix sockets and ports belong to the network namespace. An abstract name has no permissions: \
         every user of the namespace may connect.",
    ),
    (
        "without a name",
        "Pipes, socket pairs and memfds are inherited, or passed over a Unix socket: ‹ipc-fd›(1).",
    ),
];

const LIFETIMES: &[(&str, &str)] = &[
    (
        "The last descriptor is closed",
        "The contents of pipes and FIFOs, connections, locks of the kernel, and memory without a name end. The \
         kernel closes the descriptors of a process that is killed.",
    ),
    (
        "A process is killed",
        "The contents of shared memory and queues stay as they are. A unit of a semaphore that was taken by \
         ‹ipc-sem-wait›(1) or ‹sem_wait›(3) is lost; the units of ‹ipc-sem-run›(1) come back. A lock of the \
         kernel is released. A lock file stays, and is recognized as stale by the start time of its owner. A \
         message of a queue of ‹ipc-queue›(1) is there whole or not at all; one that a worker had taken from a \
         spool is taken again.",
    ),
    (
        "The name is removed",
        "Processes that have the object open or mapped keep it: the same name may then lead to another object. \
         System V semaphores and queues are the exception, since they end at once.",
    ),
    (
        "A user logs out",
        "systemd removes the POSIX and System V objects of a user without a session, unless RemoveIPC=no is in \
         ‹logind.conf›(5) or the user is a system user.",
    ),
    (
        "The machine reboots",
        "Everything in memory ends: POSIX and System V objects, and what is in «/run» and «/tmp» on tmpfs. \
         Spools, mapped files, and queues at a path on a disk stay; after a power failure, as far as they \
         were written to the disk.",
    ),
];

const SIGNALS: &[(&str, &str)] = &[
    (
        "Delivery",
        "A signal carries a number, and a value if it is sent with ‹sigqueue›(3). The kernel keeps one pending \
         signal of each number below RTMIN, and queues those from RTMIN to RTMAX in their order.",
    ),
    (
        "Numbers",
        "‹ipc› has the numbers of glibc on every system: RTMIN is 34, and RTMAX is 64. KILL and STOP cannot be \
         caught, blocked or ignored.",
    ),
    (
        "Inheritance",
        "A new program keeps the mask and the ignored signals of its caller, and gets the default action for \
         the rest. ‹ipc-signal-run›(1) sets them; verbs that run a COMMAND restore the defaults.",
    ),
    (
        "SIGPIPE",
        "A write into a pipe or a socket without a reader ends a process, unless it ignores the signal.",
    ),
    (
        "Process IDs",
        "The kernel reuses them. ‹ipc-signal-send›(1) accepts a start time beside the process ID, and signals \
         by a pidfd.",
    ),
];

const LIMITS: &[(&str, &str)] = &[
    (
        "‹fs.mqueue.queues_max›, ‹fs.mqueue.msg_max›, ‹fs.mqueue.msgsize_max›",
        "POSIX message queues, the messages of one, and the bytes of a message: ‹mq_overview›(7).",
    ),
    (
        "‹ulimit -q›",
        "The memory of a user's POSIX message queues: RLIMIT_MSGQUEUE of ‹getrlimit›(2).",
    ),
    (
        "‹kernel.msgmni›, ‹kernel.msgmnb›, ‹kernel.msgmax›",
        "System V message queues, the bytes of one, and the bytes of a message.",
    ),
    (
        "‹kernel.shmmni›, ‹kernel.shmall›, ‹kernel.shmmax›",
        "System V segments, the pages of all, and the bytes of one.",
    ),
    ("‹kernel.sem›", "Semaphores of a System V set, of all sets, operations of a call, and sets."),
    (
        "‹mount -o remount,size=SIZE /dev/shm›",
        "The bytes of POSIX shared memory, semaphores and queues: half of the memory by default.",
    ),
    ("‹mount -o remount,nr_inodes=N /dev/shm›", "The number of these objects."),
    (
        "‹fs.pipe-max-size›, ‹fs.pipe-user-pages-soft›, ‹fs.pipe-user-pages-hard›",
        "The capacity that a pipe or FIFO may be given, and the pages of all pipes of a user.",
    ),
    (
        "‹net.core.somaxconn›, ‹net.unix.max_dgram_qlen›",
        "The backlog of a listening socket, and the datagrams that wait at a Unix socket.",
    ),
    (
        "‹fs.inotify.max_user_instances›, ‹fs.inotify.max_user_watches›, ‹fs.inotify.max_queued_events›",
        "Instances of inotify of a user, which verbs that wait for a file use, their watches, and the events of one.",
    ),
    (
        "‹fs.file-max›, ‹ulimit -n›, ‹fs.nr_open›",
        "Open files of the machine, descriptors of a process, and the largest number of these that can be allowed.",
    ),
    ("‹kernel.pid_max›", "Processes and threads."),
    ("‹ulimit -i›", "Queued signals of a user: RLIMIT_SIGPENDING of ‹getrlimit›(2)."),
];

const STANDARDS: &str = "POSIX.1-2024 has pipes, FIFOs, signals, sockets, mapped memory, record locks and, as \
                         options, shared memory objects, semaphores and message queues; its XSI option has the System V \
                         mechanisms. Abstract socket names, open file description locks, ‹flock›(2), memfds, pidfds and \
                         the passing of descriptors by ‹pidfd_getfd›(2) are of Linux. Doors and spools are of ‹ipc›.";

#[cfg(test)]
mod tests {
    use super::super::text;
    use super::page;

    #[test]
    fn the_limits_are_those_that_ipc_limits_shows() {
        let text = text::of(&page());
        for setting in crate::mechanism::limits::all().iter().filter_map(|limit| limit.setting) {
            let is_there = setting.split(' ').all(|word| text.contains(word));
            assert!(is_there, "{setting} is missing");
        }
    }
}
