//! Workers of a spool.

use std::fs;
use std::os::unix::fs::symlink;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::{Spool, error};
use crate::support::{Running, code, make_older, script_that_cannot_start, text, until};

/// The COMMANDs of a worker, which its threads have started.
pub fn commands(worker: &Running) -> Vec<i32> {
    let threads = fs::read_dir(format!("/proc/{}/task", worker.pid())).expect("it runs");
    let children = |thread: fs::DirEntry| fs::read_to_string(thread.path().join("children"));
    let text: String = threads.flatten().flat_map(children).collect();
    text.split_whitespace().filter_map(|pid| pid.parse().ok()).collect()
}

#[test]
fn a_command_has_the_message_its_name_the_attempt_and_its_path() {
    let spool = Spool::new();
    spool.put(&["--name", "the name"], "content\n");
    let line = "cat; cat \"$0\" \"$1\"; echo $IPC_SPOOL_NAME $IPC_ATTEMPT";
    let options = ["--", "sh", "-c", line, "{}", "./{}"];
    spool.run("take", &options).is(0, "content\ncontent\ncontent\nthe name 1\n", "");
}

#[test]
fn a_message_is_tried_again_and_then_goes_to_the_failed_ones() {
    let spool = Spool::new();
    spool.put(&["--name", "a"], "x");
    let attempts = |count: &str| vec!["--attempts".to_owned(), count.to_owned()];
    let mut options = attempts("3");
    options.extend(["--retry-delay", "10ms", "--", "sh", "-c"].map(str::to_owned));
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    let again = |n: u32, delay: &str| {
        error("take", &format!("sh ended with status 3; attempt {n} of 3, the next in {delay}"))
    };
    let expected = format!(
        "1\n{}2\n{}3\n{}",
        again(1, "0.01s"),
        again(2, "0.02s"),
        error("take", "sh ended with status 3; the message goes to failed/")
    );
    spool.run("take", &options).word("echo $IPC_ATTEMPT >&2; exit 3").is(3, "", &expected);
    assert_eq!(spool.ls(&["--failed"])[0]["stderr"], "3\n");
    spool.run("requeue", &["a"]).is(0, "", "");
    let second = "test $IPC_ATTEMPT = 2";
    spool.run("take", &options).word(second).is(
        0,
        "",
        &error("take", "sh ended with status 1; attempt 1 of 3, the next in 0.01s"),
    );
}

#[test]
fn what_is_kept_of_stderr_has_a_limit() {
    let spool = Spool::new();
    spool.put(&[], "");
    spool.take("head -c 100000 /dev/zero | tr '\\0' x >&2; echo end >&2; exit 1").assert().code(1);
    let failed = spool.ls(&["--failed"]);
    let stderr = failed[0]["stderr"].as_str().unwrap();
    assert_eq!((stderr.len(), &stderr[stderr.len() - 5..]), (8192, "xend\n"));
}

#[test]
fn output_is_kept_with_a_log_up_to_its_size() {
    let spool = Spool::new();
    spool.put(&["--name", "a"], "");
    let options = [
        "--log",
        "10",
        "--",
        "sh",
        "-c",
        "echo out; sleep 0.1; echo error >&2; sleep 0.1; echo more",
    ];
    spool.run("take", &options).is(0, "out\nmore\n", "error\n");
    assert_eq!(fs::read_to_string(spool.path("logs/a")).unwrap(), "out\nerror\n");
}

#[test]
fn old_logs_are_removed_by_the_next_worker_and_those_that_are_written_stay() {
    let spool = Spool::new();
    for name in ["old", "new", "written"] {
        spool.put(&["--name", name], "");
    }
    let line = "echo $IPC_SPOOL_NAME; test $IPC_SPOOL_NAME != written || exec sleep 60";
    let options = ["--count", "3", "--log", "1K", "--", "sh", "-c", line];
    let worker = spool.run("take", &options).start();
    let log = |name: &str| spool.path("logs").join(name);
    until("all have begun", || {
        fs::read_to_string(log("written")).is_ok_and(|text| !text.is_empty())
    });
    ["old", "written"].into_iter().for_each(|name| make_older(log(name), 25));
    spool.run("take", &["--all", "--keep", "2d", "--", "true"]).is(0, "", "");
    assert_eq!(spool.files("logs").len(), 3);
    spool.run("take", &["--all", "--", "true"]).is(0, "", "");
    let mut left = spool.files("logs");
    left.sort();
    assert_eq!(left, ["new", "written"]);
    worker.signal(Signal::SIGTERM);
    assert_eq!(code(&worker.finish()), 143);
}

