#!/usr/bin/env bats
# Shared memory, as scripts use it.

load helper

@test "written data is read back, byte for byte" {
    head -c 3M /dev/urandom >original
    ipc shm write "$name" <original
    ipc shm cat "$name" | cmp - original
}

@test "head ends cat quietly" {
    head -c 3M /dev/zero | ipc shm write "$name"
    run bash -c 'set -o pipefail; ipc shm cat "$1" | head -c 5 | wc -c; exit "${PIPESTATUS[2]}"' - "$name"
    assert_success
    assert_output 5
}

@test "input that does not fit is refused, and the old bytes stay" {
    printf 12345 | ipc shm write "$name"
    printf 1234567890 >input
    run bash -c 'ipc shm write "$1" <input' - "$name"
    assert_failure 3
    run ipc shm cat "$name"
    assert_output 12345
    ipc shm write --grow "$name" <input
    run ipc shm cat "$name"
    assert_output 1234567890
}

@test "an object has the requested size, is listed, and is removed" {
    ipc shm create "$name" --size 64K
    run stat -c '%s %a' "/dev/shm$name"
    assert_output '65536 600'
    run bash -c 'ipc shm ls --json | grep -c "$1"' - "$name"
    assert_output 1
    ipc shm resize "$name" 4K
    run stat -c %s "/dev/shm$name"
    assert_output 4096
    ipc shm rm "$name"
    test ! -e "/dev/shm$name"
}
