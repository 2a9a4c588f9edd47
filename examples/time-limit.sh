#!/bin/sh
# A time limit by an alarm: a command that takes longer is ended by a signal, with its children.
#
# Prints:
#   in time
#   stopped, status 124
#   TERM was ignored, KILL was not: status 137
set -eu

ipc signal alarm 1m -- echo 'in time'

ipc signal alarm 0.1 -- sleep 1h || echo "stopped, status $?"

# -k sends KILL to a command that ignores the first signal. The shell would report that on stderr.
{
    ipc signal alarm 0.1 -k 0.1 -- sh -c 'trap "" TERM; sleep 1h; sleep 1h' ||
        echo "TERM was ignored, KILL was not: status $?"
} 2>/dev/null
