//! `ipc signal info`.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::app::arguments::Plain;
use crate::app::command::{Action, Example};
use crate::app::context::Context;
use crate::app::options::Format;
use crate::app::options::Pid;
use crate::base::exit::{Exit, Subject};
use crate::base::signal::Signal;
use crate::io::output::Record;
use crate::sys::process;
use crate::sys::signal::SignalSet;

/// Show the signals that a process blocks, ignores and catches
///
/// Signals that are pending are shown too. Also listed are the threads that have pending signals of
/// their own, and the threads that block other signals than the first thread.
#[derive(Debug, clap::Args, Plain)]
pub struct Info {
    /// Process ID
    pid: Pid,
    /// List also its children and their descendants
    #[arg(long)]
    tree: bool,
    #[command(flatten)]
    format: Format,
}

impl Action for Info {
    const EXAMPLES: &'static [Example] = &[
        ("Show why TERM has no effect", "ipc signal info 4711"),
        ("Show all processes of a shell", "ipc signal info --tree \"$$\""),
        (
            "Get PID:START, which names a process for good",
            "ipc signal info --json 4711 | jq -r '\"\\(.pid):\\(.start)\"'",
        ),
    ];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let output = &mut context.output;
        let root = record(self.pid.number).about(&self.pid)?;
        if !self.tree {
            output.show(&root, self.format)?;
            return Ok(Exit::Done);
        }
        let mut records = vec![root];
        // A process that has ended meanwhile is left out.
        let children = descendants(self.pid.number).into_iter();
        records.extend(children.filter_map(|pid| record(pid).ok()));
        output.list(&records, self.format)?;
        Ok(Exit::Done)
    }
}

fn record(pid: i32) -> anyhow::Result<Record> {
    let status = process::status(pid)?;
    let threads = process::threads(pid);
    let text = |key: &str| status.get(key).map_or("", String::as_str);
    let number =
        |key: &str| text(key).split_whitespace().next().and_then(|n| n.parse::<u32>().ok());
    let record = Record::new()
        .number("pid", pid)
        // A zombie has no start time.
        .optional_number("start", process::start_time(pid).ok())
        .bytes("command", &process::command(pid))
        .bytes("state", text("State").as_bytes())
        .optional_number("parent", number("PPid"))
        .optional_number("uid", number("Uid"));
    let record = signals(record, "blocked", set(&status, "SigBlk"));
    let record = signals(record, "ignored", set(&status, "SigIgn"));
    let record = signals(record, "caught", set(&status, "SigCgt"));
    let record = signals(record, "pending", set(&status, "ShdPnd"));
    Ok(of_threads(record, pid, &threads))
}

/// The threads with pending signals of their own, and with another mask than the first thread.
fn of_threads(record: Record, pid: i32, threads: &[(i32, BTreeMap<String, String>)]) -> Record {
    let first = threads.iter().find(|(tid, _)| *tid == pid);
    let blocked = first.map(|(_, status)| set(status, "SigBlk"));
    let mut values = Vec::new();
    let mut texts = Vec::new();
    for (tid, status) in threads {
        let (pending, blocks) = (set(status, "SigPnd"), set(status, "SigBlk"));
        if pending == SignalSet::default() && Some(blocks) == blocked {
            continue;
        }
        let (pending, blocks) = (names(pending), names(blocks));
        texts.push(format!("{tid}:pending={}:blocked={}", words(&pending), words(&blocks)));
        values.push(json!({"tid": tid, "pending": pending, "blocked": blocks}));
    }
    let text = if texts.is_empty() { "none".to_owned() } else { texts.join(" ") };
    record.field("threads", Value::from(values), text.into_bytes())
}

/// The set in a line of the status.
fn set(status: &BTreeMap<String, String>, key: &str) -> SignalSet {
    let bits = status.get(key).and_then(|text| u64::from_str_radix(text, 16).ok());
    SignalSet::from_bits(bits.unwrap_or_default())
}

fn signals(record: Record, key: &'static str, set: SignalSet) -> Record {
    let names = names(set);
    let text = words(&names);
    record.field(key, Value::from(names), text.into_bytes())
}

/// The names of the signals of a set.
fn names(set: SignalSet) -> Vec<String> {
    Signal::all().filter(|&signal| set.contains(signal)).map(|s| s.to_string()).collect()
}

fn words(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(",") }
}

/// The descendants of a process, parents before their children.
fn descendants(root: i32) -> Vec<i32> {
    let mut children: BTreeMap<i32, Vec<i32>> = BTreeMap::new();
    for pid in process::all() {
        if let Some(parent) = process::parent_of(pid) {
            children.entry(parent).or_default().push(pid);
        }
    }
    let mut found = Vec::new();
    let mut next = vec![root];
    while let Some(pid) = next.pop() {
        let below = children.remove(&pid).unwrap_or_default();
        next.extend(below.iter().rev());
        if pid != root {
            found.push(pid);
        }
    }
    found
}
