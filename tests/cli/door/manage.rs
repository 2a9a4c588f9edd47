//! `ipc door info`, `ipc door revoke`.

use std::os::unix::fs::{MetadataExt, PermissionsExt};

use nix::sys::signal::Signal;

use super::Door;
use crate::support::{as_another_user, code, ipc, text, until};

#[test]
fn the_server_describes_its_door() {
    let options = ["--cookie", "c", "--max-calls", "3", "--max-size", "5K", "--max-fds", "2"];
    let door = Door::of(&options, "true");
    door.call(&["x"]).is(0, "", "");
    let pid = door.server.pid();
    let lines = format!(
        "path:      d\npid:       {pid}\ncookie:    c\nanswered:  1\nrunning:   0\n\
         waiting:   0\nmax_calls: 3\nmax_size:  5120\nmax_fds:   2\nworkers:   0\n"
    );
    door.run("info", &["d"]).is(0, &lines, "");
    let json = format!(
        "{{\"path\":\"d\",\"pid\":{pid},\"cookie\":\"c\",\"answered\":1,\"running\":0,\
         \"waiting\":0,\"max_calls\":3,\"max_size\":5120,\"max_fds\":2,\"workers\":0}}\n"
    );
    door.run("info", &["-j", "d"]).is(0, &json, "");
}

#[test]
fn a_revoked_door_finishes_the_calls_it_has() {
    let door = Door::of(&["--max-calls", "1"], "until [ -e go ]; do sleep 0.01; done; cat");
    let running = door.call(&["1"]).start();
    until("a call is in progress", || door.number("running") == 1);
    let waiting = door.call(&["2"]).start();
    until("another waits", || door.number("waiting") == 1);
    door.run("revoke", &["-v", "d"]).is(0, "", "ipc: door revoke: calls to finish: 2\n");
    assert!(!door.path().exists());
    door.call(&["3"]).is(4, "", "ipc: door call: d: No such file or directory\n");
    std::fs::write(door.directory.path().join("go"), "").unwrap();
    assert_eq!(text(&running.finish().stdout), "1");
    assert_eq!(text(&waiting.finish().stdout), "2");
    let ended = door.server.finish();
    assert_eq!((code(&ended), text(&ended.stderr)), (0, String::new()));
}

#[test]
fn a_revoke_that_has_timed_out_has_no_effect_later() {
    let door = Door::of(&[], "cat");
    door.server.signal(Signal::SIGSTOP);
    door.run("revoke", &["-t50ms", "d"]).is(124, "", "ipc: door revoke: d: timed out\n");
    door.server.signal(Signal::SIGCONT);
    door.call(&["still"]).is(0, "still", "");
    door.run("revoke", &["d"]).is(0, "", "");
    assert_eq!(code(&door.server.finish()), 0);
}

#[test]
fn only_the_user_of_the_server_and_root_revoke() {
    let door = Door::of(&["-m", "666"], "echo hi");
    std::fs::set_permissions(door.directory.path(), PermissionsExt::from_mode(0o755)).unwrap();
    let path = door.path();
    let path = path.to_str().unwrap();
    let Some(other) = as_another_user(&["door", "revoke", path]) else { return };
    other.is(
        6,
        "",
        &format!("ipc: door revoke: {path}: only the user of the server may revoke the door\n"),
    );
    as_another_user(&["door", "call", path, "x"]).unwrap().is(0, "hi\n", "");
}

#[test]
fn the_service_manager_and_the_owner_of_the_path_are_those_of_any_server() {
    let directory = tempfile::tempdir().unwrap();
    let address = directory.path().join("manager");
    let manager = std::os::unix::net::UnixDatagram::bind(&address).unwrap();
    manager.set_read_timeout(Some(std::time::Duration::from_secs(60))).unwrap();
    let report = || {
        let mut buffer = [0; 100];
        let count = manager.recv(&mut buffer).unwrap();
        text(&buffer[..count])
    };
    let show = "cat; echo ${NOTIFY_SOCKET-unset}";
    let worker = "while read x; do echo ${NOTIFY_SOCKET-unset}; done";
    let group = nix::unistd::getgid().to_string();
    let owner =
        if nix::unistd::Uid::effective().is_root() { "33:34" } else { &format!(":{group}") };
    for command in [&["--", "sh", "-c", show][..], &["--worker", "--", "sh", "-c", worker]] {
        let run = ipc(&["door", "serve", "--notify", "--owner", owner]);
        let door = Door::with(run.env("NOTIFY_SOCKET", address.to_str().unwrap()), command);
        assert_eq!(report(), "READY=1");
        let status = door.path().metadata().unwrap();
        assert!(owner.ends_with(&format!(":{}", status.gid())), "{status:?}");
        let shown = door.call(&["x"]).output();
        assert!(text(&shown.stdout).ends_with("unset\n"), "{shown:?}");
        door.run("revoke", &["d"]).is(0, "", "");
        assert_eq!(code(&door.server.finish()), 0);
        assert_eq!(report(), "STOPPING=1");
    }
    let words = ["fd", "hold", "--notify", "--owner", owner, "./h"];
    let run = ipc(&words).within(directory.path());
    let holder = run.env("NOTIFY_SOCKET", address.to_str().unwrap()).start();
    assert_eq!(report(), "READY=1");
    for name in ["h", "h.notify"] {
        let status = directory.path().join(name).metadata().unwrap();
        assert!(owner.ends_with(&format!(":{}", status.gid())), "{status:?}");
    }
    holder.signal(nix::sys::signal::Signal::SIGTERM);
    holder.finish();
    assert_eq!(report(), "STOPPING=1");
}
