//! `ipc fd send`, `ipc fd recv`, `ipc fd get`, `ipc fd memfd`.

use std::io::IoSlice;
use std::os::fd::AsRawFd;
use std::os::unix::net::{UnixListener, UnixStream};

use nix::sys::signal::Signal;
use nix::sys::socket::{ControlMessage, MsgFlags, sendmsg};

use crate::support::{as_another_user, bash, code, ipc, sh, text, until};

/// Prints the environment of sd_listen_fds(3), and whether it is for this process.
const SHOW: &str = "echo $LISTEN_FDS $LISTEN_FDNAMES; [ $LISTEN_PID = $$ ] && echo own";

#[test]
fn descriptors_are_received_from_number_3_up_with_their_names() {
    let directory = tempfile::tempdir().unwrap();
    for kind in ["stream", "seqpacket"] {
        let line = format!("{SHOW}; cat <&4; echo appended >&3");
        let words = ["fd", "recv", "--type", kind, "./s", "--", "sh", "-c", &line];
        let receiver = ipc(&words).within(directory.path()).start();
        bash(&format!(
            "echo second >two; exec 8>>one 5<two
             ipc fd send --retry 60 --type {kind} ./s 8=log 5"
        ))
        .within(directory.path())
        .is(0, "", "");
        let output = receiver.finish();
        let shown = "2 log:unknown\nown\nsecond\n";
        assert_eq!(
            (code(&output), text(&output.stdout), text(&output.stderr)),
            (0, shown.into(), String::new())
        );
    }
    assert_eq!(
        std::fs::read_to_string(directory.path().join("one")).unwrap(),
        "appended\nappended\n"
    );
    assert!(!directory.path().join("s").exists());
}

#[test]
fn as_many_as_a_message_carries_are_passed() {
    let directory = tempfile::tempdir().unwrap();
    let line = "echo $LISTEN_FDS; set -- /proc/$$/fd/*; echo $#";
    let words = ["fd", "recv", "./s", "--", "sh", "-c", line];
    let receiver = ipc(&words).within(directory.path()).start();
    let most = vec!["0=in"; 253];
    let send = ["fd", "send", "--retry", "60", "./s"];
    ipc(&send).within(directory.path()).words(&most).is(0, "", "");
    assert_eq!(text(&receiver.finish().stdout), "253\n257\n");
    let receiver = ipc(&words).within(directory.path()).start();
    let refused = "ipc: fd send: ./s: 254 descriptors are more than a message carries (253)\n";
    ipc(&send).within(directory.path()).words(&most).words(&["1"]).is(2, "", refused);
    // The receiver goes on to wait.
    ipc(&send).within(directory.path()).words(&["0"]).is(0, "", "");
    let output = receiver.finish();
    assert_eq!(text(&output.stdout), "1\n5\n");
    let ended = "ipc: fd recv: the sender has closed and sent no descriptors\n";
    assert_eq!(text(&output.stderr), ended);
}

#[test]
fn more_descriptors_than_the_receiver_may_have_are_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let receiver =
        sh("ulimit -n 64; exec ipc fd recv ./s -- true").within(directory.path()).start();
    let most = vec!["0"; 253];
    let sent = ipc(&["fd", "send", "--retry", "60", "./s"]).within(directory.path()).words(&most);
    sent.output();
    let output = receiver.finish();
    assert_eq!(code(&output), 125, "{output:?}");
    assert!(text(&output.stderr).contains("more descriptors than this process may have"));
}

#[test]
fn descriptors_of_other_programs_are_received() {
    let directory = tempfile::tempdir().unwrap();
    let words =
        ["fd", "recv", "--ready", "r", "./s", "--", "sh", "-c", "echo $LISTEN_FDNAMES; cat <&3"];
    let receiver = ipc(&words).within(directory.path()).start();
    until("it listens", || directory.path().join("r").exists());
    let nothing = UnixStream::connect(directory.path().join("s")).unwrap();
    sendmsg::<()>(nothing.as_raw_fd(), &[IoSlice::new(b"x")], &[], MsgFlags::empty(), None)
        .unwrap();
    let stream = UnixStream::connect(directory.path().join("s")).unwrap();
    let file = directory.path().join("file");
    std::fs::write(&file, "content").unwrap();
    let file = std::fs::File::open(file).unwrap();
    let rights = [file.as_raw_fd()];
    let control = [ControlMessage::ScmRights(&rights)];
    sendmsg::<()>(stream.as_raw_fd(), &[IoSlice::new(b"!")], &control, MsgFlags::empty(), None)
        .unwrap();
    let output = receiver.finish();
    let seen = (text(&output.stdout), text(&output.stderr));
    assert_eq!(
        seen,
        ("unknown\ncontent".into(), "ipc: fd recv: a message without descriptors\n".into())
    );
}

