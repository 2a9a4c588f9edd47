//! `ipc spool`.

mod durable;
mod systems;
mod take;
mod watch;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::nouns::{Names, Noun, Wait};
use crate::support::{Run, awkward, code, ipc, sh, text, until};

pub const NOUN: Noun =
    Noun { name: "spool", names: Names::Directories, create: &[], waits, commands: &[] };

fn waits() -> Vec<Wait> {
    const SPOOL: &str = "ipc spool create s";
    vec![
        Wait::new(SPOOL, "ipc spool take s -- cat", "echo hi | ipc spool put s", "hi\n"),
        Wait::new(
            "ipc spool create s; echo hi | ipc spool put s >&2",
            "ipc spool join s",
            "ipc spool take s -- true",
            "",
        ),
    ]
}

/// A spool in a directory of its own.
struct Spool(tempfile::TempDir);

impl Spool {
    fn new() -> Self {
        let spool = Self(tempfile::tempdir().expect("a directory can be made"));
        ipc(&["spool", "create", "s"]).within(spool.0.path()).is(0, "", "");
        spool
    }

    /// A verb with the name of the spool.
    fn run(&self, verb: &str, options: &[&str]) -> Run {
        ipc(&["spool", verb, "s"]).words(options).within(self.0.path())
    }

    /// A line of shell beside the spool.
    fn sh(&self, line: &str) -> Run {
        sh(line).within(self.0.path())
    }

    /// Puts a message; returns its name.
    fn put(&self, options: &[&str], message: &str) -> String {
        self.run("put", options).input(message).succeeds().trim_end().to_owned()
    }

    fn take(&self, line: &str) -> Run {
        self.sh("exec ipc spool take --all s -- sh -c \"$0\" \"$@\"").word(line)
    }

    fn path(&self, path: &str) -> PathBuf {
        self.0.path().join("s").join(path)
    }

    /// The names of files in a part.
    fn files(&self, part: &str) -> Vec<String> {
        let name =
            |entry: std::io::Result<fs::DirEntry>| entry.ok()?.file_name().into_string().ok();
        fs::read_dir(self.path(part)).expect("it is there").filter_map(name).collect()
    }

    fn stat(&self) -> Value {
        json(&self.run("stat", &["--json"]).succeeds())
    }

    fn counts(&self) -> [u64; 4] {
        let stat = self.stat();
        ["ready", "delayed", "claimed", "failed"].map(|key| stat[key].as_u64().expect("a number"))
    }

    fn ls(&self, options: &[&str]) -> Vec<Value> {
        let listed = json(&self.run("ls", &[&["--json"], options].concat()).succeeds());
        listed.as_array().expect("it is a list").clone()
    }
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("it is JSON")
}

/// `ipc: spool VERB: s: REASON`.
fn error(verb: &str, reason: &str) -> String {
    format!("ipc: spool {verb}: s: {reason}\n")
}

#[test]
fn messages_are_taken_by_priority_and_then_in_the_order_of_their_puts() {
    let spool = Spool::new();
    spool.put(&["--each-line"], "a\nb\n\nc");
    spool.put(&["--priority", "7"], "first\n");
    spool.run("take", &["--", "cat"]).is(0, "first\n", "");
    spool.take("cat; echo .").is(0, "a.\nb.\n.\nc.\n", "");
    assert_eq!(spool.counts(), [0; 4]);
}

#[test]
fn a_put_prints_the_name_of_each_message() {
    let spool = Spool::new();
    fs::write(spool.0.path().join("file"), "in a file").unwrap();
    let names = spool.run("put", &["file", "-"]).input("from stdin").succeeds();
    let names: Vec<&str> = names.lines().collect();
    let listed: Vec<Value> = spool.ls(&[]).iter().map(|row| row["name"].clone()).collect();
    assert_eq!((names.len(), listed), (2, names.iter().map(|&name| name.into()).collect()));
    spool.take("cat; echo \" $IPC_SPOOL_NAME\"").is(
        0,
        &format!("in a file {}\nfrom stdin {}\n", names[0], names[1]),
        "",
    );
    spool.run("put", &["missing"]).is(
        4,
        "",
        "ipc: spool put: missing: No such file or directory\n",
    );
    spool.run("put", &["file", "missing"]).assert().code(4);
    assert_eq!(spool.counts()[0], 1, "the file before the error is put");
    assert!(spool.files("tmp").is_empty());
}

