//! Round trips between two processes: one posts a semaphore and waits for another, the other waits
//! and posts. Compares the code of `ipc sem`, in processes of this program, with sem_post(3) and
//! sem_wait(3) in C.
//!
//! With two CPUs for both, a wait spins before it sleeps, for about the time of a wake-up; with one
//! CPU, or a CPU for each, it sleeps at once.
#![allow(clippy::print_stdout, reason = "it is a program that prints its result")]

mod support;

use std::path::Path;
use std::process::{Child, Command};
use std::time::Instant;

use ipc_suite::bench::{AtExit, Deadline, Name, Semaphore, Waited};

const ROUND_TRIPS: usize = 10_000;
const MATCHES: usize = 11;

/// The arguments of a player: a role, the semaphore to post, the one to wait for, and the number of
/// rounds.
const PEER: &str = r#"
#include <fcntl.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
int main(int argc, char **argv) {
    int begins = !strcmp(argv[1], "ping");
    sem_t *ours = sem_open(argv[2], 0), *theirs = sem_open(argv[3], 0);
    if (ours == SEM_FAILED || theirs == SEM_FAILED) return 1;
    for (int i = 0; i < atoi(argv[4]); i++) {
        if (begins && sem_post(ours)) return 1;
        if (sem_wait(theirs)) return 1;
        if (!begins && sem_post(ours)) return 1;
    }
    return 0;
}
"#;

/// The CPUs of the two players, as for taskset(1).
const PLACES: [(&str, [&str; 2]); 3] = [
    ("both on one CPU", ["0", "0"]),
    ("both on two CPUs", ["0,1", "0,1"]),
    ("each on a CPU of its own", ["0", "1"]),
];

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, role, ours, theirs, count] = arguments.as_slice() {
        return play(
            role == "ping",
            &*open(ours),
            &*open(theirs),
            count.parse().expect("a number"),
        );
    }
    let directory = tempfile::tempdir().expect("a directory can be made");
    let Some(peer) = support::c(directory.path(), PEER).filter(|_| support::has("taskset")) else {
        return println!("no C compiler or no taskset, nothing to compare with");
    };
    let ipc = &support::builds(directory.path())[0].1;
    let player = std::env::current_exe().expect("we are a program");
    let names = ["ping", "pong"].map(|end| format!("/ipc-bench-{end}-{}", std::process::id()));
    for name in &names {
        support::time(Command::new(ipc).args(["sem", "create", name]));
    }
    let (matches, round_trips) = (support::scaled(MATCHES), support::scaled(ROUND_TRIPS));
    println!("{matches} interleaved matches of {round_trips} round trips, medians");
    for (place, cpus) in PLACES {
        let (mut c, mut ours, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..matches {
            let times = [&peer, &player].map(|program| play_match(program, cpus, &names));
            c.push(times[0]);
            ours.push(times[1]);
            ratios.push(times[1] / times[0]);
        }
        let [c, ours, ratio] = [c, ours, ratios].map(support::median);
        println!("{place}: {ours:.2} us, C {c:.2} us, ratio {ratio:.2}");
    }
    for name in &names {
        support::time(Command::new(ipc).args(["sem", "rm", name]));
    }
}

/// The time of a round trip of two players, in us.
fn play_match(program: &Path, cpus: [&str; 2], names: &[String; 2]) -> f64 {
    let round_trips = support::scaled(ROUND_TRIPS);
    let player = |role: &str, cpus: &str, ours: &str, theirs: &str| -> Child {
        let mut command = Command::new("taskset");
        command.args(["-c", cpus]).arg(program).args([role, ours, theirs]);
        command.arg(round_trips.to_string()).spawn().expect("it starts")
    };
    let mut pong = player("pong", cpus[1], &names[1], &names[0]);
    let start = Instant::now();
    let mut ping = player("ping", cpus[0], &names[0], &names[1]);
    for player in [&mut ping, &mut pong] {
        assert!(player.wait().expect("it is our child").success());
    }
    start.elapsed().as_secs_f64() / round_trips as f64 * 1e6
}

fn open(name: &str) -> Box<dyn Semaphore> {
    ipc_suite::bench::open(&Name::new(name.as_ref()).expect("it is a name"), 0)
        .expect("it is there")
}

fn play(begins: bool, ours: &dyn Semaphore, theirs: &dyn Semaphore, count: u32) {
    let post = || ours.increment(1, AtExit::Keep).expect("it can be posted");
    for _ in 0..count {
        if begins {
            post();
        }
        let waited = theirs.decrement(1, AtExit::Keep, Deadline::NEVER).expect("it can be taken");
        assert_eq!(waited, Waited::Done(()));
        if !begins {
            post();
        }
    }
}
