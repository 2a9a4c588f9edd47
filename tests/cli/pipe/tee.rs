//! `ipc pipe tee`.

use std::fs;
use std::io::{Read, Write};

use nix::sys::signal::Signal;

use crate::support::{Run, bash, code, ipc, sh, text, until};

/// Bytes that repeat nowhere near the size of a pipe.
fn sample() -> Vec<u8> {
    (0..1_u32 << 20).flat_map(|number| number.wrapping_mul(2_654_435_761).to_le_bytes()).collect()
}

#[test]
fn every_output_gets_every_byte() {
    let directory = tempfile::tempdir().unwrap();
    let sample = sample();
    fs::write(directory.path().join("in"), &sample).unwrap();
    let same = "cmp in out && for file in \"$@\"; do cmp in $file || exit 1; done";
    for line in [
        "cat in | ipc pipe tee a | cat > out",
        "cat in | ipc pipe tee a b | cat > out",
        "cat in | ipc pipe tee a > out",
        "cat in | ipc pipe tee a b > out",
        "ipc pipe tee a b < in > out",
        "ipc pipe tee a < in | cat > out",
        "> out; cat in | ipc pipe tee a >> out",
        "cat in | ipc pipe tee --capacity 4K a | cat > out",
        "cat in | ipc pipe tee --capacity 1M >(cat > a; > done) | cat > out; until_true [ -e done ]",
        "mkfifo p q; cat p > a & cat q > b & cat in | ipc pipe tee p q | cat > out; wait",
        "cat p > a & (sleep 0.2; exec cat) < q > b & ipc pipe tee p q c < in > out; wait; cmp in c",
        "(sleep 0.2; exec cat) < p > a & cat in | ipc pipe tee p | (sleep 0.1; exec cat) > out; wait",
    ] {
        let line =
            format!("rm -f a b c done out; {line} && set -- a && [ ! -e b ] || set -- a b; {same}");
        bash(&line).within(directory.path()).is(0, "", "");
    }
}

#[test]
fn outputs_of_unequal_speed_get_the_same() {
    // Each takes another amount at a time, and the slowest sets the pace.
    let directory = tempfile::tempdir().unwrap();
    let slow = "python3 -c 'import os, sys, time\nwhile data := os.read(0, int(sys.argv[1])): os.write(1, data)'";
    let line = format!(
        "mkfifo p q; {slow} 777 < p | cksum > a & {slow} 70000 < q | cksum > b & \
         head -c 3000000 /dev/urandom > in; cat in | ipc pipe tee p q | {slow} 4097 | cksum > c; wait; \
         cksum < in > d; cmp a b && cmp b c && cmp c d"
    );
    bash(&line).within(directory.path()).is(0, "", "");
}

#[test]
fn a_stream_outlives_a_reader_that_leaves() {
    let directory = tempfile::tempdir().unwrap();
    // The open of the shell waits for the reader, so that the command finds it.
    let line = "mkfifo p; head -c 10 p > /dev/null & exec 3> p; \
                head -c 3000000 /dev/zero | { exec 3>&- 4> p; ipc pipe tee -v p 4>&-; } | wc -c; wait";
    bash(line).within(directory.path()).is(
        0,
        "3000000\n",
        "ipc: pipe tee: p: its reader has closed\n",
    );
    // Stdout is an output like the others.
    let line = "cat p | wc -c > count & \
                head -c 3000000 /dev/zero | ipc pipe tee p | true; wait; cat count";
    bash(line).within(directory.path()).is(0, "3000000\n", "");
}

#[test]
fn a_stream_ends_when_no_reader_is_left() {
    let line = "set -o pipefail; yes | ipc pipe tee >(head -n1 > /dev/null) | head -n1";
    bash(line).is(141, "y\n", "");
}

