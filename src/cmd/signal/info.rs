//! `ipc signal info`.

use std::collections::HashMap;

use serde_json::Value;

use crate::cli::{Example, Run};
use crate::cmd::Pid;
use crate::exit::{Exit, Subject};
use crate::output::{Format, Output, Record};
use crate::signals::Signal;
use crate::sys::process;
use crate::sys::signal::SignalSet;

/// Show what a process does with signals
///
/// That is which ones it blocks, ignores and catches, and which wait to be taken, by name.
#[derive(Debug, clap::Args)]
pub struct Info {
    /// Number of the process
    pid: Pid,
    /// List the processes that it has started as well, and those that they have
    #[arg(long)]
    tree: bool,
    #[command(flatten)]
    format: Format,
}

impl Run for Info {
    const EXAMPLES: &'static [Example] = &[
        ("See why it does not end", "ipc signal info 4711"),
        ("Look at a whole job", "ipc signal info --tree \"$$\""),
        (
            "Name the process so that no other can be meant",
            "ipc signal info --json 4711 | jq -r '\"\\(.pid):\\(.start)\"'",
        ),
    ];

    fn run(self, output: &mut Output) -> anyhow::Result<Exit> {
        let root = record(self.pid.number).about(&self.pid)?;
        if !self.tree {
            output.show(&root, self.format)?;
            return Ok(Exit::Done);
        }
        let mut records = vec![root];
        // One that has ended since has nothing to show.
        let children = descendants(self.pid.number).into_iter();
        records.extend(children.filter_map(|pid| record(pid).ok()));
        output.list(&records, self.format)?;
        Ok(Exit::Done)
    }
}

fn record(pid: i32) -> anyhow::Result<Record> {
    let status = process::status(pid)?;
    let text = |key: &str| status.get(key).map_or("", String::as_str);
    let number =
        |key: &str| text(key).split_whitespace().next().and_then(|n| n.parse::<u32>().ok());
    let set =
        |key: &str| SignalSet::from_bits(u64::from_str_radix(text(key), 16).unwrap_or_default());
    let record = Record::new()
        .number("pid", pid)
        // Of one that has ended and is not reaped nothing more than the number is sure.
        .optional_number("start", process::start_time(pid).ok())
        .bytes("command", &process::command(pid))
        .bytes("state", text("State").as_bytes())
        .optional_number("parent", number("PPid"))
        .optional_number("uid", number("Uid"));
    let record = signals(record, "blocked", set("SigBlk"));
    let record = signals(record, "ignored", set("SigIgn"));
    let record = signals(record, "caught", set("SigCgt"));
    Ok(signals(record, "pending", set("SigPnd").union(set("ShdPnd"))))
}

/// The names of the signals of a set.
fn signals(record: Record, key: &'static str, set: SignalSet) -> Record {
    let names: Vec<String> =
        Signal::all().filter(|&signal| set.contains(signal)).map(|s| s.to_string()).collect();
    let text = if names.is_empty() { "none".to_owned() } else { names.join(",") };
    record.field(key, Value::from(names), text.into_bytes())
}

/// The processes below one, parents before their children.
fn descendants(root: i32) -> Vec<i32> {
    let mut children: HashMap<i32, Vec<i32>> = HashMap::new();
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
