//! Processes by descriptor, which never means another process that was given the same number later:
//! pidfd_open(2), pidfd_send_signal(2), pidfd_getfd(2).

use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use nix::sys::stat::fstat;

use super::{descriptor, poll};
use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::base::signal::Signal;

/// A process, which may have ended. Dropping it closes the descriptor; the process goes on.
#[derive(Debug)]
pub struct Process(OwnedFd);

/// The information of a signal with a value, in the kernel's layout on every architecture.
#[repr(C)]
struct Queued {
    signal: i32,
    errno: i32,
    code: i32,
    sender: Sender,
}

/// For the kernel it contains a pointer, and is aligned as one.
#[repr(C)]
#[cfg_attr(target_pointer_width = "64", repr(align(8)))]
struct Sender {
    pid: i32,
    uid: u32,
    /// A `sigval`, of which the integer is the first part in memory.
    value: [i32; 2],
}

/// The receiver of a signal: the flags of pidfd_send_signal(2).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u32)]
enum Receiver {
    /// The process.
    Process = 0,
    /// The process group of the same number: PIDFD_SIGNAL_PROCESS_GROUP.
    Group = 1 << 2,
}

impl Process {
    /// The process of this number, a zombie included.
    ///
    /// # Errors
    /// ESRCH if there is none. EINVAL or ENOENT for the number of a thread.
    pub fn open(pid: i32) -> Result<Self, Errno> {
        // SAFETY: the call takes numbers only.
        let result = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
        // SAFETY: the call above gave it, and nothing else owns it.
        unsafe { descriptor::made(result) }.map(Self)
    }

    /// A number that no other process of this boot has: the inode of its pidfd, since Linux 6.9. Before
    /// that, all processes have the same number.
    pub fn unique_number(&self) -> Result<u64, Errno> {
        Ok(fstat(&self.0)?.st_ino)
    }

    /// The inode of its PID namespace.
    ///
    /// # Errors
    /// ENOTTY or EINVAL from a kernel before Linux 6.11.
    pub fn pid_namespace(&self) -> Result<u64, Errno> {
        /// PIDFD_GET_PID_NAMESPACE: `_IO(0xFF, 5)`.
        const GET_PID_NAMESPACE: u32 = 0xFF05;
        // SAFETY: this request of a pidfd takes no argument. Other kernels refuse it.
        let result = unsafe { libc::ioctl(self.0.as_raw_fd(), GET_PID_NAMESPACE as _, 0) };
        // SAFETY: the call above gave it, and nothing else owns it.
        let namespace = unsafe { descriptor::made(result.into()) }?;
        Ok(fstat(&namespace)?.st_ino)
    }

    /// Sends it a signal, or only checks whether that is allowed.
    ///
    /// # Errors
    /// ESRCH if it has ended, EPERM if this process may not signal it.
    pub fn send(&self, signal: Option<Signal>) -> Result<(), Errno> {
        self.send_to(signal, None, Receiver::Process)
    }

    /// Queues a signal with a value, as sigqueue(3) does.
    ///
    /// # Errors
    /// Those of [`Process::send`], and EAGAIN if as many are queued already as the receiver's user
    /// may have.
    pub fn queue(&self, signal: Option<Signal>, value: i32) -> Result<(), Errno> {
        self.queue_to(signal, value, Receiver::Process)
    }

    fn queue_to(
        &self,
        signal: Option<Signal>,
        value: i32,
        receiver: Receiver,
    ) -> Result<(), Errno> {
        let mut info = MaybeUninit::<libc::siginfo_t>::zeroed();
        let queued = info.as_mut_ptr().cast::<Queued>();
        let content = Queued {
            signal: signal.map_or(0, Signal::number),
            errno: 0,
            code: libc::SI_QUEUE,
            sender: Sender {
                pid: nix::unistd::getpid().as_raw(),
                uid: nix::unistd::getuid().as_raw(),
                value: [value, 0],
            },
        };
        // SAFETY: the structure is smaller than the whole and no more strictly aligned, as checked below.
        unsafe { queued.write(content) };
        self.send_to(signal, Some(&mut info), receiver)
    }

    /// Sends a signal to the process group that has its number, with a value if there is one.
    ///
    /// # Errors
    /// EINVAL if the kernel (before Linux 6.9) cannot.
    pub fn send_to_group(&self, signal: Option<Signal>, value: Option<i32>) -> Result<(), Errno> {
        match value {
            Some(value) => self.queue_to(signal, value, Receiver::Group),
            None => self.send_to(signal, None, Receiver::Group),
        }
    }

    /// Waits until it has ended, reaped or not.
    pub fn wait_until_ended(&self, deadline: Deadline) -> Result<Waited, Errno> {
        poll::readable(&self.0, deadline)
    }

    /// Copies a descriptor of it, which shares its position and flags: pidfd_getfd(2).
    ///
    /// # Errors
    /// EPERM if this process may not trace the other one; EBADF if it has no such descriptor.
    pub fn copy_descriptor(&self, number: i32) -> Result<OwnedFd, Errno> {
        // SAFETY: the call takes numbers only.
        let result = unsafe { libc::syscall(libc::SYS_pidfd_getfd, self.0.as_raw_fd(), number, 0) };
        // SAFETY: the call above gave it, and nothing else owns it.
        unsafe { descriptor::made(result) }
    }

    fn send_to(
        &self,
        signal: Option<Signal>,
        info: Option<&mut MaybeUninit<libc::siginfo_t>>,
        receiver: Receiver,
    ) -> Result<(), Errno> {
        let number = signal.map_or(0, Signal::number);
        let info = info.map_or(std::ptr::null_mut(), MaybeUninit::as_mut_ptr);
        // SAFETY: the information is none, or lives through the call, which only reads it.
        let result = unsafe {
            libc::syscall(
                libc::SYS_pidfd_send_signal,
                self.0.as_raw_fd(),
                number,
                info,
                receiver as u32,
            )
        };
        Errno::check(result)
    }
}

const _: () = assert!(size_of::<Queued>() <= size_of::<libc::siginfo_t>());
const _: () = assert!(align_of::<Queued>() <= align_of::<libc::siginfo_t>());

impl AsFd for Process {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_process_is_seen_before_it_is_reaped() {
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let process = Process::open(child.id() as i32).unwrap();
        assert_eq!(process.wait_until_ended(Deadline::NEVER), Ok(Waited::Done(())));
        assert_eq!(process.send(None), Ok(()));
        child.wait().unwrap();
        assert_eq!(process.send(None), Err(Errno(libc::ESRCH)));
    }
}
