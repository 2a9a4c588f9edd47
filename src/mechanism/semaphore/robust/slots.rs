//! The slots of a semaphore: who has taken units and will give them back, whatever becomes of him.
//!
//! A slot and the value have to change together, and no instruction changes both. So a change is a
//! row of steps of one atomic operation each, and whoever finds that a process was killed between
//! two of them goes on from there. What cannot be seen from the slot, whether the value has been
//! changed yet, is told by the flag, which is raised in the same moment as the value changes.
//! Only one process makes such a change at a time: the one that has the lock for it.

use std::sync::atomic::Ordering;

use crate::mechanism::semaphore::posix::{SLOTS, Semaphore};
use crate::sys::process;

/// Units that somebody has taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Claim {
    /// How many.
    pub count: u32,
    /// The `ipc` that took them.
    pub keeper: i32,
    /// The command that it runs; 0 if that is not known.
    pub command: i32,
}

impl Claim {
    /// Which process holds it, where these are seen to have its lock.
    pub fn holder_among(&self, seen: &[i32]) -> Option<i32> {
        if seen.contains(&self.command) {
            return Some(self.command);
        }
        let is_started = || process::parent_of(self.command) == Some(self.keeper);
        let command = || Some(self.command).filter(|&pid| pid != 0 && is_started());
        if seen.contains(&self.keeper) {
            // The command has closed the descriptor, or is about to be started.
            return command().or(Some(self.keeper));
        }
        match seen.first() {
            // Of another user's processes it is not seen what they have; both numbers fit.
            None => command().filter(|&pid| process::is_closed_to_us(pid)),
            left_running => left_running.copied(),
        }
    }
}

/// The most units that a claim can have.
pub const COUNT_MAX: u32 = (1 << COUNT_BITS) - 1;

const STATE_BITS: u32 = 2;
const COUNT_BITS: u32 = 18;
/// As the kernel numbers processes: PID_MAX_LIMIT.
const PID_BITS: u32 = 22;

const _: () = assert!(STATE_BITS + COUNT_BITS + 2 * PID_BITS == u64::BITS);

/// What a slot is used for. A slot that was never used is free.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum State {
    /// Nothing.
    Free,
    /// Units are being taken from the value.
    Taking,
    /// They are taken.
    Held,
    /// They are being added to the value again.
    Returning,
}

/// One atomic operation on the slot of this index or on the value; `false` if it could not be
/// done, and nothing after it shall be.
type Step = fn(&Semaphore, usize, Claim) -> bool;

const TAKE: [Step; 4] = [mark_taking, subtract, mark_held, lower_flag];
const GIVE_BACK: [Step; 5] = [mark_returning, add, wake, mark_free, lower_flag];

/// Takes the units of a claim into a free slot, if there are as many.
pub fn take(semaphore: &Semaphore, index: usize, claim: Claim) -> bool {
    let taken = walk(&TAKE, semaphore, index, claim);
    if !taken {
        mark_free(semaphore, index, claim);
    }
    taken
}

/// Gives the units in a slot back, and wakes those who wait for them.
pub fn give_back(semaphore: &Semaphore, index: usize, claim: Claim) {
    walk(&GIVE_BACK, semaphore, index, claim);
}

/// Completes, or undoes, what a process that was killed has left half done.
pub fn recover(semaphore: &Semaphore) {
    let flag = semaphore.is_flag_raised();
    for index in 0..SLOTS {
        let (state, claim) = read(semaphore, index);
        let rest: &[Step] = match (state, flag) {
            (State::Free | State::Held, _) => continue,
            (State::Taking, false) => &[mark_free],
            (State::Taking, true) => &TAKE[2..],
            (State::Returning, false) => &GIVE_BACK[1..],
            (State::Returning, true) => &GIVE_BACK[2..],
        };
        walk(rest, semaphore, index, claim);
    }
    semaphore.lower_flag();
}

/// Whether somebody has a claim, or a change was left half done. Most semaphores have no slots to
/// look at.
pub fn are_used(semaphore: &Semaphore) -> bool {
    let is_used = |index| semaphore.slot(index).load(Ordering::Relaxed) != 0;
    semaphore.is_flag_raised() || semaphore.has_slots() && (0..SLOTS).any(is_used)
}

