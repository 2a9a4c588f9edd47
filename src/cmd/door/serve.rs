//! `ipc door serve`.

use std::ffi::OsString;
use std::time::Duration;

use crate::app::arguments::Plain;
use crate::app::command::{Action, Example};
use crate::app::context::Context;
use crate::app::listen::{End, Serving};
use crate::base::exit::Exit;
use crate::base::name::FilePath;
use crate::base::units::{Size, Timeout};
use crate::server::door::{Commands, Door, Terms, denial};
use crate::server::event_loop::{self, Ended, Listening};
use crate::sys::descriptor::ClosedOnExec;
use crate::sys::socket::{KeepAlive, RIGHTS_MAX, SocketType};

use super::address;

/// Serve a procedure at a path
///
/// Each call runs COMMAND, with the argument of the caller as its stdin. The caller gets its stdout, its
/// stderr and its status; the calls run side by side. A call is over when COMMAND has ended: what it
/// leaves running cannot answer any more.
///
/// The environment of COMMAND has IPC_CALLER_PID, IPC_CALLER_UID and IPC_CALLER_GID, the process that
/// has connected and its effective user and group; IPC_DOOR_COOKIE; and IPC_CALLER_FDS, the number of
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
    /// Refuse arguments and answers that are longer; 64M if not given
    #[arg(long, value_name = "SIZE", default_value = "64M", hide_default_value = true)]
    max_size: Size,
    /// Take at most N descriptors of a caller; 253 if not given
    #[arg(
        long, value_name = "N", value_parser = clap::value_parser!(u32).range(..=253),
        hide_short_help = true,
    )]
    max_fds: Option<u32>,
    /// End a call that takes longer; its caller gets status 124
    #[arg(long, value_name = "DURATION")]
    call_timeout: Option<Timeout>,
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
            "A check of passwords that one user may call",
            "ipc door serve -m 666 --allow-uid 33 /run/check -- ./check-password",
        ),
    ];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let address = address(&self.path)?;
        let ready = self.serving.prepare()?;
        let _closed = ClosedOnExec::new();
        let terms = self.terms();
        // A COMMAND that does not exist is reported before the path appears.
        let procedure = Box::new(Commands::new(&self.command, terms.clone())?);
        let sockets = (SocketType::Seqpacket, KeepAlive::System);
        let output = &context.output;
        let Listening { admission, signals } =
            self.serving.open(&address, sockets, End::InOrder, ready, output)?;
        let admission = admission.refusing_by(denial());
        let limits = self.serving.limits(terms.connections());
        let mut door = Door::new(procedure, terms);
        let listening = Listening { admission, signals };
        Ok(match event_loop::serve(listening, &mut door, limits, output)? {
            Ended::Served(exit) => exit,
            Ended::BySignal(signal) => context.cancellation.by(signal),
        })
    }
}

impl Serve {
    fn terms(&self) -> Terms {
        Terms {
            max_calls: Terms::possible_calls(self.max_calls.map(|calls| calls as usize)),
            max_size: self.max_size.0,
            max_descriptors: self.max_fds.map_or(RIGHTS_MAX, |most| most as usize),
            call_timeout: self.call_timeout.and_then(limit),
            workers: 0,
            cookie: self.cookie.clone().unwrap_or_default(),
        }
    }
}

/// The duration, if there is a limit.
fn limit(timeout: Timeout) -> Option<Duration> {
    match timeout {
        Timeout::Forever => None,
        Timeout::For(duration) => Some(duration),
    }
}
