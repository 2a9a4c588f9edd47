//! Compares sockets with the shortest equivalent C programs, socat, nc and s6: a stream through
//! `ipc sock connect` and `ipc sock serve`, connections to a COMMAND and to an echo, and the memory
//! of a hub.
//!
//! The targets: the stream 0.9 of the better of two C programs, one that splices at both ends and
//! one that moves blocks of 256 KiB with a send buffer of 4 MiB, on one CPU and on two; a COMMAND
//! for each client 0.9 of a C program that calls posix_spawn(3); 10,000 connections a second to
//! `--echo`; 1,000 idle clients of `--hub` in 20 MiB.
//!
//! Words choose the measurements: `stream`, `command`, `echo`, `hub`; the default is all. `MIB` is
//! the length of the stream, 4096 by default, and `ROUNDS` the number of turns of each contender.
#![allow(clippy::print_stdout, reason = "it is a program that prints its result")]

mod support;

use std::fs::{self, File};
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const SOURCE: &str = include_str!("sock.c");

/// The number of connections of a turn.
const CONNECTIONS: usize = 400;
const ECHOES: usize = 8000;
const MEMBERS: usize = 1000;

fn main() {
    // The directory is in memory, so that the disk has no influence.
    let directory = tempfile::tempdir_in("/dev/shm").expect("there is room");
    let Some(peer) = support::c(directory.path(), SOURCE) else {
        return println!("sock: no C compiler, nothing to compare with");
    };
    let (build, ipc) = support::builds(directory.path()).pop().expect("there is a build");
    let mib = number("MIB", support::scaled(4096));
    let bench = Bench {
        directory: directory.path(),
        ipc,
        peer,
        size: mib << 20,
        rounds: number("ROUNDS", support::scaled(5)),
    };
    let chosen: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let wanted = |part: &str| chosen.is_empty() || chosen.iter().any(|word| word == part);
    println!("ipc: the {build} build; {} interleaved rounds, medians;", bench.rounds);
    println!("in brackets the ratio to the best C program of the same round\n");
    if wanted("stream") {
        bench.streams();
    }
    if wanted("command") {
        bench.commands();
    }
    if wanted("echo") {
        bench.echoes();
    }
    if wanted("hub") {
        bench.hub();
    }
}

fn number(name: &str, otherwise: usize) -> usize {
    let value = std::env::var(name).ok();
    value.map_or(otherwise, |value| value.parse().expect("it is a number"))
}

struct Bench<'a> {
    directory: &'a Path,
    ipc: PathBuf,
    peer: PathBuf,
    size: usize,
    rounds: usize,
}

/// A contender: a name, and the shell lines of the receiver and of the sender.
struct Contender {
    name: &'static str,
    receive: &'static str,
    send: &'static str,
}

const STREAMS: &[Contender] = &[
    Contender {
        name: "C splice",
        receive: "exec $C splice-recv $S $SIZE",
        send: "exec $C splice-send $S $SIZE",
    },
    Contender {
        name: "C blocks",
        receive: "exec $C block-recv $S $SIZE",
        send: "exec $C block-send $S $SIZE",
    },
    Contender {
        name: "ipc",
        receive: "exec $IPC sock serve --once $S",
        send: "exec $IPC sock connect $S",
    },
    Contender {
        name: "socat -b1M",
        receive: "exec socat -u -b1048576 UNIX-LISTEN:$S -",
        send: "exec socat -u -b1048576 - UNIX-CONNECT:$S",
    },
    Contender { name: "nc", receive: "exec nc -dlU $S", send: "exec nc -NU $S >/dev/null" },
    Contender {
        name: "s6",
        // The server runs until it is killed.
        receive: "exec s6-ipcserver $S sh -c 'cat >&3 && kill $PPID' 3>&1 >/dev/null",
        send: "exec s6-ipcclient $S sh -c 'exec cat >&7'",
    },
];

/// The source and the destination of a stream.
#[derive(Clone, Copy)]
enum Ends {
    FileToNull,
    FileToFile,
    PipeToPipe,
}

