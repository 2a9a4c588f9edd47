//! Looks at all objects again and again: what has changed since the last look, rates, cycles of waits, and
//! the objects that were removed.

pub mod cycles;
mod doors;
mod item;
mod pace;
mod processes;
mod waiters;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use self::item::{Class, Id, Item, Presence};
pub use self::pace::Pace;
pub use self::processes::Processes;

use self::cycles::Cycle;
use self::doors::Doors;
use crate::mechanism::survey::{Fill, Kind, Object, Request, Survey, Traffic, tcp};
use crate::sys::{dev_shm, statvfs};

/// What one look has found.
#[derive(Debug, Default)]
pub struct Frame {
    /// The objects, and those that were removed a short time ago.
    pub items: Vec<Item>,
    /// The cycles of waits; a lock is the index of an item.
    pub cycles: Vec<Cycle>,
    /// The processes that use objects or wait for them.
    pub processes: Processes,
    /// The survey itself, for the relations of one object.
    pub survey: Survey,
    /// The time since the look before.
    pub elapsed: Option<Duration>,
    /// The memory of /dev/shm in use.
    pub memory: Option<Fill>,
}

/// Objects over time.
#[derive(Debug)]
pub struct Monitor {
    classes: Vec<Class>,
    request: Request,
    doors: Doors,
    processes: Processes,
    history: History,
}

impl Monitor {
    /// Looks at the objects of these classes, or of all if there are none, and at these paths.
    pub fn new(classes: Vec<Class>, paths: Vec<PathBuf>) -> Self {
        let kind = |class: &Class| match class {
            Class::Of(kind) => *kind,
            // The pass over all processes finds sockets in any case; no kind would mean all kinds.
            Class::Tcp => Kind::Sock,
        };
        let request = Request { kinds: classes.iter().map(kind).collect(), paths, file: None };
        Self {
            classes,
            request,
            doors: Doors::default(),
            processes: Processes::default(),
            history: History::default(),
        }
    }

    /// Looks once. `now` is the monotonic clock in nanoseconds.
    pub fn look(&mut self, now: u64) -> Frame {
        let mut survey = Survey::take(&self.request);
        let mut objects: Vec<(Class, Object)> =
            survey.objects.iter().map(|object| (Class::Of(object.kind), object.clone())).collect();
        if self.wants(Class::Tcp) {
            // A kernel without the list has no TCP sockets for this view.
            let sockets = tcp::find(&survey.uses).unwrap_or_default();
            survey.objects.extend(sockets.iter().cloned());
            objects.extend(sockets.into_iter().map(|socket| (Class::Tcp, socket)));
        }
        objects.retain(|(class, _)| self.wants(*class));
        for (_, door) in objects.iter_mut().filter(|(_, object)| object.kind == Kind::Door) {
            self.doors.ask(door);
        }
        waiters::identify(objects.iter_mut().map(|(_, object)| object));
        let mut frame = self.history.advance(objects, now);
        let live = frame.items.iter().filter(|item| !item.is_gone());
        self.processes.look(live.flat_map(processes_of).collect::<BTreeSet<i32>>());
        frame.processes = self.processes.clone();
        frame.survey = survey;
        frame.memory = memory();
        frame
    }

    fn wants(&self, class: Class) -> bool {
        self.classes.is_empty() || self.classes.contains(&class)
    }
}

/// The processes that use an object or wait for it.
fn processes_of(item: &Item) -> impl Iterator<Item = i32> {
    let waiters = item.object.waiters.iter().copied().flatten();
    item.object.holders.iter().map(|used| used.pid).chain(waiters)
}

/// The memory of /dev/shm in use; `None` without one, or without a limit.
fn memory() -> Option<Fill> {
    let space = statvfs::of(Path::new(dev_shm::DIRECTORY)).ok()?;
    Fill::new(space.used_bytes, space.bytes)
}

/// What the looks so far have found.
#[derive(Debug, Default)]
pub struct History {
    items: BTreeMap<Id, Seen>,
    last: Option<u64>,
}

