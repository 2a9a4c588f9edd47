//! `ipc shm`: shared memory; and the verbs that `ipc map` has as well, over any kind of segment.

mod cells;
mod data;
mod inspect;

use std::ffi::{OsStr, OsString};
use std::fmt::Debug;
use std::ops::Range;
use std::path::Path;

use clap::builder::{ValueParser, ValueParserFactory};

use crate::app::arguments::{Plain, Word};
use crate::app::command::{Example, Noun, Verb};
use crate::app::machine::Part;
use crate::app::objects::{identifier_given, nameless, no_room, no_room_in, not_there, or_key};
use crate::app::options::Waiting;
use crate::base::errno::Errno;
use crate::base::exit::{Exit, Failure, Subject};
use crate::base::name::AnyName;
use crate::base::units::Size;
use crate::cmd::sem;
use crate::io::output::Output;
use crate::mechanism::memory::segment::{Access, Error, Place, Segment, Sync};
use crate::mechanism::semaphore::guard::{Guard, Held};
use crate::sys::dev_shm;

pub use cells::{Add, Cas, Peek, Poke, Wait};
pub use data::{Cat, Create, Resize, Write};
pub use inspect::{Ls, Rm, Stat};

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
        Verb::new::<Stat<AnyName>>("stat"),
        Verb::new::<Ls<AnyName>>("ls"),
        Verb::new::<Rm<AnyName>>("rm"),
    ],
    see_also: &["shm_overview(7)", "shm_open(3)", "sysvipc(7)", "shmget(2)", "mmap(2)", "futex(2)"],
};

/// What a segment is called under a noun, and the noun's examples for the verbs.
pub trait Operand:
    Place
    + ValueParserFactory<Parser = ValueParser>
    + Word
    + Clone
    + Debug
    + Send
    + std::marker::Sync
    + 'static
{
    /// How the operand is called in a synopsis.
    const WORD: &'static str;
    /// The way out where one is missing.
    const CREATE: &'static str;
    /// Lines of shell for each verb.
    const EXAMPLES: Examples;
    /// The part of the machine that it needs, without which it is not found.
    fn part(&self) -> Option<Part>;
    /// The directory that its file is in, where it has one.
    fn directory(&self) -> Option<&Path>;
    /// What else `write` can be told.
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
    pub stat: &'static [Example],
    pub ls: &'static [Example],
    pub rm: &'static [Example],
}

/// Options of `write` about the disk.
pub trait Durability: clap::Args + Plain + Debug + Send + std::marker::Sync + 'static {
    /// What is to be done in the end, if anything.
    fn sync(&self) -> Option<Sync>;
}

/// Memory has no disk.
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
            ("Make a table that everyone may read", "ipc shm create /table --size 1M -m 0644"),
            ("Make a System V segment", "ipc shm create sysv:0x2a --size 4K"),
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
            ("Tell those who wait", "ipc shm poke /ready --type u32 1"),
        ],
        add: &[("Count what several scripts do", "ipc shm add /counters --type u64 --offset 8 1")],
        cas: &[(
            "Be the one who does it",
            "ipc shm cas /leader --type u32 0 $$ > /dev/null && ./lead",
        )],
        wait: &[
            ("Wait until a program is ready", "ipc shm wait /ready --type u32 --eq 1 -t 10s"),
            (
                "Follow a counter",
                "n=0; while n=$(ipc shm wait /n --type u64 --ne $n); do echo $n; done",
            ),
        ],
        resize: &[("Make room", "ipc shm resize /table 2M")],
        stat: &[
            ("See who uses it", "ipc shm stat /table"),
            ("Ask from a program", "ipc shm stat --json sysv:0x2a | jq .attachments"),
        ],
        ls: &[("See them all", "ipc shm ls")],
        rm: &[("Tidy up", "ipc shm rm -f /table sysv:0x2a")],
    };
    type Durability = Volatile;
    const CREATE: &'static str = "'ipc shm create' makes it, and so does 'ipc shm write'";

    fn part(&self) -> Option<Part> {
        Some(match self {
            Self::Posix(_) => Part::DevShm,
            Self::SystemV(_) => Part::SystemV,
        })
    }

    fn directory(&self) -> Option<&Path> {
        matches!(self, Self::Posix(_)).then(|| Path::new(dev_shm::DIRECTORY))
    }
}

/// A semaphore that is held meanwhile.
#[derive(Clone, Debug, clap::Args, Plain)]
pub struct Guarding {
    /// Hold a unit of this semaphore meanwhile
    ///
    /// It is waited for before, as long as --timeout and --nonblock allow, and given back after,
    /// also on an error and when INT, TERM or HUP ends the command. KILL cannot be caught, and
    /// other signals are not: a command that dies of one keeps the unit, which 'ipc sem post' gives
    /// back. One of a System V semaphore comes back whatever ends the command.
    #[arg(long, value_name = "SEM")]
    guard: Option<sem::Name>,
    #[command(flatten)]
    waiting: Waiting,
}

