//! A queue delivers the messages that were pushed, and no content of the memory makes it misbehave.

use std::fs::File;
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use proptest::prelude::*;
use tempfile::TempDir;

use super::layout::{CURSOR, PUSH, SEQ, WAIT};
use super::record::Record;
use super::*;

mod claims;
mod damage;

const SOON: Duration = Duration::from_millis(30);
/// A limit for events that take milliseconds, on a machine that may be busy.
const LATE: Duration = Duration::from_secs(60);

fn at_once() -> Deadline {
    Deadline::PASSED
}

fn late() -> Deadline {
    Deadline::after(LATE)
}

/// A queue in a directory of /dev/shm; dropping the directory removes the queue.
struct Fixture {
    directory: TempDir,
}

impl Fixture {
    fn new() -> Self {
        Self { directory: tempfile::tempdir_in("/dev/shm").unwrap() }
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("queue")
    }

    fn create(&self, mode: u32, capacity: u64) -> Ring {
        Ring::create(&self.path(), mode, capacity).unwrap()
    }

    fn open(&self) -> Result<Ring, Error> {
        open(&self.path())
    }

    /// Changes bytes of the file while the queue is open, without a lock.
    fn poke(&self, at: u64, bytes: &[u8]) {
        let file = File::options().write(true).open(self.path()).unwrap();
        file.write_all_at(bytes, at).unwrap();
    }
}

fn open(path: &Path) -> Result<Ring, Error> {
    Ring::attach(File::options().read(true).write(true).open(path).unwrap().into())
}

fn push(ring: &Ring, message: &[u8]) {
    assert_eq!(ring.push(message, at_once()), Ok(Outcome::Done(())));
}

fn pop(ring: &Ring) -> Option<Vec<u8>> {
    let mut message = Vec::new();
    match ring.pop(&mut message, at_once()) {
        Ok(Outcome::Done(())) => Some(message),
        Ok(_) => None,
        Err(error) => panic!("{error}"),
    }
}

fn claim(ring: &Ring) -> (Claim, Vec<u8>) {
    let mut message = Vec::new();
    match ring.claim(&mut message, at_once()) {
        Ok(Outcome::Done(claim)) => (claim, message),
        other => panic!("{other:?}"),
    }
}

fn is_whole(ring: &Ring) {
    assert_eq!(ring.verify(Repair::Never, at_once()), Ok(Outcome::Done(vec![])));
}

/// Both ways to reach a queue: 0600 is trusted, and 0622 is not.
const MODES: [u32; 2] = [0o600, 0o622];

#[test]
fn messages_come_out_as_they_went_in_across_the_end_of_the_ring() {
    for mode in MODES {
        let fixture = Fixture::new();
        let ring = fixture.create(mode, 4096);
        assert_eq!((ring.is_trusted(), ring.capacity()), (mode == 0o600, 4096));
        for round in 0..200_usize {
            let messages: Vec<Vec<u8>> =
                (0..3).map(|i| vec![round as u8; (round * 37 + i * 101) % 1200]).collect();
            messages.iter().for_each(|message| push(&ring, message));
            assert_eq!(messages.map_pop(&ring), messages);
        }
        is_whole(&ring);
    }
}

trait MapPop {
    fn map_pop(&self, ring: &Ring) -> Vec<Vec<u8>>;
}

impl MapPop for Vec<Vec<u8>> {
    fn map_pop(&self, ring: &Ring) -> Vec<Vec<u8>> {
        self.iter().map(|_| pop(ring).unwrap()).collect()
    }
}

#[test]
fn a_batch_is_as_much_as_fits_and_is_popped_with_what_is_put_around() {
    for mode in MODES {
        let fixture = Fixture::new();
        let ring = fixture.create(mode, 4096);
        let messages: Vec<Vec<u8>> = (0..100).map(|i| vec![b'a' + i % 26; 100]).collect();
        let slices = messages.iter().map(Vec::as_slice);
        let room = 4096 / size_of_record(100) as usize;
        assert_eq!(ring.push_batch(slices.clone(), at_once()), Ok(Outcome::Done(room)));
        assert_eq!(ring.push_batch(slices, at_once()), Ok(Outcome::TimedOut));
        let mut lines = b"before ".to_vec();
        let popped = ring.pop_batch(1000, &mut Lines(b'\n'), &mut lines, at_once());
        assert_eq!(popped, Ok(Outcome::Done(9)));
        let expected = messages[..9].iter().flat_map(|m| [m.as_slice(), b"\n"].concat());
        assert_eq!(lines[7..], expected.collect::<Vec<u8>>());
        assert_eq!(pop(&ring).unwrap(), messages[9]);
    }
}

