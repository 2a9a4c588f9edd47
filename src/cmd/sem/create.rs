//! `ipc sem create`, `set` and `rm`.

use clap::builder::RangedU64ValueParser;

use crate::cli::{Example, Run};
use crate::cmd::{Creation, identifier_given, nameless, print_name};
use crate::errno::Errno;
use crate::exit::{Exit, Failure, Subject};
use crate::name::{SemaphoreName, SystemVName};
use crate::output::Output;
use crate::permits::{self, Permits};
use crate::plain::Plain;
use crate::semaphore::Name;
use crate::sys::semaphore::Semaphore;
use crate::sys::system_v::Target;
use crate::sys::system_v_semaphore;
use crate::units::Permissions;

use super::{Member, explain, explain_posix, explain_system_v, not_for_this_kind, possible};

/// Create a semaphore, or a System V set of them
///
/// It fails with status 5 if there is one of that name. A POSIX semaphore is one of the C library:
/// programs open it with sem_open(3), and a System V set with semget(2). The value stays when those
/// who use it end, until the machine goes down.
///
/// 'sysv:0' makes a set without a key, and prints the name by which it is reached.
#[derive(Debug, clap::Args, Plain)]
pub struct Create {
    /// Name of the semaphore, such as /jobs, or sysv:0x2a
    name: Name,
    /// Units that it has at first
    #[arg(long, value_name = "N", default_value_t = 0)]
    value: u32,
    /// Semaphores in a System V set
    #[arg(long, value_name = "N", value_parser = RangedU64ValueParser::<u16>::new().range(1..))]
    nsems: Option<u16>,
    #[command(flatten)]
    creation: Creation,
}

impl Run for Create {
    const EXAMPLES: &'static [Example] = &[
        ("Let two jobs run at a time", "ipc sem create /gpu --value 2"),
        ("Make sure that it is there, for others to use as well", "ipc sem create -e -m a=rw /gpu"),
        ("Make a System V set of three", "ipc sem create sysv:0x2a --nsems 3 --value 1"),
    ];

    fn run(self, output: &mut Output) -> anyhow::Result<Exit> {
        possible(&self.name, self.value).about(&self.name)?;
        match &self.name {
            Name::Posix(name) => self.posix(name, output).about(name),
            Name::SystemV(name) => self.system_v(name, output).about(name),
        }
    }
}

impl Create {
    fn posix(&self, name: &SemaphoreName, output: &Output) -> anyhow::Result<Exit> {
        if self.nsems.is_some() {
            let reason = "--nsems is for System V sets; a POSIX semaphore stands alone";
            return Err(not_for_this_kind(reason).into());
        }
        let create = || create_posix(name, self.value, self.creation.mode());
        let exists = || Semaphore::open(name).map(drop).map_err(explain_posix);
        self.creation.make(name, output, create, exists)?;
        Ok(Exit::Done)
    }

    fn system_v(&self, name: &SystemVName, output: &mut Output) -> anyhow::Result<Exit> {
        let count = self.nsems.unwrap_or(1);
        let target = Target::new(name).map_err(explain_system_v)?;
        let create = || create_system_v(target, count, self.value, self.creation.mode());
        let exists = || self.is_as_asked_for(target);
        let made = self.creation.make(name, output, create, exists)?;
        if let Some(set) = made.filter(|_| target.is_private()) {
            print_name(&SystemVName::of_id(set.id()), output, || set.remove())?;
        }
        Ok(Exit::Done)
    }

    /// Whether a set that exists already has as many semaphores as were asked for.
    fn is_as_asked_for(&self, target: Target) -> Result<(), Failure> {
        let set = system_v_semaphore::Set::open(target).map_err(explain_system_v)?;
        let there = set.row().map_err(explain_system_v)?.number("nsems");
        if self.nsems.is_some_and(|wanted| i64::from(wanted) != there) {
            return Err(Failure::new(Exit::InUse, format!("exists with --nsems {there}")));
        }
        Ok(())
    }
}

/// Creates a POSIX semaphore.
pub fn create_posix(name: &SemaphoreName, value: u32, mode: u32) -> Result<(), Failure> {
    Semaphore::create(name, value, mode).map_err(explain_posix)
}

/// Creates a System V set, and names the limit where one is in the way.
pub fn create_system_v(
    target: Target,
    count: u16,
    value: u32,
    mode: u32,
) -> Result<system_v_semaphore::Set, Failure> {
    system_v_semaphore::Set::create(target, count, value, mode).map_err(|errno| {
        let limits = system_v_semaphore::limits();
        match (errno, target) {
            (Errno(libc::EINVAL), Target::Id(_)) => identifier_given(),
            (Errno(libc::EINVAL), _) if u64::from(count) > limits.per_set => {
                let most = limits.per_set;
                Failure::failed(format!("{count} semaphores are more than a set may have ({most})"))
                    .hint("the first number of sysctl kernel.sem is the limit")
            }
            (Errno(libc::ENOSPC), _) => no_room_for(count, limits),
            (errno, _) => explain_system_v(errno),
        }
    })
}

