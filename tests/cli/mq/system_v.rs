//! System V queues: types, copies, limits.

use super::{MISSING, error, stat, system_v_queue};
use crate::peers;
use crate::support::{
    Name, Run, as_another_user, binary, children, code, ipc, sh, sleeps_in, text, until,
};

#[test]
fn system_v_messages_have_types_by_which_they_are_chosen() {
    let key = system_v_queue();
    for (kind, message) in [("5", "a"), ("3", "b"), ("5", "c"), ("1", "d"), ("3", "e")] {
        ipc(&["mq", "send", &key, "-p", kind, message]).is(0, "", "");
    }
    ipc(&["mq", "recv", &key, "--type", "5"]).is(0, "a\n", "");
    ipc(&["mq", "recv", &key, "--type=-4"]).is(0, "d\n", "");
    ipc(&["mq", "recv", &key, "--type", "-4", "--show-priority"]).is(0, "3\tb\n", "");
    ipc(&["mq", "recv", &key, "--except", "5"]).is(0, "e\n", "");
    ipc(&["mq", "recv", &key, "-n", "--type", "9"]).is(1, "", "");
    ipc(&["mq", "recv", &key, "-t", "10ms", "--except", "5"]).is(
        124,
        "",
        &error("recv", &key, "timed out"),
    );
    ipc(&["mq", "recv", &key, "--all", "--show-priority"]).is(0, "5\tc\n", "");
    ipc(&["mq", "send", &key, "x"]).is(0, "", "");
    ipc(&["mq", "recv", &key, "--show-priority"]).is(0, "1\tx\n", "");
    ipc(&["mq", "send", &key, "-p0", "x"]).is(
        2,
        "",
        &error("send", &key, "the type of a System V message is 1 or more"),
    );
}

#[test]
fn a_copy_of_a_system_v_message_leaves_it_where_it_is() {
    let key = system_v_queue();
    ipc(&["mq", "send", &key, "a", "b"]).is(0, "", "");
    ipc(&["mq", "recv", &key, "--peek", "1"]).is(0, "b\n", "");
    ipc(&["mq", "recv", &key, "--peek", "2"]).is(1, "", "");
    assert_eq!(stat(&key)["messages"], 2);
}

#[test]
fn a_system_v_queue_that_is_full_makes_its_senders_wait() {
    let key = Name::system_v("mq");
    ipc(&["mq", "create", &key, "--max-bytes", "8"]).is(0, "", "");
    assert_eq!(stat(&key)["max_bytes"], 8);
    ipc(&["mq", "send", &key, "12345678"]).is(0, "", "");
    ipc(&["mq", "send", "-n", &key, "x"]).is(1, "", "");
    ipc(&["mq", "send", "-t", "20ms", &key, "x"]).is(124, "", &error("send", &key, "timed out"));
    let sender = ipc(&["mq", "send", "-t", "30s", &key, "x"]).start();
    sender.wait_until_asleep();
    sender.stop_and_continue();
    sender.wait_until_asleep();
    ipc(&["mq", "recv", &key]).is(0, "12345678\n", "");
    assert_eq!(code(&sender.finish()), 0);
    ipc(&["mq", "set", &key, "--max-bytes", "4"]).is(0, "", "");
    let reason = format!(
        "message of 5 bytes is longer than the queue allows (4)\n\
         hint: 'ipc mq set {} --max-bytes 5' makes room for it",
        &*key
    );
    ipc(&["mq", "send", &key, "12345"]).is(3, "", &error("send", &key, &reason));
}

#[test]
fn waiting_for_a_system_v_message_takes_none_even_if_it_is_empty() {
    let key = system_v_queue();
    ipc(&["mq", "wait", &key, "-n"]).is(1, "", "");
    ipc(&["mq", "wait", &key, "-t", "10ms"]).is(124, "", &error("wait", &key, "timed out"));
    for message in ["x", ""] {
        let waiter = ipc(&["mq", "wait", &key]).start();
        waiter.wait_until_asleep();
        ipc(&["mq", "send", &key, message]).is(0, "", "");
        assert_eq!(code(&waiter.finish()), 0);
        ipc(&["mq", "wait", &key, "-n"]).is(0, "", "");
        ipc(&["mq", "recv", &key]).is(0, &format!("{message}\n"), "");
    }
    let receiver = ipc(&["mq", "recv", &key]).start();
    receiver.wait_until_asleep();
    ipc(&["mq", "send", &key, ""]).is(0, "", "");
    assert_eq!(text(&receiver.finish().stdout), "\n");
}

#[test]
fn a_message_is_seen_without_receiving_it() {
    let key = system_v_queue();
    ipc(&["mq", "send", &key, "-p", "3", "", "one", "two"]).is(0, "", "");
    ipc(&["mq", "wait", &key]).is(0, "", "");
    ipc(&["mq", "wait", &key, "--type", "-5"]).is(0, "", "");
    ipc(&["mq", "wait", "-n", &key, "--type", "4"]).is(1, "", "");
    ipc(&["mq", "recv", "--all", &key]).is(0, "\none\ntwo\n", "");
}

