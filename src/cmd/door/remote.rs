//! `ipc door` with procedures of a server.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use crate::app::command::{Example, Manual, Noun, Statuses, Verb};
use crate::app::context::Context;
use crate::app::listen::{End, Serving};
use crate::app::options::{Framing, TimeLimit, done};
use crate::app::ready::{Ready, Target};
use crate::app::remote::{Remote, RemoteAction, answered};
use crate::base::deadline::{Deadline, Waited};
use crate::base::exit::{Exit, Failure, Subject};
use crate::base::units::{Size, Timeout};
use crate::mechanism::door::{Content, Gather, Reason, Refused};
use crate::mechanism::remote::call::{Answer, Calls};
use crate::mechanism::remote::{Error, RemoteName};
use crate::mechanism::socket::address::Address;
use crate::server::door::bridge::Bridge;
use crate::server::door::{Door, Extras, Terms, denial};
use crate::server::event_loop::{self, Ended, Listening};
use crate::sys::descriptor::ClosedOnExec;
use crate::sys::socket::{KeepAlive, SocketType};
use crate::sys::time;

use super::serve::{limit, procedure};

pub const NOUN: Noun = Noun {
    name: "door",
    about: "Serve procedures on a server",
    verbs: &[Verb::remote::<Serve>("serve"), Verb::remote::<Call>("call")],
    see_also: &[],
    manual: Manual::NONE,
};

/// The procedures of the server of a name.
fn calls(
    remote: &Remote,
    name: &RemoteName,
    deadline: Deadline,
) -> Result<Waited<Box<dyn Calls>>, Error> {
    Ok(remote.connect(name, deadline)?.map(|server| server.calls()))
}

/// Call a procedure on a server
///
/// One of the processes that serve it, on any machine, gets the argument: the operands, joined by spaces, or
/// stdin to its end. The stdout, the stderr and the status of the procedure are those of this command. The
/// status is 4 if no process serves it.
///
/// A call whose server ends, or is cut off, has status 3 after some seconds, and is never repeated: the
/// procedure may have run. A call that is ended by its timeout, or by a signal, ends the procedure.
#[derive(Debug, clap::Args)]
pub struct Call {
    /// Name of the procedure, such as nats://HOST/NAME
    name: RemoteName,
    /// The argument; stdin if there is none
    #[arg(value_name = "ARGUMENT")]
    argument: Vec<OsString>,
    #[command(flatten)]
    limit: TimeLimit,
}

impl RemoteAction for Call {
    const EXAMPLES: &'static [Example] =
        &[("Call a procedure with an argument", "ipc door call nats://broker/double 21")];
    const STATUSES: Statuses = Statuses::OfProcedure;

    fn run(self, remote: Remote, context: &mut Context) -> anyhow::Result<Exit> {
        let deadline = self.limit.deadline();
        let mut calls = answered(calls(&remote, &self.name, deadline), &self.name)?;
        let argument = self.argument(calls.limit(), context, deadline)?;
        let answer =
            calls.call(self.name.key(), &argument, deadline).map_err(|error| match error {
                Error::NotFound => Failure::new(Exit::NotFound, "no process serves it"),
                error => error.into(),
            });
        match done(answer).about(&self.name)? {
            Answer::Answer { status, outputs: [stdout, stderr] } => {
                let output = &mut context.output;
                output.bytes(&stdout)?;
                output.flush()?;
                if !stderr.is_empty() {
                    output.destinations().complain_bytes(&stderr);
                }
                Ok(Exit::Command(status))
            }
            Answer::Refusal { reason, words } => {
                let refused = Refused::Refused(Reason::of(reason), words);
                Err(Failure::from(refused)).about(&self.name)
            }
            Answer::Ended => Err(Failure::from(Refused::Ended)).about(&self.name),
        }
    }
}

impl Call {
    /// The operands, or stdin.
    fn argument(
        &self,
        limit: usize,
        context: &Context,
        deadline: Deadline,
    ) -> anyhow::Result<Vec<u8>> {
        if self.argument.is_empty() {
            let read = Gather::all_of(context.stdin, limit, deadline).map_err(Failure::from);
            return match done(read).about("standard input")? {
                Content::Bytes(bytes) => Ok(bytes),
                Content::File(..) => {
                    Err(Failure::from(Error::TooLarge { limit })).about("standard input")
                }
            };
        }
        let words: Vec<&[u8]> = self.argument.iter().map(|word| word.as_bytes()).collect();
        Ok(words.join(&b' '))
    }
}

