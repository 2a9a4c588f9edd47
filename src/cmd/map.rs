//! `ipc map`: files as shared memory, with the verbs of `ipc shm`.

use std::path::Path;

use crate::app::arguments::Plain;
use crate::app::command::{Action, Example, Manual, Noun, Verb};
use crate::app::context::Context;
use crate::app::listing::Column;
use crate::app::machine::Part;
use crate::base::errno::Errno;
use crate::base::exit::{Exit, Subject};
use crate::base::name::FilePath;
use crate::mechanism::memory::segment;
use crate::mechanism::memory::segment::{Access, Name};
use crate::mechanism::temporary::Temporary;
use crate::sys::directory;

use super::shm::{
    Add, Cas, Cat, Create, Durability, Examples, Listed, Ls, Operand, Peek, Poke, Resize, Rm, Set,
    Shown, Stat, Wait, Write, explain, of_files,
};

pub const NOUN: Noun = Noun {
    name: "map",
    about: "Share files as memory",
    verbs: &[
        Verb::new::<Create<FilePath>>("create"),
        Verb::new::<Write<FilePath>>("write"),
        Verb::new::<Cat<FilePath>>("cat").alias("read"),
        Verb::new::<Peek<FilePath>>("peek"),
        Verb::new::<Poke<FilePath>>("poke"),
        Verb::new::<Add<FilePath>>("add"),
        Verb::new::<Cas<FilePath>>("cas"),
        Verb::new::<Wait<FilePath>>("wait"),
        Verb::new::<Sync>("sync"),
        Verb::new::<Resize<FilePath>>("resize"),
        Verb::new::<Set<FilePath>>("set"),
        Verb::new::<Stat<FilePath>>("stat"),
        Verb::new::<Ls<FilePath>>("ls"),
        Verb::new::<Rm<FilePath>>("rm"),
    ],
    see_also: &["mmap(2)", "msync(2)", "futex(2)"],
    manual: Manual {
        topic: "shared memory in memory-mapped files",
        environment: &[],
        files: &[],
        standards: "‹mmap›(2) and ‹msync›(2) are in POSIX.1-2024.",
    },
};

impl Operand for FilePath {
    const WORD: &'static str = "FILE";
    const EXAMPLES: Examples = Examples {
        create: &[("Create a table that survives a reboot", "ipc map create ./table --size 1M")],
        write: &[(
            "Change a part, and write it to the disk",
            "printf 'abc' | ipc map write ./table --offset 4096 --sync",
        )],
        cat: &[("Print a part", "ipc map cat ./table --offset 4096 --count 3")],
        peek: &[("Print ten numbers", "ipc map peek ./table --type u64 --count 10 --sep ' '")],
        poke: &[("Set two cells", "ipc map poke ./table --type i32 --offset 8 -1 100")],
        add: &[("Count runs over reboots", "ipc map add ./runs --type u64 1")],
        cas: &[("Claim a slot", "ipc map cas ./slots --type u32 --offset 12 0 $$")],
        wait: &[("Wait for a worker", "ipc map wait ./table --type u32 --ge 100 -t 1m")],
        resize: &[("Enlarge it", "ipc map resize ./table 2M")],
        set: &[("Let a group read it", "ipc map set ./table --mode g+r --owner :staff")],
        stat: &[("Show which processes have it mapped", "ipc map stat ./table")],
        ls: &[("List shared files", "ipc map ls")],
        rm: &[("Remove it", "ipc map rm -f ./table")],
    };
    type Durability = Synced;
    const SHOWN: &'static [Column<Shown<Self>>] = of_files();
    const LISTED: &'static [Column<Listed<Self>>] = of_files();
    const CREATE: &'static str = "'ipc map create' makes it, and so does 'ipc map write'";

    fn part(&self) -> Option<Part> {
        None
    }

    fn file(&self) -> Option<&Path> {
        Some(self.path())
    }

    fn directory(&self) -> Option<&Path> {
        Some(directory::parent(self.path()))
    }

    fn temporary(&self, _: Option<i32>) -> Result<Temporary, Errno> {
        Temporary::file(self.path())
    }

    fn is_system_v(&self) -> bool {
        false
    }
}

/// Options of `write` about the disk.
#[derive(Clone, Copy, Debug, clap::Args, Plain)]
pub struct Synced {
    /// Write the changes to the disk before the command ends
    #[arg(long)]
    sync: bool,
}

impl Durability for Synced {
    fn sync(&self) -> Option<segment::Sync> {
        self.sync.then_some(segment::Sync::Now)
    }
}

/// Write changes of a file to the disk
///
/// The command ends when the changes that all processes have made in memory are on the disk, as msync(2)
/// and fsync(2) define it.
#[derive(Debug, clap::Args, Plain)]
pub struct Sync {
    /// The file
    #[arg(value_name = "FILE")]
    name: FilePath,
    /// Start it, and do not wait for its end
    #[arg(long = "async")]
    soon: bool,
    /// Invalidate other mappings, so that they read the file again
    #[arg(long, conflicts_with = "soon")]
    invalidate: bool,
}

impl Action for Sync {
    const EXAMPLES: &'static [Example] = &[("Before a snapshot", "ipc map sync ./table")];

    fn run(self, _: &mut Context) -> anyhow::Result<Exit> {
        let how = match (self.soon, self.invalidate) {
            (true, _) => segment::Sync::Soon,
            (_, true) => segment::Sync::Invalidate,
            _ => segment::Sync::Now,
        };
        let segment = self
            .name
            .engine()
            .open(Access::Read)
            .map_err(|error| explain(&self.name, error))
            .about(&self.name)?;
        segment.sync(how).map_err(|error| explain(&self.name, error)).about(&self.name)?;
        Ok(Exit::Done)
    }
}
