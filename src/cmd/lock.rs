//! `ipc lock`: locks on files, held by a command, a shell or a lock file.

use std::ffi::OsString;
use std::str::FromStr;

use clap::ValueEnum;
use clap::builder::PossibleValue;
use serde_json::{Value, json};

use crate::child;
use crate::cli::{Example, Noun, Run as Verbs, Statuses, Verb};
use crate::deadline::Waiting;
use crate::exit::{Exit, Failure, Subject};
use crate::lock_file::{self, Content, Owner};
use crate::output::{Format, Output, Record, escape, rfc3339};
use crate::sys::lock::{self, Error, Kind, Lock, Mode, Range};
use crate::sys::lock_table::{self, Held};
use crate::sys::{descriptor, process};
use crate::units::Size;

use super::{Conflict, Pid};

pub const NOUN: Noun = Noun {
    name: "lock",
    about: "Let one work at a time, with locks on files",
    verbs: &[
        Verb::new::<Run>("run"),
        Verb::new::<Fd>("fd"),
        Verb::new::<Unlock>("unlock"),
        Verb::new::<Test>("test"),
        Verb::new::<Take>("take"),
        Verb::new::<Drop>("drop"),
        Verb::new::<Ls>("ls"),
    ],
    see_also: &["flock(1)", "flock(2)", "fcntl_locking(2)", "lslocks(8)"],
};

/// What to lock, and how.
#[derive(Clone, Copy, Debug, clap::Args)]
struct What {
    /// Share the lock with others who share it
    #[arg(short, long, overrides_with = "exclusive")]
    shared: bool,
    /// Have the lock alone; this is the default
    #[arg(short = 'x', long)]
    exclusive: bool,
    /// Kind of the lock
    ///
    /// Those of one kind exclude each other, and so do ofd and posix; flock and the other two know
    /// nothing of each other. The default is flock, or ofd with --range.
    #[arg(long, value_name = "KIND")]
    kind: Option<Kind>,
    /// Lock LEN bytes from OFF on; without LEN, all from OFF on
    #[arg(long, value_name = "OFF:LEN")]
    range: Option<Range>,
}

impl What {
    fn lock(&self) -> Result<Lock, Failure> {
        let kind = match (self.kind, self.range) {
            (Some(Kind::Flock), Some(_)) => {
                let reason = "--range: a flock has the whole file";
                return Err(Failure::new(Exit::Usage, reason).hint("--kind ofd locks a range"));
            }
            (Some(kind), _) => kind,
            (None, Some(_)) => Kind::Ofd,
            (None, None) => Kind::Flock,
        };
        let mode = if self.shared { Mode::Shared } else { Mode::Exclusive };
        Ok(Lock { kind, mode, range: self.range.unwrap_or_default() })
    }

    /// The same for a lock that shall outlive us.
    fn lasting_lock(&self) -> Result<Lock, Failure> {
        match self.lock()? {
            Lock { kind: Kind::Posix, .. } => {
                let reason = "--kind: a posix lock would end with ipc itself";
                Err(Failure::new(Exit::Usage, reason)
                    .hint("--kind ofd excludes the same, and stays with the descriptor"))
            }
            lock => Ok(lock),
        }
    }
}

/// Lock a file and run a command
///
/// The lock is given back when COMMAND ends. A missing file is made, readable and writable for
/// its owner alone, since whoever may open a lock file may hold it for ever; a directory may be
/// locked as well. A file that is replaced while we wait is opened again. Signals are passed on.
///
/// The lock is ours, so what COMMAND leaves running does not hold it; if we are killed, the lock
/// is free although COMMAND goes on. With --no-fork or --inherit the lock is COMMAND's instead,
/// and lasts until the last process that inherited it has ended.
#[derive(Debug, clap::Args)]
pub struct Run {
    /// File or directory to lock
    #[arg(value_name = "FILE")]
    file: OsString,
    #[command(flatten)]
    what: What,
    #[command(flatten)]
    waiting: Waiting,
    #[command(flatten)]
    conflict: Conflict,
    /// Become COMMAND, which then holds the lock by an inherited descriptor
    #[arg(short = 'F', long)]
    no_fork: bool,
    /// Keep the descriptor from COMMAND; this is the default
    #[arg(short = 'o', long, conflicts_with_all = ["no_fork", "inherit"])]
    close: bool,
    /// Let COMMAND and its children inherit the descriptor, and hold the lock by it
    #[arg(long)]
    inherit: bool,
    /// Remove FILE afterwards, while we have the lock
    ///
    /// Others who wait for it find out and lock the next file of that name, if they are ipc.
    #[arg(long, conflicts_with_all = ["no_fork", "inherit"])]
    remove: bool,
    /// Command to run, and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

impl Verbs for Run {
    const EXAMPLES: &'static [Example] = &[
        ("Let only one backup run at a time", "ipc lock run -n /run/backup.lock -- ./backup"),
        ("Read while nobody writes", "ipc lock run -s data.csv -- ./report data.csv"),
        (
            "Lock the second record of a file",
            "ipc lock run accounts --range 64:64 -t 5s -- ./transfer",
        ),
    ];
    const STATUSES: Statuses = Statuses::OfCommand;

