//! `ipc bench`. Durations are short: the tests assert what is printed, never that it was fast.

use std::fs;

use serde_json::Value;

use crate::support::{Run, bash, ipc, sh};

/// A measurement of a moment.
fn brief(words: &[&str]) -> Run {
    ipc(&["bench", "--duration", "10ms", "--rounds", "1"]).words(words)
}

fn json(words: &[&str]) -> Value {
    serde_json::from_str(&brief(words).words(&["--json"]).succeeds()).expect("it is JSON")
}

fn results(value: &Value) -> &Vec<Value> {
    value["results"].as_array().expect("there are results")
}

fn names(value: &Value) -> Vec<&str> {
    results(value).iter().map(|row| row["mechanism"].as_str().unwrap()).collect()
}

#[test]
fn every_mechanism_is_measured_and_loses_nothing() {
    let value = json(&[]);
    let names = names(&value);
    for name in ["queue", "pipe", "fifo", "mq", "mq-sysv", "shm-futex", "shm-sem", "map"] {
        assert_eq!(names.iter().filter(|found| **found == name).count(), 2, "{name}: {names:?}");
    }
    for name in ["unix-stream", "unix-seqpacket", "unix-datagram", "tcp", "udp", "signal", "spool"]
    {
        assert_eq!(names.iter().filter(|found| **found == name).count(), 2, "{name}: {names:?}");
    }
    for name in ["eventfd", "door"] {
        assert_eq!(names.iter().filter(|found| **found == name).count(), 1, "{name}");
    }
    for row in results(&value) {
        assert!(row["mechanism"] == "udp" || row["lost"] == 0, "{row}");
        let figure = if row["question"] == "latency" { "p50_ns" } else { "messages_per_second" };
        assert!(row[figure].as_f64().unwrap() > 0.0, "{row}");
    }
    assert!(value["kernel"].as_str().unwrap().starts_with("Linux"));
    assert!(value["system_call_ns"].as_f64().unwrap() > 0.0);
}

#[test]
fn percentiles_ascend_and_the_best_comes_first_with_ratio_1() {
    let value = json(&["--latency", "--spin", "pipe", "shm-futex"]);
    for row in results(&value) {
        let times = ["p50_ns", "p90_ns", "p99_ns", "p99.9_ns", "max_ns"];
        let times = times.map(|key| row[key].as_u64().unwrap());
        assert!(times.is_sorted(), "{row}");
        assert!(row["samples"].as_u64().unwrap() > 0);
    }
    assert_eq!(results(&value)[0]["ratio"], 1.0);
    assert!(results(&value)[1]["ratio"].as_f64().unwrap() >= 1.0);
}

#[test]
fn sizes_beyond_a_mechanism_are_left_out() {
    let value = json(&["--latency", "--size", "4,64K", "mq", "pipe", "udp"]);
    let sizes: Vec<(&str, u64)> = results(&value)
        .iter()
        .map(|row| (row["mechanism"].as_str().unwrap(), row["size"].as_u64().unwrap()))
        .collect();
    assert!(sizes.contains(&("mq", 4)) && !sizes.contains(&("mq", 65_536)), "{sizes:?}");
    assert!(sizes.contains(&("pipe", 65_536)), "{sizes:?}");
    let said = "ipc: bench: no mechanism has messages of this size\n";
    brief(&["--latency", "--size", "1M", "mq"]).is(2, "", said);
}

#[test]
fn several_senders_send_whole_messages() {
    let value = json(&["--contended", "4", "queue", "mq", "pipe", "unix-seqpacket", "tcp"]);
    let mut names = names(&value);
    names.sort_unstable();
    assert_eq!(names, ["mq", "pipe", "queue", "unix-seqpacket"]);
    assert!(results(&value).iter().all(|row| row["senders"] == 4 && row["lost"] == 0));
}

#[test]
fn a_rate_is_kept_and_latencies_count_from_the_time_that_is_due() {
    let value = json(&["--rate", "2000", "--duration", "200ms", "pipe"]);
    let row = &results(&value)[0];
    assert_eq!((&row["question"], &row["rate"]), (&Value::from("paced"), &Value::from(2000)));
    let samples = row["samples"].as_u64().unwrap();
    assert!((100..=410).contains(&samples), "{row}");
}

