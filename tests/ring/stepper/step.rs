//! Running a process instruction by instruction: ptrace(2).

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::ptr;

use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};

use crate::process::Child;

/// A process that stopped itself, and is run by us from there on.
pub struct Traced {
    pub child: Child,
    queue: File,
    /// Where the pending operation of its robust list is, once there is one.
    pending: usize,
    before: Effects,
}

/// What a kill leaves to others: two of the same are the same to them.
#[derive(PartialEq)]
struct Effects {
    queue: Vec<u8>,
    pending: i64,
}

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
            libc::ptrace(
                libc::PTRACE_SETOPTIONS,
                child.pid().as_raw(),
                0,
                libc::PTRACE_O_EXITKILL,
            )
        };
        let pending = robust_list(&child) + 2 * size_of::<usize>();
        let queue = File::open(queue).expect("it is there");
        let mut traced =
            Self { child, queue, pending, before: Effects { queue: Vec::new(), pending: 0 } };
        traced.before = traced.effects();
        traced
    }

    /// Runs one instruction.
    pub fn step(&mut self) -> Step {
        let is_call = self.is_at_system_call();
        self.start_step();
        let mut polls = 0_u32;
        while !self.has_stopped(WaitPidFlag::WNOHANG) {
            polls += 1;
            if polls.is_multiple_of(50) && self.child.sleeps() {
                return Step::Asleep;
            }
            std::thread::yield_now();
        }
        self.see(is_call)
    }

    /// Returns when the sleeping call of the last step has returned.
    pub fn finish_sleep(&mut self) -> Step {
        self.has_stopped(WaitPidFlag::empty());
        self.see(true)
    }

    fn see(&mut self, is_call: bool) -> Step {
        let after = self.effects();
        let has_changed = after != self.before;
        self.before = after;
        if has_changed || is_call { Step::Effect } else { Step::Nothing }
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

    fn effects(&self) -> Effects {
        let mut queue = vec![0; 512 + 4096];
        self.queue.read_exact_at(&mut queue[..512], 0).expect("it is there");
        self.queue.read_exact_at(&mut queue[512..], 4096).expect("it is there");
        Effects { queue, pending: self.peek(self.pending) }
    }

    fn is_at_system_call(&self) -> bool {
        // SAFETY: all zeros are registers.
        let mut registers: libc::user_regs_struct = unsafe { std::mem::zeroed() };
        let to = &raw mut registers;
        // SAFETY: the registers live through the call.
        unsafe { libc::ptrace(libc::PTRACE_GETREGS, self.pid(), 0, to) };
        self.peek(registers.rip as usize) & 0xffff == 0x050f
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

fn robust_list(child: &Child) -> usize {
    let (mut head, mut length) = (0_usize, 0_usize);
    let to = (&raw mut head, &raw mut length);
    // SAFETY: both live through the call.
    unsafe { libc::syscall(libc::SYS_get_robust_list, child.pid().as_raw(), to.0, to.1) };
    assert_ne!(head, 0, "the victim has a robust list");
    head
}
