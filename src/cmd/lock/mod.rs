//! `ipc lock`: locks on files, held by a command, a shell or a lock file.

mod descriptor;
mod file;
mod inspect;
pub mod remote;
mod run;

use std::borrow::Cow;
use std::ffi::OsString;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::app::arguments::Plain;
use crate::app::command::{Manual, Noun, Verb};
use crate::base::exit::{Exit, Failure};
use crate::base::signal::Signal;
use crate::base::units::Size;
use crate::io::output::{Notes, Output, escape, rfc3339};
use crate::mechanism::lock::{self, Error, Kind, Lock, Mode, Range};
use crate::mechanism::lock_file;
use crate::mechanism::lock_file::{Content, CurrentOwner};
use crate::sys::lock_table::HeldLock;
use crate::sys::process;

pub use file::explain as explain_lock_file;

pub const NOUN: Noun = Noun {
    name: "lock",
    about: "Take and test file locks",
    verbs: &[
        Verb::new::<run::Run>("run"),
        Verb::new::<descriptor::Fd>("fd"),
        Verb::new::<descriptor::Unlock>("unlock"),
        Verb::new::<inspect::Test>("test"),
        Verb::new::<file::Take>("take"),
        Verb::new::<file::Drop>("drop"),
        Verb::new::<inspect::Ls>("ls"),
    ],
    see_also: &["flock(1)", "flock(2)", "fcntl_locking(2)", "lslocks(8)"],
    manual: Manual {
        topic: "advisory locks on files, mutex with a timeout, lock files",
        environment: &[],
        files: &[("«/proc/locks»", "The table of all locks of the kernel.")],
        standards: "Record locks are in POSIX.1-2024, and so are open file description locks. ‹flock›(2) is of BSD.",
    },
};

/// The lock that the options describe.
#[derive(Clone, Copy, Debug, clap::Args, Plain)]
struct LockOptions {
    /// Share the lock with other shared locks
    #[arg(short, long, overrides_with = "exclusive")]
    shared: bool,
    /// Exclude all other locks; this is the default
    #[arg(short = 'x', long)]
    exclusive: bool,
    /// Kind of the lock
    ///
    /// Locks of one kind exclude each other, and so do ofd and posix locks. A flock is independent of
    /// both. The default is flock, or ofd with --range.
    #[arg(long, value_name = "KIND", hide_short_help = true)]
    kind: Option<Kind>,
    /// Lock LEN bytes from OFF on; all from OFF if LEN is 0 or missing
    #[arg(long, value_name = "OFF:LEN")]
    range: Option<Range>,
}

impl LockOptions {
    fn lock(&self) -> Result<Lock, Failure> {
        let kind = match (self.kind, self.range) {
            (Some(Kind::Flock), Some(_)) => {
                let reason = "--range: a flock locks the whole file";
                return Err(Failure::new(Exit::Usage, reason).hint("--kind ofd locks a range"));
            }
            (Some(kind), _) => kind,
            (None, Some(_)) => Kind::Ofd,
            (None, None) => Kind::Flock,
        };
        let mode = if self.shared { Mode::Shared } else { Mode::Exclusive };
        Ok(Lock { kind, mode, range: self.range.unwrap_or_default() })
    }

    /// The same for a lock that remains when this process exits.
    fn lasting_lock(&self) -> Result<Lock, Failure> {
        match self.lock()? {
            Lock { kind: Kind::Posix, .. } => {
                let reason = "--kind: a posix lock would end with this process";
                Err(Failure::new(Exit::Usage, reason)
                    .hint("--kind ofd excludes the same locks, and remains with the descriptor"))
            }
            lock => Ok(lock),
        }
    }
}

/// Reports the holders of locks on a file.
#[derive(Clone, Debug)]
struct Holders {
    file: OsString,
    /// The name of the file in messages.
    shown: OsString,
    lock: Lock,
    /// Whether they were reported before a wait; shared by clones.
    was_reported: Arc<AtomicBool>,
}

impl Holders {
    fn new(file: impl Into<OsString>, shown: impl Into<OsString>, lock: Lock) -> Self {
        Self { file: file.into(), shown: shown.into(), lock, was_reported: Arc::default() }
    }

    /// Reports them after a failure, with --verbose or at a terminal, unless it did so before the wait.
    fn report_after(&self, error: &anyhow::Error, output: &Output) {
        if is_of_interest(error, output) && !self.was_reported.load(Ordering::SeqCst) {
            let owner = lock_file::current_owner(&self.file, Content::Full);
            let held = lock::holders(&self.file, self.lock.range);
            self.report(owner.ok().flatten(), &held.unwrap_or_default(), &output.notes());
        }
    }

