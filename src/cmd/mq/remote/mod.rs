//! `ipc mq` with queues of a server.

mod create;
mod inspect;
mod receive;
mod send;

use crate::app::command::{Manual, Noun, Verb};
use crate::app::objects::not_there;
use crate::app::options::done;
use crate::app::remote::Remote;
use crate::base::deadline::{Deadline, Waited};
use crate::base::exit::{Exit, Failure, Subject};
use crate::mechanism::queue::{self, MessageQueue};
use crate::mechanism::remote::queue::{Limits, PRIORITY_MAX, Queue, QueueKind, Queues};
use crate::mechanism::remote::{Creation, Error, RemoteName};

pub const NOUN: Noun = Noun {
    name: "mq",
    about: "Queue messages on a server",
    verbs: &[
        Verb::remote::<create::Create>("create"),
        Verb::remote::<send::Send>("send"),
        Verb::remote::<receive::Recv>("recv"),
        Verb::remote::<receive::Wait>("wait"),
        Verb::remote::<inspect::Stat>("stat"),
        Verb::remote::<inspect::Ls>("ls"),
        Verb::remote::<create::Rm>("rm"),
    ],
    see_also: &[],
    manual: Manual::NONE,
};

/// The queues of the server of a name.
fn queues(
    remote: &Remote,
    name: &RemoteName,
    deadline: Deadline,
) -> Result<Waited<Box<dyn Queues>>, Error> {
    Ok(remote.connect(name, deadline)?.map(|server| server.queues(QueueKind::Mq)))
}

/// Opens a queue that exists, or creates it without limits.
fn open(
    remote: &Remote,
    name: &RemoteName,
    creation: Option<Creation>,
    deadline: Deadline,
) -> Result<Waited<Box<dyn Queue>>, Error> {
    let Waited::Done(mut queues) = queues(remote, name, deadline)? else {
        return Ok(Waited::TimedOut);
    };
    if let Some(creation) = creation {
        match queues.create(name.key(), Limits::default(), creation, deadline) {
            // It may have limits.
            Ok(Waited::Done(_)) | Err(Error::Exists) => {}
            Ok(Waited::TimedOut) => return Ok(Waited::TimedOut),
            Err(error) => return Err(error),
        }
    }
    queues.open(name.key(), deadline)
}

/// The same, as a message queue of any kind.
fn opened(
    remote: &Remote,
    name: &RemoteName,
    creation: Option<Creation>,
    deadline: Deadline,
) -> anyhow::Result<MessageQueue> {
    let queue = open(remote, name, creation, deadline);
    let queue = queue.map(|waited| waited.map(|queue| queue::Remote::new(queue).into()));
    done(queue.map_err(|error| explain(error, name))).about(name)
}

/// The failure of an operation on a queue, with a hint.
fn explain(error: Error, name: &RemoteName) -> Failure {
    match error {
        Error::NotFound => not_there(
            Failure::new(Exit::NotFound, "no such queue on the server"),
            name,
            "'ipc mq create' makes it, and so does 'ipc mq send --create'",
        ),
        error => error.into(),
    }
}

/// A priority of a message on a server.
fn priority(given: Option<i64>) -> Result<u32, Failure> {
    let given = given.unwrap_or(0);
    let reason = match u32::try_from(given) {
        Ok(priority @ ..=PRIORITY_MAX) => return Ok(priority),
        Err(_) if given < 0 => format!("priority {given} is below the least (0)"),
        _ => format!("priority {given} is above the greatest ({PRIORITY_MAX})"),
    };
    Err(Failure::new(Exit::Usage, reason))
}
