//! `ipc sock`.

mod activation;
mod binding;
mod limits;
mod messages;
mod ports;

use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use nix::sys::signal::Signal;

use crate::peers;
use crate::support::{Running, as_another_user, bash, binary, code, ipc, sh, text, until};

/// A directory, and the address of a socket in it.
struct Place {
    directory: tempfile::TempDir,
    address: String,
}

impl Place {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let address = directory.path().join("s").to_str().unwrap().to_owned();
        Self { directory, address }
    }

    /// What is in the directory.
    fn names(&self) -> Vec<String> {
        let names = std::fs::read_dir(self.directory.path()).unwrap();
        let mut names: Vec<String> =
            names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

impl std::ops::Deref for Place {
    type Target = str;

    fn deref(&self) -> &str {
        &self.address
    }
}

/// An abstract name that no other test has.
fn abstract_name() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("@ipc-test-{}-{count}", std::process::id())
}

/// A server that listens already.
fn serve(address: &str, words: &[&str]) -> Running {
    let server = ipc(&["sock", "serve", address]).words(words).start();
    ipc(&["sock", "wait", "-t", "60", address]).is(0, "", "");
    server
}

/// Ends a server, which dies of the signal and says nothing.
#[track_caller]
fn stop(server: Running, signal: Signal) {
    server.signal(signal);
    let output = server.finish();
    assert_eq!((code(&output), text(&output.stderr)), (128 + signal as i32, String::new()));
}

/// Bytes that look alike nowhere.
fn sample(size: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut bytes = Vec::with_capacity(size + 8);
    while bytes.len() < size {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend(state.to_le_bytes());
    }
    bytes.truncate(size);
    bytes
}

#[test]
fn what_is_sent_to_an_echo_comes_back() {
    for address in [Place::new().to_string(), abstract_name()] {
        let directory = Path::new(&address).parent().filter(|_| address.starts_with('/'));
        directory.into_iter().for_each(|directory| std::fs::create_dir_all(directory).unwrap());
        let server = serve(&address, &["--echo"]);
        ipc(&["sock", "connect", &address]).input("hello").is(0, "hello", "");
        ipc(&["sock", "connect", &address]).is(0, "", "");
        stop(server, Signal::SIGTERM);
        directory.into_iter().for_each(|directory| std::fs::remove_dir(directory).unwrap());
    }
}

#[test]
fn a_command_has_the_socket_itself_and_nothing_else() {
    let place = Place::new();
    let script = "readlink /proc/self/fd/0 | sed 's/[0-9]*//g'; \
                  test $(readlink /proc/$$/fd/0) = $(readlink /proc/$$/fd/1) && echo same; \
                  grep -E '^Sig(Blk|Ign)' /proc/self/status";
    let server = serve(&place, &["--", "sh", "-c", script]);
    let output = ipc(&["sock", "connect", &place]).succeeds();
    assert!(output.starts_with("socket:[]\nsame\nSigBlk:\t0000000000000000\n"), "{output}");
    stop(server, Signal::SIGTERM);
    // The fourth is that of the directory.
    let server = serve(&place, &["--", "ls", "/proc/self/fd"]);
    ipc(&["sock", "connect", &place]).is(0, "0\n1\n2\n3\n", "");
    stop(server, Signal::SIGTERM);
}

#[test]
fn a_descriptor_that_was_left_open_does_not_reach_a_command() {
    let place = Place::new();
    let server = bash("exec 9</dev/null; exec ipc sock serve \"$0\" -- sh -c 'ls /proc/$$/fd/9'")
        .word(&*place)
        .start();
    ipc(&["sock", "connect", "--retry", "60", &place]).is(0, "", "");
    server.signal(Signal::SIGTERM);
    assert!(text(&server.finish().stderr).contains("fd/9"));
}

#[test]
fn a_command_is_told_who_is_there() {
    let place = Place::new();
    let server =
        serve(&place, &["--", "sh", "-c", "env | grep -E '^IPC_(CONN|LOCAL|PEER)_' | sort"]);
    let client = ipc(&["sock", "connect", &place]).env("IPC_PEER_X", "forged").start();
    let pid = client.pid();
    let output = text(&client.finish().stdout);
    let ids = std::fs::metadata("/proc/self").unwrap();
    let expected = format!(
        "IPC_CONN_NUM=1\nIPC_LOCAL_ADDR={}\nIPC_PEER_ADDR=\nIPC_PEER_GID={}\nIPC_PEER_PID={pid}\n\
         IPC_PEER_UID={}\n",
        &*place,
        ids.gid(),
        ids.uid()
    );
    assert_eq!(output, expected);
    assert!(ipc(&["sock", "connect", &place]).succeeds().starts_with("IPC_CONN_NUM=2\n"));
    stop(server, Signal::SIGINT);
}

#[test]
fn commands_run_side_by_side() {
    let place = Place::new();
    let server = serve(&place, &["--", "sh", "-c", "read line; echo $line"]);
    let mut slow = UnixStream::connect(&*place).unwrap();
    ipc(&["sock", "connect", &place]).input("quick\n").is(0, "quick\n", "");
    slow.write_all(b"slow\n").unwrap();
    let mut answer = String::new();
    slow.read_to_string(&mut answer).unwrap();
    assert_eq!(answer, "slow\n");
    stop(server, Signal::SIGHUP);
}

#[test]
fn a_command_that_is_not_there_is_noticed_before_there_is_a_socket() {
    let place = Place::new();
    ipc(&["sock", "serve", &place, "--", "ipc-no-such"]).is(
        127,
        "",
        "ipc: sock serve: ipc-no-such: No such file or directory\n",
    );
    ipc(&["sock", "serve", &place, "--", "/dev/null"]).is(
        126,
        "",
        "ipc: sock serve: /dev/null: Permission denied\n",
    );
    assert_eq!(place.names(), [""; 0]);
}

