//! Users and groups by name: getpwnam(3), getgrnam(3), getgrouplist(3).

use std::ffi::CString;

use nix::unistd::{Gid, Group, Uid, User, geteuid, getgrouplist};

/// Whether this process has the privileges of root.
pub fn is_root() -> bool {
    geteuid().is_root()
}

/// The effective user of this process.
pub fn own_user() -> u32 {
    geteuid().as_raw()
}

/// The ID of a user that is given by name or ID.
pub fn user(text: &str) -> Option<u32> {
    number(text).or_else(|| Some(User::from_name(text).ok()??.uid.as_raw()))
}

/// The ID of a group that is given by name or ID.
pub fn group(text: &str) -> Option<u32> {
    number(text).or_else(|| Some(Group::from_name(text).ok()??.gid.as_raw()))
}

/// The login group of a user; `None` for a user without a name.
pub fn login_group(uid: u32) -> Option<u32> {
    Some(User::from_uid(Uid::from_raw(uid)).ok()??.gid.as_raw())
}

/// The name of a user, or the ID if it has no name.
pub fn user_name(uid: u32) -> String {
    match User::from_uid(Uid::from_raw(uid)) {
        Ok(Some(user)) => user.name,
        _ => uid.to_string(),
    }
}

/// Whether a user is a member of a group; false for a user without a name.
pub fn is_member(uid: u32, gid: u32) -> bool {
    let groups = || {
        let user = User::from_uid(Uid::from_raw(uid)).ok()??;
        getgrouplist(&CString::new(user.name).ok()?, user.gid).ok()
    };
    groups().is_some_and(|groups| groups.contains(&Gid::from_raw(gid)))
}

fn number(text: &str) -> Option<u32> {
    // System calls take the last ID for "no user".
    text.parse().ok().filter(|&number| number != u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_found_by_name_and_by_number() {
        assert_eq!((user("root"), user("4711"), user("no such")), (Some(0), Some(4711), None));
        assert_eq!((group("root"), group("4711"), group("no such")), (Some(0), Some(4711), None));
        assert_eq!((user("4294967295"), user_name(0)), (None, "root".to_owned()));
        assert!(is_member(0, 0) && !is_member(0, 4711) && !is_member(3_999_999_999, 0));
    }
}
