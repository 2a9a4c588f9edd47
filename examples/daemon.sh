#!/bin/sh
# A daemon that can be restarted after any end, and that is safe from recycled process IDs: its lock
# file has the start time of the daemon beside the process ID.
#
# Prints:
#   started
#   status 1: runs already
#   started again after kill -9
#   status 4: the process of that number is another one
set -eu
directory=$(mktemp -d)
cd "$directory"
mkfifo said
clean_up() {
    ipc signal send -q KILL --wait --pidfile daemon.lock || true
    cd /
    rm -r "$directory"
}
trap clean_up EXIT
trap 'exit 1' HUP INT TERM

# The daemon: a shell takes the lock file and becomes the service, which has its process ID.
start() { # WHAT-TO-SAY
    (sh -c 'ipc lock take -nq daemon.lock || exit; echo "$0" >said; exec sleep infinity' "$1" &)
    cat said
}

start started
sh -c 'ipc lock take -nq daemon.lock' || echo "status $?: runs already"

# The lock file of a killed daemon is no obstacle.
ipc signal send KILL --wait --pidfile daemon.lock
start 'started again after kill -9'

# Long after the end of the daemon its process ID belongs to another process: here to this script.
sed "1s/.*/$$/" daemon.lock >recycled
ipc signal send -q TERM --pidfile recycled ||
    echo "status $?: the process of that number is another one"
