//! `ipc sock send`.

use std::ffi::OsString;

use crate::address::{Address, SocketType};
use crate::cli::{Example, Run};
use crate::conversation;
use crate::deadline::{Deadline, Waited, Waiting};
use crate::endpoint;
use crate::errno::Errno;
use crate::exit::{Exit, Failure, Subject};
use crate::frame::{Framing, Messages, Writer};
use crate::output::Output;
use crate::sys::poll;
use crate::sys::socket::Socket;

/// Send messages to a socket
///
/// Each operand is a message, or each record of stdin if there are none; an empty one is a message.
/// One that is longer than the socket takes is refused.
///
/// With --reply, an answer to each is waited for and printed, before the next is sent.
#[derive(Debug, clap::Args)]
pub struct Send {
    /// Address of the socket: a path with a slash, @NAME or udp:HOST:PORT
    address: Address,
    /// What to send
    #[arg(value_name = "MESSAGE")]
    messages: Vec<OsString>,
    /// Whether the socket has connections
    #[arg(long = "type", value_name = "TYPE", default_value = "dgram")]
    kind: SocketType,
    /// Wait for an answer to each message and print it
    #[arg(long)]
    reply: bool,
    #[command(flatten)]
    waiting: Waiting,
    #[command(flatten)]
    framing: Framing,
}

impl Run for Send {
    const EXAMPLES: &'static [Example] = &[
        ("Log a line", "ipc sock send /dev/log '<13>backup: done'"),
        ("Ask, and wait for the answer", "ipc sock send --reply -t 2s @clock now"),
    ];

    fn run(self, output: &mut Output) -> anyhow::Result<Exit> {
        if self.kind == SocketType::Stream {
            let reason = "a stream has no messages; 'ipc sock connect' sends bytes";
            return Err(Failure::new(Exit::Usage, reason)).about("--type stream");
        }
        let deadline = self.waiting.deadline();
        let form = self.framing.form();
        let connected = endpoint::connect(&self.address, self.kind, deadline, Deadline::PASSED);
        let connected = connected.map_err(Failure::from).about(&self.address)?;
        let socket = self.waiting.settle(connected).about(&self.address)?;
        socket.enlarge_send_buffer();
        socket.set_non_blocking(true)?;
        socket.mark_messages()?;
        let mut writer = Writer::new(form);
        let mut buffer = Vec::new();
        let mut messages = Messages::new(self.messages, form, isize::MAX as usize)?;
        while let Some(message) = messages.next().about("standard input")? {
            let sent = send(&socket, message, deadline).about(&self.address)?;
            self.waiting.settle(sent).about(&self.address)?;
            if self.reply {
                let came = poll::readable(&socket, deadline)?;
                self.waiting.settle(came).about(&self.address)?;
                match socket.receive_message(&mut buffer).about(&self.address)? {
                    Some(answer) => writer.write(output, answer)?,
                    None => return Err(Failure::failed("the peer hung up")).about(&self.address),
                }
                output.flush()?;
            }
        }
        Ok(Exit::Done)
    }
}

/// Sends one message, waiting for room.
fn send(socket: &Socket, message: &[u8], deadline: Deadline) -> anyhow::Result<Waited> {
    loop {
        match socket.send_message(message) {
            Ok(()) => return Ok(Waited::Done(())),
            Err(Errno(libc::EAGAIN)) => {
                if poll::writable(socket, deadline)? == Waited::TimedOut {
                    return Ok(Waited::TimedOut);
                }
            }
            Err(errno) => {
                let error = conversation::Error::of_sending(socket, message.len(), errno);
                return Err(Failure::from(error).into());
            }
        }
    }
}
