//! A lock is on the file that the path leads to.

use super::*;

#[test]
fn a_file_that_replaces_another_during_the_wait_is_locked_instead() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("lock");
    let lock = Lock { kind: Kind::Flock, mode: Mode::Exclusive, range: Range::default() };
    let Ok(Waited::Done(old)) = open(path.as_os_str(), lock, Deadline::NEVER, || ()) else {
        panic!("the lock is free");
    };
    let waiting = path.clone();
    let thread =
        std::thread::spawn(move || open(waiting.as_os_str(), lock, Deadline::NEVER, || ()));
    let status = nix::sys::stat::stat(path.as_os_str()).unwrap();
    let waits = || {
        let held = crate::sys::lock_table::of_file(&status).unwrap();
        held.iter().any(|held| !held.waiters.is_empty())
    };
    while !waits() {
        std::thread::yield_now();
    }
    std::fs::rename(directory.path().join("lock"), directory.path().join("old")).unwrap();
    drop(old);
    let Waited::Done(new) = thread.join().unwrap().unwrap() else { panic!("no deadline") };
    assert_eq!(files::is_at(path.as_os_str(), &new), Ok(true));
}
