//! Cycles of processes that wait for each other's locks.
//!
//! The kernel refuses a wait that would close a cycle of POSIX locks, and does not look for others: flock(2)
//! and OFD locks.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// A process that waits for a lock, and a process that holds the lock.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Wait {
    /// The process that waits.
    pub waiter: i32,
    /// The process that holds the lock.
    pub holder: i32,
    /// The index of the lock.
    pub lock: usize,
}

/// Waits in a cycle: the holder of each is the waiter of the next one, and the holder of the last one is the
/// waiter of the first.
pub type Cycle = Vec<Wait>;

/// The cycles among waits, a shortest one for each process that is in any, unless it is in one before.
pub fn find(waits: &[Wait]) -> Vec<Cycle> {
    let mut of_waiter: BTreeMap<i32, Vec<Wait>> = BTreeMap::new();
    for wait in waits {
        of_waiter.entry(wait.waiter).or_default().push(*wait);
    }
    remove_those_that_can_go_on(&mut of_waiter);
    let (mut cycles, mut found) = (Vec::new(), BTreeSet::new());
    for &process in of_waiter.keys() {
        if !found.contains(&process)
            && let Some(cycle) = shortest(process, &of_waiter)
        {
            found.extend(cycle.iter().map(|wait| wait.waiter));
            cycles.push(cycle);
        }
    }
    cycles
}

/// Removes the waits for processes that wait for nothing, again and again. Most graphs are empty then.
fn remove_those_that_can_go_on(of_waiter: &mut BTreeMap<i32, Vec<Wait>>) {
    loop {
        let waiting: BTreeSet<i32> = of_waiter.keys().copied().collect();
        for waits in of_waiter.values_mut() {
            waits.retain(|wait| waiting.contains(&wait.holder));
        }
        of_waiter.retain(|_, waits| !waits.is_empty());
        if of_waiter.len() == waiting.len() {
            return;
        }
    }
}

/// A shortest cycle through a process, by a search in breadth.
fn shortest(process: i32, of_waiter: &BTreeMap<i32, Vec<Wait>>) -> Option<Cycle> {
    let mut reached: BTreeMap<i32, Wait> = BTreeMap::new();
    let mut next = VecDeque::from([process]);
    while let Some(waiter) = next.pop_front() {
        for wait in of_waiter.get(&waiter).into_iter().flatten() {
            if wait.holder == process {
                return Some(path(process, *wait, &reached));
            }
            if let std::collections::btree_map::Entry::Vacant(entry) = reached.entry(wait.holder) {
                entry.insert(*wait);
                next.push_back(wait.holder);
            }
        }
    }
    None
}

/// The waits from a process to the last one, in order.
fn path(process: i32, last: Wait, reached: &BTreeMap<i32, Wait>) -> Cycle {
    let mut waits = vec![last];
    while let Some(wait) = waits
        .last()
        .filter(|wait| wait.waiter != process)
        .and_then(|wait| reached.get(&wait.waiter))
    {
        waits.push(*wait);
    }
    waits.reverse();
    waits
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn waits(pairs: &[(i32, i32)]) -> Vec<Wait> {
        let wait = |(lock, &(waiter, holder)): (usize, &(i32, i32))| Wait { waiter, holder, lock };
        pairs.iter().enumerate().map(wait).collect()
    }

    fn found(pairs: &[(i32, i32)]) -> Vec<Vec<i32>> {
        let cycles = find(&waits(pairs));
        cycles.iter().map(|cycle| cycle.iter().map(|wait| wait.waiter).collect()).collect()
    }

    #[test]
    fn waits_without_a_cycle_have_none() {
        assert!(found(&[]).is_empty());
        assert!(found(&[(1, 2), (3, 2), (2, 4), (5, 1)]).is_empty());
        assert!(found(&[(1, 2), (1, 3), (2, 4), (3, 4)]).is_empty());
    }

    #[test]
    fn two_processes_that_wait_for_each_other_are_a_cycle() {
        let cycle = &find(&waits(&[(7, 3), (3, 7)]))[0];
        assert_eq!(
            *cycle,
            [Wait { waiter: 3, holder: 7, lock: 1 }, Wait { waiter: 7, holder: 3, lock: 0 }]
        );
    }

    #[test]
    fn a_process_can_wait_for_a_lock_of_its_own() {
        assert_eq!(found(&[(1, 1)]), [[1]]);
    }

    #[test]
    fn those_that_wait_for_a_cycle_are_not_part_of_it() {
        assert_eq!(found(&[(1, 2), (2, 3), (3, 4), (4, 2), (5, 1), (6, 2)]), [[2, 3, 4]]);
    }

    #[test]
    fn several_cycles_are_found_also_if_they_share_a_process() {
        assert_eq!(found(&[(1, 2), (2, 1), (3, 4), (4, 3)]), [[1, 2], [3, 4]]);
        assert_eq!(found(&[(2, 1), (1, 2), (1, 3), (3, 1)]), [vec![1, 2], vec![3, 1]]);
    }

    /// Whether a process reaches itself, by another method: the closure of the relation.
    fn is_in_cycle(process: i32, pairs: &[(i32, i32)]) -> bool {
        let mut reached = BTreeSet::new();
        let mut next = vec![process];
        while let Some(waiter) = next.pop() {
            let holders = pairs.iter().filter(|pair| pair.0 == waiter).map(|pair| pair.1);
            next.extend(holders.filter(|&holder| reached.insert(holder)));
        }
        reached.contains(&process)
    }

    proptest! {
        #[test]
        fn a_process_is_in_a_cycle_if_and_only_if_it_reaches_itself(
            pairs in prop::collection::vec((0..8, 0..8), 0..20)
        ) {
            let found: BTreeSet<i32> = found(&pairs).into_iter().flatten().collect();
            let expected: BTreeSet<i32> = (0..8).filter(|&it| is_in_cycle(it, &pairs)).collect();
            prop_assert_eq!(found, expected);
            for cycle in find(&waits(&pairs)) {
                let next = cycle.iter().cycle().skip(1);
                prop_assert!(cycle.iter().zip(next).all(|(one, next)| one.holder == next.waiter));
            }
        }
    }
}
