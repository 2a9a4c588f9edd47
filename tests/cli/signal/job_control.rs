//! ^Z and fg in an interactive shell with job control.

use crate::peers;
use crate::support::{Name, binary, ipc};

/// Runs a command in an interactive shell on a pseudoterminal, types ^Z, waits until `ipc` and
/// COMMAND are stopped, types fg, waits until both run, and lets COMMAND read from the terminal.
const TERMINAL: &str = r#"
import os, pty, re, sys, time
line = sys.argv[1] + """ -- sh -c 'echo $PPID $$ runs; read line; echo "has $line"; exit 7'"""
pid, terminal = pty.fork()
if pid == 0:
    os.environ.update(PS1='$ ', TERM='dumb', HISTFILE='')
    os.execvp('bash', ['bash', '--norc', '--noprofile', '-i'])
seen = ''
def read_until(pattern):
    global seen
    while not (found := re.search(pattern, seen)):
        seen += os.read(terminal, 4096).decode()
    seen = seen[found.end():]
    return found
def type(text):
    os.write(terminal, text.encode())
def wait_until(stopped, pids):
    def is_stopped(pid):
        with open(f'/proc/{pid}/stat') as stat:
            return stat.read().rsplit(')', 1)[1].split()[0] == 'T'
    while any(is_stopped(pid) != stopped for pid in pids):
        time.sleep(0.005)
type(line + '\n')
pids = read_until(r'(\d+) (\d+) runs').groups()
type('\x1a')
wait_until(True, pids)
read_until('Stopped')
type('fg\n')
wait_until(False, pids)
type('words\n')
read_until('has words')
type('echo status $?\n')
print(read_until(r'status (\d+)').group(1))
type('exit\n')
os.waitpid(pid, 0)
"#;

#[test]
fn ipc_and_its_command_are_stopped_and_continued_together() {
    let directory = tempfile::tempdir().unwrap();
    let semaphore = Name::new("sem");
    ipc(&["sem", "create", "--value", "1", &semaphore]).is(0, "", "");
    for verb in [
        "signal trap --on USR1=true",
        "signal alarm 1h",
        "signal alarm --foreground 1h",
        "lock run file",
        &format!("sem run {}", &*semaphore),
    ] {
        let line = format!("{} {verb}", binary().display());
        let Some(terminal) = peers::python("pty", TERMINAL, &[&line]) else { return };
        terminal.within(directory.path()).is(0, "7\n", "");
    }
}
