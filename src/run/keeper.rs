//! Runs a COMMAND with an object that goes when COMMAND has ended, whichever process is killed.
//!
//! The keeper is a second process. It creates the object, so that KILL of the first process at any moment
//! leaves none that no process knows. It learns the process ID of COMMAND from the process that becomes
//! COMMAND, before COMMAND runs. It waits until the first process has closed its socket, which is also the
//! case when that is killed, and until COMMAND has ended. Then it removes the object. It is in a session
//! of its own and blocks all signals, so that neither the terminal nor a signal to the process group
//! ends it. If it is killed all the same, the first process removes the object.

use std::ffi::{CStr, OsString};
use std::os::fd::{AsFd, BorrowedFd};

use crate::base::deadline::Deadline;
use crate::base::errno::Errno;
use crate::base::exit::{Exit, Failure};
use crate::base::signal::Signal;
use crate::run::job::{Command, no_room};
use crate::sys::pidfd::Process;
use crate::sys::signal::{Blocked, SignalSet};
use crate::sys::socket::{Socket, SocketType};
use crate::sys::spawn::start_copy;
use crate::sys::{descriptor, process};

/// Something that is removed when a COMMAND has ended.
pub trait Temporary {
    /// The descriptors that it needs for that.
    fn descriptors(&self) -> Vec<BorrowedFd<'_>>;

    /// Removes it, if it is still there; it neither waits nor prints.
    fn remove(&self);
}

/// The objects of a run, as its two processes see them.
pub trait Creation {
    /// An object.
    type Object: Temporary;

    /// Creates the objects, all or none; returns the identifier of an object that the kernel has chosen.
    fn create(&self) -> anyhow::Result<(Vec<Self::Object>, Option<i32>)>;

    /// Finds the objects again that another process has just created, of which one has this identifier.
    fn find(&self, id: Option<i32>) -> anyhow::Result<Vec<Self::Object>>;

    /// The name by which COMMAND finds the first object.
    fn name(&self, id: Option<i32>) -> OsString;

    /// Reports why they could not be created; returns the status.
    fn report(&self, error: &anyhow::Error) -> Exit;
}

/// The name of the variable in which COMMAND finds the name of the object.
const VARIABLE: &str = "IPC_NAME";

/// The name of the keeper in listings of processes, by which it is not taken for the first process.
const NAME: &CStr = c"ipc-keeper";

/// The message of the keeper about objects without an identifier.
const NO_IDENTIFIER: i32 = -1;

/// The size of a process ID or an identifier in a message.
const NUMBER: usize = size_of::<i32>();

/// Creates objects and runs COMMAND; returns its status, or that of the report.
///
/// # Errors
/// Status 125, 126 or 127 if COMMAND cannot be started; the objects are removed then.
pub fn run(command: Command, creation: &impl Creation) -> anyhow::Result<Exit> {
    let (ours, theirs) = Socket::pair(SocketType::Seqpacket).map_err(no_room)?;
    let started = {
        let all: SignalSet = Signal::all().collect();
        let _blocked = Blocked::new(all);
        start_copy(|| keep(&theirs, creation))
    };
    let mut keeper = started.map_err(no_room)?;
    drop(theirs);
    let mut id = [0; NUMBER];
    if ours.receive(&mut id).map_err(Failure::from)? == 0 {
        let status = keeper.wait().map_err(Failure::from)?;
        return match status.code() {
            Some(code) => Ok(Exit::Command(code as u8)),
            None => Err(Failure::failed("the process that creates the object was killed").into()),
        };
    }
    let id = Some(i32::from_ne_bytes(id)).filter(|&id| id != NO_IDENTIFIER);
    // For the case that the keeper is killed. It may have been the only one that could find them.
    let found = creation.find(id).unwrap_or_default();
    let socket = ours.try_clone().map_err(no_room)?;
    let name = creation.name(id);
    let command = command.with(VARIABLE, name.as_encoded_bytes()).map_err(Failure::from)?;
    let command = command.announced_to(socket);
    let ended = command.run(|_| {});
    drop((ours, command));
    if !keeper.wait().map_err(Failure::from)?.success() {
        found.iter().for_each(Temporary::remove);
    }
    ended
}

/// The work of the keeper; returns its exit status.
fn keep(socket: &Socket, creation: &impl Creation) -> u8 {
    process::leave_session();
    process::set_name(NAME);
    let (objects, id) = match creation.create() {
        Ok(created) => created,
        Err(error) => return creation.report(&error).code(),
    };
    let mut kept: Vec<_> = objects.iter().flat_map(Temporary::descriptors).collect();
    kept.push(socket.as_fd());
    descriptor::close_others(&kept);
    let command = match socket.send(&id.unwrap_or(NO_IDENTIFIER).to_ne_bytes()) {
        Ok(_) => await_first_process(socket),
        Err(_) => None,
    };
    if let Some(command) = command {
        // Without a descriptor for it, its end is that of the first process.
        let _ = command.wait_until_ended(Deadline::NEVER);
    }
    objects.iter().for_each(Temporary::remove);
    Exit::Done.code()
}

/// Waits until the first process has ended, or COMMAND has; returns the last process that announced
/// itself as COMMAND.
fn await_first_process(socket: &Socket) -> Option<Process> {
    let mut command = None;
    let mut pid = [0; NUMBER];
    loop {
        match socket.receive(&mut pid) {
            Ok(length) if length == pid.len() => {
                command = Process::open(i32::from_ne_bytes(pid)).ok();
                // The process waits for it, unless it was killed.
                let _: Result<usize, Errno> = socket.send(b"!");
            }
            _ => return command,
        }
    }
}