/// The slots with units that are taken.
pub fn held(semaphore: &Semaphore) -> impl Iterator<Item = (usize, Claim)> {
    (0..SLOTS).filter_map(|index| match read(semaphore, index) {
        (State::Held, claim) => Some((index, claim)),
        _ => None,
    })
}

/// The slots that nobody uses.
pub fn free(semaphore: &Semaphore) -> impl Iterator<Item = usize> {
    (0..SLOTS).filter(|&index| read(semaphore, index).0 == State::Free)
}

/// Notes the command of a claim that is held; without the lock, as nobody else changes a claim
/// that is held as long as its holder lives.
pub fn name_command(semaphore: &Semaphore, index: usize, claim: Claim, command: i32) -> Claim {
    let named = Claim { command, ..claim };
    let slot = semaphore.slot(index);
    let (old, new) = (pack(State::Held, claim), pack(State::Held, named));
    match slot.compare_exchange(old, new, Ordering::SeqCst, Ordering::SeqCst) {
        Ok(_) => named,
        Err(_) => claim,
    }
}

fn walk(steps: &[Step], semaphore: &Semaphore, index: usize, claim: Claim) -> bool {
    steps.iter().all(|step| step(semaphore, index, claim))
}

fn mark_taking(semaphore: &Semaphore, index: usize, claim: Claim) -> bool {
    mark(semaphore, index, State::Taking, claim)
}

fn subtract(semaphore: &Semaphore, _: usize, claim: Claim) -> bool {
    semaphore.try_take_raising_flag(claim.count)
}

fn mark_held(semaphore: &Semaphore, index: usize, claim: Claim) -> bool {
    mark(semaphore, index, State::Held, claim)
}

fn mark_returning(semaphore: &Semaphore, index: usize, claim: Claim) -> bool {
    mark(semaphore, index, State::Returning, claim)
}

fn add(semaphore: &Semaphore, _: usize, claim: Claim) -> bool {
    semaphore.give_raising_flag(claim.count);
    true
}

fn wake(semaphore: &Semaphore, _: usize, claim: Claim) -> bool {
    if semaphore.waiters() > 0 {
        semaphore.wake(claim.count);
    }
    true
}

fn mark_free(semaphore: &Semaphore, index: usize, _: Claim) -> bool {
    semaphore.slot(index).store(0, Ordering::SeqCst);
    true
}

fn lower_flag(semaphore: &Semaphore, _: usize, _: Claim) -> bool {
    semaphore.lower_flag();
    true
}

fn mark(semaphore: &Semaphore, index: usize, state: State, claim: Claim) -> bool {
    semaphore.slot(index).store(pack(state, claim), Ordering::SeqCst);
    true
}

fn read(semaphore: &Semaphore, index: usize) -> (State, Claim) {
    unpack(semaphore.slot(index).load(Ordering::SeqCst))
}

fn pack(state: State, claim: Claim) -> u64 {
    let pid = |pid: i32| pid as u64 & ((1 << PID_BITS) - 1);
    (state as u64)
        | u64::from(claim.count) << STATE_BITS
        | pid(claim.keeper) << (STATE_BITS + COUNT_BITS)
        | pid(claim.command) << (STATE_BITS + COUNT_BITS + PID_BITS)
}

