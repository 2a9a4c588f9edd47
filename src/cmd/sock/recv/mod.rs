//! `ipc sock recv`.

mod datagrams;
mod peers;

use std::ffi::OsString;
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
use crate::mechanism::socket::address::{Address, Place};
use crate::mechanism::socket::bound_path;
use crate::mechanism::socket::{Listener, Terms};
use crate::sys::descriptor;
use crate::sys::signal::Blocked;
use crate::sys::socket::SocketType;
use crate::sys::socket::{BACKLOG, KeepAlive, Sender};

use crate::app::socket::{ending, listen, permissions, tell_address};
use datagrams::Datagrams;
use peers::Peers;

/// Receive messages at a socket
///
/// Datagrams, or with --type seqpacket the messages of all who connect, from each of them in order.
/// Each becomes a record of stdout, whole whatever its size; an empty one is a message. The path is
/// taken and removed as by 'ipc sock serve'. At an abstract name, messages of other users are
/// dropped, and their connections closed, unless --allow-uid names them. The timeout counts anew for
/// each message.
///
/// What is received is gone from the socket, so INT, TERM and HUP have to wait until it is written,
/// and nothing is received while standard output has no room or no reader. What is answered has been
/// written.
#[derive(Debug, clap::Args, Plain)]
pub struct Recv {
    /// Where to receive: a path with a slash, @NAME, udp:HOST:PORT or fd:N
    address: Address,
    /// Whether the socket has connections: dgram or seqpacket
    #[arg(long = "type", value_name = "TYPE", default_value = "dgram")]
    kind: SocketType,
    /// Permissions of the path, octal or symbolic, whatever the umask; 0600 if not given
    #[arg(short, long)]
    mode: Option<Permissions>,
    /// How many to receive
    #[arg(long, value_name = "N", default_value_t = 1, conflicts_with = "follow")]
    count: u64,
    /// Go on until a signal
    #[arg(short, long)]
    follow: bool,
    /// Answer each with this
    #[arg(long, value_name = "MESSAGE")]
    reply_with: Option<OsString>,
    /// Take messages of this user as well
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
        ("Print every datagram that comes", "ipc sock recv -f udp:127.0.0.1:5140"),
        ("Answer questions", "ipc sock recv -f --reply-with pong @ping"),
        ("Gather what several workers report", "ipc sock recv -f --type seqpacket @reports >>log"),
    ];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let output = &mut context.output;
        crate::app::socket::messages_only(self.kind)?;
        let mode = permissions(self.mode, &self.address)?;
        // Descriptors of our caller come before any of ours.
        let ready = self.ready.listener()?;
        descriptor::keep_to_ourselves();
        // Blocked before there is a path, so that none is left behind.
        let signals = Blocked::new(ending().collect());
        let keepalive = KeepAlive::System;
        let terms = Terms { kind: self.kind, mode, backlog: BACKLOG, keepalive };
        let listener = listen(&self.address, terms)?;
        bound_path::end_by(ending(), listener.binding());
        drop(signals);
        tell_address(&listener, &self.address, output);
        ready.tell(listener.address().as_bytes())?;
        let delivery = Outbox::new(self.framing.form())?;
        let mut inbox = self.inbox(listener)?;
        self.receive(inbox.as_mut(), delivery, output).about(&self.address)?;
        output.flush()?;
        Ok(Exit::Done)
    }
}

/// Where messages come in.
trait Inbox {
    /// Waits until there may be one, or the reader of stdout has left, which writing to it tells.
    fn wait(&mut self, deadline: Deadline) -> Result<Waited, Errno>;

    /// The next message, if one is there, in a buffer that grows for it.
    fn take<'a>(&mut self, buffer: &'a mut Vec<u8>, output: &Output) -> Result<Taken<'a>, Errno>;

    /// Answers who sent a message.
    fn answer(&self, origin: &Origin, reply: &[u8]) -> Result<(), Errno>;
}

/// What was found in an inbox.
enum Taken<'a> {
    Message(&'a [u8], Origin),
    /// Nothing yet.
    Nothing,
    /// Nothing, and nothing will come.
    End,
}

/// Where a message is from.
enum Origin {
    /// A datagram's sender, if it has an address.
    Sender(Option<Sender>),
    /// The peer of this number.
    Peer(u64),
}

impl Recv {
    fn inbox(&self, listener: Listener) -> anyhow::Result<Box<dyn Inbox>> {
        let guarded = matches!(self.address.place(), Place::Abstract(_));
        let allowed = (guarded || !self.allow_uid.is_empty()).then(|| self.allow_uid.clone());
        Ok(match self.kind {
            SocketType::Seqpacket => Box::new(Peers::new(listener, allowed)?),
            SocketType::Stream | SocketType::Dgram => Box::new(Datagrams::new(listener, allowed)?),
        })
    }

    /// Takes messages and writes them, as many as are wanted.
    fn receive(
        &self,
        inbox: &mut dyn Inbox,
        mut delivery: Outbox,
        output: &mut Output,
    ) -> anyhow::Result<()> {
        let mut buffer = Vec::new();
        let mut received = 0;
        let mut deadline = self.waiting.deadline();
        while self.follow || received < self.count {
            // As long as any that came; a longer one may have to wait for room halfway.
            let longest = buffer.len() + self.framing.form().overhead();
            if !delivery.has_room(output, Some(longest))? {
                self.waiting.or_error(delivery.wait_for_room(deadline)?)?;
            }
            match inbox.take(&mut buffer, output)? {
                Taken::Message(message, origin) => {
                    received += 1;
                    delivery.write(output, message, None)?;
                    if let Some(reply) = &self.reply_with {
                        delivery.flush(output)?;
                        self.answer(inbox, &origin, reply.as_bytes(), output);
                    }
                    deadline = self.waiting.deadline();
                }
                Taken::Nothing => {
                    let waited = delivery.wait(output, || inbox.wait(deadline))??;
                    self.waiting.or_error(waited)?;
                }
                Taken::End => break,
            }
        }
        Ok(())
    }

    /// Answers a message. That one sender cannot be answered is no reason to end.
    fn answer(&self, inbox: &dyn Inbox, origin: &Origin, reply: &[u8], output: &Output) {
        if let Err(errno) = inbox.answer(origin, reply) {
            output.error(&about(Failure::from(errno), &self.address));
        }
    }
}
