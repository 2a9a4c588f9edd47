//! `ipc shm`: shared memory; and the verbs that it shares with `ipc map`, for segments of any kind.

mod cells;
mod columns;
mod data;
mod explain;
mod inspect;
pub mod remote;
mod set;
mod wait;

use std::ffi::{OsStr, OsString};
use std::fmt::Debug;
use std::path::Path;

use clap::builder::{ValueParser, ValueParserFactory};

use crate::app::arguments::{Plain, Word};
use crate::app::command::{Example, Manual, Noun, Verb};
use crate::app::listing::Column;
use crate::app::machine::Part;
use crate::app::options::Waiting;
use crate::base::errno::Errno;
use crate::base::exit::{Exit, Failure, Subject};
use crate::base::name::AnyName;
use crate::base::units::Size;
use crate::cmd::sem;
use crate::io::output::Output;
use crate::mechanism::memory::segment;
use crate::mechanism::memory::segment::{Access, Segment, Sync};
use crate::mechanism::semaphore::Guard;
use crate::mechanism::temporary::Temporary;
use crate::sys::dev_shm;
use crate::sys::system_v::Kind;

pub use cells::{Add, Cas, Peek, Poke};
pub use columns::{Listed, Shown, of_both, of_files};
pub use data::{Cat, Create, Resize, Write};
pub use explain::{explain, explain_open};
pub use inspect::{Ls, Rm, Stat};
pub use set::Set;
pub use wait::Wait;

pub const NOUN: Noun = Noun {
    name: "shm",
    about: "Share memory by name",
    verbs: &[
        Verb::new::<Create<AnyName>>("create"),
        Verb::new::<Write<AnyName>>("write"),
        Verb::new::<Cat<AnyName>>("cat").alias("read"),
        Verb::new::<Peek<AnyName>>("peek"),
        Verb::new::<Poke<AnyName>>("poke"),
        Verb::new::<Add<AnyName>>("add"),
        Verb::new::<Cas<AnyName>>("cas"),
        Verb::new::<Wait<AnyName>>("wait"),
        Verb::new::<Resize<AnyName>>("resize"),
        Verb::new::<Set<AnyName>>("set"),
        Verb::new::<Stat<AnyName>>("stat"),
        Verb::new::<Ls<AnyName>>("ls"),
        Verb::new::<Rm<AnyName>>("rm"),
    ],
    see_also: &["shm_overview(7)", "shm_open(3)", "sysvipc(7)", "shmget(2)", "mmap(2)", "futex(2)"],
    manual: Manual {
        topic: "shared memory, POSIX and System V",
        environment: &[],
        files: &[
            ("«/dev/shm/NAME»", "The shared memory object «/NAME»."),
            ("«/proc/sysvipc/shm»", "The table of System V segments."),
        ],
        standards: "Shared memory objects are an option of POSIX.1-2024, System V segments of its XSI option. Waiting for a number uses ‹futex›(2) of Linux.",
    },
};

/// The operand that names a segment under a noun, and the examples of the noun's verbs.
pub trait Operand:
    segment::Name
    + ValueParserFactory<Parser = ValueParser>
    + Word
    + Clone
    + Debug
    + Send
    + std::marker::Sync
    + 'static
{
    /// The operand in a synopsis.
    const WORD: &'static str;
    /// The hint for a segment that does not exist.
    const CREATE: &'static str;
    /// Lines of shell for each verb.
    const EXAMPLES: Examples;
    /// The properties of `stat`.
    const SHOWN: &'static [Column<Shown<Self>>];
    /// The columns of `ls`.
    const LISTED: &'static [Column<Listed<Self>>];
    /// The part of the machine that these segments need.
    fn part(&self) -> Option<Part>;
    /// Its path, if the user chose one.
    fn file(&self) -> Option<&Path>;
    /// The directory of its file, if it is a file.
    fn directory(&self) -> Option<&Path>;
    /// The new segment of this name, or with this identifier, for a COMMAND with whose end it is removed.
    fn temporary(&self, id: Option<i32>) -> Result<Temporary, Errno>;
    /// Whether it names a System V segment.
    fn is_system_v(&self) -> bool;
    /// Options of `write` about the disk.
    type Durability: Durability;
}

/// Lines of shell for each verb.
pub struct Examples {
    pub create: &'static [Example],
    pub write: &'static [Example],
    pub cat: &'static [Example],
    pub peek: &'static [Example],
    pub poke: &'static [Example],
    pub add: &'static [Example],
    pub cas: &'static [Example],
    pub wait: &'static [Example],
    pub resize: &'static [Example],
    pub set: &'static [Example],
    pub stat: &'static [Example],
    pub ls: &'static [Example],
    pub rm: &'static [Example],
}

/// Options of `write` about the disk.
pub trait Durability: clap::Args + Plain + Debug + Send + std::marker::Sync + 'static {
    /// How the segment is synchronised after the write.
    fn sync(&self) -> Option<Sync>;
}

/// Shared memory is on no disk, and has no such options.
#[derive(Debug, clap::Args, Plain)]
pub struct Volatile {}

impl Durability for Volatile {
    fn sync(&self) -> Option<Sync> {
        None
    }
}

