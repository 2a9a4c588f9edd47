//! CPUs: sched_getaffinity(2), sched_setaffinity(2).

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;

use crate::base::errno::Errno;

/// The number of CPUs on which this thread may run.
pub fn allowed() -> usize {
    let set = sched_getaffinity(Pid::from_raw(0));
    set.map_or(1, |set| (0..CpuSet::count()).filter(|&cpu| set.is_set(cpu) == Ok(true)).count())
}

/// The numbers of the CPUs on which this thread may run; none if the kernel does not say.
pub fn numbers() -> Vec<usize> {
    let set = sched_getaffinity(Pid::from_raw(0));
    set.map_or(Vec::new(), |set| {
        (0..CpuSet::count()).filter(|&cpu| set.is_set(cpu) == Ok(true)).collect()
    })
}

/// Lets this thread run on one CPU only.
///
/// # Errors
/// EINVAL if there is no such CPU, or this thread may not run on it.
pub fn pin(cpu: usize) -> Result<(), Errno> {
    let mut set = CpuSet::new();
    set.set(cpu)?;
    Ok(sched_setaffinity(Pid::from_raw(0), &set)?)
}
