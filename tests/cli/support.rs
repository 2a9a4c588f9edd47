//! Helpers of all tests: running `ipc`, and unique names.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::Write;
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use assert_cmd::assert::{Assert, OutputAssertExt};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// The time after which a command counts as hung. No test depends on a short time.
pub const HANG_TIMEOUT: Duration = Duration::from_secs(60);

/// How often a test repeats what fails rarely: so often, or as often as `IPC_LONG` says.
pub fn rounds(usual: u32) -> u32 {
    let wanted = std::env::var("IPC_LONG").ok();
    wanted.map_or(usual, |rounds| rounds.parse().expect("IPC_LONG is a number"))
}

/// The binary under test.
pub fn binary() -> PathBuf {
    std::env::var_os("IPC").map_or_else(|| env!("CARGO_BIN_EXE_ipc").into(), PathBuf::from)
}

/// `ipc` with these words, not started yet.
pub fn ipc(words: &[&str]) -> Run {
    Run::new(binary(), words)
}

/// `ipc` as an unprivileged user, not started yet; `None` if the tests do not run as root.
pub fn as_another_user(words: &[&str]) -> Option<Run> {
    if !nix::unistd::Uid::effective().is_root() {
        skipped("only root becomes another user");
        return None;
    }
    let (directory, copy) = copy_for_others();
    let mut run = Run::new(copy, words);
    run.command.uid(65534).gid(65534);
    run.directory = Some(directory);
    Some(run)
}

/// Reports that the current test, or a part of it, is skipped. The harness counts it as passed, so
/// that `make test` prints the file `IPC_SKIPPED` at the end.
pub fn skipped(reason: &str) {
    let test = std::thread::current();
    let line = format!("{}: {reason}\n", test.name().unwrap_or("a test"));
    let _ = write!(std::io::stderr(), "skipped: {line}");
    if let Some(path) = std::env::var_os("IPC_SKIPPED") {
        let file = fs::File::options().append(true).create(true).open(path);
        file.and_then(|mut file| file.write_all(line.as_bytes())).expect("it can be written");
    }
}

/// A copy of the binary that every user may execute. The build directory may not be accessible.
pub fn copy_for_others() -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().expect("a directory can be made");
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755))
        .expect("this process owns it");
    let copy = directory.path().join("ipc");
    // Another process makes the copy. If this one did, a child that another test starts meanwhile
    // could have it open for writing, and it could not be executed.
    let copied = Command::new("cp").arg(binary()).arg(&copy).status();
    assert!(copied.expect("cp starts").success());
    (directory, copy)
}

/// A line of shell in which `ipc` is the binary under test, and `until_true COMMAND...` repeats a command
/// until it succeeds.
pub fn sh(line: &str) -> Run {
    shell("/bin/sh", line)
}

/// The same, with bash.
pub fn bash(line: &str) -> Run {
    shell("bash", line)
}

/// A line for a shell that another command of a test starts.
pub fn script(line: &str) -> String {
    match line.contains("until_true ") {
        true => format!("{UNTIL_TRUE} {line}"),
        false => line.to_owned(),
    }
}

/// A function of the shell that repeats a command until it succeeds. It ends the shell before
/// [`HANG_TIMEOUT`], with the command that never succeeded on stderr.
const UNTIL_TRUE: &str = "until_true() { tries=0; until \"$@\"; do \
    [ $((tries += 1)) -lt 3000 ] || { echo \"never true: $*\" >&2; exit 1; }; sleep 0.01; done; };";

fn shell(shell: &str, line: &str) -> Run {
    let mut run = Run::new(shell, &["-c", &script(line)]);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut paths: Vec<PathBuf> = std::env::split_paths(&path).collect();
    paths.insert(0, binary().parent().expect("a binary has a directory").into());
    run.command.env("PATH", std::env::join_paths(paths).expect("the paths were split"));
    run
}

/// A command that is not started yet.
pub struct Run {
    command: Command,
    input: Vec<u8>,
    /// The directory of the program, if it is removed afterwards.
    directory: Option<tempfile::TempDir>,
}

