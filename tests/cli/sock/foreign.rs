//! Other programs at the other end: socat, nc, s6, curl, systemd, and one that takes its time.

use std::fs;
use std::path::Path;

use nix::sys::signal::Signal;

use super::{Place, sample, serve, stop};
use crate::peers;
use crate::support::{binary, code, ipc, sh, text, until};

/// Whether this program is installed.
#[track_caller]
fn installed(program: &str) -> bool {
    peers::there("sh", &["-c", &format!("command -v {program}")])
}

// socat waits half a second for the rest of an answer unless -t tells it to wait longer.

#[test]
fn socat_and_nc_are_clients() {
    if !installed("socat") || !installed("nc") {
        return;
    }
    let place = Place::new();
    let sample = sample(8 << 20);
    let server = serve(&place, &["--", "cat"]);
    for line in ["socat -t60 - UNIX-CONNECT:\"$0\"", "nc -NU \"$0\""] {
        sh(&format!("echo abc | {line}")).word(&*place).is(0, "abc\n", "");
        let output = sh(line).word(&*place).input(sample.clone()).output();
        assert_eq!((code(&output), text(&output.stderr)), (0, String::new()), "{line}");
        assert!(output.stdout == sample, "{line}");
    }
    stop(server, Signal::SIGTERM);
}

#[test]
fn socat_and_nc_are_servers() {
    if !installed("socat") || !installed("nc") {
        return;
    }
    let place = Place::new();
    let server = sh("exec socat -t60 UNIX-LISTEN:\"$0\" EXEC:'tr a-z A-Z'").word(&*place).start();
    ipc(&["sock", "connect", "--retry", "60", &place]).input("abc\n").is(0, "ABC\n", "");
    assert_eq!(code(&server.finish()), 0);
    let sample = sample(8 << 20);
    // Into a file, as the reader starts after the end of the client.
    let server = sh("exec nc -lNU \"$0.nc\" </dev/null >\"$0.out\"").word(&*place).start();
    let address = format!("{}.nc", &*place);
    ipc(&["sock", "connect", "--retry", "60", &address]).input(sample.clone()).is(0, "", "");
    assert_eq!(code(&server.finish()), 0);
    assert!(std::fs::read(format!("{}.out", &*place)).unwrap() == sample);
}

#[test]
fn s6_is_client_and_server() {
    if !installed("s6-ipcclient") || !installed("s6-ipcserver") {
        return;
    }
    let place = Place::new();
    let server = serve(&place, &["--", "sh", "-c", "read line; echo \"<$line>\""]);
    let script = "echo hello >&7; read answer <&6; echo \"$answer\"";
    sh("exec s6-ipcclient \"$0\" sh -c \"$1\"").word(&*place).word(script).is(0, "<hello>\n", "");
    stop(server, Signal::SIGTERM);
    let sample = sample(8 << 20);
    let server = sh("exec s6-ipcserver \"$0\" cat").word(&*place).start();
    let client = ipc(&["sock", "connect", "--retry", "60", &place]).input(sample.clone()).output();
    assert_eq!((code(&client), text(&client.stderr)), (0, String::new()));
    assert!(client.stdout == sample);
    server.signal(Signal::SIGTERM);
    server.finish();
}

#[test]
fn curl_gets_the_http_answer_of_a_command() {
    if !installed("curl") {
        return;
    }
    let place = Place::new();
    let script = "while IFS= read -r line && [ \"$line\" != \"$(printf '\\r')\" ]; do \
                  [ -n \"$first\" ] || first=$line; done; set -- $first; \
                  printf 'HTTP/1.1 200 OK\\r\\nConnection: close\\r\\n\\r\\n%s %s\\n' $1 $2";
    let server = serve(&place, &["--", "sh", "-c", script]);
    for path in ["/", "/a/b"] {
        sh("curl -sS --unix-socket \"$0\" \"http://host$1\"").word(&*place).word(path).is(
            0,
            &format!("GET {path}\n"),
            "",
        );
    }
    stop(server, Signal::SIGTERM);
}

#[test]
fn systemd_hands_over_its_socket() {
    if !installed("systemd-socket-activate") {
        return;
    }
    let place = Place::new();
    let line = "exec systemd-socket-activate -l \"$0\" \"$1\" sock serve fd:3 --once --echo";
    let server = sh(line).word(&*place).word(binary()).start();
    ipc(&["sock", "connect", "--retry", "60", &place]).input("hello").is(0, "hello", "");
    let output = server.finish();
    assert_eq!(code(&output), 0, "{}", text(&output.stderr));
}

/// Binds, listens when its stdin ends, and serves a single client: prints what that sends.
const LATE: &str = r#"
    #include <stdio.h>
    #include <string.h>
    #include <sys/socket.h>
    #include <sys/un.h>
    #include <unistd.h>
    int main(int argc, char **argv) {
        struct sockaddr_un a = { .sun_family = AF_UNIX };
        char buffer[100];
        int s = socket(AF_UNIX, SOCK_STREAM, 0);
        strncpy(a.sun_path, argv[1], sizeof a.sun_path - 1);
        if (bind(s, (void *)&a, sizeof a) != 0) return 1;
        if (read(0, buffer, 1) != 0 || listen(s, 5) != 0) return 2;
        int c = accept(s, NULL, NULL);
        ssize_t n = read(c, buffer, sizeof buffer);
        printf("%.*s", n > 0 ? (int)n : 0, buffer);
        return 0;
    }"#;

#[test]
fn a_server_that_begins_to_listen_while_we_look_does_not_lose_its_only_client() {
    if !peers::there("strace", &["-V"]) {
        return;
    }
    let Some(program) = peers::c(LATE) else { return };
    let (place, log) = (Place::new(), tempfile::NamedTempFile::new().unwrap());
    // The shell keeps the server's stdin open until then.
    let server = sh("mkfifo \"$0.go\"; exec \"$1\" \"$0\" <\"$0.go\"")
        .word(&*place)
        .word(program.path())
        .start();
    until("there is what holds it", || Path::new(&format!("{}.go", &*place)).exists());
    let hold = fs::OpenOptions::new().write(true).open(format!("{}.go", &*place)).unwrap();
    until("it has bound", || Path::new(&*place).exists());
    // It listens after the refusal, and during the look for a listener.
    let line = "exec strace -o \"$1\" -e trace=connect -e inject=connect:delay_enter=300000 \
                \"$2\" sock connect --retry 60 \"$0\"";
    let client = sh(line).word(&*place).word(log.path()).word(binary()).input("hello").start();
    until("we were refused", || fs::read_to_string(log.path()).unwrap().contains("ECONNREFUSED"));
    drop(hold);
    let output = client.finish();
    assert_eq!((code(&output), text(&output.stderr)), (0, String::new()));
    assert_eq!(text(&server.finish().stdout), "hello");
}