#[test]
fn a_command_that_runs_too_long_has_failed() {
    let spool = Spool::new();
    let take = |options: &[&str], line: &str| {
        spool.put(&[], "");
        let options = [&["--time-limit", "200ms"], options, &["--", "sh", "-c"]].concat();
        spool.run("take", &options).word(line)
    };
    let ended = |how: &str| error("take", &format!("sh timed out and {how}"));
    let failed = "; the message goes to failed/";
    take(&[], "sleep 60").is(124, "", &ended(&format!("died of signal TERM{failed}")));
    take(&[], "trap 'exit 0' TERM; while :; do :; done").is(
        124,
        "",
        &ended(&format!("ended with status 0{failed}")),
    );
    let stubborn = "trap '' TERM; while :; do sleep 0.01; done";
    let killed = ended(&format!("died of signal KILL{failed}"));
    take(&["--kill-after", "50ms"], stubborn).is(137, "", &killed);
    let again = "died of signal TERM; attempt 1 of 2, the next in 0s";
    take(&["--attempts", "2", "--retry-delay", "0"], "test $IPC_ATTEMPT = 2 || sleep 60").is(
        0,
        "",
        &ended(again),
    );
    let statuses: Vec<_> =
        spool.ls(&["--failed"]).iter().map(|row| row["status"].clone()).collect();
    assert_eq!(statuses, [124, 124, 124]);
    spool.run("take", &["--kill-after", "1s", "--", "true"]).assert().code(2);
}

#[test]
fn a_command_that_cannot_be_started_costs_no_attempt() {
    let spool = Spool::new();
    spool.put(&["--name", "a"], "x");
    script_that_cannot_start(spool.0.path());
    let reason = "ipc: spool take: ./script: No such file or directory\n";
    spool.run("take", &["--attempts", "1", "--", "./script"]).is(127, "", reason);
    assert_eq!((spool.counts(), &spool.ls(&[])[0]["attempts"]), ([1, 0, 0, 0], &0.into()));
    // Every number of descriptors that is too small.
    let numbers = "for n in $(seq 4 40); do
        (ulimit -n $n; exec ipc spool take --attempts 1 s -- cat) >taken 2>/dev/null && break
        ipc spool ls -o attempts --noheadings s
    done | sort -u; cat taken";
    spool.sh(numbers).is(0, "0\nx", "");
}

#[test]
fn a_message_of_a_killed_worker_is_taken_again_when_its_command_has_ended() {
    let spool = Spool::new();
    spool.put(&[], "");
    let worker = spool.run("take", &["--", "sh", "-c", "exec sleep 60 >/dev/null 2>&1"]).start();
    until("COMMAND runs", || spool.counts()[2] == 1 && commands(&worker).len() == 1);
    let command = commands(&worker)[0];
    worker.signal(Signal::SIGKILL);
    assert_eq!(code(&worker.finish()), 137);
    spool.run("take", &["-n", "--", "true"]).is(1, "", "");
    let next = spool.run("take", &["--", "sh", "-c", "echo $IPC_ATTEMPT"]).start();
    next.wait_until_asleep();
    kill(Pid::from_raw(command), Signal::SIGKILL).unwrap();
    assert_eq!(text(&next.finish().stdout), "2\n");
}

#[test]
fn a_message_that_kills_its_worker_is_started_as_often_as_allowed() {
    let spool = Spool::new();
    spool.put(&["--name", "poison"], "");
    let options = ["--attempts", "2", "--all", "--", "sh", "-c", "kill -9 $PPID"];
    for _ in 0..2 {
        assert_eq!(code(&spool.run("take", &options).output()), 137);
        until("COMMAND has ended", || spool.counts()[2] == 0);
    }
    let warning = error("take", "poison: no attempt is left; the message goes to failed/");
    spool.run("take", &options).is(0, "", &warning);
    let failed = &spool.ls(&["--failed"])[0];
    let reason = "COMMAND was started 2 times, the last end is not known";
    assert_eq!((&failed["attempts"], &failed["reason"]), (&2.into(), &reason.into()));
}

#[test]
fn a_claim_ends_with_command_whatever_its_children_do() {
    let spool = Spool::new();
    spool.put(&["--name", "a"], "");
    let background = "sleep 60 >/dev/null 2>&1 & echo $!; exit 1";
    let output = spool.take(background).output();
    let child: i32 = text(&output.stdout).trim().parse().unwrap();
    spool.run("requeue", &["a"]).is(0, "", "");
    spool.take("echo again").is(0, "again\n", "");
    kill(Pid::from_raw(child), Signal::SIGKILL).unwrap();
}

