//! `ipc door`: procedures at a path.

mod call;
mod manage;
pub mod remote;
mod serve;

use crate::app::command::{Manual, Noun, Verb};

pub const NOUN: Noun = Noun {
    name: "door",
    about: "Serve and call procedures",
    verbs: &[
        Verb::new::<serve::Serve>("serve"),
        Verb::new::<call::Call>("call"),
        Verb::new::<manage::Info>("info"),
        Verb::new::<manage::Revoke>("revoke"),
    ],
    see_also: &["ipc-door(5)", "unix(7)", "ipc-sock(1)"],
    manual: Manual {
        topic: "remote procedure calls over a Unix domain socket",
        environment: &[
            (
                "‹IPC_CALLER_PID›, ‹IPC_CALLER_UID›, ‹IPC_CALLER_GID›, ‹IPC_CALLER_PIDFD›",
                "The caller, for the COMMAND of ‹ipc-door-serve›(1), by process ID, user, group and pidfd.",
            ),
            ("‹IPC_CALLER_FDS›", "The number of descriptors that the caller has passed."),
            ("‹IPC_DOOR_COOKIE›", "The text of ‹--cookie›."),
        ],
        files: &[],
        standards: "Doors are of ‹ipc›; their name and their use are those of Solaris. ‹ipc-door›(5) has the protocol.",
    },
};
