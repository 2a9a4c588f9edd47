//! `set --mode` and `set --owner`, of every noun whose objects have permissions.

use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use crate::nouns::{self, Names};
use crate::peers;
use crate::support::{Name, as_another_user, code, ipc, sh, text};

/// An object of each noun and kind, made by `create`.
fn objects(directory: &std::path::Path) -> Vec<(&'static str, Name)> {
    let mut objects: Vec<_> =
        nouns::objects(directory).into_iter().map(|(noun, name)| (noun.name, name)).collect();
    objects.extend(nouns::with(Names::Memory).map(|noun| (noun.name, Name::new(noun.name))));
    objects.retain(|(noun, _)| nouns::verb(noun, "set").is_some());
    objects
}

/// The options that `create` needs.
fn options(noun: &str) -> &'static [&'static str] {
    match noun {
        "shm" | "map" => &["--size", "8"],
        "queue" => &["--capacity", "4K"],
        _ => &[],
    }
}

fn create(noun: &str, name: &str, mode: &str) {
    ipc(&[noun, "create", "-m", mode, name]).words(options(noun)).is(0, "", "");
}

/// The mode, the owner and the group that `stat` prints.
#[track_caller]
fn ownership(noun: &str, name: &str) -> (String, u64, u64) {
    let record = ipc(&[noun, "stat", "--json", name]).succeeds();
    let record: serde_json::Value = serde_json::from_str(&record).unwrap();
    let number = |key: &str| record[key].as_u64().unwrap();
    (record["mode"].as_str().unwrap().to_owned(), number("uid"), number("gid"))
}

fn own() -> (u64, u64) {
    let (uid, gid) = (nix::unistd::geteuid().as_raw(), nix::unistd::getegid().as_raw());
    (uid.into(), gid.into())
}

#[test]
fn permissions_change_and_the_owner_stays() {
    let directory = tempfile::tempdir().unwrap();
    let (uid, gid) = own();
    for (noun, name) in objects(directory.path()) {
        create(noun, &name, "0604");
        sh("umask 077; ipc $0 set \"$1\" --mode g=w,o+w,u-w").words(&[noun, &name]).is(0, "", "");
        assert_eq!(ownership(noun, &name), ("0426".to_owned(), uid, gid), "{noun}");
        ipc(&[noun, "set", "-m", "0660", "-v", &name]).is(
            0,
            "",
            &format!("ipc: {noun} set: {}: set\n", &*name),
        );
        assert_eq!(ownership(noun, &name), ("0660".to_owned(), uid, gid), "{noun}");
    }
}

#[test]
fn root_changes_the_owner_the_group_or_both_and_the_mode_stays() {
    if own() != (0, 0) {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    for (noun, name) in objects(directory.path()) {
        create(noun, &name, "0640");
        let set = |owner: &str, (uid, gid)| {
            ipc(&[noun, "set", &name, "--owner", owner]).is(0, "", "");
            assert_eq!(ownership(noun, &name), ("0640".to_owned(), uid, gid), "{noun} {owner}");
        };
        set("4711", (4711, 0));
        set(":4712", (4711, 4712));
        set("nobody:root", (65534, 0));
        set("nobody:", (65534, 65534));
        ipc(&[noun, "set", &name, "--owner", "root:4712", "--mode", "o+r"]).is(0, "", "");
        assert_eq!(ownership(noun, &name), ("0644".to_owned(), 0, 4712), "{noun}");
    }
}

#[test]
fn a_change_without_options_or_of_an_unknown_user_is_a_usage_error() {
    let directory = tempfile::tempdir().unwrap();
    for (noun, name) in objects(directory.path()) {
        let output = ipc(&[noun, "set", &name]).output();
        let stderr = text(&output.stderr);
        let nothing = format!("ipc: {noun} set: {}: nothing to set: give ", &*name);
        assert!(
            stderr.starts_with(&nothing) && stderr.ends_with("--mode or --owner\n") || noun == "mq",
            "{stderr}"
        );
        assert_eq!(code(&output), 2);
        for (option, value, reason) in [
            ("--owner", "no-such-user", "there is no user no-such-user"),
            ("--owner", "root:no-such", "there is no group no-such"),
            ("--owner", ":", "neither a user nor a group"),
            ("--mode", "4755", "mode must specify only file permission bits"),
        ] {
            let told = format!(
                "ipc: {noun} set: {option} '{value}': {reason}\n\
                 hint: try 'ipc {noun} set --help'\n"
            );
            ipc(&[noun, "set", &name, option, value]).is(2, "", &told);
        }
    }
}

#[test]
fn an_object_that_is_missing_is_not_found() {
    let directory = tempfile::tempdir().unwrap();
    for (noun, name) in objects(directory.path()) {
        let output = ipc(&[noun, "set", "-m", "0600", &name]).output();
        assert_eq!(code(&output), 4, "{noun}: {}", text(&output.stderr));
        assert!(text(&output.stderr).contains("No such file or directory"), "{noun}");
    }
    for noun in ["shm", "sem", "mq"] {
        ipc(&[noun, "set", "-m", "0600", "sysv:id=2147483600"]).is(
            4,
            "",
            &format!("ipc: {noun} set: sysv:id=2147483600: No such file or directory\n"),
        );
    }
}

#[test]
fn a_user_that_does_not_own_the_object_is_refused_with_the_reason() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::set_permissions(directory.path(), PermissionsExt::from_mode(0o755)).unwrap();
    for (noun, name) in objects(directory.path()) {
        create(noun, &name, "0666");
        for options in [&["--mode", "0600"][..], &["--owner", "65534"], &["--owner", ":65534"]] {
            let Some(set) = as_another_user(&[noun, "set", &name]) else { return };
            let output = set.words(options).output();
            let hint = match (&name[..], options) {
                (name, _) if name.starts_with("sysv:") => {
                    "only its owner, its creator and root may change it"
                }
                (_, ["--mode", _]) => "only its owner and root may change it",
                (_, [_, "65534"]) => "only root may change the owner of it",
                _ => {
                    "only its owner and root may change it, and the owner only to a group of its own"
                }
            };
            let told =
                format!("ipc: {noun} set: {}: Operation not permitted\nhint: {hint}\n", &*name);
            assert_eq!((code(&output), text(&output.stderr)), (6, told), "{noun} {options:?}");
        }
        let (uid, gid) = own();
        assert_eq!(ownership(noun, &name), ("0666".to_owned(), uid, gid), "{noun}");
    }
}

