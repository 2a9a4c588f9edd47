//! `ipc fifo tee`.

use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use nix::sys::signal::Signal;
use tempfile::TempDir;

use crate::support::{Run, Running, bash, binary, code, ipc, pause, sh, sleeps_in, text, until};

/// A directory with the FIFOs `a` and `b`.
fn fifos() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    ipc(&["mkfifo", "a", "b"]).within(directory.path()).is(0, "", "");
    directory
}

/// A reader.
fn reader(directory: &TempDir, path: &str) -> Running {
    Run::new("cat", &[path]).within(directory.path()).start()
}

/// A reader that waits in open(2).
fn waiting_reader(directory: &TempDir, path: &str) -> Running {
    let reader = reader(directory, path);
    until("the reader waits", || sleeps_in(reader.pid(), "wait_for_partner"));
    reader
}

/// A reader that opens a FIFO, and never reads.
fn idle_reader(directory: &TempDir, path: &str) -> Running {
    let reader = sh(&format!("exec sleep 1000 < {path}")).within(directory.path()).start();
    reader.wait_until_asleep();
    reader
}

/// A tee whose stdin the test writes to.
fn tee(directory: &Path, words: &[&str]) -> Child {
    let mut command = Command::new(binary());
    command.args(["fifo", "tee"]).args(words).current_dir(directory);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

#[test]
fn every_reader_gets_every_byte() {
    let directory = fifos();
    let bytes: Vec<u8> = (0..3_000_003_u32).map(|i| (i.wrapping_mul(i) / 7) as u8).collect();
    fs::write(directory.path().join("in"), &bytes).unwrap();
    for line in [
        "cat in | ipc fifo tee --readers 2 a b | cat",
        "ipc fifo tee --readers 2 a b < in",
        "cat in | ipc fifo tee -0 --readers 2 --capacity 4K a b",
    ] {
        let line = format!("cat a > got-a & cat b > got-b & {line} > out; wait");
        bash(&line).within(directory.path()).is(0, "", "");
        for got in ["got-a", "got-b", "out"] {
            assert!(fs::read(directory.path().join(got)).unwrap() == bytes, "{line}");
        }
    }
}

#[test]
fn it_starts_with_the_first_reader_or_with_as_many_as_wanted() {
    let directory = fifos();
    let start = |words: &[&str]| {
        let tee = ipc(&["fifo", "tee"]).words(words).within(directory.path());
        let tee = tee.input("text\n").start();
        tee.wait_until_asleep();
        tee
    };
    let first = start(&["a", "b"]);
    assert_eq!(text(&reader(&directory, "b").finish().stdout), "text\n");
    assert_eq!(text(&first.finish().stdout), "text\n");
    let mut both = start(&["--readers", "2", "a", "b"]);
    let b = reader(&directory, "b");
    b.wait_until_asleep();
    assert!(!both.has_ended());
    // A reader that leaves during the wait does not count.
    b.signal(Signal::SIGKILL);
    b.finish();
    let a = reader(&directory, "a");
    a.wait_until_asleep();
    assert!(!both.has_ended());
    let b = reader(&directory, "b");
    for reader in [a, b] {
        assert_eq!(text(&reader.finish().stdout), "text\n");
    }
    assert_eq!(text(&both.finish().stdout), "text\n");
    ipc(&["fifo", "tee", "--readers", "0", "a"]).within(directory.path()).input("x").is(0, "x", "");
}

#[test]
fn without_a_reader_it_ends_with_the_status_of_its_option() {
    let directory = fifos();
    let run = |words: &[&str]| ipc(&["fifo", "tee"]).words(words).within(directory.path());
    run(&["-n", "a", "b"]).is(1, "", "");
    run(&["-nv", "a"]).is(1, "", "ipc: fifo tee: a: would block\n");
    run(&["-t0", "a"]).is(124, "", "ipc: fifo tee: a: timed out\n");
    run(&["-t50ms", "a", "b"]).is(124, "", "ipc: fifo tee: a, b: timed out\n");
    let a = waiting_reader(&directory, "a");
    run(&["-t50ms", "--readers", "2", "a", "b"]).is(124, "", "ipc: fifo tee: a, b: timed out\n");
    a.finish();
    let a = waiting_reader(&directory, "a");
    run(&["-n", "a", "b"]).input("x").is(0, "x", "");
    assert_eq!(text(&a.finish().stdout), "x");
}

#[test]
fn only_fifos_are_accepted_before_a_byte_is_moved() {
    let directory = fifos();
    fs::write(directory.path().join("f"), "mine").unwrap();
    let run = |words: &[&str]| ipc(&["fifo", "tee"]).words(words).within(directory.path());
    run(&["a", "f"]).input("x").is(3, "", "ipc: fifo tee: f: not a FIFO: a regular file\n");
    run(&["a", "none"]).input("x").is(
        4,
        "",
        "ipc: fifo tee: none: No such file or directory\n\
         hint: 'ipc fifo create' makes the FIFO\n",
    );
    assert_eq!(fs::read(directory.path().join("f")).unwrap(), b"mine");
    let output = run(&["--readers", "3", "a", "b"]).output();
    assert_eq!(code(&output), 2);
    assert!(
        text(&output.stderr).starts_with("ipc: fifo tee: --readers 3: more readers than FIFOs")
    );
}

#[test]
fn records_that_are_not_in_the_form_are_an_error() {
    let directory = fifos();
    let _a = idle_reader(&directory, "a");
    let run = ipc(&["fifo", "tee", "--frame", "netstring", "a"]).within(directory.path());
    run.input("1:x,y").is(
        3,
        "",
        "ipc: fifo tee: standard input: the input is not made of netstrings\n",
    );
}

#[test]
fn a_late_reader_gets_the_stream_from_the_next_record_on() {
    for (words, parts, late) in [
        (&[][..], ["one\nhal", "f\ntwo\n", "three\n"], "two\nthree\n"),
        (&["-0"], ["one\nhal", "f\0two\0", "three\0"], "two\0three\0"),
        (&["--frame", "netstring"], ["3:one,7:h", "alf\n1:,3:two,", "0:,"], "3:two,0:,"),
    ] {
        let directory = fifos();
        let mut child = tee(directory.path(), &[words, &["a", "b"]].concat());
        let (mut input, mut output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let mut write = |part: &str| {
            input.write_all(part.as_bytes()).unwrap();
            output.read_exact(&mut vec![0; part.len()]).unwrap();
        };
        let a = reader(&directory, "a");
        write(parts[0]);
        let b = waiting_reader(&directory, "b");
        write(parts[1]);
        // This one leaves, and another comes to its FIFO.
        a.signal(Signal::SIGKILL);
        a.finish();
        let left = b"ipc: fifo tee: a: the reader has left\n";
        child.stderr.as_mut().unwrap().read_exact(&mut vec![0; left.len()]).unwrap();
        let a = waiting_reader(&directory, "a");
        write(parts[2]);
        drop(input);
        assert_eq!(text(&b.finish().stdout), late);
        assert_eq!(text(&a.finish().stdout), parts[2]);
        let ended = child.wait_with_output().unwrap();
        assert_eq!((code(&ended), text(&ended.stderr)), (0, String::new()));
    }
}

#[test]
fn a_late_reader_of_a_fast_stream_gets_whole_records_from_some_record_on() {
    let directory = fifos();
    // Blocks of a size that the kernel copies, with pauses between records.
    let line =
        "cat a > got-a & { seq 200000; until [ -e joined ]; do seq 1000; done; seq 300000; } |
        ipc fifo tee a b > all & until_true [ -s all ]; cat b > got-b & sleep 0.1; > joined; wait";
    bash(line).within(directory.path()).is(0, "", "");
    let read = |name| fs::read_to_string(directory.path().join(name)).unwrap();
    let (all, late) = (read("all"), read("got-b"));
    assert!(all == read("got-a"));
    assert!(all.ends_with(&late) && late.ends_with("\n300000\n"), "{}", late.len());
    assert!(all[..all.len() - late.len()].ends_with('\n'));
    assert!(late.len() < all.len());
}

#[test]
fn a_reader_that_comes_at_the_end_sees_the_end() {
    let directory = fifos();
    let mut child = tee(directory.path(), &["a", "b"]);
    let a = reader(&directory, "a");
    child.stdin.as_mut().unwrap().write_all(b"x\n").unwrap();
    child.stdout.as_mut().unwrap().read_exact(&mut [0; 2]).unwrap();
    let b = waiting_reader(&directory, "b");
    assert_eq!(code(&child.wait_with_output().unwrap()), 0);
    assert_eq!(text(&a.finish().stdout), "x\n");
    assert_eq!(text(&b.finish().stdout), "");
}

#[test]
fn a_reader_that_leaves_is_noticed_without_data() {
    let directory = fifos();
    let mut child = tee(directory.path(), &["a"]);
    let a = reader(&directory, "a");
    child.stdin.as_mut().unwrap().write_all(b"x\n").unwrap();
    child.stdout.as_mut().unwrap().read_exact(&mut [0; 2]).unwrap();
    a.signal(Signal::SIGKILL);
    a.finish();
    let expected = b"ipc: fifo tee: a: the reader has left\n";
    let mut said = vec![0; expected.len()];
    child.stderr.as_mut().unwrap().read_exact(&mut said).unwrap();
    assert_eq!(text(&said), text(expected));
    // No output is left when stdout has no reader either.
    drop(child.stdout.take());
    use std::os::unix::process::ExitStatusExt;
    assert_eq!(child.wait().unwrap().signal(), Some(Signal::SIGPIPE as i32));
}

/// The last number of a diagnostic such as "a: 12 records dropped".
fn dropped(stderr: &str) -> usize {
    let line = stderr.lines().find(|line| line.ends_with(" dropped")).expect("it is said");
    let number = line.split(' ').rev().find_map(|word| word.parse().ok());
    number.unwrap_or_else(|| panic!("{line}"))
}

#[test]
fn a_slow_reader_misses_whole_records_that_are_counted() {
    let directory = fifos();
    let line = "(sleep 0.5; exec cat) < a > got & \
                seq 500000 | ipc fifo tee --slow drop a | tail -n 1; wait";
    let output = bash(line).within(directory.path()).output();
    assert_eq!((code(&output), text(&output.stdout)), (0, "500000\n".to_owned()));
    let got = fs::read_to_string(directory.path().join("got")).unwrap();
    let numbers: Vec<usize> = got.lines().map(|line| line.parse().unwrap()).collect();
    assert!(got.ends_with('\n') && numbers.is_sorted());
    assert_eq!(numbers.len() + dropped(&text(&output.stderr)), 500_000);
}

#[test]
fn a_record_that_a_slow_reader_has_begun_is_finished() {
    let directory = fifos();
    // Records longer than a pipe takes at once, in blocks that end anywhere.
    let line = "for i in $(seq 200); do head -c 99999 /dev/zero | tr '\\0' x; echo; done > in
        (sleep 0.3; exec cat) < a > got & \
        cat in | ipc fifo tee --slow drop --capacity 64K a > /dev/null; wait";
    let output = bash(line).within(directory.path()).output();
    assert_eq!(code(&output), 0);
    let got = fs::read_to_string(directory.path().join("got")).unwrap();
    assert!(got.lines().all(|line| line.len() == 99_999));
    assert!(got.ends_with('\n'));
    assert_eq!(got.lines().count() + dropped(&text(&output.stderr)), 200);
}

#[test]
fn a_reader_that_never_reads_delays_no_other() {
    let directory = fifos();
    for (how, said) in [
        ("drop", "records dropped\n"),
        ("disconnect", "a: disconnected, because its reader is too slow\n"),
    ] {
        let a = idle_reader(&directory, "a");
        let line = format!(
            "seq 1000000 | ipc fifo tee --slow {how} a | tail -n 1; exit ${{PIPESTATUS[1]}}"
        );
        let output = bash(&line).within(directory.path()).output();
        assert_eq!((code(&output), text(&output.stdout)), (0, "1000000\n".to_owned()));
        assert!(text(&output.stderr).ends_with(said), "{}", text(&output.stderr));
        drop(a);
    }
}

#[test]
fn a_disconnected_reader_sees_the_end_and_is_not_served_again() {
    let directory = fifos();
    let mut child = tee(directory.path(), &["--slow", "disconnect", "--capacity", "4K", "a"]);
    let idle = idle_reader(&directory, "a");
    let (mut input, mut output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let mut write = |part: &[u8]| {
        input.write_all(part).unwrap();
        output.read_exact(&mut vec![0; part.len()]).unwrap();
    };
    for _ in 0..4 {
        write(&[&[b'x'; 4095][..], b"\n"].concat());
    }
    let count = || {
        let stat = ipc(&["fifo", "stat", "--json", "a"]).within(directory.path()).succeeds();
        let json: serde_json::Value = serde_json::from_str(&stat).unwrap();
        json["writers"].as_array().unwrap().len()
    };
    until("its FIFO is closed", || count() == 0);
    write(b"more\n");
    assert_eq!(count(), 0);
    drop(idle);
    drop(input);
    let ended = child.wait_with_output().unwrap();
    assert_eq!(
        (code(&ended), text(&ended.stderr)),
        (0, "ipc: fifo tee: a: disconnected, because its reader is too slow\n".to_owned())
    );
}

#[test]
fn the_slowest_reader_limits_the_others_until_the_timeout() {
    let directory = fifos();
    let a = idle_reader(&directory, "a");
    let line = "seq 1000000 | ipc fifo tee -t 100ms a | tail -n 1 > /dev/null; \
                exit ${PIPESTATUS[1]}";
    bash(line).within(directory.path()).is(124, "", "ipc: fifo tee: a: timed out\n");
    drop(a);
    // Time that stdin takes does not count.
    let b = reader(&directory, "b");
    let line = "{ echo a; sleep 0.3; echo b; } | ipc fifo tee -t 100ms b";
    sh(line).within(directory.path()).is(0, "a\nb\n", "");
    assert_eq!(text(&b.finish().stdout), "a\nb\n");
}

#[test]
fn an_interrupted_stream_says_what_was_dropped() {
    let directory = fifos();
    let _a = idle_reader(&directory, "a");
    let mut child = tee(directory.path(), &["--slow", "drop", "--capacity", "4K", "a"]);
    let (mut input, mut output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    for _ in 0..10 {
        let part = [&[b'x'; 4095][..], b"\n"].concat();
        input.write_all(&part).unwrap();
        output.read_exact(&mut vec![0; part.len()]).unwrap();
    }
    let pid = nix::unistd::Pid::from_raw(child.id() as i32);
    nix::sys::signal::kill(pid, Signal::SIGTERM).unwrap();
    let ended = child.wait_with_output().unwrap();
    assert_eq!(code(&ended), 128 + Signal::SIGTERM as i32);
    assert_eq!(text(&ended.stderr), "ipc: fifo tee: a: 8 records dropped\n");
}

#[test]
fn closed_standard_descriptors_and_few_descriptors() {
    let directory = fifos();
    let within = |line: &str| sh(line).within(directory.path());
    let a = reader(&directory, "a");
    within("echo some | ipc fifo tee a >&-").is(
        3,
        "",
        "ipc: fifo tee: standard output: Bad file descriptor\n",
    );
    assert_eq!(text(&a.finish().stdout), "some\n");
    let a = reader(&directory, "a");
    within("ipc fifo tee a <&-").is(3, "", "ipc: fifo tee: standard input: Bad file descriptor\n");
    a.finish();
    let (a, b) = (reader(&directory, "a"), reader(&directory, "b"));
    within("ulimit -n 7; echo some | ipc fifo tee --readers 2 a b").is(0, "some\n", "");
    assert_eq!((a.finish().stdout, b.finish().stdout), (b"some\n".to_vec(), b"some\n".to_vec()));
}

#[test]
fn memory_does_not_grow_with_the_stream() {
    if !crate::peers::there("python3", &["--version"]) {
        return;
    }
    let directory = fifos();
    let _a = idle_reader(&directory, "a");
    let peak = |count: &str| {
        let line = format!(
            "yes $(printf %01000d 0) | head -c {count} | exec {} fifo tee -q --slow drop a > /dev/null",
            binary().display()
        );
        let script = "import resource, subprocess, sys\nsubprocess.run(['bash', '-c', sys.argv[1]])\n\
                      print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)";
        let run = Run::new("python3", &["-c", script, &line]).within(directory.path());
        text(&run.output().stdout).trim().parse::<i64>().unwrap()
    };
    let (few, many) = (peak("4M"), peak("200M"));
    assert!(many - few < 4096, "{few} KiB, {many} KiB");
}

#[test]
fn an_idle_stream_does_not_spin() {
    let directory = fifos();
    let _a = idle_reader(&directory, "a");
    // One FIFO is full, the other has no reader.
    let mut child = tee(directory.path(), &["--slow", "drop", "--capacity", "4K", "a", "b"]);
    let part = [b'x'; 10_000];
    child.stdin.as_mut().unwrap().write_all(&part).unwrap();
    child.stdout.as_mut().unwrap().read_exact(&mut [0; 10_000]).unwrap();
    pause(std::time::Duration::from_millis(300));
    let stat = fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap();
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap().split(' ').collect();
    let ticks = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    assert!(ticks < 15, "{ticks}");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn without_a_descriptor_the_error_names_the_limit() {
    let directory = tempfile::tempdir().unwrap();
    let line =
        "ipc fifo create a b c d; for f in a b c d; do timeout 5 cat $f >/dev/null 2>&1 & done
        exec prlimit --nofile=6 ipc fifo tee --readers 4 -t 5s a b c d </dev/null";
    let output = sh(line).within(directory.path()).output();
    let hint = "Too many open files\n\
        hint: 'prlimit --nofile' shows how many files a process may have open\n";
    assert_eq!(code(&output), 3);
    assert!(text(&output.stderr).ends_with(hint), "{output:?}");
}
