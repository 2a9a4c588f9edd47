//! Parts of the machine that commands need, and that containers and chroots may lack.

use std::path::Path;

use crate::base::errno::Errno;
use crate::base::exit::{Exit, Failure};
use crate::sys::dev_shm;

/// A part of the machine.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Part {
    /// `/dev/shm`, with POSIX shared memory and semaphores.
    DevShm,
    /// `/proc`, with processes and descriptors.
    Proc,
    /// System V objects, which are listed in `/proc/sysvipc`.
    SystemV,
}

impl Part {
    /// Whether the file system of this part is not mounted.
    fn is_missing(self) -> bool {
        match self {
            Self::DevShm => !Path::new(dev_shm::DIRECTORY).exists(),
            Self::Proc => !Path::new("/proc/self").exists(),
            Self::SystemV => false,
        }
    }

    /// The part whose objects this file or directory lists.
    pub fn listed_at(place: &str) -> Self {
        match place {
            dev_shm::DIRECTORY => Self::DevShm,
            place if place.starts_with("/proc/sysvipc/") => Self::SystemV,
            _ => Self::Proc,
        }
    }

    /// The failure for an error of an object, which may be due to the lack of this part.
    pub fn explain(self, errno: Errno) -> Failure {
        match errno {
            Errno(libc::ENOENT) if self.is_missing() => self.lacking(),
            Errno(libc::ENOSYS) if self == Self::SystemV => self.lacking(),
            // A file is reached through /proc/self/fd.
            Errno(libc::ENOSYS) if Self::Proc.is_missing() => Self::Proc.lacking(),
            errno => errno.into(),
        }
    }

    /// The failure on a machine without this part.
    fn lacking(self) -> Failure {
        match self {
            Self::DevShm => Failure::failed(
                "this machine has no /dev/shm, which holds POSIX shared memory and semaphores",
            )
            .hint("as root: mkdir -p /dev/shm && mount -t tmpfs -o mode=1777,nosuid,nodev none /dev/shm"),
            Self::SystemV if !Self::Proc.is_missing() => no_system_v(),
            Self::Proc | Self::SystemV => {
                Failure::failed("this machine has no /proc, which lists processes and objects")
                    .hint("as root: mkdir -p /proc && mount -t proc none /proc")
            }
        }
    }
}

fn no_system_v() -> Failure {
    Failure::failed("the kernel was built without System V objects (CONFIG_SYSVIPC)")
}

/// The failure for an error of the directory of POSIX queues.
pub fn without_queues(errno: Errno) -> Failure {
    match errno {
        Errno(libc::ENOENT) => Failure::new(
            Exit::NotFound,
            "the POSIX queues are not mounted there, and you may not mount them",
        )
        .hint("as root: mkdir -p /dev/mqueue && mount -t mqueue none /dev/mqueue"),
        errno => errno.into(),
    }
}
