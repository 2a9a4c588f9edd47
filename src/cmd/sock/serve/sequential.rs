//! `ipc sock serve` without a service: one client at a time is connected to stdin and stdout.

use crate::base::deadline::Waited;
use crate::base::exit::{Exit, Failure, Subject};
use crate::io::output::Output;
use crate::mechanism::socket::duplex;
use crate::mechanism::socket::duplex::{Input, Outlet, Terms};
use crate::server::acceptor::{Acceptor, NewClients};
use crate::server::admission::Admission;
use crate::server::event_loop::Limits;

/// Serves one client after the other.
pub fn serve(
    admission: Admission,
    (mut input, mut outlet): (Input, Outlet),
    limits: Limits,
    terms: impl Fn() -> Terms,
    output: &mut Output,
) -> anyhow::Result<Exit> {
    let mut acceptor = Acceptor::new(admission)?;
    let mut ready = Vec::new();
    while !acceptor.admission.is_closed() {
        let waited = acceptor.wait(&mut ready, NewClients::Accept, limits.idle())?;
        if waited == Waited::TimedOut {
            break;
        }
        let Some(client) = acceptor.next(output)? else { continue };
        let passed = duplex::run(client.socket, &mut input, &mut outlet, terms(), output)?;
        match passed.map_err(Failure::from).about(acceptor.admission.address()) {
            Ok(()) => {}
            // The failure of a single client is that of the verb.
            Err(error) if acceptor.admission.is_closed() => return Err(error),
            Err(error) => output.error(&error),
        }
    }
    Ok(Exit::Done)
}
