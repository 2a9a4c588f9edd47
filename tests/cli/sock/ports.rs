//! TCP, UDP and vsock.

use std::net::{TcpListener, TcpStream, UdpSocket};

use nix::sys::signal::Signal;

use super::{serve_port, stop};
use crate::peers;
use crate::support::{Run, as_another_user, binary, code, ipc, skipped, text};

/// A free TCP port, for tests that have to name one.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[test]
fn a_connection_comes_from_the_address_that_is_asked_for() {
    for (host, other) in [("127.0.0.1", "127.0.0.2"), ("[::1]", "[::1]")] {
        let words = ["--", "sh", "-c", "echo $IPC_PEER_ADDR"];
        let (server, address) =
            serve_port(&[["sock", "serve", &format!("tcp:{host}:0")].as_slice(), &words].concat());
        let from = format!("tcp:{other}:{}", free_port());
        // Also when the port has just been left.
        for _ in 0..2 {
            ipc(&["sock", "connect", "--bind", &from, &address]).is(0, &format!("{from}\n"), "");
        }
        let from = format!("tcp:{other}:0");
        let seen = ipc(&["sock", "connect", "--bind", &from, &address]).succeeds();
        assert!(seen.starts_with(from.strip_suffix('0').unwrap()), "{seen}");
        stop(server, Signal::SIGTERM);
    }
}

#[test]
fn a_datagram_comes_from_the_address_that_is_asked_for() {
    for host in ["127.0.0.1", "[::1]"] {
        let receiver = UdpSocket::bind(format!("{host}:0")).unwrap();
        let own = UdpSocket::bind(format!("{host}:0")).unwrap().local_addr().unwrap();
        let to = format!("udp:{}", receiver.local_addr().unwrap());
        ipc(&["sock", "send", "--bind", &format!("udp:{own}"), &to, "hi"]).is(0, "", "");
        assert_eq!(receiver.recv_from(&mut [0; 9]).unwrap(), (2, own));
    }
}

#[test]
fn an_unsuitable_source_address_is_reported() {
    let (server, address) = serve_port(&["sock", "serve", "tcp:127.0.0.1:0", "--echo"]);
    let connect = |bind: &str, status, reason: &str| {
        let told = format!("ipc: sock connect: {bind}: {reason}\n");
        ipc(&["sock", "connect", "--bind", bind, &address]).is(status, "", &told);
    };
    let version = "an IPv4 address cannot reach an IPv6 address, nor the reverse";
    connect("tcp:[::1]:0", 2, version);
    let kind = "expected tcp:HOST:PORT to connect to TCP, udp:HOST:PORT for UDP";
    connect("udp::0", 2, kind);
    connect("@name", 2, kind);
    connect("tcp:192.0.2.1:0", 3, "Cannot assign requested address");
    let holder = format!("Address already in use\nhint: process {} (ipc) has it", server.pid());
    connect(&address, 5, &holder);
    stop(server, Signal::SIGTERM);
}

#[test]
fn a_port_of_udp_that_is_in_use_is_not_shared() {
    let (receiver, address) = serve_port(&["sock", "recv", "-f", "udp:127.0.0.1:0"]);
    let hint = format!("Address already in use\nhint: process {} (ipc) has it\n", receiver.pid());
    let refused = |verb| format!("ipc: sock {verb}: {address}: {hint}");
    ipc(&["sock", "recv", &address]).is(5, "", &refused("recv"));
    let words = ["sock", "send", "--bind", &address, "udp:127.0.0.1:9", "x"];
    ipc(&words).is(5, "", &refused("send"));
    stop(receiver, Signal::SIGTERM);
}

#[test]
fn the_holder_of_a_port_is_named_even_if_its_process_is_hidden() {
    let (server, address) = serve_port(&["sock", "serve", "tcp:127.0.0.1:0", "--echo"]);
    let Some(stranger) = as_another_user(&["sock", "serve", &address, "--echo"]) else { return };
    let uid = nix::unistd::geteuid();
    stranger.is(
        5,
        "",
        &format!(
            "ipc: sock serve: {address}: Address already in use\n\
             hint: a process of user {uid} has it\n"
        ),
    );
    stop(server, Signal::SIGTERM);
}

