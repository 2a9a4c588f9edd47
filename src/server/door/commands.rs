//! A COMMAND for each call.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;

use nix::fcntl::OFlag;

use crate::base::deadline::Deadline;
use crate::base::errno::Errno;
use crate::mechanism::door::{Gather, Outcome, PACKET_MAX, Part, Reason, Refusal};
use crate::run::job::{Command, exit_of};
use crate::server::door::Terms;
use crate::server::door::ending;
use crate::server::door::procedure::{Finished, Procedure, Reply, Request, Source};
use crate::sys::events::{Events, Interest};
use crate::sys::pidfd::Process;
use crate::sys::spawn::{Child, Streams};
use crate::sys::{descriptor, memfd, offset, pipe, stream};

/// Variables of the environment that describe another call, or sockets that were handed over to this
/// process, or the service manager, to which this process reports.
pub const RESERVED: &[&str] = &["IPC_CALLER_", "IPC_DOOR_", "LISTEN_", "NOTIFY_SOCKET="];

/// Starts a COMMAND for each call.
#[derive(Debug)]
pub struct Commands {
    command: Command,
    terms: Terms,
    calls: BTreeMap<u64, Call>,
    /// The latest bytes, of any call.
    buffer: Vec<u8>,
}

/// A call whose COMMAND has not been reaped.
#[derive(Debug)]
struct Call {
    child: Child,
    /// Readable when the COMMAND has ended; `None` where CHLD has to report that.
    process: Option<Process>,
    /// Its stdout and its stderr.
    outputs: [Stream; 2],
    stage: Stage,
}

/// The state of a call.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Stage {
    /// The caller waits for the answer until then.
    Answering(Deadline),
    /// The caller is gone or has another answer, and the COMMAND was asked to end until then.
    Ending(Deadline),
    /// The COMMAND was killed.
    Killed,
}

/// An output of a COMMAND.
#[derive(Debug)]
struct Stream {
    /// The end that is read; `None` after the end of the bytes.
    end: Option<OwnedFd>,
    gather: Gather,
}

/// The number of bytes of an output up to which they stay in memory: two of them fit in a packet.
const FEW: usize = PACKET_MAX / 2 - 64;

/// The size of the buffer: the capacity of a pipe.
const BLOCK: usize = 64 << 10;

impl Commands {
    /// Finds the COMMAND.
    pub fn new(words: &[OsString], terms: Terms) -> anyhow::Result<Self> {
        let command = Command::new(words)?.without(RESERVED).in_own_group();
        Ok(Self { command, terms, calls: BTreeMap::new(), buffer: vec![0; BLOCK] })
    }

    fn launch(&self, request: Request<'_>) -> Result<(Child, [Stream; 2]), Errno> {
        let input = input(&request.argument)?;
        let (output, far_output) = pipe::new_for_events()?;
        let (errors, far_errors) = pipe::new_for_events()?;
        let process = request.socket.peer_process().ok().filter(|_| self.terms.knows_callers);
        let variables = Variables::of(&request, process.as_ref());
        let others = request.descriptors.into_iter().chain(process).collect();
        let others = descriptor::above_third(others)?;
        let others: Vec<BorrowedFd<'_>> = others.iter().map(AsFd::as_fd).collect();
        let streams = Streams {
            input: Some(input.as_fd()),
            output: Some(far_output.as_fd()),
            errors: Some(far_errors.as_fd()),
            from_third: &others,
            ..Streams::default()
        };
        let child = self.command.start(streams, &variables.with(&self.terms.cookie))?;
        let stream = |end| Stream { end: Some(end), gather: Gather::new(FEW, self.terms.max_size) };
        Ok((child, [stream(output), stream(errors)]))
    }