#[test]
fn once_ends_after_the_first_client_with_the_status_of_its_command() {
    let place = Place::new();
    let server = serve(&place, &["--once", "--", "sh", "-c", "echo bye; exit 7"]);
    ipc(&["sock", "connect", &place]).is(0, "bye\n", "");
    let output = server.finish();
    assert_eq!((code(&output), text(&output.stderr)), (7, String::new()));
    assert_eq!(place.names(), [""; 0]);
}

#[test]
fn a_path_has_its_final_mode_and_listens_when_it_appears() {
    for (umask, mode, expected) in
        [("000", "", 0o600), ("077", "-m=666", 0o666), ("0", "-m=u=rw,g=r", 0o640)]
    {
        let place = Place::new();
        let server = sh(&format!("umask {umask}; exec ipc sock serve \"$0\" --echo {mode}"))
            .word(&*place)
            .start();
        until("the path is there", || Path::new(&*place).exists());
        assert!(UnixStream::connect(&*place).is_ok());
        let seen = std::fs::metadata(&*place).unwrap().permissions().mode() & 0o7777;
        assert_eq!(seen, expected, "{umask} {mode}");
        until("the name that it was bound to is gone", || place.names() == ["s"]);
        stop(server, Signal::SIGTERM);
        assert_eq!(place.names(), [""; 0]);
    }
}

#[test]
fn a_live_path_is_in_use_and_its_server_notices_nothing() {
    let place = Place::new();
    let server = serve(&place, &["--once", "--echo"]);
    ipc(&["sock", "serve", &place, "--echo"]).is(
        5,
        "",
        &format!(
            "ipc: sock serve: {}: Address already in use\nhint: process {} (ipc) has it\n",
            &*place,
            server.pid()
        ),
    );
    ipc(&["sock", "wait", "-n", &place]).is(0, "", "");
    ipc(&["sock", "connect", &place]).input("still the first").is(0, "still the first", "");
    assert_eq!(code(&server.finish()), 0);
}

#[test]
fn a_server_that_has_bound_and_does_not_listen_yet_is_alive() {
    let place = Place::new();
    let program = peers::c(
        r#"
        #include <sys/socket.h>
        #include <sys/un.h>
        #include <string.h>
        #include <unistd.h>
        int main(int argc, char **argv) {
            struct sockaddr_un a = { .sun_family = AF_UNIX };
            strncpy(a.sun_path, argv[1], sizeof a.sun_path - 1);
            int s = socket(AF_UNIX, SOCK_STREAM, 0);
            if (bind(s, (void *)&a, sizeof a) != 0) return 1;
            pause();
            return 0;
        }"#,
    );
    let Some(program) = program else { return };
    let _server = program.run(&[&place]).start();
    until("it has bound", || Path::new(&*place).exists());
    assert_eq!(ipc(&["sock", "serve", &place, "--echo"]).output().status.code(), Some(5));
    ipc(&["sock", "wait", "-n", &place]).is(1, "", "");
}

#[test]
fn the_path_of_a_dead_server_is_taken_by_one_of_many_starters() {
    let place = Place::new();
    drop(UnixListener::bind(&*place).unwrap());
    let starters: Vec<Running> =
        (0..8).map(|_| ipc(&["sock", "serve", &place, "--echo"]).start()).collect();
    ipc(&["sock", "wait", "-t", "60", &place]).is(0, "", "");
    let (mut losers, mut winner) = (0, None);
    for mut starter in starters {
        until("it has lost, or is the one that listens", || {
            starter.has_ended() || losers == 7 || winner.is_none() && is_listening(starter.pid())
        });
        if starter.has_ended() {
            assert_eq!(code(&starter.finish()), 5);
            losers += 1;
        } else {
            assert!(winner.replace(starter).is_none());
        }
    }
    assert_eq!(losers, 7);
    ipc(&["sock", "connect", &place]).input("hi").is(0, "hi", "");
    assert_eq!(place.names(), ["s"]);
    stop(winner.unwrap(), Signal::SIGTERM);
    assert_eq!(place.names(), [""; 0]);
}

/// Whether the process sleeps in epoll_wait(2), where a server waits for clients.
fn is_listening(pid: i32) -> bool {
    let call = std::fs::read_to_string(format!("/proc/{pid}/syscall")).unwrap_or_default();
    let number = call.split(' ').next().and_then(|number| number.parse::<i64>().ok());
    number.is_some_and(|number| {
        number == nix::libc::SYS_epoll_wait || number == nix::libc::SYS_epoll_pwait
    })
}

#[test]
fn what_is_no_socket_is_never_removed() {
    let place = Place::new();
    std::fs::write(&*place, "precious").unwrap();
    ipc(&["sock", "serve", &place, "--echo"]).is(
        5,
        "",
        &format!("ipc: sock serve: {}: exists, and is no socket\n", &*place),
    );
    ipc(&["sock", "connect", &place]).is(
        3,
        "",
        &format!("ipc: sock connect: {}: not a socket\n", &*place),
    );
    assert_eq!(std::fs::read_to_string(&*place).unwrap(), "precious");
    std::fs::remove_file(&*place).unwrap();
    std::os::unix::fs::symlink("elsewhere", &*place).unwrap();
    assert_eq!(ipc(&["sock", "serve", &place, "--echo"]).output().status.code(), Some(5));
    assert_eq!(place.names(), ["s"]);
}

#[test]
fn a_path_that_somebody_else_took_is_left_to_him() {
    let place = Place::new();
    let server = serve(&place, &["--echo"]);
    std::fs::remove_file(&*place).unwrap();
    let other = serve(&place, &["--echo"]);
    stop(server, Signal::SIGTERM);
    ipc(&["sock", "connect", &place]).input("hi").is(0, "hi", "");
    stop(other, Signal::SIGTERM);
    assert_eq!(place.names(), [""; 0]);
}

#[test]
fn a_lock_file_that_a_killed_starter_left_is_no_obstacle() {
    let place = Place::new();
    std::fs::write(place.directory.path().join(".s.ipc.lock"), "").unwrap();
    stop(serve(&place, &["--echo"]), Signal::SIGTERM);
    assert_eq!(place.names(), [""; 0]);
}

