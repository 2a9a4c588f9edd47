//! `ipc fd hold`, `ipc fd store`, `ipc fd take`, `ipc fd drop`.

use std::ffi::OsString;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;
use std::time::Duration;

use crate::app::arguments::Plain;
use crate::app::command::{Action, Effect, Example, Statuses};
use crate::app::context::Context;
use crate::app::door::{address, connect};
use crate::app::handover::{Given, become_with, command};
use crate::app::listen::{End, Serving};
use crate::app::options::{TimeLimit, done};
use crate::app::socket::listen;
use crate::base::deadline::Waited;
use crate::base::exit::{Exit, Failure, Subject, about};
use crate::base::name::FilePath;
use crate::base::units::Timeout;
use crate::mechanism::descriptors::holder::{Request, notify_path};
use crate::mechanism::descriptors::{Error, Name, Named, receive};
use crate::mechanism::door::{Answer, Caller, Content};
use crate::mechanism::socket::address::Address;
use crate::server::door::{Door, Terms, denial};
use crate::server::event_loop::{self, Ended, Listening};
use crate::server::holder::{Holder, Holding};
use crate::sys::descriptor;
use crate::sys::socket::{KeepAlive, RIGHTS_MAX, Socket, SocketType};

/// Hold descriptors between the restarts of a service
///
/// This command serves PATH for 'ipc fd store', 'ipc fd take', 'ipc fd drop' and 'ipc fd ls', and holds
/// what is stored: a listening socket stays open, so that clients wait while its server restarts, and so
/// does a connection. 'take' gives copies: a service that is killed right after it loses nothing. A
/// descriptor is held until it is dropped, until --expire after it was stored, until the peer of its
/// socket or pipe has hung up, or until this command ends.
///
/// PATH.notify is a socket for services that are written for the file descriptor store of systemd:
/// 'ipc fd take' sets NOTIFY_SOCKET to it. It understands FDSTORE=1, FDNAME=, FDPOLL=0 and
/// FDSTOREREMOVE=1 of sd_pid_notify_with_fds(3), and ignores all else.
///
/// A descriptor belongs to the user that has stored it. Only this user, the user of the holder and root
/// see, take and drop it. Other users can connect only with --mode and --allow-uid. A descriptor that is
/// stored twice is held once, with the new name and time.
#[derive(Debug, clap::Args, Plain)]
#[command(mut_args(|arg| match arg.get_id().as_str() {
    "grace" | "idle" => arg.hide_short_help(true),
    _ => arg,
}))]
pub struct Hold {
    /// The path of the holder
    path: FilePath,
    #[command(flatten)]
    serving: Serving,
    /// Close a descriptor this long after it was stored
    #[arg(long, value_name = "DURATION")]
    expire: Option<Timeout>,
    /// Hold at most N descriptors
    ///
    /// Without it, half of those that this process may have.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    max_fds: Option<u32>,
}

impl Action for Hold {
    const EXAMPLES: &'static [Example] = &[
        ("Hold descriptors for the services of this user", "ipc fd hold $XDG_RUNTIME_DIR/held"),
        (
            "A server whose socket survives its restarts",
            "ipc fd hold ./held & ipc sock serve ./web --activate -- ipc fd store ./held 3=web; \
             ipc fd take ./held -- ipc sock serve fd:web --grace 10s -- ./handler",
        ),
    ];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let own = address(&self.path)?;
        let ready = self.serving.prepare()?;
        let notify = notify_path(own.path().unwrap_or(Path::new("")));
        let notify = Address::new(notify.as_os_str());
        let notify = notify.map_err(|error| Failure::new(Exit::Usage, error.to_string()));
        let notify = notify.about(&self.path)?;
        let terms = self.serving.socket_terms(&notify, SocketType::Dgram)?;
        let notify = listen(&notify, terms)?;
        let most = self.max_fds.map_or(descriptor::limit() / 2, |most| most as usize);
        let allowed = self.serving.allowed(&own)?;
        let holding = Holding { allowed, expire: duration(self.expire), most };
        let holder = Holder::new(holding, notify, context.output.notes()).about(&self.path)?;
        let sockets = (SocketType::Seqpacket, KeepAlive::System);
        let Listening { manager, admission, signals } =
            self.serving.open(&own, sockets, End::InOrder, ready, context)?;
        let admission = admission.refusing_by(denial());
        let listening = Listening { manager, admission, signals };
        let terms = Terms {
            max_calls: 1,
            max_size: 1 << 20,
            max_descriptors: RIGHTS_MAX,
            call_timeout: None,
            workers: 0,
            cookie: OsString::new(),
            knows_callers: true,
        };
        let limits = self.serving.limits(terms.connections(), End::InOrder);
        let mut door = Door::new(Box::new(holder), terms);
        let ended = event_loop::serve(listening, &mut door, limits, &context.output)?;
        // Its other path goes before a signal ends the process.
        drop(door);
        Ok(match ended {
            Ended::Served(exit) => exit,
            Ended::BySignal(signal) => context.cancellation.by(signal),
        })
    }
}

fn duration(timeout: Option<Timeout>) -> Option<Duration> {
    match timeout {
        Some(Timeout::For(duration)) => Some(duration),
        Some(Timeout::Forever) | None => None,
    }
}

/// Store descriptors at a holder
///
/// The holder gets copies, which share the position and the flags. The status is 0 when it has them.
#[derive(Debug, clap::Args, Plain)]
pub struct Store {
    /// The path of the holder
    path: FilePath,
    /// The descriptors of this process: N, or N=NAME
    #[arg(required = true, value_name = "FD")]
    descriptors: Vec<Given>,
    /// Have the holder close them this long after that
    #[arg(long, value_name = "DURATION")]
    expire: Option<Timeout>,
    #[command(flatten)]
    limit: TimeLimit,
}

