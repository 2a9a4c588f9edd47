//! Becoming a COMMAND that gets descriptors from number 3 up, as sd_listen_fds(3) expects them.

use std::ffi::OsString;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::str::FromStr;

use crate::mechanism::descriptors::{Name, Named};
use crate::mechanism::socket::activation;
use crate::run::job;
use crate::sys::descriptor;
use crate::sys::spawn::Streams;

/// Finds the COMMAND, before anything is received for it.
///
/// # Errors
/// Status 126 or 127 if the file is not executable or does not exist.
pub fn command(words: &[OsString]) -> anyhow::Result<job::Command> {
    Ok(activation::hide(job::Command::new(words)?))
}

/// Becomes the COMMAND, which gets these descriptors; returns only if that fails. Without a descriptor,
/// the environment does not mention any.
pub fn become_with(
    command: &job::Command,
    all: Vec<Named>,
    variables: &[(&str, &[u8])],
) -> anyhow::Error {
    let count = all.len().to_string();
    let pid = std::process::id().to_string();
    let (names, descriptors): (Vec<Name>, Vec<OwnedFd>) =
        all.into_iter().map(|Named { name, descriptor }| (name, descriptor)).unzip();
    let names: Vec<&str> = names.iter().map(Name::text).collect();
    let names = names.join(":");
    let descriptors = match descriptor::above_third(descriptors) {
        Ok(descriptors) => descriptors,
        Err(errno) => return command.failed(errno),
    };
    let descriptors: Vec<BorrowedFd<'_>> = descriptors.iter().map(AsFd::as_fd).collect();
    let mut all_variables = variables.to_vec();
    if !descriptors.is_empty() {
        all_variables.extend([
            ("LISTEN_FDS", count.as_bytes()),
            ("LISTEN_FDNAMES", names.as_bytes()),
            ("LISTEN_PID", pid.as_bytes()),
        ]);
    }
    job::start_clean();
    command.exec(Streams { from_third: &descriptors, ..Streams::default() }, &all_variables)
}

/// A descriptor of the caller, and its name: `N` or `N=NAME`.
#[derive(Clone, Debug)]
pub struct Given {
    /// The number.
    pub number: i32,
    /// The name.
    pub name: Name,
}

impl FromStr for Given {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (number, name) = match text.split_once('=') {
            Some((number, name)) => (number, Name::new(name).map_err(|error| error.to_string())?),
            None => (text, Name::unknown()),
        };
        let digits = Some(number).filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
        let number = digits.and_then(|text| text.parse().ok());
        let number = number.ok_or("not the number of a descriptor, or N=NAME")?;
        Ok(Self { number, name })
    }
}