#[test]
fn paths_longer_than_an_address_holds_work() {
    let root = tempfile::tempdir().unwrap();
    let directory = root.path().join("d".repeat(150));
    std::fs::create_dir(&directory).unwrap();
    for name in ["s".to_owned(), "n".repeat(150), "n".repeat(255)] {
        let path = directory.join(&name);
        let address = path.to_str().unwrap();
        let server = serve(address, &["--echo"]);
        ipc(&["sock", "connect", address]).input("far").is(0, "far", "");
        assert_eq!(ipc(&["sock", "serve", address, "--echo"]).output().status.code(), Some(5));
        server.signal(Signal::SIGKILL);
        server.finish();
        stop(serve(address, &["--echo"]), Signal::SIGTERM);
        assert_eq!(std::fs::read_dir(&directory).unwrap().count(), 0);
    }
}

#[test]
fn a_path_is_any_bytes() {
    let place = Place::new();
    let path = place.directory.path().join(crate::support::awkward());
    let server = ipc(&["sock", "serve", "--echo"]).word(&path).start();
    ipc(&["sock", "wait", "-t60"]).word(&path).is(0, "", "");
    ipc(&["sock", "connect"]).word(&path).input("hi").is(0, "hi", "");
    stop(server, Signal::SIGTERM);
    assert_eq!(place.names(), [""; 0]);
}

#[test]
fn who_connects_where_nobody_listens_is_told() {
    let place = Place::new();
    let refused = |reason| format!("ipc: sock connect: {}: {reason}\n", &*place);
    ipc(&["sock", "connect", &place]).is(4, "", &refused("No such file or directory"));
    drop(UnixListener::bind(&*place).unwrap());
    ipc(&["sock", "connect", &place]).is(4, "", &refused("Connection refused"));
    ipc(&["sock", "connect", "--retry", "50ms", &place]).is(4, "", &refused("Connection refused"));
    ipc(&["sock", "connect", "--retry", "inf", "-t", "50ms", &place]).is(
        124,
        "",
        &refused("timed out"),
    );
}

#[test]
fn retrying_finds_a_server_that_starts_later() {
    for address in [Place::new(), Place { address: abstract_name(), ..Place::new() }] {
        let client = ipc(&["sock", "connect", "--retry", "60", &address]).input("hi").start();
        client.wait_until_asleep();
        let server = ipc(&["sock", "serve", "--echo", "--once", &address]).start();
        let output = client.finish();
        assert_eq!((code(&output), text(&output.stdout)), (0, "hi".to_owned()));
        assert_eq!(code(&server.finish()), 0);
    }
}

#[test]
fn waiting_has_an_end_and_asking_has_an_answer() {
    let place = Place::new();
    ipc(&["sock", "wait", "-t", "50ms", &place]).is(
        124,
        "",
        &format!("ipc: sock wait: {}: timed out\n", &*place),
    );
    ipc(&["sock", "wait", "-n", &place]).is(1, "", "");
    ipc(&["sock", "wait", "-n", "@ipc-no-such"]).is(1, "", "");
    let missing = place.directory.path().join("later/s");
    let waiter = ipc(&["sock", "wait", "-t60"]).word(&missing).start();
    waiter.wait_until_asleep();
    std::fs::create_dir(missing.parent().unwrap()).unwrap();
    let listener = UnixListener::bind(&missing).unwrap();
    assert_eq!(code(&waiter.finish()), 0);
    listener.set_nonblocking(true).unwrap();
    assert!(listener.accept().is_err(), "the server was disturbed");
}

#[test]
fn a_full_backlog_obeys_the_timeout() {
    let place = Place::new();
    let program = peers::python(
        "socket",
        "
import signal, socket, sys
s = socket.socket(socket.AF_UNIX)
s.bind(sys.argv[1])
s.listen(0)
c = socket.socket(socket.AF_UNIX)
c.connect(sys.argv[1])
signal.pause()
",
        &[&place],
    );
    let Some(program) = program else { return };
    let server = program.start();
    until("it listens and waits", || {
        let call = std::fs::read_to_string(format!("/proc/{}/syscall", server.pid()));
        call.is_ok_and(|call| call.starts_with(&format!("{} ", nix::libc::SYS_pause)))
    });
    ipc(&["sock", "connect", "-t", "50ms", &place]).is(
        124,
        "",
        &format!("ipc: sock connect: {}: timed out\n", &*place),
    );
    ipc(&["sock", "connect", "-n", &place]).is(1, "", "");
}

#[test]
fn ready_is_told_when_clients_can_connect() {
    let place = Place::new();
    let server = bash("exec 3>&1 >/dev/null; exec ipc sock serve --ready 3 --once --echo \"$0\"")
        .word(&*place)
        .start();
    ipc(&["sock", "connect", "--retry", "60", &place]).is(0, "", "");
    assert_eq!(text(&server.finish().stdout), format!("{}\n", &*place));
    ipc(&["sock", "serve", "--ready", "999", &place, "--echo"]).is(
        3,
        "",
        "ipc: sock serve: 999: Bad file descriptor\n",
    );
    assert_eq!(place.names(), [""; 0]);
}

#[test]
fn only_our_own_user_and_those_who_are_named_come_in_at_an_abstract_name() {
    let address = abstract_name();
    let Some(stranger) = as_another_user(&["sock", "connect", &address]) else { return };
    let server = serve(&address, &["--", "echo", "secret"]);
    let stranger = stranger.start();
    let pid = stranger.pid();
    assert_eq!(text(&stranger.finish().stdout), "");
    ipc(&["sock", "connect", &address]).is(0, "secret\n", "");
    server.signal(Signal::SIGTERM);
    let sent_away = format!(
        "ipc: sock serve: process {pid} of user 65534 was sent away: --allow-uid does not name \
         the user\n"
    );
    assert_eq!(text(&server.finish().stderr), sent_away);
    let server = serve(&address, &["--allow-uid", "65534", "--", "echo", "shared"]);
    as_another_user(&["sock", "connect", &address]).unwrap().is(0, "shared\n", "");
    stop(server, Signal::SIGTERM);
}

