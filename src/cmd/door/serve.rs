//! `ipc door serve`.

use std::ffi::OsString;
use std::time::Duration;

use crate::app::arguments::Plain;
use crate::app::command::{Action, Example};
use crate::app::context::Context;
use crate::app::door::address;
use crate::app::listen::{End, Serving};
use crate::app::options::Framing;
use crate::base::exit::{Exit, Failure, Subject};
use crate::base::name::FilePath;
use crate::base::units::{Size, Timeout};
use crate::io::frame::Form;
use crate::io::output::Output;
use crate::server::door::{Commands, Door, Extras, Procedure, Terms, Workers, denial};
use crate::server::event_loop::{self, Ended, Listening};
use crate::sys::descriptor::ClosedOnExec;
use crate::sys::socket::{KeepAlive, RIGHTS_MAX, SocketType};

/// Serve a procedure at a path
///
/// Each call runs COMMAND, with the argument of the caller as its stdin. The caller gets its stdout, its
/// stderr and its status; the calls run side by side. A call is over when COMMAND has ended: what it
/// leaves running cannot answer any more.
///
/// The environment of COMMAND has IPC_CALLER_PID, IPC_CALLER_UID and IPC_CALLER_GID, the process that
/// has connected and its effective user and group (the process is 0 if it is outside of the PID namespace
/// of the server); IPC_DOOR_COOKIE; and IPC_CALLER_FDS, the number of
/// descriptors that the caller lends, which COMMAND has from number 3 up. IPC_CALLER_PIDFD is the number
/// of a descriptor of the calling process, where the kernel has that (Linux 6.5): unlike a process ID, it
/// never means another process.
///
/// COMMAND is in a process group of its own. If the caller leaves before it has its answer, the group
/// gets TERM, and KILL two seconds later; so it does after --call-timeout, and when the server ends.
///
/// A path appears with its final permissions, when the server already listens. The path of a dead server
/// is taken over; a path that a process has open is refused with status 5; a file that is not a socket
/// is never removed. The server removes its path at the end, also when INT, TERM or HUP ends it.
///
/// By default only processes of the same user can connect. With --mode and --allow-uid others can; a
/// user that is not named gets status 6.
///
/// A procedure that calls its own door gets another call, unless all calls that the server takes at a
/// time are in progress and wait for each other: that is an error of the last one, and not a hang.
///
/// Solaris has more: there the thread of the caller runs in the server, with its CPU and priority, and
/// a server learns when the last descriptor of a door is closed. On Linux the scheduler sees two
/// processes, and a path has no references to count; 'ipc door serve --idle' ends a server without
/// callers. 'varlinkctl serve' and 'varlinkctl call' do the same with JSON and an interface description;
/// D-Bus has a broker, names and signals for many services; HTTP over a Unix socket (curl
/// --unix-socket) has proxies and tools, and no descriptors or credentials.
#[derive(Debug, clap::Args, Plain)]
#[command(mut_args(|arg| match arg.get_id().as_str() {
    // These are less common here than in 'ipc sock serve'.
    "grace" | "idle" | "null" => arg.hide_short_help(true),
    _ => arg,
}))]
pub struct Serve {
    /// The path of the door
    path: FilePath,
    #[command(flatten)]
    serving: Serving,
    /// Answer at most N calls at a time; the others wait
    ///
    /// Without it, as many as the server has descriptors for.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    max_calls: Option<u32>,
    /// Refuse longer arguments and answers (64M)
    #[arg(long, value_name = "SIZE", default_value = "64M", hide_default_value = true)]
    max_size: Size,
    /// Take at most N descriptors of a caller; 253 if not given, 0 with --worker
    #[arg(
        long, value_name = "N", value_parser = clap::value_parser!(u32).range(..=253),
        hide_short_help = true,
    )]
    max_fds: Option<u32>,
    /// End a call that takes longer: status 124
    #[arg(long, value_name = "TIME")]
    call_timeout: Option<Timeout>,
    /// Keep COMMAND running for one call after another
    ///
    /// COMMAND reads arguments as records from stdin, and writes an answer to each as a record to stdout:
    /// lines, or what --null or --frame says. No process is started for a call. An argument may end with
    /// a newline, and has no other one. Stderr of COMMAND is that of the server; the status of a call is
    /// 0. COMMAND has to write each answer at once: programs that buffer their output need something
    /// like stdbuf(1).
    ///
    /// --max-calls is the number of such processes, 1 by default. A process that ends, that writes
    /// anything but one answer for each call, or that does not answer within --call-timeout is replaced,
    /// and the caller gets an error. If a caller leaves, the answer to it is read and discarded.
    #[arg(long)]
    worker: bool,
    /// Write 'PID UID GID' of the caller to the worker, as a record before each argument
    #[arg(long, requires = "worker", hide_short_help = true)]
    with_caller: bool,
    /// Read the status from the worker, as a record before each answer
    #[arg(long, requires = "worker", hide_short_help = true)]
    with_status: bool,
    #[command(flatten)]
    framing: Framing,
    /// A text that COMMAND and 'ipc door info' get
    #[arg(long, value_name = "TEXT")]
    cookie: Option<OsString>,
    /// Run this for each call, with the argument as stdin
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