impl Action for Store {
    const EXAMPLES: &'static [Example] = &[
        (
            "Store a listening socket",
            "ipc sock serve ./web --activate -- ipc fd store ./held 3=web",
        ),
        (
            "Keep a client connected while its server restarts",
            "ipc sock serve --once ./chat -- ipc fd store ./held 0=client; \
             ipc fd take ./held -- sh -c 'read word <&3; echo \"$word?\" >&3'",
        ),
        ("Store a file for an hour", "ipc fd store --expire 1h ./held 9=draft 9<>draft"),
    ];

    fn run(self, _context: &mut Context) -> anyhow::Result<Exit> {
        if self.descriptors.len() > RIGHTS_MAX {
            let reason = Error::TooMany(self.descriptors.len()).to_string();
            return Err(Failure::new(Exit::Usage, reason)).about("FD");
        }
        let borrow =
            |given: &Given| descriptor::inherited(given.number).about(given.number.to_string());
        let lent: Vec<BorrowedFd<'_>> =
            self.descriptors.iter().map(borrow).collect::<anyhow::Result<_>>()?;
        let names = self.descriptors.iter().map(|given| given.name.clone()).collect();
        let request = Request::Store { expire: duration(self.expire), names };
        let mut caller = connect(&self.path, self.limit.deadline())?;
        ask(&mut caller, &self.path, &request, &lent)?;
        Ok(Exit::Done)
    }
}

/// Become a command that gets copies of the descriptors of a holder
///
/// COMMAND has all descriptors that this user may have, from number 3 up, in the order in which they were
/// stored. Its environment has LISTEN_FDS, LISTEN_FDNAMES and LISTEN_PID, as for sd_listen_fds(3), unless
/// there is none, and NOTIFY_SOCKET, at which COMMAND can store more. The holder keeps its own: if
/// COMMAND is killed, the next 'take' gives them again.
#[derive(Debug, clap::Args, Plain)]
pub struct Take {
    /// The path of the holder
    path: FilePath,
    #[command(flatten)]
    limit: TimeLimit,
    /// Become this, with the descriptors from number 3 up
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

impl Action for Take {
    const EXAMPLES: &'static [Example] = &[
        (
            "Restart a server without refusing a client",
            "while :; do ipc fd take ./held -- ./server; done",
        ),
        ("Serve at a stored socket", "ipc fd take ./held -- ipc sock serve fd:web -- ./handler"),
    ];

    const STATUSES: Statuses = Statuses::OfCommand;

    const EFFECT: Effect = Effect::BecomesCommand;

    fn run(self, _context: &mut Context) -> anyhow::Result<Exit> {
        let _closed = descriptor::ClosedOnExec::new();
        let command = command(&self.command)?.without(&["NOTIFY_SOCKET="]);
        let (own, far) = Socket::pair(SocketType::Seqpacket).about(&self.path)?;
        let deadline = self.limit.deadline();
        let mut caller = connect(&self.path, deadline)?;
        ask(&mut caller, &self.path, &Request::Take, &[far.as_fd()])?;
        drop(far);
        let mut all: Vec<Named> = Vec::new();
        loop {
            match receive(&own, deadline) {
                Ok(Waited::Done(some)) => all.extend(some),
                Ok(Waited::TimedOut) => return Err(Failure::timed_out()).about(&self.path),
                Err(Error::Ended) => break,
                Err(error) => return Err(Failure::failed(error.to_string())).about(&self.path),
            }
        }
        let notify = std::path::absolute(notify_path(Path::new(self.path.as_ref())));
        let notify = notify.unwrap_or_default();
        let variables = [("NOTIFY_SOCKET", notify.as_os_str().as_encoded_bytes())];
        Err(become_with(&command, all, &variables))
    }
}

/// Have a holder close descriptors
///
/// All descriptors of these names that this user may have are closed. Copies that were taken stay open.
#[derive(Debug, clap::Args, Plain)]
pub struct Drop {
    /// The path of the holder
    path: FilePath,
    /// Their names
    #[arg(required = true, value_name = "NAME")]
    names: Vec<String>,
    #[command(flatten)]
    limit: TimeLimit,
}

impl Action for Drop {
    const EXAMPLES: &'static [Example] =
        &[("Stop listening, once the server has ended", "ipc fd drop ./held web")];

    fn run(self, _context: &mut Context) -> anyhow::Result<Exit> {
        let checked = |name: &String| {
            let checked = Name::new(name);
            checked.map_err(|error| Failure::new(Exit::Usage, error.to_string())).about(name)
        };
        let names: Vec<Name> = self.names.iter().map(checked).collect::<anyhow::Result<_>>()?;
        let mut caller = connect(&self.path, self.limit.deadline())?;
        ask(&mut caller, &self.path, &Request::Drop(names), &[])?;
        Ok(Exit::Done)
    }
}

/// Asks a holder, and returns its answer.
pub fn ask(
    caller: &mut Caller,
    path: &FilePath,
    request: &Request,
    lent: &[BorrowedFd<'_>],
) -> anyhow::Result<Vec<u8>> {
    let answer = caller.call(Content::Bytes(request.encode()), lent).map_err(Failure::from);
    let Answer { status, contents: [content, _] } = done(answer).about(path)?;
    let bytes = content.into_bytes().about(path)?;
    if status == 0 {
        return Ok(bytes);
    }
    let failure = Failure::new(Exit::NotFound, "no such descriptor is held");
    Err(about(about(failure, String::from_utf8_lossy(&bytes).as_ref()), path))
}
