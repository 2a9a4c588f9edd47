//! `ipc lock test` and `ls`.

use std::ffi::OsString;

use serde_json::{Value, json};

use crate::app::arguments::Plain;
use crate::app::command::{Action, Example};
use crate::app::context::Context;
use crate::app::machine::Part;
use crate::app::options::Format;
use crate::base::exit::{Exit, Subject};
use crate::io::output::Record;
use crate::mechanism::lock::{self, Mode, Range};
use crate::mechanism::lock_file::{self, CurrentOwner};
use crate::sys::lock_table::{self, HeldLock};
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

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let output = &mut context.output;
        let range = self.range.unwrap_or_default();
        let held = lock::holders(&self.file, range).map_err(explain).about(&self.file)?;
        let owner = lock_file::current_owner(&self.file, self.pidfile.content());
        let owner = owner.map_err(explain_lock_file).about(&self.file)?;
        let owner = owner.as_ref().map(owner_record);
        let records: Vec<Record> =
            owner.into_iter().chain(held.iter().flat_map(holder_records)).collect();
        output.list(&records, self.format)?;
        Ok(if records.is_empty() { Exit::Done } else { Exit::No })
    }
}

/// List the file locks of this machine
///
/// Waiters are listed below the lock for which they wait. An OFD lock has no process of its own, so the list
/// has the processes that have its descriptor, as far as they are visible, or no process.
#[derive(Debug, clap::Args, Plain)]
pub struct Ls {
    #[command(flatten)]
    format: Format,
}

impl Action for Ls {
    const EXAMPLES: &'static [Example] = &[
        ("List all locks", "ipc lock ls"),
        (
            "Print the files with waiters",
            "ipc lock ls --json | jq -r '.[] | select(.state == \"waiting\").path'",
        ),
    ];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let output = &mut context.output;
        let held =
            lock_table::all().map_err(|errno| Part::Proc.explain(errno)).about("/proc/locks")?;
        let records: Vec<Record> = held.iter().flat_map(machine_records).collect();
        output.list(&records, self.format)?;
        Ok(Exit::Done)
    }
}

/// A row for the owner of a lock file.
fn owner_record(owner: &CurrentOwner) -> Record {
    let record = match owner.process {
        Ok(pid) => Record::new().number("pid", pid).bytes("command", &process::command(pid)),
        Err(owner) => {
            let text = format!("({})", owner.description()).into_bytes();
            Record::new().optional_number("pid", None::<i32>).field("command", Value::Null, text)
        }
    };
    let record = record.word("kind", "file").word("mode", "exclusive").number("start", 0);
    record.field("end", Value::Null, b"EOF".as_slice()).optional_number("waiters", None::<u64>)
}

/// A row for each process that holds the lock, or one without a process.
fn holder_records(held: &HeldLock) -> Vec<Record> {
    let record = |pid| lock_record(pid, held).number("waiters", held.waiters.len());
    if held.pids.is_empty() {
        return vec![record(None)];
    }
    held.pids.iter().map(|&pid| record(Some(pid))).collect()
}

/// A row for each process that holds the lock or waits for it.
fn machine_records(held: &HeldLock) -> Vec<Record> {
    let waiting = held.waiters.iter().map(|entry| {
        let waiter = HeldLock { entry: entry.clone(), ..held.clone() };
        with_file(lock_record(entry.pid, &waiter).word("state", "waiting"), &waiter)
    });
    let pids = held.pids.iter().map(|&pid| Some(pid));
    let unseen = held.pids.is_empty().then_some(None);
    let holding =
        pids.chain(unseen).map(|pid| with_file(lock_record(pid, held).word("state", "held"), held));
    holding.chain(waiting).collect()
}

fn lock_record(pid: Option<i32>, held: &HeldLock) -> Record {
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

fn with_file(record: Record, held: &HeldLock) -> Record {
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
