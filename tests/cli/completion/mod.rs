//! Completion in bash, zsh and fish, with keys that are typed into a terminal of tmux.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use ipc_suite::program::{NOUNS, Noun};
use tempfile::TempDir;

use crate::nouns;
use crate::peers::there;
use crate::support::{Name, Running, binary, ipc, pause, sh, text, until};

/// The scripts of all shells, by their file names.
pub fn scripts() -> [(&'static str, String); 3] {
    let nouns: Vec<&str> = NOUNS.iter().map(|noun| noun.name).collect();
    let complete = |script: &str| {
        let script = script.replace("@NOUNS@", &nouns.join(" "));
        script.replace("@PATTERN@", &nouns.join("|"))
    };
    [
        ("ipc.bash", complete(include_str!("ipc.bash"))),
        ("_ipc", complete(include_str!("_ipc"))),
        ("ipc.fish", complete(include_str!("ipc.fish"))),
    ]
}

/// A shell in a terminal, in a directory of its own with `ipc` and its links in PATH.
struct Terminal {
    directory: TempDir,
}

impl Terminal {
    /// Starts a shell and loads its script; `None` where the shell or tmux is missing.
    fn new(shell: &str) -> Option<Self> {
        if !there("tmux", &["-V"]) || !there(shell, &["--version"]) {
            return None;
        }
        let terminal = Self { directory: tempfile::tempdir().expect("a directory can be made") };
        for (name, script) in scripts() {
            fs::write(terminal.path(name), script).expect("it can be written");
        }
        let bin = terminal.path("bin");
        fs::create_dir(&bin).expect("it can be made");
        std::os::unix::fs::symlink(binary(), bin.join("ipc")).expect("it can be made");
        for noun in NOUNS {
            std::os::unix::fs::symlink(binary(), bin.join(noun.name)).expect("it can be made");
        }
        let here = terminal.directory.path().to_str().expect("paths here are UTF-8");
        let start = match shell {
            "bash" => "bash --norc --noprofile",
            "zsh" => "zsh -f",
            _ => "fish --no-config",
        };
        let start = format!(
            "cd {here} && exec env -u TMUX HOME={here} HISTFILE=/dev/null XDG_CONFIG_HOME={here} \
             XDG_DATA_HOME={here} PS1='> ' LC_ALL=C.UTF-8 PATH=\"{here}/bin:$PATH\" {start}"
        );
        terminal.tmux(&["new-session", "-d", "-x", "160", "-y", "50", &start]);
        let load = match shell {
            "bash" => "source ./ipc.bash; bind 'set bell-style none'",
            "zsh" => {
                "fpath=($PWD $fpath); autoload -Uz compinit; compinit -u -d dump; setopt nobeep"
            }
            _ => "source ./ipc.fish; function fish_prompt; printf '> '; end",
        };
        terminal.line(&format!("{load}; clear; echo load''ed"));
        terminal.shows("loaded");
        Some(terminal)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn tmux(&self, words: &[&str]) -> Output {
        let socket = self.path("tmux");
        let run =
            Command::new("tmux").arg("-f/dev/null").arg("-S").arg(socket).args(words).output();
        run.expect("tmux runs")
    }

    /// Types text, without a key behind it.
    fn types(&self, keys: &str) {
        self.tmux(&["send-keys", "-l", keys]);
    }

    fn key(&self, key: &str) {
        self.tmux(&["send-keys", key]);
    }

    fn line(&self, line: &str) {
        self.types(line);
        self.key("Enter");
    }

    fn screen(&self) -> String {
        text(&self.tmux(&["capture-pane", "-p", "-J"]).stdout)
    }

    /// Waits for what the screen shows.
    fn waits(&self, what: &str, is_there: impl Fn(&str) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let screen = self.screen();
            if is_there(&screen) {
                return;
            }
            assert!(
                Instant::now() < deadline,
                "the terminal shows no {what}:\n{}",
                screen.trim_end()
            );
            pause(Duration::from_millis(20));
        }
    }

    fn shows(&self, expected: &str) {
        self.waits(&format!("{expected:?}"), |screen| screen.contains(expected));
    }

    /// Begins an empty line on an empty screen.
    fn clear(&self) {
        // Not C-c, which would end a completion that still runs.
        self.key("C-u");
        self.line("clear; echo cleaned");
        self.waits("an empty screen", |screen| screen.trim_end() == "cleaned\n>");
    }

    /// Types a beginning and a TAB, and waits until the line is this.
    fn completes(&self, beginning: &str, line: &str) {
        self.clear();
        self.types(beginning);
        self.key("Tab");
        self.shows(line);
    }

    /// Types a beginning and as many TABs as the shell needs for a list, and waits until these are on the
    /// screen.
    fn lists(&self, beginning: &str, tabs: usize, expected: &[&str]) {
        self.clear();
        self.types(beginning);
        (0..tabs).for_each(|_| self.key("Tab"));
        for expected in expected {
            self.shows(expected);
        }
    }

    /// Runs the line that a TAB completes, and waits until its output is on the screen.
    fn runs(&self, beginning: &str, output: &str) {
        self.clear();
        self.types(beginning);
        self.key("Tab");
        // The shell reads the keys one after the other.
        self.key("Enter");
        self.shows(output);
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.tmux(&["kill-server"]);
    }
}

/// A shared memory object of this name, with a text.
fn object(suffix: &str, contents: &str) -> Name {
    let name = Name::new("shm");
    let name = Name::of("shm", format!("{}{suffix}", &*name));
    ipc(&["shm", "write", &name]).input(contents).is(0, "", "");
    name
}

/// A verb of a noun that one letter less stands for, and that beginning.
fn beginning_of_a_verb(noun: &Noun) -> (&'static str, &'static str) {
    let verbs = noun.verbs.iter().map(|verb| verb.name);
    let is_alone = |beginning: &str| {
        noun.verbs.iter().filter(|verb| verb.name.starts_with(beginning)).count() == 1
    };
    let mut beginnings = verbs.map(|verb| (&verb[..verb.len() - 1], verb));
    let found = beginnings.find(|(beginning, _)| !beginning.is_empty() && is_alone(beginning));
    found.expect("the noun has such a verb")
}

/// Two processes whose numbers differ in the last digit only.
fn sleepers_with_similar_numbers() -> [Running; 2] {
    let mut before = sh("exec sleep 4711").start();
    loop {
        let next = sh("exec sleep 4711").start();
        if next.pid() / 10 == before.pid() / 10 {
            return [before, next];
        }
        before = next;
    }
}

/// What every shell completes. Its list needs this many TABs.
fn completes_names_options_and_commands(terminal: &Terminal, tabs: usize) {
    // A name with characters that a shell reads otherwise.
    for suffix in [" two words", "'quoted\"$(x)", "\nline"] {
        let object = object(suffix, "the contents\n");
        let (beginning, _) = object.split_at(object.len() - suffix.len());
        terminal.runs(&format!("ipc shm cat {beginning}"), "the contents");
    }
    terminal.completes("ipc sem wai", "ipc sem wait ");
    for noun in NOUNS {
        let (beginning, verb) = beginning_of_a_verb(noun);
        terminal
            .completes(&format!("{} {beginning}", noun.name), &format!("{} {verb} ", noun.name));
    }
    terminal.completes("ipc sem wait --nonb", "ipc sem wait --nonblock ");
    terminal.completes("ipc ls --kind spo", "ipc ls --kind spool ");
    terminal.completes("ipc ls --kind=spo", "ipc ls --kind=spool");
    terminal.completes("ipc signal alarm -s KIL", "ipc signal alarm -s KILL ");
    sh("mkdir directory && touch directory/lockfile && \"$0\" mkfifo directory/pipe")
        .word(binary())
        .within(terminal.directory.path())
        .is(0, "", "");
    terminal.completes("ipc lock run direct", "ipc lock run directory/");
    terminal.completes("ipc fifo cat directory/", "ipc fifo cat directory/pipe");
    terminal.runs("ipc lock run file -- printe", "HOME=");
    let key = Name::system_v("sem");
    ipc(&["sem", "create", &key]).is(0, "", "");
    let hexadecimal = ipc(&["sem", "ls", "-o", "name", "--noheadings"]).succeeds();
    let shown = hexadecimal.lines().find(|line| line.starts_with("sysv:0x")).expect("it is there");
    // Another test may have a key with the same beginning.
    let shown = format!("ipc sem value {}", shown.trim());
    terminal.completes(&shown, &format!("{shown} "));
    // Signals, then processes beside their commands.
    terminal.completes("ipc signal send WINC", "ipc signal send WINCH ");
    let sleepers = sleepers_with_similar_numbers();
    let [one, other] = sleepers.each_ref().map(|sleeper| sleeper.pid().to_string());
    terminal
        .completes(&format!("ipc signal send TERM {one}"), &format!("ipc signal send TERM {one} "));
    let beginning = &one[..one.len() - 1];
    let expected = [one.as_str(), other.as_str(), "sleep 4711"];
    terminal.lists(&format!("ipc signal send TERM {beginning}"), tabs, &expected);
    drop(sleepers);
    // A listening socket.
    let path = terminal.path("listener");
    let address = path.to_str().expect("paths here are UTF-8").to_owned();
    let server = ipc(&["sock", "serve", &address, "--", "cat"]).start();
    until("the server listens", || path.exists());
    terminal.completes(&format!("ipc sock connect {}", &address[..address.len() - 4]), &address);
    drop(server);
    // A program of an older version: files.
    let old = terminal.path("old");
    fs::write(&old, "#!/bin/sh\necho unknown word >&2\nexit 2\n").expect("it can be written");
    fs::set_permissions(&old, fs::Permissions::from_mode(0o755)).expect("it can be changed");
    fs::rename(&old, terminal.path("bin/ipc")).expect("it can be replaced");
    terminal.completes("ipc shm cat direc", "ipc shm cat directory/");
}

#[test]
fn bash_completes_by_the_program() {
    let Some(terminal) = Terminal::new("bash") else { return };
    terminal.lists("ipc sem ", 2, &["barrier", "(Wait until all parties have arrived)"]);
    completes_names_options_and_commands(&terminal, 2);
}

#[test]
fn zsh_completes_by_the_program() {
    let Some(terminal) = Terminal::new("zsh") else { return };
    terminal.lists("ipc sem ", 1, &["barrier", "-- Wait until all parties have arrived"]);
    completes_names_options_and_commands(&terminal, 1);
}

#[test]
fn fish_completes_by_the_program() {
    let Some(terminal) = Terminal::new("fish") else { return };
    terminal.lists("ipc sem ", 1, &["barrier", "Wait until all parties have arrived"]);
    completes_names_options_and_commands(&terminal, 1);
}

#[test]
fn a_shell_of_another_version_gets_a_usage_error() {
    ipc(&["__complete", "tcsh", "ipc", ""]).assert().code(2);
    ipc(&["__complete"]).assert().code(2);
}

/// The calls of the scripts that are installed, and the answers that they understand: those of all versions.
#[test]
fn a_script_of_an_older_version_gets_the_answer_that_it_knows() {
    for (call, answer) in [
        (vec!["bash", "9", "80", "ipc sem wai", "wai"], "words\nwait\n"),
        (vec!["bash", "9", "80", "ipc ls --kind=spo", "spo"], "words\nspool\n"),
        (vec!["bash", "9", "80", "ipc signal trap --on WINC", "WINC"], "open\nWINCH=\n"),
        (vec!["bash", "9", "80", "ipc lock run f -- ca", "ca"], "command 1\n"),
        (vec!["bash", "9", "80", "ipc shm cat <fi", "fi"], "files\n"),
        (vec!["zsh", "ipc", "lock", "run", "f", "--", "ca"], "command\u{0}5\0"),
        (vec!["fish", "ipc", "lock", "run", "f", "--", "ca"], "command\u{0}5\0"),
    ] {
        ipc(&[&["__complete"], &call[..]].concat()).is(0, answer, "");
    }
    let about = nouns::verb("sem", "wait").expect("there is such a verb").about;
    let zsh = ipc(&["__complete", "zsh", "ipc", "sem", "wai"]).succeeds();
    let records: Vec<&str> = zsh.split('\0').collect();
    let at = records.iter().position(|record| *record == "wait").expect("it is there");
    let shown = records[at + 1];
    assert_eq!((records[0], records[at - 1]), ("words", "word"));
    assert!(shown.starts_with("wait ") && shown.ends_with(&format!("  -- {about}")), "{shown}");
    let fish = ipc(&["__complete", "fish", "ipc", "sem", "wai"]).succeeds();
    assert!(fish.starts_with("words\0"), "{fish:?}");
    assert!(fish.contains(&format!("\0wait\t{about}\0")), "{fish:?}");
}

#[test]
fn a_name_of_another_user_moves_no_cursor() {
    let object = object("\u{1b}[31m", "");
    let (beginning, _) = object.split_once('\u{1b}').expect("it has an escape");
    let line = format!("ipc shm cat {beginning}");
    let shown = ipc(&["__complete", "bash", "63", "80", &line, beginning]).succeeds();
    assert!(shown.contains("$'\\x1b'\\[31m") && !shown.contains('\u{1b}'), "{shown:?}");
}

#[test]
fn a_fifo_among_the_files_is_not_opened() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    sh("mkfifo a b && mkdir ready && mkfifo ready/c").within(directory.path()).is(0, "", "");
    for verb in
        ["shm cat ./", "queue pop ./", "spool put ./", "sock connect ./", "fifo cat ./", "who ./"]
    {
        let line = format!("ipc {verb}");
        let run = ipc(&["__complete", "bash", "9", "80", &line, "./"]).within(directory.path());
        run.succeeds();
    }
}
