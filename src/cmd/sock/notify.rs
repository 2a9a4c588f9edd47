//! `ipc sock notify`.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use crate::app::arguments::Plain;
use crate::app::command::{Action, Example};
use crate::app::context::Context;
use crate::base::deadline::{Deadline, Waited};
use crate::base::exit::{Exit, Failure, Subject};
use crate::base::units::Timeout;
use crate::mechanism::service_manager::{Error, Manager, VARIABLE};

/// Report states to the service manager, and wait until it has read them
///
/// The states are those of sd_notify(3), such as READY=1, STOPPING=1, RELOADING=1, WATCHDOG=1,
/// MAINPID=4711 and STATUS=TEXT. All of them are one report. The manager passes its socket in the
/// environment variable NOTIFY_SOCKET: a path, or an abstract name (@NAME). Without the variable the
/// status is 4; an address of vsock is an error.
///
/// The manager finds the unit of a report by the process that sent it, so this process must not end
/// before the manager has read the report. 'ipc' sends BARRIER=1 with a descriptor, which the manager
/// closes when it has read all reports before. Without a STATE, it only waits for that. A manager that
/// ends also closes the descriptor.
///
/// In a script the sender is 'ipc' and not the main process, so the unit needs NotifyAccess=all.
#[derive(Debug, clap::Args, Plain)]
pub struct Notify {
    /// States, such as READY=1
    #[arg(value_name = "STATE")]
    states: Vec<OsString>,
    /// Wait at most this long for the manager: status 124
    #[arg(short, long, value_name = "DURATION", allow_negative_numbers = true)]
    timeout: Option<Timeout>,
    /// Do not wait until the manager has read the report
    #[arg(long, requires = "states")]
    no_wait: bool,
}

impl Action for Notify {
    const EXAMPLES: &'static [Example] = &[
        ("Report that a script is ready", "ipc sock notify READY=1 STATUS='accepting jobs'"),
        ("Keep the watchdog of the manager quiet", "ipc sock notify --no-wait WATCHDOG=1"),
        ("Wait until the manager has read every report", "ipc sock notify -t 5s"),
    ];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let deadline = match self.timeout {
            Some(Timeout::For(duration)) => Deadline::after(duration),
            Some(Timeout::Forever) | None => Deadline::NEVER,
        };
        self.states.iter().try_for_each(|state| check(state).about(state))?;
        let address = context.environment.get(VARIABLE).ok_or(Error::None);
        let address = address.map_err(Failure::from).about(VARIABLE)?;
        let manager = Manager::connect(&address).map_err(Failure::from);
        let manager = manager.about(&address).about(VARIABLE)?;
        match self.report(&manager, deadline).about(&address).about(VARIABLE)? {
            Waited::Done(()) => Ok(Exit::Done),
            Waited::TimedOut => Err(Failure::timed_out()).about(&address).about(VARIABLE),
        }
    }
}

impl Notify {
    fn report(&self, manager: &Manager, deadline: Deadline) -> anyhow::Result<Waited> {
        if !self.states.is_empty() {
            let lines: Vec<Vec<u8>> =
                self.states.iter().map(|state| state.clone().into_vec()).collect();
            if manager.report(&lines.join(&b'\n'), deadline)? == Waited::TimedOut {
                return Ok(Waited::TimedOut);
            }
        }
        Ok(if self.no_wait { Waited::Done(()) } else { manager.wait_until_read(deadline)? })
    }
}

/// Refuses a word that is not one state.
fn check(state: &OsStr) -> Result<(), Failure> {
    let usage = |reason| Err(Failure::new(Exit::Usage, reason));
    match state.as_bytes() {
        bytes if bytes.contains(&b'\n') => usage("a state is one line"),
        bytes if bytes.iter().position(|&byte| byte == b'=').is_none_or(|at| at == 0) => {
            usage("expected KEY=VALUE, such as READY=1")
        }
        b"BARRIER=1" => usage("it is sent with a descriptor, after the states"),
        _ => Ok(()),
    }
}
