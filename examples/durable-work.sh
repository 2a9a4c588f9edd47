#!/bin/sh
# A work queue that survives kill -9: a job whose worker is killed is done by the next worker.
#
# A job is a file that is synced before 'put' prints its name, so that it survives a crash of the
# machine too.
#
# Prints:
#   resize a.png: attempt 1, killed
#   resize a.png: attempt 2, done
#   resize b.png: attempt 1, done
#   no job is left
set -eu
directory=$(mktemp -d)
trap 'rm -r "$directory"' EXIT
trap 'exit 1' HUP INT TERM
jobs=$directory/jobs

printf 'resize a.png\nresize b.png\n' | ipc spool put --create --each-line "$jobs" >"$directory/names"

# This job kills its worker, and then itself.
ipc spool take "$jobs" -- \
    sh -c 'echo "$(cat): attempt $IPC_ATTEMPT, killed"; kill -KILL "$PPID" $$' &
wait $! 2>/dev/null || true # the shell would report the kill here

ipc spool take --all "$jobs" -- sh -c 'echo "$(cat): attempt $IPC_ATTEMPT, done"'

ipc spool take -n "$jobs" -- cat || echo 'no job is left'