#[test]
fn an_owner_without_any_permission_gives_itself_some() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::set_permissions(directory.path(), PermissionsExt::from_mode(0o777)).unwrap();
    for (noun, name) in objects(directory.path()) {
        // It cannot be read, so that it could not be checked that it is a queue.
        if noun == "queue" || noun == "mq" && !std::path::Path::new("/dev/mqueue").exists() {
            continue;
        }
        let words = [noun, "create", "-m", "0000", &name];
        let Some(create) = as_another_user(&words) else { return };
        create.words(options(noun)).is(0, "", "");
        let Some(set) = as_another_user(&[noun, "set", "-m", "u+rw", &name]) else { return };
        set.is(0, "", "");
        let ownership = ownership(noun, &name);
        assert_eq!(ownership, ("0600".to_owned(), 65534, 65534), "{noun} {}", &*name);
    }
}

#[test]
fn the_owner_of_a_system_v_object_gives_it_away() {
    for noun in ["shm", "sem", "mq"] {
        let name = Name::system_v(noun);
        let Some(create) = as_another_user(&[noun, "create", &name]) else { return };
        create.words(options(noun)).is(0, "", "");
        let Some(set) = as_another_user(&[noun, "set", "--owner", "4711:4712", &name]) else {
            return;
        };
        set.is(0, "", "");
        assert_eq!(ownership(noun, &name), ("0600".to_owned(), 4711, 4712), "{noun}");
    }
}

#[test]
fn a_system_v_object_is_changed_by_its_identifier() {
    for noun in ["shm", "sem", "mq"] {
        let made = ipc(&[noun, "create", "sysv:0"]).words(options(noun)).succeeds();
        let name = Name::of(noun, made.trim_end());
        ipc(&[noun, "set", &name, "--mode", "0640"]).is(0, "", "");
        assert_eq!(ownership(noun, &name).0, "0640", "{noun}");
    }
}

#[test]
fn all_of_a_system_v_queue_is_changed_at_once_or_nothing() {
    let key = Name::system_v("mq");
    ipc(&["mq", "create", &key]).is(0, "", "");
    ipc(&["mq", "set", &key, "-m", "0640", "--max-bytes", "100"]).is(0, "", "");
    let Some(refused) = as_another_user(&["mq", "set", &key, "-m", "0666", "--max-bytes", "200"])
    else {
        return;
    };
    assert_eq!(code(&refused.output()), 6);
    let stat = ipc(&["mq", "stat", "--json", &key]).succeeds();
    assert!(stat.contains("\"max_bytes\":100") && stat.contains("\"mode\":\"0640\""), "{stat}");
}

