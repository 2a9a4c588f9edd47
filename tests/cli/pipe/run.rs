//! `ipc pipe run`.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::support::{Running, as_another_user, bash, children, code, ipc, sh, text, until};

#[test]
fn each_command_reads_what_the_one_before_prints() {
    ipc(&["pipe", "run", "--", "cat", "--", "tr", "a-z", "A-Z", "--", "rev"])
        .input("abc")
        .is(0, "CBA", "");
    ipc(&["pipe", "run", "--", "echo", "alone"]).is(0, "alone\n", "");
}

#[test]
fn in_a_loop_two_commands_talk() {
    let asks = "echo question; read answer; echo \"got $answer\" >&2";
    let answers = "read question; echo \"answer to $question\"";
    ipc(&["pipe", "run", "--loop", "--", "sh", "-c", asks, "--", "sh", "-c", answers]).is(
        0,
        "",
        "got answer to question\n",
    );
    // One COMMAND reads what it printed itself.
    let own = "echo mine; read line; echo $line >&2";
    ipc(&["pipe", "run", "--loop", "--", "sh", "-c", own]).is(0, "", "mine\n");
}

#[test]
fn another_word_separates_commands_that_have_dashes() {
    let words = ["--separator", "++", "--", "printf", "%s\n", "a", "--", "b", "++", "cat", "-n"];
    ipc(&["pipe", "run"]).words(&words).is(0, "     1\ta\n     2\t--\n     3\tb\n", "");
    let first = ["sock", "pair", "--separator", "++", "--", "printf", "%s.", "a", "--", "++"];
    ipc(&first).words(&["sh", "-c", "cat >&2"]).is(0, "", "a.--.");
}

#[test]
fn a_line_with_an_empty_command_is_refused() {
    let hint = "hint: each COMMAND but the first follows a '--'\n";
    for (words, which) in [
        (&["--", "true", "--", "--", "true"][..], "2 of 3"),
        (&["--", "true", "--"], "2 of 2"),
        (&["--", "--", "true"], "1 of 2"),
    ] {
        let error = format!("ipc: pipe run: COMMAND: empty, number {which}\n{hint}");
        ipc(&["pipe", "run"]).words(words).is(2, "", &error);
    }
    for words in [&[][..], &["--"]] {
        assert_eq!(code(&ipc(&["pipe", "run"]).words(words).output()), 2);
    }
    ipc(&["sock", "pair", "--", "cat", "--"]).is(
        2,
        "",
        &format!("ipc: sock pair: COMMAND: empty, number 2 of 2\n{hint}"),
    );
}

#[test]
fn nothing_runs_where_a_command_is_not_found() {
    let directory = tempfile::tempdir().unwrap();
    ipc(&["pipe", "run", "--", "touch", "ran", "--", "ipc-no-such"]).within(directory.path()).is(
        127,
        "",
        "ipc: pipe run: ipc-no-such: No such file or directory\n",
    );
    assert!(!directory.path().join("ran").exists());
}

/// A script whose interpreter is missing is found, and does not start.
#[test]
fn the_rest_is_ended_where_a_command_does_not_start() {
    let directory = tempfile::tempdir().unwrap();
    let line = "printf '#!/no/such/interpreter\n' > broken; chmod +x broken; \
                ipc pipe run -- sh -c 'trap \"\" TERM; echo $$ > pid; while :; do sleep 9; done' -- ./broken; \
                echo $?; ! kill -0 $(cat pid) 2>/dev/null || echo runs";
    let output = sh(line).within(directory.path()).output();
    assert_eq!(text(&output.stdout), "127\n");
}

#[test]
fn the_status_is_that_of_the_last_or_of_any_that_failed() {
    let line = |status: &str, codes: &[&str]| {
        let mut run = ipc(&["pipe", "run", "--status", status]);
        for code in codes {
            run = run.words(&["--", "sh", "-c"]).word(format!("exit {code}"));
        }
        run
    };
    line("last", &["3", "0"]).is(0, "", "");
    line("last", &["0", "4"]).is(4, "", "");
    line("any", &["3", "0"]).is(3, "", "");
    line("any", &["3", "4", "0"]).is(4, "", "");
    line("any", &["0", "0"]).is(0, "", "");
    let each =
        "ipc: pipe run: 1: sh: ended with status 3\nipc: pipe run: 2: sh: ended with status 0\n";
    line("all", &["3", "0"]).is(3, "", each);
}

