//! `ipc sock ls` and `stat`.

use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;

use nix::sys::signal::Signal;

use super::{Place, abstract_name, serve, serve_port, stop};
use crate::support::{binary, ipc, sh, text, until};

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