#[test]
fn a_value_and_permissions_of_a_semaphore_change_together() {
    for name in [Name::new("sem"), Name::system_v("sem")] {
        ipc(&["sem", "create", &name]).is(0, "", "");
        ipc(&["sem", "set", &name, "3", "--mode", "0400"]).is(0, "", "");
        ipc(&["sem", "set", &name, "--mode", "0600"]).is(0, "", "");
        assert_eq!(ipc(&["sem", "value", &name]).succeeds(), "3\n");
    }
    let name = Name::system_v("sem");
    let reason = "--index is for a value: all semaphores of a set have the same permissions";
    ipc(&["sem", "set", &name, "--mode", "0600", "--index", "1"]).is(
        2,
        "",
        &format!("ipc: sem set: {}: {reason}\n", &*name),
    );
}

#[test]
fn a_fifo_is_changed_without_opening_it() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("p");
    let path = path.to_str().unwrap();
    ipc(&["fifo", "create", path]).is(0, "", "");
    let writer = ipc(&["fifo", "write", path, "x"]).start();
    writer.wait_until_asleep();
    ipc(&["fifo", "set", path, "-m", "0644"]).is(0, "", "");
    writer.wait_until_asleep();
    ipc(&["fifo", "cat", path]).is(0, "x\n", "");
    assert_eq!(code(&writer.finish()), 0);
    let link = directory.path().join("link");
    symlink("p", &link).unwrap();
    ipc(&["fifo", "set", "-m", "0600"]).word(&link).is(0, "", "");
    assert_eq!(std::fs::metadata(path).unwrap().mode() & 0o777, 0o600);
    let file = directory.path().join("a\nb");
    std::fs::write(&file, "").unwrap();
    let output = ipc(&["fifo", "set", "-m", "0600"]).word(&file).output();
    assert_eq!(code(&output), 3);
    assert!(text(&output.stderr).ends_with("a\\nb: not a FIFO: a regular file\n"));
}

#[test]
fn a_link_in_shared_memory_is_not_followed() {
    let directory = tempfile::tempdir().unwrap();
    let target = directory.path().join("target");
    std::fs::write(&target, vec![0; 32]).unwrap();
    let mode = std::fs::metadata(&target).unwrap().mode();
    for (noun, prefix) in [("shm", ""), ("sem", "sem."), ("queue", "")] {
        let name = Name::new(noun);
        let link = format!("/dev/shm/{prefix}{}", name.trim_start_matches('/'));
        symlink(&target, &link).unwrap();
        let output = ipc(&[noun, "set", "-m", "0666", &name]).output();
        std::fs::remove_file(&link).unwrap();
        assert_eq!(code(&output), 3, "{noun}: {}", text(&output.stderr));
        assert_eq!(std::fs::metadata(&target).unwrap().mode(), mode, "{noun}");
    }
}

#[test]
fn a_user_that_a_user_namespace_does_not_have_is_explained() {
    if !peers::may_unshare(&["--user", "--map-root-user", "--ipc"]) {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let line = "ipc fifo create p; ipc fifo set p --owner 4711; echo $?
        ipc shm create sysv:1 --size 8; ipc shm set sysv:1 --owner :4711 -m 666; echo $?
        ipc shm stat sysv:1 --json | grep -o '\"mode\":\"0600\"'
        ipc mq create /q; ipc mq set /q --owner 4711 -m 666; echo $?
        ipc mq stat /q --json | grep -o '\"mode\":\"0600\"'";
    let output = sh("exec unshare --user --map-root-user --ipc sh -c \"$0\"")
        .word(line)
        .within(directory.path())
        .output();
    assert_eq!(text(&output.stdout), "3\n3\n\"mode\":\"0600\"\n3\n\"mode\":\"0600\"\n");
    let told = |place: &str| {
        format!(
            "ipc: {place}: Invalid argument\nhint: this user namespace has no such user or group \
             ('cat /proc/self/uid_map')\n"
        )
    };
    let places = ["fifo set: p", "shm set: sysv:1", "mq set: /q"];
    assert_eq!(text(&output.stderr), places.map(told).concat());
}

#[test]
fn permissions_change_without_a_proc() {
    if !peers::may_unshare(&["--mount"]) {
        return;
    }
    let name = Name::new("shm");
    create("shm", &name, "0600");
    let line = "mount -t tmpfs none /proc && ipc shm set \"$0\" -m 0644";
    sh("exec unshare --mount sh -c \"$0\" \"$1\"").words(&[line, &name]).is(0, "", "");
    assert_eq!(ownership("shm", &name).0, "0644");
}