impl Guarding {
    /// Takes the unit, if one was asked for.
    pub fn take(&self, output: &Output) -> anyhow::Result<Option<Guard>> {
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
        // Segments may have the same names.
        let subject: OsString = [OsStr::new("--guard "), name.as_ref()].into_iter().collect();
        let tell = |held: Held<'_>| match held {
            Held::Posix(permits) => sem::tell_claims(&subject, 1, permits, output),
            Held::SystemV(set) => sem::tell_last(&subject, 1, set, 0, output),
        };
        let taken = Guard::take(name, self.waiting.deadline(), tell).map_err(sem::explain);
        self.waiting.or_error(taken.about(&subject)?).about(&subject).map(Some)
    }

    /// Whether one was asked for.
    pub fn is_wanted(&self) -> bool {
        self.guard.is_some()
    }
}

/// Opens a segment for this.
fn open<O: Operand>(place: &O, access: Access) -> anyhow::Result<Box<dyn Segment>> {
    open_unnamed(place, access).about(place)
}

/// The same, with an error that does not name it yet.
fn open_unnamed<O: Operand>(place: &O, access: Access) -> Result<Box<dyn Segment>, Failure> {
    place.open(access).map_err(|error| not_there(explain_of(place, error), place, O::CREATE))
}

/// The bytes of a segment from `offset` on: `count` of them, or all.
///
/// # Errors
/// That there are not so many.
fn within(segment: &dyn Segment, offset: u64, count: Option<u64>) -> Result<Range<u64>, Failure> {
    let size = segment.size()?;
    let end = count.map_or(Some(size.max(offset)), |count| offset.checked_add(count));
    match end {
        Some(end) if offset <= size && end <= size => Ok(offset..end),
        _ => Err(Failure::failed(match count {
            Some(1) => format!("1 byte at {offset} is beyond the end, {size}"),
            Some(count) => format!("{count} bytes at {offset} are beyond the end, {size}"),
            None => format!("offset {offset} is beyond the end, {size}"),
        })),
    }
}

/// What somebody else did to a segment that we use.
fn shrank() -> Failure {
    Failure::failed("it became shorter while it was used")
}

/// The same.
fn removed() -> Failure {
    Failure::new(Exit::NotFound, "the segment was removed")
}

/// Looks whether a segment that we have used has been removed since we opened it.
fn refuse_removed(segment: &dyn Segment) -> Result<(), Failure> {
    if segment.was_removed() { Err(removed()) } else { Ok(()) }
}

fn bytes(size: Option<Size>) -> u64 {
    size.map_or(0, |Size(bytes)| bytes)
}

/// Puts the way out beside the reason, for what happens to this segment.
pub fn explain_of(place: &impl Operand, error: Error) -> Failure {
    let failure = match (error, place.part(), place.directory()) {
        (Error::Kernel(errno @ Errno(libc::ENOENT | libc::ENOSYS)), Some(part), _) => {
            part.explain(errno)
        }
        (Error::Kernel(errno @ Errno(libc::ENOSPC)), _, Some(directory)) => {
            no_room_in(directory, errno)
        }
        (error, ..) => explain(error),
    };
    or_key(failure, place)
}

/// Puts the way out beside the reason.
pub fn explain(error: Error) -> Failure {
    match error {
        Error::Kernel(errno) => of_kernel(errno),
        Error::NoHugePages(reason) => {
            Failure::failed(reason).hint("without --huge it has ordinary pages")
        }
        Error::FixedSize => {
            Failure::failed(error.to_string()).hint("copy it: ipc shm cat OLD | ipc shm write NEW")
        }
        Error::Nameless => nameless(),
        Error::TooLarge { size, .. } => {
            Failure::failed(error.to_string()).hint(format!("as root: sysctl kernel.shmmax={size}"))
        }
        Error::TooMany { .. } => Failure::failed(error.to_string())
            .hint("'ipc shm ls' shows them; sysctl kernel.shmmni is the limit"),
        Error::TooManyPages { .. } => Failure::failed(error.to_string())
            .hint("'ipc shm ls' shows them; sysctl kernel.shmall is the limit"),
        Error::Identifier => identifier_given(),
        Error::OfAnotherKind(_) | Error::Empty => Failure::failed(error.to_string()),
    }
}

pub fn of_kernel(errno: Errno) -> Failure {
    match errno {
        Errno(libc::EFAULT) => shrank(),
        Errno(libc::ENOSPC) => no_room(errno),
        Errno(libc::EFBIG) => {
            Failure::failed("larger than a segment, or a file (ulimit -f), may be")
        }
        errno => errno.into(),
    }
}
