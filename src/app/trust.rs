//! Whether an object that is there already may be used where one would have been made: it could be
//! planted, by a user who wants to read or change what is written to it.

use std::str::FromStr;

use crate::app::arguments::Plain;
use crate::base::exit::{Exit, Failure};
use crate::sys::accounts;
use crate::sys::origin::Found;

/// Whose objects may be used.
#[derive(Clone, Debug, clap::Args, Plain)]
pub struct Trust {
    /// Use an object that this user, a member of this group, or any user has made
    ///
    /// Where every user can make names, as in /tmp, in /dev/shm and among message queues and System V
    /// objects, an object may have been planted. One that exists already is used only if it belongs
    /// to the user who runs this command, to the owner of the directory, or to those named here. It
    /// is refused with status 6 otherwise. A user or a group may be a number.
    #[arg(long, value_name = "USER|@GROUP|any", hide_short_help = true)]
    trust: Vec<Trusted>,
}

/// A user, the members of a group, or all.
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

/// The proof that an object was looked at, which only [`Trust::accept`] gives.
#[derive(Debug)]
pub struct Accepted(());

impl Trust {
    /// Lets an object pass that may be used where one with these permissions would have been made,
    /// if some were asked for.
    ///
    /// # Errors
    /// With status 6, that it may be planted; with status 5, that it has other permissions.
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
        format!("exists, made by another user ({name}), where every user can make one"),
    )
    .hint(format!("--trust {name} uses it all the same"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trusting(words: &[&str]) -> Trust {
        Trust { trust: words.iter().map(|word| word.parse().unwrap()).collect() }
    }

    #[test]
    fn an_object_of_a_stranger_is_accepted_from_those_who_are_named() {
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
    fn who_is_not_known_cannot_be_trusted() {
        assert_eq!("no-such-user".parse::<Trusted>(), Err("there is no user no-such-user".into()));
        assert_eq!("@no-such".parse::<Trusted>(), Err("there is no group no-such".into()));
    }
}
