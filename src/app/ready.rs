//! `--ready`: a command writes a line when it is ready, so that a script can wait for that instead of
//! sleeping for a guessed time.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt;

use crate::app::arguments::Plain;
use crate::base::errno::Errno;
use crate::base::exit::Subject;
use crate::sys::descriptor;

/// The option that says where a command writes that it is ready.
#[derive(Clone, Debug, Default, clap::Args, Plain)]
pub struct Ready {
    /// Write a line to this descriptor or file when ready
    ///
    /// A number is a descriptor, which is closed afterwards. A file is created if it is missing; if
    /// it is a FIFO, the command waits until it has a reader.
    #[arg(long, value_name = "FD|FILE")]
    ready: Option<OsString>,
}

/// Where the line is written.
#[derive(Debug)]
pub enum Target {
    /// Nowhere: the option was not given.
    None,
    /// A descriptor of the caller.
    Descriptor(OwnedFd),
    /// A file, which is opened when the command is ready.
    File(OsString),
}

impl Ready {
    /// Without the option: no line is written.
    pub const NONE: Self = Self { ready: None };

    /// Checks the descriptor and takes it over from the caller. This precedes every open(2), which could
    /// return the number of a descriptor that is not open.
    ///
    /// # Errors
    /// EBADF if the descriptor is not open.
    pub fn target(&self) -> anyhow::Result<Target> {
        let Some(target) = &self.ready else { return Ok(Target::None) };
        match target.to_str().and_then(descriptor_number) {
            Some(number) => descriptor::handed_over(number).map(Target::Descriptor).about(target),
            None => Ok(Target::File(target.clone())),
        }
    }
}

impl Target {
    /// Writes the line, and closes the descriptor or the file.
    ///
    /// # Errors
    /// Those of open(2) and write(2); EPIPE if the reader has closed.
    pub fn write(self, line: impl AsRef<[u8]>) -> anyhow::Result<()> {
        let line = [line.as_ref(), b"\n"].concat();
        match self {
            Self::None => Ok(()),
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
        ready.target().unwrap().write("4711").unwrap();
        assert_eq!(std::fs::read(path).unwrap(), b"4711\n");
    }

    #[test]
    fn a_descriptor_that_is_not_open_is_refused_before_anything_else() {
        let error = Ready { ready: Some("1000".into()) }.target().unwrap_err();
        assert_eq!(format!("{error:#}"), "1000: Bad file descriptor");
    }
}
