#!/bin/sh
# A chat: what one member says, every other member gets. With tcp:HOST:PORT instead of a path, the
# members are on several machines.
#
# Prints:
#   ann: hello, everybody
#   ann: hello, everybody
set -eu
directory=$(mktemp -d)
cd "$directory"
ipc sock serve ./room --hub &
server=$!
trap 'kill "$server"; cd /; rm -r "$directory"' EXIT
trap 'exit 1' HUP INT TERM

ipc sock wait -t 1m ./room
ipc sock connect ./room --recv-only >bob &
ipc sock connect ./room --recv-only >cem &

# A member hears what is said after it has joined.
until ipc sock stat ./room | grep -q '^connections: *2$'; do :; done

echo 'ann: hello, everybody' | ipc sock connect ./room

# The room closes, which ends bob and cem, when they have got everything.
until grep -q hello bob && grep -q hello cem; do :; done
cat bob cem
