//! Sockets that the caller has opened for this process, as systemd does: sd_listen_fds(3).
//!
//! `LISTEN_FDS` is the number of descriptors, from descriptor 3 up; `LISTEN_FDNAMES` has their names,
//! separated by colons; `LISTEN_PID` is the process that they are for. Variables that are for another
//! process, and were inherited from it, are ignored.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use crate::mechanism::socket::Error as SocketError;
use crate::mechanism::socket::address::{Address, Endpoint};
use crate::run::job::Command;

/// The variables.
const VARIABLES: [&str; 3] = ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"];

/// The number of the first descriptor that is handed over.
const FIRST: i32 = 3;

/// More than the number of descriptors that a process has.
const MANY: u32 = 1 << 20;

/// Why there is no address of a single socket that was handed over.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Error {
    /// No socket was handed over.
    #[error("none is given, and no socket was handed over in LISTEN_FDS")]
    None,
    /// More than one was.
    #[error("{} sockets were handed over; name one: fd:{}", .0.len(), .0.join(", fd:"))]
    Many(Vec<String>),
}

/// The sockets that were handed over to this process: their names, from descriptor 3 up; empty names
/// where there are none.
#[derive(Clone, Debug)]
pub struct HandedOver(Vec<OsString>);

impl HandedOver {
    /// Reads the variables.
    pub fn from_environment(get: impl Fn(&str) -> Option<OsString>) -> Self {
        let [pid, count, names] = VARIABLES.map(get);
        let number = |text: Option<OsString>| text?.to_str()?.parse::<u32>().ok();
        if number(pid) != Some(std::process::id()) {
            return Self(Vec::new());
        }
        let names = names.unwrap_or_default();
        let given = names.as_bytes().split(|&byte| byte == b':').map(|name| name.to_vec());
        let all = given.chain(std::iter::repeat_with(Vec::new)).map(OsString::from_vec);
        Self(all.take(number(count).unwrap_or(0).min(MANY) as usize).collect())
    }

    /// The address of the socket that was handed over, if there is one.
    ///
    /// # Errors
    /// None was handed over, or more than one.
    pub fn address(&self) -> Result<Address, Error> {
        match self.0.as_slice() {
            [] => Err(Error::None),
            [_] => Ok(Address::new(OsStr::new(&format!("fd:{FIRST}"))).expect("it is an address")),
            names => {
                let numbered = names.iter().zip(FIRST..);
                Err(Error::Many(
                    numbered.map(|(name, number)| display_name(name, number)).collect(),
                ))
            }
        }
    }

    /// The same address, with the number of the descriptor in place of its name: the first, if
    /// several have this name.
    ///
    /// # Errors
    /// [`SocketError::NotHandedOver`].
    pub fn resolve(&self, address: &Address) -> Result<Address, SocketError> {
        let Endpoint::Named(name) = address.endpoint() else { return Ok(address.clone()) };
        let found = self.0.iter().zip(FIRST..).find(|(other, _)| *other == name);
        let (_, number) = found.ok_or(SocketError::NotHandedOver)?;
        Ok(address.clone().at_descriptor(number))
    }
}

/// Removes the variables from the environment of a COMMAND, which has no such sockets.
pub fn hide(command: Command) -> Command {
    command.without(&VARIABLES.map(|name| format!("{name}=")))
}

/// A COMMAND that gets one socket, as its descriptor 3. A shell sets LISTEN_PID and then becomes the
/// COMMAND, as the process ID is known only then.
///
/// # Errors
/// There is no such COMMAND: status 126 or 127.
pub fn announce(words: &[OsString]) -> anyhow::Result<Command> {
    const LINE: &str = r#"export LISTEN_FDS=1 LISTEN_PID=$$; exec "$@""#;
    Command::new(words)?;
    let shell = ["/bin/sh", "-c", LINE, "sh"].map(OsString::from);
    Ok(hide(Command::new(&[&shell, words].concat())?))
}

fn display_name(name: &OsStr, number: i32) -> String {
    match name.to_str() {
        Some(name) if !name.is_empty() => name.escape_default().to_string(),
        _ => number.to_string(),
    }
}
