#!/usr/bin/env bats
# Locks, as scripts use them.

load helper

@test "ten scripts add to one number and none is lost" {
    echo 0 >number
    add() { ipc lock run number.lock -- sh -c 'n=$(cat number); echo $((n + 1)) >number'; }
    for _ in 1 2 3 4 5 6 7 8 9 10; do add & done
    wait
    run cat number
    assert_output 10
}

@test "a script locks a descriptor of its own until it closes it" {
    exec 9>file.lock
    ipc lock fd 9
    run ipc lock run -n file.lock -- true
    assert_failure 1
    ipc lock unlock 9
    run ipc lock run -n file.lock -- true
    assert_success
    ipc lock fd 9
    exec 9>&-
    run ipc lock test file.lock
    assert_success
}

@test "util-linux flock and ipc lock exclude each other" {
    exec 9>file.lock
    flock 9
    run ipc lock run -t 50ms file.lock -- true
    assert_failure 124
    flock -u 9
    ipc lock fd 9
    run flock -n file.lock true
    assert_failure 1
}

@test "the status is that of the command, or 125 to 127 if it did not run" {
    run ipc lock run file.lock -- sh -c 'exit 7'
    assert_failure 7
    run ipc lock run file.lock -- sh -c 'kill -TERM $$'
    assert_failure 143
    bats_require_minimum_version 1.5.0
    run -127 ipc lock run file.lock -- ./no-such-command
    run ipc lock run file.lock -- /
    assert_failure 126
    run ipc lock run missing/file.lock -- true
    assert_failure 125
}

@test "stopping ipc stops the command and releases the lock" {
    ipc lock run file.lock -- sh -c 'echo $$ >pid; exec sleep 60' &
    holder=$!
    eventually test -s pid
    kill -TERM $holder
    wait $holder || true
    run ipc lock run -t 10s file.lock -- echo free
    assert_output free
    run kill -0 "$(cat pid)"
    assert_failure
}
