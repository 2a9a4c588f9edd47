//! The processes that wait for locks, as a graph.

use nix::sys::stat::FileStat;

use super::cycles::Wait;
use crate::mechanism::survey::{Kind, Object};
use crate::sys::process;

/// Finds the processes for which the table of locks has no ID: those that wait for an OFD lock. They are
/// looked for only if there is such a wait.
pub fn identify<'a>(objects: impl Iterator<Item = &'a mut Object>) {
    let is_incomplete = |object: &&mut Object| object.waiters.contains(&None);
    let mut incomplete: Vec<&mut Object> = objects.filter(is_incomplete).collect();
    if incomplete.is_empty() {
        return;
    }
    for pid in process::all() {
        for file in process::waits_for_open_file_lock(pid) {
            incomplete.iter_mut().for_each(|object| enter(object, pid, &file));
        }
    }
}

/// Enters a process that waits for a lock on a file among the waiters of the lock.
fn enter(object: &mut Object, pid: i32, file: &FileStat) {
    let is_new = object.inode == Some(file.st_ino) && !object.waiters.contains(&Some(pid));
    if let Some(unknown) = object.waiters.iter_mut().find(|waiter| waiter.is_none() && is_new) {
        *unknown = Some(pid);
    }
}

/// The waits of processes for the locks of others.
pub fn waits<'a>(objects: impl Iterator<Item = &'a Object>) -> Vec<Wait> {
    let locks = objects.enumerate().filter(|(_, object)| object.kind == Kind::Lock);
    let of_lock = |(lock, object): (usize, &'a Object)| {
        let waiters = object.waiters.iter().flatten();
        waiters.flat_map(move |&waiter| {
            object.holders.iter().map(move |used| Wait { waiter, holder: used.pid, lock })
        })
    };
    locks.flat_map(of_lock).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mechanism::survey::{By, Use};

    #[test]
    fn each_waiter_waits_for_each_holder() {
        let mut lock = Object::new(Kind::Lock, "/a");
        lock.holders = [1, 2].map(|pid| Use { pid, by: By::Lock }).to_vec();
        lock.waiters = vec![Some(3), None];
        let other = Object::new(Kind::Fifo, "/b");
        let found = waits([&other, &lock].into_iter());
        let wait = |holder| Wait { waiter: 3, holder, lock: 1 };
        assert_eq!(found, [wait(1), wait(2)]);
    }
}
