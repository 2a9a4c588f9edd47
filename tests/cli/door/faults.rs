//! Limits, and what callers and servers do wrong.

use nix::sys::signal::Signal;

use super::Door;
use crate::support::{bash, code, ipc, sh, text, until};

#[test]
fn an_argument_or_an_answer_above_the_limit_is_refused() {
    let door = Door::of(&["--max-size", "1000"], "cat; cat d-more");
    let refused = |what| {
        format!(
            "ipc: door call: d: the {what} is longer than the 1000 bytes that --max-size of the \
             server allows\n"
        )
    };
    let before = door.descriptors();
    door.call(&[]).input(vec![b'x'; 1001]).is(3, "", &refused("argument"));
    door.call(&[]).input(vec![b'x'; 300_000]).is(3, "", &refused("argument"));
    std::fs::write(door.directory.path().join("d-more"), vec![b'y'; 500]).unwrap();
    door.call(&[]).input(vec![b'x'; 501]).is(3, "", &refused("answer"));
    assert_eq!(door.call(&[]).input(vec![b'x'; 500]).output().stdout.len(), 1000);
    door.until_at_rest(before);
}

#[test]
fn a_procedure_that_writes_without_end_is_ended() {
    let door = Door::of(&["--max-size", "1M"], "exec yes");
    let output = door.call(&["x"]).output();
    assert_eq!((code(&output), output.stdout.len()), (3, 0));
    until("it has ended", || crate::support::children(door.server.pid()).is_empty());
}

#[test]
fn descriptors_are_refused_by_a_server_that_takes_none() {
    let door = Door::of(&["--max-fds", "0"], "echo hi");
    let before = door.descriptors();
    let most: Vec<&str> = ["--fd", "0"].into_iter().cycle().take(2 * 253).collect();
    let refused = "ipc: door call: d: the server takes no descriptors\n";
    door.call(&["x"]).words(&most).is(3, "", refused);
    door.call(&["--fd", "0", "x"]).is(3, "", refused);
    door.call(&["x"]).is(0, "hi\n", "");
    door.until_at_rest(before);
    let door = Door::of(&["--max-fds", "2"], "echo hi");
    let refused = "ipc: door call: d: the server takes at most 2 descriptors\n";
    door.call(&["--fd", "0", "--fd", "1", "--fd", "2", "x"]).is(3, "", refused);
    door.call(&["--fd", "0", "--fd", "1", "x"]).is(0, "hi\n", "");
}

#[test]
fn more_descriptors_than_the_server_may_have_are_refused() {
    let door = Door::with(
        crate::support::Run::new("prlimit", &["--nofile=64", "--"])
            .word(crate::support::binary())
            .words(&["door", "serve"]),
        &["--", "echo", "hi"],
    );
    let before = door.descriptors();
    let most: Vec<&str> = ["--fd", "0"].into_iter().cycle().take(2 * 253).collect();
    let output = door.call(&["x"]).words(&most).output();
    assert_eq!(code(&output), 3, "{output:?}");
    assert!(text(&output.stderr).contains("more descriptors than could be received"), "{output:?}");
    door.call(&["x"]).is(0, "hi\n", "");
    door.until_at_rest(before);
}

#[test]
fn more_than_253_descriptors_are_a_usage_error() {
    let most: Vec<&str> = ["--fd", "0"].into_iter().cycle().take(2 * 254).collect();
    let refused = "ipc: door call: --fd: 254 descriptors are more than a packet carries (253)\n";
    ipc(&["door", "call", "d", "x"]).words(&most).is(2, "", refused);
}

#[test]
fn a_procedure_that_calls_its_own_door_gets_an_error_if_no_call_is_left() {
    let line = "exec 2>&1; ipc door call d x; echo status $?";
    let door = Door::with(
        sh("exec ipc door serve --max-calls 1 \"$@\"").word("sh"),
        &["--", "sh", "-c", line],
    );
    let refused = "ipc: door call: d: the procedure has called its own door, and all calls that \
                   the server takes at a time are in progress\nstatus 3\n";
    door.call(&["x"]).is(0, refused, "");
    door.call(&["x"]).is(0, refused, "");
}

#[test]
fn a_procedure_calls_its_own_door_as_deep_as_there_are_calls() {
    let line = "read n; [ $n = 0 ] && echo 1 && exit; m=$(ipc door call d $((n - 1))) || exit; \
                echo $((n * m))";
    let door = Door::with(
        sh("exec ipc door serve --max-calls 6 \"$@\"").word("sh"),
        &["--", "sh", "-c", line],
    );
    door.call(&["5"]).is(0, "120\n", "");
    let deeper = door.call(&["6"]).output();
    assert_eq!(code(&deeper), 3, "{deeper:?}");
    assert!(text(&deeper.stderr).contains("has called its own door"), "{deeper:?}");
    door.call(&["4"]).is(0, "24\n", "");
}

#[test]
fn callers_of_a_full_server_wait_and_it_still_says_so() {
    let door = Door::of(&["--max-calls", "1"], "until [ -e go ]; do sleep 0.01; done; cat");
    let first = door.call(&["1"]).start();
    until("a call is in progress", || door.number("running") == 1);
    let second = door.call(&["2"]).start();
    until("another waits", || door.number("waiting") == 1);
    door.call(&["-t", "100ms", "3"]).is(124, "", "ipc: door call: d: timed out\n");
    until("its caller is forgotten", || door.number("waiting") == 1);
    std::fs::write(door.directory.path().join("go"), "").unwrap();
    assert_eq!(text(&first.finish().stdout), "1");
    assert_eq!(text(&second.finish().stdout), "2");
    assert_eq!(door.number("answered"), 2);
}

