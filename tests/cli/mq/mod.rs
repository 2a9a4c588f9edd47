//! `ipc mq`.

mod early;
mod end;
mod exec;
mod stream;
mod system_v;
mod worker;

use crate::nouns::{Names, Noun, Wait};
use crate::peers;
use crate::support::{
    Name, as_another_user, awkward, bash, code, copy_for_others, ipc, sh, text, until,
};

pub const NOUN: Noun = Noun { name: "mq", names: Names::Kernel, create: &[], waits, commands: &[] };

fn waits() -> Vec<Wait> {
    const QUEUE: &str = "ipc mq create $name";
    const FULL: &str = "ipc mq create --max-msgs 1 --msg-size 8 $name; ipc mq send $name first";
    const KEY: &str = "ipc mq create $key";
    const FULL_KEY: &str =
        "ipc mq create $key; ipc mq set --max-bytes 8 $key; ipc mq send $key 1st";
    vec![
        Wait::new(QUEUE, "ipc mq recv $name", "ipc mq send $name hi", "hi\n")
            .says("$name: waiting for a message"),
        Wait::new(QUEUE, "ipc mq recv --exec $name -- cat", "ipc mq send $name hi", "hi"),
        Wait::new(QUEUE, "ipc mq wait $name", "ipc mq send $name hi", "")
            .says("$name: waiting for a message"),
        Wait::new(FULL, "ipc mq send $name second", "ipc mq recv $name", "")
            .says("$name: waiting for room: the queue is full"),
        Wait::new(KEY, "ipc mq recv $key", "ipc mq send $key hi", "hi\n"),
        Wait::new(KEY, "ipc mq wait $key", "ipc mq send $key hi", ""),
        Wait::new(FULL_KEY, "ipc mq send $key second", "ipc mq recv $key", ""),
    ]
}

/// A queue of this shape, which has to be small: a user may have few bytes in all queues.
fn queue(max_msgs: &str, msg_size: &str) -> Name {
    let name = Name::new("mq");
    ipc(&["mq", "create", &name, "--max-msgs", max_msgs, "--msg-size", msg_size]).is(0, "", "");
    name
}

/// A System V queue, and its key.
fn system_v_queue() -> Name {
    let key = Name::system_v("mq");
    ipc(&["mq", "create", &key]).is(0, "", "");
    key
}

/// What `stat --json` says of a queue.
fn stat(name: &str) -> serde_json::Value {
    serde_json::from_str(&ipc(&["mq", "stat", "--json", name]).succeeds()).expect("it is JSON")
}

/// Why a queue that is missing cannot be used.
const MISSING: &str = "No such file or directory\n\
    hint: 'ipc mq create' makes it, and so does 'ipc mq send --create'";

/// Why a queue is not made.
const EXISTS: &str = "File exists\nhint: --exist-ok accepts an existing one";

/// `ipc: mq VERB: NAME: REASON`, and perhaps a hint.
fn error(verb: &str, name: &str, reason: &str) -> String {
    format!("ipc: mq {verb}: {name}: {reason}\n")
}

#[test]
fn no_queue_is_made_for_a_message_that_it_could_not_hold() {
    let name = Name::new("mq");
    let long = "x".repeat(100_000);
    let output = ipc(&["mq", "send", "--create", &name, &long]).output();
    assert_eq!(code(&output), 3);
    ipc(&["mq", "stat", &name]).is(4, "", &error("stat", &name, "No such file or directory"));
}

#[test]
fn the_oldest_of_the_highest_priority_comes_first() {
    let name = queue("6", "64");
    for (priority, message) in [("0", "a"), ("7", "b"), ("0", "c"), ("7", "d"), ("32767", "e")] {
        ipc(&["mq", "send", &name, "-p", priority, message]).is(0, "", "");
    }
    ipc(&["mq", "recv", &name]).is(0, "e\n", "");
    ipc(&["mq", "recv", "--all", "--show-priority", &name]).is(0, "7\tb\n7\td\n0\ta\n0\tc\n", "");
}

