//! Children by fork(2): where posix_spawn(3) does not do, and copies of this process.

use std::borrow::Cow;
use std::ffi::{CStr, OsStr};
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use nix::errno::Errno as Reason;

use crate::base::errno::Errno;
use crate::base::signal::Signal;
use crate::sys::signal;

use super::child::{Child, init};
use super::{Group, Signals, Streams, THIRD};

/// A signal that musl reserves, and that its posix_spawn(3) unblocks in the calling thread. For
/// other C libraries it is the first real-time signal.
pub(super) const LET_THROUGH: Signal = Signal::RTMIN;

/// Starts a COMMAND by fork(2), which keeps all blocked signals blocked.
pub(super) fn fork(
    path: &CStr,
    words: &[&CStr],
    environment: &[Cow<'_, CStr>],
    (signals, group, announced_to): (Signals, Group, Option<i32>),
    streams: Streams<'_>,
) -> Result<i32, Reason> {
    let failed = |error: std::io::Error| Reason::from_raw(Errno::from(error).0);
    let text = |string: &CStr| OsStr::from_bytes(string.to_bytes()).to_owned();
    // `std` would search PATH again for a name without a slash.
    let mut command = Command::new(Path::new(".").join(text(path)));
    if let Some((name, arguments)) = words.split_first() {
        command.arg0(text(name)).args(arguments.iter().map(|word| text(word)));
    }
    command.env_clear().envs(environment.iter().filter_map(|variable| name_and_value(variable)));
    if let Some(input) = streams.input {
        command.stdin(input.try_clone_to_owned().map_err(failed)?);
    }
    if let Some(output) = streams.output {
        command.stdout(output.try_clone_to_owned().map_err(failed)?);
    }
    if let Some(errors) = streams.errors {
        command.stderr(errors.try_clone_to_owned().map_err(failed)?);
    }
    if group == Group::Own {
        command.process_group(0);
    }
    let inherited = streams.inherited.map(|fd| fd.map(|fd| fd.as_raw_fd()));
    let others: Vec<(i32, i32)> =
        streams.from_third.iter().map(AsRawFd::as_raw_fd).zip(THIRD..).collect();
    let begin = move || {
        if let Some(socket) = announced_to {
            announce(socket);
        }
        for &(fd, number) in &others {
            // SAFETY: the call takes numbers only.
            let changed = Errno::check(unsafe { libc::dup2(fd, number) }.min(0));
            changed.map_err(|Errno(errno)| std::io::Error::from_raw_os_error(errno))?;
        }
        for fd in inherited.into_iter().flatten() {
            // SAFETY: the call takes numbers only.
            let changed = Errno::check(unsafe { libc::fcntl(fd, libc::F_SETFD, 0) });
            changed.map_err(|Errno(errno)| std::io::Error::from_raw_os_error(errno))?;
        }
        match signals {
            Signals::Clean => {
                signal::restore_dispositions();
                signal::unblock_all();
            }
            Signals::Inherited => signal::restore_dispositions_of_caller(),
        }
        Ok(())
    };
    // SAFETY: the closure only makes system calls, which are safe after fork(2).
    unsafe { command.pre_exec(begin) };
    Ok(command.spawn().map_err(failed)?.id() as i32)
}

/// Sends the process ID of this process to a socket, and waits for the answer. The peer may have ended,
/// which makes no difference here.
fn announce(socket: i32) {
    // SAFETY: the call takes no argument.
    let pid = unsafe { libc::getpid() }.to_ne_bytes();
    // SAFETY: the bytes outlive the call.
    let sent = unsafe { libc::send(socket, pid.as_ptr().cast(), pid.len(), libc::MSG_NOSIGNAL) };
    let mut answer = [0_u8; 1];
    if sent > 0 {
        // SAFETY: the byte outlives the call.
        unsafe { libc::recv(socket, answer.as_mut_ptr().cast(), answer.len(), 0) };
    }
}

/// Starts a child that runs `work` in a copy of the memory of this process, and exits with the status that
/// it returns: fork(2). The child has this thread alone, so that no other thread may hold a lock that
/// `work` needs. It has the mask of this thread.
///
/// # Errors
/// EAGAIN if a limit on processes is reached; ENOMEM.
pub fn start_copy(work: impl FnOnce() -> u8) -> Result<Child, Errno> {
    let ours = init::children();
    // SAFETY: the child makes use only of this thread, and ends within this function.
    match unsafe { libc::fork() } {
        -1 => Err(Errno::last()),
        0 => {
            drop(ours);
            let worked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
            // SAFETY: the call takes a number only.
            unsafe { libc::_exit(worked.unwrap_or(u8::MAX).into()) }
        }
        pid => Ok(Child::new(pid, Group::Shared, ours)),
    }
}

/// The name and the value of a variable, split at the first `=`.
fn name_and_value(variable: &CStr) -> Option<(&OsStr, &OsStr)> {
    let mut parts = variable.to_bytes().splitn(2, |&b| b == b'=').map(OsStr::from_bytes);
    Some((parts.next()?, parts.next()?))
}
