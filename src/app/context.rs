//! The context of a verb: everything that it uses of its process.

use std::any::Any;
use std::ffi::{OsStr, OsString};
use std::os::fd::BorrowedFd;

use crate::app::options::Verbosity;
use crate::base::exit::Exit;
use crate::base::signal::Signal;
use crate::io::output::{Destinations, Output, Words};
use crate::mechanism::remote::Engine;
use crate::sys::stdio::Stream;
use crate::sys::{process, signal};

/// The context of one run of a verb. A verb uses nothing else of the process.
#[derive(Debug)]
pub struct Context {
    /// Writes answers to stdout and diagnostics to stderr.
    pub output: Output,
    /// Stdin.
    pub stdin: BorrowedFd<'static>,
    /// Stdout, for transfers that bypass `output`.
    pub stdout: BorrowedFd<'static>,
    /// The environment.
    pub environment: Environment,
    /// The calling process.
    pub caller: Caller,
    /// The effect of a fatal signal that the verb has consumed.
    pub cancellation: Cancellation,
    /// The names of all nouns, for `ipc applets`.
    pub nouns: &'static [&'static str],
    /// The kind of server for names on servers; `ipc` itself has none.
    pub engine: Option<&'static dyn Engine>,
    /// The manual page that these words name, for `ipc man`.
    pub manual: fn(&[&str], PageForm) -> Option<String>,
    /// Objects that live as long as the context.
    kept: Vec<Box<dyn Any>>,
}

impl Context {
    /// The context of a verb of this name.
    pub fn new(
        words: Words,
        verbosity: Verbosity,
        cancellation: Cancellation,
        nouns: &'static [&'static str],
    ) -> Self {
        let destinations = Destinations::of_process().with_color(verbosity.color());
        Self {
            output: Output::new(words, verbosity, destinations),
            stdin: Stream::Input.fd(),
            stdout: destinations.stdout,
            environment: Environment(()),
            caller: Caller(()),
            cancellation,
            nouns,
            engine: None,
            manual: |_, _| None,
            kept: Vec::new(),
        }
    }

    /// Drops an object with the context rather than now. `main` forgets the context, since the
    /// kernel frees descriptors and memory faster when the process exits.
    pub fn keep(&mut self, object: impl Any) {
        self.kept.push(Box::new(object));
    }
}

/// The form of a manual page.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PageForm {
    /// The source, for man(1).
    Roff,
    /// Lines of text.
    Text,
}

/// The environment of a verb.
#[derive(Clone, Copy, Debug)]
pub struct Environment(());

impl Environment {
    /// The value of a variable.
    pub fn get(self, name: impl AsRef<OsStr>) -> Option<OsString> {
        std::env::var_os(name)
    }
}

/// The calling process of a verb.
#[derive(Clone, Copy, Debug)]
pub struct Caller(());

impl Caller {
    /// Its process ID; 0 if it is in another PID namespace.
    pub fn pid(self) -> i32 {
        process::parent()
    }
}

/// The effect of a fatal signal that a verb has consumed, after its cleanup.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Cancellation {
    /// The signal kills the process.
    Die,
    /// The verb ends with the status that a shell reports for this signal; the process continues
    /// with other verbs.
    Return,
}

impl Cancellation {
    /// Ends a verb by this signal.
    pub fn by(self, signal: Signal) -> Exit {
        if self == Self::Die {
            signal::die_of(signal);
        }
        Exit::Command(128 + signal.number() as u8)
    }
}