impl Bench<'_> {
    fn streams(&self) {
        println!("a stream of {} MiB, GiB/s", self.size >> 20);
        self.make_source();
        let cpus = support::cpus();
        for (placement, cpus) in [("one CPU", &cpus[..1]), ("two CPUs", &cpus[..cpus.len().min(2)])]
        {
            for (what, ends) in [
                ("file to /dev/null", Ends::FileToNull),
                ("file to file", Ends::FileToFile),
                ("pipe to pipe", Ends::PipeToPipe),
            ] {
                let there = there(STREAMS, |it| it.receive);
                let contenders = there.iter().map(|contender| -> Box<dyn FnMut() -> Duration> {
                    Box::new(move || self.stream(contender, ends, cpus))
                });
                let turns = support::turns(self.rounds, &mut contenders.collect::<Vec<_>>());
                let names: Vec<_> = there.iter().map(|it| it.name).collect();
                let gib = self.size as f64 / (1 << 30) as f64;
                show(&format!("{placement}, {what}"), &names, &turns, 2, gib);
            }
        }
        println!();
    }

    /// Moves the stream once, from the first byte to the end of all processes.
    fn stream(&self, contender: &Contender, ends: Ends, cpus: &[usize]) -> Duration {
        let (source, target) = (self.directory.join("source"), self.directory.join("target"));
        let mut others = Vec::new();
        let _ = fs::remove_file(self.socket());
        let sink: Stdio = match ends {
            Ends::FileToNull => Stdio::null(),
            Ends::FileToFile => File::create(&target).expect("there is room").into(),
            Ends::PipeToPipe => {
                let (exit, entrance) = std::io::pipe().expect("there are pipes");
                let mut drain = self.shell("exec $C drain $SIZE");
                drain.stdin(exit);
                others.push(support::spawn_on(drain, cpus));
                entrance.into()
            }
        };
        let mut receiver = self.shell(contender.receive);
        receiver.stdin(Stdio::null()).stdout(sink);
        others.push(support::spawn_on(receiver, cpus));
        self.wait_until_served();
        let start = Instant::now();
        let mut read_to = None;
        let mut sender = self.shell(contender.send);
        if let Ends::PipeToPipe = ends {
            let (exit, entrance) = std::io::pipe().expect("there are pipes");
            let mut feed = self.shell("exec $C feed $SIZE");
            feed.stdout(entrance);
            others.push(support::spawn_on(feed, cpus));
            sender.stdin(exit);
        } else {
            let file = File::open(&source).expect("it is there");
            sender.stdin(file.try_clone().expect("it is open"));
            read_to = Some(file);
        }
        succeed(support::spawn_on(sender, cpus));
        others.into_iter().for_each(succeed);
        let elapsed = start.elapsed();
        if let Some(mut file) = read_to {
            assert_eq!(file.stream_position().expect("it is a file"), self.size as u64);
        }
        if let Ends::FileToFile = ends {
            support::time(Command::new("cmp").args([&source, &target]));
            fs::remove_file(&target).expect("it is there");
        }
        elapsed
    }

    fn make_source(&self) {
        let line = "openssl rand $SIZE 2>/dev/null || head -c $SIZE /dev/urandom";
        let mut command = self.shell(line);
        let file = File::create(self.directory.join("source")).expect("there is room");
        assert!(command.stdout(file).status().expect("it starts").success());
    }

    fn commands(&self) {
        let servers = [
            Server { name: "C posix_spawn", line: "exec $C spawn $S $CMD" },
            Server { name: "ipc", line: "exec $IPC sock serve $S -- $CMD" },
            Server { name: "s6", line: "exec s6-ipcserver -c 100 $S $CMD" },
            Server { name: "socat", line: "exec socat UNIX-LISTEN:$S,fork,backlog=100 EXEC:$CMD" },
        ];
        for (command, message) in [("/bin/cat", "hello"), ("/bin/true", "")] {
            self.serve(&servers, command, message, support::scaled(CONNECTIONS));
        }
    }

    fn echoes(&self) {
        let servers = [
            Server { name: "C in turn", line: "exec $C echo $S" },
            Server { name: "ipc --echo", line: "exec $IPC sock serve --echo $S" },
        ];
        self.serve(&servers, "echo", "hello", support::scaled(ECHOES));
    }

    /// Connects clients to each of the servers, one and eight at a time.
    fn serve(&self, servers: &[Server], command: &str, message: &str, connections: usize) {
        println!("connections a second to {command}");
        let there = there(servers, |it| it.line);
        let paths: Vec<_> =
            (0..there.len()).map(|place| self.directory.join(format!("s{place}"))).collect();
        let mut running = Vec::new();
        for (server, path) in there.iter().zip(&paths) {
            let _ = fs::remove_file(path);
            let mut shell = self.shell(server.line);
            shell.env("S", path).env("CMD", command).stdin(Stdio::null()).stdout(Stdio::null());
            running.push(shell.spawn().expect("it starts"));
            wait_until_served(path);
        }
        for clients in [1, 8] {
            let contenders = paths.iter().map(|path| -> Box<dyn FnMut() -> Duration> {
                Box::new(move || {
                    let (count, connections) = (clients.to_string(), connections.to_string());
                    let mut command = Command::new(&self.peer);
                    command.arg("clients").arg(path).args([&*count, &*connections, message]);
                    support::time(&mut command)
                })
            });
            let turns = support::turns(self.rounds, &mut contenders.collect::<Vec<_>>());
            let names: Vec<_> = there.iter().map(|it| it.name).collect();
            show(&format!("{clients} at a time"), &names, &turns, 1, connections as f64);
        }
        running.into_iter().for_each(end);
        println!();
    }

    fn hub(&self) {
        let count = support::scaled(MEMBERS);
        let _ = fs::remove_file(self.socket());
        let mut server = self.shell("exec $IPC sock serve --hub $S");
        let server = server.spawn().expect("it starts");
        self.wait_until_served();
        let mut members = Command::new(&self.peer);
        members.arg("members").arg(self.socket()).arg(count.to_string());
        let mut members =
            members.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it starts");
        let heard = members.stdout.as_mut().expect("it is a pipe").read_exact(&mut [0]);
        heard.expect("all have heard");
        println!("memory of a hub of {count} members: {} KiB", resident_kib(server.id()));
        drop(members.stdin.take());
        succeed(members);
        end(server);
    }

    fn socket(&self) -> PathBuf {
        self.directory.join("s")
    }

    fn shell(&self, line: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", line]).env("IPC", &self.ipc).env("C", &self.peer);
        command.env("S", self.socket()).env("SIZE", self.size.to_string());
        command
    }

    fn wait_until_served(&self) {
        wait_until_served(&self.socket());
    }
}

