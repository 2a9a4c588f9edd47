//! Where the numbers of processes are valid: on this machine, since its boot, in our PID namespace.

use std::fs;
use std::os::unix::fs::MetadataExt;

use crate::errno::Errno;

/// Which boot of the machine this is.
pub fn boot_id() -> Result<String, Errno> {
    Ok(fs::read_to_string("/proc/sys/kernel/random/boot_id")?.trim_end().to_owned())
}

/// Which machine this is, as far as it has been told: machine-id(5), or its name.
pub fn machine() -> String {
    let id = fs::read_to_string("/etc/machine-id").unwrap_or_default();
    match id.trim_end() {
        "" => fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default().trim_end().into(),
        id => id.to_owned(),
    }
}

/// Which PID namespace our numbers of processes belong to.
pub fn pid_namespace() -> Result<u64, Errno> {
    Ok(fs::metadata("/proc/self/ns/pid")?.ino())
}