#[test]
fn a_message_that_is_too_long_to_be_copied_is_there_all_the_same() {
    if !peers::may_unshare(&["--ipc"]) {
        return;
    }
    let line = "ipc mq create sysv:1; head -c 9000 /dev/zero >f
        echo 9000 >/proc/sys/kernel/msgmax; ipc mq send sysv:1 -p 2 --frame whole <f
        echo 8192 >/proc/sys/kernel/msgmax; ipc mq wait -n sysv:1; echo $?
        ipc mq recv --peek 0 sysv:1; echo $?
        ipc mq wait -n --type 2 sysv:1; echo $?
        ipc mq recv --all --type 2 --frame whole sysv:1 | cmp - f; echo $?";
    let directory = tempfile::tempdir().unwrap();
    let unshared =
        sh("exec unshare --ipc sh -c \"$0\"").word(line).within(directory.path()).output();
    assert_eq!(text(&unshared.stdout), "0\n3\n0\n0\n");
    let reason = "it is longer than sysctl kernel.msgmax is now";
    assert_eq!(text(&unshared.stderr), error("recv", "sysv:1", reason));
}

#[test]
fn a_message_that_may_not_go_back_is_reported() {
    let key = Name::system_v("mq");
    ipc(&["mq", "create", "-m", "0604", &key]).is(0, "", "");
    let Some(waiter) = as_another_user(&["mq", "wait", &key]) else { return };
    let waiter = waiter.start();
    until("it waits for a message", || sleeps_in(waiter.pid(), "msgrcv"));
    ipc(&["mq", "send", &key, ""]).is(0, "", "");
    let output = waiter.finish();
    let reason = "a message without any bytes was received to see it, and cannot be put back: \
                  Permission denied";
    assert_eq!((code(&output), text(&output.stderr)), (3, error("wait", &key, reason)));
}

#[test]
fn a_message_without_room_to_go_back_is_reported_in_time() {
    if !peers::there("strace", &["-o", "/dev/null", "true"]) {
        return;
    }
    let key = Name::system_v("mq");
    ipc(&["mq", "create", &key, "--max-bytes", "8"]).is(0, "", "");
    // A try and the wait, which lets us fill the queue before what it took goes back.
    let delay = "inject=msgrcv:delay_exit=3000000:when=2";
    let waiter = Run::new("strace", &["-qqo", "/dev/null", "-e", "trace=msgrcv", "-e", delay])
        .word(binary())
        .words(&["mq", "wait", "-t", "4s", &key])
        .start();
    let waits = || children(waiter.pid()).first().is_some_and(|&pid| sleeps_in(pid, "msgrcv"));
    until("it waits for a message", waits);
    ipc(&["mq", "send", &key, ""]).is(0, "", "");
    until("it is taken", || stat(&key)["messages"] == 0);
    ipc(&["mq", "send", &key, "12345678"]).is(0, "", "");
    ipc(&["mq", "set", &key, "--max-bytes", "4"]).is(0, "", "");
    let output = waiter.finish();
    let reason = "a message without any bytes was received to see it, and there is no room to put it \
                  back";
    assert_eq!((code(&output), text(&output.stderr)), (3, error("wait", &key, reason)));
    ipc(&["mq", "recv", "--all", &key]).is(0, "12345678\n", "");
}

#[test]
fn waiters_at_a_system_v_queue_report_its_removal() {
    let key = system_v_queue();
    let receiver = ipc(&["mq", "recv", &key]).start();
    receiver.wait_until_asleep();
    ipc(&["mq", "rm", &key]).is(0, "", "");
    let output = receiver.finish();
    let told = (code(&output), text(&output.stderr));
    assert_eq!(told, (4, error("recv", &key, "the queue was removed")));
    ipc(&["mq", "recv", &key]).is(4, "", &error("recv", &key, MISSING));
}

#[test]
fn later_users_of_a_system_v_queue_report_its_removal() {
    let key = system_v_queue();
    ipc(&["mq", "send", &key, "a", "b"]).is(0, "", "");
    let told = error("recv", &key, "the queue was removed");
    let words = ["mq", "recv", "--count", "2", "--exec", &key, "--"];
    ipc(&words).words(&[binary().to_str().unwrap(), "mq", "rm", &key]).is(125, "", &told);
    let key = system_v_queue();
    let told = error("send", &key, "the queue was removed; the message before it was sent");
    sh("{ echo a; until ipc mq recv -n $0 >a; do :; done; ipc mq rm $0; echo b; } | ipc mq send $0")
        .word(&*key)
        .within(tempfile::tempdir().unwrap().path())
        .is(4, "", &told);
}

