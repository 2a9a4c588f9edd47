//! `ipc pipe stat`.

use crate::support::{as_another_user, bash, code, ipc, sh, text};

#[test]
fn the_bytes_that_wait_are_counted_at_either_end() {
    let line = "(printf twelve; exec sleep 1000) | sleep 1000 & reader=$!; \
                until_true eval 'ipc pipe stat $reader 0 | grep -q \"waiting:  6\"'; \
                ipc pipe stat $reader 0 | sed \"s/$reader/N/\"; \
                writer=$(ipc pipe stat --json $reader 0 | sed 's/.*writers.*\"pid\":\\([0-9]*\\).*/\\1/'); \
                ipc pipe stat --json $writer 1 | grep -o '\"waiting\":6,\"capacity\":65536'; \
                kill $reader $writer";
    let shown = bash(line).output();
    let lines = text(&shown.stdout);
    assert!(
        lines.starts_with("pid:      N\nfd:       0\nwaiting:  6\ncapacity: 65536\n"),
        "{lines}"
    );
    assert!(lines.ends_with("\"waiting\":6,\"capacity\":65536\n"), "{lines}");
}

#[test]
fn what_is_no_pipe_is_refused() {
    sh("exec 5</dev/null; ipc pipe stat $$ 5 2>&1 | sed s/$$/N/").is(
        0,
        "ipc: pipe stat: N 5: not a pipe\n",
        "",
    );
    sh("ipc pipe stat $$ 77 2>&1 | sed s/$$/N/; ipc pipe stat -q $$ 77").is(
        4,
        "ipc: pipe stat: N 77: Bad file descriptor\n",
        "",
    );
    ipc(&["pipe", "stat", "4194304", "0"]).is(4, "", "ipc: pipe stat: 4194304: No such process\n");
    for words in [&["0", "0"][..], &["1", "x"], &["1", "--", "-1"], &["1"]] {
        assert_eq!(code(&ipc(&["pipe", "stat"]).words(words).output()), 2, "{words:?}");
    }
}

#[test]
fn the_pipe_of_another_user_is_not_shown() {
    let own = std::process::id().to_string();
    let Some(run) = as_another_user(&["pipe", "stat", &own, "0"]) else { return };
    let output = run.output();
    assert_eq!(code(&output), 6);
    assert!(text(&output.stderr).contains(" 0: Operation not permitted\nhint: only root"));
}