/// A server, as a line of shell.
struct Server {
    name: &'static str,
    line: &'static str,
}

/// The contenders whose program is installed.
fn there<T>(all: &[T], line: impl Fn(&T) -> &'static str) -> Vec<&T> {
    let program = |it: &T| line(it).split(' ').nth(1).expect("it is 'exec PROGRAM'").to_owned();
    all.iter().filter(|it| program(it).starts_with('$') || support::has(&program(it))).collect()
}

/// Prints the amount of each contender in a second, and its ratio to the best of the first few in
/// the same round.
fn show(what: &str, names: &[&str], turns: &[Vec<f64>], measures: usize, amount: f64) {
    println!("  {what}");
    for (place, name) in names.iter().enumerate() {
        let rate = support::median(turns.iter().map(|times| amount / times[place]).collect());
        let best = |times: &[f64]| times[..measures].iter().copied().fold(f64::MAX, f64::min);
        let ratio = support::median(turns.iter().map(|times| best(times) / times[place]).collect());
        println!("    {name:<14}{rate:>10.1}  ({ratio:.2})");
    }
}

/// Waits until a server listens at a path. The kernel lists a socket that is bound and does not
/// listen yet without the flag of a listener.
fn wait_until_served(path: &Path) {
    const LISTENS: &str = "00010000";
    let name = path.to_str().expect("our paths are text");
    loop {
        let table = fs::read_to_string("/proc/net/unix").expect("there are Unix sockets");
        let row = table.lines().find(|line| line.split(' ').next_back() == Some(name));
        if path.exists() && row.is_none_or(|row| row.contains(LISTENS)) {
            return;
        }
        std::thread::yield_now();
    }
}

fn succeed(mut child: Child) {
    let status = child.wait().expect("it is our child");
    assert!(status.success(), "{status}");
}

/// Ends a server that serves until it is killed.
fn end(mut server: Child) {
    let pid = nix::unistd::Pid::from_raw(server.id() as i32);
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM).expect("it runs");
    server.wait().expect("it is our child");
}

fn resident_kib(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    kib.expect("the kernel tells")
}
