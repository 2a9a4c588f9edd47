//! `ipc door`: procedures at a path.

mod call;
mod serve;

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use crate::app::command::{Noun, Verb};
use crate::base::exit::{Exit, Failure, Subject};
use crate::base::name::FilePath;
use crate::mechanism::socket::address::Address;

pub const NOUN: Noun = Noun {
    name: "door",
    about: "Serve and call procedures",
    verbs: &[Verb::new::<serve::Serve>("serve"), Verb::new::<call::Call>("call")],
    see_also: &["ipc-door(5)", "unix(7)", "ipc-sock(1)"],
};

/// The address of a door. Each word is a path, also one without a slash.
fn address(path: &FilePath) -> anyhow::Result<Address> {
    let text = OsStr::as_bytes(path.as_ref());
    let prefix: &[u8] = if text.contains(&b'/') { b"" } else { b"./" };
    let address = Address::new(OsStr::from_bytes(&[prefix, text].concat()));
    address.map_err(|error| Failure::new(Exit::Usage, error.to_string())).about(path)
}
