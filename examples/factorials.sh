#!/bin/sh
# Factorials in shared memory: ten children compute one each, and the parent prints them all.
#
# Prints:
#   1 2 6 24 120 720 5040 40320 362880 3628800
set -eu
table=/example-$$
trap 'ipc shm rm -f "$table"' EXIT
trap 'exit 1' HUP INT TERM

ipc shm create "$table" --size 80 # ten numbers of 8 bytes

for n in $(seq 10); do
    {
        factorial=1
        for factor in $(seq "$n"); do
            factorial=$((factorial * factor))
        done
        ipc shm poke "$table" --type u64 --offset $(((n - 1) * 8)) "$factorial"
    } &
done
wait # for all children: then every number is there

ipc shm peek "$table" --type u64 --count 10 --sep ' '
