//! Many verbs run in one process, one after the other, as a shell builtin runs them: each has the
//! right status, and leaves the process as it found it.
//!
//! The test has a `main` of its own: it looks at the mask, the dispositions and the descriptors of the
//! whole process, so nothing else may run in it.

use std::fs::{self, File};
use std::io::Write;
use std::os::fd::AsFd;
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use ipc_suite::program::{Effect, NOUNS, run_among_others};
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::stat::{Mode, umask};
use nix::sys::wait::{WaitPidFlag, waitpid};

/// How many verbs run.
const RUNS: usize = 2000;

/// The most descriptors that the process may have.
const DESCRIPTORS: u64 = 64;

/// After how many seconds the verbs hang.
const LONGEST: u32 = 300;

/// By how many pages memory may grow, once every verb has run a few times: the C library takes memory for
/// its threads in large pieces.
const GROWTH: u64 = 256;

/// Verbs that change their process for good, which is their purpose: what `Effect` declares. `sock
/// connect` becomes its COMMAND, and runs here without one.
const LEFT_OUT: &[&str] = &[
    "fd recv",
    "fd get",
    "fd memfd",
    "fd take",
    "lock run",
    "lock fd",
    "lock unlock",
    "sem run",
    "signal wait",
    "signal trap",
    "signal run",
    "sock connect",
];

