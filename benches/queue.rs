//! Compares a crash-safe queue with the means of C programs: a pipe, a POSIX message queue, a
//! seqpacket socket, a ring for one producer and one consumer that a kill breaks, and mere copying
//! between two CPUs. The ratio to that ring is the cost of crash safety.
//!
//! The targets: one way between two busy CPUs, 100 bytes, at most 100 ns, half a pipe's time and a
//! quarter of a POSIX queue's; 1 KiB at 10 GB/s, or within 10 % of mere copying; a round trip on one
//! CPU, where both processes sleep, at most 1.25 of a pipe's time; and on two, where a process spins
//! before it sleeps, a fiftieth. All programs take turns, and the output is medians of one run.
//!
//! Lines through the shell are measured by benches/queue_stream.rs.
//!
//! One push and one pop as whole processes are compared with an empty static program, of whose time they
//! take at most 1.25, and with a C program that makes the system calls that they need and no others.
//!
//! The capacity changes the rate, because lines that one CPU has changed move to the other: a ring
//! that fits the first cache of a CPU, or that the second cannot hold, is twice as fast as one between
//! these sizes.
#![allow(clippy::print_stdout, reason = "it is a program that prints its result")]

mod support;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use ipc_suite::bench::Deadline;
use ipc_suite::bench::ring::{Outcome, Ring};

const PEER: &str = include_str!("queue.c");
const ONCE: &str = include_str!("queue_once.c");

/// The capacity for most measurements: that of a pipe.
const CAPACITY: u64 = 1 << 16;
/// A ring that fits the first cache of a CPU.
const SMALL: u64 = 1 << 14;
/// A ring that the second cache of a CPU cannot hold.
const LARGE: u64 = 1 << 22;

/// A measurement: its name, round trip or one way, the number and the length of messages, the
/// capacity of the queue, and the CPUs of the two processes.
#[derive(Clone, Copy)]
struct Course {
    name: &'static str,
    how: &'static str,
    count: u64,
    size: usize,
    capacity: u64,
    cpus: [usize; 2],
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["send", path, how, count, size] => send(path, how == "trip", number(count), number(size)),
        ["receive", path, how, count, size] => {
            receive(path, how == "trip", number(count), number(size));
        }
        // The quick form only shows that everything runs.
        [] if std::env::var_os("IPC_BENCH").is_some_and(|word| word == "quick") => compare(1),
        [] => compare(9),
        [rounds] => compare(number(rounds) as usize),
        _ => panic!("what is to be done with {words:?}"),
    }
}

fn number(word: &str) -> u64 {
    word.parse().expect("it is a number")
}

fn compare(rounds: usize) {
    let directory = tempfile::tempdir_in("/dev/shm").expect("a directory can be made");
    once(directory.path());
    println!("pair in one thread, 100 B: {:.0} ns", pair(directory.path()));
    let Some(peer) = support::c(directory.path(), PEER) else {
        println!("no C compiler, nothing to compare with");
        return;
    };
    let cpus = support::cpus();
    let (one, two) = ([cpus[0]; 2], [cpus[0], *cpus.last().expect("there is one")]);
    let capacity = CAPACITY;
    let course = |name, how, count, size, cpus| {
        let count = support::scaled(count) as u64;
        Course { name, how, count, size, capacity, cpus }
    };
    let mut courses = vec![course("one CPU, there and back, 100 B", "trip", 20_000, 100, one)];
    if cpus.len() > 1 {
        courses.push(course("two CPUs, one way, 100 B", "way", 200_000, 100, two));
        let large = course("two CPUs, one way, 1 KiB", "way", 200_000, 1024, two);
        courses.extend([SMALL, CAPACITY, LARGE].map(|capacity| Course { capacity, ..large }));
        courses.push(course("two CPUs, there and back, 100 B", "trip", 20_000, 100, two));
    }
    for course in &courses {
        run(course, directory.path(), &peer, rounds);
    }
}

/// One push and one pop as whole processes.
fn once(directory: &Path) {
    let program = |name: &str, source: &str| {
        let (file, program) = (directory.join(name).with_extension("c"), directory.join(name));
        std::fs::write(&file, source).expect("it can be written");
        let mut compiler = Command::new("musl-gcc");
        compiler.args(["-static", "-O2", "-s", "-o"]).args([&program, &file]);
        compiler.status().is_ok_and(|status| status.success()).then_some(program)
    };
    let programs = program("empty", "int main(void) { return 0; }\n").zip(program("least", ONCE));
    let Some((empty, least)) = programs else {
        println!("no musl-gcc, nothing to compare one push and one pop with");
        return;
    };
    let queue = directory.join("once");
    let ring = Ring::create(&queue, 0o600, 1 << 20).expect("it can be made");
    // Every other turn is in reverse order, and then each pop comes before a push.
    push(&ring, b"hello");
    let queue = queue.to_str().expect("the directory has a plain name");
    for (build, path) in support::builds(directory) {
        let contender = |program: &Path, words: &[&str]| -> Box<dyn FnMut() -> Duration> {
            let mut command = Command::new(program);
            command.args(words);
            Box::new(move || support::time(&mut command))
        };
        let mut contenders = [
            contender(&empty, &[]),
            contender(&least, &["push", queue]),
            contender(&least, &["pop", queue]),
            contender(&path, &["queue", "push", queue, "hello"]),
            contender(&path, &["queue", "pop", queue]),
        ];
        let ratios = support::ratios(support::scaled(300), &mut contenders);
        println!(
            "one {build} process, of an empty program: push {:.2} (C {:.2}), pop {:.2} (C {:.2})",
            ratios[3], ratios[1], ratios[4], ratios[2]
        );
    }
}

