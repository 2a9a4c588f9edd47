//! Several verbs of this noun in one process. Each test runs in a process of its own, as the other tests
//! change the process meanwhile.

use std::ffi::OsString;
use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::NOUN;
use crate::app::context::{Cancellation, Context};
use crate::app::options::Verbosity;
use crate::base::deadline::{Deadline, Waited};
use crate::base::exit::Exit;
use crate::mechanism::socket::address::Address;
use crate::mechanism::socket::{self, Listener, Terms};
use crate::sys::descriptor::Third;
use crate::sys::poll;
use crate::sys::socket::{BACKLOG, KeepAlive, SocketType};
use crate::sys::thread;

/// Set in the process that runs a test alone, to the directory of the test.
const ALONE: &str = "IPC_TEST_ALONE";

/// The directory of this test, if it runs alone.
fn directory() -> Option<String> {
    std::env::var(ALONE).ok()
}

/// Runs a test of this module in a process of its own.
fn alone(test: &str, directory: &Path) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "--test-threads=1", "--nocapture"]);
    command.arg(format!("cmd::sock::tests::{test}"));
    command.env(ALONE, directory).stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap()
}

fn run(verb: &str, words: &[&str]) -> anyhow::Result<Exit> {
    let verb = NOUN.verbs.iter().find(|known| known.name == verb).unwrap();
    let words: Vec<OsString> = [verb.name].iter().chain(words).map(OsString::from).collect();
    let matches = verb.command().try_get_matches_from(words).unwrap();
    let mut context = Context::new(
        ["sock", verb.name],
        Verbosity::default(),
        crate::app::context::Cancellation::Return,
        &[],
    );
    context.cancellation = Cancellation::Return;
    (verb.read)(matches)(&mut context)
}

/// Later than anything here takes.
fn soon() -> Deadline {
    Deadline::after(Duration::from_secs(20))
}

/// Sends `text` to a server that starts, and returns its answer.
fn ask(path: &str, text: &'static str) -> std::thread::JoinHandle<String> {
    let address = Address::new(path.as_ref()).unwrap();
    let path = path.to_owned();
    std::thread::spawn(move || {
        assert_eq!(socket::wait(&address, soon()), Ok(Waited::Done(())));
        let mut client = UnixStream::connect(path).unwrap();
        client.write_all(text.as_bytes()).unwrap();
        client.shutdown(std::net::Shutdown::Write).unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).unwrap();
        answer
    })
}

/// The state of the process that a verb must restore: the mask and dispositions of signals, the number
/// of threads, the umask and the working directory; each descriptor with its file and its flags.
fn state() -> (Vec<String>, Vec<(i32, String, bool)>) {
    let status = fs::read_to_string("/proc/thread-self/status").unwrap();
    let is_restored = |line: &&str| {
        ["Threads:", "Umask:", "SigBlk:", "SigIgn:", "SigCgt:"]
            .iter()
            .any(|key| line.starts_with(key))
    };
    let mut lines: Vec<String> = status.lines().filter(is_restored).map(str::to_owned).collect();
    lines.push(std::env::current_dir().unwrap().display().to_string());
    let mut descriptors: Vec<_> = fs::read_dir("/proc/self/fd")
        .unwrap()
        .filter_map(|entry| {
            let entry = entry.unwrap();
            let number: i32 = entry.file_name().to_str().unwrap().parse().unwrap();
            let file = fs::read_link(entry.path()).ok()?.display().to_string();
            let info = fs::read_to_string(format!("/proc/self/fdinfo/{number}")).ok()?;
            let flags = info.lines().find_map(|line| line.strip_prefix("flags:"))?;
            let flags = i32::from_str_radix(flags.trim(), 8).unwrap();
            Some((number, file, flags & libc::O_CLOEXEC != 0))
        })
        .filter(|(_, file, _)| !file.contains("/fd"))
        .collect();
    descriptors.sort();
    (lines, descriptors)
}