#[test]
fn a_reader_that_leaves_is_noticed_without_data() {
    let mut child = std::process::Command::new(crate::support::binary())
        .args(["pipe", "tee"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let (mut input, mut output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    input.write_all(b"some").unwrap();
    let mut some = [0; 4];
    output.read_exact(&mut some).unwrap();
    drop(output);
    use std::os::unix::process::ExitStatusExt;
    assert_eq!(child.wait().unwrap().signal(), Some(Signal::SIGPIPE as i32));
    drop(input);
}

#[test]
fn a_full_disk_stops_one_output_and_is_in_the_status() {
    let directory = tempfile::tempdir().unwrap();
    let error =
        "ipc: pipe tee: /dev/full: No space left on device\nhint: 'df' shows the free space\n";
    for line in [
        "cat in | ipc pipe tee /dev/full",
        "ipc pipe tee /dev/full < in",
        "cat in | ipc pipe tee /dev/full a | cat; exit ${PIPESTATUS[1]}",
    ] {
        let line = format!("echo some > in; {line}");
        bash(&line).within(directory.path()).is(3, "some\n", error);
    }
    assert_eq!(fs::read(directory.path().join("a")).unwrap(), b"some\n");
    let limited = "ulimit -f 1; trap '' XFSZ; head -c 100000 /dev/zero | ipc pipe tee a | wc -c; \
                   exit ${PIPESTATUS[1]}";
    let output = bash(limited).within(directory.path()).output();
    assert_eq!((code(&output), text(&output.stdout)), (3, "100000\n".to_owned()));
    assert_eq!(text(&output.stderr), "ipc: pipe tee: a: File too large\n");
}

#[test]
fn an_output_that_cannot_be_opened_stops_no_other() {
    let directory = tempfile::tempdir().unwrap();
    ipc(&["pipe", "tee", "no/such", "a"]).within(directory.path()).input("some").is(
        4,
        "some",
        "ipc: pipe tee: no/such: No such file or directory\n",
    );
    assert_eq!(fs::read(directory.path().join("a")).unwrap(), b"some");
}

#[test]
fn a_fifo_without_a_reader_is_an_output_that_fails_in_time() {
    let directory = tempfile::tempdir().unwrap();
    ipc(&["mkfifo", "p"]).within(directory.path()).is(0, "", "");
    let run =
        |words: &[&str]| ipc(&["pipe", "tee"]).words(words).within(directory.path()).input("some");
    run(&["-n", "p", "a"]).is(1, "some", "");
    run(&["-nv", "p"]).is(1, "some", "ipc: pipe tee: p: would block\n");
    run(&["-t50ms", "p", "a"]).is(124, "some", "ipc: pipe tee: p: timed out\n");
    assert_eq!(fs::read(directory.path().join("a")).unwrap(), b"some");
    let waits = "ipc: pipe tee: p: waiting for a reader\n";
    run(&["-vt50ms", "p"]).is(124, "some", &format!("{waits}ipc: pipe tee: p: timed out\n"));
    let reader = Run::new("cat", &["p"]).within(directory.path()).start();
    run(&["-t60", "p"]).is(0, "some", "");
    assert_eq!(text(&reader.finish().stdout), "some");
}

#[test]
fn the_timeout_limits_waits_for_a_reader_that_does_not_read() {
    let directory = tempfile::tempdir().unwrap();
    let line = "mkfifo p; exec 7<>p; yes | ipc pipe tee -t 50ms p > /dev/null";
    bash(line).within(directory.path()).is(124, "", "ipc: pipe tee: timed out\n");
    let line = "exec 7<>p; { echo a; sleep 0.3; echo b; } | ipc pipe tee -t 100ms p";
    bash(line).within(directory.path()).is(0, "a\nb\n", "");
}

#[test]
fn closed_standard_descriptors_are_errors() {
    let directory = tempfile::tempdir().unwrap();
    let within = |line: &str| sh(line).within(directory.path());
    within("echo some | ipc pipe tee a >&-").is(
        3,
        "",
        "ipc: pipe tee: standard output: Bad file descriptor\n",
    );
    assert_eq!(fs::read(directory.path().join("a")).unwrap(), b"some\n");
    within("ipc pipe tee a <&-").is(3, "", "ipc: pipe tee: standard input: Bad file descriptor\n");
    within("ipc pipe tee a < .").is(3, "", "ipc: pipe tee: standard input: Is a directory\n");
}

#[test]
fn memory_does_not_grow_with_the_stream() {
    let peak = |count: &str, words: &str| {
        let line =
            format!("head -c {count} /dev/zero | ipc pipe tee {words} > /dev/null & wait $!");
        let script = "import resource, subprocess, sys\nsubprocess.run(['bash', '-c', sys.argv[1]])\n\
                      print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)";
        Run::new("python3", &["-c", script, &line]).output().stdout
    };
    if !crate::peers::there("python3", &["--version"]) {
        return;
    }
    for words in ["", "/dev/null /dev/null"] {
        let kib = |bytes: Vec<u8>| text(&bytes).trim().parse::<i64>().unwrap();
        let (few, many) = (kib(peak("1M", words)), kib(peak("500M", words)));
        assert!(many - few < 2048, "{words}: {few} KiB, {many} KiB");
    }
}

#[test]
fn an_idle_stream_does_not_spin() {
    let directory = tempfile::tempdir().unwrap();
    // The input is at its end, and a full output keeps the rest from going on.
    let line = "mkfifo p; exec 7<>p; (echo $$ > pid; exec head -c 65536 /dev/zero) | \
                ipc pipe tee p > /dev/null & echo $! > pid; wait";
    let run = bash(line).within(directory.path()).start();
    let path = directory.path().join("pid");
    until("it runs", || fs::read_to_string(&path).is_ok_and(|text| !text.is_empty()));
    crate::support::pause(std::time::Duration::from_millis(300));
    let ticks = fs::read_to_string(&path).ok().and_then(|pid| {
        let stat = fs::read_to_string(format!("/proc/{}/stat", pid.trim())).ok()?;
        let fields = stat.rsplit(") ").next()?.split(' ').map(str::to_owned).collect::<Vec<_>>();
        Some(fields[11].parse::<u64>().ok()? + fields[12].parse::<u64>().ok()?)
    });
    assert!(ticks.unwrap_or(0) < 15, "{ticks:?}");
    drop(run);
}