impl Run {
    pub fn new(program: impl AsRef<OsStr>, words: &[&str]) -> Self {
        let mut command = Command::new(program);
        // Also at a terminal the text has no colour, except in the tests of colour.
        command.args(words).env("NO_COLOR", "1");
        Self { command, input: Vec::new(), directory: None }
    }

    /// More words.
    pub fn words(mut self, words: &[&str]) -> Self {
        self.command.args(words);
        self
    }

    /// One more word, of any bytes.
    pub fn word(mut self, word: impl AsRef<OsStr>) -> Self {
        self.command.arg(word);
        self
    }

    /// The bytes of its stdin, which is empty by default.
    pub fn input(mut self, input: impl Into<Vec<u8>>) -> Self {
        self.input = input.into();
        self
    }

    /// Its working directory.
    pub fn within(mut self, directory: &Path) -> Self {
        self.command.current_dir(directory);
        self
    }

    /// A variable of its environment.
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Starts it.
    pub fn start(mut self) -> Running {
        self.command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = self.command.spawn().expect("the command starts");
        let mut stdin = child.stdin.take().expect("stdin is a pipe");
        let input = self.input;
        // The command need not read its input.
        std::thread::spawn(move || drop(stdin.write_all(&input)));
        Running { child: Some(child), _directory: self.directory }
    }

    /// Runs it to its end.
    pub fn output(self) -> Output {
        self.start().finish()
    }

    /// Runs it to its end, and checks status, stdout and stderr.
    #[track_caller]
    pub fn is(self, status: i32, stdout: &str, stderr: &str) {
        let output = self.output();
        let seen = (code(&output), text(&output.stdout), text(&output.stderr));
        assert_eq!(seen, (status, stdout.to_owned(), stderr.to_owned()));
    }

    /// Runs it to its end, for assertions about parts of its output.
    pub fn assert(self) -> Assert {
        self.output().assert()
    }

    /// Runs it to its end, and checks that it succeeds; returns stdout.
    #[track_caller]
    pub fn succeeds(self) -> String {
        let output = self.output();
        assert_eq!((code(&output), text(&output.stderr)), (0, String::new()));
        text(&output.stdout)
    }
}

/// A running command, which is killed at the end of the test.
pub struct Running {
    child: Option<Child>,
    _directory: Option<tempfile::TempDir>,
}

impl Running {
    pub fn pid(&self) -> i32 {
        self.child.as_ref().expect("it runs").id() as i32
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.pid()), signal).expect("it is not reaped");
    }

    /// Stops it, and waits until it is stopped: a CONT before that would only discard the STOP.
    pub fn stop(&self) {
        self.signal(Signal::SIGSTOP);
        until("the command is stopped", || states(self.pid()).iter().all(|&state| state == 'T'));
    }

    /// Stops and continues it.
    pub fn stop_and_continue(&self) {
        self.stop();
        self.signal(Signal::SIGCONT);
    }

    /// Waits until all of its threads sleep in the kernel.
    pub fn wait_until_asleep(&self) {
        until_asleep(self.pid());
    }

    /// Waits until it sleeps in futex(2), according to `/proc/PID/wchan`.
    pub fn wait_until_at_futex(&self) {
        until("the command sleeps in futex", || is_at_futex(self.pid()));
    }

    /// Whether it has ended and is not reaped.
    pub fn is_zombie(&self) -> bool {
        states(self.pid()) == ['Z']
    }

    /// Whether it has ended.
    pub fn has_ended(&mut self) -> bool {
        self.child.as_mut().expect("it runs").try_wait().expect("it is a child").is_some()
    }

    /// Waits for its end, and for the end of its output, which processes that it left running may have
    /// open. After [`HANG_TIMEOUT`] all of these are killed, and the test fails with their names.
    #[track_caller]
    pub fn finish(self) -> Output {
        self.finish_within(HANG_TIMEOUT)
    }

    #[track_caller]
    fn finish_within(mut self, limit: Duration) -> Output {
        let child = self.child.take().expect("it runs");
        let pid = child.id() as i32;
        let pipes = [link_of(child.stdout.as_ref()), link_of(child.stderr.as_ref())];
        let (done, watch) = std::sync::mpsc::channel::<()>();
        let watcher = std::thread::spawn(move || {
            match watch.recv_timeout(limit) {
                // The child is not reaped yet, or the channel would be closed.
                Err(std::sync::mpsc::RecvTimeoutError::Timeout) => kill_hung(pid, &pipes),
                _ => Vec::new(),
            }
        });
        let output = child.wait_with_output().expect("its output can be read");
        drop(done);
        let hung = watcher.join().expect("it does not panic");
        assert!(
            hung.is_empty(),
            "after {limit:?} these had not ended: {hung:?}; stdout: {}; stderr: {}",
            text(&output.stdout),
            text(&output.stderr)
        );
        output
    }
}

