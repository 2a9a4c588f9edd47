#!/usr/bin/env bats
# Queues in shared memory, as scripts use them.

load helper

teardown_file() { rm -f /dev/shm/ipc-bats-*queue.bats*; }

@test "a hundred thousand lines go through a small queue in order" {
    ipc queue create --capacity 4K "$name"
    (seq 100000 | ipc queue push "$name"; ipc queue close "$name") &
    run bash -c 'ipc queue pop -f "$1" | cmp - <(seq 100000)' - "$name"
    assert_success
    assert_output ''
}

@test "a consumer that starts first waits for the queue" {
    ipc queue pop -f --retry 30s "$name" >log &
    ipc queue push --create --capacity 64K "$name" one two
    ipc queue close "$name"
    wait $!
    run cat log
    assert_output $'one\ntwo'
}

@test "a loop over pop ends when the queue is closed" {
    ipc queue create --capacity 4K "$name"
    ipc queue push "$name" a b c
    ipc queue close "$name"
    run bash -c 'while job=$(ipc queue pop "$1"); do echo "<$job>"; done' - "$name"
    assert_success
    assert_output $'<a>\n<b>\n<c>'
}

@test "files go through whole, byte for byte" {
    ipc queue create --capacity 1M ./queue
    head -c 777777 /dev/urandom >original
    ipc queue push --frame whole ./queue <original
    ipc queue pop --frame whole ./queue >copy
    cmp original copy
}

@test "names with newlines travel between find and xargs" {
    ipc queue create --capacity 4K "$name"
    mkdir files && touch files/plain $'files/new\nline'
    find files -type f -print0 | ipc queue push -0 "$name"
    run bash -c 'ipc queue pop -0 --all "$1" | xargs -0 -n 1 test -e && echo all there' - "$name"
    assert_success
    assert_output 'all there'
}

@test "several workers share the jobs, and each job is done once" {
    ipc queue create --capacity 64K "$name"
    seq 40 | ipc queue push "$name"
    ipc queue close "$name"
    ipc queue pop -f --exec --jobs 2 "$name" -- sh -c 'cat >>done' &
    ipc queue pop -f --exec "$name" -- sh -c 'cat >>done; echo' >/dev/null
    wait
    [ "$(ipc queue stat --json "$name" | grep -o '"messages":0')" ]
    [ "$(wc -c <done)" = "$(seq 40 | tr -d '\n' | wc -c)" ]
}

@test "a message that is too long is refused with the capacity that would do" {
    ipc queue create --capacity 4K "$name"
    run bash -c 'head -c 9000 /dev/zero | ipc queue push --frame whole "$1"' - "$name"
    assert_failure 3
    assert_line --index 0 "ipc: queue push: $name: message of 9000 bytes is longer than the queue allows (4080)"
    assert_line --index 1 'hint: create the queue with --capacity 16384'
}
