//! `ipc signal info`.

use std::collections::BTreeMap;

use serde_json::json;

use crate::app::arguments::Plain;
use crate::app::command::{Action, Example};
use crate::app::context::Context;
use crate::app::listing::{self, Column, Columns, Json};
use crate::app::options::Format;
use crate::app::options::Pid;
use crate::base::exit::{Exit, Subject};
use crate::base::signal::Signal;
use crate::io::output::{Key, Type, Value};
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
    const JSON: &'static [Json] =
        &[Json::object::<Process>(), Json::array::<Process>().of("--tree")];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let output = &mut context.output;
        let root = Process::new(self.pid.number).about(&self.pid)?;
        if !self.tree {
            listing::show(&root, self.format, output)?;
            return Ok(Exit::Done);
        }
        let mut rows = vec![root];
        // A process that has ended meanwhile is left out.
        let children = descendants(self.pid.number).into_iter();
        rows.extend(children.filter_map(|pid| Process::new(pid).ok()));
        listing::print_all(&rows, self.format, output)?;
        Ok(Exit::Done)
    }
}

/// A process and its signals.
#[derive(Debug)]
struct Process {
    pid: i32,
    status: BTreeMap<String, String>,
    threads: Vec<(i32, BTreeMap<String, String>)>,
}

impl Process {
    fn new(pid: i32) -> anyhow::Result<Self> {
        Ok(Self { pid, status: process::status(pid)?, threads: process::threads(pid) })
    }

    /// A line of the status.
    fn text(&self, key: &str) -> &str {
        self.status.get(key).map_or("", String::as_str)
    }

    fn number(&self, key: &str) -> Value {
        let first = self.text(key).split_whitespace().next();
        first.and_then(|number| number.parse::<u32>().ok()).into()
    }

    fn signals(&self, key: &str) -> Value {
        Value::several(names(set(&self.status, key)), ",", "none")
    }

    /// The threads with pending signals of their own, and with another mask than the first thread.
    fn special_threads(&self) -> Value {
        let first = self.threads.iter().find(|(tid, _)| *tid == self.pid);
        let blocked = first.map(|(_, status)| set(status, "SigBlk"));
        let (mut values, mut texts) = (Vec::new(), Vec::new());
        for (tid, status) in &self.threads {
            let (pending, blocks) = (set(status, "SigPnd"), set(status, "SigBlk"));
            if pending == SignalSet::default() && Some(blocks) == blocked {
                continue;
            }
            let (pending, blocks) = (names(pending), names(blocks));
            texts.push(format!("{tid}:pending={}:blocked={}", words(&pending), words(&blocks)));
            values.push(json!({"tid": tid, "pending": pending, "blocked": blocks}));
        }
        let text = if texts.is_empty() { "none".to_owned() } else { texts.join(" ") };
        Value::Several(values, text.into_bytes())
    }
}

/// The keys of a thread.
const THREAD: &[Key] = &[
    Key::new("tid", Type::Number, "Thread ID"),
    Key::new("pending", Type::Words, "Signals that are pending for the thread"),
    Key::new("blocked", Type::Words, "Signals that the thread blocks"),
];

impl Columns for Process {
    const COLUMNS: &'static [Column<Self>] = &[
        Column::new(Key::new("pid", Type::Number, "Process ID"), |it| it.pid.into()),
        // A zombie has no start time.
        Column::new(
            Key::new("start", Type::Number, "Start, in clock ticks after the boot").or_null(),
            |it| process::start_time(it.pid).ok().into(),
        ),
        Column::new(Key::new("command", Type::Text, "Name of its program"), |it| {
            Value::Text(process::command(it.pid))
        }),
        Column::new(Key::new("state", Type::Text, "State, as proc_pid_status(5) has it"), |it| {
            Value::text(it.text("State"))
        }),
        Column::new(Key::new("parent", Type::Number, "Parent process").or_null(), |it| {
            it.number("PPid")
        }),
        Column::new(Key::new("uid", Type::Number, "Its real user").or_null(), |it| {
            it.number("Uid")
        }),
        Column::new(Key::new("blocked", Type::Words, "Signals that it blocks"), |it| {
            it.signals("SigBlk")
        }),
        Column::new(Key::new("ignored", Type::Words, "Signals that it ignores"), |it| {
            it.signals("SigIgn")
        }),
        Column::new(Key::new("caught", Type::Words, "Signals that it catches"), |it| {
            it.signals("SigCgt")
        }),
        Column::new(Key::new("pending", Type::Words, "Signals that are pending"), |it| {
            it.signals("ShdPnd")
        }),
        Column::new(
            Key::new("threads", Type::Objects(THREAD), "Threads that differ from the first"),
            Self::special_threads,
        ),
    ];
}

/// The set in a line of the status.
fn set(status: &BTreeMap<String, String>, key: &str) -> SignalSet {
    let bits = status.get(key).and_then(|text| u64::from_str_radix(text, 16).ok());
    SignalSet::from_bits(bits.unwrap_or_default())
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
