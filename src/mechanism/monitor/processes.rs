//! The processes that use objects, and their ancestors.

use std::collections::{BTreeMap, BTreeSet};

use crate::sys::process;

/// A process.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Process {
    /// The name of its program.
    pub command: Vec<u8>,
    /// Its parent; 0 without one in this PID namespace.
    pub parent: i32,
    /// Its user.
    pub uid: Option<u32>,
}

impl Process {
    fn read(pid: i32) -> Option<Self> {
        let (command, parent) = process::name_and_parent(pid)?;
        Some(Self { command, parent, uid: process::user_of(pid) })
    }
}

/// Processes by their ID, each read in every few looks only: a name and a parent change rarely.
#[derive(Clone, Debug, Default)]
pub struct Processes {
    known: BTreeMap<i32, Process>,
    looks: u32,
}

impl Processes {
    /// The number of looks after which a process is read again.
    const KEPT: u32 = 4;

    /// Reads these processes and their ancestors, and forgets others.
    pub fn look(&mut self, pids: impl IntoIterator<Item = i32>) {
        if self.looks.is_multiple_of(Self::KEPT) {
            self.known.clear();
        }
        self.looks = self.looks.wrapping_add(1);
        let mut wanted = BTreeSet::new();
        for pid in pids {
            let mut next = Some(pid);
            // A process that was seen before has all of its ancestors.
            while let Some(pid) = next.filter(|&pid| pid > 0 && wanted.insert(pid)) {
                if !self.known.contains_key(&pid) {
                    self.known.extend(Process::read(pid).map(|process| (pid, process)));
                }
                next = self.known.get(&pid).map(|process| process.parent);
            }
        }
        self.known.retain(|pid, _| wanted.contains(pid));
    }

    /// A process, if it runs and its `/proc` can be read.
    pub fn get(&self, pid: i32) -> Option<&Process> {
        self.known.get(&pid)
    }

    /// The name of its program; empty if it is unknown.
    pub fn command(&self, pid: i32) -> &[u8] {
        self.get(pid).map_or(&[], |process| &process.command)
    }

    /// The nearest ancestor that is one of these processes.
    pub fn ancestor_among(&self, pid: i32, among: &BTreeSet<i32>) -> Option<i32> {
        let parent = |pid: &i32| self.known.get(pid).map(|process| process.parent);
        // The table may be of different moments, and then a circle is not impossible.
        let ancestors = std::iter::successors(parent(&pid), parent).take(self.known.len());
        ancestors.filter(|&ancestor| ancestor != pid).find(|ancestor| among.contains(ancestor))
    }

    #[cfg(test)]
    pub fn of(known: impl IntoIterator<Item = (i32, Process)>) -> Self {
        Self { known: known.into_iter().collect(), looks: 1 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn child_of(parent: i32) -> Process {
        Process { command: Vec::new(), parent, uid: None }
    }

    #[test]
    fn the_nearest_ancestor_that_uses_an_object_is_the_parent_in_a_tree() {
        let known = [(1, 0), (2, 1), (3, 2), (4, 3)].map(|(pid, parent)| (pid, child_of(parent)));
        let processes = Processes::of(known);
        assert_eq!(processes.ancestor_among(4, &BTreeSet::from([4, 2, 1])), Some(2));
        assert_eq!(processes.ancestor_among(2, &BTreeSet::from([2, 4])), None);
        assert_eq!(processes.ancestor_among(9, &BTreeSet::from([1])), None);
    }

    #[test]
    fn a_circle_of_parents_ends() {
        let processes = Processes::of([(2, child_of(3)), (3, child_of(2))]);
        assert_eq!(processes.ancestor_among(2, &BTreeSet::from([2])), None);
    }

    #[test]
    fn a_process_is_read_with_its_ancestors() {
        let own = std::process::id() as i32;
        let mut processes = Processes::default();
        processes.look([own, i32::MAX]);
        let parent = processes.get(own).unwrap().parent;
        assert_eq!(parent, process::parent());
        assert!(parent == 0 || processes.get(parent).is_some());
        assert!(processes.get(i32::MAX).is_none());
        processes.look([]);
        assert!(processes.get(own).is_none());
    }
}
