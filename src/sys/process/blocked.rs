//! The system call in which a process waits: `/proc/PID/task/TID/syscall` of proc_pid_syscall(5).

use std::fs;

use nix::sys::stat::{FileStat, stat};

use super::numbers_in;

/// The files for whose OFD locks a process waits. The table of locks has no process for such a wait. None if
/// the process waits for nothing else, or may not be traced.
pub fn waits_for_open_file_lock(pid: i32) -> Vec<FileStat> {
    let call = |thread: i32| fs::read_to_string(format!("/proc/{pid}/task/{thread}/syscall")).ok();
    let descriptor = |thread: i32| descriptor_of_wait(&call(thread)?);
    let status = |number: i32| stat(format!("/proc/{pid}/fd/{number}").as_str()).ok();
    numbers_in(&format!("/proc/{pid}/task"))
        .into_iter()
        .filter_map(descriptor)
        .filter_map(status)
        .collect()
}

/// The descriptor of fcntl(2) with F_OFD_SETLKW. The line has the number of the call, and its arguments in
/// hexadecimal.
fn descriptor_of_wait(line: &str) -> Option<i32> {
    let mut words = line.split_ascii_whitespace();
    let mut is_fcntl = words.next()?.parse() == Ok(libc::SYS_fcntl);
    let argument = |word: &str| i64::from_str_radix(word.strip_prefix("0x")?, 16).ok();
    let descriptor = argument(words.next()?)?;
    is_fcntl &= argument(words.next()?)? == i64::from(libc::F_OFD_SETLKW);
    i32::try_from(descriptor).ok().filter(|_| is_fcntl)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_for_an_open_file_lock_has_its_descriptor() {
        let line = format!("{} 0x9 0x26 0x7ffd 0x0 0x0 0x0 0x7ffd 0x7f\n", libc::SYS_fcntl);
        assert_eq!(descriptor_of_wait(&line), Some(9));
        for line in
            [line.replace("0x26", "0x7"), "running\n".to_owned(), "-1 0x7ff 0x26".to_owned()]
        {
            assert_eq!(descriptor_of_wait(&line), None, "{line}");
        }
    }
}
