//! `ipc fd send`, `ipc fd recv`.

use std::ffi::OsString;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use crate::app::arguments::Plain;
use crate::app::command::{Action, Effect, Example, Statuses};
use crate::app::context::Context;
use crate::app::handover::{Given, become_with, command};
use crate::app::objects::report_wait;
use crate::app::options::{TimeLimit, done};
use crate::app::ready::Ready;
use crate::app::socket::{Connected, connect, listen, permissions, resolve};
use crate::base::deadline::{Deadline, Waited};
use crate::base::exit::{Exit, Failure, Subject};
use crate::base::units::{Permissions, Timeout};
use crate::io::output::Output;
use crate::mechanism::descriptors::{Error, Name, Named, receive, send};
use crate::mechanism::socket::address::{Address, Endpoint};
use crate::mechanism::socket::{Connecting, Terms};
use crate::server::admission::{Admission, Allowed};
use crate::sys::descriptor::{self, ClosedOnExec};
use crate::sys::poll;
use crate::sys::socket::{BACKLOG, KeepAlive};

/// Send descriptors to another process
///
/// The process has to listen at the address, as 'ipc fd recv' does, or any program that receives
/// SCM_RIGHTS. It gets copies, which share the position and the flags. All descriptors are in one
/// message, of at most 253; its text is FDNAMES= and their names, separated by colons.
///
/// Status 0 means that the peer has received the message. The timeout is for all of that.
#[derive(Debug, clap::Args, Plain)]
pub struct Send {
    /// A path with a slash, or @NAME
    address: Address,
    /// The descriptors of this process: N, or N=NAME
    #[arg(required = true, value_name = "FD")]
    descriptors: Vec<Given>,
    #[command(flatten)]
    connected: Connected,
    /// Try again for this long while no process listens
    #[arg(long, value_name = "DURATION")]
    retry: Option<Timeout>,
    #[command(flatten)]
    limit: TimeLimit,
}

impl Action for Send {
    const EXAMPLES: &'static [Example] = &[
        (
            "Hand a log file to a process that may not open it",
            "ipc fd send --retry 5s ./log 9=log 9>>/var/log/app.log",
        ),
        ("Send two, with names", "ipc fd send @helper 0=input 1=output"),
    ];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let borrow = |given: &Given| {
            let subject = given.number.to_string();
            Ok((given.name.clone(), descriptor::inherited(given.number).about(subject)?))
        };
        let all: Vec<(Name, BorrowedFd<'_>)> =
            self.descriptors.iter().map(borrow).collect::<anyhow::Result<_>>()?;
        self.connected.connections_only()?;
        let deadline = self.limit.deadline();
        let address = resolve(&self.address, context)?;
        let retry = match self.retry {
            None => Deadline::PASSED,
            Some(Timeout::Forever) => Deadline::NEVER,
            Some(Timeout::For(duration)) => Deadline::after(duration),
        };
        let how = Connecting { retry, ..Connecting::new(self.connected.kind, deadline) };
        let connected = connect(&address, how)?;
        let socket = done(Ok::<_, Failure>(connected)).about(&self.address)?;
        let named: Vec<(&Name, BorrowedFd<'_>)> =
            all.iter().map(|(name, descriptor)| (name, *descriptor)).collect();
        send(&socket, &named).map_err(failure).about(&self.address)?;
        let read = socket.wait_until_read(deadline).map_err(|errno| match errno.0 {
            libc::ECONNRESET => Failure::failed("the peer closed before it received them"),
            _ => errno.into(),
        });
        done(read).about(&self.address)?;
        Ok(Exit::Done)
    }
}

fn failure(error: Error) -> Failure {
    match error {
        Error::Kernel(errno) => errno.into(),
        Error::TooMany(_) | Error::NamesTooLong => Failure::new(Exit::Usage, error.to_string()),
        Error::Cut => Failure::failed(error.to_string())
            .hint("'prlimit --nofile' shows how many files a process may have open"),
        Error::None | Error::Ended => Failure::failed(error.to_string()),
    }
}

