//! Receivers that start before the queue exists, and messages that are cut.

use super::{MISSING, error, stat, system_v_queue};
use crate::support::{Name, as_another_user, code, ipc, text};

fn names() -> [Name; 2] {
    [Name::new("mq"), Name::system_v("mq")]
}

#[test]
fn a_receiver_creates_a_missing_queue_and_waits_for_a_message() {
    for name in names() {
        let receiver = ipc(&["mq", "recv", "--create", &name]).start();
        receiver.wait_until_asleep();
        ipc(&["mq", "send", &name, "x"]).is(0, "", "");
        assert_eq!(text(&receiver.finish().stdout), "x\n");
        ipc(&["mq", "recv", "-n", "--create", &name]).is(1, "", "");
        assert_eq!(stat(&name)["mode"], "0600");
        ipc(&["mq", "rm", &name]).is(0, "", "");
        ipc(&["mq", "wait", "-n", "--create", &name]).is(1, "", "");
        ipc(&["mq", "recv", "--all", "--create", "--exec", &name, "--", "cat"]).is(0, "", "");
    }
    let output = ipc(&["mq", "recv", "--create", "sysv:0"]).output();
    assert_eq!(code(&output), 2, "{}", text(&output.stderr));
}

#[test]
fn a_receiver_waits_until_a_queue_exists() {
    for name in names() {
        let receiver = ipc(&["mq", "recv", "--retry", "1m", "-v", &name]).start();
        receiver.wait_until_asleep();
        ipc(&["mq", "create", &name]).is(0, "", "");
        ipc(&["mq", "send", &name, "x"]).is(0, "", "");
        let output = receiver.finish();
        assert_eq!((code(&output), text(&output.stdout)), (0, "x\n".to_owned()));
        let waits = format!("ipc: mq recv: {}: waiting until the queue exists\n", &*name);
        assert!(text(&output.stderr).starts_with(&waits), "{}", text(&output.stderr));
    }
}

#[test]
fn a_worker_and_a_wait_wait_until_a_queue_exists() {
    for name in names() {
        let words = ["mq", "recv", "--retry", "1m", "--exec", &name, "--", "cat"];
        let (worker, wait) =
            (ipc(&words).start(), ipc(&["mq", "wait", "--retry", "1m", &name]).start());
        worker.wait_until_asleep();
        ipc(&["mq", "create", &name]).is(0, "", "");
        ipc(&["mq", "send", &name, "x", "y"]).is(0, "", "");
        assert_eq!(text(&worker.finish().stdout), "x");
        assert_eq!(code(&wait.finish()), 0);
    }
}

#[test]
fn a_queue_that_does_not_appear_in_time_is_not_found() {
    for name in names() {
        for words in [["--retry", "30ms"], ["--retry", "0"]] {
            ipc(&["mq", "recv", &name]).words(&words).is(4, "", &error("recv", &name, MISSING));
        }
        for verb in ["recv", "wait"] {
            let output = ipc(&["mq", verb, "--retry", "1h", "-t", "20ms", &name]).output();
            assert_eq!(code(&output), 124, "{}", text(&output.stderr));
        }
        let output = ipc(&["mq", "recv", "--retry", "10ms", "--exec", &name, "--", "cat"]).output();
        assert_eq!(code(&output), 125, "{}", text(&output.stderr));
    }
    let output = ipc(&["mq", "recv", "--retry", "1s", "--create", "/x"]).output();
    assert_eq!(code(&output), 2);
}

#[test]
fn a_queue_that_another_user_has_made_is_not_received_from_with_create() {
    let name = Name::new("mq");
    let Some(create) = as_another_user(&["mq", "create", "-m", "0666", &name]) else { return };
    create.words(&["--max-msgs", "1", "--msg-size", "8"]).is(0, "", "");
    let output = ipc(&["mq", "recv", "-n", "--create", &name]).output();
    assert_eq!(code(&output), 6, "{}", text(&output.stderr));
    ipc(&["mq", "recv", "-n", "--create", "--trust", "65534", &name]).is(1, "", "");
}

#[test]
fn a_message_of_a_system_v_queue_is_cut_with_a_warning() {
    let key = system_v_queue();
    ipc(&["mq", "send", &key, "12345678", "123", "1234", ""]).is(0, "", "");
    let warning = format!(
        "ipc: mq recv: warning: {}: a message was longer than 3 bytes; its end is lost\n",
        &*key
    );
    let output = ipc(&["mq", "recv", "--truncate=3", "--count", "2", &key]).output();
    assert_eq!(text(&output.stdout), "123\n123\n");
    assert_eq!(text(&output.stderr).replace("warning: ", ""), warning.replace("warning: ", ""));
    ipc(&["mq", "recv", "--truncate=3", "-q", "--peek", "0", &key]).is(0, "123\n", "");
    ipc(&["mq", "recv", "--truncate=0", "--all", "-q", &key]).is(0, "\n\n", "");
    ipc(&["mq", "send", &key, "12345678"]).is(0, "", "");
    ipc(&["mq", "recv", "--truncate", &key]).is(0, "12345678\n", "");
    ipc(&["mq", "send", &key, "12345678"]).is(0, "", "");
    ipc(&["mq", "recv", "--truncate=5", "--exec", &key, "--", "cat"]).is(0, "12345", "");
}

#[test]
fn a_message_of_a_posix_queue_is_whole() {
    let name = Name::new("mq");
    let reason = "a POSIX queue gives only whole messages; System V queues (sysv:KEY) can cut them";
    ipc(&["mq", "recv", "--truncate=3", &name]).is(2, "", &error("recv", &name, reason));
}
