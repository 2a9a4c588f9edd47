//! Exit statuses, and errors with an exit status.

use std::borrow::Cow;
use std::ffi::OsStr;

use anyhow::Context;

use crate::base::errno::Errno;
use crate::base::text::escape;

/// The exit status of `ipc`. Every manual page has the numbers, and they never change.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Exit {
    /// Done.
    Done,
    /// The answer is no, or the call would have blocked.
    No,
    /// The command line is wrong.
    Usage,
    /// Any error without a status of its own.
    Failed,
    /// No such object or process, or no listener.
    NotFound,
    /// The object exists already, or is in use.
    InUse,
    /// Permission denied.
    Denied,
    /// Timed out.
    TimedOut,
    /// `ipc` itself failed before the command ran.
    CommandNotStarted,
    /// The command cannot be executed.
    CommandNotExecutable,
    /// The command was not found.
    CommandNotFound,
    /// The status of the command, or 128 plus the number of the signal it died of; or that of `-E`.
    Command(u8),
}

/// The statuses in the words of the manual pages.
pub const MEANINGS: [(&str, &str); 8] = [
    ("0", "done"),
    ("1", "no: the answer is no, or --nonblock was given and it would have blocked"),
    ("2", "usage error"),
    ("3", "failed: any other error"),
    ("4", "not found: no such object or process, or no listener"),
    ("5", "exists already, or is in use"),
    ("6", "permission denied"),
    ("124", "timed out"),
];

/// The additional statuses of verbs that run a COMMAND.
pub const COMMAND_MEANINGS: [(&str, &str); 5] = [
    ("125", "ipc itself failed"),
    ("126", "COMMAND could not be executed"),
    ("127", "COMMAND was not found"),
    ("128+N", "COMMAND died of signal N"),
    ("any other", "the status of COMMAND"),
];

impl Exit {
    /// The number of the status.
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::No => 1,
            Self::Usage => 2,
            Self::Failed => 3,
            Self::NotFound => 4,
            Self::InUse => 5,
            Self::Denied => 6,
            Self::TimedOut => 124,
            Self::CommandNotStarted => 125,
            Self::CommandNotExecutable => 126,
            Self::CommandNotFound => 127,
            Self::Command(code) => code,
        }
    }

    /// The status of an error: that of the first error in its chain that has one.
    pub fn of(error: &anyhow::Error) -> Self {
        error
            .chain()
            .find_map(|cause| {
                let failure = cause.downcast_ref::<Failure>().map(|failure| failure.exit);
                failure.or_else(|| cause.downcast_ref::<Errno>().map(|&errno| errno.into()))
            })
            .unwrap_or(Self::Failed)
    }
}

impl From<Errno> for Exit {
    fn from(Errno(errno): Errno) -> Self {
        match errno {
            libc::ENOENT | libc::ESRCH | libc::ECONNREFUSED | libc::ENXIO => Self::NotFound,
            libc::EEXIST | libc::EADDRINUSE | libc::EBUSY | libc::ETXTBSY => Self::InUse,
            libc::EACCES | libc::EPERM => Self::Denied,
            libc::ETIMEDOUT => Self::TimedOut,
            _ => Self::Failed,
        }
    }
}

/// An error with an exit status, and a hint if there is one.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{reason}")]
pub struct Failure {
    exit: Exit,
    reason: Cow<'static, str>,
    hint: Option<Cow<'static, str>>,
    expected: bool,
}

impl Failure {
    /// An error with this status and this message.
    pub fn new(exit: Exit, reason: impl Into<Cow<'static, str>>) -> Self {
        Self { exit, reason: reason.into(), hint: None, expected: false }
    }

    /// An error without a status of its own.
    pub fn failed(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Exit::Failed, reason)
    }

    /// The timeout has passed.
    pub fn timed_out() -> Self {
        Self::new(Exit::TimedOut, "timed out")
    }

    /// With `--nonblock`, the call would have blocked. The caller asked for this outcome, so that
    /// only `--verbose` prints it.
    pub fn would_block() -> Self {
        Self::no("would block")
    }

    /// The answer is no, for this reason, which only `--verbose` prints.
    pub fn no(reason: impl Into<Cow<'static, str>>) -> Self {
        Self { expected: true, ..Self::new(Exit::No, reason) }
    }

    /// The same with a hint, which is printed after `hint: `.
    pub fn hint(mut self, hint: impl Into<Cow<'static, str>>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same with more words after the reason.
    pub fn adding(mut self, words: impl std::fmt::Display) -> Self {
        self.reason = format!("{}{words}", self.reason).into();
        self
    }

    /// Its status.
    pub fn exit(&self) -> Exit {
        self.exit
    }

    /// The same reason with another status.
    pub fn with_exit(mut self, exit: Exit) -> Self {
        self.exit = exit;
        self
    }

    /// The hint, if there is one.
    pub fn hint_text(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// Whether the caller asked for this outcome, so that it needs no message.
    pub fn is_expected(&self) -> bool {
        self.expected
    }

    /// The failure in a chain of errors, if there is one.
    pub fn in_chain(error: &anyhow::Error) -> Option<&Self> {
        error.chain().find_map(|cause| cause.downcast_ref())
    }
}

impl From<Errno> for Failure {
    fn from(errno: Errno) -> Self {
        Self::new(errno.into(), errno.to_string())
    }
}

/// Adds the subject to an error. Every error gets its subject once, in the code that knows the
/// name.
pub trait Subject<T, E> {
    /// Puts `subject` before the error. Control characters are escaped, so that an error is always
    /// one line without effects on a terminal.
    fn about(self, subject: impl AsRef<OsStr>) -> anyhow::Result<T>;
}

impl<T, E> Subject<T, E> for Result<T, E>
where
    Result<T, E>: Context<T, E>,
{
    fn about(self, subject: impl AsRef<OsStr>) -> anyhow::Result<T> {
        self.with_context(|| named(subject.as_ref()))
    }
}

/// An error with this subject, as [`Subject::about`] adds it to a result.
pub fn about(error: impl Into<anyhow::Error>, subject: impl AsRef<OsStr>) -> anyhow::Error {
    error.into().context(named(subject.as_ref()))
}

fn named(subject: &OsStr) -> String {
    match subject.as_encoded_bytes() {
        b"" => "''".to_owned(),
        subject => escape(subject).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_with_a_subject_keeps_its_status() {
        let error = Err::<(), _>(Errno(libc::EACCES)).about("/x").unwrap_err();
        assert_eq!(Exit::of(&error), Exit::Denied);
        assert_eq!(format!("{error:#}"), "/x: Permission denied");
    }

    #[test]
    fn an_error_without_a_status_is_a_failure() {
        assert_eq!(Exit::of(&anyhow::anyhow!("odd")), Exit::Failed);
    }

    #[test]
    fn control_characters_of_a_subject_are_escaped() {
        let error = Err::<(), _>(Failure::timed_out()).about("/a\nb\x1b[2J").unwrap_err();
        assert_eq!(format!("{error:#}"), "/a\\nb\\x1b[2J: timed out");
    }

    #[test]
    fn an_empty_subject_is_shown_in_quotes() {
        let error = about(Errno(libc::ENOENT), "");
        assert_eq!(format!("{error:#}"), "'': No such file or directory");
    }
}
