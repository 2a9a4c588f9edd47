//! `stat` and `ls`.

use std::fs;

use super::{MISSING, complaint, created};
use crate::peers;
use crate::support::{Name, as_another_user, copy_for_others, ipc, sh, text};

#[test]
fn stat_and_ls_show_size_mode_and_holders() {
    let name = created("12K");
    let file = fs::File::open(format!("/dev/shm{}", &*name)).unwrap();
    let stat = ipc(&["shm", "stat", "--json", &name]).succeeds();
    let json: serde_json::Value = serde_json::from_str(&stat).unwrap();
    assert_eq!((&json["size"], &json["mode"]), (&12288.into(), &"0600".into()));
    assert_eq!(json["holders"][0]["pid"], std::process::id());
    drop(file);
    let list = ipc(&["shm", "ls", "--json"]).succeeds();
    let json: serde_json::Value = serde_json::from_str(&list).unwrap();
    let is_it = |entry: &&serde_json::Value| entry["name"] == *name;
    assert_eq!(json.as_array().unwrap().iter().find(is_it).unwrap()["size"], 12288);
}

#[test]
fn objects_of_other_programs_are_listed() {
    let name = Name::of("shm", format!("/sysv:{}", std::process::id()));
    ipc(&["shm", "create", &name, "--size", "1"]).is(0, "", "");
    // In the year 11476, for which RFC 3339 has no form.
    sh("touch -d @300000000000 /dev/shm$0").word(&*name).is(0, "", "");
    let json: serde_json::Value =
        serde_json::from_str(&ipc(&["shm", "ls", "--json"]).succeeds()).unwrap();
    let is_it = |entry: &&serde_json::Value| entry["name"] == *name;
    let entry = json.as_array().unwrap().iter().find(is_it).unwrap();
    assert_eq!((&entry["size"], &entry["modified"]), (&1.into(), &serde_json::Value::Null));
    assert!(ipc(&["shm", "ls", "-q"]).succeeds().contains(&*name));
}

#[test]
fn stat_shows_the_properties_of_a_system_v_segment() {
    let key = Name::system_v("shm");
    ipc(&["shm", "create", &key, "--size", "100", "-m", "0640"]).is(0, "", "");
    let stat = ipc(&["shm", "stat", "--json", &key]).succeeds();
    let json: serde_json::Value = serde_json::from_str(&stat).unwrap();
    assert_eq!((&json["size"], &json["mode"]), (&100.into(), &"0640".into()));
    assert_eq!((&json["attachments"], &json["marked_for_removal"]), (&0.into(), &false.into()));
    let id = json["id"].as_i64().unwrap();
    ipc(&["shm", "poke", &format!("sysv:id={id}"), "--type", "u8", "65"]).is(0, "", "");
    ipc(&["shm", "cat", &key, "--string"]).is(0, "A", "");
    assert!(
        ipc(&["shm", "ls", "-q"])
            .succeeds()
            .contains(&format!("sysv:{:#010x} ", { i64::from_str_radix(&key[7..], 16).unwrap() }))
    );
    let fixed = "a System V segment cannot be resized";
    let hint = "hint: copy it: ipc shm cat OLD | ipc shm write NEW\n";
    ipc(&["shm", "resize", &key, "200"]).is(3, "", &(complaint("resize", &key, fixed) + hint));
    ipc(&["shm", "rm", &key]).is(0, "", "");
    ipc(&["shm", "cat", &key]).is(4, "", &complaint("cat", &key, MISSING));
}

