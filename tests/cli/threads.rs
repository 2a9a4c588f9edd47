//! No thread beside the main one takes a signal that is meant for the process.

use std::fs;
use std::path::Path;

use nix::sys::signal::Signal;

use crate::layout::sources;
use crate::peers;
use crate::support::{Name, sh, until};

/// For each case: the preparation, the command that runs meanwhile, the command that waits then, and the
/// number of its threads. `$name` is an object of the noun that only this test has.
const CASES: &[(&str, &str, &str, &str, usize)] = &[
    ("sem", "ipc lock take --owner 1 l", "sleep 1000", "ipc lock take -t 1h l", 2),
    (
        "sem",
        "ipc sem create --value 1 $name",
        "ipc sem run $name -- sh -c ': >f; exec sleep 1000'",
        "ipc sem run $name -- true",
        2,
    ),
    ("mq", "ipc mq create $name", "sleep 1000", "ipc mq recv -f --exec --jobs 2 $name -- true", 3),
    ("sem", "mkfifo f", "ipc sock serve --hub ./s", "ipc sock connect --retry 1h ./s <>f", 2),
];

/// Signals that one thread takes for the whole process, or whose handler or default action is for the
/// process. URG is not among them: a thread has a timer send it to that thread.
/// Nor is 34, which pthread_create(3) of musl unblocks.
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
    libc::SIGWINCH,
    35,
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
        assert!(open.is_empty(), "{wait}: {open:x?}");
        running.signal(Signal::SIGTERM);
        beside.signal(Signal::SIGTERM);
        drop((running.finish(), beside.finish()));
    }
}

/// Has every thread end 200 ms late, and whoever starts a process go on 100 ms late.
const LATE: &str = r#"
#include <dlfcn.h>
#include <pthread.h>
#include <spawn.h>
#include <stdlib.h>
#include <time.h>

struct work { void *(*run)(void *); void *argument; };

static void pause_for(long milliseconds)
{
    struct timespec left = { 0, milliseconds * 1000000 };
    while (nanosleep(&left, &left) != 0)
        continue;
}

static void *late(void *given)
{
    struct work work = *(struct work *)given;
    free(given);
    void *result = work.run(work.argument);
    pause_for(200);
    return result;
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                   void *argument)
{
    __typeof__(pthread_create) *next = dlsym(RTLD_NEXT, "pthread_create");
    struct work *work = malloc(sizeof *work);
    *work = (struct work){ run, argument };
    return next(thread, attributes, late, work);
}

int posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
                const posix_spawnattr_t *attributes, char *const words[], char *const variables[])
{
    __typeof__(posix_spawn) *next = dlsym(RTLD_NEXT, "posix_spawn");
    int result = next(pid, path, actions, attributes, words, variables);
    pause_for(100);
    return result;
}
"#;

/// The static build takes no library; there the test shows that the verbs work.
#[test]
fn the_end_of_a_command_is_seen_behind_a_thread_that_ends_late() {
    let Some(late) = peers::preloaded(LATE) else { return };
    let directory = tempfile::tempdir().unwrap();
    for verb in ["lock run -t 1h l", "lock run -t 1h --kind ofd l"] {
        let line = format!("exec ipc {verb} -- env -u LD_PRELOAD true");
        let run = sh(&line).within(directory.path()).env("LD_PRELOAD", late.path());
        run.is(0, "", "");
    }
}

#[test]
fn every_thread_is_started_by_the_one_function_that_blocks_signals() {
    let is_exempt = |path: &Path| {
        path.ends_with("sys/thread.rs")
            || path.ends_with("tests.rs")
            || path.iter().any(|part| part == "tests")
    };
    for path in sources("src").iter().filter(|path| !is_exempt(path)) {
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
        let starts = ["thread::spawn(", "thread::Builder", "scope.spawn("];
        assert_eq!(starts.iter().find(|start| code.contains(*start)), None, "{}", path.display());
    }
}

#[test]
fn where_there_is_no_thread_for_it_a_deadline_is_kept_without() {
    if !peers::there("strace", &["-o", "/dev/null", "true"]) {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let run = |words: &str| {
        let line = format!(
            "exec strace -qqo /dev/null -e inject=clone,clone3:error=EAGAIN:when=1 ipc {words}"
        );
        sh(&line).within(directory.path())
    };
    run("lock run -t 1h l -- echo locked").is(0, "locked\n", "");
    run("lock take --owner 1 -t 1h taken").is(0, "", "");
}
