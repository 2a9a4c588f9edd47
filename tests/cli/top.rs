//! `ipc top`: the live screen in tmux, one frame, and JSON.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::peers;
use crate::support::{Name, Running, binary, ipc, sh, text, until};

/// A terminal of tmux in which a shell runs.
struct Terminal {
    directory: tempfile::TempDir,
}

/// The prompt of the shell.
const PROMPT: &str = "ready$";

impl Terminal {
    /// A terminal of this size; `None` where there is no tmux.
    fn new(width: u16, height: u16) -> Option<Self> {
        if !peers::there("tmux", &["-V"]) {
            return None;
        }
        let directory = tempfile::tempdir().expect("a directory can be made");
        let terminal = Self { directory };
        let [width, height] = [width, height].map(|size| size.to_string());
        let size = ["-x", &width, "-y", &height];
        let shell = format!("exec env -u NO_COLOR PS1='{PROMPT} ' LC_ALL=C.UTF-8 sh -i");
        terminal.tmux(
            &[&["-u", "-f", "/dev/null", "new-session", "-d"], &size[..], &[&shell]].concat(),
        );
        terminal.until_shown(PROMPT);
        Some(terminal)
    }

    /// Calls tmux, whose server has a socket in the directory of this test.
    fn tmux(&self, words: &[&str]) -> String {
        let socket = self.directory.path().join("tmux");
        let output = Command::new("tmux").arg("-S").arg(socket).args(words).output();
        let output = output.expect("tmux runs");
        assert!(output.status.success(), "{words:?}: {}", text(&output.stderr));
        text(&output.stdout)
    }

    /// Types a text.
    fn write(&self, text: &str) {
        self.tmux(&["send-keys", "-l", "--", text]);
    }

    /// Presses a key, by its name in tmux.
    fn press(&self, key: &str) {
        self.tmux(&["send-keys", key]);
    }

    /// Runs a line of shell.
    fn run(&self, line: &str) {
        self.write(line);
        self.press("Enter");
    }

    fn ipc(&self, words: &str) {
        self.run(&format!("clear; {} {words}", binary().display()));
    }

    /// What the terminal shows.
    fn shown(&self) -> String {
        self.tmux(&["capture-pane", "-p"])
    }

    /// The sequences that change the look of a text, as far as the terminal knows them: `\x1b[NUMBERSm`.
    fn looks(&self) -> Vec<String> {
        let shown = self.tmux(&["capture-pane", "-p", "-e"]);
        let sequence = |text: &str| Some(text.split_once('m')?.0.to_owned());
        shown.split("\x1b[").skip(1).filter_map(sequence).collect()
    }

    fn until_shown(&self, text: &str) {
        until(&format!("{text} is shown"), || self.shown().contains(text));
    }

    fn until_hidden(&self, text: &str) {
        until(&format!("{text} is not shown"), || !self.shown().contains(text));
    }

    /// The row of a screen with this text.
    fn row(&self, text: &str) -> String {
        let shown = self.shown();
        shown.lines().find(|line| line.contains(text)).unwrap_or_default().to_owned()
    }

    /// The process of a program in this terminal.
    fn pid_of_top(&self) -> String {
        let terminal = self.tmux(&["display-message", "-p", "#{pane_tty}"]);
        let terminal = terminal.trim().trim_start_matches("/dev/").to_owned();
        let pids = sh("pgrep -t \"$0\" -n -x ipc").word(terminal).succeeds();
        pids.trim().to_owned()
    }

    /// The settings of the terminal, when the shell runs.
    fn settings(&self) -> String {
        let file = self.directory.path().join("settings");
        self.run(&format!("clear; stty -a >{0}; echo >>{0} end", file.display()));
        let read = || std::fs::read_to_string(&file).unwrap_or_default();
        until("the settings are written", || read().ends_with("end\n"));
        let settings = read();
        std::fs::remove_file(&file).expect("it is there");
        settings
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.tmux(&["kill-server"]);
    }
}

