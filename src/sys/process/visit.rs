//! One pass over every process: its descriptors and its mappings. Its cost grows with their number alone,
//! however many objects are looked for.

use std::fs;
use std::io;
use std::path::PathBuf;

use nix::fcntl::AtFlags;
use nix::sys::stat::{FileStat, fstatat};

pub use super::mappings::{Mapping, Receiver};
use super::{directory_at, look_into_others, mappings, numbers_of};

/// A descriptor of another process.
#[derive(Debug)]
pub struct Descriptor<'a> {
    /// The process.
    pub pid: i32,
    /// Its number in that process.
    pub number: i32,
    /// The status of its file.
    pub status: &'a FileStat,
}

impl Descriptor<'_> {
    /// The text of its link in `/proc`, such as a path or `pipe:[1]`; `None` if it was closed meanwhile.
    pub fn link(&self) -> Option<PathBuf> {
        fs::read_link(format!("/proc/{}/fd/{}", self.pid, self.number)).ok()
    }

    /// Its lines in `/proc/PID/fdinfo`; empty if it was closed meanwhile.
    pub fn info(&self) -> String {
        info(self.pid, self.number)
    }
}

/// The lines of a descriptor in `/proc/PID/fdinfo`; empty if it was closed meanwhile.
pub fn info(pid: i32, number: i32) -> String {
    fs::read_to_string(format!("/proc/{pid}/fdinfo/{number}")).unwrap_or_default()
}

/// The receiver of all that a pass finds.
pub trait Visitor: Receiver {
    /// Whether it receives mappings, which are expensive to read.
    fn wants_mappings(&self) -> bool;

    /// A descriptor.
    fn descriptor(&mut self, descriptor: &Descriptor<'_>);
}

/// The processes that could not be seen.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Unseen {
    /// Their number.
    pub count: usize,
    /// The process IDs that are known.
    pub pids: Vec<i32>,
}

/// Visits every process but this one.
pub fn visit(visitor: &mut impl Visitor) -> Unseen {
    let (mut unseen, mut buffer) = (Unseen::default(), Vec::new());
    unseen.count = look_into_others(|pid| {
        let looked = visit_process(pid, visitor, &mut buffer);
        if looked.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::PermissionDenied) {
            unseen.pids.push(pid);
        }
        looked
    });
    unseen
}

fn visit_process(pid: i32, visitor: &mut impl Visitor, buffer: &mut Vec<u8>) -> io::Result<()> {
    let mut directory = directory_at(&format!("/proc/{pid}/fd"))?;
    for number in numbers_of(&mut directory)? {
        // A descriptor may be closed meanwhile.
        if let Ok(status) = fstatat(&directory, number.to_string().as_str(), AtFlags::empty()) {
            visitor.descriptor(&Descriptor { pid, number, status: &status });
        }
    }
    if visitor.wants_mappings() { mappings::find(pid, visitor, buffer) } else { Ok(()) }
}
