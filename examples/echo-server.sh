#!/bin/sh
# An echo server that ends when a client says STOP. With tcp:HOST:PORT instead of a path it serves
# other machines.
#
# Prints:
#   hello
#   hello again
#   the server has ended
set -eu
directory=$(mktemp -d)
cd "$directory"
clean_up() {
    [ ! -e echo ] || echo STOP | ipc sock connect ./echo
    cd /
    rm -r "$directory"
}
trap clean_up EXIT
trap 'exit 1' HUP INT TERM

# Each client gets a shell, whose parent is the server. A server that gets TERM removes its path, and then
# dies of the signal, which the shell would report on stderr.
{
    ipc sock serve ./echo -- sh -c '
        while read -r line; do
            case $line in
            STOP) kill "$PPID"; exit ;;
            *) echo "$line" ;;
            esac
        done' || true
} 2>/dev/null &

ipc sock wait -t 1m ./echo
echo hello | ipc sock connect ./echo
printf 'hello again\nSTOP\n' | ipc sock connect ./echo
wait
[ -e echo ] || echo 'the server has ended'
