//! TCP sockets, for which the kernel counts the bytes of both directions.

use super::activity::{Activity, Fill, Traffic};
use super::object::{Kind, Object, Thing};
use super::uses::Uses;
use crate::base::errno::Errno;
use crate::mechanism::socket::table::{LISTENING, tcp_state};
use crate::sys::sock_diag;
use crate::sys::tcp_info::{self, Connection};

/// The TCP sockets of this network namespace that a process has open.
///
/// # Errors
/// ENOENT, EPROTONOSUPPORT from a kernel without a list of sockets.
pub fn find(uses: &Uses) -> Result<Vec<Object>, Errno> {
    let connections = tcp_info::all()?;
    Ok(connections.iter().filter(|it| it.inode != 0).map(|it| of_connection(it, uses)).collect())
}

fn of_connection(connection: &Connection, uses: &Uses) -> Object {
    let state = tcp_state(connection.state);
    let name = match state {
        LISTENING => format!("tcp:{}", connection.local),
        _ => format!("tcp:{} -> {}", connection.local, connection.remote),
    };
    let mut object = Object::new(Kind::Sock, name);
    object.uid = Some(connection.uid);
    object.thing = Some(Thing::Socket { inode: connection.inode });
    object.count = Some(connection.receive_queue.into());
    object.detail = state.to_owned();
    object.holders = uses.of(Thing::Socket { inode: connection.inode });
    object.activity = match connection.state {
        sock_diag::LISTENING => Activity {
            fill: Fill::new(connection.receive_queue.into(), connection.send_queue.into()),
            waiting: connection.receive_queue,
            totals: Traffic::default(),
        },
        _ => Activity {
            totals: Traffic {
                bytes_in: connection.received,
                bytes_out: connection.acknowledged,
                ..Traffic::default()
            },
            ..Activity::default()
        },
    };
    object
}
