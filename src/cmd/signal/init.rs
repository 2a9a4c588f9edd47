//! `ipc signal init`.

use std::ffi::OsString;

use crate::app::arguments::Plain;
use crate::app::command::{Action, Example, Statuses};
use crate::app::context::Context;
use crate::base::deadline::{Deadline, Waited};
use crate::base::exit::Exit;
use crate::base::signal::Signal;
use crate::run::job::{self, Command, Event, Job};
use crate::sys::process::{self, OwnGroup};
use crate::sys::spawn::{Streams, has_orphans};
use crate::sys::terminal::{self, Foreground};

/// Run a command as the first process of a container
///
/// As PID 1, 'ipc' runs COMMAND, reaps the orphans that the kernel gives it, and ends with the status of
/// COMMAND; the kernel then kills all other processes of the container. Signals go to the process group
/// of COMMAND, and to COMMAND itself if it has left the group: all signals but KILL and STOP, which no
/// process can catch, CHLD, PIPE, and those of faults. 'ipc' itself stays: for PID 1, a signal has no
/// effect that the process has not asked for. A terminal is given to the group, so ^C reaches it. If the
/// terminal is that of a process group outside of the container, COMMAND stays in that group, and signals
/// go to COMMAND alone.
///
/// Where 'ipc' is not PID 1, it forwards signals and ends in the same way, but reaps only COMMAND:
/// orphans go to the process that adopts them anyway. It does not become their parent
/// (PR_SET_CHILD_SUBREAPER), as it would have to wait for children that are not its own; -v says so.
/// TSTP, TTIN, TTOU and CONT then have their usual effects on 'ipc', for the job control of a shell.
///
/// COMMAND gets TERM when a container is stopped. A COMMAND without a handler for TERM ends by it, as it
/// is not PID 1.
#[derive(Debug, clap::Args, Plain)]
pub struct Init {
    /// Command to run, and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

impl Action for Init {
    const EXAMPLES: &'static [Example] = &[
        (
            "Be the entry point of a container image",
            "docker run --rm image ipc signal init -- ./server",
        ),
        (
            "Run a command in a PID namespace of its own",
            "unshare --pid --fork --mount-proc ipc signal init -- ./server",
        ),
    ];
    const STATUSES: Statuses = Statuses::OfCommand;

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let command = Command::new(&self.command)?;
        if !has_orphans() {
            context.output.note("this is not PID 1: orphans of COMMAND go to another process");
        }
        // The signals are blocked before the terminal is given away.
        let mut job = Job::new(forwarded());
        // The foreground could not be returned to a group outside of the PID namespace.
        let is_shared = process::own_group() == 0 && terminal::foreground(context.stdin) == Some(0);
        let group = (!is_shared).then(OwnGroup::lead);
        let _terminal = group.as_ref().and_then(|group| Foreground::take(context.stdin, group));
        let pid = job.start(&command, Streams::default())?;
        loop {
            match job.next(Deadline::NEVER)? {
                Waited::Done(Event::Ended(statuses)) => {
                    return Ok(statuses.into_iter().next().map_or(Exit::Done, job::exit_of));
                }
                Waited::Done(Event::Signal(signal)) => match group {
                    Some(_) => forward(&job, pid, signal),
                    None => job.send(signal),
                },
                Waited::TimedOut => {}
            }
        }
    }
}

/// Sends a signal to the group of COMMAND, in which this process is too, so that no other group can
/// have its number.
fn forward(job: &Job, pid: i32, signal: Signal) {
    let _ = process::kill_group(0, Some(signal));
    if process::group_of(pid).is_some_and(|group| group != process::own_group()) {
        job.send(signal);
    }
}

/// The signals that are forwarded besides those that every verb forwards.
fn forwarded() -> impl Iterator<Item = Signal> {
    Signal::all().filter(|&signal| match signal {
        Signal::KILL | Signal::STOP | Signal::CHLD => false,
        // A failed write is an error of the call.
        Signal::PIPE | Signal::XFSZ => false,
        // The kernel sends them for a fault of this process.
        signal if signal.is_fault() => false,
        // As PID 1, this process is in no shell's job.
        Signal::TSTP | Signal::TTIN | Signal::TTOU | Signal::CONT => has_orphans(),
        _ => true,
    })
}
