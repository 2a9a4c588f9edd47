//! Dispositions of signals that last for a scope: sigaction(2).

use std::ffi::c_void;
use std::mem::MaybeUninit;
use std::ptr;

use crate::base::signal::Signal;

/// A handler that stays installed until it is dropped; then the disposition is the one from before.
#[derive(Debug)]
pub struct Handler {
    signal: Signal,
    before: libc::sigaction,
}

impl Handler {
    /// Installs `function`, whatever the disposition is now. The function makes only calls that
    /// signal-safety(7) allows. A system call that waits fails with EINTR after it.
    pub fn install(signal: Signal, function: extern "C" fn(i32)) -> Self {
        let mut action = no_action();
        action.sa_sigaction = function as libc::sighandler_t;
        Self { signal, before: exchange(signal, Some(&action)) }
    }

    /// Whether the signal was ignored before: nohup(1) ignores HUP, and a shell ignores INT for its
    /// background commands.
    pub fn was_ignored(&self) -> bool {
        self.before.sa_sigaction == libc::SIG_IGN
    }

    /// As [`Handler::install`], for a function that gets the kernel's information about the signal: SA_SIGINFO.
    pub fn install_with_information(signal: Signal, function: WithInformation) -> Self {
        let mut action = no_action();
        action.sa_flags = libc::SA_SIGINFO;
        action.sa_sigaction = function as libc::sighandler_t;
        Self { signal, before: exchange(signal, Some(&action)) }
    }
}

/// A handler that gets the number of the signal, the kernel's information about it, and the context that
/// it interrupts.
pub type WithInformation = extern "C" fn(i32, *mut libc::siginfo_t, *mut c_void);

impl Drop for Handler {
    fn drop(&mut self) {
        exchange(self.signal, Some(&self.before));
    }
}

/// A disposition that lasts until it is dropped; then the disposition is the one from before.
#[derive(Debug)]
pub struct Disposition(#[expect(dead_code, reason = "its drop restores the disposition")] Handler);

impl Disposition {
    /// The signal has no effect.
    pub fn ignore(signal: Signal) -> Self {
        Self::set(signal, libc::SIG_IGN)
    }

    /// The signal has its default effect.
    pub fn default_of(signal: Signal) -> Self {
        Self::set(signal, libc::SIG_DFL)
    }

    fn set(signal: Signal, disposition: libc::sighandler_t) -> Self {
        let mut action = no_action();
        action.sa_sigaction = disposition;
        Self(Handler { signal, before: exchange(signal, Some(&action)) })
    }
}

/// The action with nothing set: the default one, no flags, an empty mask.
fn no_action() -> libc::sigaction {
    let action = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: zeros are a value of each of its fields.
    unsafe { action.assume_init() }
}

/// Changes the action of a signal; returns the one before. KILL and STOP refuse.
fn exchange(signal: Signal, action: Option<&libc::sigaction>) -> libc::sigaction {
    let mut before = no_action();
    let action = action.map_or(ptr::null(), ptr::from_ref);
    // SAFETY: both actions live through the call, and a handler lives as long as the program.
    unsafe { libc::sigaction(signal.number(), action, &raw mut before) };
    before
}
