//! Shows how far a command is that moves bytes for longer than a second: a line on a terminal that is
//! replaced, or a line each few seconds.
//!
//! Another thread reads the number of moved bytes, so that the work itself makes no more system calls. It
//! sleeps until the second is over, and shows nothing before the first byte.

use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::io::output::{Notes, StatusLine, human};
use crate::io::transfer::Counter;
use crate::sys::{stdio, thread};

/// The time that work takes before its progress is shown.
const AT_FIRST: Duration = Duration::from_secs(1);

/// The time between two texts of a line on a terminal.
const REPLACED_EACH: Duration = Duration::from_millis(200);

/// The time between two lines elsewhere.
const ADDED_EACH: Duration = Duration::from_secs(10);

/// The time over which the rate is averaged.
const AVERAGED: f64 = 2.0;

/// The size of the stack of the thread.
const STACK: usize = 128 << 10;

/// Bytes that move in one direction.
#[derive(Clone, Debug)]
pub struct Flow {
    /// The word before their number, if there are several flows.
    pub label: &'static str,
    /// The number of bytes until now.
    pub moved: Arc<Counter>,
    /// The number of all bytes, if it is known.
    pub expected: Option<u64>,
}

impl Flow {
    /// The only one of a command.
    pub fn alone(moved: &Arc<Counter>, expected: Option<u64>) -> Self {
        Self { label: "", moved: Arc::clone(moved), expected }
    }
}

/// When progress is shown.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum When {
    /// On a terminal that shows nothing else meanwhile.
    AtTerminal,
    /// Always.
    Requested,
}

/// The progress of work that is shown until it is dropped.
#[derive(Debug)]
pub struct Progress(Option<(SyncSender<()>, JoinHandle<()>)>);

impl Progress {
    /// Shows the progress of work that begins now. `ends` are the descriptors that the bytes come from and
    /// go to: if one of them is a terminal, the line would be among them.
    pub fn start(when: When, notes: Notes, ends: &[&dyn AsFd], flows: Vec<Flow>) -> Self {
        let medium = medium(when, &notes, ends);
        let Some(medium) = medium else { return Self(None) };
        let (stop, stopped) = sync_channel(0);
        let show = move || show(medium, &notes, flows, &stopped);
        // Where no thread can be started, nothing is shown.
        let thread = thread::start(|thread| thread.stack_size(STACK).spawn(show));
        Self(thread.ok().map(|thread| (stop, thread)))
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some((stop, thread)) = self.0.take() {
            drop(stop);
            // It has nothing to report.
            let _ = thread.join();
        }
    }
}

/// How progress is shown.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Medium {
    Line,
    Lines,
}

fn medium(when: When, notes: &Notes, ends: &[&dyn AsFd]) -> Option<Medium> {
    if notes.is_quiet() {
        return None;
    }
    let is_shared = || ends.iter().any(stdio::is_terminal);
    match (when, stdio::is_terminal(notes.stderr())) {
        (When::AtTerminal, true) if is_shared() => None,
        (When::AtTerminal, false) => None,
        (When::Requested, true) if is_shared() => Some(Medium::Lines),
        (_, true) => Some(Medium::Line),
        (When::Requested, false) => Some(Medium::Lines),
    }
}

/// Shows progress until the other end of the channel is closed.
fn show(medium: Medium, notes: &Notes, flows: Vec<Flow>, stopped: &Receiver<()>) {
    let each = match medium {
        Medium::Line => REPLACED_EACH,
        Medium::Lines => ADDED_EACH,
    };
    let mut pace: Vec<Pace> = flows.into_iter().map(Pace::new).collect();
    let (mut line, mut pause) = (None, AT_FIRST);
    while stopped.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
        pause = each;
        pace.iter_mut().for_each(Pace::measure);
        let Some(text) = text(&pace) else { continue };
        match medium {
            Medium::Lines => notes.say(text),
            Medium::Line => {
                line = line.or_else(|| StatusLine::new(notes.stderr()).ok());
                let Some(line) = &line else { return };
                line.show(&notes.prefixed(text));
            }
        }
    }
}

