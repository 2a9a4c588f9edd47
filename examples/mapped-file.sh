#!/bin/sh
# Strings exchanged through a mapped file: a number says whose turn it is, and a string follows it.
# A program in C would map the same file with mmap(2).
#
# Prints:
#   child got: what is your name?
#   parent got: my name is child
set -eu
directory=$(mktemp -d)
trap 'rm -r "$directory"' EXIT
trap 'exit 1' HUP INT TERM
file=$directory/exchange

ipc map create "$file" --size 128 # the turn in the first 4 bytes, the string from byte 8 on
say() { # TURN STRING
    printf '%s\0' "$2" | ipc map write "$file" --offset 8
    ipc map poke "$file" "$1" # wakes the process that waits for its turn
}
hear() { # TURN
    ipc map wait "$file" --eq "$1" -t 1m >/dev/null
    ipc map cat "$file" --offset 8 --string
}

{
    echo "child got: $(hear 1)"
    say 2 'my name is child'
} &

say 1 'what is your name?'
echo "parent got: $(hear 2)"
wait