/// The text of the link of a pipe in `/proc`, which is the same for both ends.
fn link_of(end: Option<&impl AsRawFd>) -> PathBuf {
    let number = end.expect("it is a pipe").as_raw_fd();
    fs::read_link(format!("/proc/self/fd/{number}")).expect("it is open")
}

/// Kills a child that hangs, what it started, and the processes that have one of these pipes open, such as
/// orphans; returns their process IDs and names.
fn kill_hung(child: i32, pipes: &[PathBuf]) -> Vec<(i32, String)> {
    let own = std::process::id() as i32;
    let has_pipe = |pid: i32| {
        let descriptors = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
        let mut links = descriptors.filter_map(|entry| fs::read_link(entry.path()).ok());
        links.any(|link| pipes.contains(&link))
    };
    let mut hung = descendants(child);
    hung.push(child);
    let all = fs::read_dir("/proc").expect("it is mounted").flatten();
    let all = all.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    hung.extend(all.filter(|&pid| pid != own && has_pipe(pid)));
    hung.sort_unstable();
    hung.dedup();
    let has_ended = |pid: &i32| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        stat.rsplit(") ").next().is_none_or(|state| state.is_empty() || state.starts_with('Z'))
    };
    hung.retain(|pid| !has_ended(pid));
    let name = |pid| fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    let named = hung.iter().map(|&pid| (pid, name(pid).trim_end().to_owned())).collect();
    for pid in hung {
        let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
    }
    named
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            // What it started may hold its output, and would outlive the test.
            let started = descendants(child.id() as i32);
            let _ = child.kill();
            for pid in started {
                let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
            }
            let _ = child.wait();
        }
    }
}

/// The states of the threads of a process: S for one that sleeps, T for one that is stopped.
fn states(pid: i32) -> Vec<char> {
    let state = |thread: fs::DirEntry| {
        let text = fs::read_to_string(thread.path().join("stat")).ok()?;
        text.rsplit(") ").next()?.chars().next()
    };
    let threads = fs::read_dir(format!("/proc/{pid}/task")).expect("it is not reaped");
    threads.filter_map(|thread| state(thread.ok()?)).collect()
}

/// Waits until all threads of a process sleep in the kernel.
#[track_caller]
pub fn until_asleep(pid: i32) {
    until("the command sleeps", || states(pid).iter().all(|&state| state == 'S'));
}

/// Whether a process sleeps in futex(2).
pub fn is_at_futex(pid: i32) -> bool {
    sleeps_in(pid, "futex")
}

/// Whether a process sleeps in a function of the kernel with this text in its name, according to
/// `/proc/PID/wchan`.
pub fn sleeps_in(pid: i32, function: &str) -> bool {
    let name = fs::read_to_string(format!("/proc/{pid}/wchan"));
    name.is_ok_and(|name| name.contains(function))
}

/// The children of a process.
pub fn children(pid: i32) -> Vec<i32> {
    let text = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
    text.unwrap_or_default().split_whitespace().filter_map(|pid| pid.parse().ok()).collect()
}

/// The children of a process, and theirs.
fn descendants(pid: i32) -> Vec<i32> {
    let children = children(pid);
    children.iter().copied().chain(children.iter().flat_map(|&pid| descendants(pid))).collect()
}

