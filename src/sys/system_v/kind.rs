//! Removal, permissions and owners of System V objects: IPC_RMID, IPC_STAT and IPC_SET of shmctl(2),
//! semctl(2) and msgctl(2).

use std::ffi::{c_int, c_ulong};
use std::mem::MaybeUninit;

use super::no_such;
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

/// The beginning of `struct shmid_ds`, `semid_ds` and `msqid_ds`, and no fewer bytes than each of them.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Status {
    permissions: libc::ipc_perm,
    rest: [c_ulong; 16],
}

const _: () = assert!(size_of::<Status>() >= size_of::<libc::shmid_ds>());
const _: () = assert!(size_of::<Status>() >= size_of::<libc::msqid_ds>());
const _: () = assert!(align_of::<Status>() >= align_of::<libc::msqid_ds>());

impl Status {
    /// The permissions, in the lower nine bits.
    pub fn mode(&self) -> u32 {
        u32::from(self.permissions.mode) & 0o777
    }

    /// Replaces the permissions.
    pub fn set_mode(&mut self, mode: u32) {
        self.permissions.mode = mode as _;
    }

    /// Replaces the owner, the group, or both.
    pub fn set_owner(&mut self, user: Option<u32>, group: Option<u32>) {
        self.permissions.uid = user.unwrap_or(self.permissions.uid);
        self.permissions.gid = group.unwrap_or(self.permissions.gid);
    }

    /// Replaces the limit for the bytes of all messages of a queue.
    pub fn set_max_bytes(&mut self, bytes: u64) {
        let queue = std::ptr::from_mut(self).cast::<libc::msqid_ds>();
        // SAFETY: this structure is no smaller and no less strictly aligned, and every number is valid.
        unsafe { (*queue).msg_qbytes = bytes as _ };
    }
}

impl Kind {
    /// The status of an object. Its owner sees it also without permission to read the object.
    ///
    /// # Errors
    /// ENOENT if no object has this identifier; EACCES without permission to read it, from a kernel
    /// before Linux 4.17.
    pub fn status(self, id: i32) -> Result<Status, Errno> {
        let mut status = MaybeUninit::<Status>::zeroed();
        match self.control(id, libc::IPC_STAT, &mut status) {
            Ok(_) => {}
            Err(Errno(libc::EACCES)) => self.unreadable_status(id, &mut status)?,
            Err(errno) => return Err(no_such(errno)),
        }
        // SAFETY: all zeros would have been valid, and the kernel wrote it.
        Ok(unsafe { status.assume_init() })
    }

    /// Reads the status by the index of the object, which is a part of the identifier and needs no
    /// permission.
    fn unreadable_status(self, id: i32, status: &mut MaybeUninit<Status>) -> Result<(), Errno> {
        /// Commands that the C libraries do not name: of shmctl(2), semctl(2) and msgctl(2).
        const STAT_ANY: [c_int; 3] = [15, 20, 13];
        let [of_segment, of_set, of_queue] = STAT_ANY;
        let command = match self {
            Self::Segment => of_segment,
            Self::Set => of_set,
            Self::Queue => of_queue,
        };
        match self.control(id, command, status) {
            Ok(found) if found == id => Ok(()),
            Ok(_) => Err(Errno(libc::ENOENT)),
            Err(_) => Err(Errno(libc::EACCES)),
        }
    }

    /// Gives an object the owner and the permissions of this status, and a queue its limit: IPC_SET.
    ///
    /// # Errors
    /// ENOENT if no object has this identifier; EPERM for a user that neither owns nor created it;
    /// EINVAL for an ID that this user namespace does not have.
    pub fn set_status(self, id: i32, status: Status) -> Result<(), Errno> {
        let mut status = MaybeUninit::new(status);
        match self.control(id, libc::IPC_SET, &mut status).map(drop) {
            Err(errno @ Errno(libc::EINVAL)) if self.status(id).is_ok() => Err(errno),
            set => set.map_err(no_such),
        }
    }

    /// Calls the function of this kind with a command that reads or writes a status.
    fn control(
        self,
        id: i32,
        command: c_int,
        status: &mut MaybeUninit<Status>,
    ) -> Result<c_int, Errno> {
        let status = status.as_mut_ptr();
        let result = match self {
            // SAFETY: the structure outlives the call, and is no smaller than the kernel's.
            Self::Segment => unsafe { libc::shmctl(id, command, status.cast()) },
            // SAFETY: as above.
            Self::Set => unsafe { libc::semctl(id, 0, command, status) },
            // SAFETY: as above.
            Self::Queue => unsafe { libc::msgctl(id, command, status.cast()) },
        };
        if result < 0 { Err(Errno::last()) } else { Ok(result) }
    }
}