/// Runs all contenders in turn.
fn run(course: &Course, directory: &Path, peer: &Path, rounds: usize) {
    let is_one = course.cpus[0] == course.cpus[1];
    // The rings of C do not sleep, so on one CPU they would only spin.
    let modes: &[&str] = match is_one {
        true => &["pipe", "mq", "seqpacket", "futex"],
        false => &["pipe", "mq", "seqpacket", "ring", "copy"],
    };
    let mut times = vec![Vec::new(); modes.len() + 1];
    for _ in 0..rounds {
        times[0].push(ours(course, directory));
        for (mode, times) in modes.iter().zip(&mut times[1..]) {
            times.push(theirs(course, peer, mode));
        }
    }
    let own = support::median(times[0].clone());
    let rate = course.size as f64 / own;
    let (name, size) = (course.name, course.capacity >> 10);
    println!("{name}, {size} KiB: queue {own:.0} ns ({rate:.2} GB/s), medians of {rounds}");
    for (mode, theirs) in modes.iter().zip(&times[1..]) {
        let ratios = times[0].iter().zip(theirs).map(|(a, b)| a / b).collect();
        let (time, ratio) = (support::median(theirs.clone()), support::median(ratios));
        println!("    {mode:10} {time:8.0} ns, the queue takes {ratio:.2} of it");
    }
}

fn theirs(course: &Course, peer: &Path, mode: &str) -> f64 {
    let cpus = course.cpus.map(|cpu| cpu as u64);
    let numbers = [course.count, course.size as u64, cpus[0], cpus[1], course.capacity];
    let mut command = Command::new(peer);
    command.args([mode, course.how]).args(numbers.map(|number| number.to_string()));
    let output = command.output().expect("it runs");
    assert!(output.status.success(), "{mode} fails");
    result(&output.stdout)
}

fn result(stdout: &[u8]) -> f64 {
    String::from_utf8_lossy(stdout).trim().parse().expect("it prints a number")
}

/// The nanoseconds per message between two processes of this program.
fn ours(course: &Course, directory: &Path) -> f64 {
    let path = directory.join("queue");
    for suffix in ["there", "back"] {
        Ring::create(&path.with_extension(suffix), 0o600, course.capacity).expect("it can be made");
    }
    let start = |role: &str| -> Child {
        let mut command = Command::new(std::env::current_exe().expect("it is known"));
        command.arg(role).arg(&path).arg(course.how);
        command.args([course.count.to_string(), course.size.to_string()]);
        command.stdout(Stdio::piped());
        // A process that may use only one CPU never spins. So with two CPUs, both processes may use
        // both.
        let is_one = course.cpus[0] == course.cpus[1];
        support::spawn_on(command, if is_one { &course.cpus[..1] } else { &course.cpus })
    };
    let receiver = start("receive");
    let sender = start("send");
    let output = receiver.wait_with_output().expect("it runs");
    assert!(sender.wait_with_output().expect("it runs").status.success(), "sending fails");
    for suffix in ["there", "back"] {
        std::fs::remove_file(path.with_extension(suffix)).expect("it is there");
    }
    result(&output.stdout)
}

fn open(path: &str, suffix: &str) -> Ring {
    let path = PathBuf::from(path).with_extension(suffix);
    let file = File::options().read(true).write(true).open(path).expect("it is there");
    Ring::attach(file.into()).expect("it is a queue")
}

fn push(ring: &Ring, message: &[u8]) {
    assert_eq!(ring.push(message, Deadline::NEVER), Ok(Outcome::Done(())));
}

fn pop(ring: &Ring, message: &mut Vec<u8>, size: u64) {
    message.clear();
    assert_eq!(ring.pop(message, Deadline::NEVER), Ok(Outcome::Done(())));
    assert_eq!(message.len() as u64, size);
}

fn send(path: &str, trip: bool, count: u64, size: u64) {
    let (there, back) = (open(path, "there"), open(path, "back"));
    let (message, mut answer) = (vec![7; size as usize], Vec::with_capacity(size as usize));
    for _ in 0..=count {
        push(&there, &message);
        if trip {
            pop(&back, &mut answer, size);
        }
    }
}

fn receive(path: &str, trip: bool, count: u64, size: u64) {
    let (there, back) = (open(path, "there"), open(path, "back"));
    let (answer, mut message) = (vec![7; size as usize], Vec::with_capacity(size as usize));
    pop(&there, &mut message, size);
    let start = Instant::now();
    for _ in 0..count {
        if trip {
            push(&back, &answer);
        }
        pop(&there, &mut message, size);
    }
    let each = start.elapsed().as_secs_f64() * 1e9 / count as f64;
    if trip {
        push(&back, &answer);
    }
    println!("{each}");
}

/// The nanoseconds for pushing and popping one message in one thread, without other processes.
fn pair(directory: &Path) -> f64 {
    let ring = Ring::create(&directory.join("pair"), 0o600, CAPACITY).expect("it can be made");
    let (message, mut popped) = ([7; 100], Vec::with_capacity(100));
    let turn = |_| -> f64 {
        let count = support::scaled(200_000);
        let start = Instant::now();
        for _ in 0..count {
            push(&ring, &message);
            pop(&ring, &mut popped, 100);
        }
        let elapsed: Duration = start.elapsed();
        elapsed.as_secs_f64() * 1e9 / count as f64
    };
    support::median((0..9).map(turn).collect())
}
