//! An object as a live view has it: with its rates, and with what has changed since the last look.

use std::ffi::OsString;
use std::time::Duration;

use crate::mechanism::survey::{Kind, Object, Thing, Traffic};

/// The class of an object: its kind in a survey, or a TCP socket.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Class {
    /// A kind of a survey.
    Of(Kind),
    /// A TCP socket.
    Tcp,
}

impl Class {
    /// All classes, in the order of listings.
    pub const ALL: [Self; Kind::ALL.len() + 1] = {
        let mut all = [Self::Tcp; Kind::ALL.len() + 1];
        let mut index = 0;
        while index < Kind::ALL.len() {
            all[index] = Self::Of(Kind::ALL[index]);
            index += 1;
        }
        all
    };

    /// Its word for users.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Of(kind) => kind.word(),
            Self::Tcp => "tcp",
        }
    }
}

/// What identifies an object from one look to the next.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Id {
    /// The class.
    pub class: Class,
    /// The name.
    pub name: OsString,
    thing: Option<Thing>,
    /// The inode of the file that is locked, and the kind, mode and range of the lock.
    lock: Option<(u64, String)>,
}

impl Id {
    /// The identity of an object of this class.
    pub fn of(class: Class, object: &Object) -> Self {
        let lock =
            (object.kind == Kind::Lock).then(|| (object.inode.unwrap_or(0), object.detail.clone()));
        Self { class, name: object.name.clone(), thing: object.thing, lock }
    }
}

/// An object of a live view.
#[derive(Clone, Debug)]
pub struct Item {
    /// What identifies it.
    pub id: Id,
    /// The object as it was at the last look that found it.
    pub object: Object,
    /// What went through it since the look before, per second.
    pub rates: Traffic<f64>,
    /// The change of its count since the look before.
    pub change: Option<i64>,
    /// Whether it is there.
    pub presence: Presence,
    /// Whether it is a lock in a cycle of waits.
    pub is_in_cycle: bool,
}

/// Whether an object is there.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Presence {
    /// It is.
    There,
    /// It was made a short time ago.
    New,
    /// It was removed this long ago.
    Gone(Duration),
}

impl Item {
    /// The class of the object.
    pub fn class(&self) -> Class {
        self.id.class
    }

    /// Whether the object was removed.
    pub fn is_gone(&self) -> bool {
        matches!(self.presence, Presence::Gone(_))
    }

    /// The processes that use the object, each once.
    pub fn users(&self) -> Vec<i32> {
        let mut pids: Vec<i32> = self.object.holders.iter().map(|used| used.pid).collect();
        pids.sort_unstable();
        pids.dedup();
        pids
    }
}