#[test]
fn the_worker_waits_for_children_if_it_is_asked_to() {
    let spool = Spool::new();
    spool.put(&[], "");
    let line = "(sleep 0.3; echo child) & echo parent";
    spool.run("take", &["--wait-children", "--", "sh", "-c", line]).is(0, "parent\nchild\n", "");
}

#[test]
fn several_commands_run_at_a_time() {
    let spool = Spool::new();
    spool.put(&["--each-line"], "a\nb\nc\n");
    // Each waits for the others.
    let line = "touch $IPC_SPOOL_NAME.x; until [ $(ls *.x | wc -l) = 3 ]; do sleep 0.01; done";
    spool.run("take", &["--all", "--jobs", "3", "--", "sh", "-c", line]).is(0, "", "");
    let taker =
        spool.run("take", &["-f", "--jobs", "3", "--", "sh", "-c", "echo x; exec sleep 60"]);
    let taker = taker.start();
    taker.wait_until_asleep();
    spool.put(&["--each-line"], "a\nb\nc\n");
    until("all run", || spool.counts()[2] == 3);
    taker.signal(Signal::SIGTERM);
    assert_eq!(code(&taker.finish()), 143);
    assert_eq!(spool.counts(), [3, 0, 0, 0]);
}

#[test]
fn a_waiting_worker_takes_what_is_put_linked_or_requeued() {
    let spool = Spool::new();
    let taker = spool.run("take", &["-f", "--", "sh", "-c", "cat; test $IPC_ATTEMPT = x"]).start();
    taker.wait_until_asleep();
    spool.put(&["--name", "a"], "1");
    until("it has failed", || spool.counts()[3] == 1);
    spool.run("requeue", &["a"]).succeeds();
    until("it has failed again", || spool.counts() == [0, 0, 0, 1]);
    taker.signal(Signal::SIGTERM);
    let ended = taker.finish();
    assert_eq!((code(&ended), text(&ended.stdout)), (143, "11".to_owned()));
}

#[test]
fn files_that_cannot_be_messages_go_to_the_quarantine_and_nothing_is_lost() {
    let spool = Spool::new();
    spool.put(&[], "good\n");
    fs::write(spool.path("ready/strange"), "kept").unwrap();
    let link = "00000-0000000000000001-0000000000000000-0000-link";
    symlink("/etc/passwd", spool.path("ready").join(link)).unwrap();
    let output = spool.take("cat").output();
    let moved =
        |file: &str, reason: &str| error("take", &format!("{file}: moved to quarantine/{reason}"));
    let warnings = moved("strange", "foreign-name") + &moved(link, "not-a-regular-file");
    assert_eq!((text(&output.stdout), text(&output.stderr)), ("good\n".to_owned(), warnings));
    assert_eq!(fs::read_to_string(spool.path("quarantine/foreign-name/strange")).unwrap(), "kept");
    assert_eq!(spool.stat()["quarantined"], 2);
}

/// A user who may write the spool could put one there.
#[test]
fn a_link_in_the_place_of_a_part_leads_nowhere() {
    let parts = ["tmp", "ready", "failed", "names", "done", "reports", "logs", "quarantine"];
    for part in parts.into_iter().chain(["quarantine/foreign-name"]) {
        let spool = Spool::new();
        spool.put(&["--name", "old"], "");
        spool.take("exit 1").assert().code(1);
        spool.put(&["--name", "new"], "");
        fs::write(spool.path("ready/strange"), "").unwrap();
        let elsewhere = spool.0.path().join("elsewhere");
        fs::create_dir(&elsewhere).unwrap();
        for name in ["0000000001-0", "new", "old", "strange"] {
            fs::write(elsewhere.join(name), "kept").unwrap();
            make_older(elsewhere.join(name), 100);
        }
        // There is no directory of that reason yet.
        let _ = fs::rename(spool.path(part), spool.0.path().join("aside"));
        symlink(&elsewhere, spool.path(part)).unwrap();
        let line = "echo x | ipc spool put s; echo x | ipc spool put --dedupe new s
            ipc spool take --all --log 1K s -- sh -c 'echo x; exit 1'
            ipc spool requeue --failed s; ipc spool rm s old new; ipc spool rm --purge s";
        spool.sh(line).output();
        let mut left: Vec<String> = fs::read_dir(&elsewhere)
            .unwrap()
            .map(|entry| entry.unwrap())
            .filter(|entry| fs::read(entry.path()).unwrap() == b"kept")
            .map(|entry| entry.file_name().into_string().unwrap())
            .collect();
        left.sort();
        assert_eq!(left, ["0000000001-0", "new", "old", "strange"], "{part}");
        assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 4, "{part}");
    }
}
