//! The uses of objects: what one pass over all processes finds.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use nix::sys::stat::{FileStat, SFlag, fstat, stat};

use super::object::{By, Kind, Request, Thing, Unlisted, Use, or_unlisted};
use crate::sys::inode::kind;
use crate::sys::lock_table::Search;
use crate::sys::process::visit::{self, Descriptor, Mapping, Receiver, Unseen, Visitor};
use crate::sys::{dev_shm, memfd, mqueue, process};

/// A file that has no name in a directory that is listed, or is a FIFO.
#[derive(Clone, Debug)]
pub(super) struct Nameless {
    pub thing: Thing,
    /// Its status, unless it is only mapped and this process may not look.
    pub status: Option<FileStat>,
    /// The number of bytes that are mapped, at least.
    pub end: u64,
    pub name: PathBuf,
}

/// The uses that a pass has found.
#[derive(Debug, Default)]
pub struct Uses {
    by_thing: BTreeMap<Thing, Vec<Use>>,
    pipes: BTreeSet<Thing>,
    pub(super) fifos: Vec<(PathBuf, FileStat)>,
    pub(super) memory: BTreeMap<Thing, Nameless>,
    pub(super) locks: Option<Search>,
    /// The file systems of which every file is an object.
    devices: BTreeSet<u64>,
    /// The file systems of memory.
    memory_devices: BTreeSet<u64>,
    file: Option<Thing>,
    wants_locks: bool,
    wants_mappings: bool,
}

impl Uses {
    pub(super) fn new(request: &Request) -> Self {
        let shm = stat(dev_shm::DIRECTORY).ok().map(|status| status.st_dev);
        let memfd = memfd::new().ok().and_then(|file| Some(fstat(file).ok()?.st_dev));
        let queues = mqueue::Directory::open().and_then(|directory| directory.device()).ok();
        let memory_devices: BTreeSet<u64> = shm.into_iter().chain(memfd).collect();
        let given = request.paths.iter().filter_map(|path| Some(stat(path).ok()?.st_dev));
        let devices = memory_devices.iter().copied().chain(queues).chain(given).collect();
        let wants = |kinds: &[Kind]| kinds.iter().any(|&kind| request.wants(kind));
        let is_mapped = [Kind::Shm, Kind::Sem, Kind::Queue, Kind::Memory];
        Self {
            devices,
            memory_devices,
            file: request.file,
            wants_locks: request.wants(Kind::Lock),
            wants_mappings: wants(&is_mapped)
                || !request.paths.is_empty()
                || request.file.is_some(),
            ..Self::default()
        }
    }

    /// Reads the table of locks before the pass.
    pub(super) fn begin(&mut self, unlisted: &mut Vec<Unlisted>) {
        if self.wants_locks {
            self.locks = Some(or_unlisted(Search::new(), "/proc/locks", unlisted));
        }
    }

    pub(super) fn collect(&mut self) -> Unseen {
        visit::visit(self)
    }

    /// The uses of an object.
    pub fn of(&self, thing: Thing) -> Vec<Use> {
        self.by_thing.get(&thing).cloned().unwrap_or_default()
    }

    /// The objects that a process uses.
    pub fn of_process(&self, pid: i32) -> impl Iterator<Item = (Thing, Use)> {
        let each = self
            .by_thing
            .iter()
            .flat_map(|(&thing, uses)| uses.iter().map(move |&used| (thing, used)));
        each.filter(move |(_, used)| used.pid == pid)
    }

    /// Whether it is an unnamed pipe.
    pub fn is_pipe(&self, thing: Thing) -> bool {
        self.pipes.contains(&thing)
    }

    fn add(&mut self, thing: Thing, pid: i32, by: By) {
        self.by_thing.entry(thing).or_default().push(Use { pid, by });
    }

    fn is_memory(&self, device: u64) -> bool {
        self.memory_devices.contains(&device)
    }