    /// Reports them before a wait, with --verbose. `owner` is that of a lock file for which it waits.
    fn report_before(&self, owner: Option<CurrentOwner>, notes: &Notes) {
        if !notes.is_verbose() {
            return;
        }
        self.was_reported.store(true, Ordering::SeqCst);
        let held = match self.lock.kind {
            // Closing a descriptor of the file would release POSIX locks of this process.
            Kind::Posix => lock::visible_holders(&self.file, self.lock.range),
            Kind::Flock | Kind::Ofd => lock::holders(&self.file, self.lock.range),
        };
        self.report(owner, &held.unwrap_or_default(), notes);
        notes.note(format_args!("{}: waiting for the lock", self.shown()));
    }

    /// Reports a signal to a holder that hangs.
    fn report_signal(&self, pid: i32, signal: Signal, notes: &Notes) {
        let name = process::command(pid);
        notes.warn(format_args!(
            "{}: held by {pid} ({}) for too long, sending {signal}",
            self.shown(),
            escape(&name)
        ));
    }

    fn report(&self, owner: Option<CurrentOwner>, held: &[HeldLock], notes: &Notes) {
        let owner = owner.as_ref().map(file::owner_in_words);
        for holder in owner.into_iter().chain(held.iter().flat_map(holders_of)) {
            notes.warn(format_args!("{}: held by {holder}", self.shown()));
        }
    }

    fn shown(&self) -> Cow<'_, str> {
        escape(self.shown.as_encoded_bytes())
    }
}

/// The processes that hold a lock, in words.
///
/// The kernel does not record the time of a lock, so the start of the process bounds it.
fn holders_of(held: &HeldLock) -> Vec<String> {
    let in_words = |pid: &i32| {
        // The process may have ended meanwhile.
        let since = process::started_at(*pid).ok().and_then(rfc3339)?;
        Some(format!("{pid} ({}), which runs since {since}", escape(&process::command(*pid))))
    };
    match held.pids.as_slice() {
        [] => vec![crate::app::objects::unseen_holder().to_owned()],
        pids => pids.iter().filter_map(in_words).collect(),
    }
}

/// Whether to report: with `--verbose`, or at a terminal where an error is shown anyway.
fn is_of_interest(error: &anyhow::Error, output: &Output) -> bool {
    let is_shown = !Failure::in_chain(error).is_some_and(Failure::is_expected);
    output.is_verbose() || is_shown && output.is_watched()
}

impl FromStr for Range {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const NOT_A_RANGE: &str = "not a range such as 0:10, 4K:512 or 100:";
        const TOO_FAR: &str = "beyond the maximum offset of a file";
        let (start, length) = text.split_once(':').ok_or(NOT_A_RANGE)?;
        let length = if length.is_empty() { "0" } else { length };
        let number = |text: &str| {
            let Size(bytes) = text.parse().map_err(|_| NOT_A_RANGE)?;
            i64::try_from(bytes).map_err(|_| TOO_FAR)
        };
        let (start, length) = (number(start)?, number(length)?);
        start.checked_add(length).ok_or(TOO_FAR)?;
        Ok(Self { start, length })
    }
}

/// The message, status and hint for an error.
fn explain(error: Error) -> Failure {
    let hint = match error {
        Error::Kernel(errno) => match errno.0 {
            libc::EISDIR => "a directory takes a flock, or a shared lock",
            libc::ENOLCK => "the file system does not lock, or has reached its limit",
            libc::EDEADLK => "each process would wait for the other: release one lock first",
            _ => return errno.into(),
        },
        Error::Fifo | Error::NotRegular => return Failure::failed(error.to_string()),
        Error::Protected(_) | Error::NotPermitted(_) | Error::Unseen | Error::OfLockFile => {
            return Failure::from(error.errno());
        }
        Error::NotOpenFor(_) => "'exec 9<>FILE' opens a file for both",
    };
    let failure = match error {
        Error::Kernel(errno) => errno.into(),
        _ => Failure::failed(error.to_string()),
    };
    failure.hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_an_offset_and_a_length() {
        for (text, start, length) in [("0:10", 0, 10), ("4K:512", 4096, 512), ("7:", 7, 0)] {
            assert_eq!(text.parse(), Ok(Range { start, length }), "{text}");
        }
        assert_eq!("0:9223372036854775807".parse(), Ok(Range { start: 0, length: i64::MAX }));
    }

    #[test]
    fn a_malformed_range_is_refused() {
        for text in ["", "5", ":", ":5", "-1:5", "1:-5", "1:2:3", "x:1", "1:9223372036854775807"] {
            assert!(text.parse::<Range>().is_err(), "{text}");
        }
        assert!("9223372036854775808:".parse::<Range>().is_err());
    }
}
