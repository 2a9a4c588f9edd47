#!/usr/bin/env bats
# Sockets, as scripts use them.

load helper

@test "a service is one line, and a client another" {
    ipc sock serve ./socket -- tr a-z A-Z &
    ipc sock wait -t 30s ./socket
    run bash -c 'echo hello | ipc sock connect ./socket'
    assert_success
    assert_output HELLO
}

@test "every byte of a slow answer arrives after half-close" {
    ipc sock serve ./socket -- sh -c 'cat >/dev/null; for i in 1 2 3; do echo $i; sleep 0.1; done' &
    ipc sock wait -t 30s ./socket
    run bash -c ': | ipc sock connect ./socket'
    assert_success
    assert_output $'1\n2\n3'
}

@test "a stale path is reused, a live one and a file are not" {
    ipc sock serve ./socket --echo &
    server=$!
    ipc sock wait -t 30s ./socket
    run ipc sock serve ./socket --echo
    assert_failure 5
    kill -KILL $server
    wait $server || true
    test -S socket
    ipc sock serve ./socket --once --echo &
    ipc sock wait -t 30s ./socket || true
    run bash -c 'echo alive | ipc sock connect --retry 10s ./socket'
    echo kept >file
    run ipc sock serve ./file --echo
    assert_failure
    run cat file
    assert_output kept
}

@test "a server that is stopped removes its path" {
    ipc sock serve ./socket --echo &
    server=$!
    ipc sock wait -t 30s ./socket
    kill -TERM $server
    status=0; wait $server || status=$?
    assert_equal "$status" 143
    test ! -e socket
}

@test "messages keep their boundaries over seqpacket" {
    ipc sock serve ./socket --type seqpacket --once --echo &
    ipc sock wait -t 30s ./socket || true
    run bash -c 'printf "one\n\nthree\n" | ipc sock connect --type seqpacket --retry 10s ./socket'
    assert_success
    assert_output $'one\n\nthree'
}

@test "a large file comes back unchanged" {
    head -c 20M /dev/urandom >original
    ipc sock serve ./socket --echo &
    ipc sock wait -t 30s ./socket
    ipc sock connect ./socket <original >copy
    cmp original copy
}

@test "no listener is status 4, or 124 with a timeout" {
    run ipc sock connect ./nobody
    assert_failure 4
    assert_output 'ipc: sock connect: ./nobody: No such file or directory'
    run ipc sock wait -t 50ms ./nobody
    assert_failure 124
}
