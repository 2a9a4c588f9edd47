//! `ipc pipe`.

mod run;
mod stat;
mod tee;
mod terminal;

use crate::nouns::{Names, Noun, Wait};

pub const NOUN: Noun = Noun {
    name: "pipe",
    names: Names::None,
    create: &[],
    waits,
    commands: &["ipc pipe run -- sh"],
};

fn waits() -> Vec<Wait> {
    let tee = "ipc pipe tee f";
    vec![Wait::new("ipc mkfifo f", tee, "cat f", "").says("f: waiting for a reader")]
}
