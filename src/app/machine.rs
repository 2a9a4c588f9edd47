//! What a machine may lack that commands need: containers and chroots leave file systems out.

use std::path::Path;

use crate::base::errno::Errno;
use crate::base::exit::Failure;
use crate::sys::dev_shm;

/// A part of the machine.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Part {
    /// Where POSIX shared memory and semaphores are files.
    DevShm,
    /// Where the kernel shows processes and descriptors.
    Proc,
    /// The System V objects, which it shows in /proc/sysvipc.
    SystemV,
}

impl Part {
    /// Whether the machine lacks a file system.
    fn is_missing(self) -> bool {
        match self {
            Self::DevShm => !Path::new(dev_shm::DIRECTORY).exists(),
            Self::Proc => !Path::new("/proc/self").exists(),
            Self::SystemV => false,
        }
    }

    /// The part of which this file or directory shows what there is.
    pub fn listed_at(place: &str) -> Self {
        match place {
            dev_shm::DIRECTORY => Self::DevShm,
            place if place.starts_with("/proc/sysvipc/") => Self::SystemV,
            _ => Self::Proc,
        }
    }

    /// What is said of an error of an object, which may be the lack of this part.
    pub fn explain(self, errno: Errno) -> Failure {
        match errno {
            Errno(libc::ENOENT) if self.is_missing() => self.lacking(),
            Errno(libc::ENOSYS) if self == Self::SystemV => self.lacking(),
            // A file behind a descriptor cannot be reached.
            Errno(libc::ENOSYS) if Self::Proc.is_missing() => Self::Proc.lacking(),
            errno => errno.into(),
        }
    }

    /// What is said where the machine lacks it.
    fn lacking(self) -> Failure {
        match self {
            Self::DevShm => Failure::failed(
                "this machine has no /dev/shm, where POSIX shared memory and semaphores are",
            )
            .hint("as root: mkdir -p /dev/shm && mount -t tmpfs -o mode=1777,nosuid,nodev none /dev/shm"),
            Self::SystemV if !Self::Proc.is_missing() => no_system_v(),
            Self::Proc | Self::SystemV => {
                Failure::failed("this machine has no /proc, where the kernel shows what there is")
                    .hint("as root: mkdir -p /proc && mount -t proc none /proc")
            }
        }
    }
}

fn no_system_v() -> Failure {
    Failure::failed("the kernel was built without System V objects (CONFIG_SYSVIPC)")
}
