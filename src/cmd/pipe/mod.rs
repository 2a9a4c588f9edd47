//! `ipc pipe`: unnamed pipes between commands.

mod run;
mod stat;
mod tee;

use crate::app::command::{Manual, Noun, Verb};
use crate::base::errno::Errno;
use crate::base::exit::{Failure, about};
use crate::mechanism::pipe::{CapacityRefused, maximum_capacity};

pub const NOUN: Noun = Noun {
    name: "pipe",
    about: "Connect commands by pipes",
    verbs: &[
        Verb::new::<run::Run>("run"),
        Verb::new::<tee::Tee>("tee"),
        Verb::new::<stat::Stat>("stat"),
    ],
    see_also: &["pipe(7)", "pty(7)", "tee(2)", "splice(2)", "stdbuf(1)"],
    manual: Manual {
        topic: "pipelines, also circular, and pseudoterminals",
        environment: &[],
        files: &[],
        standards: "Pipes are in POSIX.1-2024. ‹splice›(2) and ‹tee›(2) are of Linux.",
    },
};

/// The failure for a capacity that a pipe cannot have.
pub(super) fn capacity_refused(CapacityRefused { bytes, errno }: CapacityRefused) -> anyhow::Error {
    let failure = match errno {
        Errno(libc::EPERM | libc::EINVAL | libc::ENOMEM) => {
            let maximum = maximum_capacity();
            Failure::from(errno).hint(format!(
                "the sysctl fs.pipe-max-size limits a pipe to {maximum} bytes, \
                 fs.pipe-user-pages-soft all pipes of a user"
            ))
        }
        _ => Failure::from(errno),
    };
    about(failure, format!("--capacity {bytes}"))
}
