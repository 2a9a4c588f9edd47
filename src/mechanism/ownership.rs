//! The owner and the permissions of objects that exist, of every kind.

use std::os::fd::AsFd;

use nix::sys::stat::fstat;

use crate::base::errno::Errno;
use crate::base::units::ChangedPermissions;
use crate::sys::inode;
use crate::sys::system_v::{Kind, Status};

/// A change of the owner, the permissions, or both.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct NewOwnership {
    /// The new permissions.
    pub mode: Option<ChangedPermissions>,
    /// The new owner.
    pub user: Option<u32>,
    /// The new group.
    pub group: Option<u32>,
}

impl NewOwnership {
    /// Whether it changes nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn has_owner(&self) -> bool {
        self.user.is_some() || self.group.is_some()
    }

    /// The permissions for an object that has these.
    fn mode(&self, present: u32) -> u32 {
        self.mode.as_ref().map_or(present & 0o777, |mode| mode.of(present))
    }

    /// Applies it to the file of a descriptor, which may be one of [`inode::locate`]. A call that
    /// fails leaves the file as it was.
    ///
    /// Neither the old group nor the new one has more permissions in between than the old permissions
    /// and the new ones give.
    ///
    /// # Errors
    /// EPERM for a user that may not do that; EINVAL for an ID that this user namespace does not have.
    pub fn apply(&self, file: impl AsFd) -> Result<(), Errno> {
        let before = fstat(&file)?;
        let (old, new) = (before.st_mode & 0o777, self.mode(before.st_mode));
        if !self.has_owner() {
            return inode::set_mode(file, new);
        }
        if old & new != old {
            inode::set_mode(&file, old & new)?;
        }
        let owned = inode::set_owner(&file, self.user, self.group);
        let set = owned.and_then(|()| match new == old & new {
            true => Ok(()),
            false => inode::set_mode(&file, new),
        });
        set.inspect_err(|_| {
            // The error of the change is reported. What was changed before can be changed back.
            let _ = inode::set_owner(&file, Some(before.st_uid), Some(before.st_gid));
            let _ = inode::set_mode(&file, old);
        })
    }

    /// Applies it to a System V object, in one call.
    ///
    /// # Errors
    /// ENOENT if the object was removed; EPERM for a user that neither owns nor created it; EINVAL for
    /// an ID that this user namespace does not have.
    pub fn apply_to_system_v(&self, kind: Kind, id: i32) -> Result<(), Errno> {
        let mut status = kind.status(id)?;
        self.change(&mut status);
        kind.set_status(id, status)
    }

    /// Applies it to a status.
    pub fn change(&self, status: &mut Status) {
        status.set_mode(self.mode(status.mode()));
        status.set_owner(self.user, self.group);
    }
}
