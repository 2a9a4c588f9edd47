//! The memory by which the processes of a measurement begin and end together, and where they leave
//! their results.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use super::trial::Error;
use crate::base::deadline::{Deadline, Waited};
use crate::sys::memory::{Reach, RingMemory};
use crate::sys::{futex, memfd};

/// Room for words, each on a cache line of its own.
const HEAD: usize = 4096;

/// The maximum number of samples of one measurement: a power of two.
pub const SAMPLES: u64 = 1 << 20;

const JOINED: usize = 0;
const GO: usize = 128;
const STOP: usize = 256;
const DONE: usize = 384;
const BEGIN: usize = 512;
const END: usize = 640;
const SENT: usize = 768;
const RECEIVED: usize = 896;
const COUNT: usize = 1024;
const TIMED: usize = 1152;
const PIDS: usize = 2048;

/// The shared memory of a measurement.
pub struct Control(RingMemory<HEAD>);

impl Control {
    pub fn new() -> Result<Self, Error> {
        let of = Error::of("shared memory");
        let file = memfd::new().map_err(of)?;
        memfd::set_length(&file, HEAD as u64 + SAMPLES * 8).map_err(of)?;
        Ok(Self(RingMemory::map(file.into(), SAMPLES * 8, Reach::Mapping).map_err(of)?))
    }

    /// The number of processes that are ready.
    pub fn joined(&self) -> &AtomicU32 {
        self.0.word(JOINED)
    }

    /// Reports that this process is ready, and waits for the start.
    pub fn join_and_wait(&self) -> Result<(), Error> {
        self.joined().fetch_add(1, Ordering::AcqRel);
        while self.0.word(GO).load(Ordering::Acquire) == 0 {
            let _: Waited =
                futex::wait(self.0.word(GO), 0, Deadline::NEVER).map_err(Error::of("futex"))?;
        }
        Ok(())
    }

    /// Starts all processes that are ready.
    pub fn start(&self) {
        self.0.word(GO).store(1, Ordering::Release);
        futex::wake(self.0.word(GO), i32::MAX);
    }

    /// Asks the senders to end.
    pub fn stop(&self) {
        self.0.word(STOP).store(1, Ordering::Relaxed);
    }

    #[inline]
    pub fn is_stopped(&self) -> bool {
        self.0.word(STOP).load(Ordering::Relaxed) != 0
    }

    /// Reports that the receiver has the last message.
    pub fn finish(&self) {
        self.0.word(DONE).store(1, Ordering::Release);
    }

    pub fn is_finished(&self) -> bool {
        self.0.word(DONE).load(Ordering::Acquire) != 0
    }

    /// The time of the first message, in nanoseconds of the monotonic clock.
    pub fn begin(&self) -> &AtomicU64 {
        self.0.long(BEGIN)
    }

    /// The time of the last message.
    pub fn end(&self) -> &AtomicU64 {
        self.0.long(END)
    }

    /// The number of messages that were sent.
    pub fn sent(&self) -> &AtomicU64 {
        self.0.long(SENT)
    }

    /// The number of messages that were received.
    pub fn received(&self) -> &AtomicU64 {
        self.0.long(RECEIVED)
    }

    /// The number of messages that were received within the time.
    pub fn timed(&self) -> &AtomicU64 {
        self.0.long(TIMED)
    }

    /// The process of a side: the receiver is 0, and the senders follow.
    pub fn pid(&self, index: usize) -> &AtomicU32 {
        self.0.word(PIDS + 4 * index)
    }

    /// Adds a sample; `false` if there is no room.
    #[inline]
    pub fn add(&self, sample: u64) -> Result<bool, Error> {
        let count = self.0.long(COUNT);
        let index = count.load(Ordering::Relaxed);
        if index >= SAMPLES {
            return Ok(false);
        }
        self.0.store(index * 8, sample).map_err(Error::of("shared memory"))?;
        count.store(index + 1, Ordering::Relaxed);
        Ok(true)
    }

    /// All samples.
    pub fn samples(&self) -> Result<Vec<u64>, Error> {
        let count = self.0.long(COUNT).load(Ordering::Acquire).min(SAMPLES);
        let load = |index| self.0.load(index * 8).map_err(Error::of("shared memory"));
        (0..count).map(load).collect()
    }
}
