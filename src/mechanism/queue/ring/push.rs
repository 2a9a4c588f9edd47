//! Pushes one message, or as many as there is room for.

use std::sync::atomic::Ordering;

use crate::base::deadline::Deadline;
use crate::sys::memory::Reach;

use super::layout::size_of_record;
use super::record::{Record, bytes_at};
use super::side::State;
use super::{Backoff, Error, Outcome, Ring};

/// The result of an attempt to append messages.
enum Appended {
    /// So many messages stand behind the tail, and the caller has to commit this state.
    Some(usize, State),
    /// There is no room for the first message, at this number of commits of the pop side.
    Nothing(u32),
}

impl Ring {
    /// Pushes a message, waiting for room until `deadline`.
    ///
    /// # Errors
    /// [`Error::TooLong`], without a wait, if the message can never fit.
    #[inline]
    pub fn push(&self, message: &[u8], deadline: Deadline) -> Result<Outcome, Error> {
        Ok(self.push_batch(std::iter::once(message), deadline)?.map(drop))
    }

    /// Pushes messages in one commit and returns their number: at least one, and as many as there
    /// is room for, in their order. Waits for room for the first until `deadline`.
    ///
    /// # Errors
    /// [`Error::TooLong`] if the first message can never fit. A later one that cannot ends the
    /// batch.
    #[inline]
    pub fn push_batch<'m>(
        &self,
        messages: impl Iterator<Item = &'m [u8]> + Clone,
        deadline: Deadline,
    ) -> Result<Outcome<usize>, Error> {
        let Some(first) = messages.clone().next() else { return Ok(Outcome::Done(0)) };
        self.check_length(first)?;
        let side = self.push_side();
        let mut backoff = Backoff::Spin;
        loop {
            let Some(held) = self.lock(side, deadline)? else { return Ok(Outcome::TimedOut) };
            if self.is_closed() {
                return Ok(Outcome::Closed);
            }
            let (state, seq) = side.own();
            match self.append(state, messages.clone())? {
                Appended::Some(count, state) => {
                    side.commit(seq, state, held);
                    self.memory.verify()?;
                    return Ok(Outcome::Done(count));
                }
                Appended::Nothing(_) if deadline.has_passed() => return Ok(Outcome::TimedOut),
                Appended::Nothing(seen) => {
                    let waiting = (&mut backoff, &self.room);
                    self.wait((self.pop_side(), seen), held, waiting, deadline)?;
                }
            }
        }
    }

    /// Refuses a message that can never fit.
    #[inline]
    fn check_length(&self, message: &[u8]) -> Result<(), Error> {
        let length = message.len();
        if length as u64 <= self.most() {
            return Ok(());
        }
        let capacity = Self::capacity_for(size_of_record(length as u64)).unwrap_or(u64::MAX);
        Err(Error::TooLong { length, most: self.most(), capacity })
    }

    /// Writes messages behind the tail, where no other process reads before the commit.
    #[inline(always)]
    fn append<'m>(
        &self,
        mut state: State,
        messages: impl Iterator<Item = &'m [u8]>,
    ) -> Result<Appended, Error> {
        let mut count = 0;
        for message in messages {
            let length = message.len() as u64;
            if length > self.most() {
                break;
            }
            let size = size_of_record(length);
            if let Some(seen) = self.is_full(state, size)? {
                match count {
                    0 => return Ok(Appended::Nothing(seen)),
                    _ => break,
                }
            }
            Record::ready(length as u32).store(&self.memory, state.position)?;
            self.memory.write(bytes_at(state.position), message)?;
            state = state.after(size, length);
            count += 1;
        }
        Ok(Appended::Some(count, state))
    }

    /// `None` if there is room for a record of this size, or else the number of commits of the pop
    /// side at that moment.
    #[inline(always)]
    fn is_full(&self, tail: State, size: u64) -> Result<Option<u32>, Error> {
        let hint = self.push_side().hint().load(Ordering::Relaxed);
        let used = tail.position.wrapping_sub(hint);
        let is_known = used <= self.capacity() && self.memory.reach() == Reach::Mapping;
        if is_known && self.capacity() - used >= size {
            return Ok(None);
        }
        self.look_for_room(tail, size)
    }

    #[cold]
    fn look_for_room(&self, tail: State, size: u64) -> Result<Option<u32>, Error> {
        let (head, seq) = self.pop_side().peek()?;
        let used = self.span(head, tail)?;
        self.push_side().hint().store(head.position, Ordering::Relaxed);
        Ok((self.capacity() - used < size).then_some(seq))
    }
}