/// A command line and its status. `DIR` is a directory of the test, `NAME` a name of its own.
type Line = (&'static str, u8);

/// Each object is made, used by every verb and removed, so that the lines can run again.
const LINES: &[Line] = &[
    ("mkfifo DIR/made", 0),
    ("door serve --idle 10ms DIR/door -- true", 0),
    ("door serve --idle 10ms --worker DIR/door -- cat", 0),
    ("door serve DIR/door -- /no/such/command", 127),
    ("door call DIR/door x", 4),
    ("door info DIR/door", 4),
    ("door revoke DIR/door", 4),
    ("fd hold --idle 10ms DIR/held", 0),
    ("fd store DIR/held 0", 4),
    ("fd drop DIR/held name", 4),
    ("fd ls PID", 0),
    ("fd send DIR/held 0", 4),
    ("fifo create -m 640 DIR/fifo", 0),
    ("fifo create DIR/fifo", 5),
    ("fifo create -e DIR/fifo", 0),
    ("fifo write -n DIR/fifo lost", 1),
    ("fifo write -t 20ms DIR/fifo lost", 124),
    ("fifo cat -n DIR/fifo", 1),
    ("fifo tee -n DIR/fifo", 1),
    ("fifo tee -t 20ms DIR/fifo", 124),
    ("fifo set DIR/fifo --mode u+rw", 0),
    ("fifo stat DIR/fifo", 0),
    ("fifo ls DIR", 0),
    ("fifo rm DIR/fifo DIR/made", 0),
    ("lock test DIR/lock", 4),
    ("lock take DIR/taken", 0),
    ("lock test DIR/taken", 1),
    ("lock drop DIR/taken", 0),
    ("lock ls -q", 0),
    ("ls -q", 0),
    ("ls -q --stale --mine --kind shm --kind lockfile DIR", 0),
    ("ls -q DIR/none", 4),
    ("prune -q --kind lockfile --dry-run DIR", 0),
    ("prune -q --kind lockfile DIR/none", 4),
    ("who -q DIR/listener", 0),
    ("who -q DIR/none", 4),
    ("map create DIR/map --size 4K", 0),
    ("map write DIR/map", 0),
    ("map write --guard NAME-none DIR/map", 4),
    ("map cat DIR/map", 0),
    ("map poke DIR/map --offset 8 5", 0),
    ("map peek DIR/map --offset 8", 0),
    ("map add DIR/map --offset 8 1", 0),
    ("map cas DIR/map --offset 8 6 7", 0),
    ("map cas DIR/map --offset 8 6 7", 1),
    ("map wait DIR/map --offset 8 --eq 7", 0),
    ("map wait -t 10ms DIR/map --offset 8 --eq 8", 124),
    ("map sync DIR/map", 0),
    ("map resize DIR/map 8K", 0),
    ("map stat DIR/map", 0),
    ("map set DIR/map -m 0640", 0),
    ("map set DIR/map", 2),
    ("map ls -q", 0),
    ("map rm DIR/map", 0),
    ("mq create --max-msgs 2 --msg-size 16 NAME", 0),
    ("mq send NAME one two", 0),
    ("mq send -n NAME three", 1),
    ("mq send -t 10ms NAME three", 124),
    ("mq wait NAME", 0),
    ("mq stat NAME", 0),
    ("mq set NAME -m 0640", 0),
    ("mq set NAME", 2),
    ("mq ls -q", 0),
    ("mq recv NAME", 0),
    ("mq recv --exec NAME -- cat", 0),
    ("mq recv --all NAME", 0),
    ("mq send --eof NAME end", 0),
    ("mq recv -f --until-eof NAME", 0),
    ("mq send --eof NAME end", 0),
    ("mq recv -f --until-eof --exec --jobs 2 NAME -- cat", 0),
    ("mq recv --retry 10ms NAME-none", 4),
    ("mq recv -t 10ms NAME", 124),
    ("mq rm NAME", 0),
    ("mq rm NAME", 4),
    ("mq create sysv:SYSV", 0),
    ("mq send -p 3 sysv:SYSV three", 0),
    ("mq set --max-bytes 4096 sysv:SYSV", 0),
    ("mq wait sysv:SYSV", 0),
    ("mq recv --type 3 sysv:SYSV", 0),
    ("mq recv -t 10ms sysv:SYSV", 124),
    ("mq rm sysv:SYSV", 0),
    ("pipe run -- true -- cat", 0),
    ("pipe run --loop --pty -- true -- cat", 0),
    ("pipe run --status any --kill-after 10ms -- true -- sleep 5", 143),
    ("pipe run -- true -- /no/such/command", 127),
    ("pipe tee DIR/tee", 0),
    ("pipe stat PID 99", 4),
    ("queue create --capacity 4K NAME", 0),
    ("queue push NAME one two three", 0),
    ("queue push NAME", 0),
    ("queue tap NAME", 0),
    ("queue stat NAME", 0),
    ("queue set NAME -m 0640", 0),
    ("queue set NAME", 2),
    ("queue ls -q", 0),
    ("queue pop NAME", 0),
    ("queue pop --exec NAME -- cat", 0),
    ("queue verify NAME", 0),
    ("queue pop --all NAME", 0),
    ("queue pop -t 10ms NAME", 124),
    ("queue pop -n NAME", 1),
    ("queue close NAME", 0),
    ("queue push NAME late", 3),
    ("queue pop NAME", 1),
    ("queue rm NAME", 0),
    ("queue pop NAME", 4),
    ("sem create --value 2 NAME", 0),
    ("sem create --value 1 NAME-b", 0),
    ("sem wait NAME", 0),
    ("sem wait -n --count 2 NAME", 1),
    ("sem wait -t 10ms --count 2 NAME", 124),
    ("sem post NAME", 0),
    ("sem value NAME", 0),
    ("sem set NAME 2", 0),
    ("sem stat NAME", 0),
    ("sem set NAME -m 0640", 0),
    ("sem ls -q", 0),
    ("sem barrier --parties 1 NAME-c", 0),
    ("shm write NAME", 0),
    ("shm write --guard NAME --truncate NAME", 0),
    ("sem value NAME", 0),
    ("shm cat --guard NAME-b NAME", 0),
    ("sem wait -n --count 2 NAME", 0),
    ("sem wait -n NAME-b", 0),
    ("sem rm NAME NAME-b", 0),
    ("sem create --value 2 sysv:SYSV", 0),
    ("sem wait sysv:SYSV", 0),
    ("sem post sysv:SYSV", 0),
    ("sem value sysv:SYSV", 0),
    ("sem rm sysv:SYSV", 0),
    ("shm create --size 4K NAME", 5),
    ("shm create --size 4K NAME-b", 0),
    ("shm poke NAME-b 1 2", 0),
    ("shm peek NAME-b --count 2", 0),
    ("shm add NAME-b 1", 0),
    ("shm cas NAME-b 2 3", 0),
    ("shm wait NAME-b --ge 3", 0),
    ("shm wait -t 10ms NAME-b --ge 4", 124),
    ("shm resize NAME-b 8K", 0),
    ("shm set NAME-b -m 0640", 0),
    ("shm stat NAME-b", 0),
    ("shm ls -q", 0),
    ("shm rm NAME NAME-b", 0),
    ("shm create --size 4K sysv:SYSV --while -- false", 1),
    ("shm create --size 4K NAME-c --while -- true", 0),
    ("shm create --size 4K sysv:SYSV", 0),
    ("shm write sysv:SYSV", 0),
    ("shm cat sysv:SYSV", 0),
    ("shm set sysv:SYSV -m 0640", 0),
    ("shm rm sysv:SYSV", 0),
    ("signal send 0 PID", 0),
    ("signal info PID", 0),
    ("signal init -- true", 0),
    ("sock notify", 4),
    ("signal alarm 5 -- true", 0),
    ("signal alarm 0.05 -- sleep 5", 124),
    ("signal ls", 0),
    ("sock serve --once --echo DIR/sock", 0),
    ("sock serve --once DIR/sock -- cat", 0),
    ("sock serve --once DIR/sock", 0),
    ("sock serve --idle 10ms --echo DIR/sock", 0),
    ("sock serve --idle 10ms --echo DIR/sock-b", 0),
    ("sock relay --idle 10ms DIR/sock DIR/sock-b", 0),
    ("sock recv --count 1 DIR/mail", 0),
    ("sock recv --type seqpacket --count 1 DIR/mail", 0),
    ("sock connect DIR/listener", 0),
    ("sock connect DIR/none", 4),
    ("sock wait DIR/listener", 0),
    ("sock wait -n DIR/none", 1),
    ("sock send DIR/none lost", 4),
    ("sock pair -- true -- cat", 0),
    ("sock stat DIR/listener", 0),
    ("sock ls -q", 0),
    ("spool create DIR/spool", 0),
    ("spool create DIR/spool", 5),
    ("spool create -e DIR/spool", 0),
    ("spool put --each-line DIR/spool", 0),
    ("spool put --name named --priority 3 DIR/spool", 0),
    ("spool put --name named DIR/spool", 5),
    ("spool put --dedupe named DIR/spool", 0),
    ("spool ls DIR/spool", 0),
    ("spool stat DIR/spool", 0),
    ("spool pause DIR/spool", 0),
    ("spool take -n DIR/spool -- true", 1),
    ("spool resume DIR/spool", 0),
    ("spool take DIR/spool -- false", 1),
    ("spool ls --failed DIR/spool", 0),
    ("spool join DIR/spool named", 1),
    ("spool requeue DIR/spool named", 0),
    ("spool join -t 10ms DIR/spool named", 124),
    ("spool rm DIR/spool named", 0),
    ("spool rm DIR/spool", 5),
    ("spool take --all --jobs 2 --log 1K DIR/spool -- cat", 0),
    ("spool take -t 10ms DIR/spool -- cat", 124),
    ("spool take DIR/none -- cat", 125),
    ("spool rm --purge DIR/spool", 0),
    ("spool watch --all DIR/drops -- true", 0),
    ("spool watch -t 10ms DIR/drops -- true", 124),
    ("applets", 0),
    ("guide many-writers messages", 0),
    ("limits --above 100", 1),
    ("bench --duration 5ms --rounds 1 pipe queue signal", 0),
    ("sem value", 2),
    ("sem --help", 0),
];

/// Lines that another process has to take part in, and what it does.
const PARTNERS: &[(&str, &str)] = &[
    ("sock serve --once --echo DIR/sock", "echo hello | IPC sock connect --retry 10s DIR/sock"),
    ("sock serve --once DIR/sock -- cat", "echo hello | IPC sock connect --retry 10s DIR/sock"),
    ("sock serve --once DIR/sock", "echo hello | IPC sock connect --retry 10s DIR/sock"),
    ("sock recv --count 1 DIR/mail", "IPC sock wait -t 10s DIR/mail && IPC sock send DIR/mail one"),
    (
        "sock recv --type seqpacket --count 1 DIR/mail",
        "IPC sock wait -t 10s DIR/mail && IPC sock send --type seqpacket DIR/mail one",
    ),
];

fn main() -> ExitCode {
    // A verb that hangs ends the test.
    nix::unistd::alarm::set(LONGEST);
    let left_out = NOUNS.iter().flat_map(|noun| {
        // What the kernel undoes at the end is so for an option alone, which no line has.
        let lasting = noun
            .verbs
            .iter()
            .filter(|verb| !matches!(verb.effect, Effect::None | Effect::UndoneAtExit));
        lasting.map(|verb| format!("{} {}", noun.name, verb.name))
    });
    let left_out: Vec<String> = left_out.collect();
    assert_eq!(left_out, LEFT_OUT, "the verbs that change their process for good");
    for noun in NOUNS {
        for verb in noun.verbs.iter().map(|verb| format!("{} {}", noun.name, verb.name)) {
            let is_run = LINES.iter().any(|(line, _)| line.starts_with(&verb));
            assert!(is_run || left_out.contains(&verb), "no line runs {verb}");
        }
    }
    let stage = Stage::new();
    setrlimit(Resource::RLIMIT_NOFILE, DESCRIPTORS, DESCRIPTORS).expect("it is lowered");
    // glibc installs a handler of its own with the first thread.
    std::thread::spawn(|| ()).join().expect("it does nothing");
    let failures = stage.run_all();
    let failed = failures.len();
    for failure in failures.iter().take(20) {
        eprint(failure);
    }
    println(&format!("{} passed, {failed} failed", RUNS.saturating_sub(failed)));
    ExitCode::from(u8::from(failed > 0))
}

fn eprint(text: &str) {
    let _ = std::io::stderr().write_all(format!("{text}\n").as_bytes());
}

fn println(text: &str) {
    let _ = std::io::stdout().write_all(format!("{text}\n").as_bytes());
}

/// What the verbs work on.
struct Stage {
    directory: tempfile::TempDir,
    name: String,
    key: String,
    listener: Child,
    /// The stdin of the verbs, and what they print.
    input: File,
    printed: File,
    /// The standard descriptors of the test.
    standard: [File; 3],
}

impl Stage {
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory can be made");
        let path = directory.path();
        fs::write(path.join("input"), "some input\n").expect("it can be written");
        fs::create_dir(path.join("drops")).expect("it can be made");
        let open = |file: &str| {
            File::options()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .open(path.join(file))
        };
        let (input, printed) = (open("input").unwrap(), open("printed").unwrap());
        let name = format!("/ipc-one-process-{}", std::process::id());
        let key = format!("0x{:08x}", 0x1c00_0000 | std::process::id());
        let listener = Command::new(env!("CARGO_BIN_EXE_ipc"))
            .args(["sock", "serve", "-q", "--echo"])
            .arg(path.join("listener"))
            .stdin(Stdio::null())
            .spawn()
            .expect("it runs");
        let standard = [
            File::from(std::io::stdin().as_fd().try_clone_to_owned().unwrap()),
            File::from(std::io::stdout().as_fd().try_clone_to_owned().unwrap()),
            File::from(std::io::stderr().as_fd().try_clone_to_owned().unwrap()),
        ];
        let stage = Self { directory, name, key, listener, input, printed, standard };
        let waited = Command::new(env!("CARGO_BIN_EXE_ipc"))
            .args(["sock", "wait", "-t", "10s"])
            .arg(stage.directory.path().join("listener"))
            .status();
        assert!(waited.expect("it runs").success());
        stage
    }

    fn words(&self, line: &str) -> String {
        line.replace("DIR", self.directory.path().to_str().expect("it is text"))
            .replace("NAME", &self.name)
            .replace("SYSV", &self.key)
            .replace("PID", &std::process::id().to_string())
            .replace("IPC", env!("CARGO_BIN_EXE_ipc"))
    }

    /// Runs all lines again and again; returns what was wrong.
    fn run_all(&self) -> Vec<String> {
        let mut failures = Vec::new();
        let mut before = State::now();
        let mut memory = None;
        for run in 0..RUNS {
            let (line, expected) = LINES[run % LINES.len()];
            let status = self.run(line);
            if status != expected {
                failures.push(format!(
                    "{line}: status {status} instead of {expected}: {}",
                    self.said()
                ));
            }
            let after = State::now();
            if after != before {
                failures.push(format!("{line}: {before:?} became {after:?}"));
                before = after;
            }
            if run == RUNS / 2 {
                memory = Some(resident());
            }
        }
        let (first, last) = (memory.expect("it was measured"), resident());
        if last > first + GROWTH {
            failures.push(format!("memory grew from {first} to {last} pages"));
        }
        let left = fs::read_dir(self.directory.path()).expect("it can be listed");
        let mut left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        // The last lines may have stopped in the middle of a round.
        left.retain(|name| name.to_str().is_some_and(|name| name.contains("sock")));
        if !left.is_empty() {
            failures.push(format!("{left:?} is left"));
        }
        failures
    }

    fn run(&self, line: &str) -> u8 {
        let partner = PARTNERS.iter().find(|(of, _)| *of == line).map(|(_, script)| {
            let mut shell = Command::new("sh");
            shell.args(["-c", &self.words(script)]).stdin(Stdio::null()).stdout(Stdio::null());
            shell.stderr(Stdio::null()).spawn().expect("it runs")
        });
        let words = split(&self.words(line));
        nix::unistd::lseek(&self.input, 0, nix::unistd::Whence::SeekSet).expect("it is a file");
        self.printed.set_len(0).expect("it can be emptied");
        nix::unistd::lseek(&self.printed, 0, nix::unistd::Whence::SeekSet).expect("it is a file");
        nix::unistd::dup2_stdin(&self.input).expect("it is open");
        nix::unistd::dup2_stdout(&self.printed).expect("it is open");
        nix::unistd::dup2_stderr(&self.printed).expect("it is open");
        let status = run_among_others(words);
        nix::unistd::dup2_stdin(&self.standard[0]).expect("it is open");
        nix::unistd::dup2_stdout(&self.standard[1]).expect("it is open");
        nix::unistd::dup2_stderr(&self.standard[2]).expect("it is open");
        if let Some(mut partner) = partner {
            partner.wait().expect("it is our child");
        }
        status
    }

    fn said(&self) -> String {
        let said = fs::read(self.directory.path().join("printed")).unwrap_or_default();
        String::from_utf8_lossy(&said).chars().take(200).collect()
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = self.listener.kill();
        let _ = self.listener.wait();
        for line in
            ["mq rm -f NAME", "sem rm -f NAME NAME-b", "shm rm -f NAME NAME-b", "queue rm -f NAME"]
        {
            self.run(line);
        }
        for noun in ["mq", "sem", "shm"] {
            self.run(&format!("{noun} rm -f sysv:SYSV"));
        }
    }
}

