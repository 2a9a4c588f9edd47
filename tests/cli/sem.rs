//! `ipc sem`.

use crate::support::{Name, ipc, sh, text};

#[test]
fn a_unit_that_was_posted_can_be_taken() {
    let name = Name::new("sem");
    ipc(&["sem", "create", &name]).is(0, "", "");
    ipc(&["sem", "post", &name, "--count", "2"]).is(0, "", "");
    ipc(&["sem", "wait", &name]).is(0, "", "");
    ipc(&["sem", "value", &name]).is(0, "1\n", "");
}

#[test]
fn a_name_without_its_slash_is_the_same_name() {
    let name = Name::new("sem");
    ipc(&["sem", "create", name.trim_start_matches('/'), "--value", "7"]).is(0, "", "");
    ipc(&["sem", "value", &name]).is(0, "7\n", "");
}

#[test]
fn create_refuses_what_exists_unless_told() {
    let name = Name::new("sem");
    ipc(&["sem", "create", &name, "--value", "3"]).is(0, "", "");
    ipc(&["sem", "create", &name]).is(
        5,
        "",
        &format!("ipc: sem create: {}: File exists\n", &*name),
    );
    ipc(&["sem", "create", "-e", &name]).is(0, "", "");
    ipc(&["sem", "value", &name]).is(0, "3\n", "");
}

#[test]
fn permissions_are_those_asked_for_whatever_the_umask() {
    let name = Name::new("sem");
    sh("umask 077; ipc sem create -m u=rw,go+r \"$0\"").word(&*name).is(0, "", "");
    assert!(ipc(&["sem", "stat", "--json", &name]).succeeds().contains(r#""mode":"0644""#));
}

#[test]
fn nonblock_says_no_without_a_word_and_with_verbose_says_why() {
    let name = Name::new("sem");
    ipc(&["sem", "create", &name]).is(0, "", "");
    ipc(&["sem", "wait", "-n", &name]).is(1, "", "");
    ipc(&["sem", "wait", "-nv", &name]).is(
        1,
        "",
        &format!("ipc: sem wait: {}: would block\n", &*name),
    );
}

#[test]
fn a_timeout_that_runs_out_is_status_124_and_takes_nothing() {
    let name = Name::new("sem");
    ipc(&["sem", "create", &name]).is(0, "", "");
    ipc(&["sem", "wait", "-t", "50ms", &name]).is(
        124,
        "",
        &format!("ipc: sem wait: {}: timed out\n", &*name),
    );
    ipc(&["sem", "wait", "-qt0", &name]).is(124, "", "");
    ipc(&["sem", "post", &name]).is(0, "", "");
    ipc(&["sem", "wait", "-t", "0", &name]).is(0, "", "");
}

#[test]
fn a_waiter_is_woken_by_a_post() {
    let name = Name::new("sem");
    ipc(&["sem", "create", &name]).is(0, "", "");
    let waiter = ipc(&["sem", "wait", &name]).start();
    waiter.wait_until_asleep();
    ipc(&["sem", "post", &name]).is(0, "", "");
    assert!(waiter.finish().status.success());
}

#[test]
fn a_missing_semaphore_is_named_in_the_message() {
    ipc(&["sem", "post", "/ipc-no-such"]).is(
        4,
        "",
        "ipc: sem post: /ipc-no-such: No such file or directory\n",
    );
}

#[test]
fn a_name_with_control_characters_stays_one_line() {
    ipc(&["sem", "value", "/ipc\nno\x1bsuch"]).is(
        4,
        "",
        "ipc: sem value: /ipc\\nno\\x1bsuch: No such file or directory\n",
    );
}

#[test]
fn a_file_that_is_no_semaphore_is_refused_before_it_is_opened() {
    let name = Name::new("sem");
    let file = format!("/dev/shm/sem.{}", &name[1..]);
    for size in [0, 16, 33] {
        std::fs::write(&file, vec![0; size]).unwrap();
        let reason = format!("not a semaphore: a file of {size} bytes, where a semaphore has 32");
        let hint = "hint: 'ipc sem rm' removes it; then create the semaphore again";
        ipc(&["sem", "wait", &name]).is(
            3,
            "",
            &format!("ipc: sem wait: {}: {reason}\n{hint}\n", &*name),
        );
    }
}

#[test]
fn rm_removes_all_it_can_and_tells_the_rest() {
    let name = Name::new("sem");
    ipc(&["sem", "create", &name]).is(0, "", "");
    ipc(&["sem", "rm", "/ipc-no-such", &name]).is(
        4,
        "",
        "ipc: sem rm: /ipc-no-such: No such file or directory\n",
    );
    ipc(&["sem", "rm", "-f", &name]).is(0, "", "");
}

#[test]
fn a_closed_stdout_is_an_error_and_a_reader_that_left_is_none() {
    let name = Name::new("sem");
    ipc(&["sem", "create", &name]).is(0, "", "");
    sh("ipc sem value \"$0\" >&-").word(&*name).is(
        3,
        "",
        "ipc: sem value: standard output: Bad file descriptor\n",
    );
    sh("ipc sem value \"$0\" >/dev/full").word(&*name).is(
        3,
        "",
        "ipc: sem value: standard output: No space left on device\n",
    );
    let output = sh("{ ipc sem value \"$0\"; echo $? >&2; } | :").word(&*name).output();
    assert!(["0\n", "141\n"].contains(&text(&output.stderr).as_str()), "{output:?}");
}
