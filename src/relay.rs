//! Passing on what two connected sockets send, each to the other, until both directions have ended.
//!
//! Each direction is a loop of blocking calls in a thread of its own, so that a side which pauses
//! holds up nothing but its own direction. The end of one is passed on as such, and the other goes
//! on. Where a direction fails, both connections are ended: neither side shall take what it got
//! for all there was.

use std::thread;

use crate::address::SocketType;
use crate::conversation::Error;
use crate::errno::Errno;
use crate::sys::socket::Socket;
use crate::sys::transfer;

/// Passes on what comes from either of two sockets of this type, whose calls wait.
///
/// # Errors
/// Why a direction failed.
pub fn both_ways(near: &Socket, far: &Socket, kind: SocketType) -> Result<(), Error> {
    near.enlarge_send_buffer();
    far.enlarge_send_buffer();
    thread::scope(|scope| {
        let back = thread::Builder::new().spawn_scoped(scope, || one_way(far, near, kind));
        let back = back.map_err(|error| Error::Socket(error.into()))?;
        let forth = one_way(near, far, kind);
        forth.and(back.join().expect("the way back does not panic"))
    })
}

fn one_way(from: &Socket, to: &Socket, kind: SocketType) -> Result<(), Error> {
    let passed = match kind {
        SocketType::Stream => pass_bytes(from, to),
        SocketType::Seqpacket | SocketType::Dgram => pass_messages(from, to),
    };
    let ended = passed.and_then(|()| to.shut_down_writing().map_err(Error::of_socket));
    if ended.is_err() {
        from.shut_down();
        to.shut_down();
    }
    ended
}

fn pass_bytes(from: &Socket, to: &Socket) -> Result<(), Error> {
    match transfer::copy(from, to, None) {
        Ok(_) => Ok(()),
        Err(error) => Err(Error::of_socket(error.errno)),
    }
}

fn pass_messages(from: &Socket, to: &Socket) -> Result<(), Error> {
    let mut buffer = Vec::new();
    from.mark_messages().map_err(Error::Socket)?;
    while let Some(message) = from.receive_message(&mut buffer).map_err(Error::of_socket)? {
        let failed = |errno: Errno| Error::of_sending(to, message.len(), errno);
        to.send_message(message).map_err(failed)?;
    }
    Ok(())
}
