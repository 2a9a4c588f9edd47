//! Commands on objects of a server, beside the same commands on this machine: on one server, and on a
//! cluster of three on loopback that stores everything three times. The servers write through
//! (`sync_interval: always`).
//!
//! Rounds alternate; the output is the median of one command in microseconds, and its ratio to the local
//! one. `IPC` names the binary, which has `ipc-remote` beside it; the default is that of cargo.
#![allow(clippy::print_stdout, reason = "it is a program that prints its result")]

mod support;

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const ROUNDS: usize = 300;

/// Servers, which are killed at the end.
struct Servers {
    children: Vec<Child>,
    /// What names on them begin with.
    prefix: String,
    replicas: &'static str,
}

impl Drop for Servers {
    fn drop(&mut self) {
        for child in &mut self.children {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port is free");
    listener.local_addr().expect("it is bound").port()
}

impl Servers {
    /// Starts one server, or three.
    fn start(program: &Path, directory: &Path, count: usize) -> Self {
        let routes: Vec<u16> = (0..count).map(|_| free_port()).collect();
        let all: Vec<String> =
            routes.iter().map(|port| format!("nats-route://127.0.0.1:{port}")).collect();
        let (mut children, mut hosts) = (Vec::new(), Vec::new());
        for (index, route) in routes.iter().enumerate() {
            let (port, data) = (free_port(), directory.join(format!("{count}-{index}")));
            let cluster = format!(
                "cluster {{ name: c, host: 127.0.0.1, port: {route}, routes: [{}] }}\n",
                all.join(", ")
            );
            let text = format!(
                "host: 127.0.0.1\nport: {port}\nserver_name: n{index}\n\
                 jetstream {{ sync_interval: always, store_dir: \"{}\" }}\n{}",
                data.display(),
                if count > 1 { &cluster } else { "" }
            );
            let file = directory.join(format!("{count}-{index}.conf"));
            std::fs::write(&file, text).expect("it can be written");
            let mut command = Command::new(program);
            command.arg("-c").arg(&file).stdout(Stdio::null()).stderr(Stdio::null());
            children.push(command.spawn().expect("the server starts"));
            hosts.push(format!("127.0.0.1:{port}"));
        }
        for host in &hosts {
            let start = Instant::now();
            while TcpStream::connect(host).is_err() {
                assert!(start.elapsed() < Duration::from_secs(30), "{host} does not accept");
                std::thread::yield_now();
            }
        }
        let replicas = if count > 1 { "3" } else { "1" };
        Self { children, prefix: format!("nats://{}/", hosts.join(",")), replicas }
    }
}

/// `ipc`, which must succeed.
fn ipc(program: &Path, words: &[&str]) {
    let status = Command::new(program).args(words).status().expect("it starts");
    assert!(status.success(), "{words:?}");
}

/// The steps that are compared, for the names of one place.
fn steps<'a>(program: &'a Path, names: &'a [String; 3]) -> Vec<Box<dyn FnMut() -> Duration + 'a>> {
    let [queue, lock, door] = names;
    let run = move |words: &[&str]| {
        let mut command = Command::new(program);
        command.args(words);
        support::time(&mut command)
    };
    vec![
        Box::new(move || run(&["mq", "send", queue, "a message"])),
        Box::new(move || run(&["mq", "recv", queue])),
        Box::new(move || run(&["lock", "run", lock, "--", "/bin/true"])),
        Box::new(move || run(&["door", "call", door, "21"])),
    ]
}

const STEPS: [&str; 4] = ["mq send", "mq recv", "lock run true", "door call"];

fn main() {
    let ipc_path = std::env::var_os("IPC")
        .map_or_else(|| PathBuf::from(env!("CARGO_BIN_EXE_ipc")), PathBuf::from);
    let server = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/python/bin/nats-server");
    if !server.exists() {
        return println!("nats-server is missing: 'make tools' installs it");
    }
    if !ipc_path.with_file_name("ipc-remote").exists() {
        return println!("ipc-remote is missing beside {}", ipc_path.display());
    }
    let directory = tempfile::tempdir().expect("a directory can be made");
    let servers = [1, 3].map(|count| Servers::start(&server, directory.path(), count));
    let own = format!("/ipc-bench-{}", std::process::id());
    let below = |name: &str| directory.path().join(name).display().to_string();
    let mut places = vec![[own.clone(), below("lock"), below("door")]];
    for Servers { prefix, .. } in &servers {
        places.push(["queue", "lock", "door"].map(|name| format!("{prefix}{name}")));
    }
    ipc(&ipc_path, &["mq", "create", &own]);
    for (Servers { replicas, .. }, [queue, lock, _]) in servers.iter().zip(&places[1..]) {
        let create = ["mq", "create", "-e", "-t", "60", "--replicas", replicas, queue];
        let start = Instant::now();
        // A cluster has no leader at first.
        let mut made = Command::new(&ipc_path);
        made.args(create).stderr(Stdio::null());
        while !made.status().expect("it starts").success() {
            assert!(start.elapsed() < Duration::from_secs(60), "{queue} cannot be created");
        }
        ipc(&ipc_path, &["lock", "run", "--replicas", replicas, lock, "--", "/bin/true"]);
    }
    let mut doors: Vec<Child> = places
        .iter()
        .map(|[_, _, door]| {
            let mut command = Command::new(&ipc_path);
            let procedure = "while read n; do echo $((2 * n)); done";
            command.args(["door", "serve", "--worker", door, "--", "sh", "-c", procedure]);
            command.spawn().expect("it starts")
        })
        .collect();
    for [_, _, door] in &places {
        let mut call = Command::new(&ipc_path);
        call.args(["door", "call", door, "1"]).stdout(Stdio::null()).stderr(Stdio::null());
        let start = Instant::now();
        while !call.status().expect("it starts").success() {
            assert!(start.elapsed() < Duration::from_secs(60), "{door} does not answer");
        }
    }
    let rounds = support::scaled(ROUNDS);
    println!("{rounds} rounds, medians of one command in us, and of the ratio to the local one\n");
    println!("{:<16}{:>9}{:>18}{:>18}", "", "local", "one server", "three servers");
    let mut all: Vec<_> = places.iter().flat_map(|names| steps(&ipc_path, names)).collect();
    let turns = forward(rounds, &mut all);
    for (step, name) in STEPS.iter().enumerate() {
        let median = |place: usize| {
            let index = place * STEPS.len() + step;
            let time = support::median(turns.iter().map(|times| times[index]).collect());
            let ratio = turns.iter().map(|times| times[index] / times[step]).collect();
            (time * 1e6, support::median(ratio))
        };
        let ((local, _), (one, one_ratio), (three, three_ratio)) =
            (median(0), median(1), median(2));
        println!(
            "{name:<16}{local:>9.0}{one:>10.0}{one_ratio:>8.1}{three:>10.0}{three_ratio:>8.1}"
        );
    }
    for door in &mut doors {
        let pid = nix::unistd::Pid::from_raw(door.id() as i32);
        let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM);
        let _ = door.wait();
    }
    ipc(&ipc_path, &["mq", "rm", &own]);
}

/// Runs all steps in turn, many times over, always in this order: a message is received after it was sent.
fn forward(rounds: usize, steps: &mut [Box<dyn FnMut() -> Duration + '_>]) -> Vec<Vec<f64>> {
    let warm_up = rounds.div_ceil(10);
    let turn = |_| steps.iter_mut().map(|step| step().as_secs_f64()).collect();
    (0..rounds + warm_up).map(turn).skip(warm_up).collect()
}
