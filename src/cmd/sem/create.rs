//! `ipc sem create`, `set` and `rm`.

use clap::builder::RangedU64ValueParser;

use crate::app::arguments::Plain;
use crate::app::command::{Action, Example};
use crate::app::context::Context;
use crate::app::creation::Creation;
use crate::app::machine::Part;
use crate::app::objects::{identifier_given, nameless, or_key, print_name, target};
use crate::app::trust::{Accepted, Trust};
use crate::base::deadline::Waited;
use crate::base::errno::Errno;
use crate::base::exit::{Exit, Failure, Subject};
use crate::base::name::{SemaphoreName, SystemVName};
use crate::base::units::Permissions;
use crate::io::output::Output;
use crate::mechanism::semaphore::posix;
use crate::mechanism::semaphore::posix::Semaphore;
use crate::mechanism::semaphore::robust;
use crate::mechanism::semaphore::robust::RobustSemaphore;
use crate::mechanism::semaphore::{Name, wait_until_finished};
use crate::sys::system_v::{Row, Target};
use crate::sys::system_v_semaphore::{self, Set as SystemVSet};

use super::{
    Member, explain_permits, explain_posix, explain_system_v, missing, not_for_this_kind, possible,
};

/// Create a semaphore, or a System V set of them
///
/// It fails with status 5 if there is one of that name. A POSIX semaphore is one of the C library:
/// programs open it with sem_open(3), and a System V set with semget(2). The value stays when those
/// who use it end, until the machine goes down.
///
/// Programs that are linked to musl have POSIX semaphores of their own, in other files of /dev/shm and
/// in another layout: they never meet those of 'ipc' and of programs that are linked to glibc. A
/// System V set is the same for all of them.
///
/// With --exist-ok a System V set that is there has to be finished: it was changed once, or has the
/// values that are asked for. One that neither is so nor becomes so within a second is refused with
/// status 5, as its maker was killed or sets values, as ipcmk(1) does.
///
/// 'sysv:0' makes a set without a key, and prints the name by which it is reached.
#[derive(Debug, clap::Args, Plain)]
pub struct Create {
    /// Name of the semaphore, such as /jobs, or sysv:0x2a
    name: Name,
    /// Units that it has at first
    #[arg(long, value_name = "N", default_value_t = 0, allow_negative_numbers = true)]
    value: i64,
    /// Semaphores in a System V set
    #[arg(long, value_name = "N", value_parser = RangedU64ValueParser::<u16>::new().range(1..))]
    nsems: Option<u16>,
    /// Give one that exists already this value anew
    ///
    /// With --mode it has these permissions as well. What was to be undone at a System V set is
    /// forgotten. It is refused with status 5 while commands of 'ipc sem run' hold units of a POSIX
    /// semaphore, which would be counted twice.
    #[arg(long, requires = "exist_ok")]
    reset: bool,
    #[command(flatten)]
    creation: Creation,
}

impl Action for Create {
    const EXAMPLES: &'static [Example] = &[
        ("Let two jobs run at a time", "ipc sem create /gpu --value 2"),
        ("Make sure that it is there, for others to use as well", "ipc sem create -e -m a=rw /gpu"),
        ("Make a System V set of three", "ipc sem create sysv:0x2a --nsems 3 --value 1"),
    ];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let output = &mut context.output;
        let value = possible(&self.name, self.value).about(&self.name)?;
        match &self.name {
            Name::Posix(name) => self.posix(name, value, output).about(name),
            Name::SystemV(name) => self.system_v(name, value, output).about(name),
        }
    }
}

impl Create {
    fn posix(&self, name: &SemaphoreName, value: u32, output: &Output) -> anyhow::Result<Exit> {
        if self.nsems.is_some() {
            let reason = "--nsems is for System V sets; a POSIX semaphore stands alone";
            return Err(not_for_this_kind(reason).into());
        }
        let create = || create_posix(name, value, self.creation.mode());
        let exists = || self.accept_posix(name, value);
        self.creation.make(name, output, create, exists)?;
        Ok(Exit::Done)
    }

    fn system_v(
        &self,
        name: &SystemVName,
        value: u32,
        output: &mut Output,
    ) -> anyhow::Result<Exit> {
        let count = self.nsems.unwrap_or(1);
        let target = target(name)?;
        let create = || create_system_v(target, count, value, self.creation.mode());
        let exists = || self.accept_system_v(target, value);
        let made = self.creation.make(name, output, create, exists)?;
        if let Some(set) = made.filter(|_| target.is_private()) {
            print_name(&SystemVName::of_id(set.id()), output, || set.remove())?;
        }
        Ok(Exit::Done)
    }

    fn accept_posix(&self, name: &SemaphoreName, value: u32) -> Result<Accepted, Failure> {
        let permits = RobustSemaphore::open(name).map_err(explain_permits)?;
        let found = permits.semaphore().found(name).map_err(explain_posix)?;
        if !self.reset {
            return self.creation.accept(&found);
        }
        let accepted = self.creation.accept_of_any_mode(&found)?;
        permits.set(value).map_err(explain_permits)?;
        if let Some(mode) = self.creation.other_mode(&found) {
            permits.semaphore().set_mode(mode)?;
        }
        Ok(accepted)
    }

    /// Whether a set that exists already is finished, and has as many semaphores as were asked for.
    fn accept_system_v(&self, target: Target, value: u32) -> Result<Accepted, Failure> {
        let set = SystemVSet::open(target).map_err(explain_system_v)?;
        if self.reset {
            return self.reset_system_v(set, value);
        }
        let row = finished(set, value)?;
        let accepted = self.creation.accept(&row.found())?;
        self.refuse_other_size(&row)?;
        Ok(accepted)
    }

