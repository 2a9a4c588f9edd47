#!/bin/sh
# Reload by a signal: a service reads its configuration again whenever it gets HUP.
#
# The handler runs at once, also while the service runs a command: a trap of the shell would wait for
# the end of that command.
#
# Prints:
#   colour=red
#   colour=green
set -eu
directory=$(mktemp -d)
cd "$directory"
mkfifo said
trap 'kill "${service:-}" 2>/dev/null || true; cd /; rm -r "$directory"' EXIT
trap 'exit 1' HUP INT TERM

echo colour=red >configuration
ipc signal trap --on HUP='cat configuration >said' -- \
    sh -c 'cat configuration >said; exec sleep infinity' &
service=$!
cat said

echo colour=green >configuration
ipc signal send HUP "$service"
cat said
