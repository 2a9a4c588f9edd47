//! `ipc fd`: descriptors.

mod get;
mod hold;
mod ls;
mod memfd;
mod pass;

use crate::app::command::{Manual, Noun, Verb};

pub const NOUN: Noun = Noun {
    name: "fd",
    about: "Pass descriptors on",
    verbs: &[
        Verb::new::<pass::Send>("send"),
        Verb::new::<pass::Recv>("recv"),
        Verb::new::<get::Get>("get"),
        Verb::new::<memfd::Memfd>("memfd"),
        Verb::new::<ls::Ls>("ls"),
        Verb::new::<hold::Hold>("hold"),
        Verb::new::<hold::Store>("store"),
        Verb::new::<hold::Take>("take"),
        Verb::new::<hold::Drop>("drop"),
    ],
    see_also: &["unix(7)", "pidfd_getfd(2)", "memfd_create(2)", "sd_listen_fds(3)"],
    manual: Manual {
        topic: "file descriptor passing between processes",
        environment: &[],
        files: &[("«/proc/PID/fd», «/proc/PID/fdinfo»", "The descriptors of a process.")],
        standards: "The passing of descriptors over a Unix socket (SCM_RIGHTS) is in POSIX.1-2024. ‹pidfd_getfd›(2) and memfds are of Linux.",
    },
};
