//! All objects of the machine, of every kind, with the processes that use them. One pass over the
//! processes serves all kinds, so that the cost is linear in processes and objects.

mod activity;
mod files;
mod locks;
mod memory;
mod object;
mod posix;
pub mod relations;
pub mod removal;
mod sockets;
mod system_v;
pub mod tcp;
mod uses;

use std::path::PathBuf;

use crate::base::errno::Errno;
use crate::mechanism::socket::table::Row;
use crate::sys::mqueue::Directory;
use crate::sys::process::visit::Unseen;

pub use self::activity::{Fill, Traffic};
use self::object::or_unlisted;
#[cfg(test)]
pub use self::object::{By, Use};
pub use self::object::{Kind, Object, Request, State, Thing, Unlisted};
pub use self::uses::Uses;

/// All objects at one moment, as far as one moment can be seen: an object that is removed meanwhile is
/// left out.
#[derive(Debug, Default)]
pub struct Survey {
    /// The objects, by kind.
    pub objects: Vec<Object>,
    /// The Unix sockets, those without an address included.
    pub sockets: Vec<Row>,
    /// The uses of everything that was asked for.
    pub uses: Uses,
    /// The processes that could not be seen.
    pub unseen: Unseen,
    /// The places that could not be listed.
    pub unlisted: Vec<Unlisted>,
    /// The operands that are no objects, and the reason.
    pub refused: Vec<(PathBuf, Errno)>,
}

/// The POSIX and System V objects of these kinds, by name and without their holders: no process is
/// looked at.
pub fn named(kinds: &[Kind]) -> Vec<Object> {
    let request = Request { kinds: kinds.to_vec(), ..Request::default() };
    let (mut unlisted, uses) = (Vec::new(), Uses::default());
    // To mount the directory of the queues takes milliseconds.
    let queues = if request.wants(Kind::Mq) { Directory::open() } else { Err(Errno(libc::ENOENT)) };
    let mut objects = posix::find(&request, &queues, &mut unlisted).objects(&uses);
    objects.extend(system_v::find(&request, &uses, &mut unlisted));
    objects
}

impl Survey {
    /// Looks at everything that is asked for.
    pub fn take(request: &Request) -> Self {
        let mut survey = Self::default();
        let queues = Directory::open();
        let mut uses = Uses::new(request, &queues);
        let found = posix::find(request, &queues, &mut survey.unlisted);
        uses.begin(&mut survey.unlisted);
        survey.unseen = uses.collect();
        let mut objects = found.objects(&uses);
        objects.extend(system_v::find(request, &uses, &mut survey.unlisted));
        let sockets = sockets::rows(request, &uses);
        survey.sockets = or_unlisted(sockets, "/proc/net/unix", &mut survey.unlisted);
        objects.extend(sockets::find(request, &survey.sockets, &uses));
        objects.extend(files::fifos(request, &uses));
        objects.extend(memory::find(request, &uses));
        let given = files::given(request, &uses, &objects, &mut survey.refused);
        objects.extend(given);
        objects.extend(locks::find(&mut uses, &survey.unseen));
        // It moves each object once.
        objects.sort_by_cached_key(|object| object.kind);
        survey.objects = objects;
        survey.uses = uses;
        survey
    }
}
