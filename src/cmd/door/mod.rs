//! `ipc door`: procedures at a path.

mod call;
mod manage;
mod serve;

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use crate::app::arguments::Plain;
use crate::app::command::{Noun, Verb};
use crate::base::deadline::{Deadline, Waited};
use crate::base::exit::{Exit, Failure, Subject};
use crate::base::name::FilePath;
use crate::base::units::Timeout;
use crate::mechanism::door::Caller;
use crate::mechanism::socket::address::Address;
use crate::run::watchdog::look_up;

pub const NOUN: Noun = Noun {
    name: "door",
    about: "Serve and call procedures",
    verbs: &[
        Verb::new::<serve::Serve>("serve"),
        Verb::new::<call::Call>("call"),
        Verb::new::<manage::Info>("info"),
        Verb::new::<manage::Revoke>("revoke"),
    ],
    see_also: &["ipc-door(5)", "unix(7)", "ipc-sock(1)"],
};

/// The address of a door. Each word is a path, also one without a slash.
fn address(path: &FilePath) -> anyhow::Result<Address> {
    let text = OsStr::as_bytes(path.as_ref());
    let prefix: &[u8] = if text.contains(&b'/') { b"" } else { b"./" };
    let address = Address::new(OsStr::from_bytes(&[prefix, text].concat()));
    address.map_err(|error| Failure::new(Exit::Usage, error.to_string())).about(path)
}

/// Connects to the server of a door.
fn connect(path: &FilePath, deadline: Deadline) -> anyhow::Result<Caller> {
    let address = address(path)?;
    look_up(path.path(), deadline).about(path)?;
    done(Caller::connect(&address, deadline).map_err(Failure::from)).about(path)
}

/// The limit for a whole request.
#[derive(Clone, Copy, Debug, clap::Args, Plain)]
struct Limit {
    /// Time out after this long: status 124
    #[arg(short, long, value_name = "DURATION")]
    timeout: Option<Timeout>,
}

impl Limit {
    /// The deadline, counted from now.
    fn deadline(self) -> Deadline {
        match self.timeout {
            Some(Timeout::For(duration)) => Deadline::after(duration),
            Some(Timeout::Forever) | None => Deadline::NEVER,
        }
    }
}

/// The result of a wait, or the failure of one that timed out.
fn done<T>(waited: Result<Waited<T>, Failure>) -> Result<T, Failure> {
    match waited? {
        Waited::Done(value) => Ok(value),
        Waited::TimedOut => Err(Failure::timed_out()),
    }
}
