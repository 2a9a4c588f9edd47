//! The uses of objects: what one pass over all processes finds.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::mem;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use nix::sys::stat::{FileStat, SFlag, fstat, stat};

use super::object::{By, Kind, Request, Thing, Unlisted, Use, or_unlisted};
use crate::base::errno::Errno;
use crate::sys::inode::kind;
use crate::sys::lock_table::{Entry, HeldLock, LockedDescriptor, Search};
use crate::sys::process::visit::{self, Descriptor, Mapping, Receiver, Unseen, Visitor};
use crate::sys::{dev_shm, memfd, mqueue, process};

/// A file that has no name in a directory that is listed.
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
    wanted: Wanted,
    found: Found,
}

/// The objects and locks whose uses a pass collects.
#[derive(Debug, Default)]
struct Wanted {
    /// The file systems of which every file is an object.
    devices: BTreeSet<u64>,
    /// The file systems of memory.
    memory_devices: BTreeSet<u64>,
    file: Option<Thing>,
    wants_locks: bool,
    wants_mappings: bool,
    locks: Option<Search>,
}

/// The uses and nameless objects that a pass has found, or a part of it.
#[derive(Debug, Default)]
struct Found {
    /// The uses; after the pass in the order of the things, those of one in the order of the processes.
    uses: Vec<(Thing, Use)>,
    pipes: BTreeSet<Thing>,
    /// The FIFOs, in the order of the processes.
    fifos: Vec<(PathBuf, FileStat)>,
    memory: BTreeMap<Thing, Nameless>,
    /// The locks of descriptors, in the order of the processes.
    locks: Vec<(Entry, LockedDescriptor)>,
}

impl Uses {
    /// Those of this request. `queues` is the directory of all queues.
    pub(super) fn new(request: &Request, queues: &Result<mqueue::Directory, Errno>) -> Self {
        let shm = stat(dev_shm::DIRECTORY).ok().map(|status| status.st_dev);
        let memfd = memfd::new().ok().and_then(|file| Some(fstat(file).ok()?.st_dev));
        let queues = queues.as_ref().ok().and_then(|directory| directory.device().ok());
        let memory_devices: BTreeSet<u64> = shm.into_iter().chain(memfd).collect();
        let given = request.paths.iter().filter_map(|path| Some(stat(path).ok()?.st_dev));
        let devices = memory_devices.iter().copied().chain(queues).chain(given).collect();
        let wants = |kinds: &[Kind]| kinds.iter().any(|&kind| request.wants(kind));
        let is_mapped = [Kind::Shm, Kind::Sem, Kind::Queue, Kind::Memory];
        let wanted = Wanted {
            devices,
            memory_devices,
            file: request.file,
            wants_locks: request.wants(Kind::Lock),
            wants_mappings: wants(&is_mapped)
                || !request.paths.is_empty()
                || request.file.is_some(),
            locks: None,
        };
        Self { wanted, found: Found::default() }
    }

    /// Reads the table of locks before the pass.
    pub(super) fn begin(&mut self, unlisted: &mut Vec<Unlisted>) {
        if self.wanted.wants_locks {
            self.wanted.locks = Some(or_unlisted(Search::new(), "/proc/locks", unlisted));
        }
    }

    pub(super) fn collect(&mut self) -> Unseen {
        let wanted = &self.wanted;
        let (parts, unseen) = visit::visit(|| Part { wanted, found: Found::default() });
        let mut known = BTreeSet::new();
        for part in parts {
            self.found.extend(part.found, &mut known);
        }
        self.found.arrange();
        unseen
    }

    /// The uses of an object.
    pub fn of(&self, thing: Thing) -> Vec<Use> {
        let uses = &self.found.uses;
        let start = uses.partition_point(|&(other, _)| other < thing);
        let own = uses[start..].iter().take_while(|&&(other, _)| other == thing);
        own.map(|&(_, used)| used).collect()
    }

    /// The objects that a process uses.
    pub fn of_process(&self, pid: i32) -> impl Iterator<Item = (Thing, Use)> {
        self.found.uses.iter().copied().filter(move |(_, used)| used.pid == pid)
    }

    /// Whether it is an unnamed pipe.
    pub fn is_pipe(&self, thing: Thing) -> bool {
        self.found.pipes.contains(&thing)
    }

    /// The FIFOs that processes have open.
    pub(super) fn fifos(&self) -> &[(PathBuf, FileStat)] {
        &self.found.fifos
    }

    /// Memory without a name.
    pub(super) fn memory(&self) -> impl Iterator<Item = &Nameless> {
        self.found.memory.values()
    }

    /// The locks on files, once.
    pub(super) fn take_locks(&mut self, is_unseen: impl Fn(i32) -> bool) -> Vec<HeldLock> {
        let found = mem::take(&mut self.found.locks);
        let search = self.wanted.locks.take();
        search.map(|search| search.finish(found, is_unseen)).unwrap_or_default()
    }
}

