#!/bin/sh
# A lock with its holder named: a process that does not get the lock can say which process has it.
#
# Prints:
#   busy: ipc has the lock (exclusive), and 0 processes wait for it
#   status 1
#   the lock is free
set -eu
directory=$(mktemp -d)
cd "$directory"
mkfifo locked finish
trap 'cd /; rm -r "$directory"' EXIT
trap 'exit 1' HUP INT TERM

# A build that holds the lock until it is told to finish.
ipc lock run build.lock -- sh -c 'echo >locked; read -r word <finish' &
read -r word <locked

# -n does not wait; 'ipc lock run -v' prints the holder as well, before it waits.
ipc lock run -n build.lock -- echo never || {
    refused=$?
    ipc lock test build.lock | while read -r pid command kind mode start end waiters; do
        [ "$pid" = PID ] || echo "busy: $command has the lock ($mode), and $waiters processes wait for it"
    done
    echo "status $refused"
}

echo >finish
wait
ipc lock test build.lock && echo 'the lock is free'
