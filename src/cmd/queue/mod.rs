//! `ipc queue`: bounded message queues in shared memory, or in a file.

mod create;
mod end;
mod exec;
mod inspect;
mod message;
mod pop;
mod push;
mod set;
mod tap;
mod verify;

use std::os::fd::OwnedFd;

use crate::app::command::{Manual, Noun, Verb};
use crate::app::machine::Part;
use crate::app::objects::{no_room_in, not_there, report_wait};
use crate::app::options::Waiting;
use crate::base::deadline::Waited;
use crate::base::errno::Errno;
use crate::base::exit::{Exit, Failure, Subject};
use crate::base::units::Timeout;
use crate::io::output::Output;
use crate::mechanism::queue::named::{OpenFile, RingName};
use crate::mechanism::queue::ring::{Error, Outcome, Ring};
use crate::run::watchdog;

pub const NOUN: Noun = Noun {
    name: "queue",
    about: "Queue messages in memory",
    verbs: &[
        Verb::new::<create::Create>("create"),
        Verb::new::<push::Push>("push"),
        Verb::new::<pop::Pop>("pop"),
        Verb::new::<tap::Tap>("tap"),
        Verb::new::<set::Set>("set"),
        Verb::new::<inspect::Stat>("stat"),
        Verb::new::<inspect::Ls>("ls"),
        Verb::new::<end::Close>("close"),
        Verb::new::<verify::Verify>("verify"),
        Verb::new::<end::Rm>("rm"),
    ],
    see_also: &["ipc-queue(5)", "shm_overview(7)", "futex(2)"],
    manual: Manual {
        topic: "message queues in shared memory, for producers and consumers",
        environment: &[
            ("‹IPC_ATTEMPT›", "The number of the attempt, for the COMMAND of ‹ipc-queue-pop›(1)."),
            ("‹IPC_QUEUE_POSITION›", "The position of its message in the order of the queue."),
        ],
        files: &[("«/dev/shm/NAME»", "The queue «/NAME».")],
        standards: "The queues are of ‹ipc›; ‹ipc-queue›(5) has the format. They lie in POSIX shared memory, or in a file.",
    },
};

/// The hint if the queue does not exist.
const CREATE: &str = "'ipc queue create' makes it, and so does 'ipc queue push --create'";

/// Looks the path of a queue in a file up, and gives up at the deadline.
fn look_up(name: &RingName, waiting: &Waiting) -> Result<(), Failure> {
    match name {
        RingName::File(path) => watchdog::look_up(path.path(), waiting.deadline()),
        RingName::Shared(_) => Ok(()),
    }
}

/// Opens a queue that exists.
fn open(name: &RingName) -> anyhow::Result<Ring> {
    opened(name, name.open()).about(name)
}

/// Opens a queue, and waits until it exists.
fn open_until(
    name: &RingName,
    retry: Option<Timeout>,
    waiting: &Waiting,
    output: &Output,
) -> anyhow::Result<Ring> {
    match (name.open(), retry) {
        (Err(Error::Kernel(Errno(libc::ENOENT))), Some(retry)) => {
            report_wait(output, name, "until the queue exists");
            let open = name.open_until(waiting.deadline_of_retry(retry));
            opened(name, open).map_err(|failure| waiting.explain_retry(failure, retry)).about(name)
        }
        (open, _) => opened(name, open).about(name),
    }
}

/// The queue in an open file.
fn opened(name: &RingName, open: Result<OpenFile, Error>) -> Result<Ring, Failure> {
    let open = open.map_err(|error| not_there(explain(error, name), name, CREATE))?;
    attach(name, open.file)
}

fn attach(name: &RingName, file: OwnedFd) -> Result<Ring, Failure> {
    Ring::attach(file).map_err(|error| explain(error, name))
}

/// Adds the hint to an error of a queue.
fn explain(error: Error, name: &RingName) -> Failure {
    match (error, name) {
        (Error::Kernel(errno @ Errno(libc::ENOSPC)), _) => no_room_in(&name.directory(), errno),
        (Error::Kernel(Errno(libc::EFBIG)), _) => {
            Failure::failed("larger than a queue, or a file (ulimit -f), may be")
        }
        (Error::Kernel(errno), RingName::Shared(_)) => Part::DevShm.explain(errno),
        (Error::Kernel(errno), RingName::File(_)) => errno.into(),
        (Error::TooLong { capacity, .. }, _) if capacity != u64::MAX => {
            Failure::failed(error.to_string())
                .hint(format!("create the queue with --capacity {capacity}"))
        }
        (error, _) => Failure::failed(error.to_string()),
    }
}

/// The failure of a push to a closed queue.
fn closed() -> Failure {
    Failure::failed("the queue is closed")
}

/// The result of an operation that waits only for the lock.
fn locked<T>(outcome: Outcome<T>, waiting: &Waiting) -> Result<T, Failure> {
    match outcome {
        Outcome::Done(value) => Ok(value),
        Outcome::Closed => Err(closed()),
        Outcome::TimedOut => {
            waiting.or_error::<T>(Waited::TimedOut).map_err(|failure| match failure.exit() {
                Exit::TimedOut => failure.adding("; another process has a lock and is stopped"),
                _ => failure,
            })
        }
    }
}
