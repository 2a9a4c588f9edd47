//! Calls of a COMMAND each.

use std::io::Read;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};

use nix::sys::signal::Signal;

use super::Door;
use crate::support::{
    as_another_user, bash, children, code, ipc, script, sh, skipped, text, until,
};

#[test]
fn the_answer_is_stdout_stderr_and_status() {
    let door = Door::of(&[], "read n; echo $((2 * n)); echo said >&2; exit 7");
    door.call(&["21"]).is(7, "42\n", "said\n");
    door.call(&[]).input("4\n").is(7, "8\n", "said\n");
}

#[test]
fn the_argument_is_read_before_the_server_is_asked() {
    let directory = tempfile::tempdir().unwrap();
    let line = "{ sleep 0.3; ipc door serve --ready r ./d -- cat >/dev/null & echo $! >pid
        until_true [ -s r ]; echo late; } | ipc door call -t 1m ./d; kill $(cat pid)";
    sh(line).within(directory.path()).is(0, "late\n", "");
    let late = "ipc: door call: standard input: timed out\n";
    let line = "mkfifo f; exec 3<>f; ipc door call -t 100ms ./d <&3";
    sh(line).within(directory.path()).is(124, "", late);
}

#[test]
fn the_operands_are_one_argument() {
    let door = Door::of(&[], "cat");
    door.call(&["a", "b  c", ""]).is(0, "a b  c ", "");
    door.call(&[]).is(0, "", "");
    ipc(&["door", "call"]).word(door.path()).words(&["--", "-x"]).is(0, "-x", "");
}

#[test]
fn a_signal_of_the_procedure_is_its_status() {
    let door = Door::of(&[], "kill -$(cat) $$");
    door.call(&["USR1"]).is(128 + Signal::SIGUSR1 as i32, "", "");
    door.call(&["KILL"]).is(128 + Signal::SIGKILL as i32, "", "");
}

#[test]
fn arguments_and_answers_have_any_size() {
    let door = Door::of(&[], "tee /dev/fd/2");
    for size in [1, 65536, 106_416, 106_417, 212_928, 212_929, 3 << 20] {
        let bytes = crate::sock::sample(size);
        let output = door.call(&[]).input(bytes.clone()).output();
        assert_eq!(code(&output), 0, "{size}");
        assert!(output.stdout == bytes && output.stderr == bytes, "{size}");
    }
}

#[test]
fn a_file_is_an_argument_without_a_copy_by_the_caller() {
    let door = Door::of(&[], "cksum");
    let file = door.directory.path().join("file");
    std::fs::write(&file, crate::sock::sample(1 << 20)).unwrap();
    sh("[ \"$(ipc door call d <file)\" = \"$(cksum <file)\" ] && echo same")
        .within(door.directory.path())
        .is(0, "same\n", "");
}

#[test]
fn the_environment_describes_the_caller() {
    let line = "echo $IPC_CALLER_PID $IPC_CALLER_UID $IPC_CALLER_GID $IPC_CALLER_FDS \
                $IPC_DOOR_COOKIE; read x <&$IPC_CALLER_PIDFD || true";
    let door = Door::of(&["--cookie", "number 1"], line);
    let output = sh("echo $$; exec ipc door call d").within(door.directory.path()).output();
    let shown = text(&output.stdout);
    let (pid, rest) = shown.split_once('\n').unwrap();
    let (uid, gid) = (nix::unistd::geteuid(), nix::unistd::getegid());
    assert_eq!(rest, format!("{pid} {uid} {gid} 0 number 1\n"));
}

#[test]
fn the_procedure_has_a_descriptor_of_the_calling_process() {
    let door = Door::of(&[], "grep -c ^Pid: /proc/self/fdinfo/$IPC_CALLER_PIDFD");
    let output = door.call(&["x"]).output();
    assert_eq!(text(&output.stdout), "1\n", "{output:?}");
}

#[test]
fn descriptors_are_lent_from_number_3_up() {
    let door = Door::of(&[], "echo $IPC_CALLER_FDS; cat <&4; cat >&3");
    bash("echo second >two; exec 8>one 5<two; ipc door call --fd 8 --fd 5 d first; cat one")
        .within(door.directory.path())
        .is(0, "2\nsecond\nfirst", "");
    door.call(&["--fd", "77"]).is(3, "", "ipc: door call: --fd 77: Bad file descriptor\n");
}

