#!/bin/sh
# A rendezvous: three workers prepare, each at its own speed, and begin together.
#
# A barrier needs no creation and no removal. A party that dies while it waits is not counted.
#
# Prints:
#   prepared
#   prepared
#   prepared
#   begins
#   begins
#   begins
set -eu
start=/example-$$

for worker in 1 2 3; do
    (
        echo prepared
        ipc sem barrier "$start" --parties 3 -t 1m
        echo begins
    ) &
done
wait