#[test]
fn a_path_is_guarded_by_its_mode_and_narrowed_by_users() {
    let place = Place::new();
    let directory = place.directory.path();
    std::fs::set_permissions(directory, std::fs::Permissions::from_mode(0o755)).unwrap();
    let Some(stranger) = as_another_user(&["sock", "connect", &place]) else { return };
    let server = serve(&place, &["--echo"]);
    stranger.is(6, "", &format!("ipc: sock connect: {}: Permission denied\n", &*place));
    stop(server, Signal::SIGTERM);
    let server = serve(&place, &["-m", "666", "--echo"]);
    let stranger = as_another_user(&["sock", "connect", &place]).unwrap();
    stranger.input("hi").is(0, "hi", "");
    stop(server, Signal::SIGTERM);
    let server = serve(&place, &["-m", "666", "--allow-uid", "1", "--echo"]);
    let stranger = as_another_user(&["sock", "connect", &place]).unwrap();
    assert_eq!(text(&stranger.output().stdout), "");
    server.signal(Signal::SIGTERM);
    assert!(text(&server.finish().stderr).contains("was sent away"));
}

#[test]
fn all_bytes_arrive_in_both_directions_from_files_and_pipes() {
    const SIZE: usize = 64 << 20;
    let place = Place::new();
    let file = place.directory.path().join("input");
    let sample = sample(SIZE);
    std::fs::write(&file, &sample).unwrap();
    let server = serve(&place, &["--echo"]);
    for line in [
        "ipc sock connect \"$0\" <\"$1\"",
        "cat \"$1\" | ipc sock connect \"$0\"",
        "cat \"$1\" | ipc sock connect \"$0\" | cat",
        "ipc sock connect \"$0\" <\"$1\" >\"$1.out\" && cat \"$1.out\"",
    ] {
        let output = sh(line).word(&*place).word(&file).output();
        assert_eq!((code(&output), text(&output.stderr)), (0, String::new()), "{line}");
        assert!(output.stdout == sample, "{line}");
    }
    stop(server, Signal::SIGTERM);
}

#[test]
fn a_consumer_that_pauses_holds_up_nothing_but_its_own_direction() {
    let place = Place::new();
    let listener = UnixListener::bind(&*place).unwrap();
    let sample = sample(8 << 20);
    // The consumer reads only when the server has got all that we send.
    let client =
        bash("mkfifo \"$0.go\"; ipc sock connect \"$0\" | { read go <\"$0.go\"; md5sum; }")
            .word(&*place)
            .input(sample.clone())
            .start();
    let (mut server, _) = listener.accept().unwrap();
    let mut writer = server.try_clone().unwrap();
    let sent = sample.clone();
    let writing = std::thread::spawn(move || {
        writer.write_all(&sent).unwrap();
        writer.shutdown(std::net::Shutdown::Write).unwrap();
    });
    let mut received = Vec::new();
    server.read_to_end(&mut received).unwrap();
    assert!(received == sample);
    std::fs::write(format!("{}.go", &*place), "go\n").unwrap();
    writing.join().unwrap();
    drop(server);
    let expected = sh("md5sum").input(sample).succeeds();
    assert_eq!(text(&client.finish().stdout), expected);
}

#[test]
fn a_peer_that_only_sends_no_more_still_gets_all_we_have() {
    let place = Place::new();
    let listener = UnixListener::bind(&*place).unwrap();
    let client = ipc(&["sock", "connect", &place]).input(sample(4 << 20)).start();
    let (mut server, _) = listener.accept().unwrap();
    server.write_all(b"answer").unwrap();
    server.shutdown(std::net::Shutdown::Write).unwrap();
    let mut received = Vec::new();
    server.read_to_end(&mut received).unwrap();
    assert_eq!(received.len(), 4 << 20);
    drop(server);
    let output = client.finish();
    assert_eq!((code(&output), text(&output.stdout)), (0, "answer".to_owned()));
}

#[test]
fn a_peer_that_has_closed_ends_a_client_whose_input_goes_on() {
    let place = Place::new();
    let listener = UnixListener::bind(&*place).unwrap();
    let line = "mkfifo \"$0.in\"; exec 3<>\"$0.in\"; exec ipc sock connect \"$0\" <&3";
    let client = sh(line).word(&*place).start();
    let (mut server, _) = listener.accept().unwrap();
    server.write_all(b"bye ").unwrap();
    drop(server);
    let output = client.finish();
    assert_eq!((code(&output), text(&output.stdout)), (0, "bye ".to_owned()));
}

#[test]
fn a_peer_that_hangs_up_while_we_send_is_an_error_and_what_it_sent_is_there() {
    let place = Place::new();
    let listener = UnixListener::bind(&*place).unwrap();
    let client = sh("yes | ipc sock connect \"$0\"").word(&*place).start();
    let (mut server, _) = listener.accept().unwrap();
    server.write_all(b"enough").unwrap();
    let mut some = [0; 100];
    server.read_exact(&mut some).unwrap();
    drop(server);
    let output = client.finish();
    assert_eq!((code(&output), text(&output.stdout)), (3, "enough".to_owned()));
    let words = format!("ipc: sock connect: {}: the peer hung up before it had read", &*place);
    assert!(text(&output.stderr).starts_with(&words), "{}", text(&output.stderr));
}

#[test]
fn closed_and_full_standard_descriptors_are_errors() {
    let place = Place::new();
    let server = serve(&place, &["--echo"]);
    sh("ipc sock connect \"$0\" <&-").word(&*place).is(
        3,
        "",
        &format!("ipc: sock connect: {}: standard input: Bad file descriptor\n", &*place),
    );
    for (stdout, reason) in
        [(">&-", "Bad file descriptor"), (">/dev/full", "No space left on device")]
    {
        sh(&format!("ipc sock connect \"$0\" {stdout}")).word(&*place).input("x").is(
            3,
            "",
            &format!("ipc: sock connect: standard output: {reason}\n"),
        );
    }
    let output =
        sh("{ yes | ipc sock connect \"$0\"; echo $? >&2; } | head -n 1").word(&*place).output();
    assert_eq!((text(&output.stdout), text(&output.stderr)), ("y\n".into(), "141\n".into()));
    stop(server, Signal::SIGTERM);
}

