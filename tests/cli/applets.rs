//! `ipc applets`.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{Run, as_another_user, binary, code, ipc, text};

/// `ipc applets --install DIRECTORY`, where PATH has no other programs.
fn install(directory: &Path) -> Run {
    ipc(&["applets", "--install"]).word(directory).env("PATH", "/no/such")
}

/// The names in a directory.
fn names_in(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn names() -> Vec<String> {
    let mut names: Vec<String> = ipc(&["applets"]).succeeds().lines().map(str::to_owned).collect();
    names.sort();
    names
}

/// A copy of the program. Another process makes it, so that no child of this one has it open for
/// writing.
fn copy(to: &Path) -> PathBuf {
    let copied = Command::new("cp").arg(binary()).arg(to).status();
    assert!(copied.unwrap().success());
    to.to_owned()
}

fn has_no_such_semaphore(sem: &Path) {
    let said = "ipc: sem value: /ipc-no-such: No such file or directory\n\
                hint: 'ipc sem create' makes it\n";
    Run::new(sem, &["value", "/ipc-no-such"]).is(4, "", said);
}

#[test]
fn install_makes_a_working_link_for_each_name() {
    let directory = tempfile::tempdir().unwrap();
    install(directory.path()).is(0, "", "");
    assert_eq!(names_in(directory.path()), names());
    assert!(names().contains(&"sem".to_owned()) && names().contains(&"mkfifo".to_owned()));
    let sem = directory.path().join("sem");
    assert_eq!(fs::read_link(&sem).unwrap(), binary());
    has_no_such_semaphore(&sem);
    // A second run changes nothing.
    install(directory.path()).is(0, "", "");
    assert_eq!(names_in(directory.path()), names());
}

#[test]
fn links_beside_the_program_are_relative() {
    let directory = tempfile::tempdir().unwrap();
    let program = copy(&directory.path().join("ipc"));
    let words = ["applets", "--install"];
    Run::new(&program, &words).word(directory.path()).env("PATH", "/no/such").is(0, "", "");
    let sem = directory.path().join("sem");
    assert_eq!(fs::read_link(&sem).unwrap(), Path::new("ipc"));
    has_no_such_semaphore(&sem);
    fs::remove_file(&program).unwrap();
    fs::write(&program, "#!/bin/sh\necho new\n").unwrap();
    Command::new("chmod").arg("755").arg(&program).status().unwrap();
    Run::new(&sem, &[]).is(0, "new\n", "");
}

#[test]
fn links_to_older_versions_are_replaced() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    // A copy, a hard link to it, a symbolic link to a missing file, and one with another target.
    copy(&path("sem"));
    fs::hard_link(path("sem"), path("shm")).unwrap();
    symlink("/no/such/ipc", path("mq")).unwrap();
    symlink(directory.path().join("sem"), path("sock")).unwrap();
    install(directory.path()).is(0, "", "");
    for name in names() {
        assert_eq!(fs::read_link(path(&name)).unwrap(), binary(), "{name}");
    }
    assert_eq!(names_in(directory.path()), names());
}

#[test]
fn another_file_with_the_name_is_replaced_only_with_force() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("sem");
    fs::write(&path, "mine").unwrap();
    let said =
        format!("ipc: applets: {}: File exists\nhint: --force replaces it\n", path.display());
    install(directory.path()).is(5, "", &said);
    assert_eq!(names_in(directory.path()), ["sem"]);
    assert_eq!(fs::read(&path).unwrap(), b"mine");
    install(directory.path()).words(&["--force"]).is(0, "", "");
    assert_eq!(fs::read_link(&path).unwrap(), binary());
    assert_eq!(names_in(directory.path()), names());
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    install(directory.path()).words(&["--force"]).is(
        5,
        "",
        &format!("ipc: applets: {}: exists and is not a file\n", path.display()),
    );
}

#[test]
fn an_error_undoes_the_links_before_it() {
    if !crate::peers::there("strace", &["-V"]) {
        return;
    }
    for failing in
        ["inject=symlink,symlinkat:error=ENOSPC:when=4", "inject=rename,renameat:error=EIO"]
    {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("sem");
        fs::write(&path, "mine").unwrap();
        let run = Run::new("strace", &["-qqo", "/dev/null", "-e", failing])
            .word(binary())
            .words(&["applets", "--force", "--install"])
            .word(directory.path())
            .words(&["mq", "lock", "sem", "shm"]);
        assert_eq!(code(&run.output()), 3, "{failing}");
        assert_eq!(names_in(directory.path()), ["sem"], "{failing}");
        assert_eq!(fs::read(&path).unwrap(), b"mine");
    }
}

