//! Sockets that whoever started us has opened for us, as systemd does: sd_listen_fds(3).
//!
//! `LISTEN_FDS` tells how many descriptors there are, from number 3 up; `LISTEN_FDNAMES` has their
//! names, with colons between; `LISTEN_PID` is the process that they are for. Variables that are
//! for another process, from which we inherited them, mean nothing.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use crate::mechanism::socket::address::Address;
use crate::run::job::Command;

/// The variables.
const VARIABLES: [&str; 3] = ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"];

/// The number of the first descriptor that is handed over.
const FIRST: i32 = 3;

/// Why nothing was found where no address was given.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Error {
    /// Nobody handed a socket over.
    #[error("none is given, and no socket was handed over in LISTEN_FDS")]
    None,
    /// There is more than one.
    #[error("{} sockets were handed over; name one: fd:{}", .0.len(), .0.join(", fd:"))]
    Many(Vec<String>),
}

/// The address of the socket that was handed over, if it is the only one.
pub fn address() -> Result<Address, Error> {
    let names = names();
    match names.as_slice() {
        [] => Err(Error::None),
        [_] => Ok(Address::new(OsStr::new(&format!("fd:{FIRST}"))).expect("it is an address")),
        _ => Err(Error::Many(
            names.iter().zip(FIRST..).map(|(name, number)| known_as(name, number)).collect(),
        )),
    }
}

/// The descriptor that was handed over under this name: the first, if there are more.
pub fn named(name: &OsStr) -> Option<i32> {
    names().iter().zip(FIRST..).find(|(other, _)| *other == name).map(|(_, number)| number)
}

/// Keeps a COMMAND, which has no such sockets, from looking for them.
pub fn hide(command: Command) -> Command {
    command.without(&VARIABLES.map(|name| format!("{name}=")))
}

/// A COMMAND that finds one socket, which it gets as its descriptor 3. A shell becomes it, which can
/// tell it the process ID that it has.
///
/// # Errors
/// That there is no such COMMAND, with status 126 or 127.
pub fn announce(words: &[OsString]) -> anyhow::Result<Command> {
    const LINE: &str = r#"export LISTEN_FDS=1 LISTEN_PID=$$; exec "$@""#;
    Command::new(words)?;
    let shell = ["/bin/sh", "-c", LINE, "sh"].map(OsString::from);
    Ok(hide(Command::new(&[&shell, words].concat())?))
}

fn known_as(name: &OsStr, number: i32) -> String {
    match name.to_str() {
        Some(name) if !name.is_empty() => name.escape_default().to_string(),
        _ => number.to_string(),
    }
}

/// The names of the descriptors that were handed over to us; empty ones where there are none.
fn names() -> Vec<OsString> {
    let [pid, count, names] = VARIABLES.map(std::env::var_os);
    let number = |text: Option<OsString>| text?.to_str()?.parse::<u32>().ok();
    if number(pid) != Some(std::process::id()) {
        return Vec::new();
    }
    let names = names.unwrap_or_default();
    let given = names.as_bytes().split(|&byte| byte == b':').map(|name| name.to_vec());
    let all = given.chain(std::iter::repeat_with(Vec::new)).map(OsString::from_vec);
    all.take(number(count).unwrap_or(0).min(MANY) as usize).collect()
}

/// More than any number of descriptors that a process has.
const MANY: u32 = 1 << 20;
