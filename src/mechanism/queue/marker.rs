//! The end of a stream of messages: a message with documented bytes, which every program can send and
//! recognize. The kernel has no such thing.

use super::{QueueName, Received};

/// The bytes of a marker. No line of text begins with NUL.
pub const MARKER: &[u8] = b"\0ipc-eof";

/// The least priority of a POSIX queue, with which a marker comes after all messages before it.
const LEAST: i64 = 0;

/// The type of a marker in a System V queue: the greatest that fits in an `int`, which is what other
/// languages pass. It is behind all lower types where the lowest is received first.
const TYPE: i64 = i32::MAX as i64;

/// The priority or the type of a marker in a queue of this name; `kind` is the type of the messages that
/// it ends, for receivers that select messages of a type.
pub fn priority(name: &QueueName, kind: Option<i64>) -> i64 {
    match name {
        QueueName::Posix(_) => LEAST,
        QueueName::SystemV(_) => kind.unwrap_or(TYPE),
    }
}

/// Whether these bytes are a marker.
pub fn is_marker(bytes: &[u8], received: Received) -> bool {
    bytes == MARKER && !received.is_cut
}