    fn enter_fifo(&mut self, descriptor: &Descriptor<'_>, thing: Thing) {
        let is_known = self.by_thing.contains_key(&thing);
        self.add(thing, descriptor.pid, By::Descriptor(descriptor.number));
        if is_known {
            return;
        }
        // An unnamed pipe has a link such as pipe:[1].
        match descriptor.link() {
            Some(path) if path.is_absolute() => self.fifos.push((path, *descriptor.status)),
            _ => drop(self.pipes.insert(thing)),
        }
    }

    fn enter_file(&mut self, descriptor: &Descriptor<'_>, thing: Thing) {
        let status = descriptor.status;
        if self.locks.as_ref().is_some_and(|locks| locks.concerns(status))
            && let Some(locks) = &mut self.locks
        {
            locks.add(descriptor);
        }
        if !self.devices.contains(&status.st_dev) && self.file != Some(thing) {
            return;
        }
        self.add(thing, descriptor.pid, By::Descriptor(descriptor.number));
        let is_new = !self.memory.contains_key(&thing);
        if status.st_nlink == 0 && is_new && self.is_memory(status.st_dev) {
            let (name, status) = (descriptor.link().unwrap_or_default(), Some(*status));
            self.memory.insert(thing, Nameless { thing, status, end: 0, name });
        }
    }
}

impl Visitor for Uses {
    fn wants_mappings(&self) -> bool {
        self.wants_mappings
    }

    fn descriptor(&mut self, descriptor: &Descriptor<'_>) {
        let thing = Thing::of_descriptor(descriptor.status);
        match kind(descriptor.status) {
            SFlag::S_IFSOCK => self.add(thing, descriptor.pid, By::Descriptor(descriptor.number)),
            SFlag::S_IFIFO => self.enter_fifo(descriptor, thing),
            SFlag::S_IFREG | SFlag::S_IFDIR => self.enter_file(descriptor, thing),
            _ => {}
        }
    }
}

impl Receiver for Uses {
    fn wants_mappings_of(&self, device: u64) -> bool {
        self.devices.contains(&device)
            || self.file.is_some_and(|file| file.device() == Some(device))
    }

    fn mapping(&mut self, mapping: &Mapping<'_>) {
        let (device, inode, pid) = (mapping.device, mapping.inode, mapping.pid);
        if mapping.is_system_v() {
            let thing = Thing::Segment { id: inode as i32 };
            let is_known =
                self.by_thing.get(&thing).is_some_and(|uses| has(uses, pid, By::Attachment));
            if !is_known && process::is_in_own_ipc_namespace(pid) {
                self.add(thing, pid, By::Attachment);
            }
            return;
        }
        let thing = Thing::File { device, inode };
        if !self.devices.contains(&device) && self.file != Some(thing) {
            return;
        }
        if is_anonymous(mapping) {
            return;
        }
        let uses = self.by_thing.entry(thing).or_default();
        if !has(uses, pid, By::Mapping) {
            uses.push(Use { pid, by: By::Mapping });
        }
        if self.is_memory(device) && mapping.name.ends_with(DELETED) {
            let nameless = self.memory.entry(thing).or_insert_with(|| Nameless {
                thing,
                status: mapping.status(),
                end: 0,
                name: PathBuf::from(OsString::from_vec(mapping.name.to_vec())),
            });
            nameless.end = nameless.end.max(mapping.end());
        }
    }
}

/// Whether a process has this use already. The pass goes from process to process, so that its uses are the
/// last ones.
fn has(uses: &[Use], pid: i32, by: By) -> bool {
    uses.iter().rev().take_while(|used| used.pid == pid).any(|used| used.by == by)
}

/// The words behind the path of a file that has no name any more.
pub(super) const DELETED: &[u8] = b" (deleted)";

/// Whether it is memory that a process shares with its children only.
fn is_anonymous(mapping: &Mapping<'_>) -> bool {
    mapping.name == b"/dev/zero (deleted)"
}
