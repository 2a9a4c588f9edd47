//! The machine that a measurement was made on.

use std::fs;

use nix::sys::utsname::uname;

use crate::sys::{cpu, time};

/// The machine, in the words of the report.
#[derive(Clone, Debug)]
pub struct Environment {
    pub kernel: String,
    pub processor: String,
    /// The number of CPUs on which this process may run.
    pub cpus: usize,
    /// The frequency governor, if the kernel has one.
    pub governor: Option<String>,
    /// The number of runnable processes, as an average of the last minute.
    pub load: Option<f64>,
    /// The nanoseconds of one reading of the clock, which each sample contains.
    pub clock: u64,
}

impl Environment {
    pub fn read() -> Self {
        let kernel = uname().map_or(String::new(), |name| {
            format!("{} {}", name.sysname().to_string_lossy(), name.release().to_string_lossy())
        });
        Self {
            kernel,
            processor: processor().unwrap_or_else(|| std::env::consts::ARCH.to_owned()),
            cpus: cpu::allowed(),
            governor: word("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
            load: word("/proc/loadavg").and_then(|load| load.parse().ok()),
            clock: clock(),
        }
    }
}

fn processor() -> Option<String> {
    let text = fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

/// The first word of a file.
fn word(path: &str) -> Option<String> {
    Some(fs::read_to_string(path).ok()?.split_whitespace().next()?.to_owned())
}

/// The mean time of a reading of the clock.
fn clock() -> u64 {
    const READINGS: u64 = 10_000;
    let begin = time::monotonic();
    let mut end = begin;
    for _ in 0..READINGS {
        end = std::hint::black_box(time::monotonic());
    }
    (end - begin).div_ceil(READINGS)
}
