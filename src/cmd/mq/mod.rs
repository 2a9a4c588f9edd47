//! `ipc mq`: message queues, POSIX and System V.

mod create;
mod exec;
mod inspect;
mod open;
mod printing;
mod receive;
pub mod remote;
mod send;
mod set;
mod truncation;

use crate::app::command::{Manual, Noun, Verb};
use crate::app::machine::Part;
use crate::app::objects::not_there;
use crate::base::errno::Errno;
use crate::base::exit::{Exit, Failure};
use crate::mechanism::queue::{Beyond, Error, Limit, QueueName};

pub const NOUN: Noun = Noun {
    name: "mq",
    about: "Queue messages in the kernel",
    verbs: &[
        Verb::new::<create::Create>("create"),
        Verb::new::<send::Send>("send"),
        Verb::new::<receive::Recv>("recv"),
        Verb::new::<receive::Wait>("wait"),
        Verb::new::<set::Set>("set"),
        Verb::new::<inspect::Stat>("stat"),
        Verb::new::<inspect::Ls>("ls"),
        Verb::new::<create::Rm>("rm"),
    ],
    see_also: &["mq_overview(7)", "sysvipc(7)", "msgop(2)"],
    manual: Manual {
        topic: "message queues with priorities, POSIX and System V",
        environment: &[
            ("‹IPC_ATTEMPT›", "The number of the attempt, for the COMMAND of ‹ipc-mq-recv›(1)."),
            (
                "‹IPC_MQ_PRIORITY›",
                "The priority of its message, or the type of a System V message.",
            ),
        ],
        files: &[
            ("«/dev/mqueue»", "POSIX message queues, where it is mounted: ‹mq_overview›(7)."),
            ("«/proc/sysvipc/msg»", "The table of System V message queues."),
        ],
        standards: "POSIX message queues are an option of POSIX.1-2024, System V message queues of its XSI option.",
    },
};

/// The failure for an option that queues of this kind do not have.
fn not_for_this_kind(reason: &'static str) -> Failure {
    Failure::new(Exit::Usage, reason)
}

/// The failure to open a queue, with a hint.
fn unopened(error: Error, name: &QueueName) -> Failure {
    not_there(explain(error), name, "'ipc mq create' makes it, and so does 'ipc mq send --create'")
}

/// The failure of an operation on a queue, with a hint.
fn explain(error: Error) -> Failure {
    let (words, has_no_descriptor) =
        (error.to_string(), error == Error::Kernel(Errno(libc::EMFILE)));
    let exit = match error {
        Error::NotFound | Error::Removed => Exit::NotFound,
        Error::Exists => Exit::InUse,
        Error::Limit(limit) => return explain_limit(limit),
        Error::NoCopies | Error::Whole => Exit::Usage,
        Error::ReceiveOnly | Error::TooLong => Exit::Failed,
        Error::Remote(error) => return error.into(),
        Error::Unavailable => return Part::SystemV.explain(Errno(libc::ENOSYS)),
        Error::Kernel(errno) => errno.into(),
    };
    let failure = Failure::new(exit, words);
    match has_no_descriptor {
        true => failure.hint("'ulimit -n' shows the limit of this process"),
        false => failure,
    }
}

fn explain_limit(limit: Limit) -> Failure {
    match limit {
        Limit::Messages(beyond) => exceeded("messages", beyond, "fs.mqueue.msg_max"),
        Limit::MessageSize(beyond) => exceeded("bytes a message", beyond, "fs.mqueue.msgsize_max"),
        Limit::Bytes(beyond) => exceeded("bytes", beyond, "kernel.msgmnb").with_exit(Exit::Denied),
        Limit::PosixQueues(limit) => as_many_queues(limit)
            .hint("'ipc mq ls' shows them; sysctl fs.mqueue.queues_max is the limit"),
        Limit::SystemVQueues(limit) => {
            as_many_queues(limit).hint("'ipc mq ls' shows them; sysctl kernel.msgmni is the limit")
        }
        Limit::Memory(limit) => {
            let limit =
                limit.map_or_else(|| "without limit".to_owned(), |limit| format!("{limit} bytes"));
            Failure::failed(format!(
                "the queues of this user would take more memory than they may (RLIMIT_MSGQUEUE, \
                 {limit})"
            ))
            .hint(
                "'prlimit --msgqueue' shows the limit; make the queue smaller with --max-msgs and \
                 --msg-size, or remove others",
            )
        }
    }
}

fn as_many_queues(limit: u64) -> Failure {
    Failure::failed(format!("there are as many queues as there may be ({limit})"))
}

fn exceeded(what: &str, Beyond { asked, limit, greatest_limit }: Beyond, sysctl: &str) -> Failure {
    let failure =
        Failure::failed(format!("{asked} {what} are more than the kernel allows ({limit})"));
    match asked > greatest_limit {
        true => failure,
        false => failure.hint(format!("as root: sysctl {sysctl}={asked}")),
    }
}
