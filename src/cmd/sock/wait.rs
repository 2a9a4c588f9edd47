//! `ipc sock wait`.

use crate::app::arguments::Plain;
use crate::base::deadline::Waiting;
use crate::base::exit::{Exit, Failure, Subject};
use crate::cmd::{tell_wait, wait_aloud};
use crate::io::output::Output;
use crate::mechanism::socket;
use crate::mechanism::socket::address::Address;
use crate::program::{Example, Run};

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

impl Run for Wait {
    const EXAMPLES: &'static [Example] = &[
        ("Start a server and go on when it listens", "server & ipc sock wait -t 10s /run/server"),
        ("Wait for a port of another machine", "ipc sock wait -t 1m tcp:db.example.org:5432"),
        ("Ask whether somebody listens", "ipc sock wait -n @jobs && echo yes"),
    ];

    fn run(self, output: &mut Output) -> anyhow::Result<Exit> {
        let deadline = self.waiting.deadline();
        let tell = || tell_wait(output, &self.address, "for a listener");
        let waited = wait_aloud(output, deadline, tell, |until| socket::wait(&self.address, until));
        let waited = waited.map_err(Failure::from);
        self.waiting.settle(waited.about(&self.address)?).about(&self.address)?;
        Ok(Exit::Done)
    }
}
