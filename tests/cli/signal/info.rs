//! `ipc signal info`, `ls` and `run`.

use std::process::Command;

use serde_json::json;

use super::{info, started};
use crate::support::{ipc, sh};

#[test]
fn ls_lists_all_signals() {
    let out = ipc(&["signal", "ls"]).succeeds();
    assert_eq!(out.lines().count(), 63);
    for line in ["NAME      NUMBER  DEFAULT  EFFECT", "HUP            1  term     the process dies"]
    {
        assert!(out.lines().any(|seen| seen == line), "{line}\n{out}");
    }
    let json = ipc(&["signal", "ls", "--json"]).succeeds();
    assert!(json.contains(r#"{"name":"RTMIN+3","number":37,"default":"term","#), "{json}");
}

#[test]
fn run_starts_a_command_with_signals_ignored_and_blocked() {
    let grep = ["grep", "-E", "Sig(Blk|Ign)", "/proc/self/status"];
    let mut run =
        ipc(&["signal", "run", "--ignore", "PIPE", "--ignore", "USR1", "--block", "RTMAX", "--"]);
    for word in grep {
        run = run.word(word);
    }
    let out = run.succeeds();
    let set = |line: &str| u64::from_str_radix(line.split('\t').nth(1).unwrap(), 16).unwrap();
    let sets: Vec<u64> = out.lines().map(set).collect();
    assert_eq!((sets[0], sets[1] & !(3 << 31)), (1 << 63, 1 << 12 | 1 << 9));
    let hup = "trap '' HUP; exec ipc signal run --default HUP -- sh -c 'kill -HUP $$; echo alive'";
    sh(hup).is(129, "", "");
    ipc(&["signal", "run", "--ignore", "KILL", "--", "true"]).is(
        2,
        "",
        "ipc: signal run: --ignore 'KILL': no process can catch, block or ignore it\n\
         hint: try 'ipc signal run --help'\n",
    );
}

#[test]
fn info_shows_the_signals_that_a_process_ignores_and_its_children() {
    let waiter =
        started(sh("trap '' USR2; exec ipc signal wait \"$@\"").word("sh"), &["USR1", "RTMIN+2"]);
    waiter.wait_until_asleep();
    let pid = waiter.pid().to_string();
    assert!(info(&pid, "ignored").contains("\"USR2\""));
    assert_eq!(info(&pid, "pending"), "[]");
    assert_eq!(info(&pid, "command"), "\"ipc\"");
    let out = ipc(&["signal", "info", "--tree", &std::process::id().to_string()]).succeeds();
    assert!(out.lines().any(|line| line.trim_start().starts_with(&format!("{pid} "))), "{out}");
    let mut gone = Command::new("true").spawn().unwrap();
    gone.wait().unwrap();
    let gone = gone.id().to_string();
    ipc(&["signal", "info", &gone]).is(
        4,
        "",
        &format!("ipc: signal info: {gone}: No such process\n"),
    );
}

#[test]
fn info_separates_pending_signals_of_the_process_from_those_of_a_thread() {
    let python = "import os, signal, sys, threading
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1, signal.SIGUSR2])
def thread():
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])
    signal.pthread_kill(threading.get_ident(), signal.SIGUSR2)
    os.kill(os.getpid(), signal.SIGUSR1)
    print(os.getpid(), threading.get_native_id(), flush=True)
    sys.stdin.readline()
threading.Thread(target=thread).start()";
    let line = "python3 -c \"$0\" | { read pid tid; echo $tid
        ipc signal info --json $pid; echo >f; }";
    let out = sh("mkfifo f; exec 3<>f; eval \"$1\" <&3");
    let directory = tempfile::tempdir().unwrap();
    let out = out.within(directory.path()).word(python).word(line).succeeds();
    let (tid, seen) = out.split_once('\n').unwrap();
    let seen: serde_json::Value = serde_json::from_str(seen).unwrap();
    let tid: i64 = tid.parse().unwrap();
    let thread = json!({ "blocked": ["USR1", "USR2", "ALRM"], "pending": ["USR2"], "tid": tid });
    assert_eq!((&seen["pending"], &seen["threads"]), (&json!(["USR1"]), &json!([thread])));
}
