//! The common parts of the comparisons: the builds, and ratios of runs that take turns.
#![allow(dead_code, reason = "each comparison uses its part")]

use std::ffi::CString;
use std::fs::File;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::spawn::{PosixSpawnAttr, PosixSpawnFileActions, posix_spawnp};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::Pid;

/// The ordinary build, and the static one if `IPC` names it; each a copy, because a file that the
/// linker has just written is mapped more slowly.
pub fn builds(directory: &Path) -> Vec<(&'static str, PathBuf)> {
    let mut builds = vec![("glibc", PathBuf::from(env!("CARGO_BIN_EXE_ipc")))];
    builds.extend(std::env::var_os("IPC").map(|path| ("static", PathBuf::from(path))));
    for (name, path) in &mut builds {
        let installed = directory.join(format!("ipc-{name}"));
        copy(path, &installed);
        *path = installed;
    }
    builds
}

/// Copies a program in one write. The kernel caches a file in pieces as large as the writes were, and maps
/// these as a whole, so that only copies that were made alike can be compared.
pub fn copy(program: &Path, to: &Path) {
    let bytes = std::fs::read(program).expect("the build is there");
    std::fs::write(to, bytes).expect("it can be written");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(to, mode).expect("it is ours");
}

/// The time of one run of a command, from the call that starts it to the call that returns its
/// status; preparations do not count. The command must succeed.
pub fn time(command: &mut Command) -> Duration {
    let words: Vec<CString> = std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|word| CString::new(word.as_bytes()).expect("no word has a NUL"))
        .collect();
    let own = command.get_envs().filter_map(|(name, value)| Some((name.into(), value?.into())));
    let environment: Vec<CString> = std::env::vars_os()
        .chain(own)
        .map(|(name, value)| [name.as_bytes(), b"=", value.as_bytes()].concat())
        .map(|variable| CString::new(variable).expect("no variable has a NUL"))
        .collect();
    let nothing = File::options().read(true).write(true).open("/dev/null").expect("it is there");
    let mut actions = PosixSpawnFileActions::init().expect("there is memory");
    for stream in [0, 1] {
        actions.add_dup2(nothing.as_raw_fd(), stream).expect("there is memory");
    }
    let attributes = PosixSpawnAttr::init().expect("there is memory");
    let program = words[0].as_c_str();

    let start = Instant::now();
    let child = posix_spawnp(program, &actions, &attributes, &words, &environment);
    let ended = waitpid(child.expect("the command starts"), None);
    let elapsed = start.elapsed();
    assert!(matches!(ended, Ok(WaitStatus::Exited(_, 0))), "{command:?}: {ended:?}");
    elapsed
}

/// An amount of work: this amount, or a hundredth with `IPC_BENCH=quick`, which only shows that the
/// comparison runs.
pub fn scaled(usual: usize) -> usize {
    match std::env::var_os("IPC_BENCH") {
        Some(speed) if speed == "quick" => usual.div_ceil(100),
        _ => usual,
    }
}

/// Runs all contenders in turn, many times over; the median of each one's time in relation to that
/// of the first in the same turn.
pub fn ratios(rounds: usize, contenders: &mut [Box<dyn FnMut() -> Duration + '_>]) -> Vec<f64> {
    let turns = turns(rounds, contenders);
    (0..contenders.len())
        .map(|place| median(turns.iter().map(|times| times[place] / times[0]).collect()))
        .collect()
}

/// Runs all contenders in turn, many times over; their times in seconds, turn by turn. Every other
/// turn is in reverse order, because each contender influences the next.
pub fn turns(rounds: usize, contenders: &mut [Box<dyn FnMut() -> Duration + '_>]) -> Vec<Vec<f64>> {
    let warm_up = rounds.div_ceil(10);
    let turn = |round: usize| {
        let mut times = vec![0.0; contenders.len()];
        let mut places: Vec<usize> = (0..contenders.len()).collect();
        if round % 2 == 1 {
            places.reverse();
        }
        for place in places {
            times[place] = contenders[place]().as_secs_f64();
        }
        times
    };
    (0..rounds + warm_up).map(turn).skip(warm_up).collect()
}

/// Compiles a C program to compare with; `None` without a compiler.
pub fn c(directory: &Path, source: &str) -> Option<PathBuf> {
    let (file, program) = (directory.join("peer.c"), directory.join("peer"));
    std::fs::write(&file, source).expect("it can be written");
    let mut compiler = Command::new("cc");
    compiler.args(["-O2", "-D_GNU_SOURCE", "-pthread", "-o"]).args([&program, &file]).arg("-lrt");
    compiler.status().is_ok_and(|status| status.success()).then_some(program)
}

/// The CPUs of this process.
pub fn cpus() -> Vec<usize> {
    let allowed = sched_getaffinity(Pid::from_raw(0)).expect("it can be asked");
    (0..CpuSet::count()).filter(|&cpu| allowed.is_set(cpu) == Ok(true)).collect()
}

/// Starts a command on these CPUs.
pub fn spawn_on(mut command: Command, cpus: &[usize]) -> Child {
    let before = sched_getaffinity(Pid::from_raw(0)).expect("it can be asked");
    let mut set = CpuSet::new();
    for &cpu in cpus {
        set.set(cpu).expect("it is one of ours");
    }
    sched_setaffinity(Pid::from_raw(0), &set).expect("it is one of ours");
    let child = command.spawn().expect("it starts");
    sched_setaffinity(Pid::from_raw(0), &before).expect("it was so before");
    child
}

/// The median.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Ends the comparison without a failure if a program that it needs is missing.
pub fn has(program: &str) -> bool {
    let there = Command::new("sh")
        .args(["-c", &format!("command -v {program}")])
        .stdout(Stdio::null())
        .status();
    there.is_ok_and(|status| status.success())
}
