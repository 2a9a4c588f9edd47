//! Channels of a bounded buffer in shared pages, as people write it by hand: with futexes or with
//! semaphores, in memory or in a file. It has one sender and one receiver, and a process that is
//! killed leaves the other waiting.

use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicU32, Ordering};

use super::{Ends, Input, Meeting, Output, Side};
use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::measure::control::Control;
use crate::measure::names::Names;
use crate::measure::trial::{Error, Pace, Trial};
use crate::mechanism::semaphore::posix::{self, PosixSemaphore};
use crate::sys::memory::{Reach, RingMemory};
use crate::sys::{descriptor, futex, memfd};

/// The number of messages that the buffer holds: a power of two.
const DEPTH: u32 = 16;

/// The words of a buffer, on cache lines of their own.
const HEAD: usize = 4096;
const SENT: usize = 0;
const TAKEN: usize = 128;
const RECEIVER_SLEEPS: usize = 256;
const SENDER_SLEEPS: usize = 384;

/// A buffer: places for messages of one size.
struct Buffer {
    memory: RingMemory<HEAD>,
    size: usize,
    /// The bytes of a place.
    stride: u64,
}

impl Buffer {
    /// Maps a new buffer in a file of length 0.
    fn new(file: OwnedFd, size: usize) -> Result<Self, Error> {
        let stride = size.next_power_of_two().max(64) as u64;
        let capacity = stride * u64::from(DEPTH);
        let of = Error::of("shared memory");
        memfd::set_length(&file, HEAD as u64 + capacity).map_err(of)?;
        let memory = RingMemory::map(file.into(), capacity, Reach::Mapping).map_err(of)?;
        Ok(Self { memory, size, stride })
    }

    fn position(&self, number: u32) -> u64 {
        u64::from(number % DEPTH) * self.stride
    }

    #[inline]
    fn write(&self, number: u32, message: &[u8]) -> Result<(), Error> {
        self.memory.write(self.position(number), message).map_err(Error::of("shared memory"))
    }

    #[inline]
    fn read(&self, number: u32, into: &mut Vec<u8>) -> Result<(), Error> {
        into.clear();
        let copied = self.memory.append(self.position(number), self.size, into);
        copied.map_err(Error::of("shared memory"))
    }
}

/// Waits until a number in shared memory is not `number`: the other process changes it, and wakes
/// this one if `sleeps` says so.
#[inline]
fn wait_for_change(
    word: &AtomicU32,
    number: u32,
    sleeps: &AtomicU32,
    pace: Pace,
) -> Result<(), Error> {
    while word.load(Ordering::Acquire) == number {
        if pace == Pace::Spinning {
            std::hint::spin_loop();
            continue;
        }
        sleeps.store(1, Ordering::SeqCst);
        if word.load(Ordering::SeqCst) == number {
            let _: Waited =
                futex::wait(word, number, Deadline::NEVER).map_err(Error::of("futex"))?;
        }
        sleeps.store(0, Ordering::Relaxed);
    }
    Ok(())
}

/// Changes the number, and wakes the other process if it sleeps.
#[inline]
fn change(word: &AtomicU32, number: u32, sleeps: &AtomicU32, pace: Pace) {
    match pace {
        Pace::Spinning => word.store(number, Ordering::Release),
        Pace::Blocking => {
            word.store(number, Ordering::SeqCst);
            if sleeps.load(Ordering::SeqCst) != 0 {
                futex::wake(word, 1);
            }
        }
    }
}

/// One end of a buffer whose sides wait by futexes.
pub struct FutexEnd {
    buffer: Buffer,
    pace: Pace,
    number: u32,
    copy: Vec<u8>,
}

impl Input for FutexEnd {
    #[inline]
    fn receive(&mut self) -> Result<&[u8], Error> {
        let word = |offset| self.buffer.memory.word(offset);
        wait_for_change(word(SENT), self.number, word(RECEIVER_SLEEPS), self.pace)?;
        self.buffer.read(self.number, &mut self.copy)?;
        self.number = self.number.wrapping_add(1);
        change(word(TAKEN), self.number, word(SENDER_SLEEPS), self.pace);
        Ok(&self.copy)
    }
}

impl Output for FutexEnd {
    #[inline]
    fn send(&mut self, message: &[u8]) -> Result<(), Error> {
        let word = |offset| self.buffer.memory.word(offset);
        let full = self.number.wrapping_sub(DEPTH);
        wait_for_change(word(TAKEN), full, word(SENDER_SLEEPS), self.pace)?;
        self.buffer.write(self.number, message)?;
        self.number = self.number.wrapping_add(1);
        change(word(SENT), self.number, word(RECEIVER_SLEEPS), self.pace);
        Ok(())
    }
}

