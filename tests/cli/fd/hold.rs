//! `ipc fd hold`, `store`, `take`, `drop`, and `ls` of a holder.

use std::io::{IoSlice, Read};
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};

use nix::sys::signal::Signal;
use nix::sys::socket::{ControlMessage, MsgFlags, UnixAddr, sendmsg};

use crate::support::{
    Run, Running, as_another_user, bash, code, copy_for_others, ipc, sh, text, until,
};

/// A holder at `./h` of a directory.
pub struct Holder {
    pub directory: tempfile::TempDir,
    holder: Running,
}

impl Holder {
    pub fn new(options: &[&str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let words = ["fd", "hold", "--ready", "r", "./h"];
        let holder = ipc(&words).within(directory.path()).words(options).start();
        until("it holds", || directory.path().join("r").exists());
        Self { directory, holder }
    }

    pub fn sh(&self, line: &str) -> Run {
        sh(line).within(self.directory.path())
    }

    /// The names of what is held.
    pub fn names(&self) -> Vec<String> {
        let shown = self.sh("ipc fd ls --json ./h").succeeds();
        let rows: Vec<serde_json::Value> = serde_json::from_str(&shown).unwrap();
        rows.iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect()
    }

    /// Sends a message of sd_notify(3).
    fn notify(&self, text: &str, descriptors: &[i32]) {
        let socket = UnixDatagram::unbound().unwrap();
        let rights = [ControlMessage::ScmRights(descriptors)];
        let rights = if descriptors.is_empty() { &[][..] } else { &rights[..] };
        let to = UnixAddr::new(&self.directory.path().join("h.notify")).unwrap();
        let parts = [IoSlice::new(text.as_bytes())];
        sendmsg(socket.as_raw_fd(), &parts, rights, MsgFlags::empty(), Some(&to)).unwrap();
    }
}

#[test]
fn descriptors_are_stored_listed_taken_and_dropped() {
    let holder = Holder::new(&[]);
    holder.sh("echo content >file; ipc fd store ./h 5=one 6=two 5<file 6>>log").is(0, "", "");
    assert_eq!(holder.names(), ["one", "two"]);
    let take = "ipc fd take ./h -- sh -c 'echo $LISTEN_FDS $LISTEN_FDNAMES; \
                [ $LISTEN_PID = $$ ] && echo own; echo ${NOTIFY_SOCKET##*/}; echo x >&4'";
    for _ in 0..2 {
        holder.sh(take).is(0, "2 one:two\nown\nh.notify\n", "");
    }
    holder.sh("cat log").is(0, "x\nx\n", "");
    holder.sh("ipc fd drop ./h one").is(0, "", "");
    assert_eq!(holder.names(), ["two"]);
    holder.sh("ipc fd drop ./h one").is(
        4,
        "",
        "ipc: fd drop: ./h: one: no such descriptor is held\n",
    );
    holder
        .sh("ipc fd drop ./h two; ipc fd take ./h -- sh -c 'echo ${LISTEN_FDS-none}'")
        .is(0, "none\n", "");
    let table = holder.sh("ipc fd store ./h 7=n 7</dev/null; ipc fd ls ./h").succeeds();
    assert!(table.starts_with("NAME  OWNER"), "{table}");
    holder.holder.signal(Signal::SIGTERM);
    let ended = holder.holder.finish();
    assert_eq!((code(&ended), text(&ended.stderr)), (143, String::new()));
    assert!(!holder.directory.path().join("h").exists());
    assert!(!holder.directory.path().join("h.notify").exists());
}

#[test]
fn a_descriptor_expires() {
    let holder = Holder::new(&["--expire", "1h"]);
    holder.sh("ipc fd store ./h 5=long 5</dev/null").is(0, "", "");
    holder.sh("ipc fd store --expire 200ms ./h 5=short 5</dev/zero").is(0, "", "");
    until("it has expired", || holder.names() == ["long"]);
}

#[test]
fn a_descriptor_whose_peer_has_hung_up_is_closed() {
    let holder = Holder::new(&[]);
    let (one, other) = UnixStream::pair().unwrap();
    holder.notify("FDSTORE=1\nFDNAME=client", &[one.as_raw_fd()]);
    until("it is held", || holder.names() == ["client"]);
    drop(one);
    drop(other);
    until("it is closed", || holder.names().is_empty());
    let (one, other) = UnixStream::pair().unwrap();
    holder.notify("FDSTORE=1\nFDNAME=kept\nFDPOLL=0", &[one.as_raw_fd()]);
    drop((one, other));
    until("it is held", || holder.names() == ["kept"]);
}

#[test]
fn a_service_written_for_systemd_can_use_it() {
    let holder = Holder::new(&[]);
    let listener = UnixListener::bind(holder.directory.path().join("web")).unwrap();
    holder.notify("READY=1\nSTATUS=running", &[]);
    holder.notify("FDSTORE=1\nFDNAME=web", &[listener.as_raw_fd()]);
    until("it is held", || holder.names() == ["web"]);
    // Once more, as after a restart: it is held once.
    holder.notify("FDSTORE=1\nFDNAME=web2", &[listener.as_raw_fd()]);
    until("it has the new name", || holder.names() == ["web2"]);
    holder.notify("FDSTOREREMOVE=1\nFDNAME=web2", &[]);
    until("it is closed", || holder.names().is_empty());
    // A barrier: the holder closes what it does not store.
    let (mut reader, writer) = std::io::pipe().unwrap();
    holder.notify("BARRIER=1", &[writer.as_raw_fd()]);
    drop(writer);
    assert_eq!(reader.read(&mut [0]).unwrap(), 0);
}

#[test]
fn a_descriptor_belongs_to_the_user_that_stored_it() {
    let holder = Holder::new(&["-m", "666"]);
    std::fs::set_permissions(holder.directory.path(), PermissionsExt::from_mode(0o755)).unwrap();
    holder.sh("ipc fd store ./h 5=own 5</dev/null").is(0, "", "");
    let path = holder.directory.path().join("h");
    let path = path.to_str().unwrap();
    let Some(list) = as_another_user(&["fd", "ls", "--json", path]) else { return };
    list.is(0, "[]\n", "");
    let (_copies, copy) = copy_for_others();
    let store =
        "exec setpriv --reuid 65534 --regid 65534 --clear-groups \"$0\" fd store ./h 5=theirs";
    holder.sh(&format!("{store} 5</dev/null")).word(copy).is(0, "", "");
    let missing = format!("ipc: fd drop: {path}: own: no such descriptor is held\n");
    as_another_user(&["fd", "drop", path, "own"]).unwrap().is(4, "", &missing);
    let show = ["fd", "take", path, "--", "sh", "-c", "echo $LISTEN_FDNAMES"];
    as_another_user(&show).unwrap().is(0, "theirs\n", "");
    assert_eq!(holder.names(), ["own", "theirs"]);
}

#[test]
fn no_more_are_held_than_the_limit() {
    let holder = Holder::new(&["--max-fds", "1"]);
    let line = "ipc fd store ./h 5=a 5</dev/null; ipc fd store ./h 5=b 5</dev/zero";
    let refused = "ipc: fd store: ./h: 1 descriptors are held already: --max-fds\n";
    holder.sh(line).is(3, "", refused);
    let holder = Holder::new(&["--max-fds", "2"]);
    let line = "ipc fd store ./h 5=a 5</dev/null; ipc fd store ./h 5=b 6=c 5</dev/zero 6</dev/full";
    let refused = "ipc: fd store: ./h: 2 descriptors are held already: --max-fds\n";
    holder.sh(line).is(3, "", refused);
    assert_eq!(holder.names(), ["a"]);
}

#[test]
fn many_descriptors_are_taken() {
    let holder = Holder::new(&[]);
    let line = "for i in 1 2 3; do ipc fd store ./h $(seq 100 199 | sed s/$/=n/) || exit; \
                eval \"$(seq 100 199 | sed 's|.*|exec &</dev/null|')\"; done";
    let line = format!("eval \"$(seq 100 199 | sed 's|.*|exec &</dev/null|')\"; {line}");
    bash(&line).within(holder.directory.path()).is(0, "", "");
    assert_eq!(holder.names().len(), 300);
    holder.sh("ipc fd take ./h -- sh -c 'echo $LISTEN_FDS'").is(0, "300\n", "");
}

#[test]
fn a_door_that_is_no_holder_is_reported() {
    let directory = tempfile::tempdir().unwrap();
    let words = ["door", "serve", "--ready", "r", "./d", "--", "echo", "hi"];
    let server = ipc(&words).within(directory.path()).start();
    until("it listens", || directory.path().join("r").exists());
    let refused = "ipc: fd ls: ./d: not a holder\n";
    ipc(&["fd", "ls", "./d"]).within(directory.path()).is(3, "", refused);
    server.signal(Signal::SIGTERM);
    server.finish();
}

#[test]
fn a_user_that_is_not_admitted_stores_nothing_by_a_message() {
    if !nix::unistd::Uid::effective().is_root() {
        return crate::support::skipped("only root becomes another user");
    }
    let holder = Holder::new(&["-m", "666", "--allow-uid", "33", "--max-fds", "5"]);
    std::fs::set_permissions(holder.directory.path(), PermissionsExt::from_mode(0o755)).unwrap();
    let send = "import os, socket, sys
os.setgroups([])
os.setresuid(*3 * [int(sys.argv[2])])
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.connect(sys.argv[1])
name = 'of-' + sys.argv[2]
socket.send_fds(s, [f'FDSTORE=1\\nFDPOLL=0\\nFDNAME={name}'.encode()], [0])";
    let notify = holder.directory.path().join("h.notify");
    for user in ["1000", "33"] {
        let Some(python) = crate::peers::python("socket", send, &[]) else { return };
        python.word(&notify).word(user).is(0, "", "");
    }
    until("one is held", || !holder.names().is_empty());
    assert_eq!(holder.names(), ["of-33"]);
    holder.notify(&format!("FDSTORE=1\nFDNAME=late\n{}", "x".repeat(5000)), &[0]);
    assert_eq!(holder.names(), ["of-33"]);
    holder.holder.signal(Signal::SIGTERM);
    let said = text(&holder.holder.finish().stderr);
    assert!(said.contains("of user 1000: --allow-uid does not name the user"), "{said}");
}
