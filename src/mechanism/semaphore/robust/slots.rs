//! The slots of a semaphore: claims on permits, which come back however their holders end.
//!
//! A slot and the value have to change together, and no instruction changes both. So a change is a
//! sequence of steps of one atomic operation each, and a process that finds the change of a killed
//! process incomplete continues it. The slot does not show whether the value has been changed already.
//! The flag does: it is raised in the same operation as the value changes. Only the process that has the
//! lock for it makes such a change.

use std::sync::atomic::Ordering;

use crate::mechanism::semaphore::posix::{PosixSemaphore, SLOTS};
use crate::sys::process;

/// Permits that a command holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Claim {
    /// The number of permits.
    pub count: u32,
    /// The process ID of the `ipc` that acquired them.
    pub supervisor: i32,
    /// The process ID of the command; 0 if it is not known.
    pub command: i32,
}

impl Claim {
    /// The process that holds the claim, where these have its lock as far as is visible.
    pub fn holder_among(&self, seen: &[i32]) -> Option<i32> {
        if seen.contains(&self.command) {
            return Some(self.command);
        }
        let is_started = || process::parent_of(self.command) == Some(self.supervisor);
        let command = || Some(self.command).filter(|&pid| pid != 0 && is_started());
        if seen.contains(&self.supervisor) {
            // The command has closed the descriptor, or is about to be started.
            return command().or(Some(self.supervisor));
        }
        match seen.first() {
            // The descriptors of another user's processes are not visible; both process IDs fit.
            None => command().filter(|&pid| process::is_hidden(pid)),
            left_running => left_running.copied(),
        }
    }
}

/// The maximum number of permits in a claim.
pub const COUNT_MAX: u32 = (1 << COUNT_BITS) - 1;

const STATE_BITS: u32 = 2;
const COUNT_BITS: u32 = 18;
/// The kernel's limit for process IDs: PID_MAX_LIMIT.
const PID_BITS: u32 = 22;

const _: () = assert!(STATE_BITS + COUNT_BITS + 2 * PID_BITS == u64::BITS);

/// The state of a slot.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum State {
    /// It has no claim.
    Free,
    /// The value is being decremented.
    Acquiring,
    /// A command holds the permits.
    Held,
    /// The value is being incremented.
    Releasing,
}

/// One atomic operation on the slot of this index or on the value; `false` if it failed, which ends the
/// sequence.
type Step = fn(&PosixSemaphore, usize, Claim) -> bool;

const ACQUIRE: [Step; 4] = [mark_acquiring, subtract, mark_held, lower_flag];
const RELEASE: [Step; 5] = [mark_releasing, add, wake, mark_free, lower_flag];

/// Enters a claim in a free slot and decrements the value, if that is large enough.
pub fn acquire(semaphore: &PosixSemaphore, index: usize, claim: Claim) -> bool {
    let acquired = walk(&ACQUIRE, semaphore, index, claim);
    if !acquired {
        mark_free(semaphore, index, claim);
    }
    acquired
}

/// Releases the permits of the claim in a slot, and wakes waiters.
pub fn release(semaphore: &PosixSemaphore, index: usize, claim: Claim) {
    walk(&RELEASE, semaphore, index, claim);
}

/// Completes or reverts the change that a killed process has left incomplete.
pub fn recover(semaphore: &PosixSemaphore) {
    let flag = semaphore.is_flag_raised();
    for index in 0..SLOTS {
        let (state, claim) = read(semaphore, index);
        let rest: &[Step] = match (state, flag) {
            (State::Free | State::Held, _) => continue,
            (State::Acquiring, false) => &[mark_free],
            (State::Acquiring, true) => &ACQUIRE[2..],
            (State::Releasing, false) => &RELEASE[1..],
            (State::Releasing, true) => &RELEASE[2..],
        };
        walk(rest, semaphore, index, claim);
    }
    semaphore.lower_flag();
}