#[test]
fn ls_shows_holders_and_warns_of_hidden_processes() {
    let name = created("16");
    let wait = ipc(&["shm", "wait", &name, "--type", "u8", "--eq", "1", "--poll", "inf"]).start();
    wait.wait_until_asleep();
    let row = format!("{} (ipc)", wait.pid());
    let listed = || ipc(&["shm", "ls", "-q"]).succeeds();
    assert!(listed().lines().any(|line| line.starts_with(&*name) && line.contains(&row)));
    if let Some(ls) = as_another_user(&["shm", "ls", "--json"]) {
        let json: serde_json::Value = serde_json::from_str(&ls.succeeds()).unwrap();
        let is_it = |entry: &&serde_json::Value| entry["name"] == *name;
        let entry = json.as_array().unwrap().iter().find(is_it).unwrap().clone();
        assert_eq!(entry["holders"], serde_json::json!([]));
        assert!(entry["hidden"].as_u64().unwrap() > 0);
        let rows = as_another_user(&["shm", "ls"]).unwrap().output();
        let (rows, stderr) = (text(&rows.stdout), text(&rows.stderr));
        assert!(rows.lines().any(|row| row.starts_with(&*name) && row.ends_with("  -")), "{rows}");
        assert!(stderr.starts_with("ipc: shm ls: ") && stderr.ends_with(" could not be seen\n"));
        assert_eq!((stderr.lines().count(), rows.contains("could not")), (1, false));
        let stat = as_another_user(&["shm", "stat", &name]).unwrap().succeeds();
        assert!(stat.contains("could not be seen"), "{stat}");
    }
    ipc(&["shm", "poke", &name, "--type", "u8", "1"]).is(0, "", "");
    assert!(wait.finish().status.success());
}

#[test]
fn processes_that_proc_hides_are_reported() {
    if !peers::may_unshare(&["--mount"]) {
        return;
    }
    let name = created("16");
    let holder = ipc(&["shm", "wait", &name, "--type", "u8", "--eq", "1", "--poll", "inf"]).start();
    holder.wait_until_at_futex();
    let (_directory, copy) = copy_for_others();
    sh("chmod 644 /dev/shm$0").word(&*name).is(0, "", "");
    let line = "mount -t proc -o hidepid=2 none /proc && exec setpriv --reuid 65534 --regid 65534 --clear-groups \
                \"$0\" shm stat \"$1\"";
    let stat =
        sh("exec unshare --mount sh -c \"$@\"").word("sh").word(line).word(copy).word(&*name);
    let stat = stat.succeeds();
    assert!(stat.ends_with("\nholders:   1 process could not be seen\n"), "{stat}");
}

#[test]
fn an_unreadable_directory_is_named() {
    if !peers::may_unshare(&["--mount", "--ipc"]) {
        return;
    }
    let (_directory, copy) = copy_for_others();
    let line = "mount -t tmpfs -o mode=700 none /dev/shm && \
                exec setpriv --reuid 65534 --regid 65534 --clear-groups \"$0\" shm ls";
    sh("exec unshare --mount --ipc sh -c \"$@\"").word("sh").word(line).word(copy).is(
        6,
        "",
        "ipc: shm ls: /dev/shm: Permission denied\n",
    );
}

#[test]
fn a_process_with_the_same_identifier_in_another_namespace_is_no_holder() {
    if !peers::may_unshare(&["--ipc"]) {
        return;
    }
    // Each namespace has identifiers of its own.
    let unshared = |line: &str| sh("exec unshare --ipc sh -c \"$0\"").word(line);
    let create = "ipc shm create sysv:1 --size 4 && exec ipc shm";
    let elsewhere = unshared(&format!("{create} wait sysv:1 --type i32 --eq 1 --poll inf")).start();
    elsewhere.wait_until_at_futex();
    let stat = unshared(&format!("{create} stat --json sysv:1")).succeeds();
    let json: serde_json::Value = serde_json::from_str(&stat).unwrap();
    assert_eq!((&json["id"], &json["holders"]), (&0.into(), &serde_json::json!([])));
}

#[test]
fn a_row_is_as_wide_as_the_terminal_at_most() {
    if !peers::there("script", &["--version"]) {
        return;
    }
    let name = Name::of("shm", format!("/ipc-test-{}-{}", std::process::id(), "x".repeat(200)));
    ipc(&["shm", "create", &name, "--size", "8"]).is(0, "", "");
    let widest = |before: &str| {
        let shown = peers::at_terminal(&format!("{before} ipc shm ls")).unwrap().succeeds();
        assert!(shown.contains("/ipc-test-"), "{shown}");
        shown.lines().map(|line| line.trim_end().chars().count()).max().unwrap()
    };
    assert_eq!(widest("stty cols 100;"), 100);
    // A terminal that reports no width has that of COLUMNS, or 80.
    assert_eq!(widest("stty cols 0; COLUMNS=90"), 90);
    for columns in ["", "COLUMNS=0", "COLUMNS=many"] {
        assert_eq!(widest(&format!("stty cols 0; unset COLUMNS; {columns}")), 80);
    }
    assert!(ipc(&["shm", "ls"]).output().stdout.windows(200).any(|part| part == [b'x'; 200]));
}
