//! Kills a participant after every instruction that has an effect, while others wait for it.
//!
//! The victim is run instruction by instruction by ptrace(2). An instruction that changes neither the
//! queue nor the pending operation of the robust list, and is no system call, leaves the world as it
//! was, so a kill after it is the same as one before it. The long form kills after those as well.

mod check;
mod round;
mod scenario;
mod step;

use std::time::Duration;

use ipc_suite::bench::mutant::{self, Mutant};

pub use self::step::stop_for_tracer;

use self::round::{LOOK, Round};
use self::scenario::{SCENARIOS, Scenario};
use crate::Form;
use crate::process::stay_on_one_cpu;

/// Every scenario, every point: nothing is wrong.
pub fn prove(form: &Form) -> Vec<String> {
    if !cfg!(target_arch = "x86_64") {
        println!("stepper: it knows the registers of x86-64 only");
        return Vec::new();
    }
    stay_on_one_cpu();
    mutant::look_after(LOOK);
    let mut faults = Vec::new();
    let mut total = 0;
    for scenario in &SCENARIOS {
        let found = walk(scenario, *form, usize::MAX);
        total += found.points;
        println!(
            "stepper: {:48} {:5} points, {} faults, longest wait of a peer {:.1} ms",
            scenario.name,
            found.points,
            found.faults.len(),
            found.longest.as_secs_f64() * 1e3
        );
        faults.extend(found.faults);
    }
    println!("stepper: {total} points, {} faults", faults.len());
    faults
}

/// Every mutant is found by the scenario that is made for it.
pub fn find_mutants(form: &Form) -> Vec<String> {
    if !mutant::is_possible() || !cfg!(target_arch = "x86_64") {
        println!("mutants: only a build without optimisation has some, and for x86-64");
        return Vec::new();
    }
    stay_on_one_cpu();
    mutant::look_after(LOOK);
    let mutants = [
        (Mutant::WakeAfterCommit, "push, a popper sleeps"),
        (Mutant::MarkRemovedFirst, "push, a popper sleeps"),
        (Mutant::PendingLate, "push, nobody waits"),
        (Mutant::PendingClearedEarly, "push, nobody waits"),
        (Mutant::MarkThenMove, "acknowledge"),
        (Mutant::InPlace, "push, nobody waits"),
    ];
    let mut unfound = Vec::new();
    for (mutant, name) in mutants {
        let scenario = SCENARIOS.iter().find(|s| s.name == name).expect("there is one");
        mutant::activate(mutant);
        let found = walk(scenario, *form, 1);
        mutant::activate(Mutant::Nothing);
        match found.faults.first() {
            Some(fault) => println!("mutants: {mutant:?} is found: {fault}"),
            None => unfound.push(format!("{mutant:?} is not found by '{name}'")),
        }
    }
    unfound
}

struct Found {
    points: usize,
    faults: Vec<String>,
    longest: Duration,
}

/// Kills the victim of a scenario at every point, until there were so many faults.
fn walk(scenario: &'static Scenario, form: Form, enough: usize) -> Found {
    let mut found = Found { points: 0, faults: Vec::new(), longest: Duration::ZERO };
    for point in 0.. {
        let mut round = Round::run(scenario, form, point);
        // On a busy machine, other processes may delay a peer.
        if round.is_only_late() {
            round = Round::run(scenario, form, point);
        }
        found.points += 1;
        found.longest = found.longest.max(round.longest());
        let about = |fault| format!("[{}] killed at point {point}: {fault}", scenario.name);
        found.faults.extend(round.faults.iter().map(about));
        if round.has_ended || found.faults.len() >= enough {
            break;
        }
    }
    found
}