    fn run(self, output: &mut Output) -> anyhow::Result<Exit> {
        let deadline = self.waiting.deadline();
        let wanted = self.what.lock()?;
        let locked = lock::open_locked(&self.file, wanted, deadline).map_err(explain);
        let fd = match self.waiting.settle(locked.about(&self.file)?).about(&self.file) {
            Ok(fd) => fd,
            Err(error) => {
                tell_holders(&self.file, wanted.range, &error, output);
                return self.conflict.settle(error, output);
            }
        };
        let mut command = child::command(&self.command);
        if self.inherit || self.no_fork {
            descriptor::pass_on(&fd).about(&self.file)?;
        }
        if self.no_fork {
            return Err(child::exec(&mut command));
        }
        let ended = child::run(&mut command);
        if self.remove {
            lock::unlink_if_at(&self.file, &fd).about(&self.file)?;
        }
        ended
    }
}

/// Lock a descriptor of the calling shell
///
/// The lock belongs to what the shell opened ('exec 9>file'), so it stays when we end, and until
/// the shell and all to whom it passed the descriptor have closed it, or 'ipc lock unlock'.
#[derive(Debug, clap::Args)]
pub struct Fd {
    /// Number of the descriptor
    #[arg(value_name = "N")]
    number: u16,
    #[command(flatten)]
    what: What,
    #[command(flatten)]
    waiting: Waiting,
    #[command(flatten)]
    conflict: Conflict,
}

impl Verbs for Fd {
    const EXAMPLES: &'static [Example] = &[
        ("Lock the rest of a script", "exec 9>/run/job.lock; ipc lock fd 9 -n || exit"),
        ("Lock a part of it", "( ipc lock fd 9; ./critical ) 9>/run/job.lock"),
    ];

    fn run(self, output: &mut Output) -> anyhow::Result<Exit> {
        let deadline = self.waiting.deadline();
        let subject = self.number.to_string();
        let wanted = self.what.lasting_lock()?;
        let fd = descriptor::inherited(self.number.into()).about(&subject)?;
        let locked = wanted.acquire(fd, deadline).map_err(explain).about(&subject)?;
        match self.waiting.settle(locked).about(&subject) {
            Ok(()) => Ok(Exit::Done),
            Err(error) => {
                let file = format!("/proc/self/fd/{}", self.number);
                tell_holders(&file.into(), wanted.range, &error, output);
                self.conflict.settle(error, output)
            }
        }
    }
}

/// Give back the lock of a descriptor
#[derive(Debug, clap::Args)]
pub struct Unlock {
    /// Number of the descriptor
    #[arg(value_name = "N")]
    number: u16,
    #[command(flatten)]
    what: What,
}

impl Verbs for Unlock {
    const EXAMPLES: &'static [Example] = &[(
        "Let others have it before the script ends",
        "exec 9>/run/job.lock; ipc lock fd 9; ./critical; ipc lock unlock 9; ./rest",
    )];

    fn run(self, _: &mut Output) -> anyhow::Result<Exit> {
        let subject = self.number.to_string();
        let lock = self.what.lasting_lock()?;
        let fd = descriptor::inherited(self.number.into()).about(&subject)?;
        lock.release(fd).about(&subject)?;
        Ok(Exit::Done)
    }
}

