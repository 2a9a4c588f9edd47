//! Connections whose ends prove who they are, by certificates that the test makes.

use std::path::Path;
use std::process::{Command, Stdio};

use super::server::Server;
use crate::support::{code, ipc, skipped, text, until};

/// Makes an authority, and by it certificates of a server and of a client; one server's is over.
fn make_certificates(directory: &Path) -> bool {
    const LINES: &str = r#"
        set -e
        key() { openssl ecparam -name prime256v1 -genkey -noout -out $1.key; }
        key ca
        openssl req -x509 -new -key ca.key -subj /CN=ca -days 2 -out ca.pem
        sign() { # NAME DAYS
            key $1
            openssl req -new -key $1.key -subj /CN=$1 -out $1.csr
            printf 'subjectAltName=IP:127.0.0.1\nbasicConstraints=CA:FALSE\n' > $1.ext
            openssl x509 -req -in $1.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days $2 \
                -extfile $1.ext -out $1.pem
        }
        sign server 2
        sign client 2
        sign old 0
    "#;
    let made = Command::new("sh")
        .args(["-c", LINES])
        .current_dir(directory)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    let is_made = made.is_ok_and(|status| status.success());
    if !is_made {
        skipped("openssl makes no certificates");
    }
    is_made
}

#[test]
fn a_server_and_a_client_prove_who_they_are() {
    let directory = tempfile::tempdir().unwrap();
    if !make_certificates(directory.path()) {
        return;
    }
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let (ca, pem, key) = (path("ca.pem"), path("server.pem"), path("server.key"));
    let server = ["-js", "--tlsverify", "--tlscert", &pem, "--tlskey", &key, "--tlscacert", &ca];
    let Some(server) = Server::with(&server) else { return };
    let name = format!("tls://127.0.0.1:{}/job", server.port);
    let (client, client_key) = (path("client.pem"), path("client.key"));
    let proof = ["--ca", &ca, "--cert", &client, "--key", &client_key];
    ipc(&["lock", "run", &name]).words(&proof).words(&["--", "echo", "in"]).is(0, "in\n", "");
    for words in [&["--ca", &ca][..], &[]] {
        let output = ipc(&["lock", "test", &name]).words(words).output();
        let message = text(&output.stderr);
        assert_eq!(code(&output), 3, "{words:?}: {message}");
        assert!(message.contains("no encrypted connection"), "{words:?}: {message}");
    }
    let output = ipc(&["lock", "test", &name, "--ca", "/nonexistent"]).output();
    let message = text(&output.stderr);
    assert_eq!(code(&output), 3);
    assert!(message.contains("/nonexistent: No such file or directory"), "{message}");
}

#[test]
fn an_expired_certificate_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    if !make_certificates(directory.path()) {
        return;
    }
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let (ca, pem, key) = (path("ca.pem"), path("old.pem"), path("old.key"));
    let Some(server) = Server::with(&["-js", "--tls", "--tlscert", &pem, "--tlskey", &key]) else {
        return;
    };
    let name = format!("tls://127.0.0.1:{}/job", server.port);
    let test = || ipc(&["lock", "test", &name, "--ca", &ca]).output();
    until("the second is over at whose end the certificate expires", || code(&test()) != 0);
    let output = test();
    let message = text(&output.stderr);
    assert_eq!(code(&output), 3, "{message}");
    assert!(message.contains("no encrypted connection") && message.contains("xpired"), "{message}");
}

#[test]
fn a_connection_in_the_clear_is_refused_if_the_name_asks_for_encryption() {
    let Some(server) = Server::start() else { return };
    let output = ipc(&["lock", "test", &format!("tls://127.0.0.1:{}/job", server.port)]).output();
    assert_eq!(code(&output), 3, "{}", text(&output.stderr));
}