#[test]
fn operands_are_messages_and_so_are_lines_of_stdin() {
    let name = queue("4", "64");
    ipc(&["mq", "send", &name, "one two", "", "-p", "1"]).is(0, "", "");
    ipc(&["mq", "recv", "--count", "2", &name]).is(0, "one two\n\n", "");
    ipc(&["mq", "send", &name, "--", "-5", "--all"]).is(0, "", "");
    ipc(&["mq", "recv", "--all", &name]).is(0, "-5\n--all\n", "");
    ipc(&["mq", "send", &name]).input("a\n\nb").is(0, "", "");
    ipc(&["mq", "recv", "--all", &name]).is(0, "a\n\nb\n", "");
    ipc(&["mq", "send", &name]).is(0, "", "");
    assert_eq!(stat(&name)["messages"], 0);
}

#[test]
fn an_empty_queue_is_no_error_for_all_and_status_1_for_nonblock() {
    let name = queue("2", "8");
    ipc(&["mq", "recv", "--all", &name]).is(0, "", "");
    ipc(&["mq", "recv", "-n", &name]).is(1, "", "");
    ipc(&["mq", "recv", "-nv", &name]).is(1, "", &error("recv", &name, "would block"));
    ipc(&["mq", "wait", "-n", &name]).is(1, "", "");
    ipc(&["mq", "send", &name, "x"]).is(0, "", "");
    ipc(&["mq", "wait", "-n", &name]).is(0, "", "");
    ipc(&["mq", "recv", "-n", "--count", "2", &name]).is(1, "x\n", "");
}

#[test]
fn a_timeout_that_runs_out_is_status_124() {
    let name = queue("1", "8");
    let timed_out = |verb| error(verb, &name, "timed out");
    ipc(&["mq", "recv", "-t", "30ms", &name]).is(124, "", &timed_out("recv"));
    ipc(&["mq", "wait", "-t", "30ms", &name]).is(124, "", &timed_out("wait"));
    ipc(&["mq", "send", "-t", "0", &name, "x"]).is(0, "", "");
    ipc(&["mq", "send", "-t", "30ms", &name, "y"]).is(124, "", &timed_out("send"));
    ipc(&["mq", "recv", "-t", "0", &name]).is(0, "x\n", "");
    ipc(&["mq", "recv", "-qt0", &name]).is(124, "", "");
}

#[test]
fn a_full_queue_takes_no_more_and_says_how_many_it_took() {
    let name = queue("2", "8");
    ipc(&["mq", "send", "-n", &name, "a", "b"]).is(0, "", "");
    ipc(&["mq", "send", "-n", &name, "c"]).is(1, "", "");
    assert_eq!(stat(&name)["messages"], 2);
    ipc(&["mq", "recv", &name]).is(0, "a\n", "");
    ipc(&["mq", "send", "-t", "10ms", &name]).input("d\ne\nf\n").is(
        124,
        "",
        &error("send", &name, "timed out; the message before it was sent"),
    );
    ipc(&["mq", "recv", "--all", &name]).is(0, "b\nd\n", "");
}

#[test]
fn a_message_that_is_too_long_is_refused_with_the_limit_and_the_way_out() {
    let name = queue("4", "8");
    let reason = "message of 9 bytes is longer than the queue allows (8)";
    let hint = "hint: create the queue with --msg-size 9\n";
    let refused = error("send", &name, reason) + hint;
    ipc(&["mq", "send", &name, "ok", "123456789"]).is(3, "", &refused);
    ipc(&["mq", "send", "--frame", "whole", &name]).input("123456789").is(3, "", &refused);
    assert_eq!(stat(&name)["messages"], 0);
    let after = format!("{reason}; the 2 messages before it were sent");
    ipc(&["mq", "send", &name]).input("a\nb\n123456789\nc\n").is(
        3,
        "",
        &(error("send", &name, &after) + hint),
    );
    ipc(&["mq", "recv", "--all", &name]).is(0, "a\nb\n", "");
    ipc(&["mq", "send", &name, "12345678"]).is(0, "", "");
}

