//! Streams messages of 100 bytes through a POSIX queue, from `ipc mq send` to `ipc mq recv`, and
//! compares with a C program that calls mq_send(3) and mq_receive(3) and does nothing else.
//!
//! On two CPUs, one process on each (the C program is pinned; `ipc` may run on both), and on one.
//! Rounds alternate, A B A B; the output is the median of the ratios, round by round.
//!
//! Every program calls mq_send(3) once for each message. The speed of one process that does so,
//! while no other uses the queue, is the maximum for any two.
//!
//! `IPC` names the binary; the default is that of cargo.
#![allow(clippy::print_stdout, reason = "it is a program that prints its result")]

mod support;

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

const MESSAGES: usize = 400_000;
const ROUNDS: usize = 7;

const PEER: &str = r#"
#include <mqueue.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
static char message[128];
static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec + now.tv_nsec / 1e9;
}
/* Fills the queue and empties it, and prints the thousands a second at which it was filled. */
static int alone(mqd_t queue, long count) {
    double sending = 0;
    for (long turn = 0; turn < count / 10; turn++) {
        double start = seconds();
        for (int i = 0; i < 10; i++)
            if (mq_send(queue, message, 100, 0)) return 1;
        sending += seconds() - start;
        for (int i = 0; i < 10; i++)
            if (mq_receive(queue, message, 128, 0) != 100) return 1;
    }
    return printf("%f\n", count / sending / 1000) < 0;
}
int main(int argc, char **argv) {
    int sends = !strcmp(argv[1], "send");
    int is_alone = !strcmp(argv[1], "alone");
    mqd_t queue = mq_open(argv[2], is_alone ? O_RDWR : sends ? O_WRONLY : O_RDONLY);
    if (queue < 0) return 1;
    if (is_alone) return alone(queue, atol(argv[3]));
    for (long left = atol(argv[3]); left > 0; left--) {
        if (sends ? mq_send(queue, message, 100, 0) : mq_receive(queue, message, 128, 0) != 100)
            return 1;
    }
    return 0;
}
"#;

/// The programs and the queue that both sides use.
struct Bench {
    ipc: PathBuf,
    peer: PathBuf,
    queue: String,
    lines: PathBuf,
    cpus: Vec<usize>,
    messages: usize,
}

/// The CPUs of the two processes.
#[derive(Clone, Copy, PartialEq)]
enum Placement {
    TwoCpus,
    OneCpu,
}

fn main() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let Some(bench) = Bench::new(directory.path()) else {
        println!("mq: no C compiler, nothing to compare with");
        return;
    };
    let rounds = support::scaled(ROUNDS);
    println!("messages of 100 bytes, thousands a second; median of {rounds} rounds");
    for (placement, name) in [(Placement::TwoCpus, "two CPUs"), (Placement::OneCpu, "one CPU")] {
        if placement == Placement::TwoCpus && bench.cpus.len() < 2 {
            println!("{name}: there is only one");
            continue;
        }
        let rates: Vec<[f64; 3]> = (0..=rounds)
            .map(|_| [bench.run_peer(placement), bench.run_ipc(placement), bench.run_alone()])
            .skip(1)
            .collect();
        let median =
            |value: fn(&[f64; 3]) -> f64| support::median(rates.iter().map(value).collect());
        let (peer, ours, most) = (median(|it| it[0]), median(|it| it[1]), median(|it| it[2]));
        let (ratio, limit) = (median(|it| it[1] / it[0]), median(|it| it[2] / it[0]));
        println!("{name:9}  C {peer:7.0}  ipc {ours:7.0}  ratio {ratio:.2}");
        println!("           mq_send alone {most:7.0}, {limit:.2} of C");
    }
    let removed = Command::new(&bench.ipc).args(["mq", "rm", &bench.queue]).status();
    assert!(removed.expect("ipc runs").success());
}

impl Bench {
    fn new(directory: &Path) -> Option<Self> {
        let peer = support::c(directory, PEER)?;
        let messages = support::scaled(MESSAGES);
        let lines = directory.join("lines");
        let mut file = File::create(&lines).expect("it can be made");
        file.write_all(format!("{:0100}\n", 0).repeat(messages).as_bytes()).expect("it fits");
        let ipc = std::env::var_os("IPC")
            .map_or_else(|| PathBuf::from(env!("CARGO_BIN_EXE_ipc")), PathBuf::from);
        let queue = format!("/ipc-bench-{}", std::process::id());
        let shape = ["--max-msgs", "10", "--msg-size", "128"];
        let created = Command::new(&ipc).args(["mq", "create", &queue]).args(shape).status();
        assert!(created.expect("ipc runs").success());
        Some(Self { ipc, peer, queue, lines, cpus: support::cpus(), messages })
    }

    fn run_peer(&self, placement: Placement) -> f64 {
        let count = self.messages.to_string();
        let command = |verb: &str| {
            let mut command = Command::new(&self.peer);
            command.args([verb, self.queue.as_str(), count.as_str()]);
            command
        };
        let other = self.cpus[usize::from(placement == Placement::TwoCpus)];
        self.rate(command("send"), &self.cpus[..1], command("recv"), &[other])
    }

    fn run_ipc(&self, placement: Placement) -> f64 {
        let mut send = Command::new(&self.ipc);
        send.args(["mq", "send", &self.queue]);
        send.stdin(File::open(&self.lines).expect("it is there"));
        let mut recv = Command::new(&self.ipc);
        recv.args(["mq", "recv", &self.queue, "--count", &self.messages.to_string()]);
        recv.stdout(Stdio::null());
        let cpus = if placement == Placement::TwoCpus { &self.cpus[..2] } else { &self.cpus[..1] };
        self.rate(send, cpus, recv, cpus)
    }

    /// The speed of C in filling a queue that no other process uses, in thousands of messages a
    /// second.
    fn run_alone(&self) -> f64 {
        let count = self.messages.to_string();
        let output = Command::new(&self.peer).args(["alone", &self.queue, &count]).output();
        let output = output.expect("it starts");
        String::from_utf8_lossy(&output.stdout).trim().parse().expect("it prints a number")
    }

    /// Runs both to their ends, on these CPUs; returns thousands of messages a second.
    fn rate(&self, send: Command, send_on: &[usize], recv: Command, recv_on: &[usize]) -> f64 {
        let start = Instant::now();
        for mut child in [support::spawn_on(recv, recv_on), support::spawn_on(send, send_on)] {
            assert!(child.wait().expect("it is our child").success());
        }
        self.messages as f64 / start.elapsed().as_secs_f64() / 1000.0
    }
}
