//! A line of COMMANDs, each with its ends of the pipes.

use std::os::fd::{AsFd, OwnedFd};

use crate::base::errno::Errno;
use crate::mechanism::pipe::relay::Relay;
use crate::mechanism::pipe::{CapacityRefused, set_capacity};
use crate::run::job::{Command, Job};
use crate::sys::pidfd::Process;
use crate::sys::spawn::Streams;
use crate::sys::{pipe, terminal};

/// The connections of COMMANDs.
#[derive(Clone, Copy, Debug)]
pub struct Line {
    /// The target of the stdout of the last one.
    pub end: End,
    /// The kind of file that is stdout of a COMMAND.
    pub link: Link,
    /// The target of its stderr.
    pub diagnostics: Diagnostics,
    /// The capacity of each pipe; `None` is the default of the kernel.
    pub capacity: Option<u64>,
}

/// The target of the stdout of the last COMMAND.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum End {
    /// The caller's stdout; the first COMMAND has the caller's stdin.
    Open,
    /// The stdin of the first COMMAND.
    Loop,
}

/// The kind of file that is stdout of a COMMAND.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Link {
    /// The pipe that the next COMMAND reads.
    Pipe,
    /// A terminal, from which the bytes are relayed to that pipe.
    Terminal,
}

/// The target of the stderr of a COMMAND.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Diagnostics {
    /// The caller's stderr.
    Apart,
    /// The file that is its stdout, if its stdout is connected.
    WithOutput,
}

/// The reason why a line cannot run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A pipe could not be created.
    #[error("pipe: {0}")]
    Pipe(Errno),
    /// A pipe cannot have the requested capacity.
    #[error(transparent)]
    Capacity(#[from] CapacityRefused),
    /// A terminal could not be created.
    #[error("pseudo-terminal: {0}")]
    Terminal(Errno),
    /// A COMMAND did not start.
    #[error(transparent)]
    Command(anyhow::Error),
}

/// The stdout of one COMMAND.
struct Output {
    /// The end that the COMMAND inherits.
    end: OwnedFd,
    /// The master of its terminal, and the pipe that receives the relayed bytes.
    relayed: Option<(OwnedFd, OwnedFd)>,
}

impl Line {
    /// Starts the COMMANDs, each with only its own ends; returns the relays that must run while the
    /// COMMANDs run.
    ///
    /// # Errors
    /// The reason why a COMMAND did not start. The job has the COMMANDs that started.
    pub fn start(&self, commands: &[Command], job: &mut Job) -> Result<Vec<Relay>, Error> {
        let mut relays = Vec::new();
        let (mut input, mut end) = match self.end {
            End::Loop => self.pipe().map(|(reader, writer)| (Some(reader), Some(writer)))?,
            End::Open => (None, None),
        };
        for (index, command) in commands.iter().enumerate() {
            let (next, writer) = if index + 1 == commands.len() {
                (None, end.take())
            } else {
                self.pipe().map(|(reader, writer)| (Some(reader), Some(writer)))?
            };
            let output = writer.map(|writer| self.output(writer)).transpose()?;
            let pid = self.start_one(command, input.as_ref(), output.as_ref(), job)?;
            if let Some((master, pipe)) = output.and_then(|output| output.relayed) {
                relays.push(Relay::new(master, pipe, Process::open(pid).ok()));
            }
            // The end of the previous COMMAND is closed here, so that no other process has it.
            input = next;
        }
        Ok(relays)
    }

    fn start_one(
        &self,
        command: &Command,
        input: Option<&OwnedFd>,
        output: Option<&Output>,
        job: &mut Job,
    ) -> Result<i32, Error> {
        let output = output.map(|output| output.end.as_fd());
        let errors = output.filter(|_| self.diagnostics == Diagnostics::WithOutput);
        let streams =
            Streams { input: input.map(AsFd::as_fd), output, errors, ..Streams::default() };
        job.start(command, streams).map_err(Error::Command)
    }

    fn pipe(&self) -> Result<(OwnedFd, OwnedFd), Error> {
        let (reader, writer) = pipe::new().map_err(Error::Pipe)?;
        if let Some(bytes) = self.capacity {
            set_capacity(&writer, bytes)?;
        }
        Ok((reader, writer))
    }

    fn output(&self, pipe: OwnedFd) -> Result<Output, Error> {
        match self.link {
            Link::Pipe => Ok(Output { end: pipe, relayed: None }),
            Link::Terminal => {
                let pair = terminal::create().map_err(Error::Terminal)?;
                Ok(Output { end: pair.terminal, relayed: Some((pair.master, pipe)) })
            }
        }
    }
}
