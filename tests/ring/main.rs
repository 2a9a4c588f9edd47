//! Proofs that a queue survives its participants: each is a program that forks, kills and checks.
//!
//! `cargo test --test ring` runs them all in a short form, and the following in the long one. The
//! optimizer leaves a fifteenth of the instructions, each of which the stepper visits. A word after
//! `--` picks the proofs whose names contain it.
//!
//!     CARGO_PROFILE_TEST_OPT_LEVEL=2 IPC_LONG=1 cargo test --target-dir target/ring --test ring
#![allow(unsafe_code, reason = "fork, ptrace and memory that forked processes share")]
#![allow(clippy::print_stdout, reason = "it is a program that prints its result")]
#![allow(clippy::disallowed_types, reason = "it starts once, and looks up states and steps often")]

mod hostile;
mod model;
mod namespaces;
mod process;
mod quiet;
mod shared;
mod stepper;
mod storm;

use std::process::ExitCode;

/// A proof, which gives what is wrong.
type Proof = fn(&Form) -> Vec<String>;

/// Proofs by name. Each runs in a process of its own.
const PROOFS: [(&str, Proof); 8] = [
    ("model", model::prove),
    ("stepper", stepper::prove),
    ("mutants", stepper::find_mutants),
    ("storm", storm::prove),
    ("claims", storm::prove_claims),
    ("namespaces", namespaces::prove),
    ("hostile", hostile::prove),
    ("quiet", quiet::prove),
];

/// How much is to be done.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Form {
    /// What every run of the tests does.
    Short,
    /// Everything.
    Long,
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).filter(|w| !w.starts_with('-')).collect();
    if std::env::args().any(|word| word == "--list") {
        return ExitCode::SUCCESS;
    }
    let form = if std::env::var_os("IPC_LONG").is_some() { Form::Long } else { Form::Short };
    let is_picked = |name: &str| words.is_empty() || words.iter().any(|word| name.contains(word));
    let picked = PROOFS.iter().filter(|(name, _)| is_picked(name));
    let failed = picked.filter(|(name, proof)| !run(name, *proof, form)).count();
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Runs a proof in a process of its own; whether it holds.
fn run(name: &str, proof: Proof, form: Form) -> bool {
    let child = process::Child::fork(|| {
        let faults = proof(&form);
        for fault in faults.iter().take(20) {
            println!("{name}: {fault}");
        }
        u8::from(!faults.is_empty())
    });
    let holds = child.wait() == Some(0);
    println!("test {name} ... {}", if holds { "ok" } else { "FAILED" });
    holds
}
