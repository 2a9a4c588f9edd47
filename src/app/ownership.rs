//! Options that change the owner and the permissions of an object.

use std::str::FromStr;

use crate::app::arguments::Plain;
use crate::base::errno::Errno;
use crate::base::exit::{Exit, Failure};
use crate::base::units::{ChangedPermissions, OwnerIds};
use crate::mechanism::ownership::NewOwnership;
use crate::sys::accounts;

/// The new owner and the new permissions of an object.
#[derive(Clone, Debug, clap::Args, Plain)]
pub struct Ownership {
    /// New permissions, octal or symbolic
    ///
    /// A symbolic mode such as g+r changes the present permissions, as for chmod(1), whatever the
    /// umask.
    #[arg(short, long)]
    mode: Option<ChangedPermissions>,
    /// New owner, group, or both; names or numbers
    ///
    /// As for chown(1), ':GROUP' is the group alone, and 'USER:' includes the login group of the user.
    #[arg(long, value_name = "USER[:GROUP]")]
    owner: Option<Owner>,
}

/// A new owner, a new group, or both.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Owner {
    user: Option<u32>,
    group: Option<u32>,
}

impl Owner {
    /// The IDs.
    pub fn ids(self) -> OwnerIds {
        OwnerIds { user: self.user, group: self.group }
    }
}

impl FromStr for Owner {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let user = |name| accounts::user(name).ok_or_else(|| format!("there is no user {name}"));
        let group = |name| accounts::group(name).ok_or_else(|| format!("there is no group {name}"));
        let login = |user| accounts::login_group(user).ok_or("this user has no login group");
        match text.split_once(':') {
            _ if matches!(text, "" | ":") => Err("neither a user nor a group".to_owned()),
            None => Ok(Self { user: Some(user(text)?), group: None }),
            Some(("", name)) => Ok(Self { user: None, group: Some(group(name)?) }),
            Some((name, "")) => {
                let user = user(name)?;
                Ok(Self { user: Some(user), group: Some(login(user)?) })
            }
            Some((name, of)) => Ok(Self { user: Some(user(name)?), group: Some(group(of)?) }),
        }
    }
}

/// The objects whose owners change, for the reason why the kernel refuses.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Ownable {
    /// A file, or a POSIX object.
    File,
    /// A System V object.
    SystemV,
}

impl Ownership {
    /// Whether an option is given.
    pub fn is_given(&self) -> bool {
        !self.change().is_empty()
    }

    /// The change.
    pub fn change(&self) -> NewOwnership {
        let Owner { user, group } = self.owner.unwrap_or_default();
        NewOwnership { mode: self.mode.clone(), user, group }
    }

    /// The change, if there is one.
    ///
    /// # Errors
    /// Status 2 if no option is given.
    pub fn required(&self) -> Result<NewOwnership, Failure> {
        match self.is_given() {
            true => Ok(self.change()),
            false => Err(nothing_to_set("--mode or --owner")),
        }
    }

    /// Adds the reason why the kernel refuses the change with this error.
    pub fn explain(&self, failure: Failure, errno: Option<Errno>, object: Ownable) -> Failure {
        let is = |number: i32| errno == Some(Errno(number));
        let has_owner = self.owner.is_some();
        let user = self.owner.and_then(|owner| owner.user);
        match object {
            _ if has_owner && is(libc::EINVAL) => failure
                .hint("this user namespace has no such user or group ('cat /proc/self/uid_map')"),
            _ if !is(libc::EPERM) => failure,
            Ownable::SystemV => failure.hint("only its owner, its creator and root may change it"),
            Ownable::File if user.is_some() => failure.hint("only root may change the owner of it"),
            Ownable::File if has_owner => failure.hint(
                "only its owner and root may change it, and the owner only to a group of its own",
            ),
            Ownable::File => failure.hint("only its owner and root may change it"),
        }
    }
}

/// The usage error of a verb that changes an object, without an option that says how.
pub fn nothing_to_set(options: &str) -> Failure {
    Failure::new(Exit::Usage, format!("nothing to set: give {options}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_is_a_user_a_group_or_both() {
        let owner = |text: &str| text.parse::<Owner>().map(|owner| (owner.user, owner.group));
        assert_eq!(owner("root"), Ok((Some(0), None)));
        assert_eq!(owner("4711:root"), Ok((Some(4711), Some(0))));
        assert_eq!(owner(":4711"), Ok((None, Some(4711))));
        assert_eq!(owner("root:"), Ok((Some(0), Some(0))));
        assert_eq!(owner("no-such"), Err("there is no user no-such".to_owned()));
        assert_eq!(owner(":no-such"), Err("there is no group no-such".to_owned()));
        assert_eq!(owner("3999999999:"), Err("this user has no login group".to_owned()));
        assert!(owner("").is_err() && owner(":").is_err());
    }
}
