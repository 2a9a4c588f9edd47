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
fn a_claim_that_ends_is_delivered_again_with_its_attempts_and_one_that_is_acknowledged_is_not() {
    for mode in MODES {
        let fixture = Fixture::new();
        let ring = fixture.create(mode, 4096);
        [b"a", b"b", b"c"].iter().for_each(|message| push(&ring, *message));
        let (first, second) = (claim(&ring), claim(&ring));
        assert_eq!((first.1.as_slice(), second.1.as_slice()), (b"a".as_slice(), b"b".as_slice()));
        assert_eq!(ring.stat().unwrap().claimed, 2);
        assert_eq!(ring.acknowledge(&second.0, late()), Ok(Outcome::Done(())));
        assert_eq!(ring.acknowledge(&second.0, late()), Err(Error::NotClaimed));
        // The message stands behind an open claim, which pins its space.
        let stat = ring.stat().unwrap();
        assert_eq!((stat.messages, stat.claimed, stat.pinned), (3, 1, 1));
        drop(first);
        let mut message = Vec::new();
        let Ok(Outcome::Done(third)) = ring.claim(&mut message, late()) else { panic!() };
        let mut other = Vec::new();
        let Ok(Outcome::Done(fourth)) = ring.claim(&mut other, late()) else { panic!() };
        let mut both = [(message, third.attempts()), (other, fourth.attempts())];
        both.sort();
        assert_eq!(both, [(b"a".to_vec(), 2), (b"c".to_vec(), 1)]);
        assert_eq!(ring.stat().unwrap().redelivered, 1);
        for claim in [third, fourth] {
            assert_eq!(ring.acknowledge(&claim, late()), Ok(Outcome::Done(())));
        }
        let stat = ring.stat().unwrap();
        assert_eq!((stat.messages, stat.used, stat.popped, stat.bytes), (0, 0, 3, 0));
        is_whole(&ring);
    }
}

#[test]
fn a_claim_lives_as_long_as_anybody_has_its_descriptor() {
    let fixture = Fixture::new();
    let ring = fixture.create(0o600, 4096);
    push(&ring, b"a");
    let (claimed, _) = claim(&ring);
    let inherited = claimed.as_fd().try_clone_to_owned().unwrap();
    drop(claimed);
    let mut message = Vec::new();
    let again = ring.claim(&mut message, Deadline::after(SOON));
    assert!(matches!(again, Ok(Outcome::TimedOut)));
    drop(inherited);
    assert!(matches!(ring.claim(&mut message, late()), Ok(Outcome::Done(_))));
}

#[test]
fn pop_passes_over_open_claims_and_takes_those_that_ended() {
    for mode in MODES {
        let fixture = Fixture::new();
        let ring = fixture.create(mode, 4096);
        [b"a", b"b", b"c"].iter().for_each(|message| push(&ring, *message));
        let (first, _) = claim(&ring);
        assert_eq!(pop(&ring).unwrap(), b"b");
        assert_eq!(pop(&ring).unwrap(), b"c");
        assert_eq!(pop(&ring), None);
        drop(first);
        let mut message = Vec::new();
        assert_eq!(ring.pop(&mut message, late()), Ok(Outcome::Done(())));
        assert_eq!((message.as_slice(), ring.stat().unwrap().used), (b"a".as_slice(), 0));
        is_whole(&ring);
    }
}

