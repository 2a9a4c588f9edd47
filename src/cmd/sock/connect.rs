//! `ipc sock connect`.

use std::ffi::OsString;

use crate::app::arguments::Plain;
use crate::app::command::{Action, Example};
use crate::app::context::Context;
use crate::app::objects::tell_wait;
use crate::app::options::Framing;
use crate::app::options::Waiting;
use crate::base::deadline::{Deadline, Waited};
use crate::base::exit::{Exit, Failure, Subject};
use crate::base::units::Timeout;
use crate::io::output::Output;
use crate::mechanism::socket::Connecting;
use crate::mechanism::socket::activation;
use crate::mechanism::socket::address::Address;
use crate::mechanism::socket::duplex;
use crate::mechanism::socket::duplex::Terms;
use crate::run::job;
use crate::sys::descriptor;
use crate::sys::socket::Socket;
use crate::sys::spawn::Streams;

use crate::app::socket::{Connected, Silence, connect};
use crate::cmd::sock::{Lifetime, OneWay};

/// Connect stdin and stdout to a socket
///
/// Stdin goes to the socket, and what comes from it goes to stdout. At the end of stdin the peer is
/// told that nothing more comes. 'ipc' then waits until the peer has sent its own end and has read
/// everything, however long that takes; --max-time limits it, and -v says how much is unread. If the
/// peer closes first, that is the end as well.
///
/// Status 0 means that every byte the peer sent is on stdout, and that the peer, at a Unix socket,
/// had read all that was sent. It does not say what the peer did with that. A peer that closed
/// before is an error, with status 3. Over TCP, status 0 means that the kernel of the peer had
/// acknowledged everything: more cannot be known. In both cases the end of what a peer sends does not
/// prove that it had nothing more to say: a peer that was killed after it had read everything looks
/// like one that has closed.
///
/// With --recv-only, nothing is sent, and the connection ends when the peer sends its end. With
/// --send-only, what the peer sends is dropped.
///
/// Where stdin is a file, the kernel sends its pages as they are: what is written to it later shows
/// until the peer has read them.
///
/// A socket of type seqpacket carries messages: each record of stdin becomes one, and each one
/// that is received becomes a record of stdout. An empty message is a message.
///
/// A TCP peer that has closed cannot be told from one that only sends no more: when it does, we
/// send what stdin has at that moment and end. What is written to a TCP socket is sent at once
/// (TCP_NODELAY).
///
/// Nothing is encrypted. For TLS, let socat listen at a path and connect to the host, as in the
/// examples, or stunnel, with 'client = yes', 'accept = /run/user/1000/tls' and 'connect =
/// example.org:443'.
///
/// With a COMMAND, that has the socket itself, and no byte passes through us.
///
/// The timeout is for connecting, which waits where the backlog of the server is full. A server of
/// names that does not answer is given up a second after it.
#[derive(Debug, clap::Args, Plain)]
pub struct Connect {
    /// Address of the socket: a path with a slash, @NAME, tcp:HOST:PORT or vsock:CID:PORT
    address: Address,
    #[command(flatten)]
    connected: Connected,
    /// Connect from this address: tcp:HOST:PORT, where port 0 is any that is free
    #[arg(long, value_name = "ADDRESS")]
    bind: Option<Address>,
    /// Where nobody listens, try again for this long
    #[arg(long, value_name = "DURATION")]
    retry: Option<Timeout>,
    #[command(flatten)]
    waiting: Waiting,
    #[command(flatten)]
    lifetime: Lifetime,
    #[command(flatten)]
    one_way: OneWay,
    #[command(flatten)]
    silence: Silence,
    #[command(flatten)]
    framing: Framing,
    /// What has the socket as its stdin and stdout, instead of ours; we become it
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

impl Action for Connect {
    const EXAMPLES: &'static [Example] = &[
        ("Ask a server", "echo status | ipc sock connect /run/server"),
        ("Talk to one that is about to start", "ipc sock connect --retry 5s @jobs"),
        ("Listen to a hub, and say nothing", "ipc sock connect --recv-only /run/hub >>log"),
        ("Let a program have the connection", "ipc sock connect @jobs -- ./worker"),
        (
            "Leave from a port that a firewall lets through",
            "ipc sock connect --bind tcp::4711 tcp:host:80",
        ),
        (
            "Speak TLS, with socat behind a path",
            "socat UNIX-LISTEN:./tls OPENSSL:example.org:443 & ipc sock connect --retry 5s ./tls",
        ),
        (
            "Send a message for each line",
            "printf 'a\\nb\\n' | ipc sock connect --type seqpacket @jobs",
        ),
    ];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let output = &mut context.output;
        self.connected.connections_only()?;
        if !self.command.is_empty() {
            self.lifetime.only_with_our_streams()?;
            self.one_way.only_with_our_streams()?;
        }
        let lifetime = self.lifetime.deadline();
        let deadline = self.waiting.deadline().min(lifetime);
        descriptor::keep_to_ourselves();
        let retry = match self.retry {
            None => Deadline::PASSED,
            Some(Timeout::Forever) => Deadline::NEVER,
            Some(Timeout::For(duration)) => Deadline::after(duration),
        };
        let how = Connecting {
            source: self.bind.as_ref(),
            keepalive: self.silence.keepalive(),
            retry,
            ..Connecting::new(self.connected.kind, deadline)
        };
        let connected = self.connect(how, output)?;
        let socket = self.waiting.or_error(connected).about(&self.address)?;
        if !self.command.is_empty() {
            let command = activation::hide(job::Command::new(&self.command)?);
            job::start_clean();
            return Err(command.exec(Streams::both(&socket), &[]));
        }
        let (input, mut outlet) = duplex::ends(self.connected.kind, self.framing.form());
        let terms = Terms { directions: self.one_way.directions(), deadline: lifetime };
        let (_, held) = duplex::hold(socket, input, &mut outlet, terms, output)?;
        held.map_err(Failure::from).about(&self.address)?;
        Ok(Exit::Done)
    }
}

impl Connect {
    /// Connects; with --verbose it says when it has to wait for a listener.
    fn connect(&self, how: Connecting<'_>, output: &Output) -> anyhow::Result<Waited<Socket>> {
        if !output.is_verbose() || how.retry == Deadline::PASSED {
            return connect(&self.address, how);
        }
        match connect(&self.address, Connecting { retry: Deadline::PASSED, ..how }) {
            Err(error) if Exit::of(&error) == Exit::NotFound => {
                tell_wait(output, &self.address, "for a listener");
                connect(&self.address, how)
            }
            connected => connected,
        }
    }
}
