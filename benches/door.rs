//! Compares a call of a door with the round trip of the shortest echo in C.
//!
//! The target: `ipc door call` against a worker, from its start to its end, takes less than three times
//! the start of the caller and a round trip of an echo of messages in C together. The start of the caller
//! is `ipc --version`. `ROUNDS` is the number of turns of each contender.
#![allow(clippy::print_stdout, reason = "it is a program that prints its result")]

mod support;

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const SOURCE: &str = include_str!("door.c");

/// The number of round trips of one run of the C client.
const ROUND_TRIPS: u32 = 2000;

fn main() {
    let directory = tempfile::tempdir_in("/dev/shm").expect("there is room");
    let Some(peer) = support::c(directory.path(), SOURCE) else {
        return println!("door: no C compiler, nothing to compare with");
    };
    let (build, ipc) = support::builds(directory.path()).pop().expect("there is a build");
    let rounds = std::env::var("ROUNDS")
        .ok()
        .map_or(support::scaled(2000), |rounds| rounds.parse().expect("ROUNDS is a number"));
    let path = |name: &str| directory.path().join(name);
    let _echo = Server::start(Command::new(&peer).arg("serve").arg(path("echo")), &path("echo"));
    let mut worker = Command::new(&ipc);
    worker.args(["door", "serve", "--worker"]).arg(path("worker")).arg("--").arg(&peer).arg("work");
    let _worker = Server::start(&mut worker, &path("worker"));
    let mut single = Command::new(&ipc);
    single.args(["door", "serve"]).arg(path("single")).arg("--").arg(&peer).arg("work");
    let _single = Server::start(&mut single, &path("single"));

    let run = |words: &[&str], door: &str| {
        let mut command = Command::new(&ipc);
        command.args(words).arg(path(door)).arg("x");
        command
    };
    let asking = |times: u32| {
        let mut command = Command::new(&peer);
        command.arg("ask").arg(path("echo")).arg(times.to_string());
        command
    };
    let mut start = Command::new(&ipc);
    start.arg("--version");
    let mut contenders: Vec<Box<dyn FnMut() -> Duration + '_>> = vec![
        Box::new(|| support::time(&mut start)),
        Box::new(|| support::time(&mut asking(1))),
        Box::new(|| support::time(&mut run(&["door", "call"], "worker"))),
        Box::new(|| support::time(&mut run(&["door", "call"], "single"))),
    ];
    let turns = support::turns(rounds, &mut contenders);
    let column = |place: usize| support::median(turns.iter().map(|times| times[place]).collect());
    let micro = |seconds: f64| seconds * 1e6;
    let many = support::time(&mut asking(ROUND_TRIPS)).as_secs_f64();
    let round_trip = (many - column(1)).max(0.0) / f64::from(ROUND_TRIPS - 1);
    let (start, worker) = (column(0), column(2));
    println!("ipc: the {build} build; {rounds} interleaved rounds, medians, in microseconds\n");
    println!("start of a caller (ipc --version)     {:8.1}", micro(start));
    println!("round trip of the echo in C           {:8.1}", micro(round_trip));
    println!("a C program that asks it once         {:8.1}", micro(column(1)));
    println!("ipc door call, a worker               {:8.1}", micro(worker));
    println!("ipc door call, a COMMAND              {:8.1}", micro(column(3)));
    println!(
        "\nthe worker, to three times start and round trip: {:.2}",
        worker / (3.0 * (start + round_trip))
    );
    println!(
        "the worker less the start, in round trips:       {:.1}",
        (worker - start) / round_trip
    );
}

/// A server that is killed at the end.
struct Server(Child);

impl Server {
    /// Starts it, and waits until its socket is there.
    fn start(command: &mut Command, socket: &Path) -> Self {
        let child = command.stdin(Stdio::null()).spawn().expect("it starts");
        while !socket.exists() {
            std::thread::yield_now();
        }
        Self(child)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