#[test]
fn records_may_end_with_nul() {
    let spool = Spool::new();
    let names = spool.run("put", &["-0"]).input("a\nb\0c").succeeds();
    assert_eq!(names.matches('\0').count(), 2);
    spool.take("cat; echo .").is(0, "a\nb.\nc.\n", "");
}

#[test]
fn a_name_is_given_to_one_message_at_a_time() {
    let spool = Spool::new();
    spool.run("put", &["--name", "report"]).is(0, "report\n", "");
    let reason = "report: a message of this name waits, is claimed or has failed";
    spool.run("put", &["--name", "report"]).is(5, "", &error("put", reason));
    let there = error("put", "report: is there already");
    spool.run("put", &["--dedupe", "report"]).is(0, "report\n", &there);
    // Claimed,
    spool.take("ipc spool put --dedupe report s").is(0, "report\n", &there);
    spool.run("put", &["--dedupe", "report"]).is(0, "report\n", "");
    // failed,
    spool.take("exit 3").assert().code(3);
    spool.run("put", &["--dedupe", "report"]).is(0, "report\n", &there);
    // and gone.
    spool.run("rm", &["report"]).is(0, "", "");
    spool.run("put", &["--dedupe", "report"]).is(0, "report\n", "");
    spool.run("put", &["--name", "x", "a", "b"]).assert().code(2);
    spool.run("put", &["--name", &"x".repeat(201)]).assert().code(2);
}

#[test]
fn puts_of_one_key_at_the_same_time_put_one_message() {
    let spool = Spool::new();
    let line = "for i in 1 2 3 4 5 6 7 8; do ipc spool put --dedupe key s 2>/dev/null & done; wait";
    spool.sh(line).is(0, &"key\n".repeat(8), "");
    assert_eq!(spool.counts()[0], 1);
}

#[test]
fn any_bytes_are_a_name() {
    let spool = Spool::new();
    let name = awkward();
    let run = |verb: &str, words: &[&str]| spool.run(verb, words).word(&name);
    run("put", &["--name"]).assert().success();
    assert!(spool.ls(&[])[0]["name"]["base64"].is_string());
    spool.take("test \"$IPC_SPOOL_NAME\" = \"$0\" && test -f {}").word(&name).is(0, "", "");
    run("join", &[]).is(0, "", "");
    run("put", &["--dedupe"]).assert().success();
    run("rm", &[]).is(0, "", "");
    assert_eq!((spool.counts(), spool.files("names").len()), ([0; 4], 0));
}

#[test]
fn a_delayed_message_waits_for_its_time() {
    let spool = Spool::new();
    spool.put(&["--delay", "1h", "--priority", "9"], "later");
    spool.put(&["--delay", "2s"], "soon\n");
    assert_eq!(spool.counts(), [0, 2, 0, 0]);
    assert_eq!(spool.ls(&[])[0]["state"], "delayed");
    spool.take("cat").is(0, "", "");
    spool.run("take", &["--", "cat"]).is(0, "soon\n", "");
    spool.run("take", &["-n", "--", "cat"]).is(1, "", "");
}

#[test]
fn a_paused_spool_gives_no_message_and_its_commands_go_on() {
    let spool = Spool::new();
    spool.put(&[], "first");
    spool.take("ipc spool pause s; cat").is(0, "first", "");
    spool.put(&[], "second");
    spool.take("cat").is(0, "", "");
    assert_eq!((spool.counts()[0], &spool.stat()["paused"]), (1, &true.into()));
    let taker = spool.run("take", &["--", "cat"]).start();
    taker.wait_until_asleep();
    spool.run("resume", &[]).is(0, "", "");
    spool.run("resume", &[]).is(0, "", "");
    assert_eq!(text(&taker.finish().stdout), "second");
}

