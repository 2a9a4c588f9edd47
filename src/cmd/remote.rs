//! The verbs for objects on servers, and why the others have none.

use crate::app::command::Noun;
use crate::cmd::{door, lock, mq, sem, shm, signal, spool};

/// The nouns with such verbs.
pub const NOUNS: &[Noun] = &[
    door::remote::NOUN,
    lock::remote::NOUN,
    mq::remote::NOUN,
    sem::remote::NOUN,
    shm::remote::NOUN,
    signal::remote::NOUN,
    spool::remote::NOUN,
];

/// The commands without a noun that could take a name on a server for an object.
pub const COMMANDS: [&str; 7] = ["bench", "limits", "ls", "mkfifo", "prune", "top", "who"];

/// Why a verb cannot be applied to an object of a server; `None` for a verb that does not exist. A command
/// without a noun is in the place of the noun.
pub fn reason_without(noun: &str, verb: &str) -> Option<&'static str> {
    Some(match (noun, verb) {
        ("lock", "fd" | "unlock") => "a descriptor of a shell cannot renew a lock of a server",
        ("lock", "take" | "drop") => {
            "a lock of a server has to be renewed, which 'ipc lock run' does while COMMAND runs"
        }
        ("sem", "wait" | "post" | "set") => {
            "permits of a server have to be renewed, which 'ipc sem run' does while COMMAND runs"
        }
        ("sem", "value") => {
            "permits of a server have holders: 'ipc sem stat' shows those and 'free'"
        }
        ("sem", "create") => {
            "'ipc sem run --create N' makes a semaphore on a server with N permits"
        }
        ("shm", "resize" | "set") => {
            "a segment on a server is replaced as a whole: 'ipc shm write'"
        }
        ("spool", "join") => "a server does not record which messages are done",
        ("spool", "pause" | "resume") => "workers on any machine take messages: end the workers",
        ("spool", "watch") => "a spool on a server has no directory: 'ipc spool put' puts files",
        ("door", "info" | "revoke") => "several servers may share the calls of a procedure",
        ("signal", _) => "a name on a server is not a process: 'send' and 'wait' have such names",
        ("mq", "set") => "a queue on a server belongs to an account of the server",
        ("fifo" | "pipe" | "queue", _) => {
            "its bytes pass through the memory of one machine; 'ipc mq' has servers"
        }
        ("mkfifo", _) => "a FIFO belongs to one machine; 'ipc mq' has servers",
        ("sock", _) => "it is a connection of its own; 'ipc door' has servers",
        ("fd", _) => "a descriptor belongs to one machine",
        ("map", _) => "a mapped file belongs to one machine; 'ipc shm' has servers",
        ("ls" | "top", _) => {
            "it shows the objects of one machine; 'ls' of lock, mq, sem and shm lists those of a server"
        }
        ("who", _) => {
            "it looks at the processes of one machine; 'ipc lock test' and 'ipc sem stat' show the \
             holders of a server"
        }
        ("prune", _) => {
            "it looks at the processes of one machine; a server ends what its holders do not renew"
        }
        ("limits", _) => "it shows the limits of one machine; 'ipc mq stat' shows those of a queue",
        ("bench", _) => "it measures the mechanisms of one machine",
        _ => return None,
    })
}

/// Why options of the verbs of a noun, with their letters, have no meaning for objects of a server. Without a noun, the reason
/// holds for all.
pub const REFUSED_OPTIONS: &[(&str, &[&str], &str)] = &[
    ("", &["mode", "m", "owner", "trust"], "the accounts of the server decide who may use it"),
    ("", &["while"], "other machines may use it when COMMAND has ended: remove it with 'rm'"),
    ("", &["guard"], "a change on a server is whole or not there, and 'cas' compares before"),
    (
        "door",
        &["allow-uid", "allow-gid", "max-per-uid", "with-caller"],
        "a server does not know the users of other machines: its accounts decide who may call",
    ),
    ("door", &["backlog"], "callers connect to the server, which lets calls wait; see --max-calls"),
    ("door", &["fd", "max-fds"], "a descriptor belongs to one machine"),
    ("door", &["notify"], "--ready says when the procedure can be called"),
    ("lock", &["shared", "s"], "a lock of a server has one holder"),
    ("lock", &["range"], "a lock of a server has no bytes; each name is a lock: NAME/PART"),
    ("lock", &["kind"], "a lock of a server has one kind"),
    (
        "lock",
        &["no-fork", "F", "inherit"],
        "a descriptor does not renew a lock of a server: 'ipc' stays beside COMMAND",
    ),
    ("lock", &["remove"], "a lock of a server leaves nothing"),
    (
        "lock",
        &["steal-after", "then"],
        "the holder may be on another machine; --ttl ends a holder that hangs",
    ),
    ("lock", &["pidfile"], "a lock of a server records its holder: 'ipc lock test' shows it"),
    ("mq", &["type", "except"], "a queue on a server has priorities, not types"),
    ("mq", &["truncate"], "a queue on a server has no longer messages than it accepts"),
    ("mq", &["retry"], "--create makes the queue if it is missing"),
    ("sem", &["index"], "a semaphore on a server is no part of a set: each name is one"),
    ("shm", &["huge"], "a segment on a server is not memory of this machine"),
    ("shm", &["nonblock", "n"], "it is for --guard, and a segment on a server has no guard"),
    ("shm", &["poll"], "the server reports each change"),
    ("shm", &["progress"], "a segment on a server is one message, and arrives as a whole"),
    (
        "signal",
        &[
            "value",
            "group",
            "g",
            "wait",
            "w",
            "pidfile",
            "force",
            "all-processes",
            "name",
            "newest",
            "all",
        ],
        "a name on a server is not a process",
    ),
    ("signal", &["then"], "the sender does not learn who waits at a name on a server"),
    ("spool", &["log"], "a spool on a server keeps no files; --failed of 'ls' shows the reasons"),
    ("spool", &["keep"], "a server does not record which messages are done"),
];

/// Why an option of a verb has no meaning for an object of a server, if that is known.
pub fn reason_without_option(noun: &str, option: &str) -> Option<&'static str> {
    let is_meant = |(of, options, _): &&(&str, &[&str], &str)| {
        (of.is_empty() || *of == noun) && options.contains(&option)
    };
    REFUSED_OPTIONS.iter().find(is_meant).map(|(.., reason)| *reason)
}
