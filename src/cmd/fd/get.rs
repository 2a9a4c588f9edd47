//! `ipc fd get`.

use std::ffi::OsString;

use crate::app::arguments::Plain;
use crate::app::command::{Action, Effect, Example, Statuses};
use crate::app::context::Context;
use crate::app::handover::{become_with, command};
use crate::app::options::Pid;
use crate::base::errno::Errno;
use crate::base::exit::{Exit, Failure, Subject, about};
use crate::mechanism::descriptors::{Name, Named};
use crate::sys::descriptor::ClosedOnExec;
use crate::sys::pidfd::Process;
use crate::sys::sysctl;

/// Become a command that gets a copy of a descriptor of a process
///
/// The process need not help, and does not notice: pidfd_getfd(2). COMMAND has the copy as descriptor 3,
/// and LISTEN_FDS, LISTEN_FDNAMES and LISTEN_PID in its environment, as for sd_listen_fds(3). The copy
/// shares the position and the flags with the original. Linux 5.6 or later.
///
/// This is allowed where tracing the process is: to root, and to the same user if the process is not
/// set-user-ID and /proc/sys/kernel/yama/ptrace_scope allows it, which on many distributions is 1: only
/// for descendants.
#[derive(Debug, clap::Args, Plain)]
pub struct Get {
    /// Number of the process
    #[arg(value_name = "PID")]
    pid: Pid,
    /// Number of the descriptor in the process
    #[arg(value_name = "FD", value_parser = clap::value_parser!(i32).range(0..))]
    fd: i32,
    /// Become this, with the descriptor as number 3
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

impl Action for Get {
    const EXAMPLES: &'static [Example] = &[
        ("Write to the terminal of a process", "ipc fd get 4711 1 -- sh -c 'echo hello >&3'"),
        ("Rotate a log of a daemon in place", "ipc fd get 4711 2 -- sh -c ': >/proc/self/fd/3'"),
    ];

    const STATUSES: Statuses = Statuses::OfCommand;

    const EFFECT: Effect = Effect::BecomesCommand;

    fn run(self, _context: &mut Context) -> anyhow::Result<Exit> {
        let _closed = ClosedOnExec::new();
        let command = command(&self.command)?;
        let process = Process::open(self.pid.number).about(&self.pid)?;
        let descriptor = process.copy_descriptor(self.fd).map_err(|errno| self.explain(errno))?;
        let all = vec![Named { name: Name::unknown(), descriptor }];
        Err(become_with(&command, all, &[]))
    }
}

impl Get {
    fn explain(&self, errno: Errno) -> anyhow::Error {
        let subject = format!("{} {}", self.pid.number, self.fd);
        let failure = Failure::from(errno);
        let failure = match errno.0 {
            libc::EBADF => failure.with_exit(Exit::NotFound),
            libc::EPERM => failure.hint(reason()),
            _ => failure,
        };
        about(failure, subject)
    }
}

/// Why the kernel does not allow it.
fn reason() -> String {
    const SCOPE: &str = "kernel/yama/ptrace_scope";
    const NEEDED: &str = "it needs the right to trace the process: ptrace(2)";
    let scope = sysctl::find(SCOPE);
    let meaning = match scope {
        Some(1) => "only descendants may be traced, except by root",
        Some(2) => "only root may trace",
        Some(3) => "no process may be traced, until a reboot",
        _ => return format!("{NEEDED}, which root has, and the same user for ordinary programs"),
    };
    format!("{NEEDED}; /proc/sys/{SCOPE} is {}: {meaning}", scope.unwrap_or_default())
}
