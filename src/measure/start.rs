//! The time from the start of a program to its end.

use std::ffi::OsString;

use super::trial::Error;
use crate::sys::spawn::{Program, Signals, Streams};
use crate::sys::{descriptor, time};

/// A program and its words, and the times of its runs in nanoseconds.
#[derive(Debug)]
pub struct Candidate {
    pub words: Vec<OsString>,
    program: Program,
    pub samples: Vec<u64>,
}

impl Candidate {
    /// Finds a program; `None` if there is none.
    pub fn find(words: &[&str]) -> Option<Self> {
        Self::of(words.iter().map(OsString::from).collect())
    }

    /// The same, with a path as the first word.
    pub fn of(words: Vec<OsString>) -> Option<Self> {
        let program = Program::find(&words).ok()?;
        Some(Self { words, program, samples: Vec::new() })
    }

    /// Runs it once.
    fn run(&mut self) -> Result<(), Error> {
        let null = descriptor::open_both(std::path::Path::new("/dev/null"));
        let null = null.map_err(Error::of("/dev/null"))?;
        let streams = Streams { errors: Streams::both(&null).output, ..Streams::both(&null) };
        let begin = time::monotonic();
        let child = self.program.start(Signals::Clean, streams, &[]);
        let mut child = child.map_err(Error::of("posix_spawn"))?;
        child.wait().map_err(Error::of("waitpid"))?;
        self.samples.push(time::monotonic() - begin);
        Ok(())
    }
}

/// Runs each of the programs so many times, in turn.
pub fn measure(candidates: &mut [Candidate], rounds: usize) -> Result<(), Error> {
    for _ in 0..rounds {
        for candidate in candidates.iter_mut() {
            candidate.run()?;
        }
    }
    Ok(())
}
