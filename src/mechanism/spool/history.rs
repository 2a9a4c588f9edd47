//! The names and statuses of messages that are done, for a while.
//!
//! They are lines of files, one file an hour and user, so that a spool of many messages has few
//! files, and a file is removed as a whole when it is old.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{BufRead, BufReader};
use std::time::Duration;

use nix::unistd::geteuid;

use super::directory::Spool;
use super::files::WHOLE;
use super::part::Part;
use super::scan;
use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::sys::stream;
use crate::sys::time;

/// How long names and statuses are kept.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Keep(pub Duration);

const HOUR: u64 = 3600;

/// Nanoseconds.
const SECOND: u64 = 1_000_000_000;

impl Keep {
    /// Records that a message has ended with this status.
    pub fn add(self, spool: &Spool, name: &str, status: u8) -> Result<(), Errno> {
        if self.0.is_zero() {
            return Ok(());
        }
        let now = time::now();
        let (seconds, rest) = (now / SECOND, now % SECOND);
        let file = format!("{:010}-{}", seconds / HOUR, geteuid());
        let line = format!("{seconds}.{rest:09} {status} {name}\n");
        // One write: lines of several workers do not mix.
        stream::write(spool.append(Part::Done, &file)?, line.as_bytes())
    }

    /// Removes records and logs that are older.
    pub fn prune(self, spool: &Spool) -> Result<(), Errno> {
        self.prune_records(spool)?;
        self.prune_logs(spool)
    }

    /// A log that a worker writes is locked, and stays.
    fn prune_logs(self, spool: &Spool) -> Result<(), Errno> {
        let oldest = seconds().saturating_sub(self.0.as_secs()) as i64;
        for log in scan::files(spool, Part::Logs)? {
            let log = log?;
            let is_old = spool.status_of(Part::Logs, &log).is_ok_and(|it| it.st_mtime < oldest);
            let Some(name) = log.to_str().filter(|_| is_old) else { continue };
            let Ok(file) = spool.read(Part::Logs, name) else { continue };
            if WHOLE.wait(&file, Deadline::PASSED)? == Waited::Done(()) {
                // That of another user may stay.
                let _ = spool.unlink(Part::Logs, &log);
            }
        }
        Ok(())
    }

    fn prune_records(self, spool: &Spool) -> Result<(), Errno> {
        let oldest = seconds().saturating_sub(self.0.as_secs()) / HOUR;
        for file in scan::files(spool, Part::Done)? {
            let file = file?;
            if hour(&file).is_some_and(|hour| hour < oldest) {
                match spool.unlink(Part::Done, &file) {
                    // That of another user may stay.
                    Ok(()) | Err(Errno(libc::ENOENT | libc::EACCES | libc::EPERM)) => {}
                    Err(errno) => return Err(errno),
                }
            }
        }
        Ok(())
    }
}

/// The statuses with which messages of these names ended last, in the same order; `None` if that is
/// not known.
pub fn statuses(spool: &Spool, names: &[&str]) -> Result<Vec<Option<u8>>, Errno> {
    let mut known: BTreeMap<&str, Option<(u64, u8)>> =
        names.iter().map(|&name| (name, None)).collect();
    for file in scan::files(spool, Part::Done)? {
        let Some(file) = file?.to_str().map(str::to_owned) else { continue };
        let Ok(file) = spool.read(Part::Done, &file) else { continue };
        for line in BufReader::new(std::fs::File::from(file)).lines().map_while(Result::ok) {
            let Some((time, status, name)) = parsed(&line) else { continue };
            if let Some(last) = known.get_mut(name)
                && last.is_none_or(|(before, _)| before <= time)
            {
                *last = Some((time, status));
            }
        }
    }
    let status = |name| known.get(name).copied().flatten().map(|(_, status)| status);
    Ok(names.iter().map(status).collect())
}

/// The time in nanoseconds, the status and the name of a line.
fn parsed(line: &str) -> Option<(u64, u8, &str)> {
    let mut words = line.splitn(3, ' ');
    let time = words.next()?;
    // Earlier versions wrote whole seconds.
    let (seconds, rest) = time.split_once('.').unwrap_or((time, "0"));
    let (seconds, rest): (u64, u64) = (seconds.parse().ok()?, rest.parse().ok()?);
    let time = seconds.checked_mul(SECOND)?.checked_add(rest)?;
    Some((time, words.next()?.parse().ok()?, words.next()?))
}

fn hour(file: &OsString) -> Option<u64> {
    file.to_str()?.split_once('-')?.0.parse().ok()
}

fn seconds() -> u64 {
    time::now() / SECOND
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_status_of_a_name_counts_also_within_a_second() {
        let directory = tempfile::tempdir().unwrap();
        let spool = Spool::create(&directory.path().join("s"), 0o700).unwrap();
        // Of two users, whose files are read in any order.
        for (file, line) in [
            ("0000490324-1", "1765166400.000000009 0 a\n1765166400.000000001 7 b\n"),
            ("0000490324-2", "1765166400.000000002 3 a\n1765166400.100000000 0 b\n"),
        ] {
            stream::write(spool.append(Part::Done, file).unwrap(), line.as_bytes()).unwrap();
        }
        let names = ["a", "b", "c"];
        assert_eq!(statuses(&spool, &names).unwrap(), [Some(0), Some(0), None]);
    }
}