/// The status as in a shell: 128 plus the signal if the command died of one.
pub fn code(output: &Output) -> i32 {
    output
        .status
        .code()
        .or_else(|| output.status.signal().map(|signal| 128 + signal))
        .expect("it ended")
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Checks a condition again and again until it holds; fails the test after [`HANG_TIMEOUT`].
#[track_caller]
pub fn until(what: &str, holds: impl FnMut() -> bool) {
    until_within(HANG_TIMEOUT, what, holds);
}

/// The same, for work that takes long by its amount.
#[track_caller]
pub fn until_within(limit: Duration, what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < limit, "timed out before {what}");
        pause(Duration::from_millis(2));
    }
}

/// Sleeps, where no event can be waited for.
#[allow(clippy::disallowed_methods, reason = "there is no event to wait for")]
pub fn pause(duration: Duration) {
    std::thread::sleep(duration);
}

/// Makes a file older by so many hours.
pub fn make_older(path: impl AsRef<Path>, hours: u64) {
    let file = fs::File::options().write(true).open(path).expect("it can be opened");
    let changed = file.metadata().and_then(|metadata| metadata.modified()).expect("it has a time");
    let time = changed - Duration::from_secs(hours * 3600);
    file.set_modified(time).expect("this user owns it");
}

/// Makes `script` in a directory: an executable file whose interpreter does not exist, so that a COMMAND
/// is found and cannot be started.
pub fn script_that_cannot_start(directory: &Path) {
    let script = directory.join("script");
    fs::write(&script, "#!/there/is/no/such/interpreter\n").expect("it can be written");
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).expect("this user owns it");
}

/// A unique name of an object. Dropping it removes the object.
pub struct Name {
    noun: &'static str,
    name: String,
}

impl Name {
    /// The name of a POSIX object of this noun.
    pub fn new(noun: &'static str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        Self::of(noun, format!("/ipc-test-{}-{count}", std::process::id()))
    }

    /// A unique key of a System V object.
    pub fn system_v(noun: &'static str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(1);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        Self::of(noun, format!("sysv:{:#x}", 0x4000_0000 | std::process::id() << 8 | count))
    }

    /// This name of an object of this noun.
    pub fn of(noun: &'static str, name: impl Into<String>) -> Self {
        Self { noun, name: name.into() }
    }
}

impl std::ops::Deref for Name {
    type Target = str;

    fn deref(&self) -> &str {
        &self.name
    }
}

impl Drop for Name {
    fn drop(&mut self) {
        let _ = Command::new(binary()).args([self.noun, "rm", "-fq", &self.name]).status();
    }
}

/// A name that is not UTF-8, with characters that are special in a shell and on a terminal.
pub fn awkward() -> OsString {
    use std::os::unix::ffi::OsStringExt;
    OsString::from_vec(
        format!("ipc-test-{}-", std::process::id())
            .into_bytes()
            .into_iter()
            .chain(*b"\xff\n $(x)\x1b[1m")
            .collect(),
    )
}

/// The example in the help of a verb that contains a text.
pub fn example(verb: &[&str], text: &str) -> String {
    let help = ipc(verb).words(&["--help"]).succeeds();
    let is_example = |line: &str| {
        let words = line.strip_prefix("  ").unwrap_or_default();
        words.starts_with(char::is_alphabetic) && words.contains("ipc ")
    };
    let line = help.lines().find(|line| line.contains(text) && is_example(line));
    line.unwrap_or_else(|| panic!("{text} is not in the examples")).trim().to_owned()
}

#[test]
fn an_orphan_that_has_the_output_is_killed_and_named() {
    let running = sh("sleep 600 & echo $!").start();
    until("the shell has ended", || running.is_zombie());
    let hung = std::panic::catch_unwind(|| running.finish_within(Duration::from_millis(200)));
    let message = *hung.unwrap_err().downcast::<String>().unwrap();
    let pid = message.split("stdout: ").nth(1).unwrap().split_once('\n').unwrap().0;
    assert!(message.contains(&format!("[({pid}, \"sleep\")]")), "{message}");
    until("it has ended", || fs::read_to_string(format!("/proc/{pid}/comm")).is_err());
}
