//! `ipc sem`: named semaphores.

use crate::cli::{Example, Noun, Run, Verb};
use crate::deadline::Waiting;
use crate::exit::{Exit, Failure, Subject};
use crate::name::SemaphoreName;
use crate::output::{Format, Output, Record};
use crate::sys::process::Holders;
use crate::sys::semaphore::{self, Error, Semaphore};

use super::Creation;

pub const NOUN: Noun = Noun {
    name: "sem",
    about: "Count and limit work with named semaphores",
    verbs: &[
        Verb::new::<Create>("create"),
        Verb::new::<Post>("post"),
        Verb::new::<Wait>("wait"),
        Verb::new::<Value>("value"),
        Verb::new::<Stat>("stat"),
        Verb::new::<Ls>("ls"),
        Verb::new::<Rm>("rm"),
    ],
    see_also: &["sem_overview(7)", "sem_open(3)", "sem_post(3)", "sem_wait(3)"],
};

/// Create a semaphore
///
/// It fails with status 5 if there is one of that name. The semaphore is one of the C library:
/// programs open it with sem_open(3), and the value stays when they end.
#[derive(Debug, clap::Args)]
pub struct Create {
    /// Name of the semaphore, such as /jobs
    name: SemaphoreName,
    /// Units that it has at first
    #[arg(long, value_name = "N", default_value_t = 0)]
    value: u32,
    #[command(flatten)]
    creation: Creation,
}

impl Run for Create {
    const EXAMPLES: &'static [Example] = &[
        ("Let two jobs run at a time", "ipc sem create /gpu --value 2"),
        ("Make sure that it is there, for others to use as well", "ipc sem create -e -m a=rw /gpu"),
    ];

    fn run(self, _: &mut Output) -> anyhow::Result<Exit> {
        let created =
            Semaphore::create(&self.name, self.value, self.creation.mode()).map_err(explain);
        let exists = || Semaphore::open(&self.name).map(drop).map_err(explain);
        self.creation.settle(created, exists).about(&self.name)
    }
}

/// Give back units, or add new ones
///
/// Nobody has to have taken a unit to post one. All of them are given at once, or none.
#[derive(Debug, clap::Args)]
pub struct Post {
    /// Name of the semaphore
    name: SemaphoreName,
    /// How many
    #[arg(long, value_name = "N", default_value_t = 1)]
    count: u32,
}

impl Run for Post {
    const EXAMPLES: &'static [Example] = &[
        ("Give a unit to somebody who waits", "ipc sem post /gpu"),
        ("Start four workers that wait", "ipc sem post /start --count 4"),
    ];

    fn run(self, _: &mut Output) -> anyhow::Result<Exit> {
        let posted = Semaphore::open(&self.name).and_then(|semaphore| semaphore.post(self.count));
        posted.map(|()| Exit::Done).map_err(explain).about(&self.name)
    }
}

/// Take a unit, waiting until there is one
///
/// The unit is given back by 'ipc sem post', and by nothing else: the kernel does not know who
/// has it, so a script that is killed between the two keeps it for ever.
#[derive(Debug, clap::Args)]
pub struct Wait {
    /// Name of the semaphore
    name: SemaphoreName,
    #[command(flatten)]
    waiting: Waiting,
}

impl Run for Wait {
    const EXAMPLES: &'static [Example] = &[
        ("Wait for a unit, but not for long", "ipc sem wait -t 5s /gpu || echo 'still busy'"),
        (
            "Take one only if it is there",
            "if ipc sem wait -n /gpu; then ./train; ipc sem post /gpu; fi",
        ),
    ];

    fn run(self, _: &mut Output) -> anyhow::Result<Exit> {
        let deadline = self.waiting.deadline();
        let waited = Semaphore::open(&self.name).and_then(|semaphore| semaphore.wait(deadline));
        self.waiting.settle(waited.map_err(explain).about(&self.name)?).about(&self.name)?;
        Ok(Exit::Done)
    }
}

