//! `ipc queue`.

mod exec;
mod format;
mod safety;
mod stream;

use crate::nouns::{Names, Noun, Wait};
use crate::peers;
use crate::support::{
    Name, Running, as_another_user, awkward, code, ipc, script_that_cannot_start, sh, text, until,
};

pub const NOUN: Noun = Noun {
    name: "queue",
    names: Names::Memory,
    create: &["--capacity", "4K"],
    waits,
    commands: &[],
};

fn waits() -> Vec<Wait> {
    const QUEUE: &str = "ipc queue create --capacity 4K $name";
    const FULL: &str = "ipc queue create --capacity 4K $name
        ipc queue push $name $(head -c 4080 /dev/zero | tr '\\0' x)";
    vec![
        Wait::new(QUEUE, "ipc queue pop $name", "ipc queue push $name hi", "hi\n"),
        Wait::new(QUEUE, "ipc queue pop --exec $name -- cat", "ipc queue push $name hi", "hi"),
        Wait::new(
            QUEUE,
            "ipc queue tap -f $name",
            "ipc queue push $name hi; ipc queue close $name",
            "hi\n",
        )
        .untimed(),
        Wait::new(FULL, "ipc queue push $name second", "ipc queue pop $name", ""),
    ]
}

/// A queue of this capacity.
fn queue(capacity: &str) -> Name {
    let name = Name::new("queue");
    ipc(&["queue", "create", &name, "--capacity", capacity]).is(0, "", "");
    name
}

/// What `stat --json` says of a queue.
fn stat(name: &str) -> serde_json::Value {
    let stat = ipc(&["queue", "stat", "--json", name]).succeeds();
    serde_json::from_str(&stat).expect("it is JSON")
}

/// Where a consumer prints, however much that is.
struct Log(tempfile::TempDir);

impl Log {
    fn text(&self) -> String {
        std::fs::read_to_string(self.0.path().join("log")).expect("it was made")
    }
}

/// A consumer that prints all messages to a file, until the queue is closed.
fn consumer(name: &str) -> (Running, Log) {
    let log = Log(tempfile::tempdir().expect("a directory can be made"));
    let run = sh("exec ipc queue pop -f \"$0\" >log").word(name).within(log.0.path());
    (run.start(), log)
}

/// `ipc: queue VERB: NAME: REASON`, and perhaps a hint.
fn error(verb: &str, name: &str, reason: &str) -> String {
    format!("ipc: queue {verb}: {name}: {reason}\n")
}

/// Why a queue that is missing cannot be used.
const MISSING: &str = "No such file or directory\n\
    hint: 'ipc queue create' makes it, and so does 'ipc queue push --create'";

#[test]
fn messages_come_out_in_the_order_in_which_they_went_in() {
    let name = queue("4K");
    ipc(&["queue", "push", &name, "one two", "", "three"]).is(0, "", "");
    ipc(&["queue", "push", &name]).input("a\n\nb").is(0, "", "");
    ipc(&["queue", "pop", &name]).is(0, "one two\n", "");
    ipc(&["queue", "pop", "--count", "2", &name]).is(0, "\nthree\n", "");
    ipc(&["queue", "pop", "--all", &name]).is(0, "a\n\nb\n", "");
    ipc(&["queue", "push", &name, "--", "-5"]).is(0, "", "");
    ipc(&["queue", "pop", "--json", &name]).is(0, "{\"message\":\"-5\"}\n", "");
    ipc(&["queue", "push", &name]).is(0, "", "");
    assert_eq!((&stat(&name)["messages"], &stat(&name)["pushed"]), (&0.into(), &7.into()));
}

#[test]
fn an_empty_queue_is_no_error_for_all_and_status_1_for_nonblock() {
    let name = queue("4K");
    ipc(&["queue", "pop", "--all", &name]).is(0, "", "");
    ipc(&["queue", "tap", &name]).is(0, "", "");
    ipc(&["queue", "pop", "-n", &name]).is(1, "", "");
    ipc(&["queue", "pop", "-nv", &name]).is(1, "", &error("pop", &name, "would block"));
    ipc(&["queue", "pop", "-t", "20ms", &name]).is(124, "", &error("pop", &name, "timed out"));
    ipc(&["queue", "tap", "-f", "-t", "20ms", &name]).is(
        124,
        "",
        &error("tap", &name, "timed out"),
    );
}

