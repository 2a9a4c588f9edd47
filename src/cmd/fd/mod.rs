//! `ipc fd`: descriptors.

mod get;
mod hold;
mod ls;
mod memfd;
mod pass;

use crate::app::command::{Noun, Verb};

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
};
