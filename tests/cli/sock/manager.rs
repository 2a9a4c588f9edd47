//! The service manager: `serve --notify`, and `notify`.

use std::io::{ErrorKind, IoSliceMut};
use std::os::fd::{AsRawFd, RawFd};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

use nix::sys::signal::Signal;
use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg};

use super::Place;
use crate::peers;
use crate::support::{Run, binary, code, ipc, pause, sh, text, until};

/// A service manager that receives as systemd does.
struct Manager {
    socket: UnixDatagram,
    address: String,
    _directory: tempfile::TempDir,
}

impl Manager {
    fn at_path() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        Self { socket, address: path.to_str().unwrap().to_owned(), _directory: directory }
    }

    fn abstract_one() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let name = format!("ipc-test-notify-{}", std::process::id());
        let socket =
            UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
        Self { socket, address: format!("@{name}"), _directory: directory }
    }

    /// `ipc` as a service of it.
    fn ipc(&self, words: &[&str]) -> Run {
        ipc(words).env("NOTIFY_SOCKET", &self.address)
    }

    /// The next report, and the descriptors that came with it.
    fn read(&self) -> (String, Vec<RawFd>) {
        self.socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let (mut buffer, mut room) = ([0; 4096], nix::cmsg_space!([i32; 4]));
        let mut parts = [IoSliceMut::new(&mut buffer)];
        let fd = self.socket.as_raw_fd();
        let flags = MsgFlags::MSG_CMSG_CLOEXEC;
        let message = recvmsg::<()>(fd, &mut parts, Some(&mut room), flags).unwrap();
        let mut descriptors = Vec::new();
        for control in message.cmsgs().unwrap() {
            if let ControlMessageOwned::ScmRights(numbers) = control {
                descriptors.extend(numbers);
            }
        }
        let size = message.bytes;
        (text(&buffer[..size]), descriptors)
    }

    #[track_caller]
    fn gets(&self, expected: &str) {
        assert_eq!(self.read().0, expected);
    }

    /// Nothing more has been reported.
    #[track_caller]
    fn gets_nothing(&self) {
        self.socket.set_nonblocking(true).unwrap();
        let kind = self.socket.recv(&mut [0]).unwrap_err().kind();
        assert_eq!(kind, ErrorKind::WouldBlock);
        self.socket.set_nonblocking(false).unwrap();
    }
}

#[test]
fn a_server_reports_that_it_listens_and_that_it_stops() {
    for manager in [Manager::at_path(), Manager::abstract_one()] {
        for words in [["--echo"].as_slice(), &["--hub"], &["--grace", "5s", "--", "cat"], &[]] {
            for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP] {
                let place = Place::new();
                let all = [["sock", "serve", "--notify", &place].as_slice(), words].concat();
                let server = manager.ipc(&all).start();
                manager.gets("READY=1");
                ipc(&["sock", "connect", "--recv-only", "--max-time", "0", "-q", &place]).output();
                server.signal(signal);
                manager.gets("STOPPING=1");
                assert_eq!(code(&server.finish()), 128 + signal as i32, "{words:?}");
                assert_eq!(place.names(), [""; 0]);
                manager.gets_nothing();
            }
        }
    }
}

#[test]
fn an_end_without_a_signal_is_reported_too() {
    let manager = Manager::at_path();
    for words in [["--idle", "100ms", "--echo"].as_slice(), &["--idle", "100ms"]] {
        let place = Place::new();
        let all = [["sock", "serve", "--notify", &place].as_slice(), words].concat();
        manager.ipc(&all).is(0, "", "");
        manager.gets("READY=1");
        manager.gets("STOPPING=1");
    }
    let place = Place::new();
    manager.ipc(&["sock", "serve", "--notify", &place, "--activate", "--", "true"]).is(0, "", "");
    manager.gets("READY=1");
    manager.gets("STOPPING=1");
    let front = Place::new();
    let relay = manager.ipc(&["sock", "relay", "--notify", &front, &place]).start();
    manager.gets("READY=1");
    relay.signal(Signal::SIGTERM);
    manager.gets("STOPPING=1");
    relay.finish();
    manager.gets_nothing();
}

