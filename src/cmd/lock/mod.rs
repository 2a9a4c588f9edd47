//! `ipc lock`: locks on files, held by a command, a shell or a lock file.

mod descriptor;
mod file;
mod inspect;
mod run;

use std::borrow::Cow;
use std::ffi::OsString;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::app::arguments::Plain;
use crate::app::command::{Noun, Verb};
use crate::base::exit::{Exit, Failure};
use crate::base::units::Size;
use crate::io::output::{Notes, Output, escape, rfc3339};
use crate::mechanism::lock_file;
use crate::mechanism::lock_file::{Content, Taken};
use crate::sys::lock::{Error, Kind, Lock, Mode, Range};
use crate::sys::lock_table::{self, Held};
use crate::sys::process;

pub use file::explain as explain_lock_file;

pub const NOUN: Noun = Noun {
    name: "lock",
    about: "Let one work at a time, with locks on files",
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
};

/// What to lock, and how.
#[derive(Clone, Copy, Debug, clap::Args, Plain)]
struct What {
    /// Share the lock with others who share it
    #[arg(short, long, overrides_with = "exclusive")]
    shared: bool,
    /// Have the lock alone; this is the default
    #[arg(short = 'x', long)]
    exclusive: bool,
    /// Kind of the lock
    ///
    /// Those of one kind exclude each other, and so do ofd and posix; flock and the other two know
    /// nothing of each other. The default is flock, or ofd with --range.
    #[arg(long, value_name = "KIND")]
    kind: Option<Kind>,
    /// Lock LEN bytes from OFF on, as in 64:64; with a LEN of 0 or none ('100:') all from OFF on
    #[arg(long, value_name = "OFF:LEN")]
    range: Option<Range>,
}

impl What {
    fn lock(&self) -> Result<Lock, Failure> {
        let kind = match (self.kind, self.range) {
            (Some(Kind::Flock), Some(_)) => {
                let reason = "--range: a flock has the whole file";
                return Err(Failure::new(Exit::Usage, reason).hint("--kind ofd locks a range"));
            }
            (Some(kind), _) => kind,
            (None, Some(_)) => Kind::Ofd,
            (None, None) => Kind::Flock,
        };
        let mode = if self.shared { Mode::Shared } else { Mode::Exclusive };
        Ok(Lock { kind, mode, range: self.range.unwrap_or_default() })
    }

    /// The same for a lock that shall outlive us.
    fn lasting_lock(&self) -> Result<Lock, Failure> {
        match self.lock()? {
            Lock { kind: Kind::Posix, .. } => {
                let reason = "--kind: a posix lock would end with ipc itself";
                Err(Failure::new(Exit::Usage, reason)
                    .hint("--kind ofd excludes the same, and stays with the descriptor"))
            }
            lock => Ok(lock),
        }
    }
}

/// Says which processes are in the way at a file that the caller called `called`.
#[derive(Clone, Debug)]
struct Holders {
    file: OsString,
    called: OsString,
    lock: Lock,
    /// Whether it was said before a wait; shared by clones.
    was_told: Arc<AtomicBool>,
}

impl Holders {
    fn new(file: impl Into<OsString>, called: impl Into<OsString>, lock: Lock) -> Self {
        Self { file: file.into(), called: called.into(), lock, was_told: Arc::default() }
    }

    /// Says it to a caller that asked for more, or that sits at a terminal, unless that was said
    /// before the wait.
    fn tell_after(&self, error: &anyhow::Error, output: &Output) {
        if is_of_interest(error, output) && !self.was_told.load(Ordering::SeqCst) {
            let taken = lock_file::taken(&self.file, Content::Full);
            let held = lock_table::of_path(&self.file, self.lock.range);
            self.tell(taken.ok().flatten(), &held.unwrap_or_default(), &output.notes());
        }
    }

    /// Says it before a wait, to a caller that asked for more. The owner of a lock file is known by
    /// then, if that is waited for.
    fn tell_before(&self, taken: Option<Taken>, notes: &Notes) {
        if !notes.is_verbose() {
            return;
        }
        self.was_told.store(true, Ordering::SeqCst);
        let held = match self.lock.kind {
            // If we have POSIX locks on the file, opening and closing it would release them.
            Kind::Posix => lock_table::seen_of_path(&self.file, self.lock.range),
            Kind::Flock | Kind::Ofd => lock_table::of_path(&self.file, self.lock.range),
        };
        self.tell(taken, &held.unwrap_or_default(), notes);
        notes.note(format_args!("{}: waiting for the lock", self.shown()));
    }

    fn tell(&self, taken: Option<Taken>, held: &[Held], notes: &Notes) {
        let owner = taken.as_ref().map(file::owner_in_words);
        for holder in owner.into_iter().chain(held.iter().flat_map(holders_of)) {
            notes.warn(format_args!("{}: held by {holder}", self.shown()));
        }
    }

    fn shown(&self) -> Cow<'_, str> {
        escape(self.called.as_encoded_bytes())
    }
}

/// The processes that have a lock, in words.
///
/// The kernel does not keep since when a lock is held; it is no longer than its holder runs.
fn holders_of(held: &Held) -> Vec<String> {
    let in_words = |pid: &i32| {
        // It may have ended since.
        let since = process::started_at(*pid).ok().and_then(rfc3339)?;
        Some(format!("{pid} ({}), which runs since {since}", escape(&process::command(*pid))))
    };
    match held.pids.as_slice() {
        [] => vec![crate::app::unseen::holder().to_owned()],
        pids => pids.iter().filter_map(in_words).collect(),
    }
}

/// Whether more is wanted: with `--verbose`, or at a terminal where an error is shown anyway.
fn is_of_interest(error: &anyhow::Error, output: &Output) -> bool {
    let is_told = !Failure::in_chain(error).is_some_and(Failure::is_expected);
    output.is_verbose() || is_told && output.is_watched()
}

impl FromStr for Range {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const NOT_A_RANGE: &str = "not a range such as 0:10, 4K:512 or 100:";
        const TOO_FAR: &str = "beyond the greatest offset of a file";
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

/// Puts the way out beside the reason.
fn explain(error: Error) -> Failure {
    let hint = match error {
        Error::Kernel(errno) => match errno.0 {
            libc::EISDIR => "a directory takes a flock, or a shared lock",
            libc::ENOLCK => "the file system does not lock, or has reached its limit",
            libc::EDEADLK => "each would wait for the other: give one back first",
            _ => return errno.into(),
        },
        Error::Fifo | Error::NotRegular => return Failure::failed(error.to_string()),
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
    fn what_is_no_range_or_too_far_is_refused() {
        for text in ["", "5", ":", ":5", "-1:5", "1:-5", "1:2:3", "x:1", "1:9223372036854775807"] {
            assert!(text.parse::<Range>().is_err(), "{text}");
        }
        assert!("9223372036854775808:".parse::<Range>().is_err());
    }
}
