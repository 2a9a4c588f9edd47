//! One frame as text, and looks as JSON.

use serde_json::{Value, json};

use super::deadlock;
use crate::peers;
use crate::support::{Name, Running, ipc, sh, text, until};

fn look(words: &[&str]) -> Value {
    let words = [&["top", "--once", "--json", "--interval", "0.1"], words].concat();
    serde_json::from_str(&ipc(&words).succeeds()).expect("it is JSON")
}

/// The looks of a stream of JSON.
struct Looks {
    file: tempfile::NamedTempFile,
    _running: Running,
}

impl Looks {
    fn start(words: &[&str]) -> Self {
        let file = tempfile::NamedTempFile::new().expect("a file can be made");
        let running = sh("exec ipc \"$@\" >\"$0\"").word(file.path()).words(words).start();
        Self { file, _running: running }
    }

    /// Waits for a look that meets a condition; returns the first one.
    #[track_caller]
    fn until(&self, condition: impl Fn(&Value) -> bool) -> Value {
        let mut found = None;
        until("a look meets the condition", || {
            let text = std::fs::read_to_string(self.file.path()).expect("it can be read");
            let looks = text.lines().filter_map(|line| serde_json::from_str(line).ok());
            found = looks.into_iter().find(&condition);
            found.is_some()
        });
        found.expect("it was found")
    }
}

/// The object of this name in a look.
fn object<'a>(look: &'a Value, name: &str) -> &'a Value {
    let objects = look["objects"].as_array().expect("it has objects");
    objects.iter().find(|object| object["name"] == name).unwrap_or(&Value::Null)
}

#[test]
fn without_a_terminal_it_is_a_usage_error_with_a_hint() {
    let hint = "hint: 'ipc top --once' prints one frame, 'ipc top --json' a stream\n";
    ipc(&["top"]).is(2, "", &format!("ipc: top: standard output is no terminal\n{hint}"));
    let Some(top) = peers::at_terminal("ipc top </dev/null") else { return };
    assert!(text(&top.output().stdout).contains("standard input is no terminal"));
    let shown = peers::at_terminal("TERM=dumb ipc top").unwrap().output();
    assert!(text(&shown.stdout).contains("the terminal is dumb"));
}

#[test]
fn one_frame_is_text_with_the_objects_of_each_kind() {
    let (queue, semaphore) = (Name::new("queue"), Name::new("sem"));
    ipc(&["queue", "push", "--create", "--capacity", "4K", &queue, "message"]).is(0, "", "");
    ipc(&["sem", "create", &semaphore, "--value", "7"]).is(0, "", "");
    let once = |words: &[&str]| {
        let words = [&["top", "--once", "--interval", "0.1"], words].concat();
        ipc(&words).env("COLUMNS", "100").env("LC_ALL", "C").succeeds()
    };
    let shown = once(&[]);
    assert!(!shown.contains('\x1b') && shown.is_ascii(), "{shown}");
    assert!(shown.lines().all(|line| line.chars().count() <= 100), "{shown}");
    let row = |name: &str| shown.lines().find(|line| line.contains(name)).unwrap_or_default();
    let words: Vec<&str> = row(&queue).split_whitespace().collect();
    assert_eq!(words[1..3], ["4K", "1"], "{shown}");
    assert_eq!(row(&semaphore).split_whitespace().nth(2), Some("7"), "{shown}");
    let one_kind = once(&["--kind", "sem", "--view", "list"]);
    assert!(one_kind.contains(&*semaphore) && !one_kind.contains(&*queue), "{one_kind}");
    let filtered = once(&["--filter", &queue.to_uppercase()]);
    assert!(filtered.contains(&*queue) && !filtered.contains(&*semaphore), "{filtered}");
}

#[test]
fn one_frame_has_colours_where_they_are_wanted_and_its_own_signs_with_utf_8() {
    let queue = Name::new("queue");
    ipc(&["queue", "create", "--capacity", "4K", &queue]).is(0, "", "");
    let words = ["top", "--once", "--interval", "0.1", "-k", "queue", "--color=always"];
    let shown = ipc(&words).env("LC_ALL", "C.UTF-8").succeeds();
    assert!(shown.contains("\x1b[0;30;42m") && shown.contains('▾'), "{shown}");
    let ends_plain =
        |line: &str| line.rsplit('\x1b').next().is_none_or(|end| end.starts_with("[0m"));
    assert!(shown.lines().filter(|line| line.contains('\x1b')).all(ends_plain), "{shown}");
}

