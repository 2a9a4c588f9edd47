#!/usr/bin/env bats
# Pipes between commands, as scripts use them.

load helper

@test "a number is written by one process and read by another" {
    run ipc pipe run -- echo 42 -- sh -c 'read n; echo "read $n"'
    assert_success
    assert_output "read 42"
}

@test "a script learns that any part of a line failed" {
    run ipc pipe run --status any -- sh -c 'echo some; exit 3' -- cat
    assert_failure 3
    assert_output "some"
    run ipc pipe run -- sh -c 'exit 3' -- cat
    assert_success
    run ipc pipe run --status any --forgive-sigpipe -- yes -- head -n1
    assert_success
}

@test "two programs that buffer talk over terminals" {
    run ipc pipe run --loop --pty -- sh -c 'echo 1; read n; echo "got $n" >&2' -- sed 's/1/one/'
    assert_success
    assert_output "got one"
}

@test "a stream goes to files, a FIFO and stdout" {
    mkfifo fifo
    cksum <fifo >sums &
    reader=$!
    seq 100000 | ipc pipe tee fifo file | cksum >stdout
    wait $reader
    seq 100000 | cksum | cmp - stdout
    cmp stdout sums
    cksum <file | cmp - stdout
}

@test "a full disk stops one output of several" {
    run bash -c 'set -o pipefail; echo some | ipc pipe tee /dev/full file; echo $?; cat file'
    assert_line "ipc: pipe tee: /dev/full: No space left on device"
    assert_line --index 0 "some"
    assert_line "3"
}

@test "a script sees how much waits in a pipe" {
    (printf 12345; exec sleep 100) | sleep 100 &
    reader=$!
    eventually sh -c "ipc pipe stat --json $reader 0 | grep -q '\"waiting\":5,'"
    kill %%
}