#[derive(Clone, Debug)]
struct Seen {
    object: Object,
    /// The time of the look that found it first; `None` for the first look of all.
    first: Option<u64>,
    /// The time of the look that did not find it any more.
    gone: Option<u64>,
}

/// How long an object is shown after its removal, and counts as new after its creation.
pub const SHOWN_AFTER_CHANGE: Duration = Duration::from_secs(5);

impl History {
    /// Compares the objects of a look with those of the look before.
    pub fn advance(&mut self, objects: Vec<(Class, Object)>, now: u64) -> Frame {
        let elapsed = self.last.map(|last| Duration::from_nanos(now.saturating_sub(last)));
        let before = std::mem::take(&mut self.items);
        let mut items = Vec::with_capacity(objects.len());
        for (class, object) in objects {
            let id = Id::of(class, &object);
            let former = before.get(&id).filter(|seen| seen.gone.is_none());
            let first = former.map_or(self.last.map(|_| now), |seen| seen.first);
            items.push(Item {
                rates: former.zip(elapsed).map_or(Traffic::default(), |(former, elapsed)| {
                    rates(former.object.activity.totals, object.activity.totals, elapsed)
                }),
                change: former.and_then(|former| change(former.object.count, object.count)),
                presence: match first {
                    Some(first) if is_recent(first, now) => Presence::New,
                    _ => Presence::There,
                },
                is_in_cycle: false,
                object: object.clone(),
                id: id.clone(),
            });
            self.items.insert(id, Seen { object, first, gone: None });
        }
        items.extend(self.keep_removed(before, now));
        items.sort_by(|one, other| one.id.cmp(&other.id));
        self.last = Some(now);
        let cycles = find_cycles(&mut items);
        Frame { items, cycles, elapsed, ..Frame::default() }
    }

    /// The objects that were removed a short time ago.
    fn keep_removed(&mut self, before: BTreeMap<Id, Seen>, now: u64) -> Vec<Item> {
        let mut removed = Vec::new();
        for (id, seen) in before {
            let gone = seen.gone.unwrap_or(now);
            if self.items.contains_key(&id) || !is_recent(gone, now) {
                continue;
            }
            removed.push(Item {
                id: id.clone(),
                object: seen.object.clone(),
                rates: Traffic::default(),
                change: None,
                presence: Presence::Gone(Duration::from_nanos(now.saturating_sub(gone))),
                is_in_cycle: false,
            });
            self.items.insert(id, Seen { gone: Some(gone), ..seen });
        }
        removed
    }
}

fn is_recent(time: u64, now: u64) -> bool {
    Duration::from_nanos(now.saturating_sub(time)) < SHOWN_AFTER_CHANGE
}

/// The rates between two totals. A total that is smaller than before belongs to another object.
fn rates(before: Traffic<u64>, after: Traffic<u64>, elapsed: Duration) -> Traffic<f64> {
    let seconds = elapsed.as_secs_f64();
    after.with(before, |after, before| {
        let difference = after.checked_sub(before)?;
        (seconds > 0.0).then(|| difference as f64 / seconds)
    })
}

fn change(before: Option<u64>, after: Option<u64>) -> Option<i64> {
    Some(i64::try_from(after?).ok()? - i64::try_from(before?).ok()?)
}

