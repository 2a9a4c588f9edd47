//! The results as tables, JSON, CSV and a picture.

use super::compare::Change;
use super::results::Row;
use super::tables::{Latency, Ranked, Rate};
use crate::app::listing::print_all;
use crate::app::options::Format;
use crate::io::output::{Output, Unwritable};
use crate::measure::Question;
use crate::measure::environment::Environment;
use crate::measure::plot::{Line, Picture, Range};
use crate::measure::statistics::PERCENTILES;

/// What the machine cannot exceed.
#[derive(Clone, Debug)]
pub struct Limits {
    /// The nanoseconds of an empty system call.
    pub system_call: f64,
    /// The nanoseconds of a copy of each size.
    pub copies: Vec<(usize, f64)>,
}

/// Everything that is reported.
pub struct Report {
    pub environment: Environment,
    pub limits: Limits,
    pub rows: Vec<Row>,
    pub cpus: Vec<usize>,
    /// What changed since an older result, if there is one.
    pub changes: Option<Vec<Change>>,
}

impl Report {
    /// The rows of one question and one size, the best first.
    fn group(&self, question: &str, size: usize) -> Vec<&Row> {
        let mut rows: Vec<&Row> = self.rows.iter().collect();
        rows.retain(|row| row.question() == question && row.trial.size == size);
        rows.sort_by(|one, other| one.cost().total_cmp(&other.cost()));
        rows
    }

    pub fn groups(&self) -> Vec<Vec<&Row>> {
        let mut seen: Vec<(&str, usize)> = Vec::new();
        for row in &self.rows {
            let key = (row.question(), row.trial.size);
            if !seen.contains(&key) {
                seen.push(key);
            }
        }
        seen.into_iter().map(|(question, size)| self.group(question, size)).collect()
    }

    /// The tables, with the machine and the limits.
    pub fn print(&self, output: &mut Output) -> Result<(), Unwritable> {
        for rows in self.groups() {
            let Some(first) = rows.first() else { continue };
            output.line(title(first))?;
            let best = first.cost();
            let ranked = rows.iter().map(|row| Ranked { row, best });
            match first.is_stream() {
                true => {
                    print_all(&ranked.map(Rate::from).collect::<Vec<_>>(), Format::TEXT, output)
                }
                false => {
                    print_all(&ranked.map(Latency::from).collect::<Vec<_>>(), Format::TEXT, output)
                }
            }?;
            output.line("")?;
        }
        output.text(self.notes())
    }

    /// The machine, the limits, and the meanings of words.
    fn notes(&self) -> String {
        let mut text = format!("{}\n", self.machine());
        text += &format!("limits: empty system call {:.0} ns", self.limits.system_call);
        for (size, time) in &self.limits.copies {
            let speed = *size as f64 / time;
            text += &format!("; copy of {size} B {time:.0} ns, {speed:.1} GB/s");
        }
        text += &format!(
            "\nEach latency contains a reading of the clock: {} ns. ",
            self.environment.clock
        );
        text += "A message is one way: half of a\nround trip. Every message was verified.\n";
        text
    }

    fn machine(&self) -> String {
        let machine = &self.environment;
        let governor = machine.governor.as_deref().unwrap_or("none");
        let load = machine.load.map_or("unknown".to_owned(), |load| format!("{load:.2}"));
        let cpus: Vec<String> = self.cpus.iter().map(usize::to_string).collect();
        let cpus = if cpus.is_empty() { "any".to_owned() } else { cpus.join(",") };
        format!(
            "machine: {}; {}, {} CPUs; on CPU {cpus}; governor {governor}; load {load}",
            machine.kernel, machine.processor, machine.cpus
        )
    }

