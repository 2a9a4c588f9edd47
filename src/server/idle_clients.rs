//! The clients that have been idle for too long.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::base::deadline::Deadline;

/// For each client, the moment when it has been idle for too long.
#[derive(Debug)]
pub struct IdleClients {
    /// `None` is without limit: nothing is recorded.
    limit: Option<Duration>,
    ends: BTreeMap<u64, Deadline>,
    /// Not later than the first of them, so that most events need no search for it.
    next: Deadline,
}

impl IdleClients {
    /// No clients yet.
    pub fn new(limit: Option<Duration>) -> Self {
        Self { limit, ends: BTreeMap::new(), next: Deadline::NEVER }
    }

    /// Records activity of a client, which may be new.
    pub fn postpone(&mut self, number: u64) {
        if let Some(limit) = self.limit {
            let end = Deadline::after(limit);
            self.ends.insert(number, end);
            self.next = self.next.min(end);
        }
    }

    /// The moment when a client may have been idle for too long.
    pub fn deadline(&self) -> Deadline {
        self.next
    }

    /// Removes and returns the clients that have been idle for too long. `is_there` tells whether a
    /// client is still connected.
    pub fn take(&mut self, is_there: impl Fn(u64) -> bool) -> Vec<u64> {
        self.ends.retain(|&number, _| is_there(number));
        let idle: Vec<u64> = self
            .ends
            .iter()
            .filter(|(_, end)| end.has_passed())
            .map(|(&number, _)| number)
            .collect();
        self.ends.retain(|number, _| !idle.contains(number));
        self.next = self.ends.values().fold(Deadline::NEVER, |first, &end| first.min(end));
        idle
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_without_activity_is_taken_once() {
        let mut clients = IdleClients::new(Some(Duration::ZERO));
        assert_eq!(clients.deadline(), Deadline::NEVER);
        clients.postpone(1);
        clients.postpone(2);
        assert!(clients.deadline().has_passed());
        assert_eq!(clients.take(|number| number != 2), [1]);
        assert_eq!(clients.deadline(), Deadline::NEVER);
        assert!(clients.take(|_| true).is_empty());
    }

    #[test]
    fn nothing_is_recorded_without_a_limit() {
        let mut clients = IdleClients::new(None);
        clients.postpone(1);
        assert_eq!(clients.deadline(), Deadline::NEVER);
    }
}