impl Operand for AnyName {
    const WORD: &'static str = "NAME";
    const EXAMPLES: Examples = Examples {
        create: &[
            ("Create a table that every user may read", "ipc shm create /table --size 1M -m 0644"),
            ("Create a System V segment", "ipc shm create sysv:0x2a --size 4K"),
            ("Remove it when a command ends", "ipc shm create /tmp1 --size 4K --while -- ./job"),
        ],
        write: &[
            ("Share a file in memory", "ipc shm write /model < model.bin"),
            ("Change a part of it", "printf 'abc' | ipc shm write /model --offset 4096"),
        ],
        cat: &[
            ("Copy it to a file", "ipc shm cat /model > model.bin"),
            ("Read a string that a program left", "ipc shm cat /status --string"),
        ],
        peek: &[
            ("Print ten numbers, each on a line", "ipc shm peek /table --count 10"),
            ("Print a clock", "ipc shm peek /table --type f64 --offset 64"),
        ],
        poke: &[
            ("Set two cells", "ipc shm poke /table --type i32 --offset 8 -1 100"),
            ("Wake waiters", "ipc shm poke /ready --type u32 1"),
        ],
        add: &[(
            "Count the work of several scripts",
            "ipc shm add /counters --type u64 --offset 8 1",
        )],
        cas: &[("Elect a leader", "ipc shm cas /leader --type u32 0 $$ > /dev/null && ./lead")],
        wait: &[
            ("Wait until a program is ready", "ipc shm wait /ready --type u32 --eq 1 -t 10s"),
            (
                "Follow a counter",
                "n=0; while n=$(ipc shm wait /n --type u64 --ne $n); do echo $n; done",
            ),
        ],
        resize: &[("Enlarge it", "ipc shm resize /table 2M")],
        set: &[
            ("Let a group read it", "ipc shm set /table --mode g+r --owner :staff"),
            ("Give a System V segment to a service", "ipc shm set sysv:0x2a --owner www-data"),
        ],
        stat: &[
            ("Show which processes use it", "ipc shm stat /table"),
            ("Query it from a script", "ipc shm stat --json sysv:0x2a | jq .attachments"),
        ],
        ls: &[("List all", "ipc shm ls")],
        rm: &[("Remove two", "ipc shm rm -f /table sysv:0x2a")],
    };
    type Durability = Volatile;
    const SHOWN: &'static [Column<Shown<Self>>] = of_both();
    const LISTED: &'static [Column<Listed<Self>>] = of_both();
    const CREATE: &'static str = "'ipc shm create' makes it, and so does 'ipc shm write'";

    fn part(&self) -> Option<Part> {
        Some(match self {
            Self::Posix(_) => Part::DevShm,
            Self::SystemV(_) => Part::SystemV,
        })
    }

    fn file(&self) -> Option<&Path> {
        None
    }

    fn directory(&self) -> Option<&Path> {
        matches!(self, Self::Posix(_)).then(|| Path::new(dev_shm::DIRECTORY))
    }

    fn temporary(&self, id: Option<i32>) -> Result<Temporary, Errno> {
        match self {
            Self::Posix(name) => Temporary::file(&dev_shm::path(name.without_slash())),
            Self::SystemV(_) => Temporary::system_v(Kind::Segment, id),
        }
    }

    fn is_system_v(&self) -> bool {
        matches!(self, Self::SystemV(_))
    }
}

/// A semaphore that is held while a verb runs.
#[derive(Clone, Debug, clap::Args, Plain)]
pub struct Guarding {
    /// Hold a permit of this semaphore meanwhile
    ///
    /// The command acquires the permit first, waiting as long as --timeout and --nonblock allow. It
    /// releases the permit at the end, on an error, and when INT, TERM or HUP ends it. KILL cannot be
    /// caught, and other signals are not: a permit that such a command held is lost until 'ipc sem
    /// post' adds it again. The kernel releases the permit of a System V semaphore in every case.
    #[arg(long, value_name = "SEM")]
    guard: Option<sem::Name>,
    #[command(flatten)]
    waiting: Waiting,
}

impl Guarding {
    /// Acquires the permit, if there is a --guard.
    pub fn take(&self, output: &Output) -> anyhow::Result<Option<Box<dyn Guard>>> {
        let Some(name) = &self.guard else {
            return match self.waiting.is_given() {
                true => Err(Failure::new(
                    Exit::Usage,
                    "--timeout and --nonblock are for the wait for a --guard",
                )
                .into()),
                false => Ok(None),
            };
        };
        // A segment may have the same name as the semaphore.
        let subject: OsString = [OsStr::new("--guard "), name.as_ref()].into_iter().collect();
        let acquired = sem::guard(name, &subject, self.waiting.deadline(), output);
        self.waiting.or_error(acquired.about(&subject)?).about(&subject).map(Some)
    }

    /// Whether there is a --guard.
    pub fn is_wanted(&self) -> bool {
        self.guard.is_some()
    }
}

/// Opens a segment.
fn open<O: Operand>(name: &O, access: Access) -> anyhow::Result<Box<dyn Segment>> {
    name.engine().open(access).map_err(|error| explain_open(name, error)).about(name)
}

fn bytes(size: Option<Size>) -> u64 {
    size.map_or(0, |Size(bytes)| bytes)
}
