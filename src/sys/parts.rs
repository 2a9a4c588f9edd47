//! Work on many items, which several threads share.

use std::num::NonZeroUsize;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{cpu, thread};

/// The maximum number of threads. More of them wait for the same locks of the kernel.
const MOST_THREADS: usize = 4;

/// How items are shared.
#[derive(Clone, Copy, Debug)]
pub struct Sharing {
    /// The number of items that a thread takes at a time.
    pub part: NonZeroUsize,
    /// The number of items that is worth the start of another thread.
    pub for_a_thread: NonZeroUsize,
}

/// Works on parts of the items, and returns the results in the order of the items. `worker` makes what works
/// on one part after the other in one thread.
///
/// If threads cannot be started, those that there are do all the work.
pub fn shared<T: Sync, R: Send, W: FnMut(&[T]) -> R>(
    items: &[T],
    sharing: Sharing,
    worker: impl Fn() -> W + Sync,
) -> Vec<R> {
    // The number of CPUs is a system call.
    let threads = match items.len() / sharing.for_a_thread {
        0 | 1 => 1,
        worth => worth.min(MOST_THREADS).min(cpu::allowed()),
    };
    shared_by(threads, items, sharing.part, worker)
}

/// The same by at most so many threads.
fn shared_by<T: Sync, R: Send, W: FnMut(&[T]) -> R>(
    threads: usize,
    items: &[T],
    part: NonZeroUsize,
    worker: impl Fn() -> W + Sync,
) -> Vec<R> {
    if threads <= 1 {
        return items.chunks(part.get()).map(worker()).collect();
    }
    let next = AtomicUsize::new(0);
    let work = || {
        let (mut work, mut done) = (worker(), Vec::new());
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some(part) = items.chunks(part.get()).nth(number) else { return done };
            done.push((number, work(part)));
        }
    };
    let mut done = std::thread::scope(|scope| {
        let start = |_| thread::start(|thread| thread.spawn_scoped(scope, work)).ok();
        let others: Vec<_> = (1..threads).map_while(start).collect();
        let mut done = work();
        for other in others {
            done.extend(other.join().unwrap_or_else(|panic| resume_unwind(panic)));
        }
        done
    });
    done.sort_unstable_by_key(|&(number, _)| number);
    done.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use super::*;

    const PART: NonZeroUsize = NonZeroUsize::new(3).unwrap();

    #[test]
    fn the_results_are_in_the_order_of_the_items_whatever_the_number_of_threads() {
        let items: Vec<u32> = (0..100).collect();
        let expected: Vec<Vec<u32>> = items.chunks(3).map(<[u32]>::to_vec).collect();
        for threads in 0..5 {
            assert_eq!(shared_by(threads, &items, PART, || <[u32]>::to_vec), expected);
        }
        assert!(shared_by(2, &[0; 0], PART, || <[u32]>::to_vec).is_empty());
    }

    #[test]
    fn several_threads_work_at_the_same_time() {
        let both = Barrier::new(2);
        let counts = shared_by(2, &[0; 6], PART, || {
            |part: &[i32]| {
                both.wait();
                part.len()
            }
        });
        assert_eq!(counts, [3, 3]);
    }

    #[test]
    fn a_worker_works_on_one_part_after_the_other() {
        let worker = || {
            let mut parts = 0;
            move |_: &[i32]| {
                parts += 1;
                parts
            }
        };
        assert_eq!(shared_by(1, &[0; 9], PART, worker), [1, 2, 3]);
    }
}
