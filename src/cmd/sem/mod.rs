//! `ipc sem`: named semaphores, POSIX and System V, and barriers.

mod barrier;
mod count;
mod create;
mod inspect;
mod open;
pub mod remote;
mod rm;
mod run;
mod set;
mod users;

use std::ffi::OsStr;
use std::path::Path;

use crate::app::arguments::Plain;
use crate::app::command::{Manual, Noun, Verb};
use crate::app::machine::Part;
use crate::app::objects::{identifier_given, missing_key, nameless, no_room_in, not_there};
use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::base::exit::{Exit, Failure};
use crate::io::output::{Output, escape};
use crate::mechanism::semaphore::posix::{self, Malformed};
use crate::mechanism::semaphore::{self, Error, Guard, Semaphore};
use crate::sys::dev_shm;

pub use crate::mechanism::semaphore::Name;
use users::tell_users;

pub const NOUN: Noun = Noun {
    name: "sem",
    about: "Limit work with semaphores",
    verbs: &[
        Verb::new::<create::Create>("create"),
        Verb::new::<count::Post>("post"),
        Verb::new::<count::Wait>("wait"),
        Verb::new::<run::Run>("run"),
        Verb::new::<barrier::Barrier>("barrier"),
        Verb::new::<count::Value>("value"),
        Verb::new::<set::Set>("set"),
        Verb::new::<inspect::Stat>("stat"),
        Verb::new::<inspect::Ls>("ls"),
        Verb::new::<rm::Rm>("rm"),
    ],
    see_also: &["sem_overview(7)", "sem_open(3)", "sem_post(3)", "sem_wait(3)", "semop(2)"],
    manual: Manual {
        topic: "semaphores, mutexes and barriers",
        environment: &[],
        files: &[
            ("«/dev/shm/sem.NAME»", "The POSIX semaphore «/NAME»: ‹ipc-sem›(5)."),
            ("«/proc/sysvipc/sem»", "The table of System V sets."),
        ],
        standards: "Named semaphores are in POSIX.1-2024, System V semaphores in its XSI option. The units that come back when a COMMAND is killed are of ‹ipc›.",
    },
};

/// A semaphore of a set.
#[derive(Clone, Copy, Debug, clap::Args, Plain)]
struct Member {
    /// Use semaphore I of a System V set, from 0
    #[arg(long, value_name = "I")]
    index: Option<u16>,
}

impl Member {
    fn open(self, name: &Name) -> Result<Box<dyn Semaphore>, Failure> {
        self.check(name)?;
        semaphore::open(name, self.or_first()).map_err(|error| missing(explain(name, error), name))
    }

    fn or_first(self) -> u16 {
        self.index.unwrap_or(0)
    }

    fn check(self, name: &Name) -> Result<(), Failure> {
        match (name, self.index) {
            (Name::Posix(_), Some(_)) => Err(not_for_this_kind(
                "--index is for System V sets; a POSIX semaphore stands alone",
            )),
            _ => Ok(()),
        }
    }
}

/// Acquires a permit of the semaphore `name` for this process. With --verbose it reports the wait about
/// `subject`.
pub fn guard(
    name: &Name,
    subject: &OsStr,
    deadline: Deadline,
    output: &Output,
) -> Result<Waited<Box<dyn Guard>>, Failure> {
    let mut before = |semaphore: &dyn Semaphore| tell_users(subject, 1, semaphore, output);
    let guard =
        semaphore::open(name, 0).and_then(|semaphore| semaphore.guard(deadline, &mut before));
    guard.map_err(|error| explain(name, error))
}

/// The error for an option that semaphores of this kind do not have.
fn not_for_this_kind(reason: &'static str) -> Failure {
    Failure::new(Exit::Usage, reason)
}

