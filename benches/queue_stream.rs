//! Lines of 100 bytes through the shell, from one process to another: a queue, beside two cat(1), a POSIX
//! queue, and the limit of the machine.
//!
//! The targets: 20 times the rate of `mq send | mq recv -f`, and 1.5 times that of `cat FILE | cat`, or within
//! 10 % of the limit of the machine. That is a C program that makes the same reads and writes, finds each
//! newline, and copies each line once into a ring and once out of it; a kill breaks its ring.
//!
//! In the first form a file is read, and the output is /dev/null. In the second both sides are pipes to two
//! cat(1): there the reads and writes of four processes, on the CPUs that there are, take more time than all
//! else.
//!
//! All take turns, and the output is medians of one run.
#![allow(clippy::print_stdout, reason = "it is a program that prints its result")]

mod support;

use std::path::Path;
use std::process::Command;
use std::time::Duration;

const PEER: &str = include_str!("queue_stream.c");

const LINES: usize = 2_000_000;
/// As many lines of 100 bytes for POSIX queues, which are slower.
const FEW: usize = 100_000;
const ROUNDS: usize = 15;

/// Both ways through the shell: what they are called, how a line of them begins, and how it ends.
const FORMS: [(&str, &str, &str); 2] = [
    ("push <FILE, pop >/dev/null", "", "> /dev/null"),
    ("cat FILE | push, pop | cat", "cat lines |", "| cat > /dev/null"),
];

fn main() {
    let directory = tempfile::tempdir_in("/dev/shm").expect("a directory can be made");
    let Some(limit) = support::c(directory.path(), PEER) else {
        println!("queue_stream: no C compiler, nothing to compare with");
        return;
    };
    for (name, count) in [("lines", LINES), ("few", FEW)] {
        let lines = [&[b'x'; 99][..], b"\n"].concat().repeat(support::scaled(count));
        std::fs::write(directory.path().join(name), lines).expect("there is room");
    }
    for (build, ipc) in support::builds(directory.path()) {
        compare(build, &ipc, &limit, directory.path());
    }
}

fn compare(build: &str, ipc: &Path, limit: &Path, directory: &Path) {
    let queue = format!("/ipc-bench-{}", std::process::id());
    let shell = |line: &str| {
        let mut command = Command::new("bash");
        command.args(["-c", &format!("set -e -o pipefail; cd \"$DIRECTORY\"; {line}")]);
        command.env("OURS", ipc).env("LIMIT", limit).env("DIRECTORY", directory);
        command.env("QUEUE", &queue);
        command
    };
    let mut lines = vec![
        "cat lines | cat > /dev/null".to_owned(),
        "$OURS mq create $QUEUE
        { $OURS mq send $QUEUE < few; $OURS mq send --eof $QUEUE; } &
        $OURS mq recv -f --until-eof $QUEUE > /dev/null
        wait $!; $OURS mq rm $QUEUE"
            .to_owned(),
    ];
    // The queue, and the limit.
    let through = |from: &str, to: &str| {
        let stdin = if from.is_empty() { "< lines" } else { "" };
        let queue = format!(
            "$OURS queue create --capacity 1M ./q
            $OURS queue pop -f ./q {to} &
            {from} $OURS queue push ./q {stdin}
            $OURS queue close ./q; wait $!; $OURS queue rm ./q"
        );
        [queue, format!("{from} $LIMIT 1048576 {stdin} {to}")]
    };
    for line in through("", "| cmp - lines") {
        support::time(&mut shell(&line));
    }
    lines.extend(FORMS.iter().flat_map(|(_, from, to)| through(from, to)));
    let contender = |line: &String| -> Box<dyn FnMut() -> Duration> {
        let mut command = shell(line);
        Box::new(move || support::time(&mut command))
    };
    let mut contenders: Vec<_> = lines.iter().map(contender).collect();
    let counts = [LINES, FEW, LINES, LINES, LINES, LINES].map(support::scaled);
    let turns: Vec<Vec<f64>> = support::turns(support::scaled(ROUNDS), &mut contenders)
        .into_iter()
        .map(|times| times.iter().zip(counts).map(|(time, count)| count as f64 / time).collect())
        .collect();
    let median = |value: &dyn Fn(&[f64]) -> f64| {
        support::median(turns.iter().map(|rates| value(rates)).collect())
    };
    let rate = |place: usize| median(&|rates| rates[place] / 1e6);
    let ratio = |one: usize, other: usize| median(&|rates| rates[one] / rates[other]);

    println!("lines of 100 B, {build}, million a second, medians of {}", turns.len());
    println!("    cat FILE | cat {:.2}, mq send | mq recv -f {:.2}", rate(0), rate(1));
    for ((name, ..), ours, limit) in [(FORMS[0], 2, 3), (FORMS[1], 4, 5)] {
        println!(
            "    {name}: {:.2}, {:.2} of cat | cat, {:.1} of mq; {:.2} of the limit ({:.2})",
            rate(ours),
            ratio(ours, 0),
            ratio(ours, 1),
            ratio(ours, limit),
            rate(limit)
        );
    }
}
