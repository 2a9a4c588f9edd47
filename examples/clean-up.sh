#!/bin/sh
# Clean-up of a crashed program's System V objects. The kernel keeps them until a reboot, with names
# that nobody knows any more; 'ipc ls --stale' finds objects whose users have ended.
#
# 'ipc prune' removes such segments of the whole machine, and 'ipc prune --kind sem --older-than 1d'
# objects of other kinds that were not used for a day. 'create --while -- PROGRAM' leaves nothing to
# clean up: it removes the object however PROGRAM ends.
#
# Prints:
#   left behind: shm mq
#   removed
#   with --while: nothing is left
set -eu
directory=$(mktemp -d)
cd "$directory"
trap 'cd /; rm -r "$directory"' EXIT
trap 'exit 1' HUP INT TERM

# A program that creates a segment and a queue, and crashes.
sh -c 'ipc shm create sysv:0 --size 4K >segment; ipc mq create sysv:0 >queue; kill -KILL $$' &
wait $! 2>/dev/null || true # the shell would report the kill here

segment=$(cat segment) queue=$(cat queue)
stale() { # KIND NAME
    ipc ls -q --stale --kind "$1" --filter "name=$2" --noheadings -o kind
}
echo "left behind: $(stale shm "$segment") $(stale mq "$queue")"

ipc shm rm "$segment"
ipc mq rm "$queue"
[ -z "$(stale shm "$segment")$(stale mq "$queue")" ] && echo removed

# The same program, with an object that goes when it ends.
ipc shm create sysv:0 --size 4K --while -- sh -c 'echo "$IPC_NAME" >segment; kill -KILL $$' || true
ipc shm stat "$(cat segment)" >/dev/null 2>&1 || echo 'with --while: nothing is left'