/// Tell whether a file is locked, and by whom
///
/// The status is 0 if it is free and 1 if it is locked in any way, which is then listed: who has
/// the lock, of which kind it is, its bytes, and how many wait for it. Nothing is locked to find
/// out, unless this is a container or a file system where the kernel does not show every lock.
#[derive(Debug, clap::Args)]
pub struct Test {
    /// File or directory
    #[arg(value_name = "FILE")]
    file: OsString,
    /// Look only at LEN bytes from OFF on
    #[arg(long, value_name = "OFF:LEN")]
    range: Option<Range>,
    #[command(flatten)]
    format: Format,
}

impl Verbs for Test {
    const EXAMPLES: &'static [Example] = &[
        ("See who has it", "ipc lock test /run/backup.lock"),
        ("Ask from a program", "ipc lock test --json data.db --range 0:1"),
    ];

    fn run(self, output: &mut Output) -> anyhow::Result<Exit> {
        let range = self.range.unwrap_or_default();
        let held = holders(&self.file, range).map_err(explain).about(&self.file)?;
        let records: Vec<Record> = held.iter().flat_map(holder_records).collect();
        output.list(&records, self.format)?;
        Ok(if held.is_empty() { Exit::Done } else { Exit::No })
    }
}

/// Take a lock file
///
/// The file is the lock: it says whose it is, and is there until 'ipc lock drop'. The owner is the
/// calling shell, or another process that is named. When the owner has ended, or the machine was
/// started anew, the next one takes the lock file over; without a race, and never one whose owner
/// cannot be judged, as in another PID namespace or on another machine.
#[derive(Debug, clap::Args)]
pub struct Take {
    /// Path of the lock file
    #[arg(value_name = "FILE")]
    file: OsString,
    #[command(flatten)]
    waiting: Waiting,
    #[command(flatten)]
    ownership: Ownership,
    /// Write the number of the process alone, as programs that read pidfiles expect
    ///
    /// All who use the file have to be in one PID namespace, and to say --pidfile. While there is
    /// a process of that number, be it another one, the lock is respected.
    #[arg(long)]
    pidfile: bool,
}

impl Verbs for Take {
    const EXAMPLES: &'static [Example] = &[
        ("Let one script run at a time", "ipc lock take -n /run/job.lock || exit"),
        ("Have a daemon own a pidfile", "ipc lock take --pidfile --owner \"$pid\" /run/daemon.pid"),
    ];

    fn run(self, output: &mut Output) -> anyhow::Result<Exit> {
        let deadline = self.waiting.deadline();
        let owner = self.ownership.owner()?;
        let content = if self.pidfile { Content::PidOnly } else { Content::Full };
        let taken = lock_file::take(&self.file, &owner, content, deadline);
        let taken = taken.map_err(explain_lock_file).about(&self.file)?;
        let settled = self.waiting.settle(taken).about(&self.file);
        settled.inspect_err(|error| tell_owner(&self.file, error, output))?;
        Ok(Exit::Done)
    }
}

/// Drop a lock file
///
/// Only its owner's can be dropped, unless by force.
#[derive(Debug, clap::Args)]
pub struct Drop {
    /// Path of the lock file
    #[arg(value_name = "FILE")]
    file: OsString,
    #[command(flatten)]
    ownership: Ownership,
    /// Drop it whoever has it
    #[arg(short, long, conflicts_with = "owner")]
    force: bool,
}

impl Verbs for Drop {
    const EXAMPLES: &'static [Example] = &[(
        "Let others have it",
        "ipc lock take /run/job.lock; ./job; ipc lock drop /run/job.lock",
    )];

    fn run(self, _: &mut Output) -> anyhow::Result<Exit> {
        let dropped = if self.force {
            lock_file::release_any(&self.file)
        } else {
            lock_file::release(&self.file, &self.ownership.owner()?)
        };
        dropped.map_err(explain_lock_file).about(&self.file)?;
        Ok(Exit::Done)
    }
}

/// Whose a lock file is to be.
#[derive(Clone, Debug, clap::Args)]
struct Ownership {
    /// Process that owns the lock file, rather than the one that called us
    #[arg(long, value_name = "PID")]
    owner: Option<Pid>,
}

