//! `ipc sock wait`.

use crate::app::arguments::Plain;
use crate::app::command::{Action, Example};
use crate::app::context::Context;
use crate::app::objects::{report_wait, wait_verbosely};
use crate::app::options::Waiting;
use crate::app::socket::look_up;
use crate::base::exit::{Exit, Failure, Subject};
use crate::mechanism::socket;
use crate::mechanism::socket::address::Address;

/// Wait until a process listens at a socket
///
/// The kernel's list of sockets has Unix sockets and the TCP ports of this machine (localhost), so the
/// server does not notice the wait. For another host, vsock, or a server in another network namespace,
/// 'ipc' connects and disconnects at once: the server sees a client that sends nothing.
#[derive(Debug, clap::Args, Plain)]
pub struct Wait {
    /// A path with a slash, @NAME, tcp:HOST:PORT or vsock:CID:PORT
    address: Address,
    #[command(flatten)]
    waiting: Waiting,
}

impl Action for Wait {
    const EXAMPLES: &'static [Example] = &[
        ("Start a server and go on when it listens", "server & ipc sock wait -t 10s /run/server"),
        ("Wait for a port of another machine", "ipc sock wait -t 1m tcp:db.example.org:5432"),
        ("Ask whether a process listens", "ipc sock wait -n @jobs && echo yes"),
    ];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let output = &mut context.output;
        let deadline = self.waiting.deadline();
        look_up(&self.address, deadline)?;
        let tell = || report_wait(output, &self.address, "for a listener");
        let waited =
            wait_verbosely(output, deadline, tell, |until| socket::wait(&self.address, until));
        let waited = waited.map_err(Failure::from);
        self.waiting.or_error(waited.about(&self.address)?).about(&self.address)?;
        Ok(Exit::Done)
    }
}
