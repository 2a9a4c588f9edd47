//! Running a COMMAND: with the dispositions that it expects, the signals that we get passed on to
//! it, and its status as ours.

use std::ffi::{OsStr, OsString};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus};
use std::slice;

use crate::deadline::{Deadline, Waited};
use crate::errno::Errno;
use crate::exit::{Exit, Failure, Subject};
use crate::signals::Signal;
use crate::sys::process;
use crate::sys::signal::{Blocked, Received, restore_dispositions, unblock_all_in};

/// The signals that somebody may send to us and mean the COMMAND.
pub const FORWARDED: [Signal; 6] =
    [Signal::INT, Signal::TERM, Signal::HUP, Signal::QUIT, Signal::USR1, Signal::USR2];

/// The words of a COMMAND: its name, then its arguments.
pub fn command(words: &[OsString]) -> Command {
    let (name, arguments) = words.split_first().expect("a COMMAND has a name");
    let mut command = Command::new(name);
    command.args(arguments);
    unblock_all_in(&mut command);
    command
}

/// Runs a COMMAND beside us until it ends, passing signals on to it.
///
/// # Errors
/// That it could not be started, with status 126 or 127.
pub fn run(command: &mut Command) -> anyhow::Result<Exit> {
    run_telling(command, |_| {})
}

/// As [`run`], telling the process ID of the COMMAND as soon as it is started.
pub fn run_telling(command: &mut Command, started: impl FnOnce(u32)) -> anyhow::Result<Exit> {
    restore_dispositions();
    // Blocked before it starts, so that no signal falls between.
    let signals = Blocked::new(FORWARDED.into_iter().chain([Signal::CHLD]).collect());
    let spawned = command.spawn();
    let mut child = spawned.map_err(|error| not_started(command.get_program(), error.into()))?;
    started(child.id());
    let statuses = attend(slice::from_mut(&mut child), &signals)?;
    Ok(statuses.first().map_or(Exit::Done, |&status| exit_of(status)))
}

/// Runs COMMANDs side by side until all have ended, passing signals on to each of them; tells how
/// they ended, in their order. What they were to get of our descriptors is closed on our side.
///
/// # Errors
/// That one could not be started, with status 126 or 127; those before it get TERM.
pub fn run_all(commands: Vec<Command>) -> anyhow::Result<Vec<Exit>> {
    restore_dispositions();
    let signals = Blocked::new(FORWARDED.into_iter().chain([Signal::CHLD]).collect());
    let mut children = Vec::with_capacity(commands.len());
    for mut command in commands {
        match command.spawn() {
            Ok(child) => children.push(child),
            Err(error) => {
                children.iter_mut().for_each(|child| pass_on(Signal::TERM, child));
                return Err(not_started(command.get_program(), error.into()));
            }
        }
    }
    Ok(attend(&mut children, &signals)?.into_iter().map(exit_of).collect())
}

/// Becomes another program, which inherits dispositions and mask as they are; comes back only with
/// the reason why it did not.
pub fn replace_by(command: &mut Command) -> Errno {
    command.exec().into()
}

/// Becomes a COMMAND: nothing of us remains. Comes back only with the reason why it did not.
pub fn exec(command: &mut Command) -> anyhow::Error {
    restore_dispositions();
    let error = command.exec();
    not_started(command.get_program(), error.into())
}

/// Waits for the end of all children, whose statuses come in their order.
fn attend(children: &mut [Child], signals: &Blocked) -> Result<Vec<ExitStatus>, Errno> {
    loop {
        // Never times out.
        let Waited::Done(Received { signal, sender, .. }) = signals.take(Deadline::NEVER)? else {
            continue;
        };
        match (signal, sender) {
            (Signal::CHLD, _) => {
                let looked: Result<Vec<_>, _> = children.iter_mut().map(Child::try_wait).collect();
                if let Some(statuses) = looked?.into_iter().collect() {
                    return Ok(statuses);
                }
            }
            // The terminal sent it, to the COMMANDs as well.
            (_, None) => {}
            (signal, Some(_)) => children.iter_mut().for_each(|child| pass_on(signal, child)),
        }
    }
}

/// Passes a signal on to a child that has not ended. If it just has, that comes next.
fn pass_on(signal: Signal, child: &mut Child) {
    // One that is not reaped still has its number.
    if let Ok(None) = child.try_wait() {
        let _ = process::kill(child.id(), signal);
    }
}

/// The status by which a shell would tell how a COMMAND ended.
pub fn exit_of(status: ExitStatus) -> Exit {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    Exit::Command(code.and_then(|code| u8::try_from(code).ok()).unwrap_or(u8::MAX))
}

/// Why a COMMAND did not start: as env(1) has it, 127 if there is none, 126 if it cannot be executed,
/// 125 if we have no room to try.
pub fn not_started(name: &OsStr, errno: Errno) -> anyhow::Error {
    let exit = match errno {
        Errno(libc::ENOENT) => Exit::CommandNotFound,
        Errno(libc::EAGAIN | libc::EMFILE | libc::ENFILE | libc::ENOMEM) => Exit::CommandNotStarted,
        _ => Exit::CommandNotExecutable,
    };
    let failed: Result<(), Failure> = Err(Failure::new(exit, errno.to_string()));
    failed.about(name).expect_err("it is an error")
}