#[test]
fn as_many_descriptors_as_a_packet_holds_are_lent() {
    let door = Door::of(&[], "echo $IPC_CALLER_FDS; set -- /proc/$$/fd/*; echo $#");
    let before = door.descriptors();
    let most: Vec<&str> = ["--fd", "0"].into_iter().cycle().take(2 * 253).collect();
    // The standard ones, those that are lent, that of the caller, and that of the directory.
    door.call(&["x"]).words(&most).is(0, "253\n258\n", "");
    door.until_at_rest(before);
}

#[test]
fn calls_run_side_by_side() {
    let door = Door::of(&[], "touch $(cat); until [ -e a ] && [ -e b ]; do sleep 0.01; done");
    let first = door.call(&["a"]).start();
    let second = door.call(&["b"]).start();
    assert_eq!((code(&first.finish()), code(&second.finish())), (0, 0));
}

#[test]
fn a_call_is_over_when_the_command_has_ended() {
    let door = Door::of(&[], "sleep 1000 & echo $! >left; echo answer");
    door.call(&["x"]).is(0, "answer\n", "");
    sh("kill $(cat left)").within(door.directory.path()).is(0, "", "");
}

#[test]
fn a_caller_that_leaves_ends_its_command() {
    let door = Door::of(&[], "echo $$ >pid; sleep 1000; echo never");
    let caller = door.call(&["x"]).start();
    let pid = door.directory.path().join("pid");
    until("the procedure runs", || pid.metadata().is_ok_and(|pid| pid.len() > 1));
    caller.signal(Signal::SIGKILL);
    caller.finish();
    until("the procedure has ended", || children(door.server.pid()).is_empty());
    assert_eq!(door.number("running"), 0);
}

#[test]
fn a_command_that_ignores_term_is_killed() {
    let door = Door::of(&[], "trap '' TERM; echo $$ >pid; while :; do sleep 1; done");
    door.call(&["-t", "500ms", "x"]).is(124, "", "ipc: door call: d: timed out\n");
    until("the procedure has ended", || children(door.server.pid()).is_empty());
}

#[test]
fn a_path_appears_complete_and_goes_with_the_server() {
    let door = Door::of(&["-m", "620"], "true");
    let status = door.path().metadata().unwrap();
    assert!(status.file_type().is_socket());
    assert_eq!(status.permissions().mode() & 0o777, 0o620);
    let second = door.run("serve", &["d", "--", "true"]).output();
    assert_eq!(code(&second), 5);
    assert!(text(&second.stderr).contains("has it"), "{second:?}");
    door.server.signal(Signal::SIGTERM);
    let path = door.path();
    assert_eq!(code(&door.server.finish()), 128 + Signal::SIGTERM as i32);
    assert!(!path.exists());
}

#[test]
fn the_path_of_a_dead_server_is_taken_over_and_another_file_never_removed() {
    let door = Door::of(&[], "true");
    door.server.signal(Signal::SIGKILL);
    until("it has ended", || door.server.is_zombie());
    let refused = "ipc: door call: d: Connection refused\n";
    door.call(&["x"]).is(4, "", refused);
    let server = door.run("serve", &["--ready", "again", "d", "--", "echo", "new"]).start();
    until("it listens", || door.directory.path().join("again").exists());
    until("it answers", || text(&door.call(&["x"]).output().stdout) == "new\n");
    server.signal(Signal::SIGTERM);
    server.finish();
    std::fs::write(door.path(), "precious").unwrap();
    let refused = "ipc: door serve: ./d: exists and is not a socket\n";
    door.run("serve", &["d", "--", "true"]).is(5, "", refused);
    assert_eq!(std::fs::read(door.path()).unwrap(), b"precious");
}

