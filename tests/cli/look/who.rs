//! `ipc who`.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::{in_memory, name, open, own, removed, rows, serve};
use crate::peers;
use crate::support::{Name, as_another_user, code, ipc, sh, text, until};

/// The rows about a subject.
fn who(subject: impl AsRef<std::ffi::OsStr>) -> Vec<Value> {
    let output = ipc(&["who", "-q", "--json"]).word(subject).output();
    serde_json::from_slice(&output.stdout).expect("it is an array")
}

/// The row of a process with this use.
fn row(rows: &[Value], pid: i32, used: &str) -> Option<Value> {
    rows.iter().find(|row| row["pid"] == pid && row["use"] == used).cloned()
}

#[test]
fn the_processes_that_have_an_object_open_are_those_of_fuser_and_lsof() {
    let shm = name("shm");
    ipc(&["shm", "create", &shm, "--size", "4096"]).is(0, "", "");
    ipc(&["who", "-q", &shm]).is(1, "", "");
    let path = in_memory(&shm);
    let _open = open(&path);
    let reader = sh("exec sleep 600 <\"$0\"").word(&path).start();
    until("it is open", || row(&who(&*shm), reader.pid(), "open").is_some());
    let found = who(&*shm);
    let own_row = row(&found, own(), "open").unwrap();
    assert_eq!((&own_row["kind"], &own_row["access"]), (&json!("shm"), &json!("rw")));
    let its = row(&found, reader.pid(), "open").unwrap();
    assert_eq!(
        (&its["descriptor"], &its["access"], &its["command"]),
        (&json!(0), &json!("r"), &json!("sleep"))
    );
    let pids = |found: &[Value]| {
        let mut pids: Vec<i64> = found.iter().map(|row| row["pid"].as_i64().unwrap()).collect();
        pids.sort_unstable();
        pids.dedup();
        pids
    };
    for (program, words) in [("fuser", &[][..]), ("lsof", &["-t"])] {
        if !peers::there(program, &[if program == "lsof" { "-v" } else { "-V" }]) {
            continue;
        }
        let theirs = Command::new(program).args(words).arg(&path).stderr(Stdio::null()).output();
        let theirs = text(&theirs.unwrap().stdout);
        let digits = |word: &str| word.trim_matches(|c: char| !c.is_ascii_digit()).parse().ok();
        let mut theirs: Vec<i64> = theirs.split_whitespace().filter_map(digits).collect();
        theirs.sort_unstable();
        assert_eq!(pids(&found), theirs, "{program}");
    }
    assert_eq!(pids(&who(&path)), pids(&found));
    assert_eq!(pids(&who(shm.trim_start_matches('/'))), pids(&found));
}

#[test]
fn a_mapping_and_an_attachment_are_found() {
    const SCRIPT: &str = "import mmap, os, sys, time\n\
        f = os.open(sys.argv[1], os.O_RDWR)\n\
        m = mmap.mmap(f, 4096)\n\
        os.close(f)\n\
        time.sleep(600)";
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    std::fs::write(&file, vec![0; 4096]).unwrap();
    // Python has a descriptor of its own for the mapping.
    let Some(python) = peers::python("mmap", SCRIPT, &[file.to_str().unwrap()]) else { return };
    let python = python.start();
    until("it is mapped", || row(&who(&file), python.pid(), "mapped").is_some());
    assert_eq!(row(&who(&file), python.pid(), "mapped").unwrap()["kind"], "file");

    let key = Name::system_v("shm");
    ipc(&["shm", "create", &key, "--size", "8"]).is(0, "", "");
    let waiter = ipc(&["shm", "wait", &key, "--eq", "1"]).start();
    until("it is attached", || row(&who(&*key), waiter.pid(), "attached").is_some());
    assert_eq!(
        row(&who(waiter.pid().to_string()), waiter.pid(), "attached").unwrap()["name"],
        *key
    );
}

#[test]
fn a_lock_has_holders_and_waiters() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("lock");
    let holder = sh("exec ipc lock run \"$0\" -- sleep 600").word(&path).start();
    until("it is held", || path.exists() && row(&who(&path), holder.pid(), "locked").is_some());
    let waiter = ipc(&["lock", "run"]).word(&path).words(&["--", "true"]).start();
    until("it waits", || row(&who(&path), waiter.pid(), "waiting").is_some());
    let held = who(holder.pid().to_string());
    assert_eq!(row(&held, holder.pid(), "locked").unwrap()["name"], path.to_str().unwrap());
    assert!(row(&who(waiter.pid().to_string()), waiter.pid(), "waiting").is_some());
}

