//! The live screen, in tmux.

use std::path::Path;
use std::process::Command;

use super::deadlock;
use crate::peers;
use crate::support::{Name, binary, ipc, sh, text, until};

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
