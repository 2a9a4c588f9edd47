//! Semaphores between whole processes: the time from the kill of a holder to the next holder, the
//! time of a process that posts beside a C program, and the CPU time of a waiter. (`ping_pong` has
//! round trips between processes that keep running.)
//!
//! The targets: less than 5 ms from a kill to the next holder, and no measurable CPU time of a
//! waiter.
#![allow(clippy::print_stdout, reason = "it is a program that prints its result")]

mod support;

use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

const KILLS: usize = 200;
const POSTS: usize = 200;
const SLEEP_MS: usize = 5000;

/// Posts or waits, once, as a whole process.
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
    let peer = support::c(directory.path(), PEER);
    let name = format!("/ipc-bench-{}", std::process::id());
    for (build, ipc) in support::builds(directory.path()) {
        let sem = |words: &[&str]| support::time(Command::new(&ipc).arg("sem").args(words));
        sem(&["create", &name, "--value", "1"]);
        let kills = support::scaled(KILLS);
        let times = (0..kills).map(|_| from_kill_to_next(&ipc, &name)).collect();
        println!(
            "{build}: {:.2} ms from a kill to the next holder's first word, median of {kills}",
            support::median(times)
        );
        for (verb, spent) in while_asleep(&ipc, &name) {
            println!("{build}: {spent:.0} us on a CPU for a 'sem {verb}' that waits {:?}", sleep());
        }
        sem(&["set", &name, "0"]);
        match &peer {
            Some(peer) => println!(
                "{build}: {:.2} of a C program for a process that posts to one that waits, {} \
                 rounds",
                posting(peer, &ipc, &name),
                support::scaled(POSTS)
            ),
            None => println!("{build}: no C compiler, nothing to compare with"),
        }
        sem(&["rm", &name]);
    }
}

/// The time for which waiters are measured.
fn sleep() -> Duration {
    Duration::from_millis(support::scaled(SLEEP_MS) as u64)
}

/// A command of `ipc sem`, in a process group of its own.
fn start(ipc: &Path, words: &[&str]) -> Child {
    let mut command = Command::new(ipc);
    command.arg("sem").args(words).process_group(0);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    command.spawn().expect("it starts")
}

/// Kills a command and its process group.
fn kill_all(child: &mut Child) {
    kill(Pid::from_raw(-(child.id() as i32)), Signal::SIGKILL).expect("it runs");
    child.wait().expect("it is our child");
}

/// The time in ms from SIGKILL for a holder and its command until the next command has written,
/// its start included.
fn from_kill_to_next(ipc: &Path, name: &str) -> f64 {
    let mut holder = start(ipc, &["run", name, "--", "sh", "-c", "echo in; exec sleep 600"]);
    read_one(&mut holder);
    let mut next = start(ipc, &["run", name, "--", "echo", "in"]);
    wait_until_asleep(&next);
    let start = Instant::now();
    kill_all(&mut holder);
    read_one(&mut next);
    let elapsed = start.elapsed();
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

/// The time of a whole process that posts, in relation to that of a C program.
fn posting(peer: &Path, ipc: &Path, name: &str) -> f64 {
    let post = |program: &Path, words: &[&str]| -> Duration {
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
        vec![Box::new(|| post(peer, &[])), Box::new(|| post(ipc, &["sem"]))];
    support::ratios(support::scaled(POSTS), &mut contenders)[1]
}

/// The CPU time of commands that wait while another process holds the one unit, in us.
fn while_asleep(ipc: &Path, name: &str) -> Vec<(String, f64)> {
    let mut holder = start(ipc, &["run", name, "--", "sh", "-c", "echo in; exec sleep 600"]);
    read_one(&mut holder);
    let waits: [&[&str]; 3] = [
        &["wait", name],
        &["run", name, "--", "true"],
        &["barrier", name, "--parties", "2", "-t", "1h"],
    ];
    let mut waiters = waits.map(|words| start(ipc, words));
    waiters.iter().for_each(wait_until_asleep);
    let before: Vec<f64> = waiters.iter().map(cpu_time).collect();
    std::thread::park_timeout(sleep());
    let spent = waiters.iter().map(cpu_time).zip(before).map(|(after, before)| after - before);
    let spent =
        waits.iter().map(|words| words[0].to_owned()).zip(spent.collect::<Vec<f64>>()).collect();
    waiters.iter_mut().chain([&mut holder]).for_each(kill_all);
    let _ = std::fs::remove_file(format!("/dev/shm/ipc-barrier.{}", &name[1..]));
    spent
}

/// The time in us that all threads of a process have spent on a CPU, as the scheduler counts it.
fn cpu_time(child: &Child) -> f64 {
    let tasks = std::fs::read_dir(format!("/proc/{}/task", child.id())).expect("it runs");
    let of_task = |task: std::io::Result<std::fs::DirEntry>| -> Option<f64> {
        let text = std::fs::read_to_string(task.ok()?.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse().ok()
    };
    tasks.filter_map(of_task).sum::<f64>() / 1e3
}
