//! The columns of segments.

use std::marker::PhantomData;

use crate::app::listing::{Column, Columns};
use crate::app::objects::columns::{hidden, holders};
use crate::app::objects::{Held, Unseen};
use crate::cmd::shm::Operand;
use crate::io::output::{Key, Type, Value};
use crate::mechanism::memory::segment::{self, Description};
use crate::sys::process::Holders;

/// A row of `ls`.
#[derive(Debug)]
pub struct Listed<O> {
    /// The segment.
    pub segment: Description,
    /// Its holders.
    pub holders: Holders,
    /// The kind of names.
    pub kind: PhantomData<fn() -> O>,
}

impl<O> Held for Listed<O> {
    fn holders(&self) -> &Holders {
        &self.holders
    }
}

impl<O> Described for Listed<O> {
    fn segment(&self) -> &Description {
        &self.segment
    }
}

impl<O: Operand> Columns for Listed<O> {
    const COLUMNS: &'static [Column<Self>] = O::LISTED;
}

/// What `stat` shows.
#[derive(Debug)]
pub struct Shown<O>(pub Listed<O>);

impl<O> Held for Shown<O> {
    const UNSEEN: Unseen = Unseen::Inline;

    fn holders(&self) -> &Holders {
        &self.0.holders
    }
}

impl<O> Described for Shown<O> {
    fn segment(&self) -> &Description {
        &self.0.segment
    }
}

impl<O: Operand> Columns for Shown<O> {
    const COLUMNS: &'static [Column<Self>] = O::SHOWN;
}

/// A row about a segment.
pub trait Described {
    /// The segment.
    fn segment(&self) -> &Description;

    /// A fact about it.
    fn fact(&self, key: &str) -> Value {
        match self.segment().fact(key).map(|fact| &fact.value) {
            None => Value::Inapplicable,
            Some(segment::Value::Name(name)) => Value::text(name.as_encoded_bytes()),
            Some(&segment::Value::Number(number)) => number.into(),
            Some(&segment::Value::Mode(mode)) => Value::Mode(mode),
            Some(&segment::Value::Time(seconds)) => Value::Time(seconds),
            Some(&segment::Value::Flag(flag)) => flag.into(),
        }
    }
}

/// Functions that return the column of a fact each.
macro_rules! facts {
    ($($key:ident: $kind:ident, $meaning:literal;)*) => {
        $(const fn $key<R: Described>() -> Column<R> {
            Column::new(Key::new(stringify!($key), Type::$kind, $meaning), |row| row.fact(stringify!($key)))
        })*
    };
}

facts! {
    name: Text, "Name or path";
    size: Size, "Size";
    allocated: Size, "Bytes that take memory or disk space";
    id: Number, "Identifier";
    key: Text, "Key, in hexadecimal";
    mode: Mode, "Permissions";
    uid: Number, "User that owns it";
    gid: Number, "Group that owns it";
    creator_uid: Number, "User that created it";
    creator_gid: Number, "Group that created it";
    creator_pid: Number, "Process that created it";
    last_pid: Number, "Process that attached or detached it last";
    attachments: Number, "Number of attachments";
    accessed: Time, "Time of the last access";
    modified: Time, "Time of the last write(2)";
    changed: Time, "Time of the last change of its properties";
    attached: Time, "Time of the last attachment";
    detached: Time, "Time of the last detachment";
    resident: Size, "Bytes in memory";
    swapped: Size, "Bytes in swap space";
    marked_for_removal: Flag, "Whether the last detachment removes it";
}

/// Files.
pub const fn of_files<R: Described + Held + 'static>() -> &'static [Column<R>] {
    &const {
        [
            name(),
            size(),
            allocated::<R>().in_detail(),
            mode(),
            uid(),
            gid(),
            accessed::<R>().in_detail(),
            modified::<R>().in_detail(),
            changed(),
            holders(),
            hidden(),
        ]
    }
}

const POSIX: &str = "POSIX objects";
const SYSTEM_V: &str = "System V segments";

/// Segments of either kind.
pub const fn of_both<R: Described + Held + 'static>() -> &'static [Column<R>] {
    &const {
        [
            name(),
            size(),
            allocated::<R>().only(POSIX).in_detail(),
            id::<R>().only(SYSTEM_V).in_detail(),
            key::<R>().only(SYSTEM_V).in_detail(),
            mode(),
            uid(),
            gid(),
            creator_uid::<R>().only(SYSTEM_V).in_detail(),
            creator_gid::<R>().only(SYSTEM_V).in_detail(),
            creator_pid::<R>().only(SYSTEM_V).in_detail(),
            last_pid::<R>().only(SYSTEM_V).in_detail(),
            attachments::<R>().only(SYSTEM_V),
            accessed::<R>().only(POSIX).in_detail(),
            modified::<R>().only(POSIX).in_detail(),
            attached::<R>().only(SYSTEM_V).in_detail(),
            detached::<R>().only(SYSTEM_V).in_detail(),
            changed(),
            resident::<R>().only(SYSTEM_V).in_detail(),
            swapped::<R>().only(SYSTEM_V).in_detail(),
            marked_for_removal::<R>().only(SYSTEM_V),
            holders(),
            hidden(),
        ]
    }
}