#[test]
fn one_client_at_a_time_talks_with_our_stdin_and_stdout() {
    let place = Place::new();
    let server = serve(&place, &[]);
    for line in ["first\n", "second\n"] {
        ipc(&["sock", "connect", &place]).input(line).is(0, "", "");
    }
    server.signal(Signal::SIGTERM);
    assert_eq!(text(&server.finish().stdout), "first\nsecond\n");
    let server = sh("echo hello | ipc sock serve --once \"$0\"").word(&*place).start();
    ipc(&["sock", "connect", "--retry", "60", &place]).input("world\n").is(0, "hello\n", "");
    assert_eq!(text(&server.finish().stdout), "world\n");
    assert_eq!(place.names(), [""; 0]);
}

#[test]
fn socat_and_nc_are_peers_on_either_side() {
    let place = Place::new();
    if !peers::there("socat", &["-V"]) || !peers::there("sh", &["-c", "command -v nc"]) {
        return;
    }
    let server = serve(&place, &["--", "tr", "a-z", "A-Z"]);
    sh("echo abc | socat - UNIX-CONNECT:\"$0\"").word(&*place).is(0, "ABC\n", "");
    sh("echo abc | nc -NU \"$0\"").word(&*place).is(0, "ABC\n", "");
    stop(server, Signal::SIGTERM);
    let server = sh("exec socat UNIX-LISTEN:\"$0\" EXEC:'tr a-z A-Z'").word(&*place).start();
    ipc(&["sock", "connect", "--retry", "60", &place]).input("abc\n").is(0, "ABC\n", "");
    server.finish();
    let server = sh("exec nc -lNU \"$0.nc\" </dev/null").word(&*place).start();
    let address = format!("{}.nc", &*place);
    ipc(&["sock", "connect", "--retry", "60", &address]).input("abc\n").is(0, "", "");
    assert_eq!(text(&server.finish().stdout), "abc\n");
}

/// Answers `*` to each message and ends at STOP, as a client it sends three messages, one of them
/// empty, and prints what it receives.
const SEQPACKET_PEER: &str = r#"
    #include <stdio.h>
    #include <string.h>
    #include <sys/socket.h>
    #include <sys/un.h>
    #include <unistd.h>
    int main(int argc, char **argv) {
        struct sockaddr_un a = { .sun_family = AF_UNIX };
        char buffer[4096];
        int s = socket(AF_UNIX, SOCK_SEQPACKET, 0);
        memcpy(a.sun_path, argv[2], strlen(argv[2]));
        if (strcmp(argv[1], "serve") == 0) {
            if (bind(s, (void *)&a, sizeof a) != 0 || listen(s, 5) != 0) return 1;
            int c = accept(s, NULL, NULL);
            for (;;) {
                ssize_t n = recv(c, buffer, sizeof buffer, 0);
                if (n < 0) return 2;
                if (n == 4 && memcmp(buffer, "STOP", 4) == 0) return 0;
                if (send(c, "*", 1, 0) != 1) return 3;
            }
        }
        if (connect(s, (void *)&a, sizeof a) != 0) return 4;
        if (send(s, "one", 3, 0) != 3 || send(s, "", 0, 0) != 0 || send(s, "two", 3, 0) != 3) return 5;
        shutdown(s, SHUT_WR);
        for (int i = 0; i < 3; i++) {
            ssize_t n = recv(s, buffer, sizeof buffer, 0);
            printf("%zd:%.*s\n", n, (int)n, buffer);
        }
        return 0;
    }"#;

#[test]
fn a_c_server_of_seqpackets_answers_each_message_and_stops() {
    let place = Place::new();
    let Some(program) = peers::c(SEQPACKET_PEER) else { return };
    let server = program.run(&["serve", &place]).start();
    let words = ["sock", "connect", "--type", "seqpacket", "--retry", "60", &place];
    ipc(&words).input("a\nb\nSTOP\n").is(0, "*\n*\n", "");
    assert_eq!(code(&server.finish()), 0);
}

#[test]
fn a_c_client_of_seqpackets_gets_its_messages_back_the_empty_one_too() {
    let place = Place::new();
    let Some(program) = peers::c(SEQPACKET_PEER) else { return };
    let server = serve(&place, &["--type", "seqpacket", "--echo"]);
    program.run(&["connect", &place]).is(0, "3:one\n0:\n3:two\n", "");
    stop(server, Signal::SIGTERM);
}

#[test]
fn each_record_is_a_message_whatever_its_size_and_an_empty_one_is_not_the_end() {
    let place = Place::new();
    let server = serve(&place, &["--type", "seqpacket", "--echo"]);
    let connect = ["sock", "connect", "--type", "seqpacket", &*place];
    let long = "x".repeat(1_000_000);
    let lines = format!("\na\n\n\n{long}\n\n");
    ipc(&connect).input(lines.clone()).is(0, &lines, "");
    let records = "3:a\nb,0:,1:\0,";
    ipc(&connect).words(&["--frame", "netstring"]).input(records).is(0, records, "");
    stop(server, Signal::SIGTERM);
}

#[test]
fn a_message_that_is_too_long_for_the_system_is_told_by_its_size() {
    let Some(client) = as_another_user(&["sock", "connect", "--type", "seqpacket"]) else { return };
    let address = abstract_name();
    let server = serve(&address, &["--type", "seqpacket", "--allow-uid", "65534", "--echo"]);
    let output = client.word(&address).input(vec![b'x'; 64 << 20]).output();
    assert_eq!((code(&output), text(&output.stdout)), (3, String::new()));
    let reason = format!("ipc: sock connect: {address}: message of 67108864 bytes is longer than");
    assert!(text(&output.stderr).starts_with(&reason), "{}", text(&output.stderr));
    stop(server, Signal::SIGTERM);
}

