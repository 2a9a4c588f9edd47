//! Running COMMANDs and ending properly: children, worker pools, cleanup before a fatal signal.

pub mod capture;
pub mod foreground;
pub mod job;
pub mod keeper;
pub mod lease;
pub mod pool;
pub mod watchdog;
pub mod worker;
