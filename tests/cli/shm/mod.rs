//! `ipc shm`.

mod cells;
mod data;
mod guard;
mod inspect;
mod loss;
mod programs;

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::nouns::{Names, Noun, Wait};
use crate::support::{Name, as_another_user, awkward, code, ipc, sh, text};

pub const NOUN: Noun =
    Noun { name: "shm", names: Names::Kernel, create: &["--size", "8"], waits, commands: &[] };

fn waits() -> Vec<Wait> {
    let mut waits = guarded("shm", "$key");
    waits.push(
        Wait::new(
            "ipc shm create --size 8 $name",
            "ipc shm wait --type u32 --eq 7 $name",
            "ipc shm poke --type u32 $name 7",
            "7\n",
        )
        .says("$name: waiting until the number is 7"),
    );
    waits
}

/// Waits for the semaphore `$name` that guards this segment of 8 bytes.
pub fn guarded(noun: &str, segment: &str) -> Vec<Wait> {
    let verbs = [
        ("add", "--type u32 SEGMENT 1", "1\n"),
        ("cas", "--type u32 SEGMENT 0 1", "1\n"),
        ("cat", "--count 0 SEGMENT", ""),
        ("peek", "--type u32 SEGMENT", "0\n"),
        ("poke", "--type u32 SEGMENT 1", ""),
        ("write", "SEGMENT", ""),
    ];
    let prepare = format!("ipc sem create $name; ipc {noun} create --size 8 {segment}");
    let wait = |(verb, words, output): (&str, &str, &str)| {
        let words = words.replace("SEGMENT", segment);
        let wait = format!("ipc {noun} {verb} --guard $name {words}");
        Wait::new(&prepare, &wait, "ipc sem post $name", output)
            .says("--guard $name: waiting until the value is 1 or more; it is 0")
    };
    verbs.map(wait).into()
}

/// A new segment of this size.
pub fn created(size: &str) -> Name {
    let name = Name::new("shm");
    ipc(&["shm", "create", &name, "--size", size]).is(0, "", "");
    name
}

/// The reason and the hint for a missing segment.
pub const MISSING: &str =
    "No such file or directory\nhint: 'ipc shm create' makes it, and so does 'ipc shm write'";

/// A diagnostic of this verb about this object.
pub fn complaint(verb: &str, name: &str, reason: &str) -> String {
    format!("ipc: shm {verb}: {name}: {reason}\n")
}

#[test]
fn create_makes_zeros_of_exactly_this_size_and_mode() {
    let name = Name::new("shm");
    sh("umask 077; ipc shm create -m a=rw --size 5K \"$0\"").word(&*name).is(0, "", "");
    let status = fs::metadata(format!("/dev/shm{}", &*name)).unwrap();
    assert_eq!((status.len(), status.permissions().mode() & 0o7777), (5120, 0o666));
    assert_eq!(ipc(&["shm", "cat", &name]).output().stdout, vec![0; 5120]);
}

#[test]
fn create_accepts_an_existing_segment_of_the_same_size_with_exist_ok_only() {
    let (name, key) = (created("8"), Name::system_v("shm"));
    ipc(&["shm", "create", &key, "--size", "8"]).is(0, "", "");
    for object in [&*name, &*key] {
        let run = |words: &[&str]| ipc(&["shm", "create", object, "--size"]).words(words);
        run(&["8"]).is(
            5,
            "",
            &complaint("create", object, "File exists\nhint: --exist-ok accepts an existing one"),
        );
        run(&["8", "-e"]).is(0, "", "");
        let other = complaint("create", object, "exists with another size, 8 bytes");
        run(&["9", "-e"]).is(5, "", &other);
    }
}

#[test]
fn create_survives_concurrent_creation_and_removal() {
    for name in [Name::new("shm"), Name::system_v("shm")] {
        let line = "i=0; while [ $i -lt 50 ]; do i=$((i+1))
            ipc shm create -e --size 8 \"$0\" || exit; ipc shm rm -f \"$0\" || exit; done";
        let shells = [(); 3].map(|()| sh(line).word(&*name).start());
        for shell in shells {
            let output = shell.finish();
            assert_eq!((code(&output), text(&output.stderr)), (0, String::new()));
        }
    }
}

