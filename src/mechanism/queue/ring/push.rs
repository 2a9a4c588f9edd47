//! Pushes one message, or as many as there is room for.

use std::cell::RefMut;
use std::sync::atomic::Ordering;

use crate::base::deadline::Deadline;
use crate::sys::heap;
use crate::sys::memory::{Reach, copy_to};

use super::layout::{RECORD, size_of_record};
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

/// The size of the memory in which a batch is put together. It fits the first cache of a CPU.
const STAGE: usize = 16 << 10;

/// Records on their way to the ring. They are put together in memory of this process and copied at
/// once, because stores to lines that the CPU of a consumer has in its cache are slow one by one.
///
/// The memory is used again as it is: no participant reads the time of a claim before the first claim,
/// or the padding of a record.
struct Stage<'a> {
    ring: &'a Ring,
    /// The position of the first record.
    position: u64,
    memory: RefMut<'a, Vec<u8>>,
    /// The number of bytes that the records take.
    filled: usize,
}

impl<'a> Stage<'a> {
    /// An empty stage, in the memory of [`Ring::prepare_batches`].
    fn new(ring: &'a Ring, position: u64) -> Self {
        Self { ring, position, memory: ring.stage.borrow_mut(), filled: 0 }
    }

    #[inline(always)]
    fn add(&mut self, message: &[u8]) -> Result<(), Error> {
        let size = size_of_record(message.len() as u64) as usize;
        if self.filled + size > STAGE {
            self.flush()?;
        }
        if size > STAGE {
            self.ring.append_one(self.position, message)?;
            self.position = self.position.wrapping_add(size as u64);
            return Ok(());
        }
        let record = &mut self.memory[self.filled..self.filled + size];
        let header = Record::ready(message.len() as u32).encode();
        record[..size_of::<u64>()].copy_from_slice(&header.to_ne_bytes());
        copy_to(&mut record[RECORD as usize..], message);
        self.filled += size;
        Ok(())
    }

    /// Copies the records to the ring.
    fn flush(&mut self) -> Result<(), Error> {
        self.ring.memory.write(self.position, &self.memory[..self.filled])?;
        self.position = self.position.wrapping_add(self.filled as u64);
        self.filled = 0;
        Ok(())
    }
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
        if !is_single(&messages) {
            self.prepare_batches()?;
        }
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

    /// Allocates the memory for batches, which the first batch does otherwise: not while it holds the lock,
    /// for which other processes wait.
    pub fn prepare_batches(&self) -> Result<(), Error> {
        let mut memory = self.stage.borrow_mut();
        if memory.is_empty() {
            *memory = heap::zeros(STAGE)?;
        }
        Ok(())
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
        state: State,
        mut messages: impl Iterator<Item = &'m [u8]>,
    ) -> Result<Appended, Error> {
        if !is_single(&messages) {
            return self.append_batch(state, messages);
        }
        let Some(message) = messages.next() else { return Ok(Appended::Some(0, state)) };
        let length = message.len() as u64;
        let size = size_of_record(length);
        if let Some(seen) = self.is_full(state, size)? {
            return Ok(Appended::Nothing(seen));
        }
        self.append_one(state.position, message)?;
        let state = state.after(size, length);
        // The locked instruction that unlocks waits for all stores, but not for prefetches. The next
        // message is probably as long, and stands where no consumer reads any more.
        if self.is_known_free(state, size) {
            self.memory.will_write(state.position, size);
        }
        Ok(Appended::Some(1, state))
    }

    #[inline(always)]
    fn append_one(&self, position: u64, message: &[u8]) -> Result<(), Error> {
        Record::ready(message.len() as u32).store(&self.memory, position)?;
        Ok(self.memory.write(bytes_at(position), message)?)
    }

    /// Writes as many messages as there is room for.
    fn append_batch<'m>(
        &self,
        mut state: State,
        messages: impl Iterator<Item = &'m [u8]>,
    ) -> Result<Appended, Error> {
        let mut stage = Stage::new(self, state.position);
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
            stage.add(message)?;
            state = state.after(size, length);
            count += 1;
        }
        stage.flush()?;
        Ok(Appended::Some(count, state))
    }

    /// `None` if there is room for a record of this size, or else the number of commits of the pop
    /// side at that moment.
    #[inline(always)]
    fn is_full(&self, tail: State, size: u64) -> Result<Option<u32>, Error> {
        if self.is_known_free(tail, size) {
            return Ok(None);
        }
        self.look_for_room(tail, size)
    }

    /// Whether there is room for a record of this size before the head as last seen.
    #[inline(always)]
    fn is_known_free(&self, tail: State, size: u64) -> bool {
        let hint = self.push_side().hint().load(Ordering::Relaxed);
        let used = tail.position.wrapping_sub(hint);
        let is_known = used <= self.capacity() && self.memory.reach() == Reach::Mapping;
        is_known && self.capacity() - used >= size
    }

    #[cold]
    fn look_for_room(&self, tail: State, size: u64) -> Result<Option<u32>, Error> {
        let (head, seq) = self.pop_side().peek()?;
        let used = self.span(head, tail)?;
        self.push_side().hint().store(head.position, Ordering::Relaxed);
        Ok((self.capacity() - used < size).then_some(seq))
    }
}

/// Whether it is known that there is one message at most, which needs no stage.
#[inline(always)]
fn is_single<'m>(messages: &impl Iterator<Item = &'m [u8]>) -> bool {
    messages.size_hint().1 == Some(1)
}