#[test]
fn an_existing_system_v_queue_is_accepted_with_the_limit_that_was_asked_for() {
    let key = Name::system_v("mq");
    let create = |bytes| ipc(&["mq", "create", "-e", &key, "--max-bytes", bytes]);
    create("64").is(0, "", "");
    create("64").is(0, "", "");
    create("32").is(5, "", &error("create", &key, "exists with --max-bytes 64"));
    ipc(&["mq", "create", "-e", &key]).is(0, "", "");
}

#[test]
fn a_system_v_queue_without_a_key_is_reached_by_its_identifier() {
    let name = ipc(&["mq", "create", "sysv:0"]).succeeds();
    let name = name.trim_end();
    ipc(&["mq", "send", name, "x"]).is(0, "", "");
    assert!(ipc(&["mq", "ls", "--json"]).succeeds().contains(name));
    ipc(&["mq", "recv", name]).is(0, "x\n", "");
    ipc(&["mq", "rm", name]).is(0, "", "");
    ipc(&["mq", "recv", name]).is(4, "", &error("recv", name, "No such file or directory"));
    let told = error("create", "sysv:id=7", "the kernel chooses identifiers")
        + "hint: sysv:0 makes a new one, and prints its name\n";
    ipc(&["mq", "create", "sysv:id=7"]).is(2, "", &told);
}

#[test]
fn a_queue_that_its_maker_may_not_read_has_the_limit_that_was_asked_for() {
    let key = Name::system_v("mq");
    let words = ["mq", "create", "-m", "0222", "--max-bytes", "8", &key];
    let Some(create) = as_another_user(&words) else { return };
    create.is(0, "", "");
    assert_eq!(
        (stat(&key)["max_bytes"].clone(), stat(&key)["mode"].clone()),
        (8.into(), "0222".into())
    );
}

#[test]
fn no_queue_is_made_on_the_way_that_nobody_would_find_again() {
    ipc(&["mq", "send", "--create", "sysv:0", "x"]).is(
        2,
        "",
        "ipc: mq send: sysv:0: each use of this name makes a new object, which no other command finds\n\
         hint: 'create' makes one, and prints a name for it\n",
    );
}

#[test]
fn each_kind_refuses_the_limits_of_the_other() {
    let reason = "--max-bytes is for System V queues; POSIX queues have --max-msgs and --msg-size";
    let name = Name::new("mq");
    ipc(&["mq", "create", &name, "--max-bytes", "9"]).is(2, "", &error("create", &name, reason));
    let reason = "--max-msgs and --msg-size are for POSIX queues; System V queues have --max-bytes";
    let key = Name::system_v("mq");
    ipc(&["mq", "create", &key, "--max-msgs", "9"]).is(2, "", &error("create", &key, reason));
    let reason = "only the limit of a System V queue can be changed";
    ipc(&["mq", "set", &name, "--max-bytes", "9"]).is(2, "", &error("set", &name, reason));
}

#[test]
fn the_limits_of_system_v_queues_are_named_and_a_failed_create_leaves_nothing() {
    let key = Name::system_v("mq");
    let limit = std::fs::read_to_string("/proc/sys/kernel/msgmnb").unwrap();
    let asked = limit.trim().parse::<u64>().unwrap() + 1;
    let output = ipc(&["mq", "create", &key, "--max-bytes", &asked.to_string()]).output();
    // Somebody with CAP_SYS_RESOURCE may.
    if code(&output) != 0 {
        let reason = format!("{asked} bytes are more than the kernel allows ({})", limit.trim());
        let hint = format!("hint: as root: sysctl kernel.msgmnb={asked}\n");
        let told = (code(&output), text(&output.stderr));
        assert_eq!(told, (6, error("create", &key, &reason) + &hint));
        ipc(&["mq", "stat", &key]).is(4, "", &error("stat", &key, "No such file or directory"));
    }
}

#[test]
fn python_and_ipc_share_a_system_v_queue_and_its_key() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().to_str().unwrap();
    let name = format!("sysv:{path}:Q");
    let _guard = Name::of("mq", &name);
    let script = "import sys, sysv_ipc\nq = sysv_ipc.MessageQueue(sysv_ipc.ftok(sys.argv[1], ord('Q'), True))\n\
                  print(q.receive())\nq.send(b'from python', type=4)";
    let Some(python) = peers::python("sysv_ipc", script, &[path]) else { return };
    ipc(&["mq", "create", &name, "-m", "0640"]).is(0, "", "");
    assert_eq!(stat(&name)["mode"], "0640");
    ipc(&["mq", "send", &name, "-p", "2", "from ipc"]).is(0, "", "");
    python.is(0, "(b'from ipc', 2)\n", "");
    ipc(&["mq", "recv", "--show-priority", &name]).is(0, "4\tfrom python\n", "");
}
