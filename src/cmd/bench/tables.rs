//! The rows of the tables.

use super::compare::Change;
use super::results::Row;
use crate::app::listing::{Column, Columns};
use crate::io::output::{Key, Type, Value};
use crate::measure::statistics::{Distribution, PERCENTILES};

/// A row, and the cost of the best row of its table.
pub struct Ranked<'a> {
    pub row: &'a Row,
    pub best: f64,
}

impl Ranked<'_> {
    /// How many times the cost of the best it costs.
    pub fn ratio(&self) -> f64 {
        if self.best > 0.0 { self.row.cost() / self.best } else { 0.0 }
    }
}

/// The times of messages, in microseconds.
pub struct Latency {
    name: &'static str,
    times: Times,
    spread: f64,
    ratio: f64,
}

impl From<Ranked<'_>> for Latency {
    fn from(ranked: Ranked<'_>) -> Self {
        Self {
            name: ranked.row.mechanism.name,
            times: Times::of(&ranked.row.latencies),
            spread: ranked.row.spread,
            ratio: ranked.ratio(),
        }
    }
}

impl Columns for Latency {
    const COLUMNS: &'static [Column<Self>] = &[
        Column::new(Key::new("mechanism", Type::Word, "Mechanism"), |it| it.name.into()),
        Column::new(Key::new("p50", Type::Number, "Median"), |it| it.times.percentile(0)),
        Column::new(Key::new("p90", Type::Number, "90 % are not above"), |it| {
            it.times.percentile(1)
        }),
        Column::new(Key::new("p99", Type::Number, "99 % are not above"), |it| {
            it.times.percentile(2)
        }),
        Column::new(Key::new("p99.9", Type::Number, "99.9 % are not above"), |it| {
            it.times.percentile(3)
        }),
        Column::new(Key::new("max", Type::Number, "Longest"), |it| rounded(it.times.max, 0)),
        Column::new(Key::new("spread%", Type::Number, "Difference between rounds"), |it| {
            percent(it.spread)
        }),
        Column::new(Key::new("ratio", Type::Number, "Median, of the best"), |it| {
            rounded(it.ratio, 2)
        }),
    ];
}

/// The rate of messages.
pub struct Rate {
    name: &'static str,
    rate: f64,
    size: usize,
    lost: u64,
    spread: f64,
    ratio: f64,
}

impl From<Ranked<'_>> for Rate {
    fn from(ranked: Ranked<'_>) -> Self {
        let row = ranked.row;
        Self {
            name: row.mechanism.name,
            rate: row.rate,
            size: row.trial.size,
            lost: row.lost,
            spread: row.spread,
            ratio: ranked.ratio(),
        }
    }
}

impl Columns for Rate {
    const COLUMNS: &'static [Column<Self>] = &[
        Column::new(Key::new("mechanism", Type::Word, "Mechanism"), |it| it.name.into()),
        Column::new(Key::new("msg/s", Type::Number, "Messages a second"), |it| rounded(it.rate, 0)),
        Column::new(Key::new("ns", Type::Number, "Nanoseconds a message"), |it| {
            rounded(if it.rate > 0.0 { 1e9 / it.rate } else { 0.0 }, 1)
        }),
        Column::new(Key::new("mb/s", Type::Number, "Millions of bytes a second"), |it| {
            rounded(it.rate * it.size as f64 / 1e6, 0)
        }),
        Column::new(Key::new("lost", Type::Number, "Lost messages"), |it| it.lost.into()),
        Column::new(Key::new("spread%", Type::Number, "Difference between rounds"), |it| {
            percent(it.spread)
        }),
        Column::new(Key::new("ratio", Type::Number, "Time of a message, of the best"), |it| {
            rounded(it.ratio, 2)
        }),
    ];
}

impl Columns for Change {
    const COLUMNS: &'static [Column<Self>] = &[
        Column::new(Key::new("mechanism", Type::Word, "Mechanism"), |it| it.mechanism.into()),
        Column::new(Key::new("question", Type::Word, "What was measured"), |it| it.question.into()),
        Column::new(Key::new("size", Type::Number, "Bytes of a message"), |it| {
            (it.size as u64).into()
        }),
        Column::new(Key::new("old", Type::Number, "Nanoseconds then"), |it| rounded(it.then, 0)),
        Column::new(Key::new("new", Type::Number, "Nanoseconds now"), |it| rounded(it.now, 0)),
        Column::new(Key::new("change%", Type::Number, "Difference"), |it| {
            percent(it.now / it.then - 1.0)
        }),
    ];
}

/// The times of the runs of a program, in microseconds.
pub struct Start {
    pub program: String,
    pub times: Times,
    pub ratio: f64,
}

impl Columns for Start {
    const COLUMNS: &'static [Column<Self>] = &[
        Column::new(Key::new("program", Type::Text, "Its words"), |it| Value::text(&it.program)),
        Column::new(Key::new("p50", Type::Number, "Median"), |it| it.times.percentile(0)),
        Column::new(Key::new("p90", Type::Number, "90 % are not above"), |it| {
            it.times.percentile(1)
        }),
        Column::new(Key::new("p99", Type::Number, "99 % are not above"), |it| {
            it.times.percentile(2)
        }),
        Column::new(Key::new("ratio", Type::Number, "Median, of the first"), |it| {
            rounded(it.ratio, 2)
        }),
    ];
}

/// Percentiles in microseconds.
pub struct Times {
    percentiles: [f64; PERCENTILES.len()],
    max: f64,
}

impl Times {
    pub fn of(times: &Distribution) -> Self {
        Self {
            percentiles: PERCENTILES.map(|(_, part)| times.percentile(part) as f64 / 1e3),
            max: times.max() as f64 / 1e3,
        }
    }

    fn percentile(&self, index: usize) -> Value {
        rounded(self.percentiles[index], 2)
    }
}

/// A number with so many decimals.
fn rounded(number: f64, decimals: usize) -> Value {
    Value::Decimal(number, decimals)
}

fn percent(part: f64) -> Value {
    Value::Decimal(part * 100.0, 0)
}
