//! One pass over every process: its descriptors and its mappings. Its cost grows with their number alone,
//! however many objects are looked for.

use std::fs;
use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::path::PathBuf;

use nix::fcntl::AtFlags;
use nix::sys::stat::{FileStat, fstatat};

pub use super::mappings::{Mapping, Receiver};
use super::{is_of_the_end, mappings, others, read_numbers};
use crate::sys::parts::{self, Sharing};

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

/// The receiver of what a pass finds in some of the processes.
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
    /// The process IDs that are known, in order.
    pub pids: Vec<i32>,
}

/// How threads share the processes. A look at one takes about as long as a tenth of the start of a thread.
const SHARING: Sharing =
    Sharing { part: NonZeroUsize::new(32).unwrap(), for_a_thread: NonZeroUsize::new(150).unwrap() };

/// Visits every process but this one, in order of their IDs. Where there are many, several threads visit a part
/// each, for which `visitor` makes a visitor. The visitors are returned in the order of the processes.
pub fn visit<V: Visitor + Send>(visitor: impl Fn() -> V + Sync) -> (Vec<V>, Unseen) {
    let (others, hidden) = others();
    let visited = parts::shared(&others, SHARING, || {
        let mut pass = Pass::default();
        let visitor = &visitor;
        move |pids: &[i32]| {
            let (mut visitor, mut unseen) = (visitor(), Unseen::default());
            pids.iter().for_each(|&pid| pass.visit(pid, &mut visitor, &mut unseen));
            (visitor, unseen)
        }
    });
    let (mut visitors, mut unseen) = (Vec::new(), Unseen { count: hidden, pids: Vec::new() });
    for (visitor, others) in visited {
        visitors.push(visitor);
        unseen.count += others.count;
        unseen.pids.extend(others.pids);
    }
    (visitors, unseen)
}

/// The memory that a pass uses for one process after the other.
#[derive(Debug, Default)]
struct Pass {
    buffer: Vec<u8>,
    numbers: Vec<i32>,
}

impl Pass {
    fn visit(&mut self, pid: i32, visitor: &mut impl Visitor, unseen: &mut Unseen) {
        match self.look(pid, visitor) {
            Err(error) if !is_of_the_end(&error) => {
                unseen.count += 1;
                if error.kind() == io::ErrorKind::PermissionDenied {
                    unseen.pids.push(pid);
                }
            }
            _ => {}
        }
    }

    fn look(&mut self, pid: i32, visitor: &mut impl Visitor) -> io::Result<()> {
        self.buffer.resize(self.buffer.len().max(mappings::USUAL), 0);
        let path = format!("/proc/{pid}/fd");
        let directory = read_numbers(&path, &mut self.buffer, &mut self.numbers)?;
        for &number in &self.numbers {
            let mut buffer = [0; 12];
            let name = digits(number, &mut buffer);
            // A descriptor may be closed meanwhile.
            if let Ok(status) = fstatat(&directory, name, AtFlags::empty()) {
                visitor.descriptor(&Descriptor { pid, number, status: &status });
            }
        }
        if visitor.wants_mappings() {
            mappings::find(pid, visitor, &mut self.buffer)?;
        }
        Ok(())
    }
}

/// A number as a path, without an allocation for each.
fn digits(number: i32, buffer: &mut [u8; 12]) -> &[u8] {
    let mut rest = &mut buffer[..];
    // It has room for every number.
    let _written = write!(rest, "{number}");
    let length = 12 - rest.len();
    &buffer[..length]
}
