//! Addresses of sockets, checked when they are parsed: `unix:PATH` or anything with a slash, `@NAME`,
//! `tcp:HOST:PORT`, `udp:HOST:PORT`, `vsock:CID:PORT`, `fd:N`, `fd:NAME`.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// The longest abstract name: sun_path of sockaddr_un less the NUL in front, unix(7).
const ABSTRACT_MAX: usize = 107;

/// The longest path that the kernel takes: PATH_MAX less the NUL behind.
const PATH_MAX: usize = libc::PATH_MAX as usize - 1;

/// An address: its text, and its meaning.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Address {
    text: OsString,
    endpoint: Endpoint,
}

/// The place of a socket.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Endpoint {
    /// In the file system.
    Path(PathBuf),
    /// In the abstract namespace, under this name.
    Abstract(OsString),
    /// At a TCP port.
    Tcp(HostPort),
    /// At a UDP port.
    Udp(HostPort),
    /// At a port of a virtual machine or of its host.
    Vsock {
        /// The machine; `VMADDR_CID_ANY` for any.
        cid: u32,
        /// The port; `VMADDR_PORT_ANY` for any.
        port: u32,
    },
    /// An open descriptor of this number.
    Descriptor(i32),
    /// An open descriptor of this name, which `LISTEN_FDNAMES` lists.
    Named(OsString),
}

/// A host, by name or number, and a port of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct HostPort {
    /// A name, or an address without the brackets of IPv6. An empty one is every address of this
    /// machine for a listener, and the local host for a client.
    pub host: String,
    /// 0 is any free port.
    pub port: u16,
}

/// Why a text is not an address.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum AddressError {
    /// No scheme, no slash, no `@`.
    #[error(
        "not an address; a path has a slash, as in ./name, and there are unix:PATH, @NAME, \
         tcp:HOST:PORT, udp:HOST:PORT, vsock:CID:PORT and fd:N"
    )]
    NoForm,
    /// Nothing follows `unix:` or `@`.
    #[error("a name or a path has to follow the scheme")]
    Empty,
    /// A path longer than the kernel takes.
    #[error("a path of {0} bytes is longer than the system allows ({PATH_MAX})")]
    PathTooLong(usize),
    /// An abstract name longer than a socket address holds.
    #[error("an abstract name of {0} bytes is longer than an address holds ({ABSTRACT_MAX})")]
    NameTooLong(usize),
    /// No host and port follow the scheme.
    #[error("expected HOST:PORT, with an IPv6 address in brackets and a port up to 65535")]
    HostPort,
    /// No machine and port follow the scheme.
    #[error("expected vsock:CID:PORT: two numbers, where CID may also be any, local or host")]
    Vsock,
    /// No number or name follows the scheme.
    #[error(
        "expected fd:N, the number of an open descriptor, or fd:NAME, which LISTEN_FDNAMES has"
    )]
    Descriptor,
}

impl Address {
    /// Parses an address.
    pub fn new(text: &OsStr) -> Result<Self, AddressError> {
        Ok(Self { endpoint: endpoint(text.as_bytes())?, text: text.to_owned() })
    }

    /// The place of the socket.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// The address of an open descriptor, with the text that it has now.
    pub fn at_descriptor(self, number: i32) -> Self {
        Self { endpoint: Endpoint::Descriptor(number), ..self }
    }

    /// The path, if it is an address in the file system.
    pub fn path(&self) -> Option<&Path> {
        match &self.endpoint {
            Endpoint::Path(path) => Some(path),
            _ => None,
        }
    }
}

impl AsRef<OsStr> for Address {
    fn as_ref(&self) -> &OsStr {
        &self.text
    }
}

fn endpoint(text: &[u8]) -> Result<Endpoint, AddressError> {
    if let Some(rest) = text.strip_prefix(b"unix:") {
        return if rest.starts_with(b"@") { abstract_name(&rest[1..]) } else { path(rest) };
    }
    if let Some(name) = text.strip_prefix(b"@") {
        return abstract_name(name);
    }
    // Bytes that are not UTF-8 are neither a host nor a number; an empty text is refused as well.
    let after = |scheme: &[u8]| {
        text.strip_prefix(scheme).map(|rest| std::str::from_utf8(rest).unwrap_or_default())
    };
    if let Some(rest) = after(b"tcp:") {
        return host_port(rest).map(Endpoint::Tcp);
    }
    if let Some(rest) = after(b"udp:") {
        return host_port(rest).map(Endpoint::Udp);
    }
    if let Some(rest) = after(b"vsock:") {
        return vsock(rest);
    }
    if let Some(rest) = text.strip_prefix(b"fd:") {
        return descriptor(rest);
    }
    if text.contains(&b'/') { path(text) } else { Err(AddressError::NoForm) }
}

fn path(bytes: &[u8]) -> Result<Endpoint, AddressError> {
    match bytes.len() {
        0 => Err(AddressError::Empty),
        1..=PATH_MAX => Ok(Endpoint::Path(OsString::from_vec(bytes.to_vec()).into())),
        length => Err(AddressError::PathTooLong(length)),
    }
}

fn abstract_name(bytes: &[u8]) -> Result<Endpoint, AddressError> {
    match bytes.len() {
        0 => Err(AddressError::Empty),
        1..=ABSTRACT_MAX => Ok(Endpoint::Abstract(OsString::from_vec(bytes.to_vec()))),
        length => Err(AddressError::NameTooLong(length)),
    }
}

