//! `ipc sock recv`.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

use crate::address::{Address, Place, SocketType};
use crate::cli::{Example, Run};
use crate::deadline::{Waited, Waiting};
use crate::endpoint::Terms;
use crate::errno::Errno;
use crate::exit::{Exit, Subject};
use crate::frame::{Framing, Writer};
use crate::output::Output;
use crate::ready::Ready;
use crate::sys::poll;
use crate::sys::signal::Blocked;
use crate::sys::socket::{BACKLOG, is_our_user};
use crate::units::Mode;

use super::{ending, give_up_when_told, listen, tell_address};

/// Receive datagrams at a socket
///
/// Each becomes a record of stdout, whole whatever its size; an empty one is a message. The path
/// is taken and removed as by 'ipc sock serve'. At an abstract name, messages of other users are
/// dropped unless --allow-uid names them.
#[derive(Debug, clap::Args)]
pub struct Recv {
    /// Where to receive: a path with a slash, @NAME or udp:HOST:PORT
    address: Address,
    /// Permissions of the path, octal or symbolic, whatever the umask; 0600 if not given
    #[arg(short, long)]
    mode: Option<Mode>,
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

impl Run for Recv {
    const EXAMPLES: &'static [Example] = &[
        ("Wait for a message", "ipc sock recv /run/user/1000/done"),
        ("Print every datagram that comes", "ipc sock recv -f udp:127.0.0.1:5140"),
        ("Answer questions", "ipc sock recv -f --reply-with pong @ping"),
    ];

    fn run(self, output: &mut Output) -> anyhow::Result<Exit> {
        let deadline = self.waiting.deadline();
        let ready = self.ready.listener()?;
        let signals = Blocked::new(ending().collect());
        let mode = Mode::of_new_object(self.mode.as_ref());
        let terms = Terms { kind: SocketType::Dgram, mode, backlog: BACKLOG };
        let listener = listen(&self.address, terms)?;
        let socket = listener.socket();
        socket.mark_messages()?;
        let guarded = matches!(self.address.place(), Place::Abstract(_));
        if guarded || !self.allow_uid.is_empty() {
            socket.tell_senders()?;
        }
        give_up_when_told(signals, listener.binding())?;
        tell_address(&listener, &self.address, output);
        ready.tell(listener.address().as_bytes())?;
        let mut writer = Writer::new(self.framing.form());
        let mut buffer = Vec::new();
        let mut received = 0;
        while self.follow || received < self.count {
            let message = match socket.receive_message_from(&mut buffer) {
                Ok(Some(message)) => message,
                Ok(None) => break,
                Err(Errno(libc::EAGAIN)) => {
                    let came: Waited = poll::readable(socket, deadline)?;
                    self.waiting.settle(came).about(&self.address)?;
                    continue;
                }
                Err(errno) => return Err(errno).about(&self.address),
            };
            if message.uid.is_some_and(|uid| !is_our_user(uid) && !self.allow_uid.contains(&uid)) {
                output.note(format_args!("a message of user {:?} was dropped", message.uid));
                continue;
            }
            received += 1;
            writer.write(output, message.bytes)?;
            // What is answered, or gone from the socket for good, does not wait here to be lost.
            output.flush()?;
            if let (Some(reply), Some(sender)) = (&self.reply_with, &message.sender) {
                let replied = socket.answer(reply.as_bytes(), sender);
                if let Err(error) = replied.about(&self.address) {
                    output.error(&error);
                }
            }
        }
        Ok(Exit::Done)
    }
}
