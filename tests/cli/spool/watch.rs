//! `ipc spool watch`.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use nix::sys::signal::Signal;

use super::take::commands;
use crate::support::{Run, Running, as_another_user, code, ipc, pause, text, until};

/// A directory into which files are dropped, and a log of COMMANDs beside it.
struct Drops(tempfile::TempDir);

impl Drops {
    fn new() -> Self {
        let drops = Self(tempfile::tempdir().expect("a directory can be made"));
        fs::create_dir(drops.path("d")).unwrap();
        drops
    }

    fn path(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    fn watch(&self, options: &[&str], line: &str) -> Run {
        let run = ipc(&["spool", "watch", "d"]).words(options).words(&["--", "sh", "-c", line]);
        run.within(self.0.path())
    }

    /// A watch that writes the content of each file to the log.
    fn logged(&self, options: &[&str]) -> Running {
        let watch = self.watch(options, "cat >>log").start();
        watch.wait_until_asleep();
        watch
    }

    fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    fn is_empty(&self) -> bool {
        self.path("d").read_dir().unwrap().next().is_none()
    }
}

fn ends(watch: Running) {
    until("no COMMAND runs", || commands(&watch).is_empty());
    watch.signal(Signal::SIGTERM);
    let ended = watch.finish();
    assert_eq!((code(&ended), text(&ended.stderr)), (143, String::new()));
}

#[test]
fn files_that_are_closed_renamed_or_linked_in_are_taken() {
    let drops = Drops::new();
    fs::write(drops.path("d/early"), "a").unwrap();
    let watch = drops.logged(&[]);
    until("the first is done", || drops.log() == "a" && drops.is_empty());
    fs::write(drops.path("d/closed"), "b").unwrap();
    until("it is done", || drops.log() == "ab" && drops.is_empty());
    fs::write(drops.path("outside"), "c").unwrap();
    fs::rename(drops.path("outside"), drops.path("d/renamed")).unwrap();
    until("it is done", || drops.log() == "abc" && drops.is_empty());
    fs::write(drops.path("outside"), "d").unwrap();
    fs::hard_link(drops.path("outside"), drops.path("d/linked")).unwrap();
    until("it is done", || drops.log() == "abcd" && drops.is_empty());
    ends(watch);
}

#[test]
fn a_file_that_is_being_written_is_left_alone() {
    let drops = Drops::new();
    let watch = drops.logged(&[]);
    let mut file = File::create(drops.path("d/slow")).unwrap();
    file.write_all(b"first ").unwrap();
    fs::write(drops.path("d/quick"), "quick ").unwrap();
    until("the other is done", || drops.log() == "quick ");
    file.write_all(b"second").unwrap();
    drop(file);
    until("it is done", || drops.log() == "quick first second" && drops.is_empty());
    ends(watch);
}

#[test]
fn links_directories_and_hidden_files_stay() {
    let drops = Drops::new();
    fs::write(drops.path("d/.hidden"), "x").unwrap();
    fs::create_dir(drops.path("d/directory")).unwrap();
    symlink("/etc/passwd", drops.path("d/link")).unwrap();
    nix::unistd::mkfifo(&drops.path("d/fifo"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    drops.watch(&["--all"], "cat").is(0, "", "");
    assert_eq!(drops.path("d").read_dir().unwrap().count(), 4);
}

#[test]
fn a_file_that_changes_while_command_runs_is_taken_again() {
    let drops = Drops::new();
    fs::write(drops.path("d/f"), "old\n").unwrap();
    let replace = "cat; [ -e new ] && mv new d/f; true";
    fs::write(drops.path("new"), "new\n").unwrap();
    drops.watch(&["--all"], replace).is(0, "old\nnew\n", "");
    assert!(drops.is_empty());
    // Written in place,
    fs::write(drops.path("d/f"), "old\n").unwrap();
    let write = "cat; [ -e once ] || echo more >>d/f; touch once";
    drops.watch(&["--all"], write).is(0, "old\nold\nmore\n", "");
    // and another file, which comes meanwhile.
    fs::write(drops.path("d/f"), "f\n").unwrap();
    drops.watch(&["--all"], "cat; [ -e twice ] || echo g >d/g; touch twice").is(0, "f\ng\n", "");
}

#[test]
fn a_file_whose_command_failed_stays_until_it_changes() {
    let drops = Drops::new();
    fs::write(drops.path("d/f"), "x").unwrap();
    let failed = "ipc: spool watch: d: sh ended with status 3; the message stays\n";
    drops.watch(&["--all"], "exit 3").is(3, "", failed);
    let watch = drops.watch(&[], "echo >>log; exit 3").start();
    until("it has run once", || drops.log().len() == 1);
    watch.wait_until_asleep();
    fs::write(drops.path("d/f"), "other").unwrap();
    until("it has run again", || drops.log().len() == 2 && commands(&watch).is_empty());
    watch.signal(Signal::SIGTERM);
    assert_eq!(code(&watch.finish()), 143);
    drops.watch(&["--all", "--attempts", "2", "--retry-delay", "1ms"], "test $IPC_ATTEMPT = 2").is(
        0,
        "",
        "ipc: spool watch: d: sh ended with status 1; attempt 1 of 2, the next in 0.001s\n",
    );
    assert!(drops.is_empty());
}

#[test]
fn files_can_stay_and_each_version_is_taken_once() {
    let drops = Drops::new();
    let watch = drops.logged(&["--keep-files"]);
    fs::write(drops.path("d/f"), "1").unwrap();
    until("it is done", || drops.log() == "1");
    fs::write(drops.path("d/g"), "2").unwrap();
    until("it is done", || drops.log() == "12");
    fs::write(drops.path("d/f"), "34").unwrap();
    until("it is done", || drops.log() == "1234");
    ends(watch);
    assert_eq!(fs::read_to_string(drops.path("d/f")).unwrap(), "34");
}

/// Another user may have no lease on a file of root.
#[test]
fn without_a_lease_a_file_is_taken_when_it_has_settled() {
    use std::os::unix::fs::PermissionsExt;
    let drops = Drops::new();
    let open_to_all = |path: &Path| {
        fs::set_permissions(path, fs::Permissions::from_mode(0o777)).unwrap();
    };
    [drops.0.path(), &drops.path("d")].into_iter().for_each(open_to_all);
    let words = ["spool", "watch", "d", "--settle", "600ms", "--", "sh", "-c", "cat >>log"];
    let Some(watch) = as_another_user(&words) else { return };
    let watch = watch.within(drops.0.path()).start();
    watch.wait_until_asleep();
    let mut file = File::create(drops.path("d/f")).unwrap();
    for part in ["a", "b", "c"] {
        file.write_all(part.as_bytes()).unwrap();
        pause(std::time::Duration::from_millis(100));
    }
    until("it is done", || drops.log() == "abc" && drops.is_empty());
    fs::write(drops.path("d/secret"), "x").unwrap();
    fs::set_permissions(drops.path("d/secret"), fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(drops.path("d/next"), "d").unwrap();
    let is_left = || drops.path("d").read_dir().unwrap().count() == 1;
    until("the next is done", || drops.log() == "abcd" && is_left());
    until("no COMMAND runs", || commands(&watch).is_empty());
    watch.signal(Signal::SIGTERM);
    let ended = watch.finish();
    let skipped = "ipc: spool watch: d: secret: this user may not read it; it is skipped\n";
    assert_eq!((code(&ended), text(&ended.stderr)), (143, skipped.to_owned()));
}
