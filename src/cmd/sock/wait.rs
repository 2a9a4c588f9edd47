//! `ipc sock wait`.

use crate::app::arguments::Plain;
use crate::app::command::{Action, Example};
use crate::app::context::Context;
use crate::app::objects::{tell_wait, wait_aloud};
use crate::app::options::Waiting;
use crate::base::exit::{Exit, Failure, Subject};
use crate::mechanism::socket;
use crate::mechanism::socket::address::Address;

/// Wait until somebody listens
///
/// A Unix socket, or a TCP port of this machine (localhost), is found in the kernel's list of
/// sockets, so that the server notices nothing of it. Where that list does not tell, as for another
/// host, vsock, or a server in another network namespace, a connection is made and closed at once:
/// the server sees a client that comes and says nothing.
#[derive(Debug, clap::Args, Plain)]
pub struct Wait {
    /// Address of the socket: a path with a slash, @NAME, tcp:HOST:PORT or vsock:CID:PORT
    address: Address,
    #[command(flatten)]
    waiting: Waiting,
}

impl Action for Wait {
    const EXAMPLES: &'static [Example] = &[
        ("Start a server and go on when it listens", "server & ipc sock wait -t 10s /run/server"),
        ("Wait for a port of another machine", "ipc sock wait -t 1m tcp:db.example.org:5432"),
        ("Ask whether somebody listens", "ipc sock wait -n @jobs && echo yes"),
    ];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let output = &mut context.output;
        let deadline = self.waiting.deadline();
        let tell = || tell_wait(output, &self.address, "for a listener");
        let waited = wait_aloud(output, deadline, tell, |until| socket::wait(&self.address, until));
        let waited = waited.map_err(Failure::from);
        self.waiting.or_error(waited.about(&self.address)?).about(&self.address)?;
        Ok(Exit::Done)
    }
}