#[test]
fn a_priority_that_there_is_not_is_a_usage_error() {
    let name = queue("1", "8");
    let reason = "priority 32768 is above the greatest (32767)";
    ipc(&["mq", "send", &name, "-p", "32768", "x"]).is(2, "", &error("send", &name, reason));
    let reason = "priority -1 is below the least (0)";
    ipc(&["mq", "send", &name, "-p", "-1", "x"]).is(2, "", &error("send", &name, reason));
    assert_eq!(stat(&name)["messages"], 0);
}

#[test]
fn no_message_is_asked_for_and_none_is_taken() {
    let name = queue("1", "8");
    ipc(&["mq", "send", &name, "x"]).is(0, "", "");
    ipc(&["mq", "recv", "--count", "0", &name]).is(0, "", "");
    ipc(&["mq", "recv", "--count", "0", "--exec", &name, "--", "cat"]).is(0, "", "");
    ipc(&["mq", "recv", "--count", "2", "-n", &name]).is(1, "x\n", "");
}

#[test]
fn a_posix_queue_knows_no_types_and_says_which_does() {
    let name = queue("1", "8");
    let reason = "a POSIX queue gives the highest priority first and takes no --type or --except; \
                  System V queues (sysv:KEY) do";
    ipc(&["mq", "recv", "--type", "3", &name]).is(2, "", &error("recv", &name, reason));
    ipc(&["mq", "recv", "--except", "3", &name]).is(2, "", &error("recv", &name, reason));
}

#[test]
fn create_refuses_an_existing_queue_unless_it_has_the_same_shape() {
    let name = queue("3", "16");
    ipc(&["mq", "create", &name]).is(5, "", &error("create", &name, EXISTS));
    ipc(&["mq", "create", "-e", &name]).is(0, "", "");
    ipc(&["mq", "create", "-e", &name, "--max-msgs", "3", "--msg-size", "16"]).is(0, "", "");
    let reason = "exists with --max-msgs 3 --msg-size 16";
    ipc(&["mq", "create", "-e", &name, "--msg-size", "17"]).is(
        5,
        "",
        &error("create", &name, reason),
    );
}

#[test]
fn permissions_are_those_asked_for_whatever_the_umask() {
    for (mode, octal) in [("u=rw,go+r", "0644"), ("0222", "0222"), ("0", "0000")] {
        let name = Name::new("mq");
        sh("umask 077; ipc mq create --max-msgs 1 --msg-size 8 -m \"$1\" \"$0\"")
            .words(&[&name, mode])
            .is(0, "", "");
        let list = ipc(&["mq", "ls", "--json"]).succeeds();
        let list: Vec<serde_json::Value> = serde_json::from_str(&list).unwrap();
        let found = list.iter().find(|queue| queue["name"] == *name).expect("it is listed");
        assert_eq!(found["mode"], octal);
    }
    let name = Name::new("mq");
    sh("umask 0; ipc mq create --max-msgs 1 --msg-size 8 \"$0\"").word(&*name).is(0, "", "");
    assert_eq!(stat(&name)["mode"], "0600");
}

#[test]
fn the_limits_of_the_kernel_are_named() {
    let limit = |name: &str| {
        let text = std::fs::read_to_string(format!("/proc/sys/fs/mqueue/{name}")).unwrap();
        text.trim().parse::<u64>().unwrap()
    };
    let name = Name::new("mq");
    for (option, sysctl, what) in
        [("--max-msgs", "msg_max", "messages"), ("--msg-size", "msgsize_max", "bytes a message")]
    {
        let allowed = limit(sysctl);
        let told = |asked: u64| {
            let reason = format!("{asked} {what} are more than the kernel allows ({allowed})");
            error("create", &name, &reason)
        };
        // What even the privileged may not have, and so there is no way out.
        let asked = 1_u64 << 40;
        ipc(&["mq", "create", &name, option, &asked.to_string()]).is(3, "", &told(asked));
        let asked = allowed + 1;
        let hint = format!("hint: as root: sysctl fs.mqueue.{sysctl}={asked}\n");
        let words = ["mq", "create", &name, option, &asked.to_string()];
        if let Some(user) = as_another_user(&words) {
            user.is(3, "", &(told(asked) + &hint));
        }
    }
    ipc(&["mq", "stat", &name]).is(4, "", &error("stat", &name, "No such file or directory"));
}

