//! Messages that a worker holds for a time.

use crate::base::deadline::Deadline;

/// The action that is due for a held message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Next {
    /// COMMAND runs again for the message.
    Retry,
    /// The message is requeued.
    PutBack,
}

/// Messages, each with the time at which its action is due.
#[derive(Debug)]
pub struct Held<T>(Vec<(Deadline, Next, T)>);

impl<T> Default for Held<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Held<T> {
    /// The maximum number of held messages, so that a queue of failing messages does not move into
    /// the memory of a worker.
    const MOST: usize = 64;

    pub fn push(&mut self, due: Deadline, next: Next, message: T) {
        self.0.push((due, next, message));
    }

    pub fn is_full(&self) -> bool {
        self.0.len() >= Self::MOST
    }

    /// Whether COMMAND is to run again for one of the messages.
    pub fn has_retries(&self) -> bool {
        self.0.iter().any(|(_, next, _)| *next == Next::Retry)
    }

    /// The time at which the first action is due.
    pub fn first(&self) -> Deadline {
        self.0.iter().fold(Deadline::NEVER, |first, (due, ..)| first.min(*due))
    }

    /// Removes a message for which this action is due.
    pub fn due(&mut self, next: Next) -> Option<T> {
        let is_due = |(due, other, _): &(Deadline, Next, T)| *other == next && due.has_passed();
        self.0.iter().position(is_due).map(|index| self.0.remove(index).2)
    }

    /// Removes all messages, due or not.
    pub fn all(&mut self) -> impl Iterator<Item = T> {
        self.0.drain(..).map(|(.., message)| message)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_is_due_is_taken_and_the_rest_is_held() {
        let mut held = Held::default();
        assert_eq!(held.first(), Deadline::NEVER);
        let minute = Deadline::after(Duration::from_secs(60));
        held.push(Deadline::PASSED, Next::PutBack, "put back");
        held.push(minute, Next::Retry, "later");
        held.push(Deadline::PASSED, Next::Retry, "now");
        assert_eq!((held.due(Next::Retry), held.due(Next::Retry)), (Some("now"), None));
        assert_eq!(held.due(Next::PutBack), Some("put back"));
        assert!(held.has_retries());
        assert_eq!(held.first(), minute);
        assert_eq!(held.all().collect::<Vec<_>>(), ["later"]);
    }
}
