//! Measurements of the mechanisms between two processes: the latency of a message, the rate of a
//! stream, and what limits both on this machine.
#![forbid(unsafe_code)]

mod channel;
mod control;
pub mod environment;
pub mod limits;
mod mechanisms;
mod message;
mod names;
mod part;
pub mod plot;
mod run;
pub mod start;
pub mod statistics;
mod trial;

pub use self::message::LEAST as LEAST_SIZE;

pub use self::mechanisms::{MECHANISMS, Mechanism};
pub use self::trial::{Error, Outcome, Pace, Question, Trial};

use crate::sys::cpu;

/// The CPUs of a measurement by default: the first two; one, or none that are known, is the choice of
/// the kernel.
pub fn usual_cpus() -> Vec<usize> {
    let mut cpus = cpu::numbers();
    cpus.truncate(2);
    cpus
}
