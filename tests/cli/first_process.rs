//! `ipc` as the first process of a PID namespace. The kernel takes no default action of a signal for
//! it, and makes it the parent of all orphans.

use crate::peers;
use crate::support::{Name, Run, sh};

/// A line of shell as the first process of a new PID namespace; `None` if that is not permitted.
#[track_caller]
fn first(line: &str) -> Option<Run> {
    let options = ["--pid", "--fork", "--mount-proc", "--kill-child"];
    let may = peers::may_unshare(&options);
    may.then(|| sh("exec unshare --pid --fork --mount-proc --kill-child sh -c \"$0\"").word(line))
}

/// A line that runs `ipc`, and sends it a signal when it sleeps.
fn signalled(signal: &str, line: &str) -> String {
    format!(
        "(until grep -q '(ipc) S' /proc/1/stat; do sleep 0.01; done; sleep 0.1
            ipc signal send {signal} 1) & exec {line}"
    )
}

#[test]
fn a_signal_ends_it_with_the_status_of_a_shell() {
    let directory = tempfile::tempdir().unwrap();
    let queue = Name::new("mq");
    sh("ipc mq create \"$0\"; ipc map create --size 8 m")
        .word(&*queue)
        .within(directory.path())
        .succeeds();
    for (signal, line, status) in [
        ("TERM", "ipc sock serve ./a --echo", 143),
        ("INT", "ipc sock serve ./b --hub", 130),
        ("HUP", "ipc sock serve ./c --grace 1s -- cat", 129),
        ("TERM", "ipc sock relay ./d ./e", 143),
        ("TERM", "ipc sock recv ./f.sock", 143),
        ("TERM", "ipc signal trap --on USR1=true", 143),
        ("TERM", "ipc mq recv -q --exec $queue -- true", 143),
        ("RTMIN+1", "ipc mq recv -q --exec $queue -- true", 163),
        ("BUS", "ipc map wait --type u32 --eq 7 m", 135),
        ("TERM", "ipc sem barrier --parties 2 $barrier", 143),
    ] {
        let Some(run) = first(&signalled(signal, line)) else { return };
        let run =
            run.env("queue", &*queue).env("barrier", format!("/ipc-test-{}", std::process::id()));
        let output = run.within(directory.path()).output();
        assert_eq!(crate::support::code(&output), status, "{line}: {output:?}");
    }
}

#[test]
fn a_reader_of_stdout_that_left_ends_it_with_the_status_of_pipe() {
    let name = Name::new("shm");
    let line = "head -c 8M /dev/zero | ipc shm write $name
        { ipc shm cat $name; echo $? >&2; } | true";
    sh(line).env("name", &*name).is(0, "", "141\n");
    let Some(run) = first("exec ipc shm cat $name") else { return };
    drop(run);
    let line = "{ unshare --pid --fork --mount-proc ipc shm cat $name; echo $? >&2; } | true";
    sh(line).env("name", &*name).is(0, "", "141\n");
}

#[test]
fn it_reaps_orphans_while_its_command_runs() {
    // COMMAND leaves orphans behind, and counts the zombies.
    let command = "(sleep 0.01 & sleep 0.02 &) ; (exit 3 &); (sh -c 'kill -40 $$' &)
        sleep 0.3; cat /proc/[0-9]*/stat 2>/dev/null | grep -c ') Z 1 '; exit 7";
    for line in [
        "ipc signal trap --on USR1=true -- sh -c \"$command\"",
        "ipc signal alarm 1h -- sh -c \"$command\"",
        "ipc lock run f -- sh -c \"$command\"",
        "ipc sock pair -- true -- sh -c \"{ $command; } >&2\"",
        "ipc mq recv -q --exec $queue -- sh -c \"$command\"",
        "ipc sock serve ./s --once -- sh -c \"{ $command; } >&2\"",
        "flock f sh -c \"$command\"",
    ] {
        let (directory, queue) = (tempfile::tempdir().unwrap(), Name::new("mq"));
        let link =
            "ln -s \"$(command -v ipc)\" flock; ipc mq create $queue; ipc mq send $queue one";
        sh(link).env("queue", &*queue).within(directory.path()).succeeds();
        let client = "PATH=$PWD:$PATH; ipc sock connect -q --retry 1s ./s >&2 & ";
        let client = if line.contains("serve") { client } else { "PATH=$PWD:$PATH; " };
        let Some(run) = first(&format!("{client}exec {line}")) else { return };
        let run = run.env("command", command).env("queue", &*queue);
        let output = run.within(directory.path()).output();
        let said = [output.stdout.clone(), output.stderr.clone()].concat();
        assert_eq!(
            (crate::support::code(&output), crate::support::text(&said)),
            (7, "0\n".to_owned()),
            "{line}"
        );
    }
}
