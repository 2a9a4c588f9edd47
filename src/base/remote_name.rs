//! Names of objects on a server: `nats://HOST/NAME`, `tls://HOST/NAME`.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

/// The schemes of names on a server.
const SCHEMES: [&str; 2] = ["nats://", TLS];

const TLS: &str = "tls://";

/// The port of a server that names none.
const PORT: u16 = 4222;

/// The maximum length of a name: subjects with its prefix stay within what servers accept.
const LENGTH_MAX: usize = 200;

/// Whether a word is a name on a server, right or wrong. Every start asks this for each word, so the schemes
/// are part of the instructions rather than texts on a page of their own.
#[inline]
pub fn is_remote(word: &OsStr) -> bool {
    let word = word.as_bytes();
    word.starts_with(b"nats://") || word.starts_with(b"tls://")
}

/// A name on a server: `nats://[USER@]HOST[:PORT][,HOST[:PORT]]/NAME`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RemoteName {
    /// The name as it was given, but without a password.
    text: OsString,
    user: Option<String>,
    hosts: Vec<String>,
    key: String,
    is_encrypted: bool,
    has_password: bool,
}

/// The rule of remote names that a text breaks.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum RemoteNameError {
    /// Another scheme, or none.
    #[error("a name on a server is nats://HOST/NAME or tls://HOST/NAME")]
    Scheme,
    /// It names no host, or one of several hosts is empty.
    #[error("it names no host")]
    Host,
    /// The port is no number from 1 to 65535.
    #[error("the port is no number from 1 to 65535")]
    Port,
    /// There is nothing behind the host.
    #[error("it names no object: nats://HOST/NAME")]
    Empty,
    /// Two separators follow each other, or one is at the end.
    #[error("a part between '/' or '.' is empty")]
    EmptyPart,
    /// A character that has another meaning for the server, or none.
    #[error("a name on a server has no spaces, control characters, '*' and '>'")]
    Character,
    /// It is too long.
    #[error("a name on a server has at most {LENGTH_MAX} bytes")]
    TooLong,
}

impl RemoteName {
    /// The name that a word means.
    ///
    /// # Errors
    /// The rule that the text breaks. A password is not an error here, as the report of such an error
    /// would print it.
    pub fn new(word: &OsStr) -> Result<Self, RemoteNameError> {
        let text = word.to_str().ok_or(RemoteNameError::Character)?;
        let scheme = SCHEMES.iter().find(|scheme| text.starts_with(**scheme));
        let scheme = *scheme.ok_or(RemoteNameError::Scheme)?;
        let (authority, path) =
            text[scheme.len()..].split_once('/').ok_or(RemoteNameError::Empty)?;
        let (login, hosts) = match authority.rsplit_once('@') {
            Some((login, hosts)) => (Some(login), hosts),
            None => (None, authority),
        };
        let user = login.map(|login| login.split(':').next().unwrap_or_default().to_owned());
        let at = user.as_ref().map(|user| format!("{user}@")).unwrap_or_default();
        let name = Self {
            text: format!("{scheme}{at}{hosts}/{path}").into(),
            user,
            hosts: Vec::new(),
            key: String::new(),
            is_encrypted: scheme == TLS,
            has_password: login.is_some_and(|login| login.contains(':')),
        };
        if name.has_password {
            return Ok(name);
        }
        Ok(Self {
            hosts: hosts.split(',').map(host).collect::<Result<_, _>>()?,
            key: key(path)?,
            ..name
        })
    }

    /// The user of the login.
    pub fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// The hosts with their ports, in the order of the name.
    pub fn hosts(&self) -> &[String] {
        &self.hosts
    }

    /// The name of the object on the server, whose parts are separated by dots.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Whether the connection has to be encrypted.
    pub fn is_encrypted(&self) -> bool {
        self.is_encrypted
    }

    /// Whether a password was given in it, which is refused.
    pub fn has_password(&self) -> bool {
        self.has_password
    }
}

impl AsRef<OsStr> for RemoteName {
    fn as_ref(&self) -> &OsStr {
        &self.text
    }
}

/// A server, or a path on it that the names of objects begin with: `nats://HOST[/PATH]`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RemoteFolder(RemoteName);

impl RemoteFolder {
    /// The server or the path that a word means.
    ///
    /// # Errors
    /// As [`RemoteName::new`], but the path may be empty.
    pub fn new(word: &OsStr) -> Result<Self, RemoteNameError> {
        match RemoteName::new(word) {
            Err(RemoteNameError::Empty) => {
                let text = word.to_str().unwrap_or_default();
                let end = if text.ends_with("://") { "" } else { text };
                let server = end.strip_suffix('/').unwrap_or(text);
                let whole = RemoteName::new(OsStr::new(&format!("{server}/all")))?;
                Ok(Self(RemoteName { text: word.to_owned(), key: String::new(), ..whole }))
            }
            name => name.map(Self),
        }
    }

