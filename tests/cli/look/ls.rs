//! `ipc ls`.

use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::Command;

use nix::sys::memfd::{MFdFlags, memfd_create};
use serde_json::{Value, json};

use super::{dead_lock_file, in_memory, is_held_by, name, open, own, removed, row_of, rows, serve};
use crate::peers;
use crate::support::{Name, as_another_user, awkward, code, ipc, sh, text, until};

#[test]
fn posix_objects_have_their_size_or_count_and_their_holders() {
    let [shm, sem, mq, queue] = ["shm", "sem", "mq", "queue"].map(name);
    ipc(&["shm", "create", &shm, "--size", "4242", "-m", "640"]).is(0, "", "");
    ipc(&["sem", "create", &sem, "--value", "7"]).is(0, "", "");
    ipc(&["mq", "create", &mq, "--max-msgs", "2", "--msg-size", "16"]).is(0, "", "");
    ipc(&["mq", "send", &mq, "four"]).is(0, "", "");
    ipc(&["queue", "create", &queue, "--capacity", "4K"]).is(0, "", "");
    ipc(&["queue", "push", &queue, "a", "b"]).is(0, "", "");
    let _open = open(&in_memory(&shm));
    let row = row_of("shm", &shm).unwrap();
    assert_eq!(
        (&row["size"], &row["mode"], &row["stale"]),
        (&json!(4242), &json!("0640"), &json!(false))
    );
    assert!(is_held_by(&row, own()), "{row}");
    let row = row_of("sem", &sem).unwrap();
    assert_eq!(
        (&row["count"], &row["stale"], &row["holders"]),
        (&json!(7), &json!(true), &json!([]))
    );
    let row = row_of("mq", &mq).unwrap();
    assert_eq!((&row["count"], &row["size"]), (&json!(1), &json!(4)));
    let row = row_of("queue", &queue).unwrap();
    assert_eq!((&row["count"], &row["size"]), (&json!(2), &json!(4096)));
    assert!(row["age"].as_u64().unwrap() < 1000, "{row}");
}

#[test]
fn system_v_objects_are_those_of_ipcs() {
    if !peers::there("ipcs", &["-a"]) {
        return;
    }
    let [shm, sem, mq] = ["shm", "sem", "mq"].map(Name::system_v);
    ipc(&["shm", "create", &shm, "--size", "4096", "-m", "640"]).is(0, "", "");
    ipc(&["sem", "create", &sem, "--value", "3"]).is(0, "", "");
    ipc(&["mq", "create", &mq]).is(0, "", "");
    ipc(&["mq", "send", &mq, "12345"]).is(0, "", "");
    for (kind, option, of, bytes) in
        [("shm", "-m", &shm, Some(4)), ("sem", "-s", &sem, None), ("mq", "-q", &mq, Some(4))]
    {
        let theirs = text(&Command::new("ipcs").arg(option).output().unwrap().stdout);
        let line = theirs.lines().find(|line| line.starts_with(&of["sysv:".len()..])).unwrap();
        let words: Vec<&str> = line.split_whitespace().collect();
        let row = row_of(kind, of).unwrap();
        assert_eq!(row["owner"], words[2], "{line}");
        assert_eq!(row["mode"].as_str().unwrap().trim_start_matches('0'), words[3], "{line}");
        if let Some(column) = bytes {
            assert_eq!(row["size"].to_string(), words[column], "{line}");
        }
    }
    assert_eq!(row_of("sem", &sem).unwrap()["count"], 3);
    assert_eq!(row_of("mq", &mq).unwrap()["count"], 1);
    if !peers::there("lsipc", &["--version"]) {
        return;
    }
    for (kind, option, columns, of) in [
        ("shm", "-m", "KEY,SIZE,OWNER,PERMS", &shm),
        ("sem", "-s", "KEY,NSEMS,OWNER,PERMS", &sem),
        ("mq", "-q", "KEY,USEDBYTES,OWNER", &mq),
    ] {
        let words = [option, "--raw", "--bytes", "--noheadings", "--numeric-perms", "-o", columns];
        let theirs = text(&Command::new("lsipc").args(words).output().unwrap().stdout);
        let line = theirs.lines().find(|line| line.starts_with(&of["sysv:".len()..])).unwrap();
        let words: Vec<&str> = line.split_whitespace().collect();
        let row = row_of(kind, of).unwrap();
        let size = if kind == "sem" { "1".to_owned() } else { row["size"].to_string() };
        assert_eq!((&*size, row["owner"].as_str().unwrap()), (words[1], words[2]), "{line}");
        if let Some(mode) = words.get(3) {
            assert_eq!(row["mode"], *mode, "{line}");
        }
    }
}