#[test]
fn join_waits_for_the_ends_of_messages_and_says_whether_one_failed() {
    let spool = Spool::new();
    spool.run("join", &[]).is(0, "", "");
    for name in ["good", "bad"] {
        spool.run("put", &["--name", name]).succeeds();
    }
    let joins = [&["good"][..], &["bad"], &[]].map(|names| spool.run("join", names).start());
    joins.iter().for_each(|join| join.wait_until_asleep());
    spool.run("join", &["-n", "good"]).is(1, "", "");
    spool.run("join", &["-t", "20ms"]).is(124, "", &error("join", "timed out"));
    spool.take("test $IPC_SPOOL_NAME = good").assert().code(1);
    let ends = joins.map(|join| code(&join.finish()));
    assert_eq!(ends, [0, 1, 1]);
    let failed = error("join", "bad: failed with status 1");
    spool.run("join", &["good", "bad"]).is(1, "", &failed);
    spool.run("requeue", &["bad"]).is(0, "", "");
    spool.take("true").is(0, "", "");
    spool.run("join", &["good", "bad"]).is(0, "", "");
    let unknown = error("join", "strange: is not there, and its end is unknown");
    spool.run("join", &["strange"]).is(4, "", &unknown);
    spool.put(&["--name", "forgotten"], "");
    spool.run("take", &["--keep", "0", "--", "true"]).is(0, "", "");
    spool.run("join", &["forgotten"]).assert().code(4);
}

#[test]
fn failed_messages_are_listed_requeued_and_removed() {
    let spool = Spool::new();
    for name in ["a", "b", "c"] {
        spool.put(&["--name", name], name);
    }
    spool.take("echo why >&2; exit 3").assert().code(3);
    let failed = spool.ls(&["--failed"]);
    let row = &failed[0];
    let seen = (&row["name"], &row["attempts"], &row["status"], &row["stderr"], &row["reason"]);
    let reason = "ended with status 3";
    assert_eq!(seen, (&"a".into(), &1.into(), &3.into(), &"why\n".into(), &reason.into()));
    spool.run("requeue", &["a"]).is(0, "", "");
    assert_eq!((spool.counts(), &spool.ls(&[])[0]["attempts"]), ([1, 0, 0, 2], &0.into()));
    spool.run("requeue", &["a"]).is(4, "", "ipc: spool requeue: a: no such message in s\n");
    spool.run("requeue", &["--failed"]).is(0, "", "");
    spool.take("cat").is(0, "abc", "");
    spool.run("requeue", &[]).assert().code(2);
    spool.run("rm", &["a"]).is(4, "", "ipc: spool rm: a: no such message in s\n");
    spool.run("rm", &["-f", "a"]).is(0, "", "");
    assert!(spool.files("reports").is_empty());
}

#[test]
fn a_spool_with_messages_is_not_removed() {
    let spool = Spool::new();
    spool.put(&[], "x");
    let refused = error("rm", "has messages\nhint: --purge removes them with the spool");
    spool.run("rm", &[]).is(5, "", &refused);
    spool.take("cat").is(0, "x", "");
    spool.put(&[], "x");
    spool.run("rm", &["--purge"]).is(0, "", "");
    assert!(!spool.path("").exists());
    let missing = error(
        "rm",
        "No such file or directory\n\
         hint: 'ipc spool create' makes it, and so does 'ipc spool put --create'",
    );
    spool.run("rm", &[]).is(4, "", &missing);
    spool.run("rm", &["-f"]).is(0, "", "");
    spool.run("create", &[]).is(0, "", "");
    spool.run("rm", &[]).is(0, "", "");
}

#[test]
fn what_is_there_already_is_accepted_only_if_it_is_the_same() {
    let spool = Spool::new();
    let exists = error("create", "File exists\nhint: --exist-ok accepts an existing one");
    spool.run("create", &[]).is(5, "", &exists);
    spool.run("create", &["-e"]).is(0, "", "");
    spool.run("create", &["-e", "-m", "600"]).is(0, "", "");
    let other = error("create", "exists with --mode 0700");
    spool.run("create", &["-e", "-m", "660"]).is(5, "", &other);
    let not = |verb: &str, name: &str| {
        format!(
            "ipc: spool {verb}: {name}: is not a spool\n\
             hint: 'ipc spool create' makes one of an empty directory\n"
        )
    };
    for name in ["file", "directory"] {
        match name {
            "file" => fs::write(spool.0.path().join(name), "").unwrap(),
            name => fs::create_dir_all(spool.0.path().join(name).join("x")).unwrap(),
        }
        ipc(&["spool", "ls", name]).within(spool.0.path()).is(3, "", &not("ls", name));
        ipc(&["spool", "rm", name]).within(spool.0.path()).is(3, "", &not("rm", name));
        let create = ipc(&["spool", "create", "-e", name]).within(spool.0.path());
        create.is(3, "", &not("create", name));
    }
    ipc(&["spool", "put", "--create", "new"]).input("x").within(spool.0.path()).assert().success();
    ipc(&["spool", "take", "new", "--", "cat"]).within(spool.0.path()).is(0, "x", "");
}

