//! `ipc sock recv`.

mod clients;
mod datagrams;

use std::ffi::OsString;
use std::os::fd::BorrowedFd;
use std::os::unix::ffi::OsStrExt;

use crate::app::arguments::Plain;
use crate::app::command::{Action, Example};
use crate::app::context::Context;
use crate::app::options::Framing;
use crate::app::options::Waiting;
use crate::app::ready::Ready;
use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::base::exit::{Exit, Failure, Subject, about};
use crate::base::units::Permissions;
use crate::io::outbox::Outbox;
use crate::io::output::Output;
use crate::mechanism::socket::address::{Address, Endpoint};
use crate::mechanism::socket::{Listener, Terms};
use crate::sys::cleanup;
use crate::sys::socket::SocketType;
use crate::sys::socket::{BACKLOG, KeepAlive, Sender};

use crate::app::socket::{
    MessageType, fatal_signals, listen, permissions, report_address, resolve,
};
use clients::Clients;
use datagrams::Datagrams;

/// Receive messages at a socket
///
/// Receives datagrams, or with --type seqpacket the messages of all clients, those of each client in
/// order. Each message becomes a record of stdout, of any size; an empty message is a message. The path
/// is created and removed as by 'ipc sock serve'. At an abstract name, messages of other users are
/// dropped, and their connections closed, unless --allow-uid names the user. The timeout applies to each
/// message.
///
/// A received message is no longer in the socket. So INT, TERM and HUP take effect after it is written,
/// and no message is received while stdout has no room or no reader. A message is written before it is
/// answered.
#[derive(Debug, clap::Args, Plain)]
pub struct Recv {
    /// A path with a slash, @NAME, udp:HOST:PORT or fd:N
    address: Address,
    #[command(flatten)]
    message_type: MessageType,
    /// Permissions of the path; 0600 if not given
    ///
    /// Octal or symbolic; the umask does not apply.
    #[arg(short, long)]
    mode: Option<Permissions>,
    /// End after N messages
    #[arg(long, value_name = "N", default_value_t = 1, conflicts_with = "follow")]
    count: u64,
    /// Continue until a signal
    #[arg(short, long)]
    follow: bool,
    /// Answer each message with this
    #[arg(long, value_name = "MESSAGE")]
    reply_with: Option<OsString>,
    /// Accept messages of this user too
    #[arg(long, value_name = "UID")]
    allow_uid: Vec<u32>,
    #[command(flatten)]
    ready: Ready,
    #[command(flatten)]
    waiting: Waiting,
    #[command(flatten)]
    framing: Framing,
}

impl Action for Recv {
    const EXAMPLES: &'static [Example] = &[
        ("Wait for a message", "ipc sock recv /run/user/1000/done"),
        ("Print every datagram", "ipc sock recv -f udp:127.0.0.1:5140"),
        ("Answer questions", "ipc sock recv -f --reply-with pong @ping"),
        (
            "Collect the reports of several workers",
            "ipc sock recv -f --type seqpacket @reports >>log",
        ),
    ];

    fn run(mut self, context: &mut Context) -> anyhow::Result<Exit> {
        let kind = self.message_type.kind()?;
        self.address = resolve(&self.address, context)?;
        let mode = permissions(self.mode, &self.address)?;
        // The descriptor of the caller is taken before any other is opened.
        let ready = self.ready.target()?;
        let keepalive = KeepAlive::System;
        let terms = Terms { kind, mode, owner: None, backlog: BACKLOG, keepalive };
        let listener = listen(&self.address, terms)?;
        let _handlers = cleanup::end_by(fatal_signals());
        report_address(&listener, &self.address, &context.output);
        ready.write(listener.address().as_bytes())?;
        let outbox = Outbox::new(self.framing.form(), context.stdout)?;
        let mut inbox = self.inbox(kind, listener, context.stdout)?;
        self.receive(inbox.as_mut(), outbox, &mut context.output).about(&self.address)?;
        context.output.flush()?;
        Ok(Exit::Done)
    }
}

/// The source of messages.
trait Inbox {
    /// Waits until there may be a message, or the reader of stdout has left, which a write reports.
    fn wait(&mut self, deadline: Deadline) -> Result<Waited, Errno>;

    /// Receives the next message, if one is there, into a buffer that grows for it.
    fn receive<'a>(
        &mut self,
        buffer: &'a mut Vec<u8>,
        output: &Output,
    ) -> Result<Received<'a>, Errno>;

    /// Answers the sender of a message.
    fn answer(&self, sender: &ReplyTo, reply: &[u8]) -> Result<(), Errno>;
}

/// The next item of an inbox.
enum Received<'a> {
    Message(&'a [u8], ReplyTo),
    /// No message yet.
    Nothing,
    /// No message, now or later.
    End,
}

/// The destination of an answer to a message.
enum ReplyTo {
    /// To the sender of a datagram, if it has an address.
    Sender(Option<Sender>),
    /// To the client of this number.
    Client(u64),
}

impl Recv {
    fn inbox(
        &self,
        kind: SocketType,
        listener: Listener,
        stdout: BorrowedFd<'static>,
    ) -> anyhow::Result<Box<dyn Inbox>> {
        let is_guarded = matches!(self.address.endpoint(), Endpoint::Abstract(_));
        let allowed = (is_guarded || !self.allow_uid.is_empty()).then(|| self.allow_uid.clone());
        Ok(match kind {
            SocketType::Seqpacket => Box::new(Clients::new(listener, allowed, stdout)?),
            SocketType::Stream | SocketType::Dgram => {
                Box::new(Datagrams::new(listener, allowed, stdout)?)
            }
        })
    }

    /// Receives messages and writes them, up to the number that was asked for.
    fn receive(
        &self,
        inbox: &mut dyn Inbox,
        mut outbox: Outbox,
        output: &mut Output,
    ) -> anyhow::Result<()> {
        let mut buffer = Vec::new();
        let mut received = 0;
        let mut deadline = self.waiting.deadline();
        while self.follow || received < self.count {
            // The longest message so far; a longer one may have to wait for room after its first part.
            let longest = buffer.len() + self.framing.form().overhead();
            if !outbox.has_room(output, Some(longest))? {
                self.waiting.or_error(outbox.wait_for_room(deadline)?)?;
            }
            match inbox.receive(&mut buffer, output)? {
                Received::Message(message, sender) => {
                    received += 1;
                    outbox.write(output, message, None)?;
                    if let Some(reply) = &self.reply_with {
                        outbox.flush(output)?;
                        self.answer(inbox, &sender, reply.as_bytes(), output);
                    }
                    deadline = self.waiting.deadline();
                }
                Received::Nothing => {
                    let waited = outbox.wait(output, || inbox.wait(deadline))??;
                    self.waiting.or_error(waited)?;
                }
                Received::End => break,
            }
        }
        Ok(())
    }

    /// Answers a message. If that fails for one sender, the command continues.
    fn answer(&self, inbox: &dyn Inbox, sender: &ReplyTo, reply: &[u8], output: &Output) {
        if let Err(errno) = inbox.answer(sender, reply) {
            output.error(&about(Failure::from(errno), &self.address));
        }
    }
}
