//! `ipc applets`.

use std::fs;
use std::os::unix::fs::MetadataExt;

use crate::support::{Run, binary, ipc};

#[test]
fn the_links_are_those_that_are_listed_and_work() {
    let directory = tempfile::tempdir().unwrap();
    let names = ipc(&["applets"]).succeeds();
    ipc(&["applets", "--install"]).word(directory.path()).is(0, "", "");
    let mut made: Vec<String> = fs::read_dir(directory.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let mut listed: Vec<&str> = names.lines().collect();
    made.sort();
    listed.sort();
    assert_eq!(made, listed);
    assert!(listed.contains(&"sem") && listed.contains(&"mkfifo"));
    Run::new(directory.path().join("sem"), &["value", "/ipc-no-such"]).is(
        4,
        "",
        "ipc: sem value: /ipc-no-such: No such file or directory\nhint: 'ipc sem create' makes it\n",
    );
    // Again is as good as once.
    ipc(&["applets", "--install"]).word(directory.path()).is(0, "", "");
}

#[test]
fn a_file_of_that_name_stays_unless_told_otherwise() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("sem");
    fs::write(&path, "mine").unwrap();
    ipc(&["applets", "--install"]).word(directory.path()).is(
        5,
        "",
        &format!("ipc: applets: {}: File exists\nhint: --force replaces it\n", path.display()),
    );
    assert_eq!(fs::read(&path).unwrap(), b"mine");
    ipc(&["applets", "--force", "--install"]).word(directory.path()).is(0, "", "");
    assert_eq!(fs::metadata(&path).unwrap().ino(), fs::metadata(binary()).unwrap().ino());
    let left = fs::read_dir(directory.path()).unwrap().count();
    assert_eq!(left, ipc(&["applets"]).succeeds().lines().count());
}

#[test]
fn a_directory_that_is_not_there_is_told_once() {
    let said = "ipc: applets: nowhere: No such file or directory\n";
    ipc(&["applets", "--install", "nowhere"]).is(4, "", said);
}

#[test]
fn on_another_file_system_the_links_are_symbolic() {
    let directory = tempfile::tempdir_in("/dev/shm").unwrap();
    ipc(&["applets", "--install"]).word(directory.path()).is(0, "", "");
    Run::new(directory.path().join("sem"), &["value", "/ipc-no-such"]).is(
        4,
        "",
        "ipc: sem value: /ipc-no-such: No such file or directory\nhint: 'ipc sem create' makes it\n",
    );
}