#[test]
fn locks_are_those_of_lslocks() {
    if !peers::there("lslocks", &[]) {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("lock");
    let line = "flock \"$0\" sh -c 'echo held; exec sleep 600'";
    let _holder = sh(line).word(&path).start();
    until("it is held", || {
        row_of("lock", path.to_str().unwrap()).is_some_and(|row| row["holders"] != json!([]))
    });
    let waiter = sh("exec flock \"$0\" true").word(&path).start();
    let row = || row_of("lock", path.to_str().unwrap()).unwrap();
    until("it waits", || row()["waiters"] != json!([]));
    assert_eq!(row()["waiters"][0]["pid"], waiter.pid());
    assert_eq!(row()["detail"], "flock exclusive 0-EOF");
    let theirs = Command::new("lslocks").args(["-n", "-o", "PID,MODE,PATH"]).output().unwrap();
    let theirs = text(&theirs.stdout);
    let holders = row()["holders"].clone();
    // An asterisk marks a waiter.
    let is_held = |line: &&str| line.ends_with(path.to_str().unwrap()) && !line.contains('*');
    let line = theirs.lines().find(is_held).unwrap();
    let pid: i32 = line.split_whitespace().next().unwrap().parse().unwrap();
    assert!(
        holders.as_array().unwrap().iter().any(|holder| holder["pid"] == pid),
        "{holders} {line}"
    );
}

#[test]
fn sockets_and_doors_are_those_of_ss() {
    let directory = tempfile::tempdir().unwrap();
    let [path, door] = ["socket", "door"].map(|name| directory.path().join(name));
    let server = serve(&path);
    let procedure = ipc(&["door", "serve"]).word(&door).words(&["--", "cat"]).start();
    until("the door is there", || door.exists());
    let row = row_of("sock", path.to_str().unwrap()).unwrap();
    assert_eq!(row["detail"], "stream listening");
    assert!(is_held_by(&row, server.pid()), "{row}");
    let row = row_of("door", door.to_str().unwrap()).unwrap();
    assert!(is_held_by(&row, procedure.pid()), "{row}");
    if !peers::there("ss", &["-xl"]) {
        return;
    }
    let theirs = text(&Command::new("ss").args(["-xlHp"]).output().unwrap().stdout);
    let here = directory.path().to_str().unwrap();
    let mut ours: Vec<String> = rows(ipc(&["ls", "-q", "--kind", "sock", "--kind", "door"]))
        .iter()
        .filter_map(|row| row["name"].as_str())
        .filter(|name| name.starts_with(here))
        .map(str::to_owned)
        .collect();
    ours.sort_unstable();
    assert_eq!(ours, [&door, &path].map(|path| path.to_str().unwrap()));
    // A stream socket of ipc is bound to a relative path, which ss shows.
    for (name, pid) in [("./socket", server.pid()), ("./door", procedure.pid())] {
        let pid = format!("pid={pid},");
        let has_both = |line: &str| line.contains(name) && line.contains(&pid);
        assert!(theirs.lines().any(has_both), "{name} {pid} {theirs}");
    }
}

#[test]
fn a_holder_of_descriptors_is_no_door() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("held");
    let holder = ipc(&["fd", "hold"]).word(&path).start();
    until("it is there", || path.exists());
    let row = row_of("holder", path.to_str().unwrap()).unwrap();
    assert!(is_held_by(&row, holder.pid()), "{row}");
    assert_eq!(row_of("door", path.to_str().unwrap()), None);
}

#[test]
fn an_open_fifo_is_listed_by_its_path() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("fifo");
    ipc(&["fifo", "create"]).word(&path).is(0, "", "");
    assert_eq!(row_of("fifo", path.to_str().unwrap()), None);
    let _open = open(&path);
    let row = row_of("fifo", path.to_str().unwrap()).unwrap();
    assert!(is_held_by(&row, own()), "{row}");
}

