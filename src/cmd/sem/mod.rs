//! `ipc sem`: named semaphores, POSIX and System V, and barriers.

mod barrier;
mod count;
mod create;
mod inspect;
mod run;
mod waits;

use std::mem::ManuallyDrop;
use std::path::Path;

use crate::app::arguments::Plain;
use crate::app::command::{Noun, Verb};
use crate::app::machine::Part;
use crate::app::objects::{no_room_in, not_there};
use crate::base::errno::Errno;
use crate::base::exit::{Exit, Failure};
use crate::io::output::escape;
pub use crate::mechanism::semaphore::Name;
use crate::mechanism::semaphore::posix;
use crate::mechanism::semaphore::robust;
use crate::mechanism::semaphore::{Error, Semaphore};
use crate::sys::dev_shm;
use crate::sys::system_v::Target;
use crate::sys::system_v_semaphore::{self, Set};
pub use waits::{tell_claims, tell_holders, tell_last};

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
        Verb::new::<create::Set>("set"),
        Verb::new::<inspect::Stat>("stat"),
        Verb::new::<inspect::Ls>("ls"),
        Verb::new::<create::Rm>("rm"),
    ],
    see_also: &["sem_overview(7)", "sem_open(3)", "sem_post(3)", "sem_wait(3)", "semop(2)"],
};

/// Which semaphore of a set.
#[derive(Clone, Copy, Debug, clap::Args, Plain)]
struct Member {
    /// Which semaphore of a System V set, from 0 on
    #[arg(long, value_name = "I")]
    index: Option<u16>,
}

impl Member {
    /// Opens it for one command, whose end takes it apart faster than we would.
    fn open(self, name: &Name) -> Result<ManuallyDrop<Semaphore>, Failure> {
        self.check(name)?;
        let opened = Semaphore::open(name, self.index.unwrap_or(0));
        opened.map(ManuallyDrop::new).map_err(|error| missing(self.explain(name, error), name))
    }

    fn check(self, name: &Name) -> Result<(), Failure> {
        match (name, self.index) {
            (Name::Posix(_), Some(_)) => Err(not_for_this_kind(
                "--index is for System V sets; a POSIX semaphore stands alone",
            )),
            _ => Ok(()),
        }
    }

    /// Puts the way out beside the reason, for what happens to this semaphore of the set.
    fn explain(self, name: &Name, error: Error) -> Failure {
        match (error, name) {
            (Error::SystemV(Errno(libc::EFBIG | libc::EINVAL)), Name::SystemV(name)) => {
                let row = Target::new(name).and_then(Set::open).and_then(Set::row);
                match row.map(|row| row.number("nsems")) {
                    Ok(count) => Failure::new(
                        Exit::NotFound,
                        format!("no semaphore {}: the set has {count}", self.index.unwrap_or(0)),
                    )
                    .hint(format!("the first is --index 0, the last --index {}", count - 1)),
                    // It was removed between two calls of ours.
                    Err(_) => removed(),
                }
            }
            _ => explain(error),
        }
    }
}

/// An option was given that the mechanism of this name does not have.
fn not_for_this_kind(reason: &'static str) -> Failure {
    Failure::new(Exit::Usage, reason)
}

fn removed() -> Failure {
    Failure::new(Exit::NotFound, "the semaphore was removed")
}

/// Puts the way out beside the reason.
pub fn explain(error: Error) -> Failure {
    match error {
        Error::Posix(error) => explain_permits(error),
        Error::SystemV(errno) => explain_system_v(errno),
    }
}

/// Lets a number of units pass that a semaphore of this kind can have; a greater one is a mistake
/// of the caller's.
fn possible(name: &Name, units: i64) -> Result<u32, Failure> {
    let most = match name {
        Name::Posix(_) => posix::VALUE_MAX,
        Name::SystemV(_) => system_v_semaphore::VALUE_MAX,
    };
    match u32::try_from(units) {
        Ok(units) if units <= most => Ok(units),
        Ok(_) => Err(format!("{units} is above the greatest value ({most})")),
        Err(_) if units < 0 => {
            Err(format!("{units} is below the least value, 0; the greatest is {most}"))
        }
        Err(_) => Err(format!("{units} is above the greatest value ({most})")),
    }
    .map_err(|reason| Failure::new(Exit::Usage, reason))
}

/// The way out where a semaphore is missing: to make it, or the reason why there is one for other
/// programs alone.
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

/// Puts the way out beside the reason why units cannot be had.
fn explain_permits(error: robust::Error) -> Failure {
    match error {
        robust::Error::Semaphore(error) => explain_posix(error),
        robust::Error::Full => Failure::failed(error.to_string())
            .hint("'ipc sem stat' names them; a second semaphore has room for as many"),
        robust::Error::Held(_) => Failure::new(Exit::InUse, error.to_string()).hint(
            "they are added when they come back ('ipc sem stat' names who has them); meanwhile \
             'ipc sem post' and 'ipc sem wait' change the number",
        ),
        robust::Error::Busy => Failure::new(Exit::InUse, error.to_string()),
    }
}

fn explain_posix(error: posix::Error) -> Failure {
    match error {
        posix::Error::Kernel(errno @ Errno(libc::ENOSPC)) => {
            no_room_in(Path::new(dev_shm::DIRECTORY), errno)
        }
        posix::Error::Kernel(errno) => Part::DevShm.explain(errno),
        posix::Error::Overflow => Failure::failed(error.to_string()),
        posix::Error::NotAFile => Failure::failed(error.to_string())
            .hint("'ls -ld /dev/shm/sem.*' shows what it is; 'rm' or 'rmdir' removes it"),
        posix::Error::NotASemaphore(_)
        | posix::Error::NotGrown
        | posix::Error::NotAValue
        | posix::Error::Lost => Failure::failed(error.to_string())
            .hint("'ipc sem rm' removes it; then create the semaphore again"),
    }
}

fn explain_system_v(errno: Errno) -> Failure {
    match errno {
        Errno(libc::EIDRM) => removed(),
        Errno(libc::ERANGE) => {
            let greatest = system_v_semaphore::VALUE_MAX;
            Failure::failed(format!("the value would be above the greatest one, {greatest}"))
        }
        // Of those calls that change a value, only one that is to be undone needs room.
        Errno(libc::ENOSPC) => {
            Failure::failed("the kernel has no room to note what is to be undone")
        }
        errno => Part::SystemV.explain(errno),
    }
}
