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

use ipc_suite::program::Statuses;

use crate::manual;
use crate::support::{Name, Run, Running, code, sh, text, until};

const RING: &str = "ipc queue create --capacity 4K $name";
const FULL_RING: &str = "ipc queue create --capacity 4K $name; ipc queue push $name $(head -c 4080 /dev/zero | tr '\\0' x)";

/// Every verb that waits, in lines of shell: what makes the thing that is waited for, what waits,
/// what ends the wait, and what is printed then. `$name` is a POSIX object that nobody else has, and
/// `$key` a System V one.
const CASES: &[[&str; 4]] = &[
    [SEMAPHORE, "ipc sem wait $name", "ipc sem post $name", ""],
    [SEMAPHORE, "ipc sem run $name -- echo mine", "ipc sem post $name", "mine\n"],
    ["ipc sem create $key", "ipc sem wait $key", "ipc sem post $key", ""],
    ["ipc sem create $key", "ipc sem run $key -- echo mine", "ipc sem post $key", "mine\n"],
    [":", "ipc sem barrier --parties 2 $name", "ipc sem barrier --parties 2 $name", ""],
    [QUEUE, "ipc mq recv $name", "ipc mq send $name hi", "hi\n"],
    [QUEUE, "ipc mq recv --exec $name -- cat", "ipc mq send $name hi", "hi"],
    [QUEUE, "ipc mq wait $name", "ipc mq send $name hi", ""],
    [RING, "ipc queue pop $name", "ipc queue push $name hi", "hi\n"],
    [RING, "ipc queue pop --exec $name -- cat", "ipc queue push $name hi", "hi"],
    [RING, "ipc queue tap -f $name", "ipc queue push $name hi; ipc queue close $name", "hi\n"],
    [FULL_RING, "ipc queue push $name second", "ipc queue pop $name", ""],
    [FULL_QUEUE, "ipc mq send $name second", "ipc mq recv $name", ""],
    ["ipc mq create $key", "ipc mq recv $key", "ipc mq send $key hi", "hi\n"],
    ["ipc mq create $key", "ipc mq wait $key", "ipc mq send $key hi", ""],
    [FULL_SYSTEM_V_QUEUE, "ipc mq send $key second", "ipc mq recv $key", ""],
    [SEGMENT, "ipc shm wait --type u32 --eq 7 $name", "ipc shm poke --type u32 $name 7", "7\n"],
    [
        "ipc map create --size 8 m",
        "ipc map wait --type u32 --eq 7 m",
        "ipc map poke --type u32 m 7",
        "7\n",
    ],
    [FIFO, "ipc fifo cat f", "ipc fifo write f hi", "hi\n"],
    [FIFO, "ipc fifo write f hi", "ipc fifo cat f", ""],
    [SERVER, "ipc sock connect ./s", ": >go", "hi\n"],
    [":", "ipc sock connect --retry 1h ./s", SERVER_AT_ONCE, "hi\n"],
    [":", "ipc sock wait ./s", SERVER, ""],
    [":", "ipc sock recv ./s", "ipc sock send ./s hi", "hi\n"],
    [ANSWERER, "ipc sock send --type seqpacket --reply ./s ping", ": >go", "pong\n"],
    [":", "ipc sock serve --once ./s -- echo hi", "ipc sock connect ./s", ""],
    [":", "ipc sock serve --once --echo ./s", "echo hi | ipc sock connect ./s", ""],
    [":", "ipc sock serve --once ./s", "echo hi | ipc sock connect ./s", "hi\n"],
    [SERVER_AT_ONCE, "ipc sock relay --once ./front ./s", "ipc sock connect ./front", ""],
    [LOCKED, "ipc lock run f -- echo mine", UNLOCK, "mine\n"],
    [RECORD_LOCKED, "ipc lock run --kind ofd f -- echo mine", UNLOCK, "mine\n"],
    [RECORD_LOCKED, "ipc lock run --kind posix f -- echo mine", UNLOCK, "mine\n"],
    [LOCKED, "ipc lock fd 9 9<f", UNLOCK, ""],
    [RECORD_LOCKED, "ipc lock fd --kind ofd 9 9<>f", UNLOCK, ""],
    ["ipc lock take --owner 1 l", "ipc lock take l", "ipc lock drop --owner 1 l", ""],
    [":", "ipc signal wait USR2 >line", "ipc signal send USR2 $waiter", ""],
    [SLEEPER, "ipc signal send 0 --wait $(cat background)", UNLOCK, ""],
];

