//! Failures that verbs of several nouns report, with their hints.

use std::ffi::OsStr;
use std::path::Path;

use crate::base::errno::Errno;
use crate::base::exit::{Exit, Failure, about};
use crate::base::name::{SystemVName, SystemVTarget};
use crate::io::frame::ReadError;
use crate::io::output::escape;
use crate::sys::inode;
use crate::sys::system_v::Target;

/// Adds the hint to an object that exists and should be created.
pub fn exists_already(error: anyhow::Error) -> anyhow::Error {
    match Failure::in_chain(&error) {
        Some(failure) if failure.hint_text().is_some() => error,
        _ => Failure::new(Exit::InUse, format!("{error:#}"))
            .hint("--exist-ok accepts an existing one")
            .into(),
    }
}

/// Adds the hint `create`, how to create it, to an object that does not exist.
pub fn not_there(failure: Failure, name: impl AsRef<OsStr>, create: &'static str) -> Failure {
    let failure = missing_key(failure, &name);
    if failure.exit() != Exit::NotFound || failure.hint_text().is_some() {
        return failure;
    }
    match SystemVName::new(name.as_ref()) {
        Some(Ok(name)) => match name.target() {
            // No object can be created with a given identifier, and one without a key cannot be
            // found by its key.
            SystemVTarget::Id(_) | SystemVTarget::Key(libc::IPC_PRIVATE) => failure,
            _ => failure.hint(create),
        },
        _ => failure.hint(create),
    }
}

/// Replaces the reason why an object was not found, if the file of its key does not exist.
pub fn missing_key(failure: Failure, name: impl AsRef<OsStr>) -> Failure {
    match SystemVName::new(name.as_ref()) {
        Some(Ok(name)) if failure.exit() == Exit::NotFound => match name.target() {
            SystemVTarget::Ftok { path, .. } if !Path::new(path).exists() => no_key(path),
            _ => failure,
        },
        _ => failure,
    }
}

/// The key or identifier of a System V name, for a verb that creates an object.
pub fn target(name: &SystemVName) -> Result<Target, Failure> {
    Target::new(name).map_err(|errno| match (errno, name.target()) {
        (Errno(libc::ENOENT), SystemVTarget::Ftok { path, .. }) => no_key(path),
        (errno, _) => errno.into(),
    })
}

fn no_key(path: &OsStr) -> Failure {
    let path = escape(path.as_encoded_bytes());
    Failure::new(Exit::NotFound, format!("there is no {path}, from which its key is made"))
        .hint("ftok(3) makes the key of an existing file and PROJ")
}

/// Refuses to create a System V object whose name the verb does not print.
pub fn nameless() -> Failure {
    Failure::new(
        Exit::Usage,
        "each use of this name makes a new object, which no other command finds",
    )
    .hint("'create' makes one, and prints a name for it")
}

/// Refuses to create a System V object with a given identifier.
pub fn identifier_given() -> Failure {
    Failure::new(Exit::Usage, "the kernel chooses identifiers")
        .hint("sysv:0 makes a new one, and prints its name")
}

/// Adds the number of messages that were sent before an error, as they stay sent.
pub fn add_sent(failure: Failure, sent: u64) -> Failure {
    match sent {
        0 => failure,
        1 => failure.adding("; the message before it was sent"),
        _ => failure.adding(format_args!("; the {sent} messages before it were sent")),
    }
}

/// A lack of room for bytes.
pub fn no_room(errno: Errno) -> Failure {
    Failure::from(errno).hint("'df' shows the free space")
}

/// An error of a write to a file or to another output.
pub fn write_failed(errno: Errno) -> Failure {
    match errno {
        Errno(libc::ENOSPC | libc::EDQUOT) => no_room(errno),
        _ => Failure::from(errno),
    }
}

/// A lack of room in the file system of a directory: for bytes, or for one more file.
pub fn no_room_in(directory: &Path, errno: Errno) -> Failure {
    match inode::can_be_made_in(directory) {
        false => Failure::from(errno).hint(format!(
            "'df -i {}' shows that no inode is free",
            escape(directory.as_os_str().as_encoded_bytes())
        )),
        true => no_room(errno),
    }
}

/// An error of stdin.
pub fn stdin_failed(errno: Errno) -> anyhow::Error {
    about(errno, "standard input")
}

/// An error of records of stdin.
pub fn unreadable(error: ReadError) -> anyhow::Error {
    match error {
        ReadError::Kernel(errno) => stdin_failed(errno),
        error => about(Failure::failed(error.to_string()), "standard input"),
    }
}
