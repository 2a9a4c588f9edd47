//! Semaphores between whole processes: how soon the next holder runs when one is killed, and a
//! round trip of `ipc sem post` and `ipc sem wait` beside the same by a C program.
#![allow(clippy::print_stdout, reason = "it is a program that prints its result")]

mod support;

use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const KILLS: usize = 200;
const ROUND_TRIPS: usize = 200;

/// Posts the one semaphore and waits for the other, once, as a whole process.
const PEER: &str = r#"
#include <fcntl.h>
#include <semaphore.h>
#include <string.h>
int main(int argc, char **argv) {
    sem_t *sem = sem_open(argv[2], 0);
    if (sem == SEM_FAILED) return 1;
    return strcmp(argv[1], "post") ? sem_wait(sem) : sem_post(sem);
}
"#;

fn main() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let name = format!("/ipc-bench-{}", std::process::id());
    for (build, ipc) in support::builds(directory.path()) {
        sem(&ipc, &["create", &name, "--value", "1"]);
        let times = (0..KILLS).map(|_| from_kill_to_next(&ipc, &name)).collect();
        println!(
            "{build}: {:.2} ms from kill to the next holder's first word, median of {KILLS}",
            support::median(times)
        );
        sem(&ipc, &["rm", &name]);
        compare(build, &ipc, &name, directory.path());
    }
}

fn sem(ipc: &Path, words: &[&str]) {
    support::time(Command::new(ipc).arg("sem").args(words));
}

/// The time in ms from SIGKILL for a holder and its command until the next command has written,
/// its start included.
fn from_kill_to_next(ipc: &Path, name: &str) -> f64 {
    let run = |words: &[&str]| {
        let mut command = Command::new(ipc);
        command.args(["sem", "run", name, "--"]).args(words);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        command.spawn().expect("it starts")
    };
    let mut holder = run(&["sh", "-c", "echo in; exec sleep 600"]);
    read_one(&mut holder);
    let mut next = run(&["echo", "in"]);
    wait_until_asleep(&next);
    let start = Instant::now();
    let group = nix::unistd::Pid::from_raw(-(holder.id() as i32));
    nix::sys::signal::kill(group, nix::sys::signal::Signal::SIGKILL).expect("it runs");
    read_one(&mut next);
    let elapsed = start.elapsed();
    holder.wait().expect("it is our child");
    next.wait().expect("it is our child");
    elapsed.as_secs_f64() * 1e3
}

fn read_one(child: &mut Child) {
    let mut byte = [0];
    child.stdout.as_mut().expect("it is a pipe").read_exact(&mut byte).expect("it writes");
}

fn wait_until_asleep(child: &Child) {
    let wchan = format!("/proc/{}/wchan", child.id());
    while !std::fs::read_to_string(&wchan).is_ok_and(|place| place.contains("futex")) {
        std::thread::yield_now();
    }
}

/// A round trip is a process that waits at the one end, and another that posts there.
fn compare(build: &str, ipc: &Path, name: &str, directory: &Path) {
    let (source, peer) = (directory.join("peer.c"), directory.join("peer"));
    std::fs::write(&source, PEER).expect("it can be written");
    let compiled = Command::new("cc").args(["-O2", "-o"]).args([&peer, &source]).status();
    if !compiled.is_ok_and(|status| status.success()) {
        return println!("{build}: no C compiler, nothing to compare with");
    }
    sem(ipc, &["create", name]);
    let round_trip = |program: &Path, words: &[&str]| -> Duration {
        let command = |verb: &str| {
            let mut command = Command::new(program);
            command.args(words).args([verb, name]);
            command
        };
        let mut waiter = command("wait").spawn().expect("it starts");
        wait_until_asleep(&waiter);
        let time = support::time(&mut command("post"));
        assert!(waiter.wait().expect("it is our child").success());
        time
    };
    let mut contenders: Vec<Box<dyn FnMut() -> Duration + '_>> =
        vec![Box::new(|| round_trip(&peer, &[])), Box::new(|| round_trip(ipc, &["sem"]))];
    let ratios = support::ratios(ROUND_TRIPS, &mut contenders);
    println!(
        "{build}: {:.2} of a C program to post to one that waits, {ROUND_TRIPS} rounds",
        ratios[1]
    );
    sem(ipc, &["rm", name]);
}