/// Serve a procedure on a server
///
/// Each call runs COMMAND, with the argument of the caller as its stdin. The caller gets its stdout, its
/// stderr and its status. Several processes, on one or several machines, may serve the same procedure: each
/// call goes to one of them. An answer is at most as long as a message of the server.
///
/// COMMAND is in a process group of its own. If the caller leaves before it has its answer, the group gets
/// TERM, and KILL two seconds later; so it does after --call-timeout, and when the server ends.
///
/// The server does not know the users of other machines: its own accounts decide who may call. So there is
/// no --allow-uid, and COMMAND has no IPC_CALLER_PID, IPC_CALLER_UID and IPC_CALLER_GID.
#[derive(Debug, clap::Args)]
pub struct Serve {
    /// Name of the procedure, such as nats://HOST/NAME
    name: RemoteName,
    #[command(flatten)]
    ready: Ready,
    /// Let calls finish for this long after a signal
    #[arg(long, value_name = "DURATION", hide_short_help = true)]
    grace: Option<Timeout>,
    /// End after this long without a call
    #[arg(long, value_name = "DURATION", hide_short_help = true)]
    idle: Option<Timeout>,
    /// Answer at most N calls at a time; the others wait
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    max_calls: Option<u32>,
    /// Refuse longer arguments and answers
    #[arg(long, value_name = "SIZE")]
    max_size: Option<Size>,
    /// End a call that takes longer: status 124
    #[arg(long, value_name = "TIME")]
    call_timeout: Option<Timeout>,
    /// Keep COMMAND running for one call after another
    ///
    /// COMMAND reads arguments as records from stdin, and writes an answer to each as a record to stdout.
    /// --max-calls is the number of such processes, 1 by default.
    #[arg(long)]
    worker: bool,
    /// Read the status from the worker, as a record before each answer
    #[arg(long, requires = "worker", hide_short_help = true)]
    with_status: bool,
    #[command(flatten)]
    framing: Framing,
    /// A text that COMMAND gets in IPC_DOOR_COOKIE
    #[arg(long, value_name = "TEXT", hide_short_help = true)]
    cookie: Option<OsString>,
    /// Run this for each call, with the argument as stdin
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

impl RemoteAction for Serve {
    const EXAMPLES: &'static [Example] = &[(
        "A procedure that doubles a number",
        "ipc door serve nats://broker/double -- sh -c 'read n; echo $((2 * n))'",
    )];

    fn run(self, remote: Remote, context: &mut Context) -> anyhow::Result<Exit> {
        let ready = self.ready.target()?;
        let _closed = ClosedOnExec::new();
        let calls = answered(calls(&remote, &self.name, Deadline::NEVER), &self.name)?;
        let terms = self.terms(calls.limit());
        let extras = Extras { callers: false, statuses: self.with_status };
        let worker = self.worker.then_some((self.framing.form(), extras));
        // A COMMAND that does not exist is reported before the procedure can be called.
        let procedure = procedure(&self.command, worker, &terms, &context.output)?;
        let address = private_address();
        let serving = Serving::within_process(self.grace, self.idle);
        let sockets = (SocketType::Seqpacket, KeepAlive::System);
        let Listening { manager, admission, signals } =
            serving.open(&address, sockets, End::InOrder, Target::None, context)?;
        let requests = calls.serve(self.name.key()).map_err(Failure::from).about(&self.name)?;
        let bridge = Bridge::start(requests, address).map_err(Failure::from).about(&self.name)?;
        ready.write(self.name.as_ref().as_bytes())?;
        let admission = admission.refusing_by(denial());
        let limits = serving.limits(terms.connections(), End::InOrder);
        let mut door = Door::new(procedure, terms);
        let listening = Listening { manager, admission, signals };
        let ended = event_loop::serve(listening, &mut door, limits, &context.output);
        // It ends its processes, and their callers hear of that, before a signal ends this one.
        drop(door);
        drop(bridge);
        Ok(match ended? {
            Ended::Served(exit) => exit,
            Ended::BySignal(signal) => context.cancellation.by(signal),
        })
    }
}

impl Serve {
    fn terms(&self, most: usize) -> Terms {
        let asked = self.max_calls.map(|calls| calls as usize);
        let max_calls = Terms::possible_calls(asked.or(self.worker.then_some(1)));
        Terms {
            max_calls,
            max_size: self.max_size.map_or(most as u64, |Size(size)| size.min(most as u64)),
            max_descriptors: 0,
            call_timeout: self.call_timeout.and_then(limit),
            workers: if self.worker { max_calls } else { 0 },
            cookie: self.cookie.clone().unwrap_or_default(),
            knows_callers: false,
        }
    }
}

/// An abstract address that only processes of this user can connect to.
fn private_address() -> Address {
    let text = format!("@ipc-door-{}-{:x}", std::process::id(), time::now());
    Address::new(OsStr::new(&text)).expect("it has the form of an abstract name")
}