#[test]
fn a_socket_of_another_type_is_told() {
    let place = Place::new();
    let server = serve(&place, &["--type", "seqpacket", "--echo"]);
    ipc(&["sock", "connect", &place]).is(
        3,
        "",
        &format!(
            "ipc: sock connect: {}: the socket there is not of type stream\n\
             hint: give its type with --type\n",
            &*place
        ),
    );
    stop(server, Signal::SIGTERM);
}

#[test]
fn addresses_of_no_known_form_are_usage_errors() {
    let output = ipc(&["sock", "connect", "nowhere"]).output();
    assert_eq!(code(&output), 2);
    assert!(text(&output.stderr).starts_with("ipc: sock connect: nowhere: no address"));
    assert!(binary().exists());
}

/// A server at a port of the system's choice, and its address.
fn serve_port(words: &[&str]) -> (Running, String) {
    let place = Place::new();
    let ready = format!("{}.ready", &*place);
    let (verb, rest) = words.split_at(2);
    let server = ipc(verb).words(&["-q", "--ready", &ready]).words(rest).start();
    let mut address = String::new();
    until("it is ready", || {
        address = std::fs::read_to_string(&ready).unwrap_or_default();
        address.ends_with('\n')
    });
    (server, address.trim_end().to_owned())
}

#[test]
fn tcp_is_served_at_both_versions_of_the_protocol() {
    for listen in ["tcp:127.0.0.1:0", "tcp:[::1]:0"] {
        let (server, address) = serve_port(&["sock", "serve", listen, "--echo"]);
        ipc(&["sock", "wait", "-n", &address]).is(0, "", "");
        ipc(&["sock", "connect", &address]).input("far").is(0, "far", "");
        ipc(&["sock", "serve", &address, "--echo"]).is(
            5,
            "",
            &format!(
                "ipc: sock serve: {address}: Address already in use\n\
                 hint: process {} (ipc) has it\n",
                server.pid()
            ),
        );
        stop(server, Signal::SIGTERM);
        ipc(&["sock", "connect", &address]).is(
            4,
            "",
            &format!("ipc: sock connect: {address}: Connection refused\n"),
        );
    }
}

#[test]
fn users_cannot_be_told_over_a_network() {
    ipc(&["sock", "serve", "tcp::0", "--allow-uid", "1", "--echo"]).is(
        2,
        "",
        "ipc: sock serve: --allow-uid and --allow-gid: nobody knows the users of a network's \
         clients\n",
    );
}

#[test]
fn datagrams_arrive_whole_and_an_empty_one_is_a_message() {
    let place = Place::new();
    let receiver = ipc(&["sock", "recv", "--count", "4", &place]).start();
    ipc(&["sock", "wait", "-t", "60", &place]).is(0, "", "");
    let long = "x".repeat(100_000);
    ipc(&["sock", "send", &place, "one", "", &long, "last"]).is(0, "", "");
    let output = receiver.finish();
    assert_eq!((code(&output), text(&output.stderr)), (0, String::new()));
    assert!(text(&output.stdout) == format!("one\n\n{long}\nlast\n"));
    assert_eq!(place.names(), [""; 0]);
    let (receiver, address) = serve_port(&["sock", "recv", "udp:127.0.0.1:0", "--count", "2"]);
    ipc(&["sock", "send", &address, "", "there"]).is(0, "", "");
    assert_eq!(text(&receiver.finish().stdout), "\nthere\n");
}

#[test]
fn an_answer_goes_back_to_who_asked() {
    let address = abstract_name();
    let server = ipc(&["sock", "recv", "-f", "--reply-with", "pong", &address]).start();
    ipc(&["sock", "wait", "-t", "60", &address]).is(0, "", "");
    ipc(&["sock", "send", "--reply", &address, "a", "b"]).is(0, "pong\npong\n", "");
    server.signal(Signal::SIGTERM);
    assert_eq!(text(&server.finish().stdout), "a\nb\n");
}

#[test]
fn messages_of_strangers_do_not_reach_an_abstract_name() {
    let address = abstract_name();
    let Some(stranger) = as_another_user(&["sock", "send", &address, "forged"]) else { return };
    let receiver = ipc(&["sock", "recv", &address]).start();
    ipc(&["sock", "wait", "-t", "60", &address]).is(0, "", "");
    stranger.is(0, "", "");
    ipc(&["sock", "send", &address, "ours"]).is(0, "", "");
    assert_eq!(text(&receiver.finish().stdout), "ours\n");
}

#[test]
fn clients_above_the_limit_wait_and_a_server_without_any_ends() {
    let place = Place::new();
    let server = serve(&place, &["--max-clients", "1", "--idle", "100ms", "--echo"]);
    let first = UnixStream::connect(&*place).unwrap();
    let second = ipc(&["sock", "connect", &place]).input("later").start();
    second.wait_until_asleep();
    drop(first);
    assert_eq!(text(&second.finish().stdout), "later");
    assert_eq!(code(&server.finish()), 0);
    assert_eq!(place.names(), [""; 0]);
}

#[test]
fn two_commands_talk_with_each_other() {
    let asks = "echo question; read answer; echo \"got $answer\" >&2";
    let answers = "read question; echo \"answer to $question\"";
    ipc(&["sock", "pair", "--", "sh", "-c", asks, "--", "sh", "-c", answers]).is(
        0,
        "",
        "got answer to question\n",
    );
}

#[test]
fn a_pair_has_the_status_of_the_last_command_that_failed() {
    for (first, second, status) in [("5", "0", 5), ("5", "6", 6), ("0", "0", 0)] {
        let (first, second) = (format!("exit {first}"), format!("exit {second}"));
        ipc(&["sock", "pair", "--", "sh", "-c", &first, "--", "sh", "-c", &second])
            .is(status, "", "");
    }
    ipc(&["sock", "pair", "--", "cat", "--", "ipc-no-such"]).is(
        127,
        "",
        "ipc: sock pair: ipc-no-such: No such file or directory\n",
    );
    ipc(&["sock", "pair", "--", "cat"]).is(
        2,
        "",
        "ipc: sock pair: COMMAND: two of them are wanted, with -- before each\n",
    );
}

