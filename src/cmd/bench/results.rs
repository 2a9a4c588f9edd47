//! Measures the mechanisms in rounds, and gathers what the rounds say.

use std::time::Duration;

use crate::measure::statistics::{Distribution, median_and_spread};
use crate::measure::{Error, MECHANISMS, Mechanism, Outcome, Question, Trial};

/// A row of the result: a mechanism, a question and a size.
#[derive(Debug)]
pub struct Row {
    pub mechanism: &'static Mechanism,
    pub trial: Trial,
    /// All samples; none for a throughput.
    pub latencies: Distribution,
    /// Messages a second; 0 for a latency.
    pub rate: f64,
    /// The difference between rounds, as a part of the median.
    pub spread: f64,
    pub sent: u64,
    pub lost: u64,
}

impl Row {
    /// The word of the question.
    pub fn question(&self) -> &'static str {
        match self.trial.question {
            Question::Latency => "latency",
            Question::Paced { .. } => "paced",
            Question::Throughput => "throughput",
        }
    }

    /// The number of the colour of the mechanism.
    pub fn colour(&self) -> usize {
        MECHANISMS.iter().position(|mechanism| mechanism.name == self.mechanism.name).unwrap_or(0)
    }

    /// Whether it has a rate, and no latencies.
    pub fn is_stream(&self) -> bool {
        self.trial.question == Question::Throughput
    }

    /// The nanoseconds of a message: the median, or the inverse of the rate.
    pub fn cost(&self) -> f64 {
        match self.trial.question {
            Question::Throughput if self.rate > 0.0 => 1e9 / self.rate,
            Question::Throughput => 0.0,
            _ => self.latencies.median() as f64,
        }
    }
}

/// The measurements of one row.
#[derive(Debug)]
pub struct Plan {
    pub mechanism: &'static Mechanism,
    pub trial: Trial,
    samples: Vec<u64>,
    /// The median, or the rate, of each round.
    rounds: Vec<f64>,
    sent: u64,
    received: u64,
}

impl Plan {
    pub fn new(mechanism: &'static Mechanism, trial: Trial) -> Self {
        Self { mechanism, trial, samples: Vec::new(), rounds: Vec::new(), sent: 0, received: 0 }
    }

    /// Runs one round.
    pub fn run(&mut self, duration: Duration) -> Result<(), Error> {
        let trial = Trial { duration, ..self.trial.clone() };
        let outcome = self.mechanism.measure(&trial)?;
        self.rounds.push(value(&trial, &outcome));
        self.sent += outcome.sent;
        self.received += outcome.received;
        self.samples.extend(outcome.samples);
        Ok(())
    }

    pub fn into_row(self) -> Row {
        let (median, spread) = median_and_spread(&self.rounds);
        let is_stream = self.trial.question == Question::Throughput;
        Row {
            mechanism: self.mechanism,
            trial: self.trial,
            latencies: Distribution::new(self.samples),
            rate: if is_stream { median } else { 0.0 },
            spread,
            sent: self.sent,
            lost: self.sent.saturating_sub(self.received),
        }
    }
}

/// What one round says: the median latency, or the messages a second.
fn value(trial: &Trial, outcome: &Outcome) -> f64 {
    match trial.question {
        Question::Throughput if outcome.elapsed > 0 => {
            outcome.timed as f64 * 1e9 / outcome.elapsed as f64
        }
        Question::Throughput => 0.0,
        _ => Distribution::new(outcome.samples.clone()).median() as f64,
    }
}
