//! `ipc spool` with spools of a server.

mod inspect;
mod manage;
mod put;
mod take;

use crate::app::command::{Manual, Noun, Verb};
use crate::app::objects::not_there;
use crate::app::options::done;
use crate::app::remote::Remote;
use crate::base::deadline::{Deadline, Waited};
use crate::base::exit::{Exit, Failure, Subject};
use crate::mechanism::remote::queue::{Limits, Message, Queue, QueueKind, Queues};
use crate::mechanism::remote::{Creation, Error, RemoteName};
use crate::mechanism::spool::name::MessageName;

pub const NOUN: Noun = Noun {
    name: "spool",
    about: "Queue work on a server",
    verbs: &[
        Verb::remote::<manage::Create>("create"),
        Verb::remote::<put::Put>("put"),
        Verb::remote::<take::Take>("take"),
        Verb::remote::<inspect::Ls>("ls"),
        Verb::remote::<inspect::Stat>("stat"),
        Verb::remote::<manage::Requeue>("requeue"),
        Verb::remote::<manage::Rm>("rm"),
    ],
    see_also: &[],
    manual: Manual::NONE,
};

/// The spools of the server of a name.
fn spools(
    remote: &Remote,
    name: &RemoteName,
    deadline: Deadline,
) -> Result<Waited<Box<dyn Queues>>, Error> {
    Ok(remote.connect(name, deadline)?.map(|server| server.queues(QueueKind::Spool)))
}

/// Opens a spool that exists, or creates it.
fn open(
    remote: &Remote,
    name: &RemoteName,
    creation: Option<Creation>,
    deadline: Deadline,
) -> anyhow::Result<Box<dyn Queue>> {
    let open = || {
        let Waited::Done(mut spools) = spools(remote, name, deadline)? else {
            return Ok(Waited::TimedOut);
        };
        if let Some(creation) = creation {
            match spools.create(name.key(), Limits::default(), creation, deadline) {
                // It may have other replicas.
                Ok(Waited::Done(_)) | Err(Error::Exists) => {}
                Ok(Waited::TimedOut) => return Ok(Waited::TimedOut),
                Err(error) => return Err(error),
            }
        }
        spools.open(name.key(), deadline)
    };
    done(open().map_err(|error| explain(error, name))).about(name)
}

/// The failure of an operation on a spool, with a hint.
fn explain(error: Error, name: &RemoteName) -> Failure {
    match error {
        Error::NotFound => not_there(
            Failure::new(Exit::NotFound, "no such spool on the server"),
            name,
            "'ipc spool create' makes it, and so does 'ipc spool put --create'",
        ),
        error => error.into(),
    }
}

/// All messages of a spool, in the order in which they were put.
fn messages(
    spool: &mut dyn Queue,
    name: &RemoteName,
    deadline: Deadline,
) -> anyhow::Result<Vec<Message>> {
    let (mut messages, mut next) = (Vec::new(), 1);
    while let Some(message) = done(spool.copy(next, deadline).map_err(Failure::from)).about(name)? {
        next = message.sequence + 1;
        messages.push(message);
    }
    Ok(messages)
}

/// The name of a message, as it was given.
fn decoded(message: &Message) -> Vec<u8> {
    MessageName::decode(&message.name)
        .map_or_else(|| message.name.clone().into_bytes(), |name| name.bytes().to_vec())
}
