#!/bin/sh
# A producer and a consumer with back-pressure: the queue holds four messages, and a producer that is
# faster than the consumer waits for room.
#
# Prints:
#   without a consumer: full after 4 messages
#   consumed 100 numbers, sum 5050
set -eu
queue=/example-$$
trap 'ipc mq rm -f "$queue"' EXIT
trap 'exit 1' HUP INT TERM

ipc mq create "$queue" --max-msgs 4 --msg-size 64

# -n does not wait: the fifth message is refused with status 1.
ipc mq send -n "$queue" a b c d e || true
echo "without a consumer: full after $(ipc mq recv --all "$queue" | wc -l) messages"

# The producer waits whenever four numbers are in the queue. --eof sends a marker of the end.
seq 100 | ipc mq send --eof "$queue" &

ipc mq recv -f --until-eof "$queue" |
    awk '{ sum += $1 } END { print "consumed " NR " numbers, sum " sum }'
wait
