//! `ipc prune`.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use super::{Choice, Names, User, name, report_unlisted};
use crate::app::arguments::Plain;
use crate::app::command::{Action, Example};
use crate::app::context::Context;
use crate::app::listing::{self, Column, Columns, Json};
use crate::app::options::Format;
use crate::base::exit::{Exit, Failure, about};
use crate::base::units::Timeout;
use crate::io::output::{Key, Type, Value, age};
use crate::mechanism::survey::removal::{self, Error, Outcome};
use crate::mechanism::survey::{Kind, Object, Request, State, Survey};
use crate::sys::{accounts, time};

/// Remove what is left over
///
/// By default it removes only what has a dead owner: socket paths without a socket, and what a killed
/// server left beside them; lock files of 'ipc lock take' whose owner has ended; permits of 'ipc sem run'
/// whose commands have ended, which return to the semaphore; and System V segments without a key
/// (IPC_PRIVATE) and without attachments, whose creator and last user have ended. A removed segment, or
/// memory without a name, has users as long as it exists, and needs no removal. Paths are searched in
/// /run, /run/lock, /tmp and $XDG_RUNTIME_DIR, or in each PATH instead, but not in directories below.
///
/// An object without users is not dead: a semaphore between two steps of a script is held by no process.
/// So POSIX and System V objects and queues are removed only with --kind (shm, sem, mq, queue) and
/// --older-than both, if no process uses them and the last use or change that the kernel records is
/// older ('ipc ls' shows it as the age). The kernel confirms with a write lease that no process has a
/// POSIX object open or mapped; a process that opens the object in the moment of its removal gets an
/// object without a name. It has no such proof for System V objects: a process may attach a segment in
/// that moment, and a semaphore or a queue counts as unused if the processes that used it last have
/// ended. Stores into mapped memory, and operations on POSIX semaphores, are not recorded as a use.
///
/// Objects of other users are never removed, unless --user names the user.
#[derive(Debug, clap::Args, Plain)]
pub struct Prune {
    #[command(flatten)]
    choice: Choice,
    /// Only what was not used for this long
    #[arg(long, value_name = "DURATION")]
    older_than: Option<Timeout>,
    /// Show what would be removed, and remove nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
    #[command(flatten)]
    format: Format,
    /// Files, or directories with files, instead of the usual ones
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
}

impl Action for Prune {
    const JSON: &'static [Json] = &[Json::array::<Pruned>()];
    const EXAMPLES: &'static [Example] = &[
        ("See what a crash left behind", "ipc prune --dry-run"),
        ("Remove dead sockets and lock files of a service", "ipc prune /run/service"),
        (
            "Remove your segments that were not used for a day",
            "ipc prune --kind shm --older-than 1d",
        ),
    ];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let usual = |key: &str| context.environment.get(key).map(PathBuf::from);
        let request = self.request(usual("XDG_RUNTIME_DIR"));
        let survey = Survey::take(&request);
        let (now, mut names) = (time::seconds(), Names::default());
        let (mut rows, mut errors) = (Vec::new(), Vec::new());
        for object in survey.objects.iter().filter(|object| self.includes(object)) {
            let Some(reason) = self.reason(object, now) else { continue };
            let result = if self.dry_run { Ok(None) } else { reason.act(object).map(Some) };
            match result {
                Ok(outcome) => rows.push(Pruned::new(object, &reason, outcome, &mut names)),
                Err(error) => errors.push(about(failure(error), &object.name)),
            }
        }
        let output = &mut context.output;
        listing::print_all(&rows, self.format, output)?;
        output.flush()?;
        for error in &errors {
            output.error(error);
        }
        let unlisted = report_unlisted(&survey, output);
        Ok(errors.first().map_or(unlisted, Exit::of))
    }
}

impl Prune {
    fn request(&self, runtime: Option<PathBuf>) -> Request {
        let usual = ["/run", "/run/lock", "/tmp"].map(PathBuf::from).into_iter().chain(runtime);
        let paths = match self.paths.is_empty() {
            true => usual.filter(|path| path.is_dir()).collect(),
            false => self.paths.clone(),
        };
        let kinds = match self.choice.kind.is_empty() {
            true => removal::MAY_BE_DEAD.to_vec(),
            false => self.choice.kind.clone(),
        };
        Request { kinds, paths, ..Request::default() }
    }

