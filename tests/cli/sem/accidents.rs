//! Ways to count wrongly by accident, none of which leads there.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::{comes_back_to, command_of, holding, semaphore, value};
use crate::support::{Name, as_another_user, bash, code, ipc, sh};

#[test]
fn a_value_is_not_set_while_commands_hold_permits_that_would_be_counted_twice() {
    let name = semaphore(2);
    let (running, command) = holding(&name);
    ipc(&["sem", "set", &name, "2"]).is(
        5,
        "",
        &format!(
            "ipc: sem set: {}: commands hold 1 of its permits\n\
             hint: they are added when they come back ('ipc sem stat' names the holders); \
             meanwhile 'ipc sem post' and 'ipc sem wait' change the value\n",
            &*name
        ),
    );
    kill(command, Signal::SIGKILL).unwrap();
    running.finish();
    ipc(&["sem", "set", &name, "5"]).is(0, "", "");
    assert_eq!(value(&name), "5\n");
}

#[test]
fn a_semaphore_is_removed_while_commands_hold_permits_only_with_force() {
    let name = semaphore(1);
    let (running, command) = holding(&name);
    ipc(&["sem", "rm", &name]).is(
        5,
        "",
        &format!(
            "ipc: sem rm: {}: commands hold 1 of its permits\n\
             hint: 'ipc sem stat' names the holders; -f removes it all the same\n",
            &*name
        ),
    );
    ipc(&["sem", "rm", "-f", &name]).is(0, "", "");
    // What comes back to the one that was removed does not come to a new one.
    ipc(&["sem", "create", &name, "--value", "3"]).is(0, "", "");
    kill(command, Signal::SIGKILL).unwrap();
    running.finish();
    assert_eq!(value(&name), "3\n");
}

#[test]
fn a_run_within_a_run_has_a_unit_of_its_own() {
    let name = semaphore(2);
    let line = "ipc sem run \"$0\" -- ipc sem run \"$0\" -- sh -c \
                'ipc sem value \"$0\"; ipc sem run -n \"$0\" -- true; echo $?' \"$0\"";
    sh(line).word(&*name).is(0, "0\n1\n", "");
    assert_eq!(value(&name), "2\n");
}

#[test]
fn a_name_with_its_slash_and_without_is_held_as_one() {
    let name = semaphore(1);
    let (running, command) = holding(&name);
    let plain = name.trim_start_matches('/');
    ipc(&["sem", "run", "-n", plain, "--", "true"]).is(1, "", "");
    kill(command, Signal::SIGKILL).unwrap();
    running.finish();
    ipc(&["sem", "run", "-n", plain, "--", "true"]).is(0, "", "");
}

#[test]
fn users_that_share_a_semaphore_reclaim_for_each_other() {
    let name = Name::new("sem");
    ipc(&["sem", "create", &name, "--value", "1", "-m", "a=rw"]).is(0, "", "");
    let words = ["sem", "run", &name, "--", "sleep", "600"];
    let Some(theirs) = as_another_user(&words) else { return };
    let theirs = theirs.start();
    let command = command_of(&theirs);
    let waiter = ipc(&["sem", "wait", &name]).start();
    waiter.wait_until_asleep();
    kill(Pid::from_raw(theirs.pid()), Signal::SIGKILL).unwrap();
    kill(command, Signal::SIGKILL).unwrap();
    assert_eq!(code(&waiter.finish()), 0);
    ipc(&["sem", "post", &name]).is(0, "", "");
    let (ours, command) = holding(&name);
    ours.signal(Signal::SIGKILL);
    drop(ours);
    kill(command, Signal::SIGKILL).unwrap();
    let theirs = as_another_user(&["sem", "run", "-t", "1m", &name, "--", "true"]);
    theirs.expect("it worked before").is(0, "", "");
    assert_eq!(value(&name), "1\n");
}

#[test]
fn as_many_of_many_commands_run_at_once_as_there_are_permits() {
    const LINE: &str = r#"
        for i in $(seq 200); do ipc sem run -n "$0" -- true || echo "not $i" & done
        wait
    "#;
    let name = semaphore(200);
    bash(LINE).word(&*name).is(0, "", "");
    assert_eq!(value(&name), "200\n");
}

#[test]
fn commands_beyond_the_maximum_are_refused_and_keep_no_permit() {
    // The slots of 504 commands, all taken by this one line.
    const LINE: &str = r#"
        ulimit -n 2048
        mkfifo "$1/fifo"
        for i in $(seq 504); do ipc sem run --create 1000 "$0" -- cat "$1/fifo" & done
        exec 9>"$1/fifo"
        until_true eval 'ipc sem value "$0" | grep -qx 496'
        ipc sem run "$0" -- true
        echo $?
        exec 9>&-
        wait
    "#;
    let name = Name::new("sem");
    let directory = tempfile::tempdir().unwrap();
    bash(LINE).word(&*name).word(directory.path()).is(
        0,
        "125\n",
        &format!(
            "ipc: sem run: {}: 504 commands hold permits already, which is the maximum\n\
             hint: 'ipc sem stat' names them; a second semaphore has room for as many\n",
            &*name
        ),
    );
    comes_back_to(&name, 1000);
}

#[test]
fn a_unit_that_comes_back_to_a_full_semaphore_does_not_break_it() {
    let name = semaphore(2_147_483_647);
    sh("ipc sem run \"$0\" -- ipc sem post \"$0\"").word(&*name).is(0, "", "");
    assert_eq!(value(&name), "2147483647\n");
    ipc(&["sem", "wait", &name]).is(0, "", "");
    ipc(&["sem", "run", "-n", &name, "--", "true"]).is(0, "", "");
    assert_eq!(value(&name), "2147483646\n");
}
