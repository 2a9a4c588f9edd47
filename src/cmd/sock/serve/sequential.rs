//! One client at a time, who talks with our stdin and stdout.

use crate::base::deadline::Waited;
use crate::base::exit::{Exit, Failure, Subject};
use crate::io::output::Output;
use crate::mechanism::socket::duplex;
use crate::mechanism::socket::duplex::{Input, Outlet, Terms};

use crate::server::acceptor::{Acceptor, Awaited};
use crate::server::admission::Gate;
use crate::server::event_loop::Limits;

/// Talks with one client after the other.
pub fn attend(
    gate: Gate,
    (mut input, mut outlet): (Input, Outlet),
    limits: Limits,
    terms: impl Fn() -> Terms,
    output: &mut Output,
) -> anyhow::Result<Exit> {
    let mut entrance = Acceptor::new(gate)?;
    let mut ready = Vec::new();
    while !entrance.gate.is_closed() {
        if entrance.wait(&mut ready, Awaited::Everybody, limits.idle())? == Waited::TimedOut {
            break;
        }
        let Some(client) = entrance.next(output)? else { continue };
        let held;
        (input, held) = duplex::hold(client.socket, input, &mut outlet, terms(), output)?;
        let held = held.map_err(Failure::from).about(entrance.gate.address());
        match held {
            Ok(()) => {}
            // With a single client, its failure is ours.
            Err(error) if entrance.gate.is_closed() => return Err(error),
            Err(error) => output.error(&error),
        }
    }
    Ok(Exit::Done)
}