#[test]
fn json_has_rates_where_the_object_counts_and_changes_elsewhere() {
    let (queue, mq) = (Name::new("queue"), Name::new("mq"));
    ipc(&["queue", "create", "--capacity", "64K", &queue]).is(0, "", "");
    ipc(&["mq", "create", &mq, "--max-msgs", "4", "--msg-size", "16"]).is(0, "", "");
    ipc(&["mq", "send", &mq, "a"]).is(0, "", "");
    let words = ["top", "--json", "--interval", "0.2", "-k", "queue", "-k", "mq"];
    let looks = Looks::start(&words);
    let first = looks.until(|look| *object(look, &queue) != Value::Null);
    let row = object(&first, &mq);
    assert_eq!((&first["elapsed"], &row["change"]), (&Value::Null, &Value::Null));
    assert_eq!(
        (&row["used"], &row["limit"], &row["messages_in"]),
        (&json!(1), &json!(4), &Value::Null)
    );
    ipc(&["queue", "push", &queue, "one", "two"]).is(0, "", "");
    let counted = looks.until(|look| object(look, &queue)["messages_in"].as_f64() > Some(0.0));
    let row = object(&counted, &queue);
    let ratio = row["bytes_in"].as_f64().unwrap() / row["messages_in"].as_f64().unwrap();
    assert_eq!(ratio.round(), 3.0, "{row}");
    ipc(&["mq", "send", &mq, "b", "c"]).is(0, "", "");
    let changes = looks.until(|look| object(look, &mq)["count"] == 3);
    assert!(object(&changes, &mq)["change"].as_i64() > Some(0), "{changes}");
    ipc(&["queue", "rm", &queue]).is(0, "", "");
    let gone = looks.until(|look| object(look, &queue)["gone"] == true);
    assert_eq!(object(&gone, &mq)["gone"], false);
    looks.until(|look| {
        *object(look, &queue) == Value::Null && look["time"].as_str() > gone["time"].as_str()
    });
}

#[test]
fn json_ends_when_its_reader_leaves() {
    sh("ipc top --json --interval 60 | head -c 1").is(0, "{", "");
}

#[test]
fn processes_that_wait_for_each_other_are_a_deadlock() {
    let directory = tempfile::tempdir().unwrap();
    let Some([one, two]) = deadlock(directory.path()) else { return };
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let mut seen = Value::Null;
    let is_of = |wait: &Value, name: &str| wait["name"] == path(name);
    // The name of a program is kept for some looks: at first it may be that of the shell before its exec.
    let is_found = |wait: &Value, name: &str| is_of(wait, name) && wait["command"] == "flock";
    until("the cycle is found", || {
        seen = look(&["--kind", "lock"]);
        let cycles = seen["cycles"].as_array().unwrap();
        ["one", "two"].iter().all(|name| cycles.iter().any(|wait| is_found(wait, name)))
    });
    for name in ["one", "two"] {
        assert_eq!(object(&seen, &path(name))["deadlock"], true, "{seen}");
        assert_eq!(object(&seen, &path(name))["waiting"], 1, "{seen}");
    }
    // Without one of them there is no deadlock.
    drop((one, two));
    until("the cycle is gone", || {
        let cycles = look(&["--kind", "lock"])["cycles"].clone();
        !cycles.as_array().unwrap().iter().any(|wait| is_of(wait, "one"))
    });
}

