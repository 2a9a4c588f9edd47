//! Colours: on a terminal that has them, and where `--color` says so.

use crate::peers;
use crate::support::{Name, Run, ipc};

/// A line of shell with a terminal as its stdout and stderr, where colour is welcome.
fn at_terminal(line: &str) -> Option<Run> {
    peers::at_terminal(&format!("unset NO_COLOR; export TERM=xterm; {line}"))
}

const BOLD: &str = "\x1b[1m";
const RED: &str = "\x1b[31m";
const ERROR: &str = "\x1b[1;31mipc:\x1b[0m";
const HINT: &str = "\x1b[36mhint:\x1b[0m";
const END: &str = "\x1b[0m";

#[test]
fn headings_are_bold_on_a_terminal() {
    let list = "ipc signal ls -o name,number --filter number=15";
    let Some(listed) = at_terminal(list) else { return };
    listed.is(0, &format!("{BOLD}NAME  NUMBER{END}\r\nTERM      15\r\n"), "");
    // The values stay in their column, as the escape sequences take none.
    let line = "ipc signal info $$ | head -n 1; ipc signal info $$";
    let shown = at_terminal(line).unwrap().succeeds();
    let (piped, rest) = shown.split_once('\n').unwrap();
    assert_eq!(
        rest.lines().next().unwrap(),
        piped.trim_end().replace("pid:", &format!("{BOLD}pid:{END}"))
    );
}

#[test]
fn no_color_a_dumb_terminal_and_never_leave_it_plain() {
    for before in ["NO_COLOR=1", "NO_COLOR=0", "TERM=dumb", "TERM="] {
        for line in ["ipc signal ls --filter number=15", "ipc sem post /no-such; true"] {
            let Some(shown) = at_terminal(&format!("export {before}; {line}")) else { return };
            let shown = shown.succeeds();
            assert!(!shown.is_empty() && !shown.contains('\x1b'), "{before} {shown}");
        }
    }
    for line in [
        "ipc signal ls --color never --filter number=15",
        "ipc sem post --color=never /no-such; true",
        "ipc sem post --color=never --no-such; true",
        "ipc sem post --color never; true",
    ] {
        let shown = at_terminal(line).unwrap().succeeds();
        assert!(!shown.is_empty() && !shown.contains('\x1b'), "{line} {shown}");
    }
    // An empty NO_COLOR counts as none.
    let shown = at_terminal("NO_COLOR= ipc signal ls --filter number=15").unwrap().succeeds();
    assert!(shown.starts_with(BOLD), "{shown}");
}

#[test]
fn errors_and_hints_have_colours_and_so_have_usage_errors() {
    let Some(failed) = at_terminal("ipc sem post /ipc-test-no-such") else { return };
    let hint = "'ipc sem create' makes it";
    let reason = "No such file or directory";
    let said = format!("{ERROR} sem post: /ipc-test-no-such: {reason}\r\n{HINT} {hint}\r\n");
    failed.is(4, &said, "");
    let said =
        at_terminal("ipc sem post --no-such; ipc smo; ipc sem psot").unwrap().output().stdout;
    let said = String::from_utf8(said).unwrap();
    assert_eq!((said.matches(ERROR).count(), said.matches(HINT).count()), (3, 3), "{said}");
    let noted = at_terminal("ipc lock run -v --color=auto /dev/shm/ipc-test-color -- true");
    let noted = noted.unwrap().succeeds();
    assert!(!noted.contains(ERROR), "{noted}");
    std::fs::remove_file("/dev/shm/ipc-test-color").unwrap();
}

#[test]
fn a_pipe_has_colour_with_always_only() {
    let list = ["signal", "ls", "-o", "name,number", "--filter", "number=15"];
    ipc(&list).is(0, "NAME  NUMBER\nTERM      15\n", "");
    let colored = format!("{BOLD}NAME  NUMBER{END}\nTERM      15\n");
    ipc(&list).words(&["--color=always"]).is(0, &colored, "");
    ipc(&list).words(&["--color", "always", "--color", "auto"]).is(
        0,
        "NAME  NUMBER\nTERM      15\n",
        "",
    );
    let output = ipc(&["sem", "post", "--color=always", "--no-such"]).output();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.starts_with(ERROR) && said.contains(&format!("\n{HINT} ")), "{said}");
    // It is the COMMAND's.
    let output = ipc(&["lock", "run", "--no-such", "--", "ls", "--color=always"]).output();
    assert!(!output.stderr.contains(&0x1b));
    let json = ipc(&list).words(&["--color=always", "--json"]).succeeds();
    assert!(json.starts_with("[{\"name\":"), "{json}");
    ipc(&["signal", "ls", "--color", "red"]).is(
        2,
        "",
        "ipc: signal ls: invalid value 'red' for '--color <WHEN>' [possible values: auto, always, never]\n\
         hint: try 'ipc signal ls --help'\n",
    );
}

#[test]
fn a_full_queue_stands_out_wherever_the_row_goes() {
    let (full, other) = (Name::new("mq"), Name::new("mq"));
    for name in [&full, &other] {
        ipc(&["mq", "create", name, "--max-msgs", "1", "--msg-size", "8"]).is(0, "", "");
    }
    ipc(&["mq", "send", &full, "a"]).is(0, "", "");
    let filter = format!("name~^/ipc-test-{}-", std::process::id());
    let list = ["mq", "ls", "--color=always", "--filter", &filter, "-o", "name", "--sort"];
    for sort in ["messages", "-messages"] {
        let shown = ipc(&list).words(&[sort]).succeeds();
        assert!(shown.contains(&format!("{RED}{}{END}\n", &*full)), "{shown}");
        assert!(shown.contains(&format!("\n{}\n", &*other)), "{shown}");
    }
}