#[test]
fn the_end_of_one_command_of_a_pair_is_the_end_of_what_the_other_reads() {
    let read = ["--", "sh", "-c", "cat >&2; exec ls /proc/self/fd >&2"];
    ipc(&["sock", "pair", "--", "echo", "bye"]).words(&read).is(0, "", "bye\n0\n1\n2\n3\n");
}

#[test]
fn a_relay_passes_on_both_ways_and_whole() {
    let (place, front) = (Place::new(), Place::new());
    let server = serve(&place, &["--echo"]);
    let relay = ipc(&["sock", "relay", &front, &place]).start();
    ipc(&["sock", "wait", "-t60", &front]).is(0, "", "");
    let sample = sample(16 << 20);
    let output = ipc(&["sock", "connect", &front]).input(sample.clone()).output();
    assert_eq!((code(&output), text(&output.stderr)), (0, String::new()));
    assert!(output.stdout == sample);
    let mut slow = UnixStream::connect(&*front).unwrap();
    ipc(&["sock", "connect", &front]).input("quick").is(0, "quick", "");
    slow.write_all(b"slow").unwrap();
    slow.shutdown(std::net::Shutdown::Write).unwrap();
    let mut answer = String::new();
    slow.read_to_string(&mut answer).unwrap();
    assert_eq!(answer, "slow");
    stop(relay, Signal::SIGTERM);
    assert_eq!(front.names(), [""; 0]);
    stop(server, Signal::SIGTERM);
}

#[test]
fn a_relay_leads_from_a_port_to_a_path_and_passes_on_messages() {
    let place = Place::new();
    let server = serve(&place, &["--", "tr", "a-z", "A-Z"]);
    let (relay, address) = serve_port(&["sock", "relay", "tcp:127.0.0.1:0", &place]);
    ipc(&["sock", "connect", &address]).input("abc").is(0, "ABC", "");
    stop(relay, Signal::SIGTERM);
    stop(server, Signal::SIGTERM);
    let front = abstract_name();
    let server = serve(&place, &["--type", "seqpacket", "--echo"]);
    let relay = ipc(&["sock", "relay", "--type", "seqpacket", &front, &place]).start();
    ipc(&["sock", "wait", "-t60", &front]).is(0, "", "");
    ipc(&["sock", "connect", "--type", "seqpacket", &front])
        .input("a\n\nb\n")
        .is(0, "a\n\nb\n", "");
    stop(relay, Signal::SIGTERM);
    stop(server, Signal::SIGTERM);
}

#[test]
fn a_relay_to_nobody_sends_its_client_away_and_says_why() {
    let (place, front) = (Place::new(), Place::new());
    let relay = ipc(&["sock", "relay", "--once", &front, &place]).start();
    ipc(&["sock", "connect", "--retry", "60", &front]).is(0, "", "");
    let output = relay.finish();
    let words = format!("ipc: sock relay: {}: No such file or directory\n", &*place);
    assert_eq!((code(&output), text(&output.stderr)), (4, words));
}

#[test]
fn a_server_is_listed_with_its_process_and_a_connection_only_with_all() {
    let (place, name) = (Place::new(), abstract_name());
    for address in [&*place, &name] {
        let server = serve(address, &["--echo"]);
        let listed = ipc(&["sock", "ls", "--json"]).succeeds();
        let listed: Vec<serde_json::Value> = serde_json::from_str(&listed).unwrap();
        let row = listed.iter().find(|row| row["address"] == address).unwrap();
        assert_eq!(row["state"], "listening");
        assert_eq!(row["holders"][0]["pid"], server.pid());
        let text = ipc(&["sock", "ls"]).succeeds();
        assert!(text.lines().any(|line| line.contains(address)), "{text}");
        stop(server, Signal::SIGTERM);
    }
    let (server, address) = serve_port(&["sock", "serve", "tcp:127.0.0.1:0", "--echo"]);
    let text = ipc(&["sock", "ls"]).succeeds();
    let line = text.lines().find(|line| line.contains(&address)).unwrap();
    assert!(line.contains(&format!("{} (ipc)", server.pid())), "{line}");
    let _client = std::net::TcpStream::connect(address.strip_prefix("tcp:").unwrap()).unwrap();
    let count = |words: &[&str]| ipc(words).succeeds().matches(&address).count();
    assert_eq!(count(&["sock", "ls"]), 1);
    until("the connection is there", || count(&["sock", "ls", "-a"]) > 2);
    stop(server, Signal::SIGTERM);
}

#[test]
fn all_that_is_known_of_a_server_is_shown() {
    let place = Place::new();
    let server = serve(&place, &["--echo", "--backlog", "7"]);
    let _client = UnixStream::connect(&*place).unwrap();
    until("the client is accepted", || {
        ipc(&["sock", "stat", &place]).succeeds().contains("receive_queue: 0\n")
    });
    let uid = std::fs::metadata("/proc/self").unwrap().uid();
    let gid = std::fs::metadata("/proc/self").unwrap().gid();
    ipc(&["sock", "stat", &place]).is(
        0,
        &format!(
            "family:        unix\ntype:          stream\nstate:         listening\n\
             receive_queue: 0\nsend_queue:    7\nopener_uid:    {uid}\naddress:       {}\n\
             peer:          \nholders:       {} (ipc)\nconnections:   1\nmode:          0600\n\
             uid:           {uid}\ngid:           {gid}\n",
            &*place,
            server.pid(),
        ),
        "",
    );
    server.signal(Signal::SIGKILL);
    server.finish();
    assert!(ipc(&["sock", "stat", &place]).succeeds().starts_with("state:   dead\n"));
}

