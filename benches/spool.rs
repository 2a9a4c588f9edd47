//! The cost of a spool: puts, in relation to a C program that makes the same system calls; draining
//! twice as many messages; the first answers of a spool of 100,000 messages.
//!
//! The targets: puts at 0.9 of the rate of the C program, draining at most 2.2 times as long for
//! twice as many, and first answers within 100 ms.
#![allow(clippy::print_stdout, reason = "it is a program that prints its result")]

mod support;

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const PEER: &str = include_str!("spool.c");

fn main() {
    let directory = tempfile::tempdir_in("/dev/shm").expect("a directory can be made");
    for (build, ipc) in support::builds(directory.path()) {
        println!("{build}");
        puts(directory.path(), &ipc);
        let count = support::scaled(20_000);
        let (once, twice) =
            (drain(directory.path(), &ipc, count), drain(directory.path(), &ipc, 2 * count));
        println!(
            "  draining {count} and twice as many: {:.2}",
            twice.as_secs_f64() / once.as_secs_f64()
        );
        first_answers(directory.path(), &ipc, support::scaled(100_000));
    }
}

/// A line of shell in which `$ipc` is the build and `$s` the spool, and the time that it takes.
fn line(directory: &Path, ipc: &Path, line: &str) -> Duration {
    let mut command = Command::new("sh");
    command.args(["-c", line]).current_dir(directory).env("ipc", ipc).stdout(Stdio::null());
    let start = Instant::now();
    assert!(command.status().expect("it starts").success(), "{line}");
    start.elapsed()
}

const FRESH: &str = "$ipc spool rm -f --purge s; $ipc spool create s";

fn puts(directory: &Path, ipc: &Path) {
    let Some(peer) = support::c(directory, PEER) else {
        return println!("  no C compiler, nothing to compare with");
    };
    let count = support::scaled(20_000);
    line(directory, ipc, &format!("yes 0123456789 | head -n {count} >lines"));
    let own = || {
        line(directory, ipc, FRESH);
        line(directory, ipc, "exec $ipc spool put --each-line s <lines")
    };
    let other = || {
        line(directory, ipc, FRESH);
        line(directory, &peer, &format!("exec $ipc s {count}"))
    };
    let ratios = support::ratios(9, &mut [Box::new(own), Box::new(other)]);
    println!("  {count} puts, time of the C program in relation: {:.2}", ratios[1]);
}

/// The time that workers need for this number of messages, with the smallest COMMAND.
fn drain(directory: &Path, ipc: &Path, count: usize) -> Duration {
    let put = format!("{FRESH}; yes x | head -n {count} | $ipc spool put --each-line s");
    line(directory, ipc, &put);
    line(directory, ipc, "exec $ipc spool take --all s -- $ipc --version")
}

fn first_answers(directory: &Path, ipc: &Path, count: usize) {
    let put = format!("{FRESH}; yes x | head -n {count} | $ipc spool put --each-line s");
    line(directory, ipc, &put);
    for command in ["$ipc spool stat s", "$ipc spool ls s | head -n 2", "$ipc spool take s -- true"]
    {
        let mut times: Vec<Duration> = (0..9).map(|_| line(directory, ipc, command)).collect();
        times.sort();
        println!("  {command}: {:.0} ms", times[4].as_secs_f64() * 1000.0);
    }
}
