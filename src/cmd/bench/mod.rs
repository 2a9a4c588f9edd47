//! `ipc bench`: how fast each mechanism is on this machine.

mod compare;
mod json;
mod report;
mod results;
mod start;
mod tables;
mod values;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::anyhow;

use self::compare::{Change, Older};
use self::report::{Limits, Report};
use self::results::{Plan, Row};
use self::tables::Start;
use self::values::{Cpus, Positive, Senders, Sizes};
use crate::app::arguments::Plain;
use crate::app::command::{Action, Described, Example};
use crate::app::context::Context;
use crate::app::listing::{Json, print_all, show};
use crate::app::options::Format;
use crate::base::exit::{Exit, Failure, about};
use crate::base::units::Timeout;
use crate::io::output::{Output, StatusLine};
use crate::measure::environment::Environment;
use crate::measure::{self, Error, MECHANISMS, Mechanism, Pace, Question, Trial, limits};

/// Measure the mechanisms
///
/// Two processes exchange messages by each mechanism. Latency: one process sends a message and waits
/// for an answer of the same size, and half of that time counts. Throughput: one process sends as
/// fast as it can, and the time ends when the other has the last message. Without --latency and
/// --throughput, both are measured. 'ipc bench start' measures how long programs take to start.
///
/// A process that waits sleeps in the kernel; with --spin it tries again at once. Each message has a
/// number and is verified by its receiver; in the timed part of a throughput only its ends are
/// verified. If a message is lost or damaged, the status is 3; only UDP may lose messages, which are
/// counted. The rounds of the mechanisms take turns, and SPREAD is the difference between rounds.
///
/// With --rate, messages are sent at that rate, and the time of each counts from the moment at which
/// it was due, so that a pause is not hidden. The mechanisms are those of 'ipc guide', and
/// shm-futex and shm-sem: a bounded buffer in shared memory whose sides wait by futexes or by two
/// semaphores, which a killed process leaves locked; map is the same in a file. door is a call
/// and its answer over a connection that is there, without a COMMAND.
///
/// A benchmark that people quote for these mechanisms, goldsborough/ipc-bench, says of 100 B that
/// shared memory is up to 40 times as fast as a Unix socket, a FIFO twice as fast as that, and a
/// Unix socket twice as fast as TCP. One virtual machine with two CPUs gave this. Shared memory: in a
/// round trip, 150 times if both processes spin, but 2 times if they sleep on one CPU, and no
/// difference if they sleep on two, because the time is then that of waking a process on another CPU;
/// one way, where a sender need not wait for each message, 25 times ('queue'). A FIFO: 1.8 times on
/// one CPU and 2.6 times one way, since a stream socket allocates a buffer for each write; no difference
/// between two CPUs. A Unix socket: 1.4 times as fast as TCP in a round trip and 5 times one way,
/// since TCP passes through the network stack and acknowledges. That benchmark counts a round trip as
/// a message, so its figures are to be compared with twice those here.
#[derive(Debug, clap::Args, Plain)]
pub struct Bench {
    /// Mechanisms, such as mq or unix-stream; default all. Or 'start'
    #[arg(value_name = "MECHANISM")]
    mechanisms: Vec<String>,
    /// Sizes of messages, such as 100,4K,1M; default 100
    #[arg(short, long, value_name = "LIST")]
    size: Option<Sizes>,
    /// Time for each result; default 0.5s
    #[arg(short, long, value_name = "DURATION")]
    duration: Option<Timeout>,
    /// Measure the time of a message
    #[arg(short, long)]
    latency: bool,
    /// Measure the number of messages
    #[arg(long)]
    throughput: bool,
    /// Send N messages a second
    #[arg(long, value_name = "N", conflicts_with_all = ["latency", "throughput", "contended"])]
    rate: Option<Positive>,
    /// Do not sleep while waiting
    #[arg(long)]
    spin: bool,
    /// Send from N processes to one
    #[arg(long, value_name = "N", conflicts_with = "latency")]
    contended: Option<Senders>,
    /// The CPU of the receiver, and of the senders
    ///
    /// One number runs all on one CPU. By default, the first two CPUs are used, if there are two.
    #[arg(long, value_name = "CPU[,CPU]...")]
    cpus: Option<Cpus>,
    /// Divide the time into N rounds; default 5
    #[arg(long, value_name = "N", hide_short_help = true)]
    rounds: Option<Positive>,
    /// Write every sample to a file: mechanism, size and nanoseconds
    #[arg(long, value_name = "FILE", hide_short_help = true)]
    raw: Option<PathBuf>,
    /// Print comma-separated values
    #[arg(long, conflicts_with = "json")]
    csv: bool,
    /// Draw the results into an SVG file
    #[arg(long, value_name = "FILE.svg")]
    plot: Option<PathBuf>,
    /// Print what changed since an output of --json
    #[arg(long, value_name = "FILE", conflicts_with = "csv")]
    compare: Option<PathBuf>,
    #[command(flatten)]
    format: Format,
}

