//! Moves large data into and out of shared memory, in relation to cat and to the best common tool.
//!
//! The targets, for 1 GiB: from a pipe 1.8 times as fast as cat and 1.4 times as the best of the
//! others, from a cached file 1.1 times as cat; to a pipe 5 times as cat, to a file as fast; in
//! less than 8 MiB of private memory.
//!
//! Most of the time is the allocation of memory by the kernel: cat and `ipc` make the same call
//! from file to file, and yet differ from run to run. 'cat again' shows by how much. In a virtual
//! machine that gives free memory back to its host, a gibibyte takes 0.5 s or 2; if
//! /sys/module/page_reporting exists, a page_reporting_order of 11 ends that.
#![allow(clippy::print_stdout, reason = "it is a program that prints its result")]

mod support;

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

const ROUNDS: usize = 11;

/// A source that is faster than the contenders.
const PRODUCER: &str = "dd if=/dev/zero bs=1M count=$MIB status=none";
const MIB: usize = 1024;

fn main() {
    let directory = tempfile::tempdir_in("/dev/shm").expect("there is room");
    let ipc = support::builds(directory.path()).pop().expect("there is a build").1;
    let name = format!("/ipc-bench-{}", std::process::id());
    let place = Place { directory: directory.path(), ipc: &ipc, name: &name };
    let (rounds, mib) = (support::scaled(ROUNDS), support::scaled(MIB));
    println!("{rounds} interleaved runs of {mib} MiB, medians of how many times as fast as cat\n");
    place.compare(
        "from a pipe",
        &[
            ("cat", format!("{PRODUCER} | cat > $T")),
            ("ipc shm write", format!("{PRODUCER} | $IPC shm write $NAME")),
            ("dd bs=1M", format!("{PRODUCER} | dd bs=1M iflag=fullblock of=$T status=none")),
            ("pv", format!("{PRODUCER} | pv -q > $T")),
            ("socat -b 1M", format!("{PRODUCER} | socat -u -b 1048576 - CREATE:$T")),
            ("tee", format!("{PRODUCER} | tee $T > /dev/null")),
        ],
    );
    place.make_source();
    place.compare(
        "from a cached file",
        &[
            ("cat", "cat < $S > $T".to_owned()),
            ("ipc shm write", "$IPC shm write $NAME < $S".to_owned()),
        ],
    );
    place.fill_object();
    let drain = "dd of=/dev/null bs=1M status=none";
    place.compare(
        "to a pipe",
        &[
            ("cat", format!("cat /dev/shm$NAME | {drain}")),
            ("ipc shm cat", format!("$IPC shm cat $NAME | {drain}")),
        ],
    );
    place.compare(
        "to a file",
        &[
            ("cat", "cat /dev/shm$NAME > $T".to_owned()),
            ("ipc shm cat", "$IPC shm cat $NAME > $T".to_owned()),
            ("cat again", "cat /dev/shm$NAME > $T".to_owned()),
        ],
    );
    place.tidy();
    println!("\nmemory of our own while {mib} MiB are written: {} KiB", place.private_kib());
    place.tidy();
}

struct Place<'a> {
    directory: &'a Path,
    ipc: &'a Path,
    name: &'a str,
}

impl Place<'_> {
    fn shell(&self, line: &str) -> Command {
        let mut command = Command::new("bash");
        command.args(["-c", line]).env("IPC", self.ipc).env("NAME", self.name);
        command.env("MIB", support::scaled(MIB).to_string());
        command.env("T", self.directory.join("target")).env("S", self.directory.join("source"));
        command
    }

    /// Prints how many times as fast as the first each line of shell is.
    fn compare(&self, what: &str, lines: &[(&str, String)]) {
        let program = |line: &str| line.rsplit("| ").next().map(str::to_owned).unwrap_or_default();
        let lines: Vec<_> = lines
            .iter()
            .filter(|(_, line)| {
                let last = program(line);
                let first = last.split(' ').next().unwrap_or_default();
                first.starts_with('$') || support::has(first)
            })
            .collect();
        let writes = |line: &str| line.contains("shm write");
        let mut contenders: Vec<Box<dyn FnMut() -> Duration>> = lines
            .iter()
            .map(|(_, line)| {
                let run: Box<dyn FnMut() -> Duration> = Box::new(move || {
                    // The target is new each time.
                    let _ = std::fs::remove_file(self.directory.join("target"));
                    if writes(line) {
                        self.tidy();
                    }
                    support::time(&mut self.shell(&format!("set -o pipefail; {line}")))
                });
                run
            })
            .collect();
        self.warm();
        let ratios = support::ratios(support::scaled(ROUNDS), &mut contenders);
        println!("{what}");
        for ((contender, _), ratio) in lines.iter().zip(ratios) {
            println!("    {contender:<16}{:>6.2}", 1.0 / ratio);
        }
        let _ = std::fs::remove_file(self.directory.join("target"));
        self.tidy_after(&lines.iter().map(|(_, line)| writes(line)).collect::<Vec<_>>());
    }

    fn tidy_after(&self, written: &[bool]) {
        if written.contains(&true) {
            self.tidy();
        }
    }

    /// Touches the memory that the contenders will use. In a virtual machine the first use of a
    /// page costs more than all that is measured here.
    fn warm(&self) {
        support::time(&mut self.shell("head -c $((4 * MIB))M /dev/zero > $T; rm $T"));
    }

    fn make_source(&self) {
        support::time(&mut self.shell(&format!("{PRODUCER} > $S")));
    }

    fn fill_object(&self) {
        support::time(&mut self.shell("$IPC shm write $NAME < $S && rm $S"));
    }

    fn tidy(&self) {
        support::time(&mut self.shell("$IPC shm rm -f $NAME"));
    }

    /// The anonymous memory of the process at the end of writing.
    fn private_kib(&self) -> u64 {
        let mut command = Command::new(self.ipc);
        command.args(["shm", "write", self.name]).stdin(Stdio::piped());
        let mut child = command.spawn().expect("it starts");
        let mut input = child.stdin.take().expect("it is a pipe");
        let block = vec![0; 1 << 20];
        for _ in 0..support::scaled(MIB) {
            std::io::Write::write_all(&mut input, &block).expect("it reads");
        }
        let status = format!("/proc/{}/status", child.id());
        let text = std::fs::read_to_string(status).expect("it still waits for more");
        drop(input);
        assert!(child.wait().expect("it is ours").success());
        let line = text.lines().find_map(|line| line.strip_prefix("RssAnon:"));
        let kib = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
        kib.expect("the kernel tells")
    }
}
