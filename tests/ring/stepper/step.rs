//! Running a process instruction by instruction: ptrace(2).

use std::collections::HashMap;
use std::fs::File;
use std::path::Path;
use std::ptr;
use std::sync::atomic::AtomicU8;

use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};

use crate::process::Child;
use crate::shared::{Atomics, Shared};

/// A process that stopped itself, and that the test runs step by step from there on.
pub struct Traced {
    pub child: Child,
    queue: Mapped,
    /// Where the pending operation of its robust list is.
    pending: usize,
    /// What a kill leaves to others: if both are as they were, all is the same to them.
    before: [Vec<u8>; 2],
    before_pending: i64,
    /// Whether the instructions at these addresses are system calls.
    calls: HashMap<usize, bool>,
}

/// The words and the messages of a queue, and where they are.
#[repr(C)]
pub struct QueueWords {
    bytes: [AtomicU8; 8192],
}

// SAFETY: it consists of atomics.
unsafe impl Atomics for QueueWords {}

type Mapped = Shared<QueueWords>;

const PARTS: [std::ops::Range<usize>; 2] = [128..512, 4096..8192];

/// Where the address of the next instruction is among the registers, and the instruction that is a
/// system call: x86-64.
const RIP: usize = 16 * 8;
const SYSCALL: i64 = 0x050f;

/// What became of a step.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Step {
    /// It had no effect.
    Nothing,
    /// It had one, or was a system call.
    Effect,
    /// It is a system call that sleeps.
    Asleep,
}

/// To be called by the process that is to be traced.
pub fn stop_for_tracer() {
    // SAFETY: the call takes numbers only.
    unsafe { libc::ptrace(libc::PTRACE_TRACEME, 0, 0, 0) };
    // SAFETY: as above.
    unsafe { libc::raise(libc::SIGSTOP) };
}

impl Traced {
    /// Takes over a process when it has stopped itself.
    pub fn new(child: Child, queue: &Path) -> Self {
        let stopped = waitpid(child.pid(), None).expect("it is our child");
        assert!(matches!(stopped, WaitStatus::Stopped(..)), "{stopped:?}");
        // SAFETY: the call takes numbers only.
        unsafe {
            libc::ptrace(libc::PTRACE_SETOPTIONS, child.pid().as_raw(), 0, libc::PTRACE_O_EXITKILL)
        };
        let pending = robust_list(&child) + 2 * size_of::<usize>();
        let mut traced = Self {
            child,
            queue: Shared::map(&File::options().read(true).write(true).open(queue).expect("it is")),
            pending,
            before: PARTS.map(|part| vec![0; part.len()]),
            before_pending: 0,
            calls: HashMap::new(),
        };
        let _ = traced.see(false);
        traced
    }

    /// Runs one instruction.
    pub fn step(&mut self) -> Step {
        let is_call = self.is_at_system_call();
        self.start_step();
        if !is_call {
            self.has_stopped(WaitPidFlag::empty());
            return self.see(false);
        }
        let mut polls = 0_u32;
        while !self.has_stopped(WaitPidFlag::WNOHANG) {
            polls += 1;
            if polls.is_multiple_of(50) && self.child.sleeps() {
                return Step::Asleep;
            }
            std::thread::yield_now();
        }
        self.see(true)
    }

    /// Returns when the sleeping call of the last step has returned.
    pub fn finish_sleep(&mut self) -> Step {
        self.has_stopped(WaitPidFlag::empty());
        self.see(true)
    }

    fn see(&mut self, is_call: bool) -> Step {
        let pending = self.peek(self.pending);
        let has_changed = self.copy_queue() || pending != self.before_pending;
        self.before_pending = pending;
        if has_changed || is_call { Step::Effect } else { Step::Nothing }
    }

    /// Notes how the queue is; whether it was different.
    fn copy_queue(&mut self) -> bool {
        let mut has_changed = false;
        for (part, copy) in PARTS.into_iter().zip(&mut self.before) {
            let from = (&raw const self.queue.bytes).cast::<u8>().wrapping_add(part.start);
            // SAFETY: the part is mapped, and so long. It may change meanwhile, which is a change.
            let differs = unsafe { libc::memcmp(from.cast(), copy.as_ptr().cast(), part.len()) };
            if differs != 0 {
                // SAFETY: as above.
                unsafe { ptr::copy_nonoverlapping(from, copy.as_mut_ptr(), part.len()) };
                has_changed = true;
            }
        }
        has_changed
    }

    fn start_step(&self) {
        // SAFETY: the call takes numbers only.
        let result = unsafe { libc::ptrace(libc::PTRACE_SINGLESTEP, self.pid(), 0, 0) };
        assert_eq!(result, 0, "it can be stepped");
    }

    fn has_stopped(&self, flags: WaitPidFlag) -> bool {
        match waitpid(self.child.pid(), Some(flags)).expect("it is our child") {
            WaitStatus::StillAlive => false,
            WaitStatus::Stopped(..) => true,
            other => panic!("the victim ended: {other:?}"),
        }
    }

    fn is_at_system_call(&mut self) -> bool {
        // SAFETY: the kernel reads a register of the other process.
        let at = unsafe { libc::ptrace(libc::PTRACE_PEEKUSER, self.pid(), RIP, 0) } as usize;
        if let Some(known) = self.calls.get(&at) {
            return *known;
        }
        let is_call = self.peek(at) & 0xffff == SYSCALL;
        self.calls.insert(at, is_call);
        is_call
    }

    fn peek(&self, address: usize) -> i64 {
        let at = ptr::without_provenance_mut::<libc::c_void>(address);
        // SAFETY: the kernel reads the memory of the other process, or refuses.
        unsafe { libc::ptrace(libc::PTRACE_PEEKDATA, self.pid(), at, 0) }
    }

    fn pid(&self) -> libc::pid_t {
        self.child.pid().as_raw()
    }
}

/// Its address; 0 for a process without one, which is one that uses no word as a lock.
fn robust_list(child: &Child) -> usize {
    let (mut head, mut length) = (0_usize, 0_usize);
    let to = (&raw mut head, &raw mut length);
    // SAFETY: both live through the call.
    unsafe { libc::syscall(libc::SYS_get_robust_list, child.pid().as_raw(), to.0, to.1) };
    head
}