#[test]
fn the_waiters_for_open_file_locks_are_found_by_their_system_calls() {
    const SCRIPT: &str = "
import fcntl, os, struct, sys, time
lock = struct.pack('hhqqi', fcntl.F_WRLCK, 0, 0, 0, 0)
own, other = (open(path, 'r+') for path in sys.argv[1:])
fcntl.fcntl(own, 37, lock)
open(own.name + '.held', 'w').close()
while not os.path.exists(other.name + '.held'): time.sleep(0.01)
fcntl.fcntl(other, 38, lock)";
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let (one, two) = (path("one"), path("two"));
    std::fs::write(&one, "").unwrap();
    std::fs::write(&two, "").unwrap();
    let run = |own: &str, other: &str| {
        Some(peers::python("fcntl", SCRIPT, &[])?.words(&[own, other]).start())
    };
    let Some(_running) = run(&one, &two).zip(run(&two, &one)) else { return };
    let may_look = std::fs::read_to_string("/proc/1/syscall").is_ok();
    until("both wait", || {
        let seen = look(&["--kind", "lock"]);
        let waiting = |name: &str| object(&seen, name)["waiting"] == 1;
        let is_marked = |name: &str| object(&seen, name)["deadlock"] == true;
        // Another user's system calls are visible to root only, and Yama hides those of one's own, too.
        [&one, &two].iter().all(|name| waiting(name) && (is_marked(name) || !may_look))
    });
}

#[test]
fn a_tcp_connection_counts_its_bytes() {
    use std::io::Write;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (server, _) = listener.accept().unwrap();
    let name = format!("tcp:{} -> {}", server.local_addr().unwrap(), server.peer_addr().unwrap());
    let looks = Looks::start(&["top", "--json", "--interval", "0.1", "--kind", "tcp"]);
    let seen = looks.until(|look| object(look, &name)["bytes_in"] == 0.0);
    let own = std::process::id() as i32;
    assert!(object(&seen, &name)["holders"].as_array().unwrap().contains(&json!(own)), "{seen}");
    client.write_all(&[0; 5000]).unwrap();
    let counted = looks.until(|look| object(look, &name)["bytes_in"].as_f64() > Some(0.0));
    assert_eq!(object(&counted, &name)["kind"], "tcp");
}

#[test]
fn a_door_counts_its_calls() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("door");
    let ready = directory.path().join("ready");
    let line = "exec ipc door serve \"$0\" --ready \"$1\" -- cat";
    let _server = sh(line).word(&path).word(&ready).start();
    until("the server is ready", || std::fs::read(&ready).is_ok_and(|bytes| !bytes.is_empty()));
    let looks = Looks::start(&["top", "--json", "--interval", "0.1", "--kind", "door"]);
    let name = path.to_str().unwrap();
    looks.until(|look| object(look, name)["messages_in"] == 0.0);
    ipc(&["door", "call", name, "argument"]).is(0, "argument", "");
    let counted = looks.until(|look| object(look, name)["messages_out"].as_f64() > Some(0.0));
    assert!(object(&counted, name)["limit"].as_u64() > Some(0), "{counted}");
}

#[test]
fn one_frame_is_a_picture() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("top.svg");
    let queue = Name::new("queue");
    ipc(&["queue", "create", "--capacity", "4K", &queue]).is(0, "", "");
    let words = ["top", "--interval", "0.1", "-k", "queue", "--svg"];
    ipc(&words).word(&file).is(0, "", "");
    let svg = std::fs::read_to_string(&file).unwrap();
    assert!(svg.starts_with("<svg ") && svg.contains(&*queue), "{svg}");
    let missing = directory.path().join("missing/top.svg");
    let failed = format!("ipc: top: {}: No such file or directory\n", missing.display());
    ipc(&words).word(&missing).is(4, "", &failed);
}

#[test]
fn a_path_that_is_no_object_is_an_error_and_a_file_at_a_path_is_watched() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("lock");
    ipc(&["lock", "take"])
        .word(&path)
        .words(&["--owner", &std::process::id().to_string()])
        .is(0, "", "");
    let once = ["top", "--once", "--json", "--interval", "0.1"];
    let seen = ipc(&once).word(directory.path()).succeeds();
    let seen: Value = serde_json::from_str(&seen).unwrap();
    assert_eq!(object(&seen, path.to_str().unwrap())["kind"], "lockfile");
    let missing = directory.path().join("missing");
    let expected = format!("ipc: top: {}: No such file or directory\n", missing.display());
    let output = ipc(&["top", "--json"]).word(&missing).output();
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(4), expected));
}
