//! `ipc shm` on a server.

use super::server::Server;
use crate::support::{code, ipc, sh, text};

#[test]
fn numbers_are_changed_by_one_process_after_the_other() {
    let Some(server) = Server::start() else { return };
    let name = server.name("counters");
    let output = ipc(&["shm", "peek", &name]).output();
    assert_eq!(code(&output), 4);
    assert!(text(&output.stderr).contains("hint: 'ipc shm create'"), "{}", text(&output.stderr));
    ipc(&["shm", "create", &name, "--size", "16"]).is(0, "", "");
    assert_eq!(code(&ipc(&["shm", "create", &name, "--size", "16"]).output()), 5);
    ipc(&["shm", "create", "-e", &name, "--size", "16"]).is(0, "", "");
    ipc(&["shm", "poke", &name, "--type", "i16", "--offset", "2", "-1", "7"]).is(0, "", "");
    ipc(&["shm", "peek", &name, "--type", "i16", "--count", "4", "--json"]).is(
        0,
        "[0,-1,7,0]\n",
        "",
    );
    let line = format!(
        "for i in 1 2 3 4; do ipc shm add {name} --type u32 --offset 8 1 > /dev/null || exit; done"
    );
    let adders: Vec<_> = (0..4).map(|_| sh(&line).start()).collect();
    for adder in adders {
        assert_eq!(code(&adder.finish()), 0);
    }
    ipc(&["shm", "peek", &name, "--type", "u32", "--offset", "8"]).is(0, "16\n", "");
    ipc(&["shm", "cas", &name, "--offset", "8", "16", "5"]).is(0, "5\n", "");
    ipc(&["shm", "cas", &name, "--offset", "8", "16", "6"]).is(1, "5\n", "");
    let stat = ipc(&["shm", "stat", "--json", &name]).succeeds();
    assert!(stat.starts_with("{\"name\":\"counters\",\"size\":16,\"revision\":"), "{stat}");
    let output = ipc(&["shm", "stat", &server.name("missing")]).output();
    assert_eq!(code(&output), 4, "{}", text(&output.stderr));
    let output = ipc(&["shm", "poke", &name, "--offset", "14", "1"]).output();
    assert_eq!(code(&output), 3);
    assert!(text(&output.stderr).contains("beyond the end"), "{}", text(&output.stderr));
}

#[test]
fn a_waiter_sees_the_change_of_another_process() {
    let Some(server) = Server::start() else { return };
    let name = server.name("ready");
    ipc(&["shm", "create", &name, "--size", "4"]).is(0, "", "");
    let waiting = ipc(&["shm", "wait", &name, "--eq", "3"]).start();
    waiting.wait_until_asleep();
    for number in ["1", "2", "3"] {
        ipc(&["shm", "poke", &name, number]).is(0, "", "");
    }
    assert_eq!(text(&waiting.finish().stdout), "3\n");
    let message = format!("ipc: shm wait: {name}: timed out\n");
    ipc(&["shm", "wait", &name, "--change", "-t", "0.2"]).is(124, "", &message);
}

#[test]
fn a_change_with_an_older_token_is_refused() {
    let Some(server) = Server::start() else { return };
    let name = server.name("state");
    ipc(&["shm", "create", &name, "--size", "4"]).is(0, "", "");
    ipc(&["shm", "cas", &name, "--fence", "8", "0", "1"]).is(0, "1\n", "");
    let output = ipc(&["shm", "cas", &name, "--fence", "7", "1", "2"]).output();
    let message = text(&output.stderr);
    assert_eq!((code(&output), text(&output.stdout)), (5, String::new()), "{message}");
    assert!(message.contains("token 7 is too old"), "{message}");
    ipc(&["shm", "add", &name, "1"]).is(0, "2\n", "");
    assert_eq!(code(&ipc(&["shm", "cas", &name, "--fence", "7", "2", "3"]).output()), 5);
    ipc(&["shm", "cas", &name, "--fence", "9", "2", "3"]).is(0, "3\n", "");
}

#[test]
fn small_data_are_whole_or_not_there() {
    let Some(server) = Server::start() else { return };
    let name = server.name("eu/config");
    ipc(&["shm", "write", &name]).input("a=1\n").is(0, "", "");
    ipc(&["shm", "cat", &name]).is(0, "a=1\n", "");
    let output = ipc(&["shm", "write", &name]).input("a=1000\n").output();
    assert_eq!(code(&output), 3);
    assert!(text(&output.stderr).contains("hint: --grow"), "{}", text(&output.stderr));
    ipc(&["shm", "write", &name, "--truncate"]).input("b\0c").is(0, "", "");
    ipc(&["shm", "read", &name, "--string"]).is(0, "b", "");
    ipc(&["shm", "cat", &name, "--offset", "2"]).is(0, "c", "");
    let output = ipc(&["shm", "write", &server.name("big")]).input(vec![0; 2 << 20]).output();
    assert_eq!(code(&output), 3);
    assert!(text(&output.stderr).contains("the maximum of the server"), "{}", text(&output.stderr));
    let list = ipc(&["shm", "ls", &server.name("eu"), "-o", "name,size", "--noheadings"]);
    assert_eq!(list.succeeds().split_whitespace().collect::<Vec<_>>(), ["eu.config", "3"]);
    ipc(&["shm", "rm", &name, &server.name("gone")]).assert().code(4);
    ipc(&["shm", "rm", "-f", &name]).is(0, "", "");
    assert_eq!(code(&ipc(&["shm", "cat", &name]).output()), 4);
}