fn unpack(word: u64) -> (State, Claim) {
    let bits = |from: u32, length: u32| (word >> from & ((1 << length) - 1)) as u32;
    let state = match bits(0, STATE_BITS) {
        0 => State::Free,
        1 => State::Taking,
        2 => State::Held,
        _ => State::Returning,
    };
    let claim = Claim {
        count: bits(STATE_BITS, COUNT_BITS),
        keeper: bits(STATE_BITS + COUNT_BITS, PID_BITS) as i32,
        command: bits(STATE_BITS + COUNT_BITS + PID_BITS, PID_BITS) as i32,
    };
    (state, claim)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::name::SemaphoreName;

    const CLAIM: Claim = Claim { count: 2, keeper: 4_194_303, command: 17 };
    const VALUE: u32 = 5;
    const SLOT: usize = 3;

    /// A semaphore of our own, which has no name any more.
    fn semaphore() -> Semaphore {
        use std::sync::atomic::AtomicU32;
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("ipc-slots-{}-{count}", std::process::id());
        let name = SemaphoreName::new(name.as_ref()).unwrap();
        Semaphore::create(&name, VALUE, 0o600).unwrap();
        let semaphore = Semaphore::open(&name).unwrap();
        Semaphore::unlink(&name).unwrap();
        semaphore.add_slots().unwrap();
        semaphore
    }

    /// Units in the semaphore and in claims; all of them, unless some were lost or made up. And
    /// nothing is half done.
    fn assert_whole(semaphore: &Semaphore) {
        let claimed: u32 = held(semaphore).map(|(_, claim)| claim.count).sum();
        assert_eq!(semaphore.value() + claimed, VALUE);
        assert!(!semaphore.is_flag_raised());
        assert!((0..SLOTS).all(|i| matches!(read(semaphore, i).0, State::Free | State::Held)));
    }

    #[test]
    fn a_slot_reads_back_as_it_was_written() {
        for state in [State::Free, State::Taking, State::Held, State::Returning] {
            let claim = Claim { count: COUNT_MAX, ..CLAIM };
            assert_eq!(unpack(pack(state, claim)), (state, claim));
        }
    }

    #[test]
    fn who_dies_after_any_step_of_taking_leaves_all_units_in_the_value_or_in_a_claim() {
        for died_after in 0..=TAKE.len() {
            let semaphore = semaphore();
            walk(&TAKE[..died_after], &semaphore, SLOT, CLAIM);
            recover(&semaphore);
            assert_whole(&semaphore);
            assert_eq!(held(&semaphore).count(), usize::from(died_after >= 2), "{died_after}");
        }
    }

    #[test]
    fn who_dies_after_any_step_of_giving_back_has_given_back_once() {
        for died_after in 0..=GIVE_BACK.len() {
            let semaphore = semaphore();
            assert!(take(&semaphore, SLOT, CLAIM));
            walk(&GIVE_BACK[..died_after], &semaphore, SLOT, CLAIM);
            recover(&semaphore);
            assert_whole(&semaphore);
            assert_eq!(held(&semaphore).count(), usize::from(died_after == 0), "{died_after}");
        }
    }

    #[test]
    fn who_dies_after_any_step_of_recovering_leaves_no_more_than_there_was_to_recover() {
        for steps in [&TAKE[..], &GIVE_BACK[..]] {
            for first in 1..steps.len() {
                for second in first..=steps.len() {
                    let semaphore = semaphore();
                    if steps.len() == GIVE_BACK.len() {
                        assert!(take(&semaphore, SLOT, CLAIM));
                    }
                    // Recovery goes on with the same steps, so dying in it is dying further on.
                    walk(&steps[..first], &semaphore, SLOT, CLAIM);
                    walk(&steps[first..second], &semaphore, SLOT, CLAIM);
                    recover(&semaphore);
                    recover(&semaphore);
                    assert_whole(&semaphore);
                }
            }
        }
    }

    #[test]
    fn units_that_are_not_there_are_not_taken() {
        let semaphore = semaphore();
        assert!(!take(&semaphore, SLOT, Claim { count: VALUE + 1, ..CLAIM }));
        assert_whole(&semaphore);
        assert!(!are_used(&semaphore));
    }

    #[test]
    fn c_programs_that_come_and_go_leave_the_flag_alone() {
        let semaphore = semaphore();
        walk(&TAKE[..2], &semaphore, SLOT, CLAIM);
        let waiting = semaphore.enlist();
        assert_eq!((semaphore.value(), semaphore.waiters()), (VALUE - CLAIM.count, 1));
        drop(waiting);
        semaphore.post(1).unwrap();
        assert!(semaphore.try_take(1) && semaphore.is_flag_raised());
        recover(&semaphore);
        assert_whole(&semaphore);
    }
}