/// Which of the two limits is reached: that of sets, or that of all their semaphores.
fn no_room_for(count: u16, limits: system_v_semaphore::Limits) -> Failure {
    let rows = system_v_semaphore::list().unwrap_or_default();
    let (sets, semaphores) = (rows.len() as u64, rows.iter().map(|row| row.number("nsems")).sum());
    let reason = if sets >= limits.sets {
        format!("there are as many sets as there may be ({sets} of {})", limits.sets)
    } else {
        let (semaphores, most): (i64, _) = (semaphores, limits.semaphores);
        format!("{count} more semaphores are too many ({semaphores} of {most} are in use)")
    };
    Failure::failed(reason).hint(
        "'ipc sem ls' shows them; sysctl kernel.sem has the limits: semaphores in a set, in all \
         sets, changes at once, and sets",
    )
}

/// Set the number of units
///
/// Those who wait take what they can. While commands of 'ipc sem run' have units of a POSIX
/// semaphore it is refused with status 5, as these would be counted twice when they come back. Of a
/// System V semaphore the kernel forgets what was to come back.
#[derive(Debug, clap::Args, Plain)]
pub struct Set {
    /// Name of the semaphore
    name: Name,
    /// The new number
    value: u32,
    #[command(flatten)]
    member: Member,
}

impl Run for Set {
    const EXAMPLES: &'static [Example] = &[
        ("Begin anew", "ipc sem set /gpu 2"),
        ("Close the second of a set", "ipc sem set sysv:0x2a 0 --index 1"),
    ];

    fn run(self, _: &mut Output) -> anyhow::Result<Exit> {
        let explain = |error| self.member.explain(&self.name, error);
        let value = possible(&self.name, self.value).about(&self.name)?;
        let semaphore = self.member.open(&self.name).about(&self.name)?;
        semaphore.set(value).map_err(explain).about(&self.name)?;
        Ok(Exit::Done)
    }
}

/// Remove semaphores
///
/// Those who have a POSIX semaphore open, or wait for it, go on using it; a new one of the same
/// name is another one, and counts anew. So one of which commands of 'ipc sem run' hold units is
/// not removed without --force: status 5. Those who wait for one of a System V set fail with status
/// 4.
#[derive(Debug, clap::Args, Plain)]
pub struct Rm {
    /// Names of semaphores
    #[arg(required = true)]
    names: Vec<Name>,
    /// Ignore what does not exist, and remove what is held
    #[arg(short, long)]
    force: bool,
}

impl Run for Rm {
    const EXAMPLES: &'static [Example] = &[("Tidy up", "ipc sem rm -f /gpu /start sysv:0x2a")];

    fn run(self, output: &mut Output) -> anyhow::Result<Exit> {
        crate::cmd::remove(&self.names, self.force, output, |name| self.remove(name))
    }
}

impl Rm {
    fn remove(&self, name: &Name) -> Result<(), Failure> {
        match name {
            Name::Posix(name) => {
                self.refuse_if_held(name)?;
                Ok(Semaphore::unlink(name)?)
            }
            Name::SystemV(name) => {
                Ok(Target::new(name).and_then(system_v_semaphore::Set::open)?.remove()?)
            }
        }
    }

    /// What cannot be opened holds nothing, or is not ours to look at.
    fn refuse_if_held(&self, name: &SemaphoreName) -> Result<(), Failure> {
        match Permits::open(name).map(|permits| permits.held()) {
            Ok(held @ 1..) if !self.force => {
                let reason = permits::Error::Held(held).to_string();
                Err(Failure::new(Exit::InUse, reason)
                    .hint("'ipc sem stat' names who has them; with -f it is removed even so"))
            }
            _ => Ok(()),
        }
    }
}

/// Opens a POSIX semaphore; one that is missing is created first, with this value if there is one.
pub fn open_posix(name: &SemaphoreName, create: Option<u32>) -> Result<Permits, Failure> {
    use crate::sys::semaphore;
    const MISSING: permits::Error =
        permits::Error::Semaphore(semaphore::Error::Kernel(Errno(libc::ENOENT)));
    loop {
        let value = match (Permits::open(name), create) {
            (Err(MISSING), Some(value)) => value,
            (opened, _) => return opened.map_err(|error| explain(error.into())),
        };
        match create_posix(name, value, Permissions::of_new_object(None)) {
            // Somebody else was faster.
            Err(failure) if failure.exit() == Exit::InUse => {}
            created => created?,
        }
    }
}

/// The same for a System V set.
pub fn open_system_v(
    name: &SystemVName,
    create: Option<u32>,
) -> Result<system_v_semaphore::Set, Failure> {
    let target = Target::new(name).map_err(explain_system_v)?;
    loop {
        let value = match (system_v_semaphore::Set::open(target), create) {
            (Err(Errno(libc::ENOENT)), Some(value)) => value,
            (opened, _) => return opened.map_err(explain_system_v),
        };
        if target.is_private() {
            return Err(nameless());
        }
        match create_system_v(target, 1, value, Permissions::of_new_object(None)) {
            // Somebody else was faster.
            Err(failure) if failure.exit() == Exit::InUse => {}
            created => return created,
        }
    }
}
