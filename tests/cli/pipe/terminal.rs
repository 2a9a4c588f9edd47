//! ^C, ^Z and fg, as typed at a terminal: from an interactive shell and from a script.

use crate::peers;
use crate::support::{binary, sh};

/// Types into an interactive bash what the arguments say: `> TEXT` is typed, `< PATTERN` is waited
/// for, `stopped` and `running` wait until the job of the process whose number a pattern found is. A process
/// that reads the terminal and has not stopped yet takes what is typed next, so all of the job count.
const TERMINAL: &str = r#"
import os, pty, re, sys, time
pid, terminal = pty.fork()
if pid == 0:
    os.environ.update(PS1='$ ', TERM='dumb', HISTFILE='')
    os.execvp('bash', ['bash', '--norc', '--noprofile', '-i'])
seen, pids = '', []
def read_until(pattern):
    global seen
    while not (found := re.search(pattern, seen)):
        seen += os.read(terminal, 4096).decode()
    seen = seen[found.end():]
    return found
def state_and_group(pid):
    try:
        with open(f'/proc/{pid}/stat') as stat:
            words = stat.read().rsplit(')', 1)[1].split()
        return words[0] == 'T', words[2]
    except (FileNotFoundError, ProcessLookupError):
        return None, None
def job():
    group = state_and_group(pids[0])[1]
    states = [state_and_group(pid) for pid in os.listdir('/proc') if pid.isdigit()]
    return [is_stopped for is_stopped, its in states if its == group]
for step in sys.argv[1:]:
    if step in ('stopped', 'running'):
        while any(is_stopped != (step == 'stopped') for is_stopped in job()):
            time.sleep(0.005)
    elif step[0] == '>':
        os.write(terminal, step[2:].encode().decode('unicode_escape').encode())
    else:
        found = read_until(step[2:])
        if found.groups():
            pids = found.groups()
os.write(terminal, b'exit\n')
os.waitpid(pid, 0)
print('done')
"#;

/// Runs the steps, in a directory with `ipc` and this script.
fn types(script: &str, steps: &[&str]) {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("script"), script).unwrap();
    let Some(terminal) = peers::python("pty", TERMINAL, steps) else { return };
    let path = std::env::var("PATH").unwrap_or_default();
    let path = format!("{}:{path}", binary().parent().unwrap().display());
    terminal.env("PATH", path).within(directory.path()).is(0, "done\n", "");
}

const LINE: &str = "ipc pipe run -- head -n1 -- sh -c 'echo $PPID $$ runs >&2; \
                    read line; echo \"has $line\"; exit 7'";

/// The prompt after the report of a stopped job.
const PROMPT: &str = r"< (?s:Stopped.*\n\$ )";

#[test]
fn a_line_of_commands_is_stopped_and_continued() {
    let shell = format!("> {LINE}\\n");
    let both = r"< (\d+) (\d+) runs";
    types(
        "",
        &[
            &shell,
            both,
            r"> \x1a",
            "stopped",
            PROMPT,
            r"> fg\n",
            "running",
            r"> words\n",
            "< has words",
            r"> echo status $?\n",
            r"< status 7\b",
        ],
    );
    // A script and all it runs are one job.
    for shell in [r"> bash script\n", r"> sh script\n"] {
        types(
            &format!("{LINE}\necho script $?\n"),
            &[
                shell,
                both,
                r"> \x1a",
                "stopped",
                PROMPT,
                r"> fg\n",
                "running",
                r"> words\n",
                "< has words",
                r"< script 7\b",
            ],
        );
    }
}

#[test]
fn an_interrupt_ends_the_line_and_the_script() {
    let line = "ipc pipe run -- sleep 1000 -- sh -c 'echo ready >&2; exec sleep 1000'";
    let shell = format!("> {line}\\n");
    // The line as typed is echoed, and has the word too.
    let (typed, ready) = ("< echo ready", "< ready\\r");
    types("", &[&shell, typed, ready, r"> \x03", r"> echo status $?\n", r"< status 130\b"]);
    for shell in [r"> bash script\n", r"> sh script\n"] {
        let status = r"> echo shell $? $(cat went-on)\n";
        types(
            &format!("{line}\necho on > went-on\n"),
            &[shell, ready, r"> \x03", status, r"< shell 130 ?\r?\n?(cat: went-on|)"],
        );
    }
}

#[test]
fn a_script_goes_on_where_the_commands_handle_the_interrupt() {
    // Each counts one INT: the terminal sends it, and the verb does not send it again.
    let trap = "trap \"echo x >> count\" INT; echo ready >&2; \
                until [ -s count ]; do sleep 0.01; done; sleep 0.3; exit 0";
    let script =
        format!("ipc pipe run -- true -- sh -c '{trap}'\necho \"script $?\" $(cat count) end\n");
    types(&script, &[r"> bash script\n", "< ready\\r", r"> \x03", "< script 0 x end"]);
}

#[test]
fn the_commands_stay_in_the_group_of_the_caller() {
    let group = "ps -o pgid= -p $$ | tr -d ' '";
    sh("ps -o pgid= -p $$ | tr -d ' '; ipc pipe run -- true -- sh -c \"$0\"")
        .word(group)
        .output()
        .stdout
        .split(|&byte| byte == b'\n')
        .filter(|line| !line.is_empty())
        .reduce(|one, other| {
            assert_eq!(one, other);
            other
        })
        .expect("there are two lines");
}
