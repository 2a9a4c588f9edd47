#!/usr/bin/env bats
# Semaphores, as scripts use them.

load helper

@test "a script limits its jobs to two at a time" {
    ipc sem create "$name" --value 2
    job() {
        ipc sem wait "$name"
        echo start >>log
        echo end >>log
        ipc sem post "$name"
    }
    for _ in 1 2 3 4 5 6; do job & done
    wait
    run ipc sem value "$name"
    assert_success
    assert_output 2
    run awk '/start/ { if (++n > 2) exit 1 } /end/ { n-- }' log
    assert_success
}

@test "a trap posts a unit when the script is interrupted" {
    ipc sem create "$name" --value 1
    bash -euo pipefail -c '
        ipc sem wait "$1"
        trap "ipc sem post \"$1\"" EXIT
        touch taken
        read -r _ < <(sleep 60)
    ' - "$name" &
    eventually test -e taken
    kill -TERM $!
    wait $! || true
    pkill -P $$ sleep || true
    run ipc sem value "$name"
    assert_output 1
}

@test "statuses 1 and 124 let a script branch under set -e" {
    ipc sem create "$name"
    run bash -euo pipefail -c '
        status=0; ipc sem wait -n "$1" || status=$?; echo "$status"
        status=0; ipc sem wait -q -t 10ms "$1" || status=$?; echo "$status"
        if ipc sem wait -n "$1"; then echo taken; else echo busy; fi
    ' - "$name"
    assert_success
    assert_output $'1\n124\nbusy'
}

@test "two scripts wait for each other at a barrier" {
    ipc sem create "$name-a"
    ipc sem create "$name-b"
    { echo a >>log; ipc sem post "$name-a"; ipc sem wait "$name-b"; echo met >>log; } &
    { echo b >>log; ipc sem post "$name-b"; ipc sem wait "$name-a"; echo met >>log; } &
    wait
    run tail -2 log
    assert_output $'met\nmet'
}

@test "a stopped wait goes on when it is continued" {
    ipc sem create "$name"
    ipc sem wait "$name" &
    waiter=$!
    eventually sh -c "ipc sem stat --json '$name' | grep -q '\"waiters\":1'"
    kill -STOP $waiter
    eventually grep -q '^State:.T' /proc/$waiter/status
    kill -CONT $waiter
    ipc sem post "$name"
    wait $waiter
}

@test "it works the same in dash and zsh" {
    for shell in dash zsh; do
        run $shell -c 'ipc sem create "$1" && ipc sem post "$1" && ipc sem wait "$1" && ipc sem value "$1" && ipc sem rm "$1"' - "$name"
        assert_success
        assert_output 0
    done
}
