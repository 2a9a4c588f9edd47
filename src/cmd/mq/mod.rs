//! `ipc mq`: message queues, POSIX and System V.

mod create;
mod exec;
mod inspect;
mod receive;
mod send;

use std::borrow::Cow;

use crate::app::command::{Noun, Verb};
use crate::app::machine::Part;
use crate::app::objects::not_there;
use crate::base::errno::Errno;
use crate::base::exit::{Exit, Failure};
use crate::mechanism::queue::QueueName;

pub const NOUN: Noun = Noun {
    name: "mq",
    about: "Send and receive messages through queues of the kernel",
    verbs: &[
        Verb::new::<create::Create>("create"),
        Verb::new::<send::Send>("send"),
        Verb::new::<receive::Recv>("recv"),
        Verb::new::<receive::Wait>("wait"),
        Verb::new::<create::Set>("set"),
        Verb::new::<inspect::Stat>("stat"),
        Verb::new::<inspect::Ls>("ls"),
        Verb::new::<create::Rm>("rm"),
    ],
    see_also: &["mq_overview(7)", "sysvipc(7)", "msgop(2)"],
};

/// An option was given that the mechanism of this name does not have.
fn not_for_this_kind(reason: &'static str) -> Failure {
    Failure::new(Exit::Usage, reason)
}

/// Why a message that was taken cannot go back.
fn not_sent_back(errno: Errno) -> Cow<'static, str> {
    match errno {
        // It was opened to receive from it only.
        Errno(libc::EBADF) => "you may not send to it".into(),
        errno => errno.to_string().into(),
    }
}

/// Puts the way out beside the reason why a queue cannot be opened.
fn unopened(errno: Errno, name: &QueueName) -> Failure {
    not_there(explain(errno), name, "'ipc mq create' makes it, and so does 'ipc mq send --create'")
}

/// Puts the way out beside the reason, for what happens to a queue that is in use.
fn explain(errno: Errno) -> Failure {
    let failure = Failure::from(errno);
    match errno {
        Errno(libc::EMFILE) => failure.hint("'ulimit -n' shows the limit of this process"),
        Errno(libc::EIDRM) => Failure::new(Exit::NotFound, "the queue was removed"),
        Errno(libc::ENOSYS) => Part::SystemV.explain(errno),
        _ => failure,
    }
}