#[test]
fn a_stopped_server_is_waited_for_until_the_timeout() {
    let door = Door::of(&[], "echo hi");
    door.server.stop();
    door.call(&["-t", "200ms", "x"]).is(124, "", "ipc: door call: d: timed out\n");
    door.run("info", &["-t", "200ms", "d"]).is(124, "", "ipc: door info: d: timed out\n");
    door.server.signal(Signal::SIGCONT);
    door.call(&["x"]).is(0, "hi\n", "");
}

#[test]
fn a_server_that_dies_during_a_call_is_reported_and_the_call_not_repeated() {
    let door = Door::of(&[], "echo once >>log; sleep 1000");
    let caller = door.call(&["x"]).start();
    let log = door.directory.path().join("log");
    until("the procedure runs", || log.metadata().is_ok_and(|log| log.len() > 0));
    let orphans = crate::support::children(door.server.pid());
    door.server.signal(Signal::SIGKILL);
    let output = caller.finish();
    let said = "ipc: door call: d: the server ended before it answered\nhint: the procedure may \
                have run: the call is not repeated, because only the caller knows whether that is \
                harmless\n";
    assert_eq!((code(&output), text(&output.stderr)), (3, said.to_owned()));
    assert_eq!(std::fs::read_to_string(log).unwrap(), "once\n");
    for pid in orphans {
        let group = nix::unistd::Pid::from_raw(pid);
        let _ = nix::sys::signal::killpg(group, Signal::SIGKILL);
    }
}

#[test]
fn a_socket_that_is_no_door_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    for kind in ["stream", "seqpacket"] {
        let words = ["sock", "serve", "--echo", "--type", kind, "--ready", kind, "./s"];
        let server = ipc(&words).within(directory.path()).start();
        until("it listens", || directory.path().join(kind).exists());
        ipc(&["door", "call", "s", "x"]).within(directory.path()).is(
            3,
            "",
            "ipc: door call: s: not a door\n",
        );
        server.signal(Signal::SIGTERM);
        server.finish();
    }
    std::fs::write(directory.path().join("s"), "").unwrap();
    ipc(&["door", "call", "s", "x"]).within(directory.path()).is(
        3,
        "",
        "ipc: door call: s: not a socket\n",
    );
    ipc(&["door", "call", "none", "x"]).within(directory.path()).is(
        4,
        "",
        "ipc: door call: none: No such file or directory\n",
    );
}

#[test]
fn few_descriptors_are_enough_for_a_call_at_a_time() {
    let door = Door::with(
        sh("ulimit -n 18; exec ipc door serve \"$@\"").word("sh"),
        &["--", "sh", "-c", "cat"],
    );
    for number in 0..20 {
        door.call(&[&number.to_string()]).is(0, &number.to_string(), "");
    }
    let callers: Vec<_> = (0..6).map(|_| door.call(&["x"]).start()).collect();
    for caller in callers {
        assert_eq!(text(&caller.finish().stdout), "x");
    }
}

#[test]
fn a_name_with_a_newline_is_a_door() {
    let directory = tempfile::tempdir().unwrap();
    bash(
        "ipc door serve $'a\\nb' --ready r -- echo hi & until_true [ -s r ]
        ipc door call $'a\\nb' x; kill $!; wait $! 2>/dev/null; ipc door call $'a\\nb' x",
    )
    .within(directory.path())
    .is(4, "hi\n", "ipc: door call: a\\nb: No such file or directory\n");
}

#[test]
fn many_calls_leave_nothing_behind() {
    let door = Door::of_worker(&[], "while read n; do echo $((n + 1)); done");
    let single = Door::of(&[], "cat");
    let count = crate::support::rounds(200);
    door.call(&["1"]).is(0, "2\n", "");
    single.call(&["x"]).is(0, "x", "");
    let memory = |door: &Door| {
        let text = std::fs::read_to_string(format!("/proc/{}/statm", door.server.pid())).unwrap();
        text.split(' ').nth(1).unwrap().parse::<u64>().unwrap()
    };
    let state = |door: &Door| {
        (door.descriptors(), crate::support::children(door.server.pid()).len(), memory(door))
    };
    let calls = |count: u32| {
        /// So many take less time than a command may.
        const AT_ONCE: u32 = 500;
        for start in (0..count).step_by(AT_ONCE as usize) {
            let line = format!(
                "for i in $(seq {}); do ipc door call \"$0\" $i >/dev/null || exit; done",
                AT_ONCE.min(count - start)
            );
            for door in [&door, &single] {
                sh(&line).word(door.path()).is(0, "", "");
            }
        }
    };
    calls(20);
    let before = [state(&door), state(&single)];
    calls(count);
    for (door, (descriptors, children, memory)) in [&door, &single].into_iter().zip(before) {
        until("it is at rest", || {
            let now = state(door);
            now.0 <= descriptors && now.1 <= children
        });
        // Not with each call: the first allocations of a process are never reused, up to 128 KiB.
        assert!(state(door).2 <= memory + 32 + 16, "{:?}, {memory} before", state(door));
    }
}