/// Become a command that gets descriptors of another process
///
/// This command listens at the address until a process has sent descriptors, as 'ipc fd send' does, and
/// then becomes COMMAND, which has them from number 3 up. Its environment has LISTEN_FDS, the number of
/// descriptors, LISTEN_FDNAMES, their names separated by colons ('unknown' for one without a name), and
/// LISTEN_PID, as for sd_listen_fds(3). COMMAND inherits no other descriptors but the standard ones.
///
/// The path appears with its permissions and is removed before COMMAND starts. Only processes of the
/// same user can connect, unless --mode says otherwise; to an abstract name, only they are admitted. A
/// peer that connects and sends no descriptors is reported and disconnected.
#[derive(Debug, clap::Args, Plain)]
pub struct Recv {
    /// A path with a slash, or @NAME
    address: Address,
    #[command(flatten)]
    connected: Connected,
    /// Permissions of the path; 0600 if not given
    ///
    /// Octal or symbolic; the umask does not apply.
    #[arg(short, long)]
    mode: Option<Permissions>,
    #[command(flatten)]
    ready: Ready,
    #[command(flatten)]
    limit: TimeLimit,
    /// Become this, with the descriptors from number 3 up
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

/// How long a peer that has connected may take to send.
const SENDING: Duration = Duration::from_secs(10);

impl Action for Recv {
    const EXAMPLES: &'static [Example] = &[
        (
            "Write to a log file that only the sender may open",
            "ipc fd recv ./log -- sh -c 'echo started >&3'",
        ),
        (
            "Serve at a socket that another process has opened",
            "ipc fd recv ./handover -- ipc sock serve fd:web -- ./handler",
        ),
    ];

    const STATUSES: Statuses = Statuses::OfCommand;

    const EFFECT: Effect = Effect::BecomesCommand;

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        self.connected.connections_only()?;
        let ready = self.ready.target()?;
        let _closed = ClosedOnExec::new();
        let command = command(&self.command)?;
        let address = resolve(&self.address, context)?;
        let mode = permissions(self.mode, &address)?;
        let (kind, keepalive) = (self.connected.kind, KeepAlive::System);
        let listener =
            listen(&address, Terms { kind, mode, owner: None, backlog: BACKLOG, keepalive })?;
        ready.write(listener.address().as_encoded_bytes())?;
        let allowed = match address.endpoint() {
            Endpoint::Abstract(_) => Allowed::Only { users: Vec::new(), groups: Vec::new() },
            _ => Allowed::All,
        };
        let admission = Admission::new(listener, allowed);
        let deadline = self.limit.deadline();
        let received = receive_from_any(admission, deadline, &context.output);
        let all = done(received).about(&self.address)?;
        Err(become_with(&command, all, &[]))
    }
}

/// Receives descriptors from the first peer that sends some. The path is removed afterwards.
fn receive_from_any(
    mut admission: Admission,
    deadline: Deadline,
    output: &Output,
) -> Result<Waited<Vec<Named>>, Failure> {
    report_wait(output, admission.address(), "for descriptors");
    loop {
        let Some(listener) = admission.listener() else { return Ok(Waited::TimedOut) };
        if poll::readable(listener.as_fd(), deadline)? == Waited::TimedOut {
            return Ok(Waited::TimedOut);
        }
        let Some(client) = admission.next(output)? else { continue };
        match receive(&client.socket, deadline.min(Deadline::after(SENDING))) {
            Ok(Waited::Done(all)) => return Ok(Waited::Done(all)),
            Ok(Waited::TimedOut) if deadline.has_passed() => return Ok(Waited::TimedOut),
            Ok(Waited::TimedOut) => output.warn("a peer has sent nothing and is disconnected"),
            Err(error @ Error::Cut) => return Err(failure(error)),
            Err(error) => output.warn(error),
        }
    }
}
