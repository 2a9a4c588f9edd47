//! Locks on files, with their holders and waiters.

use std::ffi::OsString;

use super::object::{By, Kind, Object, Use};
use super::uses::Uses;
use crate::sys::lock::Mode;
use crate::sys::lock_table::HeldLock;
use crate::sys::process;
use crate::sys::process::visit::Unseen;

pub(super) fn find(uses: &mut Uses, unseen: &Unseen) -> Vec<Object> {
    let locks = uses.take_locks(|pid| unseen.pids.binary_search(&pid).is_ok());
    locks.iter().map(of_lock).collect()
}

fn of_lock(held: &HeldLock) -> Object {
    let entry = &held.entry;
    let (file, mode) = (
        entry.file,
        match entry.mode {
            Mode::Shared => "shared",
            Mode::Exclusive => "exclusive",
        },
    );
    let unnamed = || format!("(inode {} of {})", file.inode(), file.device()).into();
    let name: OsString = held.path.clone().map_or_else(unnamed, Into::into);
    let end = entry.end.map_or("EOF".to_owned(), |end| end.to_string());
    let mut object = Object::new(Kind::Lock, name);
    object.detail = format!("{} {mode} {}-{end}", entry.kind_word(), entry.start);
    object.holders = held.pids.iter().map(|&pid| Use { pid, by: By::Lock }).collect();
    object.waiters = held.waiters.iter().map(|entry| entry.pid).collect();
    object.activity.waiting = u32::try_from(held.waiters.len()).unwrap_or(u32::MAX);
    object.uid = held.pids.first().and_then(|&pid| process::user_of(pid));
    object.inode = Some(file.inode());
    object
}
