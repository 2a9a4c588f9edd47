//! What is asked of a process that holds descriptors between the restarts of a service: the argument of
//! a call of its door, and the messages of sd_notify(3) to its other socket.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::mechanism::descriptors::Name;

/// A request, which is the argument of a call.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Request {
    /// Holds the descriptors that the caller lends, under these names, for this long.
    Store {
        /// The time; `None` is that of the holder.
        expire: Option<Duration>,
        /// A name for each.
        names: Vec<Name>,
    },
    /// Sends copies to the socket that the caller lends.
    Take,
    /// Closes those of these names.
    Drop(Vec<Name>),
    /// Describes them.
    List,
}

impl Request {
    /// The bytes of the argument: a line each for the request and each name.
    pub fn encode(&self) -> Vec<u8> {
        let (word, names): (String, &[Name]) = match self {
            Self::Store { expire: None, names } => ("store".to_owned(), names),
            Self::Store { expire: Some(expire), names } => {
                (format!("store {}", expire.as_millis()), names)
            }
            Self::Take => ("take".to_owned(), &[]),
            Self::Drop(names) => ("drop".to_owned(), names),
            Self::List => ("list".to_owned(), &[]),
        };
        let lines = std::iter::once(word.as_str()).chain(names.iter().map(Name::text));
        lines.collect::<Vec<_>>().join("\n").into_bytes()
    }

    /// Reads the argument of a call.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let mut lines = std::str::from_utf8(bytes).ok()?.lines();
        let word = lines.next()?;
        let names: Option<Vec<Name>> = lines.map(|line| Name::new(line).ok()).collect();
        let names = names?;
        match word.split_once(' ').map_or((word, None), |(word, rest)| (word, Some(rest))) {
            ("store", None) => Some(Self::Store { expire: None, names }),
            ("store", Some(milliseconds)) => {
                let expire = Some(Duration::from_millis(milliseconds.parse().ok()?));
                Some(Self::Store { expire, names })
            }
            ("take", None) if names.is_empty() => Some(Self::Take),
            ("drop", None) => Some(Self::Drop(names)),
            ("list", None) if names.is_empty() => Some(Self::List),
            _ => None,
        }
    }
}

/// What a message of sd_notify(3) asks for, of all that this protocol has.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Notification {
    /// FDSTORE=1: holds the descriptors of the message.
    Store {
        /// FDNAME; `stored` without one.
        name: Name,
        /// Whether they are closed when their peer hangs up: not with FDPOLL=0.
        polls: bool,
    },
    /// FDSTOREREMOVE=1: closes those of this name.
    Remove(Name),
}

impl Notification {
    /// Reads a message; `None` if it asks for nothing that a holder does, such as READY=1.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?;
        let value = |key: &str| {
            let mut values =
                text.lines().filter_map(|line| line.strip_prefix(key)?.strip_prefix('='));
            values.next_back()
        };
        let name = value("FDNAME").and_then(|name| Name::new(name).ok());
        if value("FDSTOREREMOVE") == Some("1") {
            return name.map(Self::Remove);
        }
        let polls = value("FDPOLL") != Some("0");
        let name = name.or_else(|| Name::new("stored").ok())?;
        (value("FDSTORE") == Some("1")).then_some(Self::Store { name, polls })
    }
}

/// The path of the socket for sd_notify(3), beside that of the holder.
pub fn notify_path(holder: &Path) -> PathBuf {
    let mut path = OsString::from(holder);
    path.push(".notify");
    path.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        Name::new(text).unwrap()
    }

    #[test]
    fn a_request_survives_a_round_trip() {
        let expire = Some(Duration::from_millis(1500));
        for request in [
            Request::Store { expire: None, names: vec![name("a"), name("b c")] },
            Request::Store { expire, names: vec![name("a")] },
            Request::Take,
            Request::Drop(vec![name("a")]),
            Request::List,
        ] {
            assert_eq!(Request::decode(&request.encode()), Some(request));
        }
        for other in ["", "take all", "take\nx", "store x\na", "drop\na:b", "list 1"] {
            assert_eq!(Request::decode(other.as_bytes()), None, "{other}");
        }
    }

    #[test]
    fn messages_of_a_service_are_understood_as_systemd_does() {
        let store = |text, polls| Some(Notification::Store { name: name(text), polls });
        let read = |text: &str| Notification::decode(text.as_bytes());
        assert_eq!(read("FDSTORE=1"), store("stored", true));
        assert_eq!(read("FDSTORE=1\nFDNAME=web"), store("web", true));
        assert_eq!(read("FDNAME=web\nFDPOLL=0\nFDSTORE=1\n"), store("web", false));
        assert_eq!(read("FDSTOREREMOVE=1\nFDNAME=web"), Some(Notification::Remove(name("web"))));
        for other in ["READY=1", "FDSTOREREMOVE=1", "FDSTORE=0", "STATUS=FDSTORE=1", ""] {
            assert_eq!(read(other), None, "{other}");
        }
    }
}
