//! Reads an owner of the command line: USER, USER:GROUP or :GROUP, by name or ID.

use std::str::FromStr;

use crate::base::units::Ownership;
use crate::sys::accounts;

impl FromStr for Ownership {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (user, group) = match text.split_once(':') {
            Some((user, group)) => (Some(user).filter(|user| !user.is_empty()), Some(group)),
            None => (Some(text), None),
        };
        let user = user.map(|name| accounts::user(name).ok_or(format!("no such user: {name}")));
        let group = group.map(|name| accounts::group(name).ok_or(format!("no such group: {name}")));
        Ok(Self { user: user.transpose()?, group: group.transpose()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_is_a_user_a_group_or_both() {
        let owner = |user, group| Ok(Ownership { user, group });
        assert_eq!("root".parse(), owner(Some(0), None));
        assert_eq!("4711:root".parse(), owner(Some(4711), Some(0)));
        assert_eq!(":12".parse(), owner(None, Some(12)));
        for text in ["", ":", "root:", "no such", "root:no such", "-1", "4294967295"] {
            assert!(text.parse::<Ownership>().is_err(), "{text}");
        }
    }
}