#[test]
fn the_mode_is_that_of_the_directories_and_messages_get_its_read_bits() {
    let directory = tempfile::tempdir().unwrap();
    let run = |words: &[&str]| sh("umask 077; exec ipc spool \"$@\"").word("ipc").words(words);
    let run = |words: &[&str]| run(words).within(directory.path());
    for (mode, directories, files) in [("660", 0o770, 0o640), ("644", 0o755, 0o644)] {
        run(&["create", "s", "-m", mode]).is(0, "", "");
        run(&["put", "s"]).input("x").succeeds();
        let mode = |path: &Path| {
            use std::os::unix::fs::PermissionsExt;
            fs::metadata(path).unwrap().permissions().mode() & 0o777
        };
        let ready = directory.path().join("s/ready");
        let message = fs::read_dir(&ready).unwrap().next().unwrap().unwrap().path();
        assert_eq!((mode(&directory.path().join("s")), mode(&ready)), (directories, directories));
        assert_eq!(mode(&message), files);
        run(&["rm", "--purge", "s"]).is(0, "", "");
    }
}

#[test]
fn the_keys_of_the_list_are_those_of_json() {
    let spool = Spool::new();
    spool.put(&[], "");
    let refused = text(&spool.run("ls", &["-o", "wrong"]).output().stderr);
    let keys = refused.split("the keys are ").nth(1).unwrap().lines().next().unwrap().to_owned();
    let mut declared: Vec<&str> = keys.split(", ").collect();
    declared.sort_unstable();
    let row = spool.ls(&[])[0].clone();
    // The rows of serde_json are sorted.
    assert_eq!(row.as_object().unwrap().keys().collect::<Vec<_>>(), declared);
}

#[test]
fn a_long_list_is_printed_in_order_and_its_reader_may_leave() {
    let spool = Spool::new();
    let names = spool.run("put", &["--each-line"]).input("x\n".repeat(5000)).succeeds();
    let listed = spool.run("ls", &["-o", "name", "--noheadings"]).succeeds();
    assert_eq!(listed, names);
    let headings = spool.run("ls", &["--filter", "attempts=0"]).succeeds();
    assert_eq!((headings.lines().count(), headings.matches("ATTEMPTS").count()), (5001, 1));
    spool.sh("ipc spool ls s | head -n 2 | wc -l").is(0, "2\n", "");
}

#[test]
fn the_list_shows_which_processes_work() {
    let spool = Spool::new();
    spool.put(&["--name", "a"], "");
    spool.put(&["--name", "b"], "");
    let worker = spool.run("take", &["--", "sh", "-c", "echo go; exec sleep 60"]).start();
    until("the message is claimed", || spool.counts()[2] == 1);
    let listed = spool.ls(&[]);
    let states: Vec<&Value> = listed.iter().map(|row| &row["state"]).collect();
    assert_eq!(states, ["claimed", "ready"]);
    let workers = listed[0]["worker"].as_array().unwrap();
    assert!(workers.iter().any(|process| process["pid"] == worker.pid()), "{listed:?}");
    spool.run("rm", &["a"]).is(5, "", "ipc: spool rm: a: a worker has claimed it\n");
    worker.signal(nix::sys::signal::Signal::SIGTERM);
    assert_eq!(code(&worker.finish()), 143);
    assert_eq!((spool.counts(), &spool.ls(&[])[0]["attempts"]), ([2, 0, 0, 0], &1.into()));
}