/// A flow, and how fast it is.
struct Pace {
    flow: Flow,
    /// The number of bytes at the last measurement.
    bytes: u64,
    at: Instant,
    /// Bytes in a second.
    rate: Option<f64>,
}

impl Pace {
    fn new(flow: Flow) -> Self {
        Self { bytes: flow.moved.bytes(), flow, at: Instant::now(), rate: None }
    }

    fn measure(&mut self) {
        let (bytes, now) = (self.flow.moved.bytes(), Instant::now());
        let seconds = (now - self.at).as_secs_f64().max(f64::MIN_POSITIVE);
        let rate = (bytes - self.bytes) as f64 / seconds;
        let weight = seconds / (seconds + AVERAGED);
        self.rate = Some(self.rate.map_or(rate, |before| before + weight * (rate - before)));
        (self.bytes, self.at) = (bytes, now);
    }

    fn text(&self) -> String {
        let rate = self.rate.unwrap_or(0.0);
        let moved = format!("{}{}", self.flow.label, human(self.bytes));
        let speed = human(rate as u64);
        // A file may have grown.
        match self.flow.expected.filter(|&expected| expected > 0 && self.bytes <= expected) {
            None => format!("{moved}, {speed}/s"),
            Some(expected) => {
                let percent = u128::from(self.bytes) * 100 / u128::from(expected);
                let left = (expected - self.bytes) as f64 / rate;
                let left = duration(left).map_or(String::new(), |left| format!(", {left} left"));
                format!("{moved} of {}, {percent}%, {speed}/s{left}", human(expected))
            }
        }
    }
}

/// The text of all flows that have begun; `None` if there is none.
fn text(pace: &[Pace]) -> Option<String> {
    let begun = pace.iter().filter(|pace| pace.bytes > 0).map(Pace::text);
    Some(begun.collect::<Vec<_>>().join("; ")).filter(|text| !text.is_empty())
}

/// A number of seconds for people; `None` if it is too long to be of use.
fn duration(seconds: f64) -> Option<String> {
    const LONGEST: f64 = 100.0 * 3600.0;
    if seconds.is_nan() || seconds >= LONGEST {
        return None;
    }
    let seconds = seconds.ceil() as u64;
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    Some(match (hours, minutes) {
        (0, 0) => format!("{seconds}s"),
        (0, _) => format!("{minutes}m{:02}s", seconds % 60),
        _ => format!("{hours}h{minutes:02}m"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pace(bytes: u64, expected: Option<u64>, rate: f64) -> Pace {
        let flow = Flow { label: "", moved: Arc::default(), expected };
        Pace { flow, bytes, at: Instant::now(), rate: Some(rate) }
    }

    #[test]
    fn a_flow_has_a_share_and_an_end_if_its_size_is_known() {
        let rate = 1024.0 * 1024.0;
        let shown = |bytes, expected| text(&[pace(bytes, expected, rate)]);
        assert_eq!(shown(0, Some(1)), None);
        assert_eq!(shown(1536, None).unwrap(), "1.5K, 1M/s");
        assert_eq!(shown(1 << 20, Some(10 << 20)).unwrap(), "1M of 10M, 10%, 1M/s, 9s left");
        assert_eq!(shown(1, Some(7200 << 20)).unwrap(), "1 of 7G, 0%, 1M/s, 2h00m left");
        assert_eq!(shown(2, Some(1)).unwrap(), "2, 1M/s");
        assert_eq!(text(&[pace(1, Some(2), 0.0)]).unwrap(), "1 of 2, 50%, 0/s");
    }

    #[test]
    fn durations_have_two_units_at_most() {
        let cases =
            [(0.0, "0s"), (59.0, "59s"), (59.2, "1m00s"), (61.0, "1m01s"), (3661.0, "1h01m")];
        for (seconds, text) in cases {
            assert_eq!(duration(seconds).unwrap(), text);
        }
        assert_eq!((duration(f64::INFINITY), duration(f64::NAN)), (None, None));
    }
}