impl Ownership {
    fn owner(&self) -> anyhow::Result<Owner> {
        let pid = self.owner.as_ref().map_or_else(process::parent, |pid| pid.number);
        Owner::now(pid).about(pid.to_string())
    }
}

/// List the file locks of this machine
///
/// Those that wait are listed below the lock they wait for. An OFD lock has no process of its own:
/// shown are those that have the descriptor, as far as we may look into them, and a lock whose
/// processes we may not see has none.
#[derive(Debug, clap::Args)]
pub struct Ls {
    #[command(flatten)]
    format: Format,
}

impl Verbs for Ls {
    const EXAMPLES: &'static [Example] = &[
        ("See them all", "ipc lock ls"),
        (
            "Name those that somebody waits for",
            "ipc lock ls --json | jq -r '.[] | select(.state == \"waiting\").path'",
        ),
    ];

    fn run(self, output: &mut Output) -> anyhow::Result<Exit> {
        let held = lock_table::all().about("/proc/locks")?;
        let records: Vec<Record> = held.iter().flat_map(machine_records).collect();
        output.list(&records, self.format)?;
        Ok(Exit::Done)
    }
}

/// The locks of a file that touch a range.
fn holders(file: &OsString, range: Range) -> Result<Vec<Held>, Error> {
    let status = lock::status(file)?;
    let mut held = lock_table::of_file(&status)?;
    held.retain(|held| held.entry.touches(range));
    if held.is_empty() && !lock_table::is_complete_for(&status) {
        let hidden = lock::probe(file, range)?;
        held.extend(hidden.into_iter().map(|kind| Held::of_nobody(kind, &status)));
    }
    Ok(held)
}

/// Says who is in the way: to those who asked for more, and to somebody at a terminal.
///
/// The kernel does not keep since when a lock is held; it is no longer than its holder runs.
fn tell_holders(file: &OsString, range: Range, error: &anyhow::Error, output: &Output) {
    if !is_of_interest(error, output) {
        return;
    }
    for held in holders(file, range).unwrap_or_default() {
        for &pid in &held.pids {
            let since = process::started_at(pid).ok().and_then(rfc3339).unwrap_or_default();
            output.warn(format_args!(
                "{}: held by {pid} ({}), which runs since {since}",
                escape(file.as_encoded_bytes()),
                escape(&process::command(pid))
            ));
        }
    }
}

/// Whether somebody wants to know more: who asked for it, or sits at a terminal and is told of an
/// error anyway.
fn is_of_interest(error: &anyhow::Error, output: &Output) -> bool {
    let is_told = !Failure::in_chain(error).is_some_and(Failure::is_expected);
    output.is_verbose() || is_told && output.is_watched()
}

/// Says whose a lock file is, to the same.
fn tell_owner(file: &OsString, error: &anyhow::Error, output: &Output) {
    if !is_of_interest(error, output) {
        return;
    }
    if let Ok(Some((pid, since))) = lock_file::holder(file) {
        output.warn(format_args!(
            "{}: held by {pid} ({}) since {}",
            escape(file.as_encoded_bytes()),
            escape(&process::command(pid)),
            rfc3339(since).unwrap_or_default()
        ));
    }
}

/// Puts the way out beside the reason.
pub fn explain_lock_file(error: lock_file::Error) -> Failure {
    let reason = error.to_string();
    match error {
        lock_file::Error::Kernel(errno) => errno.into(),
        lock_file::Error::TakenAlready(_) => Failure::new(Exit::InUse, reason),
        lock_file::Error::SomebodyElses(..) => Failure::new(Exit::InUse, reason)
            .hint("--owner names another process, --force asks none"),
        lock_file::Error::Unreadable => Failure::failed(reason),
    }
}

/// A line for each process that has the lock, or one for a lock of nobody's.
fn holder_records(held: &Held) -> Vec<Record> {
    let record = |pid| lock_record(pid, held).number("waiters", held.waiters.len());
    if held.pids.is_empty() {
        return vec![record(None)];
    }
    held.pids.iter().map(|&pid| record(Some(pid))).collect()
}

