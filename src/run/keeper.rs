//! Runs a COMMAND with an object that goes when COMMAND has ended, whichever process is killed.
//!
//! The keeper is a second process. It creates the object, so that KILL of the first process at any moment
//! leaves none that no process knows. It learns the process ID of COMMAND from the process that becomes
//! COMMAND, before COMMAND runs. It waits until the first process has closed its socket, which is also the
//! case when that is killed, and until COMMAND has ended. Then it removes the object. It is in a session
//! of its own and blocks all signals, so that neither the terminal nor a signal to the process group
//! ends it.

use std::ffi::OsStr;
use std::os::fd::{AsFd, BorrowedFd};

use crate::base::deadline::Deadline;
use crate::base::errno::Errno;
use crate::base::exit::{Exit, Failure};
use crate::base::signal::Signal;
use crate::run::job::Command;
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

/// The object, and the name by which COMMAND finds it.
#[derive(Debug)]
pub struct Created<T> {
    /// The objects.
    pub objects: Vec<T>,
    /// The name.
    pub name: Vec<u8>,
}

impl<T> Created<T> {
    /// One object of this name, which may have been given another.
    pub fn new(object: T, name: impl AsRef<OsStr>, given: Option<impl AsRef<OsStr>>) -> Self {
        let name = given.as_ref().map_or(name.as_ref(), AsRef::as_ref);
        Self { objects: vec![object], name: name.as_encoded_bytes().to_owned() }
    }
}

/// The name of the variable in which COMMAND finds the name of the object.
const VARIABLE: &str = "IPC_NAME";

/// The length of the longest name: that of a path, or of an identifier.
const LONGEST_NAME: usize = libc::PATH_MAX as usize;

/// Creates objects with `create` and runs COMMAND; returns its status. If they cannot be created, `report`
/// reports the reason and returns the status.
///
/// # Errors
/// Status 125, 126 or 127 if COMMAND cannot be started; the objects are removed then.
pub fn run<T: Temporary>(
    command: Command,
    create: impl FnOnce() -> anyhow::Result<Created<T>>,
    report: impl FnOnce(&anyhow::Error) -> Exit,
) -> anyhow::Result<Exit> {
    let (ours, theirs) = Socket::pair(SocketType::Seqpacket).map_err(Failure::from)?;
    let started = {
        let all: SignalSet = Signal::all().collect();
        let _blocked = Blocked::new(all);
        start_copy(|| keep(&theirs, create, report))
    };
    let mut keeper = started.map_err(crate::run::job::no_room)?;
    drop(theirs);
    let mut name = vec![0; LONGEST_NAME];
    let length = ours.receive(&mut name).map_err(Failure::from)?;
    if length == 0 {
        let status = keeper.wait().map_err(Failure::from)?;
        return match status.code() {
            Some(code) => Ok(Exit::Command(code as u8)),
            None => Err(Failure::failed("the process that creates the object was killed").into()),
        };
    }
    name.truncate(length);
    let socket = ours.try_clone().map_err(Failure::from)?;
    let command = command.with(VARIABLE, &name).map_err(Failure::from)?.announced_to(socket);
    let ended = command.run(|_| {});
    drop((ours, command));
    keeper.wait().map_err(Failure::from)?;
    ended
}

/// The work of the keeper; returns its exit status, which counts only if it has created nothing.
fn keep<T: Temporary>(
    socket: &Socket,
    create: impl FnOnce() -> anyhow::Result<Created<T>>,
    report: impl FnOnce(&anyhow::Error) -> Exit,
) -> u8 {
    process::leave_session();
    let Created { objects, name } = match create() {
        Ok(created) => created,
        Err(error) => return report(&error).code(),
    };
    let mut kept: Vec<_> = objects.iter().flat_map(Temporary::descriptors).collect();
    kept.push(socket.as_fd());
    descriptor::close_others(&kept);
    let command = match socket.send(&name) {
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
    let mut pid = [0; size_of::<i32>()];
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
