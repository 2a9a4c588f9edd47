//! `ipc lock test` and `ls`.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::app::arguments::Plain;
use crate::app::command::{Action, Example};
use crate::app::context::Context;
use crate::app::listing::{self, Column, Columns, Json, Listing};
use crate::app::machine::Part;
use crate::app::options::Format;
use crate::base::exit::{Exit, Subject};
use crate::io::output::{Key, Type, Value};
use crate::mechanism::lock::{self, Mode, Range};
use crate::mechanism::lock_file::{self, CurrentOwner};
use crate::sys::lock_table::{self, Entry, FileId, HeldLock};
use crate::sys::process;

use super::file::Pidfile;
use super::{explain, explain_lock_file};

/// Test whether a file is locked, and list the locks
///
/// The status is 0 if it is free and 1 if it is locked in any way. The list has the holder of each lock, its
/// kind, its bytes, and the number of waiters. A lock file of 'ipc lock take' counts as a lock of the kind
/// 'file' until it is dropped or its owner has ended. The test itself locks the file only in containers and
/// on file systems where the kernel does not show every lock.
#[derive(Debug, clap::Args, Plain)]
pub struct Test {
    /// File or directory
    #[arg(value_name = "FILE")]
    file: OsString,
    /// Test only LEN bytes from OFF on
    #[arg(long, value_name = "OFF:LEN")]
    range: Option<Range>,
    #[command(flatten)]
    pidfile: Pidfile,
    #[command(flatten)]
    format: Format,
}

impl Action for Test {
    const EXAMPLES: &'static [Example] = &[
        ("See the holders of a lock", "ipc lock test /run/backup.lock"),
        ("Print the locks for a program", "ipc lock test --json data.db --range 0:1"),
    ];
    const JSON: &'static [Json] = &[Json::array::<Holder>()];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let output = &mut context.output;
        let range = self.range.unwrap_or_default();
        let held = lock::holders(&self.file, range).map_err(explain).about(&self.file)?;
        let owner = lock_file::current_owner(&self.file, self.pidfile.content());
        let owner = owner.map_err(explain_lock_file).about(&self.file)?;
        let owner = owner.as_ref().map(Holder::of_file);
        let rows: Vec<Holder> =
            owner.into_iter().chain(held.iter().flat_map(Holder::of_lock)).collect();
        listing::print_all(&rows, self.format, output)?;
        Ok(if rows.is_empty() { Exit::Done } else { Exit::No })
    }
}

/// List the file locks of this machine
///
/// Waiters are listed below the lock for which they wait. An OFD lock has no process of its own, so the list
/// has the processes that have its descriptor, as far as they are visible, or no process.
#[derive(Debug, clap::Args, Plain)]
pub struct Ls {
    #[command(flatten)]
    listing: Listing<Listed>,
}

impl Action for Ls {
    const EXAMPLES: &'static [Example] = &[
        ("List all locks", "ipc lock ls"),
        ("Print the files with waiters", "ipc lock ls --filter state=waiting -o path --noheadings"),
    ];
    const JSON: &'static [Json] = &[Json::array::<Listed>()];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let held =
            lock_table::all().map_err(|errno| Part::Proc.explain(errno)).about("/proc/locks")?;
        self.listing.print(held.iter().flat_map(Listed::of_lock), &mut context.output)?;
        Ok(Exit::Done)
    }
}

/// A process that holds a lock or waits for it, or one that is not visible.
#[derive(Clone, Debug)]
struct Locker {
    pid: Option<i32>,
    command: Value,
    kind: String,
    mode: &'static str,
    start: u64,
    end: Option<u64>,
}

/// A row of `test`.
#[derive(Debug)]
pub struct Holder {
    locker: Locker,
    waiters: Option<usize>,
}

/// A row of `ls`.
#[derive(Debug)]
pub struct Listed {
    locker: Locker,
    state: &'static str,
    file: FileId,
    path: Option<PathBuf>,
}

impl Locker {
    fn new(pid: Option<i32>, entry: &Entry) -> Self {
        Self {
            pid,
            command: pid.map(|pid| Value::Text(process::command(pid))).into(),
            kind: entry.kind_word(),
            mode: match entry.mode {
                Mode::Shared => "shared",
                Mode::Exclusive => "exclusive",
            },
            start: entry.start,
            end: entry.end,
        }
    }

    fn last(&self) -> Value {
        self.end.map_or(Value::Missing("EOF".into()), Value::from)
    }
}