/// Checks that a semaphore of this kind can have the value.
fn possible(name: &Name, value: i64) -> Result<u32, Failure> {
    let maximum = semaphore::maximum(name);
    match u32::try_from(value) {
        Ok(value) if value <= maximum => Ok(value),
        Err(_) if value < 0 => {
            Err(format!("{value} is below the minimum value, 0; the maximum is {maximum}"))
        }
        _ => Err(format!("{value} is above the maximum value ({maximum})")),
    }
    .map_err(|reason| Failure::new(Exit::Usage, reason))
}

/// Adds a hint where a semaphore is missing: how to create it, or that a file of this name is that of a
/// program which is linked to musl.
fn missing(failure: Failure, name: &Name) -> Failure {
    match name {
        Name::Posix(posix) if failure.exit() == Exit::NotFound && posix::is_of_musl(posix) => {
            failure.hint(format!(
                "{} may be a semaphore of this name of a program built with musl; 'ipc' and programs \
                 built with glibc cannot share it",
                escape(posix::path_of_musl(posix).as_os_str().as_encoded_bytes())
            ))
        }
        _ => not_there(failure, name, "'ipc sem create' makes it"),
    }
}

/// The message, status and hint for an error of the semaphore `name`.
fn explain(name: &Name, error: Error) -> Failure {
    let failure = match error {
        Error::Kernel(errno) => of_kernel(name, errno),
        Error::NotFound => of_kernel(name, Errno(libc::ENOENT)),
        Error::Unavailable => of_kernel(name, Errno(libc::ENOSYS)),
        Error::Exists => Errno(libc::EEXIST).into(),
        Error::Nameless => nameless(),
        Error::Identifier => identifier_given(),
        _ => {
            let failure = Failure::new(status(error), error.to_string());
            hint(error).into_iter().fold(failure, Failure::hint)
        }
    };
    missing_key(failure, name)
}

fn of_kernel(name: &Name, errno: Errno) -> Failure {
    match (name, errno) {
        (Name::Posix(_), Errno(libc::ENOSPC)) => no_room_in(Path::new(dev_shm::DIRECTORY), errno),
        (Name::Posix(_), errno) => Part::DevShm.explain(errno),
        (Name::SystemV(_), errno) => Part::SystemV.explain(errno),
    }
}

fn status(error: Error) -> Exit {
    match error {
        Error::Removed | Error::NoMember { .. } => Exit::NotFound,
        Error::NoWaitForZero => Exit::Usage,
        Error::Held(_) | Error::Busy | Error::Incomplete => Exit::InUse,
        _ => Exit::Failed,
    }
}

fn hint(error: Error) -> Option<String> {
    let hint = match error {
        Error::NoMember { count, .. } => {
            return Some(format!("the first is --index 0, the last --index {}", count - 1));
        }
        Error::Malformed(Malformed::NotAFile) => {
            "'ls -ld /dev/shm/sem.*' shows what it is; 'rm' or 'rmdir' removes it"
        }
        Error::Malformed(_) | Error::Lost => {
            "'ipc sem rm' removes it; then create the semaphore again"
        }
        Error::NoWaitForZero => {
            "a System V semaphore (sysv:KEY) has one, and 'ipc shm wait' waits for any number in shared \
             memory"
        }
        Error::Full(_) => "'ipc sem stat' names them; a second semaphore has room for as many",
        Error::Held(_) => {
            "they are added when they come back ('ipc sem stat' names the holders); meanwhile \
             'ipc sem post' and 'ipc sem wait' change the value"
        }
        Error::Incomplete => {
            "its creator was killed, or sets values as ipcmk(1) does: 'ipc sem create -e --reset' \
             gives it the values, 'ipc sem rm' removes it"
        }
        Error::SetTooLarge { .. } => "the first number of sysctl kernel.sem is the limit",
        Error::TooManySets { .. } | Error::TooManySemaphores { .. } => {
            "'ipc sem ls' shows them; sysctl kernel.sem has the limits: semaphores in a set, in all \
             sets, changes at once, and sets"
        }
        _ => return None,
    };
    Some(hint.to_owned())
}
