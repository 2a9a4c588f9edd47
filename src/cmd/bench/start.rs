//! `ipc bench start`: how long programs take to start.

use std::ffi::OsString;

use anyhow::anyhow;

use super::tables::{Start, Times};
use crate::app::listing::print_all;
use crate::app::options::Format;
use crate::base::exit::{Exit, Failure};
use crate::io::output::Output;
use crate::measure::start::{Candidate, measure};
use crate::measure::statistics::Distribution;

/// Programs that do nothing, or as little as they can. Those that are not installed are left out.
const OTHERS: [&[&str]; 4] =
    [&["true"], &["sh", "-c", ":"], &["flock", "--version"], &["socat", "-V"]];

/// The starts of each program.
const ROUNDS: usize = 200;

/// Measures and prints.
pub fn run(format: Format, output: &mut Output) -> anyhow::Result<Exit> {
    let own = std::env::current_exe().map(OsString::from).unwrap_or_else(|_| "ipc".into());
    let own = Candidate::of(vec![own, "--version".into()]);
    let others = OTHERS.iter().filter_map(|words| Candidate::find(words));
    let mut candidates: Vec<Candidate> = own.into_iter().chain(others).collect();
    measure(&mut candidates, ROUNDS)
        .map_err(|error| anyhow!(Failure::failed(error.to_string())))?;
    let rows: Vec<(String, Distribution)> = candidates.into_iter().map(row).collect();
    let first = rows.first().map_or(0, |(_, times)| times.median());
    let row = |(program, times): &(String, Distribution)| Start {
        program: program.clone(),
        times: Times::of(times),
        ratio: ratio(times, first),
    };
    if !format.is_json() {
        output.line("From the start of a program to its end, in us")?;
    }
    print_all(&rows.iter().map(row).collect::<Vec<Start>>(), format, output)?;
    Ok(Exit::Done)
}

/// The words of a program, with its name instead of its path, and its times.
fn row(candidate: Candidate) -> (String, Distribution) {
    let words = candidate.words.iter().enumerate().map(|(index, word)| {
        let word = word.to_string_lossy();
        match index {
            0 => word.rsplit('/').next().unwrap_or_default().to_owned(),
            _ => word.into_owned(),
        }
    });
    (words.collect::<Vec<_>>().join(" "), Distribution::new(candidate.samples))
}

fn ratio(times: &Distribution, first: u64) -> f64 {
    if first == 0 { 0.0 } else { times.median() as f64 / first as f64 }
}