#[test]
fn both_ends_of_a_pipe_are_shown() {
    let mut writer = Command::new("sleep").arg("600").stdout(Stdio::piped()).spawn().unwrap();
    let end = writer.stdout.take().unwrap();
    let mut reader = Command::new("sleep").arg("600").stdin(Stdio::from(end)).spawn().unwrap();
    let (from, to) = (writer.id() as i32, reader.id() as i32);
    let found = who(from.to_string());
    let ours = row(&found, from, "open").unwrap();
    assert_eq!(
        (&ours["kind"], &ours["access"], &ours["descriptor"]),
        (&json!("pipe"), &json!("w"), &json!(1))
    );
    let theirs = row(&found, to, "peer").unwrap();
    assert_eq!((&theirs["name"], &theirs["access"]), (&ours["name"], &json!("r")));
    assert!(row(&who(to.to_string()), from, "peer").is_some());
    for child in [&mut writer, &mut reader] {
        child.kill().unwrap();
        child.wait().unwrap();
    }
}

#[test]
fn both_ends_of_a_connection_are_shown() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("socket");
    let server = serve(&path);
    let client = sh("exec sh -c 'sleep 600 | ipc sock connect \"$0\"' \"$0\"").word(&path).start();
    let peer = || {
        let found = who(&path);
        found.iter().find(|row| row["use"] == "peer").cloned()
    };
    until("it is connected", || peer().is_some());
    assert_eq!(peer().unwrap()["command"], "ipc");
    assert_eq!(row(&who(&path), server.pid(), "open").unwrap()["kind"], "sock");
    let pid = peer().unwrap()["pid"].as_i64().unwrap() as i32;
    assert!(row(&who(pid.to_string()), server.pid(), "peer").is_some());
    assert!(row(&who(server.pid().to_string()), pid, "peer").is_some());
    assert!(client.pid() > 0);
}

#[test]
fn both_ends_of_a_connection_within_the_machine_are_shown() {
    let directory = tempfile::tempdir().unwrap();
    let ready = directory.path().join("ready");
    let server =
        ipc(&["sock", "serve", "--echo", "tcp:127.0.0.1:0", "--ready"]).word(&ready).start();
    let address = || std::fs::read_to_string(&ready).unwrap_or_default();
    until("it listens", || address().ends_with('\n'));
    let address = address().trim().to_owned();
    ipc(&["who", "tcp:127.0.0.1:1"]).is(
        4,
        "",
        "ipc: who: tcp:127.0.0.1:1: No such file or directory\n",
    );
    assert!(row(&who(&address), server.pid(), "open").is_some());
    let line = "exec sh -c 'sleep 600 | ipc sock connect \"$0\"' \"$0\"";
    let _client = sh(line).word(&address).start();
    let peer = || who(&address).into_iter().find(|row| row["use"] == "peer");
    until("it is connected", || peer().is_some());
    let pid = peer().unwrap()["pid"].as_i64().unwrap() as i32;
    assert!(row(&who(pid.to_string()), server.pid(), "peer").is_some());
    assert!(row(&who(server.pid().to_string()), pid, "peer").is_some());
}

#[test]
fn the_senders_of_a_datagram_socket_are_its_peers() {
    use std::os::unix::net::UnixDatagram;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log");
    let receiver = ipc(&["sock", "recv", "-f"]).word(&path).start();
    until("it is bound", || path.exists());
    let sender = UnixDatagram::unbound().unwrap();
    sender.connect(&path).unwrap();
    for subject in [path.clone(), receiver.pid().to_string().into()] {
        assert!(row(&who(&subject), receiver.pid(), "open").is_some(), "{subject:?}");
        assert!(row(&who(&subject), own(), "peer").is_some(), "{subject:?}");
    }
    let listed = rows(ipc(&["ls", "-q", "--kind", "sock"]));
    let listed = listed.iter().find(|row| row["name"] == path.to_str().unwrap()).unwrap();
    assert_eq!(listed["detail"], "dgram unconnected");
    let prefixed = format!("unix:{}", path.display());
    assert!(row(&who(prefixed), receiver.pid(), "open").is_some());
    drop(sender);
}