/// Two processes that wait for each other's lock.
fn deadlock(directory: &Path) -> Option<[Running; 2]> {
    if !peers::there("flock", &["--version"]) {
        return None;
    }
    let run = |own: &str, other: &str| {
        let held = format!("touch {own}.held; until test -e {other}.held; do sleep 0.01; done");
        let line = format!("exec flock {own} sh -c '{held}; exec flock {other} true'");
        sh(&line).within(directory).start()
    };
    Some([run("one", "two"), run("two", "one")])
}

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
fn the_screen_shows_objects_and_follows_keys() {
    let Some(terminal) = Terminal::new(80, 24) else { return };
    let prefix = format!("ipc-test-top-{}", std::process::id());
    let one = Name::of("shm", format!("/{prefix}-one"));
    let other = Name::of("sem", format!("/{prefix}-other"));
    ipc(&["shm", "create", &one, "--size", "4242"]).is(0, "", "");
    ipc(&["sem", "create", &other, "--value", "7"]).is(0, "", "");
    terminal.ipc(&format!("top --interval 0.2 -k shm -k sem --filter {prefix}"));
    terminal.until_shown(&one);
    assert!(terminal.shown().starts_with(" ipc top"), "{}", terminal.shown());
    assert!(terminal.row(&one).contains("4.1K"), "{}", terminal.shown());
    assert!(terminal.row(&other).contains('7'), "{}", terminal.shown());
    assert!(terminal.shown().trim_end().lines().last().unwrap().starts_with("F1Help"));
    // Collapse and expand the first kind.
    terminal.press("-");
    terminal.until_hidden(&one);
    terminal.press("+");
    terminal.until_shown(&one);
    // A filter applies as it is typed.
    terminal.press("F4");
    terminal.write("-other");
    terminal.until_hidden(&one);
    (0..6).for_each(|_| terminal.press("BSpace"));
    terminal.until_shown(&one);
    terminal.press("Enter");
    terminal.until_shown("F1Help");
    // A search selects, and details show the selected object.
    terminal.press("/");
    terminal.write("-other");
    terminal.until_shown("Search: -other");
    terminal.press("Enter");
    terminal.until_shown("F1Help");
    terminal.press("Enter");
    terminal.until_shown("idle: no process uses it");
    terminal.press("Escape");
    terminal.until_hidden("idle: no process uses it");
    terminal.press("F1");
    terminal.until_shown("only what something waits for");
    terminal.press("Escape");
    terminal.until_hidden("only what something waits for");
    terminal.press("F6");
    terminal.until_shown("Sort by");
    terminal.press("Down");
    terminal.press("Enter");
    terminal.until_shown("SIZE▾");
    terminal.press("I");
    terminal.until_shown("SIZE▴");
    terminal.press("F5");
    terminal.until_shown("by process");
    terminal.press("Tab");
    terminal.until_shown("one list");
    terminal.press("Z");
    terminal.until_shown("paused");
    terminal.press("Escape");
    terminal.until_hidden("only '");
    terminal.press("F10");
    terminal.until_shown(PROMPT);
    terminal.until_hidden("one list");
}

#[test]
fn with_no_color_the_screen_has_other_signs_and_no_colours() {
    let Some(terminal) = Terminal::new(80, 24) else { return };
    let one = Name::new("shm");
    ipc(&["shm", "create", &one, "--size", "1"]).is(0, "", "");
    // 39 and 49 are the colours of the terminal itself.
    let is_color = |number: &str| {
        let number: u8 = number.parse().unwrap_or(0);
        matches!(number, 30..=38 | 40..=48 | 90..=107)
    };
    for (before, has_colors) in [("", true), ("NO_COLOR=1", false)] {
        let program = binary();
        terminal.run(&format!(
            "clear; {before} {} top -k shm --filter {}",
            program.display(),
            &*one
        ));
        terminal.until_shown("F1Help");
        terminal.until_shown(&format!("{} ", &*one));
        let looks = terminal.looks();
        let colors = looks.iter().any(|look| look.split(';').any(is_color));
        assert_eq!(colors, has_colors, "{looks:?}");
        let is_reversed = |look: &String| look.split(';').any(|number| number == "7");
        assert!(has_colors || looks.iter().any(is_reversed), "{looks:?}");
        terminal.press("q");
        terminal.until_hidden("F1Help");
    }
}

#[test]
fn an_object_is_removed_after_a_question_and_then_shown_as_gone() {
    let Some(terminal) = Terminal::new(100, 24) else { return };
    let one = Name::new("shm");
    ipc(&["shm", "create", &one, "--size", "4096"]).is(0, "", "");
    terminal.ipc(&format!("top --interval 0.2 -k shm --view list --filter {}", &*one));
    terminal.until_shown(&format!("{} ", &*one));
    terminal.press("F9");
    terminal.until_shown("only if no process uses it");
    terminal.press("n");
    terminal.until_hidden("only if no process uses it");
    assert!(Path::new("/dev/shm").join(&one[1..]).exists());
    terminal.press("F9");
    terminal.until_shown("only if no process uses it");
    terminal.press("y");
    terminal.until_shown(": removed");
    terminal.until_shown(" gone ");
    assert!(!Path::new("/dev/shm").join(&one[1..]).exists());
    until("it is not shown any more", || {
        !terminal.row("KIND").is_empty() && terminal.row(" gone ").is_empty()
    });
    terminal.press("q");
    terminal.until_shown(PROMPT);
}

