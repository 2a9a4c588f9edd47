//! `ipc lock test` and `ls`.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use super::{hold, new_file};
use crate::peers;
use crate::support::{ipc, sh};

#[test]
fn test_is_0_for_a_free_file_and_names_the_holder_of_another() {
    let (_directory, file) = new_file();
    ipc(&["lock", "test", &file]).is(
        4,
        "",
        &format!("ipc: lock test: {file}: No such file or directory\n"),
    );
    let _held = hold(&file);
    let (pid, comm) = (std::process::id(), fs::read_to_string("/proc/self/comm").unwrap());
    let waiter = ipc(&["lock", "run", &file, "--", "true"]).start();
    waiter.wait_until_asleep();
    let row = format!(
        r#"[{{"pid":{pid},"command":"{}","kind":"flock","mode":"exclusive","start":0,"end":null,"waiters":1}}]"#,
        comm.trim_end()
    );
    ipc(&["lock", "test", "--json", &file]).is(1, &format!("{row}\n"), "");
}

#[test]
fn test_finds_the_process_of_an_ofd_lock_and_looks_at_the_range() {
    let (_directory, file) = new_file();
    let line = "ipc lock run --range 10:10 \"$0\" -- sh -c '
        ipc lock test \"$0\" | tail -n +2 | { read pid rest; [ $pid = $PPID ]; echo $? $rest; }
        ipc lock test --range 0:10 \"$0\"; echo $?' \"$0\"";
    sh(line).word(&file).is(0, "0 ipc ofd exclusive 10 19 0\n0\n", "");
}

#[test]
fn ls_agrees_with_lslocks() {
    let (_directory, file) = new_file();
    let line = "ipc lock run -s \"$0\" -- ipc lock run --kind posix --range 5:10 \"$0\" -- sh -c '
            ipc lock ls --json
            lslocks -n -o TYPE,MODE,START,END,PATH | grep -F \"$0\" | sort' \"$0\"";
    let out = sh(line).word(&file).succeeds();
    let (ours, theirs) = out.split_once('\n').unwrap();
    let ours: Vec<serde_json::Value> = serde_json::from_str(ours).unwrap();
    let mut ours: Vec<String> = ours
        .iter()
        .filter(|lock| lock["path"] == file.as_str())
        .map(|lock| format!("{} {} {} {}", lock["kind"], lock["mode"], lock["start"], lock["end"]))
        .collect();
    ours.sort();
    assert_eq!(ours, [r#""flock" "shared" 0 null"#, r#""posix" "exclusive" 5 14"#]);
    let lines: Vec<String> =
        theirs.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(lines, [format!("FLOCK READ 0 0 {file}"), format!("POSIX WRITE 5 14 {file}"),]);
}

/// What two programs can agree on about a lock, or a wait for one: kind, mode, range, inode, and
/// whether it is held.
type Lock = (String, String, u64, u64, u64, bool);

fn of_ours(text: &str) -> BTreeSet<Lock> {
    let locks: Vec<Value> = serde_json::from_str(text).unwrap();
    let lock = |lock: &Value| {
        let word = |key: &str| lock[key].as_str().unwrap().to_owned();
        // To lslocks both 0 and the greatest number are the end of the file.
        let number = |key: &str| lock[key].as_u64().unwrap_or(0);
        let range = (number("start"), number("end"));
        let is_held = word("state") == "held";
        (word("kind"), word("mode"), range.0, range.1, number("inode"), is_held)
    };
    locks.iter().map(lock).collect()
}

fn of_lslocks(text: &str) -> BTreeSet<Lock> {
    let locks: Value = serde_json::from_str(text).unwrap();
    let lock = |lock: &Value| {
        let number = |key: &str| lock[key].as_u64().unwrap_or(0);
        let kind = lock["type"].as_str().unwrap().to_lowercase().replace("ofdlck", "ofd");
        let mode = lock["mode"].as_str().unwrap();
        let is_held = !mode.ends_with('*');
        let mode = if mode.starts_with("READ") { "shared" } else { "exclusive" };
        (kind, mode.to_owned(), number("start"), number("end"), number("inode"), is_held)
    };
    locks["locks"].as_array().unwrap().iter().map(lock).collect()
}

#[test]
fn ls_agrees_with_lslocks_about_the_whole_machine() {
    let (_directory, file) = new_file();
    if !peers::there("lslocks", &["--version"]) {
        return;
    }
    // Others lock and unlock meanwhile: what was there before and after, lslocks has to show, and
    // what it shows has to be there before or after.
    let look = "ipc lock ls --json; lslocks -J -o TYPE,MODE,START,END,INODE | tr -d '\\n'; echo
        ipc lock ls --json";
    let line = "ipc lock run -s \"$0\" -- ipc lock run --kind ofd --range 5:10 \"$0\" -- \
        ipc lock run --kind posix --range 20:1 \"$0\" -- sh -c 'ipc lock run \"$0\" -- true & waiter=$!
            until ipc lock test --json \"$0\" | grep -q waiters.:1; do :; done; '\"$1\"'
            kill $waiter' \"$0\"";
    let agrees = || {
        let out = sh(line).word(&file).word(look).succeeds();
        let mut lines = out.lines().skip_while(|line| !line.contains("\"state\""));
        let mut next = || lines.next().unwrap();
        let (before, theirs, after) = (of_ours(next()), of_lslocks(next()), of_ours(next()));
        let of_test = |locks: &BTreeSet<Lock>| {
            let inode = std::os::unix::fs::MetadataExt::ino(&fs::metadata(&file).unwrap());
            locks.iter().filter(|lock| lock.4 == inode).count()
        };
        assert_eq!((of_test(&before), of_test(&theirs)), (4, 4), "{out}");
        before.intersection(&after).all(|lock| theirs.contains(lock))
            && theirs.iter().all(|lock| before.contains(lock) || after.contains(lock))
    };
    assert!((0..5).any(|_| agrees()));
}
