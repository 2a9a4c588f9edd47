//! Where the numbers of processes are valid: on this machine, since its boot, in our PID namespace.

use std::fs;
use std::os::unix::fs::MetadataExt;

use crate::base::errno::Errno;

/// Which boot of the machine this is; `None` where the kernel does not say.
pub fn boot_id() -> Option<String> {
    read_word("/proc/sys/kernel/random/boot_id")
}

/// Which machine this is: machine-id(5). `None` where it has none, or not yet. Its host name is no
/// substitute: many machines have the same, such as `localhost`.
pub fn machine() -> Option<String> {
    let is_id = |id: &String| id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit());
    read_word("/etc/machine-id").filter(is_id)
}

/// The first word of a file; `None` if there is none, or no such file.
fn read_word(path: &str) -> Option<String> {
    fs::read_to_string(path).ok()?.split_ascii_whitespace().next().map(str::to_owned)
}

/// Which PID namespace our numbers of processes belong to.
pub fn pid_namespace() -> Result<u64, Errno> {
    Ok(fs::metadata("/proc/self/ns/pid")?.ino())
}

/// Whether `/proc` has the numbers of our PID namespace. It has others where a namespace is made
/// and `/proc` is not mounted again.
pub fn has_our_numbers() -> bool {
    let ours = std::process::id().to_string();
    fs::read_link("/proc/self").is_ok_and(|number| number.as_os_str() == ours.as_str())
}

/// Whether this is the first PID namespace, of which all others are descendants and in which every
/// process has a number.
pub fn is_first_namespace() -> bool {
    /// The inode of the first PID namespace: PROC_PID_INIT_INO of the kernel.
    const FIRST: u64 = 0xEFFF_FFFC;
    pid_namespace() == Ok(FIRST)
}

/// The words for a process that has something and that we cannot name. To root only other PID
/// namespaces hide processes.
pub fn unseen() -> &'static str {
    match nix::unistd::geteuid().is_root() {
        true => "a process of another PID namespace",
        false => "a process of another user or PID namespace",
    }
}
