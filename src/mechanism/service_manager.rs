//! Reports to the service manager that started this process, by the protocol of sd_notify(3).
//!
//! The manager has a datagram socket, whose address is in the environment variable NOTIFY_SOCKET: a path,
//! or an abstract name behind `@`. A datagram has a state on each line. The manager closes a descriptor
//! that arrives with `BARRIER=1` when it has read all datagrams before that one.

use std::ffi::OsStr;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use nix::fcntl::OFlag;
use nix::sys::socket::{AddressFamily, UnixAddr};
use nix::unistd::pipe2;

use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::base::exit::{Exit, Failure};
use crate::run::job::Command;
use crate::sys::cleanup::{Registered, Undo};
use crate::sys::poll;
use crate::sys::socket::{self, Socket, SocketType};

/// The environment variable with the address of the manager.
pub const VARIABLE: &str = "NOTIFY_SOCKET";

/// Why a service manager gets no reports.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Error {
    /// The variable is not set.
    #[error("no service manager has set it")]
    None,
    /// The value of the variable is not an address.
    #[error("neither a path with a leading slash nor a name with a leading @")]
    NotAnAddress,
    /// The manager is the host of this virtual machine.
    #[error("addresses of vsock are not supported")]
    Vsock,
    /// An error of the kernel.
    #[error(transparent)]
    Kernel(#[from] Errno),
}

impl From<nix::errno::Errno> for Error {
    fn from(errno: nix::errno::Errno) -> Self {
        Self::Kernel(errno.into())
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::None => Self::new(Exit::NotFound, error.to_string())
                .hint("systemd sets it for units with Type=notify or NotifyAccess=all"),
            Error::NotAnAddress | Error::Vsock => Self::failed(error.to_string()),
            Error::Kernel(errno) => errno.into(),
        }
    }
}

/// A connection to the service manager.
#[derive(Debug)]
pub struct Manager(Socket);

impl Manager {
    /// Connects to the manager at an address, the value of [`VARIABLE`].
    ///
    /// # Errors
    /// ENOENT or ECONNREFUSED if there is none.
    pub fn connect(address: &OsStr) -> Result<Self, Error> {
        let (address, _held) = match address.as_bytes() {
            [] => return Err(Error::None),
            [b'/', ..] => socket::path_address(Path::new(address))?,
            [b'@', name @ ..] => (UnixAddr::new_abstract(name)?, None),
            other if other.starts_with(b"vsock") => return Err(Error::Vsock),
            _ => return Err(Error::NotAnAddress),
        };
        let socket = Socket::new(AddressFamily::Unix, SocketType::Dgram)?;
        // A datagram socket connects without a wait.
        let Waited::Done(()) = socket.connect(&address, Deadline::NEVER)? else {
            return Err(Errno(libc::ETIMEDOUT).into());
        };
        socket.make_non_blocking()?;
        Ok(Self(socket))
    }

    /// Reports states, one on each line; waits while the manager has no room for them.
    ///
    /// # Errors
    /// ECONNREFUSED if the manager has ended.
    pub fn report(&self, states: &[u8], deadline: Deadline) -> Result<Waited, Errno> {
        self.send(deadline, || self.0.send_message(states))
    }

    /// Waits until the manager has read every report, or has ended.
    ///
    /// # Errors
    /// Those of [`Manager::report`].
    pub fn wait_until_read(&self, deadline: Deadline) -> Result<Waited, Errno> {
        let (reader, writer) = pipe2(OFlag::O_CLOEXEC)?;
        let sent = self.send(deadline, || self.0.send_with(&[b"BARRIER=1"], &[writer.as_fd()]))?;
        drop(writer);
        // The pipe is at its end when the last copy of the descriptor is closed.
        match sent {
            Waited::Done(()) => poll::readable(&reader, deadline),
            Waited::TimedOut => Ok(Waited::TimedOut),
        }
    }

    /// Reports that this process is ready, and STOPPING=1 at its end.
    ///
    /// # Errors
    /// Those of [`Manager::report`]; ENOMEM.
    pub fn ready(self, deadline: Deadline) -> Result<Waited<Running>, Errno> {
        // A signal may arrive at once when the manager has the report.
        let stopping = Stopping { manager: self, is_ready: AtomicBool::new(true) };
        let running = Running(Registered::new(stopping)?);
        let reported = running.0.manager.report(b"READY=1", deadline);
        if reported != Ok(Waited::Done(())) {
            running.0.is_ready.store(false, Ordering::Relaxed);
        }
        Ok(reported?.map(|()| running))
    }

    fn send(
        &self,
        deadline: Deadline,
        send: impl Fn() -> Result<(), Errno>,
    ) -> Result<Waited, Errno> {
        loop {
            match send() {
                Err(Errno(libc::EAGAIN)) => match poll::writable(&self.0, deadline)? {
                    Waited::Done(()) => {}
                    Waited::TimedOut => return Ok(Waited::TimedOut),
                },
                sent => return sent.map(Waited::Done),
            }
        }
    }
}

/// A process that is ready. Dropping it reports STOPPING=1, and so does a fatal signal.
#[derive(Debug)]
pub struct Running(Registered<Stopping>);

#[derive(Debug)]
struct Stopping {
    manager: Manager,
    /// Whether the manager may know that the process was ready.
    is_ready: AtomicBool,
}

impl Undo for Stopping {
    /// A signal may interrupt the drop, so the handler may report it once more, which changes nothing.
    fn undo(&self) {
        if self.is_ready.load(Ordering::Relaxed) {
            // The end does not wait for the manager, which learns of it from the kernel anyway.
            let _ = self.manager.0.send(b"STOPPING=1");
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.undo();
    }
}

/// Removes the variable from the environment of a COMMAND, which would report in the place of this
/// process: sd_notify(3).
pub fn hide(command: Command) -> Command {
    command.without(&[format!("{VARIABLE}=")])
}

#[cfg(test)]
mod tests {
    use std::os::linux::net::SocketAddrExt;
    use std::os::unix::net::{SocketAddr, UnixDatagram};

    use super::*;

    fn manager() -> (UnixDatagram, Manager) {
        let name = format!("ipc-test-manager-{}", std::process::id());
        let address = SocketAddr::from_abstract_name(&name).unwrap();
        let receiver = UnixDatagram::bind_addr(&address).unwrap();
        (receiver, Manager::connect(OsStr::new(&format!("@{name}"))).unwrap())
    }

    #[test]
    fn the_manager_gets_the_states_and_the_end() {
        let (receiver, manager) = manager();
        let mut buffer = [0; 64];
        let mut read = || {
            let count = receiver.recv(&mut buffer).unwrap();
            String::from_utf8_lossy(&buffer[..count]).into_owned()
        };
        let Ok(Waited::Done(running)) = manager.ready(Deadline::NEVER) else { panic!("no room") };
        assert_eq!(read(), "READY=1");
        drop(running);
        assert_eq!(read(), "STOPPING=1");
    }

    #[test]
    fn an_address_that_is_none_is_refused() {
        let error = |text: &str| Manager::connect(OsStr::new(text)).unwrap_err();
        assert_eq!(error(""), Error::None);
        assert_eq!(error("run/notify"), Error::NotAnAddress);
        assert_eq!(error("vsock:2:1234"), Error::Vsock);
        assert_eq!(error("vsock-stream:2:1234"), Error::Vsock);
        assert_eq!(error("/no/such/socket"), Error::Kernel(Errno(libc::ENOENT)));
    }
}
