//! `ipc shm` with small segments of a server.

mod cells;
mod data;
mod inspect;

use crate::app::command::{Manual, Noun, Verb};
use crate::app::remote::{Remote, Storage, answered};
use crate::base::deadline::{Deadline, Waited};
use crate::base::exit::{Exit, Failure, Subject};
use crate::mechanism::memory::segment;
use crate::mechanism::remote::{
    Creation, Error, Kind, Record, Records, RemoteName, cells as numbers,
};

pub const NOUN: Noun = Noun {
    name: "shm",
    about: "Share small data by a server",
    verbs: &[
        Verb::remote::<data::Create>("create"),
        Verb::remote::<data::Write>("write"),
        Verb::remote::<data::Cat>("cat").alias("read"),
        Verb::remote::<cells::Peek>("peek"),
        Verb::remote::<cells::Poke>("poke"),
        Verb::remote::<cells::Add>("add"),
        Verb::remote::<cells::Cas>("cas"),
        Verb::remote::<cells::Wait>("wait"),
        Verb::remote::<inspect::Stat>("stat"),
        Verb::remote::<inspect::Ls>("ls"),
        Verb::remote::<inspect::Rm>("rm"),
    ],
    see_also: &[],
    manual: Manual::NONE,
};

/// The segments of a server that exist.
const EXISTING: (Kind, Option<Creation>) = (Kind::Memory, None);

/// The segments of a server, whether or not it has had any.
fn creating(storage: Storage) -> (Kind, Option<Creation>) {
    (Kind::Memory, Some(storage.into()))
}

/// The bytes of a segment.
fn read(remote: &Remote, name: &RemoteName, deadline: Deadline) -> anyhow::Result<Record> {
    found(
        remote
            .with(name, EXISTING, deadline, |records| numbers::read(records, name.key(), deadline)),
        name,
    )
}

/// Changes a segment that exists; returns the result or the refusal of `edit`.
fn update<T, E>(
    remote: &Remote,
    name: &RemoteName,
    fence: Option<u64>,
    deadline: Deadline,
    mut edit: impl FnMut(&mut Vec<u8>) -> Result<T, E>,
) -> anyhow::Result<Result<T, E>> {
    let updated = remote.with(name, EXISTING, deadline, |records: &mut dyn Records| {
        numbers::update(records, name.key(), fence, deadline, &mut edit)
    });
    found(updated, name)
}

/// The answer about a segment, with a hint if there is none.
fn found<T>(answer: Result<Waited<T>, Error>, name: &RemoteName) -> anyhow::Result<T> {
    match answer {
        Err(error @ Error::NotFound) => {
            let hint = "'ipc shm create' makes it, and so does 'ipc shm write'";
            Err(Failure::from(error).hint(hint)).about(name)
        }
        answer => answered(answer, name),
    }
}

/// The failure of an offset beyond the end.
fn beyond(error: segment::Error) -> Failure {
    Failure::new(Exit::Failed, error.to_string())
}