#[test]
fn the_workers_of_a_spool_are_shown_with_their_messages() {
    let directory = tempfile::tempdir().unwrap();
    let spool = directory.path().join("spool");
    ipc(&["spool", "create"]).word(&spool).is(0, "", "");
    ipc(&["spool", "put", "-q", "--name", "one"]).word(&spool).input("1").succeeds();
    ipc(&["who", "-q"]).word(&spool).is(1, "", "");
    let worker = ipc(&["spool", "take"]).word(&spool).words(&["--", "sleep", "600"]).start();
    until("it has a claim", || row(&who(&spool), worker.pid(), "locked").is_some());
    let claim = row(&who(&spool), worker.pid(), "locked").unwrap();
    assert!(claim["name"].as_str().unwrap().contains("/ready/"), "{claim}");
}

#[test]
fn a_path_has_any_bytes() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(crate::support::awkward());
    ipc(&["fifo", "create"]).word(&path).is(0, "", "");
    let _open = open(&path);
    let found = who(&path);
    let ours = row(&found, own(), "open").unwrap();
    assert_eq!((&ours["kind"], ours["name"]["base64"].is_string()), (&json!("fifo"), true));
}

#[test]
fn processes_that_end_meanwhile_are_no_errors() {
    let shm = name("shm");
    ipc(&["shm", "create", &shm, "--size", "1"]).is(0, "", "");
    let line = "for i in $(seq 300); do sh -c : <\"$0\" & :; done; wait";
    let mut changes = sh(line).word(in_memory(&shm)).start();
    while !changes.has_ended() {
        let output = ipc(&["who", "-q", &shm]).output();
        assert!(matches!(code(&output), 0 | 1), "{}", text(&output.stderr));
        assert_eq!(text(&output.stderr), "");
    }
}

#[test]
fn memory_that_was_removed_is_found_by_its_process() {
    let shm = name("shm");
    ipc(&["shm", "create", &shm, "--size", "8192"]).is(0, "", "");
    let path = in_memory(&shm);
    let _kept = open(&path);
    removed(&path);
    let found = who(own().to_string());
    let its =
        found.iter().find(|row| row["kind"] == "memory" && row["name"] == path.to_str().unwrap());
    assert!(its.is_some(), "{found:?}");
    assert_eq!(code(&ipc(&["who", "-q", &shm]).output()), 4);
}

#[test]
fn what_does_not_exist_is_not_found() {
    ipc(&["who", "/no/such/file"]).is(
        4,
        "",
        "ipc: who: /no/such/file: No such file or directory\n",
    );
    ipc(&["who", "sysv:0x7fffff17"]).is(
        4,
        "",
        "ipc: who: sysv:0x7fffff17: No such file or directory\n",
    );
    let output = ipc(&["who", "4194304"]).output();
    assert_eq!(text(&output.stderr), "ipc: who: 4194304: No such process\n");
    assert_eq!((code(&output), text(&output.stdout)), (4, String::new()));
}

#[test]
fn another_user_reads_how_many_processes_are_not_visible() {
    let shm = name("shm");
    ipc(&["shm", "create", &shm, "--size", "1", "-m", "644"]).is(0, "", "");
    let _open = open(&in_memory(&shm));
    let Some(run) = as_another_user(&["who", &shm]) else { return };
    let output = run.output();
    let said = text(&output.stderr);
    assert_eq!((code(&output), said.lines().count()), (1, 1), "{said}");
    assert!(said.ends_with("could not be seen\n"), "{said}");
    let Some(run) = as_another_user(&["who", &own().to_string()]) else { return };
    let output = run.output();
    let expected = format!("ipc: who: {}: Permission denied\n", own());
    assert_eq!((code(&output), text(&output.stderr)), (6, expected));
}

#[test]
fn a_process_of_another_pid_namespace_is_named_with_it() {
    if !peers::may_unshare(&["--pid", "--fork"]) {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("fifo");
    ipc(&["fifo", "create"]).word(&path).is(0, "", "");
    let _open = open(&path);
    let inside = sh("exec unshare --pid --fork --kill-child sh -c 'exec sleep 600 <\"$0\"' \"$0\"");
    let _inside = inside.word(&path).start();
    let found = || rows(ipc(&["who", "-q"]).word(&path));
    let foreign = || found().into_iter().find(|row| row["command"] == "sleep");
    until("it is open there", || foreign().is_some());
    let namespace = foreign().unwrap()["namespace"].clone();
    assert!(namespace.as_str().is_some_and(|name| name.starts_with("pid:[")), "{namespace}");
    assert_eq!(row(&found(), own(), "open").unwrap()["namespace"], Value::Null);
    assert!(Path::new(&path).exists());
}
