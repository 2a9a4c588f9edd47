//! Limits of this process and of its user, and what is used of them: getrlimit(2),
//! proc_pid_status(5), proc_pid_fdinfo(5).

use std::fs;

use nix::sys::resource::{Resource, getrlimit};
use nix::unistd::getuid;

use super::all;

/// The maximum number of descriptors of this process; `None` if there is none.
pub fn open_files() -> Option<u64> {
    let (soft, _) = getrlimit(Resource::RLIMIT_NOFILE).ok()?;
    (soft != libc::RLIM_INFINITY).then_some(soft)
}

/// The number of queued signals of this user, and the maximum.
pub fn pending_signals() -> Option<(u64, u64)> {
    let status = super::status(std::process::id() as i32).ok()?;
    let (queued, maximum) = status.get("SigQ")?.split_once('/')?;
    Some((queued.parse().ok()?, maximum.parse().ok()?))
}

/// The number of threads of the machine, those of the kernel included; `None` without /proc.
pub fn threads() -> Option<u64> {
    let text = fs::read_to_string("/proc/loadavg").ok()?;
    let (_running, all) = text.split_whitespace().nth(3)?.split_once('/')?;
    all.parse().ok()
}

/// The number of inotify instances of this user, and of their watches, as far as this process may
/// see them; `None` without /proc.
pub fn inotify_of_user() -> Option<(u64, u64)> {
    super::can_be_seen().ok()?;
    let own = getuid().as_raw();
    let (mut instances, mut watches) = (0, 0);
    for pid in all().filter(|&pid| is_of(pid, own)) {
        for watched in inotify_of(pid) {
            instances += 1;
            watches += watched;
        }
    }
    Some((instances, watches))
}

fn is_of(pid: i32, user: u32) -> bool {
    let owner = fs::metadata(format!("/proc/{pid}"));
    owner.is_ok_and(|owner| std::os::unix::fs::MetadataExt::uid(&owner) == user)
}

/// The number of watches of each instance of a process.
fn inotify_of(pid: i32) -> Vec<u64> {
    let Ok(descriptors) = fs::read_dir(format!("/proc/{pid}/fd")) else { return Vec::new() };
    let watches = |entry: fs::DirEntry| {
        let target = fs::read_link(entry.path()).ok()?;
        if target.as_os_str() != "anon_inode:inotify" {
            return None;
        }
        let number = entry.file_name();
        let information = format!("/proc/{pid}/fdinfo/{}", number.to_string_lossy());
        let text = fs::read_to_string(information).ok()?;
        Some(text.lines().filter(|line| line.starts_with("inotify ")).count() as u64)
    };
    descriptors.flatten().filter_map(watches).collect()
}
