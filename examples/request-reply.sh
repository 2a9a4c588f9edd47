#!/bin/sh
# Request and reply by one message queue: clients ask with type 1, and the type of a reply is the
# process ID of the client that asked. Only System V queues have types.
#
# Prints:
#   the square of 3 is 9
#   the square of 5 is 25
#   the square of 7 is 49
set -eu
queue=$(ipc mq create sysv:0) # the kernel chooses the name
trap 'ipc mq rm -f "$queue"' EXIT
trap 'exit 1' HUP INT TERM

# The server: a request is "CLIENT NUMBER".
ipc mq recv -f --until-eof --type 1 "$queue" |
    while read -r client number; do
        ipc mq send -p "$client" "$queue" $((number * number))
    done &

# Three clients at the same time.
for number in 3 5 7; do
    sh -c '
        ipc mq send -p 1 "$1" "$$ $2"
        echo "the square of $2 is $(ipc mq recv -t 1m --type $$ "$1")"
    ' client "$queue" "$number" &
done | sort

ipc mq send -p 1 --eof "$queue" </dev/null
wait