/// Two buffers whose sides wait by futexes.
struct Futexes {
    forth: Buffer,
    back: Buffer,
    pace: Pace,
}

impl Futexes {
    fn boxed(
        trial: &Trial,
        mut file: impl FnMut() -> Result<OwnedFd, Error>,
    ) -> Result<Box<dyn Meeting>, Error> {
        let mut buffer = || Buffer::new(file()?, trial.size);
        Ok(Box::new(Self { forth: buffer()?, back: buffer()?, pace: trial.pace }))
    }
}

impl Meeting for Futexes {
    fn join(self: Box<Self>, side: Side, _: &Control) -> Result<Ends, Error> {
        let (input, output) = match side {
            Side::Receiver => (self.forth, self.back),
            Side::Sender(_) => (self.back, self.forth),
        };
        let end = |buffer| FutexEnd { buffer, pace: self.pace, number: 0, copy: Vec::new() };
        Ok((Box::new(end(input)), Box::new(end(output))))
    }
}

/// Buffers in anonymous memory, with futexes.
pub fn with_futexes(trial: &Trial, _: &mut Names) -> Result<Box<dyn Meeting>, Error> {
    Futexes::boxed(trial, || memfd::new().map_err(Error::of("memfd")))
}

/// Buffers in files of the directory for temporary files, with futexes.
pub fn in_files(trial: &Trial, names: &mut Names) -> Result<Box<dyn Meeting>, Error> {
    Futexes::boxed(trial, || descriptor::create(&names.on_disk()).map_err(Error::of("open")))
}

/// A POSIX semaphore that counts messages or places.
struct Count {
    semaphore: PosixSemaphore,
    pace: Pace,
}

impl Count {
    fn new(value: u32, pace: Pace, names: &mut Names) -> Result<Self, Error> {
        let name = names.posix("sem.")?;
        let of = |error: crate::mechanism::semaphore::Error| {
            Error::Reported(format!("semaphore: {error}"))
        };
        posix::create(&name, value, 0o600).map_err(of)?;
        Ok(Self { semaphore: PosixSemaphore::open(&name).map_err(of)?, pace })
    }

    #[inline]
    fn decrement(&self) -> Result<(), Error> {
        while !self.semaphore.try_decrement(1) {
            match self.pace {
                Pace::Spinning => std::hint::spin_loop(),
                Pace::Blocking => {
                    let _waiter = self.semaphore.enlist();
                    if self.semaphore.value() == 0 {
                        let slept = self.semaphore.sleep(0, Deadline::NEVER);
                        let _: Waited = slept.map_err(|_| Error::Kernel("futex", Errno::last()))?;
                    }
                }
            }
        }
        Ok(())
    }

    #[inline]
    fn increment(&self) -> Result<(), Error> {
        self.semaphore.increment(1).map_err(|_| Error::Wrong("a semaphore overflows"))
    }
}

/// One end of a buffer whose sides wait by two semaphores.
pub struct SemaphoreEnd {
    buffer: Buffer,
    messages: Count,
    places: Count,
    number: u32,
    copy: Vec<u8>,
}

impl Input for SemaphoreEnd {
    #[inline]
    fn receive(&mut self) -> Result<&[u8], Error> {
        self.messages.decrement()?;
        self.buffer.read(self.number, &mut self.copy)?;
        self.number = self.number.wrapping_add(1);
        self.places.increment()?;
        Ok(&self.copy)
    }
}

impl Output for SemaphoreEnd {
    #[inline]
    fn send(&mut self, message: &[u8]) -> Result<(), Error> {
        self.places.decrement()?;
        self.buffer.write(self.number, message)?;
        self.number = self.number.wrapping_add(1);
        self.messages.increment()
    }
}

/// Two buffers with two POSIX semaphores each: the bounded buffer of the textbooks.
struct Semaphores {
    forth: SemaphoreEnd,
    back: SemaphoreEnd,
}

impl Meeting for Semaphores {
    fn join(self: Box<Self>, side: Side, _: &Control) -> Result<Ends, Error> {
        let (input, output) = match side {
            Side::Receiver => (self.forth, self.back),
            Side::Sender(_) => (self.back, self.forth),
        };
        Ok((Box::new(input), Box::new(output)))
    }
}

/// Buffers in anonymous memory, with semaphores.
pub fn with_semaphores(trial: &Trial, names: &mut Names) -> Result<Box<dyn Meeting>, Error> {
    let mut end = || {
        Ok::<_, Error>(SemaphoreEnd {
            buffer: Buffer::new(memfd::new().map_err(Error::of("memfd"))?, trial.size)?,
            messages: Count::new(0, trial.pace, names)?,
            places: Count::new(DEPTH, trial.pace, names)?,
            number: 0,
            copy: Vec::new(),
        })
    };
    Ok(Box::new(Semaphores { forth: end()?, back: end()? }))
}
