//! Locks exclude each other byte by byte, and are of the file that the path leads to.

use super::*;

const EXCLUSIVE: Lock =
    Lock { kind: Kind::Ofd, mode: Mode::Exclusive, range: Range { start: 0, length: 0 } };

fn bytes(start: i64, length: i64) -> Lock {
    Lock { range: Range { start, length }, ..EXCLUSIVE }
}

#[test]
fn adjacent_ranges_are_independent_and_overlapping_ones_are_not() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let (one, other) = (file.reopen().unwrap(), file.reopen().unwrap());
    assert_eq!(bytes(0, 10).acquire(&one, Deadline::PASSED), Ok(Waited::Done(())));
    assert_eq!(bytes(10, 10).acquire(&other, Deadline::PASSED), Ok(Waited::Done(())));
    assert_eq!(bytes(19, 1).is_excluded(&one), Ok(true));
    assert_eq!(bytes(20, 0).is_excluded(&one), Ok(false));
    assert_eq!(bytes(9, 2).acquire(&other, Deadline::PASSED), Ok(Waited::TimedOut));
}

#[test]
fn a_file_that_is_replaced_while_we_wait_is_not_the_one_we_lock() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("lock");
    let lock = Lock { kind: Kind::Flock, ..EXCLUSIVE };
    let Ok(Waited::Done(old)) = open_locked(path.as_os_str(), lock, Deadline::NEVER, || ()) else {
        panic!("the lock is free");
    };
    let waiting = path.clone();
    let thread =
        std::thread::spawn(move || open_locked(waiting.as_os_str(), lock, Deadline::NEVER, || ()));
    let status = status(path.as_os_str()).unwrap();
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
    assert_eq!(is_at(path.as_os_str(), &new), Ok(true));
}
