//! `ipc map`: files as shared memory, with the verbs of `ipc shm`.

use std::path::Path;

use crate::app::arguments::Plain;
use crate::app::command::{Action, Example, Noun, Verb};
use crate::app::context::Context;
use crate::app::machine::Part;
use crate::base::exit::{Exit, Subject};
use crate::base::name::FilePath;
use crate::mechanism::memory::segment;
use crate::mechanism::memory::segment::{Access, Place};
use crate::sys::directory;

use super::shm::{
    Add, Cas, Cat, Create, Durability, Examples, Ls, Operand, Peek, Poke, Resize, Rm, Stat, Wait,
    Write, explain_of, of_kernel,
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
        Verb::new::<Stat<FilePath>>("stat"),
        Verb::new::<Ls<FilePath>>("ls"),
        Verb::new::<Rm<FilePath>>("rm"),
    ],
    see_also: &["mmap(2)", "msync(2)", "futex(2)"],
};

impl Operand for FilePath {
    const WORD: &'static str = "FILE";
    const EXAMPLES: Examples = Examples {
        create: &[("Make a table that survives a reboot", "ipc map create ./table --size 1M")],
        write: &[(
            "Change a part, and have it on disk",
            "printf 'abc' | ipc map write ./table --offset 4096 --sync",
        )],
        cat: &[("Print a part", "ipc map cat ./table --offset 4096 --count 3")],
        peek: &[("Print ten numbers", "ipc map peek ./table --type u64 --count 10 --sep ' '")],
        poke: &[("Set two cells", "ipc map poke ./table --type i32 --offset 8 -1 100")],
        add: &[("Count runs over reboots", "ipc map add ./runs --type u64 1")],
        cas: &[("Take a slot", "ipc map cas ./slots --type u32 --offset 12 0 $$")],
        wait: &[("Wait for a worker", "ipc map wait ./table --type u32 --ge 100 -t 1m")],
        resize: &[("Make room", "ipc map resize ./table 2M")],
        stat: &[("See who has it mapped", "ipc map stat ./table")],
        ls: &[("See what files are shared", "ipc map ls")],
        rm: &[("Tidy up", "ipc map rm -f ./table")],
    };
    type Durability = Synced;
    const CREATE: &'static str = "'ipc map create' makes it, and so does 'ipc map write'";

    fn part(&self) -> Option<Part> {
        None
    }

    fn directory(&self) -> Option<&Path> {
        Some(directory::parent(self.path()))
    }
}

/// Options of `write` about the disk.
#[derive(Clone, Copy, Debug, clap::Args, Plain)]
pub struct Synced {
    /// Have it on disk before the command ends
    #[arg(long)]
    sync: bool,
}

impl Durability for Synced {
    fn sync(&self) -> Option<segment::Sync> {
        self.sync.then_some(segment::Sync::Now)
    }
}

/// Have changes to a file written to the disk
///
/// It ends when what any process has changed in memory is on disk, as msync(2) and fsync(2) have it.
#[derive(Debug, clap::Args, Plain)]
pub struct Sync {
    /// The file
    #[arg(value_name = "FILE")]
    name: FilePath,
    /// Only ask for it, and do not wait
    #[arg(long = "async")]
    soon: bool,
    /// Have other mappings of the file see what is in the file
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
            .open(Access::Read)
            .map_err(|error| explain_of(&self.name, error))
            .about(&self.name)?;
        segment.sync(how).map_err(of_kernel).about(&self.name)?;
        Ok(Exit::Done)
    }
}
