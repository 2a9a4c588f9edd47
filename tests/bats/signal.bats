#!/usr/bin/env bats
# Signals, as scripts use them.

load helper

@test "a script receives a value with a signal" {
    ipc signal wait RTMIN+2 -t 30s --ready ready >heard &
    listener=$!
    eventually test -s ready
    ipc signal send RTMIN+2 --value 42 $listener
    wait $listener
    run cat heard
    assert_output --regexp '^RTMIN\+2 pid=[0-9]+ uid=[0-9]+ value=42$'
}

@test "a hundred values arrive in order" {
    ipc signal wait RTMIN -t 60s --count 100 --ready ready >heard &
    listener=$!
    eventually test -s ready
    for i in $(seq 100); do ipc signal send RTMIN --value "$i" $listener; done
    wait $listener
    run bash -c "grep -o 'value=.*' heard | cut -d= -f2 | cmp - <(seq 100)"
    assert_success
}

@test "no such process and no such signal are different errors" {
    sh -c 'exit 0' &
    gone=$!
    wait $gone
    run ipc signal send TERM $gone
    assert_failure 4
    assert_output "ipc: signal send: $gone: No such process"
    run ipc signal send NONSENSE $$
    assert_failure 2
    run ipc signal send TERM 0
    assert_failure 2
}