impl Holder {
    /// A row for the owner of a lock file.
    fn of_file(owner: &CurrentOwner) -> Self {
        let (pid, command) = match owner.process {
            Ok(pid) => (Some(pid), Value::Text(process::command(pid))),
            Err(owner) => (None, Value::Missing(format!("({})", owner.description()).into())),
        };
        let (kind, mode) = ("file".to_owned(), "exclusive");
        let locker = Locker { pid, command, kind, mode, start: 0, end: None };
        Self { locker, waiters: None }
    }

    /// A row for each process that holds the lock, or one without a process.
    fn of_lock(held: &HeldLock) -> Vec<Self> {
        let row =
            |pid| Self { locker: Locker::new(pid, &held.entry), waiters: Some(held.waiters.len()) };
        processes(held).map(row).collect()
    }
}

/// The state of a process that waits.
const WAITING: &str = "waiting";

impl Listed {
    /// A row for each process that holds the lock or waits for it.
    fn of_lock(held: &HeldLock) -> Vec<Self> {
        let row = |pid, state, entry| Self {
            locker: Locker::new(pid, entry),
            state,
            file: entry.file,
            path: held.path.clone(),
        };
        let holding = processes(held).map(|pid| row(pid, "held", &held.entry));
        let waiting = held.waiters.iter().map(|entry| row(entry.pid, WAITING, entry));
        holding.chain(waiting).collect()
    }

    fn place(&self) -> Value {
        let Self { file, path, .. } = self;
        match path {
            Some(path) => Value::text(path.as_os_str().as_encoded_bytes()),
            None => Value::Missing(format!("(inode {} of {})", file.inode(), file.device()).into()),
        }
    }
}

/// The processes that hold a lock, or one that is not visible.
fn processes(held: &HeldLock) -> impl Iterator<Item = Option<i32>> {
    let unseen = held.pids.is_empty().then_some(None);
    held.pids.iter().map(|&pid| Some(pid)).chain(unseen)
}

/// A row about a [`Locker`].
trait Locks {
    fn locker(&self) -> &Locker;
}

impl Locks for Holder {
    fn locker(&self) -> &Locker {
        &self.locker
    }
}

impl Locks for Listed {
    fn locker(&self) -> &Locker {
        &self.locker
    }
}

const fn pid<R: Locks>() -> Column<R> {
    let meaning = "Process, if it is visible and the lock belongs to one";
    Column::new(Key::new("pid", Type::Number, meaning).or_null(), |row| row.locker().pid.into())
}

const fn command<R: Locks>() -> Column<R> {
    let meaning = "Name of its program";
    Column::new(Key::new("command", Type::Text, meaning).or_null(), |row| {
        row.locker().command.clone()
    })
}

const fn kind<R: Locks>() -> Column<R> {
    let meaning = "Such as flock, ofd, posix, lease or file (a lock file)";
    Column::new(Key::new("kind", Type::Text, meaning), |row| Value::text(&row.locker().kind))
}

const fn mode<R: Locks>() -> Column<R> {
    Column::new(Key::new("mode", Type::Word, "shared or exclusive"), |row| row.locker().mode.into())
}

const fn start<R: Locks>() -> Column<R> {
    Column::new(Key::new("start", Type::Number, "First byte"), |row| row.locker().start.into())
}

const fn end<R: Locks>() -> Column<R> {
    Column::new(
        Key::new("end", Type::Number, "Last byte; null is the end of the file").or_null(),
        |row| row.locker().last(),
    )
}

impl Columns for Holder {
    const COLUMNS: &'static [Column<Self>] = &[
        pid(),
        command(),
        kind(),
        mode(),
        start(),
        end(),
        Column::new(
            Key::new("waiters", Type::Number, "Number of processes that wait").or_null(),
            |row| row.waiters.into(),
        ),
    ];
}

impl Columns for Listed {
    fn needs_attention(&self) -> bool {
        self.state == WAITING
    }

    const COLUMNS: &'static [Column<Self>] = &[
        pid(),
        command(),
        kind(),
        mode(),
        start(),
        end(),
        Column::new(Key::new("state", Type::Word, "held or waiting"), |row| row.state.into()),
        Column::new(
            Key::new("device", Type::Text, "Device of the file, as /proc/locks has it")
                .on_request(),
            |row| Value::text(row.file.device()),
        ),
        Column::new(Key::new("inode", Type::Number, "Inode of the file").on_request(), |row| {
            row.file.inode().into()
        }),
        Column::new(
            Key::new("path", Type::Text, "A path of the file, if one is known").or_null(),
            Self::place,
        ),
    ];
}
