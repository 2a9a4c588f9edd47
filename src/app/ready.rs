//! Telling somebody that we are ready, so that nobody has to sleep and hope: `--ready`.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt;

use crate::app::arguments::Plain;
use crate::base::errno::Errno;
use crate::base::exit::Subject;
use crate::sys::descriptor;

/// Whom to tell when a command is ready.
#[derive(Clone, Debug, Default, clap::Args, Plain)]
pub struct Ready {
    /// Write a line to this descriptor or file when ready
    ///
    /// A number is a descriptor, which is closed afterwards. A file is made if it is missing; a
    /// FIFO is waited for until somebody reads it.
    #[arg(long, value_name = "FD|FILE")]
    ready: Option<OsString>,
}

/// Where the line will go.
#[derive(Debug)]
pub enum Listener {
    /// Nobody asked.
    Nobody,
    /// A descriptor that was open when we started.
    Descriptor(OwnedFd),
    /// A file, opened when there is something to tell.
    File(OsString),
}

impl Ready {
    /// Finds out who listens. This comes first of all, before a descriptor of ours takes a number.
    ///
    /// # Errors
    /// EBADF for a descriptor that is not open.
    pub fn listener(&self) -> anyhow::Result<Listener> {
        let Some(target) = &self.ready else { return Ok(Listener::Nobody) };
        match target.to_str().and_then(descriptor_number) {
            Some(number) => descriptor::handed_over(number).map(Listener::Descriptor).about(target),
            None => Ok(Listener::File(target.clone())),
        }
    }
}

impl Listener {
    /// Writes the line, and closes what it was written to.
    ///
    /// # Errors
    /// Whatever the file says, EPIPE from one who no longer listens included.
    pub fn tell(self, line: impl AsRef<[u8]>) -> anyhow::Result<()> {
        let line = [line.as_ref(), b"\n"].concat();
        match self {
            Self::Nobody => Ok(()),
            Self::Descriptor(fd) => {
                File::from(fd).write_all(&line).map_err(Errno::from).about("--ready")
            }
            Self::File(path) => {
                let written = open(&path).and_then(|mut file| file.write_all(&line));
                written.map_err(Errno::from).about(path)
            }
        }
    }
}

fn open(path: &OsString) -> io::Result<File> {
    File::options().write(true).create(true).truncate(true).mode(0o600).open(path)
}

/// The descriptor that a word of digits names.
fn descriptor_number(word: &str) -> Option<i32> {
    word.bytes().all(|b| b.is_ascii_digit()).then(|| word.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_a_descriptor_and_anything_else_a_file() {
        assert_eq!(descriptor_number("3"), Some(3));
        for word in ["", "./3", "-1", "3x", "99999999999"] {
            assert_eq!(descriptor_number(word), None, "{word}");
        }
    }

    #[test]
    fn a_file_gets_the_line() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("ready");
        let ready = Ready { ready: Some(path.clone().into()) };
        ready.listener().unwrap().tell("4711").unwrap();
        assert_eq!(std::fs::read(path).unwrap(), b"4711\n");
    }

    #[test]
    fn a_descriptor_that_is_not_open_is_refused_before_anything_else() {
        let error = Ready { ready: Some("1000".into()) }.listener().unwrap_err();
        assert_eq!(format!("{error:#}"), "1000: Bad file descriptor");
    }
}
