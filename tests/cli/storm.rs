//! What becomes of every command that waits when signals pour down on it.
//!
//! A command that only waits keeps the default effect of USR1, which is its end. So there are three
//! things to show. Where the caller ignores USR1, any number of them changes nothing, and neither
//! does being stopped and continued, which ends some system calls early. Where he does not, one of
//! them is the end, as of any program, and nothing is broken by it. And a verb whose COMMAND runs
//! passes them on.

use std::process::Output;

use nix::sys::signal::Signal;
use tempfile::TempDir;

use crate::support::{Name, Run, Running, code, sh, text, until};

/// Every verb that waits, in lines of shell: what makes the thing that is waited for, what waits,
/// what ends the wait, and what is printed then. `$name` is an object that nobody else has.
const CASES: &[[&str; 4]] = &[
    [SEMAPHORE, "ipc sem wait $name", "ipc sem post $name", ""],
    [SEMAPHORE, "ipc sem run $name -- echo mine", "ipc sem post $name", "mine\n"],
    [":", "ipc sem barrier --parties 2 $name", "ipc sem barrier --parties 2 $name", ""],
    [QUEUE, "ipc mq recv $name", "ipc mq send $name hi", "hi\n"],
    [QUEUE, "ipc mq wait $name", "ipc mq send $name hi", ""],
    [FULL_QUEUE, "ipc mq send $name second", "ipc mq recv $name", ""],
    [SEGMENT, "ipc shm wait --type u32 --eq 7 $name", "ipc shm poke --type u32 $name 7", "7\n"],
    [FIFO, "ipc fifo cat f", "ipc fifo write f hi", "hi\n"],
    [FIFO, "ipc fifo write f hi", "ipc fifo cat f", ""],
    [SERVER, "ipc sock connect ./s", ": >go", "hi\n"],
    [":", "ipc sock connect --retry 1h ./s", SERVER_AT_ONCE, "hi\n"],
    [":", "ipc sock wait ./s", SERVER, ""],
    [":", "ipc sock recv ./s", "ipc sock send ./s hi", "hi\n"],
    [LOCKED, "ipc lock run f -- echo mine", UNLOCK, "mine\n"],
    [LOCKED, "ipc lock run --kind flock f -- echo mine", UNLOCK, "mine\n"],
    [LOCKED, "ipc lock fd 9 9<f", UNLOCK, ""],
    ["ipc lock take --owner 1 l", "ipc lock take l", "ipc lock drop --owner 1 l", ""],
    [":", "ipc signal wait USR2 >line", "ipc signal send USR2 $waiter", ""],
];

const SEMAPHORE: &str = "ipc sem create $name";
const QUEUE: &str = "ipc mq create $name";
const FULL_QUEUE: &str = "ipc mq create --max-msgs 1 --msg-size 8 $name; ipc mq send $name first";
const SEGMENT: &str = "ipc shm create --size 8 $name";
const FIFO: &str = "ipc mkfifo f";
/// Serves clients who get an answer when there is a file `go`.
const SERVER: &str = "ipc sock serve ./s -- sh -c 'until [ -e go ]; do sleep 0.01; done; echo hi' \
    >/dev/null 2>&1 & echo $! >background; ipc sock wait ./s";
const SERVER_AT_ONCE: &str = "ipc sock serve ./s -- echo hi >/dev/null 2>&1 & echo $! >background";
const LOCKED: &str = ": >f; ipc lock run f -- sleep 1000 >/dev/null 2>&1 & echo $! >background
    while ipc lock test f; do sleep 0.01; done >/dev/null";
const UNLOCK: &str = "kill $(cat background); rm background";

/// What a case works with, which is gone when this is.
struct Scene {
    directory: TempDir,
    name: Name,
}

impl Scene {
    fn new(wait: &str) -> Self {
        let noun = ["mq", "shm"].into_iter().find(|noun| wait.contains(noun)).unwrap_or("sem");
        Self { directory: tempfile::tempdir().unwrap(), name: Name::new(noun) }
    }

    fn run(&self, line: &str, waiter: i32) -> Output {
        self.shell(line).env("waiter", waiter.to_string()).output()
    }

    fn shell(&self, line: &str) -> Run {
        sh(line).within(self.directory.path()).env("name", &*self.name)
    }

    /// Starts a command, and comes back when it waits.
    fn start(&self, before: &str, wait: &str) -> Running {
        let running = self.shell(&format!("{before} exec {wait}")).start();
        until(wait, || is_asleep(&running));
        running
    }

    /// Ends the wait, which then ends well.
    #[track_caller]
    fn release(&self, waiter: Running, [_, wait, release, output]: &[&str; 4]) {
        let released = self.run(release, waiter.pid());
        assert_eq!(code(&released), 0, "{release}: {released:?}");
        let ended = waiter.finish();
        let seen = (code(&ended), text(&ended.stdout), text(&ended.stderr));
        assert_eq!(seen, (0, output.to_string(), String::new()), "{wait}");
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        self.run("[ ! -e background ] || kill $(cat background)", 0);
    }
}

/// Whether it is a command of ours, not the shell that becomes it, and sleeps.
fn is_asleep(running: &Running) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", running.pid()));
    stat.is_ok_and(|stat| stat.contains(" (ipc) S "))
}

#[test]
fn ignored_signals_and_stops_disturb_no_wait() {
    for case @ [prepare, wait, ..] in CASES {
        let scene = Scene::new(wait);
        assert_eq!(code(&scene.run(prepare, 0)), 0, "{prepare}");
        let waiter = scene.start("trap '' USR1;", wait);
        for _ in 0..20 {
            for _ in 0..50 {
                waiter.signal(Signal::SIGUSR1);
            }
            waiter.signal(Signal::SIGSTOP);
            waiter.signal(Signal::SIGCONT);
            until(wait, || is_asleep(&waiter));
        }
        scene.release(waiter, case);
    }
}

#[test]
fn a_signal_that_is_not_ignored_ends_a_wait_and_breaks_nothing_for_the_next() {
    for case @ [prepare, wait, ..] in CASES {
        let scene = Scene::new(wait);
        assert_eq!(code(&scene.run(prepare, 0)), 0, "{prepare}");
        let waiter = scene.start("", wait);
        waiter.signal(Signal::SIGUSR1);
        let ended = waiter.finish();
        let seen = (code(&ended), text(&ended.stdout), text(&ended.stderr));
        assert_eq!(seen, (138, String::new(), String::new()), "{wait}");
        scene.release(scene.start("", wait), case);
    }
}

#[test]
fn a_command_gets_the_signals_of_a_storm_and_ends_as_it_likes() {
    let command = "trap 'echo hit >>hits' USR1; trap 'exit 5' TERM; echo >ready
        while :; do sleep 0.01; done";
    for wait in [
        "ipc sem run $name -- sh",
        "ipc lock run f -- sh",
        "ipc signal trap --on USR2=true -- sh",
        "ipc signal alarm 1h -- sh",
    ] {
        let scene = Scene::new(wait);
        assert_eq!(code(&scene.run("ipc sem create --value 1 $name", 0)), 0);
        let path = |name: &str| scene.directory.path().join(name);
        let running = scene.shell(&format!("exec {wait} -c \"$0\"")).word(command).start();
        until("the command listens", || path("ready").exists());
        for _ in 0..1000 {
            running.signal(Signal::SIGUSR1);
        }
        until("the command is told", || path("hits").exists());
        running.signal(Signal::SIGTERM);
        let ended = running.finish();
        assert_eq!((code(&ended), text(&ended.stdout)), (5, String::new()), "{wait}");
    }
}