#[test]
fn what_is_no_socket_or_not_there_has_no_state() {
    let place = Place::new();
    let refused = |address: &str, reason| format!("ipc: sock stat: {address}: {reason}\n");
    let missing = refused(&place, "No such file or directory");
    ipc(&["sock", "stat", &place]).is(4, "", &missing);
    std::fs::write(&*place, "").unwrap();
    ipc(&["sock", "stat", &place]).is(3, "", &refused(&place, "not a socket"));
    let name = abstract_name();
    ipc(&["sock", "stat", &name]).is(4, "", &refused(&name, "Connection refused"));
    sh("ipc sock stat fd:5 5</dev/null").is(3, "", &refused("fd:5", "not a socket"));
}

#[test]
fn a_descriptor_tells_of_its_peer_and_its_options() {
    let place = Place::new();
    let server = serve(&place, &["--", binary().to_str().unwrap(), "sock", "stat", "fd:0"]);
    let client = ipc(&["sock", "connect", &place]).start();
    let pid = client.pid();
    let shown = text(&client.finish().stdout);
    assert!(shown.contains(&format!("peer_pid:       {pid}\n")), "{shown}");
    assert!(shown.contains("state:          connected\n"), "{shown}");
    stop(server, Signal::SIGTERM);
}

#[test]
fn in_a_hub_every_client_hears_every_other_and_a_slow_one_stops_nobody() {
    let place = Place::new();
    let server = serve(&place, &["--hub"]);
    let connect = || UnixStream::connect(&*place).unwrap();
    let (mut speaker, mut listener, mut slow) = (connect(), connect(), connect());
    // Whoever was heard is a member.
    for mut stream in [&slow, &listener] {
        stream.write_all(b"!").unwrap();
        speaker.read_exact(&mut [0]).unwrap();
    }
    listener.read_exact(&mut [0]).unwrap();
    let sample = sample(8 << 20);
    let mut heard = vec![0; 64 << 10];
    for part in sample.chunks(heard.len()) {
        speaker.write_all(part).unwrap();
        listener.read_exact(&mut heard).unwrap();
        assert!(heard == part);
    }
    let mut taken = Vec::new();
    slow.read_to_end(&mut taken).unwrap();
    assert!(sample.starts_with(&taken[1..]) && taken.len() < sample.len());
    drop((speaker, listener));
    server.signal(Signal::SIGTERM);
    let words = "ipc: sock serve: client 3 was too slow and is sent away\n";
    assert_eq!(text(&server.finish().stderr), words);
}

#[test]
fn a_hub_keeps_messages_whole() {
    let place = Place::new();
    let server = serve(&place, &["--type", "seqpacket", "--hub"]);
    let Some(listener) = peers::python(
        "socket",
        "
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
s.connect(sys.argv[1])
s.send(b'here')
print([s.recv(99), s.recv(99), s.recv(99)])
",
        &[&place],
    ) else {
        return;
    };
    let speaker = bash(
        "coproc ipc sock connect --type seqpacket \"$0\"; read -u ${COPROC[0]} line; echo $line; \
         printf 'one\\n\\ntwo\\n' >&${COPROC[1]}; sleep 60",
    );
    let speaker = speaker.word(&*place).start();
    until("the speaker is there", || {
        ipc(&["sock", "stat", &place]).succeeds().contains("connections:   1\n")
    });
    listener.is(0, "[b'one', b'', b'two']\n", "");
    drop(speaker);
    server.signal(Signal::SIGTERM);
    server.finish();
}

#[test]
fn a_user_with_as_many_clients_as_may_be_waits_and_others_do_not() {
    let place = Place::new();
    let directory = place.directory.path();
    std::fs::set_permissions(directory, std::fs::Permissions::from_mode(0o755)).unwrap();
    let server = serve(&place, &["-m", "666", "--max-per-uid", "1", "--echo"]);
    let mut first = UnixStream::connect(&*place).unwrap();
    let second = ipc(&["sock", "connect", &place]).input("second").start();
    second.wait_until_asleep();
    if let Some(stranger) = as_another_user(&["sock", "connect", &place]) {
        stranger.input("other").is(0, "other", "");
    }
    first.write_all(b"first").unwrap();
    first.read_exact(&mut [0; 5]).unwrap();
    drop(first);
    assert_eq!(text(&second.finish().stdout), "second");
    stop(server, Signal::SIGTERM);
}

#[test]
fn clients_may_finish_when_there_is_grace_and_nobody_else_comes_in() {
    let place = Place::new();
    let server = serve(&place, &["--grace", "60", "--", "sh", "-c", "echo hi; read x; echo $x"]);
    let mut client = UnixStream::connect(&*place).unwrap();
    client.read_exact(&mut [0; 3]).unwrap();
    server.signal(Signal::SIGTERM);
    until("the path is gone", || place.names().is_empty());
    client.write_all(b"done\n").unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    assert_eq!((answer.as_str(), code(&server.finish())), ("done\n", 143));
}

#[test]
fn commands_that_outlast_the_grace_are_told_to_end() {
    let place = Place::new();
    let server = serve(&place, &["--grace", "50ms", "--", "sh", "-c", "echo hi; exec sleep 600"]);
    let mut client = UnixStream::connect(&*place).unwrap();
    client.read_exact(&mut [0; 3]).unwrap();
    stop(server, Signal::SIGTERM);
    assert_eq!(client.read_to_end(&mut Vec::new()).unwrap(), 0);
    ipc(&["sock", "serve", &place, "--grace", "1"]).is(
        2,
        "",
        "ipc: sock serve: --grace: only clients that are served side by side have it\n",
    );
}

#[test]
fn a_command_has_the_connection_itself() {
    let place = Place::new();
    let server = serve(&place, &["--echo"]);
    let script = "echo question; read answer; echo \"$answer\" >&2; exec ls /proc/self/fd >&2";
    ipc(&["sock", "connect", &place, "--", "sh", "-c", script]).is(0, "", "question\n0\n1\n2\n3\n");
    ipc(&["sock", "connect", &place, "--", "ipc-no-such"]).is(
        127,
        "",
        "ipc: sock connect: ipc-no-such: No such file or directory\n",
    );
    stop(server, Signal::SIGTERM);
}
