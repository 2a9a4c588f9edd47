//! `ipc lock take --pidfile`: pidfiles that survive their processes.

use std::fs;

use super::new_file;
use crate::peers;
use crate::support::{code, ipc, make_older, sh, text};

/// Whether files here have extended attributes of users.
fn has_attributes(file: &str) -> bool {
    let line = "python3 -c 'import os, sys; print(len(os.listxattr(sys.argv[1])))' \"$0\"";
    text(&sh(line).word(file).output().stdout).trim() == "1"
}

#[test]
fn a_pidfile_has_only_the_process_id() {
    let (_directory, file) = new_file();
    ipc(&["lock", "take", "--pidfile", &file]).is(0, "", "");
    assert_eq!(fs::read_to_string(&file).unwrap(), format!("{}\n", std::process::id()));
    let message =
        format!("ipc: lock take: {file}: owned by process {} already\n", std::process::id());
    if has_attributes(&file) {
        ipc(&["lock", "take", "--pidfile", &file]).is(5, "", &message);
    }
    ipc(&["lock", "drop", "--pidfile", &file]).is(0, "", "");
}

#[test]
fn a_pidfile_that_names_the_taker_the_owner_or_an_ancestor_is_stale() {
    let (_directory, file) = new_file();
    let me = std::process::id();
    let parent = std::os::unix::process::parent_id();
    for pid in [me, parent, 1] {
        fs::write(&file, format!("{pid}\n")).unwrap();
        ipc(&["lock", "take", "-n", "--pidfile", &file]).is(0, "", "");
        assert_eq!(fs::read_to_string(&file).unwrap(), format!("{me}\n"), "{pid}");
        fs::remove_file(&file).unwrap();
    }
    // The process that takes it for another owner.
    let line = "echo $$ >\"$0\"; exec ipc lock take -n --pidfile --owner $PPID \"$0\"";
    sh(line).word(&file).is(0, "", "");
    assert_eq!(fs::read_to_string(&file).unwrap(), format!("{me}\n"));
}

#[test]
fn a_pidfile_of_another_process_is_respected_however_old_it_is() {
    let (_directory, file) = new_file();
    let mut other = std::process::Command::new("sleep").arg("1000").spawn().unwrap();
    fs::write(&file, format!("{}\n", other.id())).unwrap();
    for hours in [0, 1, 24 * 365] {
        make_older(&file, hours);
        ipc(&["lock", "take", "-n", "--pidfile", &file]).is(1, "", "");
    }
    other.kill().unwrap();
    other.wait().unwrap();
    ipc(&["lock", "take", "-n", "--pidfile", &file]).is(0, "", "");
}

#[test]
fn a_record_of_another_start_time_makes_a_pidfile_stale() {
    if peers::python("os", "", &[]).is_none() {
        return;
    }
    let (directory, file) = new_file();
    let mut other = std::process::Command::new("sleep").arg("1000").spawn().unwrap();
    let owner = other.id().to_string();
    ipc(&["lock", "take", "--pidfile", "--owner", &owner, &file]).is(0, "", "");
    if !has_attributes(&file) {
        crate::support::skipped("files here have no extended attributes");
        other.kill().unwrap();
        other.wait().unwrap();
        return;
    }
    ipc(&["lock", "take", "-n", "--pidfile", &file]).is(1, "", "");
    // An earlier process with the same process ID, of this boot and of another one.
    let program = "
import os, sys
value = os.getxattr(sys.argv[1], 'user.ipc.owner').decode().split()
value[int(sys.argv[2])] = sys.argv[3]
os.setxattr(sys.argv[1], 'user.ipc.owner', ' '.join(value).encode())";
    for (index, value) in [("1", "1"), ("2", "another-boot")] {
        let copy = directory.path().join("copy");
        let copy = copy.to_str().unwrap();
        ipc(&["lock", "take", "--pidfile", "--owner", &owner, copy]).is(0, "", "");
        peers::python("os", program, &[copy, index, value]).expect("it is there").is(0, "", "");
        ipc(&["lock", "test", "--pidfile", copy]).is(0, "", "");
        ipc(&["signal", "send", "0", "--pidfile", copy]).assert().code(if index == "1" {
            4
        } else {
            0
        });
        ipc(&["lock", "take", "-n", "--pidfile", copy]).is(0, "", "");
        assert_eq!(fs::read_to_string(copy).unwrap(), format!("{}\n", std::process::id()));
        fs::remove_file(copy).unwrap();
    }
    // A program that writes the file anew leaves the record, which is not of that content.
    fs::write(&file, format!("{owner}\n")).unwrap();
    make_older(&file, 1);
    ipc(&["lock", "take", "-n", "--pidfile", &file]).is(1, "", "");
    other.kill().unwrap();
    other.wait().unwrap();
}

#[test]
fn a_pidfile_survives_the_restart_of_a_container() {
    if !peers::may_unshare(&["--pid", "--fork", "--mount-proc", "--kill-child"]) {
        return;
    }
    // In each container the same process IDs take the same pidfile, which the one before left behind.
    let (_directory, file) = new_file();
    let container = "exec unshare --pid --fork --mount-proc --kill-child sh -c \"$1\" \"$0\"";
    for line in [
        "sh -c 'ipc lock take -n --pidfile \"$0\"; echo $?; echo; head -n 1 \"$0\"' \"$0\"; :",
        "ipc lock take -n --pidfile \"$0\"; echo $?; echo; head -n 1 \"$0\"",
        "ipc lock take -n --pidfile --owner 1 \"$0\"; echo $?; echo; head -n 1 \"$0\"",
    ] {
        for round in 0..3 {
            let output = sh(container).word(&file).word(line).output();
            let stdout = text(&output.stdout);
            assert!(stdout.starts_with("0\n\n"), "{round}: {line}: {output:?}");
        }
        fs::remove_file(&file).unwrap();
    }
    // Another process of the new container has the process ID of the old owner.
    let old =
        "sleep 1000 & echo $! >\"$0.pid\"; ipc lock take --pidfile --owner $! \"$0\"; kill $!";
    assert_eq!(code(&sh(container).word(&file).word(old).output()), 0);
    let new = "sleep 1000 & echo $! | cmp - \"$0\" && ipc lock take -n --pidfile \"$0\"; echo $?; kill $!";
    let output = sh(container).word(&file).word(new).output();
    let expected = if has_attributes(&file) { "0\n" } else { "1\n" };
    assert_eq!(text(&output.stdout), expected, "{output:?}");
}

#[test]
fn killed_half_way_take_leaves_a_whole_pidfile_or_none() {
    let (directory, file) = new_file();
    let words = ["lock", "take", "--pidfile", &file];
    let Some(calls) = peers::system_calls(&words) else { return };
    let _ = fs::remove_file(&file);
    for call in calls {
        call.signals("KILL", &words).output();
        if let Ok(content) = fs::read_to_string(&file) {
            assert_eq!(content, format!("{}\n", content.trim()), "{call:?}");
            fs::remove_file(&file).unwrap();
        }
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0, "{call:?}");
    }
}
