#!/bin/sh
# Two programs in conversation: each reads what the other writes. One has a number in mind, the other
# finds it.
#
# Prints:
#   50?
#   25?
#   37?
#   43 it is
set -eu

secret='read -r guess
until [ "$guess" -eq 43 ]; do
    if [ "$guess" -lt 43 ]; then echo higher; else echo lower; fi
    read -r guess
done
echo yes'

# Its stdout is the pipe to the other program, so it shows its guesses on stderr.
guesser='low=1 high=99 answer=
until [ "$answer" = yes ]; do
    guess=$(((low + high) / 2))
    echo "$guess"
    read -r answer
    case $answer in
    higher) echo "$guess?" >&2; low=$((guess + 1)) ;;
    lower) echo "$guess?" >&2; high=$((guess - 1)) ;;
    esac
done
echo "$guess it is" >&2'

ipc pipe run --loop -- sh -c "$guesser" -- sh -c "$secret" 2>&1
