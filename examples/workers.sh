#!/bin/sh
# N workers at most: eight jobs start at once, and two of them run at a time.
#
# A permit of 'sem run' comes back however its job ends: kill -9 loses none.
#
# Prints:
#   8 jobs done, never more than 2 at a time
set -eu
slots=/example-$$
running=/example-$$-running
directory=$(mktemp -d)
clean_up() {
    ipc sem rm -f "$slots"
    ipc shm rm -f "$running"
    rm -r "$directory"
}
trap clean_up EXIT
trap 'exit 1' HUP INT TERM

ipc sem create "$slots" --value 2
ipc shm create "$running" --size 4 # a number: how many jobs run

for job in 1 2 3 4 5 6 7 8; do
    # The job notes how many run, itself included.
    ipc sem run "$slots" -- sh -c 'ipc shm add "$0" 1 && ipc shm add "$0" -1 >/dev/null' "$running" \
        >"$directory/$job" &
done
wait

most=$(sort -n "$directory"/* | tail -n 1)
[ "$most" -le 2 ] && echo '8 jobs done, never more than 2 at a time'