    /// Comma-separated values, with a header.
    pub fn csv(&self) -> String {
        let mut text = String::from(
            "mechanism,question,size,pace,senders,samples,p50_ns,p90_ns,p99_ns,p99.9_ns,max_ns,\
             messages_per_second,bytes_per_second,lost,spread\n",
        );
        for row in self.groups().into_iter().flatten() {
            let times = PERCENTILES.map(|(_, part)| row.latencies.percentile(part));
            let times: Vec<String> = match row.is_stream() {
                true => vec![String::new(); 5],
                false => times.iter().chain([&row.latencies.max()]).map(u64::to_string).collect(),
            };
            let rates = match row.rate > 0.0 {
                true => format!("{:.0},{:.0}", row.rate, row.rate * row.trial.size as f64),
                false => ",".to_owned(),
            };
            text += &format!(
                "{},{},{},{},{},{},{},{rates},{},{:.3}\n",
                row.mechanism.name,
                row.question(),
                row.trial.size,
                row.trial.pace.word(),
                row.trial.senders,
                row.latencies.count(),
                times.join(","),
                row.lost,
                row.spread
            );
        }
        text
    }

    /// The picture: the latencies of the first size, and all rates.
    pub fn picture(&self) -> Picture {
        let is_timed = |row: &&Row| !row.is_stream();
        let timed: Vec<&Row> = self.groups().into_iter().flatten().filter(is_timed).collect();
        let size = timed.iter().find(|row| row.mechanism.has_any_size()).map(|row| row.trial.size);
        let ranges = timed
            .iter()
            .filter(|row| Some(row.trial.size) == size || !row.mechanism.has_any_size())
            .map(|row| Range {
                name: row.mechanism.name.to_owned(),
                marks: PERCENTILES.map(|(_, part)| row.latencies.percentile(part) as f64).to_vec(),
                colour: row.colour(),
            });
        let size = size.unwrap_or_default();
        Picture {
            latency: format!("Time of a message of {size} B, one way: p50, p90, p99, p99.9"),
            ranges: ranges.collect(),
            throughput: match self.only_size() {
                Some(size) => format!("Messages of {size} B a second"),
                None => "Messages a second by their size".to_owned(),
            },
            lines: self.lines(),
            caption: format!("{}, {}", self.environment.kernel, self.environment.processor),
        }
    }

    /// The size of all rates, if there is one.
    fn only_size(&self) -> Option<usize> {
        let mut sizes =
            self.rows.iter().filter(|row| row.rate > 0.0 && row.mechanism.has_any_size());
        let first = sizes.next().map(|row| row.trial.size)?;
        sizes.all(|row| row.trial.size == first).then_some(first)
    }

    fn lines(&self) -> Vec<Line> {
        let mut lines: Vec<Line> = Vec::new();
        let has_sizes = self.only_size().is_none();
        let belongs = |row: &&Row| row.rate > 0.0 && (row.mechanism.has_any_size() || !has_sizes);
        for row in self.rows.iter().filter(belongs) {
            let point = (row.trial.size as f64, row.rate);
            match lines.iter_mut().find(|line| line.name == row.mechanism.name) {
                Some(line) => line.points.push(point),
                None => lines.push(Line {
                    name: row.mechanism.name.to_owned(),
                    points: vec![point],
                    colour: row.colour(),
                }),
            }
        }
        for line in &mut lines {
            line.points.sort_by(|one, other| one.0.total_cmp(&other.0));
        }
        lines.sort_by(|one, other| other.points[0].1.total_cmp(&one.points[0].1));
        lines
    }
}

fn title(row: &Row) -> String {
    let size = row.trial.size;
    let question = match row.trial.question {
        Question::Latency => format!("Latency of a message of {size} B, in us"),
        Question::Paced { rate } => {
            format!("Latency at {rate} messages a second of {size} B, in us")
        }
        Question::Throughput => format!("Throughput of messages of {size} B"),
    };
    let senders = match row.trial.senders {
        1 => String::new(),
        senders => format!(", {senders} senders"),
    };
    format!("{question}, {}{senders}", row.trial.pace.word())
}
