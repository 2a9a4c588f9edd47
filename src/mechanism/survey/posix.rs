//! POSIX objects: files of `/dev/shm`, and message queues.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use nix::fcntl::OFlag;
use nix::sys::stat::FileStat;

use super::activity::{Fill, Traffic};
use super::object::{Kind, Object, Request, Unlisted, each, or_unlisted};
use super::uses::Uses;
use crate::base::errno::Errno;
use crate::base::name::{ObjectName, SemaphoreName};
use crate::mechanism::queue::named::RingName;
use crate::mechanism::queue::ring::{self, Ring};
use crate::mechanism::semaphore::posix;
use crate::sys::dev_shm;
use crate::sys::mqueue::{self, Access, Directory, Queue};

/// The objects that directories have, before their holders are known.
#[derive(Debug, Default)]
pub(super) struct Found(Vec<Object>);

/// The size of the header of a queue: a smaller file is none.
const LEAST_QUEUE: i64 = 4096;

/// The beginning of the name of a semaphore's file.
const SEMAPHORE: &[u8] = b"sem.";

pub(super) fn find(
    request: &Request,
    queues: &Result<Directory, Errno>,
    unlisted: &mut Vec<Unlisted>,
) -> Found {
    let mut found = Vec::new();
    if [Kind::Shm, Kind::Sem, Kind::Queue].iter().any(|&kind| request.wants(kind)) {
        let names = or_unlisted(dev_shm::list(), dev_shm::DIRECTORY, unlisted);
        found.extend(each(&names, |name| of_shared_memory(name, request)));
    }
    if request.wants(Kind::Mq) {
        found.extend(or_unlisted(of_directory(queues), mqueue::DIRECTORY, unlisted));
    }
    Found(found)
}

impl Found {
    pub(super) fn objects(mut self, uses: &Uses) -> Vec<Object> {
        self.0.iter_mut().for_each(|object| object.enter_holders(|thing| uses.of(thing)));
        self.0
    }
}

fn of_shared_memory(file_name: &OsStr, request: &Request) -> Option<Object> {
    match file_name.as_bytes().strip_prefix(SEMAPHORE) {
        Some(name) if request.wants(Kind::Sem) => of_semaphore(name),
        Some(_) => None,
        None => of_memory(file_name, &dev_shm::status(file_name).ok()?, request),
    }
}

fn of_semaphore(name: &[u8]) -> Option<Object> {
    let name = SemaphoreName::of_file(OsStr::from_bytes(name)).ok()?;
    let seen = posix::glance(&name).ok()?;
    let mut object = Object::new(Kind::Sem, name.as_ref()).with_file(&seen.status);
    object.count = seen.counts.map(|(value, _)| value.into());
    if let Some((_, waiters)) = seen.counts.filter(|&(_, waiters)| waiters > 0) {
        object.detail = format!("{waiters} waiting");
        object.activity.waiting = waiters;
    }
    Some(object)
}

fn of_memory(file_name: &OsStr, status: &FileStat, request: &Request) -> Option<Object> {
    let name = ObjectName::of_file(file_name).ok()?;
    let size = u64::try_from(status.st_size).ok();
    let is_queue = status.st_size > LEAST_QUEUE && is_ring(file_name);
    let kind = if is_queue { Kind::Queue } else { Kind::Shm };
    if !request.wants(kind) {
        return None;
    }
    let mut object = Object::new(kind, name.as_ref()).with_file(status);
    object.size = size;
    if is_queue {
        fill_queue(&mut object, &RingName::Shared(name));
    }
    Some(object)
}

fn is_ring(file_name: &OsStr) -> bool {
    let open = dev_shm::open_object(file_name, OFlag::O_RDONLY);
    open.is_ok_and(|(file, _)| Ring::is_in(&file) == Ok(true))
}

/// Adds the contents of a queue that this process may use.
pub(super) fn fill_queue(object: &mut Object, name: &RingName) {
    let stat = || -> Result<ring::Stat, ring::Error> { Ring::attach(name.open()?.file)?.stat() };
    if let Ok(stat) = stat() {
        (object.size, object.count) = (Some(stat.capacity), Some(stat.messages));
        object.activity.fill = Fill::new(stat.used, stat.capacity);
        object.activity.waiting = stat.producer_sleeps.into();
        object.activity.totals = Traffic {
            messages_in: Some(stat.pushed),
            messages_out: Some(stat.popped),
            bytes_in: Some(stat.pushed_bytes),
            bytes_out: Some(stat.popped_bytes),
        };
        if stat.closed {
            object.detail = "closed".to_owned();
        }
    }
}

fn of_directory(directory: &Result<Directory, Errno>) -> Result<Vec<Object>, Errno> {
    let directory = directory.as_ref().map_err(|&errno| errno)?;
    let of_queue = |name: &ObjectName| {
        let status = directory.status(name).ok()?;
        let queue = Queue::open(name, Access::Look).ok();
        let mut object = Object::new(Kind::Mq, name.as_ref()).with_file(&status);
        object.used = Some(mqueue::time_of_use(&status));
        object.count = queue.as_ref().and_then(|queue| queue.messages().ok());
        let limit = queue.as_ref().and_then(|queue| queue.shape().ok()).map(|shape| shape.max_msgs);
        object.activity.fill =
            object.count.zip(limit).and_then(|(count, limit)| Fill::new(count, limit));
        object.size = queue.and_then(|queue| queue.contents().ok()).map(|contents| contents.bytes);
        Some(object)
    };
    Ok(each(&directory.names()?, of_queue))
}