    /// The end of a call, if its COMMAND has ended.
    fn reap(&mut self, number: u64) -> Option<Finished> {
        let call = self.calls.get_mut(&number)?;
        let status = match call.child.try_wait() {
            Ok(None) => return None,
            status => status.ok().flatten(),
        };
        let mut call = self.calls.remove(&number)?;
        if !matches!(call.stage, Stage::Answering(_)) {
            return None;
        }
        for output in &mut call.outputs {
            if let Err(refusal) = output.read_rest(&mut self.buffer, self.terms.max_size) {
                return Some((number, Err(refusal)));
            }
        }
        let [output, errors] = call.outputs;
        let contents = output.gather.finish().and_then(|one| Ok([one, errors.gather.finish()?]));
        let status = status.map_or(u8::MAX, |status| exit_of(status).code());
        Some((number, contents.map(|contents| Reply { status, contents }).map_err(failed)))
    }

    /// Asks the COMMAND of a call to end. The caller gets the refusal now.
    fn end(&mut self, number: u64) {
        if let Some(call) = self.calls.get_mut(&number)
            && matches!(call.stage, Stage::Answering(_))
        {
            call.stage = Stage::Ending(ending::terminate(&call.child));
            // It gets SIGPIPE if it still writes.
            call.outputs.iter_mut().for_each(|output| output.end = None);
        }
    }

    fn read(&mut self, number: u64, index: usize) -> Option<Finished> {
        let call = self.calls.get_mut(&number)?;
        let read = call.outputs[index].read(&mut self.buffer, self.terms.max_size);
        let refusal = read.err()?;
        self.end(number);
        Some((number, Err(refusal)))
    }
}

impl Stream {
    /// Reads what is there, once.
    fn read(&mut self, buffer: &mut [u8], max_size: u64) -> Result<usize, Refusal> {
        let Some(end) = &self.end else { return Ok(0) };
        match stream::read_at_once(end, buffer) {
            Ok(0) => {
                self.end = None;
                Ok(0)
            }
            Ok(count) => match self.gather.push(&buffer[..count]) {
                Ok(Outcome::Taken) => Ok(count),
                Ok(Outcome::TooMany) => Err(too_long("answer", max_size)),
                Err(errno) => Err(failed(errno)),
            },
            Err(Errno(libc::EAGAIN)) => Ok(0),
            Err(errno) => Err(failed(errno)),
        }
    }

    /// Reads what the COMMAND has written; processes that it left behind may go on to write.
    fn read_rest(&mut self, buffer: &mut [u8], max_size: u64) -> Result<(), Refusal> {
        let Some(end) = &self.end else { return Ok(()) };
        let mut left = pipe::length(end).map_err(failed)?;
        while left > 0 {
            let most = left.min(buffer.len());
            match self.read(&mut buffer[..most], max_size)? {
                0 => break,
                count => left -= count,
            }
        }
        Ok(())
    }
}

/// The refusal of an argument or an answer.
pub fn too_long(what: &str, max_size: u64) -> Refusal {
    let words = format!(
        "the {what} is longer than the {max_size} bytes that --max-size of the server allows"
    );
    Refusal::new(Reason::TooLong, words)
}

/// The refusal where the procedure could not be run.
pub fn failed(errno: Errno) -> Refusal {
    Refusal::new(Reason::Failed, format_args!("the server could not run the procedure: {errno}"))
}

/// The stdin of a COMMAND. A file gets a position of its own, which the caller does not share.
fn input(argument: &Part<'_>) -> Result<OwnedFd, Errno> {
    match argument {
        Part::Bytes(bytes) => memfd::with(bytes),
        Part::File(file, _) => match descriptor::reopen(file, OFlag::O_RDONLY | OFlag::O_CLOEXEC) {
            Ok(own) => Ok(own),
            // Without a /proc.
            Err(_) => {
                offset::seek(file, 0)?;
                Ok(file.try_clone()?)
            }
        },
    }
}