#[test]
fn a_message_that_never_fits_is_refused_with_the_size_that_would_do() {
    let fixture = Fixture::new();
    let ring = fixture.create(0o600, 4096);
    push(&ring, &[7; 4080]);
    assert_eq!(pop(&ring).unwrap().len(), 4080);
    let refused = ring.push(&[7; 4081], Deadline::NEVER);
    assert_eq!(refused, Err(Error::TooLong { length: 4081, most: 4080, capacity: 8192 }));
}

#[test]
fn an_empty_message_is_a_message_and_an_empty_queue_is_not() {
    for mode in MODES {
        let fixture = Fixture::new();
        let ring = fixture.create(mode, 4096);
        push(&ring, b"");
        assert_eq!(pop(&ring).as_deref(), Some(b"".as_slice()));
        assert_eq!(ring.pop(&mut Vec::new(), Deadline::after(SOON)), Ok(Outcome::TimedOut));
    }
}

#[test]
fn sleepers_of_both_sides_are_woken() {
    for mode in MODES {
        let fixture = Fixture::new();
        let ring = fixture.create(mode, 4096);
        thread::scope(|scope| {
            let popper = scope.spawn(|| {
                let mut message = Vec::new();
                let ring = fixture.open().unwrap();
                assert_eq!(ring.pop(&mut message, late()), Ok(Outcome::Done(())));
                message
            });
            until(|| ring.stat().unwrap().consumer_sleeps);
            push(&ring, b"awake");
            assert_eq!(popper.join().unwrap(), b"awake");
            push(&ring, &[1; 4000]);
            let pusher = scope.spawn(|| fixture.open().unwrap().push(&[2; 4000], late()));
            until(|| ring.stat().unwrap().producer_sleeps);
            assert_eq!(pop(&ring).unwrap(), [1; 4000]);
            assert_eq!(pusher.join().unwrap(), Ok(Outcome::Done(())));
            assert_eq!(pop(&ring).unwrap(), [2; 4000]);
        });
    }
}

fn until(mut condition: impl FnMut() -> bool) {
    let end = late();
    while !condition() {
        assert!(!end.has_passed(), "it never comes");
        thread::yield_now();
    }
}

#[test]
fn the_number_of_commits_may_wrap_around() {
    let fixture = Fixture::new();
    let ring = fixture.create(0o600, 4096);
    for side in [PUSH, layout::POP] {
        fixture.poke((side + SEQ) as u64, &(u32::MAX - 3).to_ne_bytes());
    }
    // The live state is now the second one, which is all zeros as well.
    for round in 0..10_u8 {
        push(&ring, &[round]);
        assert_eq!(pop(&ring).unwrap(), [round]);
    }
    is_whole(&ring);
}

#[test]
fn a_closed_queue_is_drained_and_takes_nothing() {
    for mode in MODES {
        let fixture = Fixture::new();
        let ring = fixture.create(mode, 4096);
        push(&ring, b"last");
        assert_eq!(ring.close(late()), Ok(Outcome::Done(())));
        assert_eq!(ring.push(b"late", late()), Ok(Outcome::Closed));
        assert_eq!(pop(&ring).unwrap(), b"last");
        let mut nothing = Vec::new();
        assert_eq!(ring.pop(&mut nothing, late()), Ok(Outcome::Closed));
        assert!(matches!(ring.claim(&mut nothing, late()), Ok(Outcome::Closed)));
        assert_eq!(ring.tap(&mut Tap::default(), &mut nothing, late()), Ok(Outcome::Closed));
        assert!(ring.stat().unwrap().closed);
    }
}

