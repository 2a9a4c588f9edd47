//! Decides whether to use an object that exists already instead of creating one. An attacker may
//! have planted it, to read or change the data in it.

use std::str::FromStr;

use crate::app::arguments::Plain;
use crate::base::exit::{Exit, Failure};
use crate::sys::accounts;
use crate::sys::origin::Found;

/// The users whose objects may be used.
#[derive(Clone, Debug, clap::Args, Plain)]
pub struct Trust {
    /// Use an object made by this user, a member of this group, or any user
    ///
    /// In /tmp, in /dev/shm and among message queues and System V objects, every user can create an
    /// object, so that an existing one may have been planted. It is used only if it belongs to the
    /// user who runs this command, to the owner of the directory, or to a user named here.
    /// Otherwise it is refused with status 6. A user or a group may be a number.
    #[arg(long, value_name = "USER|@GROUP|any", hide_short_help = true)]
    trust: Vec<Trusted>,
}

/// A user, the members of a group, or all users.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Trusted {
    User(u32),
    MembersOf(u32),
    Any,
}

impl FromStr for Trusted {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.strip_prefix('@') {
            _ if text == "any" => Ok(Self::Any),
            Some(group) => accounts::group(group)
                .map(Self::MembersOf)
                .ok_or_else(|| format!("there is no group {group}")),
            None => accounts::user(text)
                .map(Self::User)
                .ok_or_else(|| format!("there is no user {text}")),
        }
    }
}

impl Trusted {
    fn includes(self, uid: u32) -> bool {
        match self {
            Self::User(trusted) => trusted == uid,
            Self::MembersOf(group) => accounts::is_member(uid, group),
            Self::Any => true,
        }
    }
}

/// The proof that an object was checked. Only [`Trust::accept`] returns it.
#[derive(Debug)]
pub struct Accepted(());

impl Trust {
    /// Accepts an object of a trusted user that has these permissions, if any are requested.
    ///
    /// # Errors
    /// Status 6 if it may be planted; status 5 if it has other permissions.
    pub fn accept(&self, found: &Found, mode: Option<u32>) -> Result<Accepted, Failure> {
        let is_trusted = |uid| self.trust.iter().any(|trusted| trusted.includes(uid));
        if let Some(uid) = found.strangers().find(|&uid| !is_trusted(uid)) {
            return Err(planted(uid));
        }
        match mode {
            Some(mode) if mode != found.mode() => {
                Err(Failure::new(Exit::InUse, format!("exists with --mode {:04o}", found.mode())))
            }
            _ => Ok(Accepted(())),
        }
    }
}

fn planted(uid: u32) -> Failure {
    let name = accounts::user_name(uid);
    Failure::new(
        Exit::Denied,
        format!("exists, created by another user ({name}) where every user can create one"),
    )
    .hint(format!("--trust {name} accepts it"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trusting(words: &[&str]) -> Trust {
        Trust { trust: words.iter().map(|word| word.parse().unwrap()).collect() }
    }

    #[test]
    fn an_object_of_another_user_is_accepted_if_that_user_is_trusted() {
        let stranger = nix::unistd::geteuid().as_raw() + 4711;
        let found = Found::in_kernel(stranger, 0o666);
        let accepted = |words: &[&str], mode| {
            trusting(words).accept(&found, mode).map(drop).map_err(|failure| failure.exit())
        };
        assert_eq!(accepted(&[], None), Err(Exit::Denied));
        assert_eq!(accepted(&["4242", "@0"], None), Err(Exit::Denied));
        assert_eq!(accepted(&["4242", &stranger.to_string()], Some(0o666)), Ok(()));
        assert_eq!(accepted(&["any"], None), Ok(()));
        assert_eq!(accepted(&["any"], Some(0o600)), Err(Exit::InUse));
    }

    #[test]
    fn an_unknown_user_or_group_is_refused() {
        assert_eq!("no-such-user".parse::<Trusted>(), Err("there is no user no-such-user".into()));
        assert_eq!("@no-such".parse::<Trusted>(), Err("there is no group no-such".into()));
    }
}
