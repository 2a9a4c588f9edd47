//! Where every user can create names, the object of another user is not used in place of a new one,
//! unless that user is trusted.

use std::fs;
use std::os::unix::fs::{PermissionsExt, lchown, symlink};
use std::path::Path;

use crate::nouns::{self, Names, Noun};
use crate::support::{Run, as_another_user, code, ipc, text};

/// A directory in which every user can create names.
fn shared_directory() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o1777)).unwrap();
    directory
}

fn refused(noun_and_verb: &str, name: &str) -> String {
    format!(
        "ipc: {noun_and_verb}: {name}: exists, created by another user (nobody) where every user can \
         create one\nhint: --trust nobody accepts it\n"
    )
}

/// The verbs of a noun that create an object, and the status of each if it exists.
fn makers(noun: &str) -> Vec<(&str, &[&str], i32)> {
    match noun {
        "shm" | "map" => vec![("create", &["-e", "--size", "8"], 0), ("write", &[], 0)],
        "sem" => vec![("create", &["-e"], 0), ("run", &["-n", "--create", "1"], 0)],
        "mq" => vec![("create", &["-e"], 0), ("send", &["--create"], 0)],
        _ => vec![("create", &["-e"], 0), ("write", &["-n", "--create"], 1)],
    }
}

fn run(noun: &str, verb: &str, options: &[&str], name: &str, directory: &Path) -> Run {
    let run = ipc(&[noun, verb]).words(options).word(name).within(directory);
    match verb {
        "run" => run.words(&["--", "true"]),
        "send" => run.word("x"),
        "write" => run.input(if noun == "fifo" { "" } else { "12345678" }),
        _ => run,
    }
}

/// Creates an object as another user, with permissions for all; `false` without the permission to
/// change the user.
fn plant(noun: &str, name: &str, directory: &Path) -> bool {
    let create: &[&str] = match noun {
        "shm" | "map" => &["create", "-m", "0666", "--size", "8"],
        "sem" => &["create", "-m", "0666", "--value", "1"],
        "mq" if name.starts_with('/') => {
            &["create", "-m", "0666", "--max-msgs", "4", "--msg-size", "64"]
        }
        _ => &["create", "-m", "0666"],
    };
    let Some(other) = as_another_user(&[noun]) else { return false };
    other.words(create).word(name).within(directory).is(0, "", "");
    true
}

#[test]
fn an_object_of_another_user_is_not_used_in_place_of_a_new_one() {
    let directory = shared_directory();
    let objects = nouns::objects(directory.path());
    for (Noun { name: noun, .. }, name) in &objects {
        if !plant(noun, name, directory.path()) {
            return;
        }
        for (verb, options, there) in makers(noun) {
            let status = if verb == "run" { 125 } else { 6 };
            let refusal = refused(&format!("{noun} {verb}"), name);
            run(noun, verb, options, name, directory.path()).is(status, "", &refusal);
            let options = [options, &["--trust", "root", "--trust", "@daemon"]].concat();
            run(noun, verb, &options, name, directory.path()).is(status, "", &refusal);
            for trusted in ["nobody", "65534", "@nogroup", "any"] {
                let options = [&options[..], &["--trust", trusted]].concat();
                run(noun, verb, &options, name, directory.path()).is(there, "", "");
            }
        }
    }
    let mkfifo =
        |words: &[&str]| ipc(&["mkfifo", "-e", "fifo"]).words(words).within(directory.path());
    mkfifo(&[]).is(6, "", &refused("mkfifo", "fifo"));
    mkfifo(&["--trust", "nobody"]).is(0, "", "");
}

#[test]
fn an_object_of_the_owner_of_the_directory_is_used_by_others() {
    let directory = shared_directory();
    let objects = nouns::objects(directory.path());
    let kernel = objects.iter().filter(|(noun, _)| noun.names == Names::Kernel);
    for (Noun { name: noun, create: size, .. }, name) in kernel {
        ipc(&[noun, "create", "-m", "0666", name]).words(size).is(0, "", "");
        let Some(other) = as_another_user(&[noun, "create", "-e", name]) else { return };
        other.words(size).is(0, "", "");
    }
    // Only the owner can create names here.
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
    ipc(&["fifo", "create", "p"]).within(directory.path()).is(0, "", "");
    lchown(directory.path().join("p"), Some(65534), None).unwrap();
    ipc(&["fifo", "create", "-e", "p"]).within(directory.path()).is(0, "", "");
}

#[test]
fn a_planted_link_to_a_trusted_object_is_refused() {
    let directory = shared_directory();
    let (link, elsewhere) = (directory.path().join("l"), tempfile::tempdir().unwrap());
    ipc(&["fifo", "create", "p"]).within(elsewhere.path()).is(0, "", "");
    symlink(elsewhere.path().join("p"), &link).unwrap();
    let create = || ipc(&["fifo", "create", "-e", "l"]).within(directory.path());
    let written = fs::read_to_string("/proc/sys/fs/protected_symlinks").unwrap_or_default();
    create().is(0, "", "");
    if lchown(&link, Some(65534), None).is_err() {
        return;
    }
    let output = create().output();
    match written.trim() {
        // The kernel does not follow it (protected_symlinks).
        "1" => assert_eq!((code(&output), text(&output.stdout)), (6, String::new())),
        _ => assert_eq!(text(&output.stderr), refused("fifo create", "l")),
    }
}

#[test]
fn a_lock_is_held_on_a_file_of_any_user() {
    let directory = shared_directory();
    fs::write(directory.path().join("lock"), "").unwrap();
    fs::set_permissions(directory.path().join("lock"), fs::Permissions::from_mode(0o666)).unwrap();
    if lchown(directory.path().join("lock"), Some(65534), None).is_err() {
        return;
    }
    ipc(&["lock", "run", "lock", "--", "echo", "held"])
        .within(directory.path())
        .is(0, "held\n", "");
}

#[test]
fn an_unknown_user_cannot_be_trusted() {
    ipc(&["shm", "write", "--trust", "no-such-user", "/x"]).is(
        2,
        "",
        "ipc: shm write: --trust 'no-such-user': there is no user no-such-user\n\
         hint: try 'ipc shm write --help'\n",
    );
}