#[test]
fn an_empty_host_is_every_address_and_an_empty_ipv6_address_is_those_of_ipv6() {
    let script = "echo $IPC_PEER_ADDR $IPC_LOCAL_ADDR";
    let (server, address) = serve_port(&["sock", "serve", "tcp::0", "--", "sh", "-c", script]);
    let port = address.strip_prefix("tcp:[::]:").expect("every address");
    let hosts = std::fs::read_to_string("/etc/hosts").unwrap_or_default();
    let mut names = vec!["127.0.0.1", "[::1]", "localhost", ""];
    if !hosts.contains("localhost") {
        skipped("/etc/hosts has no localhost");
        names.retain(|&name| name != "localhost");
    }
    for host in names {
        ipc(&["sock", "wait", "-n", &format!("tcp:{host}:{port}")]).is(0, "", "");
        let seen = ipc(&["sock", "connect", &format!("tcp:{host}:{port}")]).succeeds();
        let ours = if host.contains(':') { "tcp:[::1]:" } else { "tcp:127.0.0.1:" };
        assert!(host == "localhost" || seen.starts_with(ours), "{host}: {seen}");
        assert!(seen.trim_end().ends_with(port), "{host}: {seen}");
    }
    stop(server, Signal::SIGTERM);
    let (server, address) = serve_port(&["sock", "serve", "tcp:[::]:0", "--echo"]);
    let port = address.strip_prefix("tcp:[::]:").expect("every address of IPv6");
    let refused = format!("ipc: sock connect: tcp:127.0.0.1:{port}: Connection refused\n");
    ipc(&["sock", "connect", &format!("tcp:127.0.0.1:{port}")]).is(4, "", &refused);
    ipc(&["sock", "connect", &address]).input("six").is(0, "six", "");
    stop(server, Signal::SIGTERM);
}

#[test]
fn a_port_that_the_system_chooses_is_reported_and_another_is_not() {
    let server = ipc(&["sock", "serve", "--once", "--idle", "0", "tcp:127.0.0.1:0", "--echo"]);
    let output = server.output();
    let told = text(&output.stderr);
    let address = told.strip_prefix("ipc: sock serve: listening at ").expect("it is told");
    assert!(!address.trim_end().ends_with(":0"), "{address}");
    let words = ["sock", "serve", "--once", "--idle", "0", "--echo", address.trim_end()];
    ipc(&words).is(0, "", "");
}

#[test]
fn a_server_of_this_machine_that_is_waited_for_notices_nothing() {
    let (server, address) = serve_port(&["sock", "serve", "--once", "tcp:127.0.0.1:0", "--echo"]);
    ipc(&["sock", "wait", "-t", "60", &address]).is(0, "", "");
    ipc(&["sock", "wait", "-n", &address]).is(0, "", "");
    ipc(&["sock", "connect", &address]).input("still the first").is(0, "still the first", "");
    assert_eq!(code(&server.finish()), 0);
    ipc(&["sock", "wait", "-n", &address]).is(1, "", "");
    ipc(&["sock", "wait", "-t", "50ms", &address]).is(
        124,
        "",
        &format!("ipc: sock wait: {address}: timed out\n"),
    );
}

#[test]
fn bytes_are_sent_at_once_and_peers_that_vanish_are_found_out() {
    let ipc_path = binary().to_str().unwrap().to_owned();
    for (option, after) in [
        (None, Some("7200")),
        (Some("--keepalive=30s"), Some("30")),
        (Some("--keepalive=inf"), None),
    ] {
        let own = option.as_slice();
        let words = ["--", &ipc_path, "sock", "stat", "fd:0"];
        let (server, address) =
            serve_port(&[["sock", "serve", "tcp:127.0.0.1:0"].as_slice(), own, &words].concat());
        let at_server = ipc(&["sock", "connect", &address]).succeeds();
        stop(server, Signal::SIGTERM);
        let (server, address) = serve_port(&["sock", "serve", "tcp:127.0.0.1:0", "--echo"]);
        let connect = [["sock", "connect", address.as_str()].as_slice(), own].concat();
        let stat = format!("exec {ipc_path} sock stat fd:0 >&2");
        let at_client = text(&ipc(&connect).words(&["--", "sh", "-c", &stat]).output().stderr);
        stop(server, Signal::SIGTERM);
        for shown in [at_server, at_client] {
            let value = |key: &str| {
                let found = shown.lines().find_map(|line| line.strip_prefix(key));
                found.map(|rest| rest.trim_start_matches(':').trim().to_owned())
            };
            assert_eq!(value("nodelay").as_deref(), Some("yes"), "{shown}");
            let seen = value("keepalive_seconds").filter(|seen| seen != "-");
            // What the system has of its own may be set otherwise.
            assert!(seen.as_deref() == after || option.is_none() && seen.is_some(), "{shown}");
        }
    }
    let output = ipc(&["sock", "connect", "--keepalive", "1ms", "tcp:127.0.0.1:9"]).output();
    assert_eq!(code(&output), 2);
    assert!(text(&output.stderr).contains("from 1s to 9h, or inf"), "{}", text(&output.stderr));
}