#[test]
fn the_limit_of_a_user_is_explained() {
    let name = Name::new("mq");
    let reason = "the queues of this user would take more memory than they may (RLIMIT_MSGQUEUE, \
                  100 bytes)";
    let hint = "hint: 'prlimit --msgqueue' shows the limit; make the queue smaller with --max-msgs and \
                --msg-size, or remove others\n";
    bash("ulimit -q 100; exec ipc mq create \"$0\" --max-msgs 4 --msg-size 64").word(&*name).is(
        3,
        "",
        &(error("create", &name, reason) + hint),
    );
    ipc(&["mq", "stat", &name]).is(4, "", &error("stat", &name, "No such file or directory"));
}

#[test]
fn stat_shows_messages_and_holders() {
    let name = queue("4", "64");
    ipc(&["mq", "send", &name, "four", ""]).is(0, "", "");
    let seen = stat(&name);
    assert_eq!((&seen["messages"], &seen["bytes"]), (&2.into(), &4.into()));
    assert_eq!((&seen["max_msgs"], &seen["msg_size"]), (&4.into(), &64.into()));
    assert_eq!((&seen["mode"], &seen["notify_pid"]), (&"0600".into(), &serde_json::Value::Null));
    ipc(&["mq", "recv", "--all", &name]).is(0, "four\n\n", "");
    let waiter = ipc(&["mq", "recv", &name]).start();
    waiter.wait_until_asleep();
    assert_eq!(stat(&name)["holders"][0]["pid"], waiter.pid());
}

#[test]
fn stat_shows_the_process_that_asked_for_a_notification() {
    let name = queue("4", "64");
    let script = "import sys, posix_ipc, signal\nq = posix_ipc.MessageQueue(sys.argv[1])\n\
                  q.request_notification(10)\nsignal.pause()";
    let Some(python) = peers::python("posix_ipc", script, &[&name]) else { return };
    let python = python.start();
    until("it has asked", || stat(&name)["notify_pid"] == python.pid());
}

#[test]
fn queues_of_another_ipc_namespace_are_not_taken_for_ours() {
    if !peers::may_unshare(&["--mount", "--ipc"]) {
        return;
    }
    let (_directory, copy) = copy_for_others();
    let line = "mount -t tmpfs none /dev && mkdir /dev/mqueue && \
                mount -t mqueue none /dev/mqueue && \"$0\" mq create /outside --msg-size 8 && \
                exec unshare --ipc setpriv --reuid 65534 --regid 65534 --clear-groups \"$0\" mq ls";
    let ls = sh("exec unshare --mount --ipc sh -c \"$@\"").word("sh").word(line).word(copy);
    ls.is(4, "", NOT_MOUNTED);
}

#[test]
fn ls_shows_queues_in_columns() {
    let name = queue("4", "64");
    ipc(&["mq", "send", &name, "four"]).is(0, "", "");
    let list = ipc(&["mq", "ls"]).succeeds();
    let columns = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let mut lines = list.lines().map(columns);
    let header = ["NAME", "MESSAGES", "BYTES", "MAX_MSGS", "MSG_SIZE", "MODE", "UID", "GID"];
    assert_eq!(lines.next().unwrap(), header);
    let line = lines.find(|columns| columns[0] == *name).expect("it is listed");
    assert_eq!(line[1..6], ["1", "4", "4", "64", "0600"]);
}

const NOT_MOUNTED: &str = "ipc: mq ls: /dev/mqueue: the POSIX queues are not mounted there, and you may not \
     mount them\nhint: as root: mkdir -p /dev/mqueue && mount -t mqueue none /dev/mqueue\n";

