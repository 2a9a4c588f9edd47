//! Utilities that exist elsewhere, for those who call us through a link of their name: option for
//! option, status for status, word for word what the original is.
#![forbid(unsafe_code)]

mod flock;
pub mod getopt;
mod mkfifo;
mod quote;

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::app::options::Verbosity;
use crate::io::output::{Output, Unwritable, complain_bytes};

/// A utility that we can be.
#[derive(Debug)]
pub struct Applet {
    /// The name of the link.
    pub name: &'static str,
    /// Does it, with the words of the command line, its own name first; returns the exit status.
    pub run: fn(&[OsString]) -> u8,
    /// The exit status where the system fails it.
    pub failure: u8,
}

/// All of them.
pub const APPLETS: &[Applet] = &[
    Applet { name: "flock", run: flock::run, failure: 71 },
    Applet { name: "mkfifo", run: mkfifo::run, failure: 1 },
];

/// The one that the first of these words calls.
pub fn called_by(arguments: &[OsString]) -> Option<&'static Applet> {
    let name = Path::new(arguments.first()?).file_name()?;
    APPLETS.iter().find(|applet| name == applet.name)
}

/// Prints what was asked for; the exit status is 1 if that cannot be written.
fn answer(program: &OsStr, text: &str) -> u8 {
    let mut output = Output::new("", Verbosity::default());
    match output.text(text).and_then(|()| output.flush()) {
        Ok(()) => 0,
        Err(Unwritable(errno)) => {
            complain(program, format!("write error: {errno}"));
            1
        }
    }
}

/// Says what is wrong, as `PROGRAM: SENTENCE`.
fn complain(program: &OsStr, sentence: impl AsRef<OsStr>) {
    let parts = [program.as_bytes(), b": ", sentence.as_ref().as_bytes(), b"\n"];
    complain_bytes(&parts.concat());
}

/// Says what is wrong with the command line, and who knows more.
fn complain_of_usage(program: &OsStr, sentence: impl AsRef<OsStr>) {
    complain(program, sentence);
    let program = program.as_bytes();
    complain_bytes(&[b"Try '", program, b" --help' for more information.\n"].concat());
}
