//! `ipc sock send`.

use std::ffi::OsString;

use crate::app::arguments::Plain;
use crate::app::command::{Action, Example};
use crate::app::context::Context;
use crate::app::objects::add_sent;
use crate::app::options::Framing;
use crate::app::options::Waiting;
use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::base::exit::{Exit, Failure, Subject};
use crate::io::frame::{Messages, Writer};
use crate::io::output::Output;
use crate::mechanism::socket::Connecting;
use crate::mechanism::socket::address::Address;
use crate::mechanism::socket::duplex;
use crate::sys::poll;
use crate::sys::socket::Socket;

use crate::app::socket::{MessageType, connect, resolve};

/// Send messages to a socket
///
/// Each operand is a message; without operands, each record of stdin is one. An empty message is a
/// message. A message that is longer than the socket takes is refused. The timeout applies to the
/// connection, to each message and to each answer.
///
/// With --reply, the command waits for an answer to each message and prints it before it sends the next
/// message.
#[derive(Debug, clap::Args, Plain)]
pub struct Send {
    /// A path with a slash, @NAME or udp:HOST:PORT
    address: Address,
    /// The messages; those of stdin if there are none
    #[arg(value_name = "MESSAGE")]
    messages: Vec<OsString>,
    #[command(flatten)]
    message_type: MessageType,
    /// Send from this address: udp:HOST:PORT
    ///
    /// Port 0 is any free port.
    #[arg(long, value_name = "ADDRESS")]
    bind: Option<Address>,
    /// Wait for an answer to each message and print it
    #[arg(long)]
    reply: bool,
    #[command(flatten)]
    waiting: Waiting,
    #[command(flatten)]
    framing: Framing,
}

impl Action for Send {
    const EXAMPLES: &'static [Example] = &[
        ("Log a line", "ipc sock send /dev/log '<13>backup: done'"),
        ("Ask, and wait for the answer", "ipc sock send --reply -t 2s @clock now"),
        (
            "Send each line to a server of messages",
            "ipc sock send --type seqpacket @jobs <jobs.txt",
        ),
    ];

    fn run(mut self, context: &mut Context) -> anyhow::Result<Exit> {
        let kind = self.message_type.kind()?;
        self.address = resolve(&self.address, context)?;
        let source = self.bind.as_ref();
        let how = Connecting { source, ..Connecting::new(kind, self.waiting.deadline()) };
        let socket = self.waiting.or_error(connect(&self.address, how)?).about(&self.address)?;
        socket.enlarge_send_buffer();
        socket.make_non_blocking()?;
        socket.mark_messages()?;
        let operands = std::mem::take(&mut self.messages);
        let (stdin, form) = (context.stdin, self.framing.form());
        let messages = Messages::new(operands, stdin, form, isize::MAX as usize)?;
        self.send_all(&socket, messages, &mut context.output)?;
        Ok(Exit::Done)
    }
}

impl Send {
    fn send_all(
        &self,
        socket: &Socket,
        mut messages: Messages,
        output: &mut Output,
    ) -> anyhow::Result<()> {
        let mut writer = Writer::new(self.framing.form());
        let mut buffer = Vec::new();
        let mut sent = 0;
        while let Some(message) = messages.next().about("standard input")? {
            let waited = send(socket, message, self.waiting.deadline());
            let done = waited.and_then(|waited| self.waiting.or_error(waited));
            done.map_err(|failure| add_sent(failure, sent)).about(&self.address)?;
            sent += 1;
            if self.reply {
                let answer = self.answer(socket, &mut buffer).about(&self.address)?;
                writer.write(output, answer)?;
                output.flush()?;
            }
        }
        Ok(())
    }

    /// Waits for the answer to a message.
    fn answer<'a>(&self, socket: &Socket, buffer: &'a mut Vec<u8>) -> Result<&'a [u8], Failure> {
        let deadline = self.waiting.deadline();
        self.waiting.or_error(poll::readable(socket, deadline)?)?;
        let answer = socket.receive_message(buffer).map_err(duplex::Error::of_socket)?;
        answer.ok_or_else(|| Failure::failed("the peer hung up and did not answer"))
    }
}

/// Sends one message, waiting for room.
fn send(socket: &Socket, message: &[u8], deadline: Deadline) -> Result<Waited, Failure> {
    loop {
        match socket.send_message(message) {
            Ok(()) => return Ok(Waited::Done(())),
            Err(Errno(libc::EAGAIN)) => {
                if poll::writable(socket, deadline)? == Waited::TimedOut {
                    return Ok(Waited::TimedOut);
                }
            }
            Err(errno) => {
                return Err(duplex::Error::of_sending(socket, message.len(), errno).into());
            }
        }
    }
}