fn host_port(text: &str) -> Result<HostPort, AddressError> {
    let (host, port) = text.rsplit_once(':').ok_or(AddressError::HostPort)?;
    let host = match host.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']').ok_or(AddressError::HostPort)?,
        None if host.contains(':') => return Err(AddressError::HostPort),
        None => host,
    };
    let port = number(port).ok_or(AddressError::HostPort)?;
    Ok(HostPort { host: host.to_owned(), port })
}

fn vsock(text: &str) -> Result<Endpoint, AddressError> {
    let (cid, port) = text.split_once(':').ok_or(AddressError::Vsock)?;
    let cid = match cid {
        "any" | "" => Some(libc::VMADDR_CID_ANY),
        "local" => Some(libc::VMADDR_CID_LOCAL),
        "host" => Some(libc::VMADDR_CID_HOST),
        _ => number(cid),
    };
    let (Some(cid), Some(port)) = (cid, number(port)) else { return Err(AddressError::Vsock) };
    // The system chooses the port if it is 0, as for TCP.
    Ok(Endpoint::Vsock { cid, port: if port == 0 { libc::VMADDR_PORT_ANY } else { port } })
}

/// A number, or a name as in sd_listen_fds_with_names(3); digits are always a number.
fn descriptor(text: &[u8]) -> Result<Endpoint, AddressError> {
    let is_numeric = text.iter().all(u8::is_ascii_digit) || text.starts_with(b"-");
    if is_numeric {
        let number = std::str::from_utf8(text).ok().and_then(number);
        return number.map(Endpoint::Descriptor).ok_or(AddressError::Descriptor);
    }
    Ok(Endpoint::Named(OsString::from_vec(text.to_vec())))
}

/// Digits alone; `FromStr` of the numbers accepts a sign as well.
fn number<N: std::str::FromStr>(text: &str) -> Option<N> {
    if text.bytes().all(|b| b.is_ascii_digit()) { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Endpoint, AddressError> {
        Address::new(OsStr::new(text)).map(|address| address.endpoint().clone())
    }

    fn at(host: &str, port: u16) -> HostPort {
        HostPort { host: host.to_owned(), port }
    }

    #[test]
    fn anything_with_a_slash_is_a_path_unless_a_scheme_says_otherwise() {
        for (text, path) in
            [("/run/x", "/run/x"), ("./x", "./x"), ("a/b@c:1", "a/b@c:1"), ("unix:x", "x")]
        {
            assert_eq!(parse(text), Ok(Endpoint::Path(path.into())), "{text}");
        }
        assert_eq!(parse("@a/b"), Ok(Endpoint::Abstract("a/b".into())));
    }

    #[test]
    fn an_abstract_name_follows_an_at_sign() {
        assert_eq!(parse("@jobs"), Ok(Endpoint::Abstract("jobs".into())));
        assert_eq!(parse("unix:@jobs"), Ok(Endpoint::Abstract("jobs".into())));
        assert_eq!(parse("@"), Err(AddressError::Empty));
        assert!(parse(&format!("@{}", "n".repeat(107))).is_ok());
        assert_eq!(parse(&format!("@{}", "n".repeat(108))), Err(AddressError::NameTooLong(108)));
    }

    #[test]
    fn a_path_is_any_bytes_up_to_the_length_that_the_system_takes() {
        let bytes = OsStr::from_bytes(b"/\xff\n");
        assert_eq!(Address::new(bytes).unwrap().path(), Some(Path::new(bytes)));
        assert!(parse(&format!("/{}", "n".repeat(4094))).is_ok());
        assert_eq!(parse(&format!("/{}", "n".repeat(4095))), Err(AddressError::PathTooLong(4096)));
        assert_eq!(parse("unix:"), Err(AddressError::Empty));
    }

    #[test]
    fn a_host_and_a_port_stand_behind_tcp_and_udp() {
        assert_eq!(parse("tcp:localhost:80"), Ok(Endpoint::Tcp(at("localhost", 80))));
        assert_eq!(parse("udp:[::1]:53"), Ok(Endpoint::Udp(at("::1", 53))));
        assert_eq!(parse("tcp::0"), Ok(Endpoint::Tcp(at("", 0))));
        for text in
            ["tcp:", "tcp:80", "tcp:h:", "tcp:h:+1", "tcp:::1:80", "tcp:[::1:80", "udp:h:65536"]
        {
            assert_eq!(parse(text), Err(AddressError::HostPort), "{text}");
        }
    }

    #[test]
    fn machines_and_descriptors_are_numbers() {
        assert_eq!(parse("vsock:3:1024"), Ok(Endpoint::Vsock { cid: 3, port: 1024 }));
        assert_eq!(parse("vsock:any:0"), Ok(Endpoint::Vsock { cid: u32::MAX, port: u32::MAX }));
        assert_eq!(parse("fd:3"), Ok(Endpoint::Descriptor(3)));
        assert_eq!(parse("fd:http"), Ok(Endpoint::Named("http".into())));
        for text in ["vsock:3", "vsock:x:1", "vsock:-1:1", "fd:", "fd:-1", "fd:99999999999"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_bare_word_is_not_an_address() {
        for text in ["", "x", "http:x", "localhost:80"] {
            assert_eq!(parse(text), Err(AddressError::NoForm), "{text}");
        }
    }
}