#[test]
fn an_object_in_use_is_kept() {
    let Some(terminal) = Terminal::new(100, 24) else { return };
    let one = Name::new("shm");
    ipc(&["shm", "create", &one, "--size", "4096"]).is(0, "", "");
    let _open = std::fs::File::open(Path::new("/dev/shm").join(&one[1..])).unwrap();
    terminal.ipc(&format!("top --interval 0.2 -k shm --view list --filter {}", &*one));
    terminal.until_shown(&format!("{} ", &*one));
    terminal.press("F9");
    terminal.until_shown("only if no process uses it");
    terminal.press("y");
    terminal.until_shown("kept, because it is in use");
    assert!(Path::new("/dev/shm").join(&one[1..]).exists());
}

#[test]
fn every_end_restores_the_terminal() {
    let Some(terminal) = Terminal::new(80, 24) else { return };
    let before = terminal.settings();
    let start = || {
        terminal.ipc("top --interval 0.2");
        terminal.until_shown("F1Help");
    };
    let alternate = || terminal.tmux(&["display-message", "-p", "#{alternate_on}"]);
    let check = |end: &str, status: i32| {
        terminal.until_shown(PROMPT);
        terminal.run("echo status=$?");
        terminal.until_shown(&format!("status={status}"));
        assert_eq!(alternate().trim(), "0");
        assert_eq!(terminal.settings(), before, "{end}");
    };
    for (signal, status) in [("TERM", 143), ("INT", 130), ("HUP", 129), ("QUIT", 131)] {
        start();
        assert_eq!(alternate().trim(), "1");
        sh("kill -s \"$0\" \"$1\"").word(signal).word(terminal.pid_of_top()).is(0, "", "");
        check(signal, status);
    }
    for (key, status) in [("q", 0), ("F10", 0), ("C-c", 130)] {
        start();
        terminal.press(key);
        check(key, status);
    }
}

#[test]
fn a_stopped_screen_leaves_the_terminal_to_the_shell_and_continues() {
    let Some(terminal) = Terminal::new(80, 24) else { return };
    let before = terminal.settings();
    for _ in 0..2 {
        terminal.ipc("top --interval 0.2");
        terminal.until_shown("F1Help");
        terminal.press("C-z");
        terminal.until_shown("Stopped");
        assert_eq!(terminal.settings(), before);
        terminal.run("fg");
        terminal.until_shown("F1Help");
        terminal.press("F1");
        terminal.until_shown("collapse, expand");
        terminal.press("Escape");
        terminal.until_hidden("collapse, expand");
        terminal.press("q");
        terminal.until_hidden("F1Help");
        assert_eq!(terminal.settings(), before);
    }
}

#[test]
fn the_screen_has_the_size_of_the_terminal() {
    let Some(terminal) = Terminal::new(120, 40) else { return };
    terminal.ipc("top --interval 60");
    terminal.until_shown("PROCESSES");
    for (width, height) in [("80", "24"), ("40", "10"), ("12", "4"), ("3", "1"), ("132", "43")] {
        terminal.tmux(&["resize-window", "-x", width, "-y", height]);
        let columns: usize = width.parse().unwrap();
        let size = format!("{width}x{height}");
        until("it is drawn again", || {
            let shown = terminal.shown();
            let title = shown.lines().next().unwrap_or_default();
            let fits = shown.lines().all(|line| line.chars().count() <= columns);
            let is_whole = columns < 80 || title.trim_end().ends_with("every 60 s");
            let last = shown.trim_end().lines().last().unwrap_or_default().to_owned();
            fits && is_whole && (height == "1" || last.starts_with(&"F1Help"[..columns.min(6)]))
        });
        assert!(!terminal.shown().trim().is_empty(), "{size}");
    }
    terminal.press("q");
    terminal.until_shown(PROMPT);
}

#[test]
fn a_deadlock_is_shown_at_the_top() {
    let directory = tempfile::tempdir().unwrap();
    let Some(terminal) = Terminal::new(160, 24) else { return };
    let Some(_running) = deadlock(directory.path()) else { return };
    let path = directory.path().join("one").display().to_string();
    terminal.ipc(&format!("top --interval 0.2 -k lock --filter {}", directory.path().display()));
    until("the deadlock is shown", || {
        let row = terminal.row("DEADLOCK: ");
        row.contains(&format!("flock waits for {path} of "))
            || row.contains(&format!("which waits for {path} of "))
    });
}

#[test]
fn names_have_no_effect_on_the_terminal() {
    let Some(terminal) = Terminal::new(100, 24) else { return };
    let name = Name::of("shm", format!("/ipc-test-{}-\x1b[2J\n!", std::process::id()));
    ipc(&["shm", "create", &name, "--size", "1"]).is(0, "", "");
    terminal.ipc("top --interval 0.2 -k shm --filter '[2J'");
    terminal.until_shown(&format!("/ipc-test-{}-\\x1b[2J\\n!", std::process::id()));
    assert!(terminal.shown().starts_with(" ipc top"), "{}", terminal.shown());
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