/// Verbs that wait for their `--guard`, on a segment `$segment` of 8 bytes, and what they print.
const GUARDED: &[(&str, &str)] = &[
    ("add --type u32 $segment 1", "1\n"),
    ("cas --type u32 $segment 0 1", "1\n"),
    ("cat --count 0 $segment", ""),
    ("peek --type u32 $segment", "0\n"),
    ("poke --type u32 $segment 1", ""),
    ("write $segment", ""),
];

/// Verbs whose COMMAND runs.
const COMMANDS: &[&str] = &[
    "ipc sem run $name -- sh",
    "ipc lock run f -- sh",
    "ipc signal trap --on USR2=true -- sh",
    "ipc signal alarm 1h -- sh",
    "ipc sock pair -- sleep 1000 -- sh",
];

/// All cases, those with guards included.
fn cases() -> Vec<[String; 4]> {
    let plain = CASES.iter().map(|case| case.map(str::to_owned));
    let segments = [("shm", "$key"), ("map", "m")];
    let guarded = segments.into_iter().flat_map(|(noun, segment)| {
        GUARDED.iter().map(move |(line, output)| {
            let prepare = format!("{SEMAPHORE}; ipc {noun} create --size 8 {segment}");
            let (verb, rest) = line.split_once(' ').unwrap();
            let rest = rest.replace("$segment", segment);
            let wait = format!("ipc {noun} {verb} --guard $name {rest}");
            [prepare, wait, "ipc sem post $name".to_owned(), (*output).to_owned()]
        })
    });
    plain.chain(guarded).collect()
}

const SEMAPHORE: &str = "ipc sem create $name";
const QUEUE: &str = "ipc mq create $name";
const FULL_QUEUE: &str = "ipc mq create --max-msgs 1 --msg-size 8 $name; ipc mq send $name first";
const SEGMENT: &str = "ipc shm create --size 8 $name";
const FIFO: &str = "ipc mkfifo f";
/// Serves clients who get an answer when there is a file `go`, or the case is over.
const SERVER: &str = "ipc sock serve ./s -- sh -c 'until [ -e go ] || ! [ -d \"$PWD\" ]; do sleep 0.01; done; echo hi' \
    >/dev/null 2>&1 & echo $! >background; ipc sock wait ./s";