impl Action for Bench {
    const EXAMPLES: &'static [Example] = &[
        ("Compare all mechanisms", "ipc bench"),
        ("Compare the round trips of three", "ipc bench --latency pipe mq queue"),
        ("See the rates of short and long messages", "ipc bench --throughput --size 100,4K,64K"),
        ("Draw a picture", "ipc bench --size 100,1K,10K --plot bench.svg"),
        (
            "See the effect of a change",
            "ipc bench mq --json > old.json; ipc bench mq --compare old.json",
        ),
        ("Measure at a rate, on one CPU", "ipc bench queue --rate 10000 --cpus 0"),
    ];

    const JSON: &'static [Json] =
        &[Json::object::<Report>().of("mechanisms"), Json::array::<Start>().of("'start'")];

    fn words() -> Vec<Described> {
        let start = ("start", "The time that programs take to start");
        MECHANISMS.iter().map(|mechanism| (mechanism.name, "")).chain([start]).collect()
    }

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let output = &mut context.output;
        if let [word] = self.mechanisms.as_slice()
            && word == "start"
        {
            return start::run(self.format, output);
        }
        let older = self.compare.as_deref().map(Older::read).transpose()?;
        let plans = self.plans()?;
        let rows = self.measure(plans, output)?;
        let report = Report {
            environment: Environment::read(),
            limits: self.limits(),
            changes: older.as_ref().map(|older| older.changes(&rows)),
            rows,
            cpus: self.cpus(),
        };
        self.write_files(&report)?;
        self.print(&report, older.as_ref(), output)?;
        Ok(Exit::Done)
    }
}

/// The default time of a row.
const DURATION: Duration = Duration::from_millis(500);

/// The time of each limit.
const BRIEF: Duration = Duration::from_millis(50);