#[test]
fn a_user_who_may_not_mount_the_queues_gets_a_hint() {
    let mounted = std::fs::read_to_string("/proc/mounts").unwrap().contains(" mqueue ");
    let Some(user) = as_another_user(&["mq", "ls", "-q"]) else { return };
    assert_eq!(code(&user.output()), if mounted { 0 } else { 4 });
    if !mounted {
        let output = as_another_user(&["mq", "ls"]).unwrap().output();
        assert_eq!(text(&output.stderr), NOT_MOUNTED);
    }
}

#[test]
fn a_queue_of_another_user_is_closed_to_others() {
    let name = queue("2", "8");
    for words in [["send", &name, "x"].as_slice(), &["recv", &name], &["stat", &name]] {
        let mut all = vec!["mq"];
        all.extend(words);
        let Some(user) = as_another_user(&all) else { return };
        user.is(6, "", &error(words[0], &name, "Permission denied"));
    }
}

#[test]
fn a_user_who_may_only_send_still_sees_the_shape() {
    let name = Name::new("mq");
    let words = ["mq", "create", &name, "-m", "0622", "--max-msgs", "2", "--msg-size", "8"];
    ipc(&words).is(0, "", "");
    let Some(user) = as_another_user(&["mq", "stat", "--json", &name]) else { return };
    let seen: serde_json::Value = serde_json::from_str(&user.succeeds()).unwrap();
    assert_eq!((&seen["messages"], &seen["bytes"]), (&0.into(), &serde_json::Value::Null));
    as_another_user(&["mq", "send", &name, "x"]).unwrap().is(0, "", "");
    ipc(&["mq", "recv", &name]).is(0, "x\n", "");
}

#[test]
fn a_missing_queue_is_named_and_can_be_created_on_sending() {
    let name = Name::new("mq");
    for words in [["send", &name, "x"].as_slice(), &["recv", &name], &["wait", &name]] {
        let words = [&["mq"], words].concat();
        ipc(&words).is(4, "", &error(words[1], &name, MISSING));
    }
    ipc(&["mq", "send", "--create", &name, "x"]).is(0, "", "");
    ipc(&["mq", "send", "--create", &name, "y"]).is(0, "", "");
    ipc(&["mq", "recv", "--all", &name]).is(0, "x\ny\n", "");
    assert_eq!(stat(&name)["mode"], "0600");
}

#[test]
fn rm_removes_all_it_can_and_an_open_queue_goes_on() {
    let name = queue("2", "8");
    let reader = ipc(&["mq", "recv", "-t", "50ms", &name]).start();
    reader.wait_until_asleep();
    let missing = error("rm", "/ipc-no-such", "No such file or directory");
    ipc(&["mq", "rm", "/ipc-no-such", &name]).is(4, "", &missing);
    ipc(&["mq", "rm", "-f", &name, "/ipc-no-such"]).is(0, "", "");
    let output = reader.finish();
    assert_eq!(text(&output.stderr), error("recv", &name, "timed out"));
}

#[test]
fn any_bytes_are_a_name_and_a_name_has_a_length() {
    let mut name = awkward();
    name.push("\u{1}");
    let create = ipc(&["mq", "create", "--max-msgs", "1", "--msg-size", "8"]).word(&name);
    create.is(0, "", "");
    ipc(&["mq", "send"]).word(&name).word("x").is(0, "", "");
    ipc(&["mq", "recv"]).word(&name).is(0, "x\n", "");
    let listed = ipc(&["mq", "ls", "--json"]).succeeds();
    assert!(listed.contains("base64"), "{listed}");
    ipc(&["mq", "rm"]).word(&name).is(0, "", "");
    let long = "n".repeat(255);
    ipc(&["mq", "recv", &long]).is(4, "", &error("recv", &format!("/{long}"), MISSING));
    let longer = "n".repeat(256);
    let output = ipc(&["mq", "recv", &longer]).output();
    assert_eq!(code(&output), 2);
    assert!(text(&output.stderr).contains("256 bytes is longer than this mechanism allows (255)"));
}

