//! The verbs for objects on servers, and why the others have none.

use crate::app::command::Noun;
use crate::cmd::{door, lock, mq, sem, shm, signal, spool};

/// The nouns with such verbs.
pub const NOUNS: &[Noun] = &[
    door::remote::NOUN,
    lock::remote::NOUN,
    mq::remote::NOUN,
    sem::remote::NOUN,
    shm::remote::NOUN,
    signal::remote::NOUN,
    spool::remote::NOUN,
];

/// Why a verb cannot be applied to an object of a server.
pub fn reason_without(noun: &str, verb: &str) -> &'static str {
    match (noun, verb) {
        ("lock", "fd" | "unlock") => "a descriptor of a shell cannot renew a lock of a server",
        ("lock", "take" | "drop") => {
            "a lock of a server has to be renewed, which 'ipc lock run' does while COMMAND runs"
        }
        ("sem", "wait" | "post" | "set") => {
            "permits of a server have to be renewed, which 'ipc sem run' does while COMMAND runs"
        }
        ("sem", "value") => {
            "permits of a server have holders: 'ipc sem stat' shows those and 'free'"
        }
        ("sem", "create") => {
            "'ipc sem run --create N' makes a semaphore on a server with N permits"
        }
        ("shm", "resize" | "set") => {
            "a segment on a server is replaced as a whole: 'ipc shm write'"
        }
        ("spool", "watch" | "join" | "pause" | "resume") => {
            "a spool on a server has no directory: workers on any machine take its messages"
        }
        ("door", "info" | "revoke") => "several servers may share the calls of a procedure",
        ("signal", _) => "a name on a server is not a process: 'send' and 'wait' have such names",
        ("mq", "set") => "a queue on a server belongs to an account of the server",
        ("fifo" | "pipe" | "queue", _) => {
            "its bytes pass through the memory of one machine; 'ipc mq' has servers"
        }
        ("sock", _) => "it is a connection of its own; 'ipc door' has servers",
        ("fd", _) => "a descriptor belongs to one machine",
        ("map", _) => "a mapped file belongs to one machine; 'ipc shm' has servers",
        _ => "this verb is not for names on servers",
    }
}
