//! The limits on the number and the size of queues: `/proc/sys/fs/mqueue`, getrlimit(2).

use nix::sys::resource::{Resource, getrlimit};

use super::Shape;
use crate::sys::sysctl;

/// The maximum values of the limits: HARD_MSGMAX, HARD_MSGSIZEMAX.
pub const MOST: Shape = Shape { max_msgs: 65536, msg_size: 16 << 20 };

/// The limits of an IPC namespace.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limits {
    /// The maximum shape.
    pub largest: Shape,
    /// The shape of a queue whose creator specifies none.
    pub default: Shape,
    /// The maximum number of queues.
    pub queues: u64,
}

impl Limits {
    /// Reads the limits in `/proc/sys/fs/mqueue`; a file that cannot be read counts as the kernel's
    /// initial value.
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

/// The maximum bytes of all queues of this user, RLIMIT_MSGQUEUE; `None` if there is no limit.
pub fn memory_limit() -> Option<u64> {
    let (soft, _) = getrlimit(Resource::RLIMIT_MSGQUEUE).ok()?;
    (soft != libc::RLIM_INFINITY).then_some(soft)
}
