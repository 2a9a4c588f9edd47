//! `ipc sock connect`.

use std::ffi::OsString;
use std::sync::Arc;

use crate::app::arguments::Plain;
use crate::app::command::{Action, Effect, Example};
use crate::app::context::Context;
use crate::app::objects::report_wait;
use crate::app::options::Framing;
use crate::app::options::{Reporting, Waiting};
use crate::base::deadline::{Deadline, Waited};
use crate::base::exit::{Exit, Failure, Subject};
use crate::base::units::Timeout;
use crate::io::output::Output;
use crate::io::progress::{Flow, Progress};
use crate::io::transfer::Counter;
use crate::mechanism::socket::Connecting;
use crate::mechanism::socket::activation;
use crate::mechanism::socket::address::Address;
use crate::mechanism::socket::duplex;
use crate::mechanism::socket::duplex::{Terms, Traffic};
use crate::mechanism::socket::expiry::Expiry;
use crate::run::job;
use crate::sys::descriptor::ClosedOnExec;
use crate::sys::offset::remaining;
use crate::sys::socket::Socket;
use crate::sys::spawn::Streams;

use crate::app::socket::{Connected, Silence, connect, resolve};
use crate::cmd::sock::{Lifetime, OneWay, not_with_stdio};

/// Connect stdin and stdout to a socket
///
/// Stdin is sent to the socket, and bytes from the socket go to stdout. The end of stdin is sent to the
/// peer. 'ipc' then waits until the peer has sent its own end and has read everything, without a limit;
/// --max-time sets one, and -v reports the number of unread bytes. The connection also ends when the peer
/// closes first.
///
/// Status 0 means that stdout has every byte of the peer, and that the peer, at a Unix socket, has read
/// every byte that was sent; it does not mean that the peer has processed them. If the peer closes
/// earlier, the status is 3. Over TCP, status 0 means that the kernel of the peer has acknowledged every
/// byte: more is not known. For both, the end of the peer's bytes does not prove that they are complete: a
/// peer that was killed after it had read everything looks like one that has closed.
///
/// With --recv-only, nothing is sent, and the connection ends when the peer sends its end. With
/// --send-only, bytes from the peer are dropped.
///
/// If stdin is a file, the kernel sends its pages themselves: a later change of the file shows until the
/// peer has read them.
///
/// A socket of type seqpacket carries messages: each record of stdin becomes one, and each one that is
/// received becomes a record of stdout. An empty message is a message.
///
/// A TCP peer that has sent its end may have closed or may still read; the two look the same. 'ipc' then
/// sends the input that is there at that moment, and ends. Bytes for a TCP socket are sent at once
/// (TCP_NODELAY).
///
/// Nothing is encrypted. For TLS, let socat listen at a path and connect to the host, as in the
/// examples, or stunnel, with 'client = yes', 'accept = /run/user/1000/tls' and 'connect =
/// example.org:443'.
///
/// With a COMMAND, 'ipc' becomes the COMMAND, which has the socket as its stdin and stdout.
///
/// The timeout limits the wait for the connection, which is long while the backlog of the server is full.
/// A name server that does not answer is given up one second after the timeout.
#[derive(Debug, clap::Args, Plain)]
pub struct Connect {
    /// A path with a slash, @NAME, tcp:HOST:PORT or vsock:CID:PORT
    address: Address,
    #[command(flatten)]
    connected: Connected,
    /// Connect from this address: tcp:HOST:PORT
    ///
    /// Port 0 is any free port.
    #[arg(long, value_name = "ADDRESS", hide_short_help = true)]
    bind: Option<Address>,
    /// Try again for this long while no process listens
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
    #[command(flatten)]
    reporting: Reporting,
    /// Become COMMAND, with the socket as its stdin and stdout
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

impl Action for Connect {
    const EXAMPLES: &'static [Example] = &[
        ("Ask a server", "echo status | ipc sock connect /run/server"),
        ("Connect to a server that is about to start", "ipc sock connect --retry 5s @jobs"),
        ("Receive from a hub, and send nothing", "ipc sock connect --recv-only /run/hub >>log"),
        ("Give the connection to a program", "ipc sock connect @jobs -- ./worker"),
        (
            "Connect from a port that a firewall allows",
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

    const EFFECT: Effect = Effect::BecomesCommand;

    fn run(mut self, context: &mut Context) -> anyhow::Result<Exit> {
        self.connected.connections_only()?;
        if !self.command.is_empty() {
            self.lifetime.not_with_command()?;
            self.one_way.only_with_stdio()?;
            if self.reporting.is_given() {
                return Err(not_with_stdio()).about("--progress");
            }
        }
        let lifetime = self.lifetime.deadline();
        let deadline = self.waiting.deadline().min(lifetime);
        let _closed = (!self.command.is_empty()).then(ClosedOnExec::new);
        self.address = resolve(&self.address, context)?;
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
        let connected = self.connect(how, &context.output)?;
        let socket = self.waiting.or_error(connected).about(&self.address)?;
        if !self.command.is_empty() {
            let command = activation::hide(job::Command::new(&self.command)?);
            job::start_clean();
            return Err(command.exec(Streams::both(&socket), &[]));
        }
        let (kind, form) = (self.connected.kind, self.framing.form());
        let (mut input, mut outlet) = duplex::ends(kind, form, context.stdin, context.stdout);
        let expiry = Expiry::new(lifetime, self.lifetime.idle());
        let traffic = Traffic::default();
        let _progress = self.report(&traffic, context);
        let terms = Terms { directions: self.one_way.directions(), expiry, traffic };
        let passed = duplex::run(socket, &mut input, &mut outlet, terms, &mut context.output)?;
        passed.map_err(Failure::from).about(&self.address)?;
        Ok(Exit::Done)
    }
}

impl Connect {
    /// Shows how many bytes were sent and received.
    fn report(&self, traffic: &Traffic, context: &Context) -> Progress {
        let (stdin, stdout) = (context.stdin, context.stdout);
        let flow = |label, moved: &Arc<Counter>, expected| Flow {
            label,
            moved: Arc::clone(moved),
            expected,
        };
        let sent = flow("sent ", &traffic.sent, remaining(stdin));
        let received = flow("received ", &traffic.received, None);
        self.reporting.start(&context.output, &[&stdin, &stdout], vec![sent, received])
    }

    /// Connects; with --verbose it reports a wait for a listener.
    fn connect(&self, how: Connecting<'_>, output: &Output) -> anyhow::Result<Waited<Socket>> {
        if !output.is_verbose() || how.retry == Deadline::PASSED {
            return connect(&self.address, how);
        }
        match connect(&self.address, Connecting { retry: Deadline::PASSED, ..how }) {
            Err(error) if Exit::of(&error) == Exit::NotFound => {
                report_wait(output, &self.address, "for a listener");
                connect(&self.address, how)
            }
            connected => connected,
        }
    }
}
