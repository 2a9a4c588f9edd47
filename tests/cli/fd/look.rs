//! `ipc fd ls`.

use std::os::fd::AsRawFd;

use crate::support::{as_another_user, bash, code, ipc, script, sh, skipped, text, until};

#[test]
fn the_descriptors_of_a_process_are_listed() {
    let directory = tempfile::tempdir().unwrap();
    let line = "exec 5<>file; echo hello >&5; exec 6>>log 7</dev/null 8<. 9> >(sleep 1000)
        echo waiting >&9; echo ready >r; exec sleep 1000";
    let owner = bash(line).within(directory.path()).start();
    until("it is ready", || directory.path().join("r").exists());
    until("it sleeps", || {
        std::fs::read(format!("/proc/{}/comm", owner.pid())).unwrap() == b"sleep\n"
    });
    let shown = ipc(&["fd", "ls", "--json", &owner.pid().to_string()]).succeeds();
    let rows: serde_json::Value = serde_json::from_str(&shown).unwrap();
    let row = |fd: i64| rows.as_array().unwrap().iter().find(|row| row["fd"] == fd).unwrap();
    let path = |name: &str| {
        directory.path().canonicalize().unwrap().join(name).to_str().unwrap().to_owned()
    };
    assert_eq!(row(5)["kind"], "file");
    assert_eq!(row(5)["access"], "rw");
    assert_eq!(row(5)["position"], 6);
    assert_eq!(row(5)["target"], path("file"));
    assert_eq!(row(6)["access"], "w");
    assert_eq!(row(6)["flags"], serde_json::json!(["append"]));
    assert_eq!((&row(7)["kind"], &row(7)["target"]), (&"character".into(), &"/dev/null".into()));
    assert_eq!(row(8)["kind"], "directory");
    assert_eq!(row(9)["kind"], "pipe");
    assert_eq!((&row(9)["waiting"], &row(9)["capacity"]), (&8.into(), &65536.into()));
    let table = ipc(&["fd", "ls", &owner.pid().to_string()]).succeeds();
    assert!(table.contains("FD  KIND"), "{table}");
}

#[test]
fn a_socket_shows_its_address_and_its_peer() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let shown = ipc(&["fd", "ls", "--json", &std::process::id().to_string()]).succeeds();
    let rows: serde_json::Value = serde_json::from_str(&shown).unwrap();
    let row = |fd: i32| rows.as_array().unwrap().iter().find(|row| row["fd"] == fd).unwrap();
    let (own, at) = (client.local_addr().unwrap(), listener.local_addr().unwrap());
    let client = row(client.as_raw_fd());
    assert_eq!(client["kind"], "tcp");
    assert_eq!(client["target"], format!("tcp:{own}"));
    assert_eq!(client["peer"], format!("tcp:{at}"));
}

#[test]
fn a_process_that_is_not_there_or_hidden_is_reported() {
    ipc(&["fd", "ls", "4194304"]).is(4, "", "ipc: fd ls: 4194304: No such process\n");
    let pid = std::process::id().to_string();
    let Some(other) = as_another_user(&["fd", "ls", &pid]) else { return };
    let output = other.output();
    assert_eq!(code(&output), 6, "{output:?}");
    assert!(text(&output.stderr).contains("Permission denied\nhint: "), "{output:?}");
}

#[test]
fn descriptors_without_a_proc_are_explained() {
    if !nix::unistd::Uid::effective().is_root() {
        return skipped("only root mounts");
    }
    let directory = tempfile::tempdir().unwrap();
    let line = "mount -t tmpfs none /proc || exit
        ipc fd hold --ready r ./h & until_true [ -s r ]; ipc fd store ./h 9=n 9<r
        ipc fd ls ./h; ipc fd ls 1; ipc fd take ./h -- sh -c 'echo $LISTEN_FDNAMES'; kill $!";
    let own = "ipc: fd ls: ./h: the holder: it has no /proc, which lists its descriptors\n";
    let process = "ipc: fd ls: 1: this machine has no /proc, which lists processes and objects\n\
                   hint: as root: mkdir -p /proc && mount -t proc none /proc\n";
    sh("exec unshare --mount sh -c \"$0\"").word(script(line)).within(directory.path()).is(
        0,
        "n\n",
        &format!("{own}{process}"),
    );
}