#[test]
fn the_name_of_a_semaphore_is_refused() {
    for words in [&["create", "--size", "8"][..], &["write"], &["cat"], &["rm"], &["stat"]] {
        let reason = "names that begin with 'sem.' belong to semaphores: use 'ipc sem'";
        ipc(&["shm"]).words(words).word("sem.x").is(3, "", &complaint(words[0], "/sem.x", reason));
    }
    let semaphore = Name::new("sem");
    ipc(&["sem", "create", &semaphore]).is(0, "", "");
    assert!(!ipc(&["shm", "ls", "-q"]).succeeds().contains(&semaphore[1..]));
}

#[test]
fn huge_pages_are_used_or_refused_with_a_reason() {
    let name = Name::new("shm");
    let output = ipc(&["shm", "create", &name, "--size", "4M", "--huge"]).output();
    let hint = "\nhint: without --huge it has ordinary pages\n";
    assert!(code(&output) == 0 || text(&output.stderr).ends_with(hint), "{output:?}");
    let there = std::path::Path::new(&format!("/dev/shm{}", &*name)).exists();
    assert_eq!(there, code(&output) == 0);
}

#[test]
fn rm_removes_what_exists_and_reports_the_rest() {
    let name = created("8");
    let missing = complaint("rm", "/ipc-no-such", "No such file or directory");
    ipc(&["shm", "rm", "/ipc-no-such", &name]).is(4, "", &missing);
    ipc(&["shm", "rm", "-f", &name]).is(0, "", "");
}

#[test]
fn a_name_in_any_bytes_is_used_and_listed() {
    ipc(&["shm", "write"]).word(awkward()).input("x").is(0, "", "");
    let list = ipc(&["shm", "ls", "--json"]).succeeds();
    ipc(&["shm", "rm"]).word(awkward()).is(0, "", "");
    assert!(list.contains("base64"), "{list}");
}

#[test]
fn a_planted_link_or_fifo_is_no_segment() {
    let name = Name::new("shm");
    let path = format!("/dev/shm{}", &*name);
    let reason = "not a shared memory object: not a regular file";
    std::os::unix::fs::symlink("/etc/hostname", &path).unwrap();
    ipc(&["shm", "cat", &name]).is(3, "", &complaint("cat", &name, reason));
    ipc(&["shm", "write", &name]).input("x").is(3, "", &complaint("write", &name, reason));
    fs::remove_file(&path).unwrap();
    ipc(&["fifo", "create", &path]).is(0, "", "");
    ipc(&["shm", "cat", &name]).is(3, "", &complaint("cat", &name, reason));
    ipc(&["shm", "rm", &name]).is(3, "", &complaint("rm", &name, reason));
    ipc(&["fifo", "rm", &path]).is(0, "", "");
}

#[test]
fn another_user_has_the_access_that_the_mode_allows() {
    let name = created("8");
    let denied = |verb| complaint(verb, &name, "Permission denied");
    let Some(cat) = as_another_user(&["shm", "cat", &name]) else { return };
    cat.is(6, "", &denied("cat"));
    fs::set_permissions(format!("/dev/shm{}", &*name), fs::Permissions::from_mode(0o644)).unwrap();
    let peek = as_another_user(&["shm", "peek", &name, "--count", "2"]);
    peek.unwrap().is(0, "0\n0\n", "");
    let wait = as_another_user(&["shm", "wait", &name, "--type", "u64", "--eq", "5"]);
    let wait = wait.unwrap().start();
    wait.wait_until_asleep();
    as_another_user(&["shm", "poke", &name, "--type", "u8", "1"]).unwrap().is(
        6,
        "",
        &denied("poke"),
    );
    ipc(&["shm", "poke", &name, "--type", "u64", "5"]).is(0, "", "");
    assert_eq!(text(&wait.finish().stdout), "5\n");
}
