//! Mechanisms on files.

use super::Mechanism;
use crate::cmd::guide::needs::Fit::{Partly, Yes};
use crate::cmd::guide::needs::Need::{
    AtLeastOnce, Exclusion, LargeMessages, ManyReaders, ManyWriters, Messages, Network,
    NoLeftovers, Order, Priority, ReaderLater, SurviveCrash, SurviveReboot, Unrelated,
};

pub const LOCK: Mechanism = Mechanism {
    name: "lock",
    noun: "lock",
    about: "lock on a file, or lock file",
    transport: "kernel table",
    granularity: "none",
    relationship: "machine",
    copies: "0",
    direction: "-",
    order: "none",
    persistence: "last close",
    cleanup: "kernel",
    after_kill: "unlocked",
    access: "mode",
    cost: "kernel",
    meets: &[
        (SurviveCrash, Yes, "the kernel unlocks when the last descriptor is closed"),
        (Unrelated, Yes, "the path is the meeting place"),
        (Network, Partly, "on NFS the server has the locks; flock(2) is a range lock there"),
        (Exclusion, Yes, "exclusive, or shared by readers"),
        (NoLeftovers, Partly, "the lock goes; the file stays, and holds nothing"),
    ],
    traps: &[
        "A lock is on the inode: a program that replaces the file by rename(2) locks another one.",
        "A child that inherits the descriptor keeps the lock. 'ipc lock run' closes it in COMMAND, unless '--inherit' is given.",
        "Locks of fcntl(2) are lost when the process closes any descriptor of the file; 'ipc' uses those of open file descriptions.",
        "Removing a lock file lets a second process lock a new file of the same name.",
    ],
    start: "ipc lock run ./build.lock -t 10s -- echo building",
    pages: &["flock(2)", "fcntl_locking(2)"],
};

pub const SPOOL: Mechanism = Mechanism {
    name: "spool",
    noun: "spool",
    about: "durable queue in a directory",
    transport: "file system",
    granularity: "files",
    relationship: "machine",
    copies: "2",
    direction: "one way",
    order: "priority",
    persistence: "files",
    cleanup: "worker",
    after_kill: "runs again",
    access: "mode",
    cost: "disk",
    meets: &[
        (Messages, Yes, "each is a file"),
        (LargeMessages, Yes, "each is a file"),
        (ManyWriters, Yes, "a message appears by rename(2), complete"),
        (ManyReaders, Yes, "a claim is a lock on the message"),
        (Order, Partly, "of time within a priority; failed ones return later"),
        (Priority, Yes, "the highest first"),
        (ReaderLater, Yes, "the files stay"),
        (SurviveCrash, Yes, "the claim of a dead worker is released by the kernel"),
        (SurviveReboot, Yes, "a put is synced before it returns"),
        (AtLeastOnce, Yes, "a message is removed when COMMAND has ended with 0"),
        (Unrelated, Yes, "the directory is the meeting place"),
    ],
    traps: &[
        "Each put waits for the disk. Without the need of durability, 'queue' is far faster.",
        "A COMMAND may run twice for one message, after a crash: it has to tolerate that.",
        "A network file system has to support flock(2) and rename(2) between its clients.",
    ],
    start: "ipc spool create ./jobs && echo job | ipc spool put ./jobs && ipc spool take ./jobs -- cat",
    pages: &["ipc-spool(5)", "rename(2)", "inotify(7)"],
};