#[test]
fn the_program_is_not_replaced_by_a_link_to_itself() {
    let directory = tempfile::tempdir().unwrap();
    let program = copy(&directory.path().join("my-ipc"));
    let itself = directory.path().join("sock");
    fs::rename(&program, &itself).unwrap();
    symlink(&itself, directory.path().join("ipc")).unwrap();
    // The file has the name of a noun, and is called by another name, as ipc.
    let run = |words: &[&str]| {
        let shell = ["-c", "exec -a ./x \"$0\" applets \"$@\""];
        Run::new("bash", &shell).word(&itself).words(words).word(directory.path()).words(&["sock"])
    };
    let said = format!("ipc: applets: {}: this is the program itself\n", itself.display());
    run(&["--force", "--install"]).is(5, "", &said);
    assert_eq!(code(&run(&["--remove"]).output()), 5);
    assert!(itself.is_file() && !itself.is_symlink());
}

#[test]
fn names_of_other_programs_are_linked_only_if_given() {
    let (directory, others) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let place = directory.path().to_str().unwrap();
    let other = others.path().join("flock");
    fs::write(&other, "#!/bin/sh\n").unwrap();
    Command::new("chmod").arg("755").arg(&other).status().unwrap();
    let run = |words: &[&str]| {
        let run = ipc(&["applets", "--install", place]).words(words);
        run.env("PATH", format!("{place}:{}", others.path().display()))
    };
    run(&[]).is(
        0,
        "",
        &format!(
            "ipc: applets: left out names in PATH: {}\n\
             hint: 'ipc applets --install {place} flock' makes the link anyway\n",
            other.display()
        ),
    );
    let made = names_in(directory.path());
    assert!(!made.contains(&"flock".to_owned()));
    assert_eq!(made.len() + 1, names().len());
    run(&["flock"]).is(0, "", "");
    assert_eq!(names_in(directory.path()), names());
    // The link is in PATH now.
    run(&[]).is(0, "", "");
}

#[test]
fn only_the_given_names_are_linked_and_removed() {
    let directory = tempfile::tempdir().unwrap();
    install(directory.path()).words(&["shm", "sem"]).is(0, "", "");
    assert_eq!(names_in(directory.path()), ["sem", "shm"]);
    let unknown = "ipc: applets: ls: not a name of a link\nhint: 'ipc applets' lists the names\n";
    install(directory.path()).words(&["mq", "ls"]).is(2, "", unknown);
    let remove = |words: &[&str]| ipc(&["applets", "--remove"]).word(directory.path()).words(words);
    remove(&["shm"]).is(0, "", "");
    assert_eq!(names_in(directory.path()), ["sem"]);
    let place = directory.path().join("shm");
    remove(&["shm"]).is(
        4,
        "",
        &format!("ipc: applets: {}: No such file or directory\n", place.display()),
    );
    fs::write(&place, "mine").unwrap();
    remove(&["shm"]).is(5, "", &format!("ipc: applets: {}: not a link to ipc\n", place.display()));
    remove(&[]).is(0, "", "");
    assert_eq!(names_in(directory.path()), ["shm"]);
}

#[test]
fn target_sets_the_target_of_the_links() {
    let directory = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        install(directory.path()).words(&["--target", "/usr/bin/no-ipc", "sem"]).is(0, "", "");
        let link = fs::read_link(directory.path().join("sem")).unwrap();
        assert_eq!(link, Path::new("/usr/bin/no-ipc"));
    }
}

#[test]
fn an_error_of_the_directory_is_reported_once() {
    let said = "ipc: applets: nowhere: No such file or directory\n";
    ipc(&["applets", "--install", "nowhere"]).is(4, "", said);
    ipc(&["applets", "--remove", "nowhere"]).is(4, "", said);
    let Some(run) = as_another_user(&["applets", "--install", "/usr/lib", "sem", "shm"]) else {
        return;
    };
    let output = run.output();
    let said = "ipc: applets: /usr/lib/sem: Permission denied\n";
    assert_eq!((code(&output), text(&output.stderr)), (6, said.to_owned()));
}