/// The variables of the environment that describe a call.
struct Variables(Vec<(&'static str, String)>);

impl Variables {
    fn of(request: &Request<'_>, process: Option<&OwnedFd>) -> Self {
        let lent = request.descriptors.len();
        let mut variables = vec![("IPC_CALLER_FDS", lent.to_string())];
        if let Some(caller) = request.caller {
            variables.push(("IPC_CALLER_PID", caller.pid.to_string()));
            variables.push(("IPC_CALLER_UID", caller.uid.to_string()));
            variables.push(("IPC_CALLER_GID", caller.gid.to_string()));
        }
        if process.is_some() {
            // It follows the descriptors that the caller lends.
            variables.push(("IPC_CALLER_PIDFD", (3 + lent).to_string()));
        }
        Self(variables)
    }

    fn with<'a>(&'a self, cookie: &'a OsString) -> Vec<(&'static str, &'a [u8])> {
        let own = self.0.iter().map(|(name, value)| (*name, value.as_bytes()));
        own.chain([("IPC_DOOR_COOKIE", cookie.as_bytes())]).collect()
    }
}

impl Procedure for Commands {
    fn has_room(&self) -> bool {
        self.calls.len() < self.terms.max_calls
    }

    fn begin(&mut self, request: Request<'_>, events: &Events) -> Result<Option<Reply>, Refusal> {
        let number = request.number;
        let (child, outputs) = self.launch(request).map_err(failed)?;
        for (output, source) in outputs.iter().zip([Source::Output, Source::Errors]) {
            if let Some(end) = &output.end {
                events.add(end, source.event(number), Interest::Readable).map_err(failed)?;
            }
        }
        let event = Source::Process.event(number);
        let process = child
            .process()
            .ok()
            .filter(|process| events.add(process, event, Interest::Readable).is_ok());
        let stage = Stage::Answering(self.terms.call_deadline());
        self.calls.insert(number, Call { child, process, outputs, stage });
        Ok(None)
    }

    fn abandon(&mut self, number: u64) {
        self.end(number);
    }

    fn ready(&mut self, source: Source, number: u64, _events: &Events) -> Option<Finished> {
        match source {
            Source::Output => self.read(number, 0),
            Source::Errors => self.read(number, 1),
            Source::Process => self.reap(number),
            Source::Caller | Source::Input => None,
        }
    }

    fn children_changed(&mut self, _events: &Events) -> Vec<Finished> {
        let without = self.calls.iter().filter(|(_, call)| call.process.is_none());
        let numbers: Vec<u64> = without.map(|(&number, _)| number).collect();
        numbers.into_iter().filter_map(|number| self.reap(number)).collect()
    }

    fn deadline(&self) -> Deadline {
        let deadlines = self.calls.values().map(|call| call.stage.deadline());
        deadlines.fold(Deadline::NEVER, Deadline::min)
    }

    fn tick(&mut self, _events: &Events) -> Vec<Finished> {
        let mut finished = Vec::new();
        let due: Vec<u64> = self
            .calls
            .iter()
            .filter(|(_, call)| call.stage.deadline().has_passed())
            .map(|(&number, _)| number)
            .collect();
        for number in due {
            let Some(call) = self.calls.get_mut(&number) else { continue };
            match call.stage {
                Stage::Answering(_) => {
                    self.end(number);
                    finished.push((number, Err(self.terms.timed_out())));
                }
                Stage::Ending(_) => {
                    ending::kill(&call.child);
                    call.stage = Stage::Killed;
                }
                Stage::Killed => {}
            }
        }
        finished
    }

    fn busy(&self) -> Vec<i32> {
        self.calls.values().map(|call| call.child.pid()).collect()
    }
}

impl Drop for Commands {
    fn drop(&mut self) {
        ending::finish(self.calls.values_mut().map(|call| &mut call.child));
    }
}

impl Stage {
    fn deadline(self) -> Deadline {
        match self {
            Self::Answering(until) | Self::Ending(until) => until,
            Self::Killed => Deadline::NEVER,
        }
    }
}