#[test]
fn a_full_queue_says_how_many_messages_went_in() {
    let name = queue("4K");
    let long = "x".repeat(2000);
    ipc(&["queue", "push", "-n", &name, &long, &long, &long]).is(1, "", "");
    let timed_out = error("push", &name, "timed out; the message before it was sent");
    ipc(&["queue", "pop", &name]).succeeds();
    ipc(&["queue", "push", "-t", "20ms", &name, &long, &long]).is(124, "", &timed_out);
    assert_eq!(stat(&name)["messages"], 2);
}

#[test]
fn a_message_that_never_fits_is_refused_at_once_with_the_capacity_that_would_do() {
    let name = queue("4K");
    let (fits, long) = ("x".repeat(4080), "x".repeat(4081));
    let refused = error(
        "push",
        &name,
        "message of 4081 bytes is longer than the queue allows (4080)\n\
         hint: create the queue with --capacity 8192",
    );
    ipc(&["queue", "push", &name, "a", &long]).is(3, "", &refused);
    assert_eq!(stat(&name)["messages"], 0);
    ipc(&["queue", "push", &name]).input(long.clone()).is(3, "", &refused);
    ipc(&["queue", "push", &name, &fits]).is(0, "", "");
    ipc(&["queue", "pop", &name]).is(0, &format!("{fits}\n"), "");
    let other = Name::new("queue");
    let create = ["queue", "push", "--create", "--capacity", "4K", &other, &long];
    ipc(&create).is(3, "", &refused.replace(&*name, &other));
    ipc(&["queue", "stat", &other]).is(4, "", &error("stat", &other, MISSING));
    ipc(&[&create[..4], &["8K", &other, &long]].concat()).is(0, "", "");
    ipc(&["queue", "pop", &other]).is(0, &format!("{long}\n"), "");
}

#[test]
fn a_closed_queue_is_drained_and_then_its_consumers_end() {
    let name = queue("4K");
    ipc(&["queue", "push", &name, "a", "b", "c", "d"]).is(0, "", "");
    ipc(&["queue", "close", &name]).is(0, "", "");
    ipc(&["queue", "close", &name]).is(0, "", "");
    ipc(&["queue", "push", &name, "e"]).is(3, "", &error("push", &name, "the queue is closed"));
    ipc(&["queue", "pop", &name]).is(0, "a\n", "");
    ipc(&["queue", "tap", "-f", &name]).is(0, "b\nc\nd\n", "");
    ipc(&["queue", "pop", "--exec", &name, "--", "cat"]).is(0, "b", "");
    ipc(&["queue", "pop", "-f", &name]).is(0, "c\nd\n", "");
    ipc(&["queue", "pop", "-f", &name]).is(0, "", "");
    ipc(&["queue", "pop", "--all", &name]).is(0, "", "");
    ipc(&["queue", "pop", &name]).is(1, "", "");
    let empty = error("pop", &name, "the queue is closed and empty");
    ipc(&["queue", "pop", "-v", &name]).is(1, "", &empty);
    ipc(&["queue", "pop", "-f", "--exec", &name, "--", "cat"]).is(0, "", "");
    ipc(&["queue", "pop", "--exec", &name, "--", "cat"]).is(1, "", "");
    assert_eq!(stat(&name)["closed"], true);
}

#[test]
fn processes_that_wait_notice_the_close() {
    let (empty, full) = (queue("4K"), queue("4K"));
    ipc(&["queue", "push", &full, &"x".repeat(4000)]).is(0, "", "");
    let waiters = [
        (ipc(&["queue", "pop", &empty]).start(), 1),
        (ipc(&["queue", "pop", "-f", &empty]).start(), 0),
        (ipc(&["queue", "pop", "-f", "--exec", &empty, "--", "cat"]).start(), 0),
        (ipc(&["queue", "tap", "-f", &empty]).start(), 0),
        (ipc(&["queue", "push", &full, &"y".repeat(200)]).start(), 3),
    ];
    waiters.iter().for_each(|(waiter, _)| waiter.wait_until_asleep());
    ipc(&["queue", "close", &empty]).is(0, "", "");
    ipc(&["queue", "close", &full]).is(0, "", "");
    for (waiter, status) in waiters {
        assert_eq!(code(&waiter.finish()), status);
    }
}