#[test]
fn files_have_every_sample_and_a_picture() {
    let directory = tempfile::tempdir().unwrap();
    let words = ["--latency", "pipe", "mq", "--raw", "raw.csv", "--plot", "plot.svg", "--csv"];
    let shown = brief(&words).within(directory.path()).succeeds();
    let samples: usize = shown
        .lines()
        .skip(1)
        .map(|line| line.split(',').nth(5).unwrap().parse::<usize>().unwrap())
        .sum();
    let raw = fs::read_to_string(directory.path().join("raw.csv")).unwrap();
    assert_eq!(raw.lines().next(), Some("mechanism,size,ns"));
    assert_eq!(raw.lines().count(), samples + 1);
    let plot = fs::read_to_string(directory.path().join("plot.svg")).unwrap();
    assert!(plot.starts_with("<svg ") && plot.ends_with("</svg>\n"));
    assert!(plot.contains(">pipe</text>") && plot.contains("prefers-color-scheme"));
    let said = "ipc: bench: /no/such/plot.svg: No such file or directory\n";
    brief(&["pipe", "--plot", "/no/such/plot.svg"]).is(4, "", said);
}

#[test]
fn an_older_result_shows_what_changed_beyond_the_noise() {
    let directory = tempfile::tempdir().unwrap();
    let old = directory.path().join("old.json");
    let mut value = json(&["--latency", "pipe", "mq"]);
    fs::write(&old, value.to_string()).unwrap();
    for row in value["results"].as_array_mut().unwrap() {
        row["spread"] = Value::from(0.0);
        if row["mechanism"] == "mq" {
            row["p50_ns"] = Value::from(1);
        } else {
            row["spread"] = Value::from(1e9);
        }
    }
    fs::write(&old, value.to_string()).unwrap();
    let run = brief(&["--latency", "pipe", "mq", "--compare"]).word(&old);
    let shown = run.succeeds();
    let changes: Vec<&str> =
        shown.lines().skip_while(|line| !line.starts_with("Changes beyond")).collect();
    assert_eq!(changes[0], "Changes beyond the noise, of 2 results, in ns a message");
    assert!(changes[2].starts_with("mq ") && changes.len() == 3, "{shown}");
    fs::write(&old, "{}").unwrap();
    let said = format!("ipc: bench: {}: not the output of 'ipc bench --json'\n", old.display());
    brief(&["pipe", "--compare"]).word(&old).is(2, "", &said);
}

#[test]
fn start_measures_this_program_beside_others() {
    let shown = ipc(&["bench", "start"]).succeeds();
    assert!(shown.contains("\nipc --version ") && shown.contains("\ntrue "), "{shown}");
}

fn is_refused(option: &str, value: &str, reason: &str) {
    let output = brief(&[option, value]).output();
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains(reason), "{said}");
}

#[test]
fn wrong_words_are_usage_errors() {
    let output = brief(&["pip"]).output();
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.starts_with("ipc: bench: pip: not a mechanism that is measured\nhint: one of "));
    is_refused("--size", "3", "not from 4 bytes to 64 MiB");
    is_refused("--contended", "0", "not a number from 1 to 100");
    is_refused("--cpus", "a", "not numbers such as 0,1");
    brief(&["pipe", "--duration", "inf"]).is(2, "", "ipc: bench: --duration: not limited\n");
}

#[test]
fn a_cpu_that_does_not_exist_is_an_error() {
    let said = "ipc: bench: pipe: --cpus: Invalid argument\n";
    brief(&["pipe", "--cpus", "1000"]).is(3, "", said);
}

#[test]
fn nothing_is_left_behind_when_a_signal_ends_it() {
    let line = "ipc bench --duration 60s queue mq-sysv fifo map shm-sem & pid=$!
        until_true eval 'ls /dev/shm/ | grep -q ipc-bench-$pid-'
        kill -TERM $pid; wait $pid; echo $?
        ls /dev/shm /tmp | grep ipc-bench-$pid-";
    assert_eq!(bash(line).output().stdout, b"143\n");
}

#[test]
fn a_killed_process_is_reported() {
    let line = "ipc bench --duration 60s pipe 2>&1 & pid=$!
        until_true eval '[ $(pgrep -P $pid | wc -l) = 2 ]'
        kill -KILL $(pgrep -P $pid | head -n 1); wait $pid; echo $?";
    let shown = bash(line).succeeds();
    assert_eq!(shown, "ipc: bench: pipe: a process was killed by signal 9\n3\n");
}

#[test]
fn a_reader_that_leaves_ends_it_quietly() {
    let shown = sh("ipc bench --duration 10ms --rounds 1 pipe mq queue | head -1").succeeds();
    assert!(shown.starts_with("Latency of a message of 100 B"), "{shown}");
}