#[test]
fn the_end_of_the_server_ends_the_commands() {
    let door = Door::of(&[], "echo $$ >pid; exec sleep 1000");
    let caller = door.call(&["x"]).start();
    let pid = door.directory.path().join("pid");
    until("the procedure runs", || pid.metadata().is_ok_and(|pid| pid.len() > 1));
    door.server.signal(Signal::SIGTERM);
    let mut number = String::new();
    std::fs::File::open(pid).unwrap().read_to_string(&mut number).unwrap();
    door.server.finish();
    let proc = format!("/proc/{}/stat", number.trim());
    until("the procedure has ended", || {
        std::fs::read_to_string(&proc).is_ok_and(|stat| stat.contains(") Z "))
            || !std::path::Path::new(&proc).exists()
    });
    assert_eq!(code(&caller.finish()), 3);
}

#[test]
fn with_grace_the_server_finishes_its_calls() {
    let door = Door::of(
        &["--grace", "1h"],
        "touch began; until [ -e go ]; do sleep 0.01; done; echo done",
    );
    let caller = door.call(&["x"]).start();
    until("the procedure runs", || door.directory.path().join("began").exists());
    door.server.signal(Signal::SIGTERM);
    until("the door is closed", || !door.path().exists());
    std::fs::write(door.directory.path().join("go"), "").unwrap();
    let output = caller.finish();
    assert_eq!((code(&output), text(&output.stdout)), (0, "done\n".to_owned()));
    assert_eq!(code(&door.server.finish()), 128 + Signal::SIGTERM as i32);
}

#[test]
fn a_procedure_that_does_not_answer_in_time_is_ended() {
    let door = Door::of(&["--call-timeout", "200ms"], "sleep 1000");
    let late = "ipc: door call: d: the procedure did not answer within --call-timeout\n";
    door.call(&["x"]).is(124, "", late);
    until("the procedure has ended", || children(door.server.pid()).is_empty());
}

#[test]
fn a_foreign_user_is_refused_with_the_reason() {
    let door = Door::of(&["-m", "666", "--allow-uid", "12345"], "echo hi");
    std::fs::set_permissions(door.directory.path(), PermissionsExt::from_mode(0o755)).unwrap();
    let path = door.path();
    let path = path.to_str().unwrap();
    let Some(other) = as_another_user(&["door", "call", path, "x"]) else { return };
    let refused = format!("ipc: door call: {path}: the server does not admit this user\n");
    other.is(6, "", &refused);
    door.call(&["x"]).is(0, "hi\n", "");
}

#[test]
fn a_command_that_does_not_exist_is_reported_before_the_path_appears() {
    let directory = tempfile::tempdir().unwrap();
    ipc(&["door", "serve", "d", "--", "no-such-command"]).within(directory.path()).is(
        127,
        "",
        "ipc: door serve: no-such-command: No such file or directory\n",
    );
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[test]
fn a_caller_in_another_pid_namespace_is_known_by_its_descriptor() {
    if !nix::unistd::Uid::effective().is_root() {
        return skipped("only root makes a PID namespace");
    }
    let line =
        "[ $IPC_CALLER_PID = 0 ] && echo none; grep -c ^Pid: /proc/self/fdinfo/$IPC_CALLER_PIDFD";
    let door = Door::of(&[], line);
    let call = "exec unshare --pid --fork --kill-child ipc door call d x";
    sh(call).within(door.directory.path()).is(0, "1\n", "");
    let serve = "exec unshare --pid --fork --kill-child ipc door serve \"$@\"";
    let inner = Door::with(sh(serve).word("sh"), &["--", "sh", "-c", line]);
    inner.call(&["x"]).is(0, "none\n1\n", "");
    assert_eq!(inner.number("pid"), 1);
    inner.run("revoke", &["d"]).is(0, "", "");
    inner.server.finish();
}

#[test]
fn a_door_needs_no_proc() {
    if !nix::unistd::Uid::effective().is_root() {
        return skipped("only root mounts");
    }
    let directory = tempfile::tempdir().unwrap();
    let line = "mount -t tmpfs none /proc || exit
        ipc door serve --ready r ./d -- sh -c 'wc -c; wc -c <&3' & until_true [ -s r ]
        head -c 500000 /dev/zero | ipc door call --fd 9 ./d 9<r; echo hi | ipc door call --fd 9 ./d 9<r
        ipc door revoke ./d; wait";
    sh("exec unshare --mount sh -c \"$0\"").word(script(line)).within(directory.path()).is(
        0,
        "500000\n4\n3\n4\n",
        "",
    );
}