#[test]
fn memory_without_a_name_is_listed_while_it_is_used() {
    let file: OwnedFd = memfd_create(c"ipc test memory", MFdFlags::MFD_CLOEXEC).unwrap();
    nix::unistd::ftruncate(&file, 12_345).unwrap();
    let row = row_of("memory", "memfd:ipc test memory").unwrap();
    assert_eq!(row["size"], 12_345);
    assert!(is_held_by(&row, own()), "{row}");
    drop(file);
    assert_eq!(row_of("memory", "memfd:ipc test memory"), None);

    let shm = name("shm");
    ipc(&["shm", "create", &shm, "--size", "5000"]).is(0, "", "");
    let path = in_memory(&shm);
    let kept = open(&path);
    removed(&path);
    let row = row_of("memory", path.to_str().unwrap()).unwrap();
    assert_eq!((&row["size"], row_of("shm", &shm)), (&json!(5000), None));
    assert!(kept.as_raw_fd() >= 0 && is_held_by(&row, own()), "{row}");
}

#[test]
fn a_mapping_without_a_descriptor_holds_memory() {
    const SCRIPT: &str = "import mmap, os, sys, time\n\
        f = os.open(sys.argv[1], os.O_RDWR)\n\
        m = mmap.mmap(f, 5000)\n\
        os.close(f)\n\
        if len(sys.argv) > 2: os.unlink(sys.argv[1])\n\
        print('mapped', flush=True)\n\
        time.sleep(600)";
    for removes in [false, true] {
        let shm = name("shm");
        ipc(&["shm", "create", &shm, "--size", "5000"]).is(0, "", "");
        let path = in_memory(&shm);
        let words = [path.to_str().unwrap(), "removes"];
        let words = if removes { &words[..] } else { &words[..1] };
        let Some(python) = peers::python("mmap", SCRIPT, words) else { return };
        let python = python.start();
        let row = || match removes {
            false => row_of("shm", &shm),
            true => row_of("memory", path.to_str().unwrap()),
        };
        until("it is mapped", || row().is_some_and(|row| is_held_by(&row, python.pid())));
        assert_eq!(row().unwrap()["size"], 5000);
    }
}

/// Has many processes hold a FIFO, a lock, and memory that has lost its name.
const MANY: &str = "mkfifo fifo; exec 3<>fifo 4>locked 5>\"$0\"; rm \"$0\"; flock -n 4; i=0
    while [ $((i += 1)) -le 400 ]; do sleep 600 & done
    : > ready; wait";