const C_QUEUE: &str = r#"
#include <fcntl.h>
#include <mqueue.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int main(int argc, char **argv) {
    struct mq_attr attr = { .mq_maxmsg = 4, .mq_msgsize = 64 };
    int create = !strcmp(argv[1], "create");
    mqd_t queue = create ? mq_open(argv[2], O_CREAT | O_EXCL | O_RDWR, 0600, &attr) : mq_open(argv[2], O_RDWR);
    if (queue < 0) { perror("mq_open"); return 1; }
    if (!strcmp(argv[1], "send")) {
        if (mq_send(queue, argv[4], strlen(argv[4]), atoi(argv[3]))) { perror("mq_send"); return 1; }
    } else if (!create) {
        char text[64];
        unsigned priority;
        ssize_t length = mq_receive(queue, text, sizeof text, &priority);
        if (length < 0) { perror("mq_receive"); return 1; }
        printf("%u %.*s\n", priority, (int) length, text);
    }
    return 0;
}
"#;

#[test]
fn a_c_program_and_ipc_send_to_each_other_with_priorities() {
    let Some(c) = peers::c(C_QUEUE) else { return };
    let name = Name::new("mq");
    c.run(&["create", &name]).is(0, "", "");
    c.run(&["send", &name, "3", "from C"]).is(0, "", "");
    c.run(&["send", &name, "9", "urgent"]).is(0, "", "");
    let both = "9\turgent\n3\tfrom C\n";
    ipc(&["mq", "recv", "--all", "--show-priority", &name]).is(0, both, "");
    let ours = queue("4", "64");
    ipc(&["mq", "send", &ours, "-p", "5", "from ipc"]).is(0, "", "");
    ipc(&["mq", "send", &ours, "-p", "8", "sooner"]).is(0, "", "");
    c.run(&["recv", &ours]).is(0, "8 sooner\n", "");
    c.run(&["recv", &ours]).is(0, "5 from ipc\n", "");
    let waiter = c.run(&["recv", &ours]).start();
    waiter.wait_until_asleep();
    ipc(&["mq", "send", &ours, "woken"]).is(0, "", "");
    assert_eq!(text(&waiter.finish().stdout), "0 woken\n");
}

#[test]
fn python_and_ipc_send_to_each_other_with_priorities() {
    let name = queue("4", "64");
    let script = "import sys, posix_ipc\nq = posix_ipc.MessageQueue(sys.argv[1])\n\
                  print(q.receive())\nq.send(b'from python', priority=4)";
    let Some(python) = peers::python("posix_ipc", script, &[&name]) else { return };
    ipc(&["mq", "send", &name, "-p", "2", "from ipc"]).is(0, "", "");
    python.is(0, "(b'from ipc', 2)\n", "");
    ipc(&["mq", "recv", "--show-priority", &name]).is(0, "4\tfrom python\n", "");
}

#[test]
fn the_size_of_messages_is_a_size() {
    let name = Name::new("mq");
    ipc(&["mq", "create", &name, "--max-msgs", "1", "--msg-size", "0x40"]).is(0, "", "");
    let stat = ipc(&["mq", "stat", "--json", &name]).succeeds();
    assert!(stat.contains(r#""msg_size":64"#), "{stat}");
    let refused = ipc(&["mq", "create", &name, "--msg-size", "0"]);
    let reason = "--msg-size '0': not a size above 0\nhint: try 'ipc mq create --help'";
    refused.is(2, "", &format!("ipc: mq create: {reason}\n"));
}

#[test]
fn messages_are_lines_of_json_in_any_bytes_and_with_their_priorities() {
    let name = Name::new("mq");
    ipc(&["mq", "create", &name, "--max-msgs", "4", "--msg-size", "16"]).is(0, "", "");
    ipc(&["mq", "send", &name, "-p", "9", "a\nb"]).is(0, "", "");
    ipc(&["mq", "send", &name, "--frame", "whole"]).input([0xff]).is(0, "", "");
    let expected = "{\"message\":\"a\\nb\",\"priority\":9}\n\
                    {\"message\":{\"base64\":\"/w==\"},\"priority\":0}\n";
    ipc(&["mq", "recv", "--all", "--json", &name]).is(0, expected, "");
}