/// A line for each process that has the lock or waits for it.
fn machine_records(held: &Held) -> Vec<Record> {
    let waiting = held.waiters.iter().map(|entry| {
        let waiter = Held { entry: entry.clone(), ..held.clone() };
        with_file(lock_record(entry.pid, &waiter).word("state", "waiting"), &waiter)
    });
    let pids = held.pids.iter().map(|&pid| Some(pid));
    let nobody = held.pids.is_empty().then_some(None);
    let holding =
        pids.chain(nobody).map(|pid| with_file(lock_record(pid, held).word("state", "held"), held));
    holding.chain(waiting).collect()
}

fn lock_record(pid: Option<i32>, held: &Held) -> Record {
    let entry = &held.entry;
    let record = Record::new().optional_number("pid", pid);
    let record = match pid {
        Some(pid) => record.bytes("command", &process::command(pid)),
        None => record.field("command", Value::Null, b"-".as_slice()),
    };
    let mode = match entry.mode {
        Mode::Shared => "shared",
        Mode::Exclusive => "exclusive",
    };
    let record = record
        .bytes("kind", entry.kind_word().as_bytes())
        .word("mode", mode)
        .number("start", entry.start);
    match entry.end {
        Some(end) => record.number("end", end),
        None => record.field("end", Value::Null, b"EOF".as_slice()),
    }
}

fn with_file(record: Record, held: &Held) -> Record {
    let file = held.entry.file;
    let record = record
        .json_only("device", Value::from(file.device()))
        .json_only("inode", json!(file.inode()));
    match &held.path {
        Some(path) => record.bytes("path", path.as_os_str().as_encoded_bytes()),
        None => {
            let text = format!("(inode {} of {})", file.inode(), file.device());
            record.field("path", Value::Null, text.into_bytes())
        }
    }
}

impl ValueEnum for Kind {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Flock, Self::Ofd, Self::Posix]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(match self {
            Self::Flock => PossibleValue::new("flock").help("the whole file, as flock(2)"),
            Self::Ofd => PossibleValue::new("ofd").help("a range, of the open file"),
            Self::Posix => PossibleValue::new("posix").help("a range, of the process"),
        })
    }
}

impl FromStr for Range {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const NOT_A_RANGE: &str = "not a range such as 0:10, 4K:512 or 100:";
        const TOO_FAR: &str = "beyond the greatest offset of a file";
        let (start, length) = text.split_once(':').ok_or(NOT_A_RANGE)?;
        let length = if length.is_empty() { "0" } else { length };
        let number = |text: &str| {
            let Size(bytes) = text.parse().map_err(|_| NOT_A_RANGE)?;
            i64::try_from(bytes).map_err(|_| TOO_FAR)
        };
        let (start, length) = (number(start)?, number(length)?);
        start.checked_add(length).ok_or(TOO_FAR)?;
        Ok(Self { start, length })
    }
}

/// Puts the way out beside the reason.
fn explain(error: Error) -> Failure {
    let hint = match error {
        Error::Kernel(errno) => match errno.0 {
            libc::EISDIR => "a directory takes a flock, or a shared lock",
            libc::ENOLCK => "the file system does not lock, or has reached its limit",
            libc::EDEADLK => "each would wait for the other: give one back first",
            _ => return errno.into(),
        },
        Error::Fifo | Error::NotRegular => return Failure::failed(error.to_string()),
        Error::NotOpenFor(_) => "'exec 9<>FILE' opens a file for both",
    };
    let failure = match error {
        Error::Kernel(errno) => errno.into(),
        _ => Failure::failed(error.to_string()),
    };
    failure.hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_an_offset_and_a_length() {
        for (text, start, length) in [("0:10", 0, 10), ("4K:512", 4096, 512), ("7:", 7, 0)] {
            assert_eq!(text.parse(), Ok(Range { start, length }), "{text}");
        }
        assert_eq!("0:9223372036854775807".parse(), Ok(Range { start: 0, length: i64::MAX }));
    }

    #[test]
    fn what_is_no_range_or_too_far_is_refused() {
        for text in ["", "5", ":", ":5", "-1:5", "1:-5", "1:2:3", "x:1", "1:9223372036854775807"] {
            assert!(text.parse::<Range>().is_err(), "{text}");
        }
        assert!("9223372036854775808:".parse::<Range>().is_err());
    }
}
