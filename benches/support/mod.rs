//! What the comparisons share: the builds to compare, and ratios of runs that take turns.
#![allow(dead_code, reason = "each comparison uses its part")]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// The ordinary build, and the static one if `IPC` names it; each a copy, as installing makes it.
/// (A file that the linker has just written is mapped more slowly than a copied one.)
pub fn builds(directory: &Path) -> Vec<(&'static str, PathBuf)> {
    let mut builds = vec![("glibc", PathBuf::from(env!("CARGO_BIN_EXE_ipc")))];
    builds.extend(std::env::var_os("IPC").map(|path| ("static", PathBuf::from(path))));
    for (name, path) in &mut builds {
        let installed = directory.join(format!("ipc-{name}"));
        std::fs::copy(&path, &installed).expect("the build is there");
        *path = installed;
    }
    builds
}

/// How long one run of a command takes. It has to succeed.
pub fn time(command: &mut Command) -> Duration {
    command.stdin(Stdio::null()).stdout(Stdio::null());
    let start = Instant::now();
    let status = command.status().expect("the command starts");
    let elapsed = start.elapsed();
    assert!(status.success(), "{command:?}: {status}");
    elapsed
}

/// Runs all contenders in turn, many times over; the median of each one's time in relation to that
/// of the first in the same turn.
pub fn ratios(rounds: usize, contenders: &mut [Box<dyn FnMut() -> Duration + '_>]) -> Vec<f64> {
    let mut ratios = vec![Vec::with_capacity(rounds); contenders.len()];
    for round in 0..rounds + rounds.div_ceil(10) {
        let times: Vec<f64> = contenders.iter_mut().map(|run| run().as_secs_f64()).collect();
        // The first turns warm up.
        if round >= rounds.div_ceil(10) {
            ratios.iter_mut().zip(&times).for_each(|(ratios, time)| ratios.push(time / times[0]));
        }
    }
    ratios.into_iter().map(median).collect()
}

/// The value in the middle.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Ends the comparison, without a failure, where a program that it needs is missing.
pub fn has(program: &str) -> bool {
    let there = Command::new("sh")
        .args(["-c", &format!("command -v {program}")])
        .stdout(Stdio::null())
        .status();
    there.is_ok_and(|status| status.success())
}

/// Compiles a C program; `None` where there is no compiler.
pub fn compile(directory: &Path, source: &str) -> Option<PathBuf> {
    let (file, program) = (directory.join("peer.c"), directory.join("peer"));
    std::fs::write(&file, source).expect("it can be written");
    let compiled = Command::new("cc").args(["-O2", "-o"]).args([&program, &file]).status();
    compiled.is_ok_and(|status| status.success()).then_some(program)
}