impl Bench {
    fn mechanisms(&self) -> anyhow::Result<Vec<&'static Mechanism>> {
        if self.mechanisms.is_empty() {
            return Ok(MECHANISMS.iter().collect());
        }
        let mut chosen = Vec::new();
        for word in &self.mechanisms {
            let found = Mechanism::meant_by(word);
            if found.is_empty() {
                let names: Vec<&str> = MECHANISMS.iter().map(|m| m.name).collect();
                let failure = Failure::new(Exit::Usage, "not a mechanism that is measured");
                return Err(about(failure.hint(format!("one of {}", names.join(", "))), word));
            }
            chosen.extend(found);
        }
        Ok(chosen)
    }

    fn questions(&self) -> Vec<Question> {
        if let Some(Positive(rate)) = self.rate {
            return vec![Question::Paced { rate: rate.into() }];
        }
        match (self.latency, self.throughput || self.contended.is_some()) {
            (true, false) => vec![Question::Latency],
            (false, true) => vec![Question::Throughput],
            _ => vec![Question::Latency, Question::Throughput],
        }
    }

    fn sizes(&self) -> Vec<usize> {
        self.size.as_ref().map_or(vec![100], |Sizes(sizes)| sizes.clone())
    }

    fn cpus(&self) -> Vec<usize> {
        match &self.cpus {
            Some(Cpus(cpus)) => cpus.clone(),
            None => measure::usual_cpus(),
        }
    }

    /// The rows to measure.
    fn plans(&self) -> anyhow::Result<Vec<Plan>> {
        let mechanisms = self.mechanisms()?;
        let mut plans = Vec::new();
        for question in self.questions() {
            for size in self.sizes() {
                for &mechanism in &mechanisms {
                    let trial = self.trial(question, mechanism.size_for(size));
                    let is_new = !plans.iter().any(|plan: &Plan| {
                        std::ptr::eq(plan.mechanism, mechanism)
                            && plan.trial.question == question
                            && plan.trial.size == trial.size
                    });
                    if is_new && mechanism.suits(&trial) {
                        plans.push(Plan::new(mechanism, trial));
                    }
                }
            }
        }
        match plans.is_empty() {
            true => Err(anyhow!(Failure::new(Exit::Usage, "no mechanism can be measured so"))),
            false => Ok(plans),
        }
    }

    fn trial(&self, question: Question, size: usize) -> Trial {
        Trial {
            question,
            pace: if self.spin { Pace::Spinning } else { Pace::Blocking },
            size,
            senders: self.contended.map_or(1, |Senders(number)| number),
            duration: Duration::ZERO,
            cpus: self.cpus(),
        }
    }

    /// Measures all rows, in rounds.
    fn measure(&self, mut plans: Vec<Plan>, output: &Output) -> anyhow::Result<Vec<Row>> {
        let rounds = self.rounds.map_or(5, |Positive(rounds)| rounds);
        let duration = match self.duration {
            None => DURATION,
            Some(Timeout::For(duration)) => duration,
            Some(Timeout::Forever) => {
                return Err(about(Failure::new(Exit::Usage, "not limited"), "--duration"));
            }
        } / rounds;
        let line = output.is_watched().then(|| StatusLine::new(output.notes().stderr()));
        let line = line.and_then(Result::ok);
        for round in 1..=rounds {
            let mut index = 0;
            while let Some(plan) = plans.get_mut(index) {
                if let Some(line) = &line {
                    line.show(&format!("round {round} of {rounds}: {}", plan.mechanism.name));
                }
                match plan.run(duration) {
                    Ok(()) => index += 1,
                    // The row is left out, as the table of the limits says why.
                    Err(Error::Unsuitable) => drop(plans.remove(index)),
                    Err(error) => {
                        let failure = Failure::failed(error.to_string());
                        return Err(about(failure, plan.mechanism.name));
                    }
                }
            }
        }
        drop(line);
        if plans.is_empty() {
            let failure = Failure::new(Exit::Usage, "no mechanism has messages of this size");
            return Err(anyhow!(failure));
        }
        Ok(plans.into_iter().map(Plan::into_row).collect())
    }

    fn limits(&self) -> Limits {
        let copy = |size: usize| (size, limits::copy(size, BRIEF));
        Limits {
            system_call: limits::system_call(BRIEF),
            copies: self.sizes().into_iter().map(copy).collect(),
        }
    }

    fn write_files(&self, report: &Report) -> anyhow::Result<()> {
        if let Some(path) = &self.raw {
            let mut text = String::from("mechanism,size,ns\n");
            for row in &report.rows {
                for sample in row.latencies.samples() {
                    text += &format!("{},{},{sample}\n", row.mechanism.name, row.trial.size);
                }
            }
            write(path, &text)?;
        }
        if let Some(path) = &self.plot {
            write(path, &report.picture().svg())?;
        }
        Ok(())
    }

    fn print(
        &self,
        report: &Report,
        older: Option<&Older>,
        output: &mut Output,
    ) -> anyhow::Result<()> {
        if self.csv {
            output.text(report.csv())?;
        } else if self.format.is_json() {
            show(report, self.format, output)?;
        } else {
            report.print(output)?;
            if let (Some(changes), Some(older)) = (&report.changes, older) {
                print_changes(changes, older.shared(&report.rows), output)?;
            }
        }
        Ok(())
    }
}

fn write(path: &std::path::Path, text: &str) -> anyhow::Result<()> {
    std::fs::write(path, text).map_err(|error| about(crate::base::errno::Errno::from(error), path))
}

fn print_changes(changes: &[Change], shared: usize, output: &mut Output) -> anyhow::Result<()> {
    output.line("")?;
    if changes.is_empty() {
        output.line(format_args!("No change beyond the noise in {shared} results."))?;
        return Ok(());
    }
    output.line(format_args!("Changes beyond the noise, of {shared} results, in ns a message"))?;
    print_all(changes, Format::TEXT, output)?;
    Ok(())
}