    /// The server, as the name of an object whose key is the path.
    pub fn name(&self) -> &RemoteName {
        &self.0
    }
}

/// A host with its port.
fn host(text: &str) -> Result<String, RemoteNameError> {
    // The colons in the brackets of an IPv6 address do not separate a port.
    let end = text.rfind(']').map_or(0, |end| end + 1);
    let (name, port) = match text[end..].rfind(':') {
        Some(colon) => (&text[..end + colon], Some(&text[end + colon + 1..])),
        None => (text, None),
    };
    if name.is_empty() || name.contains(has_other_meaning) {
        return Err(RemoteNameError::Host);
    }
    let port = port.map_or(Ok(PORT), str::parse).ok().filter(|&port: &u16| port != 0);
    Ok(format!("{name}:{}", port.ok_or(RemoteNameError::Port)?))
}

/// The name of an object on the server. Subjects separate their parts by dots.
fn key(path: &str) -> Result<String, RemoteNameError> {
    match path {
        "" => Err(RemoteNameError::Empty),
        _ if path.contains(has_other_meaning) => Err(RemoteNameError::Character),
        _ if path.len() > LENGTH_MAX => Err(RemoteNameError::TooLong),
        _ => {
            let key = path.replace('/', ".");
            let has_empty_part = key.split('.').any(str::is_empty);
            if has_empty_part { Err(RemoteNameError::EmptyPart) } else { Ok(key) }
        }
    }
}

fn has_other_meaning(c: char) -> bool {
    c.is_whitespace() || c.is_control() || matches!(c, '*' | '>' | '\\')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Result<RemoteName, RemoteNameError> {
        RemoteName::new(OsStr::new(text))
    }

    #[test]
    fn a_name_has_hosts_and_a_path_whose_parts_are_separated_by_dots_on_the_server() {
        let name = name("nats://deploy@a,b:4333,[::1],[::2]:1/eu/jobs").unwrap();
        assert_eq!(name.hosts(), ["a:4222", "b:4333", "[::1]:4222", "[::2]:1"]);
        assert_eq!((name.user(), name.key()), (Some("deploy"), "eu.jobs"));
        assert!(!name.is_encrypted() && !name.has_password());
        assert_eq!(name.as_ref(), "nats://deploy@a,b:4333,[::1],[::2]:1/eu/jobs");
    }

    #[test]
    fn the_scheme_asks_for_encryption() {
        assert!(name("tls://a/jobs").unwrap().is_encrypted());
        assert!(is_remote(OsStr::new("tls://")) && !is_remote(OsStr::new("/nats://")));
    }

    #[test]
    fn a_password_is_noticed_and_not_shown() {
        let name = name("nats://me:secret@host/jobs").unwrap();
        assert!(name.has_password());
        assert_eq!(name.as_ref(), "nats://me@host/jobs");
        assert!(!format!("{name:?}").contains("secret"));
    }

    #[test]
    fn a_folder_may_be_the_whole_server() {
        let folder = |text: &str| RemoteFolder::new(OsStr::new(text)).map(|folder| folder.0.key);
        assert_eq!(folder("nats://host"), Ok(String::new()));
        assert_eq!(folder("tls://host:1/"), Ok(String::new()));
        assert_eq!(folder("nats://host/eu/jobs"), Ok("eu.jobs".to_owned()));
        assert_eq!(folder("nats:///"), Err(RemoteNameError::Host));
        assert_eq!(folder("nats://a,/"), Err(RemoteNameError::Host));
    }

    #[test]
    fn what_has_another_meaning_for_the_server_is_refused() {
        for (text, reason) in [
            ("/jobs", RemoteNameError::Scheme),
            ("nats://", RemoteNameError::Empty),
            ("nats://host", RemoteNameError::Empty),
            ("nats://host/", RemoteNameError::Empty),
            ("nats:///jobs", RemoteNameError::Host),
            ("nats://a,/jobs", RemoteNameError::Host),
            ("nats://a:0/jobs", RemoteNameError::Port),
            ("nats://a:b/jobs", RemoteNameError::Port),
            ("nats://a:65536/jobs", RemoteNameError::Port),
            ("nats://a/jobs/", RemoteNameError::EmptyPart),
            ("nats://a/.jobs", RemoteNameError::EmptyPart),
            ("nats://a/jobs.*", RemoteNameError::Character),
            ("nats://a/>", RemoteNameError::Character),
            ("nats://a/two words", RemoteNameError::Character),
            ("nats://a/two\nlines", RemoteNameError::Character),
        ] {
            assert_eq!(name(text), Err(reason), "{text}");
        }
        assert_eq!(name(&format!("nats://a/{}", "n".repeat(201))), Err(RemoteNameError::TooLong));
    }
}