const SERVER_AT_ONCE: &str = "ipc sock serve ./s -- echo hi >/dev/null 2>&1 & echo $! >background";
/// Reads from each client, and answers when there is a file `go`.
const ANSWERER: &str = "ipc sock serve --type seqpacket ./s -- sh -c 'dd count=1 >&2
    until [ -e go ] || ! [ -d \"$PWD\" ]; do sleep 0.01; done; printf pong' >/dev/null 2>&1 & echo $! >background
    ipc sock wait ./s";
const FULL_SYSTEM_V_QUEUE: &str =
    "ipc mq create $key; ipc mq set --max-bytes 8 $key; ipc mq send $key 1st";
const SLEEPER: &str = "sleep 1000 >/dev/null 2>&1 & echo $! >background";
const RECORD_LOCKED: &str = ": >f; ipc lock run --kind ofd f -- sleep 1000 >/dev/null 2>&1 &
    echo $! >background; while ipc lock test f; do sleep 0.01; done >/dev/null";
const LOCKED: &str = ": >f; ipc lock run f -- sleep 1000 >/dev/null 2>&1 & echo $! >background
    while ipc lock test f; do sleep 0.01; done >/dev/null";
const UNLOCK: &str = "kill $(cat background); rm background";

/// What a case works with, which is gone when this is.
struct Scene {
    directory: TempDir,
    name: Name,
    key: Name,
}

impl Scene {
    fn new(wait: &str) -> Self {
        let noun = ["mq", "shm"].into_iter().find(|noun| wait.split(' ').nth(1) == Some(noun));
        // A name is of the guard, where there is one.
        let name = noun.filter(|_| !wait.contains("--guard")).unwrap_or("sem");
        let (name, key) = (Name::new(name), Name::system_v(noun.unwrap_or("sem")));
        Self { directory: tempfile::tempdir().unwrap(), name, key }
    }

    fn run(&self, line: &str, waiter: i32) -> Output {
        self.shell(line).env("waiter", waiter.to_string()).output()
    }

    fn shell(&self, line: &str) -> Run {
        let run = sh(line).within(self.directory.path());
        run.env("name", &*self.name).env("key", &*self.key)
    }

    /// Starts a command, and comes back when it waits.
    fn start(&self, before: &str, wait: &str) -> Running {
        let running = self.shell(&format!("{before} exec {wait}")).start();
        until(wait, || is_asleep(&running));
        running
    }

    /// Ends the wait, which then ends well.
    #[track_caller]
    fn release(&self, waiter: Running, [_, wait, release, output]: &[String; 4]) {
        let released = self.run(release, waiter.pid());
        assert_eq!(code(&released), 0, "{release}: {released:?}");
        let ended = waiter.finish();
        let seen = (code(&ended), text(&ended.stdout), text(&ended.stderr));
        assert_eq!(seen, (0, output.clone(), String::new()), "{wait}");
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        self.run("[ ! -e background ] || kill $(cat background)", 0);
    }
}

/// Whether it is a command of ours, not the shell that becomes it, and sleeps.
#[track_caller]
fn is_asleep(running: &Running) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", running.pid())).unwrap();
    assert!(!stat.contains(") Z "), "it has ended: {stat}");
    stat.contains(" (ipc) S ")
}

#[test]
fn ignored_signals_and_stops_disturb_no_wait() {
    for case @ [prepare, wait, ..] in &cases() {
        let scene = Scene::new(wait);
        assert_eq!(code(&scene.run(prepare, 0)), 0, "{prepare}");
        let waiter = scene.start("trap '' USR1;", wait);
        for _ in 0..20 {
            for _ in 0..50 {
                waiter.signal(Signal::SIGUSR1);
            }
            waiter.stop_and_continue();
            until(wait, || is_asleep(&waiter));
        }
        scene.release(waiter, case);
    }
}

#[test]
fn a_signal_that_is_not_ignored_ends_a_wait_and_breaks_nothing_for_the_next() {
    for case @ [prepare, wait, ..] in &cases() {
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
    for wait in COMMANDS {
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

#[test]
fn every_verb_that_waits_is_in_the_storm() {
    let lines: Vec<String> = cases().into_iter().map(|[_, wait, ..]| wait).collect();
    let lines = || lines.iter().map(String::as_str).chain(COMMANDS.iter().copied());
    for (noun, verb) in manual::verbs() {
        let Some(noun) = noun else { continue };
        let name = format!("ipc {} {}", noun.name, verb.name);
        let has =
            |option: &str| verb.command().get_arguments().any(|known| known.get_id() == option);
        let waits = has("timeout") || has("ready") || verb.statuses == Statuses::OfCommand;
        // The first becomes its COMMAND at once; the others wait for a process that is stopped.
        let others = ["ipc signal run", "ipc queue close", "ipc queue verify"];
        if waits && !others.contains(&&*name) {
            assert!(
                lines().any(|line| line.starts_with(&format!("{name} "))),
                "{name} is forgotten"
            );
        }
    }
}