#[test]
fn many_processes_are_found_in_order_also_where_no_thread_can_be_started() {
    if !peers::there("strace", &["-o", "/dev/null", "true"]) {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let memory = name("shm");
    let _many = sh(MANY).word(in_memory(&memory)).within(directory.path()).start();
    until("all have started", || directory.path().join("ready").exists());
    let listed = |before: &str| {
        let kinds = "--kind fifo --kind lock --kind memory";
        let mut found = rows(sh(&format!("exec {before} ipc ls -q {kinds} \"$@\"")).word("ipc"));
        let is_its = |row: &Value| row["holders"].as_array().is_some_and(|all| all.len() > 400);
        found.retain(is_its);
        // Time passes between the two.
        found.iter_mut().for_each(|row| row["age"] = json!(0));
        found
    };
    let calls = directory.path().join("calls");
    let alone = format!("strace -qqo {} -e inject=clone,clone3:error=EAGAIN", calls.display());
    let (together, alone) = (listed(""), listed(&alone));
    assert_eq!(together, alone);
    if std::thread::available_parallelism().unwrap().get() > 1 {
        assert!(std::fs::read_to_string(&calls).unwrap().contains("INJECTED"));
    }
    let kinds: Vec<&Value> = together.iter().map(|row| &row["kind"]).collect();
    assert_eq!(kinds, ["fifo", "lock", "memory"]);
    for row in &together {
        let pids = row["holders"].as_array().unwrap().iter().map(|holder| &holder["pid"]);
        assert!(pids.map(|pid| pid.as_i64().unwrap()).is_sorted(), "{row}");
    }
}

#[test]
fn files_that_no_table_has_are_listed_where_their_path_or_directory_is_given() {
    let directory = tempfile::tempdir().unwrap();
    let lock = dead_lock_file(directory.path());
    let socket = directory.path().join("socket");
    drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
    let queue = directory.path().join("queue");
    ipc(&["queue", "create", "--capacity", "4K"]).word(&queue).is(0, "", "");
    let spool = directory.path().join("spool");
    ipc(&["spool", "create"]).word(&spool).is(0, "", "");
    ipc(&["spool", "put", "-q"]).word(&spool).input("one").succeeds();
    std::fs::write(directory.path().join("other"), "other").unwrap();
    let listed = rows(ipc(&["ls", "-q", "--stale"]).word(directory.path()));
    let found = |path: &Path| listed.iter().find(|row| row["name"] == path.to_str().unwrap());
    let kind = |path: &Path| found(path).map(|row| row["kind"].clone());
    assert_eq!(kind(&lock), Some(json!("lockfile")));
    assert_eq!(kind(&socket), Some(json!("sock")));
    assert_eq!(kind(&queue), Some(json!("queue")));
    assert_eq!(kind(&spool), Some(json!("spool")));
    assert_eq!(found(&spool).unwrap()["count"], 1);
    assert_eq!(kind(&directory.path().join("other")), None);
    let other = directory.path().join("other");
    let output = ipc(&["ls", "--kind", "lockfile"]).word(&other).output();
    let expected = format!(
        "ipc: ls: {}: neither a lock file, a spool, a queue, a FIFO nor a socket\n",
        other.display()
    );
    assert!(text(&output.stderr).starts_with(&expected), "{}", text(&output.stderr));
    assert_eq!(code(&output), 3);
    let output = ipc(&["ls", "-q", "/no/such/file"]).output();
    assert_eq!(code(&output), 4);
}

#[test]
fn a_name_has_any_bytes() {
    let name = Name::of("shm", format!("/ipc-test-{}-line\nshm forged", own()));
    ipc(&["shm", "create", &name, "--size", "1"]).is(0, "", "");
    assert_eq!(row_of("shm", &name).unwrap()["size"], 1);
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(awkward());
    ipc(&["fifo", "create"]).word(&path).is(0, "", "");
    let _open = open(&path);
    let listed = rows(ipc(&["ls", "-q", "--kind", "fifo"]));
    let is_it =
        |row: &&serde_json::Value| row["name"]["base64"].is_string() && is_held_by(row, own());
    assert!(listed.iter().any(|row| is_it(&row)), "{:?}", path.as_os_str().as_bytes());
}

#[test]
fn a_terminal_shows_each_object_on_one_line_that_is_not_wider() {
    let forged = "\x1b[31mred\nshm  forged";
    let name = Name::of("shm", format!("/ipc-test-{}-wide-{}-{forged}", own(), "x".repeat(99)));
    ipc(&["shm", "create", &name, "--size", "1"]).is(0, "", "");
    let _open = open(&in_memory(&name));
    let line = format!("stty cols 80; ipc ls -q --kind shm --filter name~test-{}-wide", own());
    let Some(list) = peers::at_terminal(&line) else { return };
    let shown = list.succeeds();
    let lines: Vec<&str> = shown.lines().collect();
    assert_eq!(lines.len(), 2, "{shown}");
    assert!(
        lines.iter().all(|line| line.chars().count() <= 80 && !line.contains('\x1b')),
        "{shown}"
    );
}

#[test]
fn rows_and_columns_are_chosen() {
    let [small, large] = [("1", "640"), ("3M", "600")].map(|(size, mode)| {
        let name = name("shm");
        ipc(&["shm", "create", &name, "--size", size, "-m", mode]).is(0, "", "");
        name
    });
    let both = format!("name~^({}|{})$", &*small, &*large);
    let list = |options: &[&str]| {
        let listed =
            ipc(&["ls", "-q", "--kind", "shm", "--filter", &both]).words(options).succeeds();
        let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
        listed.lines().map(words).collect::<Vec<_>>()
    };
    let columns = ["--sort=-size", "-o", "kind,name,size,count,mode,stale"];
    let listed =
        [format!("shm {} 3145728 - 0600 yes", &*large), format!("shm {} 1 - 0640 yes", &*small)];
    assert_eq!(list(&[&columns[..], &["--noheadings"]].concat()), listed);
    assert_eq!(list(&columns)[0], "KIND NAME SIZE COUNT MODE STALE");
    assert_eq!(list(&["--filter", "size>1K", "-o", "name", "--noheadings"]), [&*large]);
    assert_eq!(list(&["--filter", "age>1h"]), Vec::<String>::new());
    let aged = list(&["--human", "--sort", "size", "-o", "size,age", "--noheadings"]);
    assert!(aged[1].starts_with("3M ") && aged[1].ends_with(['s', 'm']), "{aged:?}");
}

#[test]
fn objects_that_vanish_are_no_errors() {
    let line = "i=0; while [ $i -lt 150 ]; do ipc shm create /ipc-test-$$-vanish --size 9; \
                ipc sem create /ipc-test-$$-vanish; ipc shm create sysv:$$ --size 9; \
                ipc shm rm /ipc-test-$$-vanish sysv:$$; ipc sem rm /ipc-test-$$-vanish; \
                i=$((i + 1)); done";
    let mut changes = sh(line).start();
    while !changes.has_ended() {
        let output = ipc(&["ls", "-q"]).output();
        assert_eq!((code(&output), text(&output.stderr)), (0, String::new()));
    }
}

#[test]
fn objects_are_chosen_by_their_owner() {
    let shm = name("shm");
    ipc(&["shm", "create", &shm, "--size", "1"]).is(0, "", "");
    let has = |words: &[&str]| {
        rows(ipc(&["ls", "-q"]).words(words)).iter().any(|row| row["name"] == *shm)
    };
    let user = nix::unistd::getuid().to_string();
    assert!(has(&["--mine"]) && has(&["--user", &user]));
    assert!(!has(&["--user", "54321"]) && !has(&["--kind", "sem"]));
    let Some(run) = as_another_user(&["ls", "--kind", "shm", "--json", "--mine"]) else { return };
    let output = run.output();
    assert!(!text(&output.stdout).contains(&*shm));
    let Some(run) = as_another_user(&["ls", "--kind", "shm"]) else { return };
    let output = run.output();
    let said = text(&output.stderr);
    assert!(text(&output.stdout).contains(&*shm));
    assert!(said.ends_with("could not be seen\n") && said.lines().count() == 1, "{said}");
    ipc(&["ls", "--user", "no such user"]).assert().code(2);
}

#[test]
fn a_machine_without_these_file_systems_lists_the_other_objects() {
    if !peers::may_unshare(&["--mount", "--ipc", "--pid", "--fork"]) {
        return;
    }
    let seen = |line: &str| {
        let output = sh("exec unshare --mount --ipc sh -c \"$0\"").word(line).output();
        (code(&output), text(&output.stdout), text(&output.stderr))
    };
    let (status, listed, said) =
        seen("mount -t tmpfs none /dev; ipc sem create sysv:1; ipc ls -q --json");
    assert!(listed.contains(r#""name":"sysv:0x00000001""#), "{listed} {said}");
    assert_eq!(status, 3);
    let line = "export LD_LIBRARY_PATH=; mount -t tmpfs none /dev/shm; ipc shm create /x --size 1; \
                mount -t tmpfs none /proc; ipc ls --json";
    let (status, listed, said) = seen(line);
    assert!(listed.contains(r#""name":"/x""#), "{listed} {said}");
    assert!(status == 3 && said.contains("/proc/locks: this machine has no /proc"), "{said}");
    assert_eq!(said.matches("this machine has no /proc").count(), 1, "{said}");
    let line = "exec unshare --mount --ipc --pid --fork --mount-proc sh -c \"$0\"";
    let inside =
        "mount -t tmpfs none /dev/shm; ipc shm create /x --size 1; ipc ls --kind shm --json";
    let listed = sh(line).word(inside).succeeds();
    assert!(listed.contains(r#""name":"/x""#) && listed.matches("kind").count() == 1, "{listed}");
}

#[test]
fn without_descriptors_the_error_of_the_queues_names_the_limit() {
    // To mount the queues takes two, and to list them where they are mounted as well.
    let output = sh("ulimit -n 4; exec ipc ls --kind mq").output();
    let said = text(&output.stderr);
    assert_eq!(code(&output), 3, "{said}");
    assert!(said.starts_with("ipc: ls: /dev/mqueue: Too many open files\nhint: "), "{said}");
}
