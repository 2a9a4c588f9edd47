#!/bin/sh
# A shared counter: four processes count at the same time, and no count is lost.
#
# Prints:
#   100
set -eu
counter=/example-$$
trap 'ipc shm rm -f "$counter"' EXIT
trap 'exit 1' HUP INT TERM

ipc shm create "$counter" --size 8 # a u64, which is 0

for process in 1 2 3 4; do
    for round in $(seq 25); do
        ipc shm add "$counter" --type u64 1 >/dev/null # atomic, so no lock is needed
    done &
done
wait
ipc shm peek "$counter" --type u64
