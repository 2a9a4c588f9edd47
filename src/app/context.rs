//! What a verb works with.

use std::any::Any;
use std::ffi::{OsStr, OsString};
use std::os::fd::BorrowedFd;

use crate::app::options::Verbosity;
use crate::base::exit::Exit;
use crate::base::signal::Signal;
use crate::io::output::{Destinations, Output};
use crate::sys::stdio::Stream;
use crate::sys::{process, signal};

/// What one run of a verb works with, and nothing else of the process.
#[derive(Debug)]
pub struct Context {
    /// Stdout and stderr, as diagnostics and answers are written to them.
    pub output: Output,
    /// Stdin.
    pub stdin: BorrowedFd<'static>,
    /// Stdout, for bytes that are moved straight to it.
    pub stdout: BorrowedFd<'static>,
    /// The environment.
    pub environment: Environment,
    /// The process that called.
    pub caller: Caller,
    /// What a fatal signal does to a verb that has taken it.
    pub cancellation: Cancellation,
    /// The names of all nouns, for the verbs that are about the program itself.
    pub nouns: &'static [&'static str],
    /// Objects that live as long as the context.
    kept: Vec<Box<dyn Any>>,
}

impl Context {
    /// The context of the verb that these words name.
    pub fn new(
        words: String,
        verbosity: Verbosity,
        cancellation: Cancellation,
        nouns: &'static [&'static str],
    ) -> Self {
        let destinations = Destinations::of_process();
        Self {
            output: Output::new(words, verbosity, destinations),
            stdin: Stream::Input.fd(),
            stdout: destinations.stdout,
            environment: Environment(()),
            caller: Caller(()),
            cancellation,
            nouns,
            kept: Vec::new(),
        }
    }

    /// Drops an object with the context rather than now. `main` forgets the context, since the kernel
    /// frees descriptors and memory faster when the process exits.
    pub fn keep(&mut self, object: impl Any) {
        self.kept.push(Box::new(object));
    }
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

/// The process that called a verb.
#[derive(Clone, Copy, Debug)]
pub struct Caller(());

impl Caller {
    /// Its process ID; 0 if it is in another PID namespace.
    pub fn pid(self) -> i32 {
        process::parent()
    }
}

/// What a fatal signal does to a verb that has taken it from the queue, after the clean-up.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Cancellation {
    /// The process dies of it.
    Die,
    /// The verb ends with the status that a shell gives to a process that died of it; the process
    /// goes on with other verbs.
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
