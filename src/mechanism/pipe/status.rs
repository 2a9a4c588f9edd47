//! The status of a line, from the statuses of its COMMANDs.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use crate::base::signal::Signal;
use crate::mechanism::pipe::line::End;

/// The COMMANDs whose status counts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Counted {
    /// The last one.
    Last,
    /// Any that failed; the last of them decides.
    Any,
}

/// For each COMMAND, whether it ended by SIGPIPE because its reader succeeded or is itself
/// forgiven.
pub fn forgiven(statuses: &[ExitStatus], end: End) -> Vec<bool> {
    let mut forgiven = vec![false; statuses.len()];
    // In a loop the first COMMAND reads from the last: a second pass completes the circle.
    for index in (0..statuses.len()).rev().chain((0..statuses.len()).rev()) {
        let reader = match end {
            End::Loop => Some((index + 1) % statuses.len()),
            End::Open => Some(index + 1).filter(|&reader| reader < statuses.len()),
        };
        let has_succeeded = |reader: usize| statuses[reader].success() || forgiven[reader];
        forgiven[index] = is_broken_pipe(statuses[index]) && reader.is_some_and(has_succeeded);
    }
    forgiven
}

/// Whether a COMMAND died of SIGPIPE, or reports that of its last command, as a shell does.
fn is_broken_pipe(status: ExitStatus) -> bool {
    let number = Signal::PIPE.number();
    status.signal() == Some(number) || status.code() == Some(128 + number)
}

/// The COMMAND whose status is that of the line; `None` if it is success.
pub fn decisive(statuses: &[ExitStatus], forgiven: &[bool], counted: Counted) -> Option<usize> {
    let has_failed = |index: &usize| !statuses[*index].success() && !forgiven[*index];
    let last = statuses.len().checked_sub(1)?;
    match counted {
        Counted::Last => Some(last).filter(has_failed),
        Counted::Any => (0..statuses.len()).rev().find(has_failed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Statuses as waitpid(2) returns them: codes, or signals below zero.
    fn statuses(numbers: &[i32]) -> Vec<ExitStatus> {
        let raw = |&number: &i32| if number < 0 { -number } else { number << 8 };
        numbers.iter().map(|number| ExitStatus::from_raw(raw(number))).collect()
    }

    fn decided(numbers: &[i32], end: End, counted: Counted) -> Option<usize> {
        let statuses = statuses(numbers);
        decisive(&statuses, &forgiven(&statuses, end), counted)
    }

    #[test]
    fn a_writer_is_forgiven_where_every_reader_behind_it_succeeded() {
        assert_eq!(decided(&[-13, -13, 0], End::Open, Counted::Any), None);
        assert_eq!(decided(&[141, 0], End::Open, Counted::Any), None);
        assert_eq!(decided(&[-13, -13, 1], End::Open, Counted::Any), Some(2));
        assert_eq!(forgiven(&statuses(&[-13, -13, 1]), End::Open), [false; 3]);
        assert_eq!(decided(&[-13, 3, 0], End::Open, Counted::Any), Some(1));
        assert_eq!(decided(&[0, -13], End::Open, Counted::Last), Some(1));
    }

    #[test]
    fn in_a_loop_the_first_is_the_reader_of_the_last() {
        assert_eq!(decided(&[0, -13], End::Loop, Counted::Last), None);
        assert_eq!(decided(&[-13, 0, -13], End::Loop, Counted::Any), None);
        assert_eq!(decided(&[-13, -13], End::Loop, Counted::Any), Some(1));
        assert_eq!(decided(&[2, -13], End::Loop, Counted::Any), Some(1));
    }
}
