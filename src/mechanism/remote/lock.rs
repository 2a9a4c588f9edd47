//! Locks on a server: a record that is made if it does not exist, and expires unless it is renewed.

use std::time::Duration;

use super::holder::Holder;
use super::lease::{Attempt, Claim, RecordLease};
use super::{Error, Record, Records};
use crate::base::deadline::{Deadline, Waited};

/// How often the record is looked at without a sign of a change: signs may be lost with a connection.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// Acquires a lock for this process, waiting until `deadline`. Calls `before_waiting` with the holder
/// first where it has to wait. While the server does not answer, it tries again.
pub fn acquire(
    mut records: Box<dyn Records>,
    key: &str,
    holder: Holder,
    deadline: Deadline,
    mut before_waiting: impl FnMut(&Holder),
) -> Result<Waited<RecordLease>, Error> {
    let is_try = deadline.has_passed();
    let mut claim = Claim::new(key, holder);
    let mut reported = None;
    loop {
        let taken = match claim.attempt(&mut *records, deadline) {
            Ok(Waited::Done(Attempt::Held(held))) => {
                return Ok(Waited::Done(RecordLease::new(records, vec![held])));
            }
            Ok(Waited::Done(Attempt::Taken(record))) => record,
            Ok(Waited::TimedOut) => return Ok(Waited::TimedOut),
            Err(Error::Unanswered) if !is_try => continue,
            Err(error) => return Err(error),
        };
        if deadline.has_passed() {
            return Ok(Waited::TimedOut);
        }
        let holder = Holder::decode(&taken);
        if reported.as_ref() != Some(&holder.nonce) {
            before_waiting(&holder);
            reported = Some(holder.nonce);
        }
        let until = deadline.min(Deadline::after(LOOK_AGAIN));
        match records.await_change(key, taken.revision, until) {
            Ok(Waited::Done(())) | Err(Error::Unanswered) => {}
            Ok(Waited::TimedOut) if deadline.has_passed() => return Ok(Waited::TimedOut),
            Ok(Waited::TimedOut) => {}
            Err(error) => return Err(error),
        }
    }
}

/// A lock that is held.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Locked {
    /// Its name on the server.
    pub key: String,
    /// Who holds it.
    pub holder: Holder,
    /// The fencing token of the holder.
    pub token: u64,
}

impl From<Record> for Locked {
    fn from(record: Record) -> Self {
        let holder = Holder::decode(&record);
        Self { token: holder.token.unwrap_or(record.revision), key: record.key, holder }
    }
}

/// The lock of this name, if it is held.
pub fn find(
    records: &mut dyn Records,
    key: &str,
    deadline: Deadline,
) -> Result<Waited<Option<Locked>>, Error> {
    Ok(records.read(key, deadline)?.map(|record| record.map(Locked::from)))
}

/// All locks that are held whose names begin with this path.
pub fn list(
    records: &mut dyn Records,
    prefix: &str,
    deadline: Deadline,
) -> Result<Waited<Vec<Locked>>, Error> {
    let records = records.list(prefix, deadline)?;
    Ok(records.map(|records| records.into_iter().map(Locked::from).collect()))
}
