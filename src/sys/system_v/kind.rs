//! Removal of System V objects: IPC_RMID of shmctl(2), semctl(2) and msgctl(2).

use crate::base::errno::Errno;

/// The kind of a System V object.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// Shared memory.
    Segment,
    /// A set of semaphores.
    Set,
    /// A message queue.
    Queue,
}

impl Kind {
    /// Removes the object of this kind with this identifier. A signal handler may call it.
    pub fn remove(self, id: i32) -> Result<(), Errno> {
        let result = match self {
            // SAFETY: the command takes no structure.
            Self::Segment => unsafe { libc::shmctl(id, libc::IPC_RMID, std::ptr::null_mut()) },
            // SAFETY: the command takes no argument.
            Self::Set => unsafe { libc::semctl(id, 0, libc::IPC_RMID) },
            // SAFETY: the command takes no structure.
            Self::Queue => unsafe { libc::msgctl(id, libc::IPC_RMID, std::ptr::null_mut()) },
        };
        Errno::check(result)
    }
}
