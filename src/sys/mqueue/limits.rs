//! How many queues there may be, and how large: `/proc/sys/fs/mqueue`, getrlimit(2).

use nix::sys::resource::{Resource, getrlimit};

use super::Shape;
use crate::sys::sysctl;

/// The most that limits can be set to: HARD_MSGMAX, HARD_MSGSIZEMAX.
pub const MOST: Shape = Shape { max_msgs: 65536, msg_size: 16 << 20 };

/// The limits of a machine, or of an IPC namespace.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limits {
    /// The largest shape.
    pub largest: Shape,
    /// The shape of queues for which nobody asked for another.
    pub default: Shape,
    /// The greatest number of queues.
    pub queues: u64,
}

impl Limits {
    /// As `/proc/sys/fs/mqueue` has them now; what cannot be read is as the kernel begins.
    pub fn now() -> Self {
        let largest = Shape {
            max_msgs: sysctl::number("fs/mqueue/msg_max", 10),
            msg_size: sysctl::number("fs/mqueue/msgsize_max", 8192),
        };
        let default = Shape {
            max_msgs: sysctl::number("fs/mqueue/msg_default", 10).min(largest.max_msgs),
            msg_size: sysctl::number("fs/mqueue/msgsize_default", 8192).min(largest.msg_size),
        };
        Self { largest, default, queues: sysctl::number("fs/mqueue/queues_max", 256) }
    }
}

/// How many bytes the queues of this user may take, RLIMIT_MSGQUEUE; `None` is without limit.
pub fn memory_limit() -> Option<u64> {
    let (soft, _) = getrlimit(Resource::RLIMIT_MSGQUEUE).ok()?;
    (soft != libc::RLIM_INFINITY).then_some(soft)
}
