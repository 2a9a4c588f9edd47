#!/bin/sh
# A broadcast: every reader gets all records. A FIFO alone gives each byte to one reader only, so each
# reader has a FIFO of its own.
#
# Prints:
#   all: 3 events
#   errors: disk full
#   last: stopped
set -eu
directory=$(mktemp -d)
cd "$directory"
trap 'cd /; rm -r "$directory"' EXIT
trap 'exit 1' HUP INT TERM
ipc fifo create all errors last

# Three readers, which may also start later.
ipc fifo cat all | sed -n '$=' | sed 's/.*/all: & events/' >1 &
ipc fifo cat errors | sed -n 's/^error/errors/p' >2 &
ipc fifo cat last | tail -n 1 | sed 's/^/last: /' >3 &

# By default the slowest reader delays the others; --slow drop and --slow disconnect change that.
printf 'started\nerror: disk full\nstopped\n' | ipc fifo tee --readers 3 all errors last >log
wait
cat 1 2 3
