#!/bin/sh
# A door that doubles a number: a procedure of one process that others call by a path, with an
# argument, an answer and a status.
#
# Prints:
#   42
#   not a number: many
#   status 2
set -eu
directory=$(mktemp -d)
cd "$directory"
trap 'kill "$server" 2>/dev/null || true; cd /; rm -r "$directory"' EXIT
trap 'exit 1' HUP INT TERM

ipc door serve ./double -- sh -c '
    read -r number
    case $number in
    "" | *[!0-9]*) echo "not a number: $number" >&2; exit 2 ;;
    esac
    echo $((2 * number))' &
server=$!
ipc sock wait -t 1m ./double

ipc door call ./double 21
ipc door call ./double many 2>&1 || echo "status $?"

ipc door revoke ./double # the server finishes its calls and ends
wait "$server"
