//! Permits of a semaphore on a server: a record each, which is held as a lock is. The number of permits
//! is a record as well.

use std::time::Duration;

use super::holder::Holder;
use super::lease::{Attempt, Claim, Held, RecordLease};
use super::lock::Locked;
use super::{Change, Error, Record, Records, child};
use crate::base::deadline::{Deadline, Waited};
use crate::sys::{poll, time};

/// The maximum number of permits: each is a request when permits are scarce.
pub const PERMITS_MAX: u32 = 1024;

/// How often the permits are looked at without a sign of a change.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// The part of a key below the name of the semaphore for the number of its permits.
const SIZE: &str = "=size";

/// Permits that a COMMAND wants.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// How many.
    pub count: u32,
    /// The number of permits of a semaphore that does not exist yet.
    pub create: Option<u32>,
    /// Who wants them.
    pub holder: Holder,
}

/// Acquires permits of the semaphore `key`, all or none, waiting until `deadline`. Calls `before_waiting`
/// with the holders first where it has to wait.
///
/// # Errors
/// [`Error::NotFound`] without `create`; [`Error::TooFew`].
pub fn acquire(
    mut records: Box<dyn Records>,
    key: &str,
    wanted: &Wanted,
    deadline: Deadline,
    mut before_waiting: impl FnMut(&[Holder]),
) -> Result<Waited<RecordLease>, Error> {
    let Waited::Done(size) = size(&mut *records, key, wanted.create, deadline)? else {
        return Ok(Waited::TimedOut);
    };
    let size = size.ok_or(Error::NotFound)?;
    if wanted.count > size {
        return Err(Error::TooFew { permits: size });
    }
    // Each holder begins elsewhere, so that they rarely meet.
    let first = (time::now() / 1000) as u32 % size;
    let places: Vec<u32> = (first..size).chain(0..first).collect();
    let (is_try, mut is_reported) = (deadline.has_passed(), false);
    loop {
        let taken = match attempt(&mut *records, key, wanted, &places, deadline) {
            Ok(Waited::Done(Ok(held))) => {
                return Ok(Waited::Done(RecordLease::new(records, held)));
            }
            Ok(Waited::Done(Err(taken))) => taken,
            Ok(Waited::TimedOut) => return Ok(Waited::TimedOut),
            Err(Error::Unanswered) if !is_try => continue,
            Err(error) => return Err(error),
        };
        if deadline.has_passed() {
            return Ok(Waited::TimedOut);
        }
        if !is_reported {
            before_waiting(&taken.holders);
            is_reported = true;
        }
        match wanted.count {
            1 => {
                let until = deadline.min(Deadline::after(LOOK_AGAIN));
                match records.await_change(key, taken.revision, until) {
                    Ok(_) | Err(Error::Unanswered) => {}
                    Err(error) => return Err(error),
                }
            }
            // Its own attempts are changes, too. Two that want several must not try at the same time.
            _ => {
                let pause = Duration::from_millis(20 + time::now() / 1000 % 200);
                // Without a descriptor it has no other outcome than the end of the time.
                let _ = poll::any_readable(&[], deadline.min(Deadline::after(pause)));
            }
        }
    }
}

/// The permits that others hold.
#[derive(Debug, Default)]
struct Taken {
    holders: Vec<Holder>,
    revision: u64,
}

/// Tries to make as many records as are wanted; removes them if there are not enough.
fn attempt(
    records: &mut dyn Records,
    key: &str,
    wanted: &Wanted,
    places: &[u32],
    deadline: Deadline,
) -> Result<Waited<Result<Vec<Held>, Taken>>, Error> {
    let (mut held, mut taken) = (Vec::new(), Taken::default());
    for place in places {
        if held.len() as u32 == wanted.count {
            break;
        }
        let mut claim = Claim::new(&format!("{key}.{place}"), wanted.holder.clone());
        match claim.attempt(records, deadline) {
            Ok(Waited::Done(Attempt::Held(one))) => held.push(one),
            Ok(Waited::Done(Attempt::Taken(record))) => {
                taken.revision = taken.revision.max(record.revision);
                taken.holders.push(Holder::decode(&record));
            }
            ended => {
                give_back(records, held);
                return Ok(ended?.map(|_| Err(taken)));
            }
        }
    }
    if held.len() as u32 == wanted.count {
        return Ok(Waited::Done(Ok(held)));
    }
    give_back(records, held);
    Ok(Waited::Done(Err(taken)))
}

