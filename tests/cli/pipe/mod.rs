//! `ipc pipe`.

mod run;
mod stat;
mod tee;
mod terminal;

use crate::nouns::{Names, Noun};

pub const NOUN: Noun = Noun {
    name: "pipe",
    names: Names::None,
    create: &[],
    waits: Vec::new,
    commands: &["ipc pipe run -- sh"],
};