impl Action for Serve {
    const EXAMPLES: &'static [Example] = &[
        (
            "A procedure that doubles a number",
            "ipc door serve ./double -- sh -c 'read n; echo $((2 * n))'",
        ),
        (
            "The same, without a process for each call",
            "ipc door serve --worker ./double -- sh -c 'while read n; do echo $((2 * n)); done'",
        ),
        (
            "A check of passwords that one user may call",
            "ipc door serve -m 666 --allow-uid 33 ./check -- \
             sh -c 'read -r try; [ \"$try\" = \"$(cat secret)\" ]'",
        ),
    ];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let address = address(&self.path)?;
        let ready = self.serving.prepare()?;
        let _closed = ClosedOnExec::new();
        let terms = self.terms();
        // A COMMAND that does not exist is reported before the path appears.
        let extras = Extras { callers: self.with_caller, statuses: self.with_status };
        let worker = self.worker.then_some((self.framing.form(), extras));
        let procedure = procedure(&self.command, worker, &terms, &context.output)?;
        let sockets = (SocketType::Seqpacket, KeepAlive::System);
        let Listening { manager, admission, signals } =
            self.serving.open(&address, sockets, End::InOrder, ready, context)?;
        let admission = admission.refusing_by(denial());
        let limits = self.serving.limits(terms.connections(), End::InOrder);
        let mut door = Door::new(procedure, terms);
        let listening = Listening { manager, admission, signals };
        let ended = event_loop::serve(listening, &mut door, limits, &context.output);
        // It ends its processes, before a signal ends this one.
        drop(door);
        Ok(match ended? {
            Ended::Served(exit) => exit,
            Ended::BySignal(signal) => context.cancellation.by(signal),
        })
    }
}

impl Serve {
    fn terms(&self) -> Terms {
        let asked = self.max_calls.map(|calls| calls as usize);
        let max_calls = Terms::possible_calls(asked.or(self.worker.then_some(1)));
        let most = if self.worker { 0 } else { RIGHTS_MAX };
        Terms {
            max_calls,
            max_size: self.max_size.0,
            max_descriptors: self.max_fds.map_or(most, |asked| most.min(asked as usize)),
            call_timeout: self.call_timeout.and_then(limit),
            workers: if self.worker { max_calls } else { 0 },
            cookie: self.cookie.clone().unwrap_or_default(),
            knows_callers: true,
        }
    }
}

/// What answers calls: a COMMAND for each, or workers that read records of this form.
pub fn procedure(
    words: &[OsString],
    worker: Option<(Form, Extras)>,
    terms: &Terms,
    output: &Output,
) -> anyhow::Result<Box<dyn Procedure>> {
    let terms = terms.clone();
    match worker {
        None => Ok(Box::new(Commands::new(words, terms)?)),
        Some((Form::Whole, _)) => {
            let reason = "a worker needs the end of each argument";
            Err(Failure::new(Exit::Usage, reason)).about("--frame whole")
        }
        Some((form, extras)) => {
            Ok(Box::new(Workers::new(words, form, extras, terms, output.notes())?))
        }
    }
}

/// The duration, if there is a limit.
pub fn limit(timeout: Timeout) -> Option<Duration> {
    match timeout {
        Timeout::Forever => None,
        Timeout::For(duration) => Some(duration),
    }
}