/// Words as a shell reads them that has only spaces and single quotes.
fn split(line: &str) -> Vec<std::ffi::OsString> {
    let mut words = vec!["ipc".into()];
    for (index, part) in line.split('\'').enumerate() {
        match index % 2 {
            0 => words.extend(part.split_whitespace().map(Into::into)),
            _ => words.push(part.into()),
        }
    }
    words
}

/// What a verb has to leave as it was.
#[derive(Debug, Eq, PartialEq)]
struct State {
    threads: String,
    blocked: String,
    ignored: String,
    caught: String,
    umask: Mode,
    directory: std::path::PathBuf,
    /// Each with its flags.
    descriptors: Vec<(i32, i32)>,
    has_children_to_reap: bool,
}

impl State {
    fn now() -> Self {
        const MOMENT: Duration = Duration::from_secs(1);
        let start = Instant::now();
        let mut status = String::new();
        let field = |status: &str, key: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(key));
            line.expect("the kernel shows it").trim_matches([':', '\t', ' ']).to_owned()
        };
        // The kernel counts a thread for a moment after it was joined.
        while status.is_empty() || field(&status, "Threads") != "1" && start.elapsed() < MOMENT {
            status = fs::read_to_string("/proc/self/status").expect("there is a /proc");
        }
        let field = |key| field(&status, key);
        let mask = umask(Mode::empty());
        umask(mask);
        Self {
            threads: field("Threads"),
            blocked: field("SigBlk"),
            ignored: field("SigIgn"),
            caught: field("SigCgt"),
            umask: mask,
            directory: std::env::current_dir().expect("it is there"),
            descriptors: descriptors(),
            has_children_to_reap: matches!(
                waitpid(None, Some(WaitPidFlag::WNOHANG | WaitPidFlag::__WALL)),
                Ok(status) if status.pid().is_some()
            ),
        }
    }
}

fn descriptors() -> Vec<(i32, i32)> {
    let list = fs::read_dir("/proc/self/fd").expect("there is a /proc");
    let numbers = list.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let numbers: Vec<i32> = numbers.collect();
    let flags = |number: i32| {
        let info =
            fs::read_to_string(Path::new("/proc/self/fdinfo").join(number.to_string())).ok()?;
        let flags = info.lines().find_map(|line| line.strip_prefix("flags:"))?.trim().to_owned();
        Some((number, i32::from_str_radix(&flags, 8).ok()?))
    };
    // The descriptor of the list itself is gone by now.
    let mut open: Vec<_> = numbers.into_iter().filter_map(flags).collect();
    open.sort_unstable();
    open
}

/// The pages of memory that the process has.
fn resident() -> u64 {
    let statm = fs::read_to_string("/proc/self/statm").expect("there is a /proc");
    statm.split(' ').nth(1).and_then(|pages| pages.parse().ok()).expect("it is a number")
}
