//! The machine, the boot and the PID namespace for which process IDs are valid; the name of the machine.

use std::fs;
use std::os::unix::fs::MetadataExt;

use nix::unistd::getpid;

use crate::base::errno::Errno;
use crate::sys::pidfd::Process;

/// The ID of this boot of the machine; `None` if the kernel does not report it.
pub fn boot_id() -> Option<String> {
    read_word("/proc/sys/kernel/random/boot_id")
}

/// The ID of this machine: machine-id(5). `None` if it has none yet. The host name does not replace
/// it, because many machines have the same name, such as `localhost`.
pub fn machine() -> Option<String> {
    let is_id = |id: &String| id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit());
    read_word("/etc/machine-id").filter(is_id)
}

/// The name of this machine for people: uname(2). Several machines may have the same.
pub fn host_name() -> String {
    let name = nix::sys::utsname::uname();
    name.map_or(String::new(), |name| name.nodename().to_string_lossy().into_owned())
}

/// The first word of a file; `None` if the file is empty or missing.
fn read_word(path: &str) -> Option<String> {
    fs::read_to_string(path).ok()?.split_ascii_whitespace().next().map(str::to_owned)
}

/// The PID namespace of this process.
///
/// A pidfd reports it faster than `/proc`, and without a `/proc` too.
///
/// # Errors
/// ENOENT without a `/proc`, if the kernel is older than Linux 6.11.
pub fn pid_namespace() -> Result<u64, Errno> {
    let reported = Process::open(getpid().as_raw()).and_then(|process| process.pid_namespace());
    match reported {
        Ok(inode) => Ok(inode),
        Err(_) => namespace_in_proc(),
    }
}

#[cold]
fn namespace_in_proc() -> Result<u64, Errno> {
    Ok(fs::metadata("/proc/self/ns/pid")?.ino())
}

/// Whether `/proc` shows the PID namespace of this process. It shows another one if it was not mounted
/// again after the namespace was made.
pub fn proc_shows_own_namespace() -> bool {
    let own = std::process::id().to_string();
    fs::read_link("/proc/self").is_ok_and(|number| number.as_os_str() == own.as_str())
}

/// Whether this is the first PID namespace. All others are its descendants, and every process has a
/// process ID in it.
pub fn is_first_namespace() -> bool {
    /// The inode of the first PID namespace: PROC_PID_INIT_INO of the kernel.
    const FIRST: u64 = 0xEFFF_FFFC;
    pid_namespace() == Ok(FIRST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_report_the_same_namespace() {
        assert_eq!(pid_namespace(), namespace_in_proc());
    }
}