/// Removes records. Those that are not removed expire.
fn give_back(records: &mut dyn Records, held: Vec<Held>) {
    for one in held {
        let _ = one.remove(records);
    }
}

/// The number of permits of a semaphore; `None` if it does not exist. It is created with so many.
pub fn size(
    records: &mut dyn Records,
    key: &str,
    create: Option<u32>,
    deadline: Deadline,
) -> Result<Waited<Option<u32>>, Error> {
    let key = format!("{key}.{SIZE}");
    loop {
        let Waited::Done(found) = records.read(&key, deadline)? else {
            return Ok(Waited::TimedOut);
        };
        if let Some(record) = found {
            let text = String::from_utf8_lossy(&record.value);
            let size = text.trim().parse().ok().filter(|size| (1..=PERMITS_MAX).contains(size));
            let malformed = || Error::Server("the record of its size is not a number".to_owned());
            return Ok(Waited::Done(Some(size.ok_or_else(malformed)?)));
        }
        let Some(size) = create else { return Ok(Waited::Done(None)) };
        let value = size.to_string();
        let change =
            Change { expected: None, lifetime: None, ..Change::of(&key, value.as_bytes()) };
        match records.change(change, deadline)? {
            Waited::Done(Some(_)) => return Ok(Waited::Done(Some(size))),
            // Another process was faster.
            Waited::Done(None) => {}
            Waited::TimedOut => return Ok(Waited::TimedOut),
        }
    }
}

/// A semaphore of a server.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Found {
    /// Its name on the server.
    pub key: String,
    /// The number of its permits.
    pub permits: u32,
    /// The permits that are held.
    pub held: Vec<Locked>,
}

impl Found {
    /// The number of permits that nobody holds.
    pub fn free(&self) -> usize {
        (self.permits as usize).saturating_sub(self.held.len())
    }
}

/// The semaphores whose names begin with this path.
pub fn list(
    records: &mut dyn Records,
    prefix: &str,
    deadline: Deadline,
) -> Result<Waited<Vec<Found>>, Error> {
    let Waited::Done(all) = records.list(prefix, deadline)? else { return Ok(Waited::TimedOut) };
    let size = |record: &Record| {
        let key = record.key.strip_suffix(SIZE)?.strip_suffix('.')?.to_owned();
        let permits = String::from_utf8_lossy(&record.value).trim().parse().ok()?;
        Some(Found { key, permits, held: Vec::new() })
    };
    let mut found: Vec<Found> = all.iter().filter_map(size).collect();
    for semaphore in &mut found {
        let is_permit = |record: &&Record| {
            child(&record.key, &semaphore.key).is_some_and(|place| place.parse::<u32>().is_ok())
        };
        semaphore.held = all.iter().filter(is_permit).cloned().map(Locked::from).collect();
    }
    Ok(Waited::Done(found))
}

/// The semaphore of this name.
///
/// # Errors
/// [`Error::NotFound`].
pub fn find(
    records: &mut dyn Records,
    key: &str,
    deadline: Deadline,
) -> Result<Waited<Found>, Error> {
    let Waited::Done(found) = list(records, key, deadline)? else { return Ok(Waited::TimedOut) };
    let found = found.into_iter().find(|found| found.key == key);
    found.map(Waited::Done).ok_or(Error::NotFound)
}

/// Removes a semaphore that nobody holds permits of.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Held`].
pub fn remove(records: &mut dyn Records, key: &str, deadline: Deadline) -> Result<Waited, Error> {
    let Waited::Done(found) = find(records, key, deadline)? else { return Ok(Waited::TimedOut) };
    if !found.held.is_empty() {
        return Err(Error::Held { permits: found.held.len() });
    }
    let key = format!("{key}.{SIZE}");
    loop {
        let Waited::Done(record) = records.read(&key, deadline)? else {
            return Ok(Waited::TimedOut);
        };
        let Some(record) = record else { return Ok(Waited::Done(())) };
        match records.remove(&key, record.revision, deadline)? {
            Waited::Done(false) => {}
            removed => return Ok(removed.map(drop)),
        }
    }
}
