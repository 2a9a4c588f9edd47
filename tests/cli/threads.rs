//! No thread beside the main one takes a signal that is meant for the process.

use std::fs;
use std::path::Path;

use nix::sys::signal::Signal;

use crate::layout::sources;
use crate::support::{Name, sh, until};

/// What is prepared, what runs meanwhile, what waits then and has so many threads. `$name` is an
/// object of the noun that only this test has.
const CASES: &[(&str, &str, &str, &str, usize)] = &[
    ("sem", "ipc lock take --owner 1 l", "sleep 1000", "ipc lock take -t 1h l", 2),
    (
        "sem",
        "ipc sem create --value 1 $name",
        "ipc sem run $name -- sh -c ': >f; exec sleep 1000'",
        "ipc sem run $name -- true",
        2,
    ),
    ("mq", "ipc mq create $name", "sleep 1000", "ipc mq recv -f --exec --jobs 2 $name -- true", 4),
    ("sem", "mkfifo f", "ipc sock serve --hub ./s", "ipc sock connect --retry 1h ./s <>f", 2),
];

/// Signals that one thread waits for in the name of all, or whose handler or default action is for
/// the process.
const MEANT_FOR_THE_PROCESS: &[i32] = &[
    libc::SIGHUP,
    libc::SIGINT,
    libc::SIGQUIT,
    libc::SIGUSR1,
    libc::SIGUSR2,
    libc::SIGALRM,
    libc::SIGTERM,
    libc::SIGCHLD,
    libc::SIGCONT,
    libc::SIGURG,
    libc::SIGWINCH,
    34,
    64,
];

/// The masks of all threads but the main one.
fn masks(pid: i32) -> Vec<u64> {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).expect("it is not reaped");
    let others = threads.flatten().filter(|thread| *thread.file_name() != *pid.to_string());
    let mask = |thread: fs::DirEntry| {
        let status = fs::read_to_string(thread.path().join("status")).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("SigBlk:\t"))?;
        u64::from_str_radix(line, 16).ok()
    };
    others.filter_map(mask).collect()
}

#[test]
fn every_thread_leaves_the_signals_of_the_process_to_the_main_one() {
    for &(noun, prepare, meanwhile, wait, threads) in CASES {
        let (directory, name) = (tempfile::tempdir().unwrap(), Name::new(noun));
        let line = |line: &str| sh(line).within(directory.path()).env("name", &*name);
        line(prepare).succeeds();
        let beside = line(&format!("exec {meanwhile}")).start();
        let is_there = |name: &str| directory.path().join(name).exists();
        until(meanwhile, || ["f", "l", "s"].iter().any(|name| is_there(name)) || noun == "mq");
        let running = line(&format!("exec {wait}")).start();
        until(wait, || masks(running.pid()).len() + 1 >= threads);
        let has_open = |mask: &u64| MEANT_FOR_THE_PROCESS.iter().any(|s| mask & 1 << (s - 1) == 0);
        let open: Vec<u64> = masks(running.pid()).into_iter().filter(has_open).collect();
        // One thread of a worker takes them, and shows as open what it waits for.
        let takers = usize::from(wait.contains("--exec"));
        assert_eq!(open.len(), takers, "{wait}: {open:x?}");
        running.signal(Signal::SIGTERM);
        beside.signal(Signal::SIGTERM);
        drop((running.finish(), beside.finish()));
    }
}

#[test]
fn every_thread_is_started_by_the_one_function_that_blocks_signals() {
    let is_exempt = |path: &Path| path.ends_with("sys/thread.rs") || path.ends_with("tests.rs");
    for path in sources("src").iter().filter(|path| !is_exempt(path)) {
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
        let starts = ["thread::spawn(", "thread::Builder", "scope.spawn("];
        assert_eq!(starts.iter().find(|start| code.contains(*start)), None, "{}", path.display());
    }
}
