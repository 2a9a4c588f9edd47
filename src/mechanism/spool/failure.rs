//! The report of a message that failed: the status of its last COMMAND, and the end of its stderr.

use std::os::fd::AsFd;

use super::directory::{Spool, sync_file};
use super::entry::Entry;
use super::part::Part;
use crate::base::errno::Errno;
use crate::sys::stream;

/// What is kept of a message that failed.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Report {
    /// The status of COMMAND, as a shell reports it.
    pub status: u8,
    /// The reason, in words.
    pub reason: String,
    /// The end of the stderr of COMMAND.
    pub stderr: Vec<u8>,
}

/// The greatest length of what is kept of stderr.
pub const STDERR_MAX: usize = 8 << 10;

/// Writes a report. It becomes the report of the message by a rename, whole or not at all.
pub fn write(spool: &Spool, entry: &Entry, report: &Report) -> Result<(), Errno> {
    let temporary = format!("report-{}-{}", std::process::id(), entry.file());
    let temporary = &temporary[..temporary.len().min(255)];
    let file = spool.replace(Part::Temporary, temporary)?;
    let head = format!("status {}\nreason {}\n\n", report.status, report.reason);
    let written = stream::write(&file, &[head.as_bytes(), &report.stderr].concat())
        .and_then(|()| sync_file(file.as_fd()))
        .and_then(|()| spool.rename((Part::Temporary, temporary), (Part::Reports, &entry.name)));
    if written.is_err() {
        let _ = spool.unlink(Part::Temporary, temporary);
    }
    written
}

/// Reads the report of a message; `None` if there is none that this user may read.
pub fn read(spool: &Spool, entry: &Entry) -> Option<Report> {
    let file = spool.read(Part::Reports, &entry.name).ok()?;
    let mut text = vec![0; STDERR_MAX + 1024];
    let count = stream::read_at(&file, &mut text, 0).ok()?;
    text.truncate(count);
    let end = text.windows(2).position(|pair| pair == b"\n\n")?;
    let head = String::from_utf8_lossy(&text[..end]).into_owned();
    let value = |key: &str| head.lines().find_map(|line| line.strip_prefix(key));
    Some(Report {
        status: value("status ")?.parse().ok()?,
        reason: value("reason ")?.to_owned(),
        stderr: text[end + 2..].to_vec(),
    })
}
