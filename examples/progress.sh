#!/bin/sh
# Progress in a cell: a job counts its steps in shared memory, and any process may look at the number
# or sleep until it changes.
#
# Prints:
#   5 of 5 steps
set -eu
cell=/example-$$
trap 'ipc shm rm -f "$cell"' EXIT
trap 'exit 1' HUP INT TERM

ipc shm create "$cell" --size 4

# The job.
for step in 1 2 3 4 5; do
    ipc shm poke "$cell" "$step"
done &

# The watcher sleeps until the number has grown. On a terminal it shows each number that it sees.
done=0
while [ "$done" -lt 5 ]; do
    done=$(ipc shm wait "$cell" --ge $((done + 1)) -t 1m)
    [ ! -t 2 ] || printf '\r%s of 5 steps' "$done" >&2
done
wait
echo "$done of 5 steps"