#[test]
fn a_server_that_stops_reports_it_before_its_clients_have_finished() {
    let manager = Manager::at_path();
    let place = Place::new();
    let words = ["sock", "serve", "--notify", &place, "--grace", "60s", "--", "cat"];
    let server = manager.ipc(&words).start();
    manager.gets("READY=1");
    let client = std::os::unix::net::UnixStream::connect(&*place).unwrap();
    until("the command runs", || !crate::support::children(server.pid()).is_empty());
    server.signal(Signal::SIGTERM);
    manager.gets("STOPPING=1");
    drop(client);
    assert_eq!(code(&server.finish()), 143);
    manager.gets_nothing();
}

#[test]
fn a_server_that_cannot_listen_is_never_ready() {
    let manager = Manager::at_path();
    let place = Place::new();
    std::fs::write(&*place, "a file").unwrap();
    let output = manager.ipc(&["sock", "serve", "--notify", "--echo", &place]).output();
    assert_eq!(code(&output), 5);
    manager.gets_nothing();
}

#[test]
fn the_variable_is_removed_from_the_environment_of_the_command() {
    let manager = Manager::at_path();
    let command = ["--", "sh", "-c", "echo \"${NOTIFY_SOCKET-unset}\""];
    for (options, expected) in
        [(["--once", "--notify"].as_slice(), "unset"), (&["--once"], manager.address.as_str())]
    {
        let place = Place::new();
        let words = [["sock", "serve", &place].as_slice(), options, &command].concat();
        let server = manager.ipc(&words).start();
        let client = ipc(&["sock", "connect", "--retry", "60s", &place]).succeeds();
        assert_eq!(client.trim_end(), expected);
        server.finish();
    }
    let place = Place::new();
    let words = ["sock", "serve", &place, "--notify", "--activate"];
    manager.gets("READY=1");
    manager.gets("STOPPING=1");
    manager.ipc(&[words.as_slice(), &command].concat()).is(0, "unset\n", "");
}

#[test]
fn without_a_manager_a_server_serves_and_an_unusable_manager_is_an_error() {
    let place = Place::new();
    ipc(&["sock", "serve", "--notify", "--idle", "0", &place]).is(0, "", "");
    let serve = |address: &str| {
        ipc(&["sock", "serve", "--notify", "--idle", "0", &place]).env("NOTIFY_SOCKET", address)
    };
    let message = |reason: &str| format!("ipc: sock serve: NOTIFY_SOCKET: {reason}\n");
    serve("/no/such").is(4, "", &message("/no/such: No such file or directory"));
    serve("vsock:2:9").is(3, "", &message("vsock:2:9: addresses of vsock are not supported"));
    let reason = "neither a path with a leading slash nor a name with a leading @";
    serve("relative").is(3, "", &message(&format!("relative: {reason}")));
    assert_eq!(place.names(), [""; 0]);
}

#[test]
fn states_are_one_report_which_the_manager_has_read_at_the_end() {
    for manager in [Manager::at_path(), Manager::abstract_one()] {
        let words = ["sock", "notify", "READY=1", "STATUS=two words"];
        let mut notify = manager.ipc(&words).start();
        manager.gets("READY=1\nSTATUS=two words");
        let (barrier, descriptors) = manager.read();
        assert_eq!((barrier.as_str(), descriptors.len()), ("BARRIER=1", 1));
        notify.wait_until_asleep();
        pause(Duration::from_millis(100));
        assert!(!notify.has_ended(), "the manager has not closed the descriptor");
        descriptors.into_iter().for_each(|number| nix::unistd::close(number).unwrap());
        let output = notify.finish();
        assert_eq!((code(&output), text(&output.stderr)), (0, String::new()));
        manager.ipc(&["sock", "notify", "--no-wait", "WATCHDOG=1"]).is(0, "", "");
        manager.gets("WATCHDOG=1");
        manager.gets_nothing();
    }
}

