//! `ipc top`.

mod frames;
mod screen;

use std::path::Path;

use crate::peers;
use crate::support::{Running, sh};

/// Two processes that wait for each other's lock.
fn deadlock(directory: &Path) -> Option<[Running; 2]> {
    if !peers::there("flock", &["--version"]) {
        return None;
    }
    let run = |own: &str, other: &str| {
        let held = format!("touch {own}.held; until test -e {other}.held; do sleep 0.01; done");
        let line = format!("exec flock {own} sh -c '{held}; exec flock {other} true'");
        sh(&line).within(directory).start()
    };
    Some([run("one", "two"), run("two", "one")])
}