#[test]
fn a_receiver_that_closes_is_an_error_of_the_sender() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("s");
    let listener = UnixListener::bind(&path).unwrap();
    let sender = ipc(&["fd", "send"]).word(&path).words(&["0"]).start();
    drop(listener.accept().unwrap());
    let output = sender.finish();
    assert_eq!(code(&output), 3, "{output:?}");
    let (stream, sender) =
        (listener, ipc(&["fd", "send", "-t", "100ms"]).word(&path).words(&["0"]));
    let late = format!("ipc: fd send: {}: timed out\n", path.display());
    sender.is(124, "", &late);
    drop(stream);
}

#[test]
fn what_is_not_there_is_reported() {
    ipc(&["fd", "send", "./none", "0"]).is(
        4,
        "",
        "ipc: fd send: ./none: No such file or directory\n",
    );
    ipc(&["fd", "send", "./none", "77"]).is(3, "", "ipc: fd send: 77: Bad file descriptor\n");
    let wrong = ipc(&["fd", "send", "./none", "x"]).output();
    assert_eq!(code(&wrong), 2, "{wrong:?}");
    let wrong = ipc(&["fd", "send", "./none", "0=a:b"]).output();
    assert_eq!(code(&wrong), 2, "{wrong:?}");
    ipc(&["fd", "recv", "-t", "50ms", "./s", "--", "true"])
        .within(tempfile::tempdir().unwrap().path())
        .is(124, "", "ipc: fd recv: ./s: timed out\n");
}

#[test]
fn a_descriptor_of_a_process_is_copied_with_its_position() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("file"), "one\ntwo\n").unwrap();
    let line = "exec 7<file; read first <&7; echo ready >r; exec sleep 1000";
    let owner = bash(line).within(directory.path()).start();
    until("it has read", || directory.path().join("r").exists());
    let pid = owner.pid().to_string();
    let line = format!("{SHOW}; cat <&3");
    let output = ipc(&["fd", "get", &pid, "7", "--", "sh", "-c", &line]).output();
    let shown = text(&output.stdout);
    // dash reads a byte at a time from a file, or seeks back.
    assert_eq!((code(&output), &*shown), (0, "1 unknown\nown\ntwo\n"), "{output:?}");
    let missing = format!("ipc: fd get: {pid} 77: Bad file descriptor\n");
    ipc(&["fd", "get", &pid, "77", "--", "true"]).is(125, "", &missing);
    owner.signal(Signal::SIGKILL);
    owner.finish();
}

#[test]
fn a_process_that_may_not_be_traced_is_explained() {
    let pid = std::process::id().to_string();
    let Some(other) = as_another_user(&["fd", "get", &pid, "0", "--", "true"]) else { return };
    let output = other.output();
    assert_eq!(code(&output), 125, "{output:?}");
    let said = text(&output.stderr);
    assert!(
        said.starts_with(&format!("ipc: fd get: {pid} 0: Operation not permitted\nhint: ")),
        "{said}"
    );
    assert!(said.contains("trace"), "{said}");
}

#[test]
fn stdin_becomes_a_file_with_a_path() {
    ipc(&["fd", "memfd", "--", "sh", "-c", "cat {} {}; cat <&3"]).input("x").is(0, "xxx", "");
    ipc(&["fd", "memfd", "--", "sh", "-c", "echo y >{}; cat {}"]).input("x").is(0, "y\n", "");
    let sealed = ipc(&["fd", "memfd", "--seal", "--", "bash", "-c", "echo y >{} || cat {}"]);
    let output = sealed.input("x").output();
    assert_eq!(text(&output.stdout), "x", "{output:?}");
    ipc(&["fd", "memfd", "--", "cat", "{}"]).input(vec![b'x'; 1 << 20]).succeeds();
    ipc(&["fd", "memfd", "--", "no-such-command"]).is(
        127,
        "",
        "ipc: fd memfd: no-such-command: No such file or directory\n",
    );
}

#[test]
fn a_log_file_is_handed_to_a_confined_process() {
    if !nix::unistd::Uid::effective().is_root() {
        return crate::support::skipped("only root becomes another user");
    }
    let (directory, copy) = crate::support::copy_for_others();
    let copy = copy.to_str().unwrap();
    std::fs::set_permissions(directory.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755))
        .unwrap();
    bash(&format!(
        "umask 077; : >log
         {copy} fd recv --ready r ./s -- setpriv --reuid 65534 --clear-groups sh -c '
             echo started >&3; cat log || echo denied >&3' 2>/dev/null & receiver=$!
         until [ -e r ]; do sleep 0.01; done
         {copy} fd send ./s 9=log 9>>log; wait $receiver; cat log"
    ))
    .within(directory.path())
    .is(0, "started\ndenied\n", "");
}
