//! The tests of each noun, as the tests that hold for all nouns use them.

use std::path::Path;
use std::process::Output;

use ipc_suite::program::{self, Statuses, Verb};
use tempfile::TempDir;

use crate::manual;
use crate::support::{Name, Run, Running, code, sh, text, until};

/// The nouns, with their tests. A test below compares them with the catalog.
const ALL: &[Noun] = &[
    crate::door::NOUN,
    crate::fd::NOUN,
    crate::fifo::NOUN,
    crate::lock::NOUN,
    crate::map::NOUN,
    crate::mq::NOUN,
    crate::pipe::NOUN,
    crate::queue::NOUN,
    crate::sem::NOUN,
    crate::shm::NOUN,
    crate::signal::NOUN,
    crate::sock::NOUN,
    crate::spool::NOUN,
];

/// A noun, as its own tests describe it.
#[derive(Clone, Copy)]
pub struct Noun {
    pub name: &'static str,
    pub names: Names,
    /// The options that `create` needs beside a name.
    pub create: &'static [&'static str],
    /// A wait of every verb that waits.
    pub waits: fn() -> Vec<Wait>,
    /// Lines of shell with a verb that runs a COMMAND, up to the name of a shell.
    pub commands: &'static [&'static str],
}

/// The names of objects that the verb `create` of a noun makes.
#[derive(Clone, Copy, Eq, PartialEq)]
pub enum Names {
    /// There is no such verb.
    None,
    Paths,
    /// Paths of directories, of which each holds many objects.
    Directories,
    /// POSIX names and System V keys.
    Kernel,
    /// POSIX names and paths, of objects with a format of this program.
    Memory,
}

/// A verb that waits, in lines of shell. `$name` is a POSIX object of the test, and `$key` a System V
/// object.
pub struct Wait {
    /// Makes the object.
    pub prepare: String,
    pub wait: String,
    /// Ends the wait.
    pub release: String,
    /// The output of the wait then.
    pub output: String,
    /// The subject and the reason of the wait, as `-v` prints them.
    pub says: Option<&'static str>,
    /// Whether `--timeout` limits this wait, if the verb has that option.
    pub is_timed: bool,
}

impl Wait {
    pub fn new(prepare: &str, wait: &str, release: &str, output: &str) -> Self {
        let [prepare, wait, release, output] = [prepare, wait, release, output].map(str::to_owned);
        Self { prepare, wait, release, output, says: None, is_timed: true }
    }

    pub fn says(mut self, what: &'static str) -> Self {
        self.says = Some(what);
        self
    }

    /// For a verb whose timeout is for connecting alone.
    pub fn untimed(mut self) -> Self {
        self.is_timed = false;
        self
    }

    /// The verb of the wait.
    pub fn verb(&self) -> &'static Verb {
        let words = self.wait.strip_prefix("ipc ").expect("a wait is a run of ipc");
        let is_called = |noun: &str, verb: &str| words.starts_with(&format!("{noun} {verb} "));
        let mut verbs = manual::verbs();
        let found = verbs.find(|(noun, verb)| noun.is_some_and(|n| is_called(n.name, verb.name)));
        found.unwrap_or_else(|| panic!("no such verb: {words}")).1
    }

    /// The line of the wait with more options.
    pub fn with(&self, options: &str) -> String {
        let mut words: Vec<&str> = self.wait.splitn(4, ' ').collect();
        words.insert(3, options);
        words.join(" ")
    }
}

/// A verb of a noun, if it has one of this name.
pub fn verb(noun: &str, name: &str) -> Option<&'static Verb> {
    let noun = program::NOUNS.iter().find(|known| known.name == noun)?;
    noun.verbs.iter().find(|verb| verb.name == name)
}

/// Whether a verb has an option.
pub fn has(verb: &Verb, option: &str) -> bool {
    verb.command().get_arguments().any(|known| known.get_id() == option)
}

/// A wait of every verb that waits.
pub fn waits() -> Vec<Wait> {
    ALL.iter().flat_map(|noun| (noun.waits)()).collect()
}

/// The verbs that run a COMMAND, up to the name of a shell.
pub fn commands() -> impl Iterator<Item = &'static str> {
    ALL.iter().flat_map(|noun| noun.commands.iter().copied())
}

/// The nouns whose objects have such names.
pub fn with(names: Names) -> impl Iterator<Item = &'static Noun> {
    ALL.iter().filter(move |noun| noun.names == names)
}

/// A name of each kind for each noun with a verb `create`; paths are in this directory.
pub fn objects(directory: &Path) -> Vec<(&'static Noun, Name)> {
    let kernel = with(Names::Kernel).flat_map(|noun| {
        [Name::new(noun.name), Name::system_v(noun.name)].map(|name| (noun, name))
    });
    let paths = with(Names::Paths).map(|noun| {
        let path = directory.join(noun.name);
        (noun, Name::of(noun.name, path.to_str().expect("paths here are UTF-8")))
    });
    kernel.chain(paths).collect()
}

