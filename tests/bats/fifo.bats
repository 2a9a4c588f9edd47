#!/usr/bin/env bats
# Named pipes, as scripts use them.

load helper

@test "two unrelated commands share a pipe" {
    ipc mkfifo pipe
    seq 5 | ipc fifo write pipe &
    run ipc fifo cat pipe
    assert_success
    assert_output "$(seq 5)"
}

@test "a collector outlives its writers" {
    ipc mkfifo pipe
    ipc fifo cat --keep-open pipe >log &
    collector=$!
    for word in one two three; do ipc fifo write pipe "$word"; done
    eventually grep -q three log
    kill $collector
    run cat log
    assert_output $'one\ntwo\nthree'
}

@test "a write to a pipe without a reader times out" {
    ipc mkfifo pipe
    run ipc fifo write -t 50ms pipe message
    assert_failure 124
    assert_output 'ipc: fifo write: pipe: timed out'
    run ipc fifo write -n pipe message
    assert_failure 1
    assert_output ''
}

@test "a regular file is refused and stays as it was" {
    echo kept >file
    run ipc fifo write file lost
    assert_failure 3
    run cat file
    assert_output kept
}

@test "a link named mkfifo is that utility" {
    ln -s "$IPC" mkfifo
    run ./mkfifo -m 640 pipe
    assert_success
    run stat -c '%F %a' pipe
    assert_output 'fifo 640'
    run ./mkfifo pipe
    assert_failure 1
    assert_output --partial "cannot create fifo 'pipe': File exists"
}