#[test]
fn what_exists_already_is_accepted_only_if_it_is_the_same() {
    let name = Name::new("queue");
    let create = |words: &[&str]| ipc(&["queue", "create", &name]).words(words);
    create(&["--capacity", "5000", "-m", "0640"]).is(0, "", "");
    let stat = stat(&name);
    assert_eq!((&stat["capacity"], &stat["mode"]), (&8192.into(), &"0640".into()));
    let exists = "File exists\nhint: --exist-ok accepts an existing one";
    create(&["--capacity", "8K"]).is(5, "", &error("create", &name, exists));
    create(&["--capacity", "8K", "-e"]).is(0, "", "");
    create(&["--capacity", "8K", "-e", "-m", "0640"]).is(0, "", "");
    let other = error("create", &name, "exists with --mode 0640");
    create(&["--capacity", "8K", "-e", "-m", "0600"]).is(5, "", &other);
    let other = error("create", &name, "exists with --capacity 8192");
    create(&["--capacity", "16K", "-e"]).is(5, "", &other);
}

#[test]
fn a_name_with_a_second_slash_is_a_file() {
    let directory = tempfile::tempdir().unwrap();
    let absolute = directory.path().join("other").to_str().unwrap().to_owned();
    for name in ["./queue", "../x/queue", &absolute] {
        std::fs::create_dir_all(directory.path().join("x")).unwrap();
        let run = |words: &[&str]| ipc(&["queue"]).words(words).within(&directory.path().join("x"));
        run(&["push", "--create", "--capacity", "4K", name, "kept"]).is(0, "", "");
        run(&["pop", name]).is(0, "kept\n", "");
        run(&["rm", name]).is(0, "", "");
        run(&["pop", name]).is(4, "", &error("pop", name, MISSING));
    }
    assert!(directory.path().read_dir().unwrap().all(|entry| entry.unwrap().file_name() == "x"));
    ipc(&["queue", "pop", "sysv:7"]).is(
        2,
        "",
        "ipc: queue pop: sysv:7: a POSIX name is wanted here, such as /name\n\
         hint: try 'ipc queue pop --help'\n",
    );
}

#[test]
fn any_bytes_are_a_name_and_the_list_shows_it() {
    let name = awkward();
    let run = |words: &[&str]| ipc(&["queue"]).words(words).word(&name);
    run(&["create", "--capacity", "4K"]).is(0, "", "");
    let listed = text(&ipc(&["queue", "ls", "--json"]).output().stdout);
    run(&["rm"]).is(0, "", "");
    let listed: serde_json::Value = serde_json::from_str(&listed).expect("it is JSON");
    let found = listed.as_array().unwrap().iter().any(|row| row["name"]["base64"].is_string());
    assert!(found, "{listed}");
    run(&["rm", "-f"]).is(0, "", "");
}

#[test]
fn the_list_has_queues_and_nothing_else() {
    let (name, segment) = (queue("4K"), Name::new("shm"));
    ipc(&["shm", "create", "--size", "8192", &segment]).is(0, "", "");
    ipc(&["queue", "push", &name, "ab", "c"]).is(0, "", "");
    let listed = ipc(&["queue", "ls", "--json"]).succeeds();
    let listed: Vec<serde_json::Value> = serde_json::from_str(&listed).expect("it is JSON");
    assert!(listed.iter().all(|row| row["name"] != *segment), "{listed:?}");
    let row = listed.iter().find(|row| row["name"] == *name).expect("it is listed");
    let seen = (&row["messages"], &row["bytes"], &row["capacity"], &row["state"]);
    assert_eq!(seen, (&2.into(), &3.into(), &4096.into(), &"open".into()));
    let refused = error("rm", &segment, "is not a queue");
    ipc(&["queue", "rm", &segment]).is(3, "", &refused);
    ipc(&["queue", "pop", &segment]).is(3, "", &refused.replace(" rm", " pop"));
}