/// Print the number of units
///
/// By the time it is printed it may have changed.
#[derive(Debug, clap::Args)]
pub struct Value {
    /// Name of the semaphore
    name: SemaphoreName,
}

impl Run for Value {
    const EXAMPLES: &'static [Example] = &[("See how many are free", "ipc sem value /gpu")];

    fn run(self, output: &mut Output) -> anyhow::Result<Exit> {
        let semaphore = Semaphore::open(&self.name).map_err(explain).about(&self.name)?;
        output.line(semaphore.value_and_waiters().0)?;
        Ok(Exit::Done)
    }
}

/// Show all that is known of a semaphore
///
/// That is its value, the number of processes that wait, its permissions, and who has it open. A
/// waiter that was killed is counted for ever, which does no harm.
#[derive(Debug, clap::Args)]
pub struct Stat {
    /// Name of the semaphore
    name: SemaphoreName,
    #[command(flatten)]
    format: Format,
}

impl Run for Stat {
    const EXAMPLES: &'static [Example] = &[
        ("See who uses it", "ipc sem stat /gpu"),
        ("Ask from a program", "ipc sem stat --json /gpu"),
    ];

    fn run(self, output: &mut Output) -> anyhow::Result<Exit> {
        let semaphore = Semaphore::open(&self.name).map_err(explain).about(&self.name)?;
        let (value, waiters) = semaphore.value_and_waiters();
        let status = semaphore.status();
        let record = Record::new()
            .bytes("name", self.name.as_ref().as_encoded_bytes())
            .number("value", value)
            .number("waiters", waiters);
        let record = super::ownership(record, status).time("changed", status.st_ctime);
        output.show(&super::holders(record, &Holders::of(status)), self.format)?;
        Ok(Exit::Done)
    }
}

/// List the semaphores of this machine
///
/// What has a semaphore's name but is none, or may not be opened, is listed without a value.
#[derive(Debug, clap::Args)]
pub struct Ls {
    #[command(flatten)]
    format: Format,
}

impl Run for Ls {
    const EXAMPLES: &'static [Example] = &[
        ("See them all", "ipc sem ls"),
        (
            "Name those that nobody can take",
            "ipc sem ls --json | jq -r '.[] | select(.value == 0).name'",
        ),
    ];

    fn run(self, output: &mut Output) -> anyhow::Result<Exit> {
        let mut records = Vec::new();
        for name in semaphore::list().about("/dev/shm")? {
            // It may have gone since.
            let Ok(status) = semaphore::status(&name) else { continue };
            let value =
                Semaphore::open(&name).ok().map(|semaphore| semaphore.value_and_waiters().0);
            let record = Record::new()
                .bytes("name", name.as_ref().as_encoded_bytes())
                .optional_number("value", value);
            records.push(super::ownership(record, &status));
        }
        output.list(&records, self.format)?;
        Ok(Exit::Done)
    }
}

/// Remove semaphores
///
/// Those who have one open go on using it; a new one of the same name is another one.
#[derive(Debug, clap::Args)]
pub struct Rm {
    /// Names of semaphores
    #[arg(required = true)]
    names: Vec<SemaphoreName>,
    /// Ignore what does not exist
    #[arg(short, long)]
    force: bool,
}

impl Run for Rm {
    const EXAMPLES: &'static [Example] = &[("Tidy up", "ipc sem rm -f /gpu /start")];

    fn run(self, output: &mut Output) -> anyhow::Result<Exit> {
        Ok(super::remove(&self.names, self.force, output, Semaphore::unlink))
    }
}

/// Puts the way out beside the reason.
fn explain(error: Error) -> Failure {
    match error {
        Error::Kernel(errno) => errno.into(),
        Error::Overflow => Failure::failed(error.to_string()),
        Error::NotASemaphore(_) => Failure::failed(error.to_string())
            .hint("'ipc sem rm' removes it; then create the semaphore again"),
    }
}