/// The objects of a wait, which are removed with this.
pub struct Scene {
    pub directory: TempDir,
    name: Name,
    key: Name,
}

impl Scene {
    /// Makes the objects of a wait.
    #[track_caller]
    pub fn of(wait: &Wait) -> Self {
        let scene = Self::new(&wait.wait);
        assert_eq!(code(&scene.run(&wait.prepare, 0)), 0, "{}", wait.prepare);
        scene
    }

    /// A scene for a line, without objects.
    pub fn new(line: &str) -> Self {
        let noun = line.split(' ').nth(1).expect("a line has a noun");
        let is_called = |known: &&str| *known == noun;
        let name_of = |names| with(names).map(|known| known.name).find(is_called);
        let (kernel, memory) = (name_of(Names::Kernel), name_of(Names::Memory));
        // The semaphore of a guard has the name.
        let name = kernel.or(memory).filter(|_| !line.contains("--guard")).unwrap_or("sem");
        let (name, key) = (Name::new(name), Name::system_v(kernel.unwrap_or("sem")));
        Self { directory: tempfile::tempdir().unwrap(), name, key }
    }

    pub fn run(&self, line: &str, waiter: i32) -> Output {
        self.shell(line).env("waiter", waiter.to_string()).output()
    }

    pub fn shell(&self, line: &str) -> Run {
        let run = sh(line).within(self.directory.path());
        run.env("name", &*self.name).env("key", &*self.key)
    }

    /// A text with the names of the objects.
    pub fn named(&self, text: &str) -> String {
        text.replace("$name", &self.name).replace("$key", &self.key)
    }

    /// Starts a command, and returns when it waits.
    pub fn start(&self, before: &str, wait: &str) -> Running {
        let running = self.shell(&format!("{before} exec {wait}")).start();
        until(wait, || is_asleep(&running));
        running
    }

    /// Ends the wait, which then succeeds.
    #[track_caller]
    pub fn release(&self, waiter: Running, wait: &Wait) {
        let released = self.run(&wait.release, waiter.pid());
        assert_eq!(code(&released), 0, "{}: {released:?}", wait.release);
        let ended = waiter.finish();
        let seen = (code(&ended), text(&ended.stdout), text(&ended.stderr));
        assert_eq!(seen, (0, wait.output.clone(), String::new()), "{}", wait.wait);
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        // A stopped process handles the signal when it continues.
        self.run(
            "[ ! -e background ] || { kill $(cat background); kill -CONT $(cat background); }",
            0,
        );
    }
}

/// Whether it is `ipc`, not the shell that becomes it, and sleeps.
#[track_caller]
pub fn is_asleep(running: &Running) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", running.pid())).unwrap();
    assert!(!stat.contains(") Z "), "it has ended: {stat}");
    stat.contains(" (ipc) S ")
}

#[test]
fn every_noun_of_the_catalog_has_tests() {
    let tested: Vec<_> = ALL.iter().map(|noun| noun.name).collect();
    let known: Vec<_> = program::NOUNS.iter().map(|noun| noun.name).collect();
    assert_eq!(tested, known);
}

#[test]
fn every_noun_that_creates_objects_says_which_names_they_have() {
    for (noun, known) in ALL.iter().zip(program::NOUNS) {
        let creates = known.verbs.iter().any(|verb| verb.name == "create");
        assert_eq!(creates, noun.names != Names::None, "{}", noun.name);
    }
}

#[test]
fn every_verb_that_waits_has_a_wait() {
    let of_waits = waits().into_iter().map(|wait| wait.wait);
    let lines: Vec<String> = of_waits.chain(commands().map(str::to_owned)).collect();
    for (noun, verb) in manual::verbs() {
        let Some(noun) = noun else { continue };
        let name = format!("ipc {} {}", noun.name, verb.name);
        let waits =
            has(verb, "timeout") || has(verb, "ready") || verb.statuses == Statuses::OfCommand;
        // The first becomes its COMMAND at once; the next wait for a process that is stopped; the last
        // have tests of their own: in a PID namespace, with a service manager, until a signal, with a caller
        // and with a holder.
        let others = [
            "ipc signal run",
            "ipc queue close",
            "ipc queue verify",
            "ipc door info",
            "ipc fd drop",
            "ipc fd ls",
            "ipc signal init",
            "ipc sock notify",
            "ipc spool watch",
            "ipc door serve",
            "ipc fd take",
        ];
        if waits && !others.contains(&&*name) {
            assert!(
                lines.iter().any(|line| line.starts_with(&format!("{name} "))),
                "{name} has no wait in the tests of its noun"
            );
        }
    }
}
