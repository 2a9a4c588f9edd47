#!/bin/sh
# The bounded buffer of the textbooks: three places in shared memory and two semaphores, one that
# counts the empty places and one that counts the full ones.
#
# 'ipc queue' is such a buffer, for any number of processes, and safe from kills; see back-pressure.sh
# for queues of the kernel.
#
# Prints:
#   1 4 9 16 25 36 49 64
set -eu
buffer=/example-$$
empty=/example-$$-empty
full=/example-$$-full
trap 'ipc shm rm -f "$buffer"; ipc sem rm -f "$empty" "$full"' EXIT
trap 'exit 1' HUP INT TERM

ipc shm create "$buffer" --size 12 # three numbers of 4 bytes
ipc sem create "$empty" --value 3
ipc sem create "$full" --value 0

# The producer.
for n in 1 2 3 4 5 6 7 8; do
    ipc sem wait "$empty"
    ipc shm poke "$buffer" --offset $((n % 3 * 4)) $((n * n))
    ipc sem post "$full"
done &

# The consumer.
for n in 1 2 3 4 5 6 7 8; do
    ipc sem wait "$full"
    ipc shm peek "$buffer" --offset $((n % 3 * 4))
    ipc sem post "$empty"
done | paste -s -d ' ' -
wait
