//! CPUs: sched_getaffinity(2).

use nix::sched::{CpuSet, sched_getaffinity};
use nix::unistd::Pid;

/// The number of CPUs on which this thread may run.
pub fn allowed() -> usize {
    let set = sched_getaffinity(Pid::from_raw(0));
    set.map_or(1, |set| (0..CpuSet::count()).filter(|&cpu| set.is_set(cpu) == Ok(true)).count())
}
