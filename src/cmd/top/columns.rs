//! What `ipc top --json` prints: an object for each look.

use serde_json::{Value as Json, json};

use crate::app::listing::{Column, Columns};
use crate::io::output::{Key, Type, Value, json_bytes};
use crate::mechanism::monitor::cycles::Wait;
use crate::mechanism::monitor::{Frame, Item, Presence};

/// A look, and the rows of it that were chosen.
#[derive(Debug)]
pub struct Look {
    /// The time of day, in seconds since 1970.
    pub now: i64,
    /// The chosen objects.
    pub objects: Vec<Json>,
    /// The cycles of waits.
    pub cycles: Vec<Json>,
    /// The time since the look before, in seconds.
    pub elapsed: Option<f64>,
    /// The number of processes that could not be seen.
    pub hidden: usize,
}

impl Look {
    /// The look of a frame, with the objects of these indices.
    pub fn new(frame: &Frame, chosen: impl Iterator<Item = usize>, now: i64) -> Self {
        let cycles = frame.cycles.iter().enumerate();
        Self {
            now,
            objects: chosen.map(|index| of_item(&frame.items[index])).collect(),
            cycles: cycles
                .flat_map(|(number, cycle)| {
                    cycle.iter().map(move |wait| of_wait(number, wait, frame))
                })
                .collect(),
            elapsed: frame.elapsed.map(|elapsed| elapsed.as_secs_f64()),
            hidden: frame.survey.unseen.count,
        }
    }
}

/// The keys of an object.
const OBJECT: &[Key] = &[
    Key::new("kind", Type::Word, "Kind, as in 'ipc ls', or tcp"),
    Key::new("name", Type::Text, "Name, address or path"),
    Key::new("size", Type::Size, "Bytes in it").or_null(),
    Key::new("count", Type::Number, "Value, messages, calls, or clients that wait").or_null(),
    Key::new("change", Type::Number, "Change of the count since the look before").or_null(),
    Key::new("used", Type::Number, "The part in use, in the unit of the limit").or_null(),
    Key::new("limit", Type::Number, "Limit of messages, bytes, calls or clients").or_null(),
    Key::new("messages_in", Type::Number, "Messages per second that were sent to it").or_null(),
    Key::new("messages_out", Type::Number, "Messages per second that left it").or_null(),
    Key::new("bytes_in", Type::Number, "Bytes per second that were sent to it").or_null(),
    Key::new("bytes_out", Type::Number, "Bytes per second that left it").or_null(),
    Key::new("waiting", Type::Number, "Number of processes or clients that wait for it"),
    Key::new("uid", Type::Number, "User that owns it").or_null(),
    Key::new("holders", Type::Numbers, "Process IDs of its users"),
    Key::new("waiters", Type::Numbers, "Process IDs that wait for it, as far as they are known"),
    Key::new("gone", Type::Flag, "Whether it was removed a short time ago"),
    Key::new("deadlock", Type::Flag, "Whether it is a lock in a cycle of waits"),
];

/// The keys of a wait in a cycle.
const WAIT: &[Key] = &[
    Key::new("cycle", Type::Number, "Number of the cycle, from 0 up"),
    Key::new("pid", Type::Number, "Process that waits"),
    Key::new("command", Type::Text, "Name of its program"),
    Key::new("name", Type::Text, "File whose lock it waits for"),
    Key::new("holder", Type::Number, "Process that holds the lock"),
];

fn of_item(item: &Item) -> Json {
    let (object, rates) = (&item.object, item.rates);
    let waiters: Vec<i32> = object.waiters.iter().copied().flatten().collect();
    json!({
        "kind": item.class().word(),
        "name": json_bytes(item.id.name.as_encoded_bytes()),
        "size": object.size,
        "count": object.count,
        "change": item.change,
        "used": object.activity.fill.map(|fill| fill.used),
        "limit": object.activity.fill.map(|fill| fill.limit),
        "messages_in": rates.messages_in.map(rounded),
        "messages_out": rates.messages_out.map(rounded),
        "bytes_in": rates.bytes_in.map(rounded),
        "bytes_out": rates.bytes_out.map(rounded),
        "waiting": object.activity.waiting,
        "uid": object.uid,
        "holders": item.users(),
        "waiters": waiters,
        "gone": matches!(item.presence, Presence::Gone(_)),
        "deadlock": item.is_in_cycle,
    })
}

/// A rate with three decimals.
fn rounded(rate: f64) -> f64 {
    (rate * 1000.0).round() / 1000.0
}

fn of_wait(number: usize, wait: &Wait, frame: &Frame) -> Json {
    json!({
        "cycle": number,
        "pid": wait.waiter,
        "command": json_bytes(frame.processes.command(wait.waiter)),
        "name": json_bytes(frame.items[wait.lock].id.name.as_encoded_bytes()),
        "holder": wait.holder,
    })
}

impl Columns for Look {
    const COLUMNS: &'static [Column<Self>] = &[
        Column::new(Key::new("time", Type::Time, "Time of the look"), |it| Value::Time(it.now)),
        Column::new(
            Key::new("elapsed", Type::Seconds, "Time since the look before").or_null(),
            |it| it.elapsed.map_or(Value::MISSING, Value::fraction),
        ),
        Column::new(Key::new("objects", Type::Objects(OBJECT), "The objects"), |it| {
            Value::Several(it.objects.clone(), Vec::new())
        }),
        Column::new(
            Key::new("cycles", Type::Objects(WAIT), "Waits in cycles: deadlocks of locks"),
            |it| Value::Several(it.cycles.clone(), Vec::new()),
        ),
        Column::new(
            Key::new("hidden", Type::Number, "Number of processes that could not be seen"),
            |it| it.hidden.into(),
        ),
    ];
}
