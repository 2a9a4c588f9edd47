//! A claim that ends without an acknowledgement is delivered again.

use super::*;

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