/// Finds the cycles, and marks their locks.
fn find_cycles(items: &mut [Item]) -> Vec<Cycle> {
    // The locks of a removed object are not held.
    let objects = items.iter().map(|item| &item.object);
    let waits = waiters::waits(objects);
    let waits: Vec<_> = waits.into_iter().filter(|wait| !items[wait.lock].is_gone()).collect();
    let cycles = cycles::find(&waits);
    for wait in cycles.iter().flatten() {
        items[wait.lock].is_in_cycle = true;
    }
    cycles
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mechanism::survey::{By, Use};

    const SECOND: u64 = 1_000_000_000;

    fn queue(name: &str, pushed: u64, count: u64) -> (Class, Object) {
        let mut object = Object::new(Kind::Queue, name);
        object.count = Some(count);
        object.activity.totals = Traffic {
            messages_in: Some(pushed),
            messages_out: Some(pushed - count),
            bytes_in: Some(pushed * 100),
            bytes_out: None,
        };
        (Class::Of(Kind::Queue), object)
    }

    fn lock(name: &str, holder: i32, waiter: i32) -> (Class, Object) {
        let mut object = Object::new(Kind::Lock, name);
        object.holders = vec![Use { pid: holder, by: By::Lock }];
        object.waiters = vec![Some(waiter)];
        (Class::Of(Kind::Lock), object)
    }

    #[test]
    fn rates_are_those_between_two_looks() {
        let mut history = History::default();
        let first = history.advance(vec![queue("/q", 10, 4)], SECOND);
        assert_eq!((first.items[0].rates, first.items[0].change), (Traffic::default(), None));
        assert_eq!(first.elapsed, None);
        let frame = history.advance(vec![queue("/q", 30, 1)], 3 * SECOND);
        let item = &frame.items[0];
        assert_eq!(frame.elapsed, Some(Duration::from_secs(2)));
        assert_eq!((item.rates.messages_in, item.rates.messages_out), (Some(10.0), Some(11.5)));
        assert_eq!((item.rates.bytes_in, item.rates.bytes_out), (Some(1000.0), None));
        assert_eq!(item.change, Some(-3));
    }

    #[test]
    fn an_object_that_was_made_again_has_no_rate() {
        let mut history = History::default();
        history.advance(vec![queue("/q", 10, 4)], SECOND);
        let frame = history.advance(vec![queue("/q", 2, 1)], 2 * SECOND);
        assert_eq!(frame.items[0].rates.messages_in, None);
    }

    #[test]
    fn a_removed_object_is_shown_for_some_seconds() {
        let mut history = History::default();
        history.advance(vec![queue("/q", 10, 4)], SECOND);
        let presence = |frame: Frame| frame.items.first().map(|item| item.presence);
        let gone = |seconds| Some(Presence::Gone(Duration::from_secs(seconds)));
        assert_eq!(presence(history.advance(Vec::new(), 2 * SECOND)), gone(0));
        assert_eq!(presence(history.advance(Vec::new(), 6 * SECOND)), gone(4));
        assert_eq!(presence(history.advance(Vec::new(), 7 * SECOND)), None);
    }

    #[test]
    fn an_object_is_new_for_some_seconds_unless_it_was_there_at_the_start() {
        let mut history = History::default();
        let presences = |frame: Frame| -> Vec<Presence> {
            frame.items.iter().map(|item| item.presence).collect()
        };
        history.advance(vec![queue("/old", 1, 1)], SECOND);
        let both = || vec![queue("/new", 1, 1), queue("/old", 1, 1)];
        let frame = history.advance(both(), 2 * SECOND);
        assert_eq!(presences(frame), [Presence::New, Presence::There]);
        let frame = history.advance(both(), 7 * SECOND);
        assert_eq!(presences(frame), [Presence::There, Presence::There]);
        // It comes back after its removal.
        history.advance(vec![queue("/old", 1, 1)], 8 * SECOND);
        let frame = history.advance(both(), 9 * SECOND);
        assert_eq!(presences(frame), [Presence::New, Presence::There]);
    }

    #[test]
    fn the_locks_of_a_cycle_are_marked() {
        let mut history = History::default();
        let locks = vec![lock("/a", 1, 2), lock("/b", 2, 1), lock("/c", 1, 3)];
        let frame = history.advance(locks, SECOND);
        let marked: Vec<bool> = frame.items.iter().map(|item| item.is_in_cycle).collect();
        assert_eq!(marked, [true, true, false]);
        let cycle: Vec<(i32, usize, i32)> =
            frame.cycles[0].iter().map(|wait| (wait.waiter, wait.lock, wait.holder)).collect();
        assert_eq!(cycle, [(1, 1, 2), (2, 0, 1)]);
        // When one of them ends, both locks are free.
        let frame = history.advance(Vec::new(), 2 * SECOND);
        assert!(frame.cycles.is_empty());
        assert!(frame.items.iter().all(Item::is_gone));
    }
}