#[test]
fn verbs_that_follow_each_other_leave_the_process_as_it_was() {
    let Some(directory) = directory() else {
        let temporary = tempfile::tempdir().unwrap();
        let test = "verbs_that_follow_each_other_leave_the_process_as_it_was";
        let status = alone(test, temporary.path()).wait().unwrap();
        assert!(status.success(), "{status}");
        assert_eq!(fs::read_dir(temporary.path()).unwrap().count(), 0);
        return;
    };
    let path = format!("{directory}/s");
    let other = format!("{directory}/other");
    // A descriptor that a COMMAND would inherit, under the number that --activate uses.
    let third = Third::reserve().unwrap();
    let null = fs::File::open("/dev/null").unwrap();
    third.put(&null).unwrap();
    // A child that belongs to no verb.
    let mut foreign = Command::new("true").spawn().unwrap();
    let before = state();
    assert!(before.1.iter().any(|(number, _, closes)| *number == 3 && !closes), "{before:?}");
    for _ in 0..3 {
        let answer = ask(&path, "echo");
        assert_eq!(run("serve", &[&path, "--once", "--echo"]).unwrap(), Exit::Done);
        assert_eq!(answer.join().unwrap(), "echo");

        let answer = ask(&path, "command");
        let descriptors = "cat; ls -l /proc/self/fd/3 2>&1 | grep -c null";
        run("serve", &[&path, "--once", "--grace", "1s", "--", "sh", "-c", descriptors]).unwrap();
        assert_eq!(answer.join().unwrap(), "command0\n", "descriptor 3 is closed in COMMAND");

        let answer = ask(&path, "");
        assert_eq!(run("serve", &[&path, "--once"]).unwrap(), Exit::Done);
        assert_eq!(answer.join().unwrap(), "");

        let activated = ["--activate", "--", "sh", "-c", "[ -S /proc/self/fd/3 ]"];
        let words: Vec<&str> = [path.as_str()].into_iter().chain(activated).collect();
        assert_eq!(run("serve", &words).unwrap(), Exit::Command(0));

        let answer = ask(&path, "relayed");
        let end = ask_through(&other);
        assert_eq!(run("relay", &[&path, &other, "--once"]).unwrap(), Exit::Done);
        assert_eq!((answer.join().unwrap().as_str(), end.join().unwrap()), ("", 7));

        assert_eq!(run("pair", &["--", "true", "--", "true"]).unwrap(), Exit::Done);
        assert!(run("recv", &[&path, "-n"]).is_err());
        assert!(run("wait", &[&path, "-n"]).is_err());
        assert!(run("connect", &[&path]).is_err());
        assert_eq!(state(), before);
    }
    assert!(foreign.wait().unwrap().success(), "no verb reaps it");
}

/// A server at the far end of a relay: returns the number of bytes that it got.
fn ask_through(path: &str) -> std::thread::JoinHandle<usize> {
    let address = Address::new(path.as_ref()).unwrap();
    let terms = Terms {
        kind: SocketType::Stream,
        mode: 0o600,
        owner: None,
        backlog: BACKLOG,
        keepalive: KeepAlive::System,
    };
    let listener = Listener::open(&address, terms).unwrap();
    std::thread::spawn(move || {
        assert_eq!(poll::readable(&listener, soon()), Ok(Waited::Done(())));
        let client = listener.socket().accept().unwrap().unwrap();
        let mut buffer = [0; 64];
        let mut total = 0;
        loop {
            match client.receive(&mut buffer).unwrap() {
                0 => return total,
                count => total += count,
            }
        }
    })
}

#[test]
fn a_fatal_signal_removes_the_paths_of_all_servers_of_a_process() {
    let Some(directory) = directory() else {
        let temporary = tempfile::tempdir().unwrap();
        let test = "a_fatal_signal_removes_the_paths_of_all_servers_of_a_process";
        let mut child = alone(test, temporary.path());
        // A signal in the main thread of the test does not wait for a server that is just binding.
        for server in ["first", "second"] {
            let ready = Address::new(temporary.path().join(server).as_os_str()).unwrap();
            assert_eq!(socket::wait(&ready, soon()), Ok(Waited::Done(())));
        }
        nix::sys::signal::kill(
            nix::unistd::Pid::from_raw(child.id() as i32),
            nix::sys::signal::Signal::SIGTERM,
        )
        .unwrap();
        assert_eq!(child.wait().unwrap().signal(), Some(libc::SIGTERM));
        assert_eq!(fs::read_dir(temporary.path()).unwrap().count(), 0);
        return;
    };
    let path = |name: &str| format!("{directory}/{name}");
    // The handlers of a server that has ended must stay for the others.
    let answer = ask(&path("ended"), "echo");
    let first = path("first");
    // As every thread of the program, this one leaves the fatal signals to the main thread.
    let serve = move || run("serve", &[&first, "--echo"]).map(drop);
    let server = thread::start(|thread| thread.spawn(serve)).unwrap();
    run("serve", &[&path("ended"), "--once", "--echo"]).unwrap();
    answer.join().unwrap();
    run("serve", &[&path("second"), "--echo"]).unwrap();
    server.join().unwrap().unwrap();
}
