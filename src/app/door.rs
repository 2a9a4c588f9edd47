//! The path of a door, and calls of the doors of `ipc` itself.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use crate::app::options::done;
use crate::base::deadline::Deadline;
use crate::base::exit::{Exit, Failure, Subject};
use crate::base::name::FilePath;
use crate::mechanism::door::Caller;
use crate::mechanism::socket::address::Address;
use crate::run::watchdog::look_up;

/// The address of a door. Each word is a path, also one without a slash.
pub fn address(path: &FilePath) -> anyhow::Result<Address> {
    let text = OsStr::as_bytes(path.as_ref());
    let prefix: &[u8] = if text.contains(&b'/') { b"" } else { b"./" };
    let address = Address::new(OsStr::from_bytes(&[prefix, text].concat()));
    address.map_err(|error| Failure::new(Exit::Usage, error.to_string())).about(path)
}

/// Connects to the server of a door.
pub fn connect(path: &FilePath, deadline: Deadline) -> anyhow::Result<Caller> {
    let address = address(path)?;
    look_up(path.path(), deadline).about(path)?;
    let connected = Caller::connect(&address, deadline);
    done(connected.map_err(Failure::from)).about(path)
}
