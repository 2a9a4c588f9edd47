//! System V objects. A segment counts its attachments; a set of semaphores or a queue only records the
//! processes that used it last.

use super::activity::Fill;
use super::object::{By, Kind, Object, Request, State, Thing, Unlisted, Use, each, or_unlisted};
use super::uses::Uses;
use crate::base::errno::Errno;
use crate::sys::pidfd::Process;
use crate::sys::process;
use crate::sys::system_v::{self, Row};
use crate::sys::system_v_queue::Queue;
use crate::sys::system_v_semaphore::Set;

pub(super) fn find(request: &Request, uses: &Uses, unlisted: &mut Vec<Unlisted>) -> Vec<Object> {
    let mut objects = Vec::new();
    if request.wants(Kind::Shm) {
        let rows = or_unlisted(system_v::table("shm"), "/proc/sysvipc/shm", unlisted);
        objects.extend(each(&rows, |row| Some(of_segment(row, uses))));
    }
    if request.wants(Kind::Sem) {
        let rows = or_unlisted(system_v::table("sem"), "/proc/sysvipc/sem", unlisted);
        objects.extend(each(&rows, |row| Some(of_set(row))));
    }
    if request.wants(Kind::Mq) {
        let rows = or_unlisted(system_v::table("msg"), "/proc/sysvipc/msg", unlisted);
        objects.extend(each(&rows, |row| Some(of_queue(row))));
    }
    objects
}

fn of_row(kind: Kind, row: &Row, thing: Thing, times: &[&str]) -> Object {
    let mut object = Object::new(kind, row.name());
    object.mode = Some(row.number("perms") as u32 & 0o777);
    object.uid = Some(row.number("uid") as u32);
    object.used = times.iter().map(|column| row.number(column)).max();
    object.thing = Some(thing);
    object
}

/// SHM_DEST: the kernel removes the segment when the last process detaches it.
const REMOVED: i64 = 0o1000;

fn of_segment(row: &Row, uses: &Uses) -> Object {
    const PRIVATE: &str = "its creator and its last user have ended";
    let thing = Thing::Segment { id: row.id() };
    let object = of_row(Kind::Shm, row, thing, &["atime", "dtime", "ctime"]);
    let mut object = object.with_holders(|thing| uses.of(thing));
    object.size = Some(row.number("size") as u64);
    let attachments = row.number("nattch");
    let is_removed = row.number("perms") & REMOVED != 0;
    object.detail = format!("{attachments} attached{}", if is_removed { ", removed" } else { "" });
    let is_private = row.number("key") as i32 == libc::IPC_PRIVATE;
    let ended = |column| has_ended(row.number(column) as i32) == Some(true);
    // The kernel shows no number of a process in another PID namespace.
    let had_no_user = row.number("lpid") == 0 && row.number("atime") == 0;
    object.state = match attachments {
        0 if is_private && ended("cpid") && (had_no_user || ended("lpid")) => State::Dead(PRIVATE),
        0 => State::Idle,
        _ => State::Held,
    };
    object
}

fn of_set(row: &Row) -> Object {
    let set = Set::of_id(row.id());
    let count = u16::try_from(row.number("nsems")).unwrap_or(u16::MAX);
    let thing = Thing::Set { id: row.id() };
    let mut object = of_row(Kind::Sem, row, thing, &["otime", "ctime"]);
    object.count = (count == 1).then(|| set.value(0).ok()).flatten().map(Into::into);
    object.detail = if count == 1 { String::new() } else { format!("{count} semaphores") };
    let waiters = (0..count).map(|index| Ok(set.waiters(index)? + set.zero_waiters(index)?));
    object.activity.waiting = waiters.sum::<Result<u32, Errno>>().unwrap_or(0);
    let last: Result<Vec<u32>, Errno> = (0..count).map(|index| set.last_pid(index)).collect();
    if let Ok(pids) = last {
        last_used(&mut object, pids.iter().map(|&pid| pid as i32));
        // The kernel shows no number of a process in another PID namespace, which may run.
        let is_foreign = pids.contains(&0)
            && (pids.iter().all(|&pid| pid == 0) || !process::is_first_namespace());
        if row.number("otime") != 0 && is_foreign {
            object.state = State::Held;
        }
    }
    object
}

fn of_queue(row: &Row) -> Object {
    let thing = Thing::Messages { id: row.id() };
    let mut object = of_row(Kind::Mq, row, thing, &["stime", "rtime", "ctime"]);
    object.count = Some(row.number("qnum") as u64);
    object.size = Some(row.number("cbytes") as u64);
    let limit = Queue::of_id(row.id()).max_bytes().unwrap_or(0);
    object.activity.fill = Fill::new(row.number("cbytes") as u64, limit);
    let processes = [("lspid", "stime"), ("lrpid", "rtime")];
    let is_foreign = |&(pid, time): &(&str, &str)| row.number(pid) == 0 && row.number(time) != 0;
    if !processes.iter().any(is_foreign) {
        last_used(&mut object, processes.iter().map(|(pid, _)| row.number(pid) as i32));
    }
    object
}

/// Enters the processes that used an object last. Without one that runs, it is idle.
fn last_used(object: &mut Object, pids: impl Iterator<Item = i32>) {
    let mut pids: Vec<i32> = pids.filter(|&pid| has_ended(pid) == Some(false)).collect();
    pids.sort_unstable();
    pids.dedup();
    object.holders = pids.into_iter().map(|pid| Use { pid, by: By::LastUse }).collect();
    object.state = if object.holders.is_empty() { State::Idle } else { State::Held };
}

/// Whether a process has ended; `None` for one without a number here.
fn has_ended(pid: i32) -> Option<bool> {
    if pid <= 0 {
        return None;
    }
    Some(matches!(Process::open(pid), Err(Errno(libc::ESRCH))))
}