#[test]
fn the_last_acknowledgement_ends_the_consumers_of_a_closed_queue() {
    let fixture = Fixture::new();
    let ring = fixture.create(0o600, 4096);
    push(&ring, b"a");
    let (claimed, _) = claim(&ring);
    assert_eq!(ring.close(late()), Ok(Outcome::Done(())));
    assert_eq!(ring.pop(&mut Vec::new(), Deadline::after(SOON)), Ok(Outcome::TimedOut));
    assert_eq!(ring.acknowledge(&claimed, late()), Ok(Outcome::Done(())));
    assert_eq!(ring.pop(&mut Vec::new(), late()), Ok(Outcome::Closed));
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
fn a_queue_of_the_last_boot_is_made_valid_or_found_damaged() {
    // If the temporary directory is a tmpfs, a queue in it does not survive a reboot.
    let directory = tempfile::tempdir().unwrap();
    if crate::sys::object::Object::of(File::open(directory.path()).unwrap()).unwrap().is_volatile {
        return;
    }
    let path = directory.path().join("queue");
    let ring = Ring::create(&path, 0o600, 4096).unwrap();
    push(&ring, b"old");
    let file = File::options().write(true).open(&path).unwrap();
    let old = layout::Header { boot: 1, ..layout::Header::new(4096).unwrap() };
    file.write_all_at(&old.encode(), 0).unwrap();
    // The lock word holds the number of a thread of the last boot.
    file.write_all_at(&1_u32.to_ne_bytes(), PUSH as u64).unwrap();
    let ring = open(&path).unwrap();
    push(&ring, b"new");
    assert_eq!((pop(&ring).unwrap(), pop(&ring).unwrap()), (b"old".to_vec(), b"new".to_vec()));
    push(&ring, b"lost in a crash");
    let lost = HEAD as u64 + 2 * size_of_record(3);
    file.write_all_at(&[0; 8], lost).unwrap();
    file.write_all_at(&old.encode(), 0).unwrap();
    assert!(matches!(open(&path), Err(Error::Corrupt(_))));
}

#[test]
fn what_is_damaged_is_reported_and_only_what_loses_nothing_is_repaired() {
    let fixture = Fixture::new();
    let ring = fixture.create(0o600, 4096);
    [b"a", b"b", b"c"].iter().for_each(|message| push(&ring, *message));
    let done = Record { attempts: 1, ..Record::ready(1) }.done();
    fixture.poke(HEAD as u64, &done.encode().to_ne_bytes());
    fixture.poke(CURSOR as u64, &8_u64.to_ne_bytes());
    fixture.poke(PUSH as u64, &0x3fff_fff0_u32.to_ne_bytes());
    let found = vec![Finding::DeadLock, Finding::WrongCursor, Finding::DoneAtHead];
    let verify = |repair| ring.verify(repair, at_once());
    assert_eq!(verify(Repair::Never), Ok(Outcome::TimedOut));
    assert_eq!(verify(Repair::WhatIsSafe), Ok(Outcome::Done(found)));
    is_whole(&ring);
    assert_eq!(pop(&ring).unwrap(), b"b");
    fixture.poke(HEAD as u64 + 2 * size_of_record(1), &[9; 8]);
    let damaged = verify(Repair::WhatIsSafe);
    assert!(
        matches!(&damaged, Ok(Outcome::Done(found)) if matches!(found[..], [Finding::Damaged(_)])),
        "{damaged:?}"
    );
}

#[test]
fn a_lock_of_a_thread_that_does_not_exist_is_freed_after_a_second() {
    let fixture = Fixture::new();
    let ring = fixture.create(0o600, 4096);
    fixture.poke(PUSH as u64, &0x3fff_fff0_u32.to_ne_bytes());
    assert_eq!(ring.push(b"a", at_once()), Ok(Outcome::TimedOut));
    assert_eq!(ring.push(b"a", late()), Ok(Outcome::Done(())));
}

#[test]
fn a_file_that_is_cut_off_is_corrupt_and_no_signal() {
    for mode in MODES {
        for length in [0, 64, 4096, 4096 + 4095] {
            let fixture = Fixture::new();
            let ring = fixture.create(mode, 8192);
            (0..40).for_each(|_| push(&ring, &[7; 100]));
            File::options().write(true).open(fixture.path()).unwrap().set_len(length).unwrap();
            let mut bytes = Vec::new();
            let mut failed = ring.stat().is_err();
            for _ in 0..41 {
                failed |= matches!(ring.push(&[7; 100], at_once()), Err(Error::Corrupt(_)));
                failed |= matches!(ring.pop(&mut bytes, at_once()), Err(Error::Corrupt(_)));
            }
            assert!(failed, "{mode:o} {length}");
            assert!(fixture.open().is_err());
        }
    }
}

#[test]
fn creation_is_whole_or_nothing() {
    let fixture = Fixture::new();
    let _first = fixture.create(0o640, 4096);
    let again = Ring::create(&fixture.path(), 0o600, 4096).map(drop);
    assert_eq!(again, Err(Error::Kernel(Errno(libc::EEXIST))));
    let huge = fixture.directory.path().join("huge");
    assert!(Ring::create(&huge, 0o600, 1 << 60).is_err());
    assert!(!huge.exists());
    std::fs::write(&huge, "no queue").unwrap();
    assert_eq!(open(&huge).map(drop), Err(Error::Foreign("is not a queue")));
}

#[test]
fn a_lock_that_a_hostile_peer_keeps_is_given_up() {
    let fixture = Fixture::new();
    let ring = fixture.create(0o666, 4096);
    // Thread 1 exists, so the lock has a living holder.
    fixture.poke(PUSH as u64, &1_u32.to_ne_bytes());
    assert_eq!(ring.push(b"a", Deadline::after(SOON)), Ok(Outcome::TimedOut));
    assert_eq!(ring.push(b"a", Deadline::NEVER), Err(Error::Stuck));
}

/// Runs every operation on a queue with any content. The only requirement is that each one returns.
fn use_it(ring: &Ring) {
    let mut bytes = Vec::new();
    let _ = ring.stat();
    let _ = ring.verify(Repair::Never, at_once());
    let _ = ring.tap(&mut Tap::default(), &mut bytes, at_once());
    for _ in 0..4 {
        let _ = ring.push(&[1; 300], at_once());
        if let Ok(Outcome::Done(claim)) = ring.claim(&mut bytes, at_once()) {
            let _ = ring.acknowledge(&claim, at_once());
        }
        let _ = ring.pop_batch(1000, &mut Lines(0), &mut bytes, at_once());
    }
    let _ = ring.verify(Repair::WhatIsSafe, at_once());
    let _ = ring.close(at_once());
    assert!(bytes.len() <= 1 << 20);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..Default::default() })]

    #[test]
    fn whatever_is_in_the_memory_is_no_signal_no_hang_and_no_wild_read(
        trusted in any::<bool>(),
        before in any::<bool>(),
        pokes in proptest::collection::vec((0..620_u64, any::<u64>(), 0..9_usize), 1..12),
    ) {
        let fixture = Fixture::new();
        let ring = fixture.create(if trusted { 0o600 } else { 0o622 }, 4096);
        (0..5).for_each(|_| push(&ring, &[3; 100]));
        for (at, bits, width) in pokes {
            // Offsets below 128 are in the header; those from 480 on stand for records.
            let at = if at < 480 { at } else { HEAD as u64 + (at - 480) * 8 };
            let mut bytes = bits.to_ne_bytes();
            if width == 8 {
                // Small numbers are more likely to pass the checks.
                bytes = (bits % 5000).to_ne_bytes();
            }
            // Another test covers a lock that is held.
            let is_lock = [PUSH as u64, layout::POP as u64].iter().any(|l| at < l + 4 && at + 8 > *l);
            if !is_lock {
                fixture.poke(at, &bytes[..width.clamp(1, 8)]);
            }
        }
        if before {
            use_it(&ring);
        }
        if let Ok(ring) = fixture.open() {
            use_it(&ring);
        }
    }

    #[test]
    fn a_file_of_any_bytes_is_opened_or_refused(
        mut bytes in proptest::collection::vec(any::<u8>(), 0..9000),
        is_queue in any::<bool>(),
    ) {
        let fixture = Fixture::new();
        if is_queue && bytes.len() >= 128 {
            let header = layout::Header::new(4096).unwrap();
            bytes.resize(8192, 0);
            bytes[..128].copy_from_slice(&header.encode());
            // Another test covers locks that are held.
            for lock in [PUSH, layout::POP] {
                bytes[lock..lock + 4].fill(0);
            }
        }
        std::fs::write(fixture.path(), &bytes).unwrap();
        if let Ok(ring) = fixture.open() {
            use_it(&ring);
        }
    }
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
        let before = crate::sys::allocations();
        for _ in 0..100 {
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
