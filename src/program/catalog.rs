//! The catalog: all nouns, and the commands without a noun.

use crate::app::command::{Noun, Verb};
use crate::base::short::Short;
use crate::cmd;

/// All nouns, in the order of listings.
pub const NOUNS: &[Noun] = &[
    cmd::door::NOUN,
    cmd::fd::NOUN,
    cmd::fifo::NOUN,
    cmd::lock::NOUN,
    cmd::map::NOUN,
    cmd::mq::NOUN,
    cmd::pipe::NOUN,
    cmd::queue::NOUN,
    cmd::sem::NOUN,
    cmd::shm::NOUN,
    cmd::signal::NOUN,
    cmd::sock::NOUN,
    cmd::spool::NOUN,
];

/// The commands that follow `ipc` directly.
pub const COMMANDS: &[Verb] = &[
    Verb::new::<cmd::applets::Applets>("applets"),
    Verb::new::<cmd::bench::Bench>("bench"),
    Verb::new::<cmd::guide::Guide>("guide"),
    Verb::new::<cmd::limits::Limits>("limits"),
    Verb::new::<cmd::look::Ls>("ls"),
    Verb::new::<cmd::man::Man>("man"),
    Verb::new::<cmd::fifo::Mkfifo>("mkfifo"),
    Verb::new::<cmd::look::Prune>("prune"),
    Verb::new::<cmd::top::Top>("top"),
    Verb::new::<cmd::look::Who>("who"),
];

/// The names of the nouns.
pub const NAMES: [&str; NOUNS.len()] = {
    let mut names = [""; NOUNS.len()];
    let mut index = 0;
    while index < names.len() {
        names[index] = NOUNS[index].name;
        index += 1;
    }
    names
};

/// The same, as numbers.
pub const SHORT_NAMES: [Short; NAMES.len()] = {
    let mut names = [Short::of(""); NAMES.len()];
    let mut index = 0;
    while index < names.len() {
        names[index] = Short::of(NAMES[index]);
        index += 1;
    }
    names
};