    /// Whether an object belongs to the named user, or to this one.
    fn includes(&self, object: &Object) -> bool {
        let User(uid) = self.choice.user.unwrap_or(User(accounts::own_user()));
        object.uid == Some(uid)
    }

    /// The reason to remove an object, if there is one.
    fn reason(&self, object: &Object, now: i64) -> Option<Reason> {
        match object.state {
            State::Dead(reason) if self.is_old(object, now) => Some(Reason::Dead(reason)),
            State::Idle if self.removes_idle(object) && self.is_old(object, now) => {
                Some(Reason::Idle((now - object.used.unwrap_or(now)).max(0)))
            }
            _ => match removal::abandoned_permits(object) {
                0 => None,
                permits => Some(Reason::Permits(permits)),
            },
        }
    }

    /// Whether idle objects of this kind are to be removed.
    fn removes_idle(&self, object: &Object) -> bool {
        self.older_than.is_some()
            && self.choice.kind.contains(&object.kind)
            && removal::is_persistent(object.kind)
    }

    fn is_old(&self, object: &Object, now: i64) -> bool {
        let age = Duration::from_secs((now - object.used.unwrap_or(now)).try_into().unwrap_or(0));
        match self.older_than {
            None => true,
            Some(Timeout::For(limit)) => age >= limit,
            Some(Timeout::Forever) => false,
        }
    }
}

/// Why an object is removed.
#[derive(Clone, Copy, Debug)]
enum Reason {
    /// Its owner has ended.
    Dead(&'static str),
    /// No process uses it, and the last use was so many seconds ago.
    Idle(i64),
    /// So many permits belong to commands that have ended.
    Permits(u32),
}

impl Reason {
    fn act(self, object: &Object) -> Result<Outcome, Error> {
        match self {
            Self::Permits(_) => removal::reclaim(object),
            Self::Dead(_) | Self::Idle(_) => removal::remove(object),
        }
    }

    fn words(self) -> String {
        match self {
            Self::Dead(reason) => reason.to_owned(),
            Self::Idle(seconds) => {
                format!("unused for {}", age(seconds.unsigned_abs()))
            }
            Self::Permits(1) => "1 permit of a command that has ended".to_owned(),
            Self::Permits(permits) => format!("{permits} permits of commands that have ended"),
        }
    }
}

fn failure(error: Error) -> Failure {
    match error {
        Error::Kernel(errno) => errno.into(),
        error => Failure::failed(error.to_string()),
    }
}

/// A row of the answer.
#[derive(Debug)]
pub struct Pruned {
    kind: Kind,
    object: OsString,
    owner: Value,
    result: &'static str,
    reason: String,
}

impl Pruned {
    fn new(object: &Object, reason: &Reason, outcome: Option<Outcome>, names: &mut Names) -> Self {
        Self {
            kind: object.kind,
            object: object.name.clone(),
            owner: object.uid.map(|uid| Value::text(names.user(uid))).into(),
            result: match (outcome, reason) {
                (None, Reason::Permits(_)) => "would-reclaim",
                (None, _) => "would-remove",
                (Some(Outcome::Removed), Reason::Permits(_)) => "reclaimed",
                (Some(Outcome::Removed), _) => "removed",
                (Some(Outcome::Kept), _) => "kept",
            },
            reason: reason.words(),
        }
    }
}

impl Columns for Pruned {
    const COLUMNS: &'static [Column<Self>] = &[
        Column::new(
            Key::new("result", Type::Word, "removed, reclaimed, kept, would-remove, would-reclaim"),
            |row| row.result.into(),
        ),
        Column::new(Key::new("kind", Type::Word, "Kind of the object, as in 'ipc ls'"), |row| {
            row.kind.word().into()
        }),
        Column::new(Key::new("owner", Type::Text, "User that owns it").or_null(), |row| {
            row.owner.clone()
        }),
        Column::new(Key::new("reason", Type::Text, "Why it can be removed"), |row| {
            Value::text(&row.reason)
        }),
        Column::new(Key::new("name", Type::Text, "Name or path"), |row| name(&row.object)),
    ];
}
