//! `ipc door`: procedures at a path.

mod call;
mod manage;
pub mod remote;
mod serve;

use crate::app::command::{Noun, Verb};

pub const NOUN: Noun = Noun {
    name: "door",
    about: "Serve and call procedures",
    verbs: &[
        Verb::new::<serve::Serve>("serve"),
        Verb::new::<call::Call>("call"),
        Verb::new::<manage::Info>("info"),
        Verb::new::<manage::Revoke>("revoke"),
    ],
    see_also: &["ipc-door(5)", "unix(7)", "ipc-sock(1)"],
};
