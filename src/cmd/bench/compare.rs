//! What changed since an older result, beyond the difference between rounds.

use std::path::Path;

use serde_json::Value;

use super::results::Row;
use crate::base::exit::{Exit, Failure, about};

/// The least change that is reported.
const NOISE: f64 = 0.05;

/// An older result.
#[derive(Debug)]
pub struct Older(Vec<Value>);

/// A change of a row.
#[derive(Debug, PartialEq)]
pub struct Change {
    pub mechanism: &'static str,
    pub question: &'static str,
    pub size: usize,
    /// The nanoseconds of a message then and now.
    pub then: f64,
    pub now: f64,
}

impl Older {
    /// Reads the output of `ipc bench --json`.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let bytes = std::fs::read(path)
            .map_err(|error| about(crate::base::errno::Errno::from(error), path))?;
        let rows = serde_json::from_slice::<Value>(&bytes).ok();
        let rows = rows.and_then(|value| value["results"].as_array().cloned());
        let wrong =
            || about(Failure::new(Exit::Usage, "not the output of 'ipc bench --json'"), path);
        rows.map(Self).ok_or_else(wrong)
    }

    /// The rows that changed by more than the rounds of either differ.
    pub fn changes(&self, rows: &[Row]) -> Vec<Change> {
        rows.iter().filter_map(|row| self.change(row)).collect()
    }

    /// The number of rows that both have.
    pub fn shared(&self, rows: &[Row]) -> usize {
        rows.iter().filter(|row| self.find(row).is_some()).count()
    }

    fn find(&self, row: &Row) -> Option<&Value> {
        self.0.iter().find(|old| {
            old["mechanism"] == row.mechanism.name
                && old["question"] == row.question()
                && old["size"] == row.trial.size
                && old["pace"] == row.trial.pace.word()
                && old["senders"] == row.trial.senders
        })
    }

    fn change(&self, row: &Row) -> Option<Change> {
        let old = self.find(row)?;
        let rate = old["messages_per_second"].as_f64().filter(|rate| *rate > 0.0);
        let then = rate.map(|rate| 1e9 / rate).or_else(|| old["p50_ns"].as_f64())?;
        let spread = old["spread"].as_f64().unwrap_or(0.0).max(row.spread).max(NOISE);
        let now = row.cost();
        let is_beyond = then > 0.0 && (now / then - 1.0).abs() > spread;
        is_beyond.then(|| Change {
            mechanism: row.mechanism.name,
            question: row.question(),
            size: row.trial.size,
            then,
            now,
        })
    }
}
