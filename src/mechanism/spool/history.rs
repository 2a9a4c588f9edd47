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

impl Keep {
    /// Records that a message has ended with this status.
    pub fn add(self, spool: &Spool, name: &str, status: u8) -> Result<(), Errno> {
        if self.0.is_zero() {
            return Ok(());
        }
        let now = seconds();
        let file = format!("{:010}-{}", now / HOUR, geteuid());
        let line = format!("{now} {status} {name}\n");
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

fn parsed(line: &str) -> Option<(u64, u8, &str)> {
    let mut words = line.splitn(3, ' ');
    Some((words.next()?.parse().ok()?, words.next()?.parse().ok()?, words.next()?))
}

fn hour(file: &OsString) -> Option<u64> {
    file.to_str()?.split_once('-')?.0.parse().ok()
}

fn seconds() -> u64 {
    time::now() / 1_000_000_000
}
