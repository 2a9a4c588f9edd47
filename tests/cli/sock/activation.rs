//! Sockets that are handed over, both ways.

use nix::sys::signal::Signal;

use super::{Place, serve, stop};
use crate::peers;
use crate::support::{binary, code, ipc, sh, text, until};

#[test]
fn a_server_gets_the_listening_socket_as_systemd_would_give_it() {
    let place = Place::new();
    let program = "
import os, socket, sys
assert os.environ['LISTEN_FDS'] == '1' and int(os.environ['LISTEN_PID']) == os.getpid()
s = socket.socket(fileno=3)
assert s.gettimeout() is None
for _ in range(2):
    c, _ = s.accept()
    c.sendall(b'<' + c.recv(99) + b'>')
    c.close()
";
    if !peers::there("python3", &["-c", "import socket"]) {
        return;
    }
    let server = serve(&place, &["--activate", "--", "python3", "-c", program]);
    ipc(&["sock", "connect", &place]).input("one").is(0, "<one>", "");
    ipc(&["sock", "connect", &place]).input("two").is(0, "<two>", "");
    let output = server.finish();
    assert_eq!((code(&output), text(&output.stderr)), (0, String::new()));
    assert_eq!(place.names(), [""; 0]);
}

#[test]
fn a_listening_socket_that_was_handed_over_is_served() {
    let ipc_path = binary().to_str().unwrap().to_owned();
    for own in [["fd:3"].as_slice(), &[]] {
        let place = Place::new();
        let words = ["--activate", "--", &ipc_path, "sock", "serve", "--echo"];
        let server = serve(&place, &[words.as_slice(), own].concat());
        ipc(&["sock", "connect", &place]).input("handed over").is(0, "handed over", "");
        stop(server, Signal::SIGTERM);
        assert_eq!(place.names(), [""; 0]);
    }
}

#[test]
fn a_command_that_cannot_have_the_socket_leaves_no_path() {
    let place = Place::new();
    let missing = "ipc: sock serve: ipc-no-such: No such file or directory\n";
    ipc(&["sock", "serve", &place, "--activate", "--", "ipc-no-such"]).is(127, "", missing);
    std::fs::write(format!("{}.x", &*place), "#!/ipc-no-such\n").unwrap();
    let line = "chmod +x \"$0.x\"; ipc sock serve \"$0\" --activate -- \"$0.x\"; echo $?";
    let output = sh(line).word(&*place).output();
    assert_eq!(text(&output.stdout), "127\n");
    assert_eq!(place.names(), ["s.x"]);
}

#[test]
fn the_command_gets_signals_and_its_status_is_returned() {
    let place = Place::new();
    ipc(&["sock", "serve", &place, "--activate", "--", "sh", "-c", "exit 7"]).is(7, "", "");
    let script = "trap 'exit 5' TERM; echo up; while :; do sleep 0.05; done";
    let server = serve(&place, &["--activate", "--", "sh", "-c", script]);
    until("it has set its trap", || {
        let children = format!("/proc/{0}/task/{0}/children", server.pid());
        let child = std::fs::read_to_string(children).unwrap_or_default();
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.trim()));
        status.is_ok_and(|status| {
            let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
            let caught = caught.and_then(|set| u64::from_str_radix(set.trim(), 16).ok());
            caught.is_some_and(|set| set & 1 << (Signal::SIGTERM as i32 - 1) != 0)
        })
    });
    server.signal(Signal::SIGTERM);
    assert_eq!(code(&server.finish()), 5);
    assert_eq!(place.names(), [""; 0]);
}

#[test]
fn a_path_stays_while_another_process_has_the_socket() {
    let place = Place::new();
    let line =
        "ipc sock serve \"$0\" --activate -- sh -c 'sleep 600 2>/dev/null & echo $!' >\"$0.pid\"";
    sh(line).word(&*place).is(0, "", "");
    assert_eq!(place.names(), ["s", "s.pid"]);
    assert_eq!(code(&ipc(&["sock", "serve", &place, "--echo"]).output()), 5);
    sh("kill $(cat \"$0.pid\"); rm \"$0.pid\"").word(&*place).is(0, "", "");
    // No process has the socket open: the next server takes the path over.
    until("it is dead", || ipc(&["sock", "stat", &place]).succeeds().starts_with("state:   dead"));
    stop(serve(&place, &["--echo"]), Signal::SIGTERM);
    assert_eq!(place.names(), [""; 0]);
}

