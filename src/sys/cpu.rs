//! CPUs: sched_getaffinity(2).

use nix::sched::{CpuSet, sched_getaffinity};
use nix::unistd::Pid;

/// How many CPUs this thread may run on.
pub fn allowed() -> usize {
    let set = sched_getaffinity(Pid::from_raw(0));
    set.map_or(1, |set| (0..CpuSet::count()).filter(|&cpu| set.is_set(cpu) == Ok(true)).count())
}
