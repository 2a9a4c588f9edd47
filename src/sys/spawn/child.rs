//! A COMMAND that runs: signals to it, and the wait for its end.

use std::collections::BTreeMap;
use std::mem::MaybeUninit;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::base::errno::Errno;
use crate::base::signal::Signal;
use crate::sys::pidfd::Process;

use super::Group;

/// A COMMAND that was started, and is a child of this process until it is reaped.
#[derive(Debug)]
pub struct Child {
    pid: i32,
    ended: Option<ExitStatus>,
    group: Group,
}

impl Child {
    /// A child that was started in this process group, registered with those of the first process.
    pub(super) fn new(
        pid: i32,
        group: Group,
        ours: Option<MutexGuard<'_, init::Children>>,
    ) -> Self {
        if let Some(mut ours) = ours {
            ours.insert(pid, None);
        }
        Self { pid, ended: None, group }
    }

    /// Its process ID.
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// Whether it leads a process group of its own, which signals are sent to.
    pub fn leads_group(&self) -> bool {
        self.group == Group::Own
    }

    /// Whether its end is known.
    pub fn has_ended(&self) -> bool {
        self.ended.is_some()
    }

    /// Its status, if its end is known.
    pub fn status(&self) -> Option<ExitStatus> {
        self.ended
    }

    /// A process descriptor, for a wait with other descriptors.
    ///
    /// # Errors
    /// EMFILE if no descriptor is left; ESRCH if the child was reaped.
    pub fn process(&self) -> Result<Process, Errno> {
        // The process ID of a child that is not reaped is not reused.
        let ours = init::children();
        let ended = self.known_end(ours.as_deref());
        if ended.is_some() { Err(Errno(libc::ESRCH)) } else { Process::open(self.pid) }
    }

    /// Sends it a signal. If it has just ended, the caller sees its end next.
    ///
    /// The call uses the process ID, which is not reused before the child is reaped, and needs no
    /// descriptor: none may be left. A COMMAND in a process group of its own is reaped after the
    /// last wait for the group; until then the group keeps its ID.
    pub fn send(&self, signal: Signal) {
        if self.leads_group() {
            // SAFETY: the call takes numbers only.
            unsafe { libc::kill(-self.pid, signal.number()) };
            return;
        }
        let ours = init::children();
        if self.known_end(ours.as_deref()).is_none() {
            // SAFETY: the call takes numbers only.
            unsafe { libc::kill(self.pid, signal.number()) };
        }
    }

    /// Its status, if it was reaped; in the first process, another thread may have done so.
    fn known_end(&self, ours: Option<&init::Children>) -> Option<ExitStatus> {
        self.ended.or_else(|| ours?.get(&self.pid).copied().flatten())
    }

    /// Its status, if it has ended. The first process of a PID namespace reaps orphans as well.
    pub fn try_wait(&mut self) -> Result<Option<ExitStatus>, Errno> {
        if self.ended.is_none() {
            self.ended = match init::children() {
                Some(ours) => init::reap_all(ours, self.pid),
                None => wait_for(self.pid, libc::WNOHANG)?.map(|(_, status)| status),
            };
        }
        Ok(self.ended)
    }

    /// Waits for its end.
    pub fn wait(&mut self) -> Result<ExitStatus, Errno> {
        let pid = self.pid as libc::id_t;
        if has_orphans() { self.wait_by(libc::P_PID, pid) } else { self.wait_here() }
    }

    /// Waits for its end; the caller has no other thread that waits for a child. The first process
    /// of a PID namespace also reaps orphans.
    pub fn wait_alone(&mut self) -> Result<ExitStatus, Errno> {
        if has_orphans() { self.wait_by(libc::P_ALL, 0) } else { self.wait_here() }
    }

    fn wait_here(&mut self) -> Result<ExitStatus, Errno> {
        loop {
            if let Some(status) = self.ended {
                return Ok(status);
            }
            self.ended = wait_for(self.pid, 0)?.map(|(_, status)| status);
        }
    }

    /// Sleeps until one of these children has ended, and repeats that until this one has.
    fn wait_by(&mut self, kind: libc::idtype_t, id: libc::id_t) -> Result<ExitStatus, Errno> {
        loop {
            if let Some(status) = self.try_wait()? {
                return Ok(status);
            }
            match await_end(kind, id) {
                Ok(()) | Err(Errno(libc::EINTR)) => {}
                // Another thread may have reaped it.
                Err(errno) => return self.try_wait()?.ok_or(errno),
            }
        }
    }
}

/// Sleeps until one of these children has ended, without reaping it: waitid(2).
fn await_end(kind: libc::idtype_t, id: libc::id_t) -> Result<(), Errno> {
    let mut info = MaybeUninit::<libc::siginfo_t>::uninit();
    let options = libc::WEXITED | libc::WNOWAIT;
    // SAFETY: the structure outlives the call, and is not read.
    Errno::check(unsafe { libc::waitid(kind, id, info.as_mut_ptr(), options) })
}

/// Whether this is the first process of a PID namespace, which the kernel makes the parent of all
/// orphans.
pub fn has_orphans() -> bool {
    std::process::id() == 1
}

/// Reaps the orphans that have ended, if this is the first process of a PID namespace.
pub fn reap_orphans() {
    if let Some(ours) = init::children() {
        init::reap_all(ours, 0);
    }
}

/// The additional task of the first process of a PID namespace: it reaps orphans by waiting for any
/// child. Such a wait may reap a COMMAND that another thread waits for, so the status is kept for
/// that thread.
pub mod init {
    use super::{BTreeMap, ExitStatus, Mutex, MutexGuard, PoisonError, has_orphans, wait_for};

    /// The process IDs of COMMANDs, with the status of each that was reaped and not yet queried.
    pub type Children = BTreeMap<i32, Option<ExitStatus>>;

    static CHILDREN: Mutex<Children> = Mutex::new(BTreeMap::new());

    /// The COMMANDs of the first process; `None` in other processes, which wait only for their own
    /// children.
    pub fn children() -> Option<MutexGuard<'static, Children>> {
        has_orphans().then(|| CHILDREN.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reaps all children that have ended; returns the status of `pid`, if it has ended.
    pub fn reap_all(mut ours: MutexGuard<'_, Children>, pid: i32) -> Option<ExitStatus> {
        while let Ok(Some((ended, status))) = wait_for(-1, libc::WNOHANG) {
            ours.entry(ended).and_modify(|kept| *kept = Some(status));
        }
        let status = ours.get(&pid).copied().flatten()?;
        ours.remove(&pid);
        Some(status)
    }
}

/// waitpid(2); `None` if none has ended yet.
fn wait_for(which: i32, options: i32) -> Result<Option<(i32, ExitStatus)>, Errno> {
    let mut status = 0;
    loop {
        // SAFETY: the status outlives the call.
        match unsafe { libc::waitpid(which, &raw mut status, options) } {
            0 => return Ok(None),
            pid if pid > 0 => return Ok(Some((pid, ExitStatus::from_raw(status)))),
            _ => match Errno::last() {
                Errno(libc::EINTR) => {}
                errno => return Err(errno),
            },
        }
    }
}