/// Whether there is a claim, or an incomplete change.
pub fn are_used(semaphore: &PosixSemaphore) -> bool {
    let is_used = |index| semaphore.slot(index).load(Ordering::Relaxed) != 0;
    semaphore.is_flag_raised() || semaphore.has_slots() && (0..SLOTS).any(is_used)
}

/// The claims and their slots.
pub fn held(semaphore: &PosixSemaphore) -> impl Iterator<Item = (usize, Claim)> {
    (0..SLOTS).filter_map(|index| match read(semaphore, index) {
        (State::Held, claim) => Some((index, claim)),
        _ => None,
    })
}

/// The slots without a claim.
pub fn free(semaphore: &PosixSemaphore) -> impl Iterator<Item = usize> {
    (0..SLOTS).filter(|&index| read(semaphore, index).0 == State::Free)
}

/// Records the command of a claim. That needs no lock: no other process changes a claim while its
/// holder lives.
pub fn name_command(semaphore: &PosixSemaphore, index: usize, claim: Claim, command: i32) -> Claim {
    let named = Claim { command, ..claim };
    let slot = semaphore.slot(index);
    let (old, new) = (pack(State::Held, claim), pack(State::Held, named));
    match slot.compare_exchange(old, new, Ordering::SeqCst, Ordering::SeqCst) {
        Ok(_) => named,
        Err(_) => claim,
    }
}

fn walk(steps: &[Step], semaphore: &PosixSemaphore, index: usize, claim: Claim) -> bool {
    steps.iter().all(|step| step(semaphore, index, claim))
}

fn mark_acquiring(semaphore: &PosixSemaphore, index: usize, claim: Claim) -> bool {
    mark(semaphore, index, State::Acquiring, claim)
}

fn subtract(semaphore: &PosixSemaphore, _: usize, claim: Claim) -> bool {
    semaphore.try_decrement_raising_flag(claim.count)
}

fn mark_held(semaphore: &PosixSemaphore, index: usize, claim: Claim) -> bool {
    mark(semaphore, index, State::Held, claim)
}

fn mark_releasing(semaphore: &PosixSemaphore, index: usize, claim: Claim) -> bool {
    mark(semaphore, index, State::Releasing, claim)
}

fn add(semaphore: &PosixSemaphore, _: usize, claim: Claim) -> bool {
    semaphore.increment_raising_flag(claim.count);
    true
}

fn wake(semaphore: &PosixSemaphore, _: usize, claim: Claim) -> bool {
    if semaphore.waiters() > 0 {
        semaphore.wake(claim.count);
    }
    true
}

fn mark_free(semaphore: &PosixSemaphore, index: usize, _: Claim) -> bool {
    semaphore.slot(index).store(0, Ordering::SeqCst);
    true
}

fn lower_flag(semaphore: &PosixSemaphore, _: usize, _: Claim) -> bool {
    semaphore.lower_flag();
    true
}

fn mark(semaphore: &PosixSemaphore, index: usize, state: State, claim: Claim) -> bool {
    semaphore.slot(index).store(pack(state, claim), Ordering::SeqCst);
    true
}

fn read(semaphore: &PosixSemaphore, index: usize) -> (State, Claim) {
    unpack(semaphore.slot(index).load(Ordering::SeqCst))
}

fn pack(state: State, claim: Claim) -> u64 {
    let pid = |pid: i32| pid as u64 & ((1 << PID_BITS) - 1);
    (state as u64)
        | u64::from(claim.count) << STATE_BITS
        | pid(claim.supervisor) << (STATE_BITS + COUNT_BITS)
        | pid(claim.command) << (STATE_BITS + COUNT_BITS + PID_BITS)
}