#[test]
fn a_manager_that_does_not_read_is_waited_for_until_the_timeout() {
    let manager = Manager::at_path();
    let message = format!("ipc: sock notify: NOTIFY_SOCKET: {}: timed out\n", manager.address);
    manager.ipc(&["sock", "notify", "-t", "100ms", "READY=1"]).is(124, "", &message);
    manager.ipc(&["sock", "notify", "-t", "100ms"]).is(124, "", &message);
    // Its queue is full some time.
    let line = "while :; do ipc sock notify --no-wait -t 100ms A=1 || { echo $?; break; }; done";
    let output = sh(line).env("NOTIFY_SOCKET", &manager.address).output();
    assert_eq!(text(&output.stdout), "124\n");
}

#[test]
fn a_manager_that_ends_ends_the_wait() {
    let manager = Manager::at_path();
    let notify = manager.ipc(&["sock", "notify", "READY=1"]).start();
    notify.wait_until_asleep();
    let address = manager.address.clone();
    drop(manager.socket);
    assert_eq!(code(&notify.finish()), 0);
    ipc(&["sock", "notify", "READY=1"]).env("NOTIFY_SOCKET", &address).is(
        4,
        "",
        &format!("ipc: sock notify: NOTIFY_SOCKET: {address}: Connection refused\n"),
    );
}

#[test]
fn a_word_that_is_not_a_state_is_refused() {
    let manager = Manager::at_path();
    for (word, shown, reason) in [
        ("ready", "ready", "expected KEY=VALUE, such as READY=1"),
        ("=1", "=1", "expected KEY=VALUE, such as READY=1"),
        ("STATUS=a\nMAINPID=1", "STATUS=a\\nMAINPID=1", "a state is one line"),
        ("BARRIER=1", "BARRIER=1", "it is sent with a descriptor, after the states"),
    ] {
        let message = format!("ipc: sock notify: {shown}: {reason}\n");
        manager.ipc(&["sock", "notify", "READY=1", word]).is(2, "", &message);
    }
    manager.gets_nothing();
    let message = "ipc: sock notify: NOTIFY_SOCKET: no service manager has set it
hint: systemd sets it for units with Type=notify or NotifyAccess=all\n";
    ipc(&["sock", "notify", "READY=1"]).is(4, "", message);
}

#[test]
fn a_manager_in_python_reads_reports_as_systemd_does() {
    // It reads a report, then closes the descriptors of the barrier, as systemd does.
    let program = "
import array, os, socket, subprocess, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
s.bind('\\0' + sys.argv[2])
environment = dict(os.environ, NOTIFY_SOCKET='@' + sys.argv[2])
child = subprocess.Popen([sys.argv[1], 'sock', 'notify', 'READY=1'], env=environment)
for _ in range(2):
    message, controls, flags, _ = s.recvmsg(4096, socket.CMSG_SPACE(256))
    for level, kind, data in controls:
        if kind == socket.SCM_RIGHTS:
            for fd in array.array('i', data[:len(data) // 4 * 4]):
                os.close(fd)
        elif kind == socket.SCM_CREDENTIALS:
            assert array.array('i', data)[0] == child.pid
    print(message.decode())
print(child.wait())
";
    let name = format!("ipc-test-python-{}", std::process::id());
    let words = [binary().to_str().unwrap().to_owned(), name];
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let Some(run) = peers::python("array", program, &words) else { return };
    run.is(0, "READY=1\nBARRIER=1\n0\n", "");
}

#[test]
fn a_door_reports_too() {
    let manager = Manager::at_path();
    let place = Place::new();
    let command = ["--", "sh", "-c", "echo \"${NOTIFY_SOCKET-unset}\""];
    let words = [["door", "serve", "--notify", &place].as_slice(), &command].concat();
    let door = manager.ipc(&words).start();
    manager.gets("READY=1");
    ipc(&["door", "call", &place]).is(0, "unset\n", "");
    door.signal(Signal::SIGTERM);
    manager.gets("STOPPING=1");
    assert_eq!(code(&door.finish()), 143);
}
