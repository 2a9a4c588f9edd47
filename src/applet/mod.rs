//! Drop-in utilities: a link with the name of one runs it. Options, exit statuses and messages are
//! those of the original.
#![forbid(unsafe_code)]

mod flock;
pub mod getopt;
mod mkfifo;
mod quote;

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use crate::app::options::Verbosity;
use crate::io::output::{Destinations, Output, Unwritable};

/// A drop-in utility.
#[derive(Debug)]
pub struct Applet {
    /// The name of the link.
    pub name: &'static str,
    /// Runs it with the words of the command line, its own name first; returns the exit status.
    pub run: fn(&[OsString]) -> u8,
    /// The exit status after an error of the system.
    pub failure: u8,
}

/// All utilities.
pub const APPLETS: &[Applet] = &[
    Applet { name: "flock", run: flock::run, failure: 71 },
    Applet { name: "mkfifo", run: mkfifo::run, failure: 1 },
];

/// The name by which the program is called, without the directory.
pub fn name_of_program(arguments: &[OsString]) -> Option<&OsStr> {
    let path = arguments.first()?.as_bytes();
    path.rsplit(|&byte| byte == b'/').next().map(OsStr::from_bytes)
}

/// The utility that the first of these words names.
pub fn called_by(arguments: &[OsString]) -> Option<&'static Applet> {
    let name = name_of_program(arguments)?;
    APPLETS.iter().find(|applet| name == applet.name)
}

/// Prints a help text or a version; the exit status is 1 if it cannot be written.
fn answer(program: &OsStr, text: &str) -> u8 {
    let mut output = Output::new([""; 2], Verbosity::default(), Destinations::of_process());
    match output.text(text).and_then(|()| output.flush()) {
        Ok(()) => 0,
        Err(Unwritable(errno)) => {
            complain(program, format!("write error: {errno}"));
            1
        }
    }
}

/// Prints a diagnostic, as `PROGRAM: SENTENCE`.
fn complain(program: &OsStr, sentence: impl AsRef<OsStr>) {
    let parts = [program.as_bytes(), b": ", sentence.as_ref().as_bytes(), b"\n"];
    Destinations::of_process().complain_bytes(&parts.concat());
}

/// Prints a diagnostic of a usage error, and how to get help.
fn complain_of_usage(program: &OsStr, sentence: impl AsRef<OsStr>) {
    complain(program, sentence);
    let hint = [b"Try '", program.as_bytes(), b" --help' for more information.\n"].concat();
    Destinations::of_process().complain_bytes(&hint);
}
