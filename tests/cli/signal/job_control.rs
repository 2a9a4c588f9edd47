//! Keys of a terminal: ^Z and fg in an interactive shell with job control, and ^C.

use crate::peers;
use crate::support::{Name, binary, ipc, rounds, sh};

/// Runs a command in an interactive shell on a pseudoterminal, types ^Z, waits until `ipc` and
/// COMMAND are stopped, types fg, waits until both run, and lets COMMAND read from the terminal.
const TERMINAL: &str = r#"
import os, pty, re, sys, time
line = sys.argv[1] + """ -- sh -c 'echo $PPID $$ runs; read line </dev/tty; echo "has $line"; exit 7'"""
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

/// A worker of a queue with one message, which it keeps if a signal interrupts COMMAND.
struct Worker {
    /// A line of shell that makes the queue.
    create: String,
    verb: String,
    /// A line of shell that prints the message.
    take: String,
    /// The objects of the queue.
    _names: Vec<Name>,
}

/// A worker of each kind of queue.
fn workers() -> [Worker; 3] {
    let named = |noun: &'static str, create: &str, [put, take]: [&str; 2]| {
        let (queue, dead) = (Name::new(noun), Name::new(noun));
        Worker {
            create: format!(
                "ipc {noun} {create} {0} && ipc {noun} {create} {1} && ipc {noun} {put} {0} x",
                &*queue, &*dead
            ),
            verb: format!("{noun} {take} --exec --dead-letter {} {}", &*dead, &*queue),
            take: format!("ipc {noun} {take} -n {}", &*queue),
            _names: vec![queue, dead],
        }
    };
    let spool = Worker {
        create: "ipc spool create s && echo x | ipc spool put s >/dev/null".into(),
        verb: "spool take s".into(),
        take: "ipc spool take -n s -- cat".into(),
        _names: Vec::new(),
    };
    let mq = named("mq", "create", ["send", "recv"]);
    [spool, mq, named("queue", "create --capacity 4K", ["push", "pop"])]
}

#[test]
fn a_worker_and_its_command_are_stopped_and_continued_together() {
    for worker in workers() {
        let directory = tempfile::tempdir().unwrap();
        sh(&worker.create).within(directory.path()).is(0, "", "");
        let line = format!("{} {}", binary().display(), worker.verb);
        let Some(terminal) = peers::python("pty", TERMINAL, &[&line]) else { return };
        terminal.within(directory.path()).is(0, "7\n", "");
    }
}

/// Runs a worker on a pseudoterminal, again and again, and types ^C each time as soon as COMMAND runs.
const INTERRUPT: &str = r#"
import os, pty, sys
line = sys.argv[1] + " -- sh -c 'echo runs; exec sleep 60'"
for _ in range(int(sys.argv[2])):
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvp('sh', ['sh', '-c', 'exec ' + line])
    seen = b''
    while b'runs' not in seen:
        seen += os.read(terminal, 4096)
    os.write(terminal, b'\x03')
    try:
        while True:
            seen += os.read(terminal, 4096)
    except OSError:
        pass
    os.close(terminal)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    assert status == -2, (status, seen)
"#;

/// The terminal sends INT to the worker and to COMMAND, and COMMAND often ends before the worker has
/// read the signal.
#[test]
fn a_message_whose_command_is_interrupted_at_the_terminal_goes_back() {
    for worker in workers() {
        let directory = tempfile::tempdir().unwrap();
        sh(&worker.create).within(directory.path()).is(0, "", "");
        let (line, count) =
            (format!("{} {}", binary().display(), worker.verb), rounds(10).to_string());
        let Some(terminal) = peers::python("pty", INTERRUPT, &[&line, &count]) else { return };
        terminal.within(directory.path()).is(0, "", "");
        sh(&worker.take).within(directory.path()).is(0, "x\n", "");
    }
}
