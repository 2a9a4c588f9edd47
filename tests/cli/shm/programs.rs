//! Memory shared with C programs and Python.

use std::process::{Command, Stdio};

use crate::peers;
use crate::support::{Name, code, ipc, text, until};

const C_FACTORIALS: &str = r#"
#include <sys/mman.h>
#include <sys/wait.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
int main(int argc, char **argv) {
    int create = !strcmp(argv[1], "create");
    int fd = shm_open(argv[2], create ? O_CREAT | O_EXCL | O_RDWR : O_RDWR, 0600);
    if (fd < 0) { perror("shm_open"); return 1; }
    if (create && ftruncate(fd, 10 * sizeof(int))) { perror("ftruncate"); return 1; }
    int *table = mmap(0, 10 * sizeof(int), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (table == MAP_FAILED) { perror("mmap"); return 1; }
    if (create) {
        for (int i = 0; i < 10; i++) {
            if (fork() == 0) {
                table[i] = 1;
                for (int k = 2; k <= i + 1; k++) table[i] *= k;
                _exit(0);
            }
        }
        while (wait(0) > 0) {}
    } else {
        for (int i = 0; i < 10; i++) printf("%d\n", table[i]);
    }
    return 0;
}
"#;

#[test]
fn ten_children_in_c_store_factorials_that_ipc_prints_and_vice_versa() {
    let Some(c) = peers::c(C_FACTORIALS) else { return };
    let name = Name::new("shm");
    c.run(&["create", &name]).is(0, "", "");
    let factorials = "1\n2\n6\n24\n120\n720\n5040\n40320\n362880\n3628800\n";
    ipc(&["shm", "peek", &name, "--type", "i32", "--count", "10"]).is(0, factorials, "");
    let numbers: Vec<String> = (1..=10).map(|i| (i * -7).to_string()).collect();
    let words: Vec<&str> = numbers.iter().map(String::as_str).collect();
    ipc(&["shm", "poke", &name, "--type", "i32", "--"]).words(&words).is(0, "", "");
    c.run(&["print", &name]).is(0, &(numbers.join("\n") + "\n"), "");
}

#[test]
fn python_and_ipc_share_memory() {
    let name = Name::new("shm");
    let script = "import sys, mmap, struct, posix_ipc
m = posix_ipc.SharedMemory(sys.argv[1], posix_ipc.O_CREX, size=4096)
a = mmap.mmap(m.fd, m.size)
a[0:8] = struct.pack('=q', -5)
print('made', flush=True)
for line in sys.stdin:
    print(struct.unpack('=q', a[0:8])[0], flush=True)";
    let Some(python) = peers::python("posix_ipc", script, &[&name]) else { return };
    let python = python.input("\n").start();
    until("python made it", || {
        ipc(&["shm", "peek", &name, "--type", "i64"]).output().stdout == b"-5\n"
    });
    // It prints the number that it stored, or the one that `ipc` stored in between.
    let add = ipc(&["shm", "add", &name, "--type", "i64", "12"]);
    add.is(0, "7\n", "");
    let printed = text(&python.finish().stdout);
    assert!(["made\n-5\n", "made\n7\n"].contains(&printed.as_str()), "{printed}");
    let script = "import sys, mmap, struct, posix_ipc
m = posix_ipc.SharedMemory(sys.argv[1])
print(struct.unpack('=q', mmap.mmap(m.fd, m.size)[0:8])[0])";
    peers::python("posix_ipc", script, &[&name]).unwrap().is(0, "7\n", "");
}

const C_SYSTEM_V: &str = r#"
#include <sys/shm.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int main(int argc, char **argv) {
    int create = !strcmp(argv[1], "create");
    int id = shmget(strtoul(argv[2], 0, 0), 4096, (create ? IPC_CREAT | IPC_EXCL : 0) | 0600);
    if (id < 0) { perror("shmget"); return 1; }
    _Atomic int *table = shmat(id, 0, 0);
    if (table == (void *)-1) { perror("shmat"); return 1; }
    if (create) for (int i = 0; i < 10; i++) table[i] = i * i;
    else if (!strcmp(argv[1], "print")) for (int i = 0; i < 10; i++) printf("%d\n", table[i]);
    else if (!strcmp(argv[1], "count")) for (int i = 0; i < 1000000; i++) atomic_fetch_add(&table[0], 1);
    else getchar();
    return 0;
}
"#;

