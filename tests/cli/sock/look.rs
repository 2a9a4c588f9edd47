//! `ipc sock ls` and `stat`.

use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::{UnixListener, UnixStream};

use nix::sys::signal::Signal;

use super::{Place, abstract_name, serve, serve_port, stop};
use crate::peers;
use crate::support::{Run, as_another_user, binary, ipc, sh, text, until};

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
        let text = ipc(&["sock", "ls", "-q"]).succeeds();
        assert!(text.lines().any(|line| line.contains(address)), "{text}");
        stop(server, Signal::SIGTERM);
    }
    let (server, address) = serve_port(&["sock", "serve", "tcp:127.0.0.1:0", "--echo"]);
    let text = ipc(&["sock", "ls", "-q"]).succeeds();
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
             peer:          -\nholders:       {} (ipc)\nconnections:   1\nmode:          0600\n\
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
fn a_missing_path_or_another_file_has_no_state() {
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
fn a_descriptor_shows_its_peer_and_its_options() {
    let place = Place::new();
    let server = serve(&place, &["--", binary().to_str().unwrap(), "sock", "stat", "fd:0"]);
    let client = ipc(&["sock", "connect", &place]).start();
    let pid = client.pid();
    let shown = text(&client.finish().stdout);
    assert!(shown.contains(&format!("peer_pid:       {pid}\n")), "{shown}");
    assert!(shown.contains("state:          connected\n"), "{shown}");
    stop(server, Signal::SIGTERM);
}

/// What `ipc sock ls` knows of the socket at an address.
fn listed(address: &str) -> serde_json::Value {
    let listed = ipc(&["sock", "ls", "--json"]).succeeds();
    let listed: Vec<serde_json::Value> = serde_json::from_str(&listed).unwrap();
    let row = listed.into_iter().find(|row| row["address"] == address);
    row.unwrap_or_else(|| panic!("{address} is not listed"))
}

#[test]
fn the_listing_agrees_with_that_of_ss() {
    if !peers::there("ss", &["-V"]) {
        return;
    }
    let place = Place::new();
    let unix = UnixListener::bind(&*place).unwrap();
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = tcp.local_addr().unwrap();
    let _clients = [UnixStream::connect(&*place).unwrap(), UnixStream::connect(&*place).unwrap()];
    let _client = TcpStream::connect(port).unwrap();
    for (options, name, address, queue) in [
        ("-Hxlp", &*place, &*place, 2),
        ("-Htlnp", port.to_string().as_str(), format!("tcp:{port}").as_str(), 1),
    ] {
        let lines = Run::new("ss", &[options]).succeeds();
        let line = lines.lines().find(|line| line.contains(name)).expect("ss lists it");
        let numbers: Vec<u64> =
            line.split_whitespace().filter_map(|word| word.parse().ok()).take(2).collect();
        let row = listed(address);
        assert_eq!(row["state"], "listening");
        assert_eq!([&row["receive_queue"], &row["send_queue"]], [numbers[0], numbers[1]], "{line}");
        assert_eq!(row["receive_queue"], queue);
        let pid = row["holders"][0]["pid"].to_string();
        assert!(line.contains(&format!("pid={pid},")), "{line}");
    }
    drop((unix, tcp));
}

#[test]
fn hidden_holders_are_reported() {
    let address = abstract_name();
    let Some(stranger) = as_another_user(&["sock", "stat", &address]) else { return };
    let server = serve(&address, &["--echo"]);
    let shown = stranger.succeeds();
    let holders = shown.lines().find(|line| line.starts_with("holders:")).unwrap();
    assert!(holders.ends_with("processes could not be seen"), "{shown}");
    let listed = as_another_user(&["sock", "ls"]).unwrap().output();
    let (stdout, stderr) = (text(&listed.stdout), text(&listed.stderr));
    let line = stdout.lines().find(|line| line.contains(&address)).unwrap();
    assert!(line.ends_with("  -"), "{line}");
    // Once, whatever is listed.
    let told = stderr.strip_prefix("ipc: sock ls: ").unwrap_or_default();
    assert!(told.ends_with(" processes could not be seen\n"), "{stderr}");
    assert_eq!(told.lines().count(), 1);
    as_another_user(&["sock", "ls", "-q"]).unwrap().succeeds();
    stop(server, Signal::SIGTERM);
}

#[test]
fn a_name_of_any_bytes_is_listed_whole_and_moves_no_terminal() {
    let place = Place::new();
    let path = format!("{}\n\x1b[2J", &*place);
    let server = serve(&path, &["--echo"]);
    assert_eq!(listed(&path)["holders"][0]["pid"], server.pid());
    if let Some(list) = peers::at_terminal("stty cols 400; ipc sock ls") {
        let shown = list.succeeds();
        assert!(shown.contains(&format!("{}\\n\\x1b[2J", &*place)), "{shown}");
    }
    stop(server, Signal::SIGTERM);
}

#[test]
fn a_dead_socket_is_not_mistaken_for_one_with_the_same_inode_elsewhere() {
    let options = ["--user", "--map-root-user", "--mount"];
    if !peers::may_unshare(&options) {
        return;
    }
    // Each file system of memory numbers its files from the same number on.
    let script = "
for place in one two; do
    mkdir $place && mount -t tmpfs none $place && mkfifo $place.ready || exit
    ipc sock serve $place/s --echo --ready $place.ready &
    read line <$place.ready; first=${first:-$!}
done
[ $(stat -c %i one/s) = $(stat -c %i two/s) ] && echo alike
kill -KILL $!; wait $! 2>/dev/null
ipc sock wait -n two/s; echo $?
ipc sock stat two/s | grep state
ipc sock wait -n one/s; echo $?
kill $first";
    let directory = tempfile::tempdir().unwrap();
    let expected = "alike\n1\nstate:   dead\n0\n";
    let line = format!("exec unshare {} sh -c \"$0\"", options.join(" "));
    sh(&line).word(script).within(directory.path()).is(0, expected, "");
}

#[test]
fn a_server_and_its_connections_are_listed_by_the_path_from_any_directory() {
    let place = Place::new();
    let server = ipc(&["sock", "serve", "./s", "--echo"]).within(place.directory.path()).start();
    ipc(&["sock", "wait", "-t60", &place]).is(0, "", "");
    let _client = UnixStream::connect(&*place).unwrap();
    until("both are listed by it", || {
        let listed = ipc(&["sock", "ls", "-a", "--json"]).succeeds();
        listed.matches(&format!("\"address\":\"{}\"", &*place)).count() == 2
    });
    stop(server, Signal::SIGTERM);
    // The one that keeps the path has given the socket away.
    let server = ipc(&["sock", "serve", &place, "--activate", "--", "sleep", "600"]).start();
    ipc(&["sock", "wait", "-t60", &place]).is(0, "", "");
    assert_eq!(listed(&place)["state"], "listening");
    server.signal(Signal::SIGTERM);
    server.finish();
}
