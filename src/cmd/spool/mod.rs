//! `ipc spool`: durable work queues in directories.

mod create;
mod inspect;
mod join;
mod labels;
mod manage;
mod put;
pub mod remote;
mod take;
mod watch;

use crate::app::command::{Manual, Noun, Verb};
use crate::app::objects::{no_room_in, not_there};
use crate::app::options::Waiting;
use crate::base::errno::Errno;
use crate::base::exit::{Failure, Subject};
use crate::base::name::FilePath;
use crate::mechanism::spool::directory::{Error, Spool};
use crate::run::watchdog::look_up;

pub const NOUN: Noun = Noun {
    name: "spool",
    about: "Queue work in a directory",
    verbs: &[
        Verb::new::<create::Create>("create"),
        Verb::new::<put::Put>("put"),
        Verb::new::<take::Take>("take"),
        Verb::new::<watch::Watch>("watch"),
        Verb::new::<join::Join>("join"),
        Verb::new::<manage::Pause>("pause"),
        Verb::new::<manage::Resume>("resume"),
        Verb::new::<inspect::Ls>("ls"),
        Verb::new::<inspect::Stat>("stat"),
        Verb::new::<manage::Requeue>("requeue"),
        Verb::new::<manage::Rm>("rm"),
    ],
    see_also: &["ipc-spool(5)", "rename(2)", "fsync(2)", "flock(2)", "inotify(7)"],
    manual: Manual {
        topic: "durable job queues in a directory on disk",
        environment: &[
            ("‹IPC_ATTEMPT›", "The number of the attempt, for the COMMAND of ‹ipc-spool-take›(1)."),
            ("‹IPC_SPOOL_NAME›", "The name of its message."),
        ],
        files: &[(
            "«DIRECTORY/ready», «DIRECTORY/failed», «DIRECTORY/reports»",
            "Messages that wait, messages whose last attempt failed, and why: ‹ipc-spool›(5).",
        )],
        standards: "Spools are of ‹ipc›; ‹ipc-spool›(5) has the format. They use ‹rename›(2), ‹link›(2) and ‹flock›(2).",
    },
};

/// The hint if the spool does not exist.
const CREATE: &str = "'ipc spool create' makes it, and so does 'ipc spool put --create'";

/// Opens a spool that exists.
fn open(directory: &FilePath) -> anyhow::Result<Spool> {
    let opened = Spool::open(directory.path()).map_err(|error| explain(error, directory));
    opened.map_err(|failure| not_there(failure, directory, CREATE)).about(directory)
}

/// Opens a spool that exists, and gives up at the deadline.
fn open_until(directory: &FilePath, waiting: &Waiting) -> anyhow::Result<Spool> {
    look_up(directory.path(), waiting.deadline()).about(directory)?;
    open(directory)
}

/// Adds the hint to an error of a spool.
fn explain(error: impl Into<Error>, directory: &FilePath) -> Failure {
    match error.into() {
        Error::Kernel(errno @ Errno(libc::ENOSPC)) => no_room_in(directory.path(), errno),
        Error::Kernel(errno) => errno.into(),
        error @ Error::NotASpool => Failure::failed(error.to_string())
            .hint("'ipc spool create' makes one of an empty directory"),
        error => Failure::failed(error.to_string()),
    }
}
