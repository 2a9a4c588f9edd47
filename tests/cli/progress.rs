//! The progress of work that takes longer than a second: on a terminal, and with `--progress`.

use crate::peers;
use crate::support::{Name, ipc, sh, text};

/// Erases the line of a terminal.
const ERASE: &str = "\r\x1b[K";

/// A function of the shell that prints a part before progress is shown, and the rest after it.
const SLOWLY: &str = "slowly() { echo first; sleep 1.6; echo later; };";

/// The verbs that show progress, with lines of shell in which each works for longer than a second, on
/// bytes that end in the file `out`. `$p` are more options, `$n` is the name of a segment.
const VERBS: [(&str, &str); 7] = [
    ("shm write", "slowly | ipc shm write $p $n; ipc shm cat $n > out"),
    ("map write", "slowly | ipc map write $p ./file; cat file > out"),
    (
        "shm cat",
        "slowly | ipc shm write -q $n; head -c 3M /dev/zero | ipc shm write -q --grow --offset 12 $n; \
         (sleep 1.6; head -n 2; cat >other) < f > out & ipc shm cat $p $n > f; wait",
    ),
    ("fifo write", "cat f > out & slowly | ipc fifo write $p f; wait"),
    ("fifo write", "cat f > out & slowly | ipc fifo write --records $p f; wait"),
    ("fifo cat", "slowly > f & ipc fifo cat $p f > out; wait"),
    (
        "sock connect",
        "ipc sock serve -q --once ./s < /dev/null > out & \
         slowly | ipc sock connect --retry 5s $p ./s > other; wait",
    ),
];

/// Runs a line at a terminal, or without one; returns the bytes that arrived, and stderr.
fn run(line: &str, options: &str, is_at_terminal: bool) -> (String, String) {
    let (directory, name) = (tempfile::tempdir().unwrap(), Name::new("shm"));
    let line = format!("{SLOWLY} mkfifo f; {line}");
    let run = if is_at_terminal { peers::at_terminal(&line).unwrap() } else { sh(&line) };
    let run = run.env("p", options).env("n", &*name).within(directory.path());
    let output = run.output();
    let shown = if is_at_terminal { &output.stdout } else { &output.stderr };
    let arrived = std::fs::read_to_string(directory.path().join("out")).unwrap_or_default();
    (arrived, text(shown))
}

/// Runs all lines at the same time.
fn run_all(options: &str, is_at_terminal: bool, check: impl Fn(&str, &str) + Sync) {
    let check = &check;
    std::thread::scope(|scope| {
        for (verb, line) in VERBS {
            scope.spawn(move || {
                let (arrived, shown) = run(line, options, is_at_terminal);
                assert_eq!(arrived, "first\nlater\n", "{verb} {shown}");
                check(verb, &shown);
            });
        }
    });
}

fn has_script() -> bool {
    peers::there("script", &["--version"])
}

#[test]
fn a_terminal_shows_a_line_and_nothing_remains_of_it() {
    if !has_script() {
        return;
    }
    run_all("", true, |verb, shown| {
        let line = format!("{ERASE}ipc: {verb}: ");
        let (first, rest) = shown.split_once(&line).expect(verb);
        assert_eq!(first, "", "{verb} {shown:?}");
        assert!(rest.contains("/s") && rest.ends_with(ERASE), "{verb} {shown:?}");
        assert!(!rest.contains('\n'), "{verb} {shown:?}");
    });
}

#[test]
fn a_pipe_gets_nothing_and_lines_with_the_option() {
    run_all("", false, |verb, shown| assert_eq!(shown, "", "{verb}"));
    run_all("--progress", false, |verb, shown| {
        let line = format!("ipc: {verb}: ");
        let lines: Vec<&str> = shown.lines().collect();
        assert!(lines.len() == 1 && lines[0].starts_with(&line), "{verb} {shown:?}");
        assert!(!shown.contains('\x1b'), "{verb} {shown:?}");
    });
    run_all("--progress -q", false, |verb, shown| assert_eq!(shown, "", "{verb}"));
}

