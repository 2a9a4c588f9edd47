//! `ipc fifo`: named pipes.

mod cat;
mod create;
mod inspect;
mod rm;
mod set;
mod tee;
mod write;

use std::path::Path;

pub use self::create::Mkfifo;

use crate::app::command::{Manual, Noun, Verb};
use crate::app::machine::Part;
use crate::app::objects::no_room_in;
use crate::base::errno::Errno;
use crate::base::exit::Failure;
use crate::mechanism::fifo::{self, Error};
use crate::sys::directory;

pub const NOUN: Noun = Noun {
    name: "fifo",
    about: "Pass bytes by named pipes",
    verbs: &[
        Verb::new::<create::Create>("create"),
        Verb::new::<write::Write>("write"),
        Verb::new::<cat::Cat>("cat"),
        Verb::new::<tee::Tee>("tee"),
        Verb::new::<set::Set>("set"),
        Verb::new::<inspect::Stat>("stat"),
        Verb::new::<inspect::Ls>("ls"),
        Verb::new::<rm::Rm>("rm"),
    ],
    see_also: &["fifo(7)", "pipe(7)", "mkfifo(3)"],
    manual: Manual {
        topic: "named pipes, and broadcast to several of them",
        environment: &[],
        files: &[],
        standards: "FIFOs are in POSIX.1-2024.",
    },
};

/// Creates a FIFO.
fn create(path: &Path, mode: u32) -> Result<(), Failure> {
    fifo::create(path, mode).map_err(|errno| match errno {
        Errno(libc::ENOSPC) => no_room_in(directory::parent(path), errno),
        errno => errno.into(),
    })
}

/// The failure of an error of a FIFO.
fn explain(error: Error) -> Failure {
    match error {
        Error::Kernel(errno @ Errno(libc::ENOSYS)) => Part::Proc.explain(errno),
        Error::Kernel(errno) => errno.into(),
        Error::NotAFifo(_) => Failure::failed(error.to_string()),
        Error::ReaderLeft => {
            let errno = Errno(libc::EPIPE);
            Failure::failed(format!("the reader has left: {errno}"))
        }
    }
}