fn unpack(word: u64) -> (State, Claim) {
    let bits = |from: u32, length: u32| (word >> from & ((1 << length) - 1)) as u32;
    let state = match bits(0, STATE_BITS) {
        0 => State::Free,
        1 => State::Acquiring,
        2 => State::Held,
        _ => State::Releasing,
    };
    let claim = Claim {
        count: bits(STATE_BITS, COUNT_BITS),
        supervisor: bits(STATE_BITS + COUNT_BITS, PID_BITS) as i32,
        command: bits(STATE_BITS + COUNT_BITS + PID_BITS, PID_BITS) as i32,
    };
    (state, claim)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::name::SemaphoreName;
    use crate::mechanism::semaphore::posix;

    const CLAIM: Claim = Claim { count: 2, supervisor: 4_194_303, command: 17 };
    const VALUE: u32 = 5;
    const SLOT: usize = 3;

    /// A semaphore without a name, which no other process can open.
    fn semaphore() -> PosixSemaphore {
        use std::sync::atomic::AtomicU32;
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("ipc-slots-{}-{count}", std::process::id());
        let name = SemaphoreName::new(name.as_ref()).unwrap();
        posix::create(&name, VALUE, 0o600).unwrap();
        let semaphore = PosixSemaphore::open(&name).unwrap();
        posix::unlink(&name).unwrap();
        semaphore.add_slots().unwrap();
        semaphore
    }

    /// The permits in the value and in claims are as many as there were, and no change is incomplete.
    fn assert_whole(semaphore: &PosixSemaphore) {
        let claimed: u32 = held(semaphore).map(|(_, claim)| claim.count).sum();
        assert_eq!(semaphore.value() + claimed, VALUE);
        assert!(!semaphore.is_flag_raised());
        assert!((0..SLOTS).all(|i| matches!(read(semaphore, i).0, State::Free | State::Held)));
    }

    #[test]
    fn a_slot_reads_back_as_it_was_written() {
        for state in [State::Free, State::Acquiring, State::Held, State::Releasing] {
            let claim = Claim { count: COUNT_MAX, ..CLAIM };
            assert_eq!(unpack(pack(state, claim)), (state, claim));
        }
    }

    #[test]
    fn a_kill_after_any_step_of_acquiring_leaves_all_permits_in_the_value_or_in_a_claim() {
        for died_after in 0..=ACQUIRE.len() {
            let semaphore = semaphore();
            walk(&ACQUIRE[..died_after], &semaphore, SLOT, CLAIM);
            recover(&semaphore);
            assert_whole(&semaphore);
            assert_eq!(held(&semaphore).count(), usize::from(died_after >= 2), "{died_after}");
        }
    }

    #[test]
    fn a_kill_after_any_step_of_releasing_releases_once() {
        for died_after in 0..=RELEASE.len() {
            let semaphore = semaphore();
            assert!(acquire(&semaphore, SLOT, CLAIM));
            walk(&RELEASE[..died_after], &semaphore, SLOT, CLAIM);
            recover(&semaphore);
            assert_whole(&semaphore);
            assert_eq!(held(&semaphore).count(), usize::from(died_after == 0), "{died_after}");
        }
    }

    #[test]
    fn a_kill_after_any_step_of_recovering_leaves_a_recoverable_state() {
        for steps in [&ACQUIRE[..], &RELEASE[..]] {
            for first in 1..steps.len() {
                for second in first..=steps.len() {
                    let semaphore = semaphore();
                    if steps.len() == RELEASE.len() {
                        assert!(acquire(&semaphore, SLOT, CLAIM));
                    }
                    // Recovery continues with the same steps, so a kill in it is a kill at a later step.
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
    fn a_value_that_is_too_small_is_not_decremented() {
        let semaphore = semaphore();
        assert!(!acquire(&semaphore, SLOT, Claim { count: VALUE + 1, ..CLAIM }));
        assert_whole(&semaphore);
        assert!(!are_used(&semaphore));
    }

    #[test]
    fn waiters_and_changes_of_c_programs_leave_the_flag_as_it_is() {
        let semaphore = semaphore();
        walk(&ACQUIRE[..2], &semaphore, SLOT, CLAIM);
        let waiting = semaphore.enlist();
        assert_eq!((semaphore.value(), semaphore.waiters()), (VALUE - CLAIM.count, 1));
        drop(waiting);
        semaphore.increment(1).unwrap();
        assert!(semaphore.try_decrement(1) && semaphore.is_flag_raised());
        recover(&semaphore);
        assert_whole(&semaphore);
    }
}
