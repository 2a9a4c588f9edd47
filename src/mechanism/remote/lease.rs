//! Records that this process holds for a limited time, and renews.

use std::time::Duration;

use super::holder::Holder;
use super::{Change, Error, Record, Records};
use crate::base::deadline::{Deadline, Waited};
use crate::base::exit::Failure;
use crate::run::lease::{Lease, Renewal};
use crate::sys::time::since_boot;

/// The longest time for an attempt to renew a record or to remove it.
const ATTEMPT: Duration = Duration::from_secs(2);

/// The part of its lifetime before the end of which a holder stops to believe in its record: clocks of
/// two machines do not run alike.
const MARGIN: u32 = 5;

/// A claim to a record: at first a wish, then held.
#[derive(Clone, Debug)]
pub struct Claim {
    key: String,
    holder: Holder,
    /// When the first request was sent that the server may have carried out.
    sent: Option<Duration>,
}

/// The outcome of an attempt to make a claim.
#[derive(Debug)]
pub enum Attempt {
    /// The record is held.
    Held(Held),
    /// Another one holds it.
    Taken(Record),
}

/// A record that this process has made.
#[derive(Debug)]
pub struct Held {
    key: String,
    holder: Holder,
    revision: u64,
    token: u64,
    /// When the request was sent that gave it its present lifetime.
    since: Duration,
    /// When the first request was sent that was not answered and may have been carried out.
    unanswered: Option<Duration>,
}

impl Claim {
    /// A claim to this key.
    pub fn new(key: &str, holder: Holder) -> Self {
        Self { key: key.to_owned(), holder, sent: None }
    }

    /// Tries to make the record. An attempt whose answer was lost is recognized by the next one.
    pub fn attempt(
        &mut self,
        records: &mut dyn Records,
        deadline: Deadline,
    ) -> Result<Waited<Attempt>, Error> {
        loop {
            let since = *self.sent.get_or_insert_with(since_boot);
            let value = self.holder.encode();
            let change = Change {
                key: &self.key,
                value: &value,
                expected: None,
                lifetime: Some(self.holder.lifetime),
                fence: 0,
            };
            let Waited::Done(made) = records.change(change, deadline)? else {
                return Ok(Waited::TimedOut);
            };
            if let Some(revision) = made {
                return Ok(Waited::Done(Attempt::Held(self.held(revision, since))));
            }
            let Waited::Done(found) = records.read(&self.key, deadline)? else {
                return Ok(Waited::TimedOut);
            };
            match found {
                Some(record) if Holder::decode(&record).nonce == self.holder.nonce => {
                    let held = self.held(record.revision, since);
                    return Ok(Waited::Done(Attempt::Held(held)));
                }
                Some(record) => {
                    // The request is answered, and was not carried out.
                    self.sent = None;
                    return Ok(Waited::Done(Attempt::Taken(record)));
                }
                // It was removed meanwhile.
                None => self.sent = None,
            }
        }
    }

    fn held(&self, revision: u64, since: Duration) -> Held {
        Held {
            key: self.key.clone(),
            holder: Holder { token: Some(revision), ..self.holder.clone() },
            revision,
            token: revision,
            since,
            unanswered: None,
        }
    }
}

impl Held {
    /// The fencing token: the revision of the acquisition, which later acquisitions exceed.
    pub fn token(&self) -> u64 {
        self.token
    }

    fn renew(&mut self, records: &mut dyn Records) -> Result<Renewal, Error> {
        let deadline = Deadline::after(ATTEMPT.min(self.holder.lifetime / MARGIN));
        let now = since_boot();
        let sent = *self.unanswered.get_or_insert(now);
        let value = self.holder.encode();
        let change = Change {
            key: &self.key,
            value: &value,
            expected: Some(self.revision),
            lifetime: Some(self.holder.lifetime),
            fence: 0,
        };
        let revision = match records.change(change, deadline)? {
            Waited::TimedOut => return Ok(Renewal::Unanswered),
            Waited::Done(Some(revision)) => (revision, now),
            // Another one has it, or an attempt whose answer was lost has changed the revision.
            Waited::Done(None) => match records.read(&self.key, deadline)? {
                Waited::TimedOut => return Ok(Renewal::Unanswered),
                Waited::Done(Some(record)) if self.is(&record) => (record.revision, sent),
                Waited::Done(_) => return Ok(Renewal::Lost),
            },
        };
        (self.revision, self.since) = revision;
        self.unanswered = None;
        Ok(Renewal::Done)
    }

    fn is(&self, record: &Record) -> bool {
        Holder::decode(record).nonce == self.holder.nonce
    }

    /// Removes the record, if it still is this one.
    pub fn remove(&self, records: &mut dyn Records) -> Result<Waited, Error> {
        let deadline = Deadline::after(ATTEMPT);
        let mut revision = self.revision;
        loop {
            match records.remove(&self.key, revision, deadline)? {
                Waited::Done(false) => {}
                removed => return Ok(removed.map(drop)),
            }
            match records.read(&self.key, deadline)? {
                Waited::Done(Some(record)) if self.is(&record) => revision = record.revision,
                found => return Ok(found.map(drop)),
            }
        }
    }
}

/// One or several records that this process holds together.
pub struct RecordLease {
    records: Box<dyn Records>,
    held: Vec<Held>,
}

impl RecordLease {
    /// A lease of these records, of which there is at least one.
    pub fn new(records: Box<dyn Records>, held: Vec<Held>) -> Self {
        Self { records, held }
    }

    /// The fencing token of the last acquisition.
    pub fn token(&self) -> u64 {
        self.held.iter().map(Held::token).max().unwrap_or_default()
    }
}

impl Lease for RecordLease {
    fn duration(&self) -> Duration {
        self.held.iter().map(|held| held.holder.lifetime).min().unwrap_or_default()
    }

    fn end(&self) -> Duration {
        let since = self.held.iter().map(|held| held.since).min().unwrap_or_default();
        since + self.duration() - self.duration() / MARGIN
    }

    fn renew(&mut self) -> Renewal {
        for held in &mut self.held {
            match held.renew(&mut *self.records) {
                Ok(Renewal::Done) => {}
                Ok(renewal) => return renewal,
                // Without the right to write, as after the server got other users, it expires.
                Err(_) => return Renewal::Unanswered,
            }
        }
        Renewal::Done
    }

    fn release(&mut self) -> anyhow::Result<()> {
        for held in &self.held {
            match held.remove(&mut *self.records).map_err(Failure::from)? {
                Waited::Done(()) => {}
                Waited::TimedOut => return Err(Failure::from(Error::Unanswered).into()),
            }
        }
        Ok(())
    }
}
