//! Errors of segments as failures of a verb: exit status, reason and hint.

use super::Operand;
use crate::app::objects::{identifier_given, missing_key, no_room, no_room_in, not_there};
use crate::base::exit::{Exit, Failure};
use crate::mechanism::memory::cell;
use crate::mechanism::memory::segment::{Error, WriteError};

/// The failure for an error of the segment of this name.
pub fn explain(name: &impl Operand, error: impl Into<cell::Error>) -> Failure {
    match error.into() {
        cell::Error::Segment(error) => explain_segment(name, error),
        error @ cell::Error::NotAligned { .. } => Failure::failed(error.to_string()),
    }
}

/// The failure for a segment that cannot be opened.
pub fn explain_open<O: Operand>(name: &O, error: Error) -> Failure {
    not_there(explain(name, error), name, O::CREATE)
}

/// The failure for a write.
pub fn explain_write(name: &impl Operand, error: WriteError) -> Failure {
    match error {
        WriteError::Segment(error) => explain(name, error),
        WriteError::DoesNotFit { can_grow, .. } | WriteError::BeyondTheEnd { can_grow, .. } => {
            let failure = Failure::failed(error.to_string());
            match can_grow {
                true => failure.hint("--grow makes room, --truncate fits it"),
                false => failure,
            }
        }
        WriteError::Partly { error, size } => {
            explain_kind(error).adding(format_args!("; it has {size} bytes now"))
        }
        WriteError::Itself | WriteError::CutShort => Failure::failed(error.to_string()),
        WriteError::Source(errno) => errno.into(),
        WriteError::Refused(failure) => failure,
    }
}

fn explain_segment(name: &impl Operand, error: Error) -> Failure {
    let failure = match (&error, error.errno(), name.part(), name.directory()) {
        (Error::NotFound | Error::Unavailable, Some(errno), Some(part), _) => part.explain(errno),
        (Error::Full, Some(errno), _, Some(directory)) => no_room_in(directory, errno),
        _ => explain_kind(error),
    };
    missing_key(failure, name)
}

fn explain_kind(error: Error) -> Failure {
    let failure = Failure::failed(error.to_string());
    match error {
        Error::Full => error.errno().map_or(failure, no_room),
        Error::Removed => Failure::new(Exit::NotFound, error.to_string()),
        Error::NoHugePages(_) => failure.hint("without --huge it has ordinary pages"),
        Error::FixedSize => failure.hint("copy it: ipc shm cat OLD | ipc shm write NEW"),
        Error::Nameless => crate::app::objects::nameless(),
        Error::BeyondMaximum { size, .. } => {
            failure.hint(format!("as root: sysctl kernel.shmmax={size}"))
        }
        Error::TooMany { .. } => {
            failure.hint("'ipc shm ls' shows them; sysctl kernel.shmmni is the limit")
        }
        Error::TooManyPages { .. } => {
            failure.hint("'ipc shm ls' shows them; sysctl kernel.shmall is the limit")
        }
        Error::Identifier => identifier_given(),
        _ => error.errno().map_or(failure, Failure::from),
    }
}