#[test]
fn a_writer_whose_reader_was_content_is_forgiven_on_request() {
    let line = ["--", "yes", "--", "cat", "--", "head", "-n1"];
    let run = |words: &[&str]| ipc(&["pipe", "run"]).words(words).words(&line);
    run(&["--status", "any"]).is(141, "y\n", "");
    run(&["--status", "any", "--forgive-sigpipe"]).is(0, "y\n", "");
    run(&["--status", "all", "--forgive-sigpipe"]).is(
        0,
        "y\n",
        "ipc: pipe run: 1: yes: died of signal PIPE, forgiven\n\
         ipc: pipe run: 2: cat: died of signal PIPE, forgiven\n\
         ipc: pipe run: 3: head: ended with status 0\n",
    );
    let unhappy = ["--", "yes", "--", "sh", "-c", "head -n1; exit 5", "--", "cat"];
    let words = ["pipe", "run", "--status", "all", "--forgive-sigpipe"];
    let output = ipc(&words).words(&unhappy).output();
    assert_eq!(code(&output), 5);
    assert!(!text(&output.stderr).contains("forgiven"));
}

/// The descriptors of a process, by number, and what they lead to.
fn descriptors(pid: i32) -> Vec<(i32, String)> {
    let entries = std::fs::read_dir(format!("/proc/{pid}/fd")).expect("it runs");
    let target = |entry: std::fs::DirEntry| {
        let number = entry.file_name().to_str()?.parse().ok()?;
        Some((number, std::fs::read_link(entry.path()).ok()?.to_str()?.to_owned()))
    };
    entries.filter_map(|entry| target(entry.ok()?)).collect()
}

/// The descriptors of the processes of a line, with the verb's own at the end.
fn line_of_three(words: &[&str]) -> (Running, Vec<Vec<(i32, String)>>) {
    let line = ["--", "sleep", "1000", "--", "sleep", "1000", "--", "sleep", "1000"];
    let run = ipc(&["pipe", "run"]).words(words).words(&line).start();
    until("all run", || children(run.pid()).len() == 3);
    run.wait_until_asleep();
    let pids = children(run.pid()).into_iter().chain([run.pid()]);
    let seen = pids.map(descriptors).collect();
    (run, seen)
}

/// Which descriptors lead to the same as one of a command: the indices of processes, and numbers.
fn holders(seen: &[Vec<(i32, String)>], process: usize, number: i32) -> Vec<(usize, i32)> {
    let (_, target) = seen[process].iter().find(|(own, _)| *own == number).expect("it is open");
    let all = seen.iter().enumerate().flat_map(|(process, descriptors)| {
        descriptors.iter().map(move |(number, target)| (process, *number, target))
    });
    let mut same: Vec<_> = all
        .filter(|(_, _, other)| *other == target)
        .map(|(process, number, _)| (process, number))
        .collect();
    same.sort_unstable();
    same
}

#[test]
fn a_command_has_its_own_ends_and_no_others() {
    let (run, seen) = line_of_three(&[]);
    assert_eq!(holders(&seen, 0, 1), [(0, 1), (1, 0)]);
    assert_eq!(holders(&seen, 1, 1), [(1, 1), (2, 0)]);
    run.signal(Signal::SIGTERM);
    run.finish();
    let (run, seen) = line_of_three(&["--loop", "--stderr"]);
    assert_eq!(holders(&seen, 0, 1), [(0, 1), (0, 2), (1, 0)]);
    assert_eq!(holders(&seen, 2, 1), [(0, 0), (2, 1), (2, 2)]);
    run.signal(Signal::SIGTERM);
    run.finish();
}

#[test]
fn a_command_with_a_terminal_has_that_and_a_pipe_to_read() {
    let (run, seen) = line_of_three(&["--loop", "--pty"]);
    for process in 0..3 {
        assert_eq!(holders(&seen, process, 1), [(process, 1)]);
        let (_, terminal) = seen[process].iter().find(|(number, _)| *number == 1).unwrap();
        assert!(terminal.starts_with("/dev/pts/"), "{terminal}");
        // The verb writes to the pipe that it reads, by one descriptor.
        let reads = holders(&seen, process, 0);
        assert!(matches!(reads[..], [(own, 0), (3, _)] if own == process), "{reads:?}");
        assert!(!seen[process].iter().any(|(_, target)| target.ends_with("ptmx")));
    }
    run.signal(Signal::SIGTERM);
    run.finish();
}

#[test]
fn the_end_of_a_command_is_seen_by_its_neighbours() {
    let start = Instant::now();
    // No other process has the ends of `true`, so `yes` gets SIGPIPE and `cat` sees the end.
    let line = ["--", "yes", "--", "true", "--", "cat"];
    ipc(&["pipe", "run"]).words(&line).is(0, "", "");
    ipc(&["pipe", "run", "--loop", "--", "true", "--", "cat", "--", "cat"]).is(0, "", "");
    assert!(start.elapsed() < Duration::from_secs(30));
}

