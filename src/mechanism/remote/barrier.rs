//! Barriers on a server: a record for each party that waits, and one that names the parties that may go
//! on.
//!
//! The records of parties expire, so a party that was killed is not counted any more. The party that sees
//! enough others writes their names into the record of the barrier by compare-and-set, so that two parties
//! never open it for the same ones. The record keeps the names of some rounds, for parties that are slow.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Change, Error, Record, Records, child};
use crate::base::deadline::{Deadline, Waited};
use crate::sys::{process, time};

/// The maximum number of parties: each is a request to the server when another one arrives.
pub const PARTIES_MAX: u32 = 256;

/// The longest pause without a look at the parties.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// The part of a key below the name of the barrier for those that may go on.
const OPEN: &str = "=open";

/// The number of parties of earlier rounds whose names are kept.
const KEPT: usize = 1024;

/// A party that waits.
struct Party<'a> {
    records: &'a mut dyn Records,
    key: &'a str,
    parties: u32,
    lifetime: Duration,
    /// Its name, which no other party has.
    id: String,
    revision: u64,
    renewed: Deadline,
}

/// What a party sees.
struct Seen {
    /// The parties that wait and may not go on yet, in the order of their names, with the number that
    /// each waits for.
    waiting: Vec<(String, u32)>,
    /// The names of those that may go on.
    open: Vec<String>,
    /// The revision of the record with these names.
    open_revision: Option<u64>,
    /// The last change.
    last: u64,
}

/// Waits until `parties` have arrived, including the caller, whose record expires after `lifetime`
/// without a sign of it.
///
/// # Errors
/// [`Error::Parties`] if waiting parties expect another number.
pub fn wait(
    records: &mut dyn Records,
    key: &str,
    parties: u32,
    lifetime: Duration,
    deadline: Deadline,
) -> Result<Waited, Error> {
    let id = format!("{:x}-{:x}-{}", time::now(), std::process::id(), of_host());
    let renewed = Deadline::after(lifetime / 3);
    let mut party = Party { records, key, parties, lifetime, id, revision: 0, renewed };
    match party.arrive(deadline)? {
        Waited::Done(()) => {}
        Waited::TimedOut => return Ok(Waited::TimedOut),
    }
    let waited = party.wait(deadline);
    // What is not removed expires.
    let _ = party.leave();
    waited
}

impl Party<'_> {
    fn own_key(&self) -> String {
        format!("{}.{}", self.key, self.id)
    }

    /// Makes or renews the record of this party.
    fn arrive(&mut self, deadline: Deadline) -> Result<Waited, Error> {
        let (key, host) = (self.own_key(), process::host_name());
        let value = json!({ "parties": self.parties, "host": host, "pid": std::process::id() });
        let (value, expected) = (value.to_string(), Some(self.revision).filter(|&own| own != 0));
        let lifetime = Some(self.lifetime);
        let change = Change { expected, lifetime, ..Change::of(&key, value.as_bytes()) };
        let Waited::Done(made) = self.records.change(change, deadline)? else {
            return Ok(Waited::TimedOut);
        };
        self.renewed = Deadline::after(self.lifetime / 3);
        match made {
            Some(revision) => self.revision = revision,
            // A request whose answer was lost has made it, or it has expired.
            None => match self.records.read(&key, deadline)? {
                Waited::Done(found) => self.revision = found.map_or(0, |record| record.revision),
                Waited::TimedOut => return Ok(Waited::TimedOut),
            },
        }
        Ok(Waited::Done(()))
    }

    fn wait(&mut self, deadline: Deadline) -> Result<Waited, Error> {
        loop {
            let Waited::Done(seen) = self.look(deadline)? else { return Ok(Waited::TimedOut) };
            if seen.open.contains(&self.id) {
                return Ok(Waited::Done(()));
            }
            let other = seen.waiting.iter().find(|(_, parties)| *parties != self.parties);
            if let Some(&(_, parties)) = other {
                return Err(Error::Parties { parties });
            }
            let chosen: Vec<&String> =
                seen.waiting.iter().map(|(id, _)| id).take(self.parties as usize).collect();
            if chosen.len() == self.parties as usize && chosen.contains(&&self.id) {
                match self.open(&seen, &chosen, deadline)? {
                    Waited::Done(true) => return Ok(Waited::Done(())),
                    Waited::Done(false) => continue,
                    Waited::TimedOut => return Ok(Waited::TimedOut),
                }
            }
            if deadline.has_passed() {
                return Ok(Waited::TimedOut);
            }
            let until = deadline.min(self.renewed).min(Deadline::after(LOOK_AGAIN));
            match self.records.await_change(self.key, seen.last, until) {
                Ok(_) | Err(Error::Unanswered) => {}
                Err(error) => return Err(error),
            }
            if self.renewed.has_passed() {
                let _: Waited = self.arrive(Deadline::after(self.lifetime / 3))?;
            }
        }
    }

    fn look(&mut self, deadline: Deadline) -> Result<Waited<Seen>, Error> {
        let Waited::Done(all) = self.records.list(self.key, deadline)? else {
            return Ok(Waited::TimedOut);
        };
        let open = all.iter().find(|record| child(&record.key, self.key) == Some(OPEN));
        let names = |record: &Record| {
            let text = String::from_utf8_lossy(&record.value).into_owned();
            text.lines().map(str::to_owned).collect::<Vec<_>>()
        };
        let mut seen = Seen {
            waiting: Vec::new(),
            open: open.map(names).unwrap_or_default(),
            open_revision: open.map(|record| record.revision),
            last: all.iter().map(|record| record.revision).max().unwrap_or_default(),
        };
        for record in &all {
            let Some(id) = child(&record.key, self.key).filter(|id| *id != OPEN) else { continue };
            let value: Value = serde_json::from_slice(&record.value).unwrap_or_default();
            let parties = value["parties"].as_u64().and_then(|parties| parties.try_into().ok());
            let is_open = seen.open.iter().any(|open| open == id);
            if let Some(parties) = parties.filter(|_| !is_open) {
                seen.waiting.push((id.to_owned(), parties));
            }
        }
        // The names begin with the time of the arrival.
        seen.waiting.sort();
        Ok(Waited::Done(seen))
    }

    /// Lets these parties go on; returns false if another party has changed the record first.
    fn open(
        &mut self,
        seen: &Seen,
        chosen: &[&String],
        deadline: Deadline,
    ) -> Result<Waited<bool>, Error> {
        let names: Vec<&String> = seen.open.iter().chain(chosen.iter().copied()).collect();
        let kept = names.len().saturating_sub(KEPT.max(chosen.len()));
        let value: String = names[kept..].iter().map(|name| format!("{name}\n")).collect();
        let key = format!("{}.{OPEN}", self.key);
        let change = Change { expected: seen.open_revision, ..Change::of(&key, value.as_bytes()) };
        Ok(self.records.change(change, deadline)?.map(|made| made.is_some()))
    }

    fn leave(&mut self) -> Result<Waited<bool>, Error> {
        let (key, revision) = (self.own_key(), self.revision);
        self.records.remove(&key, revision, Deadline::after(Duration::from_secs(1)))
    }
}

/// The name of this machine, as a part of a key.
fn of_host() -> String {
    let name = process::host_name();
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect()
}
