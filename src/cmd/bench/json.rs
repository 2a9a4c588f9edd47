//! The report as JSON.

use serde_json::{Value as Json, json};

use super::compare::Change;
use super::report::Report;
use super::tables::Ranked;
use crate::app::listing::{Column, Columns};
use crate::io::output::{Key, Type, Value};
use crate::measure::Question;
use crate::measure::statistics::PERCENTILES;

/// A size, and the time of a copy.
const COPY: &[Key] = &[
    Key::new("size", Type::Size, "Number of bytes"),
    Key::new("ns", Type::Number, "Nanoseconds of a copy"),
];

/// The objects that only a latency has.
const LATENCY: &str = "latencies";

/// The objects that only a throughput has.
const THROUGHPUT: &str = "throughputs";

const RESULT: &[Key] = &[
    Key::new("mechanism", Type::Word, "Mechanism"),
    Key::new("question", Type::Word, "latency, paced or throughput"),
    Key::new("size", Type::Size, "Bytes of a message"),
    Key::new("pace", Type::Word, "blocking or spinning"),
    Key::new("senders", Type::Number, "Number of senders"),
    Key::new("sent", Type::Number, "Messages sent, the warm-up included"),
    Key::new("lost", Type::Number, "Messages lost"),
    Key::new("spread", Type::Number, "Difference between rounds, as a part of the median"),
    Key::new("ratio", Type::Number, "Time of a message, of the best"),
    Key::new("rate", Type::Number, "Messages a second that were asked for").only("--rate"),
    Key::new("samples", Type::Number, "Number of samples").only(LATENCY),
    Key::new("p50_ns", Type::Number, "Median in nanoseconds").only(LATENCY),
    Key::new("p90_ns", Type::Number, "90 % are not above").only(LATENCY),
    Key::new("p99_ns", Type::Number, "99 % are not above").only(LATENCY),
    Key::new("p99.9_ns", Type::Number, "99.9 % are not above").only(LATENCY),
    Key::new("max_ns", Type::Number, "Longest").only(LATENCY),
    Key::new("messages_per_second", Type::Number, "Messages a second").only(THROUGHPUT),
    Key::new("bytes_per_second", Type::Number, "Bytes a second").only(THROUGHPUT),
];

const CHANGE: &[Key] = &[
    Key::new("mechanism", Type::Word, "Mechanism"),
    Key::new("question", Type::Word, "latency, paced or throughput"),
    Key::new("size", Type::Size, "Bytes of a message"),
    Key::new("old_ns", Type::Number, "Nanoseconds of a message then"),
    Key::new("new_ns", Type::Number, "Nanoseconds of a message now"),
    Key::new("change", Type::Number, "Difference, as a part of the old time"),
];

impl Columns for Report {
    const COLUMNS: &'static [Column<Self>] = &[
        Column::new(Key::new("kernel", Type::Text, "Name and release of the kernel"), |it| {
            Value::text(&it.environment.kernel)
        }),
        Column::new(Key::new("processor", Type::Text, "Model of the processor"), |it| {
            Value::text(&it.environment.processor)
        }),
        Column::new(Key::new("cpus", Type::Number, "CPUs that may be used"), |it| {
            (it.environment.cpus as u64).into()
        }),
        Column::new(Key::new("pinned", Type::Numbers, "CPUs that were used; none is any"), |it| {
            Value::several(it.cpus.iter().map(|&cpu| cpu as u64), ",", "any")
        }),
        Column::new(Key::new("governor", Type::Text, "Frequency governor").or_null(), |it| {
            it.environment.governor.as_ref().map_or(Value::MISSING, Value::text)
        }),
        Column::new(Key::new("load", Type::Number, "Load average of a minute").or_null(), |it| {
            it.environment.load.map_or(Value::MISSING, Value::fraction)
        }),
        Column::new(
            Key::new("clock_ns", Type::Number, "Nanoseconds of a look at the clock"),
            |it| it.environment.clock.into(),
        ),
        Column::new(Key::new("system_call_ns", Type::Number, "An empty system call"), |it| {
            Value::fraction(it.limits.system_call)
        }),
        Column::new(
            Key::new("copies", Type::Objects(COPY), "Copies from memory to memory"),
            |it| {
                let copies = it.limits.copies.iter();
                objects(copies.map(|(size, time)| json!({"size": size, "ns": time})))
            },
        ),
        Column::new(Key::new("results", Type::Objects(RESULT), "What was measured"), results),
        Column::new(
            Key::new("changes", Type::Objects(CHANGE), "Changes beyond the noise")
                .only("--compare"),
            |it| match &it.changes {
                Some(changes) => objects(changes.iter().map(change)),
                None => Value::Inapplicable,
            },
        ),
    ];
}

/// Several objects, which no text shows.
fn objects(values: impl Iterator<Item = Json>) -> Value {
    Value::Several(values.collect(), Vec::new())
}

fn results(report: &Report) -> Value {
    let rows = report.groups().into_iter().flat_map(|rows| {
        let best = rows.first().map_or(0.0, |row| row.cost());
        rows.into_iter().map(move |row| result(&Ranked { row, best }))
    });
    objects(rows)
}

fn result(ranked: &Ranked<'_>) -> Json {
    let row = ranked.row;
    let mut value = json!({
        "mechanism": row.mechanism.name,
        "question": row.question(),
        "size": row.trial.size,
        "pace": row.trial.pace.word(),
        "senders": row.trial.senders,
        "sent": row.sent,
        "lost": row.lost,
        "spread": row.spread,
        "ratio": ranked.ratio(),
    });
    if let Question::Paced { rate } = row.trial.question {
        value["rate"] = rate.into();
    }
    if row.is_stream() {
        value["messages_per_second"] = row.rate.into();
        value["bytes_per_second"] = (row.rate * row.trial.size as f64).into();
    } else {
        value["samples"] = row.latencies.count().into();
        for (name, part) in PERCENTILES {
            value[format!("{name}_ns")] = row.latencies.percentile(part).into();
        }
        value["max_ns"] = row.latencies.max().into();
    }
    value
}

fn change(change: &Change) -> Json {
    json!({
        "mechanism": change.mechanism,
        "question": change.question,
        "size": change.size,
        "old_ns": change.then,
        "new_ns": change.now,
        "change": change.now / change.then - 1.0,
    })
}