impl Found {
    /// Adds what was found at the processes behind the own ones. `known` are the own FIFOs.
    fn extend(&mut self, later: Self, known: &mut BTreeSet<Thing>) {
        self.uses.extend(later.uses);
        self.pipes.extend(later.pipes);
        let fifos = later.fifos.into_iter();
        self.fifos.extend(fifos.filter(|(_, status)| known.insert(Thing::of(status))));
        for (thing, nameless) in later.memory {
            let own = self.memory.entry(thing).or_insert_with(|| nameless.clone());
            own.end = own.end.max(nameless.end);
        }
        self.locks.extend(later.locks);
    }

    /// Puts the uses in order, each once: a process may have several mappings of one thing.
    fn arrange(&mut self) {
        self.uses.sort_by_key(|&(thing, _)| thing);
        self.uses.dedup();
    }

    fn add(&mut self, thing: Thing, pid: i32, by: By) {
        let added = (thing, Use { pid, by });
        // Mappings of one file are beside each other, mostly.
        if self.uses.last() != Some(&added) {
            self.uses.push(added);
        }
    }
}

/// A part of a pass.
struct Part<'a> {
    wanted: &'a Wanted,
    found: Found,
}

impl Part<'_> {
    fn enter_fifo(&mut self, descriptor: &Descriptor<'_>, thing: Thing) {
        self.found.add(thing, descriptor.pid, By::Descriptor(descriptor.number));
        let is_it = |(_, status): &(PathBuf, FileStat)| Thing::of(status) == thing;
        if self.found.pipes.contains(&thing) || self.found.fifos.iter().any(is_it) {
            return;
        }
        // An unnamed pipe has a link such as pipe:[1].
        match descriptor.link() {
            Some(path) if path.is_absolute() => self.found.fifos.push((path, *descriptor.status)),
            _ => drop(self.found.pipes.insert(thing)),
        }
    }

    fn enter_file(&mut self, descriptor: &Descriptor<'_>, thing: Thing) {
        let status = descriptor.status;
        if let Some(locks) = &self.wanted.locks {
            self.found.locks.extend(locks.locks_of(descriptor));
        }
        if !self.wanted.devices.contains(&status.st_dev) && self.wanted.file != Some(thing) {
            return;
        }
        self.found.add(thing, descriptor.pid, By::Descriptor(descriptor.number));
        let is_new = || !self.found.memory.contains_key(&thing);
        if status.st_nlink == 0 && self.wanted.is_memory(status.st_dev) && is_new() {
            let (name, status) = (descriptor.link().unwrap_or_default(), Some(*status));
            self.found.memory.insert(thing, Nameless { thing, status, end: 0, name });
        }
    }
}

impl Wanted {
    fn is_memory(&self, device: u64) -> bool {
        self.memory_devices.contains(&device)
    }
}

impl Visitor for Part<'_> {
    fn wants_mappings(&self) -> bool {
        self.wanted.wants_mappings
    }

    fn descriptor(&mut self, descriptor: &Descriptor<'_>) {
        let thing = Thing::of_descriptor(descriptor.status);
        match kind(descriptor.status) {
            SFlag::S_IFSOCK => {
                self.found.add(thing, descriptor.pid, By::Descriptor(descriptor.number));
            }
            SFlag::S_IFIFO => self.enter_fifo(descriptor, thing),
            SFlag::S_IFREG | SFlag::S_IFDIR => self.enter_file(descriptor, thing),
            _ => {}
        }
    }
}

impl Receiver for Part<'_> {
    fn wants_mappings_of(&self, device: u64) -> bool {
        self.wanted.devices.contains(&device)
            || self.wanted.file.is_some_and(|file| file.device() == Some(device))
    }

    fn mapping(&mut self, mapping: &Mapping<'_>) {
        let (device, inode, pid) = (mapping.device, mapping.inode, mapping.pid);
        if mapping.is_system_v() {
            if process::is_in_own_ipc_namespace(pid) {
                self.found.add(Thing::Segment { id: inode as i32 }, pid, By::Attachment);
            }
            return;
        }
        let thing = Thing::File { device, inode };
        if !self.wanted.devices.contains(&device) && self.wanted.file != Some(thing) {
            return;
        }
        if is_anonymous(mapping) {
            return;
        }
        self.found.add(thing, pid, By::Mapping);
        if self.wanted.is_memory(device) && mapping.name.ends_with(DELETED) {
            let nameless = self.found.memory.entry(thing).or_insert_with(|| Nameless {
                thing,
                status: mapping.status(),
                end: 0,
                name: PathBuf::from(OsString::from_vec(mapping.name.to_vec())),
            });
            nameless.end = nameless.end.max(mapping.end());
        }
    }
}

/// The words behind the path of a file that has no name any more.
pub(super) const DELETED: &[u8] = b" (deleted)";

/// Whether it is memory that a process shares with its children only.
fn is_anonymous(mapping: &Mapping<'_>) -> bool {
    mapping.name == b"/dev/zero (deleted)"
}
