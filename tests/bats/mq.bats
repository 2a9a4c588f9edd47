#!/usr/bin/env bats
# Message queues, as scripts use them.

load helper

@test "a thousand lines go through a small queue in order" {
    ipc mq create --max-msgs 4 --msg-size 16 "$name"
    seq 1000 | ipc mq send "$name" &
    run bash -c 'ipc mq recv -t 30s --count 1000 "$1" | cmp - <(seq 1000)' - "$name"
    assert_success
    assert_output ''
}

@test "a consumer follows until it is stopped, without a message" {
    ipc mq create --max-msgs 4 --msg-size 32 "$name"
    ipc mq recv -f "$name" >log &
    consumer=$!
    printf 'one\ntwo\n' | ipc mq send "$name"
    eventually grep -q two log
    kill -TERM $consumer
    status=0; wait $consumer || status=$?
    assert_equal "$status" 143
    run cat log
    assert_output $'one\ntwo'
}

@test "urgent messages come first, and their priority is printed" {
    ipc mq create --max-msgs 4 --msg-size 32 "$name"
    ipc mq send "$name" later
    ipc mq send -p 9 "$name" now
    run ipc mq recv --all --show-priority "$name"
    assert_success
    assert_output $'9\tnow\n0\tlater'
}

@test "head ends a consumer quietly" {
    ipc mq create --max-msgs 4 --msg-size 32 "$name"
    ipc mq send "$name" a b c
    run bash -c 'set -o pipefail; ipc mq recv --count 3 "$1" | head -n 1' - "$name"
    assert_output a
}

@test "files arrive whole, byte for byte" {
    ipc mq create --max-msgs 2 --msg-size 8000 "$name"
    head -c 7777 /dev/urandom >original
    ipc mq send --frame whole "$name" <original
    ipc mq recv --frame whole "$name" >copy
    cmp original copy
}

@test "names with newlines travel between find and xargs" {
    ipc mq create --max-msgs 8 --msg-size 256 "$name"
    mkdir files && touch files/plain $'files/new\nline'
    find files -type f -print0 | ipc mq send -0 "$name"
    run bash -c 'ipc mq recv -0 --all "$1" | xargs -0 -n 1 test -e && echo all there' - "$name"
    assert_success
    assert_output 'all there'
}

@test "a full queue is status 1, and a message that is too long is an error with a reason" {
    ipc mq create --max-msgs 1 --msg-size 8 "$name"
    ipc mq send "$name" first
    run ipc mq send -n "$name" second
    assert_failure 1
    assert_output ''
    run ipc mq send "$name" 'longer than eight'
    assert_failure 3
    assert_line --index 0 "ipc: mq send: $name: message of 17 bytes is longer than the queue allows (8)"
    assert_line --index 1 --partial 'hint: '
}