#[test]
fn a_known_size_gives_a_share_and_both_directions_of_a_connection_are_counted() {
    let (arrived, shown) = run(VERBS[2].1, "--progress", false);
    assert_eq!(arrived, "first\nlater\n");
    assert!(shown.contains(" of 3M, ") && shown.contains("%, "), "{shown}");
    let line = "ipc sock serve -q --once ./s -- cat & \
                slowly | ipc sock connect --retry 5s --progress ./s > out; wait";
    let (arrived, shown) = run(line, "", false);
    assert_eq!(arrived, "first\nlater\n");
    assert!(shown.contains("connect: sent 6, ") && shown.contains("; received 6, "), "{shown}");
}

#[test]
fn a_terminal_that_shows_the_bytes_shows_no_progress() {
    if !has_script() {
        return;
    }
    for line in [
        "slowly > f & ipc fifo cat f; wait",
        "ipc sock serve -q --once ./s -- cat & slowly | ipc sock connect --retry 5s ./s; wait",
    ] {
        assert_eq!(run(line, "", true).1, "first\r\nlater\r\n", "{line}");
    }
}

#[test]
fn a_job_in_the_background_and_a_quiet_one_show_nothing() {
    if !has_script() {
        return;
    }
    for line in [
        "set -m; (slowly | ipc shm write $n) & wait; ipc shm cat $n",
        "slowly | ipc shm write -q $n; ipc shm cat $n",
        "slowly | ipc shm write $n 2> err; ipc shm cat $n; cat err",
    ] {
        let shown = run(line, "", true).1;
        assert!(shown.ends_with("first\r\nlater\r\n"), "{line} {shown:?}");
        assert!(!shown.contains(ERASE) && !shown.contains("ipc: "), "{line} {shown:?}");
    }
}

#[test]
fn an_error_and_a_signal_take_the_place_of_the_line() {
    if !has_script() {
        return;
    }
    let line = "sleep 2 < f & (echo a; sleep 3; echo b) | ipc fifo write f";
    let shown = run(line, "", true).1;
    let error = format!("{ERASE}ipc: fifo write: f: the reader has left: Broken pipe\r\n");
    assert!(shown.starts_with(&format!("{ERASE}ipc: fifo write: 2, ")), "{shown:?}");
    assert!(shown.ends_with(&error), "{shown:?}");
    let line = "(echo a; exec sleep 9) > f & feeder=$!; ipc shm write $n < f & \
                sleep 2; kill -TERM $!; wait $! 2>/dev/null; echo $?; kill $feeder";
    let shown = run(line, "", true).1;
    assert!(shown.starts_with(&format!("{ERASE}ipc: shm write: 2, ")), "{shown:?}");
    assert!(shown.contains(&format!("{ERASE}143\r\n")), "{shown:?}");
}

#[test]
fn the_work_makes_no_more_system_calls() {
    if !peers::there("strace", &["--version"]) {
        return;
    }
    let (directory, name) = (tempfile::tempdir().unwrap(), Name::new("shm"));
    sh("head -c 20M /dev/zero | ipc shm write $n").env("n", &*name).is(0, "", "");
    let calls = |options: &str| {
        let calls = "read,write,splice,sendfile,copy_file_range";
        let line = format!(
            "strace -f -e trace={calls} -o trace ipc shm cat {options} $n > out && \
             cmp -n 20971520 out /dev/zero && grep -c '= [1-9]' trace"
        );
        sh(&line).env("n", &*name).within(directory.path()).succeeds()
    };
    assert_eq!(calls(""), calls("--progress"));
    let refused = ipc(&["sock", "connect", "./s", "--progress", "--", "true"]);
    refused.is(
        2,
        "",
        "ipc: sock connect: --progress: it applies only to a connection of stdin and stdout\n",
    );
}