    fn reset_system_v(&self, set: SystemVSet, value: u32) -> Result<Accepted, Failure> {
        let row = set.row().map_err(explain_system_v)?;
        let accepted = self.creation.accept_of_any_mode(&row.found())?;
        let count = self.refuse_other_size(&row)?;
        set.reset(count, value).map_err(explain_system_v)?;
        if let Some(mode) = self.creation.other_mode(&row.found()) {
            set.set_mode(mode).map_err(explain_system_v)?;
        }
        Ok(accepted)
    }

    /// How many semaphores a set has, if that is what was asked for.
    fn refuse_other_size(&self, row: &Row) -> Result<u16, Failure> {
        let there = row.number("nsems");
        if self.nsems.is_some_and(|wanted| i64::from(wanted) != there) {
            return Err(Failure::new(Exit::InUse, format!("exists with --nsems {there}")));
        }
        Ok(u16::try_from(there).unwrap_or(u16::MAX))
    }
}

/// The row of a set that exists already, where one with this value would have been made, once that
/// is finished.
fn finished(set: SystemVSet, value: u32) -> Result<Row, Failure> {
    match wait_until_finished(set, value).map_err(explain_system_v)? {
        Waited::Done(row) => Ok(row),
        Waited::TimedOut => Err(Failure::new(
            Exit::InUse,
            "exists with other values, and no change of it has finished it",
        )
        .hint(
            "its maker was killed, or sets values as ipcmk(1) does: 'ipc sem create -e --reset' gives \
             it the values, 'ipc sem rm' removes it",
        )),
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
) -> Result<SystemVSet, Failure> {
    SystemVSet::create(target, count, value, mode).map_err(|errno| {
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
    value: i64,
    #[command(flatten)]
    member: Member,
}

impl Action for Set {
    const EXAMPLES: &'static [Example] = &[
        ("Begin anew", "ipc sem set /gpu 2"),
        ("Close the second of a set", "ipc sem set sysv:0x2a 0 --index 1"),
    ];

    fn run(self, _: &mut Context) -> anyhow::Result<Exit> {
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

impl Action for Rm {
    const EXAMPLES: &'static [Example] = &[("Tidy up", "ipc sem rm -f /gpu /start sysv:0x2a")];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let output = &mut context.output;
        crate::app::objects::remove(&self.names, self.force, output, |name| self.remove(name))
    }
}

impl Rm {
    fn remove(&self, name: &Name) -> Result<(), Failure> {
        match name {
            Name::Posix(name) => {
                self.refuse_if_held(name)?;
                Semaphore::unlink(name).map_err(|errno| Part::DevShm.explain(errno))
            }
            Name::SystemV(name) => {
                let set = Target::new(name).and_then(SystemVSet::open);
                let removed = set.and_then(SystemVSet::remove).map_err(explain_system_v);
                removed.map_err(|failure| or_key(failure, name))
            }
        }
    }

    /// What cannot be opened holds nothing, or is not ours to look at.
    fn refuse_if_held(&self, name: &SemaphoreName) -> Result<(), Failure> {
        match RobustSemaphore::open(name).map(|permits| permits.held()) {
            Ok(held @ 1..) if !self.force => {
                let reason = robust::Error::Held(held).to_string();
                Err(Failure::new(Exit::InUse, reason)
                    .hint("'ipc sem stat' names who has them; with -f it is removed even so"))
            }
            _ => Ok(()),
        }
    }
}

/// Opens a POSIX semaphore; one that is missing is created first, with this value if there is one.
pub fn open_posix(
    name: &SemaphoreName,
    create: Option<u32>,
    trust: &Trust,
) -> Result<RobustSemaphore, Failure> {
    loop {
        let opened = RobustSemaphore::open(name).map_err(explain_permits);
        let value = match (opened, create) {
            (Err(failure), Some(value)) if failure.exit() == Exit::NotFound => value,
            (Err(failure), None) => return Err(missing(failure, &Name::Posix(name.clone()))),
            (Ok(permits), Some(_)) => match permits.semaphore().found(name) {
                // Somebody has removed it meanwhile.
                Err(posix::Error::Kernel(Errno(libc::ENOENT))) => continue,
                found => {
                    trust.accept(&found.map_err(explain_posix)?, None)?;
                    return Ok(permits);
                }
            },
            (opened, _) => return opened,
        };
        match create_posix(name, value, Permissions::of_new_object(None)) {
            // Another process was faster, and has yet to be trusted.
            Err(failure) if failure.exit() == Exit::InUse => {}
            created => created?,
        }
    }
}

/// The same for a System V set.
pub fn open_system_v(
    name: &SystemVName,
    create: Option<u32>,
    trust: &Trust,
) -> Result<SystemVSet, Failure> {
    let Some(value) = create else {
        let opened = Target::new(name).and_then(SystemVSet::open).map_err(explain_system_v);
        return opened.map_err(|failure| missing(failure, &Name::SystemV(name.clone())));
    };
    let target = target(name)?;
    loop {
        match SystemVSet::open(target) {
            Err(Errno(libc::ENOENT)) if target.is_private() => return Err(nameless()),
            Err(Errno(libc::ENOENT)) => {}
            opened => {
                let set = opened.map_err(explain_system_v)?;
                match finished(set, value) {
                    // Somebody has removed it meanwhile.
                    Err(failure) if failure.exit() == Exit::NotFound => continue,
                    row => trust.accept(&row?.found(), None)?,
                };
                return Ok(set);
            }
        }
        match create_system_v(target, 1, value, Permissions::of_new_object(None)) {
            // Another process was faster.
            Err(failure) if failure.exit() == Exit::InUse => {}
            created => return created,
        }
    }
}
