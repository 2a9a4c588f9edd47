//! Every order in which the steps of pushing and popping can interleave, with kills between any two.
//!
//! This is a model of the algorithm in sequentially consistent memory, with what the kernel does:
//! sleeping, waking, and freeing a lock whose owner dies. Sleepers of the model never look by
//! themselves. So in a state in which nothing can happen any more, no process may sleep that has work,
//! with the one exception of the description: a producer that is killed between its commit and its
//! second look at the sleepers, one of which registered in between.

mod machine;

use std::collections::HashSet;

use self::machine::{Fault, State};
use crate::Form;

pub fn prove(form: &Form) -> Vec<String> {
    let mut faults = Vec::new();
    let sizes: &[(usize, usize, u8)] = match form {
        Form::Short => &[(1, 1, 2), (2, 1, 1), (1, 2, 1)],
        Form::Long => &[(1, 1, 2), (2, 1, 2), (1, 2, 2), (2, 2, 1)],
    };
    for &(producers, consumers, kills) in sizes {
        let (states, found) = explore(State::new(producers, consumers, kills, Fault::Nothing));
        println!("model: {producers} push, {consumers} pop, {kills} killed: {states} states");
        faults.extend(found);
    }
    let mutants = [
        Fault::WakeAfterCommit,
        Fault::MarkRemovedFirst,
        Fault::PendingLate,
        Fault::PendingClearedEarly,
        Fault::InPlace,
    ];
    for mutant in mutants {
        let found = [(1, 1), (2, 1)].into_iter().find_map(|(producers, consumers)| {
            explore(State::new(producers, consumers, 1, mutant)).1
        });
        if found.is_none() {
            faults.push(format!("the mutant {mutant:?} is not found"));
        }
    }
    faults
}

/// Visits every state that can be reached; how many there are, and what is wrong with one.
fn explore(first: State) -> (usize, Option<String>) {
    let mut seen = HashSet::from([first]);
    let mut open = vec![first];
    while let Some(state) = open.pop() {
        if let Some(wrong) = state.is_wrong() {
            return (seen.len(), Some(format!("{wrong}: {state:?}")));
        }
        let next = state.successors();
        if next.is_empty()
            && let Some(wrong) = state.is_wrong_at_end()
        {
            return (seen.len(), Some(format!("{wrong}: {state:?}")));
        }
        open.extend(next.into_iter().filter(|state| seen.insert(*state)));
    }
    (seen.len(), None)
}