#[test]
fn the_rest_is_ended_some_time_after_the_first() {
    let run = |words: &[&str]| ipc(&["pipe", "run", "--kill-after", "100ms"]).words(words);
    run(&["--", "true", "--", "sleep", "1000"]).is(143, "", "");
    run(&["--", "sleep", "1000", "--", "true"]).is(0, "", "");
    let stubborn = "trap '' TERM; while :; do sleep 0.1; done";
    run(&["--", "true", "--", "sh", "-c", stubborn]).is(137, "", "");
    // The time begins with the first end.
    run(&["--", "sh", "-c", "sleep 0.5; echo done", "--", "cat"]).is(0, "done\n", "");
}

#[test]
fn stderr_is_connected_on_request() {
    let writes = ["--", "sh", "-c", "echo out; echo err >&2", "--", "cat", "-n"];
    ipc(&["pipe", "run"]).words(&writes).is(0, "     1\tout\n", "err\n");
    for words in [&["--stderr"][..], &["--stderr", "--pty"]] {
        let run = ipc(&["pipe", "run"]).words(words).words(&writes);
        run.is(0, "     1\tout\n     2\terr\n", "");
    }
    // The last one's stays where it is.
    ipc(&["pipe", "run", "--stderr", "--", "true", "--", "sh", "-c", "echo err >&2"])
        .is(0, "", "err\n");
}

#[test]
fn a_terminal_is_stdout_alone_and_changes_no_byte() {
    let test = "test -t 1 && ! test -t 0 && ! test -t 2 && printf 'a\\n\\003\\004\\t\\r\\n\\377'";
    let output = ipc(&["pipe", "run", "--pty", "--", "sh", "-c", test, "--", "cat"]).output();
    assert_eq!((code(&output), output.stdout), (0, b"a\n\x03\x04\t\r\n\xff".to_vec()));
}

#[test]
fn what_comes_from_a_terminal_is_whole() {
    let line = "ipc pipe run --pty --status any -- seq 300000 -- cat -- cat | cmp - <(seq 300000)";
    bash(line).is(0, "", "");
    // The reader is slow, and the writer waits.
    let line = "ipc pipe run --pty --capacity 4K -- seq 30000 -- sh -c 'sleep 0.2; exec cat' | \
                cmp - <(seq 30000)";
    bash(line).is(0, "", "");
}

#[test]
fn a_writer_to_a_terminal_dies_of_sigpipe_like_one_to_a_pipe() {
    let words = ["pipe", "run", "--pty", "--status", "any", "--forgive-sigpipe"];
    ipc(&words).words(&["--", "yes", "--", "cat", "--", "head", "-n2"]).is(0, "y\ny\n", "");
    ipc(&["pipe", "run", "--pty", "--status", "any", "--", "yes", "--", "head", "-n1"])
        .is(141, "y\n", "");
}

/// Asks and answers by stdio, which buffers whole blocks on a pipe.
const PLAYER: &str = "
import sys
for line in sys.stdin:
    number = int(line)
    if number > 20:
        break
    print(number + 1)
sys.stderr.write(sys.argv[1] + '\\n')
";

#[test]
fn programs_that_buffer_talk_over_terminals() {
    if !crate::peers::there("python3", &["--version"]) {
        return;
    }
    let first = format!("print(1)\n{PLAYER}");
    let line = ["--", "python3", "-c", &first, "ping", "--", "python3", "-c", PLAYER, "pong"];
    let talk = ipc(&["pipe", "run", "--loop", "--pty"]).words(&line).output();
    assert_eq!((code(&talk), text(&talk.stdout)), (0, String::new()));
    let mut words: Vec<_> = text(&talk.stderr).lines().map(str::to_owned).collect();
    words.sort();
    assert_eq!(words, ["ping", "pong"]);
    // On pipes both wait for each other.
    let silent = ipc(&["signal", "alarm", "1", "--"]).word(crate::support::binary());
    // How far the players get when the signal comes is not the same each time.
    let silent = silent.env("PYTHONUNBUFFERED", "");
    silent.words(&["pipe", "run", "--loop"]).words(&line).assert().code(124);
}

/// Runs GNU dc and bc, if they are there, as two real programs that talk: bc reads sums that a shell
/// makes of its results.
#[test]
fn a_calculator_answers_a_shell() {
    if !crate::peers::there("bc", &["--version"]) {
        return;
    }
    let asks = "n=1; for i in 1 2 3 4; do echo \"$n * 3\"; read n; done; echo $n >&2";
    let line = ["--", "bc", "-q", "--", "sh", "-c", asks];
    ipc(&["pipe", "run", "--loop", "--pty"]).words(&line).is(0, "", "81\n");
}