#[test]
fn a_c_program_and_ipc_share_a_system_v_segment_that_either_creates() {
    let Some(c) = peers::c(C_SYSTEM_V) else { return };
    let name = Name::system_v("shm");
    let key = name.trim_start_matches("sysv:");
    c.run(&["create", key]).is(0, "", "");
    let squares = "0\n1\n4\n9\n16\n25\n36\n49\n64\n81\n";
    ipc(&["shm", "peek", &name, "--count", "10"]).is(0, squares, "");
    ipc(&["shm", "poke", &name, "--type", "i32", "--", "-5"]).is(0, "", "");
    c.run(&["print", key]).is(0, &squares.replacen("0", "-5", 1), "");
    ipc(&["shm", "rm", &name]).is(0, "", "");
    ipc(&["shm", "create", &name, "--size", "4096"]).is(0, "", "");
    ipc(&["shm", "poke", &name, "--type", "i32", "--offset", "36", "77"]).is(0, "", "");
    c.run(&["print", key]).is(0, &("0\n".repeat(9) + "77\n"), "");
}

#[test]
fn atomic_additions_of_a_c_program_and_of_ipc_are_all_counted() {
    let Some(c) = peers::c(C_SYSTEM_V) else { return };
    let name = Name::system_v("shm");
    ipc(&["shm", "create", &name, "--size", "4096"]).is(0, "", "");
    let program = c.run(&["count", name.trim_start_matches("sysv:")]).start();
    let add = ["--type", "i32", "-q", "1"];
    for _ in 0..100 {
        assert_eq!(code(&ipc(&["shm", "add", &name]).words(&add).output()), 0);
    }
    assert!(program.finish().status.success());
    ipc(&["shm", "peek", &name]).is(0, "1000100\n", "");
}

#[test]
fn stat_shows_attachments_and_the_mark_for_removal() {
    let Some(c) = peers::c(C_SYSTEM_V) else { return };
    let name = Name::system_v("shm");
    c.run(&["create", name.trim_start_matches("sysv:")]).is(0, "", "");
    let json = |words: &[&str]| -> serde_json::Value {
        serde_json::from_str(&ipc(words).words(&["--json"]).succeeds()).unwrap()
    };
    let id = json(&["shm", "stat", &name])["id"].clone();
    let mut holder = Command::new(c.path())
        .args(["hold", name.trim_start_matches("sysv:")])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    until("it is attached", || json(&["shm", "stat", &name])["attachments"] == 1);
    ipc(&["shm", "rm", &name]).is(0, "", "");
    // Its key is free again; its identifier is not.
    let by_id = format!("sysv:id={id}");
    let stat = json(&["shm", "stat", &by_id]);
    let list = json(&["shm", "ls"]);
    let listed = list.as_array().unwrap().iter().find(|segment| segment["id"] == id).unwrap();
    for seen in [&stat, listed] {
        assert_eq!(seen["marked_for_removal"], true);
        assert_eq!(seen["attachments"], 1);
        assert_eq!(seen["last_pid"], holder.id());
        assert_eq!(
            seen["holders"],
            serde_json::json!([{ "pid": holder.id(), "command": "program" }])
        );
        assert!(seen["creator_pid"].is_u64() && seen["attached"].is_string());
    }
    let row = format!("{} (program)", holder.id());
    assert!(ipc(&["shm", "ls", "-q"]).succeeds().lines().any(|line| line.contains(&row)));
    drop(holder.stdin.take());
    assert!(holder.wait().unwrap().success());
    let gone = super::complaint("stat", &by_id, "No such file or directory");
    ipc(&["shm", "stat", &by_id]).is(4, "", &gone);
}
