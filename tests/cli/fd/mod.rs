//! `ipc fd`.

mod examples;
mod hold;
mod look;
mod pass;

use crate::nouns::{Names, Noun, Wait};

pub const NOUN: Noun = Noun {
    name: "fd",
    names: Names::None,
    create: &[],
    waits,
    commands: &["ipc fd memfd -- sh", "ipc fd get $PPID 0 -- sh"],
};

fn waits() -> Vec<Wait> {
    const SEND: &str = "echo hi | ipc fd send --retry 60 ./s 0";
    vec![
        Wait::new(":", "ipc fd hold --idle 1h ./h", "ipc door revoke ./h", ""),
        Wait::new(":", "ipc fd send --retry 1h ./s 0", "ipc fd recv ./s -- true", ""),
        Wait::new(":", "ipc fd recv ./s -- cat /proc/self/fd/3", SEND, "hi\n"),
        Wait::new(
            "ipc door serve --ready ready ./h -- true >/dev/null 2>&1 & echo $! >background
             until_true [ -s ready ]; kill -STOP $(cat background)",
            "ipc fd store ./h 0",
            "kill -CONT $(cat background)",
            "",
        ),
    ]
}