#[test]
fn a_consumer_waits_for_the_queue_itself() {
    let name = Name::new("queue");
    ipc(&["queue", "pop", "--retry", "20ms", &name]).is(4, "", &error("pop", &name, MISSING));
    let waits = format!("ipc: queue pop: {}: waiting until the queue exists\n", &*name);
    let verbose = ipc(&["queue", "pop", "-v", "--retry", "20ms", &name]).output();
    assert_eq!(text(&verbose.stderr), waits + &error("pop", &name, MISSING));
    // The timeout limits this wait too.
    let timed_out = format!("timed out; {MISSING}");
    let run = ipc(&["queue", "pop", "--retry", "1h", "-t", "20ms", &name]);
    run.is(124, "", &error("pop", &name, timed_out.lines().next().unwrap()));
    ipc(&["queue", "pop", "--retry", "1h", "-n", &name]).is(1, "", "");
    let consumer = ipc(&["queue", "pop", "--retry", "1h", &name]).start();
    consumer.wait_until_asleep();
    ipc(&["queue", "push", "--create", "--capacity", "4K", &name, "hi"]).is(0, "", "");
    let ended = consumer.finish();
    assert_eq!((code(&ended), text(&ended.stdout)), (0, "hi\n".to_owned()));
}

#[test]
fn a_tap_sees_what_a_consumer_takes_afterwards() {
    let name = queue("4K");
    ipc(&["queue", "push", &name, "a", "b"]).is(0, "", "");
    ipc(&["queue", "tap", "-0", &name]).is(0, "a\0b\0", "");
    ipc(&["queue", "tap", "--json", &name]).is(0, "{\"message\":\"a\"}\n{\"message\":\"b\"}\n", "");
    let tap = ipc(&["queue", "tap", "-f", &name]).start();
    tap.wait_until_asleep();
    ipc(&["queue", "push", &name, "c"]).is(0, "", "");
    ipc(&["queue", "close", &name]).is(0, "", "");
    assert_eq!(text(&tap.finish().stdout), "a\nb\nc\n");
    ipc(&["queue", "pop", "--all", &name]).is(0, "a\nb\nc\n", "");
}

#[test]
fn stat_tells_whether_a_process_sleeps() {
    let name = queue("4K");
    assert_eq!(stat(&name)["consumer_sleeps"], false);
    let consumer = ipc(&["queue", "pop", &name]).start();
    until("a consumer sleeps", || stat(&name)["consumer_sleeps"] == true);
    ipc(&["queue", "push", &name, "x".repeat(4000).as_str()]).is(0, "", "");
    consumer.finish();
    ipc(&["queue", "push", &name, "x".repeat(4000).as_str()]).is(0, "", "");
    let producer = ipc(&["queue", "push", &name, "x".repeat(4000).as_str()]).start();
    until("a producer sleeps", || stat(&name)["producer_sleeps"] == true);
    ipc(&["queue", "pop", &name]).succeeds();
    assert_eq!(code(&producer.finish()), 0);
    let holders = ipc(&["queue", "stat", &name]).succeeds();
    assert!(holders.contains("capacity:        4096\n"), "{holders}");
}

#[test]
fn the_textbook_bounded_buffer_of_the_manual_works_both_ways() {
    let directory = tempfile::tempdir().unwrap();
    let (free, used) = (Name::new("sem"), Name::new("sem"));
    let name = Name::new("queue");
    let page = include_str!("../../../man/ipc-queue.5");
    let examples: Vec<String> = page
        .split(".EX\n")
        .skip(1)
        .map(|rest| rest.split(".EE").next().unwrap().replace("\\-", "-").replace("\\e", "\\"))
        .filter(|example| example.contains("seq 20"))
        .map(|e| e.replace("/free", &free).replace("/used", &used).replace("/buffer", &name))
        .collect();
    assert_eq!(examples.len(), 2, "{examples:?}");
    let numbers: String = (1..=20).map(|number| format!("{number}\n")).collect();
    for example in examples {
        sh(&format!("set -e\n{example}")).within(directory.path()).is(0, &numbers, "");
    }
}
