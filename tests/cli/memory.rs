//! Every command reports that an allocation failed.

use crate::support::{Name, code, ipc, sh, text};

/// Commands with long input, long lists or large buffers.
fn commands(shm: &str, mq: &str, sem: &str) -> Vec<String> {
    [
        format!("shm cat {shm}"),
        format!("shm cat --string {shm}"),
        format!("shm peek {shm} --count 1000000"),
        "shm ls --json".to_owned(),
        format!("shm write {shm}-new"),
        format!("mq send -n --frame whole {mq}"),
        format!("mq send -n --frame netstring {mq}"),
        format!("mq recv -n {mq}"),
        format!("mq recv -n --json {mq}"),
        "lock ls".to_owned(),
        "sock ls".to_owned(),
        "sock send --frame whole udp:127.0.0.1:9".to_owned(),
        "sock send --frame len4 udp:127.0.0.1:9".to_owned(),
        format!("sem run {sem} -- true"),
        "shm --help".to_owned(),
        "shm wrote".to_owned(),
    ]
    .into()
}

/// The memory that the stack of a command may grow to, in KiB.
const STACK: usize = 1_000;

#[test]
fn no_command_dies_of_a_failed_allocation() {
    let (shm, mq, sem) = (Name::new("shm"), Name::new("mq"), Name::new("sem"));
    let new = Name::of("shm", format!("{}-new", &*shm));
    ipc(&["shm", "create", &shm, "--size", "16M"]).is(0, "", "");
    ipc(&["mq", "create", &mq, "--max-msgs", "2"]).is(0, "", "");
    ipc(&["sem", "create", &sem, "--value", "1"]).is(0, "", "");
    let within = |kib: usize, words: &str| sh(&format!("ulimit -v {kib}; exec ipc {words}"));
    let mut failed = 0;
    // A record whose header announces more than 2 GiB, and a record without an end.
    let input = [b"\xff\xff\xff\x7f".as_slice(), &[b'1'; 4_000_000]].concat();
    for kib in (2_000..64_000).step_by(500) {
        // The kernel and the dynamic loader may need more memory to start the program, and a command more for
        // its stack: without it, the kernel ends it.
        if code(&within(kib - STACK, "--version").output()) != 0 {
            continue;
        }
        let failed_before = failed;
        for words in commands(&shm, &mq, &sem) {
            let output = within(kib, &words).input(&*input).output();
            let (status, stderr) = (code(&output), text(&output.stderr));
            assert!(status < 127, "{kib}: {words}: {status}, {stderr}");
            assert!(status == 0 || status == 1 || stderr.starts_with("ipc: "), "{words}: {stderr}");
            failed += usize::from(stderr.contains("Cannot allocate memory"));
        }
        ipc(&["shm", "rm", "-f", &new]).is(0, "", "");
        ipc(&["sem", "value", &sem]).is(0, "1\n", "");
        if failed == failed_before && failed > 0 {
            break;
        }
    }
    assert!(failed > 0, "there was memory enough all along");
}