/// Two interactive interpreters: Python sends a program, bc sends its result, which Python evaluates.
#[test]
fn two_interactive_programs_talk() {
    for (program, words) in [("bc", ["--version"]), ("python3", ["--version"])] {
        if !crate::peers::there(program, &words) {
            return;
        }
    }
    let program = "print('x=1; while (x<100) { x*=2 }; x; halt')";
    let end = "import sys; sys.displayhook = lambda value: sys.stderr.write(f'got {value}\\n')";
    let python = format!("{program}\n{end}");
    let line = ["--", "python3", "-iqc", &python, "--", "bc", "-q"];
    let output = ipc(&["pipe", "run", "--loop", "--pty"]).words(&line).output();
    assert_eq!((code(&output), text(&output.stdout)), (0, String::new()));
    assert!(text(&output.stderr).contains("got 128"), "{}", text(&output.stderr));
}

#[test]
fn a_capacity_is_set_or_refused_with_the_limit() {
    let stat = "ipc pipe stat --json $$ 0 | grep -o '\"capacity\":[0-9]*'";
    sh("exec ipc pipe run --capacity 200K -- true -- sh -c \"$0\"").word(stat).is(
        0,
        "\"capacity\":262144\n",
        "",
    );
    let words = ["pipe", "run", "--capacity", "1G", "--", "true", "--", "true"];
    let Some(run) = as_another_user(&words) else { return };
    let output = run.output();
    let error = text(&output.stderr);
    assert_eq!(code(&output), 125);
    assert!(error.starts_with("ipc: pipe run: --capacity 1073741824: Operation not permitted\n"));
    assert!(error.contains("hint: the sysctl fs.pipe-max-size limits a pipe to "), "{error}");
    ipc(&["pipe", "run", "--capacity", "0", "--", "true"]).assert().code(2);
}

#[test]
fn a_thousand_commands_pass_a_line_on() {
    let mut run = ipc(&["pipe", "run", "--status", "any", "--", "cat"]).input("through\n");
    for _ in 0..999 {
        run = run.words(&["--", "cat"]);
    }
    run.is(0, "through\n", "");
}

#[test]
fn a_line_needs_few_descriptors() {
    let line = "ulimit -n 16; set -- ; for i in 1 2 3 4 5 6 7 8 9; do set -- \"$@\" -- cat -- cat; done; \
                echo through | ipc pipe run -- cat \"$@\"";
    sh(line).is(0, "through\n", "");
    let output = sh("ulimit -n 4; ipc pipe run -- sleep 9 -- sleep 9").output();
    assert_eq!(code(&output), 125);
    assert!(text(&output.stderr).contains("pipe: Too many open files\nhint: "));
}

#[test]
fn closed_standard_descriptors_are_the_commands_affair() {
    sh("ipc pipe run -- sh -c 'exec 2>&-; cat; echo $?' -- cat <&-").is(0, "1\n", "");
    let output = sh("ipc pipe run -- echo a -- cat >&-").output();
    assert_eq!((code(&output), text(&output.stdout)), (1, String::new()));
}

#[test]
fn a_signal_reaches_every_command_once_and_the_status_tells() {
    let trap = "trap 'echo got >&2; exit 9' USR1; echo ready >&2; while :; do sleep 0.01; done";
    let run = ipc(&["pipe", "run", "--", "sh", "-c", trap, "--", "sh", "-c", trap]).start();
    until("both run", || children(run.pid()).len() == 2);
    let ready = |pid: i32| {
        let caught = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let caught = caught.lines().find_map(|line| line.strip_prefix("SigCgt:")).map(str::trim);
        let caught = caught.and_then(|bits| u64::from_str_radix(bits, 16).ok()).unwrap_or(0);
        caught & 1 << (Signal::SIGUSR1 as u64 - 1) != 0
    };
    until("both have a trap", || children(run.pid()).into_iter().all(ready));
    run.signal(Signal::SIGUSR1);
    let output = run.finish();
    assert_eq!(code(&output), 9);
    assert_eq!(text(&output.stderr).matches("got").count(), 2);
    // What was sent to the verb, and ended the last COMMAND, ends the verb.
    let run = ipc(&["pipe", "run", "--", "sleep", "1000", "--", "sleep", "1000"]).start();
    until("both run", || children(run.pid()).len() == 2);
    run.wait_until_asleep();
    run.signal(Signal::SIGTERM);
    use std::os::unix::process::ExitStatusExt;
    assert_eq!(run.finish().status.signal(), Some(Signal::SIGTERM as i32));
}

/// Two processes, a number written by one and read by the other, in one line of shell.
#[test]
fn a_number_goes_from_one_process_to_another() {
    sh("ipc pipe run -- echo 42 -- sh -c 'read n; echo \"read $n\"'").is(0, "read 42\n", "");
}