#[test]
fn sleepers_notice_that_the_queue_is_closed() {
    let (fixture, full) = (Fixture::new(), Fixture::new());
    let (ring, full_ring) = (fixture.create(0o600, 4096), full.create(0o600, 4096));
    push(&full_ring, &[1; 4000]);
    thread::scope(|scope| {
        let popper = scope.spawn(|| fixture.open().unwrap().pop(&mut Vec::new(), late()));
        let pusher = scope.spawn(|| full.open().unwrap().push(&[2; 4000], late()));
        until(|| ring.stat().unwrap().consumer_sleeps);
        until(|| full_ring.stat().unwrap().producer_sleeps);
        assert_eq!(ring.close(late()), Ok(Outcome::Done(())));
        assert_eq!(full_ring.close(late()), Ok(Outcome::Done(())));
        assert_eq!(popper.join().unwrap(), Ok(Outcome::Closed));
        assert_eq!(pusher.join().unwrap(), Ok(Outcome::Closed));
    });
}

#[test]
fn a_tap_sees_every_message_that_is_not_popped_before_and_takes_none() {
    for mode in MODES {
        let fixture = Fixture::new();
        let ring = fixture.create(mode, 4096);
        let (mut tap, mut seen) = (Tap::default(), Vec::new());
        [b"a", b"b"].iter().for_each(|message| push(&ring, *message));
        while ring.tap(&mut tap, &mut seen, at_once()) == Ok(Outcome::Done(())) {}
        assert_eq!((seen.as_slice(), tap.has_missed()), (b"ab".as_slice(), false));
        [b"c", b"d"].iter().for_each(|message| push(&ring, *message));
        (0..3).for_each(|_| assert!(pop(&ring).is_some()));
        assert_eq!(ring.tap(&mut tap, &mut seen, at_once()), Ok(Outcome::Done(())));
        assert_eq!((seen.as_slice(), tap.has_missed()), (b"abd".as_slice(), true));
        assert_eq!(pop(&ring).unwrap(), b"d");
    }
}

#[test]
fn participants_with_and_without_trust_share_one_queue() {
    let fixture = Fixture::new();
    let trusting = fixture.create(0o600, 4096);
    assert!(trusting.locks_words());
    push(&trusting, b"by word");
    let permissions = std::os::unix::fs::PermissionsExt::from_mode(0o666);
    std::fs::set_permissions(fixture.path(), permissions).unwrap();
    let distrusting = fixture.open().unwrap();
    assert!(!distrusting.is_trusted() && !distrusting.locks_words());
    assert_eq!(pop(&distrusting).unwrap(), b"by word");
    push(&distrusting, b"by byte");
    push(&trusting, b"by byte as well");
    assert_eq!(pop(&trusting).unwrap(), b"by byte");
    assert_eq!(pop(&distrusting).unwrap(), b"by byte as well");
    is_whole(&trusting);
}

#[test]
fn the_mark_of_a_sleeper_is_not_taken_for_a_commit_that_never_comes() {
    let fixture = Fixture::new();
    let ring = fixture.create(0o600, 4096);
    fixture.poke((PUSH + WAIT) as u64, &0_u32.to_ne_bytes());
    assert!(ring.stat().unwrap().consumer_sleeps);
    push(&ring, b"one needless wake-up");
    assert!(!ring.stat().unwrap().consumer_sleeps);
}

#[test]
fn no_message_is_allocated_for() {
    for mode in MODES {
        let fixture = Fixture::new();
        let ring = fixture.create(mode, 1 << 16);
        let messages: Vec<Vec<u8>> = (0..20).map(|i| vec![1; i * 13]).collect();
        let mut bytes = Vec::with_capacity(1 << 16);
        let mut before = 0;
        for round in 0..100 {
            if round == 1 {
                // The first batch has allocated the memory in which batches are put together.
                before = crate::sys::allocations();
            }
            bytes.clear();
            let slices = messages.iter().map(Vec::as_slice);
            assert_eq!(ring.push_batch(slices, Deadline::NEVER), Ok(Outcome::Done(20)));
            assert_eq!(ring.push(&messages[7], Deadline::NEVER), Ok(Outcome::Done(())));
            assert_eq!(ring.pop(&mut bytes, Deadline::NEVER), Ok(Outcome::Done(())));
            let popped = ring.pop_batch(1 << 15, &mut Lines(0), &mut bytes, Deadline::NEVER);
            assert_eq!(popped, Ok(Outcome::Done(20)));
        }
        assert_eq!(crate::sys::allocations(), before, "{mode:o}");
    }
}