#[test]
fn an_unknown_host_is_reported() {
    let address = "tcp:ipc-no-such.invalid:80";
    let told = format!("ipc: sock connect: {address}: no such host\n");
    ipc(&["sock", "connect", address]).is(4, "", &told);
}

#[test]
fn a_full_backlog_of_a_port_obeys_the_timeout() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let local = server.local_addr().unwrap();
    nix::sys::socket::listen(&server, nix::sys::socket::Backlog::new(0).unwrap()).unwrap();
    // As many as are let wait, and one beyond.
    let _waiting: Vec<_> = (0..2)
        .filter_map(|_| {
            TcpStream::connect_timeout(&local, std::time::Duration::from_millis(200)).ok()
        })
        .collect();
    let address = format!("tcp:{local}");
    let told = format!("ipc: sock connect: {address}: timed out\n");
    ipc(&["sock", "connect", "-t", "50ms", &address]).is(124, "", &told);
    ipc(&["sock", "connect", "-n", &address]).is(1, "", "");
}

#[test]
fn vsock_is_served_and_its_address_can_be_typed_back() {
    if !std::fs::exists("/dev/vsock").unwrap() {
        return;
    }
    let (server, address) = serve_port(&["sock", "serve", "vsock:any:0", "--echo"]);
    let port = address.strip_prefix("vsock:any:").expect("any machine").to_owned();
    let refused = format!("ipc: sock serve: {address}: Address already in use\n");
    ipc(&["sock", "serve", &address, "--echo"]).is(5, "", &refused);
    // Only some kernels have a way from a machine to itself.
    let local = format!("vsock:local:{port}");
    let output = ipc(&["sock", "connect", "-t", "2s", &local]).input("hi").output();
    assert!(code(&output) != 0 || text(&output.stdout) == "hi", "{}", text(&output.stderr));
    stop(server, Signal::SIGTERM);
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

/// A network without an answering host: runs a command in it, and returns how it ended, and whether it
/// still asked when it had asked once.
const SILENCE: &str = r#"
import fcntl, os, struct, subprocess, sys
tun = os.open('/dev/net/tun', os.O_RDWR | os.O_NONBLOCK)
fcntl.ioctl(tun, 0x400454ca, struct.pack('16sH', b'silence', 0x1001))
up = 'ip link set lo up && ip addr add 10.9.0.1/24 dev silence && ip link set silence up'
subprocess.run(up, shell=True, check=True)
with open(sys.argv[1], 'w') as resolver:
    resolver.write('nameserver 10.9.0.2\n')
subprocess.run(['mount', '--bind', sys.argv[1], '/etc/resolv.conf'], check=True)
ended = subprocess.run(sys.argv[2:])
asked = []
try:
    while True:
        packet = os.read(tun, 2000)
        if packet[0] >> 4 == 4:
            transport = packet[20:]
            # A connection has its port, and a question its number.
            asked.append(transport[:2] if packet[9] == 6 else transport[8:10])
except BlockingIOError:
    pass
print(ended.returncode, 'asked' if asked else 'did not ask', len(asked) - len(set(asked)))
"#;

#[test]
fn the_timeout_limits_the_wait_for_a_silent_host() {
    let options = ["--user", "--map-root-user", "--net", "--mount"];
    if !peers::has_device("/dev/net/tun") || !peers::may_unshare(&options) {
        return;
    }
    for verb in ["wait", "connect"] {
        for address in ["tcp:10.9.0.2:80", "tcp:silent.example:80"] {
            let resolver = tempfile::NamedTempFile::new().unwrap();
            // What is not answered is asked again: a connection after a second, a name after some.
            let run = Run::new("unshare", &options).words(&["python3", "-c", SILENCE]);
            let run = run.word(resolver.path()).word(binary());
            let told = format!("ipc: sock {verb}: {address}: timed out\n");
            run.words(&["sock", verb, "-t", "20ms", address]).is(0, "124 asked 0\n", &told);
        }
    }
}

#[test]
fn a_datagram_to_a_port_without_a_listener_is_not_found() {
    let port = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let address = format!("udp:127.0.0.1:{port}");
    let refused = format!("ipc: sock send: {address}: Connection refused\n");
    ipc(&["sock", "send", "--reply", "-t", "10s", &address, "x"]).is(4, "", &refused);
}
