//! `ipc lock fd` and `unlock`.

use super::new_file;
use crate::support::{ipc, sh};

#[test]
fn a_descriptor_of_the_shell_is_locked_until_it_is_closed() {
    let (_directory, file) = new_file();
    for kind in ["flock", "ofd"] {
        let line = "exec 9>>\"$0\"; ipc lock fd 9 --kind $1; ipc lock run -n --kind $1 \"$0\" -- true; echo $?
                    exec 9>&-; ipc lock run -n --kind $1 \"$0\" -- true; echo $?";
        sh(line).word(&file).word(kind).is(0, "1\n0\n", "");
    }
}

#[test]
fn unlock_gives_the_lock_of_a_descriptor_back() {
    let (_directory, file) = new_file();
    for kind in ["flock", "ofd"] {
        let line = "exec 9>>\"$0\"; ipc lock fd 9 --kind $1; ipc lock unlock 9 --kind $1
                    ipc lock run -n --kind $1 \"$0\" -- echo free";
        sh(line).word(&file).word(kind).is(0, "free\n", "");
    }
}

#[test]
fn a_closed_or_unsuitable_descriptor_is_reported() {
    let (_directory, file) = new_file();
    ipc(&["lock", "fd", "77"]).is(3, "", "ipc: lock fd: 77: Bad file descriptor\n");
    ipc(&["lock", "unlock", "77"]).is(3, "", "ipc: lock unlock: 77: Bad file descriptor\n");
    sh(": >\"$0\"; ipc lock fd --kind ofd 9 9<\"$0\"").word(&file).is(
        3,
        "",
        "ipc: lock fd: 9: is not open for writing, which a lock of this kind needs\n\
         hint: 'exec 9<>FILE' opens a file for both\n",
    );
    sh("ipc lock fd --kind posix 9 9>\"$0\"").word(&file).is(
        2,
        "",
        "ipc: lock fd: --kind: a posix lock would end with this process\n\
         hint: --kind ofd excludes the same locks, and remains with the descriptor\n",
    );
}

#[test]
fn two_descriptors_of_one_process_conflict() {
    let (_directory, file) = new_file();
    sh("exec 8>>\"$0\" 9>>\"$0\"; ipc lock fd 8; ipc lock fd -n 9").word(&file).is(1, "", "");
}

#[test]
fn the_holder_of_a_lock_on_a_descriptor_is_reported_by_its_number() {
    let (_directory, file) = new_file();
    // The shell has the lock, and so do those of its pipe.
    let line =
        "exec 8>\"$0\" 9>\"$0\"; ipc lock fd 8; ipc lock fd -nv 9 2>&1 | sed 's/by .*/by/' | uniq";
    sh(line).word(&file).is(0, "ipc: lock fd: 9: held by\nipc: lock fd: 9: would block\n", "");
}

#[test]
fn a_closed_standard_descriptor_is_not_open() {
    for (verb, redirection) in [("fd 0", "<&-"), ("fd 1", ">&-"), ("unlock 0", "<&-")] {
        let (name, number) = verb.split_once(' ').unwrap();
        let said = format!("ipc: lock {name}: {number}: Bad file descriptor\n");
        sh(&format!("ipc lock {verb} {redirection}")).is(3, "", &said);
    }
    // COMMANDs of other verbs inherit the closed descriptor, not the file in its place.
    let (_directory, file) = new_file();
    sh("ipc lock run \"$0\" -- ipc lock fd 0 <&-").word(&file).is(
        3,
        "",
        "ipc: lock fd: 0: Bad file descriptor\n",
    );
}

#[test]
fn a_closed_standard_descriptor_is_not_open_to_verbs_of_other_nouns() {
    for (line, said) in [
        ("signal wait USR1 --ready 0 <&-", "signal wait: 0: Bad file descriptor"),
        ("signal wait USR1 --ready 1 >&-", "signal wait: 1: Bad file descriptor"),
        ("sock stat fd:0 <&-", "sock stat: fd:0: Bad file descriptor"),
        ("sock connect fd:0 <&-", "sock connect: fd:0: Bad file descriptor"),
        ("sock serve fd:1 --echo >&-", "sock serve: fd:1: Bad file descriptor"),
        ("sock serve ./s --ready 0 --echo <&-", "sock serve: 0: Bad file descriptor"),
    ] {
        sh(&format!("exec ipc {line}")).is(3, "", &format!("ipc: {said}\n"));
    }
}