/// Opens two sockets `one` and `two` beside `$0`, and has `ipc sock` find them under these names
/// with the words that follow.
const HAND_OVER: &str = "
import os, socket, sys
os.chdir(os.path.dirname(sys.argv[1]))
made = []
for name in ('one', 'two'):
    s = socket.socket(socket.AF_UNIX)
    s.bind(name)
    s.listen()
    made.append(s)
for s, number in zip(made, (3, 4)):
    os.dup2(os.dup(s.fileno()) if s.fileno() < 5 else s.fileno(), 10 + number)
for number in (3, 4):
    os.dup2(10 + number, number)
env = dict(os.environ, LISTEN_FDS='2', LISTEN_FDNAMES=sys.argv[2], LISTEN_PID=str(os.getpid()))
os.closerange(5, 20)
os.execvpe(sys.argv[3], sys.argv[3:], env)
";

#[test]
fn a_name_selects_one_of_several_sockets() {
    let place = Place::new();
    let ipc_path = binary().to_str().unwrap().to_owned();
    let run = |names: &str, words: &[&str]| {
        let run = peers::python("socket", HAND_OVER, &[&place, names, &ipc_path, "sock"])?;
        for name in ["one", "two"] {
            let _ = std::fs::remove_file(place.directory.path().join(name));
        }
        Some(run.words(words))
    };
    let Some(several) = run("alpha:beta", &["serve", "--echo"]) else { return };
    several.is(
        2,
        "",
        "ipc: sock serve: ADDRESS: 2 sockets were handed over; name one: fd:alpha, fd:beta\n",
    );
    run(":", &["serve", "--echo"]).unwrap().is(
        2,
        "",
        "ipc: sock serve: ADDRESS: 2 sockets were handed over; name one: fd:3, fd:4\n",
    );
    run("a:b", &["serve", "fd:c", "--echo"]).unwrap().is(
        4,
        "",
        "ipc: sock serve: fd:c: no descriptor of this name was handed over\n",
    );
    let shown = run("alpha:beta", &["stat", "fd:beta"]).unwrap().succeeds();
    assert!(shown.contains("address:        two\n"), "{shown}");
    let script = "env | grep ^LISTEN_; ls /proc/self/fd";
    let server = run("a:b", &["serve", "--once", "fd:b", "--", "sh", "-c", script]).unwrap();
    let server = server.start();
    let address = place.directory.path().join("two");
    // Neither the variables nor the descriptors reach a command.
    ipc(&["sock", "connect", "--retry", "60"]).word(&address).is(0, "0\n1\n2\n3\n", "");
    assert_eq!(code(&server.finish()), 0);
}

#[test]
fn variables_for_another_process_are_ignored() {
    let none = "ipc: sock serve: ADDRESS: none is given, and no socket was handed over in \
                LISTEN_FDS\n";
    ipc(&["sock", "serve", "--echo"]).is(2, "", none);
    let others = ipc(&["sock", "serve", "--echo"]).env("LISTEN_FDS", "1").env("LISTEN_PID", "1");
    others.is(2, "", none);
    let connected = sh("LISTEN_PID=$$ LISTEN_FDS=1 exec ipc sock serve --echo 3</dev/null");
    connected.is(3, "", "ipc: sock serve: fd:3: not a listening socket\n");
}

#[test]
fn a_closed_descriptor_is_not_mistaken_for_one_that_was_handed_over() {
    for (verb, options) in [("serve", "--echo"), ("recv", "--type seqpacket")] {
        let place = Place::new();
        // The lowest free number, which the next descriptor of `ipc` would get.
        let line = format!("exec 3>&- 7>\"$0\"; exec ipc sock {verb} fd:3 --ready 7 {options}");
        let told = format!("ipc: sock {verb}: fd:3: Bad file descriptor\n");
        sh(&line).word(&*place).is(3, "", &told);
    }
}
