//! A damaged queue is reported, and repaired only where nothing is lost; no content of the memory
//! causes a signal, a hang or a wild read.

use super::*;

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
